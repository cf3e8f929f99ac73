//! Whole reports, text and JSON. Each is the first run on its portal.

use chrono::TimeDelta;
use cli_test::abridged;
use portal_sim::{Event, Fault, Login, Person, PersonKind, Room, Scenario};
use serde_json::Value;

use crate::common::{Run, Setting, assert_valid, now};

/// Runs the program on a fresh portal and state for each report, because a second run has nothing new to say.
async fn both_reports(scenario: &str, extra: &[&str]) -> (Run, Run) {
    let json = [extra, &["--format", "json"]].concat();
    (Setting::new(scenario).await.run(extra).await, Setting::new(scenario).await.run(&json).await)
}

macro_rules! situation {
    ($name:ident, $scenario:literal, $extra:expr, exit $exit:literal, $ending:literal $shown:expr) => {
        #[tokio::test]
        async fn $name() {
            let (text, json) = both_reports($scenario, &$extra).await;
            insta::assert_snapshot!(concat!(stringify!($name), "_text"), text.stdout);
            insta::assert_snapshot!(concat!(stringify!($name), $ending), $shown(&json.stdout));
            assert_valid(&json.stdout);
            assert_eq!((text.exit, json.exit), ($exit, $exit));
            assert_eq!((text.stderr.as_str(), json.stderr.as_str()), ("", ""));
        }
    };
}

situation!(quiet_day, "quiet", [], exit 0, "_json" abridged);
situation!(one_finding, "incident", ["--room", "71"], exit 0, "_json" abridged);
situation!(several_findings, "incident", [], exit 0, "_short" in_short);
situation!(incomplete, "incomplete", [], exit 4, "_short" in_short);
situation!(hostile, "hostile", [], exit 4, "_json" abridged);
situation!(no_audit_feature, "no-audit", [], exit 1, "_json" abridged);
situation!(twin_titles, "twin-titles", [], exit 0, "_json" abridged);

/// Runs the program in both formats on a fresh portal each time, and gives both reports.
async fn both(portal: &Scenario, faults: &[Fault], exit: i32) -> (String, String) {
    let mut reports = Vec::new();
    for format in ["text", "json"] {
        let setting = Setting::with(portal.clone()).await;
        setting.sim.set_faults(faults.to_vec());
        let ended = setting.run(&["--format", format]).await;
        assert_eq!(ended.exit, exit, "{}", ended.stderr);
        reports.push(ended.stdout);
    }
    let (json, text) = (reports.pop().unwrap(), reports.pop().unwrap());
    assert_valid(&json);
    (text, json)
}

/// Somebody does this to so many documents, one every half minute.
fn acts(
    portal: &mut Scenario,
    actor: uuid::Uuid,
    (room, action): (i32, i32),
    count: i32,
    minutes_ago: i64,
    title: &str,
) {
    for n in 0..count {
        let at = now() - TimeDelta::minutes(minutes_ago) + TimeDelta::seconds(i64::from(n) * 30);
        portal.add_event(Event::new(action, actor, at).file(9_000 + room * 1_000 + n, title).in_room(room));
    }
}

/// A line for each finding, and the published members; whole findings are in the other snapshots.
fn in_short(json: &str) -> String {
    let report: Value = serde_json::from_str(json).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |finding: &Value| {
        format!(
            "{:<8} {:<14} room {} {} actions, {} documents, {} of {} rows, {}, from {} to {}\n",
            text(&finding["severity"]),
            text(&finding["person"]["name"]),
            finding["room"]["id"],
            finding["counts"]["acts"],
            finding["counts"]["documents"],
            finding["evidence"].as_array().unwrap().len(),
            finding["evidence_total"],
            text(&finding["fingerprint"]),
            text(&finding["window"]["since"]),
            text(&finding["window"]["until"]),
        )
    };
    let findings: String = report["findings"].as_array().unwrap().iter().map(line).collect();
    let published = ["rooms", "period", "maxEventsPerUser", "suspiciousUsers", "loginDetails"];
    let published = published.map(|member| format!("{member}: {}\n", report[member]));
    let gap = |gap: &Value| format!("not seen: {gap}\n");
    let gaps: String = report["coverage"]["gaps"].as_array().unwrap().iter().map(gap).collect();
    format!("{findings}{gaps}{}", published.concat())
}

/// Four people in two rooms, from critical to medium, and one of them twice on one day.
#[tokio::test]
async fn many_findings() {
    let mut portal = Scenario::empty(now())
        .with_zone(chrono_tz::Tz::Asia__Kathmandu)
        .with_room(Room::vdr(71, "Falcon"))
        .with_room(Room::vdr(72, "Eagle"));
    let named = |name: &str, kind| Person::new(&format!("{name}@example.com"), name, "Ray").kind(kind);
    let [dora, emil, gina] = [("Dora", PersonKind::User), ("Emil", PersonKind::Guest), ("Gina", PersonKind::Admin)]
        .map(|(name, kind)| named(name, kind));
    let visitor = portal_sim::GUEST;
    acts(&mut portal, dora.id, (71, 5009), 110, 20 * 60, "offer.docx");
    acts(&mut portal, dora.id, (71, 5009), 60, 120, "contract.docx");
    acts(&mut portal, emil.id, (72, 5017), 12, 300, "minutes.docx");
    acts(&mut portal, gina.id, (72, 5009), 45, 400, "plan.docx");
    acts(&mut portal, visitor, (71, 5009), 25, 500, "draft.docx");
    portal.add_login(Login::success(&dora, now() - TimeDelta::hours(21)));
    for person in [dora, emil, gina] {
        portal = portal.with_person(person);
    }
    let (text, json) = both(&portal, &[], 0).await;
    insta::assert_snapshot!("many_findings_text", text);
    insta::assert_snapshot!("many_findings_short", in_short(&json));
}

/// The login history, and the list of rooms, cannot be read.
#[tokio::test]
async fn partial_coverage() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    acts(&mut portal, olga, (71, 5009), 30, 120, "offer.docx");
    let faults = [Fault::status(403).on("security/audit/login"), Fault::status(500).on("files/rooms")];
    let (text, json) = both(&portal, &faults, 4).await;
    insta::assert_snapshot!("partial_coverage_text", text);
    insta::assert_snapshot!("partial_coverage_json", abridged(&json));
}

/// Ten thousand characters for a document's title: cut for people, whole for programs.
#[tokio::test]
async fn long_titles() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let olga = portal.owner().id;
    let title = format!("{}.docx", "x".repeat(10_000));
    acts(&mut portal, olga, (71, 5009), 21, 120, &title);
    let (text, json) = both(&portal, &[], 0).await;
    insta::assert_snapshot!("long_titles_text", text);
    assert!(json.contains(&title), "JSON has the whole title");
}
