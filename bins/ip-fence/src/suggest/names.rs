//! How a policy names people and groups, so that nobody else is meant. Pure.

use std::collections::BTreeMap;

use docspace_client::{Directory, Group};
use uuid::Uuid;

pub(super) struct Names<'a> {
    directory: &'a Directory,
    /// How many accounts have an e-mail address, in lower case.
    emails: BTreeMap<String, usize>,
    /// How many groups have a name.
    groups: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn of(directory: &'a Directory) -> Self {
        let mut emails: BTreeMap<String, usize> = BTreeMap::new();
        for email in directory.people.values().filter_map(|account| account.person.email.as_ref()) {
            *emails.entry(email.raw().trim().to_lowercase()).or_default() += 1;
        }
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for group in &directory.groups {
            *groups.entry(group.name.raw()).or_default() += 1;
        }
        Names { directory, emails, groups }
    }

    /// The e-mail address, or the id of whoever has none of their own.
    pub(super) fn person(&self, person: Uuid) -> String {
        let email = self.directory.people.get(&person).and_then(|account| account.person.email.as_ref());
        let is_clear = |email: &&str| {
            let lower = email.trim().to_lowercase();
            !lower.is_empty() && Uuid::parse_str(&lower).is_err() && self.emails.get(&lower) == Some(&1)
        };
        email.map(|email| email.raw()).filter(is_clear).map_or_else(|| person.to_string(), str::to_owned)
    }

    /// The name, or the id of a group that shares it.
    pub(super) fn group(&self, group: &Group) -> String {
        let name = group.name.raw();
        let is_clear = !name.trim().is_empty() && Uuid::parse_str(name.trim()).is_err();
        let is_own = self.groups.get(name) == Some(&1);
        if is_clear && is_own { name.to_owned() } else { group.id.to_string() }
    }
}
