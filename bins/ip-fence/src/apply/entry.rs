//! What is kept of one application of a plan.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{Sentence, Spoken};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, ListEntry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::intent::{Intent, Leg};
use super::merge;
use crate::plan::PlanFile;

/// Characters of a mark.
const MARK: usize = 12;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Accepted; the deadline is fixed.
    Planned,
    /// What opens is in, and was read back.
    Widened,
    /// What closes is out, and was read back.
    Narrowed,
    /// All is written and read back; the time to confirm runs.
    Switched,
    /// Somebody has said that it is right.
    Confirmed,
    /// Tried in each run until it succeeds.
    Reverting,
    /// Everybody who could enter before can enter.
    Restored,
    /// Another's change touches ours: nothing more is written.
    Conflict,
    /// Nothing was changed.
    Refused,
}

impl State {
    pub(crate) fn is_open(self) -> bool {
        matches!(self, State::Planned | State::Widened | State::Narrowed | State::Switched | State::Reverting)
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Widened => "widened",
            State::Narrowed => "narrowed",
            State::Switched => "switched",
            State::Confirmed => "confirmed",
            State::Reverting => "reverting",
            State::Restored => "restored",
            State::Conflict => "conflict",
            State::Refused => "refused",
        }
    }
}

/// What a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// Changes nothing: its event says from where the portal sees this machine.
    Probe,
    Widen,
    Narrow,
    Switch,
    Back,
}

/// What came back of a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// None is known: the process ended, or has not come so far.
    None,
    Taken,
    /// Surely not carried out.
    Refused(String),
    /// It may have been carried out.
    Unknown(String),
}

/// An event of the audit trail: which, and when by the portal's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) event: i64,
    pub(crate) at: DateTime<Utc>,
}

/// One write. It is kept before it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Put {
    /// From 1 on.
    pub(crate) number: u32,
    pub(crate) purpose: Purpose,
    /// Whose key wrote it; `None`: not known.
    pub(crate) account: Option<Uuid>,
    /// What was read right before.
    pub(crate) read: AddressList,
    pub(crate) sent: AddressList,
    /// When that was, by the portal's clock.
    pub(crate) at: DateTime<Utc>,
    /// The same by this machine's.
    pub(crate) here: DateTime<Utc>,
    /// The events of writes that were there by then. Which are newer, their numbers do not tell: events are written down late.
    pub(crate) known: BTreeSet<i64>,
    pub(crate) answer: Answer,
    /// Whether it was carried out; `None`: nobody knows yet.
    pub(crate) arrived: Option<bool>,
    /// Events of it. Several: something on the way has repeated it.
    pub(crate) events: Vec<Mark>,
    /// The read-back showed what was sent.
    pub(crate) is_verified: bool,
    /// Somebody else has written between what was read and the write, and nobody can say what.
    pub(crate) is_raced: bool,
    /// An earlier write was repeated after it, so that nothing of it is left.
    pub(crate) is_void: bool,
}

impl Put {
    pub(crate) fn counts(&self) -> bool {
        self.arrived == Some(true) && !self.is_void
    }

    /// Whether entries differ between what was read and what was sent.
    pub(crate) fn changes_entries(&self) -> bool {
        !merge::same_entries(&self.read.entries, &self.sent.entries)
    }

    pub(crate) fn changes_switch(&self) -> bool {
        self.read.enabled != self.sent.enabled
    }
}

/// Who has said that it is right, and by what it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) by: String,
    pub(crate) at: DateTime<Utc>,
    /// Who came in after the switch. `None`: nobody is named, by wish.
    pub(crate) witness: Option<Sentence>,
}

/// Somebody wants it taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) by: Sentence,
    pub(crate) at: DateTime<Utc>,
    pub(crate) why: Sentence,
}

/// What it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Topic {
    /// Written, waits for somebody.
    Switched,
    Confirmed,
    /// Taken back from now on.
    Reverting,
    /// Taking back fails.
    Blocked,
    Restored,
    Conflict,
    /// Somebody else has written the list meanwhile.
    Foreign,
    /// The same, and it was overwritten.
    Raced,
    Refused,
}

impl Topic {
    pub(crate) fn is_critical(self) -> bool {
        matches!(self, Topic::Blocked | Topic::Conflict | Topic::Raced)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) topic: Topic,
    pub(crate) at: DateTime<Utc>,
    pub(crate) words: Sentence,
    #[serde(default)]
    pub(crate) is_handed_on: bool,
}

/// One application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Names it, for `rollback --to`.
    pub(crate) id: String,
    /// Drawn for each application, so that nobody takes the writes of another host for its own, which may apply the same plan.
    #[serde(default)]
    pub(crate) mark: String,
    pub(crate) intent: Intent,
    /// The file that was applied.
    #[serde(default)]
    pub(crate) plan: Option<Box<PlanFile>>,
    pub(crate) state: State,
    /// By the portal's clock.
    pub(crate) accepted: DateTime<Utc>,
    pub(crate) accepted_here: DateTime<Utc>,
    pub(crate) confirm_within_s: i64,
    /// Who applies it.
    pub(crate) by: String,
    /// A write that changes nothing comes first, because the key is not the owner's.
    pub(crate) probes: bool,
    pub(crate) puts: Vec<Put>,
    pub(crate) switched: Option<DateTime<Utc>>,
    pub(crate) confirmation: Option<Confirmation>,
    /// What it added is remembered as ours.
    #[serde(default)]
    pub(crate) is_owned: bool,
    pub(crate) order: Option<Order>,
    /// Why it is where it is.
    pub(crate) why: Option<Sentence>,
    /// When it came to its end, by the portal's clock.
    pub(crate) ended: Option<DateTime<Utc>>,
    /// The same moment by this machine's.
    #[serde(default)]
    pub(crate) ended_here: Option<DateTime<Utc>>,
    /// Others' writes that were told, and whether each was overwritten.
    pub(crate) foreign: BTreeMap<i64, bool>,
    /// Entries of the difference that others have since changed in their way: theirs from then on.
    #[serde(default)]
    pub(crate) let_go: Vec<ListEntry>,
    pub(crate) said: Vec<Said>,
    pub(crate) revision: u64,
}

impl Entry {
    pub(crate) fn new(
        id: String,
        intent: Intent,
        (portal, here): (DateTime<Utc>, DateTime<Utc>),
        confirm_within: TimeDelta,
        (by, probes): (String, bool),
    ) -> Self {
        Entry {
            id,
            mark: String::new(),
            intent,
            plan: None,
            state: State::Planned,
            accepted: portal,
            accepted_here: here,
            confirm_within_s: confirm_within.num_seconds(),
            by,
            probes,
            puts: Vec::new(),
            switched: None,
            confirmation: None,
            is_owned: false,
            order: None,
            why: None,
            ended: None,
            ended_here: None,
            foreign: BTreeMap::new(),
            let_go: Vec::new(),
            said: Vec::new(),
            revision: 0,
        }
    }

    fn confirm_within(&self) -> TimeDelta {
        TimeDelta::seconds(self.confirm_within_s)
    }

    /// By the portal's clock.
    pub(crate) fn deadline(&self) -> DateTime<Utc> {
        self.accepted + self.confirm_within()
    }

    /// The same moment by this machine's clock.
    pub(crate) fn deadline_here(&self) -> DateTime<Utc> {
        self.accepted_here + self.confirm_within()
    }

    /// What a write says of itself in its event.
    pub(crate) fn tag(&self, number: u32) -> String {
        match self.mark.as_str() {
            "" => format!("/ip-fence/{}/{number}", self.id),
            mark => format!("/ip-fence/{}/{mark}/{number}", self.id),
        }
    }

    /// The same, with a mark that no other application has.
    pub(crate) fn marked(self) -> Self {
        Entry { mark: Uuid::new_v4().simple().to_string().chars().take(MARK).collect(), ..self }
    }

    /// The next write of the way there; `None` when all were made and read back.
    pub(crate) fn next_leg(&self) -> Option<Leg> {
        let done = self.puts.iter().filter(|put| put.purpose != Purpose::Back && put.is_verified).count();
        self.intent.legs(self.probes).get(done).copied()
    }

    pub(crate) fn into_state(mut self, state: State, why: Option<Sentence>) -> Self {
        self.state = state;
        self.why = why;
        self
    }

    /// Says something once.
    pub(crate) fn say(&mut self, topic: Topic, at: DateTime<Utc>, words: Sentence) {
        if !self.said.iter().any(|said| said.topic == topic && said.words.english() == words.english()) {
            self.said.push(Said { topic, at, words, is_handed_on: false });
        }
    }

    /// Notes what came back of the last write.
    pub(crate) fn answered(&mut self, answer: Answer) {
        let Some(put) = self.puts.last_mut() else { return };
        put.arrived = match &answer {
            Answer::Taken => Some(true),
            Answer::Refused(_) => Some(false),
            Answer::Unknown(_) | Answer::None => None,
        };
        put.answer = answer;
    }
}

impl Spoken for Entry {
    fn sentences(&mut self) -> Vec<&mut Sentence> {
        let Entry { confirmation, order, why, said, .. } = self;
        let witness = confirmation.iter_mut().filter_map(|confirmation| confirmation.witness.as_mut());
        let order = order.iter_mut().flat_map(|order| [&mut order.by, &mut order.why]);
        witness.chain(order).chain(why).chain(said.iter_mut().map(|said| &mut said.words)).collect()
    }
}
