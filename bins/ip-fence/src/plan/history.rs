//! From where everybody came in a stretch of time.

use std::collections::BTreeMap;

use audit_model::{PortalText, Window};
use chrono::{DateTime, Utc};
use event_archive::Archive;
use futures::TryStreamExt;
use uuid::Uuid;

use crate::rule::sighting::{Sighting, Source};

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
    /// The oldest row of any kind, and not before logins are known without a hole.
    first: Option<DateTime<Utc>>,
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
        // the portal forgets logins sooner than events
        if let Some(known) = archive.logins_known_since(window.until).await? {
            history.first = history.first.map(|first| first.max(known));
        }
        Ok(history)
    }

    pub(crate) fn push(&mut self, row: &Sighting) {
        self.first = Some(self.first.map_or(row.at, |first| first.min(row.at)));
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

    /// What was noted of one person, by noted text.
    pub(crate) fn of(&self, person: Uuid) -> impl Iterator<Item = (&PortalText, &Visits)> {
        let own = self.visits.range((person, PortalText::default())..);
        own.take_while(move |((who, _), _)| *who == person).map(|((_, ip), visits)| (ip, visits))
    }

    /// Since when it is known from where people came.
    pub(crate) fn first(&self) -> Option<DateTime<Utc>> {
        self.first
    }
}
