//! `[[alerts.channel]]`: what is done to these tables before a channel reads them, and what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use alerting::{ChannelSettings, Fault, KINDS, Members, SecretMember, is_secret_header, variable_of};
use figment::value::{Dict, Value};

use super::problem::Problem;
use super::suggest::nearest_name;
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
    let mut secrets = BTreeMap::new();
    let shared = tables.iter().enumerate().filter_map(|(number, table)| shared_secret(number, table, &mut secrets));
    let shared: Vec<Problem> = shared.collect();
    let mistyped = tables.iter().enumerate().filter_map(|(number, table)| mistyped_rule(number, table));
    read(tables).into_iter().filter_map(Result::err).chain(twice).chain(shared).chain(mistyped).collect()
}

/// A name with which one variable would hold the secrets of two channels: `ALERT_SOC_ROUTING_KEY` is `routing_key` of `soc` and `key` of
/// `soc-routing`. `secrets` are those of the channels before it, each with the name of its channel.
fn shared_secret(number: usize, table: &Members, secrets: &mut BTreeMap<String, String>) -> Option<Problem> {
    let text = |member: &str| table.get(member).and_then(|text| text.as_str());
    let (name, kind) = (text("name")?, text("kind")?);
    let kind = KINDS.iter().find(|known| known.name == kind)?;
    let variables = kind.secrets.iter().map(|secret| variable_of(name, secret.name));
    let other = variables.filter_map(|variable| {
        let other = secrets.insert(variable.clone(), name.to_owned()).filter(|other| other != name)?;
        Some((variable, other))
    });
    let (variable, other) = other.collect::<Vec<_>>().pop()?;
    let message = format!("makes `{variable}` the variable of a secret of `{other}` as well: choose another name");
    Some(problem(number, table, &Fault::new("name", message)))
}

/// The rules of our programs. Others have others, and one file may be for several programs, so a name that is none of these may be right.
const RULES: [&str; 4] = ["address_policy", "inactivity", "mass_change", "unusual_activity"];

/// What is most likely a rule with a typing error: the channel would stay silent.
fn mistyped_rule(number: usize, table: &Members) -> Option<Problem> {
    let rules = table.get("rules")?.as_array()?.iter().filter_map(|rule| rule.as_str());
    let (rule, meant) = rules.filter_map(|rule| Some((rule, rule_meant_by(rule)?))).next()?;
    let message = format!("names no rule with `{rule}`; did you mean `{meant}`?");
    Some(problem(number, table, &Fault::new("rules", message)))
}

/// The rule that this name most likely stands for; `None` where it is right, or like none.
pub(crate) fn rule_meant_by(name: &str) -> Option<&'static str> {
    let is_right = RULES.contains(&name);
    nearest_name(&name.to_lowercase(), RULES.into_iter()).filter(|_| !is_right)
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
            || headers(table).any(is_secret_header)
    };
    tables(values).is_some_and(|list| list.iter().filter_map(Value::as_dict).any(holds))
}

/// The names of the headers that a channel sets.
fn headers(table: &Dict) -> impl Iterator<Item = &str> {
    let headers = table.get("headers").and_then(Value::as_dict);
    headers.into_iter().flatten().map(|(name, _)| name.as_str())
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
    fn a_rule_with_a_typing_error_is_named() {
        let of = |rules: &[&str]| {
            let table = serde_json::json!({ "name": "soc", "kind": "file", "path": "a", "rules": rules });
            problems(&[table.as_object().unwrap().clone()]).first().map(ToString::to_string)
        };
        assert_eq!(of(&["unusual_activity", "mass_change", "my_own_rule"]), None);
        let said = of(&["unusual_activty"]).unwrap();
        assert!(said.contains("alerts.channel.0.rules") && said.contains("did you mean `unusual_activity`"), "{said}");
    }

    #[test]
    fn no_variable_holds_the_secrets_of_two_channels() {
        let table = |name: &str, kind: &str| {
            let table = serde_json::json!({ "name": name, "kind": kind });
            table.as_object().unwrap().clone()
        };
        let mut secrets = BTreeMap::new();
        assert_eq!(shared_secret(0, &table("soc", "pagerduty"), &mut secrets).map(|_| ()), None);
        assert_eq!(shared_secret(1, &table("soc-2", "opsgenie"), &mut secrets).map(|_| ()), None);
        let said = shared_secret(2, &table("soc-routing", "opsgenie"), &mut secrets).unwrap().to_string();
        assert!(said.contains("`ALERT_SOC_ROUTING_KEY`") && said.contains("`soc`"), "{said}");
    }

    #[test]
    fn an_address_is_a_secret_where_the_kind_says_so() {
        let hold = |channel: &str| {
            let text = format!("[[alerts.channel]]\nname = \"soc\"\n{channel}");
            hold_secrets(&Figment::from(Toml::string(&text)).extract().unwrap())
        };
        assert!(hold("kind = \"webhook\"\nurl = \"https://hooks.example.com/s3cret\""));
        assert!(hold("kind = \"pigeon\"\nurl = \"https://hooks.example.com/s3cret\""));
        assert!(!hold("kind = \"webhook\"\nurl_file = \"hook\""));
        assert!(hold("kind = \"http\"\nheaders = { Authorization = \"Bearer s3cret\" }"));
        assert!(!hold("kind = \"http\"\nheaders = { Accept = \"application/json\" }"));
        assert!(!hold("kind = \"pagerduty\"\nurl = \"https://events.eu.pagerduty.com/v2/enqueue\""));
    }
}
