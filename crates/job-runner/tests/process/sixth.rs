//! A sixth program, of which only questions, rule and report were written: all promises of the path hold for it.

use chrono::{DateTime, TimeDelta, Utc};
use cli_test::Setting;
use cli_test::contract::{Program, Shipped, reports};
use portal_sim::{Event, Fault, Person, PersonKind, Scenario};

use crate::common::{Desk, NOW, program};

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

async fn setting_with(number: i32) -> Setting {
    let now = now();
    let mara = Person::new("mara@example.com", "Mara", "Moe").kind(PersonKind::User);
    let mut portal = Scenario::empty(now).with_person(mara.clone());
    for n in 0..number {
        let at = now - TimeDelta::minutes(40) + TimeDelta::seconds(n.into());
        portal.add_event(Event::new(SHARED, mara.id, at));
    }
    Setting::new(binary(), portal).await
}

#[tokio::test]
async fn what_is_found_is_told_once() {
    let setting = setting_with(11).await;
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
    let setting = setting_with(11).await;
    reports(&setting, &[], &["Mara Moe"]).await;
}

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

pub(crate) async fn shares(number: i64) -> (Desk, portal_sim::PortalSim) {
    let (desk, sim) = Desk::with_portal().await;
    sim.edit(|portal| {
        let mara = portal_sim::Person::new("mara@example.com", "Mara", "Moe").kind(PersonKind::User);
        portal.people.push(mara);
    });
    share(&sim, number, now() - TimeDelta::minutes(40));
    (desk, sim)
}

/// Mara shares so many things, one a second.
fn share(sim: &portal_sim::PortalSim, number: i64, since: DateTime<Utc>) {
    sim.edit(|portal| {
        let mara = portal.person_by_email("mara@example.com").unwrap().id;
        for n in 0..number {
            portal.add_event(Event::new(SHARED, mara, since + TimeDelta::seconds(n)));
        }
    });
}

async fn run(desk: &Desk, sim: &portal_sim::PortalSim, more: &[&str]) -> cli_test::Run {
    let url = sim.url().to_string();
    let arguments: Vec<&str> = ["--portal", &url].into_iter().chain(more.iter().copied()).collect();
    let mut command = desk.command_of("share-watch", &arguments);
    command.env(cli_test::CLOCK, sim.now().to_rfc3339());
    cli_test::run(command).await
}

/// How many shares each finding of a run tells of, with its state.
async fn told(desk: &Desk, sim: &portal_sim::PortalSim) -> Vec<(u64, String)> {
    let report = run(desk, sim, &["--format", "json"]).await.json();
    let of = |finding: &serde_json::Value| {
        (finding["counts"]["acts"].as_u64().unwrap(), finding["state"].as_str().unwrap().to_owned())
    };
    report["findings"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn as_many_as_usual_are_silence() {
    let (desk, sim) = shares(10).await;
    let ended = run(&desk, &sim, &[]).await;
    assert_eq!((ended.stdout.as_str(), ended.exit), ("", 0), "{}", ended.stderr);
}

/// What the portal stored only after its time was judged is judged together with what was there before.
#[tokio::test]
async fn what_came_late_is_judged() {
    let (desk, sim) = shares(0).await;
    share(&sim, 6, now() - TimeDelta::minutes(90));
    let first = run(&desk, &sim, &["--since", "5h"]).await;
    assert_eq!((first.stdout.as_str(), first.exit), ("", 0), "{}", first.stderr);
    share(&sim, 5, now() - TimeDelta::minutes(80));
    assert_eq!(told(&desk, &sim).await, [(11, "new".to_owned())]);
    assert_eq!(told(&desk, &sim).await, [], "it was told, and is long over");
}

/// What an earlier run was asked to look at and could not see is judged by the next one.
#[tokio::test]
async fn a_hole_is_judged_when_it_was_seen() {
    let (desk, sim) = shares(0).await;
    share(&sim, 11, now() - TimeDelta::hours(3));
    assert_eq!(told(&desk, &sim).await, [], "the last hour");
    sim.set_faults(vec![Fault::status(502).on("security/audit/events")]);
    assert_ne!(run(&desk, &sim, &["--since", "5h"]).await.exit, 0);
    sim.set_faults(Vec::new());
    assert_eq!(told(&desk, &sim).await, [(11, "new".to_owned())]);
}

/// A window that slides past the beginning of a burst takes nothing from its number.
#[tokio::test]
async fn a_burst_that_goes_on_keeps_its_whole_number() {
    let (desk, sim) = shares(11).await;
    assert_eq!(told(&desk, &sim).await, [(11, "new".to_owned())]);
    share(&sim, 11, now() + TimeDelta::minutes(10));
    sim.edit(|portal| portal.now += TimeDelta::minutes(50));
    assert_eq!(told(&desk, &sim).await, [(22, "grown".to_owned())]);
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_a_mistake_of_the_command_line() {
    let (desk, sim) = shares(11).await;
    let ended = run(&desk, &sim, &["--report", "report.pdf"]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("the name must end in .html, .txt, .csv or .json"), "{}", ended.stderr);
    // what was found is told all the same
    let ended = run(&desk, &sim, &["--report", "missing/report.html"]).await;
    assert!(
        ended
            .stdout
            .starts_with("share-watch: MEDIUM Mara Moe: shared 11 times, more than 10 of them within an hour\n"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("cannot write the report missing/report.html"), "{}", ended.stderr);
    assert_eq!(ended.exit, 2);
}
