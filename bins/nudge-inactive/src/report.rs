//! The body of the report: rooms and who is inactive there, what became of the reminders, and who could not be judged. Pure.

mod reminders;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::{Clock, plural};
use ::report::{Block, Cell, Details, Document, Figure, Line, Link, PersonLine, Section, Table, Who, line};
use alerting::room_page;
use audit_model::{Finding, Person, PortalRole, PortalText, Verdict};
use job_runner::Head;
use safe_actions::ActionState;

use crate::body::{Part, Report};
use crate::publish::Delivered;
use crate::room_report::{Inactive, RoomReport};
use crate::rule::{Risk, Unsure};

/// So many readers through groups are folded: nobody decides about each.
const FOLDED_FROM: usize = 6;

/// Puts what the program found and did into the document.
pub(crate) fn body(report: &Report, document: &mut Document) {
    document.sections.extend(reminders::held(&report.body.actions));
    document.sections.extend(undelivered(report, document.clock()));
    document.sections.extend(short_trail(report));
    let rooms: Vec<&RoomReport> = report.body.rooms.iter().collect();
    let before = std::mem::take(&mut document.sections);
    part(report, &rooms, document);
    document.sections.splice(0..0, before);
    document.figures.extend(changes(report));
}

/// The same for some of the rooms, in place of what the document says of all.
pub(crate) fn part(report: &Report, rooms: &[&RoomReport], document: &mut Document) {
    let clock = document.clock();
    document.figures = figures(report, rooms);
    document.sections = first(report, rooms).into_iter().collect();
    let findings: BTreeMap<&str, &Finding> =
        report.findings.iter().map(|found| (found.finding.fingerprint.as_str(), &found.finding)).collect();
    for room in rooms.iter().filter(|room| !room.inactive.is_empty()) {
        let person = |inactive: &Inactive| {
            let finding = findings.get(inactive.fingerprint(room).as_str()).copied()?;
            Some(person(report, inactive, finding, clock))
        };
        let owner = room.owner.as_ref().map(|owner| line!["; owned by ", who(owner)]).unwrap_or_default();
        let section = room_section(&report.head, room).with(Block::Paragraph(Line::from(counts(room)).and(owner)));
        let many = room.inactive.iter().filter(|one| one.is_one_of_many()).count() >= FOLDED_FROM;
        let (readers, others): (Vec<&Inactive>, Vec<&Inactive>) =
            room.inactive.iter().partition(|one| many && one.is_one_of_many());
        let section = section.with_people(others.into_iter().filter_map(person));
        let readers: Vec<Block> =
            readers.into_iter().filter_map(person).map(|person| Block::Person(Box::new(person))).collect();
        let section = match readers.len() as u64 {
            0 => section,
            many => {
                let summary = format!("{} through groups", plural(many, "reader")).into();
                section.with(Block::Details(Details { summary, blocks: readers }))
            }
        };
        document.sections.push(section);
    }
    document.sections.extend(reminders::section(report, rooms));
    document.sections.extend(unread(report));
    document.sections.extend(not_judged(rooms, clock));
    document.sections.extend(quiet(report, rooms));
}

/// What whoever reads only one line has to decide.
fn first(report: &Report, rooms: &[&RoomReport]) -> Option<Section> {
    let guests = |room: &&&RoomReport| room.inactive.iter().any(|one| one.risk == Risk::GuestWhoMayChange);
    let places = rooms.iter().filter(guests).count() as u64;
    let inactive = rooms.iter().flat_map(|room| &room.inactive).filter(|one| one.risk == Risk::GuestWhoMayChange);
    let people = inactive.map(|one| one.person.id).collect::<BTreeSet<_>>().len() as u64;
    let text = format!(
        "{} who did nothing for {} can still change documents in {}: take them out?",
        plural(people, "guest"),
        plural(report.body.terms.period_days.into(), "day"),
        plural(places, "room"),
    );
    (people > 0).then(|| Section::new("to decide first").with(Block::Paragraph(text.into())))
}

/// Managers whom the report has not reached.
fn undelivered(report: &Report, clock: Clock) -> Option<Section> {
    let line = |one: &Delivered| {
        let since = one.waiting_since.map(|since| format!(", reports wait since {}", clock.day(since)));
        let why = one.reason.as_deref().unwrap_or("it is not known why");
        Line::from(format!("{}{}: {why}; the next run sends its report", one.to, since.unwrap_or_default()))
    };
    let failed = report.body.manager.iter().filter(|one| one.state == ActionState::Failed);
    let lines: Vec<Line> = failed.map(line).collect();
    let section = Section { is_news: true, ..Section::new("the report did not reach everybody") };
    (!lines.is_empty()).then(|| section.with(Block::List(lines)))
}

/// What nobody may take for an all-clear.
fn short_trail(report: &Report) -> Option<Section> {
    let unknown = report.body.rooms.iter().flat_map(|room| &room.unknown);
    let people = unknown.filter(|one| one.why == Unsure::TrailTooShort).map(|one| one.person.id);
    let people = people.collect::<BTreeSet<_>>().len() as u64;
    let text = format!(
        "the portal's audit trail begins inside the last {}, so it is not known whether {} were active before; nobody is called inactive until it is as long",
        plural(report.body.terms.period_days.into(), "day"),
        plural(people, "person"),
    );
    let section = Section { is_news: true, ..Section::new("the audit trail is too short") };
    (people > 0).then(|| section.with(Block::Warning(text.into())))
}

/// What changed since the run before.
fn changes(report: &Report) -> Vec<Figure> {
    let Some(changes) = report.body.since_last_run else { return Vec::new() };
    vec![
        Figure::new("newly inactive", changes.newly_inactive).with_note("since the run before"),
        Figure::new("came back", changes.came_back).with_note("after a reminder, since the run before"),
    ]
}

/// Nothing where nothing can be concluded.
fn figures(report: &Report, rooms: &[&RoomReport]) -> Vec<Figure> {
    let body = Part(rooms);
    if rooms.is_empty() || report.coverage().verdict() == Verdict::Nothing {
        return Vec::new();
    }
    let people_at = |most: Risk| {
        let inactive = rooms.iter().flat_map(|room| &room.inactive).filter(|one| one.risk <= most);
        inactive.map(|one| one.person.id).collect::<BTreeSet<_>>().len() as u64
    };
    let memberships = plural(body.inactive(), "membership");
    let guests = people_at(Risk::Guest);
    let may_change = format!("{} may change documents", people_at(Risk::GuestWhoMayChange));
    let mut figures = vec![
        Figure::new("people inactive", body.people()).with_note(format!("in {memberships}")),
        Figure::new("guests among them", guests).with_note(if guests > 0 { may_change } else { String::new() }),
        Figure::new("rooms looked at", rooms.len() as u64),
    ];
    if body.unknown() > 0 {
        figures.push(Figure::new("memberships not judged", body.unknown()).with_note("it is not known who was active"));
    }
    figures
}

/// `"Falcon" (room 71)`
fn title(room: &RoomReport) -> Line {
    line!["\"", Line::name(&room.title), format!("\" (room {})", room.id)]
}

fn page(head: &Head, room: &RoomReport) -> Option<String> {
    room_page(Some(&room.place()), &head.portal.url).map(String::from)
}

fn room_section(head: &Head, room: &RoomReport) -> Section {
    Section { page: page(head, room), ..Section::new(title(room)) }
}

/// `5 members: 2 inactive, 1 active, 1 disabled, 1 owner of the room`
fn counts(room: &RoomReport) -> String {
    let own = [
        (room.inactive.len() as u64, "inactive"),
        (room.active, "active"),
        (room.unknown.len() as u64, "not known"),
        (room.new.len() as u64, "too new to judge"),
    ];
    let left_out = room.excluded.iter().map(|(why, count)| (*count, why.words()));
    let all = own.into_iter().chain(left_out).filter(|(count, _)| *count > 0);
    let parts: Vec<String> = all.map(|(count, what)| format!("{count} {what}")).collect();
    format!("{}: {}", plural(room.members, "member"), parts.join(", "))
}

fn person(report: &Report, inactive: &Inactive, finding: &Finding, clock: Clock) -> PersonLine {
    let mut person = report.head.person(finding);
    if let Some(place) = &mut person.place {
        // the section leads there
        place.page = None;
    }
    let few = few_actions(report, inactive, clock);
    let more = sign_in_and_reminders(report, inactive, clock);
    person.what = line![few, " as ", right(inactive), "; ", role_and_risk(inactive), "; ", more];
    person.facts = Vec::new();
    person.how_much = Line::default();
    (person.first, person.last) = (None, inactive.last_activity);
    person.what_to_do = what_to_do(inactive);
    person
}

/// `last sign-in 2026-11-19, reminded on 2026-11-06 (day 14)`
fn sign_in_and_reminders(report: &Report, inactive: &Inactive, clock: Clock) -> String {
    let sign_in = match inactive.last_sign_in {
        Some(at) => format!("last sign-in {}", clock.day(at)),
        None => "no sign-in known".to_owned(),
    };
    let reminded = report.body.reminded.get(&(inactive.person.id, inactive.room.clone()));
    let reminded = reminded.map(|(at, days)| format!(", reminded on {} (day {days})", clock.day(*at)));
    format!("{sign_in}{}", reminded.unwrap_or_default())
}

/// `ordinary user, may change documents`
fn role_and_risk(inactive: &Inactive) -> String {
    let risk = inactive.risk.words();
    match (inactive.risk, inactive.person.role) {
        (Risk::GuestWhoMayChange | Risk::Guest, _) => risk.to_owned(),
        (_, role) => format!("{}, {risk}", role.map_or("role in the portal not known", PortalRole::words)),
    }
}

/// How little somebody did, as far back as it is known.
fn few_actions(report: &Report, inactive: &Inactive, clock: Clock) -> String {
    let window = report.head.window;
    let known_since = report.body.watched_since.filter(|since| *since < window.since);
    match (inactive.acts, inactive.last_activity, known_since) {
        (0, None, Some(since)) => format!("no action since monitoring began on {}", clock.day(since)),
        (0, ..) => format!("no action in {}", plural(window.length().num_days().unsigned_abs(), "day")),
        (acts, ..) => {
            let days = plural(window.length().num_days().unsigned_abs(), "day");
            format!("{} in {days}, fewer than {}", plural(acts, "action"), report.body.terms.min_activity)
        }
    }
}

/// `editor through the group "Auditors"`
fn right(inactive: &Inactive) -> Line {
    match groups(inactive) {
        None => inactive.access.as_str().into(),
        Some(groups) => line![inactive.access.as_str(), " through ", groups],
    }
}

/// `the groups "Auditors", "Partners"`
fn groups(inactive: &Inactive) -> Option<Line> {
    let (first, more) = inactive.groups.split_first()?;
    let quoted = |name: &PortalText| line!["\"", Line::name(name), "\""];
    let word = if more.is_empty() { "the group " } else { "the groups " };
    Some(more.iter().fold(line![word, quoted(first)], |line, name| line.and(", ").and(quoted(name))))
}

fn what_to_do(inactive: &Inactive) -> Vec<Line> {
    let name = Line::name(&inactive.person.name);
    if inactive.judged.member.is_owner {
        return vec![
            line!["ask ", name, " whether they should still own the room"],
            "if not, make somebody else its owner".into(),
        ];
    }
    let ask = match inactive.risk {
        Risk::GuestWhoMayChange | Risk::Guest => {
            line!["ask the manager of the room whether ", name, " still needs access"]
        }
        Risk::MayChange | Risk::Reader => line!["ask ", name, " whether they still need the room"],
    };
    let may_change = matches!(inactive.risk, Risk::GuestWhoMayChange | Risk::MayChange);
    let remove = match groups(inactive) {
        Some(groups) => line!["if not, take them out of ", groups, ", or take the group out of the room"],
        None if may_change => "if not, take them out of the room; if they only read, make them a viewer".into(),
        None => "if not, take them out of the room".into(),
    };
    vec![ask, remove]
}

/// `Anna Schmidt <anna@example.com>`
fn who(person: &Person) -> Line {
    Who::from(person).line()
}

/// Rooms whose members could not be read.
fn unread(report: &Report) -> Option<Section> {
    let rooms = &report.body.unread_rooms;
    let lines: Vec<Line> = rooms.iter().map(|id| Line::from(format!("room {id}"))).collect();
    let section = Section::new("rooms whose members could not be read");
    (!lines.is_empty()).then(|| section.with(Block::List(lines)))
}

/// Members who are neither active nor inactive, as far as anybody can say.
fn not_judged(rooms: &[&RoomReport], clock: Clock) -> Option<Section> {
    let mut unknown = Table::new("", &["Who", "Room", "Why not", "Last sign-in"]);
    let mut new = Table::new("", &["Who", "Room", "Joined"]);
    for room in rooms {
        for one in &room.unknown {
            let sign_in = one.last_sign_in.map(|at| clock.day(at)).unwrap_or_default();
            unknown.row([who(&one.person).into(), title(room).into(), one.why.words().into(), sign_in.into()]);
        }
        for one in &room.new {
            new.row([who(&one.person).into(), title(room).into(), clock.day(one.joined).into()]);
        }
    }
    let folded = |table: Table, what: &str| {
        let summary = format!("{} {what}", plural(table.rows.len() as u64, "membership"));
        (!table.rows.is_empty())
            .then(|| Block::Details(Details { summary: summary.into(), blocks: vec![Block::Table(table)] }))
    };
    let blocks: Vec<Block> =
        [folded(unknown, "of which it is not known"), folded(new, "too new to judge")].into_iter().flatten().collect();
    let section = Section::new("members who were not judged");
    (!blocks.is_empty()).then_some(Section { blocks, is_background: true, ..section })
}

/// Rooms in which nobody was found inactive, in one table.
fn quiet(report: &Report, rooms: &[&RoomReport]) -> Option<Section> {
    let rooms: Vec<&RoomReport> = rooms.iter().copied().filter(|room| room.inactive.is_empty()).collect();
    let mut table = Table::new(plural(rooms.len() as u64, "room"), &["Room", "Members"]);
    for room in rooms {
        let name = match page(&report.head, room) {
            Some(page) => Cell::Link(Link::new(title(room), page)),
            None => title(room).into(),
        };
        table.row([name, counts(room).into()]);
    }
    let section = Section { is_background: true, ..Section::new("rooms in which nobody was found inactive") };
    (!table.rows.is_empty()).then(|| section.with(Block::Table(table)))
}
