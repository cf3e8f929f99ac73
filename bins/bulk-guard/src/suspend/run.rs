//! Carries out what follows for each entry: commit, ask whether this run may still act, call, read back, commit.

use std::collections::BTreeSet;
use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Account, ListedKey};
use uuid::Uuid;

use crate::suspend::admit;
use crate::suspend::breaker;
use crate::suspend::entry::{Decided, Entry, Incident, State, Topic};
use crate::suspend::ledger::Ledger;
use crate::suspend::permit::{self, Refusal};
use crate::suspend::seen::{AccountNow, Answer, Call, Clocks, Guard, Seen, Situation, Trail};
use crate::suspend::state::{cannot_wait, is_due, step};
use crate::suspend::terms::{FRESH, Terms};

/// So often a call is looked after: the portal writes its own row with delay.
const LOOKS: u32 = 4;

/// An entry takes no more steps in one run: planned, waiting, intended, done, settled, and one to see that nothing follows.
const MOST_STEPS: usize = 8;

/// What is asked of the portal. Failures are values: what could not be seen is part of what is seen.
pub(crate) trait Portal: Sync {
    /// The clocks as of the portal's last answer.
    fn clocks(&self) -> Clocks;

    /// The audit trail from a moment on.
    fn trail(&self, since: DateTime<Utc>) -> impl Future<Output = Trail> + Send;

    /// An account, read anew.
    fn account(&self, person: Uuid) -> impl Future<Output = AccountNow> + Send;

    /// Groups and rooms of a person; `None` when one of the lists could not be read.
    fn memberships(&self, person: Uuid) -> impl Future<Output = Option<BTreeSet<String>>> + Send;

    /// Whom nothing may be done to, read anew.
    fn guard(&self) -> impl Future<Output = Option<Guard>> + Send;

    fn keys(&self) -> impl Future<Output = Option<Vec<ListedKey>>> + Send;

    /// Switches exactly one account, once: a call that breaks is not repeated.
    fn switch(&self, person: Uuid, call: Call) -> impl Future<Output = Answer> + Send;

    /// Waits before the next look at what a call has done; the first is number 1.
    fn pause(&self, look: u32) -> impl Future<Output = ()> + Send;
}

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acted {
    /// Why it has suspended nobody, or could not have.
    pub(crate) refused: Option<Refusal>,
    /// Somebody is off, or may be, and somebody has to see to it.
    pub(crate) needs_attention: bool,
}

/// A run.
struct Acting<'a, L, P> {
    ledger: &'a L,
    portal: &'a P,
    situation: &'a Situation,
    terms: &'a Terms,
    entries: Vec<Entry>,
    /// Entries that somebody has changed meanwhile: left to the next run.
    left: BTreeSet<String>,
    /// People whom this run has asked the portal to suspend.
    suspended: u64,
}

/// What was read for one step.
struct Fresh {
    trail: Trail,
    account: AccountNow,
    memberships: Option<BTreeSet<String>>,
    guard: Option<Guard>,
    keys: Option<Vec<ListedKey>>,
}

impl Fresh {
    fn nothing(why: &str) -> Self {
        let account = AccountNow::Unread(why.to_owned());
        Fresh { trail: Trail::default(), account, memberships: None, guard: None, keys: None }
    }
}

/// Follows what is open to its end where that has come, takes in what the plan names, and carries it out.
///
/// # Errors
/// Of the ledger: then nothing more is asked of the portal, and the next run settles what was begun.
pub(crate) async fn act<L: Ledger, P: Portal>(
    (ledger, portal): (&L, &P),
    (situation, terms): (&Situation, &Terms),
    proposals: &[Incident],
) -> anyhow::Result<Acted> {
    if let Err(refusal) = permit::may_call(situation) {
        return Ok(Acted { refused: Some(refusal), needs_attention: false });
    }
    let entries = ledger.entries().await?;
    let mut acting = Acting { ledger, portal, situation, terms, entries, left: BTreeSet::new(), suspended: 0 };
    acting.follow().await?;
    let trail = acting.trail().await;
    acting.tell_lost(&trail).await?;
    acting.admit(proposals).await?;
    acting.trip().await?;
    let refused = acting.refused(&trail).await;
    for id in acting.ids(|entry| entry.state.is_before()) {
        acting.advance(&id).await?;
    }
    let now = portal.clocks().now();
    let needs_attention = acting.entries.iter().any(|entry| needs_attention(entry, now));
    Ok(Acted { refused, needs_attention })
}

/// Follows one suspension as a run would, for somebody who cannot wait for the next one. Nothing that is only planned is carried out.
///
/// # Errors
/// Of the ledger: then nothing more is asked of the portal, and the next run settles what was begun.
pub(crate) async fn follow_one<L: Ledger, P: Portal>(
    (ledger, portal): (&L, &P),
    (situation, terms): (&Situation, &Terms),
    id: &str,
) -> anyhow::Result<()> {
    let entries = ledger.entries().await?;
    let mut acting = Acting { ledger, portal, situation, terms, entries, left: BTreeSet::new(), suspended: 0 };
    if acting.entry(id).is_some_and(|entry| entry.state.is_under_way()) {
        acting.advance(id).await?;
    }
    Ok(())
}

/// Follows what cannot wait until a run has looked. Nobody is suspended.
///
/// # Errors
/// Of the ledger: then nothing more is asked of the portal, and the next run settles what was begun.
pub(crate) async fn follow_due<L: Ledger, P: Portal>(
    (ledger, portal): (&L, &P),
    (own, terms): (Uuid, &Terms),
) -> anyhow::Result<()> {
    let clocks = portal.clocks();
    let due = ledger.entries().await?.into_iter().filter(|entry| cannot_wait(entry, clocks));
    let situation = Situation::of_way_back(own);
    for entry in due.collect::<Vec<_>>() {
        follow_one((ledger, portal), (&situation, terms), &entry.incident.id).await?;
    }
    Ok(())
}

/// What is read for one step is read within this time, so that all of it is of now.
const READ_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// So often it is read again where that took longer.
const MOST_READS: u32 = 3;

/// A call leaves so long after its commit at most: a machine may have slept in between.
const LEAVES_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Whether the account is as the step has seen it that wants the call: somebody may have changed it meanwhile.
fn is_unchanged(before: &AccountNow, now: &AccountNow) -> bool {
    match (before, now) {
        (AccountNow::There(before), AccountNow::There(now)) => {
            let what = |account: &Account| (account.person.status, account.person.role, account.is_ldap);
            what(before) == what(now)
        }
        _ => false,
    }
}

/// Whether what was true when the entry was committed can still be believed. If not, the call does not leave, and is settled like one that
/// had no effect.
fn is_still_now(entry: &Entry, call: Call, clocks: Clocks) -> bool {
    let Some(now) = clocks.agreed() else { return false };
    let is_recent = |at: DateTime<Utc>| (now - at).abs() <= LEAVES_WITHIN;
    match call {
        Call::Disable => {
            now - entry.incident.last.at <= FRESH && entry.intent.as_ref().is_some_and(|intent| is_recent(intent.at))
        }
        Call::Enable => entry.tried.as_ref().is_some_and(|tried| is_recent(tried.at)),
    }
}

/// Whether somebody is off, or may be, and it is not known to end as it should.
pub(crate) fn needs_attention(entry: &Entry, now: DateTime<Utc>) -> bool {
    let is_blocked = || entry.said.iter().any(|said| said.topic == Topic::Blocked) && is_due(entry, now);
    match entry.state {
        State::Unknown | State::ReleaseFailed | State::Releasing | State::Intended => true,
        State::Done => is_blocked() || entry.deadline().is_some_and(|end| now - end > TimeDelta::hours(1)),
        _ => false,
    }
}

impl<L: Ledger, P: Portal> Acting<'_, L, P> {
    fn ids(&self, which: impl Fn(&Entry) -> bool) -> Vec<String> {
        self.entries.iter().filter(|entry| which(entry)).map(|entry| entry.incident.id.clone()).collect()
    }

    fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.incident.id == id)
    }

    /// What was begun comes first: it says who is off, and what is ours in the trail.
    async fn follow(&mut self) -> anyhow::Result<()> {
        let now = self.portal.clocks().now();
        for id in self.ids(|entry| entry.is_followed(now)) {
            self.advance(&id).await?;
        }
        Ok(())
    }

    async fn trail(&self) -> Trail {
        let now = self.portal.clocks().now();
        self.portal.trail(admit::trail_since(&self.entries, now)).await
    }

    async fn tell_lost(&mut self, trail: &Trail) -> anyhow::Result<()> {
        let now = self.portal.clocks().now();
        for entry in admit::lost(trail, self.situation.own, &self.entries, now) {
            self.commit(entry).await?;
        }
        Ok(())
    }

    async fn admit(&mut self, proposals: &[Incident]) -> anyhow::Result<()> {
        let clocks = self.portal.clocks();
        let is_certain = permit::time(clocks, &self.entries).is_ok() && !self.situation.is_after_pause;
        let since = self.situation.enforced_since.filter(|_| is_certain);
        for mut entry in admit::admit(&self.entries, proposals, since, clocks.now()) {
            entry.is_drill |= entry.revision == 0 && self.situation.drill == Some(entry.person());
            self.commit(entry).await?;
        }
        Ok(())
    }

    async fn trip(&mut self) -> anyhow::Result<()> {
        if !self.entries.iter().any(|entry| entry.state.is_before()) || self.situation.enforced_since.is_none() {
            return Ok(());
        }
        let active_people = self.portal.guard().await.map_or(0, |guard| guard.active_people);
        let now = self.portal.clocks().now();
        for entry in breaker::trip(&self.entries, active_people, self.terms, now) {
            self.commit(entry).await?;
        }
        Ok(())
    }

    /// Why nobody could be suspended in this run. Whom nothing may be done to is asked only where somebody is to be.
    async fn refused(&self, trail: &Trail) -> Option<Refusal> {
        let is_asked = self.entries.iter().any(|entry| entry.state.is_before());
        let guard = if is_asked { self.portal.guard().await } else { None };
        let account = AccountNow::Gone;
        let seen = Seen {
            situation: self.situation,
            terms: self.terms,
            clocks: self.portal.clocks(),
            account: &account,
            memberships: None,
            trail,
            guard: guard.as_ref(),
            keys: None,
            entries: &self.entries,
            suspended_in_run: self.suspended,
            answer: None,
            is_last_look: true,
        };
        permit::may_suspend(&seen).err().filter(|refusal| is_asked || !matches!(refusal, Refusal::GuardUnread(_)))
    }

    /// Takes steps until nothing follows.
    async fn advance(&mut self, id: &str) -> anyhow::Result<()> {
        for _ in 0..MOST_STEPS {
            let Some(entry) = self.entry(id).cloned().filter(|_| !self.left.contains(id)) else { return Ok(()) };
            let fresh = self.look(&entry).await;
            let next = step(&entry, &self.seen(&fresh, None, true));
            if next.entry == entry && next.call.is_none() {
                return Ok(());
            }
            if !self.commit(next.entry).await? {
                return Ok(());
            }
            if let Some(call) = next.call {
                self.carry_out(id, (call, &fresh.account)).await?;
            }
        }
        Ok(())
    }

    /// Makes the call of an entry that says so on disk, and looks what came of it.
    async fn carry_out(&mut self, id: &str, (call, seen): (Call, &AccountNow)) -> anyhow::Result<()> {
        let Some(entry) = self.entry(id).cloned() else { return Ok(()) };
        self.ledger.deliver().await;
        // what was told may have taken its time, and neither clock runs while a machine sleeps: the answer says what time it is
        let account = self.portal.account(entry.person()).await;
        // the portal cannot tell a run that has lost its lease from the one that has it
        self.ledger.may_act().await?;
        if !is_unchanged(seen, &account) || !is_still_now(&entry, call, self.portal.clocks()) {
            return Ok(());
        }
        if call == Call::Disable {
            self.suspended += 1;
        }
        let answer = self.portal.switch(entry.person(), call).await;
        for look in 1..=LOOKS {
            let fresh = self.look(&entry).await;
            let next = step(&entry, &self.seen(&fresh, Some(&answer), look == LOOKS));
            if next.entry != entry {
                self.commit(next.entry).await?;
                return Ok(());
            }
            if look < LOOKS {
                self.portal.pause(look).await;
            }
        }
        Ok(())
    }

    /// Reads what a step needs. What took too long is read again: the machine may have slept, and whatever was read before is of the past.
    async fn look(&self, entry: &Entry) -> Fresh {
        if entry.state == State::Held && entry.decision(Decided::Approved).is_none() {
            // until somebody decides, only time passes
            return Fresh::nothing("it is held");
        }
        for _ in 0..MOST_READS {
            let began = self.portal.clocks().now();
            let fresh = self.read(entry).await;
            if (self.portal.clocks().now() - began).abs() <= READ_WITHIN {
                return fresh;
            }
        }
        Fresh::nothing("the portal answered too slowly")
    }

    /// The account last: it changes soonest.
    async fn read(&self, entry: &Entry) -> Fresh {
        let now = self.portal.clocks().now();
        let may_suspend = entry.state.is_before();
        let may_release = matches!(entry.state, State::Done | State::ReleaseFailed) && is_due(entry, now);
        let guard = if may_suspend { self.portal.guard().await } else { None };
        let keys = if may_suspend { self.portal.keys().await } else { None };
        let asks_memberships = may_suspend || may_release;
        let memberships = if asks_memberships { self.portal.memberships(entry.person()).await } else { None };
        let trail = self.trail().await;
        let account = self.portal.account(entry.person()).await;
        Fresh { trail, account, memberships, guard, keys }
    }

    fn seen<'b>(&'b self, fresh: &'b Fresh, answer: Option<&'b Answer>, is_last_look: bool) -> Seen<'b> {
        Seen {
            situation: self.situation,
            terms: self.terms,
            clocks: self.portal.clocks(),
            account: &fresh.account,
            memberships: fresh.memberships.as_ref(),
            trail: &fresh.trail,
            guard: fresh.guard.as_ref(),
            keys: fresh.keys.as_deref(),
            entries: &self.entries,
            suspended_in_run: self.suspended,
            answer,
            is_last_look,
        }
    }

    /// Keeps an entry. `false`: somebody has decided something about it meanwhile, so it is left to the next run.
    async fn commit(&mut self, mut entry: Entry) -> anyhow::Result<bool> {
        if !self.ledger.commit(&entry).await? {
            self.left.insert(entry.incident.id);
            self.entries = self.ledger.entries().await?;
            return Ok(false);
        }
        entry.revision += 1;
        match self.entries.iter_mut().find(|other| other.incident.id == entry.incident.id) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
        Ok(true)
    }
}
