//! When and from where the people found signed in, and what of that is new. What the portal notes of a login is a claim.

use std::collections::{BTreeMap, BTreeSet};

use attribution::{Countries, History, Reach};
use audit_model::{GUEST_ACCOUNT, Gap, LoginEvent, Person, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::Look;
use job_runner::Job;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::rule::Found;

/// A month before the window holds the ordinary places of most people, and what the archive knows beyond that is used too. A fortnight
/// holds two weekends and most absences.
const HISTORY: Reach = Reach { wanted: TimeDelta::days(30), least: TimeDelta::days(14) };

/// Logins of the window and since the first act found, by person; failed ones too, where the typed address is the person's.
pub(crate) type LoginDetails = BTreeMap<Uuid, Vec<MarkedLogin>>;

/// What of a login the person has not signed in with before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Novelty {
    Address,
    Country,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MarkedLogin {
    #[serde(flatten)]
    pub(crate) event: LoginEvent,
    /// Empty as well when there is nothing to compare with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) new: Vec<Novelty>,
}

/// The logins of everybody found, and what they were compared with.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    pub(crate) details: LoginDetails,
    /// Since when earlier logins are known; `None` when there are too few days of them.
    pub(crate) compared_since: Option<DateTime<Utc>>,
    /// Why earlier logins could not be read, where that is why there are too few.
    pub(crate) earlier_unseen: Option<Gap>,
    /// How many earlier successful logins each person had.
    pub(crate) earlier: BTreeMap<Uuid, u64>,
}

impl Logins {
    /// What readers of every format must know; nothing where somebody has no logins to compare.
    pub(crate) fn note(&self) -> Option<String> {
        let gap = self.earlier_unseen.as_ref().filter(|_| self.details.values().any(|logins| !logins.is_empty()))?;
        Some(format!(
            "what is new in the logins is not known, because earlier ones could not be read: {}",
            gap.explanation()
        ))
    }
}

/// As the published member: the details alone.
impl Serialize for Logins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.details.serialize(serializer)
    }
}

/// Reads the login history of the window for the people found, from their first act on where that was found in a hole before the window,
/// and what came before. What is missing of it, but for what came before, is a gap.
pub(super) async fn read(found: &[Found], job: &Job, look: &mut Look) -> anyhow::Result<Logins> {
    if found.is_empty() {
        return Ok(Logins::default());
    }
    let mut people: BTreeMap<Uuid, (&Person, DateTime<Utc>)> = BTreeMap::new();
    for Found { finding, .. } in found {
        let (_, since) = people.entry(finding.person.id).or_insert((&finding.person, job.window.since));
        *since = finding.window.since.min(*since);
    }
    let first = people.values().map(|(_, since)| *since).min().unwrap_or(job.window.since);
    let window = Window::new(first, job.window.until);
    let history = History::read(window, HISTORY, look).await?;
    let compared_since = history.since();
    let logins = job.archive.logins(window).await?;
    let earlier_unseen = history.unseen().cloned().filter(|_| compared_since.is_none());
    let mut read = Logins { compared_since, earlier_unseen, ..Logins::default() };
    for (id, (person, own_since)) in people {
        let own = logins.iter().filter(|login| login.at >= own_since && is_of(login, person)).cloned();
        let marked = match compared_since {
            Some(since) => {
                let before = Window::new(since, own_since);
                let earlier = job.archive.successful_logins_of(id, before).await?;
                read.earlier.insert(id, earlier.len() as u64);
                let known = Known::new(&earlier);
                own.map(|event| known.mark(event)).collect()
            }
            None => own.map(MarkedLogin::from).collect(),
        };
        read.details.insert(id, marked);
    }
    Ok(read)
}

/// A failed login belongs to the guest account; only the typed address says who was meant.
fn is_of(login: &LoginEvent, person: &Person) -> bool {
    // under the guest account stand the failed logins of everybody; none is that of an anonymous visitor
    if person.id == GUEST_ACCOUNT {
        return false;
    }
    let lower = |text: &Option<PortalText>| text.as_ref().map(|text| text.raw().to_lowercase());
    let email = lower(&person.email);
    login.user == person.id || (login.user == GUEST_ACCOUNT && email.is_some() && lower(&login.login) == email)
}

/// Where somebody has signed in from before.
struct Known<'a> {
    addresses: BTreeSet<&'a str>,
    countries: Countries,
    is_empty: bool,
}

impl<'a> Known<'a> {
    fn new(earlier: &'a [LoginEvent]) -> Self {
        Known {
            addresses: earlier.iter().filter_map(|login| said(&login.ip)).collect(),
            countries: earlier.iter().map(|login| login.country.as_ref()).collect(),
            is_empty: earlier.is_empty(),
        }
    }

    fn mark(&self, event: LoginEvent) -> MarkedLogin {
        let address = said(&event.ip).is_some_and(|ip| !self.addresses.contains(ip));
        // of somebody's first sign-in everything is new
        let is_first = self.is_empty && said(&event.country).is_some();
        let country = is_first || self.countries.new_one(event.country.as_ref()).is_some();
        let marks = [(address, Novelty::Address), (country, Novelty::Country)];
        let new = marks.into_iter().filter_map(|(is_new, novelty)| is_new.then_some(novelty)).collect();
        MarkedLogin { event, new }
    }
}

/// The portal writes an empty text for what it does not know.
fn said(text: &Option<PortalText>) -> Option<&str> {
    text.as_ref().map(PortalText::raw).filter(|text| !text.is_empty())
}

impl From<LoginEvent> for MarkedLogin {
    fn from(event: LoginEvent) -> Self {
        MarkedLogin { event, new: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
