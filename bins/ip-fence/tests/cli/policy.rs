//! `policy check`, `policy test` and `policy import`, and what runs make of a policy with names that nobody has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::{self, POLICY, portal, run, run_bare, run_with, told};

#[tokio::test]
async fn a_policy_is_checked_with_and_without_a_portal() {
    let setting = portal("addresses").await;
    let checked = run(&setting, &["policy", "check"]).await;
    assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""));
    assert!(checked.stdout.starts_with("3 rules for 13 of 14 people, no errors\n"), "{}", checked.stdout);
    assert!(checked.stdout.contains("\"trade fair\" (line 15) has expired"), "{}", checked.stdout);
    let before = setting.sim.requests().len();
    let alone = run_bare(&setting, &["policy", "check", "--policy", "policy.toml"]).await;
    assert_eq!((alone.exit, setting.sim.requests().len()), (0, before), "{}", alone.stderr);
    assert!(alone.stdout.contains("no portal is set"), "{}", alone.stdout);
    let missing = run_with(&setting, &["policy", "check"]).await;
    assert_eq!(missing.exit, 2);
    assert!(missing.stderr.contains("--policy FILE"), "{}", missing.stderr);
}

#[tokio::test]
async fn questions_to_the_policy_are_answered_with_the_line() {
    let setting = portal("addresses").await;
    let mut answers = String::new();
    let questions = [
        ("bob@example.com", "192.0.2.77"),
        ("BOB@Example.com", "198.51.100.20"),
        ("bob@example.com", "::ffff:198.51.100.20"),
        ("c1a0f3de-0000-4000-8000-000000000103", "203.0.113.77"),
        ("dora@example.com", "2001"),
        ("dora@example.com", "office"),
        ("hana@example.com", "192.0.2.1"),
    ];
    for (person, address) in questions {
        let answer = run(&setting, &["policy", "test", person, address]).await;
        assert_eq!((answer.exit, answer.stderr.as_str()), (0, ""), "{person} {address}");
        answers.push_str(&answer.stdout);
    }
    insta::assert_snapshot!("policy_test_text", answers);
    let json = run(&setting, &["policy", "test", "bob@example.com", "192.0.2.77", "--format", "json"]).await;
    insta::assert_snapshot!("policy_test_json", json.stdout);
    let refused = ["policy", "test", "bob@example.com", "203.0.113.1", "--exit-code"];
    assert_eq!(run(&setting, &refused).await.exit, 3);
    // what the watch cannot judge this does not call allowed
    setting.file("policy.toml", &POLICY.replace("192.0.2.0/24", "10.0.0.0/8"));
    let config = setting.file("ip-fence.toml", "[portal]\npublic = true\n");
    let private = run(&setting, &["--config", &config, "policy", "test", "bob@example.com", "10.0.0.1"]).await;
    assert!(private.stdout.contains("cannot be judged") && private.stdout.contains("private"), "{}", private.stdout);
    let unknown = run(&setting, &["policy", "test", "bbo@example.com", "192.0.2.1"]).await;
    assert_eq!(unknown.exit, 2);
    assert!(unknown.stderr.contains("did you mean `bob@example.com`?"), "{}", unknown.stderr);
}

/// Right in form, and nobody comes from there.
#[tokio::test]
async fn entries_that_cannot_be_meant_are_no_mistake_and_are_named() {
    let setting = portal("addresses").await;
    setting.file("policy.toml", &POLICY.replace("\"198.51.100.20\"", "\"198.51.100.20\", \"224.0.0.1\""));
    let checked = run(&setting, &["policy", "check"]).await;
    assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""));
    assert!(
        checked.stdout.contains("1 entry to look at") && !checked.stdout.contains("no mistake"),
        "{}",
        checked.stdout
    );
    assert!(checked.stdout.contains("Line 13: `224.0.0.1` is a multicast address"), "{}", checked.stdout);
    assert_eq!(run(&setting, &["policy", "check", "--exit-code"]).await.exit, 3);
    let doctor = run(&setting, &["doctor"]).await;
    assert!(doctor.stdout.contains("line 13: `224.0.0.1` is a multicast address"), "{}", doctor.stdout);
    let watch = run(&setting, &["--format", "json"]).await;
    assert_eq!(watch.exit, 0, "runs go on");
}

#[tokio::test]
async fn lists_of_other_tools_become_a_policy_that_can_be_checked() {
    let setting = portal("addresses").await;
    let csv = setting.file(
        "people.csv",
        "person,address,label\nbob@example.com,192.0.2.0/24,office\nanna@example.com,192.0.2.0/24,office\n",
    );
    let made = run_bare(&setting, &["policy", "import", &csv]).await;
    assert_eq!((made.exit, made.stderr.as_str()), (0, ""));
    setting.file("policy.toml", &made.stdout);
    let checked = run(&setting, &["policy", "check"]).await;
    assert!(checked.stdout.starts_with("1 rule for 2 of 14 people"), "{}{}", checked.stdout, checked.stderr);
    let map = r#"{"c1a0f3de-0000-4000-8000-000000000102": ["203.0.113.10", "198.51.100.0-198.51.100.255"]}"#;
    let json = setting.file("published.json", map);
    let made = run_bare(&setting, &["policy", "import", &json]).await;
    assert!(made.stdout.contains("\"198.51.100.0/24\", \"203.0.113.10\""), "{}", made.stdout);
    let bad = setting.file("bad.csv", "person,address\nbob@example.com,192.0.2.300\n");
    let refused = run_bare(&setting, &["policy", "import", &bad]).await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("line 2: `192.0.2.300`"), "{}", refused.stderr);
    let missing = run_bare(&setting, &["policy", "import", "nowhere.csv"]).await;
    assert_eq!(missing.exit, 2, "fails again until somebody edits the command: {}", missing.stderr);
}

/// The published map has ids, which nobody can review.
#[tokio::test]
async fn ids_of_an_imported_list_become_people_where_a_portal_is_set() {
    let setting = portal("addresses").await;
    let map = r#"{"c1a0f3de-0000-4000-8000-000000000102": ["192.0.2.1"], "c1a0f3de-0000-4000-8000-000000000103": ["192.0.2.1"], "c1a0f3de-0000-4000-8000-000000000999": ["192.0.2.3"]}"#;
    let json = setting.file("published.json", map);
    let made = run_with(&setting, &["policy", "import", &json]).await;
    assert_eq!(made.exit, 0, "{}", made.stderr);
    assert!(made.stderr.contains("the portal has no person `c1a0f3de-0000-4000-8000-000000000999`"), "{}", made.stderr);
    insta::assert_snapshot!("import_text", made.stdout);
    let user =
        r#"{"id": "c1a0f3de-0000-4000-8000-000000000102", "email": "bob@example.com", "allowedIps": ["192.0.2.1"]}"#;
    let json = setting.file("new-user.json", user);
    let made = run_with(&setting, &["policy", "import", &json]).await;
    assert!(
        made.stdout.contains("label = \"Bob Ray\"\npeople = [\"bob@example.com\"]"),
        "{}{}",
        made.stdout,
        made.stderr
    );
}

/// Whoever is asked by mail allows an address in one command, and the rest of the file stays as it is.
#[tokio::test]
async fn an_address_is_allowed_by_a_rule_at_the_end() {
    let setting = portal("addresses").await;
    let file = || std::fs::read_to_string(setting.state.path().join("policy.toml")).unwrap();
    let about = ["policy", "allow", "chen@example.com", "203.0.113.77"];
    let why = ["--reason", "the \"Fair\"", "--until", "2026-12-01"];
    let dry = run(&setting, &[&about[..], &why, &["--dry-run"]].concat()).await;
    assert_eq!((dry.exit, file().as_str()), (0, POLICY), "{}", dry.stderr);
    let added = run(&setting, &[&about[..], &why].concat()).await;
    assert_eq!((added.exit, added.stderr.as_str()), (0, ""), "{}", added.stdout);
    assert_eq!(dry.stdout.replace("would be", "was"), added.stdout);
    let rule = "\n[[rule]]\nlabel = \"Chen Li, 203.0.113.77\"\npeople = [\"chen@example.com\"]\nallow = [\"203.0.113.77\"]\nreason = \"the \\\"Fair\\\"\"\nexpires = \"2026-12-01\"\n";
    assert_eq!(file(), format!("{POLICY}{rule}"));
    let again = run(&setting, &[&about[..], &why[..2], &["--until", "2026-11-30"]].concat()).await;
    assert!(again.exit == 0 && again.stdout.contains("allows it already"), "{}{}", again.stdout, again.stderr);
    assert_eq!(file(), format!("{POLICY}{rule}"));
    let longer = run(&setting, &[&about[..], &why[..2], &["--until", "2027-06-01", "--dry-run"]].concat()).await;
    assert!(longer.stdout.contains("expires = \"2027-06-01\""), "the rule there ends before: {}", longer.stdout);
    let six = ["policy", "allow", "bob@example.com", "2001:db8::7", "--reason", "a site", "--dry-run"];
    let six = run(&setting, &six).await;
    assert!(six.exit == 0 && six.stdout.contains("notes an IPv6 address only up to its first colon"), "{}", six.stdout);
    let odd = run(&setting, &["policy", "allow", "bob@example.com", "203.0.113.0", "--reason", "a site"]).await;
    assert!(odd.stdout.contains("The rule has no end") && !added.stdout.contains("no end"), "{}", odd.stdout);
    assert!(
        odd.stdout.contains("Look at it again") && odd.stdout.contains("did you mean `203.0.113.0/24`?"),
        "{}",
        odd.stdout
    );
    for wrong in [["nobody@example.com", "203.0.113.7"], ["bob@example.com", "203.0.113.300"]] {
        let refused = run(&setting, &[&["policy", "allow"], &wrong[..], &["--reason", "a site"]].concat()).await;
        assert_eq!(refused.exit, 2, "{wrong:?}");
    }
    for reason in [&[][..], &["--reason", " "]] {
        let silent = run(&setting, &[&about[..], reason].concat()).await;
        assert!(silent.exit == 2 && silent.stderr.contains("--reason"), "{}{}", silent.stdout, silent.stderr);
    }
    for (until, why) in [("30d", "must be a date"), ("2026-11-20", "would not count")] {
        let wrong = run(&setting, &[&about[..], &["--reason", "a site", "--until", until]].concat()).await;
        assert!(wrong.exit == 2 && wrong.stderr.contains(why), "{until}: {}{}", wrong.stdout, wrong.stderr);
    }
}

#[tokio::test]
async fn mistakes_in_the_policy_are_told_at_once_with_file_and_line() {
    let setting = portal("addresses").await;
    setting.file("policy.toml", "[[rule]]\nlabel = \"a\"\npeople = [\"ana@example.com\", \"bob@example.com\"]\ngroups = [\"Stuff\"]\nallow = []\n");
    let unknown = run(&setting, &[]).await;
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (2, ""));
    for part in ["policy.toml, line 3", "did you mean `anna@example.com`?", "line 4", "did you mean `Staff`?"] {
        assert!(unknown.stderr.contains(part), "{part}: {}", unknown.stderr);
    }
    setting.file("policy.toml", "[[rule]]\nlabel = \"a\"\nalow = []\n");
    let before = setting.sim.requests().len();
    let broken = run(&setting, &[]).await;
    assert_eq!(broken.exit, 2);
    assert!(broken.stderr.contains("did you mean `allow`?") && broken.stderr.lines().count() >= 3, "{}", broken.stderr);
    assert!(setting.sim.requests().iter().skip(before).all(|request| !request.target.contains("login/filter")));
    let missing = run_with(&setting, &["--policy", "/nowhere/policy.toml"]).await;
    assert_eq!(missing.exit, 2);
}

/// Off-boarding must not blind the watch, and neither must any admin who renames a group.
#[tokio::test]
async fn somebody_who_left_is_a_note_and_everybody_else_is_judged() {
    let setting = portal("addresses").await;
    let people = |run: &Value| told(run).into_iter().map(|(person, kind, _)| (person, kind)).collect::<BTreeSet<_>>();
    let before = people(&run(&setting, &["--format", "json"]).await.json());
    setting.sim.edit(|scenario| {
        scenario.people.retain(|person| person.email != "bob@example.com");
        let mut fay = scenario.people.iter_mut().filter(|person| person.email == "fay@example.com");
        fay.next().unwrap().email = "faith@example.com".to_owned();
        scenario.content.groups[0].name = "Everybody here".to_owned();
    });
    let ended = run(&setting, &["--format", "json"]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    let notes = run(&setting, &["policy", "check"]).await;
    assert_eq!(notes.exit, 0, "{}", notes.stderr);
    for part in
        ["`BOB@example.com` (line 12) is gone from the portal", "`Staff` (line 6) is called \"Everybody here\" now"]
    {
        assert!(notes.stdout.contains(part), "{part}: {}", notes.stdout);
    }
    let doctor = run(&setting, &["doctor"]).await;
    assert!(doctor.exit == 0 && doctor.stdout.contains("(line 12) is gone from the portal"), "{}", doctor.stdout);
    let now = people(&ended.json());
    let left = before.iter().filter(|(person, _)| person != "fay@example.com");
    assert!(left.clone().all(|found| now.contains(found)), "{before:?} {now:?}");
    // the only group is removed, and the portal says so of itself
    setting.sim.edit(|scenario| scenario.content.groups.clear());
    let ended = run(&setting, &["--format", "json"]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("the group `Staff` (line 6) is gone from the portal"), "{}", ended.stdout);
    assert!(people(&ended.json()).contains(&("many accounts".to_owned(), "spraying".to_owned())), "{}", ended.stdout);
    // a name that was never known is a mistake all the same
    setting.file("policy.toml", &common::POLICY.replace("chen@", "chenn@"));
    assert_eq!(run(&setting, &[]).await.exit, 2);
}
