//! A leak that stays below the limits of an hour and a day: beside what somebody usually does, and beside what the room holds.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Folder, Person, Room, Scenario, StoredFile};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{Setting, assert_valid, now};

const DOWNLOADED: i32 = 5009;
const SAVED: i32 = 5034;

/// A room of so many documents in one folder, and somebody who has saved a few of them each morning for three weeks.
fn room(documents: i32) -> (Scenario, Uuid) {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.people.push(Person::new("mallory@example.com", "Mallory", "Quick"));
    let (olga, mallory) = (portal.owner().id, portal.people[1].id);
    let made = now() - TimeDelta::days(60);
    portal =
        portal.with_folder(Folder { id: 500, parent: 71, title: "Signed".to_owned(), author: olga, created: made });
    for n in 0..documents {
        portal = portal.with_file(StoredFile::new(900 + n, 500, "paper.docx", olga, made, b"x"));
    }
    for day in 2..23 {
        for n in 0..8 {
            let at = now() - TimeDelta::days(day) + TimeDelta::minutes(40 * n);
            portal.add_event(Event::new(SAVED, mallory, at).file(900 + n as i32 % 4, "paper.docx").in_room(71));
        }
    }
    (portal, mallory)
}

/// The program has watched for three weeks; then comes the evening, and the next run.
async fn found(documents: i32, downloads: i32, begin: DateTime<Utc>, settings: &str) -> (Value, String) {
    let (mut portal, mallory) = room(documents);
    let yesterday = now() - TimeDelta::days(1);
    portal.now = yesterday;
    let mut setting = Setting::with(portal).await;
    let before = setting.run(&["--since", "28d"]).await;
    assert_eq!((before.exit, before.stdout.as_str()), (0, ""), "{}", before.stderr);
    setting.scenario.now = now();
    setting.sim.edit(|portal| {
        portal.now = now();
        for n in 0..downloads {
            let at = begin + TimeDelta::minutes(5) * n;
            portal.add_event(Event::new(DOWNLOADED, mallory, at).file(900 + n, "paper.docx").in_room(71));
        }
    });
    let config = setting.config(settings);
    let json = setting.run(&["--dry-run", "--format", "json", "--config", &config]).await;
    assert_eq!(json.exit, 0, "{}", json.stderr);
    assert_valid(&json.stdout);
    (json.json(), setting.run(&["--config", &config]).await.stdout)
}

fn evening() -> DateTime<Utc> {
    now() - TimeDelta::hours(12)
}

/// 34 documents in 2 h 45 min are 12 an hour and 34 a day: below all limits for those.
#[tokio::test]
async fn half_of_a_room_in_an_evening_is_found_though_no_hour_is_full() {
    let (report, text) = found(64, 34, evening(), "limits.share_of_room = 50\n").await;
    let finding = &report["findings"][0];
    let reasons: Vec<&str> = finding["reasons"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(
        reasons[..2],
        [
            "34 actions within 24 h outside the usual hours, 08:00 to 15:00: more than 20",
            "34 of 64 documents of the room downloaded within 30 days (53 %), more than 50 %",
        ]
    );
    assert_eq!((&finding["severity"], &finding["counts"]["documents"]), (&"medium".into(), &34.into()));
    for (member, value) in [
        ("classes", json!({ "download": 34 })),
        ("share_of_room", json!({ "documents": 64, "percent": 53 })),
        ("usual_hours", json!({ "hours": [8, 9, 10, 11, 12, 13, 14], "outside": 34 })),
        ("folders", json!([{ "id": 500, "title": "Signed", "documents": 34 }])),
        ("rhythm", json!({ "first": "2026-11-19T21:00:00Z", "last": "2026-11-19T23:45:00Z", "pause_seconds": 300 })),
    ] {
        assert_eq!(finding[member], value, "{member}");
    }
    assert_eq!(finding["room_owner"]["email"], "olga@example.com");
    for part in [
        "mostly every 5 min from 2026-11-19 21:00 to 2026-11-19 23:45, outside the usual hours, 08:00 to 15:00",
        "34 of 64 documents of the room (53 %); in folder \"Signed\": 34",
        "MEDIUM Mallory Quick, 34 downloads in 2 h 45 min, room 71 \"Falcon\"",
        "ask the room's owner (Olga Owner <olga@example.com>), and not Mallory Quick, whether",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// A data room is there to be downloaded: at ordinary hours that is news only to those who ask for it, and then not urgent.
#[tokio::test]
async fn most_of_a_room_at_ordinary_hours_is_told_where_it_is_wanted_and_as_of_low_severity() {
    let morning = now() - TimeDelta::hours(22) - TimeDelta::minutes(30);
    let (report, text) = found(64, 34, morning, "").await;
    assert_eq!((&report["findings"], text.as_str()), (&json!([]), ""));
    let (report, text) = found(64, 34, morning, "limits.share_of_room = 50\n").await;
    assert_eq!(report["findings"][0]["severity"], "low", "{report:#}");
    assert!(text.starts_with("vdr-watch: LOW Mallory Quick, 34 downloads in 2 h 45 min"), "{text}");
}

/// Every morning fifteen documents, which no limit of a day sees.
#[tokio::test]
async fn thirty_days_have_a_limit_of_their_own() {
    let (mut portal, mallory) = room(640);
    portal.now = now() - TimeDelta::days(1);
    for day in 1..20 {
        for n in 0..15 {
            let (at, file) = (now() - TimeDelta::days(day) - TimeDelta::minutes(10 * n), 900 + (day * 15 + n) as i32);
            portal.add_event(Event::new(DOWNLOADED, mallory, at).file(file, "paper.docx").in_room(71));
        }
    }
    // a run that remembers nothing reads the thirty days
    for remembers in [true, false] {
        let setting = Setting::with(portal.clone()).await;
        let config = setting.config("limits.per_30_days = 200\n");
        if remembers {
            assert_eq!(setting.run(&["--since", "28d"]).await.stdout, "");
        }
        let run = setting.run(&["--format", "json", "--config", &config]).await;
        let finding = &run.json()["findings"][0];
        let reason = finding["reasons"][0].as_str().unwrap_or_default();
        assert!(reason.ends_with("actions within 30 days, more than 200"), "{}", run.stdout);
        // what is told is the last day
        assert_eq!(finding["counts"]["acts"], 15 + 8, "{}", run.stdout);
    }
}

#[tokio::test]
async fn limits_are_tried_on_what_is_remembered_before_one_is_chosen() {
    let setting = Setting::new("incident").await;
    let empty = setting.run_with(&["backtest", "--portal", &setting.sim.url()]).await;
    assert!(empty.exit == 0 && empty.stdout.starts_with("Nothing is remembered of "), "{}", empty.stdout);
    assert!(empty.stdout.contains("Let vdr-watch run") && !empty.stdout.contains("20/1h"), "{}", empty.stdout);
    setting.run(&[]).await;
    let asked = setting.sim.requests().len();
    let limits = ["backtest", "--limits", "20/1h,1000/24h,30/30d,50%/30d"];
    let run = setting.run_with(&[&limits[..], &["--portal", &setting.sim.url()]].concat()).await;
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    assert_eq!(setting.sim.requests().len(), asked, "nothing is asked of the portal");
    let rows: Vec<Vec<&str>> = run.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let row =
        |name: &str| rows.iter().find(|row| row.first() == Some(&name)).unwrap_or_else(|| panic!("{}", run.stdout));
    assert!(row("20/1h").contains(&"Mallory"), "{}", run.stdout);
    assert_eq!((row("1000/24h")[1], row("1000/24h")[3]), ("0", "nobody"), "{}", run.stdout);
    assert!(row("30/30d").contains(&"Mallory"), "{}", run.stdout);
    assert!(row("50%/30d").contains(&"nobody"), "{}", run.stdout);
    // a day of thirty is remembered: divided by the thirty, one finding would look like a fifth of one
    assert_eq!((row("20/1h")[1], row("20/1h")[2]), ("1", "-"), "{}", run.stdout);
    assert!(run.stdout.contains("Less than a week is remembered"), "{}", run.stdout);
    setting.run(&["--since", "14d"]).await;
    let run = setting.run_with(&[&limits[..], &["--since", "90d", "--portal", &setting.sim.url()]].concat()).await;
    assert!(run.stdout.contains("those of the 2.0 weeks that are remembered"), "{}", run.stdout);
    assert!(run.stdout.contains("20/1h             1       0.5 "), "{}", run.stdout);
}
