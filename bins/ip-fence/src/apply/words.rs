//! What an application says. Pure.

use audit_model::PortalText;
use chrono::{DateTime, SecondsFormat, Utc};
use docspace_client::ListEntry;

use super::entry::{Confirmation, Entry, Put};
use super::merge;
use super::seen::Row;

/// Characters of a name, or of a reason, that somebody has typed.
const TYPED: usize = 200;

/// Entries named in a sentence.
const SHOWN: usize = 10;

/// What somebody has typed, or a file says, as a sentence can have it.
pub(crate) fn typed(text: &str) -> String {
    PortalText::new(text.trim()).for_terminal_within(TYPED)
}

pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A sentence without its end.
pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

pub(crate) fn entries(entries: &[ListEntry]) -> String {
    let shown = entries.iter().take(SHOWN).map(|entry| {
        let admins = if entry.for_admin { " (admins only)" } else { "" };
        format!("{}{admins}", entry.ip.for_terminal())
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if entries.len() > SHOWN {
        text += &format!(" and {} more", entries.len() - SHOWN);
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}

fn who(row: &Row) -> String {
    let from = row.ip.as_deref().map_or_else(String::new, |ip| format!(" from {}", PortalText::new(ip).for_terminal()));
    format!("{} ({}){from} at {}", PortalText::new(row.name.as_str()).for_terminal(), row.actor, moment(row.at))
}

pub(crate) fn foreign(row: &Row) -> String {
    format!(
        "somebody else wrote the address list meanwhile: {}. What they changed is kept, unless it is about the same entries or \
         the switch: look at the list",
        who(row)
    )
}

pub(crate) fn raced(row: &Row) -> String {
    format!(
        "somebody else wrote the address list in the moment between reading and writing it: {}. This program has overwritten what they \
         wrote, and no event says what it was: ask them to look at the list",
        who(row)
    )
}

pub(crate) fn raced_delta(put: &Put) -> String {
    let added = merge::difference(&put.sent.entries, &put.read.entries);
    let removed = merge::difference(&put.read.entries, &put.sent.entries);
    format!(
        "somebody else wrote the list at the same moment, and may have meant the same entries. This program added {} and removed {}, and \
         leaves that as it is now: decide by hand",
        entries(&added),
        entries(&removed)
    )
}

pub(crate) fn confirmed(entry: &Entry, confirmation: &Confirmation) -> String {
    let witness = match &confirmation.witness {
        Some(witness) => format!("seen after it: {witness}"),
        None => "without a witness".to_owned(),
    };
    format!("the address list of plan {} was confirmed by {}, {witness}", entry.intent.plan, confirmation.by)
}

pub(crate) fn switched(entry: &Entry) -> String {
    format!(
        "the address list of plan {} is written. Unless somebody confirms it before {}, it is taken back",
        entry.intent.plan,
        moment(entry.deadline())
    )
}

pub(crate) fn reverting(entry: &Entry, why: &str) -> String {
    format!("the address list of plan {} is taken back: {why}", entry.intent.plan)
}

pub(crate) fn restored(entry: &Entry) -> String {
    let why =
        entry.order.as_ref().map(|order| order.why.as_str()).or(entry.why.as_deref()).unwrap_or("it was not confirmed");
    format!(
        "the address list of plan {} was taken back ({why}): everybody who could enter before can enter",
        entry.intent.plan
    )
}

pub(crate) fn conflict(entry: &Entry, why: &str) -> String {
    format!("the address list of plan {} was not taken back as a whole: {why}", entry.intent.plan)
}

pub(crate) fn blocked(entry: &Entry, why: &str) -> String {
    format!("the address list of plan {} cannot be taken back: {why}. It is tried again in each run", entry.intent.plan)
}

pub(crate) fn refused(entry: &Entry, why: &str) -> String {
    format!("plan {} was not carried out: {why}", entry.intent.plan)
}
