//! Alerts as people get them, for tests of the programs that send them.

use audit_model::testing::untranslated;
use audit_model::{Coverage, Finding};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use url::Url;

use crate::{Alert, AlertContext, Language, Message, Said};

/// The message about a finding in English, and the one in German, as people get them at `now` of a portal in this zone.
///
/// # Panics
/// A subject has more than 80 characters, nothing says what to do, or a sentence has no German.
pub fn messages(
    program: &str,
    (finding, said): (&Finding, &Said),
    (time_zone, coverage): (Option<Tz>, &Coverage),
    now: DateTime<Utc>,
) -> [Message; 2] {
    assert!(!said.what_to_do.is_empty(), "{said:?}");
    assert_eq!(untranslated(said.sentences().chain(&finding.reasons)), [""; 0]);
    let portal_url = Url::parse("https://docs.example.com").expect("an address");
    let context = AlertContext { program, version: "1.0.0", portal_url: &portal_url, time_zone, coverage };
    let alert = Alert::from_finding(finding, &context).with_detail(&said.members(finding));
    [Language::En, Language::De].map(|language| {
        let message = Message::new(&alert, language, now);
        assert!(message.subject.chars().count() <= 80, "{}", message.subject);
        assert!(!message.what_to_do.is_empty(), "{}", message.subject);
        message
    })
}
