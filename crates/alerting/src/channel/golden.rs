//! What kinds are shown in tests: an alert that is new, has grown, is over, and one with hostile text; and what they make of them.

use audit_model::testing::hostile_texts;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::read;
use crate::message::Language;

/// A kind with these settings.
pub(super) fn kind<S: DeserializeOwned>(settings: Value) -> S {
    read(settings.as_object().unwrap().clone()).unwrap()
}

/// `new`, `grown`, `ended`, or `hostile`.
pub(super) fn alert(which: &str) -> Value {
    if which == "hostile" {
        let is_meant = |(tried, _): &(&str, String)| *tried == "delimiters";
        return naming(&hostile_texts().into_iter().find(is_meant).unwrap().1, "new");
    }
    document("Anna Example", "Alpha", which)
}

/// One that has this text as the name of the person, as the title of the room and in its evidence.
pub(super) fn naming(text: &str, state: &str) -> Value {
    document(text, text, state)
}

fn document(name: &str, title: &str, which: &str) -> Value {
    let (state, severity, acts) = match which {
        "grown" => ("grown", "critical", 90),
        "ended" => ("ended", "info", 95),
        _ => ("new", "high", 41),
    };
    json!({
        "schema": "alert/1", "id": "0123456789abcdef0123456789abcdef", "matter": "k3f9-q2mw",
        "fingerprint": "unusual_activity:00000000-0000-0000-0000-0000000000a1:71", "state": state,
        "program": { "name": "vdr-watch", "version": "1.0.0" }, "portal": { "url": "https://docs.example.com" },
        "rule": "unusual_activity", "severity": severity,
        "subject": format!("{severity}: Anna Example in \"Alpha\": {acts} actions within 1 h, more than 20"),
        "person": { "id": "00000000-0000-0000-0000-0000000000a1", "name": name, "email": "anna@example.com" },
        "room": { "id": 71, "title": title, "attributed": "title" },
        "window": { "since": "2026-11-20T08:00:00Z", "until": "2026-11-20T08:41:00Z" },
        "counts": { "acts": acts, "documents": 38 }, "reasons": [format!("{acts} actions within 1 h, more than 20")],
        "evidence": [{ "event": 48213, "at": "2026-11-20T08:00:00Z", "action": 5009, "target": "9417", "title": title,
            "ip": "192.0.2.7" }],
        "evidence_total": acts, "links": { "room": "https://docs.example.com/rooms/shared/71/filter?folder=71" },
        "coverage": { "complete": true, "gaps": [] }, "suppressed": 0, "what_to_do": ["disable the account"],
    })
}

/// An offer at nine o'clock, which is after the end.
pub(super) fn offer<'a>(json: &'a str, thread: Option<&'a str>) -> Offer<'a> {
    Offer::new(json, Language::En, "2026-11-20T09:00:00Z".parse().unwrap(), thread).unwrap()
}

/// Each of the four with what `make` says of it; `grown` and `ended` know what the first alert was called.
pub(super) fn each(called: &str, make: impl Fn(&Offer<'_>) -> String) -> String {
    let one = |which: &str| {
        let json = alert(which).to_string();
        let thread = matches!(which, "grown" | "ended").then_some(called);
        format!("== {which}\n{}\n", make(&offer(&json, thread)))
    };
    ["new", "grown", "ended", "hostile"].map(one).concat()
}

/// The four requests of a kind.
pub(super) fn said(kind: &impl HttpKind, called: &str) -> String {
    let address = kind.address().unwrap();
    each(called, |offer| shown(&kind.request(&address, offer)))
}

fn shown(request: &Request) -> String {
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    // whatever is said in JSON has to be JSON
    let body: Value = serde_json::from_str(&request.body).unwrap_or_else(|error| panic!("{error}: {}", request.body));
    format!("{} {}\n{}{body:#}", request.method, request.url, headers.concat())
}

pub(super) fn means(kind: &impl HttpKind, status: u16, body: &str) -> AnswerMeans {
    kind.verdict(&Answer { status: reqwest::StatusCode::from_u16(status).unwrap(), body: body.into() })
}
