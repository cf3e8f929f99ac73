//! What an application says. Pure.

use audit_model::{PortalText, Sentence};
use chrono::{DateTime, SecondsFormat, Utc};
use docspace_client::ListEntry;
use report::words::german::after_colon;

use super::entry::{Confirmation, Entry, Put};
use super::seen::Row;
use super::{merge, why};

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

/// `20.11.2026 09:00:00 UTC`
pub(crate) fn moment_german(at: DateTime<Utc>) -> String {
    at.format("%d.%m.%Y %H:%M:%S UTC").to_string()
}

/// What somebody has typed, which is the same in both languages.
pub(crate) fn as_typed(text: &str) -> Sentence {
    Sentence::new(text, text)
}

/// A sentence without its end.
pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

pub(crate) fn entries(entries: &[ListEntry]) -> String {
    let text = shown(entries, " (admins only)");
    match entries.len() {
        0 => "nothing".to_owned(),
        all if all > SHOWN => format!("{text} and {} more", all - SHOWN),
        _ => text,
    }
}

fn entries_german(entries: &[ListEntry]) -> String {
    let text = shown(entries, " (nur für Administratoren)");
    match entries.len() {
        0 => "keine".to_owned(),
        all if all > SHOWN => format!("{text} und {} weitere", all - SHOWN),
        _ => text,
    }
}

fn shown(entries: &[ListEntry], admins: &str) -> String {
    let one = |entry: &ListEntry| format!("{}{}", entry.ip.for_terminal(), if entry.for_admin { admins } else { "" });
    entries.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", ")
}

/// Who wrote, from where and when.
fn who(row: &Row) -> Sentence {
    let name = PortalText::new(row.name.as_str()).for_terminal();
    let ip = row.ip.as_deref().map(|ip| PortalText::new(ip).for_terminal());
    let from = |word: &str| ip.as_ref().map_or_else(String::new, |ip| format!(" {word} {ip}"));
    Sentence::new(
        format!("{name} ({}){} at {}", row.actor, from("from"), moment(row.at)),
        format!("{name} ({}){} am {}", row.actor, from("von"), moment_german(row.at)),
    )
}

pub(crate) fn foreign(row: &Row) -> Sentence {
    let who = who(row);
    Sentence::new(
        format!(
            "somebody else wrote the address list meanwhile: {who}. What they changed is kept, unless it is about the same entries or \
             the switch: look at the list"
        ),
        format!(
            "jemand anderes hat die Adressliste inzwischen geschrieben: {}. Diese Änderung bleibt erhalten, außer sie betrifft dieselben \
             Einträge oder den Schalter: Sehen Sie sich die Liste an",
            who.german()
        ),
    )
}

pub(crate) fn raced(row: &Row) -> Sentence {
    let who = who(row);
    Sentence::new(
        format!(
            "somebody else wrote the address list in the moment between reading and writing it: {who}. This program has overwritten what \
             they wrote, and no event says what it was: ask them to look at the list"
        ),
        format!(
            "jemand anderes hat die Adressliste in dem Augenblick zwischen Lesen und Schreiben geschrieben: {}. Dieses Programm hat das \
             überschrieben, und kein Ereignis sagt, was es war: Bitten Sie diese Person, sich die Liste anzusehen",
            who.german()
        ),
    )
}

pub(crate) fn raced_delta(put: &Put) -> Sentence {
    let added = merge::difference(&put.sent.entries, &put.read.entries);
    let removed = merge::difference(&put.read.entries, &put.sent.entries);
    Sentence::new(
        format!(
            "somebody else wrote the list at the same moment, and may have meant the same entries. This program added {} and removed {}, and \
             leaves that as it is now: decide by hand",
            entries(&added),
            entries(&removed)
        ),
        format!(
            "jemand anderes hat die Liste im selben Augenblick geschrieben und vielleicht dieselben Einträge gemeint. Dieses Programm hat \
             Einträge hinzugefügt ({}) und entfernt ({}) und lässt es dabei: Entscheiden Sie von Hand",
            entries_german(&added),
            entries_german(&removed)
        ),
    )
}

pub(crate) fn confirmed(entry: &Entry, confirmation: &Confirmation) -> Sentence {
    let witness = match &confirmation.witness {
        Some(witness) => {
            Sentence::new(format!("seen after it: {witness}"), format!("danach gesehen: {}", witness.german()))
        }
        None => ("without a witness", "ohne dass jemand hereingekommen ist").into(),
    };
    let (plan, by) = (&entry.intent.plan, &confirmation.by);
    Sentence::new(
        format!("the address list of plan {plan} was confirmed by {by}, {witness}"),
        format!("die Adressliste des Plans {plan} wurde von {by} bestätigt, {}", witness.german()),
    )
}

pub(crate) fn switched(entry: &Entry) -> Sentence {
    let (plan, end) = (&entry.intent.plan, entry.deadline());
    Sentence::new(
        format!(
            "the address list of plan {plan} is written. Unless somebody confirms it before {}, it is taken back",
            moment(end)
        ),
        format!(
            "die Adressliste des Plans {plan} ist geschrieben. Sie wird zurückgenommen, wenn sie bis zum {} niemand bestätigt",
            moment_german(end)
        ),
    )
}

pub(crate) fn reverting(entry: &Entry, why: &Sentence) -> Sentence {
    let plan = &entry.intent.plan;
    Sentence::new(
        format!("the address list of plan {plan} is taken back: {why}"),
        format!("die Adressliste des Plans {plan} wird zurückgenommen: {}", after_colon(why.german())),
    )
}

pub(crate) fn restored(entry: &Entry) -> Sentence {
    let why = entry.order.as_ref().map(|order| &order.why).or(entry.why.as_ref());
    let why = why.cloned().unwrap_or_else(|| why::NOT_CONFIRMED.into());
    let plan = &entry.intent.plan;
    Sentence::new(
        format!("the address list of plan {plan} was taken back ({why}): everybody who could enter before can enter"),
        format!(
            "die Adressliste des Plans {plan} wurde zurückgenommen ({}): Wer vorher hineinkam, kommt wieder hinein",
            why.german()
        ),
    )
}

pub(crate) fn conflict(entry: &Entry, why: &Sentence) -> Sentence {
    let plan = &entry.intent.plan;
    Sentence::new(
        format!("the address list of plan {plan} was not taken back as a whole: {why}"),
        format!("die Adressliste des Plans {plan} wurde nicht ganz zurückgenommen: {}", after_colon(why.german())),
    )
}

pub(crate) fn blocked(entry: &Entry, why: &Sentence) -> Sentence {
    let plan = &entry.intent.plan;
    Sentence::new(
        format!("the address list of plan {plan} cannot be taken back: {why}. It is tried again in each run"),
        format!(
            "die Adressliste des Plans {plan} lässt sich nicht zurücknehmen: {}. Jeder Lauf versucht es erneut",
            after_colon(why.german())
        ),
    )
}

pub(crate) fn refused(entry: &Entry, why: &Sentence) -> Sentence {
    let plan = &entry.intent.plan;
    Sentence::new(
        format!("plan {plan} was not carried out: {why}"),
        format!("der Plan {plan} wurde nicht ausgeführt: {}", after_colon(why.german())),
    )
}
