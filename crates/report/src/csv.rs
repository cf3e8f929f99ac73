//! Tables for spreadsheets (RFC 4180): every cell is quoted, each row is one line, and none is a formula, whether the file is read by
//! commas or, as spreadsheets in half of Europe do, by semicolons.
//!
//! Of a document that is one table: a row for the report itself, one per person, one per line that sections list or warn of, one per
//! span that was not seen. The first row is always there, so that a file of an incomplete report never looks like an empty all-clear.

use audit_model::{PortalText, Window};

use crate::coverage::unseen;
use crate::words::{self, utc};
use crate::{Block, Document, Line, PersonLine, Section, Table};

/// Columns of [`render`]. Later versions may add some at the end.
pub const COLUMNS: [&str; 16] = [
    "row",        // report | person | line | not_seen
    "severity",   // of a person
    "state",      // of a person what people know of it; of the report complete | incomplete | nothing
    "person_id",  //
    "person",     //
    "email",      //
    "remark",     //
    "what",       // reason; of the report its headline; of a line its text; of a gap why
    "where_id",   // room
    "where",      // title of the room; of a line its section; of a gap the source
    "count",      // digits only
    "how_much",   // the same in words
    "first",      // RFC 3339 in UTC; of the report and of gaps the span
    "last",       //
    "what_to_do", //
    "page",       // the person's page in the portal
];

/// People, listed lines and gaps of a document as one table.
pub fn render(document: &Document) -> String {
    let mut out = row(COLUMNS);
    let seal = words::seal_name(document.seal());
    let of_window = |kind: &str, state: &str, what: String, source: String, window: Window| {
        let [first, last] = [window.since, window.until].map(utc);
        let mut cells = COLUMNS.map(|_| String::new());
        (cells[0], cells[2], cells[7], cells[9]) = (kind.to_owned(), state.to_owned(), what, source);
        (cells[12], cells[13]) = (first, last);
        row(cells)
    };
    out += &of_window("report", seal, document.headline.raw(), String::new(), document.window);
    document.people().into_iter().for_each(|line| out += &person(line));
    document.sections.iter().for_each(|section| out += &lines(section));
    for unseen in unseen(&document.coverage) {
        for span in &unseen.spans {
            let (what, source) = (unseen.explanation.to_owned(), unseen.source.to_owned());
            out += &of_window("not_seen", "", what, source, *span);
        }
    }
    out
}

/// A row for each line that the section lists or warns of, folded ones too.
fn lines(section: &Section) -> String {
    listed(&section.blocks)
        .into_iter()
        .map(|line| {
            let mut cells = COLUMNS.map(|_| String::new());
            (cells[0], cells[7], cells[9]) = ("line".to_owned(), line.raw(), section.title.raw());
            row(cells)
        })
        .collect()
}

fn listed(blocks: &[Block]) -> Vec<&Line> {
    fn of(block: &Block) -> Vec<&Line> {
        match block {
            Block::List(lines) => lines.iter().collect(),
            Block::Warning(line) => vec![line],
            Block::Details(details) => listed(&details.blocks),
            Block::Paragraph(_) | Block::Quote(_) | Block::Table(_) | Block::Person(_) => Vec::new(),
        }
    }
    blocks.iter().flat_map(of).collect()
}

fn person(line: &PersonLine) -> String {
    let place = line.place.clone().unwrap_or_default();
    let who = &line.who;
    let raw = |line: &Line| line.raw();
    row([
        "person".to_owned(),
        words::severity(line.severity).to_lowercase(),
        line.state.map(words::state_name).unwrap_or_default().to_owned(),
        who.id.clone().unwrap_or_default(),
        who.name.raw().to_owned(),
        who.email.as_ref().map(|email| email.raw().to_owned()).unwrap_or_default(),
        who.remark.as_ref().map(raw).unwrap_or_default(),
        line.what.raw(),
        place.id.unwrap_or_default(),
        place.title.raw().to_owned(),
        line.count.map(|count| count.to_string()).unwrap_or_default(),
        line.how_much.raw(),
        line.first.map(utc).unwrap_or_default(),
        line.last.map(utc).unwrap_or_default(),
        line.what_to_do.iter().map(raw).collect::<Vec<_>>().join("; "),
        who.page.clone().unwrap_or_default(),
    ])
}

/// A table by itself, under its columns: numbers as digits, instants in UTC. Only rows that the table holds.
pub fn table(table: &Table) -> String {
    let headings = table.headings();
    let rows = table.rows.iter().map(|cells| row((0..headings.len()).map(|column| table.cell(cells, column).data())));
    std::iter::once(row(&headings)).chain(rows).collect()
}

/// One row, texts of the portal's and words of ours alike; for files that are too long to be a [`Table`].
pub fn row<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    format!("{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    PortalText::new(text).for_csv()
}
