//! What somebody who judges a finding asks first: in which rhythm and at which hours it was done, how much of the room it was, and from
//! which folders.

use std::collections::BTreeSet;

use audit_model::{ActClass, Person, PortalText, RoomId, Sentence};
use chrono::{DateTime, TimeDelta, Utc};
use report::words::{Clock, duration, german};
use serde::{Deserialize, Serialize, Serializer};

use super::reasons::{Kinds, share};
use super::usual::Hours;

/// With fewer actions there is no rhythm.
const LEAST_ACTIONS: usize = 5;

/// What the report says of a finding besides its numbers. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Detail {
    /// Actions by kind.
    #[serde(rename = "classes", serialize_with = "by_class", skip_serializing_if = "is_empty")]
    pub(crate) kinds: Kinds,
    /// How much of the room it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) share_of_room: Option<ShareOfRoom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rhythm: Option<Rhythm>,
    /// When the person usually works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usual_hours: Option<BesideUsual>,
    /// Where the documents are today, most of them first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) folders: Vec<InFolder>,
    /// Whom to ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) room_owner: Option<Person>,
    /// Whether the room holds all afterwards that it held before.
    #[serde(skip)]
    pub(crate) takes_nothing: bool,
    /// What it was done to.
    #[serde(skip)]
    pub(crate) documents: BTreeSet<String>,
}

/// How many of a room's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ShareOfRoom {
    /// That the room holds.
    pub(crate) documents: u64,
    pub(crate) percent: u64,
}

/// In which steps it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rhythm {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    /// Between one moment with actions and the next: half of the pauses are shorter. In seconds.
    #[serde(rename = "pause_seconds", serialize_with = "seconds")]
    pause: TimeDelta,
}

/// How many of the actions were done at hours at which the person did not work before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BesideUsual {
    pub(crate) hours: Hours,
    pub(crate) outside: u64,
    #[serde(skip)]
    of: u64,
}

/// How many of the documents are in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFolder {
    pub(crate) id: RoomId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) title: Option<PortalText>,
    pub(crate) documents: u64,
}

fn by_class<S: Serializer>(kinds: &Kinds, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(kinds.classes.iter().map(|(class, count): (&ActClass, &u64)| (class, count)))
}

fn is_empty(kinds: &Kinds) -> bool {
    kinds.classes.is_empty()
}

fn seconds<S: Serializer>(pause: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(pause.num_seconds())
}

impl ShareOfRoom {
    /// Nothing where some of the documents are gone.
    pub(super) fn of(touched: u64, documents: u64) -> Option<Self> {
        (touched <= documents).then(|| ShareOfRoom { documents, percent: share(touched, documents) })
    }
}

impl BesideUsual {
    pub(super) fn of(hours: Hours, times: &[DateTime<Utc>]) -> Self {
        let outside = times.iter().filter(|at| !hours.include(**at)).count() as u64;
        BesideUsual { hours, outside, of: times.len() as u64 }
    }

    fn words(self) -> Sentence {
        let (hours, german) = (self.hours.words(), self.hours.german());
        match self.outside {
            0 => Sentence::new(
                format!(", within the usual hours, {hours}"),
                format!(", innerhalb der üblichen Zeiten ({german})"),
            ),
            outside if outside == self.of => Sentence::new(
                format!(", outside the usual hours, {hours}"),
                format!(", außerhalb der üblichen Zeiten ({german})"),
            ),
            outside => Sentence::new(
                format!(", {outside} of them outside the usual hours, {hours}"),
                format!(", davon {outside} außerhalb der üblichen Zeiten ({german})"),
            ),
        }
    }
}

impl Rhythm {
    /// `times` are in order.
    pub(super) fn of(times: &[DateTime<Utc>]) -> Option<Self> {
        let (first, last) = times.first().zip(times.last())?;
        let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
        let mut pauses: Vec<TimeDelta> = pauses.filter(|pause| *pause >= TimeDelta::seconds(1)).collect();
        pauses.sort();
        let pause = pauses.get(pauses.len() / 2).copied().unwrap_or_default();
        (times.len() >= LEAST_ACTIONS).then_some(Rhythm { first: *first, last: *last, pause })
    }
}

impl Detail {
    /// `mostly every 5 min from 2026-11-20 21:00 to 2026-11-20 23:45, outside the usual hours, 07:00 to 18:00`
    pub(crate) fn when(&self, clock: Clock) -> Option<Sentence> {
        let Rhythm { first, last, pause } = self.rhythm?;
        let pace = if pause.is_zero() {
            ("all at once", "alle auf einmal").into()
        } else {
            let (often, german) = (duration(pause), german::duration(pause));
            Sentence::new(format!("mostly every {often}"), format!("meist im Abstand von {german}"))
        };
        let beside = self.usual_hours.map(BesideUsual::words).unwrap_or_default();
        let english = format!("{pace} from {} to {}{beside}", clock.minute(first), clock.minute(last));
        let (first, last) = (german::minute(clock, first), german::minute(clock, last));
        Some(Sentence::new(english, format!("{} von {first} bis {last}{}", pace.german(), beside.german())))
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
        let detail = Detail { rhythm, ..Detail::default() };
        let said = detail.when(Clock(chrono_tz::UTC)).unwrap();
        assert_eq!(said, "mostly every 5 min from 1970-01-01 00:00 to 1970-01-01 01:30");
        assert_eq!(Rhythm::of(&times(&[0, 5, 10, 15])), None);
        let at_once = Detail { rhythm: Rhythm::of(&times(&[0; 6])), ..Detail::default() };
        assert!(at_once.when(Clock(chrono_tz::UTC)).unwrap().starts_with("all at once"));
    }
}
