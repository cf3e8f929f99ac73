//! ntfy: a notification on phones and desktops, as JSON to the server that has the topic. It has no threads.

use audit_model::Severity;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::chat::{fitted, taken_by_status};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_of, token_of};
use crate::message::Message;

/// Of the message, in bytes; a longer one becomes a file.
const LONGEST_MESSAGE: usize = 4_096;

/// `kind = "ntfy"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ntfy {
    /// Of the topic. The address is a secret where the topic is open to whoever knows its name.
    url: SecretString,
    /// Where the topic is not open.
    token: Option<SecretString>,
}

impl HttpKind for Ntfy {
    fn address(&self) -> Result<Url, Fault> {
        self.token.as_ref().map(|token| token_of("token", token)).transpose()?;
        let url = address_of("url", &self.url)?;
        if topic(&url).is_empty() {
            return Err(Fault::new(
                "url",
                "must end with the name of a topic, such as `https://ntfy.example.com/docspace`",
            ));
        }
        Ok(url)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let (priority, tag) = match offer.alert.severity {
            _ if offer.is_over() => (2, "white_check_mark"),
            Severity::Info => (1, "information_source"),
            Severity::Low => (2, "information_source"),
            Severity::Medium => (3, "warning"),
            Severity::High => (4, "warning"),
            Severity::Critical => (5, "rotating_light"),
        };
        let body = |message: &Message| {
            json!({
                "topic": topic(address),
                "title": message.subject,
                "message": message.text().trim_end(),
                "priority": priority,
                "tags": [tag],
                "markdown": false,
                "click": message.links.first().map(|(_, page)| page),
            })
        };
        let fits = |body: &Value| body["message"].as_str().is_some_and(|text| text.len() <= LONGEST_MESSAGE);
        let mut server = address.clone();
        // JSON goes to the server, which finds the topic in it
        if let Ok(mut path) = server.path_segments_mut() {
            path.pop_if_empty().pop();
        }
        let request = Request::json(server, &fitted(&offer.message, body, fits));
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {}", token.expose_secret().trim())),
            None => request,
        }
    }

    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        taken_by_status(answer, "/code")
    }
}

/// The last part of the path.
fn topic(url: &Url) -> &str {
    url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}
