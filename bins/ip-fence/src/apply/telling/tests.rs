//! Every alert about the portal's list, as people get it.

use alerting::{AlertContext, Language, Message};
use audit_model::Coverage;

use super::*;
use crate::apply::testing::{entry, written};

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
        let said = Said { topic, at: written(), words: "here stands why".to_owned(), is_handed_on: false };
        let (finding, in_alert) = (finding(&entry, &said), in_alert(&entry, topic));
        let alert = Alert::from_finding(&finding, &context).with_detail(&in_alert.members(&finding));
        for language in [Language::En, Language::De] {
            let message = Message::new(&alert, language, written());
            let subject = &message.subject;
            assert!(subject.chars().count() <= 80, "{subject}");
            assert!(!message.what_to_do.is_empty() && !message.text().contains("{id}"), "{subject}");
            shown.push_str(&format!("{subject}\n  {}\n", message.what_to_do.join("\n  ")));
        }
    }
    insta::assert_snapshot!(shown);
}
