//! The portal as it is: every question is asked anew, and what cannot be answered is a value.

use std::future::pending;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use audit_model::{AuditEvent, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, Client, Error};
use futures::try_join;
use tracing::warn;

use super::entry::{Answer, Entry};
use super::run::Portal;
use super::seen::{Clocks, Guard, Read, Row, Trail};

/// Events so much older than the first write are read, too: somebody may have written right before it.
const BEFORE: TimeDelta = TimeDelta::minutes(5);

/// Set to a number by tests, with which a process's own clock goes so many times faster. Builds that are delivered do not look at it.
#[cfg(debug_assertions)]
const PACE: &str = "AUDIT_TOOLS_TEST_PACE";

/// How many times faster than it is time goes by.
pub(crate) fn pace() -> u32 {
    #[cfg(debug_assertions)]
    return std::env::var(PACE).ok().and_then(|text| text.parse().ok()).filter(|pace| *pace > 0).unwrap_or(1);
    #[cfg(not(debug_assertions))]
    return 1;
}

/// A portal, through the client of a key that may write.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    client: Client,
    /// What time it was here, and when.
    here: (DateTime<Utc>, Instant),
    pace: u32,
}

impl Live {
    /// `here` is the present by this machine's clock.
    pub(crate) fn new(client: Client, here: DateTime<Utc>) -> Self {
        Live { client, here: (here, Instant::now()), pace: pace() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn now(&self) -> DateTime<Utc> {
        self.client.portal_now().unwrap_or(self.clocks().here)
    }

    /// Replaces list and switch with a call that says it comes from somewhere else.
    pub(crate) async fn write_as_from(&self, list: &AddressList, tag: &str, claimed: IpAddr) -> Answer {
        answer(self.client.replace_address_list_as_from(&list.entries, list.enabled, tag, claimed).await)
    }

    /// Waits so long.
    pub(crate) async fn wait(&self, time: Duration) {
        let _ = tokio::time::timeout(time / self.pace, pending::<()>()).await;
    }
}

fn answer(written: Result<(), Error>) -> Answer {
    match written {
        Ok(()) => Answer::Taken,
        Err(error) if error.may_have_acted() => Answer::Unknown(error.kind.to_string()),
        Err(error) => Answer::Refused(error.kind.to_string()),
    }
}

/// An event with the write of ours that it says it is of.
pub(super) fn row(event: AuditEvent) -> Row {
    let page = event.details.as_ref().and_then(|details| details.page.as_ref());
    let tag = page.and_then(|page| page.raw().find("/ip-fence/").map(|at| page.raw()[at..].to_owned()));
    Row {
        event: event.id,
        at: event.at,
        actor: event.actor,
        name: event.actor_name.raw().to_owned(),
        ip: event.ip.map(|ip| ip.raw().to_owned()),
        tag,
    }
}

impl Portal for Live {
    fn clocks(&self) -> Clocks {
        let (here, began) = self.here;
        let here = here + TimeDelta::from_std(began.elapsed()).unwrap_or_default();
        Clocks { portal: self.client.portal_now(), here }
    }

    fn elapsed(&self) -> TimeDelta {
        TimeDelta::from_std(self.here.1.elapsed() * self.pace).unwrap_or(TimeDelta::MAX)
    }

    async fn read(&self) -> Result<Read, String> {
        let stored = self.client.stored_list().await.map_err(|error| error.to_string())?;
        let list = AddressList { entries: stored.entries, enabled: stored.enabled };
        Ok(Read { list, tenant: stored.tenant })
    }

    async fn trail(&self, entry: &Entry) -> Trail {
        let since = entry.puts.first().map_or(self.now(), |put| put.at).min(self.now()) - BEFORE;
        match self.client.address_list_writes(Window::new(since, self.now() + TimeDelta::days(1))).await {
            Ok(events) => {
                let mut rows: Vec<Row> = events.into_iter().map(row).collect();
                rows.sort_by_key(|row| row.event);
                Trail { rows, is_complete: true }
            }
            Err(error) => {
                warn!("{error}");
                Trail::default()
            }
        }
    }

    async fn guard(&self) -> Result<Guard, String> {
        let asked = async { try_join!(self.client.identity(), self.client.key()) };
        let (me, key) = asked.await.map_err(|error| error.to_string())?;
        Ok(Guard {
            account: Some(me.person.id),
            is_owner: me.is_owner,
            key_ends: key.as_ref().and_then(|key| key.expires),
            has_keys: key.is_some(),
        })
    }

    async fn write(&self, list: &AddressList, tag: &str) -> Answer {
        answer(self.client.replace_address_list(&list.entries, list.enabled, tag).await)
    }

    async fn pause(&self, look: u32) {
        self.wait(Duration::from_secs(u64::from(look.min(8)))).await;
    }
}
