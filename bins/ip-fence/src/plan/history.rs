//! From where everybody came in a stretch of time.

use std::collections::BTreeMap;

use audit_model::{Address, PortalText, Window};
use chrono::{DateTime, Utc};
use event_archive::Archive;
use futures::TryStreamExt;
use uuid::Uuid;

use crate::sighting::{Sighting, Source};

/// How often, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visits {
    pub(crate) logins: u64,
    pub(crate) acts: u64,
    pub(crate) last: DateTime<Utc>,
}

/// By person and noted address. Failed logins are none, and neither is what a request said of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    visits: BTreeMap<(Uuid, PortalText), Visits>,
}

impl History {
    pub(crate) async fn read(archive: &Archive, window: Window) -> Result<Self, event_archive::Error> {
        let mut history = History::default();
        let logins = archive.logins(window).await?;
        logins.into_iter().map(Sighting::from).for_each(|login| history.push(&login));
        let mut events = std::pin::pin!(archive.events(window));
        while let Some(event) = events.try_next().await? {
            history.push(&Sighting::from(event));
        }
        Ok(history)
    }

    pub(crate) fn push(&mut self, row: &Sighting) {
        let is_login = row.source == Source::Logins;
        if row.ip_was_set || !row.is_of_its_person() || (is_login && !row.action.is_successful_login()) {
            return;
        }
        let visits = self.visits.entry((row.user, row.ip.clone().unwrap_or_default())).or_default();
        visits.logins += u64::from(is_login);
        visits.acts += u64::from(!is_login);
        visits.last = visits.last.max(row.at);
    }

    /// By person, then by noted text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Uuid, &PortalText, &Visits)> {
        self.visits.iter().map(|((person, ip), visits)| (*person, ip, visits))
    }

    /// The whole address that somebody came from last.
    pub(crate) fn last_address(&self, person: Uuid) -> Option<std::net::IpAddr> {
        let own = self.iter().filter(|(who, ..)| *who == person);
        let whole = own.filter_map(|(_, ip, visits)| Some((visits.last, Address::parse(ip.raw()).ip()?)));
        whole.max_by_key(|(last, _)| *last).map(|(_, ip)| ip)
    }
}
