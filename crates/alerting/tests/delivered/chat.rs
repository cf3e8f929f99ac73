//! Chats whose servers misbehave: what counts as taken, what as not taken, and what is asked again. One table for all kinds.

use std::sync::{Arc, Mutex};

use alerting::{Channel, ChannelSettings, Error, WayOut};
use audit_model::{Finding, FindingState, Severity};
use chrono::{DateTime, Utc};
use outbound::{HttpOptions, RetryPolicy};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::common::receiver::alert;
use crate::common::{alert_of, at, complete, finding};
use crate::outbox::{moment, outbox};

fn now() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

/// Every kind, with what its receiver answers when it has taken an alert, and whether 2xx alone says so.
fn kinds(server: &str) -> Vec<(Value, &'static str, bool)> {
    let hook = format!("{server}/hooks/s3cret");
    vec![
        (json!({ "kind": "matrix", "server": server, "room": "!soc:example.com" }), r#"{"event_id":"$1"}"#, false),
        (json!({ "kind": "mattermost", "url": hook }), "ok", true),
        (json!({ "kind": "ntfy", "url": hook }), r#"{"id":"1"}"#, true),
        (json!({ "kind": "rocketchat", "url": hook }), r#"{"success":true}"#, true),
        (json!({ "kind": "slack", "url": hook }), "ok", true),
        (json!({ "kind": "slack", "api": server, "channel": "C0123456789" }), r#"{"ok":true,"ts":"1.2"}"#, false),
        (json!({ "kind": "teams", "url": hook }), "", true),
        (
            json!({ "kind": "telegram", "api": server, "chat": "-100" }),
            r#"{"ok":true,"result":{"message_id":42}}"#,
            false,
        ),
        (json!({ "kind": "webhook", "url": hook }), "", true),
    ]
}

fn built(table: &Value) -> Channel {
    let mut table = table.as_object().unwrap().clone();
    table.insert("name".to_owned(), json!("soc"));
    let needs_token = !table.contains_key("url");
    let options = HttpOptions::new("vdr-watch", "1.0.0");
    let settings = ChannelSettings::read(&table).unwrap();
    let token = |name: &str| Some(SecretString::from("1:s3cret")).filter(|_| needs_token && name == "token");
    let channel = settings.build(|secret, _| Ok(token(secret.name)), &WayOut::new(&options, false)).unwrap();
    channel.with_retry(RetryPolicy::immediate())
}

/// What a server does with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Takes,
    AsksForPause(u32),
    Fails,
    /// 200, and another service's page.
    Babbles,
    /// 200, and the answer never comes.
    Stalls,
    /// No answer at all.
    IsSilent,
    HangsUp,
}

/// A server that does this, one request after the other, the last for ever; and the bodies that it has read.
fn server(does: &'static [Does], taken: &'static str, listener: TcpListener) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let bodies = asked.clone();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(body) = read_request(&mut stream).await else { continue };
            let number = {
                let mut bodies = bodies.lock().unwrap();
                bodies.push(body);
                bodies.len()
            };
            let does = does[number.min(does.len()) - 1];
            let whole = |status: &str, more: &str, body: &str| {
                format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
            };
            let answer = match does {
                Does::Takes => whole("200 OK", "", taken),
                Does::AsksForPause(seconds) => {
                    whole("429 Too Many Requests", &format!("retry-after: {seconds}\r\n"), "slow down")
                }
                Does::Fails => whole("500 Internal Server Error", "", "oops"),
                Does::Babbles => whole("200 OK", "", "<html>sign in</html>"),
                Does::Stalls => "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"ok\":tr".to_owned(),
                Does::IsSilent | Does::HangsUp => String::new(),
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            if matches!(does, Does::Stalls | Does::IsSilent) {
                kept.push(stream);
                // from now on nobody does anything, and the clock goes to the next time limit
                tokio::time::pause();
            }
        }
    });
    asked
}

/// The body, if a whole request has come.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(body.to_owned());
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(bytes) => read.extend_from_slice(&piece[..bytes]),
        }
    }
}

/// Whether the alert counts as taken, how often it was sent, and why it was not taken.
async fn outcome(number: usize, does: &'static [Does]) -> (String, bool, usize, Option<Error>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (table, taken, _) = kinds(&address).swap_remove(number);
    let channel = built(&table);
    let asked = server(does, taken, listener);
    let mut report = alerting::deliver(&[alert(1, Severity::High)], &[channel], now()).await;
    let mut delivery = report.deliveries.remove(0);
    let error = delivery.failures.pop().map(|failure| failure.error);
    let requests = asked.lock().unwrap().len();
    (table["kind"].to_string(), error.is_none(), requests, error)
}

/// For each kind: whether it counts as taken, and how many requests there were.
async fn every_kind(does: &'static [Does], expected: impl Fn(bool) -> (bool, usize)) {
    for (number, (.., is_status_enough)) in kinds("http://127.0.0.1").iter().enumerate() {
        let (kind, is_taken, requests, error) = outcome(number, does).await;
        assert_eq!((is_taken, requests), expected(*is_status_enough), "{kind} {does:?}: {error:?}");
        let shown = error.map(|error| format!("{error} {error:?}")).unwrap_or_default();
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_in_the_form_of_the_receiver_is_taken() {
    every_kind(&[Does::Takes], |_| (true, 1)).await;
}

#[tokio::test]
async fn an_answer_of_somebody_else_is_not_taken_where_the_receiver_says_more_than_its_status() {
    every_kind(&[Does::Babbles], |is_status_enough| (is_status_enough, 1)).await;
}

#[tokio::test]
async fn a_short_pause_is_kept_and_a_long_one_left_to_the_next_run() {
    every_kind(&[Does::AsksForPause(1), Does::Takes], |_| (true, 2)).await;
    every_kind(&[Does::AsksForPause(3_600), Does::Takes], |_| (false, 1)).await;
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again_by_this_run() {
    every_kind(&[Does::Fails, Does::Takes], |_| (false, 1)).await;
    every_kind(&[Does::HangsUp, Does::Takes], |_| (false, 1)).await;
}

#[tokio::test]
async fn a_receiver_that_falls_silent_is_given_up() {
    for number in 0..kinds("http://127.0.0.1").len() {
        let (kind, is_taken, requests, error) = outcome(number, &[Does::IsSilent, Does::Takes]).await;
        tokio::time::resume();
        assert_eq!((is_taken, requests), (false, 1), "{kind}: {error:?}");
        assert!(matches!(error, Some(Error::Unreachable { .. })), "{kind}: {error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_stalls_has_said_its_status_only() {
    for (number, (.., is_status_enough)) in kinds("http://127.0.0.1").iter().enumerate() {
        let (kind, is_taken, requests, error) = outcome(number, &[Does::Stalls, Does::Takes]).await;
        tokio::time::resume();
        assert_eq!((is_taken, requests), (*is_status_enough, 1), "{kind}: {error:?}");
    }
}

#[tokio::test]
async fn later_alerts_about_a_matter_answer_the_first() {
    for (kind, thread) in [
        ("matrix", ("/m.relates_to/event_id", json!("$1"))),
        ("slack", ("/thread_ts", json!("1.2"))),
        ("telegram", ("/reply_parameters/message_id", json!(42))),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let is_meant = |(table, ..): &(Value, &str, bool)| table["kind"] == kind && table.get("url").is_none();
        let (table, taken, _) = kinds(&address).into_iter().find(is_meant).unwrap();
        let (outbox, channels) = (outbox().await, [built(&table)]);
        let asked = server(&[Does::Takes], taken, listener);
        for (acts, state) in [(41, FindingState::New), (90, FindingState::Grown), (90, FindingState::Ended)] {
            let mut finding = Finding { matter: Some("k3f9-q2mw".to_owned()), state, ..finding() };
            finding.counts.acts = acts;
            let mut alerts = [alert_of(&finding, &complete())];
            outbox.keep::<Finding>(&[], &[], &mut alerts, &channels, &moment(now())).await.unwrap();
            assert_eq!(outbox.drain(&channels, now()).await.unwrap().taken, 1, "{kind}");
        }
        let bodies = asked.lock().unwrap();
        let thread_of = |body: &String| serde_json::from_str::<Value>(body).unwrap().pointer(thread.0).cloned();
        let threads: Vec<Option<Value>> = bodies.iter().map(thread_of).collect();
        assert_eq!(threads, [None, Some(thread.1.clone()), Some(thread.1)], "{kind}");
    }
}
