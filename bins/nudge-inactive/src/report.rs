//! The report in its forms: what is new for whoever runs the program, and the whole for the manager. Pure.

mod csv;
mod html;
mod text;
mod words;

use std::io;

use alerting::{Mail, Recipient};
use sha2::{Digest, Sha256};

pub(crate) use words::{room_page, who};

use crate::body::Report;
use crate::config::Form;

/// Writes the report of a run; nothing at all when there is nothing new to say, unless the whole was asked for.
pub(crate) fn text(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    match report.body.print {
        Some(form) => whole(report, form, out),
        None => text::news(report, out),
    }
}

/// Writes everything that the manager should know, also when everybody was active.
pub(crate) fn whole(report: &Report, form: Form, out: &mut impl io::Write) -> io::Result<()> {
    match form {
        Form::Text => text::whole(report, out),
        Form::Html => html::whole(report, out),
        Form::Csv => csv::whole(report, out),
        Form::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)
        }
    }
}

/// The whole report as a mail; the same window and address give the same `Message-ID`.
pub(crate) fn manager_mail(report: &Report, address: &str) -> io::Result<Mail> {
    let body = |form| -> io::Result<String> {
        let mut bytes = Vec::new();
        whole(report, form, &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let head = &report.head;
    let key = format!("manager {address} {} {}", head.portal.shown(), head.window);
    let host = head.portal.shown().rsplit('/').next().and_then(|host| host.split(':').next()).unwrap_or("localhost");
    Ok(Mail {
        to: Recipient { name: String::new(), address: address.to_owned() },
        subject: words::headline(report),
        text: body(Form::Text)?,
        html: Some(body(Form::Html)?),
        message_id: format!("{}@{host}", hex::encode(&Sha256::digest(key)[..16])),
        unsubscribe: Vec::new(),
        date: head.run.started_at,
    })
}
