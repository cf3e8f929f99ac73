//! A burst is one, however runs and windows cut it.

use chrono::TimeDelta;
use portal_sim::{Event, PersonKind};

use crate::common::{Burst, DELETED, PURGED, RENAMED, found, hire, json, now, office, row, setting};

/// A document every half minute for eight hours.
#[tokio::test]
async fn an_attack_over_eight_hours_is_one_finding_with_all_of_it() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    Burst { minutes: 480, ended: 2, ..Burst::new(RENAMED, 950) }.by(&mut portal, &mallory, &[71], ".locked");
    let setting = setting(portal).await;
    let run = json(&setting, &["--since", "9h"]).await;
    assert_eq!(found(&run), [row("mallory@example.com", "critical", true)]);
    let finding = &run.json()["findings"][0];
    assert_eq!((&finding["file_count"], &finding["goes_on"]), (&950.into(), &true.into()));
    let since = finding["window"]["since"].as_str();
    assert_eq!((since, &finding["documents_per_hour"]), (Some("2026-11-20T00:58:00Z"), &118.into()));
    assert!(finding["exceeded"][0]["threshold"]["minutes"] == 1440, "{finding}");
    // a run of the usual length goes on from what it remembers
    let next = json(&setting, &[]).await;
    assert_eq!(next.json()["findings"][0]["file_count"], 950);
}

/// The first run comes in the middle of it, and remembers nothing.
#[tokio::test]
async fn a_first_run_amid_a_slow_attack_sees_all_of_it() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    Burst { minutes: 480, ended: 2, ..Burst::new(RENAMED, 950) }.by(&mut portal, &mallory, &[71], ".locked");
    let ben = hire(&mut portal, "ben@example.com", PersonKind::User);
    Burst { first: 30_000, ended: 300, ..Burst::new(DELETED, 30) }.by(&mut portal, &ben, &[71], "");
    let setting = setting(portal).await;
    let run = json(&setting, &[]).await;
    // what was over before the window is not told
    assert_eq!(found(&run), [row("mallory@example.com", "critical", true)], "{}", run.stdout);
    let finding = &run.json()["findings"][0];
    assert_eq!((&finding["file_count"], run.exit), (&950.into(), 0), "{}", run.stdout);
    assert_eq!(finding["window"]["since"], "2026-11-20T00:58:00Z");
    // and the next run asks for nothing of that time again
    let asked = setting.sim.requests().len();
    assert_eq!(json(&setting, &[]).await.json()["findings"][0]["file_count"], 950);
    let again = setting.sim.requests().into_iter().skip(asked).filter(|one| one.target.contains("audit/events/filter"));
    assert!(again.count() <= 5, "two hours are read again, and not the day");
}

/// Fifteen before the end of one run and fifteen after it are thirty.
#[tokio::test]
async fn a_burst_across_two_runs_is_one() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.now = now() - TimeDelta::minutes(3);
    Burst { minutes: 3, ended: 0, ..Burst::new(DELETED, 15) }.by(&mut portal, &mara, &[71], "");
    let mut setting = setting(portal).await;
    let first = setting.run(&[]).await;
    assert_eq!((first.exit, first.stdout.as_str()), (0, ""), "{}", first.stderr);
    setting.scenario.now = now();
    setting.sim.edit(|portal| {
        portal.now = now();
        Burst { first: 20_000, minutes: 3, ended: 0, ..Burst::new(DELETED, 15) }.by(portal, &mara, &[71], "");
    });
    assert_eq!(found(&json(&setting, &[]).await).len(), 1);
}

/// The portal stored them only after their hour had been judged.
#[tokio::test]
async fn a_burst_that_comes_late_is_told() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let setting = setting(portal).await;
    assert_eq!(setting.run(&["--since", "5h"]).await.exit, 0);
    setting.sim.edit(|portal| Burst { ended: 110, ..Burst::new(DELETED, 30) }.by(portal, &mara, &[71], ""));
    assert_eq!(found(&json(&setting, &[]).await), [row("mara@example.com", "medium", false)]);
}

/// A burst across the edge of the window, judged from whichever side, is whole.
#[tokio::test]
async fn a_burst_is_found_wherever_a_run_cuts_it() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let began = now() - TimeDelta::hours(2);
    for n in 0..21 {
        let at = began + TimeDelta::seconds(29 * n);
        portal.add_event(Event::new(DELETED, mara.id, at).file(40_000 + n as i32, "a.docx").in_room(71));
    }
    let mut setting = setting(portal).await;
    // the twenty-first comes 580 seconds after the first
    for (seconds, files) in [(300, 0), (579, 0), (580, 0), (581, 21), (3600, 21)] {
        setting.scenario.now = began + TimeDelta::seconds(seconds);
        let run = json(&setting, &[]).await;
        let count = run.json()["findings"][0]["file_count"].as_u64().unwrap_or(0);
        assert_eq!(count, files, "{seconds} s after the first: {}", run.stdout);
    }
}

/// A run every minute and a limit as long as the window: what slides out of the one must still count in the other.
#[tokio::test]
async fn a_limit_as_long_as_the_window_loses_nothing_between_two_runs() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let began = now() - TimeDelta::hours(2);
    for n in 0..21 {
        let at = began + TimeDelta::seconds(179 * n);
        portal.add_event(Event::new(DELETED, mara.id, at).file(40_000 + n as i32, "a.docx").in_room(71));
    }
    let mut setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", "[limits.deleted]\nminutes = 60\n");
    for (seconds, expected) in [(3570, 0), (3630, 1)] {
        setting.scenario.now = began + TimeDelta::seconds(seconds);
        assert_eq!(found(&json(&setting, &["--config", &config]).await).len(), expected, "{seconds}");
    }
}

/// Fifty-eight minutes without a run: shorter than the window, and still longer than the window has room for.
#[tokio::test]
async fn a_burst_across_a_pause_is_whole() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.now = now() - TimeDelta::minutes(58);
    Burst { minutes: 8, ended: -4, ..Burst::new(DELETED, 24) }.by(&mut portal, &mara, &[71], "");
    let mut setting = setting(portal).await;
    assert_eq!(found(&json(&setting, &[]).await), []);
    setting.scenario.now = now();
    setting.sim.edit(|portal| portal.now = now());
    assert_eq!(found(&json(&setting, &[]).await), [row("mara@example.com", "medium", false)]);
}

#[tokio::test]
async fn a_dry_run_leaves_the_state_as_it_is() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let setting = setting(portal).await;
    assert_eq!(setting.run(&[]).await.exit, 0);
    setting.sim.edit(|portal| Burst::new(PURGED, 110).by(portal, &mara, &[71], ""));
    let state = || {
        let folder = std::fs::read_dir(setting.state.path().join("state")).unwrap();
        let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = state();
    assert!(setting.run(&["--dry-run"]).await.stdout.contains("would be suspended"));
    assert!(state() == before, "the state has changed");
}
