//! A sixth program, of which only questions, rule and report were written: all promises of the path hold for it.

use cli_test::Setting;
use cli_test::contract::{Program, Shipped, reports};
use portal_sim::{Event, Person, PersonKind, Scenario};

use crate::common::{NOW, program};

/// An external link to a file is made.
const SHARED: i32 = 5088;

/// It is shipped with nothing, asks for nothing but the audit trail, and nobody shares anything on the portal of the contracts.
fn share_watch() -> Program {
    Program {
        binary: binary(),
        package: concat!(env!("CARGO_MANIFEST_DIR"), "/examples"),
        settings: "",
        files: &[],
        found: &[],
        always_prints: false,
        source: ("security/audit/events", "audit"),
        shipped: Shipped::default(),
    }
}

cli_test::contract_tests!(share_watch() => {
    every_command_has_help: help,
    a_run_without_news_is_quiet: quiet,
    nothing_is_concluded_without_the_audit_feature: no_audit_feature,
});

fn binary() -> &'static str {
    Box::leak(program("share-watch").display().to_string().into_boxed_str())
}

async fn shares(number: i32) -> Setting {
    let now = NOW.parse().unwrap();
    let mara = Person::new("mara@example.com", "Mara", "Moe").kind(PersonKind::User);
    let mut portal = Scenario::empty(now).with_person(mara.clone());
    for n in 0..number {
        let at = now - chrono::TimeDelta::minutes(40) + chrono::TimeDelta::seconds(n.into());
        portal.add_event(Event::new(SHARED, mara.id, at));
    }
    Setting::new(binary(), portal).await
}

#[tokio::test]
async fn what_is_found_is_told_once() {
    let setting = shares(11).await;
    let first = setting.run(&["--exit-code", "--report", "r.json"]).await;
    insta::assert_snapshot!("sixth_program", first.stdout);
    assert_eq!(first.exit, 3);
    let json = std::fs::read_to_string(setting.state.path().join("r.json")).unwrap();
    cli_test::assert_keeps(&share_watch().schema(), &json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["people_who_shared"], 1);
    let second = setting.run(&["--exit-code"]).await;
    assert_eq!((second.stdout.as_str(), second.exit), ("", 3));
}

#[tokio::test]
async fn every_form_of_the_report_tells_the_same_people() {
    let setting = shares(11).await;
    reports(&setting, &[], &["Mara Moe"]).await;
}

#[tokio::test]
async fn as_many_as_usual_are_silence() {
    let ended = shares(10).await.run(&[]).await;
    assert_eq!((ended.stdout.as_str(), ended.exit), ("", 0), "{}", ended.stderr);
}
