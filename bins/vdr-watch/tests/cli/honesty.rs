//! Ways to make the program lie, each tried once: silence about what happened, the wrong room or person, alarms about nothing.

use std::path::Path;

use portal_sim::{AnswerForm, Event, Fault, FaultKind, Room, Scenario};

use crate::common::{Run, Setting, now, only_file};

/// A person downloads so many documents of room 72, one a minute, beginning so long ago.
fn downloads(portal: &mut Scenario, room: i32, count: i32, minutes_ago: i64) {
    let olga = portal.owner().id;
    for n in 0..count {
        let at = portal.now - chrono::TimeDelta::minutes(minutes_ago - i64::from(n));
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(room));
    }
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr))
}

/// Somebody empties a room and renames it afterwards. The window ends before the renaming, as when a missed run is repeated.
#[tokio::test]
async fn a_mass_download_from_a_room_that_was_renamed_after_the_window_is_not_silence() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    downloads(&mut portal, 71, 60, 300);
    let renamed = portal.now - chrono::TimeDelta::minutes(30);
    portal.rename_room(71, "Eagle", renamed);
    let setting = Setting::with(portal).await;
    let url = setting.sim.url();
    let ended = setting.run_with(&["--portal", &url, "--until", "2026-11-20T08:00:00Z"]).await;
    assert_ne!((ended.exit, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
}

/// A room is deleted, and another of its title is made: that is a fresh start and not a lasting defect.
#[tokio::test]
async fn a_deleted_room_of_the_same_title_leaves_neither_gap_nor_doubt() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= chrono::TimeDelta::hours(10);
    let setting = Setting::with(portal).await;
    assert_eq!(setting.run(&[]).await.exit, 0);
    setting.sim.edit(|portal| {
        let olga = portal.owner().id;
        let mut deleted = Event::new(5074, olga, portal.now + chrono::TimeDelta::hours(1)).in_room(71);
        deleted.target = vec!["71".to_owned()];
        portal.add_event(deleted);
        portal.rooms.clear();
        let mut again = Room::vdr(72, "Falcon");
        again.created = portal.now + chrono::TimeDelta::hours(2);
        portal.add_room(again);
        portal.now = now();
        downloads(portal, 72, 30, 90);
        let upload = portal.now - chrono::TimeDelta::minutes(20);
        portal.add_event(Event::new(5011, olga, upload).file(1, "new.docx").in_room(72));
    });
    let (url, until) = (setting.sim.url(), now().to_rfc3339());
    let ended = setting.run_with(&["--portal", &url, "--until", &until, "--format", "json"]).await;
    let report = json(&ended);
    assert_eq!((ended.exit, report["coverage"]["gaps"].to_string()), (0, "[]".to_owned()), "{}", ended.stderr);
    assert_eq!(report["findings"][0]["room"]["id"], 72);
}

/// Uploads stand in the log of one of two twins, downloads in none. Together they are too much, whichever room it was.
#[tokio::test]
async fn a_twin_does_not_double_the_limits() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon")).with_room(Room::vdr(72, "Falcon"));
    downloads(&mut portal, 72, 20, 90);
    let olga = portal.owner().id;
    for n in 0..20 {
        let at = portal.now - chrono::TimeDelta::minutes(90 - i64::from(n));
        portal.add_event(Event::new(5011, olga, at).file(8_000 + n, "paper.docx").in_room(72));
    }
    let setting = Setting::with(portal).await;
    let report = json(&setting.run(&["--format", "json"]).await);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

/// Failed logins are filed under the guest account, whoever was meant: they are not the logins of an anonymous visitor.
#[tokio::test]
async fn failed_logins_of_other_people_are_not_those_of_an_anonymous_visitor() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    downloads(&mut portal, 71, 30, 90);
    portal.events.iter_mut().for_each(|event| event.actor = portal_sim::GUEST);
    let failed = portal.now - chrono::TimeDelta::hours(2);
    portal.add_login(portal_sim::Login::failure("olga@example.com", "192.0.2.9", failed));
    let setting = Setting::with(portal).await;
    let report = json(&setting.run(&["--format", "json"]).await);
    let guest = portal_sim::GUEST.to_string();
    assert_eq!(report["suspiciousUsers"][0], guest.as_str());
    assert_eq!(report["loginDetails"][&guest], serde_json::json!([]));
}

#[tokio::test]
async fn a_room_list_that_fails_is_no_mistake_in_the_settings() {
    let setting = Setting::new("incident").await;
    setting.sim.set_faults(vec![Fault::status(502).on("files/rooms")]);
    let ended = setting.run(&["--room", "Acme – due diligence"]).await;
    assert!(matches!(ended.exit, 1 | 4), "exit {}: {}", ended.exit, ended.stderr);
    assert!(ended.stdout.contains("Not seen: list of rooms"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_webhook_that_can_never_work_is_a_mistake_in_the_settings() {
    let setting = Setting::new("quiet").await;
    for url in ["hooks.example.com:8080/x", "ftp://hooks.example.com/x", "http://hooks.example.com/x"] {
        let config = setting.config(&format!("[alerts.webhook]\nurl = \"{url}\""));
        let ended = setting.run(&["--config", &config]).await;
        assert_eq!(ended.exit, 2, "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains("alerts.webhook.url"), "{}", ended.stderr);
    }
}

/// Cron appends the report to a log on a full disk: the webhook and the alert file must hear of it all the same.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn alerts_leave_even_when_the_report_cannot_be_printed() {
    let setting = Setting::new("incident").await;
    let alerts = setting.state.path().join("alerts.ndjson");
    let config = setting.config(&format!("[alerts.file]\npath = \"{}\"", alerts.display()));
    let (url, until) = (setting.sim.url(), now().to_rfc3339());
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = setting.command(&["--portal", &url, "--until", &until, "--config", &config]);
    command.stdout(full).stderr(std::process::Stdio::null());
    assert_eq!(command.status().await.unwrap().code(), Some(1));
    assert_eq!(std::fs::read_to_string(&alerts).unwrap_or_default().lines().count(), 2);
}

/// A portal whose last run was three days ago, and where somebody has downloaded sixty documents since.
async fn after_a_pause() -> Setting {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= chrono::TimeDelta::days(3);
    let setting = Setting::with(portal).await;
    let (url, friday) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    assert_eq!(setting.run_with(&["--portal", &url, "--until", &friday]).await.exit, 0);
    setting.sim.edit(|portal| {
        portal.now = now();
        downloads(portal, 71, 60, 36 * 60);
    });
    setting
}

/// The machine was off from Friday to Monday: what happened in between is in no run's window.
#[tokio::test]
async fn a_pause_longer_than_the_window_is_not_silence() {
    let setting = after_a_pause().await;
    let (url, monday) = (setting.sim.url(), now().to_rfc3339());
    let ended = setting.run_with(&["--portal", &url, "--until", &monday]).await;
    assert!(!ended.stdout.is_empty() || !ended.stderr.is_empty(), "exit {} and silence", ended.exit);
}

#[tokio::test]
async fn a_relative_state_folder_is_remembered() {
    let setting = Setting::new("quiet").await;
    let (url, until) = (setting.sim.url(), now().to_rfc3339());
    let with_state = async |arguments: &[&str]| {
        let mut command = cli_test::command(Path::new(env!("CARGO_BIN_EXE_vdr-watch")), setting.state.path());
        command.args(["--portal", &url, "--state", "memory"]).args(arguments);
        command.env("DOCSPACE_API_KEY", &setting.key).env(cli_test::CLOCK, &until);
        cli_test::run(command).await
    };
    let ended = with_state(&["--until", &until]).await;
    assert_eq!(ended.stderr, "");
    assert!(only_file(&setting.state.path().join("memory"), "sqlite").exists());
    let pruned = with_state(&["store", "prune", "--before", "90d"]).await;
    assert_eq!((pruned.exit, pruned.stderr.as_str()), (0, ""));
}

/// Fifteen acts in each pass of the repeated hour are printed as thirty in one hour.
#[tokio::test]
async fn two_quiet_hours_of_the_autumn_night_are_no_busy_one() {
    let change: chrono::DateTime<chrono::Utc> = "2025-10-26T01:00:00Z".parse().unwrap();
    let mut portal = Scenario::empty(change + chrono::TimeDelta::hours(6))
        .with_zone(chrono_tz::Tz::Europe__Berlin)
        .with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    for n in 0..30 {
        let minutes = (i64::from(n) / 15) * 60 + (i64::from(n) % 15) * 3;
        let at = change - chrono::TimeDelta::hours(1) + chrono::TimeDelta::minutes(minutes);
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(71));
    }
    let setting = Setting::with(portal).await;
    let ended = setting.run(&[]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (0, ""));
}

/// A proxy answers one page with an empty list: it is asked for again, and nothing is missing.
#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let arguments = ["--since", "10d", "--format", "json"];
    let expected = json(&Setting::new("incident").await.run(&arguments).await);
    for page in 1..7 {
        let setting = Setting::new("incident").await;
        setting.sim.set_faults(vec![Fault::no_rows().on("security/audit/events").after(page).times(1)]);
        let ended = setting.run(&arguments).await;
        assert_eq!(ended.exit, 0, "page {page}: {}", ended.stderr);
        let report = json(&ended);
        assert_eq!(report["coverage"]["audit"]["rows"], expected["coverage"]["audit"]["rows"], "page {page}");
        assert_eq!(report["findings"].as_array().unwrap().len(), expected["findings"].as_array().unwrap().len());
    }
}

/// The question about nobody is answered, and nothing else can be understood.
#[tokio::test]
async fn a_server_of_an_unknown_form_concludes_nothing_and_is_named() {
    let setting = Setting::new("incident").await;
    let odd = FaultKind::OddAnswer { form: AnswerForm::NullResponse };
    setting.sim.set_faults(vec![Fault::new(odd).on("security/audit/events").after(1)]);
    let ended = setting.run(&["--format", "json"]).await;
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("in a form that this version does not know"), "{said}");
    assert_eq!(json(&ended)["coverage"]["complete"], false);
    assert!(setting.sim.requests().len() < 20, "{}", setting.sim.requests().len());
}

/// A data room with forty tags named `{x}`, made right after the room was emptied: the emptying must be told by the first run.
#[tokio::test]
async fn unreadable_rows_made_on_purpose_do_not_delay_a_finding() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    downloads(&mut portal, 71, 60, 600);
    let olga = portal.owner().id;
    for n in 0..40 {
        portal.add_event(Event::poison(olga, portal.now - chrono::TimeDelta::minutes(500 - n * 7)));
    }
    let setting = Setting::with(portal).await;
    let ended = setting.run(&["--format", "json"]).await;
    assert_eq!((ended.exit, json(&ended)["findings"].as_array().unwrap().len()), (4, 1));
}

/// Fifteen downloads before the machine was switched off and fifteen after, within one hour: no run may have only halves of them.
#[tokio::test]
async fn a_burst_around_the_end_of_the_last_run_is_judged_as_one() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= chrono::TimeDelta::hours(30);
    downloads(&mut portal, 71, 15, 16);
    let setting = Setting::with(portal).await;
    let (url, last) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let quiet = setting.run_with(&["--portal", &url, "--until", &last]).await;
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (0, ""), "{}", quiet.stderr);
    setting.sim.edit(|portal| {
        portal.now = now();
        let before = portal.events.len();
        downloads(portal, 71, 15, 30 * 60 - 5);
        portal.events[before..].iter_mut().for_each(|event| event.target[0].insert(0, '1'));
    });
    let ended = setting.run_with(&["--portal", &url, "--until", &now().to_rfc3339()]).await;
    assert!(ended.stdout.contains("30 actions within 1 h"), "{}{}", ended.stdout, ended.stderr);
}

/// After a pause somebody runs the program by hand, for the last hour or with a room that is not there: the pause is still unseen.
#[tokio::test]
async fn a_run_that_judged_nothing_of_a_pause_does_not_end_it() {
    for by_hand in [["--since", "2026-11-20T08:00:00Z"], ["--room", "no such room"]] {
        let setting = after_a_pause().await;
        let (url, monday) = (setting.sim.url(), now().to_rfc3339());
        let first = setting.run_with(&[&["--portal", &url, "--until", &monday], &by_hand[..]].concat()).await;
        let ended = setting.run_with(&["--portal", &url, "--until", &monday]).await;
        // the run by hand may have looked at it as well, as at what no run has judged
        let told = first.stdout + &ended.stdout;
        assert!(told.contains("60 actions within"), "{by_hand:?}: exit {} {}", ended.exit, ended.stderr);
    }
}

/// A busy morning today does not swallow the emptying of the room two days ago, which the portal tells only now, and only once.
#[tokio::test]
async fn a_late_incident_is_told_beside_a_smaller_one_of_today() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= chrono::TimeDelta::hours(40);
    let setting = Setting::with(portal).await;
    let (url, before) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    assert_eq!(setting.run_with(&["--portal", &url, "--until", &before, "--since", "5d"]).await.exit, 0);
    setting.sim.edit(|portal| {
        portal.now = now();
        downloads(portal, 71, 25, 90);
        let olga = portal.owner().id;
        for n in 0..150 {
            let at = portal.now - chrono::TimeDelta::hours(50) + chrono::TimeDelta::seconds(n * 20);
            portal.add_event(Event::new(5009, olga, at).file(n as i32 + 1, "paper.docx").in_room(71));
        }
    });
    let day = (now() - chrono::TimeDelta::hours(24)).to_rfc3339();
    let ended = setting.run_with(&["--portal", &url, "--until", &now().to_rfc3339(), "--since", &day]).await;
    assert!(ended.stdout.contains("25 actions within 1 h"), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("150 actions within 1 h"), "{}{}", ended.stdout, ended.stderr);
}

/// Forty downloads were told two days ago. Thirty of ten hours before, which the portal tells only now, are another finding.
#[tokio::test]
async fn a_late_incident_is_not_hidden_by_a_larger_one_that_was_told_before() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= chrono::TimeDelta::hours(36);
    downloads(&mut portal, 71, 40, 4 * 60);
    let setting = Setting::with(portal).await;
    let (url, before) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let told = setting.run_with(&["--portal", &url, "--until", &before, "--since", "5d"]).await;
    assert!(told.stdout.contains("40 actions within 1 h"), "{}{}", told.stdout, told.stderr);
    setting.sim.edit(|portal| {
        portal.now = now();
        downloads(portal, 71, 30, 50 * 60);
    });
    let day = (now() - chrono::TimeDelta::hours(24)).to_rfc3339();
    let ended = setting.run_with(&["--portal", &url, "--until", &now().to_rfc3339(), "--since", &day]).await;
    assert!(ended.stdout.contains("30 actions within 1 h"), "{}{}", ended.stdout, ended.stderr);
}

/// The store takes in what was read, and then no more. What the run found must be told all the same.
#[tokio::test]
async fn a_store_that_fails_at_the_end_does_not_keep_a_finding() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    portal.add_event(Event::poison(olga, portal.now - chrono::TimeDelta::minutes(200)));
    let setting = Setting::with(portal).await;
    assert_eq!(setting.run(&[]).await.exit, 4);
    let store = only_file(&setting.state.path().join("state"), "sqlite");
    let store = job_store::Store::open(&format!("sqlite://{}", store.display())).await.unwrap();
    let full = "CREATE TRIGGER full BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    store.script("filling", "INSERT OR IGNORE INTO fact VALUES ('portal', 'other', '', 0)").await.unwrap();
    store.script("filling the disk", full).await.unwrap();
    store.close().await;
    setting.sim.edit(|portal| downloads(portal, 71, 30, 90));
    let ended = setting.run(&[]).await;
    assert!(ended.stdout.contains("30 actions within 1 h"), "exit {} {}{}", ended.exit, ended.stdout, ended.stderr);
}

/// A portal with a second room and a second person, of whom nothing is to be told.
async fn with_others(setting: &Setting) {
    setting.sim.edit(|portal| {
        portal.add_room(Room::vdr(72, "Quiet"));
        portal.people.push(portal_sim::Person::new("bob@example.com", "Bob", "Ray"));
    });
}

/// Somebody looks at one room, or at one person, by hand. What happened elsewhere in the pause is told by the next run of cron.
#[tokio::test]
async fn a_run_that_looks_at_a_part_does_not_end_a_pause() {
    for by_hand in [["--room", "Quiet"], ["--person", "bob@example.com"]] {
        let setting = after_a_pause().await;
        with_others(&setting).await;
        let (url, monday) = (setting.sim.url(), now().to_rfc3339());
        let part = setting.run_with(&[&["--portal", &url, "--until", &monday], &by_hand[..]].concat()).await;
        assert_eq!((part.exit, part.stdout.contains("60 actions")), (0, false), "{}", part.stderr);
        let ended = setting.run_with(&["--portal", &url, "--until", &monday]).await;
        assert!(ended.stdout.contains("60 actions within"), "{by_hand:?}: exit {} {}", ended.exit, ended.stderr);
    }
}

/// The same for what the portal stored late: the run that reads it first is one about somebody else, or repeats an older day.
#[tokio::test]
async fn a_run_that_looks_at_a_part_does_not_consume_what_came_late() {
    let day_before = ["--until", "2026-11-19T09:00:00Z"];
    let until = ["--until", "2026-11-20T09:00:00Z"];
    for (by_hand, until_by_hand) in [
        (["--room", "Quiet"], until),
        (["--person", "bob@example.com"], until),
        (["--since", "2026-11-18T20:00:00Z"], day_before),
    ] {
        let setting = Setting::with(Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"))).await;
        with_others(&setting).await;
        let url = setting.sim.url();
        let cron = [&["--portal", &url], &until[..]].concat();
        assert_eq!(setting.run_with(&[&cron[..], &["--since", "5d"]].concat()).await.exit, 0);
        // a burst around the end of the older day, of which the first half came late
        setting.sim.edit(|portal| downloads(portal, 71, 30, 24 * 60 + 15));
        crate::common::forget_thorough_reads(&setting).await;
        let part = setting.run_with(&[&["--portal", &url], &until_by_hand[..], &by_hand[..]].concat()).await;
        assert!(!part.stdout.contains("30 actions"), "{}", part.stdout);
        let ended = setting.run_with(&cron).await;
        assert!(ended.stdout.contains("30 actions within 1 h"), "{by_hand:?}: exit {} {}", ended.exit, ended.stderr);
    }
}

/// A cron line for one room has a memory of its own: its pause is no hole either.
#[tokio::test]
async fn a_pause_of_runs_about_one_room_is_not_silence() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= chrono::TimeDelta::days(3);
    let setting = Setting::with(portal).await;
    let (url, friday) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let cron = ["--portal", &url, "--room", "71", "--until"];
    assert_eq!(setting.run_with(&[&cron[..], &[&friday]].concat()).await.exit, 0);
    setting.sim.edit(|portal| {
        portal.now = now();
        downloads(portal, 71, 60, 36 * 60);
    });
    let ended = setting.run_with(&[&cron[..], &[&now().to_rfc3339()]].concat()).await;
    assert!(ended.stdout.contains("60 actions within"), "exit {} {}", ended.exit, ended.stderr);
}
