//! What looks like an attack and is none, and the other way round.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Fault, Group, Login, Person, PersonKind, Place, Scenario};
use uuid::Uuid;

use crate::common::{Burst, found, hire, json, now, office, ordinary_month, plan, setting, taken_away};

const DELETED: i32 = 5017;
const PURGED: i32 = 5018;
const TRASH_EMPTIED: i32 = 5061;
const RENAMED: i32 = 5001;
const MOVED: i32 = 5015;
const COPIED: i32 = 5013;
const FOLDER_DOWNLOADED: i32 = 5057;
const GUEST_ACCOUNT: Uuid = uuid::uuid!("712d9ec3-5d2b-4b13-824f-71f00191dcca");

fn row(email: &str, severity: &str, may_act: bool) -> (String, String, bool) {
    (email.to_owned(), severity.to_owned(), may_act)
}

fn step(email: &str, state: &str, why: &str) -> (String, String, String) {
    (email.to_owned(), state.to_owned(), why.to_owned())
}

fn room(id: i32) -> Place {
    Place::Room { id, title: String::new() }
}

/// One half of what was moved or copied: the portal writes one as seen from each side.
fn half(portal: &mut Scenario, action: i32, person: &Person, at: DateTime<Utc>, file: i32, to: i32, seen_from: Place) {
    let mut event = Event::new(action, person.id, at).file(file, "paper.docx").ip(&person.ip);
    event.target.push(to.to_string());
    event.place = seen_from;
    portal.add_event(event);
}

/// Somebody who hands in documents puts them into a room; others do the same at that second, and the portal stores the halves in any
/// order.
#[tokio::test]
async fn what_comes_into_a_room_has_left_none() {
    let mut portal = office();
    let people: Vec<Person> =
        ["a", "b", "c"].map(|name| hire(&mut portal, &format!("{name}@example.com"), PersonKind::User)).to_vec();
    for n in 0..30 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        let (a, b, c) = (&people[0], &people[1], &people[2]);
        half(&mut portal, MOVED, a, at, 40_000 + n, 71, room(71));
        half(&mut portal, MOVED, b, at, 50_000 + n, 71, room(71));
        half(&mut portal, MOVED, a, at, 40_000 + n, 71, Place::MyDocuments);
        half(&mut portal, MOVED, b, at, 50_000 + n, 71, Place::MyDocuments);
        half(&mut portal, MOVED, c, at, 60_000 + n, 71, Place::MyDocuments);
        half(&mut portal, MOVED, c, at, 60_000 + n, 71, room(71));
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), ["a", "b", "c"].map(|name| row(&format!("{name}@example.com"), "medium", false)));
}

#[tokio::test]
async fn what_leaves_a_room_is_moved_out_in_whatever_order_it_is_stored() {
    let mut portal = office();
    let people: Vec<Person> =
        ["a", "b", "c"].map(|name| hire(&mut portal, &format!("{name}@example.com"), PersonKind::User)).to_vec();
    let own: Vec<i32> = people.iter().map(|person| portal.my_documents(person.id)).collect();
    for n in 0..30 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        half(&mut portal, MOVED, &people[0], at, 40_000 + n, own[0], Place::MyDocuments);
        half(&mut portal, MOVED, &people[0], at, 40_000 + n, own[0], room(71));
        half(&mut portal, MOVED, &people[1], at, 50_000 + n, own[1], room(71));
        half(&mut portal, MOVED, &people[1], at, 50_000 + n, own[1], Place::MyDocuments);
        half(&mut portal, MOVED, &people[2], at, 60_000 + n, 72, room(72));
        half(&mut portal, MOVED, &people[2], at, 60_000 + n, 72, room(71));
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), ["a", "b", "c"].map(|name| row(&format!("{name}@example.com"), "medium", false)));
    for finding in run.json()["findings"].as_array().unwrap() {
        assert_eq!((&finding["file_count"], finding["exceeded"][1]["kind"].as_str()), (&30.into(), Some("moved_out")));
    }
}

#[tokio::test]
async fn a_copy_from_room_to_room_is_one() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    for n in 0..20 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        half(&mut portal, COPIED, &mara, at, 40_000 + n, 72, room(72));
        half(&mut portal, COPIED, &mara, at, 40_000 + n, 72, room(71));
    }
    assert_eq!(found(&json(&setting(portal).await, &[]).await), []);
}

/// The portal writes a deletion for each document in a trash that is emptied. Those were deleted long ago.
#[tokio::test]
async fn emptying_ones_own_trash_spoils_nothing() {
    for (is_over, expected) in [(true, vec![]), (false, vec![row("mara@example.com", "medium", false)])] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        for n in 0..150 {
            let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(n);
            portal.add_event(Event::new(PURGED, mara.id, at).file(40_000 + n as i32, "old.docx"));
        }
        if is_over {
            portal.add_event(Event::new(TRASH_EMPTIED, mara.id, now() - TimeDelta::minutes(6)));
        }
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!((found(&run), plan(&run)), (expected, vec![]));
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

/// The attacker's first hour must not become the habit that the second is measured by.
#[tokio::test]
async fn an_attack_that_begins_slowly_teaches_no_habits() {
    let mut portal = office();
    let mut mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    ordinary_month(&mut portal, &mara);
    portal.now = now() - TimeDelta::hours(6);
    "203.0.113.66".clone_into(&mut mara.ip);
    Burst { first: 30_000, minutes: 60, ended: 20, ..Burst::new(DELETED, 10) }.by(&mut portal, &mara, &[71], "");
    Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
    let run = json(&setting(portal).await, &["--since", "2026-10-20T00:00:00Z"]).await;
    assert_eq!(found(&run), [row("mara@example.com", "critical", true)]);
}

/// Whoever stole a session looked around for some hours before.
#[tokio::test]
async fn a_sign_in_from_a_new_country_earlier_that_day_is_a_sign() {
    for (country, expected) in
        [("Germany", row("mara@example.com", "medium", false)), ("Iceland", row("mara@example.com", "critical", true))]
    {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let mut sign_in = |country: &str, at: DateTime<Utc>| {
            let mut login = Login::success(&mara, at);
            login.country = Some(country.to_owned());
            portal.add_login(login);
        };
        (2..29).for_each(|day| sign_in("Germany", now() - TimeDelta::days(day)));
        sign_in(country, now() - TimeDelta::hours(3));
        Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
        assert_eq!(found(&json(&setting(portal).await, &[]).await), [expected], "{country}");
    }
}

/// A drawing office renames its drawings: the extension is in no list of ours, and in daily use there.
#[tokio::test]
async fn an_extension_that_the_office_always_uses_is_no_sign() {
    for (usual, expected) in [
        ("plan.sldprt", row("mara@example.com", "medium", false)),
        ("plan.docx", row("mara@example.com", "critical", true)),
    ] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let (ben, day_before) = (portal.people[1].id, now() - TimeDelta::days(3));
        for n in 0..3 {
            portal.add_event(Event::new(5034, ben, day_before).file(5_000 + n, usual).in_room(71));
        }
        Burst::new(RENAMED, 25).by(&mut portal, &mara, &[71], ".SLDPRT");
        let run = json(&setting(portal).await, &["--since", "2026-11-10T00:00:00Z"]).await;
        assert_eq!(found(&run), [expected], "{usual}");
    }
}

/// What a folder held when it was downloaded in the morning is not what is deleted with it in the evening.
#[tokio::test]
async fn a_folder_is_weighed_again_when_it_is_deleted() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let mut downloaded = Event::new(FOLDER_DOWNLOADED, mara.id, portal.now - TimeDelta::minutes(40)).in_room(71);
    downloaded.target = vec!["500".to_owned()];
    portal.add_event(downloaded);
    let made = portal_sim::Folder {
        id: 500,
        parent: 71,
        title: "Folder 500".to_owned(),
        author: mara.id,
        created: portal.now - TimeDelta::hours(2),
    };
    portal.content.folders.push(made);
    let mut setting = setting(portal).await;
    assert_eq!(found(&json(&setting, &[]).await), []);
    // it is filled within an hour, twenty at a time
    for _ in 0..3 {
        setting.sim.edit(|portal| {
            portal.now += TimeDelta::minutes(20);
            for n in 0..20 {
                let (id, at) = (portal.content.files.len() as i32 + 60_000, portal.now - TimeDelta::seconds(n));
                portal.content.files.push(portal_sim::StoredFile::new(id, 500, "a.docx", mara.id, at, b"x"));
                portal.add_event(Event::new(5011, mara.id, at).file(id, "a.docx").in_room(71));
            }
        });
        setting.scenario.now = setting.sim.now();
        assert_eq!(found(&json(&setting, &[]).await), []);
    }
    setting.sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        taken_away(portal, &mara, 5026, 500, 0);
        portal.now += TimeDelta::seconds(2);
    });
    setting.scenario.now = setting.sim.now();
    let run = json(&setting, &[]).await;
    let exceeded = run.json()["findings"][0]["exceeded"].clone();
    let deleted = exceeded.as_array().unwrap().iter().find(|one| one["kind"] == "deleted");
    assert_eq!(deleted.unwrap()["documents"], 60, "{}", run.stdout);
}

/// A burst across the edge of the window, judged from whichever side, is whole.
#[tokio::test]
async fn a_burst_is_found_wherever_a_run_cuts_it() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let began = now() - TimeDelta::hours(2);
    for n in 0..21 {
        let at = began + TimeDelta::seconds(29 * n);
        portal.add_event(Event::new(DELETED, mara.id, at).file(40_000 + n as i32, "a.docx").in_room(71));
    }
    let mut setting = setting(portal).await;
    // the twenty-first comes 580 seconds after the first
    for (seconds, files) in [(300, 0), (579, 0), (580, 0), (581, 21), (3600, 21)] {
        setting.scenario.now = began + TimeDelta::seconds(seconds);
        let run = json(&setting, &[]).await;
        let count = run.json()["findings"][0]["file_count"].as_u64().unwrap_or(0);
        assert_eq!(count, files, "{seconds} s after the first: {}", run.stdout);
    }
}

/// A run every minute and a limit as long as the window: what slides out of the one must still count in the other.
#[tokio::test]
async fn a_limit_as_long_as_the_window_loses_nothing_between_two_runs() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let began = now() - TimeDelta::hours(2);
    for n in 0..21 {
        let at = began + TimeDelta::seconds(179 * n);
        portal.add_event(Event::new(DELETED, mara.id, at).file(40_000 + n as i32, "a.docx").in_room(71));
    }
    let mut setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", "[limits.deleted]\nminutes = 60\n");
    for (seconds, expected) in [(3570, 0), (3630, 1)] {
        setting.scenario.now = began + TimeDelta::seconds(seconds);
        assert_eq!(found(&json(&setting, &["--config", &config]).await).len(), expected, "{seconds}");
    }
}

/// Fifty-eight minutes without a run: shorter than the window, and still longer than the window has room for.
#[tokio::test]
async fn a_burst_across_a_pause_is_whole() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.now = now() - TimeDelta::minutes(58);
    Burst { minutes: 8, ended: -4, ..Burst::new(DELETED, 24) }.by(&mut portal, &mara, &[71], "");
    let mut setting = setting(portal).await;
    assert_eq!(found(&json(&setting, &[]).await), []);
    setting.scenario.now = now();
    setting.sim.edit(|portal| portal.now = now());
    assert_eq!(found(&json(&setting, &[]).await), [row("mara@example.com", "medium", false)]);
}

/// More than two pages of the audit trail in one second, by two people in turns.
#[tokio::test]
async fn a_burst_within_one_second_is_whole() {
    let mut portal = office();
    let people = ["a", "b"].map(|name| hire(&mut portal, &format!("{name}@example.com"), PersonKind::User));
    for n in 0..250 {
        let at = now() - TimeDelta::minutes(9);
        portal.add_event(Event::new(DELETED, people[n % 2].id, at).file(40_000 + n as i32, "a.docx").in_room(71));
    }
    let run = json(&setting(portal).await, &[]).await;
    let report = run.json();
    let counts: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| &one["file_count"]).collect();
    assert_eq!(counts, [125, 125], "{}", run.stdout);
}

/// A person who does a little of everything stays below each limit but one, and that one never acts.
#[tokio::test]
async fn alternating_kinds_are_told_by_the_published_rule() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    for (n, action) in [DELETED, RENAMED, 5034, 5011, COPIED].into_iter().enumerate() {
        Burst { first: 10_000 + 100 * n as i32, ..Burst::new(action, 20) }.by(&mut portal, &mara, &[71], "");
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!((found(&run), plan(&run)), (vec![row("mara@example.com", "medium", false)], vec![]));
}

/// Versions put back one by one, by hand or by something that undoes work; folders renamed one by one.
#[tokio::test]
async fn restored_versions_and_renamed_folders_have_limits() {
    for (action, kind) in [(5044, "overwritten"), (5020, "renamed")] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(action, 21).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(run.json()["findings"][0]["exceeded"][1]["kind"], kind, "{}", run.stdout);
    }
}

/// Text, JSON and the plan are of one mind about everybody.
#[tokio::test]
async fn text_and_json_say_the_same_of_everybody() {
    let mut portal = office();
    let owner = portal.owner().clone();
    let admin = hire(&mut portal, "admin@example.com", PersonKind::Admin);
    let user = hire(&mut portal, "user@example.com", PersonKind::User);
    let photos = hire(&mut portal, "photos@example.com", PersonKind::User);
    for (n, person) in [&owner, &admin, &user].into_iter().enumerate() {
        Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(PURGED, 110) }.by(&mut portal, person, &[71], "");
    }
    Burst { first: 50_000, ..Burst::new(5011, 300) }.by(&mut portal, &photos, &[71], "");
    let run = json(&setting(portal.clone()).await, &[]).await;
    let report = run.json();
    let text = setting(portal).await.run(&[]).await.stdout;
    for finding in report["findings"].as_array().unwrap() {
        let email = finding["person"]["email"].as_str().unwrap();
        let blocks: Vec<&str> = text.split("\n\n").filter(|block| block.contains(&format!("<{email}>"))).collect();
        let [block] = blocks[..] else { panic!("{email} stands once in {text}") };
        let severity = finding["severity"].as_str().unwrap().to_uppercase();
        assert!(block.lines().any(|line| line.starts_with(&format!("  {severity}  "))), "{block}");
        for reason in finding["reasons"].as_array().unwrap() {
            assert!(block.contains(&format!("\n    {}\n", reason.as_str().unwrap())), "{reason} in {block}");
        }
        let actions = report["actions"].as_array().unwrap();
        let action = actions.iter().find(|action| action["person"]["email"] == email);
        assert_eq!(action.is_some(), finding["may_act"].as_bool().unwrap(), "{email}");
        let state = action.map(|action| action["state"].as_str().unwrap());
        assert_eq!(block.contains("would be suspended"), state == Some("planned"), "{block}");
        assert_eq!(block.contains("would not be suspended"), state == Some("held"), "{block}");
    }
    assert_eq!(report["findings"].as_array().unwrap().len(), 4);
}

/// Hours of work are the portal's; the clock that was set back in between changes none of them.
#[tokio::test]
async fn summer_time_makes_no_hour_unusual() {
    let mut portal = office().with_zone(chrono_tz::Europe::Berlin);
    portal.now = "2026-11-02T08:40:00Z".parse().unwrap();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    for day in 3..25 {
        // half past nine in Berlin, summer or winter
        let summer = i64::from(day > 8);
        let at = portal.now - TimeDelta::days(day) - TimeDelta::minutes(10) - TimeDelta::hours(summer);
        portal.add_event(Event::new(5034, mara.id, at).file(5_000, "plan.docx").ip(&mara.ip).in_room(71));
    }
    Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
    let run = json(&setting(portal).await, &["--since", "2026-10-01T00:00:00Z"]).await;
    assert_eq!(run.json()["findings"][0]["corroboration"], serde_json::json!([]), "{}", run.stdout);
}

#[tokio::test]
async fn names_of_any_length_and_without_extension_are_told() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.people.last_mut().unwrap().first_name = "M".repeat(10_000);
    Burst::new(RENAMED, 25).by(&mut portal, &mara, &[71], &"x".repeat(10_000));
    let ben = hire(&mut portal, "ben@example.com", PersonKind::User);
    for n in 0..25 {
        // no document named: each row is one
        portal.add_event(Event::new(RENAMED, ben.id, now() - TimeDelta::minutes(9) + TimeDelta::seconds(n)));
    }
    let setting = setting(portal).await;
    assert_eq!(found(&json(&setting, &[]).await).len(), 2);
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
    assert!(told.contains("could not touch this person: the account comes from a directory"), "{told}");
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

#[tokio::test]
async fn a_dry_run_leaves_the_state_as_it_is() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let setting = setting(portal).await;
    assert_eq!(setting.run(&[]).await.exit, 0);
    setting.sim.edit(|portal| Burst::new(PURGED, 110).by(portal, &mara, &[71], ""));
    let state = || {
        let folder = std::fs::read_dir(setting.state.path().join("state")).unwrap();
        let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = state();
    assert!(setting.run(&["--dry-run"]).await.stdout.contains("would be suspended"));
    assert!(state() == before, "the state has changed");
}
