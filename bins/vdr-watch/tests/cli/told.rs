//! What people know already is not told again, until there is more to say.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Fault, Room, Scenario};
use serde_json::Value;

use crate::common::{Run, Setting, assert_valid, forget_thorough_reads, now};

/// A portal where somebody has downloaded so many documents of one room, one a minute.
async fn after_downloads(count: i32) -> Setting {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    download(&mut portal, 0..count);
    Setting::with(portal).await
}

fn download(portal: &mut Scenario, documents: std::ops::Range<i32>) {
    let olga = portal.owner().id;
    for n in documents {
        let at = now() - TimeDelta::minutes(90) + TimeDelta::minutes(i64::from(n));
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(71));
    }
}

fn report(run: &Run) -> Value {
    assert_valid(&run.stdout);
    serde_json::from_str(&run.stdout).unwrap()
}

#[tokio::test]
async fn the_second_run_says_nothing_and_knows_everything() {
    let setting = Setting::new("incident").await;
    assert!(setting.run(&[]).await.stdout.contains("2 findings"));
    let second = setting.run(&["--exit-code"]).await;
    assert_eq!((second.exit, second.stdout.as_str(), second.stderr.as_str()), (3, "", ""));
    let report = report(&setting.run(&["--format", "json"]).await);
    let states: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["state"]).collect();
    assert_eq!(states, ["known", "known"]);
    assert_eq!(report["suppressed"], 0);
}

/// Text and JSON of the run after a finding has more than doubled; the run after that is silent again.
#[tokio::test]
async fn grown_finding() {
    for format in ["text", "json"] {
        let setting = after_downloads(25).await;
        let config = setting.config("[alerts.file]\npath = \"alerts.ndjson\"");
        let arguments = ["--config", &config, "--format", format];
        assert!(setting.run(&arguments).await.stdout.contains("25 actions within 1 h"));
        setting.sim.edit(|portal| download(portal, 25..60));
        let grown = setting.run(&arguments).await;
        assert_eq!((grown.exit, grown.stderr.as_str()), (0, ""));
        let shown = if format == "json" {
            report(&grown);
            cli_test::abridged(&grown.stdout)
        } else {
            grown.stdout
        };
        insta::assert_snapshot!(format!("grown_finding_{format}"), shown);
        assert_eq!(setting.run(&["--config", &config]).await.stdout, "");
        let alerts = std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap();
        let alerts: Vec<Value> = alerts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let acts: Vec<&Value> = alerts.iter().map(|alert| &alert["counts"]["acts"]).collect();
        assert_eq!(acts, [25, 60]);
        assert_eq!(alerts[0]["fingerprint"], alerts[1]["fingerprint"]);
        assert_ne!(alerts[0]["id"], alerts[1]["id"]);
    }
}

/// A little more is not told, and the next alert says how often it was held back.
#[tokio::test]
async fn moderate_growth_is_counted() {
    let setting = after_downloads(25).await;
    let config = setting.config("[alerts.file]\npath = \"alerts.ndjson\"");
    let (text, json) = (["--config", &config], ["--config", &config, "--format", "json"]);
    setting.run(&text).await;
    setting.sim.edit(|portal| download(portal, 25..30));
    assert_eq!(setting.run(&text).await.stdout, "");
    let held_back = report(&setting.run(&json).await);
    assert_eq!((&held_back["suppressed"], &held_back["findings"][0]["state"]), (&1.into(), &"known".into()));
    setting.sim.edit(|portal| download(portal, 30..52));
    let told = setting.run(&text).await;
    assert!(told.stdout.contains("  already reported with 25 actions; now 52"), "{}", told.stdout);
    let alerts = std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap();
    let last: Value = serde_json::from_str(alerts.lines().last().unwrap()).unwrap();
    assert_eq!((alerts.lines().count(), &last["suppressed"]), (2, &2.into()));
}

/// Somebody downloads one document a minute for five hours, and a run looks back two hours: the number is that of the whole burst.
#[tokio::test]
async fn a_burst_keeps_its_whole_number_and_ends() {
    let mut portal = Scenario::empty(now() - TimeDelta::hours(7)).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    for n in 0..300 {
        let at = now() - TimeDelta::hours(7) + TimeDelta::minutes(n);
        portal.add_event(Event::new(5009, olga, at).file(9_000 + n as i32, "paper.docx").in_room(71));
    }
    let setting = Setting::with(portal).await;
    let config = setting.config("[alerts]\nquiet = \"30m\"\n[alerts.file]\npath = \"alerts.ndjson\"");
    let mut heard = Vec::new();
    for minutes in (30..=360).step_by(10) {
        setting.sim.edit(|portal| portal.now = now() - TimeDelta::hours(7) + TimeDelta::minutes(minutes));
        let ended = setting.run_with(&["--portal", &setting.sim.url(), "--config", &config, "--since", "2h"]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{minutes}");
        let is_said = |line: &&str| {
            line.starts_with("  MEDIUM")
                || line.starts_with("  HIGH")
                || line.contains("reported")
                || line.contains("over:")
        };
        heard.extend(ended.stdout.lines().filter(is_said).map(|line| format!("{minutes} {}", line.trim())));
    }
    insta::assert_snapshot!(heard.join("\n"), @r#"
    30 MEDIUM  Olga Owner <olga@example.com> in "Falcon" (room 71)
    50 HIGH, has grown  Olga Owner <olga@example.com> in "Falcon" (room 71)
    50 already reported with 30 actions; now 50
    70 HIGH, has grown  Olga Owner <olga@example.com> in "Falcon" (room 71)
    70 already reported with 50 actions; now 70, and it still goes on
    140 HIGH, has grown  Olga Owner <olga@example.com> in "Falcon" (room 71)
    140 already reported with 70 actions; now 140
    280 HIGH, has grown  Olga Owner <olga@example.com> in "Falcon" (room 71)
    280 already reported with 140 actions; now 280
    330 HIGH, is over  Olga Owner <olga@example.com> in "Falcon" (room 71)
    330 over: nothing more for 30 minutes; 300 actions in all
    "#);
    let alerts = std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap();
    let alerts: Vec<Value> = alerts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = alerts.last().unwrap();
    assert_eq!(
        (&last["state"], &last["severity"], &last["counts"]["acts"]),
        (&"ended".into(), &"info".into(), &300.into())
    );
    assert!(alerts.iter().all(|alert| alert["matter"] == last["matter"]), "{alerts:?}");
}

/// What is known is not called unusual and not called nothing either, when the rest could not be read.
#[tokio::test]
async fn an_incomplete_run_does_not_repeat_what_is_known() {
    let setting = after_downloads(25).await;
    setting.run(&[]).await;
    setting.sim.edit(|portal| {
        let olga = portal.owner().id;
        portal.add_event(Event::poison(olga, now() - TimeDelta::minutes(20)));
    });
    let ended = setting.run(&[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stderr);
    assert!(ended.stdout.starts_with("vdr-watch: incomplete: nothing new"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("25 actions"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_dry_run_knows_what_was_told_and_remembers_nothing() {
    let setting = after_downloads(25).await;
    assert!(setting.run(&["--dry-run"]).await.stdout.contains("25 actions"));
    assert!(setting.run(&[]).await.stdout.contains("25 actions"));
    assert_eq!(setting.run(&["--dry-run"]).await.stdout, "");
    setting.sim.edit(|portal| download(portal, 25..60));
    assert!(setting.run(&["--dry-run"]).await.stdout.contains("now 60"));
    assert!(setting.run(&[]).await.stdout.contains("now 60"));
}

/// Runs the program on a full disk, up to this moment: its report cannot be printed.
#[cfg(target_os = "linux")]
async fn run_without_printing(setting: &Setting, until: DateTime<Utc>) {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = setting.command(&["--portal", &setting.sim.url(), "--until", &until.to_rfc3339()]);
    command.stdout(full).stderr(std::process::Stdio::null());
    assert_eq!(command.status().await.unwrap().code(), Some(1));
}

/// Nobody was told, so the next run tells.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_report_that_could_not_be_printed_counts_as_not_told() {
    let setting = after_downloads(25).await;
    run_without_printing(&setting, now()).await;
    assert!(setting.run(&[]).await.stdout.contains("25 actions"));
    assert_eq!(setting.run(&[]).await.stdout, "");
}

/// A portal whose last run was so many hours ago, and where somebody has downloaded sixty documents since, forty hours ago.
#[cfg(target_os = "linux")]
async fn after_a_run(hours_ago: i64) -> Setting {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    portal.now -= TimeDelta::hours(hours_ago);
    let setting = Setting::with(portal).await;
    assert_eq!(setting.run(&["--since", "5d"]).await.exit, 0);
    setting.sim.edit(|portal| {
        portal.now = now();
        let olga = portal.owner().id;
        for n in 0..60 {
            let at = now() - TimeDelta::hours(40) + TimeDelta::minutes(i64::from(n));
            portal.add_event(Event::new(5009, olga, at).file(9_000 + n, "paper.docx").in_room(71));
        }
    });
    setting
}

/// Whether it happened in a pause, or appeared so late that its time had been judged: it lies before the window of the next run,
/// and the run that saw it could not tell. The next one does, once.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_run_could_not_tell_is_told_although_it_is_older_than_the_window() {
    for last_run in [72, 20] {
        let setting = after_a_run(last_run).await;
        run_without_printing(&setting, now()).await;
        let (url, until) = (setting.sim.url(), now().to_rfc3339());
        let next = setting.run_with(&["--portal", &url, "--until", &until]).await;
        assert!(next.stdout.contains("60 actions within"), "{last_run}: {}{}", next.stdout, next.stderr);
        let silent = setting.run_with(&["--portal", &url, "--until", &until]).await;
        assert_eq!((silent.exit, silent.stdout.as_str()), (0, ""), "{last_run}");
    }
}

/// Documents that were told, then as many again: an hour later, on the same evening, or a day later. The first has made the day
/// full each time, and nothing of that keeps the second quiet.
#[tokio::test]
async fn a_second_burst_is_told_however_large_the_first_was() {
    for (first, pause_minutes) in [(60, 65), (110, 12 * 60), (110, 23 * 60 + 30)] {
        let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
        portal.now -= TimeDelta::minutes(pause_minutes);
        let olga = portal.owner().id;
        let burst = |portal: &mut Scenario, first_file: i32, count: i32| {
            for n in 0..count {
                let at = portal.now - TimeDelta::minutes(30) + TimeDelta::seconds(i64::from(n) * 10);
                portal.add_event(Event::new(5009, olga, at).file(first_file + n, "paper.docx").in_room(71));
            }
        };
        burst(&mut portal, 9_000, first);
        // keeps the day full until the next day
        for n in 0..20 {
            let at = portal.now - TimeDelta::hours(5) + TimeDelta::minutes(n * 10);
            portal.add_event(Event::new(5009, olga, at).file(8_000 + n as i32, "paper.docx").in_room(71));
        }
        let setting = Setting::with(portal).await;
        let earlier = (now() - TimeDelta::minutes(pause_minutes)).to_rfc3339();
        let url = setting.sim.url();
        let told = setting.run_with(&["--portal", &url, "--until", &earlier]).await;
        assert!(told.stdout.contains(&format!("{first} actions within 1 h")), "{}{}", told.stdout, told.stderr);
        setting.sim.edit(|portal| {
            portal.now = now();
            burst(portal, 20_000, 60);
        });
        let (until, json) = (now().to_rfc3339(), ["--format", "json"]);
        let again = setting.run_with(&[&["--portal", &url, "--until", &until], &json[..]].concat()).await;
        let states: Vec<Value> =
            report(&again)["findings"].as_array().unwrap().iter().map(|f| f["state"].clone()).collect();
        assert!(states.iter().any(|state| state != "known"), "{first} {pause_minutes}: {}", again.stdout);
    }
}

/// A row that makes its page fail stays for as long as it is in the window: it is told when it is new, and not 144 times a day.
#[tokio::test]
async fn a_gap_that_stays_is_told_once_and_again_when_there_is_another() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    portal.add_event(Event::poison(olga, now() - TimeDelta::hours(8)));
    let setting = Setting::with(portal).await;
    let first = setting.run(&[]).await;
    assert!(first.stdout.contains("incomplete") && first.stdout.contains("Not seen: audit trail"), "{}", first.stdout);
    for _ in 0..2 {
        let again = setting.run(&[]).await;
        assert_eq!((again.exit, again.stdout.as_str(), again.stderr.as_str()), (4, "", ""), "the code stays honest");
    }
    let json = setting.run(&["--format", "json"]).await;
    assert_eq!((json.exit, &report(&json)["coverage"]["complete"]), (4, &Value::Bool(false)));
    setting.sim.edit(|portal| {
        portal.add_event(Event::poison(olga, now() - TimeDelta::minutes(50)));
    });
    let other = setting.run(&[]).await;
    let spans = other.stdout.lines().filter(|line| line.starts_with("  2026-11-20 "));
    assert_eq!((other.exit, spans.count()), (4, 2), "{}", other.stdout);
    // what is found is told, also beside a gap that is known
    setting.sim.edit(|portal| download(portal, 0..30));
    forget_thorough_reads(&setting).await;
    let found = setting.run(&[]).await;
    assert!(
        found.stdout.contains("MEDIUM Olga Owner, 30 downloads") && found.stdout.contains("Not seen:"),
        "{}",
        found.stdout
    );
}

/// "Nothing can be concluded" and its reason come together, or not at all.
#[tokio::test]
async fn report_and_log_agree_about_a_failure() {
    let setting = Setting::new("quiet").await;
    setting.sim.set_faults(vec![Fault::status(401)]);
    let first = setting.run(&[]).await;
    assert!(first.stdout.contains("nothing can be concluded") && first.stderr.contains("ERROR"), "{}", first.stderr);
    let again = setting.run(&[]).await;
    assert_eq!((again.exit, again.stdout.as_str(), again.stderr.as_str()), (1, "", ""));
    setting.sim.set_faults(vec![Fault::status(404)]);
    let other = setting.run(&[]).await;
    assert!(other.stdout.contains("nothing can be concluded") && other.stderr.contains("ERROR"), "{}", other.stderr);
    setting.sim.set_faults(Vec::new());
    assert_eq!(setting.run(&[]).await.exit, 0);
    setting.sim.set_faults(vec![Fault::status(401)]);
    let later = setting.run(&[]).await;
    assert!(later.stdout.contains("nothing can be concluded") && later.stderr.contains("ERROR"), "{}", later.stderr);
}

/// Everybody and everything that settings name and that is not there is named, not only the first, once a day.
#[tokio::test]
async fn names_of_nobody_are_noted() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    download(&mut portal, 0..30);
    let setting = Setting::with(portal).await;
    let exclude = |person: &str| {
        setting.config(&format!(
            "service_accounts = [\"robto@example.com\"]\n[[exclude]]\npeople = [\"{person}\", \"olag@example.com\"]\n\
             rooms = [\"71\", \"Flacon\"]\nreason = \"agreed\"\nuntil = 2100-01-01\n\
             [[exclude]]\npeople = [\"gone@example.com\"]\nreason = \"was agreed\"\nuntil = 2020-01-01\n"
        ))
    };
    let config = exclude(&format!("{{{}}}", olga.to_string().to_uppercase()));
    let misnamed = ["`robto@example.com`", "`olag@example.com`", "`Flacon`"];
    let first = setting.run(&["--config", &config]).await;
    assert_eq!(
        (first.exit, first.stderr.as_str()),
        (0, ""),
        "braces around an id are understood, and so is a date without quotes"
    );
    assert_eq!(
        first.stdout.matches("Note: ").count(),
        3,
        "one each, and none of an entry that has ended: {}",
        first.stdout
    );
    assert!(misnamed.iter().all(|name| first.stdout.contains(name)), "{}", first.stdout);
    let asked = setting.sim.requests().iter().filter(|request| request.target.contains("people/filter")).count();
    let second = setting.run(&["--config", &config]).await;
    assert_eq!((second.exit, second.stdout.as_str()), (0, ""));
    let json = report(&setting.run(&["--config", &config, "--format", "json"]).await);
    assert!(misnamed.iter().all(|name| json["notes"].to_string().contains(name)), "{json}");
    assert_eq!(json["findings"][0]["state"], "silenced");
    let after = setting.sim.requests().iter().filter(|request| request.target.contains("people/filter")).count();
    assert_eq!(after, asked, "people are asked for once a day");
    let url = setting.sim.url();
    let checked = setting.run_with(&["doctor", "--portal", &url, "--config", &config]).await;
    for name in misnamed {
        let line = checked.stdout.lines().find(|line| line.starts_with("warn  names: ") && line.contains(name));
        assert!(line.is_some(), "{name}: {}", checked.stdout);
    }
    // all mistakes that end a run are named at once
    let ended = setting.run(&["--room", "Flacon", "--room", "Eagle"]).await;
    assert_eq!((ended.exit, ended.stderr.matches("no virtual data room").count()), (2, 2), "{}", ended.stderr);
    let ended = setting.run(&["--person", "a@example.com", "--person", "b@example.com"]).await;
    assert_eq!((ended.exit, ended.stderr.matches("nobody in the portal").count()), (2, 2), "{}", ended.stderr);
}

/// A channel of the kind `email` sends by the mail server of the same file.
#[tokio::test]
async fn an_alert_leaves_by_mail() {
    let Some(server) = cli_test::smtp::Server::start("ok", &[]).await else { return };
    let setting = Setting::new("incident").await;
    let config = setting.config(&format!(
        "[mail]\nhost = \"localhost\"\nport = {}\nsecurity = \"none\"\nfrom = \"docspace@example.com\"\n\
         [[alerts.channel]]\nname = \"soc\"\nkind = \"email\"\nto = \"soc@example.com\"\n",
        server.port
    ));
    let run = setting.run(&["--config", &config]).await;
    assert_eq!(run.exit, 0, "{} {}", run.stdout, run.stderr);
    let mails = server.messages();
    assert_eq!(mails.len(), 2, "{mails:#?}");
}
