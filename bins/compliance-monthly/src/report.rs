//! The report on stdout: the published first lines, the first page, and where the files are. Pure.

use std::io;

use crate::body::Report;
use crate::txt;
use crate::upload::State;
use ::report::words::plural;

/// Writes the report; this program always has something to say.
pub(crate) fn text(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    txt::published_lines(report.body.period.first_day, report.body.period.last_day, report.body.counts.events, out)?;
    for note in &report.head.notes {
        writeln!(out, "Note: {note}")?;
    }
    txt::blocks(&report.body.page_one.page_one, out)?;
    if let Some(written) = &report.body.report {
        writeln!(out, "\nFiles in {}:", written.folder.display())?;
        for file in &written.files {
            let rows = file.rows.map(|rows| format!(", {}", plural(rows, "row"))).unwrap_or_default();
            writeln!(out, "  - {} ({} bytes{rows})", file.name, file.bytes)?;
        }
    }
    if let Some(upload) = &report.body.upload {
        writeln!(out, "\nUploads into {} (folder {}):", upload.path, upload.folder)?;
        for action in &report.body.actions {
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
