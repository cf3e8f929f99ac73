//! A plan as it is kept, and what makes it stale.

use audit_model::PortalText;
use docspace_client::StoredList;
use event_archive::OwnEntry;
use serde_json::{Value, json};

use super::check::{Now, Stale};
use super::*;
use crate::plan::Danger;
use crate::plan::danger::kind::DangerKind;
use crate::plan::tests::{World, entry, off};
use crate::testing::{ANNA, OLGA, now, policy_of};

const URL: &str = "https://docs.example.com/";

fn stored(entries: &[&str], enabled: bool) -> StoredList {
    StoredList { entries: entries.iter().map(|ip| entry(ip)).collect(), enabled, tenant: Some(2) }
}

/// A plan that adds two entries to one that somebody else wrote, and switches the list on.
fn file() -> PlanFile {
    made(World::safe(), &stored(&["203.0.113.9"], false))
}

fn made(world: World, stored: &StoredList) -> PlanFile {
    World { list: stored.sorted(), ..world }.file(stored, &URL.parse().unwrap())
}

fn written(file: &PlanFile) -> Value {
    serde_json::to_value(file).unwrap()
}

fn parse(value: &Value) -> Result<PlanFile, Unusable> {
    PlanFile::parse(value.to_string().as_bytes())
}

/// How things stand, to be changed.
struct Standing {
    at: DateTime<Utc>,
    portal_url: url::Url,
    list: StoredList,
    policy_sha256: String,
    would: PlanFile,
    key_owner: Uuid,
    dangers: Vec<Danger>,
    clean_days: Option<u32>,
    without_shadow: bool,
}

/// Checks the plan against how things stood when it was made, but for what is changed in them.
fn check(file: &PlanFile, change: impl FnOnce(&mut Standing)) -> Result<(), Stale> {
    let mut standing = Standing {
        at: now(),
        portal_url: URL.parse().unwrap(),
        list: stored(&["203.0.113.9"], false),
        policy_sha256: file.policy_sha256.clone(),
        would: file.clone(),
        key_owner: OLGA,
        dangers: Vec::new(),
        clean_days: Some(7),
        without_shadow: false,
    };
    change(&mut standing);
    let Standing { at, portal_url, list, policy_sha256, would, key_owner, dangers, clean_days, without_shadow } =
        &standing;
    let (at, key_owner, clean_days, without_shadow) = (*at, *key_owner, *clean_days, *without_shadow);
    file.check(&Now { at, portal_url, list, policy_sha256, would, key_owner, dangers, clean_days, without_shadow })
}

/// The one reason against it.
fn reason(stale: Result<(), Stale>) -> String {
    let Stale(reasons) = stale.unwrap_err();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.into_iter().next().unwrap()
}

#[test]
fn it_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    file().write(&path).unwrap();
    assert_eq!(PlanFile::read(&path), Ok(file()));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    insta::assert_json_snapshot!("plan_file", file());
}

#[test]
fn what_is_added_comes_behind_what_stays_in_the_portals_order() {
    let before = ["2001:DB8::1", "192.0.2.7", "010.0.0.1", "2001:DB8::1"];
    let file = made(World::safe(), &stored(&before, true));
    let texts = |listed: &Listed| listed.entries.iter().map(|entry| entry.ip.raw().to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(&file.before), before);
    assert_eq!(texts(&file.after)[..4], before, "foreign entries are as they were, doubles included");
    assert_eq!(texts(&file.after)[4..], ["192.0.2.8"]);
    let all = made(World { own_all: true, ..World::safe() }, &stored(&before, true));
    assert_eq!(texts(&all.after), ["192.0.2.7", "192.0.2.8"]);
    assert!(all.remove.iter().all(|change| change.why.is_some()), "{:?}", all.remove);
}

proptest::proptest! {
    /// Whatever stands in the list, in whatever order and how often, and whatever of it is ours.
    #[test]
    fn a_plan_is_the_list_with_what_it_changes(
        stand in proptest::collection::vec(proptest::sample::select(&POOL[..]), 0..12),
        ours in proptest::collection::vec(proptest::sample::select(&POOL[..]), 0..4),
        enabled: bool,
        own_all: bool,
    ) {
        let own_entries: Vec<OwnEntry> = ours.iter().map(|ip| crate::plan::tests::own(ip, "office")).collect();
        let stored = stored(&stand, enabled);
        let file = made(World { own_all, own_entries: own_entries.clone(), ..World::safe() }, &stored);
        let texts = |entries: &[ListEntry]| entries.iter().map(|entry| entry.ip.raw().to_owned()).collect::<Vec<_>>();
        let mut sum = texts(&file.before.entries);
        for gone in ips_of(&file.remove) {
            let at = sum.iter().position(|ip| *ip == gone).expect("it stood in the list");
            sum.remove(at);
        }
        sum.extend(ips_of(&file.add));
        let mut after = texts(&file.after.entries);
        sum.sort();
        after.sort();
        proptest::prop_assert_eq!(after, sum);
        proptest::prop_assert_eq!(&file.before.entries, &stored.entries);
        proptest::prop_assert!(file.add.iter().all(|change| crate::rule::server::Trouble::of(&change.entry).is_none()));
        let is_ours = |change: &Change| own_entries.iter().any(|own| own.entry == change.entry);
        proptest::prop_assert!(own_all || file.remove.iter().all(is_ours), "what is foreign stays");
        proptest::prop_assert_eq!(parse(&written(&file)), Ok(file));
    }
}

/// What the policy has, what it has not, and what the portal never matches.
const POOL: [&str; 6] = ["192.0.2.7", "192.0.2.8", "203.0.113.9", "2001:DB8::1", "010.0.0.1", "::1%a-b"];

/// Each member in turn, also one that nobody knows.
#[test]
fn whatever_is_changed_in_it_is_noticed() {
    let whole = written(&file());
    let names: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
    for name in names.iter().filter(|name| *name != "schema") {
        let mut changed = whole.clone();
        changed[name] = match &whole[name] {
            Value::String(text) if text.len() == 64 => Value::from("0".repeat(64)),
            Value::String(text) if text.contains('T') => Value::from("2030-01-01T00:00:00Z"),
            Value::String(_) => Value::from("0000-0000"),
            Value::Array(_) => json!([]),
            object => {
                let mut object = object.clone();
                object["more"] = Value::from(1);
                object
            }
        };
        if changed[name] != whole[name] {
            assert_eq!(parse(&changed), Err(Unusable::Changed), "{name}");
        }
    }
    let mut more = whole.clone();
    more["more"] = Value::from(1);
    assert_eq!(parse(&more), Err(Unusable::Changed));
    let switched = whole.to_string().replacen("\"enable\":true", "\"enable\":false", 1);
    assert_eq!(PlanFile::parse(switched.as_bytes()), Err(Unusable::Changed));
    // the form is free: what it says counts
    assert_eq!(PlanFile::parse(serde_json::to_string_pretty(&whole).unwrap().as_bytes()), Ok(file()));
    assert_eq!((Unusable::Changed.exit(), Unusable::NoPlan(String::new()).exit()), (Exit::Findings, Exit::Usage));
}

#[test]
fn what_is_no_plan_says_why() {
    let mut newer = written(&file());
    newer["schema"] = Value::from("ip-fence-plan-file/2");
    let mut less = written(&file());
    less.as_object_mut().unwrap().remove("before");
    for (text, why) in [
        ("", "EOF"),
        ("[]", "names no schema"),
        ("{\"schema\": \"ip-fence-plan/1\"}", "\"ip-fence-plan-file/1\""),
        (newer.to_string().as_str(), "\"ip-fence-plan-file/2\""),
        (less.to_string().as_str(), "before"),
    ] {
        let Err(Unusable::NoPlan(said)) = PlanFile::parse(text.as_bytes()) else { panic!("{text}") };
        assert!(said.contains(why), "{said}");
    }
    let Err(gone) = PlanFile::read(Path::new("/nonexistent/plan.json")) else { panic!("there is none") };
    assert!(gone.to_string().starts_with("/nonexistent/plan.json cannot be read: "), "{gone}");
    let endless = PlanFile::read(Path::new("/dev/zero")).unwrap_err();
    assert!(endless.to_string().contains("larger than 64 MiB"), "{endless}");
}

#[test]
fn nothing_is_against_a_plan_when_all_is_as_it_was() {
    assert_eq!(check(&file(), |_| {}), Ok(()));
    // the portal's order means nothing
    let before = ["203.0.113.9", "192.0.2.7"];
    let file = made(World::safe(), &stored(&before, false));
    let turned = stored(&["192.0.2.7", "203.0.113.9"], false);
    assert_eq!(check(&file, |now| now.list = turned.clone()), Ok(()));
}

#[test]
fn a_plan_is_usable_for_a_day() {
    assert_eq!(check(&file(), |now| now.at += TimeDelta::hours(24) - TimeDelta::seconds(1)), Ok(()));
    let late = reason(check(&file(), |now| now.at += TimeDelta::hours(24)));
    assert_eq!(late, "it could be used until 2026-11-21 09:00 UTC; make it again, and review it");
    assert_eq!(check(&file(), |now| now.at -= TimeDelta::minutes(5)), Ok(()), "clocks differ");
    assert!(reason(check(&file(), |now| now.at -= TimeDelta::minutes(6))).contains("has not come yet"));
}

#[test]
fn another_portal_key_or_policy_is_none_that_was_reviewed() {
    let inside: url::Url = "https://docspace.internal/".parse().unwrap();
    assert!(
        reason(check(&file(), |now| now.portal_url = inside.clone())).contains("this is https://docspace.internal/")
    );
    for (tenant, why) in [(Some(3), "now tenant 3"), (None, "only once")] {
        let other = StoredList { tenant, ..stored(&["203.0.113.9"], false) };
        assert!(reason(check(&file(), |now| now.list = other.clone())).contains(why));
    }
    let nameless = StoredList { tenant: None, ..stored(&["203.0.113.9"], false) };
    assert_eq!(check(&made(World::safe(), &nameless), |now| now.list = nameless.clone()), Ok(()), "it never told");
    assert!(reason(check(&file(), |now| now.key_owner = ANNA)).contains("belongs to 00000000"));
    assert!(reason(check(&file(), |now| now.policy_sha256 = "0".to_owned())).starts_with("the policy has changed"));
}

#[test]
fn a_list_that_somebody_wrote_meanwhile_is_told_with_the_difference() {
    let told = |list: StoredList| reason(check(&file(), |now| now.list = list));
    assert!(told(stored(&["203.0.113.9", "192.0.2.99"], false)).ends_with("somebody has added 192.0.2.99"));
    assert!(
        told(stored(&["203.0.113.9", "203.0.113.9"], false)).ends_with("somebody has added 203.0.113.9"),
        "doubles"
    );
    assert!(told(stored(&[], false)).ends_with("somebody has removed 203.0.113.9"));
    assert!(told(stored(&["203.0.113.9"], true)).ends_with("somebody has switched the list on"));
    let both = told(StoredList {
        entries: vec![ListEntry { ip: PortalText::new("203.0.113.9"), for_admin: true }],
        ..stored(&[], true)
    });
    assert!(both.contains("added 203.0.113.9") && both.contains("removed 203.0.113.9"), "{both}");
}

#[test]
fn dangers_of_then_and_of_now_refuse() {
    let text = "the list would be empty";
    let now_one = [Danger { kind: DangerKind::EmptyList, refuses: true, text: text.to_owned() }];
    assert_eq!(reason(check(&file(), |now| now.dangers = now_one.to_vec())), text);
    let warned = [Danger { refuses: false, ..now_one[0].clone() }];
    assert_eq!(check(&file(), |now| now.dangers = warned.to_vec()), Ok(()));
    let nobody_gave_it = World { own_address: None, ..World::safe() };
    let refused = made(nobody_gave_it, &stored(&["203.0.113.9"], false));
    let own = refused.dangers[0].clone();
    assert_eq!(reason(check(&refused, |now| now.dangers = vec![own.clone()])), own.text, "named once");
    let part = PlanFile { history: Replayed { complete: false, ..file().history }, ..file() };
    assert!(reason(check(&part, |_| {})).contains("was not read"));
}

/// What is ours goes by what was confirmed, and not by what stood there.
#[test]
fn what_a_confirmed_plan_added_is_ours_until_it_is_gone() {
    use crate::plan::tests::own;
    let (early, late) = (now(), now() + TimeDelta::hours(1));
    let ips = |own: &[OwnEntry]| own.iter().map(|own| own.entry.ip.raw().to_owned()).collect::<Vec<_>>();
    let first = file();
    let owned = first.own_entries_after(&[], early);
    assert_eq!(ips(&owned), ["192.0.2.7", "192.0.2.8"], "the foreign entry stays foreign");
    assert!(owned.iter().all(|own| own.plan == first.id && own.rule == "office" && own.since == early));
    assert_eq!(first.own_entries_after(&owned, late), owned, "twice is as once");
    // of three that were ours the policy drops one, somebody has taken one out, and one is in neither list nor policy
    let own_entries = vec![
        own("192.0.2.7", "office"),
        own("192.0.2.8", "office"),
        own("192.0.2.9", "office"),
        own("192.0.2.99", "gone"),
    ];
    let stands = stored(&["192.0.2.7", "192.0.2.9", "203.0.113.9"], true);
    let second = made(World { own_entries: own_entries.clone(), ..World::safe() }, &stands);
    assert_eq!(
        (ips_of(&second.remove), second.withheld.clone()),
        (vec!["192.0.2.9".to_owned()], vec![entry("192.0.2.8")])
    );
    assert_eq!(ips(&second.own_entries_after(&own_entries, late)), ["192.0.2.7", "192.0.2.8"]);
    let again = made(World { add_again: true, own_entries: own_entries.clone(), ..World::safe() }, &stands);
    let owned = again.own_entries_after(&own_entries, late);
    assert_eq!(
        (ips(&owned), owned[1].since, &owned[1].plan),
        (vec!["192.0.2.7".to_owned(), "192.0.2.8".to_owned()], late, &again.id)
    );
}

fn ips_of(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| change.entry.ip.raw().to_owned()).collect()
}

/// Whoever makes a digest can make any file.
#[test]
fn what_no_plan_would_add_is_not_written_whatever_the_digest_says() {
    let adding = |ip: &str| {
        let mut forged = file();
        forged.add[0].entry = entry(ip);
        forged.after.entries[1] = entry(ip);
        forged.sealed().unwrap()
    };
    assert_eq!(check(&adding("192.0.2.9"), |_| {}), Ok(()));
    for ip in [
        "192.0.2.0/24",
        "192.0.2.1-192.0.2.9",
        "::1%a-b",
        "fe80::1%eth0",
        "[2001:db8::1]",
        "2001:DB8::1",
        "",
        "0.0.0.0",
    ] {
        assert!(reason(check(&adding(ip), |_| {})).contains("never match"), "{ip}");
    }
    let mut more = file();
    more.after.entries.push(entry("198.51.100.1"));
    assert!(reason(check(&more.sealed().unwrap(), |_| {})).contains("is not the list before it"));
    let mut silent = written(&file());
    silent["after"].as_object_mut().unwrap().remove("enable");
    assert!(matches!(parse(&silent), Err(Unusable::NoPlan(_))), "a list without a word about its switch");
}

/// Whoever can write the file can make a digest, too. Its dangers are those of what the policy makes of the list, so nothing else is written.
#[test]
fn what_the_policy_does_not_make_of_the_list_is_not_written() {
    let forged = |change: &dyn Fn(&mut PlanFile)| {
        let mut forged = file();
        change(&mut forged);
        reason(check(&forged.sealed().unwrap(), |standing| standing.would = file()))
    };
    let other = forged(&|file| {
        file.add[0].entry = entry("198.51.100.66");
        file.after.entries[1] = entry("198.51.100.66");
    });
    assert!(other.contains("it keeps or adds 198.51.100.66, it leaves out"), "{other}");
    let nothing = forged(&|file| {
        let gone = file.before.entries[0].clone();
        file.after.entries.retain(|entry| *entry != gone);
        file.remove.push(Change { entry: gone, rule: None, owner: None, expires: None, why: None });
    });
    assert!(nothing.contains("it leaves out 203.0.113.9;"), "{nothing}");
    let switched = forged(&|file| file.after.enable = !file.after.enable);
    assert!(switched.contains("it leaves the switch"), "{switched}");
}

/// What cannot lock anybody out needs no days of watching.
#[test]
fn a_plan_that_narrows_is_watched_for_seven_days() {
    for days in [None, Some(0), Some(6)] {
        assert!(reason(check(&file(), |now| now.clean_days = days)).contains("--without-shadow"));
    }
    assert_eq!(check(&file(), |now| (now.clean_days, now.without_shadow) = (None, true)), Ok(()));
    let stands = stored(&["203.0.113.9"], true);
    let widening = made(World::safe(), &stands);
    assert_eq!(check(&widening, |now| (now.clean_days, now.list) = (None, stands.clone())), Ok(()));
    let ending = made(World { own_all: true, ..World::safe() }, &stands);
    assert!(check(&ending, |now| (now.clean_days, now.list) = (None, stands.clone())).is_err());
    let switched_off = made(World { settings: off(), own_all: true, ..World::safe() }, &stands);
    assert_eq!(check(&switched_off, |now| (now.clean_days, now.list) = (None, stands.clone())), Ok(()));
    let open = stored(&[], true);
    assert!(made(World::safe(), &open).narrows(), "an empty list lets everybody in");
}

#[test]
fn the_hash_of_a_policy_goes_by_its_file_and_by_whom_it_means() {
    let text = |until: &str| {
        format!(
            "[[rule]]\nlabel = \"office\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.7\"]\nexpires = {until}\n"
        )
    };
    let of = |world: World| made(world, &stored(&[], false)).policy_sha256;
    let (long, over) = (text("\"2027-01-01\""), text("\"2026-11-20\""));
    let live = || World { policy: policy_of(&long), ..World::safe() };
    assert_eq!(of(live()), of(live()));
    assert_ne!(of(live()), of(World { text: "# a comment".to_owned(), ..live() }));
    assert_ne!(of(live()), of(World { policy: policy_of(&over), ..live() }), "a day later");
    assert_ne!(of(live()), of(World { settings: off(), ..live() }));
    let whatever_the_list_is = made(live(), &stored(&["192.0.2.7", "192.0.2.7", "203.0.113.1"], true)).policy_sha256;
    assert_eq!(of(live()), whatever_the_list_is);
}
