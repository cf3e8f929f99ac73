//! This machine's clock beside the portal's, whose `Date` decides. Who has the wrong time has not seen the difference, which is a gap behind
//! the window: with a clock that is ahead the window ends where the portal's clock stands, so that what lies before is looked at.

use audit_model::{Coverage, GapReason, Window};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use report::words::duration;

use crate::Error;
use crate::job::Refusal;

/// Clocks of two machines differ by seconds.
pub(crate) const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// By how much the portal's clock is ahead of ours; below zero when it is behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClockDifference(TimeDelta);

impl ClockDifference {
    /// Of two readings at the same moment. A portal that never answered differs by nothing.
    pub(crate) fn between(here: DateTime<Utc>, portal: Option<DateTime<Utc>>) -> Self {
        ClockDifference(portal.map_or(TimeDelta::zero(), |portal| portal - here))
    }

    fn is_wrong(self) -> bool {
        self.0.abs() > CLOCK_TOLERANCE
    }

    /// From where windows and ages are counted: what this machine's clock says, or the portal's where ours is ahead.
    pub(crate) fn present(self, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.is_wrong() && self.0 < TimeDelta::zero() { (now + self.0).trunc_subsecs(0) } else { now }
    }

    /// What nobody has looked at after the end of a window that was counted from now: what the portal has recorded while this machine's
    /// clock was behind, or what has come already by a clock that is ahead.
    pub(crate) fn unseen(self, until: DateTime<Utc>) -> Option<Window> {
        self.is_wrong().then(|| Window::new(until, until + self.0.abs()))
    }

    /// What the report must say of a clock that is wrong.
    pub(crate) fn note(self) -> Option<String> {
        let counted = if self.0 > TimeDelta::zero() {
            "behind the portal's, and so is everything that counts from now"
        } else {
            "ahead of the portal's, so windows and ages are counted from the portal's clock"
        };
        let difference = rounded(self.0);
        self.is_wrong().then(|| format!("this machine's clock is {difference} {counted}; set it by NTP"))
    }

    /// Whoever acts goes by ages and by the order of things, which are not known then.
    pub(crate) fn refusal(self) -> Option<Refusal> {
        self.is_wrong().then(|| Refusal::Clock { minutes: self.minutes(), is_behind: self.0 > TimeDelta::zero() })
    }

    fn minutes(self) -> u64 {
        minutes(self.0)
    }
}

fn minutes(difference: TimeDelta) -> u64 {
    (difference.num_seconds().unsigned_abs() + 30) / 60
}

/// By how much two clocks differ, to the minute, in the two largest units: two readings of one difference look alike.
pub(crate) fn rounded(difference: TimeDelta) -> String {
    duration(TimeDelta::minutes(minutes(difference) as i64))
}

/// Notes what was not seen because this machine's clock is wrong, of every source that was read or could not be.
pub(crate) fn note_unseen(coverage: &mut Coverage, unseen: Window) {
    for (source, was_read) in [("audit", coverage.audit.is_some()), ("logins", coverage.logins.is_some())] {
        if was_read || coverage.gaps.iter().any(|gap| gap.what == source) {
            coverage.gap(source, unseen, GapReason::ClockSkew);
        }
    }
}

/// Refuses a window that holds nothing, or ends further ahead than clocks differ.
pub(crate) fn check_window(window: Window, now: DateTime<Utc>) -> Result<(), Error> {
    if window.until > now + CLOCK_TOLERANCE {
        return Err(Error::FutureWindow(window.until));
    }
    if window.is_empty() {
        return Err(Error::EmptyWindow(window));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead_by(seconds: i64) -> ClockDifference {
        let now = DateTime::from_timestamp(1_795_165_200, 0).unwrap();
        ClockDifference::between(now, Some(now + TimeDelta::seconds(seconds)))
    }

    #[test]
    fn more_than_a_minute_is_a_gap_and_a_note() {
        let until = DateTime::from_timestamp(1_795_165_200, 0).unwrap();
        assert_eq!(ahead_by(300).unseen(until).unwrap().length(), TimeDelta::minutes(5));
        assert!(ahead_by(300).note().unwrap().contains("5 min behind"));
        assert!(ahead_by(70).note().unwrap().contains("1 min behind"));
        let ahead = ahead_by(-7_200);
        assert_eq!(ahead.unseen(ahead.present(until)), Some(Window::new(until - TimeDelta::hours(2), until)));
        assert!(ahead.note().unwrap().contains("2 h ahead"));
        let far = ahead_by(-2_163_780 * 60).note().unwrap();
        assert!(far.contains("1,502 days 15 h ahead"), "{far}");
        assert_eq!([-60, 60, 7_200].map(|seconds| ahead_by(seconds).present(until)), [until; 3]);
        for seconds in [60, 0, -60] {
            assert_eq!((ahead_by(seconds).unseen(until), ahead_by(seconds).note()), (None, None), "{seconds}");
        }
        assert!(ClockDifference::between(until, None).unseen(until).is_none());
    }

    #[test]
    fn nobody_acts_by_a_clock_that_is_wrong_in_either_direction() {
        assert_eq!(ahead_by(3_600).refusal(), Some(Refusal::Clock { minutes: 60, is_behind: true }));
        assert_eq!(ahead_by(-120).refusal(), Some(Refusal::Clock { minutes: 2, is_behind: false }));
        assert_eq!([ahead_by(60).refusal(), ahead_by(-60).refusal()], [None, None]);
    }

    #[test]
    fn what_could_not_be_read_at_all_is_unseen_too() {
        let now = DateTime::from_timestamp(1_795_165_200, 0).unwrap();
        let [window, unseen] =
            [-1, 0].map(|day| Window::new(now + TimeDelta::days(day), now + TimeDelta::days(day + 1)));
        let mut coverage = Coverage::default();
        coverage.gap("audit", window, GapReason::NothingRecorded);
        note_unseen(&mut coverage, unseen);
        let gaps: Vec<_> = coverage.gaps.iter().map(|gap| (gap.what.as_str(), gap.span, gap.why)).collect();
        let expected = [("audit", window, GapReason::NothingRecorded), ("audit", unseen, GapReason::ClockSkew)];
        assert_eq!(gaps, expected, "and nothing of a source that nobody asked for");
    }
}
