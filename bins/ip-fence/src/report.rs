//! What the report says besides what all reports say. Pure.

pub(crate) mod body;

use std::collections::BTreeSet;

use audit_model::{Address, Finding, GUEST_ACCOUNT, PortalText, SYSTEM_ACCOUNT, Severity};
use job_runner::Found;
use report::words::{Clock, plural};
use report::{Block, Cell, Details, Document, Figure, Line, PersonLine, Section, Table, Who, line};

use crate::rule::found::{Counted, Detail, Kind, counted};
use body::Report;

/// Who came from where, how sure that is, and what to do.
pub(crate) fn body(report: &Report, document: &mut Document) {
    let people: BTreeSet<_> = report.counted().map(|finding| finding.person.id).collect();
    if !people.is_empty() {
        document.figures.push(Figure::new("people", people.len() as u64));
    }
    if let Some(policy) = &report.body.policy {
        let named = format!("for {}", plural(policy.people as u64, "person"));
        document.figures.push(Figure::new("rules of the policy", policy.rules as u64).with_note(named));
    }
    if let Some(list) = &report.body.address_list {
        let switch = if list.enabled { "switched on" } else { "switched off" };
        let entries = Figure::new("entries in the portal's own list", list.entries.len() as u64);
        document.figures.push(entries.with_note(switch));
    }
    if !report.findings.is_empty() {
        let clock = document.clock();
        let lines = report.findings.iter().map(|found| person(report, found, clock));
        document.sections.push(Section::new("logins and actions to look at").with_people(lines));
    }
}

fn person(report: &Report, Found { finding, detail }: &Found<Detail>, clock: Clock) -> PersonLine {
    let mut person = report.head.person(finding);
    let is_somebody = ![GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(&finding.person.id);
    if is_somebody && finding.person.status.is_none() {
        person.who.remark = Some("an account that is not there any more".into());
    }
    if let Some(since) = finding.person.registered {
        person.facts.push(Line::from(format!("account since {}", clock.day(since))));
    }
    person.facts.push(line!["how sure: ", how_sure(detail.kind)]);
    person.how_much = match detail.kind {
        Kind::FailedBurst | Kind::Spraying => plural(detail.logins, "failed login").into(),
        _ => counted(detail.logins, finding.counts.acts.saturating_sub(detail.logins)).into(),
    };
    let has_followed = detail.kind == Kind::FailedBurst && finding.severity >= Severity::High;
    let steps = if has_followed { &TAKEN_OVER[..] } else { what_to_do(detail.kind) };
    person.what_to_do = steps.iter().map(|&step| step.into()).collect();
    let is_not_allowed = detail.kind == Kind::NotAllowed;
    if let Some(command) = allowing(finding).filter(|_| is_not_allowed && person.what_to_do.len() > 1) {
        person.what_to_do.insert(1, format!("if so, and it may be again: {command}").into());
    }
    person.details.extend(several(&detail.people));
    person
}

/// The command that allows the first address. Whoever chose the account's address must not write it.
fn allowing(finding: &Finding) -> Option<String> {
    let ip = finding.evidence.first()?.ip.as_ref()?;
    let ip = Address::parse(ip.raw()).ip()?;
    let is_plain = |email: &&str| {
        let mut characters = email.chars();
        characters.all(|c| c.is_ascii_alphanumeric() || "@._+-".contains(c)) && !email.starts_with('-')
    };
    let email = finding.person.email.as_ref().map(PortalText::raw).filter(is_plain);
    let person = email.map_or_else(|| finding.person.id.to_string(), str::to_owned);
    Some(format!("`ip-fence policy allow {person} {ip} --reason TEXT`"))
}

/// People listed of one finding.
const LISTED: usize = 50;

/// Whom a finding about several people is about.
fn several(people: &[Counted]) -> Option<Details> {
    if people.is_empty() {
        return None;
    }
    let mut table = Table::new("", &["Who", "Logins", "Actions"]);
    for one in people.iter().take(LISTED) {
        table.row([Cell::Text(Who::from(&one.person).line()), Cell::Number(one.logins), Cell::Number(one.acts)]);
    }
    let table = table.of(people.len() as u64, "`people` in the JSON report");
    Some(Details { summary: "Who they are".into(), blocks: vec![Block::Table(table)] })
}

/// Of an account that somebody has signed in to after guessing.
const TAKEN_OVER: [&str; 2] = [
    "ask the person, by another way than the portal, whether that was them",
    "if not, the account is taken over: disable it, end its sessions, change the password, and look at what was done since",
];

/// How much a finding of this kind can be relied on.
fn how_sure(kind: Kind) -> &'static str {
    match kind {
        Kind::NotAllowed => {
            "as sure as the address, and that is what the portal noted: a VPN, a proxy or the caller can change it"
        }
        Kind::CannotJudge => "unknown: the address may or may not be allowed",
        Kind::AddressSet => "sure that somebody set it; not sure who: a proxy that is set up wrongly does it too",
        Kind::Unnamed => "sure; whether it is a gap in the policy or in the portal is for people to tell",
        Kind::Disabled => "sure as to the account; background jobs can still run for a while under its name",
        Kind::NewCountry => {
            "a hint: countries are looked up by address, and VPNs, mobile networks and private relays move people across borders"
        }
        Kind::FailedBurst => {
            "the attempts are certain, their author is not: a program with an outdated password looks the same"
        }
        Kind::Spraying => "likely: many accounts tried in vain; a shared office or VPN can look like that",
        Kind::ListChanged => {
            "sure; the portal records who wrote and when, and not what, so what was changed is what two runs have read"
        }
        Kind::NotEnforced => {
            "likely: either the deployment has switched the feature off, or the callers set these addresses"
        }
    }
}

/// Sentences in the order in which they should be followed.
fn what_to_do(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::NotAllowed => &[
            "ask the person, by another way than the portal, whether that was them",
            "whom to ask about an address stands beside the rules",
            "if not, disable the account, end its sessions, and change the password",
        ],
        Kind::CannotJudge => {
            &["look the rows up in the proxy's log, which has whole addresses", "or let people come over IPv4 only"]
        }
        Kind::AddressSet => &[
            "look the rows up in the proxy's log for the real address",
            "let the proxy drop `request-x-real-ip` from what comes from outside",
        ],
        Kind::Unnamed => &["add the person or a group to the policy, or set `default = \"ignore\"`"],
        Kind::Disabled => &["end the account's sessions, and revoke its API keys and links"],
        Kind::NewCountry => &["ask the person whether they travel or use a VPN"],
        Kind::FailedBurst => {
            &["ask the person whether that was them; if not, see that the account has a second factor"]
        }
        Kind::Spraying => &[
            "block the addresses of the rows at the proxy",
            "see that the accounts named in the rows have a second factor",
        ],
        Kind::ListChanged => {
            &["ask whoever did it what was changed, and why", "see with `ip-fence plan` what the list would do now"]
        }
        Kind::NotEnforced => &["ask whoever runs the server whether `web:hide-settings` names IpSecurity"],
    }
}

#[cfg(test)]
mod tests;
