//! Templates in the settings, filled in with an alert: paths and JSON.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value, context};
use serde_json::json;

use super::offer::Offer;
use super::settings::Fault;
use crate::message::Language;
use crate::templates::{FUEL, TemplateError};

/// What is filled in, which decides how values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything but letters, digits and `-_.~` as `%XX`.
    Path,
    /// JSON: strings with their quotes.
    Body,
}

/// Fills in a template. A value that is not there is an error, and so is one that runs for too long.
pub(super) fn fill_in(part: Part, template: &str, offer: &Offer<'_>) -> Result<String, TemplateError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    match part {
        Part::Path => environment.set_formatter(in_path),
        Part::Body => environment.set_auto_escape_callback(|_| AutoEscape::Json),
    }
    let name = if part == Part::Path { "path" } else { "body" };
    let filled_in = environment.template_from_named_str(name, template).and_then(|made| made.render(values(offer)));
    filled_in.map_err(|source| TemplateError::Render { name: name.to_owned(), source })
}

fn values(offer: &Offer<'_>) -> Value {
    let alert: serde_json::Value = serde_json::from_str(offer.json).unwrap_or_default();
    let message = &offer.message;
    let facts: Vec<_> = message.facts.iter().map(|fact| json!({ "label": fact.label, "value": fact.value })).collect();
    let message = json!({
        "subject": message.subject,
        "severity": message.severity,
        "what_to_do": message.what_to_do,
        "facts": facts,
        "text": message.text(),
        "html": message.html(),
    });
    context! {
        alert => Value::from(Serde(alert)),
        message => Value::from(Serde(message)),
        matter_key => offer.matter_key(),
        thread => offer.thread,
        now => offer.now.to_rfc3339(),
    }
}

fn in_path(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    if value.is_none() || value.is_undefined() {
        return Err(minijinja::Error::new(ErrorKind::UndefinedError, "a value of the address is not there"));
    }
    for byte in value.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            write!(out, "{}", char::from(byte))?;
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// Two alerts that templates have to be able to say: one with everything, and one with as little as an alert can have.
/// `thread` is what the receiver calls the matter.
pub(super) fn samples(
    thread: Option<&str>,
    mut check: impl FnMut(&Offer<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let whole = sample();
    let mut bare = whole.clone();
    if let Some(members) = bare.as_object_mut() {
        ["matter", "room", "what_to_do"].iter().for_each(|member| drop(members.remove(*member)));
        members.insert("links".to_owned(), json!({}));
        members.insert("evidence".to_owned(), json!([]));
        members.insert("person".to_owned(), json!({ "id": "00000000-0000-0000-0000-000000000001", "name": "" }));
    }
    for alert in [whole, bare] {
        let json = alert.to_string();
        let now = chrono::DateTime::UNIX_EPOCH;
        // a sample that is no alert would be a mistake of ours, and none in the settings
        if let Ok(offer) = Offer::new(&json, Language::En, now, thread) {
            check(&offer)?;
        }
    }
    Ok(())
}

fn sample() -> serde_json::Value {
    json!({
        "schema": "alert/1", "id": "00000000000000000000000000000001", "matter": "aaaa-aaaa",
        "fingerprint": "unusual_activity:00000000-0000-0000-0000-000000000001:1", "state": "new",
        "program": { "name": "vdr-watch", "version": "1.0.0" }, "portal": { "url": "https://docs.example.com" },
        "rule": "unusual_activity", "severity": "high", "subject": "high: Anna Example: 41 actions",
        "person": { "id": "00000000-0000-0000-0000-000000000001", "name": "Anna Example", "email": "anna@example.com" },
        "room": { "id": 1, "title": "Alpha \"\\", "attributed": "title" },
        "window": { "since": "2026-01-01T08:00:00Z", "until": "2026-01-01T08:41:00Z" },
        "counts": { "acts": 41, "documents": 38 }, "reasons": ["41 actions within 1 h, more than 20"],
        "evidence": [], "evidence_total": 41,
        "links": { "room": "https://docs.example.com/1", "person": "https://docs.example.com/2" },
        "coverage": { "complete": true, "gaps": [] }, "suppressed": 0, "what_to_do": ["disable the account"],
    })
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn values_end_neither_a_string_nor_a_segment() {
        let json = golden::alert("hostile").to_string();
        let offer = golden::offer(&json, None);
        let body = fill_in(Part::Body, r#"{"a":{{ alert.room.title }},"b":{{ alert.counts.acts }}}"#, &offer).unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["a"], &body["b"]), (&golden::alert("hostile")["room"]["title"], &json!(41)));
        let path = fill_in(Part::Path, "/x/{{ alert.room.title }}", &offer).unwrap();
        assert!(path.starts_with("/x/%22%5D%7C%3D%5C%20%7B%7B%207%2A7") && path.matches('/').count() == 2, "{path}");
    }

    #[test]
    fn holes_and_endless_templates_are_errors() {
        let json = golden::alert("new").to_string();
        let offer = golden::offer(&json, None);
        let endless = "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
        for template in ["{{ nothing }}", "{{ alert.nothing }}", "{{", endless] {
            fill_in(Part::Body, template, &offer).unwrap_err();
        }
    }
}
