//! `status`: whose account is disabled through this program, and what waits for somebody. Reads the store only.

use std::fmt::Write as _;

use ::report::words::duration;
use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use job_runner::args::ReportFormat;
use job_runner::exit::Exit;
use job_runner::{PortalName, ProgramName, Setup};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::suspend::command;
use crate::suspend::entry::{Decision, Entry, Held, State};
use crate::suspend::ledger::{Kept, Ledger as _};
use crate::suspend::marker;
use crate::suspend::next::next;
use crate::suspend::run::needs_attention;
use crate::suspend::terms::FRESH;
use crate::suspend::words::{asker, moment, name};

/// What has ended is shown for so long.
const ENDED_FOR: TimeDelta = TimeDelta::days(7);

/// The version of the document. Its schema is `schema/bulk-guard-status-1.schema.json`.
const SCHEMA: &str = "bulk-guard-status/1";

/// What is remembered, by what somebody has to know of it first.
#[derive(Debug, Serialize)]
struct Status<'a> {
    schema: &'static str,
    program: ProgramName,
    portal: PortalName,
    asked_at: DateTime<Utc>,
    /// Where the last run ended that saw something: what happened since is not in here.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_until: Option<DateTime<Utc>>,
    /// Disabled through this program.
    off: Vec<Shown<'a>>,
    /// May be disabled through this program.
    unclear: Vec<Shown<'a>>,
    /// Nothing was asked of the portal yet.
    waiting: Vec<Shown<'a>>,
    /// Over, within seven days.
    ended: Vec<Shown<'a>>,
    /// Disabled through this program, which has lost what it remembered of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forgotten: Vec<Uuid>,
}

/// One incident.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    incident: &'a str,
    /// The same for one person of an incident that several share.
    id: &'a str,
    person: Whom<'a>,
    state: State,
    /// Why it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// What the person did.
    reason: &'a str,
    signs: &'a [String],
    first_event_at: DateTime<Utc>,
    last_event_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<&'a Held>,
    /// When the portal was asked to disable the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<DateTime<Utc>>,
    /// Who asked `serve` for the run that did so.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<&'a str>,
    /// When a term ends it; absent where somebody has to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needs_decision: Option<&'a str>,
    decisions: &'a [Decision],
    next: String,
}

#[derive(Debug, Serialize)]
struct Whom<'a> {
    id: Uuid,
    name: &'a str,
}

impl<'a> Shown<'a> {
    fn of(entry: &'a Entry, now: DateTime<Utc>) -> Self {
        let incident = &entry.incident;
        Shown {
            incident: incident.called(),
            id: &incident.id,
            person: Whom { id: incident.person, name: &incident.name },
            state: entry.state,
            why: entry.why.as_deref(),
            reason: &incident.reason,
            signs: &incident.strong,
            first_event_at: incident.first.at,
            last_event_at: incident.last.at,
            held: entry.held.as_ref(),
            since: entry.intent.as_ref().map(|intent| intent.at),
            asked_by: entry.intent.as_ref().and_then(|intent| intent.asked_by.as_deref()),
            until: entry.deadline().filter(|_| entry.state != State::Kept),
            needs_decision: incident.needs_decision.as_deref(),
            decisions: &entry.decisions,
            next: next(entry, now),
        }
    }
}

pub(crate) async fn run(setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let looked = setup.looked().await?;
    let entries = Kept::open(looked.store.clone(), setup.now).await?.entries().await?;
    let (now, seen_until) = (setup.now, looked.seen_until);
    let those = |which: fn(&Entry, DateTime<Utc>) -> bool| {
        entries.iter().filter(|entry| which(entry, now)).map(|entry| Shown::of(entry, now)).collect::<Vec<_>>()
    };
    let forgotten = match setup.store_file()? {
        Some(file) => marker::forgotten(&file, &entries)?,
        None => Vec::new(),
    };
    let is_left = entries.iter().any(|entry| needs_attention(entry, now) && !is_at_work(entry, now));
    let exit = if is_left || !forgotten.is_empty() { Exit::Nothing } else { Exit::Concluded };
    let status = Status {
        schema: SCHEMA,
        program: ProgramName { name: setup.about.name, version: setup.about.version },
        portal: PortalName::new(setup.portal_url()?, None),
        asked_at: now,
        seen_until,
        off: those(|entry, _| is_off(entry.state)),
        unclear: those(|entry, _| is_unclear(entry.state)),
        waiting: those(|entry, _| entry.state.is_before()),
        ended: those(|entry, now| is_over(entry.state) && now - entry.noted_at() < ENDED_FOR),
        forgotten: forgotten.iter().map(|off| off.person).collect(),
    };
    match setup.args.format {
        ReportFormat::Text => {
            let words: String = forgotten.iter().map(|off| format!("\n{}\n", off.words().english())).collect();
            setup.print(&(text(&status)? + &words))?;
        }
        ReportFormat::Json => {
            let people = entries.iter().map(|entry| (entry.person(), entry.incident.name.clone()));
            let named = setup.named_json(serde_json::to_value(&status)?, people)?;
            setup.print(&(serde_json::to_string_pretty(&named)? + "\n"))?;
        }
    }
    Ok(exit)
}

/// Whether a run may be at work on it at this moment.
fn is_at_work(entry: &Entry, now: DateTime<Utc>) -> bool {
    let is_call = matches!(entry.state, State::Intended | State::Releasing);
    is_call && entry.newest_moment().is_some_and(|at| (now - at).abs() < FRESH)
}

/// Whether an account is disabled through this program, as far as is remembered.
pub(crate) fn is_off(state: State) -> bool {
    matches!(state, State::Done | State::Kept | State::ReleaseFailed)
}

/// Whether nobody knows: a call may have left.
pub(crate) fn is_unclear(state: State) -> bool {
    matches!(state, State::Intended | State::Unknown | State::Releasing)
}

fn is_over(state: State) -> bool {
    !is_off(state) && !is_unclear(state) && !state.is_before()
}

fn text(status: &Status<'_>) -> Result<String, std::fmt::Error> {
    let mut text = format!("From what bulk-guard remembers of {}", status.portal.shown());
    match status.seen_until {
        Some(until) if until <= status.asked_at => {
            let age = duration(status.asked_at - until);
            writeln!(text, ". The last run looked at what happened until {}, {age} ago.", moment(until))?;
        }
        Some(until) => writeln!(text, ". The last run looked at what happened until {}.", moment(until))?,
        None => writeln!(text, ". No run has looked at the portal yet.")?,
    }
    section(&mut text, "Disabled through this program", &status.off)?;
    section(&mut text, "Not known whether disabled through this program", &status.unclear)?;
    section(&mut text, "Not disabled yet", &status.waiting)?;
    section(&mut text, "Over within the last 7 days", &status.ended)?;
    if status.off.is_empty() && status.unclear.is_empty() && status.forgotten.is_empty() {
        writeln!(text, "\nNobody's account is disabled through this program.")?;
    }
    if status.waiting.is_empty() {
        writeln!(text, "\nNothing waits for somebody to decide.")?;
    }
    Ok(text)
}

fn section(text: &mut String, title: &str, shown: &[Shown<'_>]) -> std::fmt::Result {
    if shown.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{title}: {}", shown.len())?;
    for one in shown {
        let who = PortalText::new(one.person.name).for_terminal();
        writeln!(text, "\n  {who} ({}), incident {}", one.person.id, one.incident)?;
        if shown.iter().any(|other| other.incident == one.incident && other.id != one.id) {
            writeln!(text, "    alone:      {}", one.id)?;
        }
        let reason = PortalText::new(one.reason).for_terminal();
        let (first, last) = (moment(one.first_event_at), moment(one.last_event_at));
        let when = if first == last { first } else { format!("{first} to {last}") };
        writeln!(text, "    what:       {reason}, {when}")?;
        if !one.signs.is_empty() {
            writeln!(text, "    signs:      {}", PortalText::new(one.signs.join("; ")).for_terminal())?;
        }
        if let Some(since) = one.since {
            let until = one.until.map_or_else(String::new, |until| format!(", until {}", moment(until)));
            writeln!(text, "    suspended:  {}{until}", moment(since))?;
        }
        if let Some(who) = one.asked_by {
            writeln!(text, "    asked by:   {}", asker(who))?;
        }
        writeln!(text, "    state:      {}", standing(one.state, one.why))?;
        for decision in one.decisions {
            writeln!(text, "    decided:    {}, {}", moment(decision.at), decided(decision))?;
        }
        writeln!(text, "    next:       {}", one.next)?;
    }
    Ok(())
}

/// One decision on one line, without its time.
pub(crate) fn decided(decision: &Decision) -> String {
    let Decision { what, who, why, at: _ } = decision;
    let [who, why] = [who, why].map(|text| PortalText::new(text.as_str()).for_terminal());
    format!("{} by {who}: {why}", what.participle())
}

/// A state in words, with the reason for it.
pub(crate) fn standing(state: State, why: Option<&str>) -> String {
    let words = if state == State::Done { "the account is disabled" } else { command::state(state) };
    let why = why.map_or_else(String::new, |why| format!(": {}", PortalText::new(why).for_terminal()));
    format!("{words}{why}")
}

/// Whom an entry is about, on one line.
pub(crate) fn whom(entry: &Entry) -> String {
    format!("{} ({})", name(&entry.incident), entry.person())
}
