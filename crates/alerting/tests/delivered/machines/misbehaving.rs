//! Every kind that speaks HTTP, and servers that do what servers do on bad days.

use alerting::{Error, deliver};
use audit_model::{FindingState, Severity};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{channel, now, options, told};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    /// Answers 200 with what the kind expects.
    Well,
    /// Reads the request and says nothing.
    Silent,
    Overloaded,
    Fails,
    /// Begins an answer of 200 and never ends it.
    Trickles,
    /// Hangs up in the middle of the request.
    Resets,
}

async fn request(stream: &mut TcpStream) {
    let mut read = Vec::new();
    loop {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap_or(0);
        read.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&read).to_lowercase();
        let body = text.split_once("\r\n\r\n").map(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            body.len() >= length.unwrap().parse().unwrap()
        });
        if length == 0 || body == Some(true) {
            return;
        }
    }
}

async fn answer(mut stream: TcpStream, does: Does, body: &str) {
    if does == Does::Resets {
        let _ = stream.read(&mut [0]).await;
        return;
    }
    request(&mut stream).await;
    let answer = match does {
        Does::Silent => return std::future::pending().await,
        Does::Well => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        Does::Overloaded => {
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n".to_owned()
        }
        Does::Fails => "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned(),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    if does == Does::Trickles {
        std::future::pending::<()>().await;
    }
}

/// A server, and its address.
async fn server(does: Does, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, does, body));
        }
    });
    url
}

/// Settings without name and address, secrets, and the answer that means "taken".
type Case = (Value, &'static [(&'static str, &'static str)], &'static str);

fn kinds() -> Vec<Case> {
    let call = json!({ "kind": "http", "reference": "/key", "first": { "body": "{{ alert }}" } });
    vec![
        (json!({ "kind": "alertmanager" }), &[], ""),
        (call, &[("secret", "Bearer s3cret")], r#"{"key":"SOC-1"}"#),
        (json!({ "kind": "opsgenie" }), &[("key", "s3cret")], r#"{"requestId":"1"}"#),
        (json!({ "kind": "pagerduty" }), &[("routing_key", "s3cret")], r#"{"status":"success"}"#),
        (json!({ "kind": "splunk" }), &[("token", "s3cret")], r#"{"text":"Success","code":0}"#),
        (json!({ "kind": "webhook" }), &[], ""),
    ]
}

/// Kinds for which the status says everything have taken what was answered with 200, whatever comes after it.
const BY_STATUS: [&str; 3] = ["alertmanager", "opsgenie", "webhook"];

#[tokio::test]
async fn nothing_counts_as_taken_that_was_not() {
    for does in [Does::Well, Does::Overloaded, Does::Fails, Does::Resets, Does::Silent, Does::Trickles] {
        for (mut settings, secrets, body) in kinds() {
            let url = server(does, body).await;
            settings["name"] = "soc".into();
            settings["url"] = url.into();
            let kind = settings["kind"].as_str().unwrap().to_owned();
            let sent = [told(FindingState::New, 41, Severity::High)];
            let made = channel(&settings, secrets, &options());
            if matches!(does, Does::Silent | Does::Trickles) {
                // patience passes at once where nothing else happens
                tokio::time::pause();
            }
            let report = deliver(&sent, &[made], now()).await;
            if matches!(does, Does::Silent | Does::Trickles) {
                tokio::time::resume();
            }
            assert!(!format!("{report:?}").contains("s3cret"), "{report:?}");
            let error = report.deliveries[0].failures.first().map(|failure| &failure.error);
            let status = match error {
                Some(Error::Refused { status, .. }) => status.as_u16(),
                Some(Error::Unreachable { .. }) => 0,
                None => 1,
                other => panic!("{kind} {does:?}: {other:?}"),
            };
            let expected = match does {
                Does::Well => 1,
                Does::Overloaded => 429,
                Does::Fails => 500,
                Does::Trickles if BY_STATUS.contains(&kind.as_str()) => 1,
                Does::Trickles => 200,
                Does::Resets | Does::Silent => 0,
            };
            assert_eq!(status, expected, "{kind} {does:?}: {error:?}");
        }
    }
}
