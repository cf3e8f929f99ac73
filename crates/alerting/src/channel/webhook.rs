//! Alerts as requests to an address of the owner's choice: the document as it is, signed where a secret is set.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::format::Format;
use super::http::{HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_of};
use super::standard_webhook;

/// `kind = "webhook"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Where to. The address is a secret.
    url: SecretString,
    /// `whsec_` and the key in Base64; what is sent is signed with it.
    secret: Option<SecretString>,
    #[serde(default)]
    format: Format,
}

impl Webhook {
    pub(crate) fn new(url: Url, secret: Option<SecretString>) -> Self {
        Webhook { url: SecretString::from(String::from(url)), secret, format: Format::Alert }
    }
}

impl HttpKind for Webhook {
    fn address(&self) -> Result<Url, Fault> {
        if let Some(secret) = &self.secret {
            standard_webhook::key_of(secret).map_err(|message| Fault::new("secret", message))?;
        }
        address_of("url", &self.url)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let body = self.format.line(offer);
        let request = Request::post(address.clone(), "application/json", body.clone().into_owned());
        let Some(key) = self.secret.as_ref().and_then(|secret| standard_webhook::key_of(secret).ok()) else {
            return request;
        };
        let (id, timestamp) = (&offer.alert.id, offer.now.timestamp());
        let signature = standard_webhook::signature(key.expose_secret(), id, timestamp, &body);
        request
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
    }
}
