//! A real HTTP receiver on loopback, and alerts for it.

use std::sync::{Arc, Mutex};

use alerting::{Alert, Channel};
use audit_model::Severity;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use outbound::{HttpOptions, RetryPolicy};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use crate::common::{alert_of, complete, finding};

/// An alert with the number in its fingerprint.
pub(crate) fn alert(number: u32, severity: Severity) -> Alert {
    let mut finding = finding();
    finding.fingerprint = format!("unusual_activity:{number}");
    finding.severity = severity;
    alert_of(&finding, &complete())
}

/// A receiver that answers with the given codes, the last one for ever, and keeps what it was sent.
#[derive(Clone)]
pub(crate) struct Receiver {
    url: Url,
    answers: Arc<Mutex<Vec<u16>>>,
    pub(crate) received: Arc<Mutex<Vec<(String, String)>>>,
    pub(crate) headers: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Receiver {
    pub(crate) async fn answering(codes: &[u16]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/s3cret", listener.local_addr().unwrap()).parse().unwrap();
        let answers = codes.iter().rev().copied().collect();
        let receiver =
            Receiver { url, answers: Arc::new(Mutex::new(answers)), received: Arc::default(), headers: Arc::default() };
        let app = Router::new().route("/hooks/s3cret", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    pub(crate) fn channel(&self) -> Channel {
        webhook(self.url.clone())
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Fingerprints in the order of arrival.
    pub(crate) fn fingerprints(&self) -> Vec<String> {
        let bodies = self.received.lock().unwrap();
        bodies.iter().map(|(_, body)| fingerprint_in(body)).collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> (StatusCode, HeaderMap) {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
    receiver.received.lock().unwrap().push((kind.unwrap_or_default(), body));
    receiver.headers.lock().unwrap().push(headers);
    let mut answers = receiver.answers.lock().unwrap();
    let code = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0] };
    let location = HeaderMap::from_iter([(header::LOCATION, "/hooks/s3cret".parse().unwrap())]);
    (StatusCode::from_u16(code).unwrap(), location)
}

pub(crate) fn webhook(url: Url) -> Channel {
    let options = HttpOptions::new("vdr-watch", "1.0.0");
    Channel::webhook(url, None, &options).unwrap().with_retry(RetryPolicy::immediate())
}

pub(crate) fn fingerprint_in(json: &str) -> String {
    let document: Value = serde_json::from_str(json).unwrap();
    document["fingerprint"].as_str().unwrap().to_owned()
}
