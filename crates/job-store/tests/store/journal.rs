//! The journal on real files: what stands after a crash, and who comes first.

use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Error, Failure, Journal, JournalEntry, JournalState, Store, Write};
use serde_json::{Value, json};
use tempfile::TempDir;

const INTENT: (&str, &str, &str) = ("create_room Falcon", "create_room", "Falcon");

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

async fn open(folder: &TempDir) -> (Store, Journal) {
    let store = Store::open(&format!("sqlite://{}", folder.path().join("store.sqlite").display())).await.unwrap();
    (store.clone(), Journal::open(store).await.unwrap())
}

async fn plan(store: &Store, journal: &Journal, payload: Value, minutes: i64) -> JournalEntry {
    let journal = journal.clone();
    store.write("planning", move |write| journal.plan(write, INTENT, &payload, at(minutes))).await.unwrap()
}

async fn advance(store: &Store, journal: &Journal, state: JournalState, minutes: i64) {
    let journal = journal.clone();
    let advance =
        move |write: &Write<'_>| journal.advance(write, INTENT.0, state, &json!({ "try": minutes }), at(minutes));
    store.write("advancing", advance).await.unwrap();
}

#[tokio::test]
async fn an_intent_is_written_down_once_and_keeps_what_stands() {
    let folder = TempDir::new().unwrap();
    let (store, journal) = open(&folder).await;
    let first = plan(&store, &journal, json!({ "by": "first" }), 0).await;
    assert_eq!((first.state, first.created_at, first.updated_at), (JournalState::Planned, at(0), at(0)));
    advance(&store, &journal, JournalState::Started, 1).await;
    store.close().await;

    let (store, journal) = open(&folder).await;
    let stands = plan(&store, &journal, json!({ "by": "second" }), 5).await;
    let expected = JournalEntry {
        key: INTENT.0.to_owned(),
        kind: INTENT.1.to_owned(),
        subject: INTENT.2.to_owned(),
        state: JournalState::Started,
        payload: json!({ "try": 1 }),
        created_at: at(0),
        updated_at: at(1),
    };
    assert_eq!(stands, expected);
}

#[tokio::test]
async fn only_what_is_not_settled_is_open() {
    for state in
        [JournalState::Planned, JournalState::Started, JournalState::Done, JournalState::Failed, JournalState::Unknown]
    {
        let folder = TempDir::new().unwrap();
        let (store, journal) = open(&folder).await;
        plan(&store, &journal, json!({}), 0).await;
        advance(&store, &journal, state, 1).await;
        let open: Vec<JournalState> =
            journal.open_of_kind("create_room").await.unwrap().into_iter().map(|entry| entry.state).collect();
        let expected = if state.is_open() { vec![state] } else { Vec::new() };
        assert_eq!(open, expected, "{state:?}");
        assert_eq!(journal.open_of_kind("suspend").await.unwrap(), []);
    }
}

/// A run that dies between a step and its commit leaves the step before it.
#[tokio::test]
async fn a_step_that_was_not_committed_was_not_taken() {
    let folder = TempDir::new().unwrap();
    let (store, journal) = open(&folder).await;
    let begun = journal.clone();
    let plan_and_die = move |write: &Write<'_>| {
        begun.plan(write, INTENT, &json!({}), at(0))?;
        Err::<(), _>(Failure::other("the run dies here"))
    };
    store.write("planning", plan_and_die).await.unwrap_err();
    assert_eq!(journal.open_of_kind("create_room").await.unwrap(), []);

    plan(&store, &journal, json!({}), 1).await;
    let advance_and_die = move |write: &Write<'_>| {
        journal.advance(write, INTENT.0, JournalState::Done, &json!({ "room": 71 }), at(2))?;
        Err::<(), _>(Failure::other("the run dies here"))
    };
    store.write("advancing", advance_and_die).await.unwrap_err();
    let (_, journal) = open(&folder).await;
    let open = journal.open_of_kind("create_room").await.unwrap();
    assert_eq!(
        open.iter().map(|entry| (entry.state, entry.updated_at)).collect::<Vec<_>>(),
        [(JournalState::Planned, at(1))]
    );
}

/// Two that plan the same at the same time see one entry: the one of whoever came first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_plan_the_same_one_comes_first() {
    let folder = TempDir::new().unwrap();
    let (one, two) = (open(&folder).await, open(&folder).await);
    let tasks = [(one, "one"), (two, "two")].map(|((store, journal), name)| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for n in 0..50 {
                let (key, payload, journal) = (format!("suspend {n}"), json!({ "by": name }), journal.clone());
                let plan = move |write: &Write<'_>| journal.plan(write, (&key, "suspend", "somebody"), &payload, at(n));
                seen.push(store.write("planning", plan).await.unwrap().payload);
            }
            seen
        })
    });
    let [one, two] = tasks;
    let (one, two) = (one.await.unwrap(), two.await.unwrap());
    assert_eq!(one, two, "both see the same winner of each");
    let (_, journal) = open(&folder).await;
    assert_eq!(journal.open_of_kind("suspend").await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_step_without_a_plan_and_a_row_that_cannot_be_read_are_errors() {
    let folder = TempDir::new().unwrap();
    let (store, journal) = open(&folder).await;
    let advanced = journal.clone();
    let unplanned = move |write: &Write<'_>| advanced.advance(write, "nothing", JournalState::Done, &json!({}), at(0));
    let unplanned = store.write("advancing", unplanned).await;
    assert!(matches!(unplanned, Err(Error::NotPlanned { .. })), "{unplanned:?}");
    plan(&store, &journal, json!({}), 0).await;
    store.script("damaging", "UPDATE journal_entry SET payload = 'not JSON'").await.unwrap();
    let damaged = journal.open_of_kind("create_room").await;
    assert!(matches!(damaged, Err(Error::UnreadableEntry { .. })), "{damaged:?}");
}

#[tokio::test]
async fn all_intents_of_a_kind_are_listed_settled_ones_too() {
    let folder = TempDir::new().unwrap();
    let (store, journal) = open(&folder).await;
    plan(&store, &journal, json!({}), 0).await;
    advance(&store, &journal, JournalState::Done, 1).await;
    assert!(journal.open_of_kind(INTENT.1).await.unwrap().is_empty());
    let all = journal.of_kind(INTENT.1).await.unwrap();
    assert_eq!(
        all.iter().map(|entry| (entry.key.as_str(), entry.state)).collect::<Vec<_>>(),
        [(INTENT.0, JournalState::Done)]
    );
    assert!(journal.of_kind("other").await.unwrap().is_empty());
}
