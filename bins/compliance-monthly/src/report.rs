//! The report on stdout: the published first lines, the first page, and where the files are. Pure.

use std::io;

use job_runner::args::ReportFormat;

use crate::outcome::Outcome;
use crate::txt;
use crate::upload::State;
use ::report::words::plural;

/// Writes the report; this program always has something to say.
pub(crate) fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
    match format {
        ReportFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, outcome)?;
            writeln!(out)
        }
        ReportFormat::Text => text(outcome, out),
    }
}

fn text(outcome: &Outcome, out: &mut impl io::Write) -> io::Result<()> {
    txt::published_lines(outcome.period.first_day, outcome.period.last_day, outcome.counts.events, out)?;
    for note in &outcome.head.notes {
        writeln!(out, "Note: {note}")?;
    }
    txt::blocks(&outcome.page_one.page_one, out)?;
    if let Some(report) = &outcome.report {
        writeln!(out, "\nFiles in {}:", report.folder.display())?;
        for file in &report.files {
            let rows = file.rows.map(|rows| format!(", {}", plural(rows, "row"))).unwrap_or_default();
            writeln!(out, "  - {} ({} bytes{rows})", file.name, file.bytes)?;
        }
    }
    if let Some(upload) = &outcome.upload {
        writeln!(out, "\nUploads into {} (folder {}):", upload.path, upload.folder)?;
        for action in &outcome.actions {
            let id = action.id.as_ref().map(|id| format!(", file {id}")).unwrap_or_default();
            writeln!(out, "  - {}: {}{id}: {}", action.title, words(action.state), action.reason)?;
        }
        for note in &upload.notes {
            writeln!(out, "  {note}")?;
        }
    }
    Ok(())
}

fn words(state: State) -> &'static str {
    match state {
        State::Held => "HELD BACK",
        State::Done => "uploaded",
        State::Failed => "NOT UPLOADED",
        State::Already => "there already",
    }
}
