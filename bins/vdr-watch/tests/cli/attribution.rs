//! Which room, and how much, where the audit trail alone does not say.

use chrono::TimeDelta;
use portal_sim::{Event, Folder, Place, Reference, Room, Scenario, StoredFile};
use serde_json::Value;

use crate::common::{Run, Setting, now};

fn portal() -> Scenario {
    Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"))
}

fn report(run: &Run) -> Value {
    assert_eq!(run.exit, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

fn minutes_ago(minutes: i64) -> chrono::DateTime<chrono::Utc> {
    now() - TimeDelta::minutes(minutes)
}

/// Both rows of such a move say "My documents", whichever room the document left. Only the room's log has the second.
#[tokio::test]
async fn what_goes_from_a_room_to_my_documents_is_found() {
    let mut portal = portal().with_room(Room::vdr(72, "Eagle")).with_room(Room::vdr(73, "Raven"));
    let olga = portal.owner().id;
    let own = portal.my_documents(olga).to_string();
    for n in 0..25 {
        let mut half = Event::new(5015, olga, minutes_ago(60 - i64::from(n))).file(900 + n, "paper.docx");
        half.target.push(own.clone());
        half.place = Place::MyDocuments;
        portal.add_event(half.clone());
        let mut stored = half.columns();
        stored.references = vec![Reference::Folder(71)];
        portal.add_event(Event { stored: Some(stored), ..half });
    }
    let setting = Setting::with(portal).await;
    let report = report(&setting.run(&["--format", "json"]).await);
    let finding = &report["findings"][0];
    assert_eq!((&finding["room"]["id"], &finding["room"]["attributed"]), (&71.into(), &"log".into()), "{report:#}");
    assert_eq!(finding["counts"]["documents"], 25);
}

/// No log lists downloads, so of two rooms of one title only the place of the documents tells which it was.
#[tokio::test]
async fn downloads_from_one_of_two_namesakes_are_placed_by_where_the_documents_are() {
    let mut portal = portal().with_room(Room::vdr(72, "Falcon"));
    let olga = portal.owner().id;
    for n in 0..25 {
        portal = portal.with_file(StoredFile::new(900 + n, 72, "paper.docx", olga, minutes_ago(9000), b"x"));
        portal
            .add_event(Event::new(5009, olga, minutes_ago(60 - i64::from(n))).file(900 + n, "paper.docx").in_room(72));
    }
    let setting = Setting::with(portal).await;
    let text = setting.run(&[]).await.stdout;
    assert!(text.contains("by where the documents are now"), "{text}");
    let report = report(&setting.run(&["--format", "json"]).await);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    let room = &report["findings"][0]["room"];
    assert_eq!((&room["id"], &room["attributed"]), (&72.into(), &"tree".into()), "{report:#}");
}

/// One event, sixty documents; and when the folder is gone since, as many as the settings say, with "at least".
#[tokio::test]
async fn a_folder_counts_what_it_holds() {
    for (exists, expected) in [(true, "60 actions within 1 h"), (false, "≥ 30 actions within 1 h")] {
        let mut portal = portal();
        let olga = portal.owner().id;
        if exists {
            let title = "Contracts".to_owned();
            portal =
                portal.with_folder(Folder { id: 500, parent: 71, title, author: olga, created: minutes_ago(9000) });
            for n in 0..60 {
                portal = portal.with_file(StoredFile::new(900 + n, 500, "paper.docx", olga, minutes_ago(9000), b"x"));
            }
        }
        portal.add_event(folder_event(5057, minutes_ago(60), olga));
        let setting = Setting::with(portal).await;
        let config = setting.config("folder_weight = 30\n");
        let text = setting.run(&["--config", &config]).await.stdout;
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

fn folder_event(action: i32, at: chrono::DateTime<chrono::Utc>, actor: uuid::Uuid) -> Event {
    let mut folder = Event::new(action, actor, at).file(500, "Contracts").in_room(71);
    folder.target = vec!["500".to_owned()];
    folder
}

/// Nobody downloads an empty folder: what it held then is gone when the run looks.
#[tokio::test]
async fn a_folder_that_was_emptied_after_its_download_is_not_one_document() {
    let mut portal = portal();
    let olga = portal.owner().id;
    let (title, created) = ("Contracts".to_owned(), minutes_ago(9000));
    portal = portal.with_folder(Folder { id: 500, parent: 71, title, author: olga, created });
    portal.add_event(folder_event(5057, minutes_ago(60), olga));
    let setting = Setting::with(portal).await;
    let config = setting.config("folder_weight = 30\n");
    let text = setting.run(&["--config", &config]).await.stdout;
    assert!(text.contains("≥ 30 actions within 1 h"), "{text}");
}

#[tokio::test]
async fn weights_beyond_reason_are_refused() {
    let setting = Setting::with(portal()).await;
    let config = setting.config("folder_weight = 9000000000000000000\n");
    let ended = setting.run(&["--config", &config]).await;
    assert_eq!(ended.exit, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("folder_weight"), "{}", ended.stderr);
}

/// Both rows of a move between two watched rooms name a room; it is one act, of the room that the documents left.
#[tokio::test]
async fn a_move_between_two_rooms_is_told_once() {
    let mut portal = portal().with_room(Room::vdr(72, "Eagle"));
    let olga = portal.owner().id;
    for n in 0..25 {
        for room in [72, 71] {
            let mut half =
                Event::new(5015, olga, minutes_ago(60 - i64::from(n))).file(900 + n, "paper.docx").in_room(room);
            half.target.push("72".to_owned());
            portal.add_event(half);
        }
    }
    let setting = Setting::with(portal).await;
    let report = report(&setting.run(&["--format", "json"]).await);
    let rooms: Vec<&Value> =
        report["findings"].as_array().unwrap().iter().map(|finding| &finding["room"]["id"]).collect();
    assert_eq!(rooms, [71]);
}

#[tokio::test]
async fn an_expected_finding_is_in_the_json_report_only() {
    let mut portal = portal();
    let olga = portal.owner().id;
    for n in 0..25 {
        portal
            .add_event(Event::new(5009, olga, minutes_ago(60 - i64::from(n))).file(900 + n, "paper.docx").in_room(71));
    }
    let setting = Setting::with(portal).await;
    let exclude = |until: &str| {
        setting
            .config(&format!("[[exclude]]\nrooms = [\"Falcon\"]\nreason = \"closing binder\"\nuntil = \"{until}\"\n"))
    };
    let config = exclude("2027-01-01");
    let text = setting.run(&["--config", &config, "--exit-code"]).await;
    assert_eq!((text.exit, text.stdout.as_str()), (0, ""), "{}", text.stderr);
    let json = report(&setting.run(&["--config", &config, "--format", "json"]).await);
    let finding = &json["findings"][0];
    assert_eq!(finding["state"], "silenced");
    assert!(finding["reasons"].to_string().contains("expected until 2027-01-01: closing binder"));
    assert_eq!(json["suspiciousUsers"], serde_json::json!([]));
    let text = setting.run(&["--config", &exclude("2026-11-20")]).await.stdout;
    assert!(text.contains("25 actions") && text.contains("does not count any more: closing binder"), "{text}");
}
