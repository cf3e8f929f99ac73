//! From where people came: addresses that no rule allows them, that nobody can judge, or that were set; people whom no rule names, or whose
//! account is disabled; new countries. Pure.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{
    Address, AddressRange, GUEST_ACCOUNT, Person, PersonStatus, PortalText, Sentence, Severity, is_robot,
};
use uuid::Uuid;

use super::found::{Case, Counted, Kind, Rows, Subject};
use super::habits::Habits;
use super::sighting::{Sighting, Source};
use super::then::{Era, Status};
use super::{Rulebook, is_service_account};
use crate::policy::{Permission, Unnamed};

/// What counts as one place when rows are put together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Network(AddressRange),
    Stump(u16),
    Nothing,
    /// All texts that are no address: a caller can think of as many as they like.
    Text,
    Country(PortalText),
    Anywhere,
}

/// Why an address is not judged, or what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Plain,
    Cut,
    Nothing,
    Private,
    NoAddress,
    SetByRequest,
    /// The account is gone, and with it the groups that it was in.
    Gone,
}

impl Why {
    /// The word that fingerprints were made of from the beginning on. It must never change.
    fn in_fingerprint(self) -> &'static str {
        match self {
            Why::Plain => "Plain",
            Why::Cut => "Cut",
            Why::Nothing => "Nothing",
            Why::Private => "Private",
            Why::NoAddress => "NoAddress",
            Why::SetByRequest => "SetByRequest",
            Why::Gone => "Gone",
        }
    }
}

/// Rows that make one finding.
type Key = (Uuid, Kind, Why, Place);

/// Collects rows by person, kind and place.
pub(crate) struct Whereabouts<'a> {
    book: Rulebook<'a>,
    habits: Habits,
    groups: BTreeMap<Key, Rows>,
    names: BTreeMap<Uuid, PortalText>,
    /// What a reader must know of how they were judged: each a sentence.
    doubts: BTreeMap<Key, BTreeSet<Sentence>>,
    notes: BTreeSet<String>,
    /// Whose account was disabled for certain when they came.
    surely_disabled: BTreeSet<Uuid>,
}

impl<'a> Whereabouts<'a> {
    pub(crate) fn new(book: Rulebook<'a>, habits: Habits) -> Self {
        let (groups, names, doubts, notes, surely_disabled) = Default::default();
        Whereabouts { book, habits, groups, names, doubts, notes, surely_disabled }
    }

    /// Takes in a login or an action; logins come by time.
    pub(crate) fn push(&mut self, row: &Sighting) {
        let mut rows = Rows::default();
        rows.push(row);
        self.add(&rows);
    }

    /// Takes in rows that are judged as the first of them. Robots, visitors and service accounts are passed over, and so are logins that
    /// failed.
    pub(crate) fn add(&mut self, rows: &Rows) {
        let Some(row) = rows.first().filter(|row| self.counts(row)) else { return };
        self.names.insert(row.user, row.user_name.clone());
        if let Some(era) = self.book.then.at(row.at) {
            self.notes.extend(era.notes(self.book.clock));
        }
        if self.is_disabled(row) {
            self.group(row, Kind::Disabled, Why::Plain, Place::Anywhere, rows);
        }
        if let Some((kind, why, place)) = self.judge(row) {
            self.group(row, kind, why, place, rows);
        }
        if row.source == Source::Logins
            && let Some(country) = self.habits.judge(row)
        {
            self.group(row, Kind::NewCountry, Why::Plain, Place::Country(country), rows);
        }
    }

    fn counts(&self, row: &Sighting) -> bool {
        let has_come = row.source == Source::Audit || row.action.is_successful_login();
        has_come
            && row.is_of_its_person()
            && !is_robot(row.user)
            && row.user != GUEST_ACCOUNT
            && self.book.only.is_none_or(|only| only.contains(&row.user))
            && !is_service_account(self.book.directory, row.user, self.book.service_accounts)
    }

    fn group(&mut self, row: &Sighting, kind: Kind, why: Why, place: Place, rows: &Rows) {
        let key = (row.user, kind, why, place);
        if let Some(era) = self.book.then.at(row.at) {
            let doubts = era.doubts(row.user, kind, self.book.clock);
            self.doubts.entry(key.clone()).or_default().extend(doubts);
        }
        self.groups.entry(key).or_default().add(rows);
    }

    /// Whether the account was disabled when the row was written, as far as anybody knows.
    fn is_disabled(&mut self, row: &Sighting) -> bool {
        let account = self.book.directory.people.get(&row.user);
        let Some(account) = account.filter(|account| account.person.status == Some(PersonStatus::Disabled)) else {
            return false;
        };
        let status = self.book.then.status(row.user, row.at);
        if status == Status::Unread {
            self.notes.insert(format!(
                "{} is disabled today; whether that was so before is not known, because the audit trail since then could not be read whole or does not show the change yet",
                account.person.name.for_terminal()
            ));
        }
        if status == Status::AsToday {
            self.surely_disabled.insert(row.user);
        }
        matches!(status, Status::AsToday | Status::NoBeginning)
    }

    /// What is wrong with where somebody came from; `None` when nothing is.
    fn judge(&self, row: &Sighting) -> Option<(Kind, Why, Place)> {
        let address = row.address();
        let permission = self.book.permission(row.user, row);
        // what the caller has set is judged as such, whatever it says, and whoever it is
        if row.ip_was_set {
            return Some((Kind::AddressSet, Why::SetByRequest, place_of(address)));
        }
        if address == Address::NotAnAddress {
            return Some((Kind::AddressSet, Why::NoAddress, Place::Text));
        }
        let is_allowed = matches!(permission, Permission::Allowed(..));
        if !is_allowed && self.is_gone(row) {
            return Some((Kind::CannotJudge, Why::Gone, place_of(address)));
        }
        if permission == Permission::Unnamed {
            let is_reported = self.book.policy.default == Unnamed::Report;
            return is_reported.then_some((Kind::Unnamed, Why::Plain, Place::Anywhere));
        }
        match address {
            Address::Stump(_) => Some((Kind::CannotJudge, Why::Cut, place_of(address))),
            Address::Empty => Some((Kind::CannotJudge, Why::Nothing, Place::Nothing)),
            Address::Private(_) if self.book.is_public => Some((Kind::CannotJudge, Why::Private, place_of(address))),
            _ if is_allowed => None,
            _ => Some((Kind::NotAllowed, Why::Plain, place_of(address))),
        }
    }

    /// Whether somebody whom the policy names has no account any more, and nobody saw in which groups it was.
    fn is_gone(&self, row: &Sighting) -> bool {
        let is_named = || self.book.policy.names.people.values().any(|id| *id == row.user);
        let is_known = || self.book.then.at(row.at).is_some_and(Era::knows_members);
        !self.book.directory.people.contains_key(&row.user) && is_named() && !is_known()
    }

    /// Everything found, in no order, and what the reader must know of it.
    pub(crate) fn finish(self) -> (Vec<Case>, Vec<String>) {
        let Whereabouts { book, groups, names, mut doubts, notes, surely_disabled, .. } = self;
        let who = |person: Uuid| match book.directory.people.get(&person) {
            Some(account) => account.person.clone(),
            // an account that is not there any more
            None => Person::named(person, names[&person].clone()),
        };
        let (unnamed, others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|((_, kind, ..), _)| *kind == Kind::Unnamed);
        let (unnamed, alone) = if unnamed.len() > 1 { (unnamed, Vec::new()) } else { (Vec::new(), unnamed) };
        let mut found: Vec<Case> = Vec::new();
        for (key, rows) in others.into_iter().chain(alone) {
            let doubts = doubts.remove(&key).unwrap_or_default();
            let mut one = of_one(book, who(key.0), &key, rows.settled());
            one.finding.reasons.extend(doubts);
            if key.1 == Kind::Disabled && !surely_disabled.contains(&key.0) {
                one.finding.severity = Severity::Medium;
                one.finding.reasons.push(words::NO_BEGINNING.into());
            }
            found.push(one);
        }
        if !unnamed.is_empty() {
            let mut one = many_unnamed(unnamed.into_iter().map(|((person, ..), rows)| (who(person), rows)).collect());
            let doubts: BTreeSet<_> = doubts.into_values().flatten().collect();
            one.finding.reasons.extend(doubts);
            found.push(one);
        }
        (found, notes.into_iter().collect())
    }
}

/// All people whom no rule names, as one finding: each of them would say the same.
fn many_unnamed(people: Vec<(Person, Rows)>) -> Case {
    let mut rows = Rows::default();
    let mut counted: Vec<Counted> = Vec::new();
    for (person, own) in people {
        counted.push(Counted { person, logins: own.logins, acts: own.acts });
        rows.add(&own.settled());
    }
    counted.sort_by_key(|one| (std::cmp::Reverse(one.logins + one.acts), one.person.id));
    let unnamed = Sentence::new(
        format!("no rule names them: {}", rows.counted()),
        format!("sie kommen in keiner Regel vor: {}", rows.counted_german()),
    );
    let reasons = vec![unnamed, words::most_often(&counted)];
    let person = Person::named(GUEST_ACCOUNT, PortalText::new(format!("{} people", counted.len())));
    // one matter, whoever comes and goes, until they are twice as many
    let key = format!("several people\n{}", counted.len().next_power_of_two());
    let mut found = rows.by_time().found(Subject {
        kind: Kind::Unnamed,
        severity: Severity::Low,
        person,
        place: None,
        key,
        reasons,
    });
    found.detail.people = counted;
    found
}

fn of_one(book: Rulebook<'_>, who: Person, (person, kind, why, place): &Key, rows: Rows) -> Case {
    let first = rows.first().map(|row| row.at).unwrap_or_default();
    let is_admin = book.then.at(first).map_or_else(|| book.directory.is_admin(*person), |era| era.is_admin(*person));
    let severity = match kind {
        Kind::AddressSet | Kind::Disabled => Severity::High,
        Kind::NotAllowed if is_admin => Severity::High,
        Kind::NotAllowed => Severity::Medium,
        Kind::NewCountry if is_admin => Severity::Medium,
        _ => Severity::Low,
    };
    let policy = book.policy_at(first);
    let mut reasons = vec![words::headline(*kind, *why, place, &rows)];
    if matches!(kind, Kind::NotAllowed | Kind::CannotJudge) {
        reasons.extend(policy.allowed(*person).map(|allowed| words::because(policy, allowed, *kind)));
    }
    // a request that sets no address is not the same as one that sets a text
    let noted = if *kind == Kind::AddressSet && *place == Place::Nothing { "nothing" } else { "" };
    let place = place.text();
    // the same until the network or what the policy allows the person changes
    let rules = book.policy.allowed(*person).map(|allowed| allowed.described(book.policy)).unwrap_or_default();
    let (why, place_key) = (why.in_fingerprint(), place.as_ref().map_or(noted, PortalText::raw));
    let key = format!("{person}\n{why}\n{place_key}\n{rules}");
    let has_owner = policy.allowed(*person).is_some_and(|allowed| words::has_owner(policy, allowed));
    Case { has_owner, ..rows.found(Subject { kind: *kind, severity, person: who, place, key, reasons }) }
}

fn place_of(address: Address) -> Place {
    match (address.ip(), address) {
        (Some(ip), _) => Place::Network(AddressRange::neighbourhood(ip)),
        (None, Address::Stump(group)) => Place::Stump(group),
        (None, Address::Empty) => Place::Nothing,
        (None, _) => Place::Text,
    }
}

impl Place {
    fn text(&self) -> Option<PortalText> {
        match self {
            Place::Network(network) => Some(PortalText::new(network.to_string())),
            Place::Stump(group) => Some(PortalText::new(format!("{group:x}:…"))),
            Place::Country(country) => Some(country.clone()),
            Place::Nothing | Place::Text | Place::Anywhere => None,
        }
    }

    fn shown(&self) -> Option<String> {
        self.text().map(|text| text.for_terminal())
    }
}

#[cfg(test)]
mod tests;
