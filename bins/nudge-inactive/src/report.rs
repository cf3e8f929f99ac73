//! The body of the report: rooms and who is inactive there, what became of the reminders, and who could not be judged. Pure.

mod others;
mod person;
mod reminders;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::{Clock, plural};
use ::report::{Block, Details, Document, Figure, Line, Section, Who, line};
use alerting::room_page;
use audit_model::{Finding, Person, PortalText, RoomId, Verdict};
use job_runner::Head;
use safe_actions::ActionState;

use crate::body::{Delivered, Inactive, Report, RoomReport, SomeRooms};
use crate::rule::{Risk, Unsure};

pub(crate) use person::{right, watched_before};

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
            Some(person::line(report, inactive, finding, clock))
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
    document.sections.extend(others::unread(report));
    document.sections.extend(others::not_judged(rooms, clock));
    document.sections.extend(others::quiet(report, rooms));
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
        let since =
            one.waiting_since.map(|since| format!(", who has been waiting for a report since {}", clock.day(since)));
        let why = one.reason.as_deref().unwrap_or("it is not known why");
        Line::from(format!("{}{}: {why}; the next run sends a new report", one.to, since.unwrap_or_default()))
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
    let (newly_inactive, since) = match changes.newly_since_report {
        Some(newly_inactive) => (newly_inactive, "since the last report that arrived"),
        None => (changes.newly_inactive, "since the run before"),
    };
    vec![
        Figure::new("newly inactive", newly_inactive).with_note(since),
        Figure::new("came back", changes.came_back).with_note("after a reminder, since the run before"),
    ]
}

/// Nothing where nothing can be concluded.
fn figures(report: &Report, rooms: &[&RoomReport]) -> Vec<Figure> {
    let body = SomeRooms(rooms);
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
        figures.push(Figure::new("memberships not judged", body.unknown()).with_note("too few records to judge"));
    }
    figures
}

/// `"Falcon" (room 71)`
pub(crate) fn title(id: &RoomId, title: &PortalText) -> Line {
    line!["\"", Line::name(title), format!("\" (room {id})")]
}

fn page(head: &Head, room: &RoomReport) -> Option<String> {
    room_page(Some(&room.place()), &head.portal.url).map(String::from)
}

fn room_section(head: &Head, room: &RoomReport) -> Section {
    Section { page: page(head, room), ..Section::new(title(&room.id, &room.title)) }
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

/// `Anna Schmidt <anna@example.com>`
pub(crate) fn who(person: &Person) -> Line {
    Who::from(person).line()
}
