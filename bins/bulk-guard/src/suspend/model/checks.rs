//! What must hold, asked of the portal's own history at each call, at each commit, and at the end.

mod end;

use std::collections::BTreeSet;

use audit_model::{PersonStatus, PortalRole, testing};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::ListedKey;
use uuid::Uuid;

use super::world::{GUEST, Happened, IN_GROUP, OWN, ROBOT, World};
use crate::suspend::entry::{Decided, Entry, State, Topic};
use crate::suspend::seen::{AccountNow, Asked, Call, Guard, Situation};
use crate::suspend::terms::Terms;

/// What a host has read last, and how many requests ago.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    pub(super) request: u64,
    pub(super) account: Option<(Uuid, AccountNow, u64)>,
    /// So many rows could be seen.
    pub(super) trail: Option<(usize, bool, u64)>,
    pub(super) guard: Option<(Option<Guard>, u64)>,
    pub(super) keys: Option<Vec<ListedKey>>,
    pub(super) memberships: Option<(Uuid, Option<BTreeSet<String>>, u64)>,
    pub(super) disabled_in_run: u64,
    pub(super) situation: Option<Situation>,
    pub(super) fence: u64,
    /// People of whom nothing was known, and who were planned together with others in this run.
    pub(super) crowd: BTreeSet<Uuid>,
    /// Incidents that this run has held.
    pub(super) held: BTreeSet<String>,
}

/// Clocks that are believed may be off by so much, each.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Nothing that is older than so many requests was read right before.
const RIGHT_BEFORE: u64 = 6;

impl World {
    fn since_loss(&self) -> Option<DateTime<Utc>> {
        self.history.iter().rev().find_map(|one| match one {
            Happened::Lost { at } => Some(*at),
            _ => None,
        })
    }

    /// Rows that the host could see when it last looked.
    fn seen(&self, host: usize, row: Option<u64>) -> bool {
        let most = self.reads[host].trail.map_or(0, |(rows, ..)| rows);
        row.is_some_and(|row| self.rows[..most].iter().any(|(serial, _)| *serial == row))
    }

    /// What every call has to have behind it.
    fn check_call(&mut self, host: usize, person: Uuid) {
        let reads = self.reads[host].clone();
        let Some(situation) = &reads.situation else { return self.accuse("a call without a run") };
        if situation.is_dry_run || situation.asked == Asked::Get || situation.has_window || !situation.has_lock {
            self.accuse("a call of a run that may not act");
        }
        if (self.portal_skew - self.here_skew).abs() > TimeDelta::minutes(2) {
            self.accuse("a call while the clocks are apart");
        }
        if reads.fence != self.fence {
            self.accuse("a call of a host that has lost its lease");
        }
        match reads.trail {
            Some((_, true, at)) if reads.request - at <= RIGHT_BEFORE => {}
            _ => self.accuse("a call without a complete trail"),
        }
        match &reads.account {
            Some((whose, AccountNow::There(_), at)) if *whose == person && *at == reads.request => {}
            other => self.accuse(format!("a call without the account right before: {other:?} {}", reads.request)),
        }
    }

    pub(super) fn check_disable(&mut self, host: usize, person: Uuid, terms: &Terms) {
        self.check_call(host, person);
        self.reads[host].disabled_in_run += 1;
        let (reads, now) = (self.reads[host].clone(), self.now);
        let Some(situation) = reads.situation.clone() else { return };
        let Some(intended) = self.entry_of(person, State::Intended).cloned() else {
            return self.accuse("no intent was committed");
        };
        if self.portal_now() - intended.incident.last.at > TimeDelta::minutes(10) {
            self.accuse("the last event is older than 10 minutes");
        }
        if situation.enforced_since.is_none_or(|since| intended.incident.first.at <= since) {
            self.accuse("it began before it was enforced");
        }
        if situation.is_after_pause || intended.incident.is_late {
            self.accuse("evidence that is not fresh");
        }
        if situation.proven_at.is_none_or(|at| self.portal_now() - at > TimeDelta::days(7) + TOLERANCE) {
            self.accuse("no proven channel");
        }
        if situation.key_ends.is_some_and(|end| end < self.portal_now() + terms.longest - TOLERANCE) {
            self.accuse("the key dies before the term ends");
        }
        if !intended.said.iter().any(|said| said.topic == Topic::Suspending) {
            self.accuse("nobody was told before");
        }
        if reads.disabled_in_run > terms.breaker.people {
            self.accuse("too many in a run");
        }
        self.check_target(host, person, terms);
        self.check_crowd(&reads, person, &intended, now);
        self.check_repeats(host, person, terms);
    }

    fn check_target(&mut self, host: usize, person: Uuid, terms: &Terms) {
        let reads = self.reads[host].clone();
        let Some((_, AccountNow::There(account), _)) = &reads.account else { return };
        if account.person.status != Some(PersonStatus::Active) {
            self.accuse(format!("the account was {:?}", account.person.status));
        }
        let is_high = matches!(account.person.role, Some(PortalRole::Owner | PortalRole::DocspaceAdmin) | None);
        let is_guest = account.person.role == Some(PortalRole::Guest);
        if is_high || account.is_ldap || person == OWN || person == ROBOT || is_guest && !terms.guests {
            self.accuse(format!("{person} must not be touched"));
        }
        match &reads.guard {
            Some((Some(guard), at)) if guard.protection.unread.is_none() && reads.request - at <= RIGHT_BEFORE => {
                let is_listed = guard.protection.people.contains(&person.to_string());
                if is_listed || person == IN_GROUP {
                    self.accuse("the settings protect the person");
                }
            }
            _ => self.accuse("an unread protection list"),
        }
        let is_approved = self.is_approved(person);
        let is_in_use = |key: &ListedKey| {
            let lately = key.last_used.is_some_and(|at| self.now - at < TimeDelta::hours(24) - TOLERANCE);
            key.owner == Some(person) && lately
        };
        let is_used = reads.keys.as_ref().is_none_or(|keys| keys.iter().any(is_in_use));
        if is_used && !terms.collateral && !is_approved {
            self.accuse("a key in use");
        }
        if person == GUEST {
            self.reach("guest");
        }
    }

    fn is_approved(&self, person: Uuid) -> bool {
        self.history.iter().any(|one| {
            matches!(one, Happened::Approved { at, person: whose }
            if *whose == person && self.now - *at <= TimeDelta::minutes(30) + TOLERANCE)
        })
    }

    fn check_crowd(&mut self, reads: &Reads, person: Uuid, intended: &Entry, now: DateTime<Utc>) {
        let is_approved = self.is_approved(person);
        if !reads.crowd.is_empty() && !is_approved {
            self.accuse("a plan that is too large");
        }
        if let Some(decision) = intended.decision(Decided::Approved)
            && now - decision.at > TimeDelta::minutes(30) + TOLERANCE
            && intended.held.is_some()
        {
            self.accuse("an approval that is too old");
        }
    }

    fn check_repeats(&mut self, host: usize, person: Uuid, terms: &Terms) {
        let (now, lost) = (self.now, self.since_loss());
        let number = self.bursts.get(&person).map(|burst| burst.number);
        let began = self.bursts.get(&person).map(|burst| burst.incident.first.at);
        let is_known = |at: DateTime<Utc>| lost.is_none_or(|lost| at > lost);
        let mut wrong = Vec::new();
        let (mut in_a_day, mut is_ordered) = (0, false);
        for one in &self.history {
            match one {
                Happened::ToRelease { person: whose } if *whose == person => is_ordered = true,
                Happened::Put { at, person: whose, call: Call::Enable, had_effect: true, .. } if *whose == person => {
                    if is_ordered && is_known(*at) && now - *at < TimeDelta::hours(24) - TOLERANCE {
                        wrong.push("somebody has released");
                    }
                    is_ordered = false;
                }
                Happened::Put { at, person: whose, call: Call::Disable, burst, row, is_call, .. } => {
                    let counts = is_known(*at) || self.seen(host, *row);
                    if *is_call && counts && now - *at < TimeDelta::hours(24) - TOLERANCE {
                        in_a_day += 1;
                    }
                    if *whose == person && *burst == number && counts {
                        wrong.push("a second call for one incident");
                    }
                    if *whose == person && is_known(*at) && now - *at < TimeDelta::minutes(10) - TOLERANCE {
                        wrong.push("a call right after another");
                    }
                    if !is_known(*at) && self.seen(host, *row) && now - *at < TimeDelta::hours(24) - TOLERANCE {
                        wrong.push("a row that the journal does not know");
                    }
                }
                Happened::Decision { person: whose, row, switched_to: Some(_), .. } if *whose == person => {
                    // by the portal's own dates, which are wrong while its clock is
                    let dated = self.rows.iter().find(|(serial, _)| Some(*serial) == *row).map(|(_, row)| row.mark.at);
                    let Some(dated) = dated.filter(|_| self.seen(host, *row)) else { continue };
                    let is_spent = began.is_some_and(|began| dated >= began + TOLERANCE);
                    if is_spent || self.portal_now() - dated < TimeDelta::hours(24) - TOLERANCE {
                        wrong.push("somebody has judged");
                    }
                }
                _ => {}
            }
        }
        if in_a_day >= terms.breaker.per_day {
            wrong.push("too many in 24 hours");
        }
        wrong.into_iter().for_each(|what| self.accuse(what));
        self.reach("disable");
    }

    pub(super) fn check_enable(&mut self, host: usize, person: Uuid, terms: &Terms) {
        self.check_call(host, person);
        let (reads, now) = (self.reads[host].clone(), self.now);
        let Some((_, AccountNow::There(account), _)) = &reads.account else { return };
        if account.person.status != Some(PersonStatus::Disabled) {
            self.accuse("the account is not off");
        }
        let off = self.history.iter().rposition(|one| {
            matches!(one, Happened::Put { person: whose, call: Call::Disable, row, had_effect: true, .. }
                if *whose == person && self.seen(host, *row))
        });
        let is_order = |one: &Happened| matches!(one, Happened::ToRelease { person: whose } if *whose == person);
        let Some(off) = off else {
            let releasing = self.entry_of(person, State::Releasing);
            let is_unsure = releasing.is_some_and(|entry| entry.incident.needs_decision.is_some());
            if is_unsure && self.history.iter().any(is_order) && self.reached.contains_key("key's account used") {
                return self.reach("enable on order what somebody else may have done");
            }
            return self.accuse("no own row was found");
        };
        let Happened::Put { at: since, is_answered, .. } = self.history[off] else { return };
        if self.since_loss().is_some_and(|lost| lost > since) {
            self.accuse("released although the journal was lost");
        }
        let mut wrong = Vec::new();
        let is_ordered = self.history[off..].iter().any(is_order);
        let (mut race, mut before) = (false, 0);
        for one in &self.history[off..] {
            match one {
                Happened::Decision { row, person: whose, .. } if *whose == person => {
                    if self.seen(host, *row) {
                        wrong.push("somebody else has decided since")
                    } else {
                        race = true
                    }
                }
                Happened::Put { at, person: whose, call: Call::Enable, was_refused, is_call: true, .. }
                    if *whose == person =>
                {
                    before += 1;
                    let least = TimeDelta::minutes(if *was_refused { 5 } else { 10 }) - TimeDelta::minutes(3);
                    if now - *at < least {
                        wrong.push("tried again too soon");
                    }
                }
                Happened::Keyboard { row } if self.seen(host, Some(*row)) => {
                    wrong.push("somebody uses the key's account");
                }
                Happened::Kept { person: whose } if *whose == person => wrong.push("it was to be kept"),
                Happened::Extended { person: whose, until }
                    if *whose == person && *until > now + TOLERANCE && !is_ordered =>
                {
                    wrong.push("it was extended");
                }
                _ => {}
            }
        }
        wrong.into_iter().for_each(|what| self.accuse(what));
        let entry = self.entry_of(person, State::Releasing).cloned();
        let Some(entry) = entry else { return self.accuse("no intent was committed") };
        if !is_ordered {
            if !is_answered {
                self.accuse("nobody answered that it was done");
            }
            if now - since < terms.suspend_for - TOLERANCE {
                self.accuse("before the term ends");
            }
            if entry.incident.needs_decision.is_some() {
                self.accuse("somebody has to decide");
            }
            let warned = entry.said.iter().filter(|said| said.topic == Topic::Warning).map(|said| said.at).max();
            if warned.is_none_or(|at| self.portal_now() - at < TimeDelta::minutes(10) - TimeDelta::minutes(4)) {
                self.accuse("nobody was warned");
            }
        }
        let noted = entry.intent.as_ref().map(|intent| intent.memberships.clone()).unwrap_or_default();
        match &reads.memberships {
            Some((whose, Some(now), at)) if *whose == person && reads.request - at <= RIGHT_BEFORE => {
                if !noted.is_subset(now) {
                    self.accuse("removed from a group or a room since");
                }
            }
            _ => self.accuse("memberships were not read"),
        }
        self.reach("enable");
        if is_ordered {
            self.reach("enable on order");
        }
        if race {
            self.reach("a decision that nobody could see yet");
        }
        if before > 0 {
            self.reach("enable again");
        }
    }

    /// What is told says no more than what was read.
    pub(super) fn check_commit(&mut self, host: Option<usize>, before: Option<&Entry>, after: &Entry) {
        let old = before.map_or(0, |entry| entry.said.len());
        let mut topics: Vec<Topic> = after.said.iter().map(|said| said.topic).collect();
        topics.retain(|topic| *topic != Topic::Warning);
        let all = topics.len();
        topics.sort();
        topics.dedup();
        if topics.len() != all {
            self.accuse("told twice");
        }
        let read = host.and_then(|host| self.reads[host].account.clone());
        let status = match &read {
            Some((_, AccountNow::There(account), _)) => account.person.status,
            _ => None,
        };
        let wrong = after.said.iter().skip(old).filter(|said| match said.topic {
            Topic::Done => status != Some(PersonStatus::Disabled) || after.row.is_none(),
            Topic::Released => status != Some(PersonStatus::Active),
            _ => said.words.contains("is suspended:") && said.topic != Topic::Unknown,
        });
        let wrong: Vec<Topic> = wrong.map(|said| said.topic).collect();
        if !wrong.is_empty() {
            self.accuse(format!("{wrong:?} was told and not read: {read:?}"));
        }
        let english = testing::untranslated(after.said.iter().map(|said| &said.words));
        if !english.is_empty() {
            self.accuse(format!("{english:?} is not said in German"));
        }
        let name = match after.state {
            State::Planned => "planned",
            State::Held => "held",
            State::Waiting => "waiting",
            State::Intended => "intended",
            State::Done => "done",
            State::Failed => "failed",
            State::Unknown => "unknown",
            State::Kept => "kept",
            State::Releasing => "releasing",
            State::ReleaseFailed => "release_failed",
            State::Released => "released",
            State::Settled => "settled",
            State::Dropped => "dropped",
            State::Cancelled => "cancelled",
        };
        if before.is_none_or(|before| before.state != after.state) {
            let again = |host: usize| !self.reads[host].held.insert(after.incident.id.clone());
            if after.state == State::Held && host.is_some_and(again) {
                self.accuse("held again in the same run");
            }
            self.reach(name);
            self.note(|| format!("{} is {name}: {}", after.incident.id, after.why.clone().unwrap_or_default()));
        }
    }
}
