//! What ends a suspension, and what does not, whatever clocks, directories and keys do meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::{Clock, Setting};
use portal_sim::Person;
use serde_json::{Value, json};

use crate::common::now;
use crate::suspended::{entry, kept, merge, off, remember, three};

/// Somebody who is disabled until 12:55, which was announced in time, at so many hours after 9.
pub(crate) async fn suspended(hours: i64) -> (Setting, Person) {
    let (setting, [mara, ..]) = three().await;
    let mut announced = off();
    merge(&mut announced, json!({ "warned_at": "2026-11-20T12:40:10Z" }));
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", announced)]).await;
    setting.sim.edit(|portal| portal.now = now() + TimeDelta::hours(hours));
    (setting, mara)
}

/// A run of cron: its exit code, the state of the entry, and the status of the account.
pub(crate) async fn run(setting: &Setting, mara: &Person) -> (i32, String, i32) {
    let url = setting.sim.url();
    let alerts = setting.state.path().join("alerts.ndjson");
    let config = setting.file("bulk-guard.toml", &format!("[alerts.file]\npath = \"{}\"\n", alerts.display()));
    let run = setting.run_with(&["--portal", &url, "--config", &config]).await;
    let state = kept(setting, mara).await["state"].as_str().unwrap().to_owned();
    (run.exit, state, setting.status(mara))
}

pub(crate) trait Portal {
    fn status(&self, person: &Person) -> i32;
    fn enabled(&self) -> usize;
}

impl Portal for Setting {
    fn status(&self, person: &Person) -> i32 {
        let mut status = 0;
        self.sim.edit(|portal| status = portal.person(person.id).unwrap().status);
        status
    }

    fn enabled(&self) -> usize {
        self.sim.requests().iter().filter(|request| request.target.ends_with("people/status/Active")).count()
    }
}

pub(crate) fn ended(exit: i32, state: &str, status: i32) -> (i32, String, i32) {
    (exit, state.to_owned(), status)
}

/// What was told of suspensions: the severity, and the second reason.
fn told(setting: &Setting) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(setting.state.path().join("alerts.ndjson")).unwrap_or_default();
    let alerts = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let of_suspension = alerts.filter(|alert| alert["suspension"]["step"] == "blocked");
    of_suspension.map(|alert| (word(&alert["severity"]), word(&alert["reasons"][1]))).collect()
}

/// A term goes by the portal's clock, and ends only while this machine's clock agrees with it. Where it is over by one of them, somebody hears
/// of it once, and each run fails.
#[tokio::test]
async fn a_clock_that_is_a_day_off_neither_ends_a_term_nor_forgets_it() {
    let day = TimeDelta::days(1);
    for (hours, off, exit) in [(2, -day, 4), (2, day, 1), (5, -day, 1)] {
        let (mut setting, mara) = suspended(hours).await;
        setting.clock = Clock::At(setting.sim.now() + off);
        for _ in 0..2 {
            assert_eq!(run(&setting, &mara).await, ended(exit, "done", 2), "{hours} {off}");
        }
        assert_eq!(setting.enabled(), 0, "{off}");
        let told = told(&setting);
        assert_eq!(told.len(), usize::from(exit == 1), "{hours} {off} {told:?}");
        for (severity, words) in told {
            assert_eq!(severity, "critical");
            assert!(
                words.contains("the clocks of this machine and the portal are ") && words.contains("open Contacts"),
                "{words}"
            );
        }
        setting.clock = Clock::Portal;
        setting.sim.edit(|portal| portal.now = now() + TimeDelta::hours(5));
        assert_eq!(run(&setting, &mara).await, ended(0, "released", 1), "{off}");
        assert_eq!(setting.enabled(), 1, "{off}");
    }
}

/// Somebody keeps the account disabled, and days later somebody enables it: from then on it is not this program's, and nobody is off.
#[tokio::test]
async fn whom_somebody_keeps_is_let_go_when_somebody_enables_them() {
    let (setting, [mara, ..]) = three().await;
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "kept", off())]).await;
    setting.sim.edit(|portal| portal.now = now() + TimeDelta::days(3));
    assert_eq!(run(&setting, &mara).await, ended(0, "kept", 2));
    setting.sim.edit(|portal| {
        let accounts = portal.people.iter_mut().filter(|person| person.id == mara.id);
        accounts.for_each(|person| person.status = 1);
    });
    assert_eq!(run(&setting, &mara).await, ended(0, "settled", 1));
    let status = setting.run(&["status"]).await.stdout;
    assert!(status.contains("Nobody's account is disabled through this program."), "{status}");
    assert_eq!(setting.enabled(), 0);
}

/// A directory that has taken the account over, with or without switching it on, has decided. The portal writes no row about that.
#[tokio::test]
async fn a_directory_that_takes_the_account_over_has_decided() {
    for (status, state) in [(1, "settled"), (2, "release_failed")] {
        let (setting, mara) = suspended(5).await;
        setting.sim.edit(|portal| {
            let accounts = portal.people.iter_mut().filter(|person| person.id == mara.id);
            accounts.for_each(|person| (person.is_ldap, person.status) = (true, status));
        });
        let exit = i32::from(state == "release_failed");
        assert_eq!(run(&setting, &mara).await, ended(exit, state, status));
        let kept = kept(&setting, &mara).await;
        let why = kept["why"].as_str().unwrap();
        assert!(
            ["somebody else has enabled the account", "the account comes from a directory now"].contains(&why),
            "{why}"
        );
        assert_eq!(setting.enabled(), usize::from(state == "release_failed"));
    }
}

/// Nobody is forgotten: somebody hears of it once, each run fails until there is a key again, and then the term ends.
#[tokio::test]
async fn a_key_that_dies_during_a_term_fails_each_run_until_there_is_one() {
    let (setting, mara) = suspended(5).await;
    let mut keys = Vec::new();
    setting.sim.edit(|portal| keys = std::mem::take(&mut portal.keys));
    for _ in 0..2 {
        assert_eq!(run(&setting, &mara).await, ended(1, "done", 2));
    }
    let told = told(&setting);
    assert!(told.len() == 1 && told[0].0 == "critical" && told[0].1.contains("cannot end it"), "{told:?}");
    setting.sim.edit(|portal| portal.keys = keys.clone());
    assert_eq!(run(&setting, &mara).await, ended(0, "released", 1));
    assert_eq!(setting.enabled(), 1);
}

/// The same dates, all of them so much later.
fn later(value: &mut Value, by: TimeDelta) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| later(member, by)),
        Value::Array(items) => items.iter_mut().for_each(|item| later(item, by)),
        Value::String(text) => {
            if let Ok(at) = text.parse::<DateTime<Utc>>() {
                *text = (at + by).to_rfc3339();
            }
        }
        _ => {}
    }
}

/// Somebody was disabled five minutes before this, for four hours, which was announced in time. The portal shows its time as Berlin does.
async fn suspended_before(at: &str) -> (Setting, Person) {
    let (setting, [mara, ..]) = three().await;
    let mut announced = off();
    merge(&mut announced, json!({ "warned_at": "2026-11-20T12:40:10Z" }));
    let mut entry = entry(&mara, "k3f9-q2mw", "done", announced);
    later(&mut entry, at.parse::<DateTime<Utc>>().unwrap() - now());
    remember(&setting, &[entry]).await;
    setting.sim.edit(|portal| portal.zone = chrono_tz::Europe::Berlin);
    (setting, mara)
}

/// A term of four hours has four hours also where the portal's clock on the wall shows three of them, or five.
#[tokio::test]
async fn a_term_is_as_long_when_clocks_change() {
    for before in ["2027-03-28T00:59:50Z", "2027-10-31T00:59:50Z"] {
        let (setting, mara) = suspended_before(before).await;
        let at = before.parse::<DateTime<Utc>>().unwrap();
        for (minutes, state, status) in [(175, "done", 2), (234, "done", 2), (236, "released", 1)] {
            setting.sim.edit(|portal| portal.now = at + TimeDelta::minutes(minutes));
            assert_eq!(run(&setting, &mara).await, ended(0, state, status), "{before} {minutes}");
        }
        assert_eq!(setting.enabled(), 1, "{before}");
    }
}

/// What others did with the account in all that time is not remembered, so nobody but a person enables it; each run says so, and goes on otherwise.
#[tokio::test]
async fn whoever_was_disabled_a_month_ago_is_enabled_by_a_person() {
    let (setting, mara) = suspended(24 * 31).await;
    for _ in 0..2 {
        assert_eq!(run(&setting, &mara).await, ended(1, "done", 2));
    }
    assert_eq!(setting.enabled(), 0);
    let told = told(&setting);
    assert!(
        told.len() == 1 && told[0].1.contains("30 days is not remembered") && told[0].1.contains("open Contacts"),
        "{told:?}"
    );
    setting.sim.edit(|portal| {
        let accounts = portal.people.iter_mut().filter(|person| person.id == mara.id);
        accounts.for_each(|person| person.status = 1);
    });
    assert_eq!(run(&setting, &mara).await, ended(0, "settled", 1));
}
