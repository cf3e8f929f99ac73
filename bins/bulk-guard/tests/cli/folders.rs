//! What stands behind an action on a whole folder or room, before and after somebody took it away.

use chrono::TimeDelta;
use portal_sim::{Event, PersonKind, Place};

use crate::common::{FOLDER_DOWNLOADED, filled, found, hire, json, now, office, plan, row, setting, taken_away};

/// Nobody can list the folders any more: they lie in the leaver's trash, or are gone. A program that has looked before knows what was in
/// them.
#[tokio::test]
async fn a_leaver_who_takes_whole_folders_away_is_told_with_what_they_held() {
    // where exactly something went that nobody else can see is a gap
    for (action, severity, is_planned, exit) in [
        (5026, "medium", false, 0),
        (5027, "critical", true, 0),
        (5025, "medium", false, 4),
        (5057, "medium", false, 0),
    ] {
        let mut portal = office();
        let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
        portal.now -= TimeDelta::minutes(5);
        filled(&mut portal, 9_001, 600);
        let mut setting = setting(portal).await;
        setting.scenario.now = setting.sim.now();
        assert_eq!(found(&json(&setting, &[]).await), []);
        setting.sim.edit(|portal| {
            portal.now = now();
            taken_away(portal, &mallory, action, 9_001, 2);
        });
        setting.scenario.now = now();
        let run = json(&setting, &[]).await;
        assert_eq!(found(&run), [row("mallory@example.com", severity, is_planned)], "{action}: {}", run.stdout);
        let finding = &run.json()["findings"][0];
        assert_eq!((&finding["file_count"], run.exit), (&600.into(), exit), "{action}");
        assert!(run.stdout.contains("whole folder or room \\\"Folder 9001\\\" (600)"), "{}", run.stdout);
        assert_eq!(plan(&run).len(), usize::from(is_planned));
    }
}

/// The inner folder first, and then the outer one that held it: six hundred documents are six hundred.
#[tokio::test]
async fn folders_in_folders_count_once() {
    for (action, files, severity) in [(5026, 600, "medium"), (5027, 60, "high"), (5057, 600, "medium")] {
        let mut portal = office();
        let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
        portal.now -= TimeDelta::minutes(5);
        filled(&mut portal, 9_001, files);
        let (author, created) = (mallory.id, portal.now - TimeDelta::days(9));
        let outer = portal_sim::Folder { id: 9_000, parent: 71, title: "Outer".to_owned(), author, created };
        portal.content.folders.push(outer);
        portal.content.folders.iter_mut().filter(|one| one.id == 9_001).for_each(|one| one.parent = 9_000);
        let mut setting = setting(portal).await;
        setting.scenario.now = setting.sim.now();
        assert_eq!(found(&json(&setting, &[]).await), []);
        setting.sim.edit(|portal| {
            portal.now = now();
            taken_away(portal, &mallory, action, 9_001, 2);
            taken_away(portal, &mallory, action, 9_000, 1);
        });
        setting.scenario.now = now();
        let run = json(&setting, &[]).await;
        // at twice sixty for good somebody would be planned
        assert_eq!(found(&run), [row("mallory@example.com", severity, false)], "{action}: {}", run.stdout);
        assert_eq!(run.json()["findings"][0]["file_count"], files, "{action}: {}", run.stdout);
    }
}

/// Two rooms of four, with all that is in them.
#[tokio::test]
async fn deleted_rooms_are_told_with_what_they_held() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    portal.now -= TimeDelta::minutes(5);
    filled(&mut portal, 9_001, 30);
    let mut setting = setting(portal).await;
    setting.scenario.now = setting.sim.now();
    assert_eq!(found(&json(&setting, &[]).await), []);
    setting.sim.edit(|portal| {
        portal.now = now();
        for (room, minutes_ago) in [(71, 2), (72, 1)] {
            portal.rooms.retain(|one| one.id != room);
            let mut deleted = Event::new(5074, mallory.id, now() - TimeDelta::minutes(minutes_ago)).in_room(room);
            deleted.target = vec![room.to_string()];
            portal.add_event(deleted);
        }
    });
    setting.scenario.now = now();
    let run = json(&setting, &[]).await;
    assert_eq!(found(&run), [row("mallory@example.com", "high", false)], "{}", run.stdout);
    // an empty room counts as one
    assert_eq!(run.json()["findings"][0]["file_count"], 31);
}

/// The first run comes too late: rather a word too many than silence, and nobody is planned.
#[tokio::test]
async fn a_folder_that_nobody_can_weigh_any_more_is_told_and_is_no_all_clear() {
    for (action, is_gone) in [(5026, false), (5027, true), (5074, true), (5025, false), (5057, false)] {
        let mut portal = office();
        let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
        filled(&mut portal, 9_001, 600);
        taken_away(&mut portal, &mallory, action, 9_001, 2);
        if is_gone {
            portal.content.folders.clear();
        }
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(found(&run), [row("mallory@example.com", "medium", false)], "{action}: {}", run.stdout);
        assert_eq!((run.exit, &run.json()["findings"][0]["uncountable"]), (4, &1.into()), "{action}");
        assert!(run.stdout.contains("not countable"), "{}", run.stdout);
        let words = "1 folder or room, whose contents could not be counted, within a minute";
        assert!(run.stdout.contains(words) && !run.stdout.contains('≥'), "{}", run.stdout);
    }
}

/// Nobody but the owner can list what lies in My documents; a folder deleted there is no gap and no finding.
#[tokio::test]
async fn folders_among_ones_own_documents_are_ones_own() {
    for action in [5026, 5057] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let own = portal.my_documents(mara.id);
        let made = now() - TimeDelta::days(2);
        let folder =
            portal_sim::Folder { id: 500, parent: own, title: "Own".to_owned(), author: mara.id, created: made };
        portal.content.folders.push(folder);
        let mut event = Event::new(action, mara.id, now() - TimeDelta::minutes(9));
        event.target = vec!["500".to_owned()];
        event.place = Place::MyDocuments;
        portal.add_event(event);
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!((found(&run), run.exit), (vec![], 0), "{action}: {}", run.stdout);
    }
}

/// What a folder held when it was downloaded in the morning is not what is deleted with it in the evening.
#[tokio::test]
async fn a_folder_is_weighed_again_when_it_is_deleted() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let mut downloaded = Event::new(FOLDER_DOWNLOADED, mara.id, portal.now - TimeDelta::minutes(40)).in_room(71);
    downloaded.target = vec!["500".to_owned()];
    portal.add_event(downloaded);
    let made = portal_sim::Folder {
        id: 500,
        parent: 71,
        title: "Folder 500".to_owned(),
        author: mara.id,
        created: portal.now - TimeDelta::hours(2),
    };
    portal.content.folders.push(made);
    let mut setting = setting(portal).await;
    assert_eq!(found(&json(&setting, &[]).await), []);
    // it is filled within an hour, twenty at a time
    for _ in 0..3 {
        setting.sim.edit(|portal| {
            portal.now += TimeDelta::minutes(20);
            for n in 0..20 {
                let (id, at) = (portal.content.files.len() as i32 + 60_000, portal.now - TimeDelta::seconds(n));
                portal.content.files.push(portal_sim::StoredFile::new(id, 500, "a.docx", mara.id, at, b"x"));
                portal.add_event(Event::new(5011, mara.id, at).file(id, "a.docx").in_room(71));
            }
        });
        setting.scenario.now = setting.sim.now();
        assert_eq!(found(&json(&setting, &[]).await), []);
    }
    setting.sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        taken_away(portal, &mara, 5026, 500, 0);
        portal.now += TimeDelta::seconds(2);
    });
    setting.scenario.now = setting.sim.now();
    let run = json(&setting, &[]).await;
    let exceeded = run.json()["findings"][0]["exceeded"].clone();
    let deleted = exceeded.as_array().unwrap().iter().find(|one| one["kind"] == "deleted");
    assert_eq!(deleted.unwrap()["documents"], 60, "{}", run.stdout);
}
