//! `doctor` and the other commands that look at the set-up.

use chrono::TimeDelta;
use portal_sim::{Fault, FaultKind, Key, Person, PersonKind, Room, Scenario};
use tokio::net::TcpListener;

use crate::common::{Run, Setting, assert_keeps, now, only_file};

/// A portal where nothing is wrong: an admin's key with the right scope that lives for long.
fn well() -> Scenario {
    let admin = Person::new("vdr-watch@example.com", "Watch", "Dog").kind(PersonKind::Admin);
    let mut key = Key::of(&admin).scopes(&["*:read"]);
    key.expires = Some(now() + TimeDelta::days(200));
    let mut portal = Scenario::empty(now()).with_person(admin).with_room(Room::vdr(71, "Falcon"));
    portal.keys = vec![key];
    portal
}

/// The answer to `doctor`, without what differs from run to run.
async fn doctor(setting: &Setting, extra: &[&str]) -> Run {
    let url = setting.sim.url();
    let mut ended = setting.run_with(&[&["doctor", "--portal", &url], extra].concat()).await;
    let folder = setting.state.path().display().to_string();
    let dies = setting.scenario.keys.first().and_then(|key| key.expires);
    let dies = dies.map_or_else(|| "never".to_owned(), |at| at.date_naive().to_string());
    let port = url.rsplit(':').next().unwrap().to_owned();
    ended.stdout = ended
        .stdout
        .replace(&folder, "/FOLDER")
        .replace(&dies, "2027-01-01")
        .replace(&format!("127.0.0.1-{port}"), "docs.example.com")
        .replace(&format!("port {port}"), "port 443")
        .replace(&format!("ending in {}", &setting.key[setting.key.len().saturating_sub(4)..]), "ending in 1a2b");
    ended
}

const SCHEMA: &str = "../../crates/job-runner/schema/doctor-1.schema.json";

/// A heartbeat's address that accepts connections, a file for alerts and a textfile.
async fn everything_set(setting: &Setting) -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let beat = listener.local_addr().unwrap();
    let text = format!(
        "textfile = \"vdr-watch.prom\"\n[heartbeat]\nurl = \"http://{beat}/secret-path\"\n[alerts.file]\npath = \"alerts.ndjson\"\n"
    );
    (setting.config(&text), listener)
}

#[tokio::test]
async fn all_is_well() {
    let setting = Setting::with(well()).await;
    let (config, _listener) = everything_set(&setting).await;
    let text = doctor(&setting, &["--config", &config]).await;
    insta::assert_snapshot!("doctor_all_well_text", text.stdout);
    assert_eq!((text.exit, text.stderr.as_str()), (0, ""));
    let json = doctor(&setting, &["--config", &config, "--format", "json"]).await;
    insta::assert_snapshot!("doctor_all_well_json", json.stdout);
    assert_eq!((json.exit, json.stderr.as_str()), (0, ""));
    assert_keeps(SCHEMA, &json.stdout);
    let left: Vec<_> =
        std::fs::read_dir(setting.state.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["vdr-watch.toml"], "doctor makes nothing");
    assert!(!text.stdout.contains("secret-path"));
}

#[tokio::test]
async fn a_dead_key() {
    let setting = Setting::with(well()).await;
    let setting = setting.with_key(&format!("sk-{}", "0".repeat(64)));
    let ended = doctor(&setting, &[]).await;
    insta::assert_snapshot!("doctor_dead_key", ended.stdout);
    assert_eq!((ended.exit, ended.stderr.as_str()), (1, ""));
    let json = doctor(&setting, &["--format", "json"]).await;
    assert_keeps(SCHEMA, &json.stdout);
    assert!(json.stdout.contains("\"state\": \"fail\""), "{}", json.stdout);
}

#[tokio::test]
async fn a_portal_without_the_audit_feature() {
    let setting = Setting::with(well().with_audit(false)).await;
    let ended = doctor(&setting, &[]).await;
    insta::assert_snapshot!("doctor_no_audit_feature", ended.stdout);
    assert_eq!(ended.exit, 1);
}

#[tokio::test]
async fn a_key_without_the_scope() {
    let mut portal = well();
    portal.keys[0].scopes = vec!["files:read".to_owned(), "rooms:read".to_owned()];
    let setting = Setting::with(portal).await;
    let ended = doctor(&setting, &[]).await;
    insta::assert_snapshot!("doctor_plain_scope", ended.stdout);
    assert_eq!(ended.exit, 1);
}

/// Clock, right, expiry, rooms, store, lock, channel, heartbeat: all told by one run.
#[tokio::test]
async fn several_problems_at_once() {
    let mut portal = well();
    portal.people[1].kind = PersonKind::RoomAdmin;
    portal.keys[0].expires = Some(now() + TimeDelta::hours(5 * 24 + 12));
    portal.rooms.clear();
    let setting = Setting::with(portal).await;
    setting.sim.set_faults(vec![Fault::new(FaultKind::ClockSkew { seconds: -600 }).on("settings")]);
    let nowhere = cli_test::ClosedPort::take();
    let config = setting.config(&format!(
        "textfile = \"nowhere/vdr-watch.prom\"\n[alerts.file]\npath = \"nowhere/alerts.ndjson\"\n[heartbeat]\nurl = \"http://127.0.0.1:{}/\"\n",
        nowhere.number
    ));
    let ended = doctor(&setting, &["--config", &config]).await;
    let shown = ended.stdout.replace(&nowhere.number.to_string(), "8000");
    // a slow machine needs a while until it asks
    insta::assert_snapshot!("doctor_several_problems", shown.replace("clock is 11 min ahead", "clock is 10 min ahead"));
    assert_eq!(ended.exit, 1);
}

#[tokio::test]
async fn a_host_that_does_not_answer() {
    let setting = Setting::with(well()).await;
    let port = cli_test::ClosedPort::take();
    let ended = setting.run_with(&["doctor", "--portal", &format!("http://127.0.0.1:{}", port.number)]).await;
    let folder = setting.state.path().display().to_string();
    let shown = ended.stdout.replace(&folder, "/FOLDER").replace(&port.number.to_string(), "443");
    insta::assert_snapshot!("doctor_unreachable", shown);
    assert_eq!((ended.exit, ended.stderr.as_str()), (1, ""));
}

#[tokio::test]
async fn a_damaged_store_and_then_a_newer_one() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let store = only_file(&setting.state.path().join("state"), "sqlite");
    let line = async || {
        let ended = doctor(&setting, &[]).await;
        ended.stdout.lines().find(|line| line.contains("  state: ")).unwrap().to_owned()
    };
    let judged = line().await;
    assert!(judged.starts_with("ok    state: /FOLDER/state/vdr-watch-docs.example.com.sqlite (SQLite), "), "{judged}");
    assert!(judged.ends_with("no damage, judged up to 2026-11-20 09:00:00 UTC"), "{judged}");
    let bytes = std::fs::read(&store).unwrap();
    let damaged = "this is not a database, it only looks like a file of some length".repeat(40);
    std::fs::write(&store, &damaged).unwrap();
    let found = line().await;
    assert!(found.starts_with("FAIL  state: ") && found.contains("move it away"), "{found}");
    assert_eq!(std::fs::read_to_string(&store).unwrap(), damaged);
    std::fs::write(&store, bytes).unwrap();
    let opened = job_store::Store::open(&format!("sqlite://{}", store.display())).await.unwrap();
    let later = "INSERT INTO component_schema VALUES ('archive', 99, 'later', '')";
    opened.script("updating", later).await.unwrap();
    opened.close().await;
    let found = line().await;
    assert!(found.starts_with("FAIL  state: ") && found.contains("update the program"), "{found}");
}

#[tokio::test]
async fn a_run_at_work_is_seen_and_left_alone() {
    let setting = Setting::new("quiet").await;
    setting.run(&[]).await;
    let lock = only_file(&setting.state.path().join("state"), "lock");
    let holder = std::fs::File::options().read(true).write(true).open(&lock).unwrap();
    holder.try_lock().unwrap();
    std::fs::write(&lock, "pid 1\nstarted 2026-11-20T08:00:00Z\n").unwrap();
    let ended = doctor(&setting, &[]).await;
    assert!(ended.stdout.contains("FAIL  lock: a run that began at 2026-11-20 08:00:00 UTC"), "{}", ended.stdout);
    let patient = doctor(&setting, &["--config", &setting.config("run_limit = \"30000d\"")]).await;
    assert!(patient.stdout.contains("ok    lock: a run is at work since"), "{}", patient.stdout);
    holder.unlock().unwrap();
    assert!(doctor(&setting, &[]).await.stdout.contains("ok    lock: free"));
}

#[tokio::test]
async fn mistakes_in_the_settings_end_with_2_and_the_rest_is_checked_all_the_same() {
    let setting = Setting::with(well()).await;
    let config = setting.config("rooms = [\"Falcon\", \"Eagle\"]\n[limits]\nper_huor = 3\n");
    let ended = doctor(&setting, &["--config", &config]).await;
    assert_eq!(ended.exit, 2);
    for expected in ["FAIL  configuration: config key `limits.per_huor`", "`Eagle`", "ok    audit: "] {
        assert!(ended.stdout.contains(expected), "{expected} in {}", ended.stdout);
    }
    let setting = setting.with_key("");
    let ended = setting.run_with(&["doctor"]).await;
    assert_eq!(ended.exit, 2);
    assert!(ended.stdout.contains("portal.url"), "{}", ended.stdout);
    let ended = doctor(&setting, &[]).await;
    assert_eq!(ended.exit, 2);
    for expected in ["FAIL  key: no API key", "ok    portal: DocSpace"] {
        assert!(ended.stdout.contains(expected), "{expected} in {}", ended.stdout);
    }
}

#[tokio::test]
async fn a_token_is_told_from_a_key() {
    let mut portal = well();
    portal.keys[0].key = "some-personal-access-token".to_owned();
    let setting = Setting::with(portal).await;
    let ended = doctor(&setting, &[]).await;
    assert!(
        ended.stdout.contains("warn  key: ") && ended.stdout.contains("ends when its owner signs out"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("ok    right: the key acts as a DocSpace admin"), "{}", ended.stdout);
    assert_eq!(ended.exit, 0);
}

/// Ordinary runs announce it, once a week, also in JSON and beside findings.
#[tokio::test]
async fn a_key_that_dies_soon_is_noted_in_the_report() {
    let mut portal = Scenario::builtin("incident", now()).unwrap();
    portal.keys[0].expires = Some(now() + TimeDelta::days(3));
    let setting = Setting::with(portal).await;
    let note = "the API key expires on 2026-11-23, in 3 days; create a new key and put it in place of the old one";
    let dry = setting.run(&["--dry-run"]).await;
    assert!(dry.stdout.contains(&format!("Note: {note}\n")), "{}", dry.stdout);
    let first = setting.run(&["--format", "json"]).await;
    crate::common::assert_valid(&first.stdout);
    let report: serde_json::Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!((first.exit, &report["notes"]), (0, &serde_json::json!([note])));
    let second = setting.run(&["--format", "json"]).await;
    let report: serde_json::Value = serde_json::from_str(&second.stdout).unwrap();
    assert_eq!(report["notes"], serde_json::Value::Null, "said within the week");
}

/// Everything that ends a run with 2 is named by `doctor` with 2, too.
#[tokio::test]
async fn what_a_run_would_refuse_is_refused() {
    let mut archived = Room::vdr(72, "Closed");
    archived.archived = true;
    let setting = Setting::with(well().with_room(archived)).await;
    for (flags, named) in [
        (["--person", "nobody@example.com"], "nobody@example.com"),
        (["--create-room", "Eagle"], "rooms:write"),
        (["--create-room", "Closed"], "archived"),
        (["--room", "Eagle"], "Eagle"),
    ] {
        let told = setting.run_with(&[&flags[..], &["--portal", &setting.sim.url(), "doctor"]].concat()).await;
        assert_eq!(told.exit, 2, "{flags:?}: {}", told.stdout);
        assert!(told.stdout.contains(named), "{flags:?}: {}", told.stdout);
        let ended = setting.run_with(&[&["--portal", &setting.sim.url()], &flags[..]].concat()).await;
        assert_eq!(ended.exit, 2, "{flags:?}: {}", ended.stderr);
    }
    for flags in [["--person", "OLGA@example.com"], ["--create-room", "Falcon"]] {
        let told = setting.run_with(&[&flags[..], &["--portal", &setting.sim.url(), "doctor"]].concat()).await;
        assert_eq!(told.exit, 0, "{flags:?}: {}", told.stdout);
    }
}
