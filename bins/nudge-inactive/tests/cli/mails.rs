//! Reminding, with a real SMTP server: who gets which mail, and what the ledger knows when things go wrong.

use std::process::Stdio;

use cli_test::smtp::Server;
use mail_parser::MessageParser;
use portal_sim::{Event, MailServer, Person, Room, Scenario};
use serde_json::Value;

use crate::common::{Run, Setting, assert_valid, in_store, now, settings_file, start_portal};
use crate::world::{EAGLE, id, world};

/// What the server has taken, read by a real MIME parser.
pub(crate) trait Taken {
    /// Recipient, subject and Message-ID, in order.
    fn taken(&self) -> Vec<(String, String, String)>;

    fn recipients(&self) -> Vec<String> {
        self.taken().into_iter().map(|(to, ..)| to).collect()
    }
}

impl Taken for Server {
    fn taken(&self) -> Vec<(String, String, String)> {
        self.messages().iter().map(|bytes| header(bytes)).collect()
    }
}

fn header(bytes: &[u8]) -> (String, String, String) {
    let message = MessageParser::default().parse(bytes).unwrap();
    let to = message.to().unwrap().first().unwrap().address().unwrap().split('@').next().unwrap().to_owned();
    (to, message.subject().unwrap().to_owned(), message.message_id().unwrap().to_owned())
}

pub(crate) fn settings(server: &Server, more: &str) -> String {
    settings_for(server.port, more).replace("service_accounts = []", "service_accounts = [\"robot@example.com\"]")
}

/// The same at a portal without a robot.
pub(crate) fn settings_for(port: u16, more: &str) -> String {
    format!(
        "service_accounts = []\n{more}\n[remind]\nenabled = true\nhours = \"00:00-24:00\"\nweekends = true\n\
         unsubscribe = [\"mailto:stop@example.com\"]\n[mail]\nhost = \"localhost\"\nport = {port}\nsecurity = \"none\"\nfrom = \"DocSpace <docspace@example.com>\"\n"
    )
}

/// A world of now, and its settings file.
async fn start(server: &Server, more: &str) -> (Setting, String) {
    let setting = start_portal(world(now())).await;
    let config = settings_file(&setting, &settings(server, more));
    (setting, config)
}

pub(crate) async fn go(setting: &Setting, config: &str, extra: &[&str]) -> Run {
    let url = setting.sim.url();
    setting.run_with(&[&["--portal", &url, "--config", config], extra].concat()).await
}

/// Makes everything in the ledger as much older.
async fn days_pass(setting: &Setting, sql: &'static str) {
    in_store(setting, sql).await;
}

const A_FORTNIGHT: &str =
    "UPDATE journal_entry SET created_us = created_us - 1209600000000, updated_us = updated_us - 1209600000000;
    UPDATE journal_entry SET payload = json_set(payload, '$.since',
        strftime('%Y-%m-%dT%H:%M:%SZ', json_extract(payload, '$.since'), '-14 days')) WHERE kind = 'inactive_since';";

const TEN_WEEKS: &str =
    "UPDATE journal_entry SET created_us = created_us - 6048000000000, updated_us = updated_us - 6048000000000;
    UPDATE journal_entry SET payload = json_set(payload, '$.since',
        strftime('%Y-%m-%dT%H:%M:%SZ', json_extract(payload, '$.since'), '-70 days')) WHERE kind = 'inactive_since';";

const USERS: [&str; 4] = ["asleep", "earlier", "grouped", "overridden"];

/// The line of the report about the mail to somebody.
fn mail_to<'r>(run: &'r Run, name: &str) -> &'r str {
    let is_meant = |line: &&str| line.trim_start().starts_with(name) && line.contains("(day ");
    run.stdout.lines().find(is_meant).unwrap_or_default()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[tokio::test]
async fn each_person_gets_one_mail_and_the_next_after_a_fortnight() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    let first = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""));
    assert_valid(&first.stdout);
    assert_eq!(sorted(server.recipients()), USERS);
    let report: Value = serde_json::from_str(&first.stdout).unwrap();
    let states: Vec<(&str, &str)> = report["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| (action["state"].as_str().unwrap(), action["held"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(states.iter().filter(|state| **state == ("done", "")).count(), 4);
    assert_eq!(states.iter().filter(|state| **state == ("held", "guest")).count(), 1);
    // at once, nobody again
    let again = go(&setting, &config, &[]).await;
    assert_eq!((again.exit, again.stdout.as_str(), again.stderr.as_str(), server.taken().len()), (0, "", "", 4));
    days_pass(&setting, A_FORTNIGHT).await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 8);
    let ids: std::collections::BTreeSet<String> = server.taken().into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(ids.len(), 8, "each its own Message-ID");
    // ten weeks without a run: one mail, not one for each step that was missed; then the series is at its end
    days_pass(&setting, TEN_WEEKS).await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 12);
    days_pass(&setting, TEN_WEEKS).await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 12);
}

/// Whoever is written to reads their own name; the report of it names nobody.
#[tokio::test]
async fn members_are_addressed_by_name_where_the_report_has_pseudonyms() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "names = \"pseudonym\"\nnames_key_file = \"names-key\"").await;
    setting.file("names-key", "0123456789abcdef0123456789abcdef");
    let ended = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    assert_valid(&ended.stdout);
    assert_eq!(sorted(server.recipients()), USERS);
    for bytes in server.messages() {
        let text = MessageParser::default().parse(&bytes).unwrap().body_text(0).unwrap().into_owned();
        assert!(!text.contains("person-") && !text.contains("address-"), "{text}");
    }
    let names = cli_test::contract::names_of(&setting, |_| true);
    let named = names.iter().flatten().filter(|name| name.trim().len() > 3 && ended.stdout.contains(name.as_str()));
    assert_eq!(named.collect::<Vec<_>>(), Vec::<&String>::new(), "{}", ended.stdout);
}

#[tokio::test]
async fn a_mail_says_what_was_missed_and_lists_only_what_is_there() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    go(&setting, &config, &[]).await;
    let messages = server.messages();
    let bytes = messages.iter().find(|bytes| header(bytes).0 == "grouped").unwrap();
    let message = MessageParser::default().parse(bytes).unwrap();
    assert_eq!(message.subject(), Some("Falcon (2026): 4 new or changed documents"));
    let text =
        message.body_text(0).unwrap().replace("\r\n", "\n").replace(&setting.sim.url(), "https://docs.example.com");
    insta::assert_snapshot!("mail_text", text);
    let html = message.body_html(0).unwrap();
    assert!(html.contains("&lt;b&gt;offer&lt;") && !html.contains("<b>offer"), "{html}");
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    // whoever answers reaches the owner of the room
    let reply_to = message.reply_to().unwrap().first().unwrap();
    assert_eq!(reply_to.address(), Some("olga@example.com"));
}

#[tokio::test]
async fn activity_ends_the_series() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "rooms = [\"Eagle\"]").await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.recipients(), ["asleep"]);
    let asleep = id(&setting.scenario, "Asleep");
    setting.sim.edit(|portal| {
        let at = portal.now - chrono::TimeDelta::minutes(5);
        portal.add_event(Event::new(5064, asleep, at).file(901, "moved.docx").in_room(EAGLE));
    });
    days_pass(&setting, A_FORTNIGHT).await;
    let ended = go(&setting, &config, &["--print", "text"]).await;
    assert!(ended.stdout.contains("All monitored room members were active"), "{}", ended.stdout);
    days_pass(&setting, A_FORTNIGHT).await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.recipients(), ["asleep"]);
}

#[tokio::test]
async fn a_dry_run_shows_every_mail_and_sends_none() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    let dry = go(&setting, &config, &["--dry-run"]).await;
    assert_eq!((dry.exit, dry.stderr.as_str(), server.taken().len()), (0, "", 0));
    let planned = dry.stdout.lines().filter(|line| line.contains("(day 0)") && line.ends_with("would be sent"));
    assert_eq!(planned.count(), 4, "{}", dry.stdout);
    assert!(dry.stdout.contains("    Subject: Falcon (2026): 4 new or changed documents\n"), "{}", dry.stdout);
    assert!(dry.stdout.contains("\n        - Budget 2027.xlsx\n"), "in full: {}", dry.stdout);
    let json = go(&setting, &config, &["--dry-run", "--format", "json"]).await;
    assert_valid(&json.stdout);
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 4, "the dry run has written nothing down");
}

#[tokio::test]
async fn a_full_run_is_gone_on_with_by_the_next() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    let config_of_one =
        settings_file(&setting, &settings(&server, "").replace("[remind]", "[remind]\nmost_per_run = 1"));
    assert_eq!(config, config_of_one);
    for expected in 1..=4 {
        go(&setting, &config, &[]).await;
        assert_eq!(server.taken().len(), expected);
    }
    go(&setting, &config, &[]).await;
    assert_eq!(sorted(server.recipients()), USERS);
}

#[tokio::test]
async fn a_server_that_defers_gets_the_same_mails_from_the_next_run() {
    let Some(server) = Server::start("defer", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    let ended = go(&setting, &config, &[]).await;
    assert_eq!((ended.exit, server.taken().len()), (0, 0));
    assert!(mail_to(&ended, "Grouped").contains("not sent: "), "{}", ended.stdout);
    assert!(!ended.stderr.contains("example.com"), "no addresses in the log: {}", ended.stderr);
    let is_said_once = |line: &str| line.matches("4.7.1").count() <= 1;
    assert!(ended.stderr.contains("4.7.1") && ended.stderr.lines().all(is_said_once), "{}", ended.stderr);
    server.switch("accept");
    let later = go(&setting, &config, &[]).await;
    assert_eq!((later.stdout.as_str(), sorted(server.recipients())), ("", USERS.map(str::to_owned).to_vec()));
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 4);
}

/// The server does not want us: nobody is refused, and nobody's step is used up. `doctor` asks it, and sends nothing.
#[tokio::test]
async fn a_server_that_refuses_the_sender_burns_nothing() {
    let setting = start_portal(Scenario::builtin("refused-sender", now()).unwrap()).await;
    let port = setting.sim.mail_address().unwrap().port();
    let config = settings_file(&setting, &settings_for(port, ""));
    let ended = go(&setting, &config, &[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert_eq!(ended.stdout.matches("`mail.from`").count(), 1, "once for all: {}", ended.stdout);
    assert_eq!(ended.stdout.matches("not sent: see the warning above").count(), 4, "{}", ended.stdout);
    let doctor = go(&setting, &config, &["doctor"]).await;
    let told = doctor.stdout.lines().find(|line| line.starts_with("FAIL  mail: ")).unwrap_or_default();
    assert!(told.contains("this sender may not send here"), "{}", doctor.stdout);
    assert_eq!(setting.sim.mails().len(), 0);
    setting.sim.edit(|portal| portal.mail_server = Some(MailServer::TakesAll));
    go(&setting, &config, &[]).await;
    let mails = setting.sim.mails();
    let taken: Vec<String> = mails.iter().map(|bytes| header(bytes).0).collect();
    assert_eq!(sorted(taken), ["dora", "emil", "fatima", "lars"]);
}

/// The server does not want what we send: nobody is refused, and nobody's step is used up.
#[tokio::test]
async fn a_server_that_refuses_the_message_burns_nothing() {
    for (mode, said) in [("relay-denied", "whoever it is for"), ("refuse-message", "whoever it is for")] {
        let Some(server) = Server::start(mode, &[]).await else { return };
        let (setting, config) = start(&server, "").await;
        let ended = go(&setting, &config, &[]).await;
        assert_eq!((ended.exit, server.taken().len()), (0, 0), "{mode}");
        assert!(mail_to(&ended, "Grouped").contains("not sent: "), "{mode}: {}", ended.stdout);
        assert!(ended.stdout.contains(said), "{mode}: {}", ended.stdout);
        server.switch("accept");
        go(&setting, &config, &[]).await;
        assert_eq!(sorted(server.recipients()), USERS, "{mode}");
    }
}

/// A server that lists what comes for the first time, and one that takes two mails over one connection.
#[tokio::test]
async fn what_is_deferred_is_tried_again_in_the_same_run() {
    for mode in ["greylist", "only:2", "only:1"] {
        let Some(server) = Server::start(mode, &[]).await else { return };
        let (setting, config) = start(&server, "").await;
        let ended = go(&setting, &config, &[]).await;
        assert_eq!(sorted(server.recipients()), USERS, "{mode}: {}", ended.stderr);
        assert!(!ended.stdout.contains("not sent"), "{mode}: {}", ended.stdout);
    }
}

/// No server was asked about what is no address, and none is blamed.
#[tokio::test]
async fn an_address_that_is_none_is_called_that() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    for address in ["asleep example.com", "asleep", &format!("{}@example.com", "a".repeat(65))] {
        let mut portal = world(now());
        let asleep = id(&portal, "Asleep");
        portal.people.iter_mut().find(|person| person.id == asleep).unwrap().email = address.to_owned();
        let setting = start_portal(portal).await;
        let config = settings_file(&setting, &settings(&server, "rooms = [\"Eagle\"]"));
        let json = go(&setting, &config, &["--format", "json"]).await.json();
        let (state, reason) = (&json["actions"][0]["state"], &json["actions"][0]["reason"]);
        assert_eq!(state, "failed", "{json}");
        assert_eq!(reason, "no mail can be sent to the address that the portal has; correct it there");
    }
}

/// A name is what somebody chose: it makes no header that servers refuse.
#[tokio::test]
async fn a_name_of_any_length_makes_a_header_that_servers_take() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let mut portal = world(now());
    let asleep = id(&portal, "Asleep");
    portal.people.iter_mut().find(|person| person.id == asleep).unwrap().first_name = "a".repeat(10_000);
    let setting = start_portal(portal).await;
    let config = settings_file(&setting, &settings(&server, "rooms = [\"Eagle\"]"));
    go(&setting, &config, &[]).await;
    let bytes = server.messages().remove(0);
    assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() < 998));
}

/// Mails leave at some hours, and a rehearsal shows them at all.
#[tokio::test]
async fn a_dry_run_outside_the_hours_shows_the_mails() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "rooms = [\"Eagle\"]").await;
    // ten o'clock at the portal
    settings_file(&setting, &settings(&server, "rooms = [\"Eagle\"]").replace("00:00-24:00", "11:00-12:00"));
    let dry = go(&setting, &config, &["--dry-run"]).await;
    assert!(mail_to(&dry, "Asleep").contains("would be sent within"), "{}", dry.stdout);
    assert!(dry.stdout.contains("    Subject: "), "{}", dry.stdout);
    let held = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!((held.json()["actions"][0]["held"].as_str(), server.taken().len()), (Some("quiet_hours"), 0));
}

/// A run that begins in the last millisecond of the hours goes on past them.
#[tokio::test]
async fn a_run_that_goes_on_past_the_hours_holds_its_mails() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (mut setting, config) = start(&server, "rooms = [\"Eagle\"]").await;
    settings_file(&setting, &settings(&server, "rooms = [\"Eagle\"]").replace("00:00-24:00", "09:00-10:00"));
    // ten o'clock at the portal
    setting.clock = cli_test::Clock::At(now() - chrono::TimeDelta::milliseconds(1));
    let late = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!((late.json()["actions"][0]["held"].as_str(), server.taken().len()), (Some("quiet_hours"), 0));
    setting.clock = cli_test::Clock::At(now() - chrono::TimeDelta::seconds(50));
    go(&setting, &config, &[]).await;
    assert_eq!(server.recipients(), ["asleep"], "the next run within the hours sends it");
}

/// Four people who are active everywhere are four people, in however many rooms.
#[tokio::test]
async fn the_breaker_counts_people_and_not_memberships() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let mut portal = Scenario::empty(now());
    let mut people = Vec::new();
    for n in 0..44 {
        let person = Person::new(&format!("person{n}@example.com"), "Person", &n.to_string());
        people.push(person.id);
        portal = portal.with_person(person);
    }
    portal = portal.with_person(Person::new("robot@example.com", "Robot", "Arm"));
    for room in 0..20 {
        let mut made = Room::vdr(1000 + room, &format!("Room {room}"));
        made.members = if room == 0 { people.clone() } else { people[..4].to_vec() };
        portal.add_room(made);
        for (n, person) in people[..4].iter().enumerate() {
            let at = now() - chrono::TimeDelta::days(1) - chrono::TimeDelta::minutes(n as i64);
            portal.add_event(Event::new(5064, *person, at).file(9000 + room, "a.docx").in_room(1000 + room));
        }
    }
    let olga = portal.owner().id;
    let long_ago = now() - chrono::TimeDelta::days(60);
    portal.add_event(Event::new(5011, olga, long_ago).file(900, "a.docx").in_room(1000));
    let setting = start_portal(portal).await;
    let config = settings_file(&setting, &settings(&server, ""));
    let ended = go(&setting, &config, &[]).await;
    assert_eq!((ended.exit, server.taken().len()), (3, 0), "{}", ended.stdout);
    assert!(ended.stdout.contains("40 of 44 people would be reminded at once"), "{}", ended.stdout);
}

#[tokio::test]
async fn one_refused_address_stops_nobody_else_and_is_not_tried_for_ever() {
    let Some(server) = Server::start("refuse:grouped@example.com", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    let ended = go(&setting, &config, &[]).await;
    assert!(mail_to(&ended, "Grouped").contains("not sent: "), "{}", ended.stdout);
    assert_eq!(sorted(server.recipients()), ["asleep", "earlier", "overridden"]);
    server.switch("accept");
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 3, "refused for good, for this step");
    days_pass(&setting, A_FORTNIGHT).await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 7, "the next step is tried again");
}

/// The one way to a second copy: the server dies between having the message and saying so. It has the same Message-ID.
#[tokio::test]
async fn a_server_that_dies_may_get_a_copy_and_loses_nothing() {
    for (mode, copies) in [("die", 0), ("die-after", 4)] {
        let Some(server) = Server::start(mode, &[]).await else { return };
        let (setting, config) = start(&server, "").await;
        let ended = go(&setting, &config, &[]).await;
        assert_eq!(server.taken().len(), copies, "{mode}");
        assert!(ended.stdout.contains("4 may have been sent"), "nobody knows: {mode}: {}", ended.stdout);
        server.switch("accept");
        go(&setting, &config, &[]).await;
        go(&setting, &config, &[]).await;
        let taken = server.taken();
        assert_eq!(taken.len(), copies + 4, "{mode}");
        let (before, after) = taken.split_at(copies);
        let sorted = |mails: &[(String, String, String)]| {
            let mut mails = mails.to_vec();
            mails.sort();
            mails
        };
        assert!(copies == 0 || sorted(before) == sorted(after), "{mode}: {taken:?}");
    }
}

/// A server that never says whether it has a mail gets three copies of it at most.
#[tokio::test]
async fn a_mail_of_unknown_fate_is_sent_three_times_at_most() {
    let Some(server) = Server::start("die-after", &[]).await else { return };
    let (setting, config) = start(&server, "rooms = [\"Eagle\"]").await;
    for (copies, said) in [(1, "the next run sends it again"), (2, "the next run sends it again"), (3, "a fourth time")]
    {
        let ended = go(&setting, &config, &["--format", "json"]).await;
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let reason = report["actions"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(said) && report["actions"][0]["state"] == "failed", "{copies}: {reason}");
        assert_eq!(server.taken().len(), copies);
    }
    server.switch("accept");
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 3);
    days_pass(&setting, A_FORTNIGHT).await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken().len(), 4, "the next step is another mail");
}

/// Every mail says how to stop them: as text, as a page, and to mail programs.
#[tokio::test]
async fn a_mail_says_how_to_stop_them() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "rooms = [\"Eagle\"]").await;
    go(&setting, &config, &[]).await;
    let messages = server.messages();
    let message = MessageParser::default().parse(&messages[0]).unwrap();
    let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
    let address = "mailto:stop@example.com?subject=No%20more%20reminders%20for%20asleep@example.com";
    assert!(text.contains(&format!("To stop these reminders: {address}")), "{text}");
    let link = format!("To stop these reminders: <a href=\"{address}\">stop@example.com</a>");
    assert!(html.contains(&link), "{html}");
    assert_eq!(message.header_raw("List-Unsubscribe").map(str::trim), Some(&*format!("<{address}>")));
}

#[tokio::test]
async fn without_a_server_nobody_counts_as_reminded() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    let port = cli_test::ClosedPort::take();
    let broken = settings(&server, "").replace(&format!("port = {}", server.port), &format!("port = {}", port.number));
    settings_file(&setting, &broken);
    for _ in 0..6 {
        // what was told within the hour is shown to those who ask for it
        let ended = go(&setting, &config, &["-v"]).await;
        assert_eq!(ended.exit, 0, "{}", ended.stderr);
        assert!(ended.stderr.contains("mail.host"), "{}", ended.stderr);
    }
    settings_file(&setting, &settings(&server, ""));
    go(&setting, &config, &[]).await;
    assert_eq!(sorted(server.recipients()), USERS);
    let none = settings_file(&setting, "[remind]\nenabled = true");
    let ended = go(&setting, &none, &[]).await;
    assert_eq!(ended.exit, 2, "{}", ended.stderr);
}

#[tokio::test]
async fn the_manager_gets_the_report_by_mail_also_when_everybody_is_active() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let more = "rooms = [\"Hawk\"]\n[manager]\nmail_to = [\"boss@example.com\"]\n";
    let (setting, config) = start(&server, more).await;
    let ended = go(&setting, &config, &[]).await;
    assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
    let taken = server.taken();
    assert_eq!((taken.len(), taken[0].0.as_str()), (1, "boss"));
    assert_eq!(taken[0].1, "Monthly report: infrequent room users");
    let message = server.messages().remove(0);
    let text = MessageParser::default().parse(&message).unwrap().body_text(0).unwrap().into_owned();
    assert!(text.contains("All monitored room members were active during this period."), "{text}");
}

#[tokio::test]
async fn somebody_is_written_to_in_their_language() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let mut portal = world(now());
    let grouped = id(&portal, "Grouped");
    portal.people.iter_mut().find(|person| person.id == grouped).unwrap().culture = Some("de-DE".to_owned());
    let setting = start_portal(portal).await;
    let config = settings_file(&setting, &settings(&server, ""));
    go(&setting, &config, &[]).await;
    let subjects: Vec<String> = server.taken().into_iter().map(|(_, subject, _)| subject).collect();
    assert_eq!(
        subjects.iter().filter(|subject| subject.contains("neue oder geänderte Dokumente")).count(),
        1,
        "{subjects:?}"
    );
}

#[tokio::test]
async fn explain_knows_what_was_sent() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    go(&setting, &config, &[]).await;
    let ended = go(&setting, &config, &["explain", "grouped@example.com", "Falcon (2026)"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    let today = setting.scenario.now.with_timezone(&chrono_tz::Europe::Berlin).format("%Y-%m-%d");
    for expected in [
        format!("  - found inactive since {today}\n"),
        format!("  - mail of day 0: sent ({today})\n"),
        "  - no mail now: the last mail was not long enough ago (`remind.apart_days`)\n".to_owned(),
    ] {
        assert!(ended.stdout.contains(&expected), "{expected} in {}", ended.stdout);
    }
    assert_eq!(server.taken().len(), 4);
}

/// A dozen people, all inactive at once: something is wrong, and nobody is written to.
#[tokio::test]
async fn too_many_at_once_hold_everybody_and_the_exit_code_says_so() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let now = now();
    let mut portal = Scenario::empty(now);
    let mut room = Room::vdr(EAGLE, "Eagle");
    for n in 0..12 {
        let person = Person::new(&format!("person{n}@example.com"), "Person", &n.to_string());
        room.members.push(person.id);
        portal = portal.with_person(person);
    }
    portal.add_room(room);
    portal = portal.with_person(Person::new("robot@example.com", "Robot", "Arm"));
    let olga = portal.owner().id;
    for days in [60, 1] {
        let at = now - chrono::TimeDelta::days(days);
        portal.add_event(Event::new(5011, olga, at).file(900, "a.docx").in_room(EAGLE));
    }
    let setting = start_portal(portal).await;
    let misnamed = settings_file(&setting, &settings(&server, "").replace("robot@", "nobody@"));
    for _ in 0..2 {
        let ended = go(&setting, &misnamed, &[]).await;
        let is_said = ended.stdout.contains("until the settings are right");
        assert!(ended.exit == 3 && is_said && server.taken().is_empty(), "{ended:?}");
    }
    let config = settings_file(&setting, &settings(&server, ""));
    let ended = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!((ended.exit, server.taken().len()), (3, 0), "{}", ended.stderr);
    assert_valid(&ended.stdout);
    let text = go(&setting, &config, &[]).await;
    assert!(text.exit == 3 && text.stdout.contains("12 of 12 people would be reminded at once"), "{}", text.stdout);
    settings_file(&setting, &settings(&server, "").replace("[remind]", "[remind]\nhold_above_percent = 100"));
    assert_eq!((go(&setting, &config, &[]).await.exit, server.taken().len()), (0, 12));
}

/// The steps of the mails of a run, by name.
fn steps(run: &Run) -> std::collections::BTreeMap<String, u64> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let step = |action: &Value| {
        let name = action["person"]["email"].as_str().unwrap().split('@').next().unwrap().to_owned();
        (name, action["rooms"][0]["step_days"].as_u64().unwrap())
    };
    report["actions"].as_array().unwrap().iter().map(step).collect()
}

/// Somebody repeats an old run, in which people were active who are not any more.
#[tokio::test]
async fn a_window_of_the_past_reminds_nobody_and_ends_no_series() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "").await;
    go(&setting, &config, &[]).await;
    days_pass(&setting, A_FORTNIGHT).await;
    let until = (setting.scenario.now - chrono::TimeDelta::days(45)).to_rfc3339();
    let old = go(&setting, &config, &["--until", &until, "--format", "json"]).await;
    assert_eq!(server.taken().len(), 4, "{}", old.stdout);
    let now = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!(steps(&now).get("earlier"), Some(&14), "{}", now.stdout);
}

/// One act where two are needed is no activity that ends the series, and the reminders do not begin anew.
#[tokio::test]
async fn too_little_activity_does_not_begin_the_reminders_anew() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "min_activity = 2").await;
    let first = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!(steps(&first).get("mover"), Some(&0), "{}", first.stdout);
    days_pass(&setting, A_FORTNIGHT).await;
    let second = go(&setting, &config, &["--format", "json"]).await;
    assert_eq!(steps(&second).get("mover"), Some(&14), "{}", second.stdout);
}

/// Kill -9 anywhere: no mail is lost, and none comes twice unless the kill fell between the server's having it and our writing that
/// down; then the copy has the same Message-ID.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runs_lose_no_mail() {
    let kills: usize = std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    for n in 0..kills {
        let Some(server) = Server::start("accept", &[]).await else { return };
        let (setting, config) = start(&server, "").await;
        let mut possible_copies = 0;
        for round in 0..3 {
            let before = server.taken().len();
            let mut command = setting.command(&["--portal", &setting.sim.url(), "--config", &config]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // mostly while it sends
            let wanted = before + (n + round) % 3;
            while server.taken().len() < wanted && child.try_wait().unwrap().is_none() {
                tokio::task::yield_now().await;
            }
            for _ in 0..n * 37 % 200 {
                tokio::task::yield_now().await;
            }
            child.kill().await.unwrap();
            possible_copies += 1;
        }
        let after = go(&setting, &config, &[]).await;
        assert_eq!((after.exit, after.stderr.as_str()), (0, ""), "kill {n}");
        go(&setting, &config, &[]).await;
        let taken = server.taken();
        let distinct: std::collections::BTreeSet<&String> = taken.iter().map(|(.., id)| id).collect();
        assert_eq!(distinct.len(), 4, "kill {n}: {taken:?}");
        assert!(taken.len() <= 4 + possible_copies, "kill {n}: {taken:?}");
        let mut people: Vec<String> = taken.iter().map(|(to, ..)| to.clone()).collect();
        people.sort();
        people.dedup();
        assert_eq!(people, USERS, "kill {n}");
    }
}

/// Who is inactive is found and reported, also when nobody can know what was written to them before.
#[tokio::test]
async fn a_ledger_that_cannot_be_used_keeps_the_findings_and_the_managers_report() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, "[manager]\nmail_to = [\"boss@example.com\"]\n").await;
    go(&setting, &config, &["--dry-run"]).await;
    go(&setting, &config, &[]).await;
    let before = server.taken().len();
    in_store(&setting, "UPDATE component_schema SET number = 99 WHERE component = 'journal'").await;
    let ended = go(&setting, &config, &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.exit, report["findings"].as_array().unwrap().is_empty()), (1, false), "{}", ended.stderr);
    assert!(report["notes"].to_string().contains("update the program"), "{}", report["notes"]);
    let taken = server.taken();
    assert_eq!((taken.len() - before, taken.last().unwrap().0.as_str()), (1, "boss"));
}

/// One template that cannot be used ends reminding before the first mail, and nothing else; `doctor` names it.
#[tokio::test]
async fn a_template_that_is_broken_keeps_the_report() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let mut portal = world(now());
    let overridden = id(&portal, "Overridden");
    portal.people.iter_mut().find(|person| person.id == overridden).unwrap().culture = Some("de-DE".to_owned());
    let setting = start_portal(portal).await;
    std::fs::create_dir_all(setting.state.path().join("tpl/de")).unwrap();
    setting.file("tpl/de/reminder.txt", "{{ nope.nope }}");
    let text = settings(&server, "[manager]\nmail_to = [\"boss@example.com\"]\n");
    let config = settings_file(&setting, &text.replace("[remind]\n", "[remind]\ntemplates = \"tpl\"\n"));
    let ended = go(&setting, &config, &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.exit, report["findings"].as_array().unwrap().is_empty()), (1, false), "{}", ended.stderr);
    assert_eq!(server.recipients(), ["boss"], "nobody is written to before every template was tried");
    assert!(report["notes"].to_string().contains("nope"), "{}", report["notes"]);
    let told = setting.run_with(&["doctor", "--portal", &setting.sim.url(), "--config", &config]).await.stdout;
    assert!(told.contains("FAIL  templates: ") && told.contains("de/reminder.txt"), "{told}");
}

/// A day of which nobody knows is not a day of inactivity, and nobody is written to by a clock that is wrong.
#[tokio::test]
async fn a_clock_that_is_wrong_makes_nobody_inactive() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (mut setting, config) = start(&server, "").await;
    for by in [chrono::TimeDelta::days(-1), chrono::TimeDelta::seconds(90)] {
        setting.clock = cli_test::Clock::At(now() + by);
        let ended = go(&setting, &config, &["--format", "json"]).await;
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((ended.exit, report["findings"].as_array().unwrap().len()), (4, 0), "{by}: {}", ended.stderr);
        let unknown = report["rooms"][0]["unknown"].as_array().unwrap();
        assert!(!unknown.is_empty() && unknown.iter().all(|one| one["why"] == "clocks_differ"), "{by}: {unknown:?}");
        assert_valid(&ended.stdout);
    }
    assert_eq!(server.taken(), []);
}
