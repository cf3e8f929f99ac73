//! Acts over a journal on a real file, with a portal that answers, refuses, breaks and comes late, and with runs that die anywhere.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "apply/lease.rs"]
mod lease;

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Error, Journal, JournalState, Store};
use safe_actions::{ActionState, Actions, Begun, Called, Effect, Intent, Outcome, STILL_AT_WORK, Trace};
use serde_json::{Value, json};
use tempfile::TempDir;

const KIND: &str = "suspend";

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn intent() -> Intent {
    Intent {
        key: "suspend anna".to_owned(),
        kind: KIND.to_owned(),
        subject: "anna".to_owned(),
        payload: json!({ "reason": "41 documents deleted" }),
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug)]
enum Way {
    Does,
    Refuses,
    /// Breaks after it had its effect.
    BreaksAfter,
    /// Breaks, and nothing was done, nor will be.
    BreaksBefore,
    /// Says that it is done, and did nothing.
    Lies,
    /// Cannot do it now.
    Defers,
}

/// The other side: how often each thing was done to it.
#[derive(Debug)]
struct Portal {
    way: Way,
    /// What looking gives instead of the truth.
    looks: Option<Trace>,
    held: Option<String>,
    /// What is found of what was done.
    found: Option<Value>,
    calls: Mutex<u32>,
    effects: Mutex<u32>,
    begun: Mutex<bool>,
}

impl Portal {
    fn new(way: Way) -> Self {
        let (calls, effects) = (Mutex::new(0), Mutex::new(0));
        Portal { way, looks: None, held: None, found: None, calls, effects, begun: Mutex::new(false) }
    }

    fn calls(&self) -> u32 {
        *self.calls.lock().unwrap()
    }

    fn effects(&self) -> u32 {
        *self.effects.lock().unwrap()
    }

    /// Whether the journal says that the call has begun.
    fn is_begun(&self) -> bool {
        *self.begun.lock().unwrap()
    }

    fn happen(&self) {
        *self.effects.lock().unwrap() += 1;
    }
}

impl Effect for Portal {
    async fn hold(&self, _: &Intent) -> Option<String> {
        tokio::task::yield_now().await;
        self.held.clone()
    }

    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, Error> {
        let mut payload = begun.intent().payload.clone();
        payload["request"] = json!(7);
        begun.note(payload).await?;
        *self.begun.lock().unwrap() = true;
        tokio::task::yield_now().await;
        *self.calls.lock().unwrap() += 1;
        if matches!(self.way, Way::Does | Way::BreaksAfter) {
            self.happen();
        }
        // the request is at the portal, its answer is not here yet
        tokio::task::yield_now().await;
        Ok(match self.way {
            Way::Does | Way::Lies => Called::Done,
            Way::Refuses => Called::Refused("the portal says no".to_owned()),
            Way::Defers => Called::NotNow("come back later".to_owned()),
            Way::BreaksAfter | Way::BreaksBefore => Called::Broke("the connection was closed".to_owned()),
        })
    }

    async fn look(&self, _: &Intent) -> Trace {
        tokio::task::yield_now().await;
        let truth = if self.effects() > 0 { Trace::Happened } else { Trace::NotHappened };
        self.looks.clone().unwrap_or(truth)
    }

    fn found(&self, _: &Intent) -> Option<Value> {
        self.found.clone()
    }
}

async fn open(folder: &Path) -> Store {
    Store::open(&format!("sqlite://{}", folder.join("store.sqlite").display())).await.unwrap()
}

async fn actions(store: &Store, minutes: i64) -> Actions {
    Actions::open(store.clone(), at(minutes)).await.unwrap()
}

async fn apply(store: &Store, portal: &Portal, minutes: i64) -> Outcome {
    actions(store, minutes).await.apply(intent(), portal).await.unwrap()
}

async fn settle(store: &Store, portal: &Portal, minutes: i64) -> Vec<ActionState> {
    let settled = actions(store, minutes).await.settle(KIND, portal).await.unwrap();
    settled.into_iter().map(|outcome| outcome.state).collect()
}

/// State and payload of the only entry; `None` for an empty journal.
async fn written(store: &Store) -> Option<(JournalState, Value)> {
    let mut all = Journal::open(store.clone()).await.unwrap().of_kind(KIND).await.unwrap();
    assert!(all.len() <= 1, "{all:?}");
    all.pop().map(|entry| (entry.state, entry.payload))
}

#[tokio::test]
async fn an_act_is_done_once_and_read_back() {
    let folder = TempDir::new().unwrap();
    let (store, portal) = (open(folder.path()).await, Portal::new(Way::Does));
    let outcome = apply(&store, &portal, 0).await;
    assert_eq!((outcome.state, outcome.reason), (ActionState::Done, None));
    let noted = json!({ "reason": "41 documents deleted", "request": 7 });
    assert_eq!(written(&store).await, Some((JournalState::Done, noted)));
    assert_eq!(apply(&store, &portal, 1).await.state, ActionState::Already);
    assert_eq!((portal.calls(), settle(&store, &portal, 2).await), (1, Vec::new()));
}

/// What somebody else did is not ours: nobody may undo it later in our name.
#[tokio::test]
async fn what_has_happened_already_is_not_written_down_as_ours() {
    let folder = TempDir::new().unwrap();
    let (store, portal) = (open(folder.path()).await, Portal::new(Way::Does));
    portal.happen();
    assert_eq!(apply(&store, &portal, 0).await.state, ActionState::Already);
    assert_eq!((portal.calls(), written(&store).await), (0, None));
}

#[tokio::test]
async fn what_is_held_at_the_last_moment_is_not_begun() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let portal = Portal { held: Some("she is an admin by now".to_owned()), ..Portal::new(Way::Does) };
    let outcome = apply(&store, &portal, 0).await;
    assert_eq!((outcome.state, outcome.reason.as_deref()), (ActionState::Held, Some("she is an admin by now")));
    assert_eq!((portal.calls(), written(&store).await), (0, None));
}

/// Whether it has happened must be known first.
#[tokio::test]
async fn without_a_look_nothing_is_begun() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let portal = Portal { looks: Some(Trace::Unclear("403".to_owned())), ..Portal::new(Way::Does) };
    assert_eq!(apply(&store, &portal, 0).await.state, ActionState::Failed);
    assert_eq!((portal.calls(), written(&store).await), (0, None));
}

#[tokio::test]
async fn a_refusal_is_a_failure_and_the_next_run_tries_again() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let portal = Portal::new(Way::Refuses);
    let outcome = apply(&store, &portal, 0).await;
    assert_eq!((outcome.state, outcome.reason.as_deref()), (ActionState::Failed, Some("the portal says no")));
    assert_eq!(settle(&store, &portal, 1).await, []);
    let portal = Portal::new(Way::Does);
    assert_eq!(apply(&store, &portal, 1).await.state, ActionState::Done);
}

#[tokio::test]
async fn a_call_that_breaks_is_done_when_it_shows() {
    let folder = TempDir::new().unwrap();
    let (store, portal) = (open(folder.path()).await, Portal::new(Way::BreaksAfter));
    assert_eq!(apply(&store, &portal, 0).await.state, ActionState::Done);
}

/// The request waits at a proxy, and is carried out after the program has given up.
#[tokio::test]
async fn a_call_that_comes_late_is_not_made_twice() {
    let folder = TempDir::new().unwrap();
    let (store, portal) = (open(folder.path()).await, Portal::new(Way::BreaksBefore));
    assert_eq!(apply(&store, &portal, 0).await.state, ActionState::Unknown);
    // a run every minute asks again, and does not make the call any younger
    for minute in 1..4 {
        assert_eq!(apply(&store, &portal, minute).await.state, ActionState::Unknown);
    }
    portal.happen();
    assert_eq!(settle(&store, &portal, 4).await, [ActionState::Done]);
    assert_eq!((portal.calls(), apply(&store, &portal, 5).await.state), (1, ActionState::Already));
}

#[tokio::test]
async fn a_call_without_effect_is_made_again_when_it_must_be_over() {
    let folder = TempDir::new().unwrap();
    for way in [Way::BreaksBefore, Way::Lies] {
        let store =
            Store::open(&format!("sqlite://{}", folder.path().join(format!("{way:?}")).display())).await.unwrap();
        let portal = Portal::new(way);
        assert_eq!(apply(&store, &portal, 0).await.state, ActionState::Unknown, "{way:?}");
        let over = STILL_AT_WORK.num_minutes();
        assert_eq!(settle(&store, &portal, over - 1).await, [ActionState::Unknown], "{way:?}");
        let portal = Portal::new(Way::Does);
        assert_eq!(apply(&store, &portal, over).await.state, ActionState::Done, "{way:?}");
    }
}

/// As with a mail: taken is done, and of one that broke nobody will ever know.
#[tokio::test]
async fn where_nothing_shows_the_answer_counts() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let invisible = |way| Portal { looks: Some(Trace::Invisible), ..Portal::new(way) };
    let broken = invisible(Way::BreaksBefore);
    assert_eq!(apply(&store, &broken, 0).await.state, ActionState::Unknown);
    assert_eq!(settle(&store, &broken, 60).await, [ActionState::Unknown], "for the program to decide");
    assert_eq!((apply(&store, &broken, 60).await.state, broken.calls()), (ActionState::Unknown, 1));
    let other = Intent { key: "suspend bob".to_owned(), subject: "bob".to_owned(), ..intent() };
    let outcome = actions(&store, 60).await.apply(other, &invisible(Way::Does)).await.unwrap();
    assert_eq!(outcome.state, ActionState::Done);
}

/// As with a mail that receivers know by its id: what broke is done again at once, and counts as done when it was taken.
#[tokio::test]
async fn what_may_be_repeated_is_done_again() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let repeatable = |way| Portal { looks: Some(Trace::Repeatable), ..Portal::new(way) };
    for (way, state, left) in [
        (Way::BreaksAfter, ActionState::Unknown, JournalState::Unknown),
        (Way::Defers, ActionState::Planned, JournalState::Planned),
    ] {
        let portal = repeatable(way);
        let outcome = apply(&store, &portal, 0).await;
        assert_eq!((outcome.state, portal.calls()), (state, 1), "{way:?}");
        assert_eq!(written(&store).await.unwrap().0, left, "{way:?}");
        let open = actions(&store, 0).await.open_of_kind(KIND).await.unwrap();
        assert_eq!(open.into_iter().map(|intent| intent.key).collect::<Vec<_>>(), [intent().key], "{way:?}");
    }
    let taken = repeatable(Way::Does);
    assert_eq!((apply(&store, &taken, 0).await.state, taken.calls()), (ActionState::Done, 1));
    assert_eq!(actions(&store, 0).await.open_of_kind(KIND).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_given_up_is_closed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    apply(&store, &Portal::new(Way::Defers), 0).await;
    let actions = actions(&store, 1).await;
    actions.give_up(&actions.open_of_kind(KIND).await.unwrap()[0]).await.unwrap();
    assert_eq!(written(&store).await.unwrap().0, JournalState::Failed);
    assert_eq!(actions.open_of_kind(KIND).await.unwrap(), []);
}

/// Polls a future so many times and drops it then, as if the process had died. `None` when it had not ended.
async fn dies_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Polls a future until something has happened, and drops it then.
async fn dies_when<T>(has_happened: impl Fn() -> bool, future: impl Future<Output = T>) {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Pending if has_happened() => Poll::Ready(()),
        polled => polled.map(drop),
    })
    .await;
}

/// The runs after one that died know nothing but the journal. Gives what it left.
async fn goes_on(url: &str, portal: &Portal, name: &str) -> (Option<JournalState>, u32) {
    let store = Store::open(url).await.unwrap();
    let left = written(&store).await.map(|(state, _)| state);
    assert!(portal.calls() == 0 || left.is_some(), "{name}: it was written down before the call");
    let found = (left, portal.effects());
    // at once, it may still be at work
    let outcome = apply(&store, portal, 1).await;
    let at_once = match found {
        (Some(JournalState::Started), 0) => ActionState::Unknown,
        (Some(JournalState::Started), _) => ActionState::Done,
        (Some(_), _) => ActionState::Already,
        (None, _) => ActionState::Done,
    };
    assert_eq!(outcome.state, at_once, "{name}: {left:?}");
    // later, it must be over
    settle(&store, portal, 30).await;
    let outcome = apply(&store, portal, 30).await;
    assert!(matches!(outcome.state, ActionState::Done | ActionState::Already), "{name}: {outcome:?}");
    assert_eq!((portal.effects(), portal.calls()), (1, 1), "{name}: once and never twice");
    assert_eq!(written(&store).await.unwrap().0, JournalState::Done, "{name}");
    store.close().await;
    found
}

/// A run dies at each of its steps, in the writes, between them and in the call.
#[tokio::test]
async fn a_run_that_dies_anywhere_is_settled_by_the_next_one() {
    let folder = TempDir::new().unwrap();
    for polls in 0.. {
        let url = format!("sqlite://{}", folder.path().join(format!("{polls}.sqlite")).display());
        let store = Store::open(&url).await.unwrap();
        let portal = Portal::new(Way::Does);
        let first = actions(&store, 0).await;
        let ended = dies_after(polls, first.apply(intent(), &portal)).await;
        store.close().await;
        let found = goes_on(&url, &portal, &format!("after {polls} polls")).await;
        if polls == 0 {
            assert_eq!(found, (None, 0));
        }
        if ended.is_some() {
            assert_eq!(found, (Some(JournalState::Done), 1));
            break;
        }
    }
    // how many polls a write takes depends on the disk, so the two moments that matter most are met by name
    for effects in [0, 1] {
        let url = format!("sqlite://{}", folder.path().join(format!("effects-{effects}.sqlite")).display());
        let store = Store::open(&url).await.unwrap();
        let portal = Portal::new(Way::Does);
        let first = actions(&store, 0).await;
        let is_there = || portal.is_begun() && portal.effects() == effects;
        dies_when(is_there, first.apply(intent(), &portal)).await;
        store.close().await;
        let found = goes_on(&url, &portal, &format!("with {effects} effects")).await;
        assert_eq!(found, (Some(JournalState::Started), effects));
    }
}

/// A call that broke gave no answer; what it did is found by looking, and a later run knows it all the same.
#[tokio::test]
async fn what_is_found_of_a_call_that_broke_is_kept() {
    let found = json!({ "room": 80 });
    let kept = async |store: &Store| actions(store, 9).await.kept(KIND, "suspend anna").await.unwrap();
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    assert_eq!(kept(&store).await, None);
    let portal = Portal { found: Some(found.clone()), ..Portal::new(Way::BreaksAfter) };
    let outcome = apply(&store, &portal, 0).await;
    assert_eq!((outcome.state, &outcome.intent.payload), (ActionState::Done, &found));
    assert_eq!(kept(&store).await, Some(Intent { payload: found.clone(), ..intent() }));

    // by the next run, where nobody could look at once
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let portal = Portal { found: Some(found.clone()), ..Portal::new(Way::BreaksBefore) };
    assert_eq!(apply(&store, &portal, 0).await.state, ActionState::Unknown);
    assert_ne!(kept(&store).await.unwrap().payload, found, "nothing was seen of it");
    portal.happen();
    assert_eq!(settle(&store, &portal, 1).await, [ActionState::Done]);
    assert_eq!(kept(&store).await.unwrap().payload, found);
}
