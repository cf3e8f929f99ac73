//! Alerts in Opsgenie, and in servers that speak as it does: one for each matter, a note when it has grown, closed when it is over.

use audit_model::Severity;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::{Offer, Sent};
use super::settings::Fault;

/// In characters.
const LONGEST_MESSAGE: usize = 130;
const LONGEST_DESCRIPTION: usize = 15_000;
const LONGEST_NOTE: usize = 25_000;

/// `kind = "opsgenie"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opsgenie {
    /// Of an API integration.
    key: SecretString,
    /// The address before `/v2/alerts`.
    #[serde(default = "usual_url")]
    url: String,
    #[serde(default)]
    tags: Vec<String>,
}

fn usual_url() -> String {
    "https://api.opsgenie.com".to_owned()
}

impl HttpKind for Opsgenie {
    fn address(&self) -> Result<Url, Fault> {
        let url = Url::parse(&self.url).ok().filter(Url::has_host);
        let mut url = url.ok_or_else(|| Fault::new("url", "must be an address like `https://api.eu.opsgenie.com`"))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v2", "alerts"]);
        }
        Ok(url)
    }

    fn check(&self) -> Result<(), Fault> {
        if self.tags.len() > 20 || self.tags.iter().any(|tag| tag.chars().count() > 50) {
            return Err(Fault::new("tags", "must be at most 20, each of up to 50 characters"));
        }
        self.address().map(drop)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let (alert, message) = (&offer.alert, &offer.message);
        let alias = offer.matter_key();
        let (url, body) = if offer.is_over() {
            (of_alias(address, &alias, "close"), self.note(offer))
        } else if offer.thread.is_some() {
            (of_alias(address, &alias, "notes"), self.note(offer))
        } else {
            let body = json!({
                "message": first(&unmarked(&message.subject), LONGEST_MESSAGE),
                "alias": alias,
                "description": first(&unmarked(&message.text()), LONGEST_DESCRIPTION),
                "priority": priority(alert.severity),
                "source": alert.program.name,
                "entity": alert.portal.url,
                "tags": self.tags,
                "details": { "id": alert.id, "rule": alert.rule, "severity": alert.severity, "matter": alert.matter.clone().unwrap_or_default() },
            });
            (address.clone(), body)
        };
        let key = format!("GenieKey {}", self.key.expose_secret().trim());
        Request::json(url, &body).header("authorization", key)
    }

    /// 202: it is done soon.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        if !answer.status.is_success() {
            return AnswerMeans::Refused(None);
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let reference = said["requestId"].as_str().unwrap_or("created").to_owned();
        AnswerMeans::Taken(Sent { reference: Some(reference) })
    }
}

impl Opsgenie {
    fn note(&self, offer: &Offer<'_>) -> Value {
        let note = format!("{}\n\n{}", offer.message.subject, offer.message.text());
        json!({ "source": offer.alert.program.name, "note": first(&unmarked(&note), LONGEST_NOTE) })
    }
}

fn of_alias(address: &Url, alias: &str, what: &str) -> Url {
    let mut url = address.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend([alias, what]);
    }
    url.query_pairs_mut().append_pair("identifierType", "alias");
    url
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::High => "P2",
        Severity::Medium => "P3",
        Severity::Low => "P4",
        Severity::Info => "P5",
    }
}

/// What would be HTML there, also where somebody reads it as plain text.
fn unmarked(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›")
}

/// So many characters, the last of them `…` where it is longer.
fn first(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn says() {
        let kind = golden::kind::<Opsgenie>(json!({ "key": "K3Y", "tags": ["docspace"] }));
        insta::assert_snapshot!(golden::said(&kind, "43a29c5c"));
    }

    #[test]
    fn verdicts() {
        let kind = golden::kind::<Opsgenie>(json!({ "key": "K3Y" }));
        let taken = r#"{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c"}"#;
        let reference = Some("43a29c5c".to_owned());
        assert_eq!(golden::means(&kind, 202, taken), AnswerMeans::Taken(Sent { reference }));
        let wrong = r#"{"message":"Could not authenticate","took":0.01,"requestId":"0c1"}"#;
        assert_eq!(golden::means(&kind, 403, wrong), AnswerMeans::Refused(None));
        assert_eq!(first("ääää", 3), "ää…");
    }
}
