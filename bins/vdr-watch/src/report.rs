//! What the report says besides what all reports say, in words. Pure.

mod advice;
mod body;
mod logins;
mod said;

use std::collections::BTreeSet;

use alerting::room_page;
use audit_model::{
    Attributed, Finding, FindingRoom, GUEST_ACCOUNT, Person, PortalRole, PortalText, RoomId, RoomRole, Sentence,
    Severity, Verdict,
};
use chrono::TimeDelta;
use report::words::{self, Clock, plural};
use report::{Block, Document, Figure, Line, Link, PersonLine, Section, line};
use safe_actions::ActionState;
use url::Url;

pub(crate) use self::body::{Body, Report, judge};
pub(crate) use self::said::said;
use crate::create_room::RoomAction;
use crate::rule::{Detail, Found, InFolder};

/// Rooms linked where it may have been several: anybody who may make rooms can make hundreds of one title.
const ROOMS_LINKED: usize = 5;

/// Who, how much, how long and where, of the most severe finding; the others are counted. Nothing where nothing is told.
pub(crate) fn headline(report: &Report, told: u64) -> Option<Line> {
    job_runner::worst(report, told, short)
}

/// `Mallory Quick, 41 downloads in 40 min, room 71 "Acme – due diligence"`
fn short(Found { finding, detail }: &Found) -> Line {
    let is_told = !detail.kinds.classes.is_empty();
    let how_much = if is_told { detail.kinds.by_class() } else { plural(finding.counts.acts, "action") };
    let long = how_long(finding);
    let place = finding.room.as_ref().map(|room| match &room.id {
        Some(id) => line![format!(", room {id} \""), Line::name(&room.title), "\""],
        None => line![", a room called \"", Line::name(&room.title), "\""],
    });
    line![Line::name(&finding.person.name), format!(", {how_much}{long}"), place.unwrap_or_default()]
}

/// ` in 40 min`
fn how_long(finding: &Finding) -> Sentence {
    match finding.window.length() {
        length if length < TimeDelta::seconds(1) => (" at once", " auf einmal").into(),
        length => Sentence::new(
            format!(" in {}", words::duration(length)),
            format!(" in {}", words::german::duration(length)),
        ),
    }
}

/// What was made, whose activity was unusually high, and what to do.
pub(crate) fn body(report: &Report, document: &mut Document) {
    if report.coverage().verdict() != Verdict::Nothing {
        document.figures = figures(report);
    }
    let portal = &report.head.portal.url;
    document.sections.extend(report.body.actions.iter().map(|action| requested_room(action, portal)));
    if !report.findings.is_empty() {
        let clock = document.clock();
        let people = report.findings.iter().map(|found| person(report, found, clock));
        let section = Section::new("people with unusually high activity").with_people(people);
        document.sections.push(section);
        document.sections.extend(all_read(report, clock));
    }
}

/// That nothing is missing, in words for somebody who has to decide by it.
fn all_read(report: &Report, clock: Clock) -> Option<Section> {
    let coverage = report.coverage();
    let audit = coverage.audit.as_ref().filter(|_| coverage.verdict() == Verdict::Complete)?;
    let late = match audit.late_rows {
        0 => "none came late".to_owned(),
        late => format!("{} came late", words::number(late)),
    };
    let (span, events) = (clock.span(report.head.window), plural(audit.rows, "event"));
    let said = format!("Everything that the portal recorded from {span} was read ({events}; {late})");
    Some(Section::new("how sure this is").with(Block::Paragraph(said.into())))
}

fn figures(report: &Report) -> Vec<Figure> {
    let mut figures = vec![Figure::new("rooms watched", report.body.watched() as u64)];
    let people: BTreeSet<_> = report.counted().map(|finding| finding.person.id).collect();
    if !people.is_empty() {
        let actions = report.counted().map(|finding| finding.counts.acts).sum();
        let critical = report.counted().filter(|finding| finding.severity == Severity::Critical).count();
        figures.extend([
            Figure::new("people", people.len() as u64),
            Figure::new("actions", actions).with_note("in all findings together"),
            Figure::new("critical findings", critical as u64),
        ]);
    }
    figures
}

/// The room that the settings ask for, and what became of it.
fn requested_room(action: &RoomAction, portal: &Url) -> Section {
    let room = line!["virtual data room \"", Line::name(&action.room.title), "\""];
    let because = line![": ", action.reason.as_str()];
    let said = match action.state {
        ActionState::Planned => Block::Paragraph(line!["Would make the ", room, because]),
        ActionState::Done => Block::Paragraph(line!["Made the ", room]),
        ActionState::Already => Block::Paragraph(line!["The ", room, " is used", because]),
        // it may be there all the same
        _ => Block::Warning(line!["Could not create or find the ", room, because]),
    };
    let mut section = Section::new("requested virtual data room").with(said);
    section.page = action.room.id.as_ref().and_then(|id| page(id, portal));
    section.is_news = action.state != ActionState::Already;
    section
}

fn person(report: &Report, found: &Found, clock: Clock) -> PersonLine {
    let Found { finding, detail } = found;
    let mut person = report.head.person(finding);
    // the actions by kind say how much it was, and more than their sum
    let kinds = detail.kinds.to_string();
    let others = finding.reasons.iter().skip(1).filter(|reason| **reason != kinds);
    person.facts = others.map(|reason| reason.english().into()).collect();
    if !detail.kinds.classes.is_empty() {
        person.how_much = kinds.into();
    }
    person.facts.extend(of_room(finding, detail));
    person.facts.extend(detail.when(clock).map(|when| when.english().into()));
    person.facts.extend(logins::from_where(report, finding, clock));
    person.facts.push(standing(&finding.person, clock));
    person.what_to_do = advice::what_to_do(found, "report");
    let is_gone = finding.person.room_role == Some(RoomRole::RoomGone);
    if let Some(place) = person.place.as_mut().filter(|_| is_gone) {
        place.page = None;
    }
    match &finding.room {
        Some(FindingRoom { id: Some(_), attributed, .. }) => {
            person.facts.push(line!["the room is known ", how(*attributed)]);
        }
        Some(FindingRoom { candidates, .. }) => {
            let link = |id| Some(Link::new(format!("room {id}"), page(id, &report.head.portal.url)?));
            person.links = candidates.iter().take(ROOMS_LINKED).filter_map(link).collect();
        }
        None => {}
    }
    logins::add(&mut person, report, finding, clock);
    person.details.extend(advice::exclusion(report, finding));
    person
}

/// `34 of 64 documents of the room (53 %), now in folder "Signed": 30, folder "Drafts": 4`
fn of_room(finding: &Finding, detail: &Detail) -> Option<Line> {
    let share = detail.share_of_room?;
    let (all, percent) = (plural(share.documents, "document"), share.percent);
    let said: Line = format!("{} of {all} of the room ({percent} %)", finding.counts.documents).into();
    let folders = detail.folders.iter().enumerate().map(|(at, InFolder { id, title, documents })| {
        let name = title.as_ref().map_or_else(|| format!("{id}").into(), |title| line!["\"", Line::name(title), "\""]);
        line![if at == 0 { "; in folder " } else { ", in folder " }, name, format!(": {documents}")]
    });
    Some(folders.fold(said, Line::and))
}

fn page(room: &RoomId, portal: &Url) -> Option<String> {
    let room = FindingRoom {
        id: Some(room.clone()),
        candidates: Vec::new(),
        title: PortalText::default(),
        attributed: Attributed::Target,
    };
    room_page(Some(&room), portal).map(String::from)
}

/// What the person is in the portal and in the room, as far as it is known.
fn standing(person: &Person, clock: Clock) -> Line {
    if person.id == GUEST_ACCOUNT {
        return "somebody who was not signed in; the portal puts all of them under this name".into();
    }
    let role = person.role.map_or("role in the portal not known", PortalRole::words);
    let since = person.registered.map(|at| format!(", account since {}", clock.day(at))).unwrap_or_default();
    let room = person.room_role.as_ref().map(|role| line!["; ", in_room(role, person.role)]).unwrap_or_default();
    line![role, since, room]
}

fn in_room(role: &RoomRole, in_portal: Option<PortalRole>) -> Line {
    match role {
        RoomRole::Owner => "owner of the room".into(),
        RoomRole::Member { access, groups } if groups.is_empty() => format!("in the room as {access}").into(),
        RoomRole::Member { access, groups } => {
            let group = if groups.len() == 1 { "group" } else { "groups" };
            let line = line!["in the room as ", access.as_str(), " through the ", group, " "];
            groups.iter().enumerate().fold(line, |line, (at, name)| {
                line.and(if at == 0 { "\"" } else { ", \"" }).and(Line::name(name)).and("\"")
            })
        }
        RoomRole::NoMember if in_portal.is_some_and(PortalRole::reads_every_room) => {
            "no member of the room, but may read every room".into()
        }
        RoomRole::NoMember => "no member of the room (any more)".into(),
        RoomRole::RoomGone => "the room is not there any more".into(),
        RoomRole::Unknown { why } => format!("whether a member of the room is not known: {}", why.explanation()).into(),
    }
}

fn how(attributed: Attributed) -> &'static str {
    match attributed {
        Attributed::Target => "surely: every event names it",
        Attributed::Log => "surely: its activity log lists the events",
        Attributed::Title => "by its title: the portal names the room of most events by title only",
        Attributed::Tree => "by where the documents are now; they may have been elsewhere then",
    }
}

#[cfg(test)]
mod tests;
