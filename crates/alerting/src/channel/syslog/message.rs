//! The bytes of one message. Pure.

use audit_model::Severity;
use chrono::SecondsFormat;
use serde::Deserialize;

use super::super::document;
use super::super::format::{Format, cef};
use super::super::offer::Offer;

/// The name of our structured data. 32473 is the number that IANA keeps for examples, since nobody has registered one for these programs.
const SD_ID: &str = "alert@32473";

const LONGEST_APP_NAME: usize = 48;
const LONGEST_MESSAGE_ID: usize = 32;

/// What the text of a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// A line for people.
    #[default]
    Text,
    Json,
    Cef,
    Ocsf,
}

/// RFC 5424, 6.2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Facility {
    User = 1,
    Daemon = 3,
    Auth = 4,
    Authpriv = 10,
    Audit = 13,
    #[default]
    Local0 = 16,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

/// One message of at most so many bytes.
pub(super) fn message(
    offer: &Offer<'_>,
    form: Form,
    facility: Facility,
    hostname: &str,
    longest_bytes: usize,
) -> String {
    let alert = &offer.alert;
    let head = format!(
        "<{}>1 {} {hostname} {} - {} {}",
        facility as u8 * 8 + severity(alert.severity),
        offer.now.to_rfc3339_opts(SecondsFormat::Micros, true),
        name(&alert.program.name, LONGEST_APP_NAME),
        name(&alert.rule, LONGEST_MESSAGE_ID),
        structured_data(offer),
    );
    let left = longest_bytes.saturating_sub(head.len() + 1);
    let text = match form {
        Form::Text => cut(text(offer), left),
        Form::Cef => cut(cef(offer), left),
        Form::Json => document::within(left, offer, |_, document| document.to_string()),
        Form::Ocsf => {
            document::within(left, offer, |offer, document| Format::Ocsf.document(offer, document).to_string())
        }
    };
    format!("{head} {text}")
}

/// 0 is an emergency.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    }
}

fn structured_data(offer: &Offer<'_>) -> String {
    let alert = &offer.alert;
    let state = if offer.is_over() { "ended" } else { "open" };
    let pairs = [
        ("id", Some(alert.id.clone())),
        ("matter", Some(offer.matter_key())),
        ("state", Some(state.to_owned())),
        ("severity", Some(alert.severity.name().to_owned())),
        ("portal", Some(alert.portal.url.clone())),
        ("person", Some(alert.person.name.for_terminal_within(100))),
        ("room", alert.room.as_ref().map(|room| room.title.for_terminal_within(100))),
    ];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!(" {name}=\"{}\"", in_value(&value?))));
    format!("[{SD_ID}{}]", pairs.collect::<String>())
}

/// RFC 5424, 6.3.3.
fn in_value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

/// Printable ASCII without blanks; `-` where nothing is left.
fn name(text: &str, longest: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// Subject, facts and what to do in one line.
fn text(offer: &Offer<'_>) -> String {
    let message = &offer.message;
    let facts = message.facts.iter().map(|fact| format!("; {}: {}", fact.label, fact.value));
    let steps = message.what_to_do.join("; ");
    format!("{}{}; {}: {steps}", message.subject, facts.collect::<String>(), message.heading)
}

/// The last character is `…` where something was cut off.
fn cut(text: String, longest_bytes: usize) -> String {
    if text.len() <= longest_bytes {
        return text;
    }
    let end = text.floor_char_boundary(longest_bytes.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use audit_model::testing::hostile_texts;

    use super::super::super::golden;
    use super::*;

    /// The corpus that every channel is held to: one line, and structured data that ends where it should.
    #[test]
    fn no_text_makes_a_line_or_a_parameter() {
        let parameters = |line: &str| {
            let data = line.split_once('[').unwrap().1.replace("\\\\", "").replace("\\\"", "").replace("\\]", "");
            data.split_once("\"] ").unwrap().0.matches("=\"").count()
        };
        for (tried, typed) in hostile_texts() {
            let json = golden::naming(&typed, "new").to_string();
            let offer = golden::offer(&json, None);
            for form in [Form::Text, Form::Json, Form::Cef, Form::Ocsf] {
                let line = message(&offer, form, Facility::Local0, "host.example.com", 65_000);
                assert!(!line.contains(['\r', '\n', '\0', '\u{1b}']), "{tried}: {form:?}");
                assert_eq!(parameters(&line), 7, "{tried}: {form:?}: {line:.1000}");
                assert!(line.len() <= 65_000, "{tried}: {form:?}");
            }
        }
    }

    #[test]
    fn says() {
        let made = |offer: &Offer<'_>| {
            let forms = [Form::Text, Form::Json, Form::Cef];
            forms.map(|form| message(offer, form, Facility::Local0, "host.example.com", 8192)).join("\n")
        };
        insta::assert_snapshot!(golden::each("", made));
    }

    #[test]
    fn nothing_is_longer_than_allowed_and_json_stays_json() {
        let mut alert = golden::alert("hostile");
        alert["reasons"] = serde_json::json!(["ä".repeat(9000)]);
        alert["padding"] = "x".repeat(9000).into();
        alert["subject"] = "ä".repeat(9000).into();
        alert["fingerprint"] = "f".repeat(9000).into();
        let json = alert.to_string();
        let offer = golden::offer(&json, None);
        for form in [Form::Text, Form::Json, Form::Cef] {
            let made = message(&offer, form, Facility::Auth, "h", 2048);
            assert!(made.len() <= 2048 && !made.contains('\n'), "{form:?}: {}", made.len());
        }
        for form in [Form::Json, Form::Ocsf] {
            let made = message(&offer, form, Facility::Auth, "h", 2048);
            let document = &made[made.find(" {\"").unwrap() + 1..];
            assert!(made.len() <= 2048 && document.contains("left_out"), "{form:?}: {}", made.len());
            serde_json::from_str::<serde_json::Value>(document).unwrap();
        }
    }

    #[test]
    fn every_word_is_of_the_language() {
        let json = golden::alert("new").to_string();
        let offer = Offer::new(&json, crate::Language::De, golden::offer(&json, None).now, None).unwrap();
        let line = message(&offer, Form::Text, Facility::Local0, "h", 8192);
        assert!(line.contains("; Was zu tun ist: ") && !line.contains("what to do"), "{line}");
    }
}
