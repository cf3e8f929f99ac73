//! What somebody who judges a finding asks first: in which rhythm and at which hours it was done, and how much of the room it was.

use std::collections::BTreeMap;

use audit_model::{Finding, RoomId, Window, is_robot};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Archive;
use futures::TryStreamExt;
use report::words::{Clock, duration};
use uuid::Uuid;

use crate::usual::{Hours, Usual};
use crate::watched::{Answers, Watched};

/// With fewer actions there is no rhythm.
const LEAST_ACTIONS: usize = 5;

/// A finding among all of a run.
pub(crate) type Key = (String, DateTime<Utc>);

/// What is known of a finding besides its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// How many documents the room holds.
    pub(crate) documents_in_room: Option<u64>,
    rhythm: Option<Rhythm>,
    /// When the person usually works, and how many of the actions were at other hours.
    usual: Option<(Hours, usize)>,
}

/// In which steps it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rhythm {
    window: Window,
    actions: usize,
    /// Between one moment with actions and the next: half of the pauses are shorter.
    pause: TimeDelta,
}

pub(crate) fn key(finding: &Finding) -> Key {
    (finding.fingerprint.clone(), finding.window.since)
}

/// The circumstances of each finding, from what was read; nothing is asked of the portal.
pub(crate) async fn read(
    findings: &[Finding],
    watched: &Watched,
    (answers, usual): (&Answers, &Usual),
    archive: &Archive,
) -> anyhow::Result<BTreeMap<Key, Circumstances>> {
    let Some(first) = findings.iter().map(|finding| finding.window.since).min() else { return Ok(BTreeMap::new()) };
    let until = findings.iter().map(|finding| finding.window.until).max().unwrap_or(first);
    let people: Vec<Uuid> = findings.iter().map(|finding| finding.person.id).filter(|id| !is_robot(*id)).collect();
    let mut times: Vec<Vec<DateTime<Utc>>> = findings.iter().map(|_| Vec::new()).collect();
    let mut events = std::pin::pin!(archive.events_of(people, Window::new(first, until)));
    while let Some(event) = events.try_next().await? {
        let (actor, at, is_act) = (event.actor, event.at, event.action.class().is_some());
        let Some(placed) = watched.place(event, answers).filter(|_| is_act) else { continue };
        for (finding, times) in findings.iter().zip(&mut times) {
            let title = finding.room.as_ref().map(|room| &room.title);
            if finding.person.id == actor && finding.window.contains(at) && title == Some(&placed.title) {
                times.push(at);
            }
        }
    }
    let all = findings.iter().zip(times).map(|(finding, times)| {
        let room: Option<&RoomId> = finding.room.as_ref().and_then(|room| room.id.as_ref());
        let hours = usual.hours(finding.person.id);
        let circumstances = Circumstances {
            documents_in_room: room.and_then(|room| usual.documents_in(room)),
            rhythm: Rhythm::of(&times),
            usual: hours.map(|hours| (hours, times.iter().filter(|at| !hours.include(**at)).count())),
        };
        (key(finding), circumstances)
    });
    Ok(all.collect())
}

impl Rhythm {
    /// `times` are in order.
    fn of(times: &[DateTime<Utc>]) -> Option<Self> {
        let (first, last) = times.first().zip(times.last())?;
        let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
        let mut pauses: Vec<TimeDelta> = pauses.filter(|pause| *pause >= TimeDelta::seconds(1)).collect();
        pauses.sort();
        if times.len() < LEAST_ACTIONS {
            return None;
        }
        let pause = pauses.get(pauses.len() / 2).copied().unwrap_or_default();
        Some(Rhythm { window: Window::new(*first, *last), actions: times.len(), pause })
    }
}

impl Circumstances {
    /// `mostly every 5 min from 2026-11-20 21:00 to 2026-11-20 23:45, outside the usual hours, 07:00 to 18:00`
    pub(crate) fn when(&self, clock: Clock) -> Option<String> {
        let rhythm = self.rhythm?;
        let (since, until) = (clock.minute(rhythm.window.since), clock.minute(rhythm.window.until));
        let pace = if rhythm.pause.is_zero() {
            "all at once".to_owned()
        } else {
            format!("mostly every {}", duration(rhythm.pause))
        };
        let outside = match self.usual {
            Some((hours, 0)) => format!(", within the usual hours, {}", hours.words()),
            Some((hours, outside)) if outside == rhythm.actions => {
                format!(", outside the usual hours, {}", hours.words())
            }
            Some((hours, outside)) => format!(", {outside} of them outside the usual hours, {}", hours.words()),
            None => String::new(),
        };
        Some(format!("{pace} from {since} to {until}{outside}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(minutes: &[i64]) -> Vec<DateTime<Utc>> {
        minutes.iter().map(|minute| DateTime::UNIX_EPOCH + TimeDelta::minutes(*minute)).collect()
    }

    #[test]
    fn the_rhythm_is_that_of_most_actions() {
        let rhythm = Rhythm::of(&times(&[0, 5, 10, 10, 15, 20, 90]));
        let circumstances = Circumstances { rhythm, ..Circumstances::default() };
        let said = circumstances.when(Clock(chrono_tz::UTC)).unwrap();
        assert_eq!(said, "mostly every 5 min from 1970-01-01 00:00 to 1970-01-01 01:30");
        assert_eq!(Rhythm::of(&times(&[0, 5, 10, 15])), None);
        let at_once = Circumstances { rhythm: Rhythm::of(&times(&[0; 6])), ..Circumstances::default() };
        assert!(at_once.when(Clock(chrono_tz::UTC)).unwrap().starts_with("all at once"));
    }
}
