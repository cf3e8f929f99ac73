//! The body of the report. Pure.

use std::collections::BTreeSet;

use alerting::room_page;
use audit_model::{
    Attributed, Finding, FindingRoom, FindingState, GUEST_ACCOUNT, Person, PersonStatus, PortalRole, PortalText,
    RoomId, RoomRole, Severity, Verdict,
};
use chrono::TimeDelta;
use report::words::{self, Clock, plural};
use report::{Block, Cell, Details, Document, Figure, Line, Link, PersonLine, Section, Table, line};
use safe_actions::ActionState;
use url::Url;

use crate::body::Report;
use crate::create_room::RoomAction;
use crate::logins::{MarkedLogin, Novelty};
use crate::rule::share;

/// Logins shown per person, the latest ones; JSON has all.
const LOGINS_SHOWN: usize = 5;

/// Rooms linked where it may have been several: anybody who may make rooms can make hundreds of one title.
const ROOMS_LINKED: usize = 5;

/// Addresses named that somebody has not signed in from before.
const ADDRESSES_SHOWN: usize = 3;

/// So many days an exclusion lasts that the report offers.
const EXCLUDED_FOR: TimeDelta = TimeDelta::days(14);

/// Who, how much, how long and where, of the most severe finding; the others are counted. Nothing where nothing is told.
pub(crate) fn headline(report: &Report, told: u64) -> Option<Line> {
    let news = || report.told().map(|found| &found.finding).filter(|finding| finding.state != FindingState::Ended);
    // a whole report tells what people know, too
    let is_whole = told == report.counted().count() as u64;
    let worst = if is_whole { report.counted().next() } else { news().next() }?;
    let (all, others) = match told.saturating_sub(1) {
        0 => Default::default(),
        more => (format!("{}: ", plural(told, "finding")), format!(", and {} more", words::number(more))),
    };
    let (before, after) = match report.coverage().verdict() {
        Verdict::Complete => ("", ""),
        _ => ("incomplete: ", "; some records could not be read"),
    };
    let severity = words::severity(worst.severity);
    Some(line![before, all, severity, " ", short(worst), others, after])
}

/// `Mallory Quick, 41 downloads in 40 min, room 71 "Acme – due diligence"`
fn short(finding: &Finding) -> Line {
    let how_much = kinds(finding).and_then(|kinds| kinds.split_once(" on ")).map(|(kinds, _)| kinds.to_owned());
    let how_much = how_much.unwrap_or_else(|| plural(finding.counts.acts, "action"));
    let long = words::duration(finding.window.length());
    let place = finding.room.as_ref().map(|room| match &room.id {
        Some(id) => line![format!(", room {id} \""), Line::name(&room.title), "\""],
        None => line![", a room called \"", Line::name(&room.title), "\""],
    });
    line![Line::name(&finding.person.name), format!(", {how_much} in {long}"), place.unwrap_or_default()]
}

/// The reason that tells the actions by kind.
fn kinds(finding: &Finding) -> Option<&String> {
    let documents = format!(" on {}", plural(finding.counts.documents, "document"));
    finding.reasons.iter().skip(1).find(|text| text.ends_with(&documents))
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
        let people = report.findings.iter().map(|found| person(report, &found.finding, clock));
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

fn person(report: &Report, finding: &Finding, clock: Clock) -> PersonLine {
    let mut person = report.head.person(finding);
    // the actions by kind say how much it was, and more than their sum
    let kinds = kinds(finding);
    person.how_much = kinds.map_or(person.how_much, |kinds| kinds.as_str().into());
    let others = finding.reasons.iter().skip(1).filter(|reason| Some(*reason) != kinds);
    person.facts = others.map(|reason| reason.as_str().into()).collect();
    let circumstances = report.body.circumstances_of(finding);
    person.facts.extend(circumstances.and_then(|known| of_room(finding, known.documents_in_room?)));
    person.facts.extend(circumstances.and_then(|known| known.when(clock)).map(Line::from));
    person.facts.extend(from_where(report, finding, clock));
    person.facts.push(standing(&finding.person, clock));
    person.what_to_do = what_to_do(&finding.person, finding.room.as_ref(), person.who.page.as_deref());
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
    add_logins(&mut person, report, finding, clock);
    person.details.extend(exclusion(report, finding));
    person
}

/// `34 of 64 documents of the room (53 %)`
fn of_room(finding: &Finding, all: u64) -> Option<Line> {
    let touched = finding.counts.documents;
    // some of them are gone
    if touched > all {
        return None;
    }
    Some(format!("{touched} of {} of the room ({} %)", plural(all, "document"), share(touched, all)).into())
}

/// Where the person signed in from for the first time, and what was tried before. What the portal notes of an address is a claim.
fn from_where(report: &Report, finding: &Finding, clock: Clock) -> Option<Line> {
    let logins = report.body.logins().details.get(&finding.person.id)?;
    let new: Vec<&MarkedLogin> = logins.iter().filter(|login| login.new.contains(&Novelty::Address)).collect();
    let first = new.first()?;
    let mut addresses: Vec<&PortalText> = new.iter().filter_map(|login| login.event.ip.as_ref()).collect();
    addresses.dedup();
    let others = addresses.len().saturating_sub(ADDRESSES_SHOWN);
    let line = addresses.iter().take(ADDRESSES_SHOWN).enumerate().fold(Line::from("from "), |line, (at, address)| {
        line.and(if at == 0 { "" } else { ", " }).and(Line::name(address))
    });
    let others = if others > 0 { format!(" and {others} more") } else { String::new() };
    let before_success = logins
        .iter()
        .take_while(|login| login.event.action.is_failed_login() || !login.new.contains(&Novelty::Address));
    let failed = before_success.filter(|login| login.event.action.is_failed_login()).count() as u64;
    let failed = if failed > 0 { format!(", after {}", plural(failed, "failed login")) } else { String::new() };
    Some(line.and(format!("{others}, new since {}{failed}", clock.minute(first.event.at))))
}

/// What to put into the settings when it was expected; nothing where it is open whom or which room that would cover.
fn exclusion(report: &Report, finding: &Finding) -> Option<Details> {
    let room = finding.room.as_ref()?.id.as_ref()?;
    if finding.person.id == GUEST_ACCOUNT {
        return None;
    }
    // an address is easier to read, an id needs no quoting
    let is_plain = |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || "@._+-".contains(c));
    let id = finding.person.id.to_string();
    let person = finding.person.email.as_ref().map(PortalText::raw).filter(is_plain).unwrap_or(&id);
    let RoomId::Number(room) = room else { return None };
    let until = (report.head.window.until + EXCLUDED_FOR).date_naive();
    let lines = [
        "[[exclude]]".to_owned(),
        format!("people = [\"{person}\"]"),
        format!("rooms = [\"{room}\"]"),
        // without one the settings are refused
        "reason = \"\"".to_owned(),
        format!("until = \"{until}\""),
    ];
    let summary = "Was it expected? Then put this into the settings, and write who agreed to it and why".into();
    Some(Details { summary, blocks: vec![Block::Quote(lines.into_iter().map(Line::from).collect())] })
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

/// What can be done about somebody, depending on who it is and where. Whoever is asked first is warned.
fn what_to_do(person: &Person, room: Option<&FindingRoom>, account: Option<&str>) -> Vec<Line> {
    let name = Line::name(&person.name);
    let role = person.room_role.as_ref();
    let is_open = room.is_some_and(|room| room.id.is_none());
    let is_named = room.is_some_and(|room| !room.candidates.is_empty());
    let owners = match role {
        Some(RoomRole::RoomGone) => "whoever owned the room",
        _ if is_named => "the owners of these rooms",
        _ if is_open => "whoever owns or owned a room of this title",
        _ => "the room's owner",
    };
    let ask = match role {
        _ if person.id == GUEST_ACCOUNT => line!["ask ", owners, " whether this was agreed"],
        Some(RoomRole::Owner) => {
            let whom = match person.role {
                Some(PortalRole::Owner | PortalRole::DocspaceAdmin) => "another admin of the portal",
                _ => "an admin of the portal, or another manager of the room",
            };
            line!["ask ", whom, ", and not ", name, ", who owns the room, whether this was agreed"]
        }
        _ => line!["ask ", owners, ", and not ", name, ", whether this was agreed"],
    };
    let account = account.filter(|_| person.id != GUEST_ACCOUNT).map(|page| format!(": {page}")).unwrap_or_default();
    let mut steps = vec![line!["if it still goes on, ", stop(person), account], ask, "keep this report".into()];
    match role {
        Some(RoomRole::RoomGone) => {}
        _ if is_named => steps.push("look at the rooms".into()),
        _ if is_open => {}
        _ => steps.push("look at the room".into()),
    }
    steps
}

fn stop(person: &Person) -> String {
    if person.id == GUEST_ACCOUNT {
        return "take back the links that let people in without an account".to_owned();
    }
    let is_disabled = person.status == Some(PersonStatus::Disabled);
    let account = match person.role {
        Some(PortalRole::Owner) => "reset the password and end the sessions of the portal's owner",
        _ if is_disabled => "leave the account disabled",
        _ => "disable the account",
    };
    let leave = match person.room_role {
        Some(RoomRole::NoMember | RoomRole::Owner | RoomRole::RoomGone) => "",
        _ if is_disabled => "take the person out of the room and ",
        _ => "take the person out of the room or ",
    };
    format!("{leave}{account}")
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

/// When and from where somebody signed in; that nobody did is a fact.
fn add_logins(person: &mut PersonLine, report: &Report, finding: &Finding, clock: Clock) {
    // whoever is not signed in has no logins to look for
    if finding.person.id == GUEST_ACCOUNT {
        return;
    }
    let logins = report.body.logins().details.get(&finding.person.id).map(Vec::as_slice).unwrap_or_default();
    let is_whole = !report.coverage().lacks(audit_model::Source::Logins);
    if logins.is_empty() {
        let none = if is_whole {
            "no login in the window; the use of an API key leaves none"
        } else {
            "no login seen, but the login history could not be read in full"
        };
        person.facts.push(none.into());
        return;
    }
    let which = if logins.len() > LOGINS_SHOWN { "Latest logins" } else { "Logins" };
    let read = if is_whole { "" } else { " as far as they could be read" };
    let summary = format!("{which} in the window{read}, {}", compared(report, finding, clock));
    let blocks = vec![Block::Table(login_table(logins, report.body.logins().compared_since.is_some()))];
    person.details.push(Details { summary: summary.into(), blocks });
}

fn login_table(logins: &[MarkedLogin], is_compared: bool) -> Table {
    let shown = &logins[logins.len().saturating_sub(LOGINS_SHOWN)..];
    // many portals never know a place
    let has_place = shown.iter().any(|login| place_of(login).is_some());
    let columns =
        [("When", true), ("What", true), ("From", true), ("Place", has_place), ("Browser", true), ("New", is_compared)];
    let columns: Vec<&str> = columns.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect();
    let mut table = Table::new("", &columns);
    for login in shown {
        let event = &login.event;
        let what = said(&event.text).unwrap_or_else(|| event.action.to_string().into());
        let mut cells: Vec<Cell> = vec![event.at.into(), what.into(), said(&event.ip).into()];
        cells.extend(has_place.then(|| place_of(login).into()));
        cells.push(said(&event.browser).into());
        let new: Vec<&str> = login.new.iter().map(novelty).collect();
        cells.extend(is_compared.then(|| new.join(", ").into()));
        table.row(cells);
    }
    table.of(logins.len() as u64, "the JSON report")
}

/// The portal writes an empty text for what it does not know.
fn said(text: &Option<PortalText>) -> Option<Line> {
    text.as_ref().filter(|text| !text.raw().is_empty()).map(Line::from)
}

fn place_of(login: &MarkedLogin) -> Option<Line> {
    match (said(&login.event.country), said(&login.event.city)) {
        (Some(country), Some(city)) => Some(country.and(", ").and(city)),
        (country, city) => country.or(city),
    }
}

fn novelty(novelty: &Novelty) -> &'static str {
    match novelty {
        Novelty::Address => "address",
        Novelty::Country => "country",
    }
}

/// What the marks of new addresses and countries mean.
fn compared(report: &Report, finding: &Finding, clock: Clock) -> String {
    let logins = report.body.logins();
    let earlier = logins.earlier.get(&finding.person.id).copied().unwrap_or_default();
    match logins.compared_since.map(|since| clock.day(since)) {
        None if logins.earlier_unseen.is_some() => {
            "what is new in them is not known, because earlier ones could not be read".to_owned()
        }
        None => "with too little history to say what is new".to_owned(),
        Some(since) if earlier == 0 => format!("the first since {since}"),
        Some(since) => format!("compared with {} since {since}", plural(earlier, "earlier login")),
    }
}

#[cfg(test)]
mod tests;
