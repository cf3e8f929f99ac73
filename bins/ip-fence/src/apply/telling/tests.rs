//! Every alert about the portal's list, as people get it.

use alerting::{AlertContext, Language, Message};
use audit_model::{Coverage, testing};

use super::*;
use crate::apply::entry::Confirmation;
use crate::apply::testing::{entry, row, written};
use crate::apply::{why, words};

const TOPICS: [Topic; 9] = [
    Topic::Switched,
    Topic::Confirmed,
    Topic::Reverting,
    Topic::Blocked,
    Topic::Restored,
    Topic::Conflict,
    Topic::Foreign,
    Topic::Raced,
    Topic::Refused,
];

/// What is said of each topic, with a reason that fits.
fn words(entry: &Entry, topic: Topic) -> Sentence {
    let witness =
        Sentence::new("login of Hana at 2026-11-20T09:01:00Z", "Anmeldung von Hana am 20.11.2026 09:01:00 UTC");
    match topic {
        Topic::Switched => words::switched(entry),
        Topic::Confirmed => {
            words::confirmed(entry, &Confirmation { by: "ben".to_owned(), at: written(), witness: Some(witness) })
        }
        Topic::Reverting => words::reverting(entry, &why::NOT_CONFIRMED_IN_TIME.into()),
        Topic::Blocked => words::blocked(entry, &why::answered(why::UNREAD, "the portal answers with 403")),
        Topic::Restored => {
            let order = why::ordered(&words::as_typed("ben"), &why::NO_REASON.into());
            words::restored(&entry.clone().into_state(entry.state, Some(order)))
        }
        Topic::Conflict => words::conflict(entry, &words::raced_delta(&entry.puts[0])),
        Topic::Foreign => words::foreign(&row(104, None)),
        Topic::Raced => words::raced(&row(104, None)),
        Topic::Refused => words::refused(entry, &why::CHANGED_SINCE.into()),
    }
}

#[test]
fn every_alert_about_the_list_says_what_became_of_it_and_what_to_do() {
    let portal_url = "https://docs.example.com".parse().unwrap();
    let context = AlertContext {
        program: "ip-fence",
        version: "1.0.0",
        portal_url: &portal_url,
        time_zone: None,
        coverage: &Coverage::default(),
    };
    let entry = entry();
    let mut shown = String::new();
    for topic in TOPICS {
        let said = Said { topic, at: written(), words: words(&entry, topic), is_handed_on: false };
        let (finding, in_alert) = (finding(&entry, &said), in_alert(&entry, topic));
        let alert = Alert::from_finding(&finding, &context).with_detail(&in_alert.members(&finding));
        for language in [Language::En, Language::De] {
            let message = Message::new(&alert, language, written());
            let subject = &message.subject;
            assert!(subject.chars().count() <= 80, "{subject}");
            assert!(!message.what_to_do.is_empty() && !message.text().contains("{id}"), "{subject}");
            shown.push_str(&format!("{subject}\n  {}\n", message.what_to_do.join("\n  ")));
        }
        assert_eq!(testing::untranslated(in_alert.sentences().chain(&finding.reasons)), [""; 0]);
        shown.push_str(&format!("{}\n{}\n\n", said.words, said.words.german()));
    }
    insta::assert_snapshot!(shown);
}
