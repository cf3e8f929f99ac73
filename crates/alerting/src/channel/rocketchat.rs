//! Rocket.Chat: a message to an incoming webhook, which tells nobody what the message is called: no threads.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::chat::{code_block, fitted, refused, taken_by_status};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_of};

/// In characters: what a server takes unless its administrator has changed that.
const LONGEST_MESSAGE: usize = 5_000;

/// `kind = "rocketchat"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RocketChat {
    /// Of the webhook. The address is a secret.
    url: SecretString,
}

impl HttpKind for RocketChat {
    fn address(&self) -> Result<Url, Fault> {
        address_of("url", &self.url)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let text = fitted(&offer.message, code_block, |text| text.chars().count() <= LONGEST_MESSAGE);
        Request::json(address.clone(), &json!({ "text": text, "parseUrls": false }))
    }

    /// `success` is `false` where a script of the webhook has dropped the message.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        let is_dropped =
            serde_json::from_slice::<Value>(&answer.body).is_ok_and(|said| said["success"] == json!(false));
        if is_dropped { refused(answer, "/error") } else { taken_by_status(answer, "/error") }
    }
}
