//! Every alert about the portal's list, as people get it.

use alerting::testing::messages;
use audit_model::Coverage;

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
    let seen = Coverage::default();
    let entry = entry();
    let mut shown = String::new();
    for topic in TOPICS {
        let said = Said { topic, at: written(), words: words(&entry, topic), is_handed_on: false };
        let (finding, in_alert) = (finding(&entry, &said), in_alert(&entry, topic));
        for message in messages("ip-fence", (&finding, &in_alert), (None, &seen), written()) {
            let subject = &message.subject;
            assert!(!message.text().contains("{id}"), "{subject}");
            shown.push_str(&format!("{subject}\n  {}\n", message.what_to_do.join("\n  ")));
        }
        shown.push_str(&format!("{}\n{}\n\n", said.words, said.words.german()));
    }
    insta::assert_snapshot!(shown);
}
