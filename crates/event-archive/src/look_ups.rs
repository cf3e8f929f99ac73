//! Many look-ups of one kind: what they told, what they did not tell, and when to ask no more.

use std::mem::{Discriminant, discriminant};

use audit_model::{Gap, GapReason, Window};
use chrono::{DateTime, Utc};
use docspace_client::{Error, ErrorKind};
use futures::future::join_all;

use crate::{Fact, Looked};

/// What fails so often alike, one after the other, is not asked again.
const ALIKE: u8 = 5;

/// Look-ups that wait for their answers at a time: fewer than a client sends, so that other questions have their turn.
const AT_ONCE: usize = 3;

/// Look-ups of one kind in a run.
#[derive(Debug)]
pub struct LookUps {
    what: &'static str,
    hidden: &'static str,
    most: usize,
    now: DateTime<Utc>,
    asked: usize,
    /// The last failure, and how often it came in a row.
    alike: Option<(Discriminant<ErrorKind>, u8)>,
    /// The first of each kind.
    errors: Vec<Error>,
    gone: u64,
    is_cut: bool,
}

impl LookUps {
    /// Up to `most` look-ups, those that the store answered left out. Gaps are called `what`; where the key may not see one single thing,
    /// which no later run changes, `hidden`.
    pub fn of(what: &'static str, hidden: &'static str, most: usize, now: DateTime<Utc>) -> Self {
        LookUps { what, hidden, most, now, asked: 0, alike: None, errors: Vec::new(), gone: 0, is_cut: false }
    }

    /// Whether to look up one more; call it only with something to look up, because a no leaves that open and is a gap.
    pub fn may_ask(&mut self) -> bool {
        let fails = self.alike.is_some_and(|(_, times)| times >= ALIKE);
        let is_spent = self.asked >= self.most;
        self.is_cut |= is_spent && !fails;
        !fails && !is_spent
    }

    /// The fact, or what was remembered, after taking down what kept the portal from telling.
    pub fn take<T>(&mut self, looked: Looked<T>) -> Option<Fact<T>> {
        match looked {
            Looked::Known(fact) if fact.learned_at < self.now => Some(fact),
            Looked::Known(fact) => {
                self.told();
                Some(fact)
            }
            Looked::Gone { remembered } => {
                self.told();
                self.gone += 1;
                remembered
            }
            Looked::Failed { remembered, error } => {
                self.fail(error);
                remembered
            }
        }
    }

    /// Looks up one thing after the other, some at once, for as long as it [may](Self::may_ask). Gives what was told, in their order.
    ///
    /// # Errors
    /// Of the store.
    pub async fn each<I, T>(
        &mut self,
        things: impl IntoIterator<Item = I>,
        ask: impl AsyncFn(&I) -> Result<Looked<T>, crate::Error>,
    ) -> Result<Vec<(I, Fact<T>)>, crate::Error> {
        let mut told = Vec::new();
        let mut things = things.into_iter().peekable();
        while things.peek().is_some() && self.may_ask() {
            let fail_on = ALIKE - self.alike.map_or(0, |(_, times)| times);
            let at_once = AT_ONCE.min(usize::from(fail_on)).min(self.most - self.asked);
            let things: Vec<I> = things.by_ref().take(at_once).collect();
            let looked = join_all(things.iter().map(|thing| ask(thing))).await;
            for (thing, looked) in things.into_iter().zip(looked) {
                told.extend(self.take(looked?).map(|fact| (thing, fact)));
            }
        }
        Ok(told)
    }

    fn told(&mut self) {
        self.asked += 1;
        self.alike = None;
    }

    fn fail(&mut self, error: Error) {
        self.asked += 1;
        let kind = discriminant(&error.kind);
        // that one thing is hidden says nothing of the next
        if error.kind == ErrorKind::MissingRight {
            self.alike = None;
        } else {
            let times = self.alike.filter(|(last, _)| *last == kind).map_or(0, |(_, times)| times);
            self.alike = Some((kind, times.saturating_add(1)));
        }
        if self.errors.iter().all(|known| discriminant(&known.kind) != kind) {
            self.errors.push(error);
        }
    }

    /// How many things are not there any more.
    pub fn gone(&self) -> u64 {
        self.gone
    }

    /// What was left open, one gap for each reason, and for the log the first failure of each kind.
    pub fn finish(self, span: Window) -> (Vec<Gap>, Vec<Error>) {
        let gap = |what: &str, why| Gap { what: what.to_owned(), span, why };
        let failed = self.errors.iter().map(|error| {
            let is_hidden = error.kind == ErrorKind::MissingRight;
            gap(if is_hidden { self.hidden } else { self.what }, error.gap_reason())
        });
        let gaps = failed.chain(self.is_cut.then(|| gap(self.what, GapReason::BudgetExhausted))).collect();
        (gaps, self.errors)
    }
}
