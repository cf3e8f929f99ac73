//! How far a drill has come, and what follows. Pure.
//!
//! Each state is committed before the call that it announces leaves, so whoever finds a drill that nobody goes on with knows what there may
//! be to take away.

use audit_model::{PersonStatus, RoomId, Sentence, Spoken};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::suspend::entry::{Decided, Entry, Held, State};
use crate::suspend::why;

/// Whoever is at work on a drill says so again within this time. After it, the next run takes over.
pub(crate) const LIVES_FOR: TimeDelta = TimeDelta::seconds(90);

/// A call to make a room that broke may still arrive for so long.
const ARRIVES_WITHIN: TimeDelta = TimeDelta::minutes(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The call to make the room may have left.
    Making,
    /// Documents may have been uploaded.
    Filling,
    /// Documents may have been renamed.
    Renaming,
    /// Runs are to find it and to suspend the account.
    Watching,
    /// The account is to be enabled again, where it is disabled.
    Leaving,
    /// The room is to be archived and deleted.
    Ending,
    /// Nothing is left.
    Over,
}

/// What the drill shows to work, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Made,
    Found,
    Suspended,
    Proven,
    Released,
    /// The release was read back.
    Back,
    Cleaned,
}

/// Where the room is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnRoom {
    /// The call may have left, and no answer was seen.
    Asked,
    /// The portal surely made none.
    Refused,
    Made(RoomId),
}

/// Which step did not happen, and why, as a clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) why: Sentence,
}

/// When each step happened, by the portal's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) made: Option<DateTime<Utc>>,
    pub(crate) found: Option<DateTime<Utc>>,
    pub(crate) suspended: Option<DateTime<Utc>>,
    pub(crate) proven: Option<DateTime<Utc>>,
    pub(crate) released: Option<DateTime<Utc>>,
    pub(crate) back: Option<DateTime<Utc>>,
}

/// One drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drill {
    /// Grows with each commit.
    pub(crate) revision: u64,
    /// Letters and digits that nobody else uses: part of the room's title, and the extension of its documents.
    pub(crate) mark: String,
    pub(crate) account: Uuid,
    /// As the portal calls the account, for people.
    pub(crate) name: String,
    pub(crate) documents: u64,
    pub(crate) room: OwnRoom,
    pub(crate) stage: Stage,
    /// By the portal's clock.
    pub(crate) began: DateTime<Utc>,
    /// By this machine's clock: until then somebody is at work on it.
    pub(crate) lives_until: DateTime<Utc>,
    pub(crate) times: Times,
    pub(crate) failure: Option<Failure>,
    /// Handed over to the alerts.
    pub(crate) is_told: bool,
}

impl Drill {
    /// The title of the room, which no other room has.
    pub(crate) fn title(&self) -> String {
        format!("bulk-guard drill {}", self.mark)
    }

    /// Nobody goes on with it.
    pub(crate) fn is_cut_off(&self, now: DateTime<Utc>) -> bool {
        now > self.lives_until
    }

    /// Whether what was done in it is no evidence any more.
    pub(crate) fn is_spent(&self, now: DateTime<Utc>) -> bool {
        self.stage >= Stage::Leaving || self.is_cut_off(now)
    }

    /// The suspension that has come of it, among all.
    pub(crate) fn suspension<'e>(&self, entries: &'e [Entry]) -> Option<&'e Entry> {
        let is_of_it = |entry: &&Entry| entry.is_drill && entry.person() == self.account;
        // rows have whole seconds, and a quick drill does everything in the one in which it began
        let began = self.began.trunc_subsecs(0);
        entries.iter().rev().find(|entry| is_of_it(entry) && entry.incident.last.at >= began)
    }

    /// The same, given up where it is: from now on only the way back is left.
    pub(crate) fn given_up(mut self, step: Step, why: impl Into<Sentence>) -> Self {
        self.failure.get_or_insert_with(|| Failure { step, why: why.into() });
        self.stage = self.stage.max(Stage::Leaving);
        self
    }

    /// The same, found by a run after somebody has left it alone.
    pub(crate) fn cut_off(self) -> Self {
        let step = self.expected();
        self.given_up(step, ("the drill was cut off", "die Übung wurde abgebrochen"))
    }

    /// The first step that has not happened.
    pub(crate) fn expected(&self) -> Step {
        let Times { made, found, suspended, proven, released, back } = &self.times;
        let happened = [
            (made, Step::Made),
            (found, Step::Found),
            (suspended, Step::Suspended),
            (proven, Step::Proven),
            (released, Step::Released),
            (back, Step::Back),
        ];
        happened.into_iter().find(|(at, _)| at.is_none()).map_or(Step::Cleaned, |(_, step)| step)
    }
}

impl Spoken for Drill {
    fn sentences(&mut self) -> Vec<&mut Sentence> {
        self.failure.iter_mut().map(|failure| &mut failure.why).collect()
    }
}

/// What is seen of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoomSeen {
    Unread,
    Gone,
    Active(RoomId),
    Archived(RoomId),
}

/// What is seen now.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// By the portal's clock.
    pub(crate) now: DateTime<Utc>,
    /// What came of the drill among the suspensions.
    pub(crate) suspension: Option<&'a Entry>,
    /// Of the account; `None` when it could not be read.
    pub(crate) account: Option<PersonStatus>,
    pub(crate) room: RoomSeen,
    /// Why the step that is expected does not happen in its time, as a clause; `None` while there is time.
    pub(crate) late: Option<&'a Sentence>,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Do {
    MakeRoom,
    Upload(RoomId),
    Rename(RoomId),
    /// Approve the suspension, which is held because the account's key, the drill's own, is in use.
    Approve,
    Cancel,
    Release,
    Archive(RoomId),
    Delete(RoomId),
    /// Nothing but time, and runs.
    Wait,
    Nothing,
}

/// The next state, to be committed, and what is to be done after that.
pub(crate) fn next(drill: &Drill, seen: &Seen<'_>) -> (Drill, Do) {
    let mut drill = drill.clone();
    note(&mut drill, seen);
    let room = match &drill.room {
        OwnRoom::Made(room) => Some(room.clone()),
        OwnRoom::Asked | OwnRoom::Refused => None,
    };
    match (drill.stage, room) {
        (Stage::Making, None) => (drill, Do::MakeRoom),
        (Stage::Making | Stage::Filling, Some(room)) => (Drill { stage: Stage::Filling, ..drill }, Do::Upload(room)),
        (Stage::Renaming, Some(room)) => (drill, Do::Rename(room)),
        (Stage::Filling | Stage::Renaming, None) => {
            leave(drill.given_up(Step::Made, ("there is no room", "es gibt keinen Raum")), seen)
        }
        (Stage::Watching, _) => watch(drill, seen),
        (Stage::Leaving, _) => leave(drill, seen),
        (Stage::Ending, _) => end(drill, seen),
        (Stage::Over, _) => (drill, Do::Nothing),
    }
}

/// Takes over when what happened.
fn note(drill: &mut Drill, seen: &Seen<'_>) {
    let Some(entry) = seen.suspension else { return };
    let times = &mut drill.times;
    times.found.get_or_insert(entry.planned_at);
    if let (None, Some(intent)) = (times.suspended, &entry.intent) {
        times.suspended = Some(intent.at);
    }
    if entry.state == State::Done && times.proven.is_none() {
        times.proven = entry.looked_after;
    }
    if entry.state == State::Released {
        times.released = times.released.or(entry.tried.as_ref().map(|tried| tried.at));
        times.back = times.back.or(entry.looked_after);
    }
}

fn watch(drill: Drill, seen: &Seen<'_>) -> (Drill, Do) {
    let expected = drill.expected();
    let wait = |drill: Drill| match seen.late {
        Some(why) => leave(drill.given_up(expected, why.clone()), seen),
        None => (drill, Do::Wait),
    };
    let Some(entry) = seen.suspension else { return wait(drill) };
    let why = entry.why.clone().unwrap_or_else(|| why::DECIDED_SO.into());
    match (entry.state, &entry.held) {
        (State::Planned | State::Waiting | State::Intended | State::Unknown, _) => wait(drill),
        (State::Held, Some(Held::Keys(_))) if entry.decision(Decided::Approved).is_none() && seen.late.is_none() => {
            (drill, Do::Approve)
        }
        (State::Held, Some(Held::Keys(_))) => wait(drill),
        (State::Done, _) => leave(drill, seen),
        (State::Held, _) => {
            let held = Sentence::new(
                format!("it is held: {why}"),
                format!("die Sperre ist angehalten: {}", report::words::german::after_colon(why.german())),
            );
            leave(drill.given_up(expected, held), seen)
        }
        _ => leave(drill.given_up(expected, why), seen),
    }
}

/// Whatever may be disabled is enabled first: the account's key rests until then.
fn leave(mut drill: Drill, seen: &Seen<'_>) -> (Drill, Do) {
    drill.stage = Stage::Leaving;
    let decided =
        |entry: &Entry| entry.decision(Decided::Released).is_some() || entry.decision(Decided::Kept).is_some();
    match seen.suspension {
        Some(entry) if entry.state.is_before() => return (drill, Do::Cancel),
        Some(entry) if matches!(entry.state, State::Done | State::ReleaseFailed) && !decided(entry) => {
            return (drill, Do::Release);
        }
        Some(entry) if entry.state.is_under_way() && entry.state != State::Unknown => return (drill, Do::Wait),
        _ => {}
    }
    if seen.account != Some(PersonStatus::Active) {
        return (drill, Do::Wait);
    }
    if drill.times.proven.is_some() && drill.times.back.is_none() {
        let why = ("somebody else has decided about the account", "jemand anderes hat über das Konto entschieden");
        drill = drill.given_up(Step::Released, why);
    }
    end(drill, seen)
}

fn end(mut drill: Drill, seen: &Seen<'_>) -> (Drill, Do) {
    drill.stage = Stage::Ending;
    match &seen.room {
        RoomSeen::Unread => (drill, Do::Wait),
        RoomSeen::Active(room) => (drill, Do::Archive(room.clone())),
        RoomSeen::Archived(room) => (drill, Do::Delete(room.clone())),
        RoomSeen::Gone if drill.room == OwnRoom::Asked && seen.now - drill.began < ARRIVES_WITHIN => (drill, Do::Wait),
        RoomSeen::Gone => (Drill { stage: Stage::Over, ..drill }, Do::Nothing),
    }
}

#[cfg(test)]
mod tests;
