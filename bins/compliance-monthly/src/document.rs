//! The report as blocks of text, before it is plain text or a page. Every string in it is one line that is safe on a terminal; a
//! page escapes it once more.

/// What a reader reads, in order.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// For the page; the text has the published first lines instead.
    pub(crate) title: String,
    /// What stands on the first page, before any table.
    pub(crate) page_one: Vec<Block>,
    pub(crate) sections: Vec<Block>,
}

#[derive(Debug)]
pub(crate) enum Block {
    Heading(String),
    /// What nobody may overlook.
    Warning(String),
    Paragraph(String),
    List(Vec<String>),
    Table(Table),
    Bars(Bars),
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    /// How many there are in all, and where, when the table does not hold them all.
    pub(crate) rest: Option<Rest>,
}

#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) total: u64,
    /// Which file has them, and how they are found in it.
    pub(crate) place: String,
}

/// Numbers over days.
#[derive(Debug)]
pub(crate) struct Bars {
    pub(crate) caption: String,
    /// Label, number, and the ids of the first and the last event.
    pub(crate) bars: Vec<(String, u64, String)>,
}

impl Table {
    pub(crate) fn new(caption: impl Into<String>, columns: &[&'static str]) -> Self {
        Table { caption: caption.into(), columns: columns.to_vec(), rows: Vec::new(), rest: None }
    }

    /// Says what the table does not hold, if it does not hold it all.
    pub(crate) fn of(mut self, total: u64, place: impl Into<String>) -> Self {
        if total > self.rows.len() as u64 {
            self.rest = Some(Rest { total, place: place.into() });
        }
        self
    }

    /// `Showing the first 50 of 1240; all of them: …`, which stands before the table.
    pub(crate) fn note(&self) -> Option<String> {
        let rest = self.rest.as_ref()?;
        Some(format!("Showing {} of {}; all of them: {}", self.rows.len(), rest.total, rest.place))
    }
}
