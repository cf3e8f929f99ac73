//! Channels for on-call tools, SIEMs and ticket systems, on real sockets.

mod alertmanager;
mod formats;
mod rsyslog;
mod tickets;

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::{Alert, Channel, ChannelSettings, SecretMember, WayOut};
use audit_model::{Finding, FindingState};
use chrono::{DateTime, Utc};
use outbound::{HttpOptions, RetryPolicy};
use secrecy::SecretString;
use serde_json::Value;

use crate::common::{alert_of, at, complete, finding};
use crate::outbox::{moment, outbox};

/// A channel with these settings and secrets.
pub(crate) fn channel(settings: &Value, secrets: &[(&str, &str)], options: &HttpOptions) -> Channel {
    let secrets: BTreeMap<_, _> = secrets.iter().copied().collect();
    let find = |asked: &SecretMember, _: Option<&str>| Ok(secrets.get(asked.name).copied().map(SecretString::from));
    let settings = ChannelSettings::read(settings.as_object().unwrap()).unwrap();
    settings.build(find, &WayOut::new(options, false)).with_retry(RetryPolicy::immediate())
}

pub(crate) fn options() -> HttpOptions {
    HttpOptions::new("vdr-watch", "1.0.0")
}

/// An alert about one matter.
pub(crate) fn told(state: FindingState, acts: u64, severity: audit_model::Severity) -> Alert {
    let mut finding = Finding { matter: Some("k3f9-q2mw".to_owned()), state, severity, ..finding() };
    finding.counts.acts = acts;
    alert_of(&finding, &complete())
}

/// Sends them one after the other through an outbox, which remembers the thread.
async fn through_an_outbox(channel: Channel, alerts: Vec<Alert>, now: DateTime<Utc>) {
    let (outbox, channels) = (outbox().await, [channel]);
    for alert in alerts {
        outbox.keep::<Finding>(&[], &[], &mut [alert], &channels, &moment(now)).await.unwrap();
        let drained = outbox.drain(&channels, now).await.unwrap();
        assert_eq!(drained.taken, 1, "{:?}", drained.refused);
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

/// What `look` finds, as soon as it does. Another process writes it, of whose steps nothing tells.
#[expect(clippy::disallowed_methods, reason = "it looks again until the condition holds, at most for a minute")]
async fn found<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        loop {
            again.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap()
}
