//! The rule `address_policy`: people seen from addresses that the policy does not allow them, or that nobody can judge. Pure; rows
//! come in order of time.
//!
//! A login from a hotel that no rule names is a finding. Suspicious, but none: the same person from two allowed offices within a
//! minute, which is what a VPN looks like.

use docspace_client::Directory;
use std::collections::BTreeMap;

use audit_model::{
    ActionId, Address, AddressRange, BlindSpot, GUEST_ACCOUNT, Person, PersonStatus, PortalText, Severity, is_robot,
};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::found::{About, Found, Kind, Rows};
use crate::habits::Habits;
use crate::policy::{Allowed, Policy, Unnamed, Verdict};
use crate::sighting::{Sighting, Source};

/// How far back a run looks when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(24);

/// What no portal records. Logins that its own list refuses come to that where the list is switched on.
pub(crate) const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::KeyLogins, BlindSpot::Ipv6];

/// A login this long after a burst of failed ones is probably its success.
pub(crate) const AFTER_BURST: TimeDelta = TimeDelta::hours(1);

/// What rows are judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rulebook<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) directory: &'a Directory,
    /// Ids or e-mail addresses in lower case.
    pub(crate) service_accounts: &'a [String],
    /// Whether a private address cannot be that of a person.
    pub(crate) is_public: bool,
}

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
        }
    }
}

/// Collects rows by person, kind and place.
pub(crate) struct Detector<'a> {
    book: Rulebook<'a>,
    habits: Habits,
    groups: BTreeMap<(Uuid, Kind, Why, Place), Rows>,
    names: BTreeMap<Uuid, PortalText>,
}

impl<'a> Detector<'a> {
    pub(crate) fn new(book: Rulebook<'a>, habits: Habits) -> Self {
        Detector { book, habits, groups: BTreeMap::new(), names: BTreeMap::new() }
    }

    /// Takes in a row: a login that succeeded, or an act. Robots, visitors and service accounts are passed over.
    pub(crate) fn push(&mut self, row: &Sighting) {
        if row.source == Source::Audit && row.action == ActionId::USERS_UPDATED_STATUS {
            self.status_changed(row);
        }
        let is_login = row.source == Source::Logins;
        if !row.is_of_its_person()
            || (is_login && !row.action.is_successful_login())
            || is_robot(row.user)
            || row.user == GUEST_ACCOUNT
        {
            return;
        }
        if is_service_account(self.book.directory, row.user, self.book.service_accounts) {
            return;
        }
        self.names.insert(row.user, row.user_name.clone());
        let account = self.book.directory.people.get(&row.user);
        if account.is_some_and(|account| account.person.status == Some(PersonStatus::Disabled)) {
            self.group(row, Kind::Disabled, Why::Plain, Place::Anywhere);
        }
        if let Some((kind, why, place)) = self.judge(row) {
            self.group(row, kind, why, place);
        }
        if is_login && let Some(country) = self.habits.judge(row) {
            self.group(row, Kind::NewCountry, Why::Plain, Place::Country(country));
        }
    }

    fn group(&mut self, row: &Sighting, kind: Kind, why: Why, place: Place) {
        self.groups.entry((row.user, kind, why, place)).or_default().push(row);
    }

    /// What people did before their status was changed they did as what they were then.
    fn status_changed(&mut self, row: &Sighting) {
        for person in row.targets.iter().filter_map(|target| Uuid::parse_str(target).ok()) {
            self.groups.remove(&(person, Kind::Disabled, Why::Plain, Place::Anywhere));
        }
    }

    /// What is wrong with where somebody came from; `None` when nothing is.
    fn judge(&self, row: &Sighting) -> Option<(Kind, Why, Place)> {
        let address = row.address();
        let verdict = self.book.policy.judge(row.user, address, row.at.date_naive());
        // what the caller has set is judged as such, whatever it says, and whoever it is
        if row.ip_was_set {
            return Some((Kind::AddressSet, Why::SetByRequest, place_of(address)));
        }
        if address == Address::NotAnAddress {
            return Some((Kind::AddressSet, Why::NoAddress, Place::Text));
        }
        if verdict == Verdict::Unnamed {
            let is_reported = self.book.policy.default == Unnamed::Report;
            return is_reported.then_some((Kind::Unnamed, Why::Plain, Place::Anywhere));
        }
        match address {
            Address::Stump(_) => Some((Kind::CannotJudge, Why::Cut, place_of(address))),
            Address::Empty => Some((Kind::CannotJudge, Why::Nothing, Place::Nothing)),
            Address::Private(_) if self.book.is_public => Some((Kind::CannotJudge, Why::Private, place_of(address))),
            _ => match verdict {
                Verdict::Allowed(..) => None,
                _ => Some((Kind::NotAllowed, Why::Plain, place_of(address))),
            },
        }
    }

    /// Everything found, in no order.
    pub(crate) fn finish(self) -> Vec<Found> {
        let Detector { book, groups, names, .. } = self;
        let found = groups.into_iter().map(|((person, kind, why, place), rows)| {
            let subject = Subject { book, person, is_admin: book.directory.is_admin(person) };
            let who = match book.directory.people.get(&person) {
                Some(account) => account.person.clone(),
                // an account that is not there any more
                None => Person::named(person, names[&person].clone()),
            };
            rows_found(&subject, who, (kind, why, place), rows)
        });
        found.collect()
    }
}

/// Whose rows they are.
struct Subject<'a> {
    book: Rulebook<'a>,
    person: Uuid,
    is_admin: bool,
}

fn rows_found(subject: &Subject<'_>, person: Person, (kind, why, place): (Kind, Why, Place), rows: Rows) -> Found {
    let severity = match kind {
        Kind::AddressSet | Kind::Disabled => Severity::High,
        Kind::NotAllowed if subject.is_admin => Severity::High,
        Kind::NotAllowed => Severity::Medium,
        Kind::NewCountry if subject.is_admin => Severity::Medium,
        _ => Severity::Low,
    };
    let allowed = subject.book.policy.allowed(subject.person);
    let mut reasons = vec![headline(kind, why, &place, &rows)];
    if matches!(kind, Kind::NotAllowed | Kind::CannotJudge) {
        reasons.extend(allowed.map(|allowed| because(subject.book.policy, allowed, kind)));
    }
    let place = place.text();
    // the same until the network or what the policy allows the person changes
    let rules = allowed.map(|allowed| allowed.described(subject.book.policy)).unwrap_or_default();
    let (why, place_key) = (why.in_fingerprint(), place.as_ref().map_or("", PortalText::raw));
    let key = format!("{}\n{why}\n{place_key}\n{rules}", subject.person);
    rows.found(About { kind, severity, person, place, key, reasons })
}

fn headline(kind: Kind, why: Why, place: &Place, rows: &Rows) -> String {
    let counted = rows.counted();
    let from = rows.first().map(Sighting::shown_ip).unwrap_or_default();
    match (kind, why) {
        (Kind::NotAllowed, _) => match place.shown() {
            Some(network) if network != from => {
                format!("came from {from} in {network}, which no rule allows: {counted}")
            }
            _ => format!("came from {from}, which no rule allows: {counted}"),
        },
        (Kind::AddressSet, Why::SetByRequest) => {
            format!("the request itself claimed to come from {from}, so its true address is unknown: {counted}")
        }
        (Kind::AddressSet, _) => {
            format!("came from \"{from}\", which is not an address, so the caller must have set it: {counted}")
        }
        (Kind::CannotJudge, Why::Cut) => {
            format!("came from an IPv6 address that begins with {from}; the portal cuts the rest: {counted}")
        }
        (Kind::CannotJudge, Why::Private) => {
            format!("came from {from}, a private address, while the portal is public: {counted}")
        }
        (Kind::CannotJudge, _) => format!("the portal noted no address, as for some IPv6 addresses: {counted}"),
        (Kind::Unnamed, _) => format!("no rule names this person: {counted}"),
        (Kind::Disabled, _) => format!("the account is disabled, and still appears from {from}: {counted}"),
        (_, _) => {
            let country = place.shown().unwrap_or_default();
            format!("signed in from {country} for the first time: {counted}, the first from {from}")
        }
    }
}

/// Why no rule allows it.
fn because(policy: &Policy, allowed: &Allowed, kind: Kind) -> String {
    let named = |rules: &[usize]| {
        let rules = rules.iter().map(|rule| {
            let rule = &policy.rules[*rule];
            format!("\"{}\" (line {})", PortalText::new(rule.label.as_str()).for_terminal(), rule.line)
        });
        rules.collect::<Vec<_>>().join(", ")
    };
    let could =
        if allowed.has_v6() { "; rules with IPv6 addresses could allow it" } else { "; no rule has IPv6 addresses" };
    match (&allowed.rules[..], &allowed.idle[..]) {
        ([], idle) => {
            format!("the rules that name this person do not count, expired or for admins only: {}", named(idle))
        }
        (rules, _) if kind == Kind::CannotJudge => format!("named by {}{could}", named(rules)),
        (rules, []) => format!("not in {}", named(rules)),
        (rules, idle) => {
            format!("not in {}; {} would count if it had not expired and were for all", named(rules), named(idle))
        }
    }
}

pub(crate) fn is_service_account(directory: &Directory, person: Uuid, accounts: &[String]) -> bool {
    let by_id = |entry: &String| Uuid::parse_str(entry.trim()).is_ok_and(|id| id == person);
    match directory.people.get(&person) {
        Some(account) => account.person.is_meant_by_one_of(accounts),
        None => accounts.iter().any(by_id),
    }
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
