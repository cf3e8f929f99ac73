//! Whom a report names, and for what: no document twice, nobody who is nobody, and everybody by the right name.

use portal_sim::{Event, GUEST, Login, Person, Scenario};

use crate::common::Setting;
use crate::portal::{at, june};

/// June, in which somebody downloaded one document very often.
fn often() -> Scenario {
    let mut portal = june();
    let bob = portal.person_by_email("bob@example.com").unwrap().id;
    for n in 0..150 {
        let at = at("2026-06-12T08:00:00Z") + chrono::TimeDelta::minutes(2 * n);
        portal.add_event(Event::new(5009, bob, at).file(9100, "plan.docx").in_room(71));
    }
    portal
}

#[tokio::test]
async fn one_document_that_was_downloaded_often_is_no_bulk() {
    let setting = Setting::new(often()).await;
    let ended = setting.month("2026-06", &[]).await;
    assert!(ended.stdout.contains("Total events: 171"), "{}", ended.stdout);
    assert!(!ended.stdout.contains(" downloaded 1"), "{}", ended.stdout);
    // what was really many is told with both numbers
    let config = setting.config("bulk_downloads = 11");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert!(ended.stdout.contains(" downloaded 12 documents on Wed 10 Jun: ask whether"), "{}", ended.stdout);
    let report = setting.month("2026-06", &["--config", &config, "--format", "json"]).await.json();
    let decisions = report["decisions"].as_array().unwrap().clone();
    let bulk = decisions.iter().find(|decision| decision["kind"] == "bulk_downloads").unwrap();
    assert_eq!(bulk["events"], serde_json::json!([48005, 48016]));
}

#[tokio::test]
async fn whoever_comes_by_link_is_nobody_and_asked_about() {
    let mut portal = june();
    for n in 0..30 {
        let at = at("2026-06-12T08:00:00Z") + chrono::TimeDelta::minutes(n);
        portal.add_event(Event::new(5009, GUEST, at).file(9400 + i32::try_from(n).unwrap(), "a.docx").in_room(71));
    }
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert!(ended.stdout.contains("People at work: 3\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("51 events by 3 people"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Of these, 21 by people and 30 by link, with nobody signed in"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("- 30 downloads by link, by whoever has it, with nobody signed in"),
        "{}",
        ended.stdout
    );
    let people = setting.written("-people.csv");
    let row = people.lines().find(|row| row.contains(&GUEST.to_string())).unwrap();
    assert!(row.ends_with("\"by link, nobody signed in\""), "{row}");
    assert!(setting.written("-rooms.csv").contains("\"71\",\"49\",\"3\""), "{}", setting.written("-rooms.csv"));
}

#[tokio::test]
async fn robots_have_their_own_names() {
    let mut portal = june();
    for (n, name) in ["DocsService", "AutoCleanUp", "AutoCleanUp"].into_iter().enumerate() {
        let at = at("2026-06-12T08:00:00Z") + chrono::TimeDelta::minutes(i64::try_from(n).unwrap());
        let event = Event::new(5018, uuid::Uuid::nil(), at).file(9400, "a.docx").in_room(71);
        portal.add_event(Event { initiator: Some(name.to_owned()), ..event });
    }
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert!(ended.stdout.contains("People at work: 3\n"), "{}", ended.stdout);
    let people = setting.written("-people.csv");
    for (name, events) in [("DocsService", 1), ("AutoCleanUp", 2)] {
        let row =
            people.lines().find(|row| row.starts_with(&format!("\"{name}\""))).unwrap_or_else(|| panic!("{people}"));
        assert!(row.contains(&format!("\"00000000-0000-0000-0000-000000000000\",\"{events}\"")), "{row}");
        assert!(row.ends_with("\"the portal itself\""), "{row}");
    }
}

/// Only what the settings call robots are robots: whose key the program uses is a person.
#[tokio::test]
async fn the_owner_of_the_key_is_a_person() {
    let bot = Person::new("bot@example.com", "Backup", "Bot");
    let mut portal = june().with_person(bot.clone());
    portal.add_event(Event::new(5009, bot.id, at("2026-06-12T08:00:00Z")).file(9400, "a.docx").in_room(71));
    let setting = Setting::new(portal).await;
    let config = setting.config("service_accounts = [\"bot@example.com\"]");
    let ended = setting.month("2026-06", &["--config", &config]).await;
    assert!(
        ended.stdout.contains("22 events by 3 people, the owner of this program's key among them,"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("Of these, 21 by people and 1 by service accounts"), "{}", ended.stdout);
    let people = setting.written("-people.csv");
    let remark =
        |name: &str| people.lines().find(|row| row.starts_with(name)).unwrap().rsplit(',').next().unwrap().to_owned();
    assert_eq!(remark("\"Olga Owner\""), "\"owner of this program's key\"");
    assert_eq!(remark("\"Backup Bot\""), "\"service account\"");
    let text = setting.written("2026-06.txt");
    assert!(text.contains("What service accounts did (1 event)"), "{text}");
}

/// Each of the first ten is a line with who, what and when, and leads to its row; the others are counted.
#[tokio::test]
async fn events_to_decide_about_lead_to_their_rows() {
    let mut portal = june();
    let olga = portal.owner().id;
    for n in 0..60 {
        let at = at("2026-06-14T08:00:00Z") + chrono::TimeDelta::minutes(n);
        portal.add_event(Event::new(6058, olga, at));
    }
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(
        ended
            .stdout
            .matches(
                "Olga Owner made an API key: make sure that somebody is responsible for it, and that it expires. ["
            )
            .count(),
        10
    );
    assert!(
        ended.stdout.contains("- 50 more keys, webhooks, applications or tokens made or changed"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains(": 64 matters from "), "{}", ended.stdout);
    let page = setting.written(".html");
    let links: Vec<&str> = page.split("href=\"#event-").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), 13, "{links:?}");
    for id in links {
        assert_eq!(page.matches(&format!("id=\"event-{id}\"")).count(), 1, "{id}");
    }
    assert!(page.contains("href=\"#login-903\"") && page.contains("id=\"login-903\""));
}

/// Names of people whom something was done to, also where the portal's sentence has none.
#[tokio::test]
async fn people_whom_something_was_done_to_are_named() {
    let carl = Person::new("carl@example.com", "Carl", "Quiet");
    let mut portal = june().with_person(carl.clone());
    let olga = portal.owner().id;
    for action in [4019, 4020] {
        let event = Event::new(action, olga, at("2026-06-14T08:00:00Z"));
        portal.add_event(Event { target: vec![carl.id.to_string()], ..event });
    }
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    for said in [
        "Sun 14 Jun 10:00  Olga Owner changed the role of Carl Quiet: ",
        "Olga Owner disabled or enabled the account of Carl Quiet: ",
        "Olga Owner removed the account of Bob =HYPERLINK(\"http[://]evil[.]example[.]com\"): make sure that it was agreed",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    // a name that is another one by now changes no report
    let before = setting.written("2026-06.txt");
    setting.sim.edit(|portal| portal.people.last_mut().unwrap().first_name = "Karl".to_owned());
    setting.month("2026-06", &[]).await;
    assert_eq!(setting.written("2026-06.txt"), before);
}

/// Many failures and then a success from one address are one matter, and all rows of the login history are accounted for.
#[tokio::test]
async fn who_came_in_after_many_failures_is_asked_about() {
    let mut portal = june();
    let anna = portal.person_by_email("anna@example.com").unwrap().clone();
    let success = Login::success(&anna, at("2026-06-09T22:15:00Z"));
    let from_there = Login { ip: "198.51.100.9".to_owned(), country: Some("Peru".to_owned()), ..success };
    portal.add_login(from_there.clone());
    portal.add_login(Login { action: 1006, at: at("2026-06-09T23:00:00Z"), ..from_there });
    let setting = Setting::new(portal).await;
    let ended = setting.month("2026-06", &[]).await;
    let said = "Wed 10 Jun 00:15  Anna Schmidt signed in from 198.51.100.9 (Peru) after 11 failed logins from there: ask whether";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    let counted = "14 rows of the login history: 2 logins by 1 person, 11 failed logins and 1 other row, such as people signing out";
    assert!(ended.stdout.contains(counted), "{}", ended.stdout);
    let config = setting.config("failed_logins = 11");
    let allowed = setting.month("2026-06", &["--config", &config]).await;
    assert!(!allowed.stdout.contains("failed logins from there"), "{}", allowed.stdout);
}
