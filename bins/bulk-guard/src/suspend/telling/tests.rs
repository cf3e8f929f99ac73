//! Every alert about a suspension, as people get it.

use alerting::testing::messages;
use audit_model::{Coverage, PersonStatus, PortalRole, testing};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::*;
use crate::suspend::model::incident;
use crate::suspend::permit::Refusal;
use crate::suspend::seen::AccountNow;
use crate::suspend::{why, words};

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

/// What is said of each topic, with a reason that fits.
fn words(entry: &Entry, topic: Topic, is_of_plan: bool) -> Sentence {
    let (incident, end) = (&entry.incident, entry.incident.last.at + TimeDelta::hours(4));
    let mut account = docspace_client::Account {
        person: testing::person(7, "Mallory Quick", PortalRole::User),
        is_ldap: false,
        is_sso: false,
        culture: None,
    };
    account.person.status = Some(PersonStatus::Disabled);
    let disabled = AccountNow::There(account);
    let quoted = Sentence::quoted("the portal answers with 403");
    match topic {
        Topic::Held if is_of_plan => {
            let trip = safe_actions::Breaker::default().trip(12, safe_actions::Load::default());
            words::held_together(12, &["a-1", "b-2"], &trip.map(|trip| trip.sentence()).unwrap_or_default())
        }
        Topic::Held => words::held(incident, &why::keys_in_use(2)),
        Topic::Suspending => words::suspending(entry),
        Topic::Done => words::done(entry),
        Topic::Failed => words::failed(incident, &quoted, &disabled),
        Topic::Unknown => words::unknown(incident, &why::NOT_SHOWN.into()),
        Topic::Warning => words::warning(incident, end),
        Topic::Blocked => words::blocked(incident, &Refusal::ClocksApart { seconds: 300 }.sentence()),
        Topic::Released => words::released(incident),
        Topic::ReleaseFailed => words::release_failed(incident, &why::NO_SEAT.into()),
        Topic::Settled => words::settled(incident, &why::CHANGED.into(), &disabled),
        Topic::Kept => words::kept(incident),
        Topic::Dropped => words::dropped(incident, &why::TOO_OLD.into()),
        Topic::Cancelled => words::cancelled(incident),
    }
}

#[test]
fn every_alert_about_a_suspension_says_who_and_what_to_do() {
    let at: DateTime<Utc> = "2026-11-20T15:00:00Z".parse().unwrap();
    let mut incident = incident(7, at);
    (incident.name, incident.matter) = ("Mallory Quick".to_owned(), Some("k3f9-q2mw".to_owned()));
    incident.needs_decision = Some(why::DELETED_FOR_GOOD.into());
    incident.links = (1..=6).map(|n| format!("Plan {n}.docx")).collect();
    let entry = Entry::new(incident, at);
    let seen = Coverage::default();
    let mut shown = String::new();
    // the last is the one of a plan that is held as a whole
    for (topic, is_critical) in TOPICS.map(|topic| (topic, false)).into_iter().chain([(Topic::Held, true)]) {
        let words = words(&entry, topic, is_critical);
        let said = Said { topic, words, is_critical, at, is_handed_on: false };
        let (finding, in_alert) = (finding(&entry, &said), steps::said(&entry, &said));
        for message in messages("bulk-guard", (&finding, &in_alert), (Some(Tz::Europe__Berlin), &seen), at) {
            let subject = &message.subject;
            assert!(!subject.contains('…') && !message.text().contains("{id}"), "{subject}");
            shown.push_str(&format!("{subject}\n  {}\n", message.what_to_do.join("\n  ")));
        }
        shown.push_str(&format!("{}\n{}\n\n", said.words, said.words.german()));
    }
    insta::assert_snapshot!(shown);
}
