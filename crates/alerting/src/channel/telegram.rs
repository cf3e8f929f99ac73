//! Telegram: a message of a bot to a chat; later messages about a matter answer the first.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::chat::{fitted, html_lines, member, number, refused, sent_in, thread_in};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_with, token_of};

/// In UTF-16 units, as Telegram counts, though it does not count the markup.
const LONGEST_MESSAGE: usize = 4_096;

/// `kind = "telegram"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telegram {
    token: SecretString,
    /// A number, or the name of a public channel.
    chat: String,
    /// Of a group with topics, the number of one.
    topic: Option<i64>,
    /// Where requests go.
    api: Option<Url>,
}

impl HttpKind for Telegram {
    fn address(&self) -> Result<Url, Fault> {
        let token = token_of("token", &self.token)?;
        let bot = format!("bot{token}");
        address_with("api", self.api.as_ref(), "https://api.telegram.org/", &[&bot, "sendMessage"])
    }

    fn address_member(&self) -> &'static str {
        "api"
    }

    fn check(&self) -> Result<(), Fault> {
        let is_name = self.chat.starts_with('@') && self.chat.len() > 1;
        if is_name || self.chat.parse::<i64>().is_ok() {
            return Ok(());
        }
        Err(Fault::new(
            "chat",
            "must be the number of a chat such as `-1001234567890`, or a public channel such as `@example`",
        ))
    }

    fn probe(&self, address: &Url) -> Option<Request> {
        Some(Request::get(method_of(address, "getMe")))
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let fits = |text: &String| text.encode_utf16().count() <= LONGEST_MESSAGE;
        let mut body = json!({
            "chat_id": self.chat,
            "text": fitted(&offer.message, |message| html_lines(message).join("\n"), fits),
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        });
        if let Some(topic) = self.topic {
            body["message_thread_id"] = json!(topic);
        }
        if let Some(first) = thread_in(&self.chat, offer).and_then(|first| first.parse::<i64>().ok()) {
            body["reply_parameters"] = json!({ "message_id": first, "allow_sending_without_reply": true });
        }
        Request::json(address.clone(), &body)
    }

    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        let is_taken = serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["ok"] == json!(true));
        if !answer.status.is_success() || !is_taken {
            return refused(answer, "/description");
        }
        AnswerMeans::Taken(sent_in(&self.chat, member(answer, "/result/message_id").as_deref()))
    }

    fn pause(&self, answer: &Answer) -> Option<Duration> {
        number(answer, "/parameters/retry_after").map(Duration::from_secs)
    }
}

/// The address of another method of the same bot.
fn method_of(address: &Url, method: &str) -> Url {
    let mut url = address.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop().push(method);
    }
    url
}
