//! The report as a document: what all programs say around the body of each, and the files that `--report` asks for.

use alerting::{person_page, room_page};
use audit_model::{Finding, FindingState, Sentence, Verdict};
use job_store::files;
use report::words::plural;
use report::{Document, Form, Line, Maker, PersonLine, PortalLine, RunLine, Section, TEXT_WIDTH, Where, line, words};

use crate::args::ReportFile;
use crate::head::Head;
use crate::program::{Program, ReportOf};
use crate::report::Found;

/// The whole report, with everybody whom people know already.
pub fn document<P: Program>(report: &ReportOf<P>) -> Document {
    let mut document = report.head.document();
    document.headline = headline::<P>(report, report.counted().count() as u64);
    P::body(report, &mut document);
    if !report.ended.is_empty() {
        let over = report.ended.iter().map(|finding| report.head.person(finding));
        document.sections.push(Section::new("over").with_people(over));
    }
    report.head.naming.document(document)
}

/// What of the report is new, as text; nothing when nothing is and everything was seen.
pub fn news<P: Program>(report: &ReportOf<P>, document: &Document) -> Vec<u8> {
    let news = document.news(|_| report.head.naming.line(headline::<P>(report, report.told().count() as u64)));
    news.map(|news| news.text(TEXT_WIDTH).into_bytes()).unwrap_or_default()
}

/// The sentence above a report that tells so many findings.
fn headline<P: Program>(report: &ReportOf<P>, told: u64) -> Line {
    let over = report.told().filter(|found| found.finding.state == FindingState::Ended).count() as u64;
    let all_over = over + report.ended.len() as u64;
    let headline = headline_of_new::<P>(report, told.saturating_sub(over));
    match all_over {
        0 => headline,
        1 => headline.and("; 1 earlier finding is over"),
        over => headline.and(format!("; {} are over", plural(over, "earlier finding"))),
    }
}

fn headline_of_new<P: Program>(report: &ReportOf<P>, told: u64) -> Line {
    match report.coverage().verdict() {
        Verdict::Nothing => words::nothing(report.coverage()).into(),
        _ => P::headline(report, told).or_else(|| worst(report, told, short)).unwrap_or_else(|| {
            let all = report.counted().count() as u64;
            words::headline(report.coverage(), told, all).into()
        }),
    }
}

/// The sentence above a report that tells so many findings: the first of them, which is the most severe, as `short` says it, and how many
/// others there are. Nothing where nothing is told.
pub fn worst<D, B>(report: &crate::report::Report<D, B>, told: u64, short: impl Fn(&Found<D>) -> Line) -> Option<Line> {
    let mut news = report.told().filter(|found| found.finding.state != FindingState::Ended);
    // a whole report tells what people know, too
    let is_whole = told == report.counted().count() as u64;
    let mut counted = report.findings.iter().filter(|found| found.finding.state != FindingState::Silenced);
    let worst = if is_whole { counted.next() } else { news.next() }?;
    let (all, others) = match told.saturating_sub(1) {
        0 => Default::default(),
        more => (format!("{}: ", plural(told, "finding")), format!(", and {} more", words::number(more))),
    };
    let (before, after) = match report.coverage().verdict() {
        Verdict::Complete => ("", ""),
        _ => ("incomplete: ", "; some records could not be read"),
    };
    let severity = words::severity(worst.finding.severity);
    Some(line![before, all, severity, " ", short(worst), others, after])
}

/// `Mallory Quick: 150 documents renamed within 10 min, more than 20`; of a finding of a room, `… in "Open day" (room 83): …`
fn short<D>(Found { finding, .. }: &Found<D>) -> Line {
    let reason = Line::from(finding.reasons.first().map_or("no reason given", Sentence::english));
    let place = finding.room.as_ref().map(|room| line![" in ", Where::from(room).line()]).unwrap_or_default();
    match finding.person.name.raw().trim() {
        "" => reason,
        _ => line![Line::name(&finding.person.name), place, ": ", reason],
    }
}

impl Head {
    /// A document that says nothing yet but what was read, and the notes.
    pub fn document(&self) -> Document {
        let Head { program, portal, run, window, coverage, notes, .. } = self;
        let maker = Maker { name: program.name.to_owned(), version: program.version.to_owned() };
        let portal =
            PortalLine { url: portal.shown().to_owned(), version: portal.version.clone(), time_zone: portal.time_zone };
        let run = RunLine { started_at: run.started_at, dry_run: run.dry_run };
        let mut document = Document::new(maker, portal, run, *window, coverage.clone());
        document.notes = notes.iter().map(|note| Line::from(note.as_str())).collect();
        document
    }

    /// All that a finding says by itself, with the pages of the portal that help; what to do is for the program to add.
    pub fn person(&self, finding: &Finding) -> PersonLine {
        let finding = &self.naming.finding(finding);
        let mut person = PersonLine::from(finding);
        person.who.page = person_page(&finding.person, &self.portal.url).map(String::from);
        if let Some(place) = &mut person.place {
            place.page = room_page(finding.room.as_ref(), &self.portal.url).map(String::from);
        }
        person
    }
}

/// Writes the files that were asked for, each at once and readable by nobody else.
///
/// # Errors
/// The files that could not be written, each with the reason and what to do.
pub(crate) fn write<P: Program>(
    files: &[ReportFile],
    report: &ReportOf<P>,
    document: &Document,
) -> Result<(), Vec<String>> {
    let write = |file: &ReportFile| -> Result<(), String> {
        let bytes = render(file.form, report, document).map_err(|error| error.to_string())?;
        files::replace(&file.path, &bytes, files::PRIVATE).map_err(|error| {
            format!("cannot write the report {}: {error}; check the folder and its rights", file.path.display())
        })
    };
    let failed: Vec<String> = files.iter().filter_map(|file| write(file).err()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

/// The whole report in a form: the JSON report as on stdout, everything else from its document.
///
/// # Errors
/// When a part of the report cannot be written as JSON.
pub fn render<D: serde::Serialize, B: serde::Serialize>(
    form: Form,
    report: &crate::report::Report<D, B>,
    document: &Document,
) -> serde_json::Result<Vec<u8>> {
    document.render(form, || json(report))
}

/// The JSON report, as on stdout.
pub(crate) fn json<D: serde::Serialize, B: serde::Serialize>(
    report: &crate::report::Report<D, B>,
) -> serde_json::Result<Vec<u8>> {
    let naming = &report.head.naming;
    let mut bytes = match naming.is_clear() {
        true => serde_json::to_vec_pretty(report)?,
        false => serde_json::to_vec_pretty(&naming.json(serde_json::to_value(report)?))?,
    };
    bytes.push(b'\n');
    Ok(bytes)
}
