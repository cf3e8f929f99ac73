//! What the portal does not tell about single folders and documents is never taken for nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Event, Fault, FaultBody, FaultKind, Folder, Person, Room, Scenario, StoredFile};

use crate::common::{Setting, now};

/// Source and reason of each gap.
fn gaps(run: &cli_test::Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let report = run.json();
    let gaps = report["coverage"]["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| (text(&gap["what"]), text(&gap["why"]))).collect()
}

fn gap(what: &str, why: &str) -> (String, String) {
    (what.to_owned(), why.to_owned())
}

/// One row about a folder of sixty documents.
fn folder_downloaded() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    let created = now() - TimeDelta::days(9);
    portal = portal.with_folder(Folder { id: 500, parent: 71, title: "Contracts".to_owned(), author: olga, created });
    for n in 0..60 {
        portal = portal.with_file(StoredFile::new(900 + n, 500, "paper.docx", olga, created, b"x"));
    }
    let mut event = Event::new(5057, olga, now() - TimeDelta::hours(1)).file(500, "Contracts").in_room(71);
    event.target = vec!["500".to_owned()];
    portal.add_event(event);
    portal
}

#[tokio::test]
async fn a_folder_that_could_not_be_weighed_is_no_all_clear() {
    for (status, why) in [(500, "portal_error"), (502, "portal_error"), (403, "permission")] {
        let setting = Setting::with(folder_downloaded()).await;
        setting.sim.set_faults(vec![Fault::status(status).on("files/folder/500/path")]);
        let blind = setting.run(&["--format", "json"]).await;
        assert_eq!(blind.exit, 4, "{status}: {}", blind.stdout);
        assert!(gaps(&blind).iter().any(|(what, told)| what.ends_with("folders") && told == why), "{:?}", gaps(&blind));
        setting.sim.set_faults(Vec::new());
        let seeing = setting.run(&["--format", "json"]).await;
        assert_eq!((seeing.exit, gaps(&seeing)), (0, vec![]), "{status}: {}", seeing.stdout);
        assert_eq!(seeing.json()["findings"][0]["counts"]["documents"], 60, "{}", seeing.stdout);
    }
}

/// Somebody who trashes what they downloaded does not leave a hole that is never closed.
#[tokio::test]
async fn one_folder_that_is_hidden_for_good_is_forgotten_with_its_window() {
    let mut setting = Setting::with(folder_downloaded()).await;
    let denied = FaultKind::Status { status: 403, body: Some(FaultBody::Error) };
    setting.sim.set_faults(vec![Fault::new(denied).on("files/folder/500/path")]);
    let first = setting.run(&["--format", "json"]).await;
    assert_eq!((first.exit, gaps(&first)), (4, vec![gap("hidden_folders", "permission")]), "{}", first.stdout);
    for (hours, exit) in [(20, 4), (34, 0)] {
        let later = now() + TimeDelta::hours(hours);
        setting.sim.edit(|portal| portal.now = later);
        setting.scenario.now = later;
        let run = setting.run(&["--format", "json"]).await;
        assert_eq!((run.exit, gaps(&run).is_empty()), (exit, exit == 0), "{hours}: {}", run.stdout);
    }
}

/// Forty-five downloads from a room that is not watched and has the title of one that is.
#[tokio::test]
async fn a_room_that_is_guessed_says_that_the_documents_could_not_be_looked_up() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal = portal.with_room(Room::vdr(72, "Falcon").room_type(2));
    let olga = portal.owner().id;
    for n in 0..45 {
        let at = now() - TimeDelta::minutes(60 - i64::from(n));
        portal = portal.with_file(StoredFile::new(900 + n, 72, "paper.docx", olga, at, b"x"));
        portal.add_event(Event::new(5009, olga, at).file(900 + n, "paper.docx").in_room(72));
    }
    let setting = Setting::with(portal.clone()).await;
    let seeing = setting.run(&["--format", "json"]).await;
    assert_eq!((seeing.exit, seeing.json()["findings"].as_array().unwrap().len()), (0, 0), "{}", seeing.stdout);

    let setting = Setting::with(portal).await;
    setting.sim.set_faults(vec![Fault::status(500).on("files/file")]);
    let blind = setting.run(&["--format", "json"]).await;
    assert_eq!((blind.exit, gaps(&blind)), (4, vec![gap("files", "portal_error")]), "{}", blind.stdout);
    let told = blind.json()["findings"].to_string();
    assert!(!told.contains("records do not tell them apart"), "{told}");
    assert!(told.contains("where the documents are could not be looked up"), "{told}");
    let asked: BTreeSet<String> = setting.sim.requests().into_iter().map(|request| request.target).collect();
    let asked = asked.iter().filter(|target| target.contains("files/file/")).count();
    assert_eq!(asked, 5, "what fails five times alike is not asked on");
}

/// Forty-five documents of two folders: each document is asked for, and each folder once.
#[tokio::test]
async fn the_place_of_a_folder_is_asked_once_in_a_run() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon")).with_room(Room::vdr(72, "Falcon"));
    let olga = portal.owner().id;
    let created = now() - TimeDelta::days(9);
    portal = portal.with_folder(Folder { id: 500, parent: 72, title: "Contracts".to_owned(), author: olga, created });
    for n in 0..45 {
        let at = now() - TimeDelta::minutes(60 - i64::from(n));
        let folder = if n % 2 == 0 { 500 } else { 72 };
        portal = portal.with_file(StoredFile::new(900 + n, folder, "paper.docx", olga, created, b"x"));
        portal.add_event(Event::new(5009, olga, at).file(900 + n, "paper.docx").in_room(72));
    }
    let setting = Setting::with(portal).await;
    let run = setting.run(&["--format", "json"]).await;
    assert_eq!(run.json()["findings"][0]["room"]["id"], 72, "{}", run.stdout);
    let asked: Vec<String> = setting.sim.requests().into_iter().map(|request| request.target).collect();
    let paths = asked.iter().filter(|target| target.contains("files/folder/") && target.contains("/path"));
    assert_eq!(paths.collect::<BTreeSet<_>>().len(), 2, "{asked:#?}");
    assert_eq!(asked.iter().filter(|target| target.contains("/path")).count(), 2, "{asked:#?}");
}

/// Thirty people who did too much: who they are, and what in the room, is asked when they are found, and when there is more.
#[tokio::test]
async fn a_known_finding_costs_no_requests_until_it_grows_or_a_day_is_over() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    for n in 0..30 {
        portal.people.push(Person::new(&format!("p{n}@example.com"), "P", &format!("{n}")));
    }
    let people: Vec<_> = portal.people.iter().skip(1).map(|person| person.id).collect();
    let download = |person, file: i32, minutes| {
        Event::new(5009, person, now() - TimeDelta::minutes(minutes)).file(900 + file, "paper.docx").in_room(71)
    };
    for person in &people {
        for n in 0..25 {
            portal.add_event(download(*person, n, 60 - i64::from(n)));
        }
    }
    let mut setting = Setting::with(portal).await;
    let looked_up = |setting: &Setting| {
        let asked = setting.sim.requests().into_iter().map(|request| request.target);
        let asked = asked.filter(|target| target.contains("api/2.0/people/") || target.contains("/share"));
        asked.filter(|target| !target.contains("@self")).count()
    };
    let first = setting.run(&["--format", "json"]).await;
    assert_eq!((first.exit, first.json()["findings"].as_array().unwrap().len()), (0, 30), "{}", first.stdout);
    assert_eq!(looked_up(&setting), 31);
    let again = setting.run(&["--format", "json"]).await;
    assert_eq!(looked_up(&setting), 31, "{:#?}", setting.sim.requests());
    let people_of = |run: &cli_test::Run| {
        let report = run.json();
        report["findings"].as_array().unwrap().iter().map(|finding| finding["person"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(people_of(&again), people_of(&first), "as it was remembered");
    setting.sim.edit(|portal| {
        portal.add_event(download(people[0], 40, 10));
    });
    setting.run(&[]).await;
    assert_eq!(looked_up(&setting), 33, "one person, and the members of the room");
    let later = now() + TimeDelta::hours(24);
    setting.scenario.now = later;
    setting.sim.edit(|portal| portal.now = later);
    setting.run(&["--since", "25h"]).await;
    assert_eq!(looked_up(&setting), 33 + 31, "after a day");
}
