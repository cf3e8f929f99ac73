//! What a run under a fault may say, held against the run without it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cells::Cell;
use super::world;

/// How a run ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// `None` when a signal ended it.
    pub(super) exit: Option<i32>,
    /// How many questions it asked.
    pub(super) requests: usize,
}

/// Members that differ between runs that saw the same: the moment, what was told before, what depends on the portal's port.
const VOLATILE: [&str; 6] = ["run", "state", "suppressed", "sha256", "bytes", "digest"];
/// Severities, mildest first.
const SEVERITIES: [&str; 5] = ["info", "low", "medium", "high", "critical"];
/// Words of a report that says that something is not known.
const UNKNOWN: [&str; 4] = ["unknown", "not known", "could not", "no_memory"];

/// How many questions a fault may cost.
pub(super) fn most_requests(sound: &Ended) -> usize {
    4 * sound.requests + 400
}

/// What is wrong with this run, if anything.
pub(super) fn wrong(cell: &Cell, ended: &Ended, sound: &Ended) -> Result<(), String> {
    if ended.stderr.contains("panicked") {
        return Err(format!("panics: {}", first_line(&ended.stderr)));
    }
    let Some(exit) = ended.exit else { return Err("is ended by a signal".to_owned()) };
    if !matches!(exit, 0 | 1 | 3 | 4) {
        return Err(format!("ends with {exit}: {}", first_line(&ended.stderr)));
    }
    let bound = most_requests(sound);
    if ended.requests >= bound {
        return Err(format!("asks {} questions, and the bound is {bound}", ended.requests));
    }
    let Ok(report) = serde_json::from_str::<Value>(&ended.stdout) else {
        return Err(format!("exit {exit} without a report: {}", first_line(&ended.stderr)));
    };
    let truth: Value = serde_json::from_str(&sound.stdout).map_err(|error| error.to_string())?;
    if let Some(untrue) = list(&report["findings"]).iter().find(|finding| !is_true(finding, &report, &truth)) {
        return Err(format!("accuses wrongly: {:?}", accusation(untrue)));
    }
    match (report["coverage"]["complete"].as_bool(), exit) {
        (Some(true), 0 | 3) => whole(&report, &truth),
        (Some(false), 1) => Ok(()),
        (Some(false), 4) => honest(cell, &report, &truth),
        (complete, exit) => Err(format!("exit {exit}, complete {complete:?}: they contradict each other")),
    }
}

/// A report that claims to have seen everything says what it would say without the fault.
fn whole(report: &Value, truth: &Value) -> Result<(), String> {
    let (seen, expected) = (steady(report.clone()), steady(truth.clone()));
    if seen == expected {
        return Ok(());
    }
    let difference = difference("", &seen, &expected).unwrap_or_default();
    if found(report) != found(truth) {
        return Err(format!("all clear without all findings: {difference}"));
    }
    if seen["coverage"]["audit"] != expected["coverage"]["audit"]
        || seen["coverage"]["logins"] != expected["coverage"]["logins"]
        || seen["coverage"]["room_log"] != expected["coverage"]["room_log"]
    {
        return Err(format!("complete, and did not see everything: {difference}"));
    }
    let milder = |(one, other): (&Value, &Value)| rank(one) < rank(other);
    if list(&seen["findings"]).iter().zip(list(&expected["findings"])).any(milder) {
        return Err(format!("milder than it was: {difference}"));
    }
    if lacks_only(&seen, &expected) {
        // what is absent is unknown
        return Ok(());
    }
    // facts about findings may differ, if that is said
    if doubts(report) > doubts(truth) { Ok(()) } else { Err(format!("does not say what is not known: {difference}")) }
}

/// How often a report says that something is not known.
fn doubts(report: &Value) -> usize {
    let text = report.to_string();
    UNKNOWN.iter().map(|word| text.matches(word).count()).sum::<usize>() + list(&report["notes"]).len()
}

/// A report that does not claim that names what it did not see.
fn honest(cell: &Cell, report: &Value, truth: &Value) -> Result<(), String> {
    let gaps = list(&report["coverage"]["gaps"]);
    if gaps.is_empty() {
        return Err("incomplete without a gap".to_owned());
    }
    // a busy machine lets the limit of the run pass before everything is asked: the rest is as in a report that claims to be whole
    let was_late = cell.in_vain && gaps.iter().all(|gap| gap["why"] == "budget_exhausted");
    if was_late && doubts(report) > doubts(truth) {
        return Ok(());
    }
    let names = |gap: &Value| cell.gaps.iter().any(|name| gap["what"] == *name);
    if cell.stays && !cell.gaps.is_empty() && !gaps.iter().any(names) {
        let named: BTreeSet<&str> = gaps.iter().filter_map(|gap| gap["what"].as_str()).collect();
        return Err(format!("no gap names the source, only {named:?}"));
    }
    Ok(())
}

/// Whether this is found without the fault, too. A report that does not claim to have seen everything may leave open in which room it
/// was, and then name anybody who did too much somewhere.
fn is_true(finding: &Value, report: &Value, truth: &Value) -> bool {
    let (what, room) = accusation(finding);
    let leaves_open = room.is_null() && report["coverage"]["complete"] == false;
    // by id, for a portal that fails tells no addresses
    let did_much = world::busy().iter().any(|id| finding["person"]["id"] == *id);
    let is_found = |known: &(_, Value)| known.0 == what && (known.1 == room || leaves_open);
    found(truth).iter().any(is_found) || (leaves_open && did_much)
}

/// What somebody is accused of, and in which room.
type Accusation = ([Value; 3], Value);

fn accusation(finding: &Value) -> Accusation {
    let what = [&finding["rule"], &finding["kind"], &finding["person"]["id"]].map(Value::clone);
    (what, finding["room"]["id"].clone())
}

fn found(report: &Value) -> Vec<Accusation> {
    list(&report["findings"]).iter().map(accusation).collect()
}

/// The addresses of all who are accused.
pub(super) fn accused(report: &Value) -> BTreeSet<String> {
    let address = |finding: &Value| finding["person"]["email"].as_str().map(str::to_owned);
    list(&report["findings"]).iter().filter_map(address).collect()
}

fn rank(finding: &Value) -> Option<usize> {
    SEVERITIES.iter().position(|severity| finding["severity"] == *severity)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Without what differs between runs that saw the same.
fn steady(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(steady).collect(),
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            kept.map(|(name, value)| (name, steady(value))).collect()
        }
        plain => plain,
    }
}

/// Whether the first value is the second but for members that are absent.
fn lacks_only(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, _) => true,
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.keys().all(|name| theirs.contains_key(name))
                && theirs.keys().all(|name| lacks_only(&one[name], &other[name]))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| lacks_only(one, other))
        }
        _ => one == other,
    }
}

/// The first place at which two values differ.
fn difference(place: &str, one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            names.into_iter().find_map(|name| difference(&format!("{place}.{name}"), &one[name], &other[name]))
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.into_iter().find_map(|(n, (one, other))| difference(&format!("{place}[{n}]"), one, other))
        }
        _ if one == other => None,
        (Value::Array(ours), Value::Array(theirs)) => {
            Some(format!("{place} has {} items, not {}", ours.len(), theirs.len()))
        }
        _ => Some(format!("{place} is {}, not {}", short(one), short(other))),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
