//! The policy applied to the people of a portal. Pure; the directory is read elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use audit_model::{Address, AddressRange, AddressSet};
use chrono::NaiveDate;
use docspace_client::Directory;
use job_runner::config::nearest_name;
use uuid::Uuid;

use super::file::shown;
use super::{Entry, Mistake, Name, PolicyFile, Rule, Unnamed};

/// A policy whose names are people.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) default: Unnamed,
    pub(crate) rules: Vec<Rule>,
    today: NaiveDate,
    /// A single IPv6 address stands for its /64.
    by_64: bool,
    /// By person, what the rules that count for them allow; people with the same rules share it.
    allowed: BTreeMap<Uuid, Arc<Allowed>>,
}

/// What some rules allow together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Positions of the rules that name the person and count for them.
    pub(crate) rules: Vec<usize>,
    /// Positions of the rules that name the person and do not count: expired, or for admins only.
    pub(crate) idle: Vec<usize>,
    /// Positions of those of them that did count until they expired.
    lapsed: Vec<usize>,
    set: AddressSet,
    /// For each entry of the set, its rule and its place there.
    entries: Vec<(usize, usize)>,
}

/// What the policy says about a person and an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'p> {
    Allowed(&'p Rule, &'p Entry),
    NotAllowed(&'p Allowed),
    /// Nobody can tell whether this is an allowed address.
    CannotJudge,
    /// No rule names the person.
    Unnamed,
}

impl Policy {
    /// Finds the people and groups that the file names.
    ///
    /// # Errors
    /// Every name that the portal does not know.
    pub(crate) fn resolve(
        file: PolicyFile,
        directory: &Directory,
        today: NaiveDate,
        by_64: bool,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut named: BTreeMap<Uuid, BTreeSet<usize>> = BTreeMap::new();
        for (position, rule) in file.rules.iter().enumerate() {
            let members = members(rule, directory, &mut mistakes);
            for person in members {
                named.entry(person).or_default().insert(position);
            }
        }
        if !mistakes.is_empty() {
            mistakes.sort_by_key(|mistake| mistake.line);
            return Err(mistakes);
        }
        let mut shared: BTreeMap<[Vec<usize>; 3], Arc<Allowed>> = BTreeMap::new();
        let allowed = named.into_iter().map(|(person, rules)| {
            let is_admin = directory.is_admin(person);
            let is_meant = |rule: &usize| !file.rules[*rule].for_admin || is_admin;
            let counts = |rule: &usize| !file.rules[*rule].has_expired(today) && is_meant(rule);
            let (counting, idle): (Vec<usize>, Vec<usize>) = rules.into_iter().partition(counts);
            let lapsed = idle.iter().copied().filter(is_meant).collect();
            let key = [counting, idle, lapsed];
            let made = shared.entry(key.clone()).or_insert_with(|| Arc::new(Allowed::new(key, &file.rules, by_64)));
            (person, made.clone())
        });
        let allowed = allowed.collect();
        Ok(Policy { default: file.default, rules: file.rules, today, by_64, allowed })
    }

    /// What the rules that name a person allow together; `None` when none does.
    pub(crate) fn allowed(&self, person: Uuid) -> Option<&Allowed> {
        self.allowed.get(&person).map(|allowed| &**allowed)
    }

    /// Whether the person might come from that address on that day (UTC): what happened before a rule expired is judged by it. Stumps,
    /// nothing, and texts that are no address are never allowed.
    pub(crate) fn judge(&self, person: Uuid, address: Address, day: NaiveDate) -> Verdict<'_> {
        let Some(allowed) = self.allowed(person) else { return Verdict::Unnamed };
        let Some(ip) = address.ip() else { return Verdict::CannotJudge };
        if let Some((rule, entry)) = allowed.set.entry_of(ip).map(|entry| allowed.entries[entry]) {
            return Verdict::Allowed(&self.rules[rule], &self.rules[rule].allow[entry]);
        }
        let counted = allowed.lapsed.iter().map(|rule| &self.rules[*rule]).filter(|rule| !rule.has_expired(day));
        let mut entries = counted.flat_map(|rule| rule.allow.iter().map(move |entry| (rule, entry)));
        match entries.find(|(_, entry)| widened(entry.range, self.by_64).contains(ip)) {
            Some((rule, entry)) => Verdict::Allowed(rule, entry),
            None => Verdict::NotAllowed(allowed),
        }
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.today
    }

    /// The rules that count today.
    pub(crate) fn live_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| !rule.has_expired(self.today))
    }

    /// The rules that have ended.
    pub(crate) fn expired_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.has_expired(self.today))
    }

    /// Everybody whom a rule names, with what their rules allow together.
    pub(crate) fn people_named(&self) -> impl Iterator<Item = (Uuid, &Allowed)> {
        self.allowed.iter().map(|(person, allowed)| (*person, &**allowed))
    }

    pub(crate) fn people(&self) -> usize {
        self.allowed.len()
    }
}

impl Allowed {
    fn new([rules, idle, lapsed]: [Vec<usize>; 3], all: &[Rule], by_64: bool) -> Self {
        let positions = rules.iter().flat_map(|rule| (0..all[*rule].allow.len()).map(|entry| (*rule, entry)));
        let entries: Vec<(usize, usize)> = positions.collect();
        let ranges = entries.iter().map(|(rule, entry)| all[*rule].allow[*entry].range);
        let set = ranges.map(|range| widened(range, by_64)).collect();
        Allowed { rules, idle, lapsed, set, entries }
    }

    /// The entries as one text, for telling whether they have changed.
    pub(crate) fn described(&self, policy: &Policy) -> String {
        let ranges = self.entries.iter().map(|(rule, entry)| policy.rules[*rule].allow[*entry].range.to_string());
        ranges.collect::<Vec<_>>().join(" ")
    }

    /// Whether it holds no address at all.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it holds any IPv6 address, so that one that was cut could be allowed.
    pub(crate) fn has_v6(&self) -> bool {
        self.set.has_v6()
    }
}

fn widened(range: AddressRange, by_64: bool) -> AddressRange {
    if by_64 { range.widened_to_64() } else { range }
}

fn members(rule: &Rule, directory: &Directory, mistakes: &mut Vec<Mistake>) -> BTreeSet<Uuid> {
    let mut members = BTreeSet::new();
    for name in &rule.people {
        match directory.person(&name.text) {
            Some(account) => {
                members.insert(account.person.id);
            }
            None => {
                let emails = directory.people.values().filter_map(|account| account.person.email.as_ref());
                mistakes.push(unknown("person", name, emails.map(|email| email.raw().to_lowercase())));
            }
        }
    }
    for name in &rule.groups {
        match &directory.groups_meant_by(&name.text).collect::<Vec<_>>()[..] {
            [group] => members.extend(directory.members.get(&group.id).into_iter().flatten()),
            [] => {
                let names = directory.groups.iter().map(|group| group.name.raw().to_owned());
                mistakes.push(unknown("group", name, names));
            }
            several => {
                let ids: Vec<String> = several.iter().map(|group| group.id.to_string()).collect();
                let message =
                    format!("several groups are called `{}`; give the id: {}", shown(&name.text), ids.join(", "));
                mistakes.push(Mistake::new(name.line, message));
            }
        }
    }
    members
}

fn unknown(what: &str, name: &Name, known: impl Iterator<Item = String>) -> Mistake {
    let known: Vec<String> = known.collect();
    let guess = nearest_name(&name.text.to_lowercase(), known.iter().map(String::as_str));
    let guess = guess.map(|name| format!(", did you mean `{}`?", shown(name))).unwrap_or_default();
    Mistake::new(name.line, format!("the portal has no {what} `{}`{guess}", shown(&name.text)))
}

#[cfg(test)]
mod tests {
    use audit_model::PortalText;
    use docspace_client::Group;

    use super::*;
    use crate::policy::parse;
    use crate::testing::{ANNA, BOB, GIL, HANA, directory, now};

    fn group(id: u128, name: &str, members: &[Uuid]) -> (Group, Vec<Uuid>) {
        (Group { id: Uuid::from_u128(id), name: PortalText::from(name), manager: None, size: None }, members.to_vec())
    }

    fn resolved(text: &str, groups: Vec<(Group, Vec<Uuid>)>, by_64: bool) -> Result<Policy, Vec<String>> {
        let (groups, members): (Vec<Group>, Vec<_>) =
            groups.into_iter().map(|(group, members)| (group.clone(), (group.id, members))).unzip();
        let directory = Directory { groups, members: members.into_iter().collect(), ..directory() };
        let policy = Policy::resolve(parse(text).unwrap(), &directory, now().date_naive(), by_64);
        policy.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    fn rule(names: &str) -> String {
        format!("[[rule]]\nlabel = \"a\"\n{names}\nallow = [\"2001:db8::7\"]\n")
    }

    #[test]
    fn people_and_groups_are_found_by_name_and_by_id() {
        let groups = || vec![group(70, "Staff", &[ANNA, GIL]), group(71, "staff", &[HANA])];
        let named = |names: &str| -> Vec<Uuid> {
            resolved(&rule(names), groups(), false).unwrap().allowed.into_keys().collect()
        };
        assert_eq!(named("people = [\" BOB@Example.com \"]"), [BOB]);
        assert_eq!(named(&format!("people = [\"{ANNA}\"]")), [ANNA]);
        assert_eq!(named("groups = [\"Staff\"]\npeople = [\"bob@example.com\"]"), [ANNA, BOB, GIL]);
        assert_eq!(named(&format!("groups = [\"{}\"]", Uuid::from_u128(71))), [HANA]);
    }

    #[test]
    fn names_that_are_unknown_or_mean_several_are_told_at_once() {
        let groups = vec![group(70, "Staff", &[ANNA]), group(71, "Staff", &[BOB])];
        let text = rule("people = [\"bbo@example.com\"]\ngroups = [\"Staff\", \"Stuff\"]");
        let mistakes = resolved(&text, groups, false).unwrap_err();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(mistakes[0].starts_with("line 3: ") && mistakes[0].contains("did you mean `bob@example.com`?"));
        assert!(mistakes[1].contains("several groups") && mistakes[1].contains(&Uuid::from_u128(71).to_string()));
        assert!(mistakes[2].contains("did you mean `Staff`?"));
    }

    #[test]
    fn a_single_ipv6_address_can_stand_for_its_network() {
        let text = rule("people = [\"bob@example.com\"]");
        let neighbour = Address::parse("2001:db8::ffff");
        let is_allowed = |by_64| {
            matches!(
                resolved(&text, Vec::new(), by_64).unwrap().judge(BOB, neighbour, now().date_naive()),
                Verdict::Allowed(..)
            )
        };
        assert!(is_allowed(true) && !is_allowed(false));
    }

    /// A thousand people in one group share what a hundred networks allow.
    #[test]
    fn people_with_the_same_rules_share_them() {
        let text = rule("groups = [\"Staff\"]");
        let policy = resolved(&text, vec![group(70, "Staff", &[ANNA, BOB, GIL])], false).unwrap();
        let all: Vec<&Arc<Allowed>> = policy.allowed.values().collect();
        assert!(all.windows(2).all(|pair| Arc::ptr_eq(pair[0], pair[1])));
    }
}
