//! Every way to lock people out that is known, as a plan that is refused or warned of.

use audit_model::PortalText;
use docspace_client::{Identity, ListEntry};

use super::danger::DangerKind;
use super::steps::Deed;
use super::*;
use crate::policy::PolicyFile;
use crate::sighting::Sighting;
use crate::testing::{ANNA, BOB, GIL, HANA, OLGA, act, directory, login, policy, policy_of};

const OFFICE: &str = "192.0.2.7";

struct World {
    list: AddressList,
    remembered: Option<AddressList>,
    policy: Policy,
    settings: OwnPortal,
    own_all: bool,
    own_address: Option<IpAddr>,
    me: Identity,
    is_public: bool,
    rows: Vec<Sighting>,
}

fn list(entries: &[&str], enabled: bool) -> AddressList {
    AddressList { entries: entries.iter().map(|ip| entry(ip)).collect(), enabled }
}

fn entry(ip: &str) -> ListEntry {
    ListEntry { ip: PortalText::new(ip), for_admin: false }
}

impl World {
    /// The owner plans to switch a list of one address on, from which everybody came.
    fn safe() -> Self {
        let person = directory().people[&OLGA].person.clone();
        World {
            list: list(&[], false),
            remembered: None,
            policy: policy_of(
                "default = \"ignore\"\n[[rule]]\nlabel = \"office\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.7\", \"192.0.2.8\"]",
            ),
            settings: OwnPortal { enforce: Enforce::On, ..OwnPortal::default() },
            own_all: false,
            own_address: OFFICE.parse().ok(),
            me: Identity { person, is_admin: true, is_owner: true },
            is_public: true,
            rows: vec![login(BOB, OFFICE, 90), act(ANNA, "192.0.2.8", 80), login(HANA, OFFICE, 70)],
        }
    }

    /// The same with the key of an admin.
    fn by_admin() -> Self {
        let person = directory().people[&ANNA].person.clone();
        World { me: Identity { person, is_admin: true, is_owner: false }, ..World::safe() }
    }

    fn plan(&self) -> Plan {
        let mut seen = History::default();
        self.rows.iter().for_each(|row| seen.push(row));
        Plan::make(&Inputs {
            list: &self.list,
            remembered: self.remembered.as_ref(),
            policy: &self.policy,
            directory: &directory(),
            service_accounts: &[],
            settings: &self.settings,
            own_all: self.own_all,
            own_address: self.own_address,
            me: &self.me,
            is_public: self.is_public,
            seen: &seen,
        })
    }

    /// Whether the danger is named, and whether it refuses the plan.
    fn has(&self, kind: DangerKind) -> Option<bool> {
        self.plan().dangers.iter().find(|danger| danger.kind == kind).map(|danger| danger.refuses)
    }
}

fn off() -> OwnPortal {
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

/// "Own address not in the list, caller not owner."
#[test]
fn ones_own_address_must_be_in_the_list() {
    let foreign = "203.0.113.1".parse().ok();
    let owner = World { own_address: foreign, ..World::safe() };
    assert_eq!(owner.has(DangerKind::OwnAddressNotListed), Some(false), "the owner gets in all the same");
    let admin = World { own_address: foreign, ..World::by_admin() };
    assert_eq!(admin.has(DangerKind::OwnAddressNotListed), Some(true));
    assert_eq!(World::by_admin().has(DangerKind::OwnAddressNotListed), None);
    assert_eq!(
        World::by_admin().has(DangerKind::NotOwnersKey),
        Some(true),
        "nothing but the owner's key can repair it"
    );
    assert_eq!(World { settings: off(), ..World::by_admin() }.has(DangerKind::NotOwnersKey), None);
    // learned from what the account did before
    let learned = World { own_address: None, ..World::by_admin() };
    assert_eq!(
        (learned.has(DangerKind::OwnAddressUnknown), learned.has(DangerKind::OwnAddressNotListed)),
        (None, None)
    );
    let unknown = World { own_address: None, rows: Vec::new(), ..World::by_admin() };
    assert_eq!(unknown.has(DangerKind::OwnAddressUnknown), Some(true));
    let owner = World { own_address: None, rows: Vec::new(), ..World::safe() };
    assert_eq!(owner.has(DangerKind::OwnAddressUnknown), Some(false));
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
        assert!(!removed.plan().is_refused(), "{poison}: {:?}", removed.plan().dangers);
    }
}

/// "Dynamic or roaming addresses: exact addresses only."
#[test]
fn people_who_roam_are_named() {
    let rows = (0..5).map(|n| login(BOB, &format!("203.0.{n}.7"), 90 - n)).collect();
    let world = World { rows, ..World::safe() };
    assert_eq!(world.has(DangerKind::Roaming), Some(false));
    assert!(!world.plan().is_refused(), "a rule names him, and does not allow those: the policy means it");
    assert!(
        world.plan().simulation.blocked.iter().all(|blocked| blocked.meant)
            && world.plan().simulation.blocked.len() == 5
    );
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

/// Exit 3: somebody whom no rule names, or who comes from where the policy allows and the portal cannot.
#[test]
fn people_whom_the_policy_does_not_mean_must_not_be_blocked() {
    let unnamed =
        World { rows: vec![login(HANA, "198.51.100.80", 90), act(HANA, "198.51.100.80", 80)], ..World::safe() };
    assert_eq!(unnamed.has(DangerKind::BlocksPeople), Some(true));
    let blocked = &unnamed.plan().simulation.blocked[0];
    assert_eq!((blocked.logins, blocked.acts, blocked.meant), (1, 1, false));
    // allowed by a network that is too large to be written down
    let large = World {
        policy: policy(&["192.0.2.0/24", "198.51.0.0/16"]),
        rows: vec![login(BOB, "198.51.100.7", 90)],
        ..World::safe()
    };
    assert_eq!((large.has(DangerKind::BlocksPeople), large.has(DangerKind::CannotHold)), (Some(true), Some(false)));
    // while the switch stays off nobody is blocked
    assert_eq!(World { settings: off(), ..unnamed }.has(DangerKind::BlocksPeople), Some(false));
    // the owner, disabled people and visitors cannot be locked out
    let others = vec![
        login(OLGA, "198.51.100.1", 9),
        act(GIL, "198.51.100.2", 8),
        act(audit_model::GUEST_ACCOUNT, "198.51.100.3", 7),
    ];
    assert_eq!(World { rows: others, ..World::safe() }.has(DangerKind::BlocksPeople), None);
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
    let common = [
        expected(Deed::Add, "192.0.2.8", false),
        expected(Deed::Add, "192.0.2.9", false),
        expected(Deed::Remove, "192.0.2.8", true),
    ];
    let kept = [expected(Deed::Keep, "192.0.2.7", false)];
    let foreign = [expected(Deed::Foreign, "192.0.2.7", false), expected(Deed::Foreign, "198.51.100.1", false)];
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
    let policy = Policy::resolve(file, &directory(), crate::testing::now().date_naive(), false).unwrap();
    assert_eq!(World { policy, ..World::safe() }.plan().list, []);
}
