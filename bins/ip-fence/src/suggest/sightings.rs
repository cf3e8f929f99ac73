//! What was seen of people, and what of it says where they come from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use audit_model::{Address, GUEST_ACCOUNT, PersonStatus, PortalText, Window, is_robot};
use chrono::{DateTime, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Tz;
use event_archive::Archive;
use futures::TryStreamExt;
use serde::Serialize;
use uuid::Uuid;

use super::{Inputs, Presence};
use crate::rule::found::Rows;
use crate::rule::is_service_account;
use crate::rule::sighting::{Sighting, Source};
use crate::rule::stays::Stays;

/// Everything that was seen in a window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sightings {
    /// The login history, failed ones included, by time.
    pub(super) logins: Vec<Sighting>,
    /// What was done, and not what editors saved.
    acts: BTreeMap<(Uuid, Option<PortalText>), BTreeMap<NaiveDate, Stay>>,
    saved_by_editors: u64,
    /// From when on the last quarter of the history counts; `None` without logins.
    pub(super) cut: Option<DateTime<Utc>>,
    /// What was done from then on, as the judge takes it.
    pub(super) later: Vec<Rows>,
}

/// One person at one address on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    logins: u64,
    acts: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// Why a row says nothing of where a person comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeftOut {
    SetByRequest,
    NoAddress,
    Cut,
    Empty,
    Private,
    SavedByEditor,
    Robot,
    Disabled,
    Gone,
}

/// Collects what was seen.
pub(crate) struct Collector {
    sightings: Sightings,
    stays: Stays,
    zone: Tz,
}

impl Collector {
    /// `logins` by time.
    pub(crate) fn new(logins: Vec<Sighting>, window: Window, zone: Tz) -> Self {
        let cut = logins.first().map(|first| cut(first.at, window.until, zone));
        Collector { sightings: Sightings { logins, cut, ..Sightings::default() }, stays: Stays::default(), zone }
    }

    /// Takes in an action.
    pub(crate) fn push(&mut self, act: &Sighting) {
        if !act.is_of_its_person() {
            self.sightings.saved_by_editors += 1;
            return;
        }
        if self.sightings.cut.is_some_and(|cut| act.at >= cut) {
            self.stays.push(act);
        }
        let days = self.sightings.acts.entry((act.user, act.ip.clone())).or_default();
        days.entry(day(act.at, self.zone)).or_insert(Stay::at(act.at)).push(act);
    }

    pub(crate) fn finish(self) -> Sightings {
        Sightings { later: self.stays.finish(), ..self.sightings }
    }
}

impl Sightings {
    /// Reads the history of a window.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) async fn read(archive: &Archive, window: Window, zone: Tz) -> Result<Self, event_archive::Error> {
        let logins = archive.logins(window).await?.into_iter().map(Sighting::from).collect();
        let mut collector = Collector::new(logins, window, zone);
        let mut events = std::pin::pin!(archive.events(window));
        while let Some(event) = events.try_next().await? {
            collector.push(&Sighting::from(event));
        }
        Ok(collector.finish())
    }

    pub(super) fn logins_before(&self, until: DateTime<Utc>) -> &[Sighting] {
        &self.logins[..self.logins.partition_point(|login| login.at < until)]
    }
}

/// Where the last quarter begins: with a day, so that no day is in both parts.
fn cut(first: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let three_quarters = first + (until - first) * 3 / 4;
    let midnight = day(three_quarters, zone).and_hms_opt(0, 0, 0);
    let begin = midnight.and_then(|midnight| zone.from_local_datetime(&midnight).earliest());
    begin.map_or(three_quarters, |begin| begin.with_timezone(&Utc))
}

pub(super) fn day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

impl Stay {
    fn at(at: DateTime<Utc>) -> Self {
        Stay { logins: 0, acts: 0, first: at, last: at }
    }

    fn push(&mut self, row: &Sighting) {
        let is_login = row.source == Source::Logins;
        self.logins += u64::from(is_login);
        self.acts += u64::from(!is_login);
        self.first = self.first.min(row.at);
        self.last = self.last.max(row.at);
    }

    fn add(&mut self, other: &Stay) {
        self.logins += other.logins;
        self.acts += other.acts;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// One person at one address, by day.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(BTreeMap<NaiveDate, Stay>);

impl Trace {
    pub(super) fn days(&self) -> impl Iterator<Item = NaiveDate> {
        self.0.keys().copied()
    }

    /// How many days before a moment's own.
    pub(super) fn days_before(&self, moment: NaiveDate) -> usize {
        self.0.range(..moment).count()
    }

    pub(super) fn first(&self) -> Option<DateTime<Utc>> {
        self.0.values().next().map(|stay| stay.first)
    }

    fn add(&mut self, day: NaiveDate, stay: &Stay) {
        self.0.entry(day).or_insert(Stay { logins: 0, acts: 0, ..*stay }).add(stay);
    }
}

/// All of some traces together; `None` of none.
pub(super) fn presence<'t>(traces: impl IntoIterator<Item = &'t Trace>) -> Option<Presence> {
    let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
    let mut whole: Option<Stay> = None;
    for (day, stay) in traces.into_iter().flat_map(|trace| &trace.0) {
        days.insert(*day);
        whole.get_or_insert(Stay { logins: 0, acts: 0, ..*stay }).add(stay);
    }
    let Stay { logins, acts, first, last } = whole?;
    Some(Presence { days: days.len(), logins, acts, first, last })
}

/// What is left of the sightings of a window.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces {
    /// By person and address.
    pub(super) of: BTreeMap<(Uuid, IpAddr), Trace>,
    /// Days on which only a part of the address was noted.
    pub(super) cut: BTreeMap<Uuid, BTreeSet<NaiveDate>>,
    pub(super) robots: BTreeMap<Uuid, BTreeSet<IpAddr>>,
    /// Logins and actions by why they were left out.
    pub(super) left_out: BTreeMap<LeftOut, (u64, u64)>,
    /// Every whole address that the portal noted of anybody, failed logins included.
    pub(super) noted: BTreeSet<IpAddr>,
}

impl Traces {
    pub(super) fn of(inputs: &Inputs<'_>, sightings: &Sightings, until: DateTime<Utc>) -> Self {
        let mut traces = Traces::default();
        let last_day = day(until, inputs.zone);
        for login in sightings.logins_before(until) {
            if !login.ip_was_set {
                traces.noted.extend(login.address().ip());
            }
            if login.action.is_successful_login() {
                let mut stay = Stay::at(login.at);
                stay.push(login);
                let day = day(login.at, inputs.zone);
                let who = (login.user, login.address(), login.ip_was_set);
                traces.add(inputs, who, std::iter::once((&day, &stay)));
            }
        }
        for ((person, ip), days) in &sightings.acts {
            let address = Address::of(ip.as_ref());
            traces.noted.extend(address.ip());
            // a window that ends within a day ends all of it, but the first part of the history, which ends with a day
            traces.add(
                inputs,
                (*person, address, false),
                days.iter().filter(|(day, stay)| **day < last_day || stay.first < until),
            );
        }
        if sightings.saved_by_editors > 0 {
            traces.left_out.insert(LeftOut::SavedByEditor, (0, sightings.saved_by_editors));
        }
        traces
    }

    fn add<'s>(
        &mut self,
        inputs: &Inputs<'_>,
        (person, address, was_set): (Uuid, Address, bool),
        stays: impl Iterator<Item = (&'s NaiveDate, &'s Stay)>,
    ) {
        if person == GUEST_ACCOUNT {
            return;
        }
        let kept = kept(inputs, person, address, was_set);
        for (day, stay) in stays {
            match kept {
                Ok(ip) => self.of.entry((person, ip)).or_default().add(*day, stay),
                Err(why) => {
                    let (logins, acts) = self.left_out.entry(why).or_default();
                    *logins += stay.logins;
                    *acts += stay.acts;
                    match why {
                        LeftOut::Robot => self.robots.entry(person).or_default().extend(address.ip()),
                        LeftOut::Cut => drop(self.cut.entry(person).or_default().insert(*day)),
                        _ => {}
                    }
                }
            }
        }
    }
}

/// The address if it is the person's, as far as anybody can tell.
fn kept(inputs: &Inputs<'_>, person: Uuid, address: Address, was_set: bool) -> Result<IpAddr, LeftOut> {
    if is_robot(person) || is_service_account(inputs.directory, person, inputs.service_accounts) {
        return Err(LeftOut::Robot);
    }
    match inputs.directory.people.get(&person) {
        None => return Err(LeftOut::Gone),
        Some(account) if account.person.status == Some(PersonStatus::Disabled) => return Err(LeftOut::Disabled),
        Some(_) if was_set => return Err(LeftOut::SetByRequest),
        Some(_) => {}
    }
    match address {
        Address::Private(_) if inputs.is_public => Err(LeftOut::Private),
        Address::V4(ip) => Ok(ip.into()),
        Address::V6(ip) => Ok(ip.into()),
        Address::Private(ip) => Ok(ip),
        Address::Stump(_) => Err(LeftOut::Cut),
        Address::Empty => Err(LeftOut::Empty),
        Address::NotAnAddress => Err(LeftOut::NoAddress),
    }
}
