//! The way to people for a program that acts: what it says while it acts, before the report is whole.

use std::time::Duration;

use alerting::{Alert, AlertContext, Channel, Outbox, Said};
use audit_model::{Coverage, Finding, Person};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use job_store::Store;
use serde_json::Value;
use tokio::time::timeout;
use tracing::{debug, warn};
use url::Url;

use crate::about::About;
use crate::alerts;
use crate::naming::{Known, Naming};
use crate::report::members_of;
use crate::setup;
use crate::undelivered::{Undelivered, undelivered};

/// So long an action waits for the alert that announces it. What has not left by then leaves later.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes alerts of what a program does, and sends what waits.
#[derive(Clone, Debug)]
pub struct Voice {
    pub(crate) about: &'static About,
    pub(crate) portal_url: Url,
    pub(crate) time_zone: Option<Tz>,
    pub(crate) naming: Naming,
    pub(crate) outbox: Outbox,
    pub(crate) channels: Vec<Channel>,
}

impl Voice {
    /// The alert of something that was done about a finding, in these words; `step` tells it from all others about the finding. Where
    /// names are pseudonyms, so they are in it.
    pub fn alert(&self, finding: &Finding, step: &str, said: &Said, detail: &Value) -> Alert {
        let mut detail = members_of(detail);
        detail.extend(said.members(finding));
        let context = AlertContext {
            program: self.about.name,
            version: self.about.version,
            portal_url: &self.portal_url,
            time_zone: self.time_zone,
            coverage: &Coverage::default(),
        };
        let naming = self.naming.knowing([known(&finding.person)]);
        Alert::of_step(&naming.finding(finding), step, &context).with_detail(&naming.json(Value::Object(detail)))
    }

    /// The channels that are set, for [`Outbox::wait`].
    pub fn channels(&self) -> Vec<Channel> {
        self.channels.clone()
    }

    /// Offers what waits to the channels, for a few seconds at most. What is not taken waits on.
    pub async fn deliver(&self, now: DateTime<Utc>) {
        match timeout(PATIENCE, self.outbox.drain(&self.channels, self.leaves_at(now))).await {
            Ok(Ok(drained)) => {
                for Undelivered { alert, channel, why } in undelivered(drained.refused) {
                    warn!(alert, channel, "alert waits: {why}");
                }
            }
            Ok(Err(failure)) => warn!("alerts wait: {:#}", anyhow::Error::new(failure)),
            Err(_) => debug!("alerts wait, because a channel is slow"),
        }
    }

    /// Quiet hours of channels go by the zone of the portal, as in the report.
    fn leaves_at(&self, now: DateTime<Utc>) -> DateTime<Tz> {
        setup::now().max(now).with_timezone(&self.time_zone.unwrap_or_default())
    }

    /// When a channel that is set now last took a test alert.
    ///
    /// # Errors
    /// Of the store.
    pub async fn proven_at(&self, store: &Store) -> Result<Option<DateTime<Utc>>, job_store::Error> {
        alerts::proven_at(store, &self.channels).await
    }
}

fn known(person: &Person) -> Known {
    let email = person.email.as_ref().map(|email| email.raw().to_owned());
    Known { id: person.id, name: Some(person.name.raw().to_owned()), email }
}
