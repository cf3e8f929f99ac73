//! `[[alerts.channel]]`: what is done to these tables before a channel reads them, and what is wrong with them.

use std::collections::BTreeSet;
use std::path::Path;

use alerting::{ChannelSettings, Fault, KINDS, Members, SecretMember};
use figment::value::{Dict, Value};

use super::problem::Problem;
use crate::state_path::Placeholders;

/// The channels as they stand in the settings.
pub(crate) fn read(tables: &[Members]) -> Vec<Result<ChannelSettings, Problem>> {
    let read = |(number, table): (usize, &Members)| {
        ChannelSettings::read(table).map_err(|fault| problem(number, table, &fault))
    };
    tables.iter().enumerate().map(read).collect()
}

/// What is wrong with one of them; the message says which it is, since the key has only its number.
pub(crate) fn problem(number: usize, table: &Members, Fault { member, message }: &Fault) -> Problem {
    let name = table.get("name").and_then(|name| name.as_str()).filter(|name| name.len() <= 40);
    let name = name.map(|name| format!("channel `{name}`: ")).unwrap_or_default();
    if table.contains_key(member) {
        return Problem::new(format!("alerts.channel.{number}.{member}"), format!("{name}{message}"));
    }
    // what is missing stands nowhere: the table that lacks it does
    let member = if member.is_empty() { String::new() } else { format!("`{member}` ") };
    Problem::new(format!("alerts.channel.{number}"), format!("{name}{member}{message}"))
}

pub(super) fn problems(tables: &[Members]) -> Vec<Problem> {
    let mut names = BTreeSet::new();
    let twice = |(number, table): (usize, &Members)| {
        let name = table.get("name")?.as_str()?.to_owned();
        let fault = Fault::new("name", "is the name of another channel, too: give each its own");
        (!names.insert(name)).then(|| problem(number, table, &fault))
    };
    let twice: Vec<Problem> = tables.iter().enumerate().filter_map(twice).collect();
    read(tables).into_iter().filter_map(Result::err).chain(twice).collect()
}

/// Whether one of them holds a secret itself.
pub(super) fn hold_secrets(values: &Dict) -> bool {
    let text = |table: &Dict, name: &str| table.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let holds = |table: &Dict| {
        let kind = KINDS.iter().find(|kind| kind.name == text(table, "kind"));
        // of a kind that nobody knows, an address may be one
        kind.map_or(&[SecretMember::address("url")][..], |kind| kind.secrets)
            .iter()
            .any(|secret| !text(table, secret.name).is_empty())
    };
    tables(values).is_some_and(|list| list.iter().filter_map(Value::as_dict).any(holds))
}

/// Paths in a file are relative to its folder, as everywhere in settings.
pub(super) fn resolve(values: &mut Dict, file: &Path) {
    let folder = file.parent().unwrap_or(Path::new(""));
    each_text(values, |name, text| {
        if is_path(name) && !text.is_empty() && !text.contains("://") {
            *text = folder.join(&*text).to_string_lossy().into_owned();
        }
    });
}

pub(super) fn fill_in(values: &mut Dict, placeholders: &Placeholders) {
    each_text(values, |name, text| {
        if is_path(name) || matches!(name, "api" | "server" | "url") {
            *text = placeholders.filled_in(text);
        }
    });
}

fn is_path(member: &str) -> bool {
    member == "path" || member.ends_with("_file")
}

fn tables(values: &Dict) -> Option<&Vec<Value>> {
    match values.get("alerts")? {
        Value::Dict(_, alerts) => match alerts.get("channel")? {
            Value::Array(_, list) => Some(list),
            _ => None,
        },
        _ => None,
    }
}

/// Every text of every channel, with the name of its member.
fn each_text(values: &mut Dict, change: impl Fn(&str, &mut String)) {
    let Some(Value::Dict(_, alerts)) = values.get_mut("alerts") else { return };
    let Some(Value::Array(_, list)) = alerts.get_mut("channel") else { return };
    for table in list {
        let Value::Dict(_, table) = table else { continue };
        for (name, value) in table {
            if let Value::String(_, text) = value {
                change(name, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    #[test]
    fn an_address_is_a_secret_where_the_kind_says_so() {
        let hold = |channel: &str| {
            let text = format!("[[alerts.channel]]\nname = \"soc\"\n{channel}");
            hold_secrets(&Figment::from(Toml::string(&text)).extract().unwrap())
        };
        assert!(hold("kind = \"webhook\"\nurl = \"https://hooks.example.com/s3cret\""));
        assert!(hold("kind = \"pigeon\"\nurl = \"https://hooks.example.com/s3cret\""));
        assert!(!hold("kind = \"webhook\"\nurl_file = \"hook\""));
        assert!(!hold("kind = \"pagerduty\"\nurl = \"https://events.eu.pagerduty.com/v2/enqueue\""));
    }
}
