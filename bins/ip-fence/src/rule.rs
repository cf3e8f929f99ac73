//! The rule `address_policy`: people seen from addresses that the policy does not allow them, or that nobody can judge. Pure; rows
//! come in order of time.
//!
//! A login from a hotel that no rule names is a finding. Suspicious, but none: the same person from two allowed offices within a
//! minute, which is what a VPN looks like.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{
    ActionId, Address, AddressRange, BlindSpot, GUEST_ACCOUNT, Person, PersonStatus, PortalText, Severity, is_robot,
};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Directory;
use uuid::Uuid;

use crate::found::{About, Counted, Found, Kind, Rows};
use crate::habits::Habits;
use crate::policy::{Allowed, Policy, Rule, Unnamed, Verdict};
use crate::sighting::{Sighting, Source};

/// How far back a run looks when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(24);

/// What no portal records. Logins that its own list refuses come to that where the list is switched on.
pub(crate) const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::KeyLogins, BlindSpot::Ipv6];

const GROUP_DELETED: ActionId = ActionId(4028);

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
    /// The people to whom the run is restricted; `None` for everybody.
    pub(crate) only: Option<&'a BTreeSet<Uuid>>,
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
pub(crate) struct Detector<'a> {
    book: Rulebook<'a>,
    habits: Habits,
    groups: BTreeMap<Key, Rows>,
    names: BTreeMap<Uuid, PortalText>,
    /// What has changed since, of that by which they were judged: each a sentence.
    doubts: BTreeMap<Key, BTreeSet<String>>,
    notes: BTreeSet<String>,
    unread_until: Option<DateTime<Utc>>,
}

/// People named in a sentence.
const NAMED: usize = 5;

impl<'a> Detector<'a> {
    /// `unread_until`: up to when part of the audit trail was not read.
    pub(crate) fn new(book: Rulebook<'a>, habits: Habits, unread_until: Option<DateTime<Utc>>) -> Self {
        Detector {
            unread_until,
            book,
            habits,
            groups: BTreeMap::new(),
            names: BTreeMap::new(),
            doubts: BTreeMap::new(),
            notes: BTreeSet::new(),
        }
    }

    /// Takes in a row: a login that succeeded, or an act. Robots, visitors and service accounts are passed over.
    pub(crate) fn push(&mut self, row: &Sighting) {
        if self.unread_until.take_if(|until| row.at >= *until).is_some() {
            self.trail_ends();
        }
        if row.source == Source::Audit {
            self.changed(row);
        }
        let is_login = row.source == Source::Logins;
        if !row.is_of_its_person()
            || (is_login && !row.action.is_successful_login())
            || is_robot(row.user)
            || row.user == GUEST_ACCOUNT
        {
            return;
        }
        if self.book.only.is_some_and(|only| !only.contains(&row.user))
            || is_service_account(self.book.directory, row.user, self.book.service_accounts)
        {
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

    /// Takes in an event of the audit trail that may change what people are, also one after the rows that are judged: what they did
    /// before they did as what they were then.
    pub(crate) fn changed(&mut self, event: &Sighting) {
        let ids = || event.targets.iter().filter_map(|target| Uuid::parse_str(target).ok());
        match event.action {
            ActionId::USERS_UPDATED_STATUS => ids().for_each(|person| {
                self.groups.remove(&(person, Kind::Disabled, Why::Plain, Place::Anywhere));
            }),
            ActionId::USERS_UPDATED_TYPE => {
                let people: BTreeSet<Uuid> = ids().collect();
                let when = event.at.format("%Y-%m-%d %H:%M");
                let doubt = format!(
                    "the kind of account was changed afterwards, at {when} (UTC); it is judged as what it is today"
                );
                self.doubt(&doubt, |(person, kind, ..)| people.contains(person) && *kind == Kind::NotAllowed);
            }
            ActionId::GROUP_UPDATED | GROUP_DELETED => ids().for_each(|group| self.group_changed(group, event)),
            _ => {}
        }
    }

    fn group_changed(&mut self, group: Uuid, event: &Sighting) {
        let names = &self.book.policy.names.groups;
        let Some((name, _)) = names.iter().find(|(_, id)| **id == group) else { return };
        let name = PortalText::new(name.as_str()).for_terminal();
        let when = event.at.format("%Y-%m-%d %H:%M");
        let doubt =
            format!("the group \"{name}\" was changed afterwards, at {when} (UTC); who was in it before is not known");
        self.doubt(&doubt, |(_, kind, ..)| matches!(kind, Kind::NotAllowed | Kind::Unnamed));
        // what the group of today allows may not have been allowed
        if !self.names.is_empty() {
            self.notes.insert(format!(
                "the group \"{name}\" was changed at {when} (UTC): what people did before is judged by who is in it today"
            ));
        }
    }

    fn doubt(&mut self, doubt: &str, is_meant: impl Fn(&Key) -> bool) {
        for key in self.groups.keys().filter(|key| is_meant(key)) {
            self.doubts.entry(key.clone()).or_default().insert(doubt.to_owned());
        }
    }

    /// From here back part of the audit trail is not known, so nobody knows whether somebody was disabled then, or only since.
    pub(crate) fn trail_ends(&mut self) {
        let unknown: Vec<Key> = self.groups.keys().filter(|(_, kind, ..)| *kind == Kind::Disabled).cloned().collect();
        for key in unknown {
            self.groups.remove(&key);
            let name = self.names.get(&key.0).map(PortalText::for_terminal).unwrap_or_default();
            self.notes.insert(format!(
                "{name} is disabled today; whether that was so before is not known, because the audit trail since then could not be read whole"
            ));
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
        let is_allowed = matches!(verdict, Verdict::Allowed(..));
        if !is_allowed && self.is_gone(row.user) {
            return Some((Kind::CannotJudge, Why::Gone, place_of(address)));
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

    /// What was changed between the window and today is not known, so nobody knows whether groups and kinds of accounts were the same.
    pub(crate) fn today_is_unknown(&mut self) {
        let goes_by_today = self.book.policy.rules.iter().any(|rule| rule.for_admin || !rule.groups.is_empty());
        if goes_by_today && !self.names.is_empty() {
            let note = "people are judged by the groups and kinds of accounts of today; what was changed since the window is not known, because the audit trail up to today could not be read whole";
            self.notes.insert(note.to_owned());
        }
    }

    /// Whether somebody is among them whose status of then decides.
    pub(crate) fn has_disabled(&self) -> bool {
        self.groups.keys().any(|(_, kind, ..)| *kind == Kind::Disabled)
    }

    /// Whether somebody whom the policy names has no account any more.
    fn is_gone(&self, person: Uuid) -> bool {
        let is_named = || self.book.policy.names.people.values().any(|id| *id == person);
        !self.book.directory.people.contains_key(&person) && is_named()
    }

    /// Everything found, in no order, and what the reader must know of it.
    pub(crate) fn finish(mut self) -> (Vec<Found>, Vec<String>) {
        if self.unread_until.is_some() {
            self.trail_ends();
        }
        let Detector { book, groups, names, mut doubts, notes, .. } = self;
        let who = |person: Uuid| match book.directory.people.get(&person) {
            Some(account) => account.person.clone(),
            // an account that is not there any more
            None => Person::named(person, names[&person].clone()),
        };
        let (unnamed, others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|((_, kind, ..), _)| *kind == Kind::Unnamed);
        let (unnamed, alone) = if unnamed.len() > 1 { (unnamed, Vec::new()) } else { (Vec::new(), unnamed) };
        let mut found: Vec<Found> = Vec::new();
        for (key, rows) in others.into_iter().chain(alone) {
            let doubts = doubts.remove(&key).unwrap_or_default();
            let (person, kind, why, place) = key;
            let subject = Subject { book, person, is_admin: book.directory.is_admin(person) };
            let mut one = rows_found(&subject, who(person), (kind, why, place), rows);
            one.finding.reasons.extend(doubts);
            found.push(one);
        }
        if !unnamed.is_empty() {
            let mut one = many_unnamed(unnamed.into_iter().map(|((person, ..), rows)| (who(person), rows)).collect());
            one.finding.reasons.extend(doubts.into_values().flatten().collect::<BTreeSet<_>>());
            found.push(one);
        }
        (found, notes.into_iter().collect())
    }
}

/// All people whom no rule names, as one finding: each of them would say the same.
fn many_unnamed(people: Vec<(Person, Rows)>) -> Found {
    let mut counted: Vec<Counted> = Vec::new();
    for (person, rows) in &people {
        counted.push(Counted { person: person.clone(), logins: rows.logins, acts: rows.acts });
    }
    counted.sort_by_key(|one| (std::cmp::Reverse(one.logins + one.acts), one.person.id));
    let named = counted.iter().take(NAMED).map(|one| {
        let email = one.person.email.as_ref().map(|email| format!(" <{}>", email.for_terminal())).unwrap_or_default();
        format!("{}{email} ({})", one.person.name.for_terminal(), one.logins + one.acts)
    });
    let mut named = named.collect::<Vec<_>>().join(", ");
    if counted.len() > NAMED {
        named.push_str(&format!(" and {} more", counted.len() - NAMED));
    }
    let rows = Rows::joined(people.into_iter().map(|(_, rows)| rows));
    let reasons = vec![format!("no rule names them: {}", rows.counted()), format!("most often: {named}")];
    let person = Person::named(GUEST_ACCOUNT, PortalText::new(format!("{} people", counted.len())));
    // one matter, whoever comes and goes, until they are twice as many
    let key = format!("several people\n{}", counted.len().next_power_of_two());
    let mut found =
        rows.found(About { kind: Kind::Unnamed, severity: Severity::Low, person, place: None, key, reasons });
    found.detail.people = counted;
    found
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
    let is_nothing = place == Place::Nothing;
    let place = place.text();
    // a request that sets no address is not the same as one that sets a text
    let set_nothing = kind == Kind::AddressSet && is_nothing;
    // the same until the network or what the policy allows the person changes
    let rules = allowed.map(|allowed| allowed.described(subject.book.policy)).unwrap_or_default();
    let noted = if set_nothing { "nothing" } else { "" };
    let (why, place_key) = (why.in_fingerprint(), place.as_ref().map_or(noted, PortalText::raw));
    let key = format!("{}\n{why}\n{place_key}\n{rules}", subject.person);
    rows.found(About { kind, severity, person, place, key, reasons })
}

fn headline(kind: Kind, why: Why, place: &Place, rows: &Rows) -> String {
    let counted = rows.counted();
    let from = rows.first().map(Sighting::shown_ip).unwrap_or_default();
    match (kind, why) {
        (Kind::NotAllowed, _) => {
            let verb = if rows.logins > 0 { "signed in" } else { "came" };
            let about = rows.first().map(Sighting::circumstances).unwrap_or_default();
            // what a subject has no room for stands last
            match (place.shown(), rows.addresses()) {
                (Some(network), several) if several > 1 => {
                    format!(
                        "{verb} from {several} addresses of {network}, which no rule allows them: {counted}, first from {from}{about}"
                    )
                }
                _ => format!("{verb} from {from}, which no rule allows them{about}: {counted}"),
            }
        }
        (Kind::AddressSet, Why::SetByRequest) => {
            format!("the request itself claimed to come from {from}, so its true address is unknown: {counted}")
        }
        (Kind::AddressSet, _) => {
            format!("came from \"{from}\", which is not an address, so the caller must have set it: {counted}")
        }
        (Kind::CannotJudge, Why::Cut) => {
            format!("came from an IPv6 address that begins with {from}; the portal cuts the rest: {counted}")
        }
        (Kind::CannotJudge, Why::Gone) => {
            format!("came from {from}, and the account is gone, so nobody can tell which groups it was in: {counted}")
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

/// Why no rule allows it, and whom to ask.
fn because(policy: &Policy, allowed: &Allowed, kind: Kind) -> String {
    let counting: Vec<String> = allowed.rules.iter().map(|rule| named(&policy.rules[*rule])).collect();
    let idle = allowed.idle.iter().map(|rule| {
        let rule = &policy.rules[*rule];
        match rule.expires.filter(|_| rule.has_expired(policy.today())) {
            Some(end) => format!("{} has expired on {end}", named(rule)),
            None => format!("{} counts for admins only", named(rule)),
        }
    });
    let idle = idle.collect::<Vec<_>>().join(", ");
    let mut text = match (&counting[..], &idle[..]) {
        ([], idle) => return format!("no rule of theirs counts: {idle}"),
        (rules, "") => format!("their rules: {}", rules.join(", ")),
        (rules, idle) => format!("their rules: {}; {idle}", rules.join(", ")),
    };
    if kind == Kind::CannotJudge {
        let could = if allowed.has_v6() {
            "; rules with IPv6 addresses could allow it"
        } else {
            "; no rule has IPv6 addresses"
        };
        text.push_str(could);
    }
    text
}

/// A rule with its line, its reason, and whom to ask about it.
fn named(rule: &Rule) -> String {
    let shown = |text: &String| PortalText::new(text.as_str()).for_terminal();
    let mut about = vec![format!("line {}", rule.line)];
    about.extend(rule.reason.as_ref().map(shown));
    about.extend(rule.owner.as_ref().map(|owner| format!("ask {}", shown(owner))));
    format!("\"{}\" ({})", shown(&rule.label), about.join("; "))
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
