//! Environment variables as layers, one per variable, so that every value knows the variable it came from.
//!
//! figment's own `Env` guesses types (`007` becomes 7). Here the default at the same path says what a text is meant to
//! be; without a default it stays text, and [`super::extract`] tries again if text does not fit.

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use job_store::ServerUrl;

use super::file::with_plain_dates;
use super::layer::{Layer, find};
use super::place::SettingPlace;
use crate::environment::Environment;

/// The portal, under the name that the published samples use.
pub(crate) const PORTAL_URL: &str = "DOCSPACE_API_HOST";
/// Set by systemd for a unit with `StateDirectory=`.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";

/// What the environment says, lowest priority first: the two names without a prefix, then `PROGRAM_SECTION__KEY`.
///
/// A server that the files name as `state` counts more than the folder that systemd hands on: somebody has written the one, and the other is
/// there for every unit. Hosts that kept their memory in folders of their own would share no lease, and each would tell everything.
pub(super) fn layers(
    program: &str,
    environment: &Environment,
    defaults: &Dict,
    state_of_files: Option<&str>,
) -> Vec<Layer> {
    let mut layers = Vec::new();
    if let Some(url) = environment.get(PORTAL_URL) {
        layers.push(text_layer(PORTAL_URL, &["portal", "url"], url));
    }
    // systemd separates several folders by colons; the first is the one to use
    let folder = environment.get(STATE_DIRECTORY).and_then(|folders| folders.split(':').next());
    if let Some(folder) = folder.filter(|_| !state_of_files.is_some_and(ServerUrl::is_meant_by)) {
        layers.push(text_layer(STATE_DIRECTORY, &["state"], folder));
    }
    let prefix = prefix(program);
    layers.extend(environment.with_prefix(&prefix).map(|(name, text)| {
        let path: Vec<String> = name.split("__").map(str::to_lowercase).collect();
        let value = typed(text, find(defaults, &path));
        Layer::single(SettingPlace::Variable(format!("{prefix}{name}")), &path, value)
    }));
    layers
}

/// The variable that sets a key of `program`, dots between levels.
pub(crate) fn name_of(program: &str, key: &str) -> String {
    format!("{}{}", prefix(program), key.to_uppercase().replace('.', "__"))
}

/// What the variables of a program start with: `VDR_WATCH_` for `vdr-watch`.
fn prefix(program: &str) -> String {
    format!("{}_", program.to_uppercase().replace('-', "_"))
}

fn text_layer(variable: &str, path: &[&str], text: &str) -> Layer {
    let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
    Layer::single(SettingPlace::Variable(variable.to_owned()), &path, text.into())
}

/// `text` as the type of the default. What does not fit stays text and is refused later, with a better message.
pub(crate) fn typed(text: &str, default: Option<&Value>) -> Value {
    let value = match default {
        Some(Value::Num(..)) => number(text),
        Some(Value::Bool(..)) => text.parse::<bool>().ok().map(Value::from),
        Some(Value::Array(..)) => toml_value(text).filter(|value| matches!(value, Value::Array(..))),
        _ => None,
    };
    value.unwrap_or_else(|| text.into())
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
}

/// `text` read as one TOML value.
pub(crate) fn toml_value(text: &str) -> Option<Value> {
    let table: Dict = Toml::from_str(&format!("value = {text}")).ok()?;
    let mut table = with_plain_dates(table);
    let value = table.remove("value")?;
    // more than one key: the text had line breaks and went on
    table.is_empty().then_some(value)
}
