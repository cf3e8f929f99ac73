//! Slack: an incoming webhook, or a bot, whose later messages about a matter answer the first.

use audit_model::PortalText;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::chat::{fitted, member, refused, sent_in, thread_in};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::{Offer, Sent};
use super::settings::{Fault, address_of, address_with, token_of};
use crate::message::{Fact, Message};

/// Of a header, in characters.
const LONGEST_HEADER: usize = 150;
/// Of a section, in characters.
const LONGEST_SECTION: usize = 3_000;
/// Of all blocks as JSON: Slack refuses about 13,000, which it does not document.
const LONGEST_BLOCKS: usize = 12_000;

/// `kind = "slack"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slack {
    /// Of an incoming webhook. The address is a secret.
    url: Option<SecretString>,
    /// Of a bot.
    token: Option<SecretString>,
    /// Where the bot writes.
    channel: Option<String>,
    /// Where the bot's requests go.
    api: Option<Url>,
}

impl HttpKind for Slack {
    fn address(&self) -> Result<Url, Fault> {
        self.check()?;
        match (&self.url, &self.token) {
            (Some(url), _) => address_of("url", url),
            (None, Some(token)) => {
                token_of("token", token)?;
                address_with("api", self.api.as_ref(), "https://slack.com/api/", &["chat.postMessage"])
            }
            (None, None) => {
                let message = "needs the address of a webhook in `url_file`, or `token_file` and `channel` of a bot";
                Err(Fault::new("", message))
            }
        }
    }

    fn check(&self) -> Result<(), Fault> {
        let is_bot = self.token.is_some() || self.channel.is_some() || self.api.is_some();
        if self.url.is_some() && is_bot {
            let message = "is for a webhook, and `token`, `channel` and `api` are for a bot: leave one of them out";
            return Err(Fault::new("url", message));
        }
        if self.token.is_some() && self.channel.as_ref().is_none_or(String::is_empty) {
            return Err(Fault::new("channel", "is missing: say where the bot writes, such as `C0123456789`"));
        }
        Ok(())
    }

    fn address_member(&self) -> &'static str {
        if self.token.is_some() { "api" } else { "url" }
    }

    fn probe(&self, address: &Url) -> Option<Request> {
        let token = self.token.as_ref()?;
        let mut url = address.clone();
        url.path_segments_mut().ok()?.pop().push("auth.test");
        Some(authorized(Request::post(url, "application/json", "{}".to_owned()), token))
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let fits = |body: &Value| body["blocks"].to_string().chars().count() <= LONGEST_BLOCKS && sections_fit(body);
        let mut body = fitted(&offer.message, body, fits);
        let (Some(token), Some(channel)) = (&self.token, &self.channel) else {
            return Request::json(address.clone(), &body);
        };
        body["channel"] = json!(channel);
        if let Some(first) = thread_in(channel, offer) {
            body["thread_ts"] = json!(first);
        }
        authorized(Request::json(address.clone(), &body), token)
    }

    /// A bot's requests are always answered with 200.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        let Some(channel) = &self.channel else {
            let said = String::from_utf8_lossy(&answer.body).trim().to_owned();
            let word = Some(said).filter(|said| said.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            return if answer.status.is_success() {
                AnswerMeans::Taken(Sent::default())
            } else {
                AnswerMeans::Refused(word)
            };
        };
        let is_taken = serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["ok"] == json!(true));
        if !answer.status.is_success() || !is_taken {
            return refused(answer, "/error");
        }
        AnswerMeans::Taken(sent_in(channel, member(answer, "/ts").as_deref()))
    }
}

fn authorized(request: Request, token: &SecretString) -> Request {
    request.header("authorization", format!("Bearer {}", token.expose_secret().trim()))
}

/// Texts of the portal stand in `plain_text`, which knows no mentions, links and formats; `text` is for notifications.
fn body(message: &Message) -> Value {
    let section = |lines: Vec<String>| json!({ "type": "section", "text": plain(&lines.join("\n")) });
    let steps = message.what_to_do.iter().map(|step| format!("• {step}"));
    let facts = message.facts.iter().map(|Fact { label, value }| format!("{label}: {value}")).collect();
    let mut blocks = vec![
        json!({ "type": "header", "text": plain(&header(&message.subject)) }),
        section(std::iter::once(format!("{}:", message.heading)).chain(steps).collect()),
        section(facts),
    ];
    let link = |(label, page): &(String, Url)| format!("<{}|{}>", escaped(page.as_str()), escaped(label));
    let links: Vec<String> = message.links.iter().map(link).collect();
    if !links.is_empty() {
        let links = json!({ "type": "mrkdwn", "text": links.join(" · "), "verbatim": true });
        blocks.push(json!({ "type": "section", "text": links }));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&message.footer)] }));
    json!({
        "text": escaped(&message.subject),
        "blocks": blocks,
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": escaped(text), "emoji": false })
}

/// Cut so that it fits escaped; `text` has all of it.
fn header(subject: &str) -> String {
    let cut = |longest| PortalText::new(subject).for_terminal_within(longest);
    let fits = |cut: &String| escaped(cut).chars().count() <= LONGEST_HEADER;
    (1..=LONGEST_HEADER).rev().map(cut).find(fits).unwrap_or_default()
}

fn sections_fit(body: &Value) -> bool {
    let blocks = body["blocks"].as_array().into_iter().flatten();
    blocks.filter_map(|block| block["text"]["text"].as_str()).all(|text| text.chars().count() <= LONGEST_SECTION)
}

/// What Slack takes for markup of its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
