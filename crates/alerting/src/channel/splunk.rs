//! Alerts as events for Splunk's HTTP Event Collector (HEC).

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::document;
use super::format::Format;
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::{Offer, Sent};
use super::settings::{Fault, address_of};

/// Receivers take events of a million bytes unless they are told otherwise.
const LONGEST_BYTES: usize = 1_000_000;

/// `kind = "splunk"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Splunk {
    /// The address of the collector; without a path, its usual one.
    url: SecretString,
    /// Of a HEC input.
    token: SecretString,
    /// Where the input does not say it.
    index: Option<String>,
    sourcetype: Option<String>,
    #[serde(default)]
    format: Format,
}

impl HttpKind for Splunk {
    fn address(&self) -> Result<Url, Fault> {
        let mut url = address_of("url", &self.url)?;
        if url.path() == "/" {
            url.set_path("/services/collector/event");
        }
        Ok(url)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let sourcetype = self.sourcetype.as_deref().unwrap_or(match self.format {
            Format::Alert => "docspace:alert",
            Format::Ocsf => "ocsf:detection_finding",
        });
        let body = document::within(LONGEST_BYTES, offer, |offer, alert| {
            let event = self.format.document(offer, alert);
            let mut body = json!({
                // seconds, with three digits after the point
                "time": offer.alert.window.until.timestamp_millis() as f64 / 1000.0,
                "source": offer.alert.program.name,
                "sourcetype": sourcetype,
                "event": event,
            });
            if let Some(index) = &self.index {
                body["index"] = index.as_str().into();
            }
            body.to_string()
        });
        let token = format!("Splunk {}", self.token.expose_secret().trim());
        Request::post(address.clone(), "application/json", body).header("authorization", token)
    }

    /// Its code is 0 when it was taken; others say why not.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match said["code"].as_u64() {
            Some(0) if answer.status.is_success() => AnswerMeans::Taken(Sent::default()),
            Some(code) => AnswerMeans::Refused(Some(format!("code_{code}"))),
            None => AnswerMeans::Refused(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn says() {
        let settings = json!({ "url": "https://splunk.example.com:8088", "token": "T0KEN", "index": "security" });
        insta::assert_snapshot!(golden::said(&golden::kind::<Splunk>(settings), ""));
    }

    #[test]
    fn verdicts() {
        let kind = golden::kind::<Splunk>(json!({ "url": "https://splunk.example.com:8088", "token": "T0KEN" }));
        let taken = AnswerMeans::Taken(Sent::default());
        assert_eq!(golden::means(&kind, 200, r#"{"text":"Success","code":0}"#), taken);
        let refused = |said: &str| AnswerMeans::Refused(Some(said.to_owned()));
        assert_eq!(golden::means(&kind, 403, r#"{"text":"Invalid token","code":4}"#), refused("code_4"));
        assert_eq!(golden::means(&kind, 400, r#"{"text":"Incorrect index","code":7}"#), refused("code_7"));
        assert_eq!(golden::means(&kind, 503, r#"{"text":"Server is busy","code":9}"#), refused("code_9"));
        assert_eq!(golden::means(&kind, 200, "<html>sign in</html>"), AnswerMeans::Refused(None));
    }
}
