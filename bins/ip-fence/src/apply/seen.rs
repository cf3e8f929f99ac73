//! What one step of an application goes by.

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::AddressList;
use uuid::Uuid;

use super::entry::Entry;

/// A read of list or switch can be so old, with some to spare.
pub(crate) const STALE: TimeDelta = TimeDelta::seconds(20);

/// A write whose answer was lost arrives within this time, or never.
pub(crate) const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(2);

/// The key must outlive the deadline by this much.
pub(crate) const KEY_OUTLIVES: TimeDelta = TimeDelta::days(1);

/// The clocks as of the portal's last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clocks {
    pub(crate) portal: Option<DateTime<Utc>>,
    pub(crate) here: DateTime<Utc>,
}

/// List and switch, as they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) list: AddressList,
    pub(crate) tenant: Option<i64>,
}

/// One event of a write of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) event: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: Uuid,
    /// For people.
    pub(crate) name: String,
    pub(crate) ip: Option<String>,
    /// Path of the page from which it was written: ours say which write they are.
    pub(crate) tag: Option<String>,
}

/// The events of writes since before the first of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    pub(crate) rows: Vec<Row>,
    pub(crate) is_complete: bool,
}

/// What must be so right before a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Whose the key is; `None` where nobody was asked.
    pub(crate) account: Option<Uuid>,
    pub(crate) is_owner: bool,
    /// When the key dies; `None` for never.
    pub(crate) key_ends: Option<DateTime<Utc>>,
    /// Servers before 3.1 have no keys, and other writes.
    pub(crate) has_keys: bool,
}

/// What is seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) read: &'a Result<Read, String>,
    pub(crate) trail: &'a Trail,
    pub(crate) guard: &'a Result<Guard, String>,
    pub(crate) clocks: Clocks,
    /// Somebody waits for it: only then it goes forward.
    pub(crate) is_foreground: bool,
    /// The clock that nobody sets says that the time to confirm is over.
    pub(crate) is_over: bool,
    /// This process has written: what the portal does not take from it now is left to the next run.
    pub(crate) has_written: bool,
    /// For how long this run has written nothing, and has seen nothing change: no new event, no other list. By that clock, for the others
    /// can be set while it runs.
    pub(crate) waited: TimeDelta,
}

/// Nothing is written by whoever only decides, so nothing about the key matters.
static UNASKED: Result<Guard, String> = Ok(Guard { account: None, is_owner: false, key_ends: None, has_keys: true });

impl<'a> Seen<'a> {
    /// What somebody who decides sees at one moment.
    pub(crate) fn by_somebody((read, trail): (&'a Result<Read, String>, &'a Trail), clocks: Clocks) -> Self {
        Seen {
            read,
            trail,
            guard: &UNASKED,
            clocks,
            is_foreground: false,
            is_over: false,
            has_written: false,
            waited: TimeDelta::zero(),
        }
    }
}

impl Seen<'_> {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clocks.portal.unwrap_or(self.clocks.here)
    }

    /// Whether the time to confirm is over. Doubt counts as over.
    pub(crate) fn is_past(&self, entry: &Entry) -> bool {
        self.is_over || is_past(entry, self.clocks)
    }

    /// Whether a read can be relied on: nobody has written for so long that no read is older.
    pub(crate) fn is_calm(&self) -> bool {
        self.waited >= STALE
    }

    /// Whether nobody else has written just now.
    pub(crate) fn is_quiet(&self, entry: &Entry) -> bool {
        self.is_calm() || self.others(entry).next().is_none()
    }

    /// The events that are not of writes of this application.
    pub(crate) fn others(&self, entry: &Entry) -> impl Iterator<Item = &Row> {
        let is_ours = |row: &Row| entry.puts.iter().any(|put| row.is_of(entry, put.number));
        self.trail.rows.iter().filter(move |row| !is_ours(row))
    }
}

/// Whether the time to confirm is over by one of the clocks, or one of them was set back.
pub(crate) fn is_past(entry: &Entry, clocks: Clocks) -> bool {
    let here = clocks.here >= entry.deadline_here() || clocks.here < entry.accepted_here;
    let portal = |portal| portal >= entry.deadline() || portal < entry.accepted - TimeDelta::seconds(2);
    here || clocks.portal.is_some_and(portal)
}

impl Row {
    /// Whether it is the event of this write of ours.
    pub(crate) fn is_of(&self, entry: &Entry, number: u32) -> bool {
        // what a write says of itself anybody can say
        let account = entry.puts.iter().find(|put| put.number == number).and_then(|put| put.account);
        self.tag.as_deref() == Some(entry.tag(number).as_str()) && account.is_none_or(|account| account == self.actor)
    }
}

/// What follows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing, for now.
    Rest,
    /// What was read may be old: look again after a pause.
    Look,
    /// The same, but what is in the way may last: a few looks are enough for one run.
    Blocked,
    /// The last write of the entry is to be sent, once the entry is kept.
    Write,
}

/// An entry as it is to be kept, and what to do then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) entry: Entry,
    pub(crate) next: Next,
}
