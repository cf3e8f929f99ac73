//! A folder is one row of the audit trail, however much it holds. What it held counts, and where nobody knows that, it is named.

use chrono::TimeDelta;
use portal_sim::{Event, Folder, Person, Room, Scenario, StoredFile};

use crate::common::{Setting, now};

const DOWNLOADED: i32 = 5057;
const TRASHED: i32 = 5026;
const MOVED: i32 = 5025;

/// Sixty documents in a folder of a room, and somebody who may do something to it.
fn room_with_folder() -> Scenario {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.people.push(Person::new("mallory@example.com", "Mallory", "Quick"));
    let (author, created) = (portal.owner().id, now() - TimeDelta::days(9));
    portal = portal.with_folder(Folder { id: 500, parent: 71, title: "Contracts".to_owned(), author, created });
    for n in 0..60 {
        portal = portal.with_file(StoredFile::new(900 + n, 500, "paper.docx", author, created, b"x"));
    }
    portal
}

fn done_to_folder(portal: &Scenario, action: i32, minutes_ago: i64) -> Event {
    let at = portal.now - TimeDelta::minutes(minutes_ago);
    let mut event = Event::new(action, portal.people[1].id, at).file(500, "Contracts").in_room(71);
    event.target = vec!["500".to_owned()];
    event
}

/// Ten minutes later the folder is out of everybody's sight but Mallory's.
fn taken(setting: &mut Setting, actions: &[i32], emptied: bool) {
    let later = now() + TimeDelta::minutes(10);
    setting.scenario.now = later;
    setting.sim.edit(|portal| {
        portal.now = later;
        let own = portal.my_documents(portal.people[1].id);
        portal.content.folders.iter_mut().filter(|folder| folder.id == 500).for_each(|folder| folder.parent = own);
        if emptied {
            portal.content.files.retain(|file| file.folder != 500);
        }
        for (n, action) in (0..).zip(actions) {
            let event = done_to_folder(portal, *action, 5 - n);
            portal.add_event(event);
        }
    });
}

#[tokio::test]
async fn what_was_in_a_folder_counts_after_somebody_took_it_away() {
    for (actions, emptied, acts) in
        [(vec![DOWNLOADED, TRASHED], false, 120), (vec![MOVED], false, 60), (vec![DOWNLOADED, TRASHED], true, 120)]
    {
        let mut setting = Setting::with(room_with_folder()).await;
        let before = setting.run(&["--format", "json"]).await;
        assert_eq!((before.exit, before.json()["findings"].as_array().unwrap().len()), (0, 0), "{}", before.stdout);
        taken(&mut setting, &actions, emptied);
        let run = setting.run(&["--format", "json"]).await;
        let finding = &run.json()["findings"][0];
        assert_eq!((run.exit, &finding["counts"]["acts"]), (0, &acts.into()), "{actions:?} {emptied}: {}", run.stdout);
        assert_eq!(finding["counts"]["documents"], 60);
        assert_eq!(finding["person"]["email"], "mallory@example.com");
    }
}

/// The inner folder first, and then the outer one that held it: sixty documents are sixty.
#[tokio::test]
async fn folders_in_folders_count_once() {
    for action in [DOWNLOADED, TRASHED] {
        let mut portal = room_with_folder();
        let (author, created) = (portal.owner().id, now() - TimeDelta::days(9));
        portal = portal.with_folder(Folder { id: 400, parent: 71, title: "Outer".to_owned(), author, created });
        portal.content.folders.iter_mut().filter(|one| one.id == 500).for_each(|one| one.parent = 400);
        let mut setting = Setting::with(portal).await;
        setting.run(&["--format", "json"]).await;
        taken(&mut setting, &[action], false);
        setting.sim.edit(|portal| {
            let mut outer = done_to_folder(portal, action, 3);
            outer.target = vec!["400".to_owned()];
            portal.add_event(outer);
        });
        let run = setting.run(&["--format", "json"]).await;
        let counts = &run.json()["findings"][0]["counts"];
        assert_eq!((&counts["acts"], &counts["documents"]), (&60.into(), &60.into()), "{action}: {}", run.stdout);
    }
}

/// What somebody downloads with an inner folder and then throws away with the outer one are two actions on one document.
#[tokio::test]
async fn a_folder_that_is_downloaded_and_trashed_with_the_one_around_it_is_the_same_documents() {
    let mut portal = room_with_folder();
    let (author, created) = (portal.owner().id, now() - TimeDelta::days(9));
    portal = portal.with_folder(Folder { id: 400, parent: 71, title: "Outer".to_owned(), author, created });
    for n in 0..30 {
        portal = portal.with_file(StoredFile::new(800 + n, 400, "draft.docx", author, created, b"x"));
    }
    portal.content.folders.iter_mut().filter(|one| one.id == 500).for_each(|one| one.parent = 400);
    let mut setting = Setting::with(portal).await;
    setting.run(&["--format", "json"]).await;
    setting.scenario.now = now() + TimeDelta::minutes(10);
    setting.sim.edit(|portal| {
        portal.now = now() + TimeDelta::minutes(10);
        let downloaded = done_to_folder(portal, DOWNLOADED, 5);
        let mut outer = done_to_folder(portal, TRASHED, 3);
        outer.target = vec!["400".to_owned()];
        portal.add_event(downloaded);
        portal.add_event(outer);
    });
    let run = setting.run(&["--format", "json"]).await;
    let counts = &run.json()["findings"][0]["counts"];
    assert_eq!((&counts["acts"], &counts["documents"]), (&150.into(), &90.into()), "{}", run.stdout);
}

/// The first run comes after it. Whatever such a folder counts, it is named, and nobody says that all is well.
#[tokio::test]
async fn a_folder_that_nobody_could_weigh_is_named_whatever_it_counts() {
    for weight in ["", "folder_weight = 1\n"] {
        let mut portal = room_with_folder();
        portal.content.folders.clear();
        portal.content.files.clear();
        let event = done_to_folder(&portal, TRASHED, 60);
        portal.add_event(event);
        let setting = Setting::with(portal).await;
        let config = setting.config(weight);
        let json = setting.run(&["--dry-run", "--config", &config, "--format", "json"]).await;
        let report = json.json();
        assert_eq!((json.exit, &report["coverage"]["complete"]), (4, &false.into()), "{weight}: {}", json.stdout);
        assert!(report["coverage"]["gaps"].to_string().contains("hidden_folders"), "{}", json.stdout);
        assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{weight}: {}", json.stdout);
        assert_eq!(report["findings"][0]["evidence"][0]["target"], "500");
        let text = setting.run(&["--config", &config]).await;
        assert_eq!(text.exit, 4, "{}", text.stdout);
        for part in ["Mallory Quick", "nobody could tell how many documents were in folder 500", "there may be more"] {
            assert!(text.stdout.contains(part), "{weight}: {part} in {}", text.stdout);
        }
    }
}
