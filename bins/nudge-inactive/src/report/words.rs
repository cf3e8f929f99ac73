//! Phrases that several forms of the report share.

use audit_model::{Coverage, Person, PortalRole, RoomId, Verdict};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use job_runner::words::{blind_spot, plural};

use crate::body::{ALL_ACTIVE, Inactive, Report};
use crate::remind::{ActionState, Hold, Reminder};

/// Instants as the portal's own pages show them.
pub(crate) struct Clock(pub(crate) Tz);

impl Clock {
    pub(super) fn of(report: &Report) -> Self {
        Clock(report.head.portal.time_zone.unwrap_or(Tz::UTC))
    }

    pub(crate) fn minute(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d %H:%M").to_string()
    }

    pub(crate) fn day(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d").to_string()
    }
}

/// The one sentence that stands above everything.
pub(super) fn headline(report: &Report) -> String {
    let days = plural(report.body.terms.period_days.into(), "day");
    let (inactive, people) = (report.body.inactive(), plural_people(report.body.people()));
    let rooms = plural(report.body.rooms.len() as u64, "room");
    let found = format!("{people} inactive for {days} ({}; {rooms} looked at)", plural(inactive, "membership"));
    match report.head.coverage.verdict() {
        Verdict::Nothing => job_runner::words::nothing(&report.head.coverage),
        Verdict::Incomplete if inactive == 0 => {
            "incomplete: nobody was found inactive in what could be read, and not all of it could".to_owned()
        }
        Verdict::Incomplete => format!("incomplete: {found}, and not everything could be read"),
        Verdict::Complete if report.body.all_active(report.coverage()) => ALL_ACTIVE.to_owned(),
        Verdict::Complete if inactive == 0 => {
            format!("nobody was found inactive in {rooms}; not everybody could be judged")
        }
        Verdict::Complete => found,
    }
}

fn plural_people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

/// When somebody was last seen in the room.
pub(super) fn last_seen(report: &Report, inactive: &Inactive, clock: &Clock) -> String {
    match (inactive.last_activity, report.body.watched_since) {
        (Some(at), _) => format!("last seen there {}", clock.day(at)),
        (None, Some(since)) => format!("not seen there since we watch ({})", clock.day(since)),
        (None, None) => "not seen there in this period".to_owned(),
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

/// What was not seen, one line each.
pub(crate) fn gaps(coverage: &Coverage, clock: &Clock) -> Vec<String> {
    job_runner::words::gaps(coverage, |span| format!("{} to {}", clock.minute(span.since), clock.minute(span.until)))
}

/// What the portal never records, in one line.
pub(crate) fn blind_spots(coverage: &Coverage) -> String {
    coverage.blind_spots.iter().copied().map(blind_spot).collect::<Vec<_>>().join("; ")
}
