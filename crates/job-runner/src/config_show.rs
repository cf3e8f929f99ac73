//! `config show`: the settings as a run would use them. Asks neither portal nor key.

use serde::Serialize;
use serde_json::Value as Json;
use tracing::error;

use crate::args::{CommonArgs, ReportFormat};
use crate::config::{CommonConfig, Read, SettingPlace, ShownSetting};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::head::ProgramName;
use crate::program::Program;
use crate::secret::find_key;
use crate::setup;

/// The JSON form.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    program: ProgramName,
    /// Where the API key comes from; absent when nothing says so, or when it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    settings: Vec<Setting>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct Setting {
    key: String,
    /// Null when it is not set.
    value: Json,
    origin: Origin,
}

/// Where a value stands.
#[derive(Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
enum Origin {
    Default,
    File(String),
    Environment(String),
    Flag(String),
}

impl From<SettingPlace> for Origin {
    fn from(place: SettingPlace) -> Self {
        match place {
            SettingPlace::Default => Origin::Default,
            SettingPlace::File(path) => Origin::File(path.display().to_string()),
            SettingPlace::Variable(name) => Origin::Environment(name),
            SettingPlace::Flag(name) => Origin::Flag(name),
        }
    }
}

/// Prints every setting, and then what is wrong with them.
pub(crate) fn run<P: Program>(
    args: &CommonArgs,
    environment: &Environment,
    read: &Read<P::Config>,
) -> anyhow::Result<Exit> {
    let common = read.settings.as_ref().map(|(common, _)| common);
    let problems: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    let key_file = common.and_then(|common: &CommonConfig| common.key_file.as_ref()).map(|path| path.as_path());
    let api_key = find_key(args.key_file.as_deref(), environment, key_file).map(|found| found.origin.to_string());
    match args.format {
        ReportFormat::Text => setup::print(&text(&read.shown(), api_key.map_err(|error| error.to_string())))?,
        ReportFormat::Json => {
            let settings = read.shown().into_iter();
            let settings =
                settings.map(|ShownSetting { key, value, place }| Setting { key, value, origin: place.into() });
            let program = ProgramName { name: P::ABOUT.name, version: P::ABOUT.version };
            let report = Report {
                schema: "config/1",
                program,
                api_key: api_key.ok(),
                settings: settings.collect(),
                problems: problems.clone(),
            };
            setup::print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
        }
    }
    problems.iter().for_each(|problem| error!("{problem}"));
    Ok(if problems.is_empty() { Exit::Concluded } else { Exit::Usage })
}

/// One line per setting, as it could stand in a file.
fn text(settings: &[ShownSetting], api_key: Result<String, String>) -> String {
    let lines: Vec<String> = settings.iter().map(|setting| line(&setting.key, &setting.value)).collect();
    // the widest line decides where the origins stand, unless it is very wide
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0).min(60);
    let mut text = String::new();
    for (line, setting) in lines.iter().zip(settings) {
        text.push_str(&format!("{line:width$}  # {}\n", setting.place));
    }
    let api_key = api_key.map_or_else(std::convert::identity, |origin| format!("API key: from {origin}"));
    text.push_str(&format!("# {api_key}\n"));
    text
}

fn line(key: &str, value: &Json) -> String {
    match value {
        Json::Null => format!("# {key} is not set"),
        value => format!("{key} = {}", toml(value)),
    }
}

/// A value as TOML writes it. JSON's strings, numbers and truth values are TOML's, too.
fn toml(value: &Json) -> String {
    match value {
        Json::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(table) => {
            let members: Vec<String> = table.iter().map(|(name, value)| format!("{name} = {}", toml(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_could_stand_in_a_file() {
        for (value, expected) in [
            (json!(20), "a.b = 20"),
            (json!("30m"), "a.b = \"30m\""),
            (json!(["a \"b\"", "c"]), "a.b = [\"a \\\"b\\\"\", \"c\"]"),
            (json!([{ "label": "x", "on": true }]), "a.b = [{ label = \"x\", on = true }]"),
            (json!(null), "# a.b is not set"),
        ] {
            assert_eq!(line("a.b", &value), expected);
        }
    }
}
