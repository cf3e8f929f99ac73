//! Alerts for Prometheus' Alertmanager: one alert with the same labels for each matter, which ends when the matter does.

use std::collections::BTreeMap;

use audit_model::Severity;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::http::{HttpKind, Request};
use super::offer::Offer;
use super::settings::{Fault, address_of};

/// Labels that say which matter it is, and may not be set.
const OWN: [&str; 5] = ["alertname", "matter", "portal", "program", "severity"];

const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// `kind = "alertmanager"`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alertmanager {
    /// Its address, with the prefix of its paths if it has one.
    url: SecretString,
    /// The header of that name: `Basic …` or `Bearer …`.
    authorization: Option<SecretString>,
    /// How many hours an alert lasts that is not told again. What goes on is told once a day.
    #[serde(default = "usual_hours")]
    lasts_hours: u32,
    /// More labels, for routes.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn usual_hours() -> u32 {
    48
}

impl HttpKind for Alertmanager {
    fn address(&self) -> Result<Url, Fault> {
        let mut url = address_of("url", &self.url)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2", "alerts"]);
        }
        Ok(url)
    }

    fn check(&self) -> Result<(), Fault> {
        if !(26..=24 * 30).contains(&self.lasts_hours) {
            let message = "must be from 26 to 720: what goes on is told again after a day, and must not end before";
            return Err(Fault::new("lasts_hours", message));
        }
        let fits = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match self.labels.keys().find(|name| !fits(name) || OWN.contains(&name.as_str())) {
            Some(_) => {
                let message = format!("must have names of letters, digits and `_`, and none of `{}`", OWN.join("`, `"));
                Err(Fault::new("labels", message))
            }
            None => Ok(()),
        }
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let (first, lasts) = (first_severity(offer), TimeDelta::hours(i64::from(self.lasts_hours)));
        let alerts: Vec<Value> = if offer.is_over() {
            // nobody says any more how severe it became
            let all = SEVERITIES.into_iter().filter(|severity| *severity >= first);
            all.map(|severity| self.alert(offer, severity, offer.alert.window.until)).collect()
        } else {
            let both = [Some(first), Some(offer.alert.severity).filter(|severity| *severity > first)];
            both.into_iter().flatten().map(|severity| self.alert(offer, severity, offer.now + lasts)).collect()
        };
        let request = Request::json(address.clone(), &alerts);
        match &self.authorization {
            Some(secret) => request.header("authorization", secret.expose_secret().trim()),
            None => request,
        }
    }

    /// The severity that is part of the labels from now on.
    fn reference(&self, offer: &Offer<'_>) -> Option<String> {
        Some(first_severity(offer).name().to_owned())
    }
}

impl Alertmanager {
    fn alert(&self, offer: &Offer<'_>, severity: Severity, ends_at: DateTime<Utc>) -> Value {
        let (alert, message) = (&offer.alert, &offer.message);
        let mut labels = self.labels.clone();
        let own = [&alert.rule, &offer.matter_key(), &alert.portal.url, &alert.program.name, severity.name()];
        labels.extend(OWN.map(str::to_owned).into_iter().zip(own.map(str::to_owned)));
        json!({
            "labels": labels,
            "annotations": {
                "summary": message.subject,
                "description": message.text(),
                "severity_now": alert.severity.name(),
                "state": alert.state,
            },
            "startsAt": alert.window.since,
            "endsAt": ends_at.max(alert.window.since),
            "generatorURL": alert.links.room.as_ref().map_or(alert.portal.url.as_str(), Url::as_str),
        })
    }
}

/// That of the first alert that it took about the matter, so that the labels stay.
fn first_severity(offer: &Offer<'_>) -> Severity {
    let first = SEVERITIES.into_iter().find(|severity| Some(severity.name()) == offer.thread);
    first.unwrap_or(offer.alert.severity)
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn says() {
        let settings = json!({ "url": "https://alerts.example.com/am/", "authorization": "Bearer T0KEN",
            "labels": { "team": "soc" } });
        let kind = golden::kind::<Alertmanager>(settings);
        insta::assert_snapshot!(golden::said(&kind, "high"));
    }

    #[test]
    fn labels_and_hours_are_checked() {
        for (settings, member) in [
            (json!({ "labels": { "severity": "none" } }), "labels"),
            (json!({ "labels": { "a-b": "c" } }), "labels"),
            (json!({ "lasts_hours": 24 }), "lasts_hours"),
        ] {
            let mut all = json!({ "url": "https://alerts.example.com" });
            all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            assert_eq!(golden::kind::<Alertmanager>(all).check().unwrap_err().member, member);
        }
    }
}
