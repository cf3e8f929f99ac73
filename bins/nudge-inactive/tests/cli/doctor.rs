//! `doctor`: what it says of this program.

use portal_sim::{Key, Person, PersonKind, Room, Scenario};

use crate::common::{Setting, now, settings_file, start_portal};

async fn setting() -> Setting {
    let admin = Person::new("watch@example.com", "Watch", "Dog").kind(PersonKind::Admin);
    let key = Key::of(&admin).scopes(&["*:read"]);
    let mut portal = Scenario::empty(now()).with_person(admin).with_room(Room::vdr(71, "Falcon"));
    portal.keys = vec![key];
    start_portal(portal).await
}

/// The lines of these checks.
async fn lines(setting: &Setting, config: &str, names: &[&str]) -> (i32, String) {
    let url = setting.sim.url();
    let config = settings_file(setting, config);
    let ended = setting.run_with(&["doctor", "--portal", &url, "--config", &config]).await;
    let is_wanted = |line: &&str| names.iter().any(|name| line[4..].trim_start().starts_with(&format!("{name}:")));
    let lines: Vec<&str> = ended.stdout.lines().filter(is_wanted).collect();
    (ended.exit, lines.join("\n"))
}

const OWN: &[&str] = &["rooms_looked_at", "terms", "reminders", "templates", "manager", "blind_spots", "mail"];

#[tokio::test]
async fn what_would_be_done_is_said() {
    let setting = setting().await;
    let (exit, told) = lines(&setting, "", OWN).await;
    assert_eq!(exit, 0, "{told}");
    insta::assert_snapshot!("doctor_report_only", told);
    let (exit, told) = lines(&setting, "[remind]\nenabled = true\nguests = true\n", OWN).await;
    assert_eq!(exit, 2, "a mail server is missing: {told}");
    insta::assert_snapshot!("doctor_reminding", told);
}

#[tokio::test]
async fn a_mail_server_that_does_not_answer_and_a_room_that_is_not_there_are_failures() {
    let setting = setting().await;
    let port = cli_test::ClosedPort::take();
    let config = format!(
        "rooms = [\"Eagle\"]\n[mail]\nhost = \"localhost\"\nport = {}\nsecurity = \"none\"\nfrom = \"a@example.com\"\n",
        port.number
    );
    let (exit, told) = lines(&setting, &config, OWN).await;
    assert_eq!(exit, 2, "{told}");
    assert!(told.contains("FAIL  mail: ") && told.contains("`mail.port`"), "{told}");
    assert!(told.contains("FAIL  rooms_looked_at: no room matches `Eagle`"), "{told}");
}

/// While nobody is written to, an entry that means nobody harms nobody yet.
#[tokio::test]
async fn whom_nobody_knows_is_named_while_reminding_is_off() {
    let setting = setting().await;
    let config = "exclude_people = [\"gone@example.com\"]\n[remind]\nstop = [\"chen@exmaple.com\"]\n";
    let (exit, told) = lines(&setting, config, &["names", "reminders"]).await;
    assert_eq!(exit, 0, "{told}");
    for entry in ["`gone@example.com`, named in `exclude_people`", "`chen@exmaple.com`, named in `remind.stop`"] {
        assert!(told.lines().any(|line| line.starts_with("warn  names: ") && line.contains(entry)), "{told}");
    }
    assert!(told.contains("ok    reminders: nobody is written to until "), "{told}");
    let config = settings_file(&setting, config);
    let ended = setting.run_with(&["--portal", &setting.sim.url(), "--config", &config]).await;
    assert_ne!(ended.exit, 3, "{}", ended.stdout);
    let noted = ["gone@example.com", "chen@exmaple.com"].map(|entry| ended.stdout.contains(entry));
    assert_eq!(noted, [true, true], "{}", ended.stdout);
}

/// There are no alerts, so nobody must rely on them; the file that programs share may hold them.
#[tokio::test]
async fn settings_for_alerts_are_refused() {
    let setting = setting().await;
    let text = "[alerts.file]\npath = \"alerts.ndjson\"\n";
    let (exit, told) = lines(&setting, text, &["configuration", "alerts"]).await;
    assert_eq!(exit, 2, "{told}");
    assert!(
        told.starts_with("FAIL  configuration: config key `alerts` (") && told.contains("does nothing with it"),
        "{told}"
    );
    let (url, shared) = (setting.sim.url(), settings_file(&setting, text));
    let ended = setting.run_with(&["doctor", "--portal", &url, "--portal-config", &shared]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    let shown = setting.run_with(&["config", "show", "--portal", &url, "--portal-config", &shared]).await;
    assert!(shown.exit == 0 && !shown.stdout.contains("alerts"), "{}", shown.stdout);
}
