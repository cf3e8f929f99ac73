//! When people hear of a matter: when it is new, has doubled, lasts, and is over.

use alerting::{Alert, Language, Matter, Message, Moment, Outbox, Said, Silence, state_of};
use audit_model::{Counts, Course, Finding, FindingState, Sentence, Severity, Window, testing};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use serde_json::json;

use super::{moment, outbox};
use crate::common::receiver::Receiver;
use crate::common::{alert_of, at, complete, finding};
use crate::machines::{channel, options};

use FindingState::{Ended, Grown, Known, New, Silenced};

/// Of 20 November 2026.
fn time(time: &str) -> DateTime<Utc> {
    at(&format!("2026-11-20T{time}Z"))
}

/// The finding of the other tests, 41 actions from 08:00 to 08:41 and high, as it was told at 08:41.
fn told() -> Matter {
    let Finding { window, counts, severity, .. } = finding();
    Matter {
        id: "k3f9-q2mw".to_owned(),
        course: Some(Course::Burst),
        window,
        counts,
        severity,
        told_at: window.until,
        told_until: window.until,
        suppressed: 0,
        missing_since: None,
        over_since: None,
    }
}

fn changed(change: impl FnOnce(&mut Finding)) -> Finding {
    let mut finding = finding();
    change(&mut finding);
    finding
}

/// So many actions up to then.
fn up_to(acts: u64, until: &str) -> Finding {
    changed(|finding| {
        finding.counts.acts = acts;
        finding.window.until = at(until);
    })
}

fn condition() -> Finding {
    changed(|finding| finding.course = Course::Condition)
}

#[test]
fn what_people_hear_of_a_burst() {
    let severity = |severity| changed(|finding| finding.severity = severity);
    let over = Matter { over_since: Some(time("09:41:00")), ..told() };
    let lasting = |until: &str| Matter { told_until: at(until), ..told() };
    let day = |day: u32, hour: u32| format!("2026-11-{day:02}T{hour:02}:00:00Z");
    let table = [
        ("the same again", finding(), told(), "2026-11-20T08:50:00Z", Known),
        ("smaller", up_to(10, "2026-11-20T08:41:00Z"), told(), "2026-11-20T08:50:00Z", Known),
        ("one more", up_to(42, "2026-11-20T08:45:00Z"), told(), "2026-11-20T08:50:00Z", Known),
        ("not quite double", up_to(81, "2026-11-20T08:45:00Z"), told(), "2026-11-20T08:50:00Z", Known),
        ("double", up_to(82, "2026-11-20T08:45:00Z"), told(), "2026-11-20T08:50:00Z", Grown),
        ("double, and over", up_to(82, "2026-11-20T08:45:00Z"), told(), "2026-11-20T12:00:00Z", Grown),
        ("more severe", severity(Severity::Critical), told(), "2026-11-20T08:50:00Z", Grown),
        ("less severe", severity(Severity::Low), told(), "2026-11-20T08:50:00Z", Known),
        ("not quite an hour", up_to(50, "2026-11-20T08:59:59Z"), told(), "2026-11-20T09:00:00Z", Known),
        ("an hour", up_to(50, "2026-11-20T09:00:00Z"), told(), "2026-11-20T09:00:00Z", Grown),
        (
            "an hour, told",
            up_to(50, "2026-11-20T10:00:00Z"),
            lasting("2026-11-20T09:00:00Z"),
            "2026-11-20T10:00:00Z",
            Known,
        ),
        (
            "six hours",
            up_to(50, "2026-11-20T14:00:00Z"),
            lasting("2026-11-20T09:00:00Z"),
            "2026-11-20T14:00:00Z",
            Grown,
        ),
        ("a day", up_to(50, &day(21, 8)), lasting("2026-11-20T14:00:00Z"), "2026-11-21T08:00:00Z", Grown),
        ("a day and a half", up_to(50, &day(21, 20)), lasting(&day(21, 8)), "2026-11-21T20:00:00Z", Known),
        ("another day", up_to(50, &day(22, 8)), lasting(&day(21, 8)), "2026-11-22T08:00:00Z", Grown),
        ("not quite over", finding(), told(), "2026-11-20T09:40:59Z", Known),
        ("over", finding(), told(), "2026-11-20T09:41:00Z", Ended),
        ("said to be over", finding(), over.clone(), "2026-11-20T10:00:00Z", Known),
        ("goes on again", up_to(42, "2026-11-20T10:00:00Z"), over, "2026-11-20T10:00:00Z", Grown),
        ("told by an earlier version", finding(), Matter { course: None, ..told() }, "2026-11-20T09:41:00Z", Known),
    ];
    for (case, finding, matter, now, expected) in table {
        assert_eq!(state_of(&finding, Some(&matter), &moment(at(now))), expected, "{case}");
    }
    let blind = Moment { seen_until: None, ..moment(time("12:00:00")) };
    assert_eq!(state_of(&finding(), Some(&told()), &blind), Known, "nobody knows whether it is over");
    assert_eq!(state_of(&finding(), None, &moment(time("09:00:00"))), New);
    let nothing = changed(|finding| finding.counts.acts = 0);
    let matter = Matter { counts: nothing.counts, ..told() };
    assert_eq!(state_of(&nothing, Some(&matter), &moment(time("08:50:00"))), Known, "twice nothing is no growth");
}

/// A run that has seen everything: compares, remembers, and gives the states.
async fn run(outbox: &Outbox, findings: &mut [Finding], moment: Moment<'_>) -> Vec<FindingState> {
    let compared = outbox.compare(findings, &moment).await.unwrap();
    outbox.keep(findings, &compared.ended, &mut [], &[], &moment).await.unwrap();
    outbox.forget_old(moment.now).await.unwrap();
    findings.iter().map(|finding| finding.state).collect()
}

#[tokio::test]
async fn growth_is_held_back_counted_and_told_with_the_next_alert() {
    let outbox = outbox().await;
    let known = |acts, until: &str| [up_to(acts, &format!("2026-11-20T{until}Z"))];
    assert_eq!(run(&outbox, &mut known(41, "08:41:00"), moment(time("08:45:00"))).await, [New]);
    for (acts, until, now, held_back) in
        [(41, "08:41:00", "08:46:00", 0), (50, "08:47:00", "08:48:00", 1), (60, "08:49:00", "08:50:00", 1)]
    {
        let mut found = known(acts, until);
        let compared = outbox.compare(&mut found, &moment(time(now))).await.unwrap();
        outbox.keep(&found, &compared.ended, &mut [], &[], &moment(time(now))).await.unwrap();
        assert_eq!((found[0].state, compared.suppressed), (Known, held_back), "{acts}");
    }
    let mut findings = known(82, "08:51:00");
    let now = moment(time("08:52:00"));
    outbox.compare(&mut findings, &now).await.unwrap();
    let reasons = ["41 actions within 1 h, more than 20", "already reported with 41 actions; now 82"];
    assert_eq!(
        (findings[0].state, findings[0].reasons.iter().map(|reason| reason.english()).collect::<Vec<_>>()),
        (Grown, reasons.to_vec())
    );
    let mut alerts: Vec<Alert> = findings.iter().map(|finding| alert_of(finding, &complete())).collect();
    outbox.keep(&findings, &[], &mut alerts, &[], &now).await.unwrap();
    assert_eq!((alerts[0].suppressed, alerts[0].matter.is_some()), (2, true));
    let mut findings = known(164, "08:55:00");
    outbox.compare(&mut findings, &moment(time("08:55:00"))).await.unwrap();
    let mut alerts = [alert_of(&findings[0], &complete())];
    outbox.keep(&findings, &[], &mut alerts, &[], &moment(time("08:55:00"))).await.unwrap();
    assert_eq!(alerts[0].suppressed, 0, "counted since the last alert only");
}

/// One action every 15 seconds for eight hours, looked at every minute: one matter, told nine times, with its whole number at the end.
#[tokio::test]
async fn eight_hours_are_one_matter_with_one_total() {
    let outbox = outbox().await;
    let start = time("08:00:00");
    let mut heard = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for minute in 6..=600 {
        let now = start + TimeDelta::minutes(minute);
        assert_eq!(outbox.open_since("", now).await.unwrap(), (7..=540).contains(&minute).then_some(start), "{minute}");
        let last = start + TimeDelta::minutes(minute.min(480));
        let acts = 4 * minute.min(480).unsigned_abs();
        let mut found = [changed(|finding| {
            finding.window = Window::new(start, last);
            finding.counts = Counts { acts, documents: acts };
        })];
        run(&outbox, &mut found, moment(now)).await;
        ids.insert(found[0].matter.clone().unwrap());
        if found[0].state != Known {
            heard.push((minute, found[0].state, found[0].counts.acts, found[0].reasons.last().unwrap().clone()));
        }
    }
    assert_eq!(ids.len(), 1);
    let heard: Vec<String> =
        heard.iter().map(|(minute, state, acts, why)| format!("{minute} {state:?} {acts}: {why}")).collect();
    insta::assert_snapshot!(heard.join("\n"), @"
    6 New 24: 41 actions within 1 h, more than 20
    12 Grown 48: already reported with 24 actions; now 48
    24 Grown 96: already reported with 48 actions; now 96
    48 Grown 192: already reported with 96 actions; now 192
    60 Grown 240: already reported with 192 actions; now 240, and it still goes on
    120 Grown 480: already reported with 240 actions; now 480
    240 Grown 960: already reported with 480 actions; now 960
    360 Grown 1440: already reported with 960 actions; now 1440, and it still goes on
    540 Ended 1920: over: nothing more for 1 hour; 1920 actions in all
    ");
}

/// The memory keeps the reasons in both languages, for whoever hears that it is over; what a version without German has kept stays untold.
#[tokio::test]
async fn what_has_grown_or_is_over_is_said_in_german_with_its_reasons() {
    let both = || Sentence::new("41 actions within 1 h", "41 Aktionen innerhalb von 1 h");
    let spoken = |finding: Finding| Finding { reasons: vec![both()], ..finding };
    let why = |finding: &Finding| {
        let alert = alert_of(finding, &complete()).with_detail(&Said::default().members(finding));
        let message = Message::new(&alert, Language::De, time("12:00:00"));
        message.facts.iter().find(|fact| fact.label == "Warum").map(|fact| fact.value.clone()).unwrap_or_default()
    };
    let outbox = outbox().await;
    run(&outbox, &mut [spoken(finding())], moment(time("08:45:00"))).await;
    let mut grown = [spoken(up_to(90, "2026-11-20T08:50:00Z"))];
    assert_eq!(run(&outbox, &mut grown, moment(time("08:51:00"))).await, [Grown]);
    assert_eq!(testing::untranslated(&grown[0].reasons), [""; 0]);
    assert_eq!(why(&grown[0]), "41 Aktionen innerhalb von 1 h; bereits mit 41 Aktionen gemeldet; jetzt 90");
    let mut found = [spoken(up_to(90, "2026-11-20T08:50:00Z"))];
    let over = moment(time("09:51:00"));
    let mut of_memory = outbox.compare(&mut Vec::<Finding>::new(), &over).await.unwrap().ended;
    assert_eq!(testing::untranslated(&of_memory[0].reasons), [""; 0]);
    assert!(why(&of_memory[0]).starts_with("41 Aktionen innerhalb von 1 h; "), "{}", why(&of_memory[0]));
    assert!(why(&of_memory[0]).ends_with("beendet: seit 1 Stunde nichts mehr; insgesamt 90 Aktionen"));
    assert_eq!(run(&outbox, &mut found, over).await, [Ended]);
    assert_eq!(
        why(&found[0]),
        "41 Aktionen innerhalb von 1 h; beendet: seit 1 Stunde nichts mehr; insgesamt 90 Aktionen"
    );
    // as an older version has kept it
    of_memory[0].reasons[0] = "41 actions within 1 h".into();
    assert!(!why(&of_memory[0]).contains("actions"), "{}", why(&of_memory[0]));
}

/// What a rule does not find any more, because its limit was raised for instance, is over all the same.
#[tokio::test]
async fn a_burst_that_is_not_found_any_more_ends() {
    let outbox = outbox().await;
    run(&outbox, &mut [finding()], moment(time("08:45:00"))).await;
    let nothing: &mut [Finding] = &mut [];
    let ended = async |now: &str, part| {
        let moment = Moment { part, ..moment(time(now)) };
        let compared = outbox.compare(&mut Vec::<Finding>::new(), &moment).await.unwrap();
        outbox.keep::<Finding>(&[], &compared.ended, &mut [], &[], &moment).await.unwrap();
        compared.ended
    };
    assert_eq!(ended("09:40:00", "").await, [], "not yet");
    assert_eq!(ended("09:41:00", "room 81").await, [], "a look at something else");
    let over = ended("09:41:00", "").await;
    let last = over[0].reasons.last().unwrap();
    assert_eq!(
        (over.len(), over[0].state, last.english()),
        (1, Ended, "over: nothing more for 1 hour; 41 actions in all")
    );
    let alert = alert_of(&over[0], &complete());
    assert_eq!(
        (alert.severity, alert.subject.as_str()),
        (Severity::Info, "over: Anna Example in room \"Alpha\": 41 actions on 38 documents")
    );
    assert_eq!(ended("09:42:00", "").await, []);
    assert_eq!(run(&outbox, nothing, moment(time("09:43:00"))).await, []);
}

#[tokio::test]
async fn what_is_over_when_it_is_told_needs_no_second_word() {
    let outbox = outbox().await;
    assert_eq!(run(&outbox, &mut [finding()], moment(time("12:00:00"))).await, [New]);
    assert_eq!(outbox.open_since("", time("12:00:00")).await.unwrap(), None);
    assert_eq!(run(&outbox, &mut [finding()], moment(time("12:10:00"))).await, [Known]);
}

/// The window of a condition slides with the run's, and it may be missing for some days: still the same.
#[tokio::test]
async fn a_condition_is_told_once_for_as_long_as_it_lasts() {
    let outbox = outbox().await;
    let day = |day: i64| time("09:00:00") + TimeDelta::days(day);
    let found = |at: DateTime<Utc>, acts| {
        let mut found = condition();
        found.window = Window::new(at - TimeDelta::days(1), at);
        found.counts.acts = acts;
        [found]
    };
    let nothing: &mut [Finding] = &mut [];
    assert_eq!(run(&outbox, &mut found(day(0), 1), moment(day(0))).await, [New]);
    for (on, acts) in [(1, 1), (7, 10), (21, 0)] {
        assert_eq!(run(&outbox, &mut found(day(on), acts), moment(day(on))).await, [Known], "day {on}");
    }
    // gone for six days: a long weekend
    run(&outbox, nothing, moment(day(22))).await;
    run(&outbox, nothing, moment(day(27))).await;
    assert_eq!(run(&outbox, &mut found(day(28), 1), moment(day(28))).await, [Known]);
    run(&outbox, nothing, moment(day(29))).await;
    assert_eq!(run(&outbox, &mut found(day(36), 1), moment(day(36))).await, [New], "it came back after a week");
    let mut worse = found(day(37), 1);
    worse[0].severity = Severity::Critical;
    assert_eq!(run(&outbox, &mut worse, moment(day(37))).await, [Grown]);
}

/// Whoever keeps something open hears that a condition is over, once and under the same name, and only from a run that has seen that it is;
/// people in a chat need no word about it. It may have lasted for longer than what was sent is remembered.
#[tokio::test]
async fn the_end_of_a_condition_is_told_once_to_whoever_keeps_something_open() {
    for lasts in [0, 100] {
        let (machine, chat) = (Receiver::answering(&[200]).await, Receiver::answering(&[200]).await);
        let mattermost = json!({ "name": "chat", "kind": "mattermost", "url": chat.url().as_str() });
        let channels = [machine.channel(), channel(&mattermost, &[], &options())];
        let outbox = outbox().await;
        let on = |day: i64| moment(time("09:00:00") + TimeDelta::days(day));
        let run = async |mut found: Vec<Finding>, moment: Moment<'_>| {
            let compared = outbox.compare(&mut found, &moment).await.unwrap();
            assert_eq!(compared.ended, [], "no news for the report");
            let told = found.iter().filter(|finding| finding.state != Known).chain(&compared.lapsed);
            let mut alerts: Vec<Alert> = told.map(|finding| alert_of(finding, &complete())).collect();
            outbox.keep(&found, &compared.lapsed, &mut alerts, &channels, &moment).await.unwrap();
            outbox.drain(&channels, moment.now).await.unwrap();
            compared.lapsed
        };
        run(vec![condition()], on(0)).await;
        run(vec![condition()], on(lasts)).await;
        for early in
            [on(lasts + 1), Moment { seen_until: None, ..on(lasts + 8) }, Moment { part: "room 81", ..on(lasts + 8) }]
        {
            assert_eq!(run(Vec::new(), early).await, [], "{early:?}");
        }
        let over = run(Vec::new(), on(lasts + 8)).await;
        assert_eq!(over[0].reasons.last().unwrap().english(), "over: not found for 7 days by runs that saw everything");
        assert_eq!(testing::untranslated(&over[0].reasons[1..]), [""; 0]);
        assert_eq!(run(Vec::new(), on(lasts + 9)).await, []);
        run(vec![condition()], on(lasts + 10)).await;
        let sent = machine.received.lock().unwrap().clone();
        let sent: Vec<serde_json::Value> = sent.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
        let states: Vec<&str> = sent.iter().map(|alert| alert["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["new", "ended", "new"], "{lasts}");
        assert_eq!(sent[0]["matter"], sent[1]["matter"]);
        assert_eq!(chat.received.lock().unwrap().len(), 2, "new, and new again");
        let noted = outbox.noted_of(sent[1]["id"].as_str().unwrap()).await.unwrap();
        assert!(
            noted.iter().any(|noted| noted.channel == "chat" && noted.answer == "`kind` leaves it out"),
            "{noted:?}"
        );
    }
}

/// No run looked for a week after one that missed it, and it is there again: that is news, under the name that it had, and no end. What the
/// receiver keeps open is closed when it is gone.
#[tokio::test]
async fn what_is_found_again_is_not_told_to_be_over() {
    let machine = Receiver::answering(&[200]).await;
    let channels = [machine.channel()];
    let outbox = outbox().await;
    for (day, is_found) in [(0, true), (1, false), (9, true), (10, true), (11, false), (18, false), (19, false)] {
        let moment = moment(time("09:00:00") + TimeDelta::days(day));
        let mut found: Vec<Finding> = is_found.then(condition).into_iter().collect();
        let compared = outbox.compare(&mut found, &moment).await.unwrap();
        let told = found.iter().filter(|finding| finding.state != Known).chain(&compared.lapsed);
        let mut alerts: Vec<Alert> = told.map(|finding| alert_of(finding, &complete())).collect();
        outbox.keep(&found, &compared.lapsed, &mut alerts, &channels, &moment).await.unwrap();
        outbox.drain(&channels, moment.now).await.unwrap();
        let sent = std::mem::take(&mut *machine.received.lock().unwrap());
        let state = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap()["state"].clone();
        let states: Vec<serde_json::Value> = sent.iter().map(|(_, body)| state(body)).collect();
        let expected = match day {
            0 | 9 => vec!["new"],
            18 => vec!["ended"],
            _ => Vec::new(),
        };
        assert_eq!(states, expected, "on day {day}");
    }
}

/// Somebody has silenced it: its end is told after that.
#[tokio::test]
async fn a_silence_keeps_the_end_of_a_condition_as_well() {
    let outbox = outbox().await;
    let day = |day: i64| time("09:00:00") + TimeDelta::days(day);
    run(&outbox, &mut [condition()], moment(day(0))).await;
    run(&outbox, &mut [], moment(day(1))).await;
    let criteria = [("rule".to_owned(), "unusual_activity".to_owned())].into();
    let silence = Silence::new(criteria, (day(2), day(10)), "migration", "it@example.com");
    outbox.silence(&silence).await.unwrap();
    let lapsed = async |on: i64| {
        let nothing: &mut [Finding] = &mut [];
        outbox.compare(nothing, &moment(day(on))).await.unwrap().lapsed.len()
    };
    assert_eq!((lapsed(9).await, lapsed(10).await), (0, 1));
}

/// A run that did not see everything, or looked at another part, says nothing about what it did not find.
#[tokio::test]
async fn who_does_not_see_everything_misses_nothing() {
    let outbox = outbox().await;
    let day = |day: i64| time("09:00:00") + TimeDelta::days(day);
    let nothing: &mut [Finding] = &mut [];
    run(&outbox, &mut [condition()], moment(day(0))).await;
    run(&outbox, nothing, Moment { seen_until: None, ..moment(day(1)) }).await;
    run(&outbox, nothing, Moment { part: "room 81", ..moment(day(1)) }).await;
    assert_eq!(run(&outbox, &mut [condition()], moment(day(20))).await, [Known]);
}

/// Somebody looks at one room by hand, and cron at all of them: neither takes news from the other, and neither hides an end.
#[tokio::test]
async fn what_one_part_is_told_is_new_to_those_who_look_at_everything() {
    let outbox = outbox().await;
    let at = |day: i64, part: &'static str| Moment { part, ..moment(time("09:00:00") + TimeDelta::days(day)) };
    let nothing: &mut [Finding] = &mut [];
    for (day, part, state) in [
        (0, "room 71", New),
        (1, "room 71", Known),
        (1, "room 71\nroom 72", New),
        (2, "", New),
        (3, "room 81", Known),
        (4, "room 71", Known),
        (5, "", Known),
    ] {
        assert_eq!(run(&outbox, &mut [condition()], at(day, part)).await, [state], "day {day}, {part}");
    }
    // whichever run found it last, the one that looks at everything misses it
    run(&outbox, &mut [condition()], at(6, "room 71")).await;
    run(&outbox, nothing, at(7, "")).await;
    assert_eq!(run(&outbox, &mut [condition()], at(20, "")).await, [New]);
}

/// Whoever silenced a matter is not told of it, and it does not count as told when that ends.
#[tokio::test]
async fn what_is_silenced_stays_so_and_is_new_afterwards() {
    let outbox = outbox().await;
    let silenced = || [changed(|finding| finding.state = Silenced)];
    let now = moment(time("08:45:00"));
    assert_eq!(run(&outbox, &mut silenced(), now).await, [Silenced]);
    assert_eq!(run(&outbox, &mut [finding()], now).await, [New]);
    assert_eq!(run(&outbox, &mut silenced(), now).await, [Silenced]);
    assert!(outbox.open_since("", now.now).await.unwrap().is_some(), "it goes on, whoever hears of it");
    let mut grown = [up_to(90, "2026-11-20T08:50:00Z")];
    assert_eq!(run(&outbox, &mut grown, moment(time("08:50:00"))).await, [Grown]);
    assert_eq!(grown[0].reasons[1], "already reported with 41 actions; now 90");
    assert_eq!(run(&outbox, &mut silenced(), moment(time("09:50:00"))).await, [Silenced]);
    assert_eq!(outbox.open_since("", now.now).await.unwrap(), None, "nobody waits for its end");
}

/// A silence keeps the burst quiet, and ends nothing: whoever was told of it hears after the silence how it went on, or that it is over.
#[tokio::test]
async fn a_silence_does_not_end_a_burst() {
    for (later, expected, said) in [
        (up_to(60, "2026-11-20T09:55:00Z"), Grown, "already reported with 41 actions; now 60, and it still goes on"),
        (up_to(60, "2026-11-20T08:50:00Z"), Ended, "over: nothing more for 1 hour; 60 actions in all"),
    ] {
        let outbox = outbox().await;
        assert_eq!(run(&outbox, &mut [finding()], moment(time("08:45:00"))).await, [New]);
        let criteria = [("rule".to_owned(), "unusual_activity".to_owned())].into();
        let silence = Silence::new(criteria, (time("08:46:00"), time("10:00:00")), "migration", "it@example.com");
        outbox.silence(&silence).await.unwrap();
        let mut severe = later.clone();
        severe.severity = Severity::Critical;
        assert_eq!(run(&outbox, &mut [severe], moment(time("08:50:00"))).await, [Silenced]);
        run(&outbox, &mut [later.clone()], moment(time("09:55:00"))).await;
        let mut after = [later];
        assert_eq!(run(&outbox, &mut after, moment(time("10:00:00"))).await, [expected]);
        assert_eq!(after[0].reasons.last().unwrap(), said);
    }
}

#[tokio::test]
async fn two_bursts_of_one_fingerprint_are_two_matters() {
    let outbox = outbox().await;
    let afternoon = changed(|finding| {
        finding.window = Window::new(time("14:00:00"), time("14:30:00"));
        finding.counts = Counts { acts: 25, documents: 25 };
    });
    let now = moment(time("14:35:00"));
    let mut both = [finding(), afternoon.clone()];
    assert_eq!(run(&outbox, &mut both, now).await, [New, New]);
    assert_ne!(both[0].matter, both[1].matter);
    assert_eq!(run(&outbox, &mut [afternoon, finding()], now).await, [Known, Known]);
    // a row that came late shows that they were one all along
    let mut whole = [up_to(90, "2026-11-20T14:30:00Z")];
    let later = moment(time("14:36:00"));
    assert_eq!(run(&outbox, &mut whole, later).await, [Grown]);
    assert_eq!(whole[0].matter, both[0].matter, "the older name stays");
}

#[tokio::test]
async fn what_a_run_still_finds_is_not_forgotten() {
    let outbox = outbox().await;
    let mut other = changed(|finding| finding.fingerprint.push('2'));
    let (told, later) = (moment(at("2026-11-20T09:41:00Z")), moment(at("2027-02-01T09:00:00Z")));
    run(&outbox, &mut [finding(), other.clone()], told).await;
    assert_eq!(run(&outbox, &mut [finding()], later).await, [Known]);
    let after_90_days = moment(at("2027-02-19T08:00:00Z"));
    assert_eq!(run(&outbox, std::slice::from_mut(&mut other), after_90_days).await, [Known]);
    run(&outbox, &mut [finding()], moment(at("2027-05-01T09:00:00Z"))).await;
    let forgotten = moment(at("2027-05-21T09:00:00Z"));
    run(&outbox, &mut [finding()], forgotten).await;
    other.state = New;
    assert_eq!(run(&outbox, std::slice::from_mut(&mut other), forgotten).await, [New]);
    assert_eq!(run(&outbox, &mut [finding()], forgotten).await, [Known]);
}

/// A finding of one of two fingerprints, anywhere in four days.
fn any_finding() -> impl Strategy<Value = Finding> {
    (0..2, 0..4_320i64, 1..1_500i64, 1..100u64, 0..5usize).prop_map(|(fingerprint, since, length, acts, severity)| {
        let start = at("2026-11-16T00:00:00Z") + TimeDelta::minutes(since);
        changed(|finding| {
            finding.fingerprint = format!("matter {fingerprint}");
            finding.window = Window::new(start, start + TimeDelta::minutes(length));
            finding.counts = Counts { acts, documents: 1 };
            finding.severity =
                [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical][severity];
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever runs find and whenever: everything is told or less than twice what was told, and in the end there is silence.
    #[test]
    fn everything_is_told_and_in_the_end_there_is_silence(
        runs in prop::collection::vec((prop::collection::vec(any_finding(), 0..5), 1..200i64), 1..8),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let outbox = outbox().await;
            let mut now = at("2026-11-20T09:00:00Z");
            let mut seen: Vec<Finding> = Vec::new();
            let mut told: Vec<Finding> = Vec::new();
            for (mut found, pause) in runs {
                now += TimeDelta::minutes(pause);
                run(&outbox, &mut found, moment(now)).await;
                told.extend(found.iter().filter(|finding| matches!(finding.state, New | Grown)).cloned());
                for finding in &found {
                    let same = |other: &&Finding| other.fingerprint == finding.fingerprint;
                    let most = told.iter().filter(same).map(|other| other.counts.acts).max();
                    let severest = told.iter().filter(same).map(|other| other.severity).max();
                    assert!(most.is_some_and(|most| finding.counts.acts < 2 * most));
                    assert!(severest.is_some_and(|severest| finding.severity <= severest));
                }
                seen.extend(found.into_iter().map(|finding| Finding { state: New, ..finding }));
            }
            // a run that finds all of it once more joins what belongs together, and the next one has nothing to say
            now += TimeDelta::days(2);
            run(&outbox, &mut seen, moment(now)).await;
            assert!(seen.iter().all(|finding| finding.state != New), "{seen:?}");
            run(&outbox, &mut seen, moment(now)).await;
            let states = run(&outbox, &mut seen, moment(now)).await;
            assert!(states.iter().all(|state| *state == Known), "{states:?}");
            assert_eq!(outbox.compare(&mut seen, &moment(now)).await.unwrap().ended, []);
        });
    }
}
