//! The body of the report. Pure.

use std::collections::BTreeSet;

use audit_model::{Finding, FindingState, Severity};
use job_runner::Found;
use report::words::{number, plural};
use report::{Block, Cell, Details, Document, Figure, Line, PersonLine, Section, Table};
use uuid::Uuid;

use crate::body::{Detail, Of, Report};
use crate::people::NOT_STOPPED;
use crate::rule::kind::DOCUMENT;
use crate::said::with_matter;

/// People that the text lists; JSON has all.
const PEOPLE_SHOWN: usize = 50;

/// Who changed how many documents, whom a plan would touch, and what to do.
pub(crate) fn body(report: &Report, document: &mut Document) {
    let counted = report.findings.iter().filter(|found| found.finding.state != FindingState::Silenced);
    let people: BTreeSet<Uuid> = counted.flat_map(people).collect();
    if !people.is_empty() {
        let is_told = |found: &&Found<Detail>| found.finding.state != FindingState::Silenced;
        let of_documents = report.findings.iter().filter(is_told).filter(|found| found.detail.counted == DOCUMENT);
        let documents = of_documents.map(|found| found.finding.counts.documents).sum();
        let critical = report.counted().filter(|finding| finding.severity == Severity::Critical).count();
        document.figures = vec![
            Figure::new("people", people.len() as u64),
            Figure::new("documents changed", documents).with_note("in all findings together"),
            Figure::new("critical findings", critical as u64),
        ];
    }
    if let Some(trip) = report.body.plan.trip {
        let warning = format!("HELD: {}. No account is suspended until someone has reviewed this.", trip.words());
        let mut section = Section::new("too many people at once").with(Block::Warning(warning.into()));
        section.is_news = true;
        document.sections.push(section);
    }
    if !report.body.said.is_empty() {
        let said = report.body.said.iter().map(|said| Line::from(said.as_str())).collect();
        let mut section = Section::new("suspensions").with(Block::List(said));
        section.is_news = true;
        document.sections.push(section);
    }
    if report.findings.is_empty() {
        return;
    }
    let lines = report.findings.iter().map(|found| person(report, found));
    document.sections.push(Section::new("people who changed many documents").with_people(lines));
    // whom nobody would disable needs no word about what that leaves
    let is_serious = |found: &Found<Detail>| found.detail.of == Of::Person && found.finding.severity >= Severity::High;
    if report.findings.iter().any(is_serious) {
        let leaves = NOT_STOPPED.iter().map(|&leaves| Line::from(leaves)).collect();
        let observed = if report.body.has_acted {
            "If an account is disabled:"
        } else {
            "This run has disabled no account. If you disable one yourself:"
        };
        let section = Section::new("what disabling an account does not end");
        document.sections.push(section.with(Block::Paragraph(observed.into())).with(Block::List(leaves)));
    }
}

/// Whom a finding is about.
fn people(Found { finding, detail }: &Found<Detail>) -> Vec<Uuid> {
    match detail.of {
        Of::Person | Of::Visitors | Of::VisitorsOfRooms => vec![finding.person.id],
        Of::Room | Of::Crowd => detail.people.iter().map(|person| person.id).collect(),
    }
}

fn person(report: &Report, Found { finding, detail }: &Found<Detail>) -> PersonLine {
    // the first of it and the last say as much as ten that are nearly alike
    let (first, last) = (finding.evidence.first(), finding.evidence.last().filter(|_| finding.evidence.len() > 1));
    let evidence = first.into_iter().chain(last).cloned().collect();
    let mut person = report.head.person(&Finding { evidence, ..finding.clone() });
    if detail.uncountable > 0 {
        let documents = finding.counts.documents.saturating_sub(detail.uncountable);
        let documents = if documents > 0 { format!("{} and ", plural(documents, "document")) } else { String::new() };
        let folders = match detail.uncountable {
            1 => "1 folder or room".to_owned(),
            many => format!("{} folders or rooms", number(many)),
        };
        person.how_much = format!("{} on {documents}{folders}", plural(finding.counts.acts, "action")).into();
    }
    person.what_to_do = detail.what_to_do.iter().map(|step| with_matter(step, finding).english().into()).collect();
    if detail.of == Of::Crowd {
        person.who.page = None;
        let counted = match detail.counted {
            DOCUMENT => "Documents",
            "member" => "Members",
            _ => "Places",
        };
        let mut table = Table::new("", &["Who", counted]);
        for one in detail.people.iter().take(PEOPLE_SHOWN) {
            table.row([Cell::from(&one.name), Cell::from(one.documents)]);
        }
        let summary = format!("People: {} of {}", detail.people.len().min(PEOPLE_SHOWN), detail.people.len());
        person.details = vec![Details { summary: summary.into(), blocks: vec![Block::Table(table)] }];
    }
    person
}
