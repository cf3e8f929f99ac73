//! Plain text: the whole report, and what is new.

use std::collections::BTreeSet;
use std::io;

use ::report::coverage;
use ::report::words::{Clock, plural};
use audit_model::{RoomId, Verdict};
use job_runner::Found;
use uuid::Uuid;

use super::words::{clock_of, headline, last_seen, outcome_of, right, role, room_page, who};
use crate::body::{Inactive, Report, RoomReport};
use crate::remind::{ActionState, Hold, Reminder};

/// People and rooms that are told.
type Told = BTreeSet<(Uuid, RoomId)>;

/// Everything.
pub(super) fn whole(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    write(report, None, out)
}

/// Only who is newly inactive; nothing when that is nobody and everything was seen.
pub(super) fn news(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let place = |found: &Found<()>| Some((found.finding.person.id, found.finding.room.as_ref()?.id.clone()?));
    let told: Told = report.told().filter_map(place).collect();
    let is_news = |action: &Reminder| {
        let went_wrong =
            action.state == ActionState::Failed || matches!(action.held, Some(Hold::TooMany { .. } | Hold::Unclear));
        went_wrong || report.head.run.dry_run
    };
    if told.is_empty()
        && !report.body.actions.iter().any(is_news)
        && report.head.coverage.verdict() == Verdict::Complete
    {
        return Ok(());
    }
    write(report, Some(&told), out)
}

fn write(report: &Report, told: Option<&Told>, out: &mut impl io::Write) -> io::Result<()> {
    let head = &report.head;
    let clock = clock_of(report);
    writeln!(out, "nudge-inactive: {}", headline(report))?;
    let (since, until) = (clock.minute(head.window.since), clock.minute(head.window.until));
    writeln!(out, "Portal {}, {since} to {until}, times in {}", head.portal.shown(), clock.0)?;
    for note in &head.notes {
        writeln!(out, "Note: {note}")?;
    }
    let mut quiet = Vec::new();
    for room in &report.body.rooms {
        let is_told =
            |inactive: &&Inactive| told.is_none_or(|told| told.contains(&(inactive.person.id, room.id.clone())));
        let shown: Vec<&Inactive> = room.inactive.iter().filter(is_told).collect();
        let has_more = told.is_none() && !(room.unknown.is_empty() && room.new.is_empty());
        if shown.is_empty() && !has_more {
            quiet.push(room);
        } else {
            room_text(report, room, &shown, told.is_none(), &clock, out)?;
        }
    }
    if told.is_none() && !quiet.is_empty() {
        writeln!(out, "\nNobody inactive:")?;
        for room in quiet {
            writeln!(out, "  \"{}\" (room {}), {}", room.title.for_terminal(), room.id, counts(room))?;
        }
    }
    actions_text(report, out)?;
    writeln!(out)?;
    coverage_text(report, clock, out)
}

fn room_text(
    report: &Report,
    room: &RoomReport,
    shown: &[&Inactive],
    is_whole: bool,
    clock: &Clock,
    out: &mut impl io::Write,
) -> io::Result<()> {
    writeln!(out, "\n\"{}\" (room {}), {}", room.title.for_terminal(), room.id, counts(room))?;
    writeln!(out, "  {}", room_page(report.head.portal.shown(), &room.id))?;
    for inactive in shown {
        let risk = inactive.risk.words();
        writeln!(out, "  INACTIVE  {}: {risk}", who(&inactive.person))?;
        let (role, right) = (role(&inactive.person), right(inactive));
        let (acts, seen) = (plural(inactive.acts, "action"), last_seen(report, inactive, clock));
        writeln!(out, "    {role}, in the room as {right}; {acts}, {seen}")?;
    }
    if !is_whole {
        return Ok(());
    }
    for unknown in &room.unknown {
        writeln!(out, "  NOT KNOWN {}: {}", who(&unknown.person), unknown.why.words())?;
    }
    for new in &room.new {
        writeln!(out, "  NEW       {}: joined {}", who(&new.person), clock.day(new.joined))?;
    }
    Ok(())
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
    let parts: Vec<String> = own
        .into_iter()
        .chain(left_out)
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("{}: {}", plural(room.members, "member"), parts.join(", "))
}

/// Mails: who got one, who did not and why; in a dry run every mail in full.
fn actions_text(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    if !report.body.actions.is_empty() {
        writeln!(out, "\nReminders:")?;
    }
    for action in &report.body.actions {
        let titles: Vec<String> = action
            .rooms
            .iter()
            .map(|step| format!("\"{}\" (day {})", step.title.for_terminal(), step.step_days))
            .collect();
        let (state, why) = outcome_of(action);
        writeln!(out, "  {state}  {}, about {}: {why}", who(&action.person), titles.join(", "))?;
        if let Some(mail) = &action.mail {
            writeln!(out, "    To: {}\n    Subject: {}\n", mail.to, mail.subject)?;
            for line in mail.text.lines() {
                writeln!(out, "    {line}")?;
            }
        }
    }
    Ok(())
}

fn coverage_text(report: &Report, clock: Clock, out: &mut impl io::Write) -> io::Result<()> {
    for line in coverage::lines(&report.head.coverage, clock) {
        writeln!(out, "{line}")?;
    }
    for room in &report.body.unread_rooms {
        writeln!(out, "Not seen: members of room {room}")?;
    }
    Ok(())
}
