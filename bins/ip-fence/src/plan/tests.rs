//! Every way to lock people out that is known, as a plan that is refused or warned of.

use audit_model::{PortalText, Window};
use chrono::TimeDelta;
use docspace_client::{Identity, ListEntry, StoredList};

use super::danger::kind::DangerKind;
use super::file::{Circumstances, PlanFlags, policy_sha256};
use super::simulate::WhyOut;
use super::steps::{Deed, Whose};
use super::*;
use crate::policy::PolicyFile;
use crate::rule::sighting::Sighting;
use crate::testing::{ANNA, BOB, GIL, HANA, OLGA, act, directory, login, now, policy, policy_of};

const OFFICE: &str = "192.0.2.7";
const WEEKS_AGO: i64 = 20 * 86_400;

pub(super) struct World {
    /// The file of the policy, for its hash alone.
    pub(super) text: String,
    pub(super) list: AddressList,
    pub(super) remembered: Option<AddressList>,
    pub(super) policy: Policy,
    pub(super) settings: OwnPortal,
    pub(super) own_all: bool,
    pub(super) add_again: bool,
    pub(super) own_entries: Vec<OwnEntry>,
    pub(super) yes_remove: Option<u64>,
    pub(super) own_address: Option<IpAddr>,
    pub(super) lock_out: BTreeSet<Uuid>,
    pub(super) keys: Vec<ListedKey>,
    pub(super) me: Identity,
    pub(super) is_public: bool,
    pub(super) rows: Vec<Sighting>,
}

fn list(entries: &[&str], enabled: bool) -> AddressList {
    AddressList { entries: entries.iter().map(|ip| entry(ip)).collect(), enabled }
}

pub(super) fn entry(ip: &str) -> ListEntry {
    ListEntry { ip: PortalText::new(ip), for_admin: false }
}

impl World {
    /// The owner plans to switch a list of one address on, from which everybody came.
    pub(super) fn safe() -> Self {
        let person = directory().people[&OLGA].person.clone();
        World {
            text: String::new(),
            list: list(&[], false),
            remembered: None,
            policy: policy_of(
                "default = \"ignore\"\n[[rule]]\nlabel = \"office\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.7\", \"192.0.2.8\"]",
            ),
            settings: OwnPortal { enforce: Enforce::On, ..OwnPortal::default() },
            own_all: false,
            add_again: false,
            own_entries: Vec::new(),
            yes_remove: None,
            own_address: OFFICE.parse().ok(),
            lock_out: BTreeSet::new(),
            keys: Vec::new(),
            me: Identity { person, is_admin: true, is_owner: true },
            is_public: true,
            rows: vec![
                login(OLGA, OFFICE, WEEKS_AGO),
                login(BOB, OFFICE, 90),
                act(ANNA, "192.0.2.8", 80),
                login(HANA, OFFICE, 70),
            ],
        }
    }

    /// The same with the key of an admin.
    fn by_admin() -> Self {
        let person = directory().people[&ANNA].person.clone();
        World { me: Identity { person, is_admin: true, is_owner: false }, ..World::safe() }
    }

    fn plan(&self) -> Plan {
        self.plan_for(&directory())
    }

    fn plan_for(&self, directory: &Directory) -> Plan {
        self.planned(directory, |plan, _| plan)
    }

    /// The plan as a file that is made now, of a list as the portal has it.
    pub(super) fn file(&self, stored: &StoredList, portal_url: &url::Url) -> PlanFile {
        self.planned(&directory(), |plan, inputs| {
            let under = Circumstances {
                at: now(),
                by: Some("anna".to_owned()),
                portal_url,
                stored,
                policy_sha256: policy_sha256(&self.text, &plan, inputs).unwrap(),
                window: Window::new(now() - TimeDelta::days(30), now()),
                complete: true,
                flags: PlanFlags { own_all: self.own_all, own_address: self.own_address, ..PlanFlags::default() },
            };
            PlanFile::of(&plan, inputs, under).unwrap()
        })
    }

    fn planned<T>(&self, directory: &Directory, done: impl FnOnce(Plan, &Inputs<'_>) -> T) -> T {
        let mut seen = History::default();
        self.rows.iter().for_each(|row| seen.push(row));
        let inputs = Inputs {
            list: &self.list,
            remembered: self.remembered.as_ref(),
            policy: &self.policy,
            directory,
            service_accounts: &[],
            settings: &self.settings,
            own_all: self.own_all,
            add_again: self.add_again,
            own_entries: &self.own_entries,
            yes_remove: self.yes_remove,
            own_address: self.own_address,
            lock_out: &self.lock_out,
            keys: &self.keys,
            me: &self.me,
            is_public: self.is_public,
            seen: &seen,
            until: now(),
        };
        done(Plan::make(&inputs), &inputs)
    }

    /// Whether the danger is named, and whether it refuses the plan.
    fn has(&self, kind: DangerKind) -> Option<bool> {
        self.plan().dangers.iter().find(|danger| danger.kind == kind).map(|danger| danger.refuses)
    }
}

/// An entry that a confirmed write of ours added for a rule.
pub(super) fn own(ip: &str, rule: &str) -> OwnEntry {
    OwnEntry { entry: entry(ip), rule: rule.to_owned(), owner: None, since: now(), plan: "1".to_owned() }
}

pub(super) fn off() -> OwnPortal {
    OwnPortal { enforce: Enforce::Off, ..OwnPortal::default() }
}

#[test]
fn a_safe_plan_is_not_refused() {
    let plan = World::safe().plan();
    let kinds: Vec<DangerKind> = plan.dangers.iter().map(|danger| danger.kind).collect();
    assert_eq!((plan.is_refused(), kinds), (false, vec![DangerKind::SwitchGoesOn]), "{:?}", plan.dangers);
    assert_eq!((plan.simulation.people, plan.simulation.blocked.len(), plan.simulation.unseen), (3, 0, 0));
}

/// "Saving a list without `enable`": the plan says what the switch will be, and says so when it goes on.
#[test]
fn the_switch_is_always_said() {
    assert_eq!(World::safe().has(DangerKind::SwitchGoesOn), Some(false));
    let keep = World { settings: OwnPortal::default(), ..World::safe() };
    assert_eq!((keep.plan().switch.planned, keep.has(DangerKind::SwitchGoesOn)), (false, None));
    let on = World { settings: OwnPortal::default(), list: list(&[OFFICE], true), ..World::safe() };
    assert_eq!((on.plan().switch.planned, on.has(DangerKind::SwitchGoesOn)), (true, None));
}

/// Nobody was seen, and the list would still be one in which nobody of the policy stands.
#[test]
fn people_none_of_whose_addresses_the_list_can_hold_are_locked_out_seen_or_not() {
    let bob = |allow: &str| {
        let text = format!("[[rule]]\nlabel = \"a\"\npeople = [\"bob@example.com\"]\nallow = [{allow}]");
        World {
            policy: policy_of(&text),
            list: list(&["198.51.100.1"], false),
            rows: Vec::new(),
            own_address: "198.51.100.1".parse().ok(),
            ..World::safe()
        }
    };
    assert_eq!(bob("\"10.0.0.0/8\"").has(DangerKind::CannotHold), Some(true));
    assert!(bob("\"10.0.0.0/8\"").plan().is_refused());
    // he has another way in; and what the policy does not mean to let in is not locked out by mistake
    assert_eq!(bob("\"10.0.0.0/8\", \"192.0.2.7\"").has(DangerKind::CannotHold), Some(false));
    assert_eq!(bob("\"198.51.0.0/16\"").has(DangerKind::CannotHold), Some(false), "a foreign entry lets him in");
    assert_eq!(bob("").has(DangerKind::CannotHold), None);
    let stays_off = World { settings: OwnPortal::default(), ..bob("\"10.0.0.0/8\"") };
    assert_eq!(stays_off.has(DangerKind::CannotHold), Some(false));
}

/// "Own address not in the list, caller not owner."
#[test]
fn ones_own_address_must_be_in_the_list() {
    let foreign = "203.0.113.1".parse().ok();
    let owner = World { own_address: foreign, ..World::safe() };
    assert_eq!(owner.has(DangerKind::OwnAddressNotListed), Some(true), "other programs here have other keys");
    let admin = World { own_address: foreign, ..World::by_admin() };
    assert_eq!(admin.has(DangerKind::OwnAddressNotListed), Some(true));
    assert_eq!(World { settings: off(), ..admin }.has(DangerKind::OwnAddressNotListed), Some(false));
    assert_eq!(World::by_admin().has(DangerKind::OwnAddressNotListed), None);
    assert_eq!(
        World::by_admin().has(DangerKind::NotOwnersKey),
        Some(true),
        "nothing but the owner's key can repair it"
    );
    assert_eq!(World { settings: off(), ..World::by_admin() }.has(DangerKind::NotOwnersKey), None);
}

/// What the key's account did before it did in a browser, wherever that was.
#[test]
fn an_own_address_is_never_guessed() {
    for world in [World::by_admin(), World::safe()] {
        let mut world = World { own_address: None, ..world };
        world.rows.push(login(world.me.person.id, OFFICE, 10));
        assert_eq!(world.has(DangerKind::OwnAddressUnknown), Some(true));
        assert_eq!(World { settings: off(), ..world }.has(DangerKind::OwnAddressUnknown), Some(false));
    }
}

/// "IPv6 client, only the IPv4 address listed (or the reverse)."
#[test]
fn both_families_need_entries() {
    for noted in ["2001", "", "2001:db8::1"] {
        let mut world = World::safe();
        world.rows.push(login(HANA, noted, 10));
        assert_eq!(world.has(DangerKind::Families), Some(false), "{noted:?}");
    }
    let v6_only = World { policy: policy(&["2001:db8::1"]), ..World::safe() };
    assert_eq!(v6_only.has(DangerKind::Families), Some(false));
    assert!(v6_only.plan().is_refused(), "and everybody who came over IPv4 would have been refused");
    // a cut address is refused for sure when no entry begins like that, else nobody can tell
    let cut = World { rows: vec![login(HANA, "2001", 10)], ..World::safe() };
    assert_eq!((cut.plan().simulation.blocked.len(), cut.plan().simulation.unclear.len()), (1, 0));
    let cut = World { policy: policy(&[OFFICE, "2001:db8::1"]), ..cut };
    assert_eq!((cut.plan().simulation.blocked.len(), cut.plan().simulation.unclear.len()), (0, 1));
}

/// "Upper-case or expanded IPv6, octal or short IPv4."
#[test]
fn entries_that_never_match_are_named() {
    for odd in [
        "2001:DB8::1",
        "2001:db8:0:0:0:0:0:1",
        "010.0.0.1",
        "127.1",
        "[2001:db8::1]",
        "::ffff:192.0.2.7",
        "0.0.0.0",
        "fe80::1%eth0",
    ] {
        let world = World { list: list(&[odd], true), ..World::safe() };
        assert_eq!(world.has(DangerKind::NeverMatches), Some(true), "{odd}");
        assert!(world.plan().steps.iter().any(|step| step.entry.ip.raw() == odd && step.trouble.is_some()), "{odd}");
        assert_eq!(World { own_all: true, ..world }.has(DangerKind::NeverMatches), None, "{odd} is removed");
    }
    // what we write ourselves is canonical
    let world = World { policy: policy(&["2001:DB8:0::1", "::ffff:192.0.2.7"]), ..World::safe() };
    let written: Vec<String> = world.plan().list.iter().map(|entry| entry.ip.raw().to_owned()).collect();
    assert_eq!(written, [OFFICE, "2001:db8::1"]);
    let refused = World { policy: policy(&["::192.0.2.1", "0.0.0.0", "224.0.0.1", OFFICE]), ..World::safe() }.plan();
    assert_eq!((refused.cannot_hold.len(), refused.list.len()), (3, 1));
}

/// "All entries `forAdmin:true`."
#[test]
fn a_list_for_admins_only_is_refused() {
    let text = format!(
        "default = \"ignore\"\n[[rule]]\nlabel = \"a\"\npeople = [\"anna@example.com\"]\nallow = [\"{OFFICE}\"]\nfor_admin = true"
    );
    let world = World { policy: policy_of(&text), ..World::safe() };
    assert_eq!(world.has(DangerKind::AdminOnly), Some(true));
    assert!(world.plan().list[0].for_admin);
    let mixed = World { list: list(&["198.51.100.1"], false), ..world };
    assert_eq!(mixed.has(DangerKind::AdminOnly), None);
}

/// "Deployment sees a proxy address for all."
#[test]
fn a_proxy_that_hides_callers_is_noticed() {
    let rows = |ips: [&str; 3]| vec![login(BOB, ips[0], 90), login(ANNA, ips[1], 80), login(HANA, ips[2], 70)];
    let world = |ips| World { rows: rows(ips), ..World::safe() };
    assert_eq!(world([OFFICE; 3]).has(DangerKind::ProxyHidesCallers), Some(true));
    assert_eq!(world(["172.18.0.1", "172.18.0.2", "10.0.0.1"]).has(DangerKind::ProxyHidesCallers), Some(true));
    let inner = World { is_public: false, ..world(["172.18.0.1", "172.18.0.2", "10.0.0.1"]) };
    assert_eq!(inner.has(DangerKind::ProxyHidesCallers), None, "an intranet");
    assert_eq!(world([OFFICE, OFFICE, "192.0.2.8"]).has(DangerKind::ProxyHidesCallers), None);
    assert_eq!(World { settings: off(), ..world([OFFICE; 3]) }.has(DangerKind::ProxyHidesCallers), Some(false));
}

/// "`::1%a-b` style entry, or a CIDR or range row left in the database."
#[test]
fn entries_that_stop_everybody_refuse_every_plan() {
    for poison in ["::1%a-b", "192.0.2.0/24", "192.0.2.0-192.0.2.9", "example.com"] {
        let world = World { list: list(&[poison], true), ..World::safe() };
        assert_eq!(world.has(DangerKind::EntryStopsEverybody), Some(true), "{poison}");
        assert_eq!(world.plan().simulation.blocked.len(), 3, "{poison}");
        assert_eq!(
            World { settings: off(), ..world }.has(DangerKind::EntryStopsEverybody),
            Some(true),
            "it waits for the switch"
        );
        let removed = World { own_all: true, list: list(&[poison], true), ..World::safe() };
        // the portal takes a scope that breaks it, and no text that is no address
        let can_be_restored = poison.contains('%');
        let refused = (!can_be_restored).then_some(true);
        assert_eq!(removed.has(DangerKind::CannotWriteBack), refused, "{poison}");
        assert_eq!(removed.plan().is_refused(), !can_be_restored, "{poison}: {:?}", removed.plan().dangers);
    }
}

/// A list of so many foreign entries, of which `--own-all` removes all but those that the policy has.
fn long(entries: u32) -> World {
    let entries = (0..entries).map(|n| std::net::Ipv4Addr::from_bits(0xCB00_7100 + n).to_string());
    let entries: Vec<String> = entries.collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    World { list: list(&entries, true), own_all: true, ..World::safe() }
}

#[test]
fn large_changes_are_said_twice() {
    let large = |world: &World| world.has(DangerKind::LargeChange);
    assert_eq!(large(&long(9)), None, "a small list may be replaced");
    assert_eq!(large(&long(10)), Some(true));
    assert_eq!(large(&World { settings: off(), ..long(10) }), Some(true), "what is gone is gone");
    for (said, refused) in [(10, None), (9, Some(true)), (11, Some(true))] {
        assert_eq!(large(&World { yes_remove: Some(said), ..long(10) }), refused, "{said}");
    }
    assert_eq!(large(&World { yes_remove: Some(3), ..long(9) }), Some(true), "the number is wrong, needed or not");
    // 2 of 7 are less than 30 %, 3 of 10 are 30 %
    let part = |removed: usize, all: u32| {
        let world = long(all);
        let own_entries = world.list.entries.iter().take(removed).map(|entry| own(entry.ip.raw(), "gone")).collect();
        World { own_all: false, own_entries, ..world }
    };
    assert_eq!([large(&part(2, 10)), large(&part(3, 10)), large(&part(5, 17))], [None, Some(true), None]);
    let many = |hosts: u32| World {
        policy: policy_of(&format!(
            "[[rule]]\nlabel = \"a\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.0-{}\"]",
            std::net::Ipv4Addr::from_bits(0xC000_0200 + hosts - 1)
        )),
        settings: OwnPortal { expansion_cap: 65_536, ..OwnPortal::default() },
        ..World::safe()
    };
    assert_eq!([large(&many(2_000)), large(&many(2_001))], [None, Some(true)]);
    assert_eq!(large(&World { yes_remove: Some(0), ..many(2_001) }), None);
}

/// Each way to lock people out of `PUT settings/iprestrictions` that is known. That a list is saved without a word about its switch is
/// no plan at all, and that two people write at once makes it stale: the tests of its file have both.
#[test]
fn each_way_to_lock_people_out_is_refused() {
    let all_for_admins = |world: World| {
        let mut list = world.list.clone();
        list.entries = vec![ListEntry { for_admin: true, ..entry(OFFICE) }];
        World { list, policy: policy(&[]), ..world }
    };
    let from = |rows: Vec<Sighting>| World { rows: [World::safe().rows, rows].concat(), ..World::safe() };
    let roams = (0..5).map(|n| login(HANA, &format!("203.0.{n}.7"), 90 - n)).collect();
    let one_address = |row: Sighting| Sighting { ip: Some("172.18.0.1".into()), ..row };
    let behind_a_proxy = World { rows: World::safe().rows.into_iter().map(one_address).collect(), ..World::safe() };
    for (way, kind, world) in [
        (
            "own address not in the list",
            DangerKind::OwnAddressNotListed,
            World { own_address: "198.51.100.9".parse().ok(), ..World::by_admin() },
        ),
        ("not the owner's key", DangerKind::NotOwnersKey, World::by_admin()),
        ("own address unproven", DangerKind::OwnAddressUnknown, World { own_address: None, ..World::by_admin() }),
        (
            "IPv6 client, only IPv4 listed",
            DangerKind::AddressCut,
            World { rows: vec![login(BOB, "2001", WEEKS_AGO)], ..World::safe() },
        ),
        ("upper-case IPv6", DangerKind::NeverMatches, World { list: list(&["2001:DB8::1"], true), ..World::safe() }),
        ("octal IPv4", DangerKind::NeverMatches, World { list: list(&["010.0.0.1"], true), ..World::safe() }),
        ("all for admins", DangerKind::AdminOnly, all_for_admins(World::safe())),
        ("an empty list", DangerKind::EmptyList, World { policy: policy(&[]), ..World::safe() }),
        ("a proxy for all", DangerKind::ProxyHidesCallers, behind_a_proxy),
        (
            "a scope with a dash",
            DangerKind::EntryStopsEverybody,
            World { list: list(&["::1%a-b"], true), ..World::safe() },
        ),
        (
            "a network in the table",
            DangerKind::CannotWriteBack,
            World { list: list(&["192.0.2.0/24"], true), ..World::safe() },
        ),
        ("roaming addresses", DangerKind::BlocksPeople, from(roams)),
    ] {
        assert_eq!(world.has(kind), Some(true), "{way}: {:?}", world.plan().dangers);
    }
}

/// "Dynamic or roaming addresses: exact addresses only."
#[test]
fn people_who_roam_are_named() {
    let mut world = World::safe();
    world.rows.extend((0..5).map(|n| login(BOB, &format!("203.0.{n}.7"), 90 - n)));
    assert_eq!(world.has(DangerKind::Roaming), Some(false));
    assert_eq!(world.has(DangerKind::BlocksSome), Some(false), "no rule allows him those, and he has another way in");
    assert!(!world.plan().is_refused(), "{:?}", world.plan().dangers);
    assert!(world.plan().simulation.blocked.iter().all(|blocked| blocked.allowed == Some(false) && !blocked.meant));
}

/// "Replace-all race."
#[test]
fn a_list_that_somebody_changed_meanwhile_is_noticed() {
    let world = World { remembered: Some(list(&["198.51.100.1"], false)), ..World::safe() };
    assert_eq!(world.has(DangerKind::ChangedMeanwhile), Some(false));
    assert_eq!(World { remembered: Some(list(&[], false)), ..World::safe() }.has(DangerKind::ChangedMeanwhile), None);
}

#[test]
fn an_empty_list_cannot_be_switched_on() {
    let world = World { policy: policy(&[]), ..World::safe() };
    assert_eq!(world.has(DangerKind::EmptyList), Some(true));
}

/// A policy with a typo in it says the same as one that locks somebody out on purpose, so it has to be said twice.
#[test]
fn whoever_has_no_way_in_left_refuses_named_or_not() {
    let moved = World { rows: vec![login(OLGA, OFFICE, WEEKS_AGO), login(BOB, "203.0.113.7", 90)], ..World::safe() };
    let why = |world: &World, person: Uuid| {
        let out = world.plan().simulation.no_way_in;
        out.into_iter().find(|out| out.person.id == person).map(|out| (out.why, out.named))
    };
    assert_eq!(why(&moved, BOB), Some((WhyOut::Refused, true)));
    assert_eq!(moved.has(DangerKind::NoWayIn), Some(true));
    let text = moved.plan().dangers.into_iter().find(|danger| danger.kind == DangerKind::NoWayIn).unwrap().text;
    for part in ["bob <bob@example.com> (last from 203.0.113.7)", "--lock-out", "allow their addresses"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // one login that would have succeeded is a way in; an action is none, its session may have begun anywhere
    let mut home = World { rows: moved.rows.clone(), ..World::safe() };
    home.rows.push(act(BOB, OFFICE, 80));
    assert_eq!(why(&home, BOB), Some((WhyOut::Refused, true)));
    home.rows.push(login(BOB, OFFICE, 70));
    assert_eq!(why(&home, BOB), None);
    // nobody whom a rule names
    let guest = World { rows: vec![login(OLGA, OFFICE, WEEKS_AGO), login(HANA, "198.51.100.80", 90)], ..World::safe() };
    assert_eq!(why(&guest, HANA), Some((WhyOut::Refused, false)));
    assert_eq!(World { settings: off(), ..guest }.has(DangerKind::NoWayIn), Some(false), "nobody is blocked");
}

#[test]
fn what_the_policy_means_is_an_empty_list_or_the_flag() {
    let rows = || {
        vec![
            login(OLGA, OFFICE, WEEKS_AGO),
            login(BOB, "203.0.113.7", 90),
            login(HANA, OFFICE, 70),
            act(ANNA, OFFICE, 60),
        ]
    };
    let flag = World { lock_out: BTreeSet::from([BOB]), rows: rows(), ..World::safe() };
    assert!(!flag.plan().is_refused(), "{:?}", flag.plan().dangers);
    assert!(flag.plan().simulation.blocked[0].meant);
    let rule = |allow: &str, more: &str| {
        policy_of(&format!(
            "[[rule]]\nlabel = \"a\"\npeople = [\"bob@example.com\"]\nallow = [{allow}]\n{more}\n[[rule]]\nlabel = \"b\"\npeople = [\"anna@example.com\"]\nallow = [\"{OFFICE}\"]"
        ))
    };
    let nowhere = World { policy: rule("", ""), rows: rows(), ..World::safe() };
    assert!(!nowhere.plan().is_refused(), "{:?}", nowhere.plan().dangers);
    // a rule that has ended means nothing any more
    let ended = World { policy: rule("", "expires = \"2026-11-01\""), rows: rows(), ..World::safe() };
    assert_eq!(ended.has(DangerKind::NoWayIn), Some(true));
}

/// Allowed by a network that is too large to be written down, and another way in.
#[test]
fn ways_that_a_rule_allows_and_the_list_cannot_are_told() {
    let large = World {
        policy: policy(&["192.0.2.0/24", "198.51.0.0/16"]),
        rows: vec![login(OLGA, OFFICE, WEEKS_AGO), login(BOB, "198.51.100.7", 90), login(BOB, OFFICE, 80)],
        ..World::safe()
    };
    assert_eq!((large.has(DangerKind::BlocksPeople), large.has(DangerKind::CannotHold)), (Some(true), Some(false)));
    assert_eq!(World { settings: off(), ..large }.has(DangerKind::BlocksPeople), Some(false));
    // the owner, disabled people and visitors cannot be locked out
    let mut others = World::safe();
    others.rows.extend([
        login(OLGA, "198.51.100.1", 9),
        act(GIL, "198.51.100.2", 8),
        act(audit_model::GUEST_ACCOUNT, "198.51.100.3", 7),
    ]);
    assert!(!others.plan().is_refused(), "{:?}", others.plan().dangers);
}

/// A plan replays what was seen. When that is nothing, nobody can tell whom it would lock out.
#[test]
fn too_little_history_refuses() {
    let none = World { rows: Vec::new(), ..World::safe() };
    assert_eq!(none.has(DangerKind::NoHistory), Some(true));
    let owner_only = World { rows: vec![login(OLGA, OFFICE, WEEKS_AGO)], ..World::safe() };
    assert_eq!(owner_only.has(DangerKind::NoHistory), Some(true));
    let reaching = |seconds| {
        let mut world = World::safe();
        world.rows[0] = login(OLGA, OFFICE, seconds);
        world.has(DangerKind::ShortHistory)
    };
    assert_eq!((reaching(7 * 86_400 - 1), reaching(7 * 86_400)), (Some(true), None));
}

/// The portal notes the first group of an IPv6 address only, and compares all of them.
#[test]
fn people_of_whom_no_whole_address_was_seen_refuse() {
    let over_v6 = |more: &[&str]| {
        let mut world = World { policy: policy(&[OFFICE, "2001:db8::1"]), ..World::safe() };
        world.rows.retain(|row| row.user != BOB);
        world.rows.push(login(BOB, "2001", 90));
        world.rows.extend(more.iter().map(|ip| login(BOB, ip, 80)));
        world
    };
    assert_eq!(over_v6(&[]).has(DangerKind::AddressCut), Some(true));
    assert_eq!(over_v6(&["", "office"]).has(DangerKind::AddressCut), Some(true), "those are no whole addresses");
    assert_eq!(over_v6(&[OFFICE]).has(DangerKind::AddressCut), None, "a way in that is known");
    let elsewhere = over_v6(&["203.0.113.7"]);
    assert_eq!((elsewhere.has(DangerKind::AddressCut), elsewhere.has(DangerKind::NoWayIn)), (None, Some(true)));
}

fn key(owner: Uuid, days_ago: Option<i64>) -> ListedKey {
    ListedKey {
        name: "backup".into(),
        owner: Some(owner),
        last_used: days_ago.map(|days| now() - TimeDelta::days(days)),
        expires: None,
        active: true,
    }
}

#[test]
fn people_and_robots_whom_nobody_saw_refuse_unless_a_rule_names_them() {
    let mut unseen = World::safe();
    unseen.rows.retain(|row| row.user != HANA && row.user != BOB);
    assert_eq!(unseen.has(DangerKind::NobodySaw), Some(true));
    let out: Vec<Uuid> = unseen.plan().simulation.no_way_in.iter().map(|out| out.person.id).collect();
    assert_eq!(out, [HANA], "a rule says from where bob comes");
    for (days_ago, kind) in
        [(Some(30), DangerKind::KeyUnseen), (Some(31), DangerKind::NobodySaw), (None, DangerKind::NobodySaw)]
    {
        unseen.keys = vec![key(HANA, days_ago), key(OLGA, Some(1))];
        assert_eq!(unseen.has(kind), Some(true), "{days_ago:?}");
        assert_eq!(unseen.plan().simulation.no_way_in.len(), 1);
    }
    unseen.keys = vec![ListedKey { active: false, ..key(HANA, Some(1)) }];
    assert_eq!(unseen.has(DangerKind::NobodySaw), Some(true), "a key that is switched off");
    unseen.keys = vec![key(BOB, Some(1))];
    assert_eq!(
        unseen.has(DangerKind::KeysInUse),
        Some(false),
        "a rule names bob; from where his key comes nobody knows"
    );
    let named = World { lock_out: BTreeSet::from([HANA]), ..unseen };
    assert!(!named.plan().is_refused(), "{:?}", named.plan().dangers);
}

/// A server may come to know a status that is not known here; such people sign in all the same.
#[test]
fn people_of_unknown_status_count_as_active() {
    let mut directory = directory();
    directory.people.get_mut(&HANA).unwrap().person.status = None;
    let world = World { rows: vec![login(HANA, "198.51.100.80", 90)], ..World::safe() };
    assert_eq!(world.plan_for(&directory).simulation.blocked.len(), 1);
}

#[test]
fn the_list_is_compared_entry_by_entry() {
    let list = AddressList {
        entries: vec![
            entry("192.0.2.7"),
            entry("192.0.2.7"),
            ListEntry { for_admin: true, ..entry("192.0.2.8") },
            entry("198.51.100.1"),
        ],
        enabled: false,
    };
    let world = World { policy: policy(&["192.0.2.7-192.0.2.9"]), list, ..World::safe() };
    let deeds = |world: &World| -> Vec<(Deed, String, bool)> {
        let steps = world.plan().steps.into_iter();
        steps.map(|step| (step.deed, step.entry.ip.raw().to_owned(), step.entry.for_admin)).collect()
    };
    let expected = |deed, ip: &str, for_admin| (deed, ip.to_owned(), for_admin);
    let common = [expected(Deed::Add, "192.0.2.8", false), expected(Deed::Add, "192.0.2.9", false)];
    let kept = [expected(Deed::Keep, "192.0.2.7", false)];
    let foreign = [
        expected(Deed::Foreign, "192.0.2.7", false),
        expected(Deed::Foreign, "192.0.2.8", true),
        expected(Deed::Foreign, "198.51.100.1", false),
    ];
    assert_eq!(deeds(&world), [&common[..], &kept, &foreign].concat(), "a double is kept like what is foreign");
    let own_all = World { own_all: true, ..world };
    let removed = [
        expected(Deed::Remove, "192.0.2.7", false),
        expected(Deed::Remove, "192.0.2.8", true),
        expected(Deed::Remove, "198.51.100.1", false),
    ];
    assert_eq!(deeds(&own_all), [&common[..2], &removed, &kept].concat());
    assert_eq!(own_all.plan().list.len(), 3);
    assert_eq!(own_all.plan().expanded[0].addresses, 3);
}

#[test]
fn networks_above_the_cap_are_not_expanded() {
    let with_cap = |cap| OwnPortal { expansion_cap: cap, ..World::safe().settings };
    let world = |cap| World {
        policy: policy(&["192.0.2.0/24", "2001:db8::/32", "::/0"]),
        settings: with_cap(cap),
        ..World::safe()
    };
    assert_eq!((world(256).plan().list.len(), world(256).plan().cannot_hold.len()), (256, 2));
    assert_eq!((world(255).plan().list.len(), world(255).plan().cannot_hold.len()), (0, 3));
}

#[test]
fn a_policy_without_rules_wants_nothing() {
    let file = PolicyFile { default: crate::policy::Unnamed::Ignore, rules: Vec::new() };
    let policy = Policy::resolve(file, &directory(), None, crate::testing::now().date_naive(), false).unwrap();
    assert_eq!(World { policy, ..World::safe() }.plan().list, []);
}

/// Who wrote an entry decides over it: what was there before us, and what others changed, is not ours to take out.
#[test]
fn only_own_entries_are_removed_and_none_that_others_removed_is_added_again() {
    let text = "default = \"ignore\"\n[[rule]]\nlabel = \"office\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.7\", \"192.0.2.8\"]\n\
                [[rule]]\nlabel = \"fair\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.20\"]\nexpires = \"2026-11-01\"\n\
                [[rule]]\nlabel = \"leaver\"\npeople = [\"gil@example.com\"]\nallow = [\"192.0.2.30\"]";
    let changed = ListEntry { for_admin: true, ..entry("192.0.2.50") };
    let mut standing =
        list(&["192.0.2.7", "192.0.2.10", "192.0.2.20", "192.0.2.30", "192.0.2.40", "198.51.100.1"], true);
    standing.entries.push(changed);
    let own_entries = vec![
        own("192.0.2.7", "office"),
        own("192.0.2.8", "office"),
        own("192.0.2.10", "office"),
        own("192.0.2.20", "fair"),
        own("192.0.2.30", "leaver"),
        own("192.0.2.40", "gone"),
        own("192.0.2.50", "office"),
    ];
    let world = World { policy: policy_of(text), list: standing, own_entries, ..World::safe() };
    let steps = |world: &World| -> Vec<(String, Deed, Option<Whose>, String)> {
        let steps = world.plan().steps.into_iter();
        steps
            .map(|step| (step.entry.ip.raw().to_owned(), step.deed, step.whose, step.why.unwrap_or_default()))
            .collect()
    };
    let expected = |ip: &str, deed, whose, why: &str| (ip.to_owned(), deed, whose, why.to_owned());
    let (ours, foreign) = (Some(Whose::Ours), Some(Whose::Foreign));
    assert_eq!(
        steps(&world),
        [
            expected("192.0.2.10", Deed::Remove, ours, "its rule does not allow it any more"),
            expected("192.0.2.20", Deed::Remove, ours, "its rule has expired on 2026-11-01"),
            expected("192.0.2.30", Deed::Remove, ours, "everybody whom its rule names is disabled or gone"),
            expected("192.0.2.40", Deed::Remove, ours, "its rule is gone"),
            expected("192.0.2.7", Deed::Keep, ours, ""),
            expected("192.0.2.50", Deed::Foreign, Some(Whose::OursChanged), ""),
            expected("198.51.100.1", Deed::Foreign, foreign, ""),
            expected("192.0.2.8", Deed::Withheld, None, "somebody else has taken it out; `--add-again` adds it"),
        ]
    );
    assert_eq!(world.has(DangerKind::Withheld), Some(false));
    assert!(!world.plan().list.contains(&entry("192.0.2.8")));
    let again = World { add_again: true, ..world };
    assert!(again.plan().list.contains(&entry("192.0.2.8")) && again.has(DangerKind::Withheld).is_none());
}

#[test]
fn addresses_of_disabled_people_are_not_added_and_ends_are_named() {
    let text = "[[rule]]\nlabel = \"a\"\npeople = [\"gil@example.com\"]\nallow = [\"192.0.2.30\"]\n\
                [[rule]]\nlabel = \"b\"\npeople = [\"gil@example.com\", \"bob@example.com\"]\nallow = [\"192.0.2.7\"]\nexpires = \"2026-12-20\"";
    let world = World { policy: policy_of(text), ..World::safe() };
    assert_eq!(world.plan().list, [entry("192.0.2.7")]);
    assert_eq!(world.has(DangerKind::EndsSoon), Some(false));
    let later = World { policy: policy_of(&text.replace("12-20", "12-21")), ..World::safe() };
    assert_eq!(later.has(DangerKind::EndsSoon), None);
}
