//! What every kind for people sends and understands, in one table; golden files stand in `snapshots/`.

mod limits;
mod verdict;

use audit_model::testing::{finding, hostile_texts};
use audit_model::{Coverage, Finding, FindingState, PortalText, Severity, SourceCoverage};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::alert::{Alert, AlertContext};
use crate::channel::http::{HttpKind, Request};
use crate::channel::matrix::Matrix;
use crate::channel::mattermost::Mattermost;
use crate::channel::ntfy::Ntfy;
use crate::channel::rocketchat::RocketChat;
use crate::channel::settings::read;
use crate::channel::slack::Slack;
use crate::channel::teams::Teams;
use crate::channel::telegram::Telegram;
use crate::message::Language;

/// What no text of the portal may bring into a message.
const HIDDEN: [char; 14] = [
    '\0',
    '\r',
    '\u{7}',
    '\u{8}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{200f}',
    '\u{2028}',
    '\u{202e}',
    '\u{2066}',
    '\u{feff}',
    '\u{e0041}',
];

fn kind<S: HttpKind + DeserializeOwned + 'static>(settings: Value) -> Box<dyn HttpKind> {
    Box::new(read::<S>(settings.as_object().unwrap().clone()).unwrap())
}

/// Each kind, as its golden files are called.
fn kinds() -> Vec<(&'static str, Box<dyn HttpKind>)> {
    vec![
        (
            "matrix",
            kind::<Matrix>(
                json!({ "server": "https://matrix.example.com", "room": "!soc:example.com", "token": "s3cret" }),
            ),
        ),
        ("mattermost", kind::<Mattermost>(json!({ "url": "https://chat.example.com/hooks/s3cret" }))),
        ("ntfy", kind::<Ntfy>(json!({ "url": "https://ntfy.example.com/docspace", "token": "s3cret" }))),
        ("rocketchat", kind::<RocketChat>(json!({ "url": "https://chat.example.com/hooks/1/s3cret" }))),
        ("slack", kind::<Slack>(json!({ "url": "https://hooks.slack.example/services/s3cret" }))),
        ("slack_bot", kind::<Slack>(json!({ "token": "s3cret", "channel": "C0123456789" }))),
        ("teams", kind::<Teams>(json!({ "url": "https://flow.example.com/s3cret" }))),
        ("telegram", kind::<Telegram>(json!({ "token": "1:s3cret", "chat": "-1001234567890", "topic": 7 }))),
    ]
}

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn alert_of(finding: &Finding) -> String {
    let portal_url = Url::parse("https://docs.example.com/").unwrap();
    let coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
    let context = AlertContext {
        program: "vdr-watch",
        version: "1.0.0",
        portal_url: &portal_url,
        time_zone: None,
        coverage: &coverage,
    };
    let steps = json!({ "what_to_do": [format!("ask {}", finding.person.name.unlinked_within(120)), "then decide"] });
    Alert::from_finding(finding, &context).with_detail(&steps).to_json()
}

fn plain_finding() -> Finding {
    Finding { matter: Some("k3f9-q2mw".to_owned()), ..finding("2026-11-20T08:00:00Z".parse().unwrap()) }
}

/// A message of which each text is what the portal says; what else a message holds is tested where messages are made.
fn quoting(text: &str) -> Message {
    let shown = |longest| PortalText::new(text).unlinked_within(longest);
    let page = |path: &str| Url::parse(&format!("https://docs.example.com/{path}")).unwrap();
    Message {
        subject: format!("high: {}: 41 actions", shown(24)),
        title: String::new(),
        severity: "high".to_owned(),
        what_to_do: vec![format!("ask {}", shown(120)), "then decide".to_owned()],
        facts: vec![
            Fact { label: "Who", value: shown(120) },
            Fact { label: "How many", value: "41 actions".to_owned() },
        ],
        links: vec![
            ("Room".to_owned(), page("rooms/1?folder=1&x=2")),
            ("Account".to_owned(), page("accounts?q=a%40b")),
        ],
        footer: "vdr-watch 1.0.0 · https://docs.example.com · matter k3f9-q2mw".to_owned(),
        language: Language::En,
        heading: "What to do",
    }
}

fn requested(says: &dyn HttpKind, finding: &Finding, thread: Option<&str>, message: Option<Message>) -> Request {
    let json = alert_of(finding);
    let mut offer = Offer::new(&json, Language::En, now(), thread).unwrap();
    offer.message = message.unwrap_or(offer.message);
    says.request(&says.address().unwrap(), &offer)
}

fn body_of(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn golden(request: &Request) -> String {
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!(
        "{} {}\n{headers}\n{}\n",
        request.method,
        request.url,
        serde_json::to_string_pretty(&body_of(request)).unwrap()
    )
}

#[test]
fn what_begins_grows_and_ends_is_sent_as_in_the_golden_files() {
    for (name, says) in kinds() {
        let first = match name {
            "matrix" => Some("!soc:example.com $first:example.com"),
            "slack_bot" => Some("C0123456789 1763625600.000100"),
            "telegram" => Some("-1001234567890 42"),
            _ => None,
        };
        for (state, thread, begins) in [
            (FindingState::New, None, "high"),
            (FindingState::Grown, first, "high"),
            (FindingState::Ended, first, "over"),
        ] {
            let finding = Finding { state, ..plain_finding() };
            let message = Message { subject: format!("{begins}: Anna: 41 actions"), ..quoting("Anna Example") };
            let request = requested(&*says, &finding, thread, Some(message.clone()));
            if state == FindingState::Grown && first.is_none() {
                assert_eq!(request, requested(&*says, &plain_finding(), None, Some(message)), "{name}");
                continue;
            }
            insta::assert_snapshot!(format!("{name}_{state:?}").to_lowercase(), golden(&request));
        }
    }
}

/// The lines that quote the text, as they are sent; of kinds that send the same texts, one.
#[test]
fn hostile_text_is_sent_as_in_the_golden_files() {
    for (name, says) in kinds().into_iter().filter(|(name, _)| !matches!(*name, "rocketchat" | "slack_bot")) {
        let lines = |text: &str| {
            let request = requested(&*says, &plain_finding(), None, Some(quoting(text)));
            let pretty = serde_json::to_string_pretty(&body_of(&request)).unwrap();
            pretty.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
        };
        let usual = lines("Anna Example");
        let mut shown = String::new();
        for (tried, text) in hostile_texts() {
            let hostile = lines(&text);
            assert_eq!(hostile.len(), usual.len(), "{name}: {tried}");
            shown.push_str(&format!("{tried}\n"));
            let changed = hostile.iter().zip(&usual).filter(|(hostile, usual)| hostile != usual);
            changed.for_each(|(line, _)| shown.push_str(&format!("    {}\n", line.replace('\u{200b}', "<ZWSP>"))));
        }
        insta::assert_snapshot!(format!("{name}_hostile"), shown);
    }
}

/// Everything of a message, with hostile text wherever an alert has text.
fn hostile(text: &str) -> Finding {
    let mut finding = plain_finding();
    finding.severity = Severity::Critical;
    finding.person.name = text.into();
    finding.person.email = Some(text.into());
    finding.room.as_mut().unwrap().title = text.into();
    finding.reasons = vec![format!("opened {text}").into(), text.into()];
    finding
}

fn texts_in(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| texts_in(value, texts)),
        Value::Object(table) => table.values().for_each(|value| texts_in(value, texts)),
        _ => {}
    }
}

#[test]
fn no_hostile_text_acts_or_pushes_anything_out() {
    for (name, says) in kinds() {
        for (tried, text) in hostile_texts() {
            let request = requested(&*says, &hostile(&text), None, None);
            let mut texts = Vec::new();
            texts_in(&body_of(&request), &mut texts);
            let all = texts.join("\n");
            assert_eq!(all.chars().find(|c| HIDDEN.contains(c)), None, "{name}: {tried}: {all}");
            assert!(request.body.len() < 28_000, "{name}: {tried}");
            for part in ["critical: ", "How many", "Not seen", "k3f9-q2mw", "then decide"] {
                assert!(all.contains(part), "{name}: {tried} hides {part}: {all}");
            }
            let is_ours = |rest: &str| rest.starts_with("docs.example.com") || rest.starts_with("adaptivecards.io/");
            // what stands as `https[://]evil[.]example` is no address
            let stray = all.split("https://").chain(all.split("http://").skip(1)).skip(1).find(|rest| !is_ours(rest));
            assert_eq!(stray, None, "{name}: {tried}");
            assert_eq!(bare_address(&all), None, "{name}: {tried}");
            assert_eq!(acting(name, &texts), None, "{name}: {tried}");
        }
    }
}

/// What becomes a link without `https://`, and is neither a mail address nor part of the address of one of our pages.
fn bare_address(text: &str) -> Option<&str> {
    let mut words = text.split([' ', '\n', '"', '(', ')', '<', '>']);
    words.find(|word| {
        !word.starts_with("https://docs.example.com/") && word.replace("@evil.example", "").contains("evil.example")
    })
}

/// What acts in the markup of the receiver.
fn acting(name: &str, texts: &[String]) -> Option<String> {
    let all = texts.join("\n");
    match name {
        "slack" | "slack_bot" => {
            all.split('<').skip(1).find(|rest| !rest.starts_with("https://docs.example.com/")).map(str::to_owned)
        }
        "matrix" | "telegram" => {
            let marked = texts.iter().find(|text| text.contains("<code>")).unwrap();
            let allowed =
                ["<b>", "</b>", "<code>", "</code>", "<br>", "<a href=\"https://docs.example.com/", "\">", "</a>"];
            let left = allowed.iter().fold(marked.clone(), |left, tag| left.replace(tag, ""));
            assert_eq!(marked.matches("<code>").count(), marked.matches("</code>").count());
            left.contains(['<', '"']).then_some(left)
        }
        "mattermost" | "rocketchat" => {
            let block = texts.iter().find_map(|text| text.strip_prefix("```\n")).unwrap();
            let (code, links) = block.split_once("\n```").unwrap();
            let is_link = |link: &str| link.starts_with('[') && link.ends_with(')');
            let is_free = code.contains("``") || code.contains(" @") && !code.contains(" @\u{200b}");
            let is_wrong = is_free || code.starts_with("@a") || !links.trim().split(" · ").all(is_link);
            is_wrong.then(|| block.to_owned())
        }
        // what they show is no markup
        _ => None,
    }
}

/// A reference to a message of another room is none here.
#[test]
fn a_thread_of_another_place_is_not_answered() {
    for (name, says) in kinds() {
        for other in ["C999 17.1", "!other:example.com $1:example.com", "42", ""] {
            let of = |thread| requested(&*says, &plain_finding(), thread, None);
            assert_eq!(of(Some(other)), of(None), "{name}: {other}");
        }
    }
}
