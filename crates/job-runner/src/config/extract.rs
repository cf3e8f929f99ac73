//! From merged layers to a settings struct, with everything that does not fit.
//!
//! serde stops at the first wrong type and says nothing about unknown keys. So a value that does not fit is reported,
//! taken out of its layer, and the struct is read again; ignored keys are collected on the way.

use figment::Figment;
use figment::error::{Actual, Kind};
use figment::value::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::layer::{Layers, find, remove};
use super::place::SettingPlace;
use super::problem::Problem;
use super::suggest::nearest;
use super::variables::toml_value;

/// Longest text that an error repeats. Enough for a number or a word that was meant to be something else, too short for
/// a secret in the wrong place.
const MAX_ECHO: usize = 12;

/// Settings, and the paths in the layers that they do not have.
pub(super) struct Extracted<T> {
    pub(super) settings: T,
    pub(super) ignored: Vec<Vec<String>>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Extracted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ignored = Vec::new();
        let settings = serde_ignored::deserialize(deserializer, |path| ignored.push(names(&path)))?;
        Ok(Self { settings, ignored })
    }
}

fn names(path: &serde_ignored::Path<'_>) -> Vec<String> {
    use serde_ignored::Path;
    let (parent, name) = match path {
        Path::Root => return Vec::new(),
        Path::Map { parent, key } => (parent, Some(key.clone())),
        Path::Seq { parent, index } => (parent, Some(index.to_string())),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => (parent, None),
    };
    let mut names = names(parent);
    names.extend(name);
    names
}

/// Reads a settings struct. Values that do not fit are reported and taken out of `layers`; `None` if it cannot be read
/// even so. A list is taken out whole, so of one list only the first problem is seen.
pub(super) fn extract<T: DeserializeOwned>(layers: &mut Layers, problems: &mut Vec<Problem>) -> Option<Extracted<T>> {
    loop {
        let error = match Figment::extract::<Extracted<T>>(&layers.figment()) {
            Ok(extracted) => return Some(extracted),
            Err(error) => error,
        };
        let mut path = error.path;
        // figment reads relative paths through a table with keys of its own
        path.retain(|name| !name.starts_with("___figment"));
        let key = path.join(".");
        // what is missing stands nowhere: the table that lacks it does
        while !path.is_empty() && layers.place_of(&path).is_none() {
            path.pop();
        }
        let is_typed = has_type(find(layers.defaults(), &path));
        let layer = layers.top_mut(&path).filter(|layer| layer.place != SettingPlace::Default);
        let Some(layer) = layer else {
            problems.push(Problem {
                key: (!key.is_empty()).then_some(key),
                place: None,
                message: message(&error.kind),
            });
            return None;
        };
        let untyped = matches!(layer.place, SettingPlace::Variable(_)) && matches!(error.kind, Kind::InvalidType(..));
        let retyped = match find(&layer.values, &path) {
            Some(Value::String(_, text)) if untyped && !is_typed => toml_value(text),
            _ => None,
        };
        match retyped {
            Some(value) if !matches!(value, Value::String(..)) => {
                layer.values = super::Layer::single(layer.place.clone(), &path, value).values;
            }
            _ => {
                problems.push(Problem::new(key, message(&error.kind)).at(&layer.place));
                remove(&mut layer.values, &path);
            }
        }
    }
}

/// Whether a default says what type its setting has. A text does not, where a text was refused: the setting may be a list, too.
fn has_type(default: Option<&Value>) -> bool {
    default.is_some_and(|value| !matches!(value, Value::Empty(..) | Value::String(..)))
}

/// One problem for each place that has a key which both settings types ignore.
pub(super) fn unknown_keys(common: &[Vec<String>], own: &[Vec<String>], layers: &Layers) -> Vec<Problem> {
    let covered = |path: &[String], by: &[Vec<String>]| by.iter().any(|other| path.starts_with(other));
    let mut unknown: Vec<&Vec<String>> = common.iter().filter(|path| covered(path, own)).collect();
    unknown.extend(own.iter().filter(|path| covered(path, common)));
    unknown.sort();
    unknown.dedup();

    let defaults = layers.defaults();
    let mut problems = Vec::new();
    for path in unknown {
        let message = match nearest(path, defaults) {
            Some(known) => format!("unknown setting, did you mean `{known}`?"),
            None => "unknown setting".to_owned(),
        };
        problems.extend(layers.places_of(path).map(|place| Problem::new(path.join("."), &message).at(place)));
    }
    problems
}

/// What was expected, and what was found.
fn message(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("expected {}, found {}", expectation(expected), describe(found))
        }
        Kind::UnknownVariant(found, known) => {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("expected one of {}, found {}", known.join(", "), echo(found))
        }
        Kind::MissingField(name) => format!("`{name}` is missing"),
        other => other.to_string(),
    }
}

/// serde's name for a type, in words for whoever writes the file.
fn expectation(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" => "text in quotes",
        "path string" => "a path in quotes",
        "a sequence" => r#"a list such as `["a", "b"]`"#,
        other => other,
    };
    words.to_owned()
}

fn describe(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => format!("`{value}`"),
        Actual::Unsigned(number) => format!("`{number}`"),
        Actual::Signed(number) => format!("`{number}`"),
        Actual::Float(number) => format!("`{number}`"),
        Actual::Str(text) => echo(text),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}

fn echo(text: &str) -> String {
    if text.chars().count() <= MAX_ECHO { format!("the text {text:?}") } else { "a longer text".to_owned() }
}
