//! The report in its forms: what is new for whoever runs the program, and the whole for the manager. Pure.

mod csv;
mod html;
mod text;
mod words;

use std::io;

use alerting::{Mail, Recipient};
use audit_model::FindingState;
use job_runner::args::ReportFormat;
use sha2::{Digest, Sha256};

pub(crate) use words::{room_page, who};

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

/// The whole report as a mail; the same window and address give the same `Message-ID`.
pub(crate) fn manager_mail(outcome: &Outcome, address: &str) -> io::Result<Mail> {
    let body = |form| -> io::Result<String> {
        let mut bytes = Vec::new();
        whole(outcome, form, &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let head = &outcome.head;
    let key = format!("manager {address} {} {}", head.portal.url, head.window);
    let host = head.portal.url.rsplit('/').next().and_then(|host| host.split(':').next()).unwrap_or("localhost");
    Ok(Mail {
        to: Recipient { name: String::new(), address: address.to_owned() },
        subject: words::headline(outcome),
        text: body(Form::Text)?,
        html: Some(body(Form::Html)?),
        message_id: format!("{}@{host}", hex::encode(&Sha256::digest(key)[..16])),
        unsubscribe: Vec::new(),
        date: head.run.started_at,
    })
}

fn is_told(state: FindingState) -> bool {
    matches!(state, FindingState::New | FindingState::Grown)
}
