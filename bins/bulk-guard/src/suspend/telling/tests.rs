//! Every alert about a suspension, as people get it.

use alerting::{Alert, AlertContext, Language, Message};
use audit_model::Coverage;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::*;
use crate::suspend::model::incident;

const TOPICS: [Topic; 13] = [
    Topic::Held,
    Topic::Suspending,
    Topic::Done,
    Topic::Failed,
    Topic::Unknown,
    Topic::Warning,
    Topic::Blocked,
    Topic::Released,
    Topic::ReleaseFailed,
    Topic::Settled,
    Topic::Kept,
    Topic::Dropped,
    Topic::Cancelled,
];

#[test]
fn every_alert_about_a_suspension_says_who_and_what_to_do() {
    let at: DateTime<Utc> = "2026-11-20T15:00:00Z".parse().unwrap();
    let mut incident = incident(7, at);
    (incident.name, incident.matter) = ("Mallory Quick".to_owned(), Some("k3f9-q2mw".to_owned()));
    let entry = Entry::new(incident, at);
    let portal_url = "https://docs.example.com".parse().unwrap();
    let context = AlertContext {
        program: "bulk-guard",
        version: "1.0.0",
        portal_url: &portal_url,
        time_zone: Some(Tz::Europe__Berlin),
        coverage: &Coverage::default(),
    };
    let mut shown = String::new();
    // the last is the one of a plan that is held as a whole
    for (topic, is_critical) in TOPICS.map(|topic| (topic, false)).into_iter().chain([(Topic::Held, true)]) {
        let words = "Here stands what was read back.".to_owned();
        let said = Said { topic, words, is_critical, at, is_handed_on: false };
        let (finding, in_alert) = (finding(&entry, &said), steps::said(&entry, &said));
        let alert = Alert::from_finding(&finding, &context).with_detail(&in_alert.members(&finding));
        for language in [Language::En, Language::De] {
            let message = Message::new(&alert, language, at);
            let subject = &message.subject;
            assert!(subject.chars().count() <= 80 && !subject.contains('…'), "{subject}");
            assert!(!message.what_to_do.is_empty() && !message.text().contains("{id}"), "{subject}");
            shown.push_str(&format!("{subject}\n  {}\n", message.what_to_do.join("\n  ")));
        }
    }
    insta::assert_snapshot!(shown);
}
