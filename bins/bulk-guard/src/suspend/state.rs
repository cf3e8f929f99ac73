//! From what is known of an entry to its next state, and at most one call. Pure.

use audit_model::{PersonStatus, Sentence};
use chrono::{DateTime, TimeDelta, Utc};

use crate::suspend::entry::{Decided, Entry, Held, Intent, State, Topic, Try};
use crate::suspend::hindrance::{Hindrance, hindrance};
use crate::suspend::permit;
use crate::suspend::seen::{AccountNow, Call, Clocks, Seen, Step};
use crate::suspend::settle;
use crate::suspend::terms::{APPROVED_FOR, FOLLOWED_FOR, FRESH, WARN_BEFORE, WARNED_FOR};
use crate::suspend::why;
use crate::suspend::words;

/// The next state of an entry. A call leaves only once that state has been committed; what it did is seen in the next step.
pub(crate) fn step(entry: &Entry, seen: &Seen<'_>) -> Step {
    match entry.state {
        State::Planned | State::Held | State::Waiting => before(entry, seen),
        State::Intended | State::Unknown => {
            Step::to(looked_after(entry, settle::suspension(entry.clone(), seen), seen))
        }
        State::Done => while_off(entry, seen),
        State::Releasing => Step::to(looked_after(entry, settle::release(entry.clone(), seen), seen)),
        State::ReleaseFailed => {
            let settled = settle::release(entry.clone(), seen);
            if settled.state == State::ReleaseFailed { while_off(&settled, seen) } else { Step::to(settled) }
        }
        State::Released => Step::to(overtaken(entry, seen)),
        State::Kept => Step::to(while_kept(entry, seen)),
        State::Failed | State::Settled | State::Dropped | State::Cancelled => Step::to(entry.clone()),
    }
}

/// Notes when something was seen of a call.
fn looked_after(before: &Entry, mut after: Entry, seen: &Seen<'_>) -> Entry {
    if after != *before {
        after.looked_after = Some(seen.now());
    }
    after
}

/// People whom the portal was asked to suspend within a day, whatever came of it; but not for a drill.
pub(crate) fn asked_within_a_day(entries: &[Entry], now: DateTime<Utc>) -> usize {
    let is_recent = |entry: &&Entry| {
        !entry.is_drill && entry.intent.as_ref().is_some_and(|intent| now - intent.at < TimeDelta::hours(24))
    };
    entries.iter().filter(is_recent).count()
}

/// Nothing was asked of the portal yet.
fn before(entry: &Entry, seen: &Seen<'_>) -> Step {
    let dropped = |why: Sentence| {
        let words = words::dropped(&entry.incident, &why);
        let entry = entry.clone().into_state(State::Dropped, Some(why));
        Step::to(entry.say(Topic::Dropped, seen.now(), words))
    };
    let stays = || Step::to(entry.clone());
    let Ok(now) = permit::time(seen.clocks, seen.entries) else { return stays() };
    let Some(enforced_since) = seen.situation.enforced_since else {
        return dropped(why::OBSERVING.into());
    };
    let approval = entry.decision(Decided::Approved).filter(|decision| (now - decision.at).abs() <= APPROVED_FOR);
    let is_approved = approval.is_some();
    let longest = if entry.state == State::Held { APPROVED_FOR } else { FRESH };
    let age = now - entry.incident.last.at;
    if age > longest {
        return dropped(why::TOO_OLD.into());
    }
    if entry.incident.is_late {
        return dropped(why::LATE.into());
    }
    if entry.incident.first.at <= enforced_since {
        return dropped(why::BEFORE_ENFORCE.into());
    }
    // an event of the future says that some clock is wrong
    if age > FRESH || age < -TimeDelta::minutes(2) || permit::may_suspend(seen).is_err() {
        return stays();
    }
    if entry.state == State::Held && !is_approved {
        return stays();
    }
    match hindrance(entry, seen, now) {
        None => {}
        Some(Hindrance::Held(Held::Keys(_))) if is_approved => {}
        Some(Hindrance::Held(held)) => return Step::to(hold(entry.clone(), held, now)),
        Some(Hindrance::NotNow) => return stays(),
        Some(Hindrance::Never(why)) => return dropped(why),
    }
    if entry.state == State::Held
        && let Some(held) = limit_reached(seen, now)
    {
        return Step::to(hold(entry.clone(), held, now));
    }
    if entry.state != State::Waiting {
        let mut entry = entry.clone().into_state(State::Waiting, None);
        entry.held = None;
        entry.waits_until = Some(now + seen.terms.grace);
        return Step::to(entry);
    }
    intend(entry, seen, now)
}

/// Holds an entry, and says so.
pub(crate) fn hold(entry: Entry, held: Held, now: DateTime<Utc>) -> Entry {
    let words = words::held(&entry.incident, held.words());
    let mut entry = entry.into_state(State::Held, Some(held.words().clone()));
    entry.held = Some(held);
    entry.say(Topic::Held, now, words)
}

/// Why nobody more is suspended within a day, whoever approves it.
fn limit_reached(seen: &Seen<'_>, now: DateTime<Utc>) -> Option<Held> {
    let most = seen.terms.breaker.per_day;
    let is_reached = asked_within_a_day(seen.entries, now) as u64 >= most;
    is_reached.then(|| Held::Breaker(why::limit_reached(most)))
}

/// The grace is over, and nothing is in the way.
fn intend(entry: &Entry, seen: &Seen<'_>, now: DateTime<Utc>) -> Step {
    let stays = || Step::to(entry.clone());
    if entry.waits_until.is_none_or(|end| now < end) {
        return stays();
    }
    if let Some(held) = limit_reached(seen, now) {
        return Step::to(hold(entry.clone(), held, now));
    }
    if seen.suspended_in_run >= seen.terms.breaker.people {
        return stays();
    }
    let Some(memberships) = seen.memberships else { return stays() };
    let term = seen.terms.term(entry.person(), seen.entries, now);
    let mut entry = entry.clone().into_state(State::Intended, None);
    entry.intent = Some(Intent {
        at: now,
        newest: seen.trail.newest,
        deadline: entry.incident.needs_decision.is_none().then(|| now + term),
        memberships: memberships.clone(),
        is_answered: false,
        asked_by: seen.situation.asked_by.clone(),
    });
    let words = words::suspending(&entry);
    Step { entry: entry.say(Topic::Suspending, now, words), call: Some(Call::Disable) }
}

/// The account is off through this program.
fn while_off(entry: &Entry, seen: &Seen<'_>) -> Step {
    if let Some(settled) = hands_off(entry, seen) {
        return Step::to(settled);
    }
    if let Some(decision) = entry.decision(Decided::Kept) {
        // a call that broke may still enable the account, and nobody keeps what could not be looked at
        let is_over = |tried: &Try| tried.all_refused || seen.now() >= tried.next;
        if !entry.tried.as_ref().is_none_or(is_over) || !matches!(seen.account, AccountNow::There(_)) {
            return Step::to(entry.clone());
        }
        let kept = entry.clone().into_state(State::Kept, Some(decision.why.as_str().into()));
        return Step::to(kept.say(Topic::Kept, seen.now(), words::kept(&entry.incident)));
    }
    let Ok(now) = permit::time(seen.clocks, seen.entries) else {
        let why = permit::time(seen.clocks, seen.entries).err().map(|refusal| refusal.sentence()).unwrap_or_default();
        return Step::to(if may_be_over(entry, seen.clocks) {
            overdue(entry, seen.clocks, &why)
        } else {
            entry.clone()
        });
    };
    if let Some(until) = entry.deadline().filter(|_| is_to_be_announced(entry, now)) {
        let mut entry = entry.clone();
        entry.warned_at = Some(now);
        let words = words::warning(&entry.incident, until.max(now + WARNED_FOR));
        return Step::to(entry.say(Topic::Warning, now, words));
    }
    if !is_due(entry, now) {
        return Step::to(entry.clone());
    }
    match seen.account {
        AccountNow::There(account) if account.person.status == Some(PersonStatus::Disabled) => {}
        AccountNow::There(_) | AccountNow::Gone => return Step::to(entry.clone()),
        AccountNow::Unread(why) => return blocked_if_due(entry, seen, &Sentence::quoted(why.as_str())),
    }
    if let Err(refusal) = permit::may_call(seen.situation) {
        return blocked_if_due(entry, seen, &refusal.sentence());
    }
    if !seen.trail.is_complete {
        return blocked_if_due(entry, seen, &permit::Refusal::TrailIncomplete.sentence());
    }
    if entry.intent.as_ref().is_some_and(|intent| now - intent.at > FOLLOWED_FOR) {
        return blocked_if_due(entry, seen, &why::NOT_REMEMBERED.into());
    }
    let Some(memberships) = seen.memberships else {
        return blocked_if_due(entry, seen, &why::MEMBERSHIPS_UNREAD.into());
    };
    let noted = entry.intent.as_ref().map(|intent| &intent.memberships);
    if noted.is_some_and(|noted| !noted.is_subset(memberships)) {
        return Step::to(settled(entry.clone(), why::REMOVED_SINCE, seen));
    }
    let (number, all_refused) = entry.tried.as_ref().map_or((0, true), |tried| (tried.number, tried.all_refused));
    let mut entry = entry.clone().into_state(State::Releasing, None);
    let next = now + FRESH;
    entry.tried = Some(Try { at: now, newest: seen.trail.newest, number: number + 1, all_refused, next });
    Step { entry, call: Some(Call::Enable) }
}

/// The account stays off until somebody enables it: then it is not this program's any more.
fn while_kept(entry: &Entry, seen: &Seen<'_>) -> Entry {
    match seen.account {
        AccountNow::Gone => settled(entry.clone(), why::GONE, seen),
        AccountNow::There(account) if account.person.status.is_some_and(|status| status != PersonStatus::Disabled) => {
            settled(entry.clone(), why::ENABLED, seen)
        }
        AccountNow::There(_) | AccountNow::Unread(_) => overtaken(entry, seen),
    }
}

/// Whether it is to be ended now: somebody has decided so, or the term is over and was announced in time.
pub(crate) fn is_due(entry: &Entry, now: DateTime<Utc>) -> bool {
    if entry.tried.as_ref().is_some_and(|tried| now < tried.next) {
        return false;
    }
    let is_over = entry.deadline().is_some_and(|deadline| now >= deadline);
    let is_warned = entry.warned_at.is_some_and(|at| now - at >= WARNED_FOR);
    entry.decision(Decided::Released).is_some() || is_over && is_warned
}

/// Whether its term is over soon, and nobody has been warned.
fn is_to_be_announced(entry: &Entry, now: DateTime<Utc>) -> bool {
    let is_soon = entry.deadline().is_some_and(|until| now >= until - WARN_BEFORE);
    is_soon && entry.warned_at.is_none() && entry.decision(Decided::Released).is_none()
}

/// Whether something about it cannot wait until a run has looked at everything: a call of which nobody knows what became of it, a term that is
/// over, or its announcement.
pub(crate) fn cannot_wait(entry: &Entry, clocks: Clocks) -> bool {
    let now = clocks.now();
    match entry.state {
        State::Intended | State::Unknown | State::Releasing => true,
        State::Done | State::ReleaseFailed => {
            is_due(entry, now) || is_to_be_announced(entry, now) || may_be_over(entry, clocks)
        }
        _ => false,
    }
}

/// Whether somebody is off and should not be any more by one of two clocks that disagree: nobody knows which is right.
pub(crate) fn may_be_over(entry: &Entry, clocks: Clocks) -> bool {
    let latest = clocks.portal.map_or(clocks.here, |portal| portal.max(clocks.here));
    let is_open = matches!(entry.state, State::Done | State::ReleaseFailed) && entry.decision(Decided::Kept).is_none();
    let is_over = entry.deadline().is_some_and(|deadline| latest >= deadline);
    is_open && (entry.decision(Decided::Released).is_some() || is_over)
}

/// Says once that somebody is off, may be off for too long, and cannot be switched on while nobody knows what time it is.
pub(crate) fn overdue(entry: &Entry, clocks: Clocks, why: &Sentence) -> Entry {
    let words = words::overdue(&entry.incident, why);
    let mut entry = entry.clone();
    entry.why = Some(why.clone());
    entry.say(Topic::Blocked, clocks.now(), words)
}

/// Says once that somebody is off, should not be any more, and cannot be switched on.
fn blocked_if_due(entry: &Entry, seen: &Seen<'_>, why: &Sentence) -> Step {
    if !is_due(entry, seen.now()) {
        return Step::to(entry.clone());
    }
    let words = words::blocked(&entry.incident, why);
    let mut entry = entry.clone();
    entry.why = Some(why.clone());
    Step::to(entry.say(Topic::Blocked, seen.now(), words))
}

/// Whether somebody else has decided about the account since. Their decision stands, whatever it was.
fn hands_off(entry: &Entry, seen: &Seen<'_>) -> Option<Entry> {
    let own = seen.situation.own;
    if *seen.account == AccountNow::Gone {
        return Some(settled(entry.clone(), why::GONE, seen));
    }
    if seen.foreign(entry).is_some() {
        return Some(settled(entry.clone(), why::CHANGED, seen));
    }
    if let AccountNow::There(account) = seen.account
        && account.person.status.is_some_and(|status| status != PersonStatus::Disabled)
    {
        return Some(settled(entry.clone(), why::ENABLED_BY_OTHERS, seen));
    }
    let intent = entry.intent.as_ref()?;
    let (entries, since) = (seen.entries_with(entry), (intent.newest, intent.at));
    let strange = seen.trail.unexplained(own, &entries, since, Some(entry.person()))?;
    let why = if strange.targets.contains(&entry.person()) { why::CHANGED_WITH_KEY } else { why::KEY_SHARED };
    Some(settled(entry.clone(), why, seen))
}

impl Seen<'_> {
    /// All entries, with this one as it is now.
    fn entries_with(&self, entry: &Entry) -> Vec<Entry> {
        let id = &entry.incident.id;
        let others = self.entries.iter().filter(|other| other.incident.id != *id);
        others.chain([entry]).cloned().collect()
    }
}

/// A decision of before the call that comes to light only after it. Whether it was to enable or to disable the account the row does not tell,
/// so whoever made it has to look.
fn overtaken(entry: &Entry, seen: &Seen<'_>) -> Entry {
    let is_before = |at: DateTime<Utc>| entry.looked_after.is_some_and(|looked| at <= looked);
    if seen.foreign(entry).is_some_and(|row| is_before(row.mark.at)) {
        let is_released = entry.state == State::Released;
        let why = if is_released { why::OVERTAKEN_ENABLED } else { why::OVERTAKEN_DISABLED };
        return settled(entry.clone(), why, seen);
    }
    entry.clone()
}

/// Takes the hands off, and says so. Where the account is enabled, somebody has judged.
pub(crate) fn settled(entry: Entry, why: impl Into<Sentence>, seen: &Seen<'_>) -> Entry {
    let why = why.into();
    let words = words::settled(&entry.incident, &why, seen.account);
    let mut entry = entry.into_state(State::Settled, Some(why));
    entry.judged_at = Some(seen.now());
    entry.say(Topic::Settled, seen.now(), words)
}
