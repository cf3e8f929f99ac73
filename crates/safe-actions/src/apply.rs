//! Carrying out what was planned: written down before the call and after it, so that a crash in between is found and settled by the
//! next run.

use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Error, Journal, JournalEntry, JournalState, Store, Write};
use serde_json::Value;

use crate::plan::ActionState;

/// A call that broke may still be at work on the other side. Its proxies give up after a minute or two; five are more than that.
pub const STILL_AT_WORK: TimeDelta = TimeDelta::minutes(5);

/// One action on one subject, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Names the action: the same one has the same key in every run.
    pub key: String,
    /// What is done, for instance `create_room`.
    pub kind: String,
    /// To whom or to what: one person, one room, one file.
    pub subject: String,
    /// What a later run needs to look whether it has happened.
    pub payload: Value,
}

/// What the other side said to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// It is done.
    Done,
    /// It is surely not done. Says why.
    Refused(String),
    /// It is surely not done, and stays open for a later run: the other side is down, or defers everybody. Says why.
    NotNow(String),
    /// No answer, or none that can be relied on: it may be done, now or in a moment. Says why.
    Broke(String),
}

/// What can be seen of an action at the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// It has happened, whoever did it.
    Happened,
    NotHappened,
    /// It could not be looked at this time. Says why.
    Unclear(String),
    /// Nothing will ever show it, as with a mail: what the call says is all there is.
    Invisible,
    /// As invisible, and doing it again harms nobody, as with a mail that has the same `Message-ID` each time: the next
    /// [`Actions::apply`] does it again, however long ago the call left.
    Repeatable,
}

/// How a kind of action is carried out, and how to see whether it was. Each method is about the one subject of the intent.
pub trait Effect: Sync {
    /// Why it must not be done after all: asked last, right before the call, because people and rights change while a plan waits.
    fn hold(&self, _intent: &Intent) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }

    /// Does it, once. What a later run must know to find what was done is put into [`Begun::note`] before the request that does it.
    ///
    /// # Errors
    /// Those of [`Begun::note`] and [`Begun::may_act`] only; what the other side says is a value.
    fn call(&self, begun: &mut Begun<'_>) -> impl Future<Output = Result<Called, Error>> + Send;

    /// Whether it has happened. Changes nothing.
    fn look(&self, intent: &Intent) -> impl Future<Output = Trace> + Send;

    /// What a later run must know of what was done, asked once it was seen to have happened, also where the call told nothing because it
    /// broke: put in place of the payload. `None` leaves that as it is.
    fn found(&self, _intent: &Intent) -> Option<Value> {
        None
    }
}

/// An action that has begun: the journal says so.
#[derive(Debug)]
pub struct Begun<'a> {
    actions: &'a Actions,
    intent: &'a mut Intent,
}

impl Begun<'_> {
    pub fn intent(&self) -> &Intent {
        self.intent
    }

    /// Whether this run still holds whatever keeps others off: to be asked again right before a request that something slow precedes, unless
    /// [`note`](Self::note) comes in between, which fails without it.
    ///
    /// # Errors
    /// Of the store: then the request must not be made.
    pub async fn may_act(&self) -> Result<(), Error> {
        self.actions.store.may_act().await
    }

    /// Puts another payload in place of the one before. It is on disk when this returns.
    ///
    /// # Errors
    /// Of the store.
    pub async fn note(&mut self, payload: Value) -> Result<(), Error> {
        self.intent.payload = payload;
        self.actions.advance(self.intent, JournalState::Started).await
    }
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub intent: Intent,
    pub state: ActionState,
    /// Why it is not done, or not known to be.
    pub reason: Option<String>,
}

/// The actions of a run, over the journal of its store.
#[derive(Clone, Debug)]
pub struct Actions {
    store: Store,
    journal: Journal,
    now: DateTime<Utc>,
}

impl Actions {
    /// Opens the journal. `now` is the moment of the run.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub async fn open(store: Store, now: DateTime<Utc>) -> Result<Self, Error> {
        Ok(Actions { journal: Journal::open(store.clone()).await?, store, now })
    }

    /// What the journal keeps of an action, whatever became of it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn kept(&self, kind: &str, key: &str) -> Result<Option<Intent>, Error> {
        let all = self.journal.of_kind(kind).await?;
        Ok(all.into_iter().find(|entry| entry.key == key).map(Intent::from))
    }

    /// Looks what became of the actions of a kind that earlier runs began and did not see the end of, oldest first. Call it before
    /// anything new is planned. Nothing is done again here.
    ///
    /// # Errors
    /// Of the store.
    pub async fn settle(&self, kind: &str, effect: &impl Effect) -> Result<Vec<Outcome>, Error> {
        let mut settled = Vec::new();
        for entry in self.journal.open_of_kind(kind).await?.into_iter().filter(has_begun) {
            settled.push(self.settle_one(entry, effect).await?);
        }
        Ok(settled)
    }

    /// Carries out one action, unless it has happened, or must not be done, or may still be at work since an earlier run. What the other side
    /// says of it is in the outcome.
    ///
    /// # Errors
    /// Of the store: before the call, and then nothing was done; or after it, and then the next run settles it.
    pub async fn apply(&self, mut intent: Intent, effect: &impl Effect) -> Result<Outcome, Error> {
        let open = self.journal.open_of_kind(&intent.kind).await?;
        if let Some(entry) = open.into_iter().filter(has_begun).find(|entry| entry.key == intent.key) {
            let settled = self.settle_one(entry, effect).await?;
            if !matches!(settled.state, ActionState::Failed | ActionState::Planned) {
                return Ok(settled);
            }
        }
        match effect.look(&intent).await {
            Trace::Happened => return Ok(Outcome { intent, state: ActionState::Already, reason: None }),
            Trace::Unclear(why) => return Ok(Outcome { intent, state: ActionState::Failed, reason: Some(why) }),
            Trace::NotHappened | Trace::Invisible | Trace::Repeatable => {}
        }
        if let Some(why) = effect.hold(&intent).await {
            return Ok(Outcome { intent, state: ActionState::Held, reason: Some(why) });
        }
        self.begin(&intent).await?;
        // the portal cannot tell a run that has lost its lease from the one that has it
        self.store.may_act().await?;
        let called = effect.call(&mut Begun { actions: self, intent: &mut intent }).await?;
        let looked = match called {
            Called::Refused(_) | Called::NotNow(_) => Trace::NotHappened,
            Called::Done | Called::Broke(_) => effect.look(&intent).await,
        };
        let (state, reason) = after_call(called, looked);
        self.conclude(&mut intent, state, effect).await?;
        Ok(Outcome { intent, state: state.into(), reason })
    }

    /// The actions of a kind that are neither done nor failed, oldest first: what earlier runs began, and what was not to be done then.
    ///
    /// # Errors
    /// Of the store.
    pub async fn open_of_kind(&self, kind: &str) -> Result<Vec<Intent>, Error> {
        Ok(self.journal.open_of_kind(kind).await?.into_iter().map(Intent::from).collect())
    }

    /// Closes an action of an earlier run that is not to be tried any more.
    ///
    /// # Errors
    /// Of the store; [`Error::NotPlanned`] for an action that no run began.
    pub async fn give_up(&self, intent: &Intent) -> Result<(), Error> {
        self.advance(intent, JournalState::Failed).await
    }

    async fn settle_one(&self, entry: JournalEntry, effect: &impl Effect) -> Result<Outcome, Error> {
        let age = (self.now - entry.updated_at).abs();
        let mut intent = Intent::from(entry);
        let (state, reason) = after_a_while(effect.look(&intent).await, age);
        // an entry that stays open keeps its moment: its age tells when the call must be over
        if !state.is_open() {
            self.conclude(&mut intent, state, effect).await?;
        }
        Ok(Outcome { intent, state: state.into(), reason })
    }

    /// Writes down that the call is about to leave. Nothing leaves before this is on disk.
    async fn begin(&self, intent: &Intent) -> Result<(), Error> {
        let (journal, intent, now) = (self.journal.clone(), intent.clone(), self.now);
        let begin = move |write: &Write<'_>| {
            let Intent { key, kind, subject, payload } = &intent;
            journal.plan(write, (key, kind, subject), payload, now)?;
            journal.advance(write, key, JournalState::Started, payload, now)
        };
        self.store.write("writing the journal", begin).await
    }

    /// Writes down what was seen, with what a later run must know of it.
    async fn conclude(&self, intent: &mut Intent, state: JournalState, effect: &impl Effect) -> Result<(), Error> {
        if state == JournalState::Done
            && let Some(payload) = effect.found(intent)
        {
            intent.payload = payload;
        }
        self.advance(intent, state).await
    }

    async fn advance(&self, intent: &Intent, state: JournalState) -> Result<(), Error> {
        let (journal, intent, now) = (self.journal.clone(), intent.clone(), self.now);
        let advance = move |write: &Write<'_>| journal.advance(write, &intent.key, state, &intent.payload, now);
        self.store.write("writing the journal", advance).await
    }
}

impl From<JournalEntry> for Intent {
    fn from(JournalEntry { key, kind, subject, payload, .. }: JournalEntry) -> Self {
        Intent { key, kind, subject, payload }
    }
}

/// Whether the call may have left.
fn has_begun(entry: &JournalEntry) -> bool {
    matches!(entry.state, JournalState::Started | JournalState::Unknown)
}

impl From<JournalState> for ActionState {
    fn from(state: JournalState) -> Self {
        match state {
            JournalState::Planned => ActionState::Planned,
            JournalState::Started | JournalState::Unknown => ActionState::Unknown,
            JournalState::Done => ActionState::Done,
            JournalState::Failed => ActionState::Failed,
        }
    }
}

/// What is known right after a call.
fn after_call(called: Called, looked: Trace) -> (JournalState, Option<String>) {
    match (called, looked) {
        (Called::Refused(why), _) => (JournalState::Failed, Some(why)),
        (Called::NotNow(why), _) => (JournalState::Planned, Some(why)),
        (_, Trace::Happened) | (Called::Done, Trace::Invisible | Trace::Repeatable) => (JournalState::Done, None),
        (Called::Done, Trace::NotHappened) => {
            (JournalState::Unknown, Some("the answer says that it was done, but nothing shows it".to_owned()))
        }
        (Called::Done, Trace::Unclear(why)) => (JournalState::Unknown, Some(why)),
        // even where nothing shows it yet: the call may still be at work
        (Called::Broke(why), _) => (JournalState::Unknown, Some(why)),
    }
}

/// What is known of a call that left so long ago.
fn after_a_while(looked: Trace, age: TimeDelta) -> (JournalState, Option<String>) {
    match looked {
        Trace::Happened => (JournalState::Done, None),
        Trace::NotHappened if age >= STILL_AT_WORK => {
            (JournalState::Failed, Some("an earlier run began it, but it had no effect".to_owned()))
        }
        Trace::NotHappened => {
            let wait = "an earlier run began it, and it may still be in progress; a run in five minutes checks again";
            (JournalState::Unknown, Some(wait.to_owned()))
        }
        Trace::Unclear(why) => (JournalState::Unknown, Some(why)),
        Trace::Repeatable => (JournalState::Planned, Some("an earlier run began it, and it is repeated".to_owned())),
        Trace::Invisible => {
            (JournalState::Unknown, Some("an earlier run began it, and nothing shows whether it was done".to_owned()))
        }
    }
}
