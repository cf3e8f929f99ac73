//! One ticket for each matter, through the outbox, and templates that cannot say an alert.

use std::sync::{Arc, Mutex};

use alerting::{Error, deliver};
use audit_model::{FindingState, Severity};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{channel, now, options, through_an_outbox, told};

type Heard = Arc<Mutex<Vec<(String, String, Value)>>>;

async fn take(State(heard): State<Heard>, method: Method, uri: Uri, headers: HeaderMap, body: String) -> &'static str {
    let secret = headers.get("session-token").map(|value| value.to_str().unwrap().to_owned());
    let what = format!("{method} {uri}");
    heard.lock().unwrap().push((what, secret.unwrap_or_default(), serde_json::from_str(&body).unwrap()));
    r#"{"result":{"id":"A/1"}}"#
}

#[tokio::test]
async fn a_matter_is_one_ticket_with_its_followups() {
    let (listener, heard) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Heard::default());
    let url = format!("http://{}/api/", listener.local_addr().unwrap());
    let app = Router::new().fallback(take).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let settings = json!({ "name": "desk", "kind": "http", "url": url, "secret_header": "Session-Token",
        "reference": "/result/id", "headers": { "Accept": "application/json" },
        "first": { "path": "/ticket", "body": r#"{ "acts": {{ alert.counts.acts }} }"# },
        "later": { "path": "/ticket/{{ thread }}", "method": "PATCH", "body": r#"{ "acts": {{ alert.counts.acts }} }"# },
        "over": { "path": "/ticket/{{ thread }}/close?by={{ alert.program.name }}", "body": "{}" } });
    let desk = channel(&settings, &[("secret", "s3cret\n")], &options());
    let (new, grown) = (told(FindingState::New, 41, Severity::High), told(FindingState::Grown, 90, Severity::High));
    let ended = told(FindingState::Ended, 95, Severity::High);
    through_an_outbox(desk.clone(), vec![new, grown.clone(), ended], now()).await;
    through_an_outbox(desk, vec![grown], now()).await;
    let heard = heard.lock().unwrap();
    let what: Vec<&str> = heard.iter().map(|(what, _, _)| what.as_str()).collect();
    let close = "POST /api/ticket/A%2F1/close?by=vdr-watch";
    assert_eq!(what, ["POST /api/ticket", "PATCH /api/ticket/A%2F1", close, "POST /api/ticket"]);
    assert_eq!(heard[1].2, json!({ "acts": 90 }));
    assert!(heard.iter().all(|(_, secret, _)| secret == "s3cret"));
}

#[tokio::test]
async fn an_alert_that_a_template_cannot_say_is_not_sent_and_not_lost() {
    let port = cli_test::ClosedPort::take();
    let body = r#"{% if alert.state == "grown" %}{{ alert.nothing }}{% else %}{}{% endif %}"#;
    let url = format!("http://127.0.0.1:{}", port.number);
    let settings = json!({ "name": "desk", "kind": "http", "url": url, "first": { "body": body } });
    let desk = channel(&settings, &[], &options());
    let report = deliver(&[told(FindingState::Grown, 90, Severity::High)], &[desk], now()).await;
    let error = &report.deliveries[0].failures[0].error;
    assert!(matches!(error, Error::Template { .. }), "{error:?}");
}
