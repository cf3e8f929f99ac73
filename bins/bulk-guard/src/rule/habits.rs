//! Signs besides the count: when, from where and with what somebody worked, beside what is usual for them; in how many rooms; and what
//! became of the trash.

use std::collections::BTreeSet;

use attribution::Countries;
use audit_model::{AuditEvent, PortalText, Sentence};
use chrono::{DateTime, NaiveDate, Timelike as _, Utc};
use chrono_tz::Tz;

use crate::rule::assessment::{Corroboration, Sign};
use crate::rule::extent::Extent;
use crate::rule::kind::Kind;
use crate::rule::reasons;

/// With fewer days of work than this nearly everything would be unusual.
const LEAST_DAYS: usize = 10;

/// So many documents that went into the trash and are gone from there, too, are more than a mistake put right.
const LEAST_GONE: u64 = 5;

/// People work in a room or two at a time.
const MANY_ROOMS: usize = 3;

/// From where somebody did what they did in an incident, and what is usual for them.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) addresses: BTreeSet<String>,
    /// Browsers and other programs, with the system that they ran on.
    pub(crate) programs: BTreeSet<String>,
    pub(crate) habits: Habits,
}

/// What somebody did in the time before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    days: BTreeSet<NaiveDate>,
    hours: BTreeSet<u32>,
    addresses: BTreeSet<String>,
    programs: BTreeSet<String>,
}

impl Habits {
    pub(crate) fn learn(&mut self, event: &AuditEvent, zone: Tz) {
        let local = event.at.with_timezone(&zone);
        self.days.insert(local.date_naive());
        self.hours.insert(local.hour());
        self.addresses.extend(address(event));
        self.programs.extend(program(event));
    }

    fn are_known(&self) -> bool {
        self.days.len() >= LEAST_DAYS
    }

    /// What could not be judged for want of memory; `None` when it could.
    pub(crate) fn unknown(&self) -> Option<Sentence> {
        (!self.are_known()).then(|| reasons::few_days(self.days.len(), LEAST_DAYS))
    }
}

impl Story {
    pub(crate) fn learn(&mut self, event: &AuditEvent) {
        if Kind::of(event.action).is_some() {
            self.addresses.extend(address(event));
            self.programs.extend(program(event));
        }
    }

    pub(crate) fn from(&self) -> Option<Sentence> {
        reasons::from(&self.addresses, &self.programs)
    }

    /// What can be told without asking anybody; `rooms` is in how many of them it happened.
    pub(crate) fn signs(&self, rooms: usize, began: DateTime<Utc>, zone: Tz) -> Vec<Corroboration> {
        let mut signs = Vec::new();
        let mut add = |kind: Sign, evidence: Sentence| signs.push(Corroboration { kind, evidence });
        if rooms >= MANY_ROOMS {
            add(Sign::SeveralRooms, reasons::several_rooms(rooms));
        }
        if self.habits.are_known() {
            let hour = began.with_timezone(&zone).hour();
            let near = [(hour + 23) % 24, hour, (hour + 1) % 24];
            if !near.iter().any(|hour| self.habits.hours.contains(hour)) {
                add(Sign::OffHours, reasons::off_hours(hour, self.habits.days.len()));
            }
            if let Some(new) = new_one(&self.addresses, &self.habits.addresses) {
                add(Sign::NewAddress, reasons::new_address(new, self.habits.addresses.len()));
            }
            if let Some(new) = new_one(&self.programs, &self.habits.programs) {
                add(Sign::NewProgram, reasons::new_program(new, self.habits.programs.len()));
            }
        }
        signs
    }
}

/// Whoever wants to keep others from taking documents out of the trash again empties it; so does whoever tidies up.
pub(crate) fn gone_for_good(extent: &Extent) -> Option<Corroboration> {
    let gone = extent.gone_for_good();
    (gone >= LEAST_GONE).then(|| Corroboration { kind: Sign::TrashEmptied, evidence: reasons::trash_emptied(gone) })
}

/// What was not there before, where anything was.
fn new_one<'n>(now: &'n BTreeSet<String>, before: &BTreeSet<String>) -> Option<&'n String> {
    now.iter().find(|text| !before.contains(*text)).filter(|_| !before.is_empty())
}

/// From which countries somebody signed in.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    /// In an incident, or the day before it: who steals a session looks around first.
    pub(crate) now: Vec<PortalText>,
    /// In the time before; `None` where too little of that is known.
    pub(crate) usual: Option<Countries>,
    /// Why nobody can tell whether a country is new, in words.
    pub(crate) unknown: Option<Sentence>,
    /// The portal did not tell it, though it could: there may be a sign.
    pub(crate) has_failed: bool,
}

impl SignIns {
    pub(crate) fn sign(&self) -> Option<Corroboration> {
        let usual = self.usual.as_ref()?;
        let country = self.now.iter().find_map(|country| usual.new_one(Some(country)))?;
        Some(Corroboration { kind: Sign::NewCountry, evidence: reasons::new_country(country) })
    }
}

/// The portal writes an empty text for what it does not know.
fn said(text: Option<&PortalText>) -> Option<&str> {
    text.map(PortalText::raw).filter(|text| !text.is_empty())
}

/// What sent the request, as the portal notes it.
fn program(event: &AuditEvent) -> Option<String> {
    let details = event.details.as_ref()?;
    let browser = said(details.browser.as_ref())?;
    Some(said(details.platform.as_ref()).map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}")))
}

/// An address that can be compared: the portal cuts IPv6 addresses at the first colon.
fn address(event: &AuditEvent) -> Option<String> {
    said(event.ip.as_ref()).filter(|ip| ip.contains('.')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use audit_model::{EventDetails, testing};

    use super::*;

    fn event(at: &str, action: i32, context: &str, ip: &str) -> AuditEvent {
        let event = testing::event(action, "900", at.parse().unwrap());
        AuditEvent { ip: Some(ip.into()), context: Some(context.into()), ..event }
    }

    fn signs(story: &Story) -> Vec<Sign> {
        story.signs(1, "2026-11-20T02:30:00Z".parse().unwrap(), Tz::UTC).into_iter().map(|sign| sign.kind).collect()
    }

    /// Twelve days in the office, from one address.
    fn usual() -> Habits {
        let mut habits = Habits::default();
        for day in 1..13 {
            for hour in [9, 11, 14, 17] {
                habits.learn(&event(&format!("2026-11-{day:02}T{hour:02}:20:00Z"), 5034, "", "192.0.2.7"), Tz::UTC);
            }
        }
        habits
    }

    #[test]
    fn night_and_a_new_address_are_unusual_only_where_the_usual_is_known() {
        let mut story = Story::default();
        story.learn(&event("2026-11-20T02:30:00Z", 5017, "Rooms: Falcon", "203.0.113.66"));
        assert_eq!(signs(&story), []);
        story.habits = usual();
        assert_eq!(signs(&story), [Sign::OffHours, Sign::NewAddress]);
        story.habits.learn(&event("2026-11-13T03:10:00Z", 5034, "", "203.0.113.66"), Tz::UTC);
        assert_eq!(signs(&story), []);
    }

    /// The portal cuts IPv6 addresses at the first colon, so that they say nothing.
    #[test]
    fn half_an_address_is_not_a_new_one() {
        let mut story = Story { habits: usual(), ..Story::default() };
        story.learn(&event("2026-11-20T11:30:00Z", 5017, "Rooms: Falcon", "2001"));
        assert_eq!(signs(&story), [Sign::OffHours]);
    }

    #[test]
    fn three_rooms_at_a_time_are_many() {
        let signs = |rooms| Story::default().signs(rooms, "2026-11-20T02:30:00Z".parse().unwrap(), Tz::UTC).len();
        assert_eq!([signs(2), signs(3)], [0, 1]);
    }

    #[test]
    fn a_program_never_used_is_a_sign() {
        let with = |browser: &str, at: &str| {
            let details = EventDetails { browser: Some(browser.into()), ..EventDetails::default() };
            AuditEvent { details: Some(Box::new(details)), ..event(at, 5034, "", "192.0.2.7") }
        };
        let mut story = Story { habits: usual(), ..Story::default() };
        story.learn(&with("python-requests 2", "2026-11-20T11:30:00Z"));
        assert_eq!(signs(&story), [Sign::OffHours], "which programs are usual is not known");
        story.habits.learn(&with("Chrome 131", "2026-11-12T09:20:00Z"), Tz::UTC);
        assert_eq!(signs(&story), [Sign::OffHours, Sign::NewProgram]);
        assert_eq!(story.from().unwrap(), "from 192.0.2.7, with python-requests 2");
    }
}
