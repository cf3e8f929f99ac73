//! For how long, how many, and whom.

use chrono::{DateTime, TimeDelta, Utc};
use safe_actions::Breaker;
use uuid::Uuid;

use crate::suspend::entry::Entry;

/// Evidence, intents and answers that are older are no reason to act any more; by the portal's clock.
pub(crate) const FRESH: TimeDelta = TimeDelta::minutes(10);

/// So long an approval counts.
pub(crate) const APPROVED_FOR: TimeDelta = TimeDelta::minutes(30);

/// So long before its end a term is announced.
pub(crate) const WARN_BEFORE: TimeDelta = TimeDelta::minutes(15);

/// So long people have at least between the warning and the end.
pub(crate) const WARNED_FOR: TimeDelta = TimeDelta::minutes(10);

/// So long somebody's decision about an account stands.
pub(crate) const DECIDED_FOR: TimeDelta = TimeDelta::hours(24);

/// What others did with an account is known for so long after it was suspended: the shortest time for which `keep` lets the audit trail be
/// remembered. Who is still off then is released by people alone.
pub(crate) const FOLLOWED_FOR: TimeDelta = TimeDelta::days(30);

/// So long after a suspension another one counts as a repeat.
const QUIET: TimeDelta = TimeDelta::days(7);

/// The settings of suspensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The term of a first suspension.
    pub(crate) suspend_for: TimeDelta,
    /// No term is longer.
    pub(crate) longest: TimeDelta,
    /// Time in which somebody may cancel.
    pub(crate) grace: TimeDelta,
    /// Guests, too.
    pub(crate) guests: bool,
    /// People whose keys are in use, too.
    pub(crate) collateral: bool,
    pub(crate) breaker: Breaker,
}

impl Default for Terms {
    fn default() -> Self {
        Terms {
            suspend_for: TimeDelta::hours(4),
            longest: TimeDelta::hours(24),
            grace: TimeDelta::zero(),
            guests: false,
            collateral: false,
            breaker: Breaker::default(),
        }
    }
}

impl Terms {
    /// What cannot be meant: the setting, and what it must be.
    pub(crate) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut wrong = Vec::new();
        if self.suspend_for <= WARN_BEFORE {
            wrong.push((
                "suspend.suspend_for",
                "must be longer than 15 min: so long before its end a term is announced",
            ));
        }
        if self.longest < self.suspend_for {
            wrong.push(("suspend.longest", "must be at least `suspend.suspend_for`"));
        }
        if self.grace < TimeDelta::zero() || self.grace >= FRESH {
            wrong.push(("suspend.grace", "must be less than 10 min: older evidence is no reason to act"));
        }
        wrong
    }

    /// How long an account that is suspended now stays so: twice as long with each repeat, up to the longest term, and as at first after a
    /// quiet week.
    pub(crate) fn term(&self, person: Uuid, entries: &[Entry], now: DateTime<Utc>) -> TimeDelta {
        let suspended = entries.iter().filter(|entry| entry.person() == person && entry.row.is_some());
        let mut before: Vec<DateTime<Utc>> =
            suspended.filter_map(|entry| Some(entry.intent.as_ref()?.at)).filter(|at| *at <= now).collect();
        before.sort();
        let mut later = now;
        let is_repeat = |at: &&DateTime<Utc>| {
            let is_repeat = later - **at <= QUIET;
            later = **at;
            is_repeat
        };
        let repeats = before.iter().rev().take_while(is_repeat).count();
        let mut term = self.suspend_for;
        for _ in 0..repeats {
            term = (term * 2).min(self.longest);
        }
        term.min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suspend::entry::{Intent, Mark};
    use crate::suspend::model::incident;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn suspended(hours: i64) -> Entry {
        let intent = Intent {
            at: at(hours),
            newest: 0,
            deadline: None,
            memberships: Default::default(),
            is_answered: false,
            asked_by: None,
        };
        let row = Mark { event: 1, at: at(hours) };
        Entry { intent: Some(intent), row: Some(row), ..Entry::new(incident(7, at(hours)), at(hours)) }
    }

    #[test]
    fn a_term_doubles_with_each_repeat_up_to_a_limit_and_starts_again_after_a_quiet_week() {
        let terms = Terms::default();
        let term = |earlier: &[i64]| {
            let entries: Vec<Entry> = earlier.iter().map(|hours| suspended(*hours)).collect();
            terms.term(Uuid::from_u128(7), &entries, at(1_000)).num_hours()
        };
        assert_eq!(term(&[]), 4);
        assert_eq!(term(&[990]), 8);
        assert_eq!(term(&[900, 990]), 16);
        assert_eq!(term(&[800, 900, 990]), 24);
        // a week and an hour
        assert_eq!(term(&[1_000 - 7 * 24 - 1]), 4);
        assert_eq!(term(&[990 - 7 * 24 - 1, 990]), 8);
        // another person's
        assert_eq!(terms.term(Uuid::from_u128(8), &[suspended(990)], at(1_000)).num_hours(), 4);
    }

    #[test]
    fn terms_that_cannot_be_meant_are_refused() {
        let keys = |terms: Terms| terms.problems().into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert!(keys(Terms::default()).is_empty());
        assert_eq!(keys(Terms { suspend_for: TimeDelta::zero(), ..Terms::default() }), ["suspend.suspend_for"]);
        assert_eq!(keys(Terms { suspend_for: TimeDelta::hours(-1), ..Terms::default() }), ["suspend.suspend_for"]);
        assert_eq!(keys(Terms { longest: TimeDelta::hours(1), ..Terms::default() }), ["suspend.longest"]);
        assert_eq!(keys(Terms { grace: TimeDelta::minutes(10), ..Terms::default() }), ["suspend.grace"]);
        assert_eq!(keys(Terms { grace: TimeDelta::minutes(-1), ..Terms::default() }), ["suspend.grace"]);
    }
}
