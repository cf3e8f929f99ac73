//! Nobody is called inactive from records that are not whole, and no all-clear is given.

use portal_sim::{Event, Fault, FaultKind, Place, Room, Scenario, StoredFile};
use serde_json::Value;

use crate::common::{Run, assert_valid, now, settings_file, start_portal};
use crate::reports::found;
use crate::world::{EAGLE, FALCON, HAWK, id, world};

/// Mails are about the present, so these portals stand at the true time.
#[expect(clippy::disallowed_methods, reason = "what is too old to write about depends on the clock")]
fn true_now() -> chrono::DateTime<chrono::Utc> {
    chrono::SubsecRound::trunc_subsecs(chrono::Utc::now(), 0)
}

fn report(ended: &Run) -> Value {
    assert_valid(&ended.stdout);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn unknown(report: &Value) -> usize {
    report["rooms"].as_array().unwrap().iter().map(|room| room["unknown"].as_array().unwrap().len()).sum()
}

#[tokio::test]
async fn without_the_audit_feature_nothing_can_be_concluded() {
    let setting = start_portal(world(now()).with_audit(false)).await;
    let text = setting.run(&[]).await;
    assert_eq!((text.exit, text.stderr.as_str()), (1, ""));
    assert!(text.stdout.starts_with("nudge-inactive: nothing can be concluded"), "{}", text.stdout);
    let json = report(&setting.run(&["--format", "json"]).await);
    assert_eq!(found(&json).len(), 0);
}

#[tokio::test]
async fn an_unreadable_row_leaves_everybody_unknown_who_was_not_seen() {
    let mut portal = world(now());
    let olga = portal.owner().id;
    portal.add_event(Event::poison(olga, now() - chrono::TimeDelta::days(8)));
    let setting = start_portal(portal).await;
    let ended = setting.run(&["--format", "json"]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    let json = report(&ended);
    assert_eq!(found(&json).len(), 0);
    assert!(unknown(&json) >= 5, "{}", ended.stdout);
    let text = setting.run(&["--print", "text"]).await;
    assert!(text.stdout.starts_with("nudge-inactive: incomplete"), "{}", text.stdout);
    assert!(!text.stdout.contains("All monitored"), "{}", text.stdout);
}

#[tokio::test]
async fn a_window_shorter_than_the_period_condemns_nobody() {
    let setting = start_portal(world(now())).await;
    let json = report(&setting.run(&["--since", "2026-11-13T09:00:00Z", "--format", "json"]).await);
    assert_eq!(found(&json).len(), 0);
    assert!(unknown(&json) > 0);
}

/// Three days of records say nothing of thirty days, however old people and rooms are.
#[tokio::test]
async fn a_trail_that_begins_inside_the_period_condemns_nobody() {
    let mut portal = Scenario::empty(now());
    let mut room = Room::vdr(FALCON, "Falcon");
    for name in ["Anna", "Ben"] {
        let person = portal_sim::Person::new(&format!("{}@example.com", name.to_lowercase()), name, "Test");
        room.members.push(person.id);
        portal = portal.with_person(person);
    }
    portal.add_room(room);
    portal.events.retain(|event| event.at >= now() - chrono::TimeDelta::days(3));
    let ben = id(&portal, "Ben");
    portal.add_event(Event::new(5064, ben, now() - chrono::TimeDelta::days(3)).file(900, "a.docx").in_room(FALCON));
    let setting = start_portal(portal.clone()).await;
    let ended = setting.run(&["--format", "json"]).await;
    let json = report(&ended);
    assert_eq!((ended.exit, found(&json).len(), unknown(&json)), (0, 0, 1), "{}", ended.stdout);
    assert_eq!(json["rooms"][0]["unknown"][0]["why"], "trail_too_short");
    let text = setting.run(&[]).await.stdout;
    assert!(text.contains("audit trail begins inside the last 30 days"), "no silence: {text}");
    // one event of before is enough
    let olga = portal.owner().id;
    portal.add_event(Event::new(5011, olga, now() - chrono::TimeDelta::days(31)).file(901, "b.docx").in_room(FALCON));
    let setting = start_portal(portal).await;
    let before = setting.sim.requests().len();
    let json = report(&setting.run(&["--format", "json"]).await);
    assert_eq!(found(&json), [(FALCON, "anna".to_owned())].into());
    assert!(setting.sim.requests().len() - before < 40);
}

/// What the scenarios that come with the simulator state is what a run says.
#[tokio::test]
async fn the_truth_of_the_built_in_scenarios_is_told() {
    for name in ["inactive", "short-trail", "incident"] {
        let scenario = Scenario::builtin(name, now()).unwrap();
        let truth = scenario.truth().clone();
        let ours = truth.found.iter().filter(|found| found.program == "nudge-inactive");
        let expected = ours.map(|found| (found.room, found.person.split('@').next().unwrap().to_owned())).collect();
        let ended = start_portal(scenario).await.run(&["--format", "json"]).await;
        let json = report(&ended);
        assert_eq!(found(&json), expected, "{name}: {}", ended.stdout);
        if let Some(exit) = truth.exit.get("nudge-inactive") {
            assert_eq!(ended.exit, i32::from(*exit), "{name}: {}", ended.stderr);
        }
        assert!(name == "inactive" || unknown(&json) > 0, "{name}");
    }
}

/// Rooms that are shared with everyone ask who that is once.
#[tokio::test]
async fn everyone_is_read_once() {
    let mut asked = Vec::new();
    for rooms in [1, 6] {
        let mut portal = world(now());
        for n in 0..120 {
            portal = portal.with_person(portal_sim::Person::new(&format!("p{n}@example.com"), "P", &n.to_string()));
        }
        for room in 0..rooms {
            portal = portal.with_room(Room::vdr(500 + room, &format!("Canteen {room}")));
            portal.share(portal_sim::Share { room: 500 + room, subject: portal_sim::EVERYONE, access: 2 });
        }
        let setting = start_portal(portal).await;
        let ended = setting.run(&["--format", "json"]).await;
        assert_eq!(ended.exit, 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("p119@example.com"));
        let is_about_people = |line: &&portal_sim::RequestLine| line.target.contains("api/2.0/people");
        asked.push(setting.sim.requests().iter().filter(is_about_people).count());
    }
    assert_eq!(asked[0], asked[1], "{asked:?}");
}

#[tokio::test]
async fn a_portal_without_one_event_condemns_nobody() {
    let mut portal = Scenario::empty(now()).with_person(portal_sim::Person::new("anna@example.com", "Anna", "Test"));
    let mut room = Room::vdr(FALCON, "Falcon");
    room.members = vec![id(&portal, "Anna")];
    portal.add_room(room);
    let setting = start_portal(portal).await;
    let json = report(&setting.run(&["--format", "json"]).await);
    assert_eq!((found(&json).len(), unknown(&json)), (0, 1));
}

#[tokio::test]
async fn members_and_logs_that_cannot_be_read_are_gaps() {
    for (route, status, expected, exit) in [
        ("files/rooms/71/share", 500, "members", 4),
        // the list has the room, so it is no reason to say nothing of it
        ("files/rooms/71/share", 404, "members", 4),
        ("files/folder/71/log", 500, "room_log", 4),
        ("files/rooms", 500, "rooms", 1),
        ("files/rooms/7", 500, "members", 1),
    ] {
        let setting = start_portal(world(now())).await;
        setting.sim.set_faults(vec![Fault::status(status).on(route)]);
        let ended = setting.run(&["--format", "json"]).await;
        assert_eq!(ended.exit, exit, "{route}: {}", ended.stderr);
        let json = report(&ended);
        assert!(ended.stdout.contains(&format!("\"what\": \"{expected}\"")), "{route}: {}", ended.stdout);
        assert!(found(&json).iter().all(|(room, _)| *room != FALCON), "{route}: {}", ended.stdout);
    }
}

/// The audit trail of a portal is never empty, also where clocks were changed inside the window.
#[tokio::test]
async fn an_empty_audit_trail_is_not_believed_and_forgotten_when_it_is_over() {
    let setting = start_portal(Scenario::builtin("inactive", now()).unwrap()).await;
    let silence = FaultKind::FewerRows { drop: None, at: None, total: None };
    setting.sim.set_faults(vec![Fault::new(silence).on("security/audit/events/filter")]);
    for _ in 0..2 {
        let ended = setting.run(&["--format", "json"]).await;
        assert_eq!(ended.exit, 1, "{}", ended.stderr);
        assert!(ended.stdout.contains("\"nothing_recorded\""), "{}", ended.stdout);
        assert_eq!(found(&report(&ended)).len(), 0);
    }
    setting.sim.set_faults(Vec::new());
    let ended = setting.run(&["--format", "json"]).await;
    let after = report(&ended);
    let fresh = start_portal(Scenario::builtin("inactive", now()).unwrap()).await;
    let expected = report(&fresh.run(&["--format", "json"]).await);
    assert_eq!((ended.exit, found(&after)), (0, found(&expected)), "{}", ended.stdout);
    assert_eq!(after["coverage"]["audit"]["rows"], expected["coverage"]["audit"]["rows"]);
}

/// Events name these rooms by id, so their logs list something.
#[tokio::test]
async fn empty_logs_of_rooms_in_which_something_happened_are_not_believed() {
    let setting = start_portal(Scenario::builtin("inactive", now()).unwrap()).await;
    let silence = FaultKind::FewerRows { drop: None, at: None, total: Some(0) };
    setting.sim.set_faults(vec![Fault::new(silence).on("files/folder")]);
    let ended = setting.run(&["--format", "json"]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    assert!(gaps(&report(&ended)).contains(&"room_log"), "{}", ended.stdout);
    assert!(ended.stdout.contains("\"room_unreadable\""), "{}", ended.stdout);
}

/// What is missing, by name.
fn gaps(report: &Value) -> Vec<&str> {
    report["coverage"]["gaps"].as_array().unwrap().iter().map(|gap| gap["what"].as_str().unwrap()).collect()
}

/// Somebody was active in a room of which only a title is known that no room has. The place of the document tells; as long as it
/// cannot be looked up, they may have been in any of their rooms.
#[tokio::test]
async fn a_document_that_cannot_be_looked_up_condemns_nobody() {
    let mut portal = world(now());
    let (asleep, olga) = (id(&portal, "Asleep"), portal.owner().id);
    let at = now() - chrono::TimeDelta::days(2);
    let place = Place::Room { id: HAWK, title: "Sparrow".to_owned() };
    portal.add_event(Event { place, ..Event::new(5064, asleep, at).file(930, "plan.docx") });
    let portal = portal.with_file(StoredFile::new(930, HAWK, "plan.docx", olga, at, b"text"));
    let setting = start_portal(portal).await;
    let is_asleep = |json: &Value| found(json).contains(&(EAGLE, "asleep".to_owned()));
    setting.sim.set_faults(vec![Fault::status(500).on("files/file/930")]);
    let ended = setting.run(&["--format", "json"]).await;
    let json = report(&ended);
    assert_eq!((ended.exit, gaps(&json), is_asleep(&json)), (4, vec!["files"], false), "{}", ended.stdout);
    assert_eq!(json["coverage"]["unattributed"], 1);
    let eagle = json["rooms"].as_array().unwrap().iter().find(|room| room["id"] == EAGLE).unwrap();
    assert_eq!(eagle["unknown"][0]["why"], "somewhere_else", "{eagle}");
    // the other room is not theirs
    setting.sim.set_faults(Vec::new());
    let ended = setting.run(&["--format", "json"]).await;
    let json = report(&ended);
    assert_eq!((ended.exit, gaps(&json), is_asleep(&json)), (0, vec![], true), "{}", ended.stdout);
}

/// Rooms are chosen by a tag, and the portal does not say which have it: that is no mistake in the settings.
#[tokio::test]
async fn a_tag_that_cannot_be_looked_up_is_a_gap() {
    let mut portal = world(now());
    portal.tag_room(EAGLE, "deal");
    let setting = start_portal(portal).await;
    let config = settings_file(&setting, "rooms = [\"tag:deal\"]\n");
    setting.sim.set_faults(vec![Fault::status(500).on("files/rooms$").after(1)]);
    let ended = setting.run(&["--config", &config, "--format", "json"]).await;
    let json = report(&ended);
    assert_eq!((ended.exit, gaps(&json), found(&json).len()), (1, vec!["rooms"], 0), "{}", ended.stderr);
    setting.sim.set_faults(Vec::new());
    let ended = setting.run(&["--config", &config, "--format", "json"]).await;
    let json = report(&ended);
    assert_eq!((ended.exit, found(&json)), (0, [(EAGLE, "asleep".to_owned())].into()), "{}", ended.stderr);
    assert_eq!(json["rooms"].as_array().unwrap().len(), 1);
}

/// Two rooms of one title: an opening may have been in either, and nobody is called inactive in the other.
#[tokio::test]
async fn what_may_have_been_in_a_room_counts_there() {
    let mut portal = Scenario::empty(now());
    for name in ["Anna", "Ben"] {
        portal =
            portal.with_person(portal_sim::Person::new(&format!("{}@example.com", name.to_lowercase()), name, "Test"));
    }
    for room in [71, 72] {
        let mut room = Room::vdr(room, "Twin");
        room.members = vec![id(&portal, "Anna"), id(&portal, "Ben")];
        portal.add_room(room);
    }
    let anna = id(&portal, "Anna");
    let at = now() - chrono::TimeDelta::days(2);
    portal.add_event(Event::new(5064, anna, at).file(900, "plan.docx").in_room(71));
    let setting = start_portal(portal).await;
    let json = report(&setting.run(&["--format", "json"]).await);
    assert_eq!(found(&json), [(71, "ben".to_owned()), (72, "ben".to_owned())].into());
}

/// Nobody is asked in a dry run.
const MAIL: &str = "[mail]\nhost = \"localhost\"\nsecurity = \"none\"\nfrom = \"docspace@example.com\"\n";

/// Somebody was to be left in peace and nobody knows who: nobody is written to.
#[tokio::test]
async fn names_of_nobody_hold_every_mail() {
    for text in [
        "service_accounts = [\"robto@example.com\", \"other@example.com\"]\n[remind]\n",
        "exclude_people = [\"robto@example.com\", \"other@example.com\"]\n[remind]\n",
        "[remind]\nstop = [\"robto@example.com\", \"other@example.com\"]\n",
        "[remind]\nsnooze = [{ person = \"robto@example.com\", until = 2100-01-01 }, { person = \"other@example.com\", until = 2100-01-01 }]\n",
    ] {
        let setting = start_portal(world(true_now())).await;
        let config = settings_file(&setting, &format!("{text}enabled = true\n{MAIL}"));
        let url = setting.sim.url();
        let go = async |more: &[&str]| {
            setting.run_with(&[&["--portal", &url, "--config", &config, "--dry-run"], more].concat()).await
        };
        let ended = go(&["--format", "json"]).await;
        assert_eq!(ended.exit, 3, "{text}: {}", ended.stderr);
        let json = report(&ended);
        let actions = json["actions"].as_array().unwrap();
        assert!(actions.iter().all(|action| action["state"] == "held"), "{text}: {actions:?}");
        assert!(actions.iter().any(|action| action["held"] == "unclear"), "{text}: {actions:?}");
        for name in ["`robto@example.com`", "`other@example.com`"] {
            assert!(json["notes"].to_string().contains(name), "{text}: {}", json["notes"]);
        }
    }
    // those who are there are no reason, whatever their ids are written like, nor are those whose time is over
    let portal = world(true_now());
    let asleep = id(&portal, "Asleep");
    let setting = start_portal(portal).await;
    let text = format!(
        "[remind]\nenabled = true\nstop = [\"{{{asleep}}}\"]\n\
         snooze = [{{ person = \"gone@example.com\", until = 2020-01-01 }}]\n{MAIL}"
    );
    let config = settings_file(&setting, &text);
    let url = setting.sim.url();
    let ended = setting.run_with(&["--portal", &url, "--config", &config, "--dry-run", "--format", "json"]).await;
    let json = report(&ended);
    let held: Vec<&Value> = json["actions"].as_array().unwrap().iter().map(|action| &action["held"]).collect();
    assert_eq!((ended.exit, held.iter().filter(|held| **held == "stopped").count()), (0, 1), "{held:?}");
    assert!(held.iter().any(|held| held.is_null()) && json["notes"].is_null(), "{held:?} {}", json["notes"]);
}

/// The manager's file names people: nobody else reads it, and nobody can have it written elsewhere.
#[cfg(unix)]
#[tokio::test]
async fn the_managers_file_is_private_and_follows_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let setting = start_portal(world(now())).await;
    let (file, victim) = (setting.state.path().join("report.csv"), setting.state.path().join("victim"));
    std::fs::write(&victim, "precious").unwrap();
    for link in ["report.part", "report.csv"] {
        symlink(&victim, setting.state.path().join(link)).unwrap();
    }
    let config = settings_file(&setting, "[manager]\nfile = \"report.csv\"\n");
    assert_eq!(setting.run(&["--config", &config]).await.exit, 0);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    let written = std::fs::symlink_metadata(&file).unwrap();
    assert!(written.is_file(), "the link was replaced");
    assert_eq!(written.permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&file).unwrap().contains("inactive"));
}
