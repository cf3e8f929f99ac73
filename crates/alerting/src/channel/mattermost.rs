//! Mattermost: a message to an incoming webhook, which knows no threads.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::chat::{code_block, fitted, taken_by_status};
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_of};

/// In characters; a longer message becomes several.
const LONGEST_MESSAGE: usize = 16_383;

/// `kind = "mattermost"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mattermost {
    /// Of the webhook. The address is a secret.
    url: SecretString,
}

impl HttpKind for Mattermost {
    fn address(&self) -> Result<Url, Fault> {
        address_of("url", &self.url)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let text = fitted(&offer.message, code_block, |text| text.chars().count() <= LONGEST_MESSAGE);
        Request::json(address.clone(), &json!({ "text": text }))
    }

    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        taken_by_status(answer, "/id")
    }
}
