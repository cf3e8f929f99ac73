//! What people know already of a finding, and when they hear of it again. Pure.

use audit_model::{Counts, Course, Finding, FindingState, Sentence, Severity, Window, sayable};
use chrono::{DateTime, TimeDelta, Utc};
use report::words::german;
use sha2::{Digest, Sha256};

/// From twice as much on it is another matter, and worth waking somebody again at once.
const GROWN_FACTOR: u64 = 2;

/// People hear that a burst still goes on after so long, and then once a day.
const LASTING: [TimeDelta; 3] = [TimeDelta::hours(1), TimeDelta::hours(6), DAY];
const DAY: TimeDelta = TimeDelta::days(1);

/// A condition that complete runs have not found for so long is another one when it comes back: who works from a forbidden address on
/// weekdays is told once, not every Monday. Until then, it is not over.
pub(crate) const CONDITION_LAPSES: TimeDelta = TimeDelta::days(7);

/// What a run knows besides what it found.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub now: DateTime<Utc>,
    /// How long nothing must have happened before a burst is over.
    pub quiet: TimeDelta,
    /// Up to when everything was seen; `None` when something was not, or when the run repeats an old window. Then nothing ends.
    pub seen_until: Option<DateTime<Utc>>,
    /// Which part of what happens the run looks at; empty for everything.
    pub part: &'a str,
}

impl Moment<'_> {
    /// Whether a burst up to `until` is over, as far as the run has seen.
    pub(crate) fn is_over(&self, until: DateTime<Utc>) -> bool {
        self.seen_until.is_some_and(|seen| until + self.quiet <= seen)
    }
}

/// A burst or a condition that people were told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// What people can call it by, for instance `k3f9-q2mw`.
    pub id: String,
    /// `None` when a version told it that knew no difference.
    pub course: Option<Course>,
    /// Of all that was found of it.
    pub window: Window,
    /// The largest numbers that were told.
    pub counts: Counts,
    /// The highest that was told.
    pub severity: Severity,
    /// The last time.
    pub told_at: DateTime<Utc>,
    /// How far what was told reached.
    pub told_until: DateTime<Utc>,
    /// How many runs since then held a larger one back.
    pub suppressed: u64,
    /// Since when complete runs have not found the condition.
    pub missing_since: Option<DateTime<Utc>>,
    /// When it was over.
    pub over_since: Option<DateTime<Utc>>,
}

impl Matter {
    /// Of a finding that nobody was told of.
    pub(crate) fn new(finding: &Finding, now: DateTime<Utc>) -> Matter {
        Matter {
            id: id_of(finding),
            course: Some(finding.course),
            window: finding.window,
            counts: finding.counts,
            severity: finding.severity,
            told_at: now,
            told_until: finding.window.until,
            suppressed: 0,
            missing_since: None,
            over_since: None,
        }
    }

    /// Both as one, under the id of the older; the order does not matter otherwise.
    pub(crate) fn and(self, other: Matter) -> Matter {
        let (older, newer) = if (self.window.since, &self.id) <= (other.window.since, &other.id) {
            (self, other)
        } else {
            (other, self)
        };
        Matter {
            course: older.course.or(newer.course),
            window: Window::new(older.window.since, older.window.until.max(newer.window.until)),
            counts: Counts {
                acts: older.counts.acts.max(newer.counts.acts),
                documents: older.counts.documents.max(newer.counts.documents),
            },
            severity: older.severity.max(newer.severity),
            told_at: older.told_at.max(newer.told_at),
            told_until: older.told_until.max(newer.told_until),
            suppressed: older.suppressed.saturating_add(newer.suppressed),
            // as long as one of them is there, it is there
            missing_since: older.missing_since.min(newer.missing_since),
            over_since: older.over_since.min(newer.over_since),
            id: older.id,
        }
    }

    /// Whether a finding with the same fingerprint is about this. Two bursts of one person in one room are two matters, and so is a
    /// condition that comes back after long.
    pub(crate) fn is_about(&self, finding: &Finding, now: DateTime<Utc>) -> bool {
        match finding.course {
            Course::Burst => {
                self.course != Some(Course::Condition) && !self.window.intersection(&finding.window).is_empty()
            }
            Course::Condition => {
                self.course != Some(Course::Burst)
                    && self.missing_since.is_none_or(|since| (now - since).abs() < CONDITION_LAPSES)
            }
        }
    }

    /// What is remembered when a finding was found again; `is_told` when people hear of it, `is_held_back` when somebody has silenced it:
    /// its end is told after the silence.
    pub(crate) fn found(mut self, finding: &Finding, is_told: bool, is_held_back: bool, moment: &Moment<'_>) -> Matter {
        let now = moment.now;
        let window = &mut self.window;
        *window = Window::new(window.since.min(finding.window.since), window.until.max(finding.window.until));
        self.course = Some(finding.course);
        self.missing_since = None;
        if is_told {
            self.counts.acts = self.counts.acts.max(finding.counts.acts);
            self.counts.documents = self.counts.documents.max(finding.counts.documents);
            self.severity = self.severity.max(finding.severity);
            self.told_at = now;
            self.told_until = self.told_until.max(finding.window.until);
            self.suppressed = 0;
        } else if has_more(finding, &self) {
            self.suppressed = self.suppressed.saturating_add(1);
        }
        let was_over = self.over_since.filter(|_| finding.state != FindingState::Grown);
        // what is over when it is told needs no second word, and nobody hears of the end of what the settings exclude
        let is_over = finding.course == Course::Burst
            && match finding.state {
                FindingState::Ended => true,
                FindingState::Silenced => !is_held_back && moment.is_over(self.window.until),
                _ => is_told && self.window.until + moment.quiet <= now,
            };
        self.over_since = was_over.or(is_over.then_some(now));
        self
    }

    /// For people: what they were told before, beside what it is now.
    pub(crate) fn compared_with(&self, finding: &Finding, moment: &Moment<'_>) -> Sentence {
        let (before, now) = (self.counts.acts, finding.counts.acts);
        let (before_de, now_de) = (actions_de(before), german::number(now));
        if finding.state == FindingState::Ended && finding.course == Course::Condition {
            let days = CONDITION_LAPSES.num_days();
            return Sentence::new(
                format!("over: not found for {days} days by runs that saw everything"),
                format!("beendet: seit {days} Tagen von Läufen, die alles gesehen haben, nicht mehr gefunden"),
            );
        }
        if finding.state == FindingState::Ended {
            let [quiet, quiet_de] = hours(moment.quiet);
            let english = format!("over: nothing more for {quiet}; {now} actions in all");
            return Sentence::new(
                english,
                format!("beendet: seit {quiet_de} nichts mehr; insgesamt {}", actions_de(now)),
            );
        }
        let is_severer = finding.severity > self.severity && now <= before;
        let has_resumed = has_resumed(finding, self, moment);
        let (mut english, mut in_german) =
            (format!("already reported with {before} actions"), format!("bereits mit {before_de} gemeldet"));
        if is_severer {
            english.push_str(" at a lower severity");
            in_german = format!("bereits mit {before_de} und geringerer Schwere gemeldet");
        } else if now > before {
            english.push_str(&format!("; now {now}"));
            in_german.push_str(&format!("; jetzt {now_de}"));
        }
        let (more, more_de) = match (has_resumed, is_severer, now > before) {
            (true, ..) => ("; it had ended, and has started again", "; es war zu Ende und hat wieder begonnen"),
            (false, true, _) => ("", ""),
            (false, false, true) if is_lasting(finding, self) => (", and it still goes on", ", und es dauert an"),
            (false, false, true) => ("", ""),
            (false, false, false) => ("; it still goes on", "; es dauert an"),
        };
        Sentence::new(english + more, in_german + more_de)
    }
}

/// Whether a finding is new, has grown, is known or is over, given what people know of it.
///
/// A burst has grown when it is more severe, has at least twice as many actions as were told, still goes on after an hour, six hours or
/// another day, or goes on again after it was over; a condition when it is more severe. One that got smaller is known.
pub fn state_of(finding: &Finding, matter: Option<&Matter>, moment: &Moment<'_>) -> FindingState {
    let Some(matter) = matter else { return FindingState::New };
    if finding.severity > matter.severity {
        return FindingState::Grown;
    }
    if finding.course == Course::Condition {
        return FindingState::Known;
    }
    let doubled = has_more(finding, matter) && finding.counts.acts >= matter.counts.acts.saturating_mul(GROWN_FACTOR);
    let lasts = is_going_on(finding, moment) && is_lasting(finding, matter);
    if doubled || lasts || has_resumed(finding, matter, moment) {
        FindingState::Grown
    } else if matter.over_since.is_none() && matter.course.is_some() && moment.is_over(finding.window.until) {
        FindingState::Ended
    } else {
        FindingState::Known
    }
}

/// Whether there is more to say than was told.
pub(crate) fn has_more(finding: &Finding, matter: &Matter) -> bool {
    finding.counts.acts > matter.counts.acts
}

fn is_going_on(finding: &Finding, moment: &Moment<'_>) -> bool {
    moment.now - finding.window.until < moment.quiet
}

/// Whether it goes on although it was over.
fn has_resumed(finding: &Finding, matter: &Matter, moment: &Moment<'_>) -> bool {
    matter.over_since.is_some() && is_going_on(finding, moment) && finding.window.until > matter.window.until
}

/// Whether it has gone on past another of the times after which people want to hear of it.
fn is_lasting(finding: &Finding, matter: &Matter) -> bool {
    let since = matter.window.since.min(finding.window.since);
    steps(finding.window.until - since) > steps(matter.told_until - since)
}

/// How many of the times have passed after which people hear that a burst still goes on.
fn steps(length: TimeDelta) -> i64 {
    let passed = LASTING.iter().filter(|step| length >= **step).count() as i64;
    passed + (length - DAY).num_days().max(0)
}

/// `1 hour`, `90 minutes`, and in German as behind `seit`.
fn hours(length: TimeDelta) -> [String; 2] {
    match length.num_minutes() {
        60 => ["1 hour".to_owned(), "1 Stunde".to_owned()],
        minutes if minutes % 60 == 0 => [format!("{} hours", minutes / 60), format!("{} Stunden", minutes / 60)],
        1 => ["1 minute".to_owned(), "1 Minute".to_owned()],
        minutes => [format!("{minutes} minutes"), format!("{minutes} Minuten")],
    }
}

fn actions_de(count: u64) -> String {
    german::counted(count, "Aktion", "Aktionen")
}

/// What people can call a matter by: the same for the same finding, wherever it is made.
pub(crate) fn id_of(finding: &Finding) -> String {
    let text = format!("{} {}", finding.fingerprint, finding.window.since.timestamp_micros());
    sayable(&Sha256::digest(text))
}
