//! What the report says besides what all reports say. Pure.

pub(crate) mod body;
mod said;

use std::collections::BTreeSet;

use audit_model::{Finding, GUEST_ACCOUNT, SYSTEM_ACCOUNT};
use job_runner::Found;
use report::words::{Clock, plural};
use report::{Block, Cell, Details, Document, Figure, Line, PersonLine, Section, Table, Who, line};

use crate::rule::found::{Counted, Detail, Kind, counted};
use body::Report;

pub(crate) use said::said;

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
    if !report.body.said.is_empty() {
        let said = report.body.said.iter().map(|said| Line::from(said.as_str())).collect();
        let mut section = Section::new("the portal's address list").with(Block::List(said));
        section.is_news = true;
        document.sections.push(section);
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
    person.how_much = how_many(finding, detail).into();
    person.what_to_do = detail.what_to_do.iter().map(|step| step.english().into()).collect();
    person.details.extend(several(&detail.people));
    person
}

/// `3 logins and 41 actions`
fn how_many(finding: &Finding, detail: &Detail) -> String {
    match detail.kind {
        Kind::FailedBurst | Kind::Spraying => plural(detail.logins, "failed login"),
        _ => counted(detail.logins, finding.counts.acts.saturating_sub(detail.logins)),
    }
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
        Kind::BreakGlass => "sure as to the account; the address is what the portal noted",
        Kind::NotEnforced => {
            "likely: either the deployment has switched the feature off, or the callers set these addresses"
        }
    }
}

#[cfg(test)]
mod tests;
