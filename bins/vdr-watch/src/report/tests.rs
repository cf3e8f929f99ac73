//! Reports of made-up outcomes: what no portal shows on demand. Whole runs are in `tests/cli.rs`.

use alerting::{Alert, AlertContext};
use audit_model::{
    ActionId, BlindSpot, Counts, Course, Coverage, Evidence, FindingState, Gap, GapReason, LoginEvent, MAX_EVIDENCE,
    PersonStatus, SourceCoverage, UnreadableSpan, Window, testing,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use job_runner::Head;
use report::{Maker, PortalLine, RunLine, TEXT_WIDTH, words};
use uuid::Uuid;

use super::*;
use crate::config::Config;
use crate::gather::Facts;
use crate::gather::logins::{LoginDetails, Logins, MarkedLogin, Novelty};

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

fn window() -> Window {
    Window::new(at("00:00:00"), at("12:00:00"))
}

pub(super) fn head(coverage: Coverage) -> Head {
    Head {
        schema: "vdr-watch/1".to_owned(),
        program: job_runner::ProgramName { name: "vdr-watch", version: "1.0.0" },
        portal: job_runner::PortalName {
            url: "https://docs.example.com".parse().unwrap(),
            version: Some("3.7.2".to_owned()),
            time_zone: Some(Tz::Europe__Berlin),
        },
        run: job_runner::RunFacts { started_at: at("12:00:00"), dry_run: false },
        window: window(),
        coverage,
        notes: vec!["this run has no memory of earlier ones: its store could not be used, see the log".to_owned()],
        naming: job_runner::Naming::default(),
    }
}

fn hostile_finding() -> Finding {
    let name = "Eve\u{1b}[2J\nroot: all quiet \u{202e}";
    Finding {
        rule: "unusual_activity".to_owned(),
        severity: Severity::Critical,
        state: FindingState::New,
        course: Course::Burst,
        matter: None,
        fingerprint: "0123456789abcdef".to_owned(),
        person: Person {
            id: Uuid::from_u128(7),
            name: name.into(),
            email: Some("eve@example.com".into()),
            status: Some(PersonStatus::Disabled),
            role: Some(PortalRole::Guest),
            registered: Some(at("07:00:00")),
            room_role: Some(RoomRole::Member {
                access: "viewer".to_owned(),
                groups: vec!["Auditors".into(), "\u{1b}[31mBoard".into()],
            }),
        },
        room: Some(FindingRoom {
            id: None,
            candidates: vec![RoomId::Number(71), RoomId::Number(72)],
            title: "<b>Falcon</b> \u{7}".into(),
            attributed: Attributed::Title,
        }),
        counts: Counts { acts: 120, documents: 110 },
        window: Window::new(at("08:00:00"), at("08:40:00")),
        reasons: vec!["120 actions within 1 h, more than 20".into()],
        evidence: (0..MAX_EVIDENCE as i64)
            .map(|n| Evidence {
                event: n,
                at: at("08:00:00"),
                action: ActionId(5064),
                target: Some(format!("9{n}")),
                title: (n == 0).then(|| "File Downloaded: a\r\nb.docx".into()),
                ip: (n < 2).then(|| "203.0.113.7".into()),
            })
            .collect(),
        evidence_total: 120,
    }
}

fn login(n: i64) -> LoginEvent {
    LoginEvent {
        id: n,
        user: Uuid::from_u128(7),
        user_name: "Eve".into(),
        browser: Some("Chrome 131".into()),
        ..testing::login("203.0.113.7", "Germany", at("07:00:00"))
    }
}

/// The last two from a new address, the very last in a new country too.
fn marked(n: i64) -> MarkedLogin {
    let new = [(n >= 5, Novelty::Address), (n == 6, Novelty::Country)];
    MarkedLogin { event: login(n), new: new.into_iter().filter_map(|(is_new, what)| is_new.then_some(what)).collect() }
}

fn compared(details: LoginDetails) -> Logins {
    let earlier = details.keys().map(|person| (*person, 31)).collect();
    Logins { details, compared_since: Some(at("00:00:00") - chrono::TimeDelta::days(30)), earlier, ..Logins::default() }
}

fn incomplete() -> Coverage {
    let gap = |what: &str, from, to, why| Gap { what: what.to_owned(), span: Window::new(at(from), at(to)), why };
    let second = Window::new(at("03:00:00"), at("03:00:01"));
    Coverage {
        gaps: vec![
            gap("audit", "03:00:00", "03:00:01", GapReason::UnreadableRow),
            gap("logins", "00:00:00", "06:00:00", GapReason::PortalError),
        ],
        blind_spots: vec![BlindSpot::StreamDownloads],
        audit: Some(SourceCoverage {
            rows: 1240,
            late_rows: 3,
            unreadable: vec![UnreadableSpan { span: second, rows: 1 }],
            oldest: Some(at("00:00:10")),
            newest: Some(at("11:59:00")),
        }),
        unattributed: 4,
        ..Coverage::default()
    }
}

fn report(coverage: Coverage, findings: Vec<Finding>, logins: Logins) -> Report {
    let facts = Facts {
        watched: [RoomId::Number(71)].into(),
        twins: Default::default(),
        today: at("12:00:00").date_naive(),
        window: window(),
        found: findings.into_iter().map(|finding| Found { finding, detail: Detail::default() }).collect(),
        logins,
        action: None,
        restriction: None,
    };
    Report::new(head(coverage), judge(&Config::default(), facts))
}

/// One that found nobody.
pub(super) fn report_of(coverage: Coverage) -> Report {
    report(coverage, Vec::new(), Logins::default())
}

/// The whole report, in the runner's frame.
fn document(report: &Report) -> Document {
    let Head { program, portal, run, window, coverage, notes, .. } = &report.head;
    let mut document = Document::new(
        Maker { name: program.name.to_owned(), version: program.version.to_owned() },
        PortalLine { url: portal.shown().to_owned(), version: portal.version.clone(), time_zone: portal.time_zone },
        RunLine { started_at: run.started_at, dry_run: run.dry_run },
        *window,
        coverage.clone(),
    );
    document.notes = notes.iter().map(|note| note.as_str().into()).collect();
    body(report, &mut document);
    document
}

/// What is printed of it.
fn text_of(report: &Report) -> String {
    let headline = |told| words::headline(report.coverage(), told, report.findings.len() as u64).into();
    document(report).news(headline).map(|news| news.text(TEXT_WIDTH)).unwrap_or_default()
}

#[test]
fn hostile_text_cannot_act_and_gaps_are_explained() {
    let finding = hostile_finding();
    let logins = LoginDetails::from([(finding.person.id, (0..7).map(marked).collect())]);
    let alert = Alert::from_finding(
        &finding,
        &AlertContext {
            program: "vdr-watch",
            version: "1.0.0",
            portal_url: &head(incomplete()).portal.url,
            time_zone: None,
            coverage: &incomplete(),
        },
    );
    let text = text_of(&report(incomplete(), vec![finding], compared(logins)));
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']));
    insta::assert_snapshot!("hostile_and_incomplete", text);
    let subject = &alert.subject;
    assert!(!subject.contains(|c: char| c.is_control() || c == '\u{202e}'), "{subject:?}");
}

#[test]
fn only_a_complete_read_without_findings_is_silent() {
    let complete = Coverage { gaps: Vec::new(), ..incomplete() };
    assert_eq!(text_of(&report(complete, Vec::new(), Logins::default())), "");
    let text = text_of(&report(incomplete(), Vec::new(), Logins::default()));
    assert!(text.starts_with("vdr-watch: incomplete"), "{text}");
    let unread = Coverage { audit: None, gaps: Vec::new(), ..incomplete() };
    let text = text_of(&report(unread, Vec::new(), Logins::default()));
    assert!(text.starts_with("vdr-watch: nothing can be concluded"), "{text}");
}

#[test]
fn what_is_known_already_is_not_told_again() {
    let mut finding = hostile_finding();
    finding.state = FindingState::Known;
    let complete = Coverage { gaps: Vec::new(), ..incomplete() };
    let report = report(complete, vec![finding], Logins::default());
    assert_eq!(text_of(&report), "");
    assert_eq!(report.told().count(), 0);
}

/// Ten thousand characters in every text that somebody else typed, and a thousand rooms of one title.
#[test]
fn long_texts_are_cut_in_text_and_whole_in_json() {
    let long = "Zoë".repeat(3_400);
    let text: PortalText = long.as_str().into();
    let mut finding = hostile_finding();
    finding.person.name = text.clone();
    finding.person.room_role =
        Some(RoomRole::Member { access: "viewer".to_owned(), groups: vec![text.clone(), "Board".into()] });
    let candidates = (0..1000).map(RoomId::Number).collect();
    finding.room = Some(FindingRoom { id: None, candidates, title: text.clone(), attributed: Attributed::Title });
    finding.evidence.iter_mut().for_each(|evidence| {
        evidence.title = Some(text.clone());
        evidence.ip = Some(text.clone());
    });
    let id = finding.person.id;
    let event = LoginEvent { city: Some(text.clone()), browser: Some(text.clone()), ..login(1) };
    let logins = compared(LoginDetails::from([(id, vec![MarkedLogin { event, new: Vec::new() }])]));
    let report = report(incomplete(), vec![finding], logins);
    let told = text_of(&report);
    let longest = told.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest < 400, "{longest}");
    assert!(told.lines().count() < 120 && told.contains('…'), "{told}");
    assert!(told.contains("(one of the rooms 0, 1, 2, 3, 4 and 995 more)"), "{told}");
    assert_eq!(told.matches("/rooms/shared/").count(), ROOMS_LINKED, "{told}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"][0]["person"]["name"], long.as_str());
    assert_eq!(json["findings"][0]["room"]["candidates"].as_array().unwrap().len(), 1000);
}

/// The portal's owner cannot be disabled, nobody is taken out of a room of their own, and a visitor without an account has none.
#[test]
fn what_to_do_fits_the_person_and_the_room() {
    let known = FindingRoom {
        id: Some(RoomId::Number(71)),
        candidates: Vec::new(),
        title: "Falcon".into(),
        attributed: Attributed::Log,
    };
    let told_of = |room: &FindingRoom, change: &dyn Fn(&mut Person)| {
        let mut person = Person { room_role: None, status: None, ..hostile_finding().person };
        person.name = "Eve".into();
        change(&mut person);
        let finding = Finding { person, room: Some(room.clone()), ..hostile_finding() };
        let room_owner = Some(Person::named(Uuid::from_u128(9), "Bob\u{202e}".into()));
        let found = Found { finding, detail: Detail { room_owner, ..Detail::default() } };
        advice::what_to_do(&found, "report").iter().map(Line::for_terminal).collect::<Vec<_>>()
    };
    let told = |change: &dyn Fn(&mut Person)| told_of(&known, change);
    assert_eq!(
        told(&|_| ()),
        [
            "if it still goes on, take the person out of the room or disable the account",
            "ask the room's owner (Bob\\u{202e}), and not Eve, whether this was agreed",
            "keep this report",
            "look at the room",
        ]
    );
    let owner = told(&|person| {
        person.role = Some(PortalRole::Owner);
        person.room_role = Some(RoomRole::Owner);
    });
    assert_eq!(owner[1], "ask another admin of the portal, and not Eve, who owns the room, whether this was agreed");
    assert!(owner[0].starts_with("if it still goes on, reset the password and end the sessions of the portal's owner"));
    let manager = told(&|person| person.room_role = Some(RoomRole::Owner));
    assert!(manager[1].starts_with("ask an admin of the portal, or another manager of the room, and not Eve"));
    let visitor = told(&|person| person.id = GUEST_ACCOUNT);
    assert_eq!(visitor[1], "ask the room's owner (Bob\\u{202e}) whether this was agreed");
    assert!(visitor[0].contains("links") && !visitor[0].contains("account or"), "{visitor:?}");
    assert!(told(&|person| person.status = Some(PersonStatus::Disabled))[0].contains("leave the account disabled"));
    let gone = told(&|person| person.room_role = Some(RoomRole::RoomGone));
    assert_eq!(gone[1], "ask whoever owned the room, and not Eve, whether this was agreed");
    assert_eq!(gone.len(), 3, "there is no room to look at");
    let twins = FindingRoom { id: None, candidates: vec![RoomId::Number(71), RoomId::Number(72)], ..known.clone() };
    assert_eq!(told_of(&twins, &|_| ())[3], "look at the rooms");
    let unknown = FindingRoom { candidates: Vec::new(), ..twins };
    assert!(told_of(&unknown, &|_| ())[1].starts_with("ask whoever owns or owned a room of this title, and not"));
}

/// A room that is gone has no page any more.
#[test]
fn nobody_is_sent_to_the_page_of_a_room_that_is_gone() {
    let mut finding = hostile_finding();
    let room = finding.room.as_mut().unwrap();
    room.id = room.candidates.pop();
    room.candidates.clear();
    let with = |role: RoomRole| {
        let person = Person { room_role: Some(role), ..finding.person.clone() };
        text_of(&report(incomplete(), vec![Finding { person, ..finding.clone() }], Logins::default()))
    };
    assert!(with(RoomRole::NoMember).contains("https://docs.example.com/rooms/shared/72/"));
    let gone = with(RoomRole::RoomGone);
    assert!(gone.contains("the room is not there any more") && !gone.contains("/rooms/shared/"), "{gone}");
}

/// What was done at the portal is said although nobody was found; what is as it was before is not.
#[test]
fn a_room_that_was_made_is_news_and_one_that_was_there_is_not() {
    let complete = Coverage { gaps: Vec::new(), ..incomplete() };
    let told = |state, reason: &str| {
        let mut report = report(complete.clone(), Vec::new(), Logins::default());
        let room = (state != ActionState::Failed).then_some(RoomId::Number(80));
        report.body.actions.push(RoomAction::new(state, room, "<b>Falcon</b>\u{1b}", reason));
        (text_of(&report), document(&report).text(TEXT_WIDTH))
    };
    let (news, whole) = told(ActionState::Already, "there is a virtual data room of this title");
    assert_eq!(news, "");
    assert!(whole.contains("The virtual data room \"<b>Falcon</b>\\u{1b}\" is used: there is"), "{whole}");
    let (news, _) = told(ActionState::Done, "");
    assert!(news.contains("  Made the virtual data room \"<b>Falcon</b>\\u{1b}\"\n"), "{news}");
    assert!(news.contains("  https://docs.example.com/rooms/shared/80/filter?folder=80\n"), "{news}");
    let (news, _) = told(ActionState::Failed, "the rooms could not be read");
    assert!(
        news.contains("*** Could not create or find the virtual data room") && news.contains(": the rooms could not"),
        "{news}"
    );
    let (news, _) = told(ActionState::Planned, "there is none");
    assert!(news.contains("Would make the virtual data room") && news.contains(": there is none"), "{news}");
}
