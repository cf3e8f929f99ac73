//! The report: the pages of the period, and where the files are. Pure.

pub(crate) mod page_one;
mod sections;

use ::report::words::{number, plural};
use ::report::{Block, Document, Line, Section, TEXT_WIDTH, line};
use audit_model::{Coverage, Gap, GapReason, Verdict};
use safe_actions::ActionState;

use crate::body::{Body, Destination, Report, Written};
use crate::bundle::manifest::FileEntry;
use crate::bundle::names::Names;
use crate::bundle::txt;
use crate::facts::Facts;
use crate::rule::{Decision, matters};

/// The sentence above everything: how many matters there are to decide, and whether all was seen and done.
pub(crate) fn headline(facts: &Facts, decisions: &[Decision], coverage: &Coverage) -> Line {
    if coverage.verdict() == Verdict::Nothing {
        return ::report::words::nothing(coverage).into();
    }
    let (count, period) = (matters(decisions), facts.period.words());
    let needs = if count == 1 { "needs" } else { "need" };
    let matters = format!("{} from {period} {needs} a decision", plural(count, "matter"));
    let read: Vec<&Gap> = coverage.gaps.iter().filter(|gap| !page_one::is_about_files(gap)).collect();
    let lacks = if read.is_empty() {
        "the report is not everywhere it should be"
    } else if read.iter().all(|gap| gap.why == GapReason::NotSettled) {
        "the portal may still be storing events of this time"
    } else {
        "some records could not be read"
    };
    let so_far = if read.is_empty() { "" } else { " so far" };
    let sentence = match (coverage.verdict(), count) {
        (Verdict::Complete, 0) => format!("nothing found in {period} that needs a decision"),
        (Verdict::Complete, _) => matters,
        (_, 0) => format!("incomplete: nothing found{so_far} in {period} that needs a decision, but {lacks}"),
        (_, _) => format!("incomplete: {matters}, and {lacks}"),
    };
    sentence.into()
}

/// Everything that the facts say, put into a document whose coverage is final. `names` are those of the files beside it.
pub(crate) fn pages(facts: &Facts, decisions: &[Decision], names: &Names, document: &mut Document) {
    document.proof = page_one::proof(facts, &document.coverage);
    document.notes.extend(page_one::notes(facts, &document.coverage));
    page_one::put(facts, decisions, document);
    sections::put(facts, names, document);
}

/// The pages, and where the files are.
pub(crate) fn body(report: &Report, document: &mut Document) {
    let Body { facts, decisions, report: written, .. } = &report.body;
    let label = facts.period.label();
    let names = if written.is_some() { Names::new(&label) } else { Names::unwritten(&label) };
    pages(facts, decisions, &names, document);
    document.sections.extend(places(&report.body));
}

/// The published first lines, the first page, and where the files are. `whole` is the whole report.
pub(crate) fn text(report: &Report, whole: &Document) -> Vec<u8> {
    let Body { facts, decisions, .. } = &report.body;
    let mut first = Document { figures: Vec::new(), sections: Vec::new(), timelines: Vec::new(), ..whole.clone() };
    page_one::put(facts, decisions, &mut first);
    first.sections.extend(places(&report.body));
    let digest = report.body.report.as_ref().map(|written| {
        format!("\nDigest: {}  (keep this line in another place: `verify DIR --digest` compares it)\n", written.digest)
    });
    let pages = first.text(TEXT_WIDTH).into_bytes();
    let head = txt::published_lines(facts, whole.seal()).into_bytes();
    [head, b"\n".to_vec(), pages, digest.unwrap_or_default().into_bytes()].concat()
}

/// Where the files are, here and in the portal.
fn places(body: &Body) -> impl Iterator<Item = Section> {
    let uploads = body.upload.as_ref().map(|upload| uploads(body, upload));
    body.report.as_ref().map(files).into_iter().chain(uploads)
}

fn files(written: &Written) -> Section {
    let line = |file: &FileEntry| {
        let rows = file.rows.map(|rows| format!(", {}", plural(rows, "row"))).unwrap_or_default();
        Line::from(format!("{} ({} bytes{rows})", file.name, number(file.bytes)))
    };
    let folder = format!("In {}:", written.folder.display());
    Section::new("files")
        .with(Block::Paragraph(folder.into()))
        .with(Block::List(written.files.iter().chain([&written.manifest]).map(line).collect()))
}

fn uploads(body: &Body, upload: &Destination) -> Section {
    let mut section = Section::new(format!("uploads into {} (folder {})", upload.path, upload.folder));
    if !body.actions.is_empty() {
        let lines = body.actions.iter().map(|action| {
            let id = action.id.as_ref().map(|id| format!(", file {id}")).unwrap_or_default();
            line![action.title.as_str(), ": ", words(action.state), id, ": ", action.reason.as_str()]
        });
        section = section.with(Block::List(lines.collect()));
    }
    section.with(Block::List(upload.notes.iter().map(|note| Line::from(note.as_str())).collect()))
}

fn words(state: ActionState) -> &'static str {
    match state {
        ActionState::Held => "HELD BACK",
        ActionState::Done => "uploaded",
        ActionState::Already => "there already",
        ActionState::Unknown => "NOT KNOWN TO BE THERE",
        ActionState::Failed | ActionState::Planned | ActionState::Released => "NOT UPLOADED",
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{SourceCoverage, Window};
    use chrono::{DateTime, TimeDelta};
    use chrono_tz::Tz;

    use super::*;
    use crate::period::Period;

    #[test]
    fn the_headline_says_what_is_missing() {
        let june = DateTime::from_timestamp(1_780_272_000, 0).unwrap();
        let period = Period { window: Window::new(june, june + TimeDelta::days(30)), zone: Tz::UTC };
        let said = |gaps: &[(&str, GapReason)]| {
            let mut coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
            gaps.iter().for_each(|(what, why)| coverage.gap(what, period.window, *why));
            headline(&Facts::unseen(period), &[], &coverage).for_terminal()
        };
        let files = ("upload", GapReason::PortalError);
        let fresh = ("audit", GapReason::NotSettled);
        let broken = ("logins", GapReason::PortalError);
        let nothing = "in June 2026 that needs a decision";
        for (gaps, expected) in [
            (&[][..], format!("nothing found {nothing}")),
            (&[files], format!("incomplete: nothing found {nothing}, but the report is not everywhere it should be")),
            (
                &[fresh, files],
                format!(
                    "incomplete: nothing found so far {nothing}, but the portal may still be storing events of this time"
                ),
            ),
            (
                &[fresh, broken],
                format!("incomplete: nothing found so far {nothing}, but some records could not be read"),
            ),
        ] {
            assert_eq!(said(gaps), expected, "{gaps:?}");
        }
    }
}
