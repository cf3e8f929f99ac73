//! The report in its forms: what is new for whoever runs the program, and the whole for the manager. Pure.

mod csv;
mod html;
mod text;
mod words;

use std::io;

use audit_model::FindingState;
use job_runner::args::ReportFormat;

use crate::config::Form;
use crate::outcome::Outcome;

/// Writes the report of a run. Text says nothing at all when there is nothing new to say, unless the whole was asked for.
pub(crate) fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
    match (outcome.print, format) {
        (Some(form), _) => whole(outcome, form, out),
        (None, ReportFormat::Json) => whole(outcome, Form::Json, out),
        (None, ReportFormat::Text) => text::news(outcome, out),
    }
}

/// Writes everything that the manager should know, also when everybody was active.
pub(crate) fn whole(outcome: &Outcome, form: Form, out: &mut impl io::Write) -> io::Result<()> {
    match form {
        Form::Text => text::whole(outcome, out),
        Form::Html => html::whole(outcome, out),
        Form::Csv => csv::whole(outcome, out),
        Form::Json => {
            serde_json::to_writer_pretty(&mut *out, outcome)?;
            writeln!(out)
        }
    }
}

fn is_told(state: FindingState) -> bool {
    matches!(state, FindingState::New | FindingState::Grown)
}
