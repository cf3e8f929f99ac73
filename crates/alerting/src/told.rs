//! What people know already of a finding. Pure.

use audit_model::{Counts, Finding, FindingState, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};

/// From twice as much on it is another matter, and worth waking somebody again at once.
const GROWN_FACTOR: u64 = 2;

/// Somebody who was told yesterday, and sees that it goes on, decides anew.
const STILL_GOING_ON: TimeDelta = TimeDelta::hours(24);

/// What people were told with one fingerprint about one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// From the first to the last finding that was told.
    pub window: Window,
    /// The largest numbers that were told.
    pub counts: Counts,
    /// The highest that was told.
    pub severity: Severity,
    /// The last time.
    pub at: DateTime<Utc>,
    /// How many runs since then held a larger one back.
    pub suppressed: u64,
}

impl Told {
    /// Both as one; the order does not matter.
    #[must_use]
    pub fn and(self, other: Told) -> Told {
        Told {
            window: Window::new(self.window.since.min(other.window.since), self.window.until.max(other.window.until)),
            counts: Counts {
                acts: self.counts.acts.max(other.counts.acts),
                documents: self.counts.documents.max(other.counts.documents),
            },
            severity: self.severity.max(other.severity),
            at: self.at.max(other.at),
            suppressed: self.suppressed.saturating_add(other.suppressed),
        }
    }

    /// What is remembered when a finding is told: it, and what was told before of its time. Nothing is held back any more.
    pub(crate) fn now_with(finding: &Finding, before: Option<Told>, now: DateTime<Utc>) -> Told {
        let told =
            Told { window: finding.window, counts: finding.counts, severity: finding.severity, at: now, suppressed: 0 };
        Told { suppressed: 0, at: now, ..before.map_or(told, |before| told.and(before)) }
    }

    /// For people: what they were told before, beside what it is now.
    pub(crate) fn compared_with(&self, finding: &Finding) -> String {
        let (before, now) = (self.counts.acts, finding.counts.acts);
        if now > before {
            format!("already reported with {before} actions; now {now}")
        } else if finding.severity > self.severity {
            format!("already reported with {before} actions at a lower severity")
        } else {
            format!("already reported with {before} actions; it still goes on")
        }
    }
}

/// Whether a finding is new, has grown or is known, given what was told of its fingerprint and its time.
///
/// It has grown at once when it is more severe, has at least twice as many acts, or lasts a day longer than what was told;
/// with fewer acts more than that only when `quiet` has passed since. So a slow growth is told once in a while, and a fast
/// one immediately. A finding that got smaller is known.
pub fn state_of(finding: &Finding, told: Option<&Told>, quiet: TimeDelta, now: DateTime<Utc>) -> FindingState {
    let Some(told) = told else { return FindingState::New };
    let is_more_severe = finding.severity > told.severity;
    // a clock that was wrong for a while, in either direction, must not keep anything quiet for longer
    let quiet_is_over = (now - told.at).abs() >= quiet;
    let has_more = has_more(finding, told)
        && (quiet_is_over || finding.counts.acts >= told.counts.acts.saturating_mul(GROWN_FACTOR));
    let goes_on = finding.window.until - told.window.until >= STILL_GOING_ON;
    if is_more_severe || has_more || goes_on { FindingState::Grown } else { FindingState::Known }
}

/// Whether there is more to say than was told.
pub(crate) fn has_more(finding: &Finding, told: &Told) -> bool {
    finding.counts.acts > told.counts.acts
}
