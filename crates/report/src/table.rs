//! A table as a value: typed cells, so that each form writes numbers and instants in its own way.

use audit_model::PortalText;
use chrono::{DateTime, Utc};

use crate::words::{self, Clock};
use crate::{Line, Link};

/// What stands in a row under a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    #[default]
    Empty,
    Text(Line),
    Link(Link),
    Number(u64),
    At(DateTime<Utc>),
    /// What lines of the document lead to.
    Anchor(Anchor),
}

/// Text of a cell that names its row within the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub(crate) text: Line,
    pub(crate) id: String,
}

impl Cell {
    /// A text, mostly an id, that [`Line::row`] leads to; it is never broken. `id` holds letters, digits and hyphens.
    pub fn anchored(text: impl Into<Line>, id: impl Into<String>) -> Self {
        Cell::Anchor(Anchor { text: text.into(), id: id.into() })
    }

    /// For people, on one line, in the portal's zone.
    pub(crate) fn line(&self, clock: Clock) -> Line {
        match self {
            Cell::Empty => Line::default(),
            Cell::Text(line) => line.clone(),
            Cell::Link(link) => link.label.clone(),
            Cell::Anchor(anchor) => anchor.text.clone(),
            Cell::Number(number) => words::number(*number).into(),
            Cell::At(instant) => clock.at(*instant).into(),
        }
    }

    /// For programs: digits only, instants in UTC.
    pub(crate) fn data(&self) -> String {
        match self {
            Cell::Number(number) => number.to_string(),
            Cell::At(instant) => words::utc(*instant),
            Cell::Link(link) => link.url.clone(),
            Cell::Empty | Cell::Text(_) | Cell::Anchor(_) => self.line(Clock::default()).raw(),
        }
    }
}

impl From<Line> for Cell {
    fn from(line: Line) -> Self {
        Cell::Text(line)
    }
}

impl From<&str> for Cell {
    fn from(own: &str) -> Self {
        Cell::Text(own.into())
    }
}

impl From<String> for Cell {
    fn from(own: String) -> Self {
        Cell::Text(own.into())
    }
}

impl From<&PortalText> for Cell {
    fn from(text: &PortalText) -> Self {
        Cell::Text(text.into())
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Cell::Number(number)
    }
}

impl From<DateTime<Utc>> for Cell {
    fn from(instant: DateTime<Utc>) -> Self {
        Cell::At(instant)
    }
}

impl From<Link> for Cell {
    fn from(link: Link) -> Self {
        Cell::Link(link)
    }
}

impl<C: Into<Cell>> From<Option<C>> for Cell {
    fn from(cell: Option<C>) -> Self {
        cell.map_or(Cell::Empty, Into::into)
    }
}

/// What a table leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Rows that there are in all.
    pub total: u64,
    /// Where all of them are.
    pub place: Line,
}

/// Rows under columns. The first cell of a row names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub caption: Line,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    pub rest: Option<Rest>,
}

impl Table {
    pub fn new(caption: impl Into<Line>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Table { caption: caption.into(), columns, ..Table::default() }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Says how many rows there are and where, if the table does not hold them all.
    pub fn of(mut self, total: u64, place: impl Into<Line>) -> Self {
        if total > self.rows.len() as u64 {
            self.rest = Some(Rest { total, place: place.into() });
        }
        self
    }

    /// `Showing 50 of 1,240; for all of them see events.csv`
    pub(crate) fn note(&self) -> Option<Line> {
        let rest = self.rest.as_ref()?;
        let (shown, total) = (words::number(self.rows.len() as u64), words::number(rest.total));
        Some(Line::from(format!("Showing {shown} of {total}; for all of them see ")).and(rest.place.clone()))
    }

    /// Headings, as many as the widest row has cells.
    pub(crate) fn headings(&self) -> Vec<&str> {
        let width = self.rows.iter().map(Vec::len).fold(self.columns.len(), usize::max);
        self.columns.iter().map(String::as_str).chain(std::iter::repeat("")).take(width).collect()
    }

    /// The cell of a row under a column.
    pub(crate) fn cell<'c>(&self, row: &'c [Cell], column: usize) -> &'c Cell {
        row.get(column).unwrap_or(&Cell::Empty)
    }

    pub(crate) fn anchors(&self) -> Vec<&str> {
        let cells = self.rows.iter().flatten();
        let anchors = cells.filter_map(|cell| match cell {
            Cell::Anchor(anchor) => Some(anchor.id.as_str()),
            _ => None,
        });
        anchors.collect()
    }

    /// Whether a column holds numbers, which are set to the right.
    pub(crate) fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Empty);
        cells
            .next()
            .is_some_and(|first| matches!(first, Cell::Number(_)) && cells.all(|cell| matches!(cell, Cell::Number(_))))
    }
}
