//! Who is told, how severe it is, and what is told of nobody.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Event, Person, PersonKind};
use serde_json::Value;

use crate::common::{
    Burst, COPIED, DELETED, DOWNLOADED, MOVED, OVERWRITTEN, PURGED, RENAMED, UPLOADED, found, hire, json, now, office,
    ordinary_month, plan, row, setting,
};

/// A second run tells nothing new; a dry run tells what it sees and plans, and remembers nothing.
#[tokio::test]
async fn a_finding_is_told_once() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(5018, 110).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    for (arguments, is_told) in [(vec!["--dry-run"], true), (vec![], true), (vec![], false)] {
        let told = setting.run(&arguments).await;
        assert_eq!(told.stdout.contains("would be suspended"), is_told, "{arguments:?} {}{}", told.stdout, told.stderr);
    }
}

/// Photos selected and trashed, an export uploaded over the old one, saves that the document server gives to the first user, a colleague who
/// restores versions or renames back after an attack, a room tidied up, a folder trashed: told, and nobody is planned.
#[tokio::test]
async fn ordinary_work_is_medium_and_never_planned_however_much_it_is() {
    for action in [5017, 5099, OVERWRITTEN, 5034, 5044, RENAMED, DOWNLOADED, MOVED] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst { minutes: 6, ..Burst::new(action, 150) }.by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!((found(&run), plan(&run)), (vec![row("mara@example.com", "medium", false)], vec![]), "{action}");
        assert_eq!(run.exit, 0, "{action}");
    }
}

/// What everybody behind a link does is nobody's.
#[tokio::test]
async fn visitors_through_links_are_no_person() {
    let mut portal = office();
    let guest = Person { id: audit_model::GUEST_ACCOUNT, ..Person::new("", "Anonymous", "") };
    Burst::new(5034, 40).by(&mut portal, &guest, &[71], "");
    let setting = setting(portal).await;
    let run = json(&setting, &[]).await;
    let finding = &run.json()["findings"][0];
    let name = finding["person"]["name"].as_str();
    assert_eq!((finding["severity"].as_str(), name), (Some("medium"), Some("visitors through links")));
    assert_eq!((finding["room"]["title"].as_str(), &finding["room"]["id"]), (Some("Project 71"), &71.into()));
    assert_eq!((&finding["may_act"], plan(&run).len()), (&false.into(), 0));
    let text = setting.run(&["--dry-run"]).await.stdout;
    assert!(!text.contains("disable"), "{text}");
}

/// Two accounts that share the work stay below every limit of one.
#[tokio::test]
async fn two_people_who_empty_a_room_together_are_told() {
    let mut portal = office();
    let people = portal.people[1..3].to_vec();
    for (n, person) in people.iter().enumerate() {
        Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(DELETED, 20) }.by(&mut portal, person, &[71], "");
    }
    let run = json(&setting(portal).await, &[]).await;
    let finding = &run.json()["findings"][0];
    assert_eq!((run.json()["findings"].as_array().unwrap().len(), &finding["file_count"]), (1, &40.into()));
    let room = finding["room"]["title"].as_str();
    assert_eq!((finding["people"].as_array().unwrap().len(), room), (2, Some("Project 71")));
}

/// Each stays below the limit of one person. Several who take a few each, as teams do, are no finding.
#[tokio::test]
async fn several_accounts_that_carry_a_room_off_together_are_told() {
    for (accounts, each, told) in
        [(2, 20, true), (3, 16, true), (5, 20, true), (5, 15, false), (2, 15, false), (1, 20, false)]
    {
        let mut portal = office();
        let people = portal.people[1..=accounts].to_vec();
        for (n, person) in people.iter().enumerate() {
            let burst = Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(DOWNLOADED, each) };
            burst.by(&mut portal, person, &[71], "");
        }
        let run = json(&setting(portal).await, &[]).await;
        let expected = if told { vec![row("", "medium", false)] } else { Vec::new() };
        assert_eq!(found(&run), expected, "{accounts} {each}: {}", run.stdout);
        if told {
            let finding = &run.json()["findings"][0];
            assert_eq!(finding["people"].as_array().unwrap().len(), accounts, "{}", run.stdout);
            let reasons = finding["reasons"].as_array().unwrap();
            assert!(
                reasons[0].as_str().unwrap().contains("documents downloaded within 10 min, more than 30"),
                "{}",
                run.stdout
            );
            let together = "by these people together, and by none of them alone: ";
            assert!(reasons.iter().any(|reason| reason.as_str().unwrap().starts_with(together)), "{}", run.stdout);
        }
        assert_eq!(plan(&run), []);
    }
}

/// The portal has one account for all of them, and what they do in each room stays below the limit.
#[tokio::test]
async fn visitors_of_two_rooms_are_told_together() {
    for (action, each, told) in [(DOWNLOADED, 20, true), (DELETED, 20, true), (DOWNLOADED, 15, false)] {
        let mut portal = office();
        let mut visitor = portal.people[1].clone();
        visitor.id = audit_model::GUEST_ACCOUNT;
        for (n, room) in [71, 72].into_iter().enumerate() {
            let burst = Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(action, each) };
            burst.by(&mut portal, &visitor, &[room], "");
        }
        let setting = setting(portal).await;
        let run = json(&setting, &[]).await;
        let expected = if told { vec![row("", "medium", false)] } else { Vec::new() };
        assert_eq!(found(&run), expected, "{action} {each}: {}", run.stdout);
        let said = "in these rooms together, and in none of them alone: room \\\"Project 71\\\" (20), room \\\"Project 72\\\" (20)";
        assert_eq!((run.stdout.contains(said), plan(&run).len()), (told, 0), "{}", run.stdout);
    }
}

/// Members of rooms are no documents, and neither are rooms.
#[tokio::test]
async fn what_was_counted_is_called_by_its_name() {
    for (action, count, noun, others) in [(5084, 60, "members", "documents"), (5072, 30, "places", "documents")] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(action, count).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        let reasons = run.json()["findings"][0]["reasons"].to_string();
        assert!(reasons.contains(&format!("{count} {noun} in 4 min")), "{reasons}");
        assert!(reasons.contains(&format!("{noun} by place: room")) && !reasons.contains(others), "{reasons}");
    }
}

/// Each kind that harms has a limit of its own.
#[tokio::test]
async fn what_is_no_change_of_a_document_has_limits_too() {
    for (action, count, kind) in [
        (5064, 300, "viewed"),
        (5054, 300, "viewed"),
        (5072, 30, "dismantled"),
        (5030, 25, "dismantled"),
        (5156, 30, "dismantled"),
        (5084, 60, "member_removed"),
        (5091, 60, "shared"),
    ] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(action, count).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(found(&run), [row("mara@example.com", "medium", false)], "{action}");
        assert_eq!(run.json()["findings"][0]["exceeded"][0]["kind"], kind, "{action}");
    }
}

/// Thousands of uploads and moves: reported, and nobody is touched.
#[tokio::test]
async fn a_migration_is_not_planned() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::Admin);
    Burst { minutes: 50, ..Burst::new(UPLOADED, 900) }.by(&mut portal, &mara, &[71, 72, 73, 74], "");
    Burst { first: 20_000, minutes: 50, ..Burst::new(MOVED, 300) }.by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    let run = json(&setting, &[]).await;
    assert_eq!(found(&run), [row("mara@example.com", "medium", false)]);
    assert_eq!(plan(&run), []);
}

#[tokio::test]
async fn a_service_account_is_left_alone() {
    let mut portal = office();
    let robot = hire(&mut portal, "scanner@example.com", PersonKind::User);
    Burst::new(UPLOADED, 300).by(&mut portal, &robot, &[71], "");
    let setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", "service_accounts = [\"Scanner@example.com\"]\n");
    let run = setting.run(&["--config", &config]).await;
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
}

#[tokio::test]
async fn holiday_photos_are_told_and_never_planned() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    ordinary_month(&mut portal, &mara);
    Burst::new(UPLOADED, 25).by(&mut portal, &mara, &[71], ".jpg");
    let setting = setting(portal).await;
    let run = json(&setting, &[]).await;
    assert_eq!((found(&run), plan(&run)), (vec![row("mara@example.com", "medium", false)], vec![]));
}

#[tokio::test]
async fn n_is_usual_and_one_more_is_not() {
    for (files, expected) in [(20, 0), (21, 1)] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(DELETED, files).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(found(&run).len(), expected, "{files}");
    }
}

#[tokio::test]
async fn downloads_have_a_limit_of_their_own() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(DOWNLOADED, 21).by(&mut portal, &mara, &[71], "");
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), [row("mara@example.com", "medium", false)]);
    let exceeded = &run.json()["findings"][0]["exceeded"];
    assert_eq!(exceeded.as_array().unwrap().len(), 1, "no download is a change: {exceeded}");
}

/// The simulator says who must be found; the program is held against that, not against itself.
#[tokio::test]
async fn the_truth_of_the_scenarios_is_told() {
    for name in ["mass-change", "quiet", "hidden-folders", "slow-attack", "rescuer", "forty-at-once"] {
        let setting = setting(portal_sim::Scenario::builtin(name, now()).unwrap()).await;
        let truth = setting.scenario.truth();
        let own = |expected: &[portal_sim::Expected]| -> BTreeSet<(String, u64)> {
            let own = expected.iter().filter(|who| who.program == "bulk-guard");
            own.map(|who| (who.person.clone(), who.acts as u64)).collect()
        };
        let told = |run: &cli_test::Run| -> BTreeSet<(String, u64)> {
            let report = run.json();
            let findings = report["findings"].as_array().unwrap().iter();
            let row = |who: &Value, acts: &Value| (who["email"].as_str().unwrap().to_owned(), acts.as_u64().unwrap());
            let of = |finding: &Value| match finding["people"].as_array() {
                Some(people) => people.iter().map(|one| row(one, &one["documents"])).collect::<Vec<_>>(),
                None => vec![row(&finding["person"], &finding["counts"]["acts"])],
            };
            findings.flat_map(of).collect()
        };
        let run = json(&setting, &[]).await;
        assert_eq!(told(&run), own(&truth.found), "{name}: {}", run.stdout);
        if name == "forty-at-once" {
            assert_eq!(run.json()["findings"][0]["severity"], "medium", "{}", run.stdout);
        }
        let exit = truth.exit.get("bulk-guard").copied().unwrap_or_default();
        assert_eq!(run.exit, i32::from(exit), "{name}");
        let later = json(&setting, &["--since", "9h"]).await;
        let all = own(&truth.found).union(&own(&truth.found_later)).cloned().collect();
        assert_eq!(told(&later), all, "{name}: {}", later.stdout);
    }
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
