//! The report for the managers: it arrives, or somebody is told that it did not, whatever else failed.

use cli_test::contract::names_of;
use cli_test::smtp::Server;
use mail_parser::{MessageParser, MimeHeaders};
use portal_sim::{Event, Fault, Person, Room, Scenario};
use serde_json::Value;

use crate::common::{Run, Setting, assert_valid, now, settings_file, start_portal};
use crate::mails::Taken;
use crate::world::{EAGLE, world};

fn mail(server: &Server) -> String {
    format!(
        "[mail]\nhost = \"localhost\"\nport = {}\nsecurity = \"none\"\nfrom = \"DocSpace <docspace@example.com>\"\n",
        server.port
    )
}

async fn run(setting: &Setting, config: &str, more: &[&str]) -> Run {
    setting.run(&[&["--config", config], more].concat()).await
}

#[tokio::test]
async fn a_report_that_was_not_taken_is_said_and_made_good_by_the_next_run() {
    let Some(server) = Server::start("defer", &[]).await else { return };
    let setting = start_portal(world(now())).await;
    let text = format!("rooms = [\"Hawk\"]\n[manager]\nmail_to = [\"boss@example.com\"]\n{}", mail(&server));
    let config = settings_file(&setting, &text);
    for mode in ["defer", "refuse:boss@example.com", "refuse-sender", "die"] {
        server.switch(mode);
        let ended = run(&setting, &config, &[]).await;
        assert_eq!(ended.exit, 0, "{mode}: {}", ended.stderr);
        assert!(
            ended.stdout.contains("boss@example.com, who has been waiting for a report since 2026-11-20: "),
            "{mode}: {}",
            ended.stdout
        );
    }
    let json = run(&setting, &config, &["--format", "json"]).await;
    assert_valid(&json.stdout);
    assert_eq!(json.json()["manager"][0]["state"], "failed");
    server.switch("accept");
    let ended = run(&setting, &config, &[]).await;
    assert_eq!((ended.stdout.as_str(), server.recipients()), ("", vec!["boss".to_owned()]), "one in place of all");
    let json = run(&setting, &config, &["--format", "json"]).await;
    assert!(json.json()["manager"][0]["waiting_since"].is_null(), "{}", json.stdout);
}

/// What stands in the file must not stay an all-clear.
#[tokio::test]
async fn a_run_that_could_not_look_says_so_to_the_manager() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let setting = start_portal(world(now())).await;
    let text = format!(
        "rooms = [\"Hawk\"]\n[manager]\nfile = \"report.txt\"\nmail_to = [\"boss@example.com\"]\n{}",
        mail(&server)
    );
    let config = settings_file(&setting, &text);
    let file = setting.state.path().join("report.txt");
    run(&setting, &config, &[]).await;
    assert!(std::fs::read_to_string(&file).unwrap().contains("All monitored"));
    setting.sim.set_faults(vec![Fault::status(401).on("")]);
    let ended = run(&setting, &config, &[]).await;
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        (ended.exit, written.contains("nothing can be concluded"), written.contains("All monitored")),
        (1, true, false)
    );
    let subjects: Vec<String> = server.taken().into_iter().map(|(_, subject, _)| subject).collect();
    let monthly = "Monthly report: infrequent room users";
    assert_eq!(subjects, [monthly.to_owned(), format!("{monthly} (nothing can be concluded)")]);
}

#[tokio::test]
async fn what_cannot_be_written_or_mailed_to_is_a_mistake_in_the_settings() {
    let setting = start_portal(world(now())).await;
    for (text, key) in [
        ("[manager]\nfile = \"/nonexistent/report.html\"\n", "manager.file"),
        ("[manager]\nmail_to = [\"not an address\"]\n", "manager.mail_to"),
        ("[manager]\nmail_to = [\"boss@example.com\"]\n", "mail.host"),
        ("[manager]\nper_owner = true\n", "mail.host"),
        ("[remind]\nenabled = true\n", "mail.host"),
        ("[remind]\ntemplates = \"/nonexistent\"\n", "remind.templates"),
        ("[remind]\nlanguage = \"xx\"\n", "remind.language"),
    ] {
        let config = settings_file(&setting, text);
        let ended = run(&setting, &config, &[]).await;
        assert!(ended.exit == 2 && ended.stderr.contains(&format!("`{key}`")), "{text}: {ended:?}");
        // a dry run writes no file, and rehearses all the rest
        let dry = run(&setting, &config, &["--dry-run"]).await;
        assert_eq!(dry.exit, if key == "manager.file" { 0 } else { 2 }, "{text}: {}", dry.stderr);
    }
}

/// Each owner of a room gets the part of their rooms, and nothing of others.
#[tokio::test]
async fn each_owner_gets_the_report_of_their_rooms() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let setting = start_portal(Scenario::builtin("inactive", now()).unwrap()).await;
    let config = settings_file(&setting, &format!("[manager]\nper_owner = true\n{}", mail(&server)));
    let ended = run(&setting, &config, &["--format", "json"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    let messages = server.messages();
    let mut parts = Vec::new();
    for bytes in &messages {
        let message = MessageParser::default().parse(bytes).unwrap();
        let text = message.body_text(0).unwrap().into_owned();
        let named =
            ["dora", "emil", "fatima", "lars"].into_iter().filter(|name| text.contains(&format!("{name}@example.com")));
        let to = message.to().unwrap().first().unwrap().address().unwrap().to_owned();
        parts.push((to, named.collect::<Vec<_>>()));
    }
    parts.sort();
    let expected = [("bob@example.com", vec!["emil", "fatima", "lars"]), ("olga@example.com", vec!["dora"])];
    assert_eq!(parts, expected.map(|(to, named)| (to.to_owned(), named)));
}

/// Mails and the file name nobody; the owners are written to all the same, about the same people.
#[tokio::test]
async fn managers_and_owners_read_pseudonyms_where_the_settings_say_so() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let setting = start_portal(Scenario::builtin("inactive", now()).unwrap()).await;
    setting.file("names-key", "0123456789abcdef0123456789abcdef");
    let text = format!(
        "names = \"pseudonym\"\nnames_key_file = \"names-key\"\n[manager]\nper_owner = true\nmail_to = [\"boss@example.com\"]\n\
         file = \"report.html\"\n{}",
        mail(&server)
    );
    let config = settings_file(&setting, &text);
    let ended = run(&setting, &config, &["--format", "json"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    assert_valid(&ended.stdout);
    let mut read = vec![std::fs::read_to_string(setting.state.path().join("report.html")).unwrap()];
    let mut recipients = Vec::new();
    for bytes in &server.messages() {
        let message = MessageParser::default().parse(bytes).unwrap();
        recipients.push(message.to().unwrap().first().unwrap().address().unwrap().to_owned());
        read.extend([message.body_text(0).unwrap().into_owned(), message.body_html(0).unwrap().into_owned()]);
        read.push(message.subject().unwrap().to_owned());
        assert!(read.iter().any(|text| text.contains("person-")), "{read:?}");
    }
    recipients.sort();
    assert_eq!(recipients, ["bob@example.com", "boss@example.com", "olga@example.com"]);
    for name in names_of(&setting, |_| true).iter().flatten().filter(|name| name.trim().len() > 3) {
        assert!(!read.iter().any(|text| text.contains(name)), "{name} in {read:?}");
    }
}

/// Usual mail servers refuse what is larger than ten megabytes.
#[tokio::test]
async fn a_mail_names_the_worst_and_brings_the_rest_as_a_file() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let mut portal = Scenario::empty(now());
    let mut room = Room::vdr(EAGLE, "Eagle");
    for n in 0..400 {
        let person = Person::new(&format!("person{n}@example.com"), "Person", &n.to_string());
        room.members.push(person.id);
        portal = portal.with_person(person);
    }
    portal.add_room(room);
    let olga = portal.owner().id;
    for days in [40, 1] {
        let at = now() - chrono::TimeDelta::days(days);
        portal.add_event(Event::new(5011, olga, at).file(900, "a.docx").in_room(EAGLE));
    }
    let setting = start_portal(portal).await;
    let text_of_settings =
        format!("[manager]\nmail_to = [\"boss@example.com\"]\nsubject = \"{{headline}}\"\n{}", mail(&server));
    let config = settings_file(&setting, &text_of_settings);
    run(&setting, &config, &[]).await;
    let bytes = server.messages().remove(0);
    assert!(bytes.len() < 1_000_000, "{} bytes", bytes.len());
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert!(message.subject().unwrap().starts_with("400 people inactive for 30 days"), "{:?}", message.subject());
    let text = message.body_text(0).unwrap();
    assert!(text.contains("300 more of this room stand in the file inactive-members.csv"), "{text}");
    assert_eq!(text.matches("\n  LOW  Person ").count(), 100);
    let file = message.attachment(0).unwrap();
    assert_eq!(file.attachment_name(), Some("inactive-members.csv"));
    assert_eq!(file.text_contents().unwrap().lines().count(), 401);
    setting.file("names-key", "0123456789abcdef0123456789abcdef");
    let config =
        settings_file(&setting, &format!("names = \"pseudonym\"\nnames_key_file = \"names-key\"\n{text_of_settings}"));
    run(&setting, &config, &[]).await;
    let bytes = server.messages().remove(1);
    let message = MessageParser::default().parse(&bytes).unwrap();
    let file = message.attachment(0).unwrap().text_contents().unwrap();
    assert!(file.contains("\"person-") && !file.contains("Person 1") && !file.contains("@example.com"), "{file}");
}

/// The JSON report names what became of it.
#[tokio::test]
async fn the_report_for_programs_says_whom_it_reached() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let setting = start_portal(world(now())).await;
    let config = settings_file(&setting, &format!("[manager]\nmail_to = [\"boss@example.com\"]\n{}", mail(&server)));
    let json: Value = run(&setting, &config, &["--format", "json"]).await.json();
    assert_eq!(json["manager"], serde_json::json!([{ "to": "boss@example.com", "state": "done" }]));
}
