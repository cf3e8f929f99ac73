//! Matrix: a message to a room. Its name is the alert's, so that a server drops what it got before.

use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::chat::{fitted, html_lines, member, number, refused, sent_in, thread_in};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, token_of};
use crate::message::Message;

/// In bytes; a whole event of Matrix has 65,536, the server's own members among them.
const LONGEST_BYTES: usize = 60_000;

/// `kind = "matrix"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matrix {
    /// The server that has the account.
    server: Url,
    /// By id, which begins with `!`.
    room: String,
    token: SecretString,
    /// Whether clients ring, as they do for messages of people. Notices, which bots send, are shown only.
    #[serde(default)]
    ring: bool,
}

impl HttpKind for Matrix {
    fn address(&self) -> Result<Url, Fault> {
        token_of("token", &self.token)?;
        Ok(self.server.clone())
    }

    fn address_member(&self) -> &'static str {
        "server"
    }

    fn check(&self) -> Result<(), Fault> {
        if !self.server.has_host() {
            return Err(Fault::new("server", "must be an address like `https://matrix.example.com`"));
        }
        if self.room.starts_with('!') {
            return Ok(());
        }
        Err(Fault::new("room", "must be the id of a room, such as `!abcdef`; clients show it in the room's settings"))
    }

    fn probe(&self, address: &Url) -> Option<Request> {
        Some(self.signed(Request::get(of_client(address, &["account", "whoami"]))))
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let fits = |body: &Value| body.to_string().len() <= LONGEST_BYTES;
        let mut body = fitted(&offer.message, |message| self.body(message), fits);
        if let Some(first) = thread_in(&self.room, offer) {
            body["m.relates_to"] = json!({
                "rel_type": "m.thread",
                "event_id": first,
                "is_falling_back": true,
                "m.in_reply_to": { "event_id": first },
            });
        }
        let path = ["rooms", &self.room, "send", "m.room.message", &offer.alert.id];
        self.signed(Request::json(of_client(address, &path), &body).method(Method::PUT))
    }

    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        match member(answer, "/event_id").filter(|_| answer.status.is_success()) {
            Some(event) => AnswerMeans::Taken(sent_in(&self.room, Some(&event))),
            None => refused(answer, "/errcode"),
        }
    }

    fn pause(&self, answer: &Answer) -> Option<Duration> {
        number(answer, "/retry_after_ms").map(Duration::from_millis)
    }
}

impl Matrix {
    fn signed(&self, request: Request) -> Request {
        request.header("authorization", format!("Bearer {}", self.token.expose_secret().trim()))
    }

    /// An empty `m.mentions` says that nobody is mentioned, whatever the text looks like.
    fn body(&self, message: &Message) -> Value {
        json!({
            "msgtype": if self.ring { "m.text" } else { "m.notice" },
            "body": format!("{}\n\n{}", message.subject, message.text().trim_end()),
            "format": "org.matrix.custom.html",
            "formatted_body": html_lines(message).join("<br>"),
            "m.mentions": {},
        })
    }
}

fn of_client(server: &Url, path: &[&str]) -> Url {
    let mut url = server.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["_matrix", "client", "v3"]).extend(path);
    }
    url
}
