//! What is said of all portals together. Reports wait in files until all are there, so that memory does not grow with the portals.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use job_store::files;
use report::Form;
use report::words::plural;
use serde::Serialize;

use super::outcome::{Outcome, Standing};
use crate::about::About;
use crate::args::{ReportFile, ReportFormat};
use crate::exit::Exit;

/// Whether a summary can be written in it.
pub(crate) fn has_form(form: Form) -> bool {
    matches!(form, Form::Json | Form::Text)
}

/// All portals of one round, and those whose runs of an earlier one are told with it.
pub(crate) struct Summary<'a> {
    pub(crate) about: &'static About,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) dry_run: bool,
    /// One for each portal, in the order of their names.
    pub(crate) outcomes: &'a [Outcome],
}

#[derive(Serialize)]
struct Head<'a> {
    schema: &'static str,
    program: crate::head::ProgramName,
    run: RunHead,
    exit_code: u8,
    portals: [&'a str; 0],
}

#[derive(Serialize)]
struct RunHead {
    started_at: String,
    dry_run: bool,
}

/// One portal in JSON, but for its report, which follows.
#[derive(Serialize)]
struct PortalHead<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    exit_code: u8,
    /// Absent where no run was started, or one is still at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

impl Summary<'_> {
    /// The worst of all.
    pub(crate) fn exit(&self) -> Exit {
        Exit::worst(self.outcomes.iter().map(|outcome| outcome.exit))
    }

    /// # Errors
    /// Stdout is full or closed.
    pub(crate) fn print(&self, format: ReportFormat) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        let report = |outcome: &Outcome| outcome.run.stdout();
        let written = match format {
            ReportFormat::Json => self.json(&mut out, report),
            ReportFormat::Text => self.text(&mut out, report, io::stdout().is_terminal()),
        };
        written.and_then(|()| out.flush()).context("cannot print the summary")
    }

    /// Every file that was asked for, with the whole report of each portal. The reasons why some could not be written.
    pub(crate) fn write_files(&self, wanted: &[ReportFile]) -> Vec<String> {
        let write = |file: &ReportFile| {
            let mut bytes = Vec::new();
            let report = |outcome: &Outcome| outcome.run.spooled(file.form);
            match file.form {
                Form::Json => self.json(&mut bytes, report)?,
                _ => self.text(&mut bytes, report, true)?,
            }
            files::replace(&file.path, &bytes, files::PRIVATE)
        };
        let failed = |file: &ReportFile| {
            let why = write(file).err()?;
            let path = file.path.display();
            Some(format!("cannot write the summary {path}: {why}; check the folder and its rights"))
        };
        wanted.iter().filter_map(failed).collect()
    }

    /// The portals that have something to say, each below its name, and how many there are; nothing when all are quiet. `is_whole`: how
    /// many there are in any case, and each that has not concluded.
    fn text(&self, out: &mut impl Write, report: impl Fn(&Outcome) -> PathBuf, is_whole: bool) -> io::Result<()> {
        let mut said = 0;
        // whom another run looks at has no news here
        let is_shown = |outcome: &&Outcome| is_whole || outcome.standing != Standing::Left;
        for outcome in self.outcomes.iter().filter(is_shown) {
            let portal = outcome.run.portal();
            let report = read(outcome, &report)?;
            let has_failed = !outcome.exit.is_success() && (outcome.has_logged || is_whole);
            let sentence = match (&outcome.note, report.is_empty() && has_failed) {
                (Some(note), _) => Some(note.clone()),
                (None, true) => Some(sentence(outcome.exit, outcome.has_logged, &portal.name)),
                (None, false) => None,
            };
            if report.is_empty() && sentence.is_none() {
                continue;
            }
            said += 1;
            let heading = match &portal.url {
                Some(url) => format!("{} ({})", portal.name, url.as_str().trim_end_matches('/')),
                None => portal.name.clone(),
            };
            writeln!(out, "{heading}\n{}", "=".repeat(heading.chars().count()))?;
            sentence.map_or(Ok(()), |sentence| writeln!(out, "Note: {sentence}"))?;
            out.write_all(&report)?;
            writeln!(out)?;
        }
        if said > 0 || is_whole { writeln!(out, "{}", self.tally()) } else { Ok(()) }
    }

    /// `500 portals: 498 concluded, 1 incomplete, 1 with wrong settings`.
    fn tally(&self) -> String {
        let standing = |standing| self.outcomes.iter().filter(move |outcome| outcome.standing == standing);
        let count = |exits: &[Exit]| standing(Standing::Done).filter(|outcome| exits.contains(&outcome.exit)).count();
        let parts = [
            (count(&[Exit::Concluded, Exit::Findings]), "concluded"),
            (standing(Standing::Left).count(), "left to another run"),
            (standing(Standing::AtWork).count(), "still at work"),
            (count(&[Exit::Incomplete]), "incomplete"),
            (count(&[Exit::Usage]), "with wrong settings"),
            (count(&[Exit::Nothing]), "without a conclusion"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        format!("{}: {}", plural(self.outcomes.len() as u64, "portal"), parts.join(", "))
    }

    /// One document, with the report of each portal as it stands.
    fn json(&self, out: &mut impl Write, report: impl Fn(&Outcome) -> PathBuf) -> io::Result<()> {
        let head = Head {
            schema: "fleet/1",
            program: crate::head::ProgramName { name: self.about.name, version: self.about.version },
            run: RunHead {
                started_at: self.started_at.to_rfc3339_opts(SecondsFormat::Secs, true),
                dry_run: self.dry_run,
            },
            exit_code: self.exit() as u8,
            portals: [],
        };
        let head = serde_json::to_string_pretty(&head)?;
        let (head, _) = head.rsplit_once(']').unwrap_or((&head, ""));
        out.write_all(head.as_bytes())?;
        for (index, outcome) in self.outcomes.iter().enumerate() {
            let portal = outcome.run.portal();
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            let object = serde_json::to_string_pretty(&PortalHead {
                name: &portal.name,
                url: portal.url.as_ref().map(|url| url.as_str().trim_end_matches('/')),
                exit_code: outcome.exit as u8,
                seconds: outcome.took.map(|took| (took.as_secs_f64() * 1000.0).round() / 1000.0),
                note: outcome.note.as_deref(),
            })?;
            let text = read(outcome, &report)?;
            let text = String::from_utf8_lossy(&text);
            // what a run that was killed has left is none
            let is_whole = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            let object = match object.strip_suffix("\n}").filter(|_| is_whole) {
                Some(open) => format!("{open},\n  \"report\": {}\n}}", text.trim_end().replace('\n', "\n  ")),
                None => object,
            };
            write!(out, "    {}", object.replace('\n', "\n    "))?;
        }
        writeln!(out, "\n  ]\n}}")
    }
}

/// What a run has written; nothing where it has not, or is still at it.
fn read(outcome: &Outcome, report: impl Fn(&Outcome) -> PathBuf) -> io::Result<Vec<u8>> {
    if outcome.standing == Standing::AtWork {
        return Ok(Vec::new());
    }
    match fs::read(report(outcome)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Of a run that printed no report.
fn sentence(exit: Exit, has_logged: bool, name: &str) -> String {
    let what = match exit {
        Exit::Usage => "its settings or flags cannot be followed",
        Exit::Incomplete => "not everything could be seen",
        _ => "nothing could be concluded",
    };
    let why = if has_logged {
        format!("the lines of the log that begin with `{name}:` say why")
    } else {
        "the reason was told before and is not told again yet".to_owned()
    };
    format!("{what}; {why}")
}
