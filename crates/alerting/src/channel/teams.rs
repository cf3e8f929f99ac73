//! Microsoft Teams: an Adaptive Card to a workflow that posts what a webhook gets. It has no threads.

use audit_model::Severity;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::chat::{fitted, taken_by_status};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_of};
use crate::message::{Fact, Message};

/// Teams takes 28 KB.
const LONGEST_BYTES: usize = 28_000;

/// `kind = "teams"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Teams {
    /// Of the workflow. The address is a secret.
    url: SecretString,
}

impl HttpKind for Teams {
    fn address(&self) -> Result<Url, Fault> {
        address_of("url", &self.url)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let body = |message: &Message| {
            json!({
                "type": "message",
                "attachments": [{
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": null,
                    "content": card(message, offer),
                }],
            })
        };
        let fits = |body: &Value| body.to_string().len() <= LONGEST_BYTES;
        Request::json(address.clone(), &fitted(&offer.message, body, fits))
    }

    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        taken_by_status(answer, "/error/code")
    }
}

fn card(message: &Message, offer: &Offer<'_>) -> Value {
    let colour = match offer.alert.severity {
        _ if offer.is_over() => "Good",
        Severity::Info | Severity::Low => "Default",
        Severity::Medium => "Warning",
        Severity::High | Severity::Critical => "Attention",
    };
    let mut body = vec![
        block(vec![
            json!({ "type": "TextRun", "text": message.subject, "weight": "Bolder", "size": "Medium", "color": colour }),
        ]),
        block(vec![bold(&format!("{}:", message.heading))]),
    ];
    body.extend(message.what_to_do.iter().map(|step| block(vec![run(&format!("• {step}"))])));
    body.extend(message.facts.iter().map(|Fact { label, value }| block(vec![bold(&format!("{label}: ")), run(value)])));
    body.push(block(vec![json!({ "type": "TextRun", "text": message.footer, "size": "Small", "isSubtle": true })]));
    let open = |(label, page): &(String, Url)| json!({ "type": "Action.OpenUrl", "title": label, "url": page });
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": message.links.iter().map(open).collect::<Vec<_>>(),
    })
}

/// Unlike a `TextBlock`, in which Markdown is formatted, dates are computed and links are made, this shows its texts as they are.
fn block(inlines: Vec<Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": inlines })
}

fn run(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text })
}

fn bold(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text, "weight": "Bolder" })
}
