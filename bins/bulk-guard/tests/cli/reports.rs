//! What a person would see, text and JSON, each from a fresh state.

use chrono::TimeDelta;
use portal_sim::{PersonKind, Scenario};
use serde_json::Value;

use crate::common::{Burst, hire, json, now, office, ordinary_month, setting};

async fn both(portal: Scenario) -> (cli_test::Run, cli_test::Run) {
    let text = setting(portal.clone()).await.run(&[]).await;
    (text, json(&setting(portal).await, &[]).await)
}

macro_rules! situation {
    ($name:ident, exit $exit:literal, $story:expr) => {
        #[tokio::test]
        async fn $name() {
            let mut portal = office();
            let story: fn(&mut Scenario) = $story;
            story(&mut portal);
            let (text, json) = both(portal).await;
            assert_eq!((text.exit, json.exit), ($exit, $exit), "{} {}", text.stderr, json.stderr);
            insta::assert_snapshot!(concat!(stringify!($name), "_text"), text.stdout);
            insta::assert_snapshot!(concat!(stringify!($name), "_json"), with_two_rows(&json.json()));
        }
    };
}

situation!(quiet, exit 0, |_| {});

situation!(encrypted_at_night, exit 0, |portal| {
    let mut mara = hire(portal, "mara@example.com", PersonKind::RoomAdmin);
    ordinary_month(portal, &mara);
    portal.now -= TimeDelta::hours(6);
    "203.0.113.66".clone_into(&mut mara.ip);
    Burst::new(5001, 60).by(portal, &mara, &[71, 72, 73], ".lockbit");
});

situation!(uploads_only, exit 0, |portal| {
    let mara = hire(portal, "mara@example.com", PersonKind::User);
    Burst::new(5011, 25).by(portal, &mara, &[71], ".jpg");
});

/// The report with the first and the last row of each finding: the others differ by a digit.
fn with_two_rows(report: &Value) -> String {
    let mut report = report.clone();
    for finding in report["findings"].as_array_mut().unwrap() {
        let rows = finding["evidence"].as_array_mut().unwrap();
        if rows.len() > 2 {
            rows.drain(1..rows.len() - 1);
        }
    }
    format!("{report:#}")
}

/// A line for each finding, and for each action, and what the breaker says; whole findings are in the other snapshots.
fn in_short(report: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let found = |finding: &Value| {
        format!(
            "{} {}, {}: {} files, {} of {} rows, {}\n",
            text(&finding["severity"]),
            text(&finding["person"]["name"]),
            text(&finding["user_id"]),
            finding["file_count"],
            finding["evidence"].as_array().unwrap().len(),
            finding["evidence_total"],
            text(&finding["fingerprint"]),
        )
    };
    let action = |action: &Value| {
        let (kind, who) = (text(&action["kind"]), text(&action["person"]["name"]));
        format!("{kind} {who}: {}, {}, {}\n", text(&action["state"]), action["held"], text(&action["fingerprint"]))
    };
    let lines = |member: &str, line: &dyn Fn(&Value) -> String| -> String {
        report[member].as_array().unwrap().iter().map(line).collect()
    };
    format!("{}{}breaker: {}\n", lines("findings", &found), lines("actions", &action), report["breaker"])
}

#[tokio::test]
async fn breaker() {
    let mut portal = office();
    for (n, person) in portal.people[1..4].to_vec().iter().enumerate() {
        Burst { first: 1_000 * n as i32 + 10_000, ..Burst::new(5018, 110) }.by(&mut portal, person, &[71], "");
    }
    let (text, json) = both(portal).await;
    assert_eq!((text.exit, json.exit), (3, 3), "{} {}", text.stderr, json.stderr);
    insta::assert_snapshot!("breaker_text", text.stdout);
    insta::assert_snapshot!("breaker_short", in_short(&json.json()));
}

situation!(no_audit_feature, exit 1, |portal| portal.audit = false);

situation!(unreadable_row, exit 4, |portal| {
    let mara = hire(portal, "mara@example.com", PersonKind::User);
    Burst::new(5017, 30).by(portal, &mara, &[71], "");
    let olga = portal.owner().id;
    portal.add_event(portal_sim::Event::poison(olga, now() - TimeDelta::minutes(30)));
});

situation!(hostile_names, exit 0, |portal| {
    let name = "Eve\u{1b}[2J\nroot: all quiet \u{202e}";
    let mut eve = portal_sim::Person::new("eve@example.com", name, "<b>X</b>");
    eve.ip = "203.0.113.7".to_owned();
    portal.people.push(eve.clone());
    Burst::new(5017, 22).by(portal, &eve, &[71], "\r\n\u{202e}<script>");
});
