//! Generated offices of which the truth is known.

mod office;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use audit_model::{Address, AddressRange, Window};
use chrono::TimeDelta;
use office::{Office, UNTIL, ZONE};
use proptest::prelude::*;
use uuid::Uuid;

use super::sightings::Collector;
use super::*;
use crate::policy::{Policy, PolicyFile, holds, parse};
use crate::rule::found::Kind;
use crate::rule::sighting::Sighting;

fn window() -> Window {
    let until = UNTIL.parse().unwrap();
    Window::new(until - TimeDelta::days(90), until)
}

fn sightings(office: &Office) -> Sightings {
    let mut collector = Collector::new(office.logins.clone(), window(), ZONE);
    office.acts.iter().for_each(|act| collector.push(act));
    collector.finish()
}

fn with<T>(office: &Office, then: impl FnOnce(&Inputs<'_>, &Sightings) -> T) -> T {
    let (limits, countries) = (Limits::default(), BTreeMap::new());
    let inputs = Inputs {
        directory: &office.directory,
        service_accounts: &office.robots,
        is_public: true,
        ipv6_by_64: false,
        limits: &limits,
        zone: ZONE,
        only: None,
        countries: &countries,
    };
    then(&inputs, &sightings(office))
}

fn suggested(office: &Office) -> Suggestion {
    with(office, |inputs, sightings| Suggestion::make(inputs, sightings, window()))
}

fn entries(suggestion: &Suggestion, person: Uuid) -> Vec<AddressRange> {
    let own = suggestion.rules.iter().filter(|rule| rule.members.contains(&person));
    own.flat_map(|rule| &rule.allow).map(|entry| entry.entry).collect()
}

fn allows(suggestion: &Suggestion, person: Uuid, ip: &str) -> bool {
    entries(suggestion, person).iter().any(|entry| entry.contains(ip.parse().unwrap()))
}

fn why_not(suggestion: &Suggestion, person: Uuid) -> Option<WhyNot> {
    suggestion.people.iter().find(|one| one.person.id == person).map(|one| one.why)
}

fn looks_at(suggestion: &Suggestion, person: Uuid, ip: &str) -> Option<Why> {
    let ip: IpAddr = ip.parse().unwrap();
    let mut places = suggestion.not_proposed.iter().filter(|one| one.person.id == person);
    places.find(|one| one.addresses.contains(&ip)).map(|one| one.why)
}

#[test]
fn everybody_gets_the_places_that_are_theirs() {
    let office = Office::usual(7);
    let suggestion = suggested(&office);
    let id = |name: &str| office.id(name);
    for worker in ["worker0", "worker1", "worker5"] {
        assert!(allows(&suggestion, id(worker), "198.51.100.5"), "{worker}");
    }
    assert!(suggestion.rules[0].groups.contains(&"Office".to_owned()), "{:?}", suggestion.rules[0]);
    let net: AddressRange = "198.51.100.4/30".parse().unwrap();
    assert_eq!(suggestion.rules[0].allow.iter().map(|entry| entry.entry).collect::<Vec<_>>(), [net]);
    assert!(allows(&suggestion, id("home0"), "203.0.113.10") && allows(&suggestion, id("worker0"), "203.0.113.50"));
    assert!(allows(&suggestion, id("mover"), "203.0.113.60") && allows(&suggestion, id("mover"), "203.0.114.60"));
    assert_eq!(why_not(&suggestion, id("roamer")), Some(WhyNot::Roaming));
    assert_eq!(why_not(&suggestion, id("six")), Some(WhyNot::Ipv6Only));
    assert_eq!(why_not(&suggestion, id("joiner")), Some(WhyNot::ShortHistory));
    assert_eq!(why_not(&suggestion, id("absent")), Some(WhyNot::Unseen));
    assert!(entries(&suggestion, id("leaver")).is_empty() && why_not(&suggestion, id("leaver")).is_none());
    assert!(entries(&suggestion, id("robot")).is_empty());
    assert_eq!(suggestion.robots[0].addresses, ["203.0.113.200".parse::<IpAddr>().unwrap()]);
    // what one person alone uses ends, and what is shared does not
    let ends = |rule: &SuggestedRule| rule.expires.is_some();
    assert!(
        !ends(&suggestion.rules[0]) && suggestion.rules[1..].iter().all(|rule| ends(rule) == (rule.members.len() == 1))
    );
    let left_out: BTreeSet<LeftOut> = suggestion.left_out.iter().map(|one| one.why).collect();
    let all = [
        LeftOut::SetByRequest,
        LeftOut::NoAddress,
        LeftOut::Cut,
        LeftOut::Empty,
        LeftOut::Private,
        LeftOut::SavedByEditor,
        LeftOut::Robot,
        LeftOut::Disabled,
        LeftOut::Gone,
    ];
    assert_eq!(left_out, all.into());
}

#[test]
fn ordinary_things_that_look_bad_cost_nobody_their_place() {
    let office = Office::usual(7);
    let suggestion = suggested(&office);
    assert!(allows(&suggestion, office.id("home1"), "203.0.113.11"), "typed six wrong passwords at home");
    assert!(allows(&suggestion, office.id("home2"), "203.0.113.12"), "a phone with an outdated password");
    assert_eq!(looks_at(&suggestion, office.id("home0"), "203.0.115.9"), Some(Why::OneDay), "a hotel");
    assert!(allows(&suggestion, office.id("home0"), "203.0.113.10"));
}

#[test]
fn what_an_attacker_used_is_named_and_not_proposed() {
    let office = Office::usual(7);
    let suggestion = suggested(&office);
    let victim = office.id("worker3");
    assert_eq!(looks_at(&suggestion, victim, "192.0.2.66"), Some(Why::AfterFailedLogins));
    assert_eq!(looks_at(&suggestion, victim, "192.0.2.99"), Some(Why::AfterTakeover), "days later, from elsewhere");
    assert!(allows(&suggestion, victim, "198.51.100.5"), "the office is still theirs");
    assert_eq!(looks_at(&suggestion, office.id("home3"), "192.0.3.7"), Some(Why::NewCountry));
    assert!(allows(&suggestion, office.id("home3"), "203.0.113.13"));
}

/// Three stolen passwords, used in peace from one address for 89 days, make a shared place. Then somebody goes loud there.
#[test]
fn a_place_that_is_used_in_peace_is_not_proposed_once_others_are_tried_from_there() {
    for seed in [7, 8] {
        let quiet = suggested(&Office::infiltrated(seed, false));
        assert!(
            allows(&quiet, Office::infiltrated(seed, false).id("home0"), "192.0.2.66"),
            "only its noise gives it away"
        );
        let office = Office::infiltrated(seed, true);
        check_everything(&office).unwrap();
        let suggestion = suggested(&office);
        for victim in ["home0", "home1", "home2"] {
            assert_eq!(
                looks_at(&suggestion, office.id(victim), "192.0.2.66"),
                Some(Why::AfterFailedLogins),
                "{victim}"
            );
        }
        assert!(allows(&suggestion, office.id("home1"), "203.0.113.11"), "their homes stay theirs");
        assert!(allows(&suggestion, office.id("worker0"), "198.51.100.4"), "and so does the office");
    }
}

/// Colleagues at a conference share an address with everybody in the hotel, somebody who guesses among them.
#[test]
fn a_hotel_from_which_somebody_guesses_is_no_shared_place() {
    for seed in [7, 8] {
        let office = Office::at_a_conference(seed);
        check_everything(&office).unwrap();
        let suggestion = suggested(&office);
        assert_eq!(looks_at(&suggestion, office.id("worker1"), "192.0.2.77"), Some(Why::AfterFailedLogins));
        assert!(allows(&suggestion, office.id("worker1"), "198.51.100.5"));
    }
}

/// Somebody tries for a month, and never gets in; meanwhile four people move to another office.
#[test]
fn a_new_office_is_proposed_and_failed_logins_teach_nothing() {
    let office = Office::moving(7);
    check_everything(&office).unwrap();
    let suggestion = suggested(&office);
    for worker in ["worker0", "worker3"] {
        assert!(allows(&suggestion, office.id(worker), "198.51.101.4"), "{worker}");
        assert!(allows(&suggestion, office.id(worker), "198.51.100.4"), "{worker}");
    }
    assert_eq!(looks_at(&suggestion, office.id("worker6"), "192.0.2.88"), None, "nobody came from there");
    assert!(allows(&suggestion, office.id("worker6"), "198.51.100.4"));
}

#[test]
fn a_proxy_is_named_and_nothing_is_proposed() {
    let suggestion = suggested(&Office::behind_a_proxy(7));
    assert_eq!(suggestion.proxy, "198.51.100.1".parse().ok());
    assert!(suggestion.rules.is_empty());
    let text = with(&Office::behind_a_proxy(7), |inputs, seen| first_policy(inputs, seen, window(), "https://portal"));
    assert!(text.contains("the portal sees a proxy"), "{text}");
}

#[test]
fn people_without_an_office_get_their_homes() {
    let office = Office::scattered(7);
    let suggestion = suggested(&office);
    for number in 0..6 {
        assert!(allows(&suggestion, office.id(&format!("home{number}")), &format!("203.0.113.{}", 10 + number)));
    }
    assert!(suggestion.rules.iter().all(|rule| rule.members.len() == 1), "a couple is no office");
}

/// Whatever people call themselves, a rule means them and nobody else.
#[test]
fn names_that_several_have_or_that_are_hostile_harm_nobody() {
    let mut office = Office::usual(7);
    let hostile = "x\"]\n[[rule]]\nallow = [\"0.0.0.0/0\"";
    let (first, second) = (office.id("home0"), office.id("home1"));
    for account in office.directory.people.values_mut() {
        account.person.name = hostile.into();
    }
    for (id, email) in [(first, "Same@example.com"), (second, "same@example.com"), (office.id("home2"), hostile)] {
        office.directory.people.get_mut(&id).unwrap().person.email = Some(email.into());
    }
    let twin = office.directory.groups[0].clone();
    office.directory.groups.push(docspace_client::Group { id: Uuid::from_u128(77), ..twin });
    check_everything(&office).unwrap();
    let suggestion = suggested(&office);
    assert_eq!(suggestion.rules[0].groups, [office.directory.groups[0].id.to_string()]);
    let named: Vec<&String> = suggestion.rules.iter().flat_map(|rule| &rule.people).collect();
    assert!(named.contains(&&first.to_string()) && named.contains(&&second.to_string()), "{named:?}");
    assert!(suggestion.rules.iter().flat_map(|rule| &rule.allow).all(|entry| entry.entry.size() <= Some(4)));
}

/// What the policy makes of the last quarter, counted by hand.
fn counted(
    office: &Office,
    file: &PolicyFile,
    since: DateTime<Utc>,
) -> (BTreeMap<Kind, u64>, u64, BTreeSet<Uuid>, usize) {
    let is_named = |rule: &crate::policy::Rule, who: Uuid| {
        let by_email = rule.people.iter().any(|name| office.directory.person(&name.text).unwrap().person.id == who);
        let groups = rule.groups.iter().flat_map(|name| office.directory.groups_meant_by(&name.text));
        by_email || groups.into_iter().any(|group| office.directory.members[&group.id].contains(&who))
    };
    let rules = |who: Uuid| file.rules.iter().filter(|rule| is_named(rule, who)).collect::<Vec<_>>();
    let mut findings: BTreeSet<(Kind, Uuid, String)> = BTreeSet::new();
    let (mut logins, mut came, mut let_in) = (0, BTreeSet::new(), BTreeSet::new());
    let of_active = |row: &&Sighting| office.active.contains(&row.user) && row.at >= since;
    for row in office.logins.iter().chain(&office.acts).filter(of_active) {
        let is_login = row.action.is_successful_login();
        if row.action.is_failed_login() || row.action.is_saved_by_editor() {
            continue;
        }
        let own = rules(row.user);
        let ip = row.address();
        let is_allowed =
            ip.ip().is_some_and(|ip| own.iter().any(|rule| rule.allow.iter().any(|entry| entry.range.contains(ip))));
        logins += u64::from(is_login);
        if is_login && !own.is_empty() {
            came.insert(row.user);
            if is_allowed && !row.ip_was_set {
                let_in.insert(row.user);
            }
        }
        let place = match ip {
            _ if row.ip_was_set || ip == Address::NotAnAddress => continue,
            _ if own.is_empty() => (Kind::Unnamed, Uuid::nil(), String::new()),
            Address::Stump(group) => (Kind::CannotJudge, row.user, format!("{group}")),
            Address::Empty => (Kind::CannotJudge, row.user, "nothing".to_owned()),
            Address::Private(ip) => (Kind::CannotJudge, row.user, AddressRange::neighbourhood(ip).to_string()),
            _ if is_allowed => continue,
            Address::V4(ip) => (Kind::NotAllowed, row.user, ip.to_string().rsplit_once('.').unwrap().0.to_owned()),
            _ => unreachable!(),
        };
        findings.insert(place);
    }
    let mut by_kind = BTreeMap::new();
    for (kind, ..) in findings {
        *by_kind.entry(kind).or_default() += 1;
    }
    (by_kind, logins, came.difference(&let_in).copied().collect(), came.len())
}

fn check_proof(office: &Office) {
    with(office, |inputs, sightings| {
        let proof = Proof::of(inputs, sightings, window()).unwrap();
        let first = office.logins[0].at;
        let exact = first + (window().until - first) * 3 / 4;
        assert!(exact - proof.judged.since < TimeDelta::hours(25) && proof.judged.since <= exact);
        assert_eq!((proof.judged.until, proof.made_from.until), (window().until, proof.judged.since));
        let tried = Suggestion::make(inputs, sightings, proof.made_from);
        let file = parse(&text::rules(inputs, &tried)).unwrap();
        let (by_kind, logins, out, people) = counted(office, &file, proof.judged.since);
        assert_eq!((&proof.by_kind, proof.logins, proof.people), (&by_kind, logins, people));
        assert_eq!(proof.locked_out.iter().map(|person| person.id).collect::<BTreeSet<_>>(), out);
        assert_eq!(proof.findings, by_kind.values().sum::<u64>());
    });
}

#[test]
fn somebody_who_moves_house_is_locked_out_in_the_replay() {
    let office = Office::usual(7);
    check_proof(&office);
    let proof = with(&office, |inputs, sightings| Proof::of(inputs, sightings, window()).unwrap());
    let out: Vec<Uuid> = proof.locked_out.iter().map(|person| person.id).collect();
    assert_eq!(out, [office.id("mover")]);
    assert!(proof.by_kind[&Kind::NotAllowed] > 0 && proof.unnamed > 0);
}

#[test]
fn a_policy_that_is_suggested_lacks_nothing_that_is_suggested() {
    let office = Office::usual(7);
    with(&office, |inputs, sightings| {
        let suggestion = Suggestion::make(inputs, sightings, window());
        let resolved = |text: &str| {
            Policy::resolve(parse(text).unwrap(), inputs.directory, None, window().until.date_naive(), false).unwrap()
        };
        let whole = resolved(&text::rules(inputs, &suggestion));
        let against = Against::of(inputs, &suggestion, sightings, &whole);
        assert_eq!((against.new, against.unseen), (Vec::new(), Vec::new()));
        let old = "[[rule]]\nlabel = \"shared: 198.51.100.4/30\"\npeople = [\"worker0@example.com\"]\nallow = [\"198.51.100.0/24\",\n\"192.0.2.200\"]\n";
        let against = Against::of(inputs, &suggestion, sightings, &resolved(old));
        assert_eq!(
            against.unseen.iter().map(|one| (one.line, one.entry.to_string())).collect::<Vec<_>>(),
            [(5, "192.0.2.200".to_owned())]
        );
        let office_rule = &against.new[0];
        assert_eq!(office_rule.label, "shared: 198.51.100.4/30 (2)");
        assert!(!office_rule.members.contains(&office.id("worker0")) && office_rule.groups.is_empty());
        // both together are one policy
        let text = format!("{old}{}", text::difference(inputs, &against, "https://portal"));
        let joined = Against::of(inputs, &suggestion, sightings, &resolved(&text));
        assert_eq!(joined.new, Vec::new());
    });
}

#[test]
fn too_little_history_says_so() {
    let mut office = Office::usual(7);
    let since = window().until - TimeDelta::days(2);
    office.logins.retain(|row| row.at >= since);
    office.acts.retain(|row| row.at >= since);
    let text = with(&office, |inputs, sightings| first_policy(inputs, sightings, window(), "https://portal"));
    assert!(text.contains("Not tried") && text.contains("days only, 3 are needed"), "{text}");
}

#[test]
fn only_the_people_asked_for_are_in_it() {
    let office = Office::usual(7);
    let only = BTreeSet::from([office.id("worker0")]);
    let suggestion = with(&office, |inputs, sightings| {
        Suggestion::make(&Inputs { only: Some(&only), ..*inputs }, sightings, window())
    });
    assert!(suggestion.rules.iter().all(|rule| rule.members == only));
    assert!(allows(&suggestion, office.id("worker0"), "198.51.100.5"), "the others still make it a shared place");
}

#[test]
fn the_text_is_a_policy() {
    let office = Office::usual(7);
    let text = with(&office, |inputs, sightings| first_policy(inputs, sightings, window(), "https://docs.example.com"));
    insta::assert_snapshot!("suggest_text", text);
}

fn check_everything(office: &Office) -> Result<(), TestCaseError> {
    let suggestion = suggested(office);
    for rule in &suggestion.rules {
        for attacker in &office.attackers {
            let held = rule.allow.iter().find(|entry| entry.entry.contains(*attacker));
            prop_assert!(held.is_none(), "{attacker} is in {rule:?}");
        }
        for member in &rule.members {
            prop_assert!(office.active.contains(member));
        }
    }
    let (once, twice) = with(office, |inputs, sightings| {
        let text = || first_policy(inputs, sightings, window(), "https://portal");
        (text(), text())
    });
    prop_assert_eq!(&once, &twice);
    if !suggestion.rules.is_empty() {
        let file = parse(&once).unwrap();
        let today = window().until.date_naive();
        let policy = Policy::resolve(file, &office.directory, None, today, false).unwrap();
        // names mean whom they should
        for rule in &suggestion.rules {
            for (person, entry) in
                rule.members.iter().flat_map(|person| rule.allow.iter().map(move |entry| (person, entry)))
            {
                let own = policy.allowed(*person).unwrap();
                let mut ranges = own.rules.iter().flat_map(|rule| &policy.rules[*rule].allow);
                prop_assert!(ranges.any(|range| holds(range.range, entry.entry)));
            }
        }
        check_proof(office);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn no_attacker_is_learned_and_the_proof_is_true(seed in any::<u64>()) {
        check_everything(&Office::usual(seed))?;
        check_everything(&Office::scattered(seed))?;
        check_everything(&Office::behind_a_proxy(seed))?;
    }
}
