//! The rule `unusual_activity`: more actions of one person in one room than the limits allow, in any stretch of an hour, of a day, or in
//! the whole window; actions of all kinds together, and those of one kind. Pure.
//!
//! Thirty downloads of thirty documents within an hour are a finding. Suspicious, but none: three hundred automatic saves of one
//! document over a day are one action. Two bursts that share no action are two findings with one fingerprint, also where both are part
//! of one full day: whoever was told of the first has not heard of the second.
//!
//! Three limits go by more than the window, as far as it is remembered: all that somebody did in thirty days, what they did at hours at
//! which they did not work before, and how much of a room they downloaded.
//!
//! Events are counted one by one, per person and room (`counting`), in the windows of the limits that are on (`limits`). What is above one
//! makes a finding, with its reasons (`reasons`) and what is known besides (`detail`, `usual`). What somebody expects is silenced
//! (`exclusion`).

mod counting;
mod detail;
mod document;
pub(crate) mod exclusion;
mod limits;
mod reasons;
mod usual;

use std::borrow::Borrow;
use std::sync::Arc;

use audit_model::{AuditEvent, BlindSpot, Counts, Episode, Evidence, Finding, MAX_EVIDENCE, Person, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub(crate) use self::counting::{Counting, Doubt, Placed, RoomKey, counts_by_text};
pub(crate) use self::detail::{Detail, InFolder};
pub(crate) use self::limits::LITTLE;
pub(crate) use self::limits::{Limit, Span};
pub(crate) use self::reasons::of_class;
pub(crate) use self::usual::{Days, Usual};

use self::counting::{Activity, Counted, Exceeded, Outline, Sample, Subject, Total};
use self::detail::{BesideUsual, Rhythm, ShareOfRoom};
use self::limits::Basis;
use self::reasons::{Kinds, Reason};

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "unusual_activity";

/// How far back a run looks when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(24);

/// What no portal records of a room, however complete the read is.
pub(crate) const BLIND_SPOTS: [BlindSpot; 3] =
    [BlindSpot::StreamDownloads, BlindSpot::ViewOnlySessions, BlindSpot::FilesInFolderOperations];

/// More than twice a limit is hard to explain with a busy day.
const HIGH_FACTOR: u64 = 2;

/// More than five times a limit is a room being emptied.
const CRITICAL_FACTOR: u64 = 5;

/// What the rule found, and what is known besides.
pub(crate) type Found = job_runner::Found<Detail>;

/// Everybody above a limit, and everybody who did something to a folder that nobody could weigh, in the order of every report. Who they
/// are nobody has looked up yet.
pub(crate) fn candidates(counting: Counting<'_>) -> Vec<Found> {
    let since = counting.judged_since();
    told(&counting.into_subjects(), |(key, subject)| subject.judge(key, since))
}

/// How many findings each of the limits would have made, by person: that of a person's first finding tells the name. What nobody could weigh
/// is not among them.
pub(crate) fn numbers(counting: Counting<'_>) -> Vec<Vec<(Person, usize)>> {
    let (since, alternatives) = (counting.judged_since(), counting.alternatives());
    let subjects = counting.into_subjects();
    let of = |alternative: usize| {
        let people = subjects.chunk_by(|((one, _), _), ((other, _), _)| one == other);
        let people = people.filter_map(|subjects| {
            let found = told(subjects, |(_, subject)| subject.outlined(alternative, since));
            Some((found.first()?.person.clone(), found.len()))
        });
        people.collect()
    };
    (0..alternatives).map(of).collect()
}

/// The findings of what surely happened in a room, and of what perhaps did those that say more, in the order of every report.
fn told<F: Borrow<Finding>>(subjects: &[Subject], judge: impl Fn(&Subject) -> Vec<F>) -> Vec<F> {
    let (perhaps, plain): (Vec<_>, Vec<_>) =
        subjects.iter().partition(|((_, key), _)| matches!(key, RoomKey::Perhaps(_)));
    let mut found: Vec<F> = plain.into_iter().flat_map(&judge).collect();
    for subject in perhaps {
        for perhaps in judge(subject) {
            if !found.iter().any(|known| tells_of(known.borrow(), perhaps.borrow(), &subject.0.1)) {
                found.push(perhaps);
            }
        }
    }
    Finding::sort(&mut found);
    found
}

/// The only limits of a run.
const OWN: usize = 0;

impl Activity {
    /// A finding for each stretch of time in which there was too much, and for folders that nobody could weigh at other times.
    fn judge(&self, key: &(Uuid, RoomKey), since: DateTime<Utc>) -> Vec<Found> {
        let stretches = self.stretches(OWN, since);
        let is_told = |act: &&Counted| stretches.iter().any(|(span, _)| span.contains(act.at()));
        let folders: Vec<&Counted> =
            self.acts.iter().filter(|act| act.unweighed_folder().is_some() && !is_told(act)).collect();
        let folders = folders.chunk_by(|one, next| next.at() - one.at() < Span::Hour.length());
        let folders: Vec<Found> = folders.filter_map(|acts| self.of_folders(key, acts)).collect();
        let limits = stretches.into_iter().map(|(span, exceeded)| self.above_limits(key, span, exceeded));
        limits.chain(folders).collect()
    }

    /// The findings of some limits, with nothing but who, where, when and how severe.
    fn outlined(&self, alternative: usize, since: DateTime<Utc>) -> Vec<Finding> {
        let settled = self.settled.iter().filter(|(of, _)| *of == alternative).map(|(_, outline)| *outline);
        let open = self.stretches(alternative, since);
        let outlines = settled.chain(open.iter().map(|stretch| self.outline(stretch)));
        let finding = |outline: Outline| Finding {
            room: Some(self.room.clone()),
            severity: outline.severity,
            ..Finding::new(RULE, String::new(), self.person.clone(), outline.span)
        };
        outlines.map(finding).collect()
    }

    fn outline(&self, (span, exceeded): &(Window, Vec<Exceeded<'_>>)) -> Outline {
        let taken = self.meant(*span, exceeded).filter(|act| !act.takes_nothing);
        Outline { span: *span, severity: severest(exceeded, taken.map(Counted::documents).sum()) }
    }

    /// Each burst, and each stretch of time that is too full without one, with the limits that were exceeded in it; none of them overlap.
    ///
    /// Bursts are the episodes of the limits for an hour; those of several limits that overlap are one. A full day is told with its
    /// last burst, which then lasts as long as the day: reaching back, it would be about the time of bursts that were told. Of thirty days
    /// what is told is what happened since `since`, if that was more than a little and new.
    fn stretches(&self, alternative: usize, since: DateTime<Utc>) -> Vec<(Window, Vec<Exceeded<'_>>)> {
        let mut exceeded: Vec<Exceeded<'_>> = self.exceeded(alternative).collect();
        exceeded.sort_by_key(|(_, episode)| (episode.window.since, episode.window.until));
        let (bursts, longer): (Vec<_>, Vec<_>) = exceeded.into_iter().partition(|(limit, _)| limit.span == Span::Hour);
        let mut stretches: Vec<(Window, Vec<Exceeded<'_>>)> = Vec::new();
        for next in bursts.into_iter().chain(longer) {
            let whole = next.1.window;
            let span = Window::new(whole.since.max(since), whole.until);
            if next.0.span == Span::Month && self.news(span) <= LITTLE {
                continue;
            }
            match stretches.iter_mut().filter(|(known, _)| !known.intersection(&span).is_empty()).last() {
                Some((known, exceeded)) => {
                    known.until = known.until.max(span.until);
                    exceeded.push(next);
                }
                None => {
                    stretches.push((span, vec![next]));
                    stretches.sort_by_key(|(known, _)| known.since);
                }
            }
        }
        stretches
    }

    /// What somebody did above these limits in a span.
    fn above_limits(&self, key: &(Uuid, RoomKey), span: Window, mut exceeded: Vec<Exceeded<'_>>) -> Found {
        exceeded.sort_by_key(|(limit, _)| **limit);
        let mut reasons: Vec<Reason> =
            exceeded.iter().map(|(limit, episode)| Reason::above(limit, episode, self.hours)).collect();
        let total = Total::of(self.meant(span, &exceeded));
        reasons.push(Reason::Kinds(kinds(&total)));
        if total.at_least {
            let folders = self.acts.iter().filter(|act| act.unweighed_folder().is_some() && span.contains(act.at()));
            reasons.push(Reason::not_listed(folders, self.room.id.as_ref()));
        }
        let own = exceeded.iter().filter(|(_, episode)| episode.window.since >= span.since);
        let fullest = own.max_by_key(|(_, episode)| episode.peak.acts);
        // of thirty days the first events are old
        let latest = || self.latest.iter().filter(|event| span.contains(event.at)).map(evidence).collect();
        let samples = |episode: &Episode<Sample>| episode.peak.samples.iter().map(evidence).collect();
        let evidence = fullest.map_or_else(latest, |(_, episode)| samples(episode));
        let severity = severest(&exceeded, total.acts - total.take_nothing);
        let mut found = self.found(key, span, total, reasons);
        found.finding.severity = severity;
        found.finding.evidence = evidence;
        found
    }

    /// What somebody did to folders that nobody could weigh: below the limits, and perhaps only because nobody knows.
    fn of_folders(&self, key: &(Uuid, RoomKey), acts: &[&Counted]) -> Option<Found> {
        let (first, last) = acts.first().zip(acts.last())?;
        let total = Total::of(acts.iter().copied());
        let not_listed = Reason::not_listed(acts.iter().copied(), self.room.id.as_ref());
        let reasons = vec![Reason::UncountedFolders(total.events), Reason::Kinds(kinds(&total)), not_listed];
        let span = Window::new(first.at(), last.at() + TimeDelta::microseconds(1));
        let mut found = self.found(key, span, total, reasons);
        found.finding.evidence =
            acts.iter().filter_map(|act| act.unweighed_folder().cloned()).take(MAX_EVIDENCE).collect();
        Some(found)
    }

    /// A finding that says who, where, when, how much and why.
    fn found(&self, key: &(Uuid, RoomKey), span: Window, total: Total, mut reasons: Vec<Reason>) -> Found {
        reasons.extend(Reason::open(self, &key.1));
        let counts = Counts { acts: total.acts, documents: total.documents.count() };
        let finding = Finding {
            room: Some(self.room.clone()),
            counts,
            reasons: reasons.iter().map(Reason::sentence).collect(),
            evidence_total: total.events,
            ..Finding::new(RULE, fingerprint(key.0, &key.1), self.person.clone(), span)
        };
        let detail = Detail {
            kinds: kinds(&total),
            share_of_room: self.documents_in_room.and_then(|all| ShareOfRoom::of(counts.documents, all)),
            rhythm: Rhythm::of(&total.times),
            usual_hours: self.hours.map(|hours| BesideUsual::of(hours, &total.times)),
            takes_nothing: total.take_nothing == total.acts,
            documents: total.documents.names().map(ToString::to_string).collect(),
            ..Detail::default()
        };
        Found { finding, detail }
    }
}

fn evidence(event: &Arc<AuditEvent>) -> Evidence {
    Evidence::from(&**event)
}

/// The severity of a stretch in which so much was taken out of the room.
fn severest(exceeded: &[Exceeded<'_>], taken: u64) -> Severity {
    let severities = exceeded.iter().map(|(limit, episode)| severity(limit, episode.peak.acts.min(taken)));
    severities.max().expect("an episode begins every finding")
}

/// How far above a limit it was. What takes nothing out of the room is left out, because filling a data room and writing in it together is
/// what it is for. Below those of an hour and a day, what is unusual is only worth a look; that somebody reads most of a room is what the
/// room is for.
fn severity(limit: &Limit, acts: u64) -> Severity {
    match limit.basis {
        Basis::ShareOfRoom { .. } => Severity::Low,
        Basis::UnusualHours => Severity::Medium,
        Basis::Actions if acts > limit.acts.saturating_mul(CRITICAL_FACTOR) => Severity::Critical,
        Basis::Actions if acts > limit.acts.saturating_mul(HIGH_FACTOR) => Severity::High,
        Basis::Actions => Severity::Medium,
    }
}

fn kinds(total: &Total) -> Kinds {
    Kinds { classes: total.classes.clone(), documents: total.documents.count(), at_least: total.at_least }
}

/// Whether a finding says already what one about all that surely or possibly happened in a room would say: it is about that very
/// room, or about rooms of which it may be one, at the same time, and no less severe.
fn tells_of(known: &Finding, perhaps: &Finding, key: &RoomKey) -> bool {
    let (Some(room), RoomKey::Perhaps(id)) = (&known.room, key) else { return false };
    let same_room = match &room.id {
        Some(sure) => sure == id,
        None => room.candidates.contains(id),
    };
    let same_time = !known.window.intersection(&perhaps.window).is_empty();
    known.person.id == perhaps.person.id && same_room && same_time && known.severity >= perhaps.severity
}

/// The same for the same person and room, whatever the window.
fn fingerprint(actor: Uuid, room: &RoomKey) -> String {
    let room = match room {
        RoomKey::Known(id) => format!("room {id}"),
        RoomKey::OneOf(title) => format!("title {}", title.raw()),
        RoomKey::Perhaps(id) => format!("perhaps room {id}"),
    };
    audit_model::fingerprint(&[RULE, &actor.to_string(), &room])
}

#[cfg(test)]
mod tests;
