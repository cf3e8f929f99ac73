//! Phrases that several forms of the report share.

use ::report::words::{self, Clock, plural};
use audit_model::{Person, PortalRole, RoomId, Verdict};
use chrono_tz::Tz;

use crate::body::{ALL_ACTIVE, Inactive, Report};
use crate::remind::{ActionState, Hold, Reminder};

/// The portal's clock.
pub(super) fn clock_of(report: &Report) -> Clock {
    Clock(report.head.portal.time_zone.unwrap_or(Tz::UTC))
}

/// The one sentence that stands above everything.
pub(super) fn headline(report: &Report) -> String {
    let days = plural(report.body.terms.period_days.into(), "day");
    let (inactive, people) = (report.body.inactive(), plural(report.body.people(), "person"));
    let rooms = plural(report.body.rooms.len() as u64, "room");
    let found = format!("{people} inactive for {days} ({}; {rooms} looked at)", plural(inactive, "membership"));
    match report.head.coverage.verdict() {
        Verdict::Nothing => words::nothing(&report.head.coverage),
        Verdict::Incomplete if inactive == 0 => {
            "incomplete: nobody found inactive so far, but some records could not be read".to_owned()
        }
        Verdict::Incomplete => format!("incomplete: {found}, and some records could not be read"),
        Verdict::Complete if report.body.all_active(report.coverage()) => ALL_ACTIVE.to_owned(),
        Verdict::Complete if inactive == 0 => {
            format!("nobody was found inactive in {rooms}; not everybody could be judged")
        }
        Verdict::Complete => found,
    }
}

/// When somebody was last seen in the room.
pub(super) fn last_seen(report: &Report, inactive: &Inactive, clock: &Clock) -> String {
    match (inactive.last_activity, report.body.watched_since) {
        (Some(at), _) => format!("last seen there {}", clock.day(at)),
        (None, Some(since)) => format!("no activity there since monitoring began on {}", clock.day(since)),
        (None, None) => "no activity there in this period".to_owned(),
    }
}

pub(super) fn role(person: &Person) -> &'static str {
    person.role.map_or("role in the portal not known", PortalRole::words)
}

/// `editor through the group "Auditors"`
pub(super) fn right(inactive: &Inactive) -> String {
    let names: Vec<String> = inactive.groups.iter().map(|name| format!("\"{}\"", name.for_terminal())).collect();
    match names.len() {
        0 => inactive.access.clone(),
        1 => format!("{} through the group {}", inactive.access, names[0]),
        _ => format!("{} through the groups {}", inactive.access, names.join(", ")),
    }
}

/// `Anna Schmidt <anna@example.com>`, safe on a terminal.
pub(crate) fn who(person: &Person) -> String {
    let email = person.email.as_ref().map(|email| format!(" <{}>", email.for_terminal())).unwrap_or_default();
    format!("{}{email}", person.name.for_terminal())
}

pub(crate) fn room_page(portal: &str, id: &RoomId) -> String {
    format!("{portal}/rooms/shared/{id}/filter?folder={id}")
}

/// What became of a mail, and why.
pub(super) fn outcome_of(action: &Reminder) -> (&'static str, String) {
    let state = match action.state {
        ActionState::Planned => "WOULD SEND",
        ActionState::Held => "HELD",
        ActionState::Done => "SENT",
        ActionState::Failed => "NOT SENT",
    };
    (state, action.held.map_or_else(|| action.reason.clone(), Hold::words))
}
