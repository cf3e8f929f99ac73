//! TOML files as layers.

use std::fs;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::channels;
use super::layer::Layer;
use super::place::SettingPlace;
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
    let mut values = with_plain_dates(values);
    channels::resolve(&mut values, path);
    Ok(Layer { place: SettingPlace::File(path.to_owned()), values })
}

/// The table with its dates and times as texts. TOML has a type of its own for them, and figment makes tables of those; what a
/// setting takes in quotes it takes without.
pub(super) fn with_plain_dates(table: Dict) -> Dict {
    table.into_iter().map(|(name, value)| (name, with_plain_date(value))).collect()
}

fn with_plain_date(value: Value) -> Value {
    /// The name that `toml` gives to the only member of a date.
    const DATE: &str = "$__toml_private_datetime";
    match value {
        Value::Dict(_, mut date) if date.len() == 1 && date.contains_key(DATE) => {
            date.remove(DATE).unwrap_or_else(|| "".into())
        }
        Value::Dict(tag, table) => Value::Dict(tag, with_plain_dates(table)),
        Value::Array(tag, list) => Value::Array(tag, list.into_iter().map(with_plain_date).collect()),
        plain => plain,
    }
}

/// Line and column of a byte, both counted from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
