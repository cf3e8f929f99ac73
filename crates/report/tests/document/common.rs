//! Documents of the four situations that every form must get right.

use audit_model::{
    ActionId, Attributed, BlindSpot, Coverage, Evidence, Finding, FindingRoom, FindingState, GapReason, MainSource,
    Person, PersonStatus, PortalRole, PortalText, RoomId, Severity, SourceCoverage, UnreadableSpan, Window, testing,
};
use chrono::{DateTime, TimeDelta, Utc};
use report::{
    Bar, Block, Cell, Details, Document, Figure, Link, Maker, Mark, PersonLine, PortalLine, RunLine, Section, Table,
    Timeline, line, words,
};
use uuid::Uuid;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn day() -> Window {
    Window::new(at("2026-11-19T09:00:00Z"), at("2026-11-20T09:00:00Z"))
}

fn document(window: Window, coverage: Coverage) -> Document {
    let program = Maker { name: "vdr-watch".to_owned(), version: "1.1.0".to_owned() };
    let portal = PortalLine {
        url: "https://docs.example.com".to_owned(),
        version: Some("3.7.2".to_owned()),
        time_zone: Some(chrono_tz::Europe::Berlin),
    };
    let run = RunLine { started_at: at("2026-11-20T09:00:01Z"), dry_run: false };
    Document::new(program, portal, run, window, coverage)
}

fn read(rows: u64, window: Window) -> Option<SourceCoverage> {
    let (oldest, newest) = (window.since + TimeDelta::minutes(3), window.until - TimeDelta::minutes(9));
    Some(SourceCoverage { rows, oldest: Some(oldest), newest: Some(newest), ..SourceCoverage::default() })
}

fn coverage(window: Window) -> Coverage {
    Coverage {
        audit: read(1_240, window),
        logins: read(88, window),
        blind_spots: vec![BlindSpot::KeyLogins, BlindSpot::ViewOnlySessions],
        ..Coverage::default()
    }
}

/// Nothing happened, and everything was seen.
pub(crate) fn quiet() -> Document {
    let mut quiet = document(day(), coverage(day()));
    quiet.figures = vec![Figure::new("people to ask", 0), Figure::new("actions seen", 1_240)];
    quiet.timelines = vec![hours(day())];
    quiet
}

/// Three people of different severity, with all that hostile people can put into names and titles.
pub(crate) fn findings() -> Document {
    let mut found = document(day(), coverage(day()));
    found.headline = words::headline(&found.coverage, 3, 3).into();
    found.figures = vec![
        Figure::new("people to ask", 3).with_note("1 more than on the day before"),
        Figure::new("downloads", 12_480).with_note("3,120 a day in the month before"),
        Figure::new("rooms looked at", 14),
        Figure::new("accounts disabled", 0).with_note("this program only watches"),
    ];
    let people = [mallory(), formula(), reversed()].map(|finding| PersonLine::from(&finding));
    let people = people.into_iter().map(|mut person| {
        person.what_to_do = vec![
            line!["ask ", &person.who.name, " or the room's owner whether this was agreed"],
            "if not, take the person out of the room or disable the account".into(),
        ];
        person.who.page =
            Some("https://docs.example.com/accounts/people/filter?search=mallory%40example.com".to_owned());
        if let Some(place) = &mut person.place {
            place.page = Some("https://docs.example.com/rooms/shared/71/filter?folder=71".to_owned());
        }
        person.links = vec![Link::new("History of the room", "https://docs.example.com/rooms/shared/71/history")];
        person
    });
    let columns = ["Room", "Id", "Events", "Downloads", "Changes", "Deletions", "People", "Last", "Event ids"];
    let mut rooms = Table::new("Rooms by number of events", &columns);
    let (acme, formula) =
        (PortalText::from("Acme – due diligence"), PortalText::from("=HYPERLINK(\"https://evil.example.com\")"));
    for (title, numbers, ids) in
        [(acme, [71, 12_460, 11_960, 480, 20, 9], 41_000), (formula, [72, 520, 520, 0, 0, 2], 51_000)]
    {
        let last = (numbers[0] == 71).then(|| at("2026-11-20T06:15:00Z"));
        let ids = format!("{ids}, {}, {} and {} more", ids + 7, ids + 9, words::number(numbers[1] - 3));
        let numbers = numbers.into_iter().map(Cell::from);
        rooms.row([Cell::from(&title)].into_iter().chain(numbers).chain([last.into(), ids.into()]));
    }
    found.sections = vec![
        Section::new("people to ask").with_people(people),
        Section::new("rooms")
            .with(Block::Paragraph("Rooms in which somebody was found, the busiest first.".into()))
            .with(Block::Table(rooms.of(14, "the CSV form of the monthly report")))
            .with(Block::Details(Details {
                summary: "11 rooms without findings".into(),
                blocks: vec![Block::List(vec![
                    "Falcon (81)".into(),
                    line![&PortalText::from("<b>Raven</b>"), " (82)"],
                ])],
            })),
        Section::new("what was done")
            .with(Block::Warning("The plan is held: 14 people would be suspended, more than 10.".into())),
    ];
    found.sections[2].is_news = true;
    found.timelines = vec![hours(day())];
    found.timelines[0].marks = vec![
        Mark { at: at("2026-11-20T05:35:00Z"), severity: Severity::Critical, label: "first of 41 downloads".into() },
        Mark {
            at: at("2026-11-19T20:10:00Z"),
            severity: Severity::Low,
            label: line!["login of ", &PortalText::from("אבי")],
        },
    ];
    found.notes = vec!["The API key expires on 2026-12-09; make a new one before that day.".into()];
    found
}

/// Part of the time was seen: many gaps, some of which are neighbours.
pub(crate) fn incomplete() -> Document {
    let month = Window::new(at("2026-10-31T23:00:00Z"), at("2026-11-30T23:00:00Z"));
    let mut coverage = coverage(month);
    let logins = coverage.logins.get_or_insert_default();
    logins.late_rows = 3;
    for hour in 0..40 {
        let from = month.since + TimeDelta::hours(hour * 5);
        coverage.gap("audit", Window::new(from, from + TimeDelta::minutes(90)), GapReason::PortalError);
        coverage.gap(
            "audit",
            Window::new(from + TimeDelta::minutes(90), from + TimeDelta::hours(2)),
            GapReason::PortalError,
        );
    }
    coverage.gap("logins", Window::new(month.since, month.since + TimeDelta::days(9)), GapReason::BeyondRetention);
    let second = month.since + TimeDelta::hours(77);
    coverage.gap("room_log", Window::new(second, second + TimeDelta::seconds(1)), GapReason::UnreadableRow);
    coverage.room_log = Some(SourceCoverage {
        rows: 12,
        unreadable: vec![UnreadableSpan { span: Window::new(second, second + TimeDelta::seconds(1)), rows: 1 }],
        ..SourceCoverage::default()
    });
    coverage.unattributed = 7;
    let mut incomplete = document(month, coverage);
    incomplete.figures = vec![Figure::new("events", 1_240), Figure::new("failed logins", 0)];
    incomplete.program.name = "compliance-monthly".to_owned();
    let bar = |at: i64| {
        let since = month.since + TimeDelta::days(at);
        let count = (at * 37 % 23 * 19).unsigned_abs();
        let ids = if count > 0 { words::list_of(&[format!("{}", 40_000 + at * 500)], 1, count) } else { String::new() };
        Bar { note: ids.into(), ..Bar::new(Window::new(since, since + TimeDelta::days(1)), count) }
    };
    incomplete.timelines = vec![Timeline {
        title: "events by day".into(),
        unit: "event".to_owned(),
        source: MainSource::Audit,
        span: month,
        bars: (0..30).map(bar).collect(),
        marks: Vec::new(),
    }];
    incomplete
}

/// The audit trail could not be read at all.
pub(crate) fn nothing() -> Document {
    let mut nothing = document(day(), Coverage::unseen("audit", day(), GapReason::AuditFeatureMissing));
    nothing.portal.time_zone = None;
    nothing.portal.version = None;
    nothing.run.iter_mut().for_each(|run| run.dry_run = true);
    nothing
}

pub(crate) fn all() -> [(&'static str, Document); 4] {
    [("quiet", quiet()), ("findings", findings()), ("incomplete", incomplete()), ("nothing", nothing())]
}

fn hours(window: Window) -> Timeline {
    let bar = |hour: i64| {
        let since = window.since + TimeDelta::hours(hour);
        Bar::new(Window::new(since, since + TimeDelta::hours(1)), (hour * hour % 37 * 11).unsigned_abs())
    };
    Timeline {
        title: "events by hour".into(),
        unit: "event".to_owned(),
        source: MainSource::Audit,
        span: window,
        bars: (0..24).map(bar).collect(),
        marks: Vec::new(),
    }
}

/// When the last action of every finding was.
pub(crate) const LAST: &str = "2026-11-20T06:15:00Z";

fn finding(number: u128, severity: Severity, name: &str, email: Option<&str>, title: &str) -> Finding {
    let first = at("2026-11-20T05:35:00Z");
    let evidence = (0..10).map(|sample: i64| Evidence {
        event: 71_300 + sample,
        at: first + TimeDelta::seconds(sample * 61),
        action: ActionId(5009),
        target: Some(format!("{}", 9_417 + sample)),
        title: (sample != 4).then(|| PortalText::new(format!("File Downloaded: {title} {sample}.docx"))),
        ip: Some("203.0.113.66".into()),
    });
    Finding {
        severity,
        fingerprint: format!("{number:016x}"),
        person: Person {
            email: email.map(Into::into),
            role: Some(PortalRole::User),
            ..Person::named(Uuid::from_u128(number), name.into())
        },
        room: Some(FindingRoom {
            id: Some(RoomId::Number(71)),
            candidates: Vec::new(),
            title: title.into(),
            attributed: Attributed::Title,
        }),
        reasons: vec!["41 actions within 1 h, more than 20".into(), "38 documents, none of them opened before".into()],
        evidence: evidence.collect(),
        evidence_total: 41,
        window: Window::new(first, LAST.parse::<DateTime<Utc>>().unwrap() + TimeDelta::microseconds(1)),
        ..testing::finding(first)
    }
}

fn mallory() -> Finding {
    let name = "Mallory <img src=x onerror=alert(1)> Quick";
    let mut finding = finding(7, Severity::Critical, name, Some("mallory@example.com"), "Acme – due diligence");
    finding.state = FindingState::Grown;
    finding.person.status = Some(PersonStatus::Disabled);
    finding
}

fn formula() -> Finding {
    let title = "@SUM(A1);=2+3\t+4\r\n-5";
    let name = "=cmd|' /C calc'!A0;=1+1";
    let mut finding = finding(8, Severity::Medium, name, Some("\u{1b}[2Jeve@example.com"), title);
    let room = finding.room.as_mut().unwrap();
    room.id = None;
    room.candidates = (100..107).map(RoomId::Number).collect();
    finding
}

fn reversed() -> Finding {
    let name = "‏אבי כהן \u{202e}txt.exe 😀";
    let mut finding = finding(9, Severity::Low, name, None, &"契約書".repeat(90));
    finding.state = FindingState::Known;
    finding.evidence.truncate(1);
    finding
}
