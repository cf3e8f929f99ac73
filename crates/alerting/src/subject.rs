//! The subject of an alert: one line that a phone can show.

use audit_model::{Finding, FindingRoom, FindingState, Person, PortalText};

/// Longest quotation of a name, a title or a reason, in characters. Three of them and the words between stay below 240,
/// so that no text typed into the portal can push the rest out of sight.
const LONGEST_QUOTE: usize = 60;

/// Who, where, and the first reason: `high: Anna in room "Alpha": 41 actions within 1 h, more than 20`.
pub(crate) fn subject_of(finding: &Finding) -> String {
    let is_over = finding.state == FindingState::Ended;
    let severity = if is_over { "over" } else { finding.severity.name() };
    let person = person_phrase(&finding.person);
    let room = finding.room.as_ref().map(room_phrase).unwrap_or_default();
    let reason = match finding.reasons.first().filter(|_| !is_over) {
        // A rule may have quoted the portal in its sentence.
        Some(reason) => quote(&PortalText::new(reason.english())),
        None => format!("{} actions on {} documents", finding.counts.acts, finding.counts.documents),
    };
    format!("{severity}: {person}{room}: {reason}")
}

fn person_phrase(person: &Person) -> String {
    if person.name.raw().trim().is_empty() { format!("person {}", person.id) } else { quote(&person.name) }
}

fn room_phrase(room: &FindingRoom) -> String {
    let title = quote(&room.title);
    match room.candidates.len() {
        0 | 1 => format!(" in room \"{title}\""),
        rooms => format!(" in one of {rooms} rooms called \"{title}\""),
    }
}

/// Portal text in one line of plain text, cut where it is long.
fn quote(text: &PortalText) -> String {
    text.unlinked_within(LONGEST_QUOTE)
}
