//! The report in text. Pure.

use std::io;

use ::report::coverage;
use ::report::words::{self, Clock};
use alerting::person_page;
use audit_model::{Evidence, Finding, GUEST_ACCOUNT, PersonStatus, PortalText, SYSTEM_ACCOUNT, Verdict};
use chrono_tz::Tz;
use job_runner::Found;

use crate::body::Report;
use crate::found::{Detail, Kind};

/// Writes the report; nothing at all when there is nothing to say.
pub(crate) fn text(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let head = &report.head;
    let findings: Vec<&Found<Detail>> = report.told().collect();
    let verdict = head.coverage.verdict();
    if findings.is_empty() && verdict == Verdict::Complete {
        return Ok(());
    }
    let clock = Clock(head.portal.time_zone.unwrap_or(Tz::UTC));
    let headline = words::headline(&head.coverage, findings.len() as u64, report.findings.len() as u64);
    writeln!(out, "ip-fence: {headline}")?;
    writeln!(out, "Portal {}, {}, times in {}", head.portal.shown(), clock.span(head.window), clock.0)?;
    for note in &head.notes {
        writeln!(out, "Note: {note}")?;
    }
    for found in findings {
        writeln!(out)?;
        finding_text(report, found, &clock, out)?;
    }
    writeln!(out)?;
    coverage::lines(&head.coverage, clock).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn finding_text(report: &Report, found: &Found<Detail>, clock: &Clock, out: &mut impl io::Write) -> io::Result<()> {
    let Found { finding, detail: Detail { kind, .. } } = found;
    writeln!(out, "{}  {}", words::severity(finding.severity), who(finding))?;
    if let Some(role) = finding.person.role {
        let since =
            finding.person.registered.map(|at| format!(", account since {}", clock.day(at))).unwrap_or_default();
        writeln!(out, "  {}{since}", role.words())?;
    }
    for reason in &finding.reasons {
        writeln!(out, "  {reason}")?;
    }
    writeln!(out, "  first {}, last {}", clock.at(finding.window.since), clock.at(finding.window.until))?;
    if !finding.evidence.is_empty() {
        writeln!(out, "  For instance, {} of {}:", finding.evidence.len(), finding.evidence_total)?;
    }
    for evidence in &finding.evidence {
        writeln!(out, "    {}", evidence_line(evidence, clock))?;
    }
    writeln!(out, "  How sure: {}", how_sure(*kind))?;
    writeln!(out, "  What to do: {}", what_to_do(*kind))?;
    match person_page(&finding.person, &report.head.portal.url) {
        Some(page) => writeln!(out, "  The account: {page}"),
        None => Ok(()),
    }
}

fn who(finding: &Finding) -> String {
    let person = &finding.person;
    if [GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(&person.id) {
        return person.name.for_terminal();
    }
    let email = person.email.as_ref().map(|email| format!(" <{}>", email.for_terminal())).unwrap_or_default();
    let status = match person.status {
        Some(PersonStatus::Disabled) => ", disabled by now",
        Some(PersonStatus::Pending) => ", invited and not yet active",
        Some(PersonStatus::Active) => "",
        None => ", an account that is not there any more",
    };
    format!("{}{email}{status}", person.name.for_terminal())
}

fn evidence_line(evidence: &Evidence, clock: &Clock) -> String {
    let what = evidence.title.as_ref().map_or_else(|| evidence.action.to_string(), |title| title.for_terminal());
    let ip = evidence.ip.as_ref().map(|ip| format!("  from {}", ip.for_terminal())).unwrap_or_default();
    // of logins the target is what was typed; acts name theirs in the sentence
    let typed = evidence.target.as_ref().filter(|_| evidence.action.is_failed_login());
    let typed =
        typed.map(|typed| format!("  as {}", PortalText::new(typed.as_str()).for_terminal())).unwrap_or_default();
    format!("{}  {what}{typed}{ip}", clock.at(evidence.at))
}

/// How much a finding of this kind can be relied on.
fn how_sure(kind: Kind) -> &'static str {
    match kind {
        Kind::NotAllowed => {
            "as sure as the address, and that is what the portal noted: a VPN, a proxy or the caller can change it"
        }
        Kind::CannotJudge => "not sure of anything: it may be an allowed address or not",
        Kind::AddressSet => "sure that somebody set it; not sure who: a proxy that is set up wrongly does it too",
        Kind::Unnamed => "sure; whether it is a gap in the policy or in the portal is for people to tell",
        Kind::Disabled => "sure as to the account; background jobs can still run for a while under its name",
        Kind::NewCountry => {
            "a hint: countries are looked up by address, and VPNs, mobile networks and private relays move people across borders"
        }
        Kind::FailedBurst => {
            "the attempts are certain, their author is not: a program with an outdated password looks the same"
        }
        Kind::Spraying => "likely: many accounts tried from one place; a shared office or VPN can look like that",
        Kind::ListChanged => {
            "sure; the portal does not record what was changed, so this compares what two runs have read"
        }
        Kind::NotEnforced => "likely: see the two explanations above",
    }
}

fn what_to_do(kind: Kind) -> &'static str {
    match kind {
        Kind::NotAllowed => {
            "ask the person, by another way than the portal, whether that was them. If so, add the address to the policy; if not, disable the account, end its sessions, and change the password"
        }
        Kind::CannotJudge => {
            "look the rows up in the proxy's log, which has whole addresses; or let people come over IPv4 only"
        }
        Kind::AddressSet => {
            "look the rows up in the proxy's log for the real address; let the proxy drop `request-x-real-ip` from what comes from outside"
        }
        Kind::Unnamed => "add the person or a group to the policy, or set `default = \"ignore\"`",
        Kind::Disabled => "end the account's sessions, and revoke its API keys and links",
        Kind::NewCountry => "ask the person whether they travel or use a VPN",
        Kind::FailedBurst => {
            "ask the person whether that was them; if not, see that the account has a second factor. If a login followed, treat the account as taken over"
        }
        Kind::Spraying => {
            "block the address at the proxy; see that the accounts named in the rows have a second factor"
        }
        Kind::ListChanged => "ask whoever did it; `ip-fence plan` shows what the list would do now",
        Kind::NotEnforced => "ask whoever runs the server whether `web:hide-settings` names IpSecurity",
    }
}

#[cfg(test)]
mod tests;
