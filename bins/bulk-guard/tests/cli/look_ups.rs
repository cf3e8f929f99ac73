//! What the portal does not tell about single folders and documents is never taken for nothing.

use chrono::TimeDelta;
use cli_test::{Run, Setting};
use portal_sim::{Event, Fault, FaultBody, FaultKind, PersonKind, Scenario, StoredFile};

use crate::common::{Burst, folder_deleted, found, hire, json, now, office, plan, setting};

/// Forty documents that have names which ransomware gives.
fn renamed() -> Scenario {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    Burst { minutes: 6, ..Burst::new(5001, 40) }.by(&mut portal, &mallory, &[71], ".locked");
    portal
}

/// The same, and the portal's rows about them name none.
fn renamed_without_names() -> Scenario {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    for n in 0..40 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        let file = StoredFile::new(9_000 + n, 71, &format!("paper {n}.docx.locked"), mallory.id, at, b"x");
        portal.content.files.push(file);
        let mut event = Event::new(5001, mallory.id, at).ip(&mallory.ip).in_room(71);
        event.target = vec![(9_000 + n).to_string()];
        portal.add_event(event);
    }
    portal
}

/// The rows tell all names; nothing is asked for them, whatever has become of the documents.
#[tokio::test]
async fn names_are_taken_from_the_rows() {
    for status in [200, 403, 404, 500] {
        let setting = setting(renamed()).await;
        if status != 200 {
            setting.sim.set_faults(vec![Fault::status(status).on("files/file")]);
        }
        let run = json(&setting, &[]).await;
        assert_eq!(found(&run), [("mallory@example.com".to_owned(), "critical".to_owned(), true)], "{status}");
        assert_eq!((run.exit, plan(&run)[0].1.as_str()), (0, "planned"), "{status}");
        assert!(!setting.sim.requests().iter().any(|request| request.target.contains("files/file/")), "{status}");
    }
}

/// The ids of the innocent ones come first, as texts and as numbers.
#[tokio::test]
async fn innocent_names_in_front_hide_nothing() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    Burst { minutes: 9, first: 10_000, ..Burst::new(5001, 20) }.by(&mut portal, &mallory, &[71], "");
    Burst { minutes: 9, first: 90_000, ..Burst::new(5001, 79) }.by(&mut portal, &mallory, &[71], ".xq7");
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), [("mallory@example.com".to_owned(), "critical".to_owned(), true)]);
    assert!(run.stdout.contains("79 of 99 new names end in `.xq7` now"), "{}", run.stdout);
}

/// Everything about an incident is asked for once: a run a minute later asks for what may have changed, and before it tells anything for
/// little more.
#[tokio::test]
async fn a_known_incident_costs_few_requests() {
    for portal in [renamed(), renamed_without_names()] {
        let setting = setting(portal).await;
        let mut asked = Vec::new();
        for _ in 0..2 {
            let before = setting.sim.requests().len();
            assert_eq!(plan(&json(&setting, &[]).await).len(), 1);
            asked.push(setting.sim.requests().len() - before);
        }
        assert!(asked[0] <= 45 && asked[1] <= 15, "{asked:?}");
    }
}

/// Nothing new: the canary, and the overlap of the audit trail.
#[tokio::test]
async fn a_minute_with_nothing_new_costs_few_requests() {
    let setting = setting(office()).await;
    json(&setting, &[]).await;
    let before = setting.sim.requests().len();
    json(&setting, &[]).await;
    let asked = setting.sim.requests().len() - before;
    assert!(asked <= 4, "{asked}");
}

/// Whoever puts names back after an attack has the ransomware's names behind them, and not before.
#[tokio::test]
async fn the_rescuer_is_no_attacker() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst { minutes: 9, ..Burst::new(5001, 60) }.by(&mut portal, &mara, &[71], "");
    Burst { minutes: 9, first: 20_000, ..Burst::new(5044, 60) }.by(&mut portal, &mara, &[71], "");
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), [("mara@example.com".to_owned(), "medium".to_owned(), false)]);
    assert_eq!(plan(&run), []);
}

/// Source and reason of each gap.
fn gaps(run: &Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let report = run.json();
    let gaps = report["coverage"]["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| (text(&gap["what"]), text(&gap["why"]))).collect()
}

/// How many requests a run makes before it asks for the first name, without those for logins, which are made at the same time as those for
/// names, in no order.
async fn before_names() -> u64 {
    let setting = setting(renamed_without_names()).await;
    let run = json(&setting, &[]).await;
    assert_eq!(found(&run), [("mallory@example.com".to_owned(), "critical".to_owned(), true)]);
    assert_eq!((run.exit, plan(&run)[0].1.as_str()), (0, "planned"));
    let mut asked = setting.sim.requests();
    asked.retain(|request| !request.target.contains("audit/login/filter"));
    asked.iter().position(|request| request.target.contains("files/file/")).unwrap() as u64
}

async fn blind(setting: &Setting, extra: &[&str]) -> Run {
    let run = json(setting, extra).await;
    assert_eq!(found(&run), [("mallory@example.com".to_owned(), "critical".to_owned(), false)], "{}", run.stdout);
    assert_eq!(plan(&run), [], "{}", run.stdout);
    let reasons = run.json()["findings"][0]["reasons"].to_string();
    assert!(reasons.contains("could not check for ransomware file names"), "{reasons}");
    run
}

#[tokio::test]
async fn names_that_could_not_be_looked_up_do_not_calm_anybody() {
    for (status, exit, why) in [(403, 4, "permission"), (500, 4, "portal_error"), (404, 0, "")] {
        let setting = setting(renamed_without_names()).await;
        let kind = FaultKind::Status { status, body: Some(FaultBody::Error) };
        setting.sim.set_faults(vec![Fault::new(kind).on("files/file")]);
        let run = blind(&setting, &[]).await;
        assert_eq!(run.exit, exit, "{status}: {}", run.stdout);
        let told = gaps(&run);
        assert_eq!(told.len(), usize::from(exit == 4), "{status}: {told:?}");
        assert!(told.iter().all(|(what, told)| what.ends_with("files") && told == why), "{status}: {told:?}");
        let asked = setting.sim.requests();
        let asked: std::collections::BTreeSet<_> = asked.iter().map(|request| request.target.as_str()).collect();
        let asked = asked.iter().filter(|target| target.contains("files/file/")).count();
        // what fails five times alike is not asked on; that one document is hidden or gone says nothing of the next
        assert_eq!(asked, if status == 500 { 5 } else { 20 }, "{status}");
    }
}

#[tokio::test]
async fn a_key_that_dies_and_a_budget_that_ends_before_the_names_are_gaps() {
    let before = before_names().await;
    let dying = setting(renamed_without_names()).await;
    dying.sim.set_faults(vec![Fault::status(401).from_request(before + 1)]);
    let run = blind(&dying, &[]).await;
    assert_eq!(run.exit, 4, "{}", run.stdout);
    assert!(gaps(&run).contains(&("files".to_owned(), "permission".to_owned())), "{:?}", gaps(&run));

    let poor = setting(renamed_without_names()).await;
    let config = poor.file("bulk-guard.toml", &format!("[budget]\nrequests = {}\n", before));
    let run = blind(&poor, &["--config", &config]).await;
    assert_eq!(run.exit, 4, "{}", run.stdout);
    assert!(gaps(&run).contains(&("files".to_owned(), "budget_exhausted".to_owned())), "{:?}", gaps(&run));
}

/// The portal does not answer the questions about names: the alert leaves without, and says so, and the next run completes it.
#[tokio::test]
async fn an_alert_does_not_wait_for_look_ups() {
    let mut setting = setting(renamed_without_names()).await;
    let config = setting.file("bulk-guard.toml", "[alerts.file]\npath = \"alerts.ndjson\"\n");
    let patience = std::mem::replace(&mut setting.env, vec![("BULK_GUARD_LOOK_UP_LIMIT", "2s")]);
    let hangs = FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 };
    setting.sim.set_faults(vec![Fault::new(hangs).on("files/file")]);
    let run = blind(&setting, &["--config", &config]).await;
    assert_eq!(run.exit, 4, "{}", run.stdout);
    assert!(gaps(&run).contains(&("files".to_owned(), "budget_exhausted".to_owned())), "{:?}", gaps(&run));
    let alert = std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap();
    assert!(alert.contains("of 20 documents looked up, 20 not told by the portal"), "{alert}");
    assert!(run.stdout.contains("budget_exhausted"), "{}", run.stdout);
    setting.env = patience;
    setting.sim.set_faults(Vec::new());
    let next = json(&setting, &["--config", &config]).await;
    assert_eq!((next.exit, plan(&next)[0].1.as_str()), (0, "planned"), "{}", next.stdout);
}

/// What alerts do not wait for is read after them, and the next run knows it.
#[tokio::test]
async fn the_login_history_is_read_on_after_the_alert() {
    let mut setting = setting(renamed()).await;
    setting.env = vec![("BULK_GUARD_LOOK_UP_LIMIT", "2s")];
    let hook = format!("{}/hook", setting.sim.url());
    let config = setting.file("bulk-guard.toml", &format!("[alerts.webhook]\nurl = \"{hook}\"\n"));
    let hangs = FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 };
    setting.sim.set_faults(vec![Fault::new(hangs).on("security/audit/login/filter").times(1)]);
    let run = json(&setting, &["--config", &config]).await;
    assert!(gaps(&run).contains(&("logins".to_owned(), "budget_exhausted".to_owned())), "{}", run.stdout);
    let asked: Vec<String> = setting.sim.requests().into_iter().map(|request| request.target).collect();
    let (alert, logins) = (
        asked.iter().position(|target| target.contains("hook")),
        asked.iter().rposition(|target| target.contains("security/audit/login/filter")),
    );
    assert!(alert.is_some() && alert < logins, "{asked:?}");
}

/// What folders hold is asked for in case somebody takes them away later; names decide now. What the inventory lacks is read on after the alert.
#[tokio::test]
async fn a_slow_inventory_does_not_take_the_time_of_look_ups() {
    let mut setting = setting(renamed_without_names()).await;
    setting.env = vec![("BULK_GUARD_LOOK_UP_LIMIT", "4s")];
    let hook = format!("{}/hook", setting.sim.url());
    let config = setting.file("bulk-guard.toml", &format!("[alerts.webhook]\nurl = \"{hook}\"\n"));
    let hangs = FaultKind::Latency { ms: 3_600_000, jitter_ms: 0 };
    setting.sim.set_faults(vec![Fault::new(hangs).on("files/rooms").times(1)]);
    let run = json(&setting, &["--config", &config]).await;
    assert_eq!(gaps(&run), [("rooms".to_owned(), "budget_exhausted".to_owned())], "{}", run.stdout);
    assert!(run.stdout.contains("20 of 20 new names end in `.locked` now"), "{}", run.stdout);
    let asked: Vec<String> = setting.sim.requests().into_iter().map(|request| request.target).collect();
    let (alert, rooms) = (
        asked.iter().position(|target| target.contains("hook")),
        asked.iter().rposition(|target| target.contains("files/rooms")),
    );
    assert!(alert.is_some() && alert < rooms, "{asked:?}");
}

/// One document that somebody hid must not keep the names of the others from being looked at.
#[tokio::test]
async fn one_hidden_document_hides_no_other() {
    let setting = setting(renamed_without_names()).await;
    setting.sim.set_faults(vec![Fault::status(403).on("files/file").times(3)]);
    let run = json(&setting, &[]).await;
    assert_eq!(found(&run), [("mallory@example.com".to_owned(), "critical".to_owned(), true)], "{}", run.stdout);
    assert_eq!(run.exit, 4, "{}", run.stdout);
}

#[tokio::test]
async fn a_folder_that_could_not_be_weighed_is_no_all_clear() {
    for (status, why) in [(500, "portal_error"), (403, "permission")] {
        let mut portal = office();
        let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
        folder_deleted(&mut portal, &mallory, 500, 60, 7);
        let setting = setting(portal).await;
        setting.sim.set_faults(vec![Fault::status(status).on("files/folder/500/path")]);
        let blind = json(&setting, &[]).await;
        assert_eq!(blind.exit, 4, "{status}: {}", blind.stdout);
        let told = gaps(&blind);
        assert!(told.iter().any(|(what, told)| what.ends_with("folders") && told == why), "{status}: {told:?}");
        setting.sim.set_faults(Vec::new());
        let seeing = json(&setting, &[]).await;
        assert_eq!((seeing.exit, found(&seeing).len()), (0, 1), "{status}: {}", seeing.stdout);
    }
}
