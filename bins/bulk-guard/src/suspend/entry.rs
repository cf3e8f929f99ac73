//! What is kept of one incident whose person may be, is, or was suspended.

use std::collections::BTreeSet;

use audit_model::{Sentence, Spoken};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far it has come. Each is committed before the next request leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Shown; nothing was asked of the portal.
    Planned,
    /// Protected, or the breaker tripped; somebody may approve it.
    Held,
    /// The grace runs, in which somebody may cancel it.
    Waiting,
    /// Committed right before the call: it may have left.
    Intended,
    /// The account is disabled, and the portal's own row says that this program did it.
    Done,
    /// The account is as it was before.
    Failed,
    /// Neither is proven.
    Unknown,
    /// Somebody said that it stays.
    Kept,
    /// Committed right before the call that ends it.
    Releasing,
    /// Tried again until it succeeds.
    ReleaseFailed,
    Released,
    /// Somebody else has decided since: hands off.
    Settled,
    /// Too late, or not wanted any more; nothing was asked of the portal.
    Dropped,
    Cancelled,
}

impl State {
    /// Nothing was asked of the portal yet, and it still may be.
    pub(crate) fn is_before(self) -> bool {
        matches!(self, State::Planned | State::Held | State::Waiting)
    }

    /// Something was asked of the portal, and the end is still to be seen.
    pub(crate) fn is_under_way(self) -> bool {
        matches!(self, State::Intended | State::Done | State::Unknown | State::Releasing | State::ReleaseFailed)
    }
}

/// An event of the audit trail: which, and when by the portal's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) event: i64,
    pub(crate) at: DateTime<Utc>,
}

/// What of an incident counts here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Incident {
    /// Person and first event: the same incident has the same id for ever, however it grows.
    pub(crate) id: String,
    pub(crate) person: Uuid,
    /// As the portal calls the person, for people.
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    /// The id that people type.
    pub(crate) matter: Option<String>,
    /// Why, in one sentence with numbers and without a full stop.
    pub(crate) reason: Sentence,
    /// What was done, as the limit counts it: `deleted`, `renamed`, …
    pub(crate) class: String,
    pub(crate) documents: u64,
    /// Signs of an attack, each of which is enough by itself.
    pub(crate) strong: Vec<String>,
    /// An extension, or the name of a note, that ransomware is known to leave.
    pub(crate) is_ransomware: bool,
    /// Why no term ends it, as a clause; `None` where time does.
    pub(crate) needs_decision: Option<Sentence>,
    pub(crate) first: Mark,
    pub(crate) last: Mark,
    /// Rows that the portal wrote down late are part of it.
    pub(crate) is_late: bool,
    /// External links that the person made lately, by what the portal says they lead to: no suspension ends them.
    #[serde(default)]
    pub(crate) links: Vec<String>,
}

impl Incident {
    /// What people call it by. Several people of one incident share it.
    pub(crate) fn called(&self) -> &str {
        self.matter.as_deref().unwrap_or(&self.id)
    }

    /// Whether people mean it by this word.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        let word = word.trim();
        [self.called(), &self.id].iter().any(|own| own.eq_ignore_ascii_case(word))
    }
}

/// Why it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "why", rename_all = "snake_case")]
pub(crate) enum Held {
    /// The plan as a whole. Somebody may approve one incident of it.
    Breaker(Sentence),
    /// A key of the person is in use. Somebody may approve it.
    Keys(Sentence),
    /// The person must not be touched, whoever approves it.
    Person(Sentence),
}

impl Held {
    pub(crate) fn words(&self) -> &Sentence {
        match self {
            Held::Breaker(why) | Held::Keys(why) | Held::Person(why) => why,
        }
    }
}

/// What was decided by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) what: Decided,
    pub(crate) who: String,
    pub(crate) why: String,
    pub(crate) at: DateTime<Utc>,
}

/// What people can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decided {
    Approved,
    Cancelled,
    Kept,
    Extended,
    Released,
}

impl Decided {
    pub(crate) fn participle(self) -> &'static str {
        match self {
            Decided::Approved => "approved",
            Decided::Cancelled => "cancelled",
            Decided::Kept => "kept",
            Decided::Extended => "extended",
            Decided::Released => "to be released",
        }
    }
}

/// What was known when the call was about to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// By the portal's clock.
    pub(crate) at: DateTime<Utc>,
    /// Newest event of the trail then.
    pub(crate) newest: i64,
    /// When it ends; `None`: when somebody decides.
    pub(crate) deadline: Option<DateTime<Utc>>,
    /// Groups and rooms of the person then, by id.
    pub(crate) memberships: BTreeSet<String>,
    /// The portal answered that the account was disabled. Without that, its row may be about somebody else who uses the key's account.
    #[serde(default)]
    pub(crate) is_answered: bool,
    /// Who asked `serve` for the run, and how; `None`: cron, or somebody at a terminal.
    #[serde(default)]
    pub(crate) asked_by: Option<String>,
}

/// The last try to end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Try {
    pub(crate) at: DateTime<Utc>,
    pub(crate) newest: i64,
    /// How many there were, this one included.
    pub(crate) number: u32,
    /// Each of them was surely refused.
    pub(crate) all_refused: bool,
    /// Not again before.
    pub(crate) next: DateTime<Utc>,
}

/// What is told, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Topic {
    Held,
    Suspending,
    Done,
    Failed,
    Unknown,
    /// Before each release by time.
    Warning,
    /// The term is over, and it cannot be ended.
    Blocked,
    Released,
    ReleaseFailed,
    Settled,
    Kept,
    Dropped,
    Cancelled,
}

/// One sentence or more, for people. They leave with the commit of the state that they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) topic: Topic,
    pub(crate) words: Sentence,
    pub(crate) is_critical: bool,
    pub(crate) at: DateTime<Utc>,
    /// Handed over to the alerts.
    pub(crate) is_handed_on: bool,
}

/// One incident, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Grows with each commit: whoever commits what somebody else has changed meanwhile is refused.
    pub(crate) revision: u64,
    pub(crate) incident: Incident,
    pub(crate) state: State,
    /// Why it is in this state, as a clause.
    pub(crate) why: Option<Sentence>,
    pub(crate) held: Option<Held>,
    pub(crate) planned_at: DateTime<Utc>,
    /// When the grace ends.
    pub(crate) waits_until: Option<DateTime<Utc>>,
    pub(crate) intent: Option<Intent>,
    /// The portal's own row about the suspension.
    pub(crate) row: Option<Mark>,
    /// All of the portal's rows about this program and this person that this entry explains.
    pub(crate) own_rows: BTreeSet<i64>,
    pub(crate) warned_at: Option<DateTime<Utc>>,
    pub(crate) tried: Option<Try>,
    /// When the last call was looked after: it had its answer by then, or none was waited for.
    pub(crate) looked_after: Option<DateTime<Utc>>,
    /// Until when somebody has judged what the person did: evidence up to this moment is spent.
    pub(crate) judged_at: Option<DateTime<Utc>>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) said: Vec<Said>,
    /// It has come of a drill, whose account is there for nothing else: it counts for no limit of how many.
    #[serde(default)]
    pub(crate) is_drill: bool,
}

impl Spoken for Entry {
    fn sentences(&mut self) -> Vec<&mut Sentence> {
        let Entry { incident, why, held, said, .. } = self;
        let held = held.iter_mut().map(|(Held::Breaker(why) | Held::Keys(why) | Held::Person(why))| why);
        let said = said.iter_mut().map(|said| &mut said.words);
        let incident = std::iter::once(&mut incident.reason).chain(&mut incident.needs_decision);
        incident.chain(why).chain(held).chain(said).collect()
    }
}

/// So long after a call a decision may come to light that was made before it: rows are written down late.
const WATCHED_FOR: TimeDelta = TimeDelta::hours(24);

impl Entry {
    /// Whether it is still to be followed: it is under way, or somebody keeps it until the account is enabled, or it has ended a moment ago,
    /// and a decision of before may still come to light.
    pub(crate) fn is_followed(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Kept || self.needs_trail(now)
    }

    /// Whether what others have done since it was intended still matters.
    pub(crate) fn needs_trail(&self, now: DateTime<Utc>) -> bool {
        let is_watched = self.looked_after.is_some_and(|at| now - at < WATCHED_FOR);
        self.state.is_under_way() || matches!(self.state, State::Released | State::Kept) && is_watched
    }

    pub(crate) fn new(incident: Incident, now: DateTime<Utc>) -> Self {
        Entry {
            revision: 0,
            incident,
            state: State::Planned,
            why: None,
            held: None,
            planned_at: now,
            waits_until: None,
            intent: None,
            row: None,
            own_rows: BTreeSet::new(),
            warned_at: None,
            tried: None,
            looked_after: None,
            judged_at: None,
            decisions: Vec::new(),
            said: Vec::new(),
            is_drill: false,
        }
    }

    pub(crate) fn person(&self) -> Uuid {
        self.incident.person
    }

    /// The newest moment at which a call was about to leave: both clocks agreed on it.
    pub(crate) fn newest_moment(&self) -> Option<DateTime<Utc>> {
        let tried = self.tried.as_ref().map(|tried| tried.at);
        self.intent.iter().map(|intent| intent.at).chain(tried).max()
    }

    /// When anything was last noted about it.
    pub(crate) fn noted_at(&self) -> DateTime<Utc> {
        let decided = self.decisions.iter().map(|decision| decision.at);
        let said = self.said.iter().map(|said| said.at);
        let noted = decided.chain(said).chain(self.newest_moment()).chain(self.looked_after);
        noted.fold(self.planned_at, DateTime::max)
    }

    /// When it ends by itself.
    pub(crate) fn deadline(&self) -> Option<DateTime<Utc>> {
        let deadline = self.intent.as_ref()?.deadline;
        deadline.filter(|_| self.incident.needs_decision.is_none())
    }

    /// The last decision of this kind.
    pub(crate) fn decision(&self, what: Decided) -> Option<&Decision> {
        self.decisions.iter().rev().find(|decision| decision.what == what)
    }

    /// The same in another state.
    pub(crate) fn into_state(mut self, state: State, why: Option<Sentence>) -> Self {
        self.state = state;
        self.why = why;
        self
    }

    /// Adds what is to be told, unless the same was told before.
    pub(crate) fn say(mut self, topic: Topic, now: DateTime<Utc>, words: Sentence) -> Self {
        // whoever extends a term is warned again before its new end
        let is_again =
            |said: &Said| said.topic == topic && (topic != Topic::Warning || said.words.english() == words.english());
        if !self.said.iter().any(is_again) {
            let is_critical = matches!(
                topic,
                Topic::Suspending
                    | Topic::Done
                    | Topic::Unknown
                    | Topic::Blocked
                    | Topic::ReleaseFailed
                    | Topic::Settled
            );
            self.said.push(Said { topic, words, is_critical, at: now, is_handed_on: false });
        }
        self
    }
}
