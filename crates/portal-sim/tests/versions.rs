//! Older portals: one test per difference, each with the version before it and the one that brought it.

mod common;
mod raw;

use common::{Answer, Ordered, at, get, get_as};
use portal_sim::{Event, Key, Person, PersonKind, PortalSim, Room, Scenario, StoredFile};

const FILTER: &str = "security/audit/events/filter";
/// A personal access token of the owner: portals without keys take nothing else.
const TOKEN: &str = "token-of-olga";

/// A portal of this version with a room, an administrator and an ordinary person, and their tokens.
fn portal(version: &str) -> Scenario {
    let scenario = Scenario::bare(at("2026-11-20T09:00:00Z")).with_version(version).with_room(Room::vdr(71, "Alpha"));
    let owner = scenario.owner().clone();
    let people = [("ada", PersonKind::Admin), ("bob", PersonKind::User), ("gus", PersonKind::Guest)];
    let mut scenario = scenario.with_key(token(&owner, TOKEN));
    for (name, kind) in people {
        let person = Person::new(&format!("{name}@example.com"), name, "Example").kind(kind);
        scenario = scenario.with_key(token(&person, &format!("token-of-{name}"))).with_person(person);
    }
    scenario
}

fn token(person: &Person, text: &str) -> Key {
    let mut key = Key::of(person);
    text.clone_into(&mut key.key);
    key
}

async fn start(version: &str) -> PortalSim {
    PortalSim::start(portal(version)).await.expect("start")
}

/// A portal of this version where the owner has another key with these scopes; and that key.
async fn scoped(version: &str, scopes: &[&str]) -> (PortalSim, String) {
    let scenario = portal(version);
    let mut key = Key::of(scenario.owner()).scopes(scopes);
    key.key = "sk-scoped".to_owned();
    let text = key.key.clone();
    (PortalSim::start(scenario.with_key(key)).await.expect("start"), text)
}

/// Sends JSON with this token.
async fn send(sim: &PortalSim, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let lines = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let raw = raw::ask(sim, method, path, &lines, body).await;
    Answer { status: raw.status, headers: std::collections::HashMap::new(), body: raw.text(), complete: raw.complete }
}

#[tokio::test]
async fn before_3_0_the_restrictions_are_changed_in_two_steps() {
    const LIST: &str = r#"{"ipRestrictions": [{"ip": "192.0.2.1"}], "enable": true}"#;
    for (version, separate) in [("2.6.3", true), ("3.0.4", false)] {
        let sim = start(version).await;
        let list = send(&sim, "PUT", "settings/iprestrictions", TOKEN, LIST).await.json();
        let switch = || get_as(&sim, "settings/iprestrictions/settings", Some(TOKEN));
        let enabled = |answer: Answer| answer.json().at("response").at("enable").clone();
        assert_eq!(matches!(list.at("response"), Ordered::List(_)), separate, "{version}: {list:?}");
        assert_eq!(enabled(switch().await), Ordered::Bool(!separate), "{version}: the list leaves the switch alone");
        let set = send(&sim, "PUT", "settings/iprestrictions/settings", TOKEN, r#"{"enable": true}"#).await;
        if separate {
            assert_eq!(set.json().at("response"), &Ordered::parse(r#"{"enable": true}"#));
            assert_eq!(enabled(switch().await), Ordered::Bool(true));
        } else {
            assert_eq!(set.status, 400, "the list is missing");
        }
        let kept = get_as(&sim, "settings/iprestrictions", Some(TOKEN)).await.json();
        assert_eq!(kept.at("response").items().len(), 1, "{version}");
    }
}

#[tokio::test]
async fn before_3_1_there_are_no_keys() {
    let old = start("3.0.4").await;
    assert_eq!(get(&old, FILTER).await.status, 401, "a key");
    assert_eq!(get_as(&old, FILTER, Some(TOKEN)).await.status, 200, "a token");
    let own = get(&old, "keys/@self").await;
    assert_eq!((own.status, own.headers["content-type"].as_str()), (404, "text/html"));
    let new = start("3.1.1").await;
    assert_eq!(get(&new, FILTER).await.status, 200);
    assert_eq!(get(&new, "keys/@self").await.status, 200);
    assert_eq!(get_as(&new, FILTER, Some(TOKEN)).await.status, 200);
}

#[tokio::test]
async fn before_3_1_restrictions_have_no_validators() {
    let lines = format!("Authorization: Bearer {TOKEN}\r\nIf-None-Match: W/D41D8CD98F00B204E9800998ECF8427E\r\n");
    for (version, status, tags) in [("3.0.4", 200, 0), ("3.1.1", 304, 1)] {
        let sim = start(version).await;
        assert_eq!(raw::ask(&sim, "GET", "settings/iprestrictions", &lines, "").await.status, status, "{version}");
        let plain = raw::ask(&sim, "GET", "settings/iprestrictions", &lines.replace("If-None", "X"), "").await;
        assert_eq!(plain.header("etag").len(), tags, "{version}");
    }
}

#[tokio::test]
async fn before_3_2_scopes_count_on_files_rooms_and_people_only() {
    for (version, status) in [("3.1.1", 200), ("3.2.1", 403)] {
        let (sim, key) = scoped(version, &["accounts:read"]).await;
        for path in [FILTER, "settings/iprestrictions", "portal/quota"] {
            assert_eq!(get_as(&sim, path, Some(&key)).await.status, status, "{version} {path}");
        }
        assert_eq!(get_as(&sim, "files/rooms", Some(&key)).await.status, 403, "{version}");
        assert_eq!(get_as(&sim, "people/filter", Some(&key)).await.status, 200, "{version}");
    }
}

#[tokio::test]
async fn before_3_2_counts_are_cut_instead_of_refused() {
    for (version, asked, status, rows) in [
        ("2.6.3", "?count=5000", 200, 1000),
        ("2.6.3", "", 200, 1000),
        ("3.1.1", "?count=250", 200, 250),
        ("3.2.1", "?count=250", 400, 0),
        ("3.2.1", "", 200, 100),
    ] {
        let mut scenario = portal(version);
        let owner = scenario.owner().id;
        for _ in 0..1200 {
            scenario.add_event(Event::new(5009, owner, scenario.now).file(1, "a.docx").in_room(71));
        }
        let sim = PortalSim::start(scenario).await.expect("start");
        let answer = get_as(&sim, &format!("{FILTER}{asked}"), Some(TOKEN)).await;
        assert_eq!(answer.status, status, "{version} {asked}");
        if status == 200 {
            assert_eq!(answer.ids().len(), rows, "{version} {asked}");
        }
    }
}

#[tokio::test]
async fn before_3_2_fields_are_ignored() {
    for (version, trimmed) in [("3.1.1", false), ("3.2.1", true)] {
        let mut scenario = portal(version);
        let owner = scenario.owner().id;
        scenario.add_event(Event::new(5009, owner, scenario.now).file(1, "a.docx").in_room(71));
        let sim = PortalSim::start(scenario).await.expect("start");
        let body = get(&sim, &format!("{FILTER}?fields=id")).await.json();
        let row = &body.at("response").items()[0];
        assert_eq!(row.names() == ["id"], trimmed, "{version}: {row:?}");
    }
}

#[tokio::test]
async fn before_3_2_a_plan_without_the_feature_is_a_500() {
    for (version, status) in [("3.1.1", 500), ("3.2.1", 402)] {
        let mut scenario = portal(version);
        scenario.condition.history_hidden = true;
        let sim = PortalSim::start(scenario).await.expect("start");
        let answer = send(&sim, "GET", "security/audit/events/last", TOKEN, "").await;
        assert_eq!(answer.status, status, "{version}");
        assert_eq!(answer.json().at("error").at("type").text(), "ASC.Core.Billing.BillingException");
    }
}

#[tokio::test]
async fn before_3_5_groups_want_a_global_scope() {
    for (version, status) in [("3.1.1", 200), ("3.2.1", 403), ("3.5.0", 200)] {
        let (sim, key) = scoped(version, &["accounts:read"]).await;
        assert_eq!(get_as(&sim, "group", Some(&key)).await.status, status, "{version}");
    }
}

#[tokio::test]
async fn before_3_5_members_come_in_one_form() {
    for (version, more) in [("3.2.1", false), ("3.5.0", true)] {
        let body = get(&start(version).await, "files/rooms/71/share").await.json();
        let row = &body.at("response").items()[0];
        assert!(row.names().contains(&"sharedTo"), "{version}");
        assert_eq!(row.names().contains(&"sharedToUser"), more, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_scopes_do_not_count_on_anonymous_routes_and_dead_keys_are_nobody() {
    for (version, settings, room) in [("3.6.1", 200, 200), ("3.7.2", 403, 403)] {
        let (sim, key) = scoped(version, &["accounts:read"]).await;
        assert_eq!(get_as(&sim, "settings", Some(&key)).await.status, settings, "{version}");
        assert_eq!(get_as(&sim, "files/rooms/71", Some(&key)).await.status, room, "{version}");
        let dead = get_as(&sim, "settings", Some("sk-dead")).await;
        assert_eq!(dead.status, settings, "{version}");
        if dead.status == 200 {
            assert_eq!(dead.json().at("response").at("timezone"), &Ordered::Null, "as somebody unknown");
        }
    }
}

#[tokio::test]
async fn before_3_7_any_key_manages_keys() {
    for (version, status) in [("3.2.1", 200), ("3.6.1", 200), ("3.7.2", 403)] {
        let (sim, key) = scoped(version, &["rooms:read"]).await;
        assert_eq!(get_as(&sim, "keys", Some(&key)).await.status, status, "{version}");
        assert_eq!(get_as(&sim, "keys/@self", Some(&key)).await.status, 200, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_answers_do_not_name_versions() {
    for (version, named) in [("3.6.1", false), ("3.7.2", true)] {
        let answer = get(&start(version).await, FILTER).await;
        assert_eq!(answer.headers.contains_key("api-supported-versions"), named, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_changed_restrictions_leave_no_event() {
    for (version, rows) in [("3.6.1", 0), ("3.7.2", 1)] {
        let sim = start(version).await;
        let body = r#"{"ipRestrictions": [], "enable": false}"#;
        assert_eq!(send(&sim, "PUT", "settings/iprestrictions", TOKEN, body).await.status, 200);
        assert_eq!(get(&sim, FILTER).await.ids().len(), rows, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_only_guests_do_not_read_the_quota() {
    for (version, user) in [("3.6.1", 200), ("3.7.2", 403)] {
        let sim = start(version).await;
        let quota = get_as(&sim, "portal/quota", Some("token-of-bob")).await;
        assert_eq!(quota.status, user, "{version}");
        if quota.status == 200 {
            assert_eq!(quota.json().at("response").at("maxTotalSize").int(), 0);
        }
        assert_eq!(get_as(&sim, "portal/quota", Some("token-of-gus")).await.status, 403, "{version}");
        assert_eq!(get_as(&sim, "portal/quota", Some("token-of-ada")).await.status, 200, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_the_owner_is_an_administrator() {
    for (version, admin) in [("3.6.1", true), ("3.7.2", false)] {
        let own = get(&start(version).await, "people/@self").await.json();
        assert_eq!(own.at("response").at("isAdmin"), &Ordered::Bool(admin), "{version}");
        assert_eq!(own.at("response").at("isOwner"), &Ordered::Bool(true), "{version}");
    }
}

/// Uploads `a.txt` as this part, with a flag as a field of the form.
async fn upload(sim: &PortalSim, part: &str) -> Answer {
    let body = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"createNewIfExist\"\r\n\r\ntrue\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"a.txt\"\r\n\r\nhello\r\n--XX--\r\n"
    );
    let lines = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: multipart/form-data; boundary=XX\r\n");
    let raw = raw::ask(sim, "POST", "files/71/upload", &lines, &body).await;
    Answer { status: raw.status, headers: std::collections::HashMap::new(), body: raw.text(), complete: raw.complete }
}

#[tokio::test]
async fn before_3_7_uploads_answer_the_file_and_take_any_part() {
    for (version, lists) in [("3.6.1", false), ("3.7.2", true)] {
        let sim = start(version).await;
        let first = upload(&sim, "file").await.json();
        assert_eq!(matches!(first.at("response"), Ordered::List(_)), lists, "{version}");
        let second = upload(&sim, "file").await.json();
        let second = match second.at("response") {
            Ordered::List(files) => files[0].clone(),
            file => file.clone(),
        };
        let expected = if lists { ("a.txt", 2) } else { ("a (1).txt", 1) };
        assert_eq!(
            (second.at("title").text(), second.at("version").int()),
            expected,
            "{version}: the flag in the form"
        );
        assert_eq!(upload(&sim, "anything").await.status, if lists { 400 } else { 200 }, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_there_are_no_sessions_in_the_api() {
    let body = r#"{"fileName": "a.txt", "fileSize": 5}"#;
    for (version, status) in [("3.6.1", 404), ("3.7.2", 200)] {
        let sim = start(version).await;
        assert_eq!(send(&sim, "POST", "files/71/session", TOKEN, body).await.status, status, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_protected_people_are_skipped_and_odd_statuses_do_nothing() {
    for (version, strict) in [("3.6.1", false), ("3.7.2", true)] {
        let scenario = portal(version);
        let id = |name: &str| scenario.people.iter().find(|person| person.first_name == name).expect("a person").id;
        let unknown = "00000000-0000-0000-0000-00000000abcd";
        let body = format!(r#"{{"userIds": ["{}", "{}", "{unknown}"]}}"#, id("Olga"), id("bob"));
        let one = format!(r#"{{"userIds": ["{}"]}}"#, id("bob"));
        let sim = PortalSim::start(scenario).await.expect("start");
        let odd = send(&sim, "PUT", "people/status/Pending", "token-of-ada", &one).await;
        let answer = send(&sim, "PUT", "people/status/Terminated", "token-of-ada", &body).await;
        if strict {
            assert_eq!((odd.status, answer.status), (400, 403));
            continue;
        }
        assert_eq!((odd.status, answer.status), (200, 200));
        let statuses = |answer: &Answer| {
            let json = answer.json();
            json.at("response").items().iter().map(|row| row.at("status").int()).collect::<Vec<_>>()
        };
        assert_eq!(statuses(&odd), [1], "no effect");
        assert_eq!(statuses(&answer), [1, 2], "the owner as before, the unknown one not there");
    }
}

#[tokio::test]
async fn before_3_7_disabling_administrators_is_passed_over_and_oneself_possible() {
    let body = r#"{"disable": true}"#;
    for (version, other, own) in [("3.6.1", Some(1), 2), ("3.7.2", None, 1)] {
        let mut scenario = portal(version);
        scenario = scenario.with_person(Person::new("abe@example.com", "Abe", "Example").kind(PersonKind::Admin));
        let sim = PortalSim::start(scenario).await.expect("start");
        let answer = send(&sim, "PUT", "people/abe", "token-of-ada", body).await;
        match other {
            Some(status) => assert_eq!(answer.json().at("response").at("status").int(), status, "{version}"),
            None => assert_eq!(answer.status, 403, "{version}"),
        }
        let answer = send(&sim, "PUT", "people/ada", "token-of-ada", body).await;
        assert_eq!(answer.json().at("response").at("status").int(), own, "{version}");
    }
}

#[tokio::test]
async fn before_3_7_filtered_folders_are_always_read_whole() {
    for (version, found) in [("3.6.1", 1), ("3.7.2", 0)] {
        let mut scenario = portal(version);
        let owner = scenario.owner().id;
        let created = scenario.now;
        let title = "Inner".to_owned();
        scenario.content.folders.push(portal_sim::Folder { id: 900, parent: 71, title, author: owner, created });
        scenario.content.files.push(StoredFile::new(901, 900, "a.txt", owner, created, b"x"));
        let sim = PortalSim::start(scenario).await.expect("start");
        let body = get(&sim, "files/71?filterType=1&withSubFolders=false").await.json();
        assert_eq!(body.at("response").at("total").int(), found, "{version}");
    }
}

#[tokio::test]
async fn a_version_that_is_no_number_is_a_new_portal() {
    let sim = start("own build").await;
    assert_eq!(get(&sim, &format!("{FILTER}?count=101")).await.status, 400);
}
