//! The alert as a JSON document inside a request of a limited size.

use serde_json::{Map, Value, json};

use super::offer::Offer;

/// What a document never lacks.
const CORE: [&str; 12] = [
    "counts",
    "coverage",
    "fingerprint",
    "id",
    "matter",
    "program",
    "portal",
    "rule",
    "severity",
    "state",
    "subject",
    "window",
];

/// What `make` makes of the document, and where that is longer than a receiver takes, of the document without evidence and gaps, or at
/// last of its core alone. `left_out` then names what it lacks.
pub(super) fn within(longest_bytes: usize, offer: &Offer<'_>, make: impl Fn(Value) -> String) -> String {
    let whole: Map<String, Value> = serde_json::from_str(offer.json).unwrap_or_default();
    let made = make(Value::Object(whole.clone()));
    if made.len() <= longest_bytes {
        return made;
    }
    let made = make(without(&whole, |name| name != "evidence"));
    if made.len() <= longest_bytes {
        return made;
    }
    make(without(&whole, |name| CORE.contains(&name)))
}

fn without(whole: &Map<String, Value>, stays: impl Fn(&str) -> bool) -> Value {
    let mut left_out: Vec<String> = whole.keys().filter(|name| !stays(name)).cloned().collect();
    let mut document: Map<String, Value> = whole.clone().into_iter().filter(|(name, _)| stays(name)).collect();
    if let Some(coverage) = document.get_mut("coverage").and_then(Value::as_object_mut) {
        coverage.remove("gaps");
        left_out.push("coverage.gaps".to_owned());
    }
    document.insert("left_out".to_owned(), json!(left_out));
    Value::Object(document)
}
