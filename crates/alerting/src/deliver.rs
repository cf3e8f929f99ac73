//! Sending alerts, and saying what became of each.

use audit_model::Severity;
use chrono::{DateTime, Utc};

use crate::alert::Alert;
use crate::channel::{Channel, Offer, Sent};
use crate::error::Error;

/// What became of every alert of one call, in the order of the alerts.
#[derive(Debug)]
pub struct DeliveryReport {
    pub deliveries: Vec<Delivery>,
}

/// What became of one alert.
#[derive(Debug)]
pub struct Delivery {
    /// The alert's id.
    pub alert: String,
    pub fingerprint: String,
    pub severity: Severity,
    /// Names of the channels that took it.
    pub taken_by: Vec<String>,
    /// The channels that did not, and why.
    pub failures: Vec<Failure>,
}

/// One channel that did not take an alert.
#[derive(Debug)]
pub struct Failure {
    pub channel: String,
    pub error: Error,
}

impl Delivery {
    /// Whether channels were asked and none took it. Without any channel the printed report is the delivery.
    pub fn is_undelivered(&self) -> bool {
        self.taken_by.is_empty() && !self.failures.is_empty()
    }
}

impl DeliveryReport {
    /// Alerts that channels were asked to take and none took.
    pub fn undelivered(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|delivery| delivery.is_undelivered())
    }

    /// The critical ones among them: each makes the run fail.
    pub fn undelivered_critical(&self) -> impl Iterator<Item = &Delivery> {
        self.undelivered().filter(|delivery| delivery.severity == Severity::Critical)
    }
}

/// Offers every alert to every channel, one after the other, in the order given: put the most urgent first.
///
/// A channel that fails does not stop the others. It is offered the alerts after it too, unless it is a webhook that
/// could not be reached or is overloaded.
/// Without channels nothing is sent and nothing is undelivered: the caller's printed report counts as delivery.
///
/// An alert that no channel took is known only from the report that is returned: this is for a run whose
/// [`Outbox`](crate::Outbox) cannot be written.
pub async fn deliver(alerts: &[Alert], channels: &[Channel], now: DateTime<Utc>) -> DeliveryReport {
    let mut given_up = vec![false; channels.len()];
    let mut deliveries = Vec::with_capacity(alerts.len());
    for alert in alerts {
        let json = alert.to_json();
        let mut delivery = Delivery {
            alert: alert.id.clone(),
            fingerprint: alert.fingerprint.clone(),
            severity: alert.severity,
            taken_by: Vec::new(),
            failures: Vec::new(),
        };
        for (channel, given_up) in channels.iter().zip(&mut given_up) {
            match offer(&json, channel, None, now, given_up).await {
                Ok(_) => delivery.taken_by.push(channel.name().to_owned()),
                Err(error) => delivery.failures.push(Failure { channel: channel.name().to_owned(), error }),
            }
        }
        deliveries.push(delivery);
    }
    DeliveryReport { deliveries }
}

/// Sends, unless the channel was given up: waiting for it again and again could outlast the run. `thread` is what the receiver called
/// the first alert about the matter.
pub(crate) async fn offer(
    json: &str,
    channel: &Channel,
    thread: Option<&str>,
    now: DateTime<Utc>,
    given_up: &mut bool,
) -> Result<Sent, Error> {
    if *given_up {
        return Err(Error::NotTried);
    }
    let sent = match Offer::new(json, channel.language, now, thread) {
        Ok(offer) => channel.send(&offer).await,
        Err(unreadable) => Err(unreadable),
    };
    *given_up = sent.as_ref().is_err_and(Error::is_about_the_channel);
    sent
}
