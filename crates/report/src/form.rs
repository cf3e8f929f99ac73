//! The forms that a document takes, and which of them a file gets.

use std::path::Path;

use crate::{Document, csv, html};

/// How wide text is where nobody says how wide their terminal is.
pub const TEXT_WIDTH: usize = 100;

/// A form of a report. XLSX would be one more variant here, with the rows of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text, as on stdout and in mails.
    Text,
    /// One page that needs nothing else.
    Html,
    /// One table, of people, listed lines and gaps, for spreadsheets: see [`csv`].
    Csv,
    /// The program's own JSON report, which is made of more than the document: see [`Document::render`].
    Json,
}

/// A file whose ending names no form.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error(
        "report {file:?}: Excel files (.xlsx) cannot be written; use a name that ends in .csv, which spreadsheet programs open"
    )]
    Spreadsheet { file: String },
    #[error("report {file:?}: the name must end in .html, .txt, .csv or .json, which sets the format of the report")]
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
}

impl Document {
    /// As a page.
    pub fn html(&self) -> String {
        html::render(self)
    }

    /// As a table, of people, listed lines and gaps.
    pub fn csv(&self) -> String {
        csv::render(self)
    }

    /// In this form, in UTF-8. `json` gives the program's own JSON report.
    ///
    /// # Errors
    /// Those of `json`.
    pub fn render<E>(&self, form: Form, json: impl FnOnce() -> Result<Vec<u8>, E>) -> Result<Vec<u8>, E> {
        match form {
            Form::Text => Ok(self.text(TEXT_WIDTH).into_bytes()),
            Form::Html => Ok(self.html().into_bytes()),
            Form::Csv => Ok(self.csv().into_bytes()),
            Form::Json => json(),
        }
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
        assert!(
            message("r.xlsx")
                .contains("\"r.xlsx\": Excel files (.xlsx) cannot be written; use a name that ends in .csv")
        );
        for name in ["report", "r.pdf", ".csv"] {
            assert_eq!(of(name), Err(Error::Ending { file: name.to_owned() }));
        }
    }
}
