//! Entries of the journal as runs leave them, for tests about who is suspended.

use chrono::TimeDelta;
use cli_test::Setting;
use job_store::{Journal, JournalState, OnServer, Store};
use portal_sim::{Person, PersonKind};
use serde_json::{Value, json};

use crate::common::{hire, now, office, setting};

pub(crate) const KIND: &str = "suspend";

/// One incident of somebody, as a run has left it.
pub(crate) fn entry(person: &Person, matter: &str, state: &str, more: Value) -> Value {
    let mark = |event: i64, at: &str| json!({ "event": event, "at": format!("2026-11-20T{at}:00Z") });
    let mut entry = json!({
        "revision": 1,
        "incident": {
            "id": format!("{}-9000", person.id), "person": person.id, "name": format!("{} {}", person.first_name, person.last_name),
            "fingerprint": "f00d", "matter": matter, "reason": "41 documents deleted for good within 10 min, more than 20",
            "class": "deleted", "documents": 41, "strong": [], "is_ransomware": false, "needs_decision": null,
            "first": mark(9000, "08:45"), "last": mark(9040, "08:54"), "is_late": false,
        },
        "state": state, "why": null, "held": null, "planned_at": "2026-11-20T08:55:00Z", "waits_until": null, "intent": null,
        "row": null, "own_rows": [], "warned_at": null, "tried": null, "looked_after": null, "judged_at": null,
        "decisions": [], "said": [],
    });
    merge(&mut entry, more);
    entry
}

pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value));
        }
        (into, from) => *into = from,
    }
}

/// What an entry has whose account is disabled.
pub(crate) fn off() -> Value {
    json!({
        "intent": { "at": "2026-11-20T08:55:10Z", "newest": 9040, "deadline": "2026-11-20T12:55:10Z", "memberships": [] },
        "row": { "event": 9050, "at": "2026-11-20T08:55:10Z" }, "own_rows": [9050], "looked_after": "2026-11-20T08:55:12Z",
    })
}

pub(crate) fn held() -> Value {
    let why = "1 API key of this account was used in the last 24 hours, and whatever runs with it would stop";
    json!({ "why": why, "held": { "by": "keys", "why": why } })
}

/// The store that the first run has made.
pub(crate) async fn store(setting: &Setting) -> Store {
    match &setting.server {
        Some(place) => Store::on_server(place).await.unwrap(),
        None => Store::open(&format!("sqlite://{}", setting.state_file("sqlite").display())).await.unwrap(),
    }
}

/// Writes entries as a run would.
pub(crate) async fn remember(setting: &Setting, entries: &[Value]) {
    let store = store(setting).await;
    let journal = Journal::open(store.clone()).await.unwrap();
    for (number, entry) in entries.iter().cloned().enumerate() {
        let at = now() + TimeDelta::seconds(number as i64);
        let journal = journal.clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (key, subject) = (format!("{KIND} {}", text(&entry["incident"]["id"])), text(&entry["incident"]["person"]));
        let state = match entry["state"].as_str().unwrap() {
            "planned" | "held" | "waiting" => JournalState::Planned,
            "released" | "settled" => JournalState::Done,
            "unknown" | "kept" => JournalState::Unknown,
            _ => JournalState::Started,
        };
        let keep = move |write: &job_store::Write<'_>| {
            journal.plan(write, (&key, KIND, &subject), &entry, at)?;
            journal.advance(write, &key, state, &entry, at)
        };
        store.write("writing entries", keep).await.unwrap();
    }
    store.close().await;
}

/// The entry of somebody, as it is kept.
pub(crate) async fn kept(setting: &Setting, person: &Person) -> Value {
    let store = store(setting).await;
    let entries = Journal::open(store.clone()).await.unwrap().of_kind(KIND).await.unwrap();
    store.close().await;
    entries.into_iter().find(|entry| entry.subject == person.id.to_string()).unwrap().payload
}

/// Three people, a portal, and a first run, which has made the store.
pub(crate) async fn three() -> (Setting, [Person; 3]) {
    three_in(None).await
}

pub(crate) async fn three_in(server: Option<OnServer>) -> (Setting, [Person; 3]) {
    let mut portal = office();
    let people =
        ["mara", "ben", "cleo"].map(|name| hire(&mut portal, &format!("{name}@example.com"), PersonKind::User));
    // the first and the last are disabled
    for person in &mut portal.people {
        if ["mara@example.com", "cleo@example.com"].contains(&person.email.as_str()) {
            person.status = 2;
        }
    }
    let mut setting = setting(portal).await;
    setting.env.push(("USER", "root"));
    setting.env.push(("SUDO_USER", "olga"));
    setting.server = server.map(|place| {
        let portal = setting.sim.url().trim_start_matches("http://").trim_end_matches('/').replace(':', "-");
        OnServer { schema: "bulk_guard".to_owned(), portal, ..place }
    });
    let first = setting.run(&[]).await;
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""));
    (setting, people)
}

/// Nothing but the ids differs between two runs of a test.
pub(crate) fn comparable(text: &str, people: &[Person]) -> String {
    let named = people.iter().map(|person| (person.id.to_string(), format!("ID-OF-{}", person.last_name)));
    named.fold(text.to_owned(), |text, (id, name)| text.replace(&id, &name))
}
