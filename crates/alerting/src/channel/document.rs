//! The alert as a JSON document inside a request of a limited size.

use audit_model::PortalText;
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

/// So long are the texts of the core made, in characters, one after the other, until it fits.
const SHORTER: [usize; 4] = [400, 100, 40, SHORTEST];

const SHORTEST: usize = 10;

/// What `make` makes of the document, and where that is longer than a receiver takes, of the document without evidence and gaps, of its
/// core alone, of that and the offer with texts that are cut, or at last of its id and matter. `left_out` then names what it lacks.
pub(super) fn within(longest_bytes: usize, offer: &Offer<'_>, make: impl Fn(&Offer<'_>, Value) -> String) -> String {
    let whole: Map<String, Value> = serde_json::from_str(offer.json).unwrap_or_default();
    let made = make(offer, Value::Object(whole.clone()));
    if made.len() <= longest_bytes {
        return made;
    }
    let made = make(offer, without(&whole, |name| name != "evidence"));
    if made.len() <= longest_bytes {
        return made;
    }
    let core = without(&whole, |name| CORE.contains(&name));
    let mut made = make(offer, core.clone());
    for longest in SHORTER {
        if made.len() <= longest_bytes {
            break;
        }
        made = make(&shortened(offer, longest), cut(core.clone(), longest));
    }
    if made.len() <= longest_bytes {
        return made;
    }
    let key = json!({ "id": offer.alert.id, "matter": offer.alert.matter, "left_out": ["everything else"] });
    make(&shortened(offer, SHORTEST), key)
}

/// With what people typed and programs say cut; ids stay whole.
fn shortened<'a>(offer: &Offer<'a>, longest: usize) -> Offer<'a> {
    let mut shorter = offer.clone();
    let (alert, message) = (&mut shorter.alert, &mut shorter.message);
    let cut = |text: &str| PortalText::new(text).for_terminal_within(longest);
    for text in [&mut alert.subject, &mut message.subject].into_iter().chain(&mut message.what_to_do) {
        *text = cut(text);
    }
    alert.reasons = vec![cut(&alert.reasons.join("; "))];
    message.what_to_do.truncate(1);
    alert.evidence.clear();
    alert.person.name = cut(alert.person.name.raw()).as_str().into();
    alert.person.email = alert.person.email.as_ref().map(|email| cut(email.raw()).as_str().into());
    if let Some(room) = &mut alert.room {
        room.title = cut(room.title.raw()).as_str().into();
    }
    shorter
}

/// Every text of the document but its ids, `…` at the end of those that are cut.
fn cut(mut core: Value, longest: usize) -> Value {
    for (name, value) in core.as_object_mut().into_iter().flatten() {
        if let Value::String(text) = value
            && !matches!(name.as_str(), "id" | "matter")
        {
            *text = PortalText::new(text.as_str()).for_terminal_within(longest);
        }
    }
    core
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
