//! Which stretch of time a run looks at, what earlier runs have left open before it, and what of both counts as judged afterwards.

use audit_model::{Coverage, Gap, GapReason, MainSource, Source, SpanSet, Verdict, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_archive::Judged;
use report::words::instant;

use crate::Error;
use crate::args::CommonArgs;
use crate::clock::check_window;
use crate::config::Settings;
use crate::program::Program;

/// What a run looks at.
pub(crate) struct Stretch {
    pub(crate) window: Window,
    /// What earlier runs could not see or judge, before the window.
    pub(crate) holes: SpanSet,
    /// Whether the program looks at each window by itself, and leaves no holes between them.
    pub(crate) stands_alone: bool,
    /// Whether the window ends where a clock says.
    pub(crate) ends_by_clock: bool,
    /// From where on events are judged: the beginning of the window, or of a burst that has not ended.
    pub(crate) judged_from: DateTime<Utc>,
    pub(crate) note: Option<String>,
}

impl Stretch {
    /// `now` is what this machine's clock says, `present` that from which is counted.
    ///
    /// # Errors
    /// A window that is empty or has not come yet: exit code 2.
    pub(crate) fn new<P: Program>(
        args: &CommonArgs,
        config: &P::Config,
        judged: &Judged,
        (now, present): (DateTime<Utc>, DateTime<Utc>),
        zone: Tz,
    ) -> Result<Self, Error> {
        match Self::counted_from::<P>(args, config, judged, (now, present), zone) {
            // by the portal's clock it has not begun, and all of it is a gap
            Err(Error::EmptyWindow(_)) if present < now => {
                let stretch = Self::counted_from::<P>(args, config, judged, (now, now), zone)?;
                Ok(Stretch { ends_by_clock: false, ..stretch })
            }
            counted => counted,
        }
    }

    fn counted_from<P: Program>(
        args: &CommonArgs,
        config: &P::Config,
        judged: &Judged,
        (now, present): (DateTime<Utc>, DateTime<Utc>),
        zone: Tz,
    ) -> Result<Self, Error> {
        let (since, until) = args.window(present, zone);
        let is_fixed = !args.ends_by_clock();
        let end = until.unwrap_or(present);
        let own = P::window(config, since, until, present, zone)?;
        let (window, note) = match (own, since) {
            (Some(own), _) => (own, None),
            (None, Some(since)) => (Window::new(since, end), None),
            (None, None) => since_last_run(end, config.reach(P::ABOUT.window), judged),
        };
        check_window(window, now)?;
        // a program with a window of its own looks at each one by itself
        let holes = if own.is_some() { SpanSet::default() } else { judged.holes(window.since) };
        let stands_alone = own.is_some();
        let ends_by_clock = !is_fixed && window.until == end;
        Ok(Stretch { window, holes, stands_alone, ends_by_clock, judged_from: window.since, note })
    }

    /// Goes back to the beginning of what still went on when it was last told; a run that repeats an old window does not.
    pub(crate) fn reach_back(&mut self, open_since: Option<DateTime<Utc>>) {
        if let Some(since) = open_since.filter(|_| self.ends_by_clock && !self.stands_alone) {
            self.judged_from = self.judged_from.min(since);
        }
    }

    /// Up to when a run has seen all that has happened; `None` when something is missing, or when it repeats an old window.
    pub(crate) fn seen_until(&self, coverage: &Coverage) -> Option<DateTime<Utc>> {
        let sees_now = self.ends_by_clock && coverage.verdict() == Verdict::Complete;
        sees_now.then_some(self.window.until)
    }

    /// What counts as judged after a run, and whether what came late does. A source that rules need and that could not be read leaves its
    /// time unjudged, and the holes before the window open: these are named in the coverage, too.
    pub(crate) fn judged(&self, judged_by: &[Source], coverage: &mut Coverage) -> (SpanSet, bool) {
        // only these two are asked for the holes as well
        let knows_holes = |gap: &Gap| gap.is_of(Source::Audit) || gap.is_of(Source::Logins);
        // what the portal has forgotten of a login history that only adds to findings never comes
        let is_lost = |gap: &Gap| {
            gap.is_of(Source::Logins) && gap.why == GapReason::BeyondRetention && coverage.main != MainSource::Logins
        };
        let is_needed = |gap: &&Gap| judged_by.iter().any(|source| gap.is_of(*source)) && !is_lost(gap);
        let needed: Vec<Gap> = coverage.gaps.iter().filter(is_needed).cloned().collect();
        let mut judged = SpanSet::from_iter([self.window]);
        let other = needed.iter().find(|gap| !knows_holes(gap));
        match other {
            None => self.holes.iter().for_each(|hole| judged.insert(*hole)),
            Some(gap) => self.holes.iter().for_each(|hole| coverage.gap(&gap.what, *hole, gap.why)),
        }
        needed.iter().for_each(|gap| judged.remove(gap.span));
        (judged, other.is_none())
    }

    /// What of the window a run leaves to the next ones; `None` for one that judged nothing. What the portal has forgotten never comes.
    pub(crate) fn left_open(&self, judged: Option<&SpanSet>, coverage: &Coverage) -> SpanSet {
        if self.stands_alone {
            return SpanSet::default();
        }
        let missing = judged.map_or_else(|| vec![self.window], |judged| judged.missing_from(self.window));
        let mut open: SpanSet = missing.into_iter().collect();
        coverage.gaps.iter().filter(|gap| gap.why == GapReason::BeyondRetention).for_each(|gap| open.remove(gap.span));
        open
    }
}

/// The window when no flag gives its beginning: the ordinary length before its end, or before where the last run ended if a pause lies
/// between, however long, so that it is no hole. What runs saw and could not judge is no pause: a source that fails for weeks would make
/// each window longer than the one before.
fn since_last_run(until: DateTime<Utc>, length: TimeDelta, judged: &Judged) -> (Window, Option<String>) {
    let usual = until - length;
    // acts before and after the moment at which judging ended may be too many only together
    let ended = judged.ended().max(judged.looked);
    let last = ended.map(|ended| (ended, ended - length)).or(judged.since.map(|since| (since, since)));
    match last {
        Some((ended, since)) if ended < usual => {
            let note = format!("no run has looked since {}, so the window is longer than usual", instant(ended));
            (Window::new(since, until), Some(note))
        }
        _ => (Window::new(usual, until), None),
    }
}
