//! TOML files as layers.

use std::fs;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::Dict;

use super::layer::{Layer, Place};
use super::problem::Problem;

/// Reads one file. A file that was named must exist.
pub(super) fn read(path: &Path) -> Result<Layer, Problem> {
    let text =
        fs::read_to_string(path).map_err(|error| Problem::with_file(path, format!("cannot be read: {error}")))?;
    let values: Dict = Toml::from_str(&text).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| {
            let (line, column) = position(&text, span.start);
            format!("line {line}, column {column}: ")
        });
        // the parser's own text would quote the line, which may hold a secret
        Problem::with_file(path, format!("{place}{}", error.message().lines().collect::<Vec<_>>().join(", ")))
    })?;
    Ok(Layer { place: Place::File(path.to_owned()), values })
}

/// Line and column of a byte, both counted from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
