//! The report in text and JSON, and the alerts. Pure.

use std::io;

use alerting::{Alert, AlertContext, person_page};
use audit_model::{
    Attributed, BlindSpot, Coverage, Evidence, Finding, FindingRoom, FindingState, GUEST_ACCOUNT, Person, PersonStatus,
    PortalRole, PortalText, RoomId, RoomRole, Severity, Verdict, Window,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use job_runner::args::ReportFormat;
use url::Url;

use crate::create_room::{ActionState, RoomAction};
use crate::logins::{MarkedLogin, Novelty};
use crate::outcome::Outcome;
use crate::rule::plural;

/// Logins shown per person in text; JSON has all.
const LOGINS_SHOWN: usize = 5;

/// Writes the report. Text says nothing at all when there is nothing to say.
pub(crate) fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
    match format {
        ReportFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, outcome)?;
            writeln!(out)
        }
        ReportFormat::Text => text(outcome, out),
    }
}

/// One alert for each finding that is new or has grown.
pub(crate) fn alerts(outcome: &Outcome) -> Vec<Alert> {
    let head = &outcome.head;
    let Ok(portal_url) = Url::parse(&head.portal.url) else { return Vec::new() };
    let context = AlertContext {
        program: head.program.name,
        version: head.program.version,
        portal_url: &portal_url,
        coverage: &head.coverage,
    };
    told(outcome).map(|finding| Alert::from_finding(finding, &context)).collect()
}

fn told(outcome: &Outcome) -> impl Iterator<Item = &Finding> {
    outcome.findings.iter().filter(|finding| matches!(finding.state, FindingState::New | FindingState::Grown))
}

fn text(outcome: &Outcome, out: &mut impl io::Write) -> io::Result<()> {
    let head = &outcome.head;
    let findings: Vec<&Finding> = told(outcome).collect();
    let verdict = head.coverage.verdict();
    let made: Vec<&RoomAction> = outcome.actions.iter().filter(|action| action.state != ActionState::Already).collect();
    if findings.is_empty() && made.is_empty() && verdict == Verdict::Complete {
        return Ok(());
    }
    let clock = Clock(head.portal.time_zone.unwrap_or(Tz::UTC));
    let headline = match (verdict, findings.len() as u64) {
        (Verdict::Nothing, _) => "nothing can be concluded: the audit trail could not be read".to_owned(),
        (Verdict::Incomplete, 0) if outcome.findings.is_empty() => {
            "incomplete: nothing unusual in what could be read, and not all of it could".to_owned()
        }
        (Verdict::Incomplete, 0) => "incomplete: nothing new in what could be read, and not all of it could".to_owned(),
        (Verdict::Incomplete, count) => format!("{}, and not everything could be read", plural(count, "finding")),
        (Verdict::Complete, 0) => "nothing unusual".to_owned(),
        (Verdict::Complete, count) => plural(count, "finding"),
    };
    writeln!(out, "vdr-watch: {headline}")?;
    writeln!(out, "Portal {}, {}, times in {}", head.portal.url, clock.span(head.window), clock.0)?;
    for note in &head.notes {
        writeln!(out, "Note: {note}")?;
    }
    for action in made {
        writeln!(out, "{}", action_text(&head.portal.url, action))?;
    }
    for finding in findings {
        writeln!(out)?;
        finding_text(outcome, finding, &clock, out)?;
    }
    writeln!(out)?;
    coverage_text(&head.coverage, &clock, out)
}

fn action_text(portal: &str, action: &RoomAction) -> String {
    let title = action.room.title.for_terminal();
    let page = action.room.id.as_ref().map(|id| format!(", {}", room_page(portal, id))).unwrap_or_default();
    match action.state {
        ActionState::Planned => format!("Would make the virtual data room \"{title}\": {}", action.reason),
        ActionState::Done => format!("Made the virtual data room \"{title}\"{page}"),
        ActionState::Failed => format!("The virtual data room \"{title}\" is not there: {}", action.reason),
        ActionState::Already => format!("The virtual data room \"{title}\" is there{page}: {}", action.reason),
    }
}

fn finding_text(outcome: &Outcome, finding: &Finding, clock: &Clock, out: &mut impl io::Write) -> io::Result<()> {
    let person = &finding.person;
    let email = person.email.as_ref().map(|email| format!(" <{}>", email.for_terminal())).unwrap_or_default();
    let status = match person.status {
        Some(PersonStatus::Disabled) => ", disabled by now",
        Some(PersonStatus::Pending) => ", invited and not yet active",
        Some(PersonStatus::Active) | None => "",
    };
    let room = finding.room.as_ref();
    let title = room.map(|room| room.title.for_terminal()).unwrap_or_default();
    writeln!(
        out,
        "{}  {}{email}{status} in \"{title}\"{}",
        label(finding.severity),
        person.name.for_terminal(),
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
    logins_text(outcome, finding, clock, out)?;
    writeln!(
        out,
        "  What to do: ask {} or the room's owner whether this was agreed. If not,",
        person.name.for_terminal()
    )?;
    let leave = if person.room_role == Some(RoomRole::NoMember) { "" } else { "take the person out of the room or " };
    writeln!(out, "  {leave}disable the account, then look at the room:")?;
    for link in room.into_iter().flat_map(|room| links(&outcome.head.portal.url, room)) {
        writeln!(out, "    {link}")?;
    }
    let portal = Url::parse(&outcome.head.portal.url).ok();
    match portal.and_then(|portal| person_page(person, &portal)) {
        Some(page) => writeln!(out, "  The account:\n    {page}"),
        None => Ok(()),
    }
}

/// What the person is in the portal and in the room, as far as it is known.
fn who(person: &Person, clock: &Clock) -> String {
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
            let names: Vec<String> = groups.iter().map(|name| format!("\"{}\"", name.for_terminal())).collect();
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

fn logins_text(outcome: &Outcome, finding: &Finding, clock: &Clock, out: &mut impl io::Write) -> io::Result<()> {
    let logins = outcome.logins().details.get(&finding.person.id).map(Vec::as_slice).unwrap_or_default();
    let whole = !outcome.head.coverage.gaps.iter().any(|gap| gap.what == "logins");
    let headline = match (logins.is_empty(), whole) {
        (true, true) => "No login in the window; the use of an API key leaves none".to_owned(),
        (true, false) => "No login seen, but the login history could not be read in full".to_owned(),
        (false, true) => format!("Logins in the window, {}:", compared(outcome, finding, clock)),
        (false, false) => {
            format!("Logins in the window as far as they could be read, {}:", compared(outcome, finding, clock))
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
fn compared(outcome: &Outcome, finding: &Finding, clock: &Clock) -> String {
    let logins = outcome.logins();
    let earlier = logins.earlier.get(&finding.person.id).copied().unwrap_or_default();
    match logins.compared_since.map(|since| clock.day(since)) {
        None => "with too little history to say what is new".to_owned(),
        Some(since) if earlier == 0 => format!("the first since {since}"),
        Some(since) => format!("compared with {} since {since}", plural(earlier, "earlier login")),
    }
}

fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFO",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

fn which(room: Option<&FindingRoom>) -> String {
    match room {
        Some(FindingRoom { id: Some(id), .. }) => format!(" (room {id})"),
        Some(FindingRoom { candidates, .. }) if candidates.is_empty() => " (a room that is not known)".to_owned(),
        Some(FindingRoom { candidates, .. }) => {
            let ids: Vec<String> = candidates.iter().map(ToString::to_string).collect();
            format!(" (one of the rooms {})", ids.join(", "))
        }
        None => String::new(),
    }
}

/// The room's page, or that of each room it may be.
fn links(portal: &str, room: &FindingRoom) -> Vec<String> {
    room.id.iter().chain(&room.candidates).map(|id| room_page(portal, id)).collect()
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

fn evidence_line(evidence: &Evidence, clock: &Clock) -> String {
    let bare = || {
        let target = evidence.target.as_ref().map(|id| format!(" {}", PortalText::new(id.as_str()).for_terminal()));
        format!("{}{}", evidence.action, target.unwrap_or_default())
    };
    let title = evidence.title.as_ref().map(PortalText::for_terminal).unwrap_or_else(bare);
    let ip = evidence.ip.as_ref().map(|ip| format!("  from {}", ip.for_terminal())).unwrap_or_default();
    format!("{}  {title}{ip}", clock.at(evidence.at))
}

fn login_line(MarkedLogin { event: login, new }: &MarkedLogin, clock: &Clock) -> String {
    let shown = |text: &Option<PortalText>| text.as_ref().map(PortalText::for_terminal);
    let mark = |novelty| if new.contains(&novelty) { " (new)" } else { "" };
    let what = shown(&login.text).unwrap_or_else(|| login.action.to_string());
    let from = shown(&login.ip).map(|ip| format!("from {ip}{}", mark(Novelty::Address)));
    let country = shown(&login.country).map(|country| format!("{country}{}", mark(Novelty::Country)));
    let parts = [Some(clock.at(login.at)), Some(what), from, country, shown(&login.city), shown(&login.browser)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn coverage_text(coverage: &Coverage, clock: &Clock, out: &mut impl io::Write) -> io::Result<()> {
    if let Some(audit) = &coverage.audit {
        let late = if audit.late_rows > 0 { format!(", {} of them late", audit.late_rows) } else { String::new() };
        writeln!(out, "Read: {}{late}", plural(audit.rows, "event"))?;
    }
    if coverage.unattributed > 0 {
        writeln!(out, "Not tied to any known room: {}", plural(coverage.unattributed, "act"))?;
    }
    for gap in &coverage.gaps {
        writeln!(out, "Not seen: {}, {}: {}", source(&gap.what), clock.span(gap.span), gap.why.explanation())?;
    }
    let never: Vec<&str> = coverage.blind_spots.iter().copied().map(blind_spot).collect();
    if !never.is_empty() {
        writeln!(out, "Never recorded by the portal: {}", never.join("; "))?;
    }
    Ok(())
}

fn source(what: &str) -> &str {
    match what {
        "audit" => "audit trail",
        "logins" => "login history",
        "rooms" => "list of rooms",
        "room_log" => "activity log of a room",
        "people" => "accounts of the people found",
        "members" => "members of a room",
        other => other,
    }
}

pub(crate) fn blind_spot(spot: BlindSpot) -> &'static str {
    match spot {
        BlindSpot::StreamDownloads => "downloads through action=stream",
        BlindSpot::ViewOnlySessions => "documents opened only to read",
        BlindSpot::KeyLogins => "use of API keys",
        BlindSpot::FilesInFolderOperations => "the files inside folders that were downloaded, moved or deleted",
        BlindSpot::Ipv6 => "IPv6 addresses in full",
        BlindSpot::BlockedLogins => "logins that the address list refused",
    }
}

/// Instants as the portal's own pages show them.
struct Clock(Tz);

impl Clock {
    fn at(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn day(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d").to_string()
    }

    fn span(&self, window: Window) -> String {
        format!("{} to {}", self.at(window.since), self.at(window.until))
    }
}

#[cfg(test)]
mod tests;
