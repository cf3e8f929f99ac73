//! OCSF in a file and behind a signature.

use std::fs;

use alerting::deliver;
use audit_model::{FindingState, Severity};
use serde_json::{Value, json};

use super::{channel, now, options, told};
use crate::common::receiver::Receiver;

#[tokio::test]
async fn files_and_webhooks_say_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings.ndjson");
    let receiver = Receiver::answering(&[200]).await;
    let secret = [("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    let file = json!({ "name": "siem", "kind": "file", "path": path, "format": "ocsf" });
    let webhook = json!({ "name": "hook", "kind": "webhook", "url": receiver.url().as_str(), "format": "ocsf" });
    let alert = told(FindingState::New, 41, Severity::High);
    let channels = [channel(&file, &[], &options()), channel(&webhook, &secret, &options())];
    let report = deliver(std::slice::from_ref(&alert), &channels, now()).await;
    assert!(report.deliveries[0].failures.is_empty(), "{report:?}");
    let line = fs::read_to_string(&path).unwrap();
    let (_, body) = receiver.received.lock().unwrap()[0].clone();
    assert_eq!(line.strip_suffix('\n'), Some(body.as_str()));
    let finding: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&finding["class_uid"], &finding["metadata"]["uid"]), (&json!(2004), &json!(alert.id)));
    assert_eq!(finding["unmapped"], serde_json::from_str::<Value>(&alert.to_json()).unwrap());
}
