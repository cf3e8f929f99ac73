//! What counts as the same answer: status, the headers that matter, and the body with the order of its members.
//!
//! Left out are the members whose value differs from run to run, as the notes about the recordings name them.

use std::collections::BTreeMap;

use crate::common::Ordered;
use crate::exchange::{Answer, Exchange};
use crate::worlds::Dates;
use crate::{rows, stand_in, worlds};

/// Compared text by text; absent must be absent.
const HEADERS: &[&str] = &["Content-Type", "Allow", "Retry-After", "ETag", "Cache-Control", "Pragma", "Expires"];
/// Compared in shape only.
const SHAPED: &[&str] = &["Last-Modified"];
/// Members of any object whose value is another one in every run.
const VOLATILE: &[&str] = &["stack", "traceId", "lastModified"];
/// Words that hold a number which no rule of the portal gives.
const HASH: &str = "?hash=";

/// The first difference, or `None`.
pub(crate) fn difference(file: &str, exchange: &Exchange, answer: &Answer, dates: &Dates) -> Option<String> {
    if stand_in::is_let_through(file, exchange) {
        // whatever the real action says then is its own affair
        let refused = matches!(answer.status, 401 | 403 | 405) && !answer.body.starts_with("{\"error\"");
        return refused.then(|| format!("refused with {}: {}", answer.status, start(&answer.body)));
    }
    if answer.status != exchange.status {
        return Some(format!("status {} instead of {}: {}", answer.status, exchange.status, start(&answer.body)));
    }
    if worlds::is_stand_in(exchange) {
        return shape_difference(exchange, answer);
    }
    for name in HEADERS {
        let (ours, theirs) = (answer.header(name), exchange.answer_header(name));
        if ours != theirs {
            return Some(format!("{name} is {ours:?} instead of {theirs:?}"));
        }
    }
    for name in SHAPED {
        let (ours, theirs) = (answer.header(name).map(digits), exchange.answer_header(name).map(digits));
        if ours != theirs {
            return Some(format!("{name} looks like {ours:?} instead of {theirs:?}"));
        }
    }
    let dates = dates.asked(exchange);
    let theirs = steady(file, exchange, exchange.answer.clone(), dates);
    let json = exchange.answer_header("Content-Type").is_some_and(|kind| kind.contains("json"));
    let ours = if json && !answer.body.is_empty() {
        match serde_json::from_str(&answer.body) {
            Ok(body) => body,
            Err(error) => return Some(format!("no JSON ({error}): {}", start(&answer.body))),
        }
    } else {
        Ordered::Text(answer.body.clone())
    };
    let ours = steady(file, exchange, ours, dates);
    path_of_difference("", &ours, &theirs)
}

/// What counts where the actions were stand-ins: content type, refusals, and the envelope around the rest.
fn shape_difference(exchange: &Exchange, answer: &Answer) -> Option<String> {
    for name in ["Content-Type", "Allow"] {
        let (ours, theirs) = (answer.header(name), exchange.answer_header(name));
        if ours != theirs {
            return Some(format!("{name} is {ours:?} instead of {theirs:?}"));
        }
    }
    let theirs = match &exchange.answer {
        Ordered::Null => Ordered::Text(String::new()),
        body => body.clone(),
    };
    let json = exchange.answer_header("Content-Type").is_some_and(|kind| kind.contains("json"));
    if !json || answer.body.is_empty() {
        let ours = Ordered::Text(answer.body.clone());
        return (exchange.status >= 300).then(|| path_of_difference("", &ours, &theirs)).flatten();
    }
    let ours: Ordered = match serde_json::from_str(&answer.body) {
        Ok(body) => body,
        Err(error) => return Some(format!("no JSON ({error}): {}", start(&answer.body))),
    };
    if exchange.status >= 300 {
        return path_of_difference("", &without_volatile(ours), &without_volatile(theirs));
    }
    path_of_difference("", &envelope(ours), &envelope(theirs))
}

/// The envelope without what a stand-in invented: the answer's content, and how many there are.
fn envelope(body: Ordered) -> Ordered {
    let Ordered::Object(members) = body else { return body };
    let kept =
        members.into_iter().filter(|(name, _)| !matches!(name.as_str(), "count" | "total")).map(|(name, value)| {
            let value = match (name.as_str(), &value) {
                ("response", Ordered::List(_)) => Ordered::Text("a list".to_owned()),
                ("response", Ordered::Object(_)) => Ordered::Text("an object".to_owned()),
                ("response", _) => Ordered::Text("a value".to_owned()),
                _ => value,
            };
            (name, value)
        });
    Ordered::Object(kept.collect())
}

/// The shape of a text: every digit is the same.
fn digits(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

fn steady(file: &str, exchange: &Exchange, body: Ordered, dates: &BTreeMap<i64, String>) -> Ordered {
    let body = without_volatile(body);
    match body {
        Ordered::Object(members) => Ordered::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = if name == "response" { rows::steady(file, exchange, value, dates) } else { value };
                    (name, value)
                })
                .collect(),
        ),
        other => other,
    }
}

fn without_volatile(value: Ordered) -> Ordered {
    match value {
        Ordered::List(items) => Ordered::List(items.into_iter().map(without_volatile).collect()),
        Ordered::Object(members) => Ordered::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = match (name.as_str(), value) {
                        (name, value) if VOLATILE.contains(&name) && value != Ordered::Null => {
                            Ordered::Text("…".to_owned())
                        }
                        ("errors", errors @ Ordered::Object(_)) => errors.errors(),
                        (_, value) => without_volatile(value),
                    };
                    (name, value)
                })
                .collect(),
        ),
        Ordered::Text(text) => Ordered::Text(match text.split_once(HASH) {
            Some((before, _)) => format!("{before}{HASH}…"),
            None => text,
        }),
        other => other,
    }
}

/// Where the two differ first, and how.
fn path_of_difference(path: &str, ours: &Ordered, theirs: &Ordered) -> Option<String> {
    match (ours, theirs) {
        (Ordered::Object(a), Ordered::Object(b)) => {
            let names =
                |members: &[(String, Ordered)]| members.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            if names(a) != names(b) {
                return Some(format!("{path}: members {:?} instead of {:?}", names(a), names(b)));
            }
            a.iter().zip(b).find_map(|((name, a), (_, b))| path_of_difference(&format!("{path}.{name}"), a, b))
        }
        (Ordered::List(a), Ordered::List(b)) => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| path_of_difference(&format!("{path}[{index}]"), a, b))
            .or_else(|| (a.len() != b.len()).then(|| format!("{path}: {} elements instead of {}", a.len(), b.len()))),
        _ => (ours != theirs)
            .then(|| format!("{path}: {} instead of {}", start(&ours.render()), start(&theirs.render()))),
    }
}

fn start(text: &str) -> String {
    text.chars().take(300).collect()
}
