//! Channels with a name: their settings, signatures, routes, limits, threads and silences.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use alerting::{Alert, Channel, ChannelSettings, Fault, Language, Mailer, Members, Message, Outcome, Route, Silence};
use alerting::{Said, SaidFacts, SecretMember, WayOut};
use audit_model::testing::hostile_texts;
use audit_model::{Finding, FindingState, Sentence, Severity};
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use cli_test::smtp::Server;
use job_store::testing::not_tested;
use mail_parser::MessageParser;
use outbound::{HttpOptions, SMTP_PATIENCE, SmtpOptions, SmtpSecurity};
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;

use crate::common::receiver::{Receiver, alert, fingerprint_in};
use crate::common::{alert_of, at, complete, finding};
use crate::outbox::{moment, outbox};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

fn settings(table: serde_json::Value) -> Result<ChannelSettings, Fault> {
    let table: Members = table.as_object().unwrap().clone();
    ChannelSettings::read(&table)
}

fn built(
    table: serde_json::Value,
    secret: Option<&str>,
    mailer: &dyn Fn() -> Result<Option<Mailer>, Fault>,
) -> Result<Channel, Fault> {
    let options = HttpOptions::new("vdr-watch", "1.0.0");
    let find = |asked: &SecretMember, _: Option<&str>| {
        Ok(secret.filter(|_| ["secret", "token"].contains(&asked.name)).map(SecretString::from))
    };
    let channel = settings(table)?.build(find, &WayOut::new(&options, false).with_mail(mailer));
    channel.missing().cloned().map_or(Ok(channel), Err)
}

fn route(value: serde_json::Value) -> Route {
    serde_json::from_value(value).unwrap()
}

#[test]
fn mistakes_are_named_with_member_and_remedy() {
    for (table, member, said) in [
        (json!({ "kind": "file" }), "name", "is missing"),
        (json!({ "name": "SOC", "kind": "file" }), "name", "small letters"),
        (json!({ "name": "soc" }), "kind", "`webhook`"),
        (json!({ "name": "soc", "kind": "pigeon" }), "kind", "one of `alertmanager`, `email`, `file`"),
        (json!({ "name": "soc", "kind": "file" }), "path", "is missing"),
        (json!({ "name": "soc", "kind": "file", "path": "a", "colour": 1 }), "colour", "unknown field `colour`"),
        (json!({ "name": "soc", "kind": "email", "to": "nobody" }), "to", "one mail address"),
        (json!({ "name": "soc", "kind": "file", "path": "a", "quiet": "22-7" }), "quiet", "22:00-07:00"),
        (json!({ "name": "soc", "kind": "file", "path": "a", "rules": "x" }), "rules", "a sequence"),
        (json!({ "name": "soc", "kind": "file", "path": "a", "rooms": [[1]] }), "rooms", "titles and ids"),
        (json!({ "name": "soc", "kind": "file", "path": "a", "per_run": -1 }), "per_run", "invalid value"),
        (json!({ "name": "soc", "kind": "file", "path": "a", "min_severity": "x" }), "min_severity", "`critical`"),
        (json!({ "name": "soc", "kind": "file", "path": ["a"] }), "path", "invalid type"),
        (
            json!({ "name": "soc", "kind": "matrix", "server": "https://a.example", "room": "#soc" }),
            "room",
            "id of a room",
        ),
        (json!({ "name": "soc", "kind": "matrix", "server": "https://a.example" }), "room", "is missing"),
        (json!({ "name": "soc", "kind": "mattermost", "channel": "soc" }), "channel", "unknown field `channel`"),
        (json!({ "name": "soc", "kind": "ntfy", "token": SECRET }), "token", "token_file"),
        (json!({ "name": "soc", "kind": "slack", "token": SECRET }), "token", "token_file"),
        (json!({ "name": "soc", "kind": "slack", "token_file": "a" }), "channel", "such as `C0123456789`"),
        (json!({ "name": "soc", "kind": "slack", "url_file": "a", "channel": "C1" }), "url", "leave one"),
        (json!({ "name": "soc", "kind": "telegram", "chat": "soc" }), "chat", "number of a chat"),
        (json!({ "name": "soc", "kind": "webhook", "secret": SECRET }), "secret", "secret_file"),
    ] {
        let Err(fault) = settings(table.clone()) else { panic!("{table} is accepted") };
        assert!(fault.member == member && fault.message.contains(said), "{table}: {fault:?}");
        assert!(!fault.message.contains(SECRET), "{fault:?}");
    }
    let none = || Ok(None);
    for (table, secret, said) in [
        (json!({ "name": "soc-hook", "kind": "webhook" }), None, "`alert-soc-hook-url`"),
        (json!({ "name": "soc", "kind": "webhook", "url": "http://hooks.example.com/s3cret" }), None, "https://"),
        (json!({ "name": "soc", "kind": "webhook", "url": "s3cret" }), None, "https://host/path"),
        (json!({ "name": "soc", "kind": "webhook", "url": "https://a.example/" }), Some("whsec_s3cret"), "openssl"),
        (json!({ "name": "soc", "kind": "email", "to": "soc@example.com" }), None, "mail.host"),
        (
            json!({ "name": "soc", "kind": "matrix", "server": "http://a.example", "room": "!a" }),
            Some("s3cret"),
            "https://",
        ),
        (json!({ "name": "soc", "kind": "ntfy", "url": "https://a.example/" }), None, "name of a topic"),
        (json!({ "name": "soc", "kind": "slack", "channel": "C1" }), None, "`token_file`"),
        (json!({ "name": "soc", "kind": "slack", "url": "https://a.example/s3cret" }), Some("s3cret"), "leave one"),
        (json!({ "name": "soc", "kind": "slack" }), Some("s3cret"), "such as `C0123456789`"),
        (json!({ "name": "soc", "kind": "telegram", "chat": "-100" }), Some("two s3cret"), "one line without blanks"),
    ] {
        let fault = built(table.clone(), secret, &none).unwrap_err();
        assert!(fault.message.contains(said) && !fault.message.contains("s3cret"), "{table}: {fault:?}");
    }
}

/// A secret that is gone costs nobody else an alert, and no alert: it leaves when the secret is there again.
#[tokio::test]
async fn alerts_wait_for_a_channel_that_lacks_its_secret() {
    let (receiver, folder) = (Receiver::answering(&[200]).await, TempDir::new().unwrap());
    let options = HttpOptions::new("vdr-watch", "1.0.0");
    let hook = |url: Option<String>| {
        let find = |asked: &SecretMember, _: Option<&str>| {
            Ok(url.clone().filter(|_| asked.name == "url").map(SecretString::from))
        };
        settings(json!({ "name": "soc", "kind": "webhook" })).unwrap().build(find, &WayOut::new(&options, false))
    };
    let lacking = hook(None);
    assert_eq!((lacking.kind(), lacking.missing().unwrap().member.as_str()), ("webhook", "url"));
    let outbox = outbox().await;
    let sent = alert(1, Severity::Critical);
    let channels = [lacking.clone(), file(&folder, json!({}))];
    outbox.keep::<Finding>(&[], &[], &mut [sent.clone()], &channels, &moment(now())).await.unwrap();
    let drained = outbox.drain(&channels, now()).await.unwrap();
    assert_eq!((drained.refused.len(), drained.critical), (1, 0), "the file has it");
    let noted = outbox.noted_of(&sent.id).await.unwrap();
    let waits = noted.iter().find(|noted| noted.outcome == Outcome::Waits).unwrap();
    assert!(waits.answer.contains("cannot be used: `url` is missing"), "{waits:?}");
    let alone = crate::outbox::outbox().await;
    alone.keep::<Finding>(&[], &[], &mut [sent.clone()], &channels[..1], &moment(now())).await.unwrap();
    assert_eq!(alone.drain(&channels[..1], now()).await.unwrap().critical, 1, "it has reached nobody");
    outbox.drain(&[hook(Some(receiver.url().to_string()))], now() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(receiver.fingerprints(), [sent.fingerprint]);
}

#[tokio::test]
async fn a_signature_is_the_one_that_the_official_library_makes() {
    let receiver = Receiver::answering(&[200]).await;
    let url = receiver.url().to_string();
    let channel = built(json!({ "name": "soc", "kind": "webhook", "url": url }), Some(SECRET), &|| Ok(None)).unwrap();
    let sent = alert(1, Severity::High);
    assert_eq!(alerting::deliver(std::slice::from_ref(&sent), &[channel], now()).await.undelivered().count(), 0);
    let headers = receiver.headers.lock().unwrap()[0].clone();
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!((header("webhook-id"), header("webhook-timestamp")), (sent.id.clone(), now().timestamp().to_string()));
    let script = "import sys, datetime as d; from standardwebhooks import Webhook; \
                  print(Webhook(sys.argv[1]).sign(sys.argv[2], d.datetime.fromtimestamp(int(sys.argv[3]), d.timezone.utc), sys.argv[4]))";
    let by_library = ["python3", "/usr/bin/python3"].iter().find_map(|python| {
        let body = sent.to_json();
        let arguments = ["-c", script, SECRET, &sent.id, &header("webhook-timestamp"), &body];
        let made = Command::new(python).args(arguments).output().ok().filter(|made| made.status.success())?;
        Some(String::from_utf8(made.stdout).unwrap())
    });
    let Some(by_library) = by_library else {
        return not_tested("signatures of webhooks", "python's standardwebhooks is not installed");
    };
    assert_eq!(header("webhook-signature"), by_library.trim());
}

/// What each channel was given, by the number in the fingerprints.
async fn told(channels: &[(&TempDir, Channel)], alerts: Vec<Alert>) -> Vec<String> {
    let outbox = outbox().await;
    let list: Vec<Channel> = channels.iter().map(|(_, channel)| channel.clone()).collect();
    outbox.keep::<Finding>(&[], &[], &mut alerts.clone(), &list, &moment(now())).await.unwrap();
    outbox.drain(&list, now()).await.unwrap();
    let read = |folder: &TempDir| fs::read_to_string(folder.path().join("alerts.ndjson")).unwrap_or_default();
    let numbers = |text: String| {
        let numbers = text.lines().map(|line| fingerprint_in(line).rsplit(':').next().unwrap().to_owned());
        numbers.collect::<Vec<_>>().join(" ")
    };
    channels.iter().map(|(folder, _)| numbers(read(folder))).collect()
}

fn file(folder: &TempDir, settings: serde_json::Value) -> Channel {
    Channel::file(folder.path().join("alerts.ndjson")).with_route(route(settings))
}

#[tokio::test]
async fn each_channel_gets_what_its_settings_say_and_critical_alerts_reach_somebody() {
    let folders: Vec<TempDir> = (0..6).map(|_| TempDir::new().unwrap()).collect();
    let settings = [
        json!({}),
        json!({ "min_severity": "high" }),
        json!({ "rules": ["mass_change"] }),
        json!({ "rooms": [71] }),
        json!({ "rooms": ["Beta"] }),
        json!({ "people": ["ANNA@example.com"] }),
    ];
    let channels: Vec<(&TempDir, Channel)> =
        folders.iter().zip(settings).map(|(folder, settings)| (folder, file(folder, settings))).collect();
    let alerts = vec![alert(1, Severity::High), alert(2, Severity::Low)];
    assert_eq!(told(&channels, alerts).await, ["1 2", "1", "", "1 2", "", "1 2"]);
    let folder = TempDir::new().unwrap();
    let narrow = [(&folder, file(&folder, json!({ "rules": ["mass_change"] })))];
    assert_eq!(told(&narrow, vec![alert(1, Severity::Critical), alert(2, Severity::High)]).await, ["1"]);
}

#[tokio::test]
async fn what_is_more_than_a_channel_takes_is_one_summary_with_numbers() {
    let folder = TempDir::new().unwrap();
    let channel = file(&folder, json!({ "per_run": 2 }));
    let alerts = (1..=5).map(|n| alert(n, if n > 3 { Severity::Low } else { Severity::High })).collect();
    assert_eq!(told(&[(&folder, channel)], alerts).await, ["1 2 vdr-watch"]);
    let text = fs::read_to_string(folder.path().join("alerts.ndjson")).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["subject"], "high: vdr-watch: 3 more alerts in one message: 1 high, 2 low");
    assert_eq!(last["summary"]["alerts"], 3);
}

/// However much is found, and however urgent it is: a channel gets fifty alerts and one that counts the others, and nothing waits on.
#[tokio::test]
async fn a_storm_of_ten_thousand_findings_ends_in_fifty_one_messages() {
    for severity in [Severity::High, Severity::Critical] {
        let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let channels = [file(&folders[0], json!({})), file(&folders[1], json!({ "per_run": 10 }))];
        let (outbox, first) = (outbox().await, alert(0, severity));
        let numbered = |n: u32| Alert { id: format!("{n:032x}"), fingerprint: format!("storm:{n}"), ..first.clone() };
        let mut alerts: Vec<Alert> = (0..10_000).map(numbered).collect();
        let found = |n: u32| Finding { fingerprint: format!("storm:{n}"), severity, ..finding() };
        // those of a storm are many as well; once is enough, for they are all remembered
        let findings: Vec<Finding> = (0..if severity == Severity::High { 10_000 } else { 0 }).map(found).collect();
        outbox.keep(&findings, &[], &mut alerts, &channels, &moment(now())).await.unwrap();
        let drained = outbox.drain(&channels, now()).await.unwrap();
        assert_eq!((drained.left, drained.critical), (0, 0));
        let one_by_one = if severity == Severity::Critical { 50 } else { 10 };
        for (folder, told) in folders.iter().zip([50, one_by_one]) {
            let text = fs::read_to_string(folder.path().join("alerts.ndjson")).unwrap();
            let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!(text.lines().count(), told + 1);
            assert_eq!(last["summary"]["alerts"], 10_000 - told);
            assert!(last.to_string().len() < 10_000, "a message that receivers take");
        }
        assert_eq!(outbox.drain(&channels, now() + TimeDelta::hours(2)).await.unwrap().taken, 0);
    }
}

/// Until it is known who is in a group, its channel misses nothing; beside `people`, either is enough, and of several people any.
#[tokio::test]
async fn a_channel_of_a_group_gets_what_is_about_its_members() {
    let folders: Vec<TempDir> = (0..5).map(|_| TempDir::new().unwrap()).collect();
    let [anna, bob] = [0xa1, 0xb0].map(uuid::Uuid::from_u128);
    let board = |folder: &TempDir, members: Option<uuid::Uuid>, people: &[&str]| {
        let channel = file(folder, json!({ "groups": ["Board"], "people": people }));
        members.map_or_else(|| channel.clone(), |member| channel.clone().with_members([member].into()))
    };
    let channels = [
        (&folders[0], board(&folders[0], None, &[])),
        (&folders[1], board(&folders[1], Some(anna), &[])),
        (&folders[2], board(&folders[2], Some(bob), &[])),
        (&folders[3], board(&folders[3], Some(bob), &["anna@example.com"])),
        (&folders[4], file(&folders[4], json!({}))),
    ];
    let crowd = alert(2, Severity::High).with_detail(&json!({ "people": [{ "id": bob, "name": "Bob" }] }));
    assert_eq!(told(&channels, vec![alert(1, Severity::High), crowd]).await, ["1 2", "1 2", "2", "1 2", "1 2"]);
}

/// The program's own words win over what the numbers say, and a hostile name in them stays text.
#[test]
fn a_message_has_the_words_of_the_program() {
    let said = Said {
        did: Some("signed in from 203.0.113.66 after 40 wrong passwords".into()),
        what_to_do: vec!["ask the owner".into()],
        facts: SaidFacts {
            place: Some("from 203.0.113.66".into()),
            how_many: Some("40 failed logins".into()),
            goes_on: Some(false),
            ..SaidFacts::default()
        },
    };
    let mut alert = alert_of(&finding(), &complete()).with_detail(&said);
    let message = Message::new(&alert, Language::En, at("2026-11-20T08:45:00Z"));
    assert_eq!(message.subject, "high: Anna Example signed in from 203.0.113.66 after 40 wrong passwords");
    let text = message.text();
    for line in [
        "- ask the owner",
        "Where: from 203.0.113.66",
        "How many: 40 failed logins",
        "Still going on: no; last action: 2026-11-20 09:41:00",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    alert.state = FindingState::Ended;
    assert!(Message::new(&alert, Language::En, now()).text().contains("How many: 41 actions on 38 documents"));
}

/// A channel in German has every sentence that was written in German, and the others in English; machines get the English ones.
#[test]
fn a_message_is_in_the_language_of_its_channel() {
    let both = |english: &str, german: &str| Sentence::new(english, german);
    let said = Said {
        did: Some(both("made 41 downloads in 40 min in \"Acme\"", "kommt auf 41 Downloads in 40 min in „Acme“")),
        what_to_do: vec![both("disable the account", "Deaktivieren Sie das Konto"), "look at the room".into()],
        facts: SaidFacts {
            place: Some(both("\"Acme\" (room 71)", "„Acme“ (Raum 71)")),
            how_many: Some(both("41 downloads on 1,240 documents", "41 Downloads an 1.240 Dokumenten")),
            ..SaidFacts::default()
        },
    };
    let reason = both("41 actions within 1 h, more than 20", "41 Aktionen innerhalb von 1 h, mehr als 20");
    let finding = Finding { reasons: vec![reason, "seen twice".into()], ..finding() };
    let alert = |finding: &Finding| alert_of(finding, &complete()).with_detail(&said.members(finding));
    let told = alert(&finding);
    let [english, german] =
        [Language::En, Language::De].map(|language| Message::new(&told, language, at("2026-11-20T08:45:00Z")));
    assert_eq!(english.subject, "high: Anna Example made 41 downloads in 40 min in \"Acme\"");
    assert_eq!(german.subject, "hoch: Anna Example kommt auf 41 Downloads in 40 min in „Acme“");
    insta::assert_snapshot!("message_of_a_program_de", german.text());
    let json: serde_json::Value = serde_json::from_str(&told.to_json()).unwrap();
    assert_eq!(json["reasons"], json!(["41 actions within 1 h, more than 20", "seen twice"]));
    assert_eq!(json["what_to_do"], json!(["disable the account", "look at the room"]));
    assert_eq!(json["de"]["reasons"], json!(["41 Aktionen innerhalb von 1 h, mehr als 20", "seen twice"]));
    // the memory has the reasons in English; the last one, that it is over, is made anew
    let over = both("over: nothing more for 1 hour; 41 actions in all", "beendet: seit 1 Stunde nichts mehr");
    let reasons = vec!["41 actions within 1 h, more than 20".into(), over];
    let over = alert(&Finding { state: FindingState::Ended, reasons, ..finding });
    let text = Message::new(&over, Language::De, now()).text();
    assert!(text.contains("Warum: beendet: seit 1 Stunde nichts mehr\n"), "{text}");
}

#[tokio::test]
async fn within_an_hour_there_is_one_summary_and_then_the_rest_waits() {
    let folder = TempDir::new().unwrap();
    let (outbox, channels) = (outbox().await, [file(&folder, json!({ "per_hour": 1 }))]);
    let put = async |numbers: std::ops::Range<u32>, minutes: i64| {
        let at = now() + TimeDelta::minutes(minutes);
        let mut alerts: Vec<Alert> = numbers.map(|n| alert(n, Severity::High)).collect();
        outbox.keep::<Finding>(&[], &[], &mut alerts, &channels, &moment(at)).await.unwrap();
        let drained = outbox.drain(&channels, at).await.unwrap();
        (drained.taken, drained.left)
    };
    assert_eq!(put(1..4, 0).await, (2, 0), "one, and a summary of two");
    assert_eq!(put(4..6, 10).await, (0, 2));
    assert_eq!(put(6..6, 61).await, (2, 0), "the next hour");
}

#[tokio::test]
async fn in_quiet_hours_of_the_zone_only_critical_alerts_leave() {
    let folder = TempDir::new().unwrap();
    let (outbox, channels) = (outbox().await, [file(&folder, json!({ "quiet": "10:00-11:00" }))]);
    let mut alerts = [alert(1, Severity::High), alert(2, Severity::Critical)];
    outbox.keep::<Finding>(&[], &[], &mut alerts, &channels, &moment(now())).await.unwrap();
    let there = FixedOffset::east_opt(3600).unwrap();
    let drained = outbox.drain(&channels, now().with_timezone(&there)).await.unwrap();
    assert_eq!((drained.taken, drained.held), (1, 1), "it is ten there");
    let drained = outbox.drain(&channels, (now() + TimeDelta::hours(1)).with_timezone(&there)).await.unwrap();
    assert_eq!((drained.taken, drained.left), (1, 0));
}

#[tokio::test]
async fn a_silence_keeps_findings_from_being_told_and_ends_by_itself() {
    let outbox = outbox().await;
    let criteria = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let until = now() + TimeDelta::hours(1);
    let other = Silence::new(criteria(&[("room", "Alpha"), ("rule", "x")]), (now(), until), "move", "it@example.com");
    outbox.silence(&other).await.unwrap();
    let state = async |minutes: i64| {
        let mut findings = [finding()];
        outbox.compare(&mut findings, &moment(now() + TimeDelta::minutes(minutes))).await.unwrap();
        let [finding] = findings;
        (finding.state, finding.reasons.last().cloned().unwrap_or_default())
    };
    assert_eq!(state(0).await.0, FindingState::New, "not all of it matches");
    let silence = Silence::new(criteria(&[("room", "Alpha")]), (now(), until), "migration", "it@example.com");
    outbox.silence(&silence).await.unwrap();
    let (is_silenced, reason) = state(0).await;
    assert_eq!(is_silenced, FindingState::Silenced);
    assert_eq!(reason, format!("silenced until 2026-11-20 10:00:00 UTC by it@example.com ({}): migration", silence.id));
    assert_eq!(outbox.silences(now()).await.unwrap().len(), 2);
    assert_eq!(state(60).await.0, FindingState::New, "it has ended");
    assert!(outbox.end_silence(&silence.id, now() + TimeDelta::minutes(5)).await.unwrap());
    assert!(!outbox.end_silence(&silence.id, now() + TimeDelta::minutes(5)).await.unwrap());
    assert_eq!(state(5).await.0, FindingState::New, "somebody has ended it");
}

#[tokio::test]
async fn the_history_says_what_became_of_each_alert() {
    let receiver = Receiver::answering(&[400, 200]).await;
    let folder = TempDir::new().unwrap();
    let channels = [receiver.channel(), file(&folder, json!({ "min_severity": "critical" }))];
    let outbox = outbox().await;
    let sent = alert(1, Severity::High);
    outbox.keep::<Finding>(&[], &[], &mut [sent.clone()], &channels, &moment(now())).await.unwrap();
    let noted = async || {
        let noted = outbox.noted_of(&sent.id[..12]).await.unwrap();
        noted.into_iter().map(|noted| (noted.outcome, noted.answer)).collect::<Vec<_>>()
    };
    assert!(noted().await.contains(&(Outcome::LeftOut, "`min_severity` leaves it out".to_owned())));
    outbox.drain(&channels, now()).await.unwrap();
    let waits = noted().await.into_iter().find(|(outcome, _)| *outcome == Outcome::Waits).unwrap();
    assert!(waits.1.contains("400 Bad Request"), "{waits:?}");
    outbox.drain(&channels, now() + TimeDelta::minutes(1)).await.unwrap();
    assert!(noted().await.contains(&(Outcome::Taken, String::new())));
    assert_eq!(outbox.noted_since(now(), 10).await.unwrap().len(), 2);
    for nothing in ["", " "] {
        assert_eq!(outbox.noted_of(nothing).await.unwrap(), [], "no id means none of them");
    }
}

#[tokio::test]
async fn mails_about_a_matter_are_one_thread() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let port = server.port;
    let mailer = move || {
        let options = SmtpOptions {
            host: "localhost".to_owned(),
            port,
            security: SmtpSecurity::None,
            credentials: None,
            ca_file: None,
            patience: SMTP_PATIENCE,
        };
        Ok(Some(Mailer::new(options, "DocSpace <docspace@example.com>", None)?))
    };
    let table = json!({ "name": "soc-mail", "kind": "email", "to": "soc@example.com", "language": "de" });
    let channels = [built(table, None, &mailer).unwrap()];
    let outbox = outbox().await;
    for (acts, state) in [(41, FindingState::New), (90, FindingState::Grown), (90, FindingState::Ended)] {
        let mut finding = Finding { matter: Some("k3f9-q2mw".to_owned()), state, ..finding() };
        finding.counts.acts = acts;
        let mut alerts = [alert_of(&finding, &complete())];
        outbox.keep::<Finding>(&[], &[], &mut alerts, &channels, &moment(now())).await.unwrap();
        assert_eq!(outbox.drain(&channels, now()).await.unwrap().taken, 1);
    }
    let taken = server.messages();
    let mails: Vec<_> = taken.iter().map(|mail| MessageParser::default().parse(&mail[..]).unwrap()).collect();
    let ids: Vec<&str> = mails.iter().map(|mail| mail.message_id().unwrap()).collect();
    let references = |n: usize| mails[n].references().as_text_list().unwrap_or_default().to_vec();
    let root = "matter-k3f9-q2mw.vdr-watch@docs.example.com";
    assert_eq!(references(1), [root, ids[0]]);
    assert_eq!(references(2), [root, ids[0]]);
    assert_eq!(mails[0].references().as_text(), Some(root));
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    assert!(mails[2].subject().unwrap().starts_with("beendet: Anna Example"), "{:?}", mails[2].subject());
    assert!(mails[0].body_html(0).unwrap().contains("<html lang=\"de\">"));
    assert!(mails.iter().all(|mail| mail.subject().unwrap().chars().count() <= 80));
}

#[test]
fn a_message_says_who_did_what_and_what_to_do() {
    let finding = Finding { matter: Some("k3f9-q2mw".to_owned()), ..finding() };
    let alert = alert_of(&finding, &complete());
    let at = at("2026-11-20T08:45:00Z");
    let [english, german] = [Language::En, Language::De].map(|language| Message::new(&alert, language, at));
    assert_eq!(english.subject, "high: Anna Example in \"Alpha\": 41 actions within 1 h, more than 20");
    insta::assert_snapshot!("message_en", english.text());
    insta::assert_snapshot!("message_de", german.text());
    insta::assert_snapshot!("message_html", english.html());
}

#[test]
fn hostile_text_stays_text_and_short() {
    for (tried, text) in hostile_texts() {
        let mut finding = finding();
        finding.person.name = text.as_str().into();
        finding.room.as_mut().unwrap().title = text.as_str().into();
        finding.reasons = vec![text.as_str().into()];
        let message = Message::new(&alert_of(&finding, &complete()), Language::En, now());
        assert!(message.subject.chars().count() <= 80, "{tried}: {}", message.subject);
        let (text, html) = (message.text(), message.html());
        for acts in
            ["<img", "<script", "<a href=\"https://evil", "https://evil", "\u{1b}", "\u{202e}", "\u{200b}", "\r", "\0"]
        {
            assert!(
                !html.contains(acts) && (acts.starts_with('<') || !text.contains(acts)),
                "{tried}: {acts:?} in {html}"
            );
        }
        // mail clients make links of bare names of hosts as well; mail addresses stay
        for shown in [&message.subject, &text, &html] {
            assert_eq!(
                shown.matches("evil.example").count(),
                shown.matches("@evil.example").count(),
                "{tried}: {shown}"
            );
        }
        assert!(text.len() < 5_000 && html.len() < 10_000, "{tried}");
    }
}
