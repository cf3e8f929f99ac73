//! Delivery to real files and to a real HTTP server on loopback.

use std::fs;
use std::path::Path;

use crate::common::at;
use crate::common::receiver::{Receiver, alert, fingerprint_in, webhook};
use alerting::{Channel, Error, deliver};
use audit_model::Severity;
use chrono::{DateTime, Utc};
use cli_test::ClosedPort;
use tempfile::TempDir;

/// A webhook where nobody listens, and its port.
fn dead_webhook() -> (Channel, ClosedPort) {
    let port = ClosedPort::take();
    let url = format!("http://127.0.0.1:{}/hooks/s3cret", port.number).parse().unwrap();
    (webhook(url), port)
}

fn now() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

fn fingerprints_in(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(fingerprint_in).collect()
}

#[tokio::test]
async fn a_file_gets_one_line_per_alert_and_is_private() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("alerts.ndjson");
    let channels = [Channel::file(&path)];
    let alerts = [alert(1, Severity::High), alert(2, Severity::Low)];
    let report = deliver(&alerts, &channels, now()).await;
    deliver(&[alert(3, Severity::Info)], &channels, now()).await;

    assert_eq!(fingerprints_in(&path), ["unusual_activity:1", "unusual_activity:2", "unusual_activity:3"]);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().next().unwrap(), alerts[0].to_json());
    assert!(text.ends_with('\n'));
    let taken: Vec<_> = report.deliveries.iter().map(|d| (&d.alert, d.taken_by.len(), d.failures.len())).collect();
    assert_eq!(taken, [(&alerts[0].id, 1, 0), (&alerts[1].id, 1, 0)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_torn_line_does_not_spoil_the_next_one() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("alerts.ndjson");
    fs::write(&path, "{\"schema\":\"alert/1\",\"id\":\"12").unwrap();
    let sent = alert(1, Severity::High);
    deliver(std::slice::from_ref(&sent), &[Channel::file(&path)], now()).await;
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{{\"schema\":\"alert/1\",\"id\":\"12\n{}\n", sent.to_json()));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_reported_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("missing/alerts.ndjson");
    let report = deliver(&[alert(1, Severity::Critical)], &[Channel::file(&path)], now()).await;
    let failure = &report.undelivered_critical().next().unwrap().failures[0];
    assert!(matches!(&failure.error, Error::File { path: named, .. } if *named == path));
    assert!(failure.error.to_string().contains(path.to_str().unwrap()));
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_webhook_gets_one_json_request_per_alert() {
    let receiver = Receiver::answering(&[200, 204]).await;
    let alerts = [alert(1, Severity::Critical), alert(2, Severity::High)];
    let report = deliver(&alerts, &[receiver.channel()], now()).await;
    assert_eq!(report.undelivered().count(), 0);
    let received = receiver.received.lock().unwrap();
    let expected: Vec<_> = alerts.iter().map(|alert| ("application/json".to_owned(), alert.to_json())).collect();
    assert_eq!(*received, expected);
}

#[tokio::test]
async fn an_answer_that_is_not_2xx_is_a_failure_and_is_not_repeated() {
    for code in [301, 302, 307, 308, 400, 401, 404, 410, 500, 502, 504] {
        let receiver = Receiver::answering(&[code, 200]).await;
        let alerts = [alert(1, Severity::Critical), alert(2, Severity::High)];
        let report = deliver(&alerts, &[receiver.channel()], now()).await;
        assert_eq!(receiver.fingerprints(), ["unusual_activity:1", "unusual_activity:2"], "{code}");
        let failed: Vec<_> = report.undelivered().collect();
        assert_eq!(failed.len(), 1, "{code}");
        assert_eq!(failed[0].alert, alerts[0].id);
        let error = &failed[0].failures[0].error;
        assert!(matches!(error, Error::Refused { status, .. } if status.as_u16() == code), "{error:?}");
    }
}

#[tokio::test]
async fn an_overloaded_webhook_is_asked_again() {
    for code in [429, 503] {
        let receiver = Receiver::answering(&[code, code, 200]).await;
        let report = deliver(&[alert(1, Severity::Critical)], &[receiver.channel()], now()).await;
        assert_eq!(report.undelivered().count(), 0, "{code}");
        assert_eq!(receiver.fingerprints().len(), 3, "{code}");
    }
}

#[tokio::test]
async fn a_webhook_that_stays_overloaded_is_given_up_for_this_call() {
    let receiver = Receiver::answering(&[503]).await;
    let alerts = [alert(1, Severity::High), alert(2, Severity::High)];
    let report = deliver(&alerts, &[receiver.channel()], now()).await;
    assert_eq!(receiver.fingerprints(), ["unusual_activity:1"; 3]);
    assert_eq!(report.undelivered().count(), 2);
}

#[tokio::test]
async fn a_dead_webhook_is_waited_for_once_and_every_alert_is_accounted_for() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("alerts.ndjson");
    let file = Channel::file(&path);
    let alerts = [alert(1, Severity::Critical), alert(2, Severity::Critical), alert(3, Severity::High)];

    let (dead, _port) = dead_webhook();
    let report = deliver(&alerts, &[dead.clone(), file], now()).await;
    assert_eq!(report.undelivered().count(), 0, "the file took them");
    let errors: Vec<_> = report.deliveries.iter().map(|delivery| &delivery.failures[0].error).collect();
    assert!(matches!(errors[..], [Error::Unreachable { .. }, Error::NotTried, Error::NotTried]), "{errors:?}");
    assert_eq!(fingerprints_in(&path).len(), 3);

    let report = deliver(&alerts, &[dead], now()).await;
    assert_eq!(report.undelivered().count(), 3);
    let critical: Vec<_> = report.undelivered_critical().map(|delivery| &delivery.alert).collect();
    assert_eq!(critical, [&alerts[0].id, &alerts[1].id]);
}

#[tokio::test]
async fn secrets_in_an_address_are_not_shown() {
    let receiver = Receiver::answering(&[404]).await;
    let refusing = receiver.channel();
    let (dead, _port) = dead_webhook();
    let report = deliver(&[alert(1, Severity::High)], &[refusing.clone(), dead.clone()], now()).await;
    let shown = format!("{refusing:?} {dead:?} {report:?}");
    assert!(shown.contains("webhook http://127.0.0.1:"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    for failure in &report.deliveries[0].failures {
        let mut error: Option<&dyn std::error::Error> = Some(&failure.error);
        while let Some(cause) = error {
            assert!(!cause.to_string().contains("s3cret"), "{cause}");
            error = cause.source();
        }
    }
}

#[tokio::test]
async fn without_channels_printing_counts_and_nothing_is_undelivered() {
    let report = deliver(&[alert(1, Severity::Critical)], &[], now()).await;
    assert_eq!(report.deliveries.len(), 1);
    assert!(report.deliveries[0].taken_by.is_empty());
    assert_eq!(report.undelivered_critical().count(), 0);
}
