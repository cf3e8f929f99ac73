//! A sixth program, of which only questions, rule and report were written: all promises of the path hold for it.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, PersonKind};

use crate::common::{Desk, NOW};

/// An external link to a room is made.
const SHARED: i32 = 5088;

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

async fn shares(number: i64) -> (Desk, portal_sim::PortalSim) {
    let (desk, sim) = Desk::with_portal().await;
    sim.edit(|portal| {
        let mara = portal_sim::Person::new("mara@example.com", "Mara", "Moe").kind(PersonKind::User);
        portal.people.push(mara.clone());
        let mara = mara.id;
        for n in 0..number {
            portal.add_event(Event::new(SHARED, mara, now() - TimeDelta::minutes(40) + TimeDelta::seconds(n)));
        }
    });
    (desk, sim)
}

async fn run(desk: &Desk, sim: &portal_sim::PortalSim, more: &[&str]) -> cli_test::Run {
    let url = sim.url().to_string();
    let arguments: Vec<&str> = ["--portal", &url].into_iter().chain(more.iter().copied()).collect();
    cli_test::run(desk.command_of("share-watch", &arguments)).await
}

#[tokio::test]
async fn what_is_found_is_told_once_and_in_every_form() {
    let (desk, sim) = shares(11).await;
    let files = ["r.html", "r.txt", "r.csv", "r.json"].map(|name| desk.folder.path().join(name).display().to_string());
    let asked: Vec<&str> = files.iter().flat_map(|file| ["--report", file]).chain(["--exit-code"]).collect();
    let first = run(&desk, &sim, &asked).await;
    insta::assert_snapshot!("sixth_program", first.stdout.replace(sim.url().as_str(), "http://PORTAL/"));
    assert_eq!(first.exit, 3);
    for file in &files {
        let written = std::fs::read_to_string(file).unwrap();
        assert!(written.contains("Mara"), "{file}: {written}");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&files[3]).unwrap()).unwrap();
    assert_eq!(json["people_who_shared"], 1);
    // people know it by now
    let second = run(&desk, &sim, &["--exit-code"]).await;
    assert_eq!((second.stdout.as_str(), second.exit), ("", 3));
}

#[tokio::test]
async fn as_many_as_usual_are_silence() {
    let (desk, sim) = shares(10).await;
    let ended = run(&desk, &sim, &[]).await;
    assert_eq!((ended.stdout.as_str(), ended.exit), ("", 0), "{}", ended.stderr);
}

#[tokio::test]
async fn without_having_seen_everything_there_is_no_all_clear() {
    let (desk, sim) = shares(10).await;
    sim.edit(|portal| portal.audit = false);
    let ended = run(&desk, &sim, &[]).await;
    assert!(ended.stdout.starts_with("share-watch: nothing can be concluded"), "{}", ended.stdout);
    assert_eq!(ended.exit, 1);
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_a_mistake_of_the_command_line() {
    let (desk, sim) = shares(11).await;
    let ended = run(&desk, &sim, &["--report", "report.pdf"]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("the ending must be .html, .txt, .csv or .json"), "{}", ended.stderr);
    // what was found is told all the same
    let ended = run(&desk, &sim, &["--report", "missing/report.html"]).await;
    assert!(ended.stdout.starts_with("share-watch: 1 finding"), "{}", ended.stdout);
    assert!(ended.stderr.contains("cannot write the report missing/report.html"), "{}", ended.stderr);
    assert_eq!(ended.exit, 2);
}
