//! Who is inactive, and the report in all its forms.

use std::collections::BTreeSet;

use portal_sim::Scenario;
use serde_json::Value;

use crate::common::{assert_valid, now, settings_file, start_portal};
use crate::world::{INACTIVE, world};

const CONFIG: &str = "service_accounts = [\"robot@example.com\"]\n";

/// Who was found, as (room, name).
pub(crate) fn found(report: &Value) -> BTreeSet<(i32, String)> {
    let findings = report["findings"].as_array().unwrap();
    let one = |finding: &Value| {
        let email = finding["person"]["email"].as_str().unwrap();
        let room = i32::try_from(finding["room"]["id"].as_i64().unwrap()).unwrap();
        (room, email.split('@').next().unwrap().to_owned())
    };
    findings.iter().map(one).collect()
}

pub(crate) fn truth() -> BTreeSet<(i32, String)> {
    INACTIVE.iter().map(|(room, name)| (*room, (*name).to_owned())).collect()
}

#[tokio::test]
async fn the_truth_is_told_and_nothing_else() {
    let setting = start_portal(world(now())).await;
    let config = settings_file(&setting, CONFIG);
    let ended = setting.run(&["--config", &config, "--format", "json"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    assert_valid(&ended.stdout);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found(&report), truth());
    // one room shows all members, and is short enough to be read
    let eagle = setting.run(&["--config", &config, "--dry-run", "--format", "json", "--room", "Eagle"]).await;
    insta::assert_snapshot!("members_json", eagle.stdout);
    let first = &report["rooms"][0]["inactive"][0];
    assert_eq!(
        (first["risk"].as_str(), first["person"]["email"].as_str()),
        (Some("guest_who_may_change"), Some("guest@example.com"))
    );
    // told once
    let again = setting.run(&["--config", &config]).await;
    assert_eq!((again.exit, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
}

#[tokio::test]
async fn the_manager_gets_the_whole_in_every_form() {
    let setting = start_portal(world(now())).await;
    let config = settings_file(&setting, CONFIG);
    for form in ["text", "html", "csv"] {
        let ended = setting.run(&["--config", &config, "--print", form]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
        insta::assert_snapshot!(format!("manager_{form}"), ended.stdout);
    }
    let json = setting.run(&["--config", &config, "--print", "json"]).await;
    assert_valid(&json.stdout);
}

/// The same report, in the form that the ending of each file names, whatever is printed.
#[tokio::test]
async fn report_files_say_the_same_as_what_is_printed() {
    let setting = start_portal(world(now())).await;
    let config = settings_file(&setting, CONFIG);
    for (ending, print) in [("txt", "text"), ("html", "html"), ("csv", "csv"), ("json", "json")] {
        let file = setting.state.path().join(format!("report.{ending}")).display().to_string();
        let ended = setting.run(&["--config", &config, "--print", print, "--report", &file]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{ending}");
        let written = std::fs::read_to_string(&file).unwrap().replace(&setting.sim.url(), "https://docs.example.com");
        let without_start = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.contains("\"started_at\": ")).map(str::to_owned).collect()
        };
        assert_eq!(without_start(&written), without_start(&ended.stdout), "{ending}");
        for (_, name) in INACTIVE {
            assert!(written.contains(&format!("{name}@example.com")), "{ending}: {name}");
        }
    }
}

#[tokio::test]
async fn everybody_active_is_said_in_the_published_words() {
    let setting = start_portal(world(now())).await;
    let config = settings_file(&setting, "rooms = [\"Hawk\"]\n[manager]\nfile = \"report.txt\"\n");
    let ended = setting.run(&["--config", &config]).await;
    assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
    let report = std::fs::read_to_string(setting.state.path().join("report.txt")).unwrap();
    assert!(report.contains("All monitored room members were active during this period."), "{report}");
    let printed = setting.run(&["--config", &config, "--print", "text"]).await.stdout;
    assert!(printed.contains("All monitored room members were active during this period."), "{printed}");
}

#[tokio::test]
async fn rooms_are_chosen_by_id_title_type_and_tag() {
    let mut portal = world(now());
    portal.tag_room(72, "deal");
    let setting = start_portal(portal).await;
    let rooms = async |wanted: &[&str]| {
        let flags: Vec<&str> = wanted.iter().flat_map(|room| ["--room", room]).collect();
        let ended = setting.run(&[&flags[..], &["--dry-run", "--format", "json"]].concat()).await;
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let ids = report["rooms"].as_array().unwrap().iter().map(|room| room["id"].as_i64().unwrap());
        ids.collect::<BTreeSet<_>>()
    };
    assert_eq!(rooms(&["71", "Hawk"]).await, [71, 73].into());
    assert_eq!(rooms(&["tag:deal"]).await, [72].into());
    assert_eq!(rooms(&["type:virtual_data_room"]).await, [71, 72, 73].into());
    for unknown in [&["--room", "Sparrow"][..], &["--room", "type:sauna"], &["--print", "pdf"]] {
        let ended = setting.run(unknown).await;
        assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{}", ended.stderr);
    }
}

/// An earlier, longer run has seen more; what it saw tells when somebody was last there.
#[tokio::test]
async fn the_archive_tells_when_somebody_was_last_seen() {
    let setting = start_portal(world(now())).await;
    setting.run(&["--since", "2026-09-21T09:00:00Z"]).await;
    let ended = setting.run(&["--print", "text"]).await;
    let about = |email: &str| {
        let lines = ended.stdout.lines().skip_while(|line| !line.contains(email)).skip(1);
        lines.take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join("\n")
    };
    let earlier = about("<earlier@example.com>");
    assert!(
        earlier.starts_with(
            "no action as viewer in 30 days; ordinary user, may only read; no sign-in known\nlast 2026-10-01 "
        ),
        "{earlier}"
    );
    let guest = about("<guest@example.com>");
    assert!(
        guest.starts_with("no action as editor since monitoring began on 2026-09-21; a guest who may change"),
        "{guest}"
    );
}

#[tokio::test]
async fn findings_and_the_exit_code() {
    let setting = start_portal(world(now())).await;
    assert_eq!(setting.run(&["--exit-code", "--dry-run"]).await.exit, 3);
    let quiet = start_portal(world(now())).await;
    assert_eq!(quiet.run(&["--exit-code", "--dry-run", "--room", "Hawk"]).await.exit, 0);
}

/// A key that sees no room, or rooms that are all archived: no all-clear, as `doctor` says.
#[tokio::test]
async fn without_a_room_nothing_is_concluded() {
    let empty = start_portal(Scenario::empty(now())).await;
    for (args, expected) in [(&["--dry-run"][..], "no room could be looked at"), (&[], "no room could be looked at")] {
        let ended = empty.run(args).await;
        assert_eq!(ended.exit, 1, "{}", ended.stderr);
        assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    }
}
