//! The body of the report. Pure.

use std::collections::BTreeSet;

use audit_model::Severity;
use job_runner::Found;
use report::{Block, Document, Figure, Line, PersonLine, Section, line};

use crate::body::{Detail, Report};
use crate::people::NOT_STOPPED;

/// Who changed how many documents, whom a plan would touch, and what to do.
pub(crate) fn body(report: &Report, document: &mut Document) {
    let people: BTreeSet<_> = report.counted().map(|finding| finding.person.id).collect();
    if !people.is_empty() {
        let documents = report.counted().map(|finding| finding.counts.documents).sum();
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
    if report.findings.is_empty() {
        return;
    }
    let lines = report.findings.iter().map(|found| person(report, found));
    document.sections.push(Section::new("people who changed many documents").with_people(lines));
    let leaves = NOT_STOPPED.iter().map(|&leaves| Line::from(leaves)).collect();
    let observed = "This version suspends no account. If you disable it yourself:";
    let section = Section::new("what disabling an account does not end");
    document.sections.push(section.with(Block::Paragraph(observed.into())).with(Block::List(leaves)));
}

fn person(report: &Report, Found { finding, .. }: &Found<Detail>) -> PersonLine {
    let mut person = report.head.person(finding);
    person.what_to_do = vec![
        line!["ask ", Line::name(&finding.person.name), " whether this was meant; if not, disable the account"],
        "then look at the trash and at the versions of the documents before anybody empties them".into(),
    ];
    person
}
