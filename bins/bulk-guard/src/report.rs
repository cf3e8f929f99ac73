//! The report in text and JSON. Pure.

use std::io;

use ::report::coverage;
use ::report::words::{self, Clock};
use alerting::person_page;
use audit_model::{Finding, FindingState, PersonStatus, PortalText, Verdict};
use chrono_tz::Tz;
use job_runner::args::ReportFormat;
use safe_actions::{Action, ActionState};
use url::Url;

use crate::outcome::Outcome;
use crate::people::NOT_STOPPED;

/// Writes the report. Text says nothing at all when there is nothing to say.
pub(crate) fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
    match format {
        ReportFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &outcome.report())?;
            writeln!(out)
        }
        ReportFormat::Text => text(outcome, out),
    }
}

fn text(outcome: &Outcome, out: &mut impl io::Write) -> io::Result<()> {
    let head = &outcome.head;
    let findings: Vec<&Finding> = words::told(&outcome.findings).collect();
    let verdict = head.coverage.verdict();
    if findings.is_empty() && verdict == Verdict::Complete {
        return Ok(());
    }
    let clock = Clock(head.portal.time_zone.unwrap_or(Tz::UTC));
    let headline = words::headline(&head.coverage, findings.len() as u64, outcome.findings.len() as u64);
    writeln!(out, "bulk-guard: {headline}")?;
    writeln!(out, "Portal {}, {}, times in {}", head.portal.url, clock.span(head.window), clock.0)?;
    if let Some(trip) = outcome.plan.trip {
        writeln!(out, "HELD: {}. No account is suspended until someone has reviewed this.", trip.words())?;
    }
    for note in &head.notes {
        writeln!(out, "Note: {note}")?;
    }
    for finding in &findings {
        writeln!(out)?;
        finding_text(outcome, finding, clock, out)?;
    }
    if !findings.is_empty() {
        writeln!(out)?;
        writeln!(out, "This version suspends no account. A suspension would not stop:")?;
        for leaves in NOT_STOPPED {
            writeln!(out, "  {leaves}")?;
        }
    }
    writeln!(out)?;
    coverage::lines(&head.coverage, clock).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn finding_text(outcome: &Outcome, finding: &Finding, clock: Clock, out: &mut impl io::Write) -> io::Result<()> {
    let person = &finding.person;
    let email = person.email.as_ref().map(|email| format!(" <{}>", email.for_terminal())).unwrap_or_default();
    let grown = if finding.state == FindingState::Grown { ", grown since it was told" } else { "" };
    writeln!(out, "{}  {}{email}{grown}", words::severity(finding.severity), person.name.for_terminal())?;
    let status = match person.status {
        Some(PersonStatus::Disabled) => ", disabled by now",
        Some(PersonStatus::Pending) => ", invited and not yet active",
        Some(PersonStatus::Active) | None => "",
    };
    if let Some(role) = person.role {
        writeln!(out, "  {}{status}", role.words())?;
    }
    for reason in &finding.reasons {
        writeln!(out, "  {reason}")?;
    }
    writeln!(out, "  first {}, last {}", clock.at(finding.window.since), clock.at(finding.window.until))?;
    writeln!(out, "  For instance, {} of {}:", finding.evidence.len(), finding.evidence_total)?;
    for evidence in &finding.evidence {
        let title = evidence.title.as_ref().map(PortalText::for_terminal);
        let bare = || format!("{} {}", evidence.action, evidence.target.as_deref().unwrap_or_default());
        let ip = evidence.ip.as_ref().map(|ip| format!("  from {}", ip.for_terminal())).unwrap_or_default();
        writeln!(out, "    {}  {}{ip}", clock.at(evidence.at), title.unwrap_or_else(bare))?;
    }
    writeln!(
        out,
        "  What to do: ask {} whether this was meant. If not, disable the account,",
        person.name.for_terminal()
    )?;
    writeln!(out, "  then look at the trash and the versions of the documents before anybody empties them.")?;
    let page = Url::parse(&outcome.head.portal.url).ok().and_then(|portal| person_page(person, &portal));
    if let Some(page) = page {
        writeln!(out, "    {page}")?;
    }
    Ok(())
}

/// What a plan says of one person, as a sentence without a full stop.
pub(crate) fn action_words(action: &Action) -> String {
    match (&action.state, &action.held) {
        (ActionState::Already, _) => "the account is off already".to_owned(),
        (_, Some(hold)) => format!("would not be suspended: {}", hold.words()),
        (_, None) => format!("would be suspended: {}", action.reason),
    }
}
