//! What a finding about the portal's own list says. Pure.

use std::collections::BTreeSet;

use ::report::words::{Clock, german, list_of, plural};
use audit_model::Sentence;
use chrono::{DateTime, Utc};
use docspace_client::ListEntry;

use crate::rule::found::Rows;
use crate::rule::sighting::{Sighting, in_german};

/// Entries named in a sentence.
const SHOWN: usize = 10;

pub(super) const SWITCHED_OFF: (&str, &str) = (
    "the portal's address list was switched off: everybody can enter from anywhere",
    "die Adressliste des Portals wurde ausgeschaltet: Jeder kommt von überall hinein",
);

pub(super) const SWITCHED_ON: (&str, &str) =
    ("the portal's address list was switched on", "die Adressliste des Portals wurde eingeschaltet");

pub(super) const NO_EVENT: (&str, &str) = (
    "who did it stands in no event: servers before 3.7 write none",
    "wer es getan hat, steht in keinem Ereignis: Server vor 3.7 schreiben keines",
);

const AS_BEFORE_IN_BETWEEN: (&str, &str) = (
    "list and switch are as they were before, and no event says what they were in between: the list may have been off",
    "Liste und Schalter sind wie zuvor, und kein Ereignis sagt, wie sie dazwischen waren: Die Liste kann ausgeschaltet gewesen sein",
);

const AS_BEFORE: (&str, &str) = (
    "list and switch are as they were before; no event says what was written",
    "Liste und Schalter sind wie zuvor; kein Ereignis sagt, was geschrieben wurde",
);

const NOT_READ: (&str, &str) = (
    "no run has read the list before and after that, so nobody can tell what was changed",
    "kein Lauf hat die Liste davor und danach gelesen, deshalb kann niemand sagen, was geändert wurde",
);

pub(super) const WHY_NOT_ENFORCED: (&str, &str) = (
    "either the deployment has switched the feature off, which the portal does not show, or these addresses were set by the callers",
    "entweder ist die Funktion auf dem Server ausgeschaltet, was das Portal nicht zeigt, oder die Aufrufer haben diese Adressen gesetzt",
);

/// When something was written, as both languages have it.
pub(super) struct Span {
    english: String,
    german: String,
}

impl Span {
    /// `between 2026-11-20 08:10 and 2026-11-20 08:20 (Europe/Berlin)`: an alert has no other place for the zone.
    pub(super) fn new(first: DateTime<Utc>, last: DateTime<Utc>, clock: Clock) -> Span {
        let (from, to, zone) = (clock.minute(first), clock.minute(last), clock.0);
        let (from_de, to_de) = (german::minute(clock, first), german::minute(clock, last));
        if from == to {
            return Span { english: format!("at {from} ({zone})"), german: format!("am {from_de} ({zone})") };
        }
        Span {
            english: format!("between {from} and {to} ({zone})"),
            german: format!("zwischen dem {from_de} und dem {to_de} ({zone})"),
        }
    }
}

/// That somebody wrote the list so many times, and where from.
pub(super) fn wrote(times: usize, span: &Span, from: &BTreeSet<String>) -> Sentence {
    let times = times as u64;
    let joined = |of: fn(&str) -> &str| from.iter().map(|ip| of(ip)).collect::<Vec<_>>().join(", ");
    Sentence::new(
        format!(
            "wrote the portal's address list {}, {}, from {}",
            plural(times, "time"),
            span.english,
            joined(|ip| ip)
        ),
        format!(
            "hat die Adressliste des Portals {}-mal geschrieben, {}, von {}",
            german::number(times),
            span.german,
            joined(in_german)
        ),
    )
}

/// What is known of the list after it was written so many times; `is_as_before`: two runs have read it, and it is the same.
pub(super) fn what_was_changed(times: usize, is_as_before: bool) -> Sentence {
    match (is_as_before, times) {
        (true, 2..) => AS_BEFORE_IN_BETWEEN,
        (true, _) => AS_BEFORE,
        (false, _) => NOT_READ,
    }
    .into()
}

/// Who came in meanwhile.
pub(super) fn meanwhile(came: &Rows, span: &Span) -> Sentence {
    let from = came.first().map(Sighting::shown_ip).unwrap_or_default();
    Sentence::new(
        format!(
            "meanwhile the portal let in {} from addresses that are not in the list, first from {from}: the list was off {}, or had other entries",
            came.counted(),
            span.english
        ),
        format!(
            "inzwischen ließ das Portal {} von Adressen zu, die nicht in der Liste stehen, zuerst von {}: Die Liste war {} ausgeschaltet oder hatte andere Einträge",
            came.counted_german(),
            in_german(&from),
            span.german
        ),
    )
}

pub(super) fn not_enforced(rows: &Rows, first: &str) -> Sentence {
    Sentence::new(
        format!(
            "the portal says that its list counts, and let in {} from addresses that are not in it, first from {first}",
            rows.counted()
        ),
        format!(
            "das Portal sagt, dass seine Liste gilt, und ließ {} von Adressen zu, die nicht darin stehen, zuerst von {}",
            rows.counted_german(),
            in_german(first)
        ),
    )
}

pub(super) fn added(entries: &[ListEntry]) -> Sentence {
    Sentence::new(format!("added: {}", listed(entries)), format!("hinzugefügt: {}", listed_german(entries)))
}

pub(super) fn removed(entries: &[ListEntry]) -> Sentence {
    Sentence::new(format!("removed: {}", listed(entries)), format!("entfernt: {}", listed_german(entries)))
}

fn listed(entries: &[ListEntry]) -> String {
    list_of(&shown(entries, " (admins only)"), SHOWN, entries.len() as u64)
}

fn listed_german(entries: &[ListEntry]) -> String {
    german::list_of(&shown(entries, " (nur für Administratoren)"), SHOWN, entries.len() as u64)
}

fn shown(entries: &[ListEntry], admins: &str) -> Vec<String> {
    let one = |entry: &ListEntry| format!("{}{}", entry.ip.for_terminal(), if entry.for_admin { admins } else { "" });
    entries.iter().take(SHOWN).map(one).collect()
}
