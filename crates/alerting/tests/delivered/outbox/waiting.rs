//! Alerts that wait: offered again until a channel takes them, and never silently dropped.

use std::fs;
use std::path::PathBuf;

use alerting::{Alert, Channel, Drained, Error, Outbox};
use audit_model::{Finding, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::Store;
use tempfile::TempDir;

use super::{moment, outbox};
use crate::common::at;
use crate::common::receiver::{Receiver, alert, fingerprint_in};

fn now() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

fn minutes(minutes: i64) -> DateTime<Utc> {
    now() + TimeDelta::minutes(minutes)
}

async fn put(outbox: &Outbox, mut alerts: Vec<Alert>, channels: &[Channel]) {
    outbox.keep::<Finding>(&[], &[], &mut alerts, channels, &moment(now())).await.unwrap();
}

/// How many were taken, how many not, and how many critical ones nobody has.
fn numbers(drained: &Drained) -> (usize, usize, u64) {
    assert!(drained.store_error.is_none(), "{drained:?}");
    (drained.taken, drained.refused.len(), drained.critical)
}

struct AlertFile {
    _folder: TempDir,
    path: PathBuf,
}

impl AlertFile {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        AlertFile { path: folder.path().join("alerts.ndjson"), _folder: folder }
    }

    fn channel(&self) -> Channel {
        Channel::file(&self.path)
    }

    fn fingerprints(&self) -> Vec<String> {
        fs::read_to_string(&self.path).unwrap_or_default().lines().map(fingerprint_in).collect()
    }
}

/// The whole life: the receiver fails, the alert waits in the file on the disk, and a later process delivers it.
#[tokio::test]
async fn an_alert_waits_until_the_receiver_is_back() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.sqlite").display());
    let receiver = Receiver::answering(&[500, 500, 200]).await;
    let channels = [receiver.channel()];
    let open = async || Outbox::open(Store::open(&url).await.unwrap()).await.unwrap();

    let first = open().await;
    put(&first, vec![alert(1, Severity::Critical)], &channels).await;
    let drained = first.drain(&channels, now()).await.unwrap();
    assert_eq!(numbers(&drained), (0, 1, 1));
    assert!(matches!(drained.refused[0].failure.error, Error::Refused { .. }));
    assert_eq!(drained.refused[0].alert, alert(1, Severity::Critical).id);
    drop(first);

    let second = open().await;
    let drained = second.drain(&channels, now() + TimeDelta::seconds(59)).await.unwrap();
    assert_eq!(numbers(&drained), (0, 0, 1), "put off, and still nobody knows");
    assert_eq!(numbers(&second.drain(&channels, minutes(1)).await.unwrap()), (0, 1, 1));
    assert_eq!(numbers(&second.drain(&channels, minutes(5)).await.unwrap()), (0, 0, 1));
    assert_eq!(numbers(&second.drain(&channels, minutes(6)).await.unwrap()), (1, 0, 0));
    assert_eq!(numbers(&second.drain(&channels, minutes(600)).await.unwrap()), (0, 0, 0));
    assert_eq!(receiver.fingerprints(), ["unusual_activity:1"; 3]);
    let bodies: Vec<String> = receiver.received.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies, vec![alert(1, Severity::Critical).to_json(); 3]);
}

#[tokio::test]
async fn one_channel_does_not_wait_for_the_other() {
    let outbox = outbox().await;
    let (file, receiver) = (AlertFile::new(), Receiver::answering(&[500, 200]).await);
    let channels = [receiver.channel(), file.channel()];
    put(&outbox, vec![alert(1, Severity::Critical)], &channels).await;
    let drained = outbox.drain(&channels, now()).await.unwrap();
    assert_eq!(numbers(&drained), (1, 1, 0), "the file has it, so it has reached somebody");
    let drained = outbox.drain(&channels, minutes(1)).await.unwrap();
    assert_eq!(numbers(&drained), (1, 0, 0));
    assert_eq!(file.fingerprints(), ["unusual_activity:1"]);
    assert_eq!(receiver.fingerprints(), ["unusual_activity:1"; 2]);
}

#[tokio::test]
async fn the_most_severe_leave_first_and_the_rest_waits_for_the_next_run() {
    let outbox = outbox().await;
    let file = AlertFile::new();
    let channels = [file.channel()];
    let mut alerts: Vec<Alert> = (0..60).map(|n| alert(n, Severity::Low)).collect();
    alerts.push(alert(100, Severity::Critical));
    put(&outbox, alerts, &channels).await;
    let drained = outbox.drain(&channels, now()).await.unwrap();
    assert_eq!((drained.taken, drained.left), (50, 11));
    assert_eq!(file.fingerprints()[..2], ["unusual_activity:100", "unusual_activity:0"]);
    let drained = outbox.drain(&channels, now()).await.unwrap();
    assert_eq!((drained.taken, drained.left), (11, 0));
    assert_eq!(file.fingerprints().len(), 61);
    assert_eq!(file.fingerprints()[60], "unusual_activity:59");
}

#[tokio::test]
async fn a_dead_channel_is_waited_for_once_and_everything_is_put_off() {
    let outbox = outbox().await;
    let receiver = Receiver::answering(&[503]).await;
    let channels = [receiver.channel()];
    put(&outbox, (0..5).map(|n| alert(n, Severity::High)).collect(), &channels).await;
    assert_eq!(numbers(&outbox.drain(&channels, now()).await.unwrap()), (0, 5, 0));
    assert_eq!(receiver.fingerprints(), ["unusual_activity:0"; 3]);
    assert_eq!(numbers(&outbox.drain(&channels, now()).await.unwrap()), (0, 0, 0));
}

/// A clock that stood in the year 2030 for one run must not put an alert off until then.
#[tokio::test]
async fn a_clock_that_was_wrong_does_not_hold_an_alert() {
    let outbox = outbox().await;
    let receiver = Receiver::answering(&[500, 200]).await;
    let channels = [receiver.channel()];
    put(&outbox, vec![alert(1, Severity::High)], &channels).await;
    outbox.drain(&channels, at("2030-01-01T00:00:00Z")).await.unwrap();
    // that was more than a week later, so it is given up; one that was put there by the wrong clock waits
    assert_eq!(outbox.lapsed(&channels).await.unwrap().len(), 1);
    let moment = moment(at("2030-01-01T00:00:00Z"));
    outbox.keep::<Finding>(&[], &[], &mut [alert(2, Severity::High)], &channels, &moment).await.unwrap();
    assert_eq!(numbers(&outbox.drain(&channels, now()).await.unwrap()), (1, 0, 0));
}

#[tokio::test]
async fn giving_up_after_a_week_is_told() {
    let outbox = outbox().await;
    let receiver = Receiver::answering(&[400]).await;
    let channels = [receiver.channel()];
    put(&outbox, vec![alert(1, Severity::Critical)], &channels).await;
    // off for a week: it is offered once more before it is given up
    assert_eq!(outbox.lapsed(&channels).await.unwrap(), []);
    assert_eq!(numbers(&outbox.drain(&channels, minutes(7 * 24 * 60)).await.unwrap()), (0, 1, 1));
    let lapsed = outbox.lapsed(&channels).await.unwrap();
    assert_eq!(lapsed.len(), 1);
    assert_eq!((lapsed[0].alert.as_str(), lapsed[0].reached), (alert(1, Severity::Critical).id.as_str(), false));
    assert_eq!(lapsed[0].subject, alert(1, Severity::Critical).subject);
    let drained = outbox.drain(&channels, minutes(8 * 24 * 60)).await.unwrap();
    assert_eq!(numbers(&drained), (0, 0, 1), "not offered again, and not forgotten before somebody was told");
    outbox.forget(&lapsed).await.unwrap();
    assert_eq!(outbox.lapsed(&channels).await.unwrap(), []);
    assert_eq!(numbers(&outbox.drain(&channels, minutes(8 * 24 * 60)).await.unwrap()), (0, 0, 0));
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_goes_to_the_one_that_is_there() {
    let outbox = outbox().await;
    let (file, receiver) = (AlertFile::new(), Receiver::answering(&[500]).await);
    let (old, new) = ([receiver.channel()], [file.channel()]);
    put(&outbox, vec![alert(1, Severity::High)], &old).await;
    outbox.drain(&old, now()).await.unwrap();
    assert_eq!(outbox.lapsed(&new).await.unwrap(), []);
    assert_eq!(numbers(&outbox.drain(&new, now()).await.unwrap()), (1, 0, 0));
    assert_eq!(file.fingerprints(), ["unusual_activity:1"]);
    assert_eq!(numbers(&outbox.drain(&old, minutes(600)).await.unwrap()), (0, 0, 0), "the old one is not asked again");
}

#[tokio::test]
async fn what_another_channel_took_does_not_wait_for_one_that_is_gone() {
    let outbox = outbox().await;
    let (file, receiver) = (AlertFile::new(), Receiver::answering(&[500]).await);
    put(&outbox, vec![alert(1, Severity::High)], &[file.channel(), receiver.channel()]).await;
    outbox.drain(&[file.channel(), receiver.channel()], now()).await.unwrap();
    for channels in [vec![file.channel()], Vec::new()] {
        assert_eq!(outbox.lapsed(&channels).await.unwrap(), []);
    }
    outbox.drain(&[file.channel(), receiver.channel()], minutes(600)).await.unwrap();
    assert_eq!((file.fingerprints().len(), receiver.fingerprints().len()), (1, 1));
}

/// The operator takes all channels out of the settings: the report is the delivery from then on, also of what still waits.
#[tokio::test]
async fn without_any_channel_the_report_tells_what_waits() {
    let outbox = outbox().await;
    let receiver = Receiver::answering(&[500]).await;
    put(&outbox, vec![alert(1, Severity::High)], &[receiver.channel()]).await;
    let lapsed = outbox.lapsed(&[]).await.unwrap();
    assert_eq!(lapsed.len(), 1);
    assert_eq!(outbox.lapsed(&[]).await.unwrap(), lapsed, "until it was printed");
    outbox.forget(&lapsed).await.unwrap();
    assert_eq!(outbox.lapsed(&[]).await.unwrap(), []);
}

/// The store fails in the middle: what was sent is sent, and arrives again with the same id at worst.
#[tokio::test]
async fn a_store_that_cannot_note_down_does_not_stop_the_delivery() {
    let store = Store::temporary().await.unwrap();
    let outbox = Outbox::open(store.clone()).await.unwrap();
    let file = AlertFile::new();
    let channels = [file.channel()];
    put(&outbox, vec![alert(1, Severity::High), alert(2, Severity::High)], &channels).await;
    let full = "CREATE TRIGGER full BEFORE DELETE ON waiting BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    store.script("filling the disk", full).await.unwrap();
    let drained = outbox.drain(&channels, now()).await.unwrap();
    assert_eq!(drained.taken, 2);
    assert!(drained.store_error.unwrap().to_string().contains("memory"));
    store.script("making room", "DROP TRIGGER full").await.unwrap();
    outbox.drain(&channels, now()).await.unwrap();
    assert_eq!(file.fingerprints().len(), 4);
    assert_eq!(numbers(&outbox.drain(&channels, now()).await.unwrap()), (0, 0, 0));
}

/// All of it or nothing: when the alerts cannot wait, nothing counts as told.
#[tokio::test]
async fn what_cannot_wait_is_not_told() {
    let store = Store::temporary().await.unwrap();
    let outbox = Outbox::open(store.clone()).await.unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON matter BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    store.script("filling the disk", full).await.unwrap();
    let file = AlertFile::new();
    let channels = [file.channel()];
    let findings = [crate::common::finding()];
    assert!(outbox.keep(&findings, &[], &mut [alert(1, Severity::High)], &channels, &moment(now())).await.is_err());
    assert_eq!(numbers(&outbox.drain(&channels, now()).await.unwrap()), (0, 0, 0));
}
