//! Alerts as events of PagerDuty (Events API v2): one incident for each matter, resolved when it is over.

use audit_model::Severity;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::document;
use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::{Offer, Sent};
use super::settings::Fault;

/// Of a whole event, and of its summary in characters.
const LONGEST_BYTES: usize = 512 * 1000;
const LONGEST_SUMMARY: usize = 1024;

/// `kind = "pagerduty"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagerDuty {
    /// Of an integration of the type "Events API v2".
    routing_key: SecretString,
    /// Where to; PagerDuty in Europe has an address of its own.
    #[serde(default = "usual_url")]
    url: String,
}

fn usual_url() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}

impl HttpKind for PagerDuty {
    fn address(&self) -> Result<Url, Fault> {
        let url = Url::parse(&self.url).ok().filter(Url::has_host);
        url.ok_or_else(|| Fault::new("url", "must be an address like `https://events.eu.pagerduty.com/v2/enqueue`"))
    }

    fn check(&self) -> Result<(), Fault> {
        self.address().map(drop)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let key = self.routing_key.expose_secret().trim();
        let dedup_key = offer.matter_key();
        let body = if offer.is_over() {
            json!({ "routing_key": key, "event_action": "resolve", "dedup_key": dedup_key }).to_string()
        } else {
            document::within(LONGEST_BYTES, offer, |offer, details| {
                trigger(key, &dedup_key, offer, &details).to_string()
            })
        };
        Request::post(address.clone(), "application/json", body)
    }

    /// 202; what is refused says so in `status`.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |member: &str| said[member].as_str().map(str::to_owned);
        if answer.status.is_success() && text("status").as_deref() == Some("success") {
            AnswerMeans::Taken(Sent { reference: text("dedup_key") })
        } else {
            AnswerMeans::Refused(text("status").map(|status| status.replace(' ', "_")))
        }
    }
}

fn trigger(key: &str, dedup_key: &str, offer: &Offer<'_>, details: &Value) -> Value {
    let (alert, message) = (&offer.alert, &offer.message);
    let summary: String = message.subject.chars().take(LONGEST_SUMMARY).collect();
    let links: Vec<Value> = message.links.iter().map(|(text, href)| json!({ "href": href, "text": text })).collect();
    json!({
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": format!("{} {}", alert.program.name, alert.program.version),
        "client_url": alert.portal.url,
        "links": links,
        "payload": {
            "summary": summary,
            "source": alert.portal.url,
            "severity": severity(alert.severity),
            "timestamp": alert.window.until,
            "class": alert.rule,
            "custom_details": { "what_to_do": message.what_to_do, "alert": details },
        },
    })
}

/// PagerDuty knows four.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn says() {
        let kind = golden::kind::<PagerDuty>(json!({ "routing_key": "R0UTING" }));
        insta::assert_snapshot!(golden::said(&kind, "vdr-watch:k3f9-q2mw"));
    }

    #[test]
    fn every_event_is_one_that_pagerduty_documents() {
        let file = format!("{}/tests/schemas/pagerduty-event-2.handwritten.schema.json", env!("CARGO_MANIFEST_DIR"));
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        let schema = compiler.compile(&file, &mut schemas).unwrap();
        let kind = golden::kind::<PagerDuty>(json!({ "routing_key": "R0UTING" }));
        golden::each("vdr-watch:k3f9-q2mw", |offer| {
            let event: Value = serde_json::from_str(&kind.request(&kind.address().unwrap(), offer).body).unwrap();
            let objection = schemas.validate(&event, schema).err().map(|error| error.to_string());
            assert_eq!(objection, None, "{event:#}");
            String::new()
        });
    }

    #[test]
    fn what_is_too_long_lacks_its_evidence_and_says_so() {
        let kind = golden::kind::<PagerDuty>(json!({ "routing_key": "R0UTING" }));
        let mut alert = golden::alert("new");
        alert["padding"] = "x".repeat(LONGEST_BYTES).into();
        let json = alert.to_string();
        let offer = golden::offer(&json, None);
        let request = kind.request(&kind.address().unwrap(), &offer);
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let details = &body["payload"]["custom_details"]["alert"];
        assert!(request.body.len() < LONGEST_BYTES && details["left_out"].to_string().contains("padding"), "{details}");
        assert_eq!(details["counts"]["acts"], 41);
    }

    #[test]
    fn verdicts() {
        let kind = golden::kind::<PagerDuty>(json!({ "routing_key": "R0UTING" }));
        let taken = r#"{"status":"success","message":"Event processed","dedup_key":"vdr-watch:k3f9-q2mw"}"#;
        let reference = Some("vdr-watch:k3f9-q2mw".to_owned());
        assert_eq!(golden::means(&kind, 202, taken), AnswerMeans::Taken(Sent { reference }));
        let refused = r#"{"status":"invalid event","message":"Event object is invalid","errors":["…"]}"#;
        assert_eq!(golden::means(&kind, 400, refused), AnswerMeans::Refused(Some("invalid_event".into())));
        assert_eq!(golden::means(&kind, 200, "<html>a proxy</html>"), AnswerMeans::Refused(None));
        assert_eq!(golden::means(&kind, 429, ""), AnswerMeans::Refused(None));
    }
}
