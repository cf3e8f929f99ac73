//! Stories with a known end: who must be found, whom a plan may touch, and who must be left alone.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Event, Person, PersonKind};
use serde_json::Value;

use crate::common::{Burst, filled, found, hire, json, now, office, ordinary_month, plan, setting, taken_away};

const DELETED: i32 = 5017;
const PURGED: i32 = 5018;
const RENAMED: i32 = 5001;
const OVERWRITTEN: i32 = 5002;
const UPLOADED: i32 = 5011;
const DOWNLOADED: i32 = 5009;
const MOVED: i32 = 5015;

fn row(email: &str, severity: &str, may_act: bool) -> (String, String, bool) {
    (email.to_owned(), severity.to_owned(), may_act)
}

fn step(email: &str, state: &str, why: &str) -> (String, String, String) {
    (email.to_owned(), state.to_owned(), why.to_owned())
}

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

/// Nobody can list the folders any more: they lie in the leaver's trash, or are gone. A program that has looked before knows what was in
/// them.
#[tokio::test]
async fn a_leaver_who_takes_whole_folders_away_is_told_with_what_they_held() {
    // where exactly something went that nobody else can see is a gap
    for (action, severity, is_planned, exit) in [
        (5026, "medium", false, 0),
        (5027, "critical", true, 0),
        (5025, "medium", false, 4),
        (5057, "medium", false, 0),
    ] {
        let mut portal = office();
        let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
        portal.now -= TimeDelta::minutes(5);
        filled(&mut portal, 9_001, 600);
        let mut setting = setting(portal).await;
        setting.scenario.now = setting.sim.now();
        assert_eq!(found(&json(&setting, &[]).await), []);
        setting.sim.edit(|portal| {
            portal.now = now();
            taken_away(portal, &mallory, action, 9_001, 2);
        });
        setting.scenario.now = now();
        let run = json(&setting, &[]).await;
        assert_eq!(found(&run), [row("mallory@example.com", severity, is_planned)], "{action}: {}", run.stdout);
        let finding = &run.json()["findings"][0];
        assert_eq!((&finding["file_count"], run.exit), (&600.into(), exit), "{action}");
        assert!(run.stdout.contains("as a whole folder or room: \\\"Folder 9001\\\" with 600"), "{}", run.stdout);
        assert_eq!(plan(&run).len(), usize::from(is_planned));
    }
}

/// Two rooms of four, with all that is in them.
#[tokio::test]
async fn deleted_rooms_are_told_with_what_they_held() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    portal.now -= TimeDelta::minutes(5);
    filled(&mut portal, 9_001, 30);
    let mut setting = setting(portal).await;
    setting.scenario.now = setting.sim.now();
    assert_eq!(found(&json(&setting, &[]).await), []);
    setting.sim.edit(|portal| {
        portal.now = now();
        for (room, minutes_ago) in [(71, 2), (72, 1)] {
            portal.rooms.retain(|one| one.id != room);
            let mut deleted = Event::new(5074, mallory.id, now() - TimeDelta::minutes(minutes_ago)).in_room(room);
            deleted.target = vec![room.to_string()];
            portal.add_event(deleted);
        }
    });
    setting.scenario.now = now();
    let run = json(&setting, &[]).await;
    assert_eq!(found(&run), [row("mallory@example.com", "high", false)], "{}", run.stdout);
    // an empty room counts as one
    assert_eq!(run.json()["findings"][0]["file_count"], 31);
}

/// The first run comes too late: rather a word too many than silence, and nobody is planned.
#[tokio::test]
async fn a_folder_that_nobody_can_weigh_any_more_is_told_and_is_no_all_clear() {
    for (action, is_gone) in [(5026, false), (5027, true), (5074, true), (5025, false), (5057, false)] {
        let mut portal = office();
        let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
        filled(&mut portal, 9_001, 600);
        taken_away(&mut portal, &mallory, action, 9_001, 2);
        if is_gone {
            portal.content.folders.clear();
        }
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(found(&run), [row("mallory@example.com", "medium", false)], "{action}: {}", run.stdout);
        assert_eq!((run.exit, &run.json()["findings"][0]["uncountable"]), (4, &1.into()), "{action}");
        assert!(run.stdout.contains("not countable"), "{}", run.stdout);
    }
}

/// A document every half minute for eight hours.
#[tokio::test]
async fn an_attack_over_eight_hours_is_one_finding_with_all_of_it() {
    let mut portal = office();
    let mallory = hire(&mut portal, "mallory@example.com", PersonKind::User);
    Burst { minutes: 480, ended: 2, ..Burst::new(RENAMED, 950) }.by(&mut portal, &mallory, &[71], ".locked");
    let setting = setting(portal).await;
    let run = json(&setting, &["--since", "9h"]).await;
    assert_eq!(found(&run), [row("mallory@example.com", "critical", true)]);
    let finding = &run.json()["findings"][0];
    assert_eq!((&finding["file_count"], &finding["goes_on"]), (&950.into(), &true.into()));
    let since = finding["window"]["since"].as_str();
    assert_eq!((since, &finding["documents_per_hour"]), (Some("2026-11-20T00:58:00Z"), &118.into()));
    assert!(finding["exceeded"][0]["threshold"]["minutes"] == 1440, "{finding}");
    // a run of the usual length goes on from what it remembers
    let next = json(&setting, &[]).await;
    assert_eq!(next.json()["findings"][0]["file_count"], 950);
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

/// Twenty-one deletions alone are medium; at night and from an address never seen before they are reason enough.
#[tokio::test]
async fn habits_decide_where_the_number_does_not() {
    for (ip, expected) in [
        ("192.0.2.30", row("mara@example.com", "medium", false)),
        ("203.0.113.66", row("mara@example.com", "critical", true)),
    ] {
        let mut portal = office();
        let mut mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        ordinary_month(&mut portal, &mara);
        ip.clone_into(&mut mara.ip);
        let night = if ip == "192.0.2.30" { 0 } else { 6 };
        portal.now = now() - TimeDelta::hours(night);
        Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &["--since", "2026-10-20T00:00:00Z"]).await;
        assert_eq!(found(&run), [expected]);
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
        let said = "40 people: 4,400 documents";
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

/// Fifteen before the end of one run and fifteen after it are thirty.
#[tokio::test]
async fn a_burst_across_two_runs_is_one() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    portal.now = now() - TimeDelta::minutes(3);
    Burst { minutes: 3, ended: 0, ..Burst::new(DELETED, 15) }.by(&mut portal, &mara, &[71], "");
    let mut setting = setting(portal).await;
    let first = setting.run(&[]).await;
    assert_eq!((first.exit, first.stdout.as_str()), (0, ""), "{}", first.stderr);
    setting.scenario.now = now();
    setting.sim.edit(|portal| {
        portal.now = now();
        Burst { first: 20_000, minutes: 3, ended: 0, ..Burst::new(DELETED, 15) }.by(portal, &mara, &[71], "");
    });
    assert_eq!(found(&json(&setting, &[]).await).len(), 1);
}

/// The portal stored them only after their hour had been judged.
#[tokio::test]
async fn a_burst_that_comes_late_is_told() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    let setting = setting(portal).await;
    assert_eq!(setting.run(&["--since", "5h"]).await.exit, 0);
    setting.sim.edit(|portal| Burst { ended: 110, ..Burst::new(DELETED, 30) }.by(portal, &mara, &[71], ""));
    assert_eq!(found(&json(&setting, &[]).await), [row("mara@example.com", "medium", false)]);
}

/// What goes from a room to a place outside the rooms is moved out; what is moved about in one room is not.
#[tokio::test]
async fn moving_out_of_rooms_is_told_from_moving_about() {
    let mut portal = office();
    let (out, about) = (
        hire(&mut portal, "out@example.com", PersonKind::User),
        hire(&mut portal, "about@example.com", PersonKind::User),
    );
    Burst { first: 30_000, ..Burst::new(MOVED, 30) }.by(&mut portal, &about, &[71], "");
    let own = portal.my_documents(out.id).to_string();
    for n in 0..30 {
        for _half in 0..2 {
            let mut event = Event::new(MOVED, out.id, now() - TimeDelta::minutes(9) + TimeDelta::seconds(n))
                .file(40_000 + n as i32, "a.docx");
            event.target.push(own.clone());
            event.place = portal_sim::Place::MyDocuments;
            portal.add_event(event);
        }
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), [row("about@example.com", "medium", false), row("out@example.com", "medium", false)]);
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
        let exit = truth.exit.get("bulk-guard").copied().unwrap_or_default();
        assert_eq!(run.exit, i32::from(exit), "{name}");
        let later = json(&setting, &["--since", "9h"]).await;
        let all = own(&truth.found).union(&own(&truth.found_later)).cloned().collect();
        assert_eq!(told(&later), all, "{name}: {}", later.stdout);
    }
}
