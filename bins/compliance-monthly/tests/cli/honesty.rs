//! What could not be seen is said, on the first page, in the exit code and in every file.

use chrono_tz::Tz;
use portal_sim::{Event, Fault, Login, Room};

use crate::common::{Setting, assert_valid};
use crate::portal::{at, empty, june};

/// The plan has no audit feature: the first page says so, and nothing else is said.
#[tokio::test]
async fn without_the_audit_feature_the_report_is_blind() {
    let setting = Setting::new(june().with_audit(false)).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (1, ""), "{}", ended.stdout);
    insta::assert_snapshot!("blind_stdout_text", crate::reports::without_sizes(&ended.stdout));
    let text = setting.written("2026-06.txt");
    for said in [&ended.stdout, &text] {
        assert_eq!(said.lines().nth(2), Some("Total events: unknown"), "no event was seen, which is not zero events");
    }
    insta::assert_snapshot!("blind_txt", text);
    assert_valid("compliance-manifest-1", &setting.written("manifest.json"));
    let json = setting.month("2026-06", &["--format", "json"]).await;
    assert_valid("compliance-monthly-1", &json.stdout);
    assert_eq!(json.exit, 1);
}

/// A trail that begins within the month, or after it, shows no quiet portal: a plan that had no audit feature before, or a new database.
#[tokio::test]
async fn a_trail_that_begins_late_is_told() {
    let mut portal = empty(Tz::UTC, "2026-07-02T09:00:00Z")
        .with_room(Room { created: at("2026-01-01T00:00:00Z"), ..Room::vdr(71, "Falcon") });
    let olga = portal.owner().clone();
    portal.events.clear();
    portal.add_event(Event::new(5009, olga.id, at("2026-06-20T09:00:00Z")).file(1, "a.docx").in_room(71));
    portal.add_login(Login::success(&olga, at("2026-06-20T08:00:00Z")));
    let setting = Setting::new(portal).await;
    let june = setting.month("2026-06", &[]).await;
    let note = "the portal's audit trail begins on 20 June 2026: what happened before was not recorded";
    assert!(june.exit == 0 && june.stdout.contains(note), "{}{}", june.stdout, june.stderr);
    let may = setting.month("2026-05", &["--dry-run"]).await;
    for part in [
        "begins after this time",
        "1 matter from May 2026 needs a decision",
        "although the portal had 1 room",
        "the portal recorded no event in this time",
    ] {
        assert!(may.exit == 0 && may.stdout.contains(part), "{part}: {}{}", may.stdout, may.stderr);
    }
    assert!(!may.stdout.contains("nothing is missing"), "{}", may.stdout);
}

#[tokio::test]
async fn a_dead_key_writes_nothing() {
    let mut setting = Setting::new(june()).await;
    setting.key = format!("sk-{}", "0".repeat(64));
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 1);
    assert!(ended.stdout.contains("compliance-monthly: nothing can be concluded"), "{}", ended.stdout);
    assert!(!setting.out().exists());
}

/// A row that no page can hold: everything around it is reported, and the gap stands on the first page.
#[tokio::test]
async fn an_unreadable_row_is_a_gap() {
    let mut portal = june();
    let olga = portal.owner().id;
    portal.add_event(Event::poison(olga, at("2026-06-11T09:00:00Z")));
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (4, ""), "{}", ended.stdout);
    let text = setting.written("2026-06.txt");
    assert!(text.contains("\ncompliance-monthly: incomplete: "), "{text}");
    assert!(text.contains("\nIncomplete: 21 events, 12 logins; what is missing is listed below\n"), "{text}");
    assert!(text.contains("2026-06-11 11:00:00"), "{text}");
    assert!(text.contains("Total events: 21"), "{text}");
    assert_valid("compliance-manifest-1", &setting.written("manifest.json"));
}

/// The portal forgets logins after 180 days; audit events it keeps.
#[tokio::test]
async fn logins_beyond_retention_are_a_gap() {
    let mut portal = empty(Tz::UTC, "2026-07-02T09:00:00Z");
    let olga = portal.owner().id;
    portal.add_event(Event::new(5009, olga, at("2025-06-10T09:00:00Z")).file(1, "a.docx"));
    let setting = Setting::new(portal).await;
    let ended = setting.month("2025-06", &["--format", "json"]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["coverage"]["gaps"][0]["why"], "beyond_retention");
    assert_eq!(report["coverage"]["gaps"][0]["what"], "logins");
    assert_eq!(report["counts"]["events"], 1);
}

/// Half of the month cannot be read: what was read is reported, nothing is an all-clear, and the next run fills the hole.
#[tokio::test]
async fn a_portal_that_fails_leaves_a_gap_that_the_next_run_fills() {
    let mut portal = june();
    let olga = portal.owner().id;
    for n in 0..200 {
        let at = at("2026-06-20T09:00:00Z") + chrono::TimeDelta::minutes(n);
        portal.add_event(Event::new(5009, olga, at).file(1, "a.docx"));
    }
    let setting = Setting::new(portal).await;
    setting.sim.set_faults(vec![Fault::status(401).on("security/audit/events").after(3)]);
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}\n{}", ended.stdout, ended.stderr);
    setting.sim.set_faults(Vec::new());
    let again = setting.month("2026-06", &[]).await;
    assert_eq!(again.exit, 0, "{}", again.stdout);
    assert!(again.stdout.contains("Total events: 221"), "{}", again.stdout);
}

#[tokio::test]
async fn a_month_that_has_not_settled_is_incomplete() {
    let setting = Setting::new(june()).await;
    let config = setting.config("settle = \"36500d\"");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    assert!(ended.stdout.contains("may still be storing events of it; run again later"), "{}", ended.stdout);
    assert!(ended.stdout.contains("the portal may still be storing events of this time"), "{}", ended.stdout);
}

#[tokio::test]
async fn rooms_that_were_not_listed_are_not_called_busy() {
    let setting = Setting::new(june()).await;
    setting.sim.set_faults(vec![Fault::status(403).on("files/rooms")]);
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    let text = setting.written("2026-06.txt");
    assert!(!text.contains("There is no room in which nothing happened."), "{text}");
    assert!(text.contains("Which rooms were quiet cannot be told"), "{text}");
}

/// Somebody signed in, and nothing happened: that is a matter, and no quiet month.
#[tokio::test]
async fn logins_beside_a_trail_without_events_are_asked_about() {
    let mut portal = june();
    portal.events.retain(|event| event.at < at("2026-05-31T22:00:00Z") || event.at >= at("2026-06-30T22:00:00Z"));
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert!(ended.stdout.contains("- Not one event was recorded, in spite of 1 login: find out"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("nothing is missing"), "{}", ended.stdout);
    // an answer without any event, ever, is not believed
    let blind = Setting::new(empty(Tz::UTC, "2026-07-02T09:00:00Z")).await;
    blind.sim.edit(|portal| portal.events.clear());
    assert_eq!(blind.month("2026-06", &[]).await.exit, 1);
}

/// What is written into the settings counts, or is named.
#[tokio::test]
async fn settings_that_do_nothing_are_refused() {
    let setting = Setting::new(june()).await;
    for settings in [
        "[alerts]\nfile = \"alerts.ndjson\"",
        "[mail]\nserver = \"mail.example.com\"",
        "out = \"\"",
        "out = \"reports/{year}\"",
    ] {
        let config = setting.config(settings);
        let refused = setting.run(&["--month", "2026-06", "--config", &config]).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{settings}: {}", refused.stderr);
    }
    let config = setting.config("service_accounts = [\"nobody@example.com\"]");
    let told = setting.run(&["--month", "2026-06", "--config", &config]).await;
    assert!(told.stdout.contains("`nobody@example.com`, named in `service_accounts`"), "{}", told.stdout);
}

/// A limit that ends a run is called so, whatever the run was reading then.
#[tokio::test]
async fn a_budget_that_is_used_up_is_called_so() {
    let mut ended_early = 0;
    for requests in 3..16 {
        let setting = Setting::new(june()).await;
        let config = setting.config(&format!("[budget]\nrequests = {requests}"));
        let ended = setting.run(&["--month", "2026-06", "--config", &config, "--format", "json"]).await;
        let gaps = ended.json()["coverage"]["gaps"].as_array().unwrap().clone();
        assert_eq!(gaps.is_empty(), ended.exit == 0, "{requests}: {gaps:?}");
        assert!(gaps.iter().all(|gap| gap["why"] == "budget_exhausted"), "{requests}: {gaps:?}");
        ended_early += usize::from(ended.exit != 0);
    }
    assert!((1..13).contains(&ended_early), "{ended_early}");
}
