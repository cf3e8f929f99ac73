//! The policy applied to the people of a portal. Pure; the directory is read elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use audit_model::{Address, AddressRange, AddressSet};
use chrono::NaiveDate;
use docspace_client::{Account, Directory, Group};
use event_archive::KnownNames;
use job_runner::config::nearest_name;
use uuid::Uuid;

use super::file::shown;
use super::{Entry, Mistake, Name, PolicyFile, Rule, Unnamed};

/// A policy whose names are people.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) default: Unnamed,
    pub(crate) rules: Arc<Vec<Rule>>,
    today: NaiveDate,
    /// A single IPv6 address stands for its /64.
    by_64: bool,
    /// Whom its names mean, those included that nobody has any more.
    pub(crate) names: KnownNames,
    /// Names that have changed or that nobody has any more, each a sentence.
    pub(crate) stale: Vec<String>,
    people: usize,
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
pub(crate) enum Permission<'p> {
    Allowed(&'p Rule, &'p Entry),
    NotAllowed(&'p Allowed),
    /// Nobody can tell whether this is an allowed address.
    CannotJudge,
    /// No rule names the person.
    Unnamed,
}

impl Policy {
    /// Finds the people and groups that the file names. A name that was `known` once and that nobody has any more costs that name; without
    /// memory (`None`) nobody can tell it from a mistake.
    ///
    /// # Errors
    /// Every name that the portal has never known.
    pub(crate) fn resolve(
        file: PolicyFile,
        directory: &Directory,
        known: Option<&KnownNames>,
        today: NaiveDate,
        by_64: bool,
    ) -> Result<Self, Vec<Mistake>> {
        let mut finder = Finder::new(directory, known);
        file.rules.iter().for_each(|rule| finder.find(rule));
        let Finder { mut mistakes, names, stale, .. } = finder;
        if !mistakes.is_empty() {
            mistakes.sort_by_key(|mistake| mistake.line);
            return Err(mistakes);
        }
        let (rules, default) = (Arc::new(file.rules), file.default);
        let nobody = Policy { default, rules, today, by_64, names, stale, people: 0, allowed: BTreeMap::new() };
        Ok(nobody.among(directory))
    }

    /// The same policy with these members of its groups and these kinds of accounts.
    pub(crate) fn among(&self, directory: &Directory) -> Self {
        let mut named: BTreeMap<Uuid, BTreeSet<usize>> = BTreeMap::new();
        for (position, rule) in self.rules.iter().enumerate() {
            let people = rule.people.iter().filter_map(|name| self.names.people.get(&name.text));
            let groups = rule.groups.iter().filter_map(|name| self.names.groups.get(&name.text));
            let members = groups.filter_map(|group| directory.members.get(group)).flatten();
            for person in people.chain(members) {
                named.entry(*person).or_default().insert(position);
            }
        }
        let mut shared: BTreeMap<[Vec<usize>; 3], Arc<Allowed>> = BTreeMap::new();
        let allowed = named.into_iter().map(|(person, rules)| {
            let is_admin = directory.is_admin(person);
            let is_meant = |rule: &usize| !self.rules[*rule].for_admin || is_admin;
            let counts = |rule: &usize| !self.rules[*rule].has_expired(self.today) && is_meant(rule);
            let (counting, idle): (Vec<usize>, Vec<usize>) = rules.into_iter().partition(counts);
            let lapsed = idle.iter().copied().filter(is_meant).collect();
            let key = [counting, idle, lapsed];
            let made =
                shared.entry(key.clone()).or_insert_with(|| Arc::new(Allowed::new(key, &self.rules, self.by_64)));
            (person, made.clone())
        });
        let allowed: BTreeMap<Uuid, Arc<Allowed>> = allowed.collect();
        let people = allowed.keys().filter(|person| directory.people.contains_key(person)).count();
        Policy { people, allowed, ..self.clone() }
    }

    /// What the rules that name a person allow together; `None` when none does.
    pub(crate) fn allowed(&self, person: Uuid) -> Option<&Allowed> {
        self.allowed.get(&person).map(|allowed| &**allowed)
    }

    /// Whether the person might come from that address on that day (UTC): what happened before a rule expired is judged by it. Stumps,
    /// nothing, and texts that are no address are never allowed.
    pub(crate) fn judge(&self, person: Uuid, address: Address, day: NaiveDate) -> Permission<'_> {
        let Some(allowed) = self.allowed(person) else { return Permission::Unnamed };
        let Some(ip) = address.ip() else { return Permission::CannotJudge };
        if let Some((rule, entry)) = allowed.set.entry_of(ip).map(|entry| allowed.entries[entry]) {
            return Permission::Allowed(&self.rules[rule], &self.rules[rule].allow[entry]);
        }
        let counted = allowed.lapsed.iter().map(|rule| &self.rules[*rule]).filter(|rule| !rule.has_expired(day));
        let mut entries = counted.flat_map(|rule| rule.allow.iter().map(move |entry| (rule, entry)));
        match entries.find(|(_, entry)| widened(entry.range, self.by_64).contains(ip)) {
            Some((rule, entry)) => Permission::Allowed(rule, entry),
            None => Permission::NotAllowed(allowed),
        }
    }

    /// Whether some rule counts for a group, or for one kind of account, and not for people by their names alone.
    pub(crate) fn goes_by_groups(&self) -> bool {
        self.rules.iter().any(|rule| rule.for_admin || !rule.groups.is_empty())
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

    /// How many people of the portal rules name.
    pub(crate) fn people(&self) -> usize {
        self.people
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

/// Finds whom names mean.
struct Finder<'a> {
    directory: &'a Directory,
    /// By e-mail address in lower case.
    by_email: BTreeMap<String, &'a Account>,
    known: Option<&'a KnownNames>,
    names: KnownNames,
    stale: Vec<String>,
    mistakes: Vec<Mistake>,
}

impl<'a> Finder<'a> {
    fn new(directory: &'a Directory, known: Option<&'a KnownNames>) -> Self {
        let email = |account: &'a Account| Some((account.person.email.as_ref()?.raw().to_lowercase(), account));
        let by_email = directory.people.values().filter_map(email).collect();
        let (names, stale, mistakes) = (KnownNames::default(), Vec::new(), Vec::new());
        Finder { directory, by_email, known, names, stale, mistakes }
    }

    fn find(&mut self, rule: &Rule) {
        rule.people.iter().for_each(|name| self.person(name));
        rule.groups.iter().for_each(|name| self.group(name));
    }

    fn person(&mut self, name: &Name) {
        let found = match Uuid::parse_str(name.text.trim()) {
            Ok(id) => self.directory.people.get(&id),
            Err(_) => self.by_email.get(&name.text.trim().to_lowercase()).copied(),
        };
        let known = self.known.map(|known| known.people.get(&name.text).copied());
        let id = match (found, known) {
            (Some(account), known) => {
                let id = account.person.id;
                if let Some(before) = known.flatten().filter(|before| *before != id) {
                    let people = &self.directory.people;
                    let called = |id: &Uuid| people.get(id).map(|account| account.person.name.for_terminal());
                    self.moved(name, "account", (called(&before), before), (called(&id), id));
                }
                id
            }
            (None, Some(Some(id))) => {
                let renamed = self.directory.people.get(&id).map(|account| {
                    let person = &account.person;
                    format!("is {} now", person.email.as_ref().unwrap_or(&person.name).for_terminal())
                });
                self.stale(name, "account", renamed);
                id
            }
            (None, Some(None)) => {
                let known = self.by_email.keys().cloned().collect::<Vec<_>>().into_iter();
                self.mistakes.push(unknown("person", name, known));
                return;
            }
            (None, None) => return self.unsure(name, "person"),
        };
        // what somebody did before they left is judged by the rules that name them
        self.names.people.insert(name.text.clone(), id);
    }

    fn group(&mut self, name: &Name) {
        let groups = &self.directory.groups;
        let found: Vec<&Group> = self.directory.groups_meant_by(&name.text).collect();
        let known = self.known.map(|known| known.groups.get(&name.text).copied());
        let id = match (&found[..], known) {
            ([group], known) => {
                let id = group.id;
                if let Some(before) = known.flatten().filter(|before| *before != id) {
                    let called =
                        |id: &Uuid| groups.iter().find(|group| group.id == *id).map(|group| group.name.for_terminal());
                    self.moved(name, "group", (called(&before), before), (called(&id), id));
                }
                id
            }
            // whoever may make groups could blind the policy by a second one of the name
            (several, Some(Some(id))) => {
                let own = groups.iter().find(|group| group.id == id);
                let renamed = own.map(|group| {
                    if several.is_empty() {
                        return format!("is called \"{}\" now", group.name.for_terminal());
                    }
                    format!("is the name of {} groups now, and the one that was meant has the id {id}", several.len())
                });
                self.stale(name, "group", renamed);
                id
            }
            ([], Some(None)) => {
                let names = groups.iter().map(|group| group.name.raw().to_owned()).collect::<Vec<_>>().into_iter();
                self.mistakes.push(unknown("group", name, names));
                return;
            }
            ([], None) => return self.unsure(name, "group"),
            (several, _) => {
                let ids: Vec<String> = several.iter().map(|group| group.id.to_string()).collect();
                let message =
                    format!("several groups are called `{}`; give the id: {}", shown(&name.text), ids.join(", "));
                self.mistakes.push(Mistake::new(name.line, message));
                return;
            }
        };
        self.names.groups.insert(name.text.clone(), id);
    }

    /// A name that was known once; `renamed` is what has become of it, if it is still there.
    fn stale(&mut self, name: &Name, what: &str, renamed: Option<String>) {
        let (entry, line) = (shown(&name.text), name.line);
        self.stale.push(match renamed {
            Some(renamed) => format!("`{entry}` (line {line}) {renamed}; correct the policy"),
            None => format!("the {what} `{entry}` (line {line}) is gone from the portal; take it out of the policy"),
        });
    }

    /// A name that means another now than it did; the next run knows it as that.
    fn moved(&mut self, name: &Name, what: &str, before: (Option<String>, Uuid), now: (Option<String>, Uuid)) {
        let shown_one = |(called, id): (Option<String>, Uuid)| match called {
            Some(called) => format!("{called} ({id})"),
            None => format!("{id}, which is gone"),
        };
        self.stale.push(format!(
            "`{}` (line {}) means another {what} than before: it was {}, and is {}; the rule follows it, so see that this is meant",
            shown(&name.text),
            name.line,
            shown_one(before),
            shown_one(now)
        ));
    }

    fn unsure(&mut self, name: &Name, what: &str) {
        self.stale.push(format!(
            "the portal has no {what} `{}` (line {}), and this run has no memory to tell a leaver from a mistake",
            shown(&name.text),
            name.line
        ));
    }
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
    use crate::testing::{ANNA, BOB, GIL, HANA, OLGA, directory, now};

    fn group(id: u128, name: &str, members: &[Uuid]) -> (Group, Vec<Uuid>) {
        (Group { id: Uuid::from_u128(id), name: PortalText::from(name), manager: None, size: None }, members.to_vec())
    }

    fn resolved(text: &str, groups: Vec<(Group, Vec<Uuid>)>, by_64: bool) -> Result<Policy, Vec<String>> {
        let (groups, members): (Vec<Group>, Vec<_>) =
            groups.into_iter().map(|(group, members)| (group.clone(), (group.id, members))).unzip();
        let directory = Directory { groups, members: members.into_iter().collect(), ..directory() };
        let known = KnownNames::default();
        let policy = Policy::resolve(parse(text).unwrap(), &directory, Some(&known), now().date_naive(), by_64);
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

    /// Whoever may remove people or make groups must not be able to blind the watch.
    #[test]
    fn names_that_were_known_once_cost_themselves_only() {
        let text = rule(
            "people = [\"bob@example.com\", \"lee@example.com\", \"ann@example.com\"]\ngroups = [\"Staff\", \"Board\", \"Sales\"]",
        );
        let known = KnownNames {
            people: [("lee@example.com".to_owned(), Uuid::from_u128(99)), ("ann@example.com".to_owned(), ANNA)].into(),
            groups: [("Staff", 70), ("Board", 71), ("Sales", 72)]
                .into_iter()
                .map(|(name, id)| (name.to_owned(), Uuid::from_u128(id)))
                .collect(),
        };
        let groups = [(70, "Staff", GIL), (75, "Staff", OLGA), (71, "The board", HANA)];
        let groups: Vec<_> = groups.into_iter().map(|(id, name, member)| group(id, name, &[member])).collect();
        let resolve = |known: Option<&KnownNames>| {
            let (groups, members): (Vec<Group>, Vec<_>) =
                groups.iter().map(|(group, members)| (group.clone(), (group.id, members.clone()))).unzip();
            let directory = Directory { groups, members: members.into_iter().collect(), ..directory() };
            Policy::resolve(parse(&text).unwrap(), &directory, known, now().date_naive(), false)
        };
        let policy = resolve(Some(&known)).unwrap();
        assert_eq!(policy.allowed.keys().copied().collect::<Vec<_>>(), [ANNA, BOB, GIL, HANA, Uuid::from_u128(99)]);
        assert_eq!(policy.people(), 4);
        insta::assert_snapshot!(policy.stale.join("\n"), @r#"
        the account `lee@example.com` (line 3) is gone from the portal; take it out of the policy
        `ann@example.com` (line 3) is anna@example.com now; correct the policy
        `Staff` (line 4) is the name of 2 groups now, and the one that was meant has the id 00000000-0000-0000-0000-000000000046; correct the policy
        `Board` (line 4) is called "The board" now; correct the policy
        the group `Sales` (line 4) is gone from the portal; take it out of the policy
        "#);
        assert_eq!(policy.names.people.len(), 3, "the next run knows them, too");
        assert_eq!(policy.names.groups, known.groups);
        // nobody knows without memory; whoever never knew them made a mistake
        assert_eq!(resolve(None).unwrap_err().len(), 1, "two groups of one name");
        assert_eq!(resolve(Some(&KnownNames::default())).unwrap_err().len(), 5);
    }

    /// Whoever may change e-mail addresses or names of groups could give a rule to somebody else.
    #[test]
    fn a_name_that_has_moved_to_another_is_told_once() {
        let text = rule("people = [\"bob@example.com\"]\ngroups = [\"Staff\"]");
        let (groups, members) = group(70, "Staff", &[GIL]);
        let old = Uuid::from_u128(71);
        let directory = Directory { members: [(groups.id, members)].into(), groups: vec![groups], ..directory() };
        let known = KnownNames {
            people: [("bob@example.com".to_owned(), ANNA)].into(),
            groups: [("Staff".to_owned(), old)].into(),
        };
        let resolve = |known: &KnownNames| {
            Policy::resolve(parse(&text).unwrap(), &directory, Some(known), now().date_naive(), false).unwrap()
        };
        let policy = resolve(&known);
        let expected = [
            format!(
                "`bob@example.com` (line 3) means another account than before: it was anna ({ANNA}), and is bob ({BOB})"
            ),
            format!(
                "`Staff` (line 4) means another group than before: it was {old}, which is gone, and is Staff ({})",
                Uuid::from_u128(70)
            ),
        ];
        assert_eq!(policy.stale.len(), 2);
        for (told, expected) in policy.stale.iter().zip(expected) {
            assert!(told.starts_with(&expected), "{told}");
        }
        assert_eq!(resolve(&policy.names).stale, Vec::<String>::new(), "the next run knows the new one");
    }

    #[test]
    fn a_single_ipv6_address_can_stand_for_its_network() {
        let text = rule("people = [\"bob@example.com\"]");
        let neighbour = Address::parse("2001:db8::ffff");
        let is_allowed = |by_64| {
            matches!(
                resolved(&text, Vec::new(), by_64).unwrap().judge(BOB, neighbour, now().date_naive()),
                Permission::Allowed(..)
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
