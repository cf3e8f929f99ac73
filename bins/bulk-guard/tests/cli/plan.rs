//! Whom a plan would suspend, and whom it must not touch.

use chrono::TimeDelta;
use portal_sim::{Event, Fault, Group, Person, PersonKind};
use uuid::Uuid;

use crate::common::{Burst, PURGED, RENAMED, TRASH_EMPTIED, found, hire, json, now, office, plan, row, setting, step};

const GUEST_ACCOUNT: Uuid = uuid::uuid!("712d9ec3-5d2b-4b13-824f-71f00191dcca");

#[tokio::test]
async fn a_client_that_encrypts_by_renaming_is_planned() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(RENAMED, 40).by(&mut portal, &mara, &[71], ".xq7");
    let setting = setting(portal).await;
    let run = json(&setting, &["--exit-code"]).await;
    assert_eq!(found(&run), [row("mara@example.com", "critical", true)]);
    assert_eq!(plan(&run), [step("mara@example.com", "planned", "")]);
    assert_eq!(run.exit, 3);
    let signs = run.json()["findings"][0]["corroboration"].to_string();
    assert!(signs.contains("new_extension") && signs.contains("40 of 40 new names"), "{signs}");
}

/// What no trash gives back is planned by its number.
#[tokio::test]
async fn deleting_for_good_is_planned_by_its_number_alone() {
    for (action, files, severity, is_planned) in
        [(PURGED, 21, "high", false), (PURGED, 100, "critical", true), (5119, 100, "critical", true)]
    {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(action, files).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(found(&run), [row("mara@example.com", severity, is_planned)], "{action} {files}");
        assert_eq!(plan(&run).len(), usize::from(is_planned));
    }
}

/// Too many at once is a mistake of the rule or the end of the world: nobody is touched before somebody has looked.
#[tokio::test]
async fn forty_people_at_once_are_one_finding_and_trip_the_breaker() {
    for (action, severity, exit, held) in [(5099, "medium", 0, 0), (PURGED, "critical", 3, 40)] {
        let mut portal = office();
        let people = portal.people[1..].to_vec();
        for (n, person) in people.iter().enumerate() {
            let burst = Burst { first: 1_000 * n as i32 + 10_000, minutes: 6, ..Burst::new(action, 110) };
            burst.by(&mut portal, person, &[71], "");
        }
        let setting = setting(portal).await;
        let alerts = setting.state.path().join("alerts.ndjson");
        let config = setting.file("bulk-guard.toml", &format!("[alerts.file]\npath = \"{}\"\n", alerts.display()));
        let run = json(&setting, &["--config", &config]).await;
        assert_eq!((run.exit, found(&run)), (exit, vec![row("", severity, false)]), "{}", run.stderr);
        let plan = plan(&run);
        assert_eq!(plan.len(), held);
        assert!(plan.iter().all(|(_, state, why)| (state.as_str(), why.as_str()) == ("held", "breaker")));
        let finding = &run.json()["findings"][0];
        assert_eq!((finding["people"].as_array().unwrap().len(), &finding["file_count"]), (40, &4400.into()));
        assert_eq!(finding["person"]["name"], "40 people");
        let said = "4,400 documents";
        assert!(finding["reasons"][0].as_str().unwrap().starts_with(said), "{}", finding["reasons"]);
        let told = std::fs::read_to_string(alerts).unwrap();
        assert_eq!(told.lines().count(), 1, "one alert for one event");
        let alert: serde_json::Value = serde_json::from_str(&told).unwrap();
        for member in ["user_id", "file_count", "exceeded", "rooms", "people", "matter"] {
            assert_eq!(alert[member], finding[member], "{member}");
            assert!(!alert[member].is_null(), "{member}");
        }
        // with everything known, a run asks for little besides the audit trail
        let before = setting.sim.requests().len();
        json(&setting, &["--config", &config]).await;
        let targets: Vec<String> =
            setting.sim.requests().iter().skip(before).map(|request| request.target.clone()).collect();
        let asked = targets.iter().filter(|target| !target.contains("audit/events/filter")).count();
        assert!(asked <= 15, "{asked} requests: {targets:#?}");
    }
}

#[tokio::test]
async fn protected_people_are_held_with_the_reason() {
    let mut portal = office();
    let admin = hire(&mut portal, "admin@example.com", PersonKind::Admin);
    let listed = hire(&mut portal, "listed@example.com", PersonKind::User);
    let owner = portal.owner().clone();
    for (n, person) in [&owner, &listed].into_iter().enumerate() {
        Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(PURGED, 110) }.by(&mut portal, person, &[71], "");
    }
    portal.keys = vec![portal_sim::Key::of(&admin)];
    Burst { first: 50_000, ..Burst::new(PURGED, 110) }.by(&mut portal, &admin, &[71], "");
    let setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", "[protect]\npeople = [\"listed@example.com\"]\n");
    let run = json(&setting, &["--config", &config]).await;
    let expected = [
        step("admin@example.com", "held", "own_account"),
        step("listed@example.com", "held", "listed"),
        step("olga@example.com", "held", "portal_owner"),
    ];
    assert_eq!(plan(&run), expected);
    // what protection holds is no reason to fail
    assert_eq!(run.exit, 0);
}

/// Somebody or something was meant that is not there: rather nobody than the wrong one, until somebody has looked.
#[tokio::test]
async fn names_of_nobody_hold_everybody() {
    for (text, names) in [
        ("[protect]\ngroups = [\"Board\", \"Bored\"]\n", ["`Board`", "`Bored`"]),
        (
            "[protect]\npeople = [\"bos@example.com\", \"chef@example.com\"]\n",
            ["`bos@example.com`", "`chef@example.com`"],
        ),
        (
            "service_accounts = [\"robto@example.com\", \"bot@example.com\"]\n",
            ["`robto@example.com`", "`bot@example.com`"],
        ),
    ] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
        let setting = setting(portal).await;
        let config = setting.file("bulk-guard.toml", text);
        let run = json(&setting, &["--config", &config]).await;
        assert_eq!(plan(&run), [step("mara@example.com", "held", "protection_unread")], "{text}");
        assert_eq!(run.exit, 2, "{text}");
        let notes = run.json()["notes"].to_string();
        assert!(names.iter().all(|name| notes.contains(name)), "{text}: {notes}");
        let url = setting.sim.url();
        let checked = setting.run_with(&["doctor", "--portal", &url, "--config", &config]).await.stdout;
        let named =
            |name: &&&str| checked.lines().any(|line| line.starts_with("warn  names: ") && line.contains(**name));
        assert_eq!(names.iter().filter(named).count(), 2, "{text}: {checked}");
    }
}

/// What is written in braces, in capitals or with blanks around it is the same person.
#[tokio::test]
async fn an_id_in_braces_protects() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    let id = mara.id.to_string().to_uppercase();
    let config = setting.file("bulk-guard.toml", &format!("[protect]\npeople = [\" {{{id}}} \"]\n"));
    let run = json(&setting, &["--config", &config]).await;
    assert_eq!((plan(&run), run.exit), (vec![step("mara@example.com", "held", "listed")], 0));
}

/// Two hours apart each, so that no run sees more than two of them; the fourth in a day is one too many.
#[tokio::test]
async fn a_fourth_person_in_a_day_is_held() {
    let portal = office();
    let people = portal.people[1..5].to_vec();
    let mut setting = setting(portal).await;
    for (n, person) in people.iter().enumerate() {
        let at = now() - TimeDelta::hours(8) + TimeDelta::hours(2 * n as i64);
        setting.scenario.now = at;
        setting.sim.edit(|portal| {
            portal.now = at;
            Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(PURGED, 110) }.by(portal, person, &[71], "");
        });
        let run = json(&setting, &[]).await;
        let own = plan(&run).into_iter().find(|(email, ..)| *email == person.email).unwrap();
        let (state, exit) = if n < 3 { ("planned", 0) } else { ("held", 3) };
        assert_eq!((own.1.as_str(), run.exit), (state, exit), "person {n}: {}", run.stdout);
    }
}

/// From a room, deleting for good is worse than the trash, whatever else is emptied meanwhile.
#[tokio::test]
async fn deleting_for_good_in_a_room_is_planned() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
    portal.add_event(Event::new(TRASH_EMPTIED, mara.id, now() - TimeDelta::minutes(6)));
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(plan(&run), [step("mara@example.com", "planned", "")]);
}

/// Guests behind a link, accounts that are gone or off, and invitations.
#[tokio::test]
async fn who_is_no_ordinary_account_is_not_planned() {
    let mut portal = office();
    let mut off = hire(&mut portal, "off@example.com", PersonKind::User);
    off.status = 2;
    portal.people.last_mut().unwrap().status = 2;
    let gone = Person::new("gone@example.com", "Gone", "Long");
    let guest = Person { id: GUEST_ACCOUNT, ..gone.clone() };
    for (n, person) in [&off, &gone, &guest].into_iter().enumerate() {
        Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(PURGED, 110) }.by(&mut portal, person, &[71], "");
    }
    let run = json(&setting(portal).await, &[]).await;
    // visitors through links are no account at all
    let expected = [step("", "held", "not_known"), step("off@example.com", "already", "")];
    assert_eq!(plan(&run), expected);
    assert_eq!(run.exit, 0, "{}", run.stderr);
}

/// The directory would switch the account on again.
#[tokio::test]
async fn accounts_of_a_directory_are_held() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.people.last_mut().unwrap().is_ldap = true;
    Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    assert_eq!(plan(&json(&setting, &[]).await), [step("mara@example.com", "held", "directory")]);
    let told = setting.run(&["explain", "mara@example.com"]).await.stdout;
    assert!(told.contains("could not suspend this person: the account comes from a directory"), "{told}");
}

#[tokio::test]
async fn nobody_is_planned_when_people_cannot_be_read() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal.with_fault(Fault::status(403).on("people/filter"))).await;
    let run = json(&setting, &[]).await;
    assert_eq!(plan(&run), [step("mara@example.com", "held", "protection_unread")]);
    let url = setting.sim.url();
    let told = setting.run_with(&["doctor", "--portal", &url]).await;
    assert!(told.stdout.contains("the list of people could not be read"), "{}", told.stdout);
}

/// Names of groups are not unique.
#[tokio::test]
async fn every_group_of_a_protected_name_is_protected() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let group = |id: u128, members| Group { id: Uuid::from_u128(id), name: "Board".to_owned(), manager: None, members };
    portal.content.groups = vec![group(1, vec![portal.people[1].id]), group(2, vec![mara.id])];
    Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", "[protect]\ngroups = [\"Board\"]\n");
    assert_eq!(plan(&json(&setting, &["--config", &config]).await), [step("mara@example.com", "held", "in_group")]);
}

/// Six people at once trip the breaker; that four of them stop does not release the other two.
#[tokio::test]
async fn a_held_plan_is_not_released_by_the_clock() {
    let mut portal = office();
    let people = portal.people[1..7].to_vec();
    for (n, person) in people.iter().enumerate() {
        // two kinds, so that they are no crowd
        let action = if n < 3 { PURGED } else { 5119 };
        let burst = Burst { first: 1_000 * n as i32 + 10_000, ended: 5 - n as i64, ..Burst::new(action, 110) };
        burst.by(&mut portal, person, &[71], "");
    }
    let mut setting = setting(portal).await;
    for minutes in [0, 7, 9] {
        setting.scenario.now = now() + TimeDelta::minutes(minutes);
        let at = setting.scenario.now;
        setting.sim.edit(|portal| portal.now = at);
        let run = json(&setting, &[]).await;
        let plan = plan(&run);
        assert!(plan.len() == 6 && plan.iter().all(|(_, state, _)| state == "held"), "{minutes}: {plan:?}");
        assert_eq!(run.exit, 3, "{minutes}");
    }
}

/// Whoever acts on what is over acts on the past.
#[tokio::test]
async fn old_evidence_plans_nobody() {
    for (ended, expected) in
        [(9, step("mara@example.com", "planned", "")), (11, step("mara@example.com", "held", "too_old"))]
    {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst { ended, ..Burst::new(PURGED, 110) }.by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!((plan(&run), run.exit), (vec![expected], 0), "{ended}");
    }
}

/// Three days of last month, replayed, disarm nobody today.
#[tokio::test]
async fn a_replay_of_old_days_does_not_count_for_today() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    let people = portal.people[1..5].to_vec();
    for (n, person) in people.iter().enumerate() {
        let ended = (20 + n as i64) * 24 * 60;
        Burst { first: 1_000 * n as i32 + 10_000, ended, ..Burst::new(PURGED, 110) }.by(&mut portal, person, &[71], "");
    }
    Burst { first: 50_000, ..Burst::new(PURGED, 110) }.by(&mut portal, &mallory, &[71], "");
    let setting = setting(portal).await;
    let url = setting.sim.url();
    for until in ["19d", "20d", "21d"] {
        let run = setting.run_with(&["--portal", &url, "--since", "2d", "--until", until, "--format", "json"]).await;
        let plan = plan(&run);
        let is_held =
            |(_, state, why): &(String, String, String)| (state.as_str(), why.as_str()) == ("held", "too_old");
        assert!(!plan.is_empty() && plan.iter().all(is_held), "{until}: {plan:?}");
    }
    assert_eq!(plan(&json(&setting, &[]).await), [step("mallory@example.com", "planned", "")]);
}

/// Somebody looked, and switched the account on again.
#[tokio::test]
async fn whom_somebody_has_switched_on_again_is_not_planned() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst { ended: 2, ..Burst::new(PURGED, 110) }.by(&mut portal, &mara, &[71], "");
    let owner = portal.owner().id;
    let mut decided = Event::new(4020, owner, now() - TimeDelta::minutes(1));
    decided.target = vec![mara.id.to_string()];
    portal.add_event(decided);
    assert_eq!(plan(&json(&setting(portal).await, &[]).await), [step("mara@example.com", "held", "decided")]);
}

/// Nobody has accepted it, so there is no account to suspend.
#[tokio::test]
async fn an_invitation_is_not_planned() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.people.last_mut().unwrap().status = 4;
    Burst::new(PURGED, 110).by(&mut portal, &mara, &[71], "");
    assert_eq!(plan(&json(&setting(portal).await, &[]).await), [step("mara@example.com", "held", "not_active")]);
}
