//! What is seen now: of the run, of the portal, of one person.

use std::collections::BTreeSet;

use audit_model::ActionId;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Account, ListedKey};
use safe_actions::Protection;
use uuid::Uuid;

use crate::suspend::entry::{Entry, Mark};
use crate::suspend::terms::Terms;

/// UsersUpdatedStatus: an account was disabled or enabled. The row does not say which.
pub(crate) const STATUS_CHANGED: ActionId = ActionId(4020);

/// CookieSettingsUpdated: the portal writes one with each account that is disabled.
const SESSIONS_ENDED: ActionId = ActionId(6032);

/// Rows that name a person as their target and mean that somebody has decided about the account: updated, password, deleted, type, status,
/// deleted, data reassigned, logged out.
pub(crate) const DECISIONS: [ActionId; 8] = [
    ActionId(4006),
    ActionId(4017),
    ActionId(4018),
    ActionId(4019),
    STATUS_CHANGED,
    ActionId(4022),
    ActionId(4030),
    ActionId(4036),
];

/// A row of the audit trail, as far as it counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mark: Mark,
    pub(crate) action: ActionId,
    pub(crate) actor: Uuid,
    /// People whom it names as its target.
    pub(crate) targets: BTreeSet<Uuid>,
}

/// The audit trail from a moment on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    /// All rows of the key's account, and all that name a person.
    pub(crate) rows: Vec<Row>,
    /// Nothing is missing from it, as far as the portal has written it down.
    pub(crate) is_complete: bool,
    /// The newest row of any kind.
    pub(crate) newest: i64,
}

impl Trail {
    /// Whether a row was written down since then, or is about what has happened since then.
    fn is_since(row: &Row, newest: i64, at: DateTime<Utc>) -> bool {
        row.mark.event > newest || row.mark.at >= at
    }

    /// The first decision of anybody else about a person since then.
    pub(crate) fn foreign(&self, person: Uuid, own: Uuid, (newest, at): (i64, DateTime<Utc>)) -> Option<&Row> {
        let is_foreign = |row: &&Row| {
            row.actor != own
                && DECISIONS.contains(&row.action)
                && row.targets.contains(&person)
                && Self::is_since(row, newest, at)
        };
        self.rows.iter().find(is_foreign)
    }

    /// When somebody else last switched a person on or off.
    pub(crate) fn last_switch(&self, person: Uuid, own: Uuid) -> Option<DateTime<Utc>> {
        let is_switch = |row: &&Row| row.actor != own && row.action == STATUS_CHANGED && row.targets.contains(&person);
        self.rows.iter().filter(is_switch).map(|row| row.mark.at).max()
    }

    /// This program's own rows about a person since then, in their order.
    pub(crate) fn own(&self, person: Uuid, own: Uuid, (newest, at): (i64, DateTime<Utc>)) -> Vec<Mark> {
        let is_own = |row: &&Row| {
            row.actor == own
                && row.action == STATUS_CHANGED
                && row.targets.contains(&person)
                && Self::is_since(row, newest, at)
        };
        let mut own: Vec<Mark> = self.rows.iter().filter(is_own).map(|row| row.mark).collect();
        own.sort();
        own
    }

    /// The first row of the key's account since then that no entry explains: somebody else uses it. Rows about `person` are explained only
    /// by an entry that has them; those about others also by a call of that time, whose row may just have come.
    pub(crate) fn unexplained(
        &self,
        own: Uuid,
        entries: &[Entry],
        (newest, at): (i64, DateTime<Utc>),
        person: Option<Uuid>,
    ) -> Option<&Row> {
        let is_strange = |row: &&Row| {
            let is_about = person.is_some_and(|person| row.targets.contains(&person));
            let is_explained = |entry: &Entry| explains(entry, row, is_about);
            row.actor == own
                && row.action != SESSIONS_ENDED
                && Self::is_since(row, newest, at)
                && !entries.iter().any(is_explained)
        };
        self.rows.iter().find(is_strange)
    }

    /// Rows in which the key's account switched somebody on or off, and no entry says so.
    pub(crate) fn unexplained_switches(&self, own: Uuid, entries: &[Entry]) -> Vec<&Row> {
        let is_strange = |row: &&Row| {
            let is_explained = |entry: &Entry| explains(entry, row, false);
            row.actor == own && row.action == STATUS_CHANGED && !entries.iter().any(is_explained)
        };
        self.rows.iter().filter(is_strange).collect()
    }
}

/// Whether a row of the key's account is what an entry has done.
fn explains(entry: &Entry, row: &Row, is_strict: bool) -> bool {
    let called = entry.intent.iter().map(|intent| intent.at).chain(entry.tried.iter().map(|tried| tried.at));
    let is_of_then = |at: DateTime<Utc>| {
        let end = entry.looked_after.map_or(at, |looked| looked.max(at));
        row.mark.at >= at - CALL_SPAN.0 && row.mark.at <= end + CALL_SPAN.1
    };
    let is_its = !is_strict && row.action == STATUS_CHANGED && row.targets.contains(&entry.person());
    entry.own_rows.contains(&row.mark.event) || is_its && called.into_iter().any(is_of_then)
}

/// A row about a call has a time not longer before it was written down that it leaves, and after.
const CALL_SPAN: (TimeDelta, TimeDelta) = (TimeDelta::minutes(2), TimeDelta::minutes(10));

/// What the portal says of an account when it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccountNow {
    There(Account),
    /// No such account any more.
    Gone,
    /// Nobody knows; a clause says why.
    Unread(String),
}

/// Whom nothing may be done to, read anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    pub(crate) protection: Protection,
    /// People who can sign in; 0 when nobody knows.
    pub(crate) active_people: u64,
    /// Service accounts.
    pub(crate) robots: BTreeSet<Uuid>,
}

/// Two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// As the portal's last answer says; `None` before there was one.
    pub(crate) portal: Option<DateTime<Utc>>,
    pub(crate) here: DateTime<Utc>,
}

impl Clocks {
    /// Further apart, and one of them is wrong: nobody knows which.
    const APART: TimeDelta = TimeDelta::minutes(2);

    /// The portal's time, where both clocks agree.
    pub(crate) fn agreed(self) -> Option<DateTime<Utc>> {
        self.portal.filter(|portal| (*portal - self.here).abs() <= Self::APART)
    }

    /// For what is written down.
    pub(crate) fn now(self) -> DateTime<Utc> {
        self.portal.unwrap_or(self.here)
    }
}

/// Who asked for this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Cron, or somebody at a terminal.
    Run,
    /// A caller with the token.
    Post,
    /// A caller who only reads.
    Get,
}

/// What is so for the whole run.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    /// The account of the key.
    pub(crate) own: Uuid,
    /// Since when the settings say `enforce`; `None`: they do not.
    pub(crate) enforced_since: Option<DateTime<Utc>>,
    pub(crate) asked: Asked,
    /// In words, where `serve` was asked.
    pub(crate) asked_by: Option<String>,
    /// The account of a drill that is at work now.
    pub(crate) drill: Option<Uuid>,
    /// `--since` or `--until` was given: a replay.
    pub(crate) has_window: bool,
    /// No run before this one within the usual time.
    pub(crate) is_after_pause: bool,
    pub(crate) is_dry_run: bool,
    /// The lock of the store, or its lease.
    pub(crate) has_lock: bool,
    /// When a test alert was last taken.
    pub(crate) proven_at: Option<DateTime<Utc>>,
    /// When the key dies; `None`: never.
    pub(crate) key_ends: Option<DateTime<Utc>>,
}

impl Situation {
    /// Of whoever only ends what is open: it suspends nobody, whatever the settings say.
    pub(crate) fn of_way_back(own: Uuid) -> Self {
        Situation {
            own,
            enforced_since: None,
            asked: Asked::Run,
            asked_by: None,
            drill: None,
            has_window: false,
            is_after_pause: false,
            is_dry_run: false,
            has_lock: true,
            proven_at: None,
            key_ends: None,
        }
    }
}

/// All that is known when an entry is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) situation: &'a Situation,
    pub(crate) terms: &'a Terms,
    pub(crate) clocks: Clocks,
    pub(crate) account: &'a AccountNow,
    /// Groups and rooms of the person; `None` when they could not be read, or were not asked for.
    pub(crate) memberships: Option<&'a BTreeSet<String>>,
    pub(crate) trail: &'a Trail,
    /// What is asked before somebody is suspended; `None` when it could not be read, or was not asked for.
    pub(crate) guard: Option<&'a Guard>,
    pub(crate) keys: Option<&'a [ListedKey]>,
    /// All entries, this one included.
    pub(crate) entries: &'a [Entry],
    /// People whom this run has asked the portal to suspend.
    pub(crate) suspended_in_run: u64,
    /// What the portal said to the call that was just made.
    pub(crate) answer: Option<&'a Answer>,
    /// Nobody looks again in this run.
    pub(crate) is_last_look: bool,
}

/// What the portal said to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is so now, says the answer.
    Switched,
    /// A success, but the account in the answer is not as it was asked for.
    Ignored,
    /// Surely not done; a clause says why.
    Refused(String),
    /// No free seat: surely not done.
    SeatsFull,
    /// It may be done, now or in a moment; a clause says why.
    Broke(String),
}

/// What is asked of the portal, for exactly one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Disable,
    Enable,
}

/// What follows for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) entry: Entry,
    /// Leaves only after the entry has been committed.
    pub(crate) call: Option<Call>,
}

impl Step {
    pub(crate) fn to(entry: Entry) -> Self {
        Step { entry, call: None }
    }
}

impl Seen<'_> {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clocks.now()
    }

    /// The first decision of anybody else about the person since the suspension was intended.
    pub(crate) fn foreign(&self, entry: &Entry) -> Option<&Row> {
        let intent = entry.intent.as_ref()?;
        self.trail.foreign(entry.person(), self.situation.own, (intent.newest, intent.at))
    }
}
