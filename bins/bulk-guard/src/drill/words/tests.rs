//! How a drill ended, as people get it.

use alerting::{AlertContext, Language, Message};
use audit_model::{Coverage, testing};
use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::drill::course::{OwnRoom, Stage};

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn drill(times: Times) -> Drill {
    Drill {
        revision: 1,
        mark: "d1234567".to_owned(),
        account: Uuid::from_u128(9),
        name: "Test account".to_owned(),
        documents: 24,
        room: OwnRoom::Made("71".into()),
        stage: Stage::Over,
        began: at(0),
        lives_until: at(90),
        times,
        failure: None,
        is_told: false,
    }
}

#[test]
fn a_drill_says_how_it_ended_in_both_languages() {
    let [made, found, suspended, proven, released, back] = [5, 20, 25, 40, 60, 75].map(|seconds| Some(at(seconds)));
    let all = Times { made, found, suspended, proven, released, back };
    let held = Sentence::new("it is held: the owner", "die Sperre ist angehalten: Der Eigentümer");
    let stuck = drill(Times { made, ..Times::default() });
    let portal_url = "https://docs.example.com".parse().unwrap();
    let context = AlertContext {
        program: "bulk-guard",
        version: "1.0.0",
        portal_url: &portal_url,
        time_zone: None,
        coverage: &Coverage::default(),
    };
    let mut shown = String::new();
    for drill in [drill(all), stuck.clone().given_up(Step::Suspended, held), stuck.cut_off()] {
        let (finding, in_alert) = (finding(&drill), said(drill.failure.is_none()));
        assert_eq!(testing::untranslated(in_alert.sentences().chain(&finding.reasons)), [""; 0]);
        let alert = Alert::from_finding(&finding, &context).with_detail(&in_alert.members(&finding));
        for language in [Language::En, Language::De] {
            let message = Message::new(&alert, language, at(80));
            assert!(message.subject.chars().count() <= 80, "{}", message.subject);
            shown.push_str(&format!("{}\n  {}\n", message.subject, message.what_to_do.join("\n  ")));
        }
        for reason in &finding.reasons {
            shown.push_str(&format!("{reason}\n{}\n", reason.german()));
        }
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}
