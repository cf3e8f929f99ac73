//! What leaves in one turn of a channel, and in which order: no alert overtakes an earlier one about the same matter.

use alerting::{Alert, Channel, Outbox, Outcome, Route};
use audit_model::{Finding, FindingState, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tempfile::TempDir;

use super::{moment, outbox};
use crate::common::at;
use crate::common::receiver::{Receiver, alert};

fn minutes(minutes: i64) -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z") + TimeDelta::minutes(minutes)
}

async fn put(outbox: &Outbox, alerts: &mut [Alert], channels: &[Channel], now: DateTime<Utc>) {
    outbox.keep::<Finding>(&[], &[], alerts, channels, &moment(now)).await.unwrap();
}

fn route(settings: serde_json::Value) -> Route {
    serde_json::from_value(settings).unwrap()
}

/// One of several alerts about a matter, with its state as its fingerprint.
fn about(matter: &str, state: FindingState, severity: Severity) -> Alert {
    let name = format!("{matter}:{state:?}").to_lowercase();
    Alert { id: name.clone(), fingerprint: name, matter: Some(matter.to_owned()), state, ..alert(1, severity) }
}

fn lines(folder: &TempDir) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path().join("alerts.ndjson")).unwrap_or_default();
    text.lines().map(crate::common::receiver::fingerprint_in).collect()
}

fn file(folder: &TempDir, name: &str, settings: serde_json::Value) -> Channel {
    let path = folder.path().join(name);
    Channel::file(path).with_route(route(settings))
}

/// An incident that was resolved before it was opened would stay open for ever.
#[tokio::test]
async fn an_end_waits_for_the_beginning_that_the_receiver_did_not_take() {
    let (outbox, receiver) = (outbox().await, Receiver::answering(&[500, 500, 200]).await);
    let channels = [receiver.channel()];
    put(&outbox, &mut [about("a", FindingState::New, Severity::High)], &channels, minutes(0)).await;
    outbox.drain(&channels, minutes(0)).await.unwrap();
    outbox.drain(&channels, minutes(1)).await.unwrap();
    put(&outbox, &mut [about("a", FindingState::Ended, Severity::Info)], &channels, minutes(2)).await;
    assert_eq!(outbox.drain(&channels, minutes(2)).await.unwrap().taken, 0, "the beginning is put off until 9:06");
    assert_eq!(outbox.drain(&channels, minutes(6)).await.unwrap().taken, 2);
    assert_eq!(receiver.fingerprints(), ["a:new", "a:new", "a:new", "a:ended"]);
}

/// The beginning is refused in the very turn in which the end is due.
#[tokio::test]
async fn an_end_does_not_leave_right_behind_a_beginning_that_was_refused() {
    let (outbox, receiver) = (outbox().await, Receiver::answering(&[500, 200]).await);
    let channels = [receiver.channel()];
    let mut both = [about("a", FindingState::New, Severity::High), about("a", FindingState::Ended, Severity::Info)];
    put(&outbox, &mut both, &channels, minutes(0)).await;
    let drained = outbox.drain(&channels, minutes(0)).await.unwrap();
    assert_eq!((drained.taken, drained.refused.len(), drained.held, drained.left), (0, 1, 1, 0));
    outbox.drain(&channels, minutes(1)).await.unwrap();
    assert_eq!(receiver.fingerprints(), ["a:new", "a:new", "a:ended"]);
}

/// The thread begins with the beginning, also where what came of it is more severe than other news.
#[tokio::test]
async fn what_has_grown_leaves_behind_what_it_has_grown_from() {
    let (outbox, receiver) = (outbox().await, Receiver::answering(&[500, 200]).await);
    let channels = [receiver.channel()];
    put(&outbox, &mut [about("a", FindingState::New, Severity::Low)], &channels, minutes(0)).await;
    outbox.drain(&channels, minutes(0)).await.unwrap();
    let mut news = [about("b", FindingState::New, Severity::High), about("a", FindingState::Grown, Severity::Critical)];
    put(&outbox, &mut news, &channels, minutes(0)).await;
    outbox.drain(&channels, minutes(0)).await.unwrap();
    assert_eq!(receiver.fingerprints(), ["a:new", "a:new", "a:grown", "b:new"]);
}

/// Whoever got the beginning by itself gets the end by itself: a summary resolves nothing.
#[tokio::test]
async fn the_end_of_what_was_told_by_itself_is_no_part_of_a_summary() {
    let folder = TempDir::new().unwrap();
    let (outbox, channels) = (outbox().await, [file(&folder, "alerts.ndjson", json!({ "per_run": 1 }))]);
    put(&outbox, &mut [about("a", FindingState::New, Severity::High)], &channels, minutes(0)).await;
    outbox.drain(&channels, minutes(0)).await.unwrap();
    let mut news = [
        about("b", FindingState::New, Severity::High),
        about("c", FindingState::New, Severity::High),
        about("d", FindingState::New, Severity::High),
        about("a", FindingState::Ended, Severity::Info),
        about("d", FindingState::Ended, Severity::Info),
    ];
    put(&outbox, &mut news, &channels, minutes(1)).await;
    let drained = outbox.drain(&channels, minutes(1)).await.unwrap();
    assert_eq!((drained.taken, drained.left), (2, 1));
    assert_eq!(outbox.drain(&channels, minutes(2)).await.unwrap().taken, 1);
    assert_eq!(lines(&folder), ["a:new", "b:new", "summary:vdr-watch", "a:ended"]);
}

/// One alert in each run is a limit's business as well.
#[tokio::test]
async fn an_hour_is_full_also_where_alerts_come_one_by_one() {
    let folder = TempDir::new().unwrap();
    let (outbox, channels) = (outbox().await, [file(&folder, "alerts.ndjson", json!({ "per_hour": 2 }))]);
    let mut taken = 0;
    for n in 0..10 {
        put(&outbox, &mut [alert(n, Severity::High)], &channels, minutes(n.into())).await;
        taken += outbox.drain(&channels, minutes(n.into())).await.unwrap().taken;
    }
    assert_eq!(taken, 4, "two, one in the place of a summary, and a summary of two");
    assert_eq!(outbox.drain(&channels, minutes(70)).await.unwrap().taken, 3, "two, and a summary of three");
    put(&outbox, &mut [alert(99, Severity::Critical)], &channels, minutes(71)).await;
    assert_eq!(outbox.drain(&channels, minutes(71)).await.unwrap().taken, 1, "what is critical leaves all the same");
}

/// A channel of some people that is taken out of the settings must not tell the others what was for those.
#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_goes_where_the_settings_send_it() {
    let folder = TempDir::new().unwrap();
    let (outbox, receiver) = (outbox().await, Receiver::answering(&[500]).await);
    let old = [receiver.channel()];
    let mut alerts = [alert(1, Severity::High), alert(2, Severity::Low), alert(3, Severity::Critical)];
    put(&outbox, &mut alerts, &old, minutes(0)).await;
    outbox.drain(&old, minutes(0)).await.unwrap();
    let new = [
        file(&folder, "alerts.ndjson", json!({ "min_severity": "high" })),
        file(&folder, "other.ndjson", json!({ "rules": ["mass_change"] })),
    ];
    let lapsed = outbox.lapsed(&new).await.unwrap();
    assert_eq!(lapsed.iter().map(|one| one.alert.as_str()).collect::<Vec<_>>(), [alerts[1].id.as_str()], "told aloud");
    outbox.drain(&new, minutes(0)).await.unwrap();
    assert_eq!(lines(&folder), ["unusual_activity:3", "unusual_activity:1"]);
    assert!(!folder.path().join("other.ndjson").exists());
    let of_old = outbox.noted_of(&alerts[0].id).await.unwrap();
    let of_old = of_old.iter().find(|noted| noted.channel == old[0].name()).unwrap();
    assert_eq!(of_old.outcome, Outcome::LeftOut, "it waits there no more: {of_old:?}");
}

/// Quiet hours hold alerts back on purpose: that is no sign of too many.
#[tokio::test]
async fn what_quiet_hours_hold_back_is_not_too_many() {
    let folder = TempDir::new().unwrap();
    let (outbox, channels) = (outbox().await, [file(&folder, "alerts.ndjson", json!({ "quiet": "08:00-10:00" }))]);
    put(&outbox, &mut [alert(1, Severity::High)], &channels, minutes(0)).await;
    let drained = outbox.drain(&channels, minutes(0)).await.unwrap();
    assert_eq!((drained.left, drained.held), (0, 1));
    assert_eq!(outbox.waiting().await.unwrap(), 1);
    outbox.drain(&channels, minutes(60)).await.unwrap();
    assert_eq!(outbox.waiting().await.unwrap(), 0);
}
