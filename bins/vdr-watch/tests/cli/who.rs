//! Who the people found are, what of their logins is new, and `--person`.

use chrono::TimeDelta;
use portal_sim::{EVERYONE, Event, Fault, Group, Login, Person, PersonKind, Room, Scenario, Share};
use serde_json::{Value, json};

use crate::common::{Run, Setting, assert_valid, now};

/// A room in which everybody of the list downloads thirty documents.
fn busy(people: Vec<Person>) -> Scenario {
    let mut portal = Scenario::empty(now());
    let bob = Person::new("bob@example.com", "Bob", "Ray").kind(PersonKind::RoomAdmin);
    let mut room = Room::vdr(71, "Falcon");
    room.owner = bob.id;
    portal = portal.with_person(bob).with_room(room);
    for person in people {
        for file in 0..30 {
            let at = now() - TimeDelta::minutes(90 - i64::from(file));
            portal.add_event(Event::new(5009, person.id, at).file(9_000 + file, "a.docx").in_room(71));
        }
        portal = if portal.person(person.id).is_some() { portal } else { portal.with_person(person) };
    }
    portal
}

async fn report(setting: &Setting, extra: &[&str]) -> (Value, Run) {
    let ended = setting.run(&[extra, &["--dry-run", "--format", "json"]].concat()).await;
    assert_valid(&ended.stdout);
    (serde_json::from_str(&ended.stdout).unwrap(), ended)
}

fn person<'r>(report: &'r Value, email: &str) -> &'r Value {
    let people = report["findings"].as_array().unwrap().iter().map(|finding| &finding["person"]);
    people.clone().find(|person| person["email"] == email).unwrap_or_else(|| panic!("{email} is not found"))
}

#[tokio::test]
async fn roles_in_portal_and_room_are_told() {
    let named = |name: &str, kind| Person::new(&format!("{name}@example.com"), name, "X").kind(kind);
    let direct = named("direct", PersonKind::User);
    let grouped = named("grouped", PersonKind::Guest);
    let both = named("both", PersonKind::RoomAdmin);
    let admin = named("admin", PersonKind::Admin);
    let gone = named("gone", PersonKind::User);
    let owner = Person::new("bob@example.com", "Bob", "Ray").kind(PersonKind::RoomAdmin);
    let mut group = Group::new("Auditors");
    group.members = vec![grouped.id, both.id];
    let everyone = [&direct, &grouped, &both, &admin, &gone, &owner].map(Clone::clone).to_vec();
    let mut portal = busy(everyone).with_group(group.clone());
    for (subject, access) in [(direct.id, 2), (group.id, 10), (both.id, 9)] {
        portal.share(Share { room: 71, subject, access });
    }
    let setting = Setting::with(portal).await;
    let (report, ended) = report(&setting, &[]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    let told = |name: &str| {
        let person = person(&report, &format!("{name}@example.com"));
        (person["role"].clone(), person["room_role"].clone())
    };
    assert_eq!(told("bob"), (json!("room_admin"), json!({ "kind": "owner" })));
    assert_eq!(told("direct"), (json!("user"), json!({ "kind": "member", "access": "viewer" })));
    let through = json!({ "kind": "member", "access": "editor", "groups": ["Auditors"] });
    assert_eq!(told("grouped"), (json!("guest"), through));
    assert_eq!(told("both"), (json!("room_admin"), json!({ "kind": "member", "access": "room manager" })));
    assert_eq!(told("admin"), (json!("docspace_admin"), json!({ "kind": "no_member" })));
    assert_eq!(told("gone"), (json!("user"), json!({ "kind": "no_member" })));
    // the members of one room are asked for once
    let asked = setting.sim.requests();
    assert_eq!(asked.iter().filter(|request| request.target.contains("rooms/71/share")).count(), 1);

    let text = setting.run(&[]).await.stdout;
    for line in [
        "room admin, account since 2025-11-20; owner of the room",
        "guest, account since 2025-11-20; in the room as editor through the group \"Auditors\"",
        "DocSpace admin, account since 2025-11-20; no member of the room, but may read every room",
        "ordinary user, account since 2025-11-20; no member of the room (any more)",
        "  - if it still goes on, take the person out of the room or disable the account\n",
        "  - if it still goes on, disable the account\n",
        "/accounts/guests/filter?search=grouped%40example.com",
        "/accounts/people/filter?search=direct%40example.com",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

/// Members that cannot be read are a gap, and nobody is called a stranger for it.
#[tokio::test]
async fn members_that_cannot_be_read_are_a_gap() {
    let direct = Person::new("direct@example.com", "Dora", "X");
    let mut portal = busy(vec![direct.clone()]);
    portal.share(Share { room: 71, subject: direct.id, access: 2 });
    let setting = Setting::with(portal).await;
    setting.sim.set_faults(vec![Fault::status(500).on("files/rooms/71/share")]);
    let (told, ended) = report(&setting, &[]).await;
    assert_eq!(ended.exit, 4);
    let role = &person(&told, "direct@example.com")["room_role"];
    assert_eq!(*role, json!({ "kind": "unknown", "why": "portal_error" }));
    assert_eq!(told["coverage"]["gaps"][0]["what"], "members");
    let text = setting.run(&[]).await.stdout;
    assert!(text.contains("whether a member of the room is not known: the portal failed"), "{text}");
    assert!(text.contains("Not seen: members of a room"), "{text}");
    // for everybody, when the room is for everybody
    setting.sim.set_faults(Vec::new());
    setting.sim.edit(|portal| portal.share(Share { room: 71, subject: EVERYONE, access: 2 }));
    let (told, ended) = report(&setting, &[]).await;
    assert_eq!((ended.exit, &person(&told, "direct@example.com")["room_role"]["access"]), (0, &json!("viewer")));
}

/// A week of logins is too little to call anything new; a month of them is enough.
#[tokio::test]
async fn new_addresses_are_marked_when_there_is_enough_to_compare_with() {
    for (kept_days, expected) in [(180, json!(["address"])), (10, Value::Null)] {
        let dora = Person::new("dora@example.com", "Dora", "X");
        let mut portal = busy(vec![dora.clone()]);
        portal.condition.login_lifetime = kept_days;
        for day in 1..25 {
            portal.add_login(Login::success(&dora, now() - TimeDelta::days(day) - TimeDelta::hours(3)));
        }
        let elsewhere = Login { ip: "203.0.113.66".to_owned(), ..Login::success(&dora, now() - TimeDelta::hours(3)) };
        portal.add_login(elsewhere);
        portal.add_login(Login::success(&dora, now() - TimeDelta::hours(4)));
        let setting = Setting::with(portal).await;
        let (told, ended) = report(&setting, &[]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "what lies before the window is no gap");
        let logins = &told["loginDetails"][dora.id.to_string()];
        assert_eq!(logins.as_array().unwrap().len(), 2);
        assert_eq!(logins[0].get("new"), None, "the usual address");
        assert_eq!(logins[1].get("new").cloned().unwrap_or_default(), expected);
        let text = setting.run(&[]).await.stdout;
        let headline = match kept_days {
            180 => "compared with 24 earlier logins since 2026-10-20",
            _ => "with too little history to say what is new",
        };
        assert!(text.contains(headline), "{text}");
        let is_new = |line: &str| line.contains("203.0.113.66") && line.ends_with("  address");
        assert_eq!(text.lines().any(is_new), kept_days == 180, "{text}");
    }
}

/// What could not be compared is no short history: the report says why, and the next run compares.
#[tokio::test]
async fn a_history_that_failed_is_said_with_its_cause_and_read_by_the_next_run() {
    let (filter, lifetime) = ("security/audit/login/filter", "security/audit/settings/lifetime");
    let faults = [
        (Fault::status(500).on(filter).after(1), "the portal failed to answer the request"),
        (Fault::status(403).on(filter).after(1), "the key does not have the permission to read this"),
        (Fault::status(403).on(lifetime), "the key does not have the permission to read this"),
    ];
    for (fault, cause) in faults {
        let dora = Person::new("dora@example.com", "Dora", "X");
        let mut portal = busy(vec![dora.clone()]);
        for n in 1..400 {
            portal.add_login(Login::success(&dora, now() - TimeDelta::hours(n * 2 + 24)));
        }
        portal.add_login(Login { ip: "203.0.113.66".to_owned(), ..Login::success(&dora, now() - TimeDelta::hours(3)) });
        let setting = Setting::with(portal).await;
        setting.sim.set_faults(vec![fault.clone()]);
        let (told, ended) = report(&setting, &[]).await;
        assert_eq!((ended.exit, told.get("logins_compared_since")), (0, None), "{}", ended.stderr);
        let note = told["notes"][0].as_str().unwrap_or_default();
        setting.sim.set_faults(vec![fault]);
        let text = setting.run(&[]).await.stdout;
        for shown in [note, &text] {
            assert!(shown.contains("what is new in the logins is not known") && shown.contains(cause), "{shown}");
        }
        let text = text.replace("\n", " ");
        assert!(text.contains("what is new in them is not known, because earlier ones"), "{text}");
        setting.sim.set_faults(Vec::new());
        let (told, _) = report(&setting, &[]).await;
        assert_eq!(told["loginDetails"][dora.id.to_string()][0]["new"], json!(["address"]), "{cause}");
        assert!(told.get("notes").is_none() && told["logins_compared_since"].is_string(), "{cause}");
    }
}

#[tokio::test]
async fn only_the_people_asked_for_are_reported() {
    let [dora, emil] = ["dora", "emil"].map(|name| Person::new(&format!("{name}@example.com"), name, "X"));
    let setting = Setting::with(busy(vec![dora.clone(), emil.clone()])).await;
    let found = |report: &Value| report["suspiciousUsers"].as_array().unwrap().clone();
    let (all, _) = report(&setting, &[]).await;
    assert_eq!((found(&all).len(), all.get("notes")), (2, None));
    for name in ["DORA@example.com".to_owned(), dora.id.to_string()] {
        let (told, _) = report(&setting, &["--person", &name]).await;
        assert_eq!(found(&told), [json!(dora.id.to_string())]);
        let note = told["notes"][0].as_str().unwrap();
        assert!(note.contains(&name.to_lowercase()) && note.contains("nothing of anybody else"), "{note}");
    }
    let both = ["--person", "dora@example.com", "--person", "emil@example.com"];
    assert_eq!(found(&report(&setting, &both).await.0).len(), 2);
    let none = setting.run(&["--person", "bob@example.com"]).await;
    assert_eq!((none.exit, none.stdout.as_str()), (0, ""));
}

#[tokio::test]
async fn an_unknown_person_is_a_mistake_only_when_the_people_could_be_read() {
    let dora = Person::new("dora@example.com", "Dora", "X");
    let setting = Setting::with(busy(vec![dora])).await;
    let refused = setting.run(&["--person", "nobody@example.com"]).await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("people") && refused.stderr.contains("nobody@example.com"), "{}", refused.stderr);
    setting.sim.set_faults(vec![Fault::status(503).on("people/filter")]);
    let (told, ended) = report(&setting, &["--person", "nobody@example.com"]).await;
    assert_eq!((ended.exit, told["findings"].as_array().unwrap().len()), (4, 0));
    assert_eq!(told["coverage"]["gaps"][0]["what"], "people");
}

/// Somebody who cannot be looked up may be the one whose address was given: the finding stays.
#[tokio::test]
async fn a_finding_is_not_dropped_because_an_address_is_not_known() {
    let dora = Person::new("dora@example.com", "Dora", "X");
    let setting = Setting::with(busy(vec![dora.clone()])).await;
    setting.sim.set_faults(vec![Fault::status(500).on(&format!("people/{}", dora.id))]);
    let (told, ended) = report(&setting, &["--person", "bob@example.com"]).await;
    assert_eq!((ended.exit, told["suspiciousUsers"][0].as_str().unwrap()), (4, dora.id.to_string().as_str()));
    let (told, _) = report(&setting, &["--person", &setting.scenario.owner().id.to_string()]).await;
    assert_eq!(told["findings"], json!([]), "an id can be told from another");
}
