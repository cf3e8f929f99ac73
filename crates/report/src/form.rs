//! The forms that a document takes, and which of them a file gets.

use std::path::Path;

use crate::{Document, csv, html, json, text};

/// How wide text is where nobody says how wide their terminal is.
pub const TEXT_WIDTH: usize = 100;

/// A form of a document.
///
/// XLSX becomes one more variant, with the same rows as CSV: [`Form::render`] gives bytes for its sake, and
/// [`Form::of_file`] knows its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text, as on stdout and in mails.
    Text,
    /// One page that needs nothing else.
    Html,
    /// One table, of people and of gaps, for spreadsheets: see [`csv`].
    Csv,
    /// The document as data, described by `schema/document-1.schema.json`.
    Json,
}

/// A file whose ending names no form.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error(
        "report {file:?}: a spreadsheet cannot be written yet; end the name in .csv for a table that spreadsheets open"
    )]
    Spreadsheet { file: String },
    #[error("report {file:?}: the ending must be .html, .txt, .csv or .json, as it decides the form of the report")]
    Ending { file: String },
}

impl Form {
    /// The form that the ending of a file's name asks for, in capitals or not.
    ///
    /// # Errors
    /// When the ending is none of `.html`, `.htm`, `.txt`, `.csv`, `.json`: the user must choose another name.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        let file = || path.to_string_lossy().into_owned();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("txt") => Ok(Form::Text),
            Some("html" | "htm") => Ok(Form::Html),
            Some("csv") => Ok(Form::Csv),
            Some("json") => Ok(Form::Json),
            Some("xlsx") => Err(Error::Spreadsheet { file: file() }),
            _ => Err(Error::Ending { file: file() }),
        }
    }

    /// The document in this form, text in UTF-8.
    pub fn render(self, document: &Document) -> Vec<u8> {
        let text = match self {
            Form::Text => text::render(document, TEXT_WIDTH),
            Form::Html => html::render(document),
            Form::Csv => csv::render(document),
            Form::Json => json::render(document),
        };
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides() {
        let of = |name: &str| Form::of_file(Path::new(name));
        assert_eq!(of("/srv/r.html"), Ok(Form::Html));
        assert_eq!(of("r.JSON"), Ok(Form::Json));
        assert_eq!(of("r.tar.txt"), Ok(Form::Text));
        assert_eq!(of("r.csv"), Ok(Form::Csv));
        let message = |name| of(name).unwrap_err().to_string();
        assert!(message("r.xlsx").contains("\"r.xlsx\": a spreadsheet cannot be written yet"));
        for name in ["report", "r.pdf", ".csv"] {
            assert_eq!(of(name), Err(Error::Ending { file: name.to_owned() }));
        }
    }
}
