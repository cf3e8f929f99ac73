//! The portal as it is: every question is asked anew, and what cannot be answered is a value.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use audit_model::{AuditEvent, PersonStatus, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AccountSwitch, Client, Error, ErrorKind, ListedKey};
use event_archive::Archive;
use futures::TryStreamExt;
use tracing::warn;
use uuid::Uuid;

use crate::config::Config;
use crate::people;
use crate::suspend::entry::Mark;
use crate::suspend::run::Portal;
use crate::suspend::seen::{AccountNow, Answer, Call, Clocks, DECISIONS, Guard, Row, Trail};

/// Of the newest row this much is looked through at first.
const RECENT: TimeDelta = TimeDelta::hours(2);

/// A portal, through the client and the archive of a run.
#[derive(Clone, Debug)]
pub(crate) struct Live<'a> {
    client: Client,
    archive: Archive,
    config: &'a Config,
    robots: &'a [String],
    /// What time it was here, and when.
    here: (DateTime<Utc>, Instant),
    /// The latest that the portal's clock was taken for.
    latest: Arc<Mutex<Option<DateTime<Utc>>>>,
}

/// The portal tells whole seconds, so what is counted on from its last answer goes back a little with the next one. A clock that goes back
/// by more was set back.
const JITTER: TimeDelta = TimeDelta::seconds(2);

impl<'a> Live<'a> {
    /// `robots` are the service accounts of the settings, `here` is the present by this machine's clock.
    pub(crate) fn new(
        client: Client,
        archive: Archive,
        (config, robots): (&'a Config, &'a [String]),
        here: DateTime<Utc>,
    ) -> Self {
        // holes of earlier runs are for the look of a run
        let archive = archive.with_holes([].into_iter().collect());
        let here = (here, Instant::now());
        Live { client: client.with_details(), archive, config, robots, here, latest: Arc::default() }
    }

    async fn read_trail(&self, since: DateTime<Utc>) -> Result<Trail, event_archive::Error> {
        let clocks = self.clocks();
        let window = Window::new(since, clocks.now() + TimeDelta::seconds(1));
        let refreshed = self.archive.refresh_audit(&self.client, window, clocks.here).await?;
        let is_complete = refreshed.coverage.is_some() && refreshed.gaps.is_empty() && refreshed.error.is_none();
        let mut trail = Trail { rows: Vec::new(), is_complete, newest: 0 };
        let Ok(me) = self.client.identity().await.inspect_err(told) else {
            return Ok(Trail { is_complete: false, ..trail });
        };
        let mut own = std::pin::pin!(self.archive.events_of([me.person.id], window));
        while let Some(event) = own.try_next().await? {
            trail.rows.push(row(&event));
        }
        let mut decisions = std::pin::pin!(self.archive.events_of_actions(DECISIONS, window));
        while let Some(event) = decisions.try_next().await? {
            if event.actor != me.person.id {
                trail.rows.push(row(&event));
            }
        }
        trail.rows.sort_by_key(|row| row.mark);
        trail.newest = self.newest(Window::new(since.max(window.until - RECENT), window.until)).await?;
        if trail.newest == 0 {
            trail.newest = self.newest(window).await?;
        }
        Ok(trail)
    }

    async fn newest(&self, window: Window) -> Result<i64, event_archive::Error> {
        let mut newest = 0;
        let mut events = std::pin::pin!(self.archive.events(window));
        while let Some(event) = events.try_next().await? {
            newest = newest.max(event.id);
        }
        Ok(newest)
    }
}

fn told(error: &Error) {
    warn!("{error}");
}

fn row(event: &AuditEvent) -> Row {
    Row {
        mark: Mark { event: event.id, at: event.at },
        action: event.action,
        actor: event.actor,
        targets: event.target.iter().filter_map(|id| Uuid::parse_str(id).ok()).collect(),
    }
}

impl Portal for Live<'_> {
    fn clocks(&self) -> Clocks {
        let (here, began) = self.here;
        let here = here + TimeDelta::from_std(began.elapsed()).unwrap_or_default();
        let told = self.client.portal_now();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let is_jitter = |latest: &DateTime<Utc>| told.is_some_and(|told| told < *latest && *latest - told <= JITTER);
        let portal = latest.filter(is_jitter).or(told);
        *latest = portal;
        Clocks { portal, here }
    }

    async fn trail(&self, since: DateTime<Utc>) -> Trail {
        self.read_trail(since).await.unwrap_or_else(|failure| {
            warn!("the audit trail could not be read: {:#}", anyhow::Error::new(failure));
            Trail::default()
        })
    }

    async fn account(&self, person: Uuid) -> AccountNow {
        match self.client.account(person).await {
            Ok(Some(account)) => AccountNow::There(account),
            Ok(None) => AccountNow::Gone,
            Err(error) => AccountNow::Unread(error.to_string()),
        }
    }

    async fn memberships(&self, person: Uuid) -> Option<BTreeSet<String>> {
        let memberships = self.client.memberships(person).await.inspect_err(told).ok()?;
        let groups = memberships.groups.into_iter().map(|group| format!("group {group}"));
        Some(groups.chain(memberships.rooms.into_iter().map(|room| format!("room {room}"))).collect())
    }

    async fn guard(&self) -> Option<Guard> {
        let people::Known { mut protection, active_people, ambiguous, robots, .. } =
            people::known(self.config, &self.client, self.robots).await;
        if let Some((_, said)) = ambiguous.first() {
            protection.unread.get_or_insert_with(|| said.clone());
        }
        Some(Guard { protection, active_people, robots })
    }

    async fn keys(&self) -> Option<Vec<ListedKey>> {
        self.client.keys().await.inspect_err(told).ok()
    }

    async fn switch(&self, person: Uuid, call: Call) -> Answer {
        let (to, wanted) = match call {
            Call::Disable => (AccountSwitch::Disabled, PersonStatus::Disabled),
            Call::Enable => (AccountSwitch::Enabled, PersonStatus::Active),
        };
        match self.client.switch_account(person, to).await {
            Ok(account) if account.person.status == Some(wanted) => Answer::Switched,
            Ok(_) => Answer::Ignored,
            Err(error) if error.kind == ErrorKind::NoSeat => Answer::SeatsFull,
            Err(error) if error.may_have_acted() => Answer::Broke(error.kind.to_string()),
            Err(error) => Answer::Refused(error.kind.to_string()),
        }
    }

    async fn pause(&self, look: u32) {
        let pause = Duration::from_secs(1 << look.min(5)) / 2;
        let _ = tokio::time::timeout(pause, pending::<()>()).await;
    }
}
