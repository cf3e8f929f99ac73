//! The report in text. Pure.

use std::io;

use ::report::coverage;
use ::report::words::{self, Clock, plural};
use alerting::person_page;
use audit_model::{
    Attributed, Evidence, Finding, FindingRoom, FindingState, GUEST_ACCOUNT, Person, PersonStatus, PortalRole,
    PortalText, RoomId, RoomRole, Verdict,
};
use chrono_tz::Tz;

use crate::body::Report;
use crate::create_room::{ActionState, RoomAction};
use crate::logins::{MarkedLogin, Novelty};

/// Logins shown per person in text; JSON has all.
const LOGINS_SHOWN: usize = 5;

/// Longest text of the portal's that is shown, in characters: a sentence of the portal's with a title of the greatest length that it
/// lets people type. JSON has the whole.
const LONGEST_SHOWN: usize = 200;

/// Rooms shown where it may have been several: anybody who may make rooms can make hundreds of one title.
const ROOMS_SHOWN: usize = 5;

/// Writes the report; nothing at all when there is nothing to say.
pub(crate) fn text(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let head = &report.head;
    let findings: Vec<&Finding> = report.told().map(|found| &found.finding).collect();
    let verdict = head.coverage.verdict();
    let made: Vec<&RoomAction> = report.body.made().collect();
    if findings.is_empty() && made.is_empty() && verdict == Verdict::Complete {
        return Ok(());
    }
    let clock = Clock(head.portal.time_zone.unwrap_or(Tz::UTC));
    let headline = words::headline(&head.coverage, findings.len() as u64, report.findings.len() as u64);
    writeln!(out, "vdr-watch: {headline}")?;
    writeln!(out, "Portal {}, {}, times in {}", head.portal.shown(), clock.span(head.window), clock.0)?;
    for note in &head.notes {
        writeln!(out, "Note: {note}")?;
    }
    for action in made {
        writeln!(out, "{}", action_text(head.portal.shown(), action))?;
    }
    for finding in findings {
        writeln!(out)?;
        finding_text(report, finding, clock, out)?;
    }
    writeln!(out)?;
    coverage::lines(&head.coverage, clock).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn action_text(portal: &str, action: &RoomAction) -> String {
    let title = shown(&action.room.title);
    let page = action.room.id.as_ref().map(|id| format!(", {}", room_page(portal, id))).unwrap_or_default();
    match action.state {
        ActionState::Planned => format!("Would make the virtual data room \"{title}\": {}", action.reason),
        ActionState::Done => format!("Made the virtual data room \"{title}\"{page}"),
        ActionState::Failed => format!("The virtual data room \"{title}\" is not there: {}", action.reason),
        ActionState::Already => format!("The virtual data room \"{title}\" is there{page}: {}", action.reason),
    }
}

fn finding_text(report: &Report, finding: &Finding, clock: Clock, out: &mut impl io::Write) -> io::Result<()> {
    let person = &finding.person;
    let email = person.email.as_ref().map(|email| format!(" <{}>", shown(email))).unwrap_or_default();
    let status = match person.status {
        Some(PersonStatus::Disabled) => ", disabled by now",
        Some(PersonStatus::Pending) => ", invited and not yet active",
        Some(PersonStatus::Active) | None => "",
    };
    let room = finding.room.as_ref();
    let title = room.map(|room| shown(&room.title)).unwrap_or_default();
    writeln!(
        out,
        "{}{}  {}{email}{status} in \"{title}\"{}",
        words::severity(finding.severity),
        if finding.state == FindingState::Grown { ", has grown" } else { "" },
        shown(&person.name),
        which(room)
    )?;
    writeln!(out, "  {}", who(person, clock))?;
    for reason in &finding.reasons {
        writeln!(out, "  {reason}")?;
    }
    writeln!(out, "  first {}, last {}", clock.at(finding.window.since), clock.at(finding.window.until))?;
    if let Some(FindingRoom { id: Some(_), attributed, .. }) = room {
        writeln!(out, "  the room is known {}", how(*attributed))?;
    }
    writeln!(out, "  For instance, {} of {}:", finding.evidence.len(), finding.evidence_total)?;
    for evidence in &finding.evidence {
        writeln!(out, "    {}", evidence_line(evidence, clock))?;
    }
    logins_text(report, finding, clock, out)?;
    let links = room.map(|room| links(report.head.portal.shown(), room)).unwrap_or_default();
    let colon = if links.is_empty() { "" } else { ":" };
    writeln!(out, "  What to do: {}, then look at the room{colon}", advice(person))?;
    for link in links {
        writeln!(out, "    {link}")?;
    }
    match person_page(person, &report.head.portal.url) {
        Some(page) => writeln!(out, "  The account:\n    {page}"),
        None => Ok(()),
    }
}

/// Text of the portal's on one line, as long as a reader can bear.
fn shown(text: &PortalText) -> String {
    text.for_terminal_within(LONGEST_SHOWN)
}

/// What can be done about somebody, depending on who it is.
fn advice(person: &Person) -> String {
    let name = shown(&person.name);
    if person.id == GUEST_ACCOUNT {
        return "ask the room's owner whether this was agreed. If not,\n  take back the links that let people in without an account"
            .to_owned();
    }
    let whom = match person.room_role {
        Some(RoomRole::Owner) => name,
        _ => format!("{name} or the room's owner"),
    };
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
    format!("ask {whom} whether this was agreed. If not,\n  {leave}{account}")
}

/// What the person is in the portal and in the room, as far as it is known.
fn who(person: &Person, clock: Clock) -> String {
    if person.id == GUEST_ACCOUNT {
        return "somebody who was not signed in; the portal puts all of them under this name".to_owned();
    }
    let role = person.role.map_or("role in the portal not known", PortalRole::words);
    let since = person.registered.map(|at| format!(", account since {}", clock.day(at))).unwrap_or_default();
    let room = person.room_role.as_ref().map(|role| format!("; {}", in_room(role, person.role))).unwrap_or_default();
    format!("{role}{since}{room}")
}

fn in_room(role: &RoomRole, in_portal: Option<PortalRole>) -> String {
    match role {
        RoomRole::Owner => "owner of the room".to_owned(),
        RoomRole::Member { access, groups } if groups.is_empty() => format!("in the room as {access}"),
        RoomRole::Member { access, groups } => {
            let names: Vec<String> = groups.iter().map(|name| format!("\"{}\"", shown(name))).collect();
            let group = if names.len() == 1 { "group" } else { "groups" };
            format!("in the room as {access} through the {group} {}", names.join(", "))
        }
        RoomRole::NoMember if in_portal.is_some_and(PortalRole::reads_every_room) => {
            "no member of the room, but may read every room".to_owned()
        }
        RoomRole::NoMember => "no member of the room (any more)".to_owned(),
        RoomRole::RoomGone => "the room is not there any more".to_owned(),
        RoomRole::Unknown { why } => format!("whether a member of the room is not known: {}", why.explanation()),
    }
}

fn logins_text(report: &Report, finding: &Finding, clock: Clock, out: &mut impl io::Write) -> io::Result<()> {
    // whoever is not signed in has no logins to look for
    if finding.person.id == GUEST_ACCOUNT {
        return Ok(());
    }
    let logins = report.body.logins().details.get(&finding.person.id).map(Vec::as_slice).unwrap_or_default();
    let whole = !report.head.coverage.gaps.iter().any(|gap| gap.what == "logins");
    let headline = match (logins.is_empty(), whole) {
        (true, true) => "No login in the window; the use of an API key leaves none".to_owned(),
        (true, false) => "No login seen, but the login history could not be read in full".to_owned(),
        (false, true) => format!("Logins in the window, {}:", compared(report, finding, clock)),
        (false, false) => {
            format!("Logins in the window as far as they could be read, {}:", compared(report, finding, clock))
        }
    };
    writeln!(out, "  {headline}")?;
    let earlier = logins.len().saturating_sub(LOGINS_SHOWN);
    if earlier > 0 {
        writeln!(out, "    {} before these", plural(earlier as u64, "more login event"))?;
    }
    for login in &logins[earlier..] {
        writeln!(out, "    {}", login_line(login, clock))?;
    }
    Ok(())
}

/// What the marks of new addresses and countries mean.
fn compared(report: &Report, finding: &Finding, clock: Clock) -> String {
    let logins = report.body.logins();
    let earlier = logins.earlier.get(&finding.person.id).copied().unwrap_or_default();
    match logins.compared_since.map(|since| clock.day(since)) {
        None => "with too little history to say what is new".to_owned(),
        Some(since) if earlier == 0 => format!("the first since {since}"),
        Some(since) => format!("compared with {} since {since}", plural(earlier, "earlier login")),
    }
}

fn which(room: Option<&FindingRoom>) -> String {
    match room {
        Some(FindingRoom { id: Some(id), .. }) => format!(" (room {id})"),
        Some(FindingRoom { candidates, .. }) if candidates.is_empty() => " (a room that is not known)".to_owned(),
        Some(FindingRoom { candidates, .. }) => {
            let ids: Vec<String> = candidates.iter().take(ROOMS_SHOWN).map(ToString::to_string).collect();
            let more = candidates.len().saturating_sub(ROOMS_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!(" (one of the rooms {}{more})", ids.join(", "))
        }
        None => String::new(),
    }
}

/// The room's page, or those of the rooms it may be.
fn links(portal: &str, room: &FindingRoom) -> Vec<String> {
    room.id.iter().chain(&room.candidates).take(ROOMS_SHOWN).map(|id| room_page(portal, id)).collect()
}

fn room_page(portal: &str, id: &RoomId) -> String {
    format!("{portal}/rooms/shared/{id}/filter?folder={id}")
}

fn how(attributed: Attributed) -> &'static str {
    match attributed {
        Attributed::Target => "surely: every event names it",
        Attributed::Log => "surely: its activity log lists the events",
        Attributed::Title => "by its title: the portal names the room of most events by title only",
        Attributed::Tree => "by where the documents are now; they may have been elsewhere then",
    }
}

fn evidence_line(evidence: &Evidence, clock: Clock) -> String {
    let bare = || {
        let target = evidence.target.as_ref().map(|id| format!(" {}", shown(&PortalText::new(id.as_str()))));
        format!("{}{}", evidence.action, target.unwrap_or_default())
    };
    let title = evidence.title.as_ref().map(shown).unwrap_or_else(bare);
    let ip = evidence.ip.as_ref().map(|ip| format!("  from {}", shown(ip))).unwrap_or_default();
    format!("{}  {title}{ip}", clock.at(evidence.at))
}

fn login_line(MarkedLogin { event: login, new }: &MarkedLogin, clock: Clock) -> String {
    let said = |text: &Option<PortalText>| text.as_ref().map(shown);
    let mark = |novelty| if new.contains(&novelty) { " (new)" } else { "" };
    let what = said(&login.text).unwrap_or_else(|| login.action.to_string());
    let from = said(&login.ip).map(|ip| format!("from {ip}{}", mark(Novelty::Address)));
    let country = said(&login.country).map(|country| format!("{country}{}", mark(Novelty::Country)));
    let parts = [Some(clock.at(login.at)), Some(what), from, country, said(&login.city), said(&login.browser)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests;
