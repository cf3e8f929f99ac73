//! Every known way to shut people out, one by one, with `apply`: nothing is written, or everything is as before.

use chrono::TimeDelta;
use cli_test::Run;
use portal_sim::{Fault, FaultKind, Intervention, Key, Login, Remembered, Restriction, Scenario};

use crate::apply::{self, CONFIG, FAST, applied, before, command, now_at, path, planned_on, puts, scenario};
use crate::common::{self, Setting, portal_with};

const LIST: &str = "settings/iprestrictions$";

/// A danger that has come up since somebody reviewed the plan.
struct Danger {
    name: &'static str,
    come: fn(&Setting),
    exit: i32,
    says: &'static str,
}

fn came(setting: &Setting, email: &str, ips: &[&str]) {
    setting.sim.edit(|scenario| {
        let person = scenario.person_by_email(email).unwrap().clone();
        for (days, ip) in (10..).zip(ips) {
            let login = Login::success(&person, common::now() - TimeDelta::days(days));
            scenario.add_login(Login { ip: (*ip).to_owned(), ..login });
        }
    });
}

fn listed(setting: &Setting, ip: &str) {
    setting.sim.edit(|scenario| scenario.restrict(ip, false));
}

fn policy(setting: &Setting, people: &str, rest: &str) {
    let text = format!("default = \"ignore\"\n[[rule]]\nlabel = \"desk\"\npeople = [\"{people}\"]\n{rest}\n");
    setting.file("policy.toml", &text);
}

const REFUSED: [Danger; 10] = [
    Danger {
        name: "an IPv6 client, and only IPv4 in the list",
        come: |setting| came(setting, "hana@example.com", &["2001"]),
        exit: 3,
        says: "no full address was recorded: Hana Sato",
    },
    Danger {
        name: "an IPv4 client, and only IPv6 in the list",
        come: |setting| {
            setting.sim.edit(|scenario| scenario.condition.restrictions.entries.clear());
            listed(setting, "2001:db8::1");
            policy(setting, "hana@example.com", "allow = [\"2001:db8::1\"]");
        },
        exit: 3,
        says: "every login of theirs came from elsewhere: Bob Ray",
    },
    Danger {
        name: "upper-case IPv6",
        come: |setting| listed(setting, "2001:DB8::1"),
        exit: 3,
        says: "never writes an address like that",
    },
    Danger {
        name: "octal IPv4",
        come: |setting| listed(setting, "010.0.0.1"),
        exit: 3,
        says: "never writes an address like that",
    },
    Danger {
        name: "all entries for admins",
        come: |setting| {
            setting.sim.edit(|scenario| {
                let entries = &mut scenario.condition.restrictions.entries;
                entries.iter_mut().for_each(|entry: &mut Restriction| entry.for_admin = true);
            });
            policy(setting, "anna@example.com", "allow = [\"192.0.2.12\"]\nfor_admin = true");
        },
        exit: 3,
        says: "every entry would count for admins only",
    },
    Danger {
        name: "a proxy's address for all",
        come: |setting| {
            for email in ["hana@example.com", "ivan@example.com", "jana@example.com"] {
                came(setting, email, &["192.0.2.12"]);
            }
        },
        exit: 3,
        says: "the portal sees a proxy, not the people",
    },
    Danger {
        name: "a scope with a dash",
        come: |setting| listed(setting, "::1%a-b"),
        exit: 3,
        says: "makes the portal fail",
    },
    Danger {
        name: "a network in the table",
        come: |setting| listed(setting, "192.0.2.0/24"),
        exit: 1,
        says: "the portal cannot read its own address list",
    },
    Danger {
        name: "a range in the table",
        come: |setting| listed(setting, "192.0.2.0-192.0.2.9"),
        exit: 1,
        says: "the portal cannot read its own address list",
    },
    Danger {
        name: "roaming",
        come: |setting| {
            let away = ["198.51.100.7", "198.51.101.7", "203.0.113.7", "203.0.114.7", "203.0.115.7"];
            came(setting, "hana@example.com", &away);
        },
        exit: 3,
        says: "every login of theirs came from elsewhere: Hana Sato",
    },
];

/// Somebody reviewed the plan when all was well; right before it is written, nothing is.
#[tokio::test]
async fn each_danger_that_has_come_up_since_the_review_is_refused() {
    let setting = planned_on(portal_with(scenario()).await, CONFIG).await;
    apply::plan(&setting, &["--own-address", "192.0.2.12"]).await;
    let (good, policy) = (copy(&setting), std::fs::read_to_string(path(&setting, "policy.toml")).unwrap());
    for Danger { name, come, exit, says } in REFUSED {
        come(&setting);
        let list = now_at(&setting.sim);
        let ended = applied(&setting).await;
        let shown = format!("{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.exit == exit && shown.contains(says), "{shown}");
        assert_eq!((puts(&setting.sim), now_at(&setting.sim)), (0, list), "{shown}");
        setting.sim.edit(|scenario| scenario.clone_from(&good));
        setting.file("policy.toml", &policy);
    }
}

fn copy(setting: &Setting) -> Scenario {
    let mut copy = setting.scenario.clone();
    setting.sim.edit(|scenario| copy.clone_from(scenario));
    copy
}

/// The own address is in the list only as it is to be, and the key is not the owner's.
#[tokio::test]
async fn a_key_that_the_list_can_stop_writes_nothing_without_an_address_in_the_list_before_and_after() {
    let mut scenario = scenario();
    let anna = scenario.person_by_email("anna@example.com").unwrap().clone();
    let key = Key { from: "192.0.2.13".parse().ok(), ..Key::of(&anna) };
    scenario.keys.push(key.clone());
    let mut setting = portal_with(scenario).await;
    setting.key = key.key;
    let setting = planned_on(setting, "").await;
    policy(&setting, "hana@example.com", "allow = [\"192.0.2.12\", \"192.0.2.13\"]");
    for own in [&["--own-address", "192.0.2.13"][..], &[]] {
        apply::plan(&setting, own).await;
        let ended = applied(&setting).await;
        assert_eq!((ended.exit, puts(&setting.sim)), (3, 0), "{own:?}: {}{}", ended.stdout, ended.stderr);
        let says = "names no own address that is in the list before and after";
        assert!(ended.stdout.contains(says), "{own:?}: {}", ended.stdout);
    }
}

/// The switch is left as it is, and off: a write that does not mention it would turn it on.
#[tokio::test]
async fn a_list_whose_switch_stays_off_is_never_on() {
    let setting = planned_on(portal_with(scenario()).await, "").await;
    let ended = applied(&setting).await;
    assert_eq!((ended.exit, now_at(&setting.sim), puts(&setting.sim)), (3, before(), 2), "{}", ended.stdout);
    let mut were_on = Vec::new();
    setting.sim.edit(|scenario| were_on.extend(scenario.condition.restrictions.earlier.iter().map(|list| list.1)));
    assert_eq!(were_on, [false, false]);
}

/// What comes up only once it is being written: nothing is written, or what was is taken back.
#[tokio::test]
async fn each_danger_that_comes_up_while_it_is_written_is_refused_or_taken_back() {
    let setting = planned_on(portal_with(scenario()).await, CONFIG).await;
    let good = copy(&setting);
    let anna = setting.scenario.person_by_email("anna@example.com").unwrap().clone();
    let theirs = || Intervention::restrict(&anna, &["192.0.2.12", "198.51.100.9", "203.0.113.250"], false);

    // a list that a process remembers hides a row that stops everybody; what is written replaces it, too
    setting.sim.edit(|scenario| scenario.restrict_in_the_table("192.0.2.0/24"));
    let cached = FaultKind::Stale { changes: 1, what: Some(Remembered::List) };
    setting.sim.set_faults(vec![Fault::new(cached).on(LIST).method("GET").times(2)]);
    let ended = applied(&setting).await;
    assert_eq!((ended.exit, now_at(&setting.sim)), (3, before()), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("nobody has confirmed it in time"), "{}", ended.stdout);

    // the other tool writes right before the list is read again
    setting.sim.edit(|scenario| scenario.clone_from(&good));
    let written = puts(&setting.sim);
    setting.sim.set_faults(vec![Fault::meanwhile(theirs()).on(LIST).method("GET").after(1).times(1)]);
    let ended = applied(&setting).await;
    assert_eq!((ended.exit, puts(&setting.sim)), (3, written), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("somebody else has changed the list since"), "{}", ended.stdout);
    assert!(now_at(&setting.sim).0.contains(&"198.51.100.9".to_owned()));

    // a row that is no address comes into the table once the list is written: nobody but the owner gets in, and nobody can read the list
    setting.sim.edit(|scenario| scenario.clone_from(&good));
    setting.sim.set_faults(Vec::new());
    let mut child = command(&setting, &["apply", "list.plan", "--without-shadow"], FAST);
    let child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    cli_test::until(|| puts(&setting.sim) == written + 2).await;
    setting.sim.edit(|scenario| scenario.restrict_in_the_table("192.0.2.0/24"));
    let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.code() == Some(1) && text.contains("cannot be taken back"), "{text}");
    let next = watched(&setting).await;
    assert_eq!(next.exit, 1, "{}{}", next.stdout, next.stderr);
    setting.sim.edit(|scenario| scenario.condition.restrictions.entries.retain(|entry| !entry.ip.contains('/')));
    let last = watched(&setting).await;
    assert_eq!((last.exit, now_at(&setting.sim)), (0, before()), "{}{}", last.stdout, last.stderr);

    // the other tool writes between what is read and what is written: that cannot be prevented, and is told
    let passing = Fault::new(FaultKind::TimePasses { seconds: 3 });
    let raced = Fault::meanwhile(theirs()).on("settings/iprestrictions").method("PUT").times(1);
    setting.sim.set_faults(vec![passing, raced]);
    apply::plan(&setting, &["--own-address", "192.0.2.12", "--own-all"]).await;
    let ended = applied(&setting).await;
    assert!(ended.exit == 1 && ended.stdout.contains("has overwritten what they wrote"), "{}", ended.stdout);
    assert!(!now_at(&setting.sim).1, "nobody is shut out");
}

/// A run an hour later.
async fn watched(setting: &Setting) -> Run {
    setting.sim.edit(|scenario| scenario.now += TimeDelta::hours(1));
    cli_test::run(command(setting, &[], FAST)).await
}
