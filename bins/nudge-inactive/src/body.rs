//! What the report says besides what all reports say: the rooms, and what became of the mails.

mod reminder;
mod room;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use ::report::{Form, Line};
use audit_model::{Coverage, Finding, RoomId, Verdict};
use chrono::{DateTime, Utc};
use job_runner::{Found, Judgement};
use safe_actions::ActionState;
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::gather::{Facts, Records};
use crate::rule;

pub(crate) use reminder::{Hold, RemindedRoom, Reminder, ShownMail};
pub(crate) use room::{Inactive, RoomReport};

/// What the published example prints when there is nothing to report.
const ALL_ACTIVE: &str = "All monitored room members were active during this period.";

/// No all-clear, whatever else was seen.
pub(crate) const NO_ROOM: &str = "nothing can be concluded: no room could be looked at";

/// A report on its way to one address, in the journal.
pub(crate) const ON_ITS_WAY: &str = "manager_report";

/// The report of this program.
pub(crate) type Report = job_runner::Report<(), Body>;

/// The rooms, and the mails.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    /// Mails: sent, held, or in a dry run planned; by person.
    pub(crate) actions: Vec<Reminder>,
    pub(crate) terms: TermsShown,
    /// In the order of the report: rooms with the greatest risk first, then by title.
    pub(crate) rooms: Vec<RoomReport>,
    /// Rooms whose members could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unread_rooms: Vec<RoomId>,
    /// Up to when the audit trail is known back from here; what was before was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) watched_since: Option<DateTime<Utc>>,
    /// When people were reminded last of rooms in which they are inactive, and of which day.
    #[serde(skip)]
    pub(crate) reminded: BTreeMap<(Uuid, RoomId), (DateTime<Utc>, u32)>,
    /// What changed since the run before; absent where nobody is reminded, because then it is not remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since_last_run: Option<SinceLastRun>,
    /// What became of the report for each of the managers; absent in a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) manager: Vec<Delivered>,
    #[serde(skip)]
    pub(crate) print: Option<Form>,
    /// What mails are made from.
    #[serde(skip)]
    pub(crate) records: Records,
}

/// What was asked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TermsShown {
    pub(crate) period_days: u32,
    pub(crate) min_activity: u64,
    pub(crate) grace_days: u32,
}

/// What became of the report for one address.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivered {
    pub(crate) to: String,
    pub(crate) state: ActionState,
    /// Why it did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Since when reports for this address wait; in place of all of them there is one of now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waiting_since: Option<DateTime<Utc>>,
}

/// People, not memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SinceLastRun {
    /// Found inactive somewhere for the first time, or again.
    pub(crate) newly_inactive: u64,
    /// The same since the last report that reached everybody, where a later one did not.
    #[serde(skip)]
    pub(crate) newly_since_report: Option<u64>,
    /// Active again in a room of which they were reminded.
    pub(crate) came_back: u64,
}

/// The one sentence that stands above everything of which something was seen.
pub(crate) fn headline(report: &Report) -> Line {
    headline_of(report, &report.body.rooms.iter().collect::<Vec<_>>())
}

/// The same for a report of some of the rooms.
pub(crate) fn headline_of(report: &Report, rooms: &[&RoomReport]) -> Line {
    let body = &report.body;
    if body.rooms.is_empty() {
        return NO_ROOM.into();
    }
    let part = SomeRooms(rooms);
    let days = plural(body.terms.period_days.into(), "day");
    let (inactive, people) = (part.inactive(), plural(part.people(), "person"));
    let rooms = plural(rooms.len() as u64, "room");
    let found = format!("{people} inactive for {days} ({}; {rooms} looked at)", plural(inactive, "membership"));
    let is_complete = report.coverage().verdict() == Verdict::Complete;
    let headline = if !is_complete && inactive == 0 {
        "incomplete: nobody found inactive so far, but some records could not be read".to_owned()
    } else if !is_complete {
        format!("incomplete: {found}, and some records could not be read")
    } else if part.all_active(report.coverage()) {
        ALL_ACTIVE.to_owned()
    } else if inactive == 0 {
        format!("nobody was found inactive in {rooms}; not everybody could be judged")
    } else {
        found
    };
    headline.into()
}

/// Who is inactive where, in the order of the report.
pub(crate) fn judge(config: &Config, facts: Facts) -> Judgement<(), Body> {
    let Facts { window, notes, records, terms, watched_since } = facts;
    let report = |room| RoomReport::new(room, rule::judge(room, &terms, window.until));
    let mut rooms: Vec<RoomReport> = records.rooms.values().map(report).collect();
    rooms.sort_by(|a, b| a.order().cmp(&b.order()));
    let of_room = |room: &RoomReport| {
        let finding = |inactive: &Inactive| inactive.finding(room, config, window);
        room.inactive.iter().map(finding).collect::<Vec<_>>()
    };
    let mut findings: Vec<Finding> = rooms.iter().flat_map(of_room).collect();
    Finding::sort(&mut findings);
    let unread_rooms = records.unread.clone();
    let body = Body { rooms, unread_rooms, watched_since, records, ..Body::unseen(config) };
    Judgement { findings: findings.into_iter().map(Found::from).collect(), body, notes }
}

impl Body {
    /// Of a run that could not look.
    pub(crate) fn unseen(config: &Config) -> Self {
        let Config { period_days, min_activity, grace_days, .. } = *config;
        Body {
            actions: Vec::new(),
            terms: TermsShown { period_days, min_activity, grace_days },
            rooms: Vec::new(),
            unread_rooms: Vec::new(),
            watched_since: None,
            reminded: BTreeMap::new(),
            since_last_run: None,
            manager: Vec::new(),
            print: config.manager.print.map(|print| print.0),
            records: Records::default(),
        }
    }

    /// Whether nobody was written to before somebody has looked: too many people were due at once, or whom to spare is not clear.
    pub(crate) fn is_held(&self) -> bool {
        self.actions.iter().any(|action| action.held.is_some_and(Hold::is_of_all))
    }
}

/// Rooms of a report: all of them, or those of one owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SomeRooms<'a>(pub(crate) &'a [&'a RoomReport]);

impl SomeRooms<'_> {
    pub(crate) fn inactive(&self) -> u64 {
        self.0.iter().map(|room| room.inactive.len() as u64).sum()
    }

    pub(crate) fn unknown(&self) -> u64 {
        self.0.iter().map(|room| room.unknown.len() as u64).sum()
    }

    pub(crate) fn active(&self) -> u64 {
        self.0.iter().map(|room| room.active).sum()
    }

    /// Distinct people who are inactive somewhere.
    pub(crate) fn people(&self) -> u64 {
        let ids = self.0.iter().flat_map(|room| &room.inactive).map(|inactive| inactive.person.id);
        ids.collect::<BTreeSet<_>>().len() as u64
    }

    /// Whether every member who was judged was seen to be active, and everything was read.
    fn all_active(&self, coverage: &Coverage) -> bool {
        let nothing_open = self.inactive() == 0 && self.unknown() == 0;
        nothing_open && self.active() > 0 && coverage.verdict() == Verdict::Complete
    }
}
