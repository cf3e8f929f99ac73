//! What is said of all portals together. Reports wait in files until all are there, so that memory does not grow with the portals.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use job_store::files;
use report::Form;
use report::words::plural;
use serde::Serialize;

use super::child::{Ended, How};
use super::portals::Portal;
use crate::about::About;
use crate::args::{ReportFile, ReportFormat};
use crate::exit::Exit;
use crate::time_spec::Age;

/// How it went with one portal.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// In the order of the portals.
    pub(crate) index: usize,
    pub(crate) exit: Exit,
    /// Whether its run was not able to tell those who watch how it ended.
    pub(crate) is_cut: bool,
    /// Whether its run came to begin.
    pub(crate) was_started: bool,
    /// Whether its run found another one at work on the portal.
    is_left: bool,
    took: Option<Duration>,
    /// What its run could not say itself.
    note: Option<String>,
    has_logged: bool,
}

impl Outcome {
    pub(crate) fn refused(index: usize, refusal: &str) -> Self {
        Outcome::without_run(index, Exit::Usage, refusal)
    }

    pub(crate) fn not_looked_at(index: usize) -> Self {
        Outcome::without_run(index, Exit::Incomplete, "not looked at: somebody ended the fleet before its turn")
    }

    fn without_run(index: usize, exit: Exit, note: &str) -> Self {
        let note = Some(note.to_owned());
        Outcome { index, exit, is_cut: false, was_started: false, is_left: false, took: None, note, has_logged: false }
    }

    /// `says_left`: whether the run has said so before it ended.
    pub(crate) fn of(index: usize, ended: &Ended, took: Duration, says_left: bool) -> Self {
        let (exit, note) = match &ended.how {
            How::NotStarted(failure) => {
                (Exit::Nothing, Some(format!("not looked at: its run could not be started ({failure})")))
            }
            How::Unknown(failure) => (Exit::Nothing, Some(format!("nobody can tell how its run ended ({failure})"))),
            How::Hung(limit) => {
                let limit = Age(Duration::from_secs(limit.as_secs()));
                (
                    Exit::Nothing,
                    Some(format!("its run did not end within {limit}, and was ended; look into `run_limit`")),
                )
            }
            How::Status { status, was_stopped } => match (status.code(), status.code().and_then(Exit::of_number)) {
                (_, Some(exit)) => (exit, None),
                (None, None) if *was_stopped => {
                    (Exit::Incomplete, Some("somebody ended the fleet before its run had begun to look".to_owned()))
                }
                _ => (Exit::Nothing, Some(format!("its run broke off ({status})"))),
            },
        };
        let is_cut = note.is_some();
        let is_left = says_left && exit == Exit::Concluded;
        let note = note.or_else(|| is_left.then(|| "left to another run, which is at work on this portal".to_owned()));
        let was_started = !matches!(ended.how, How::NotStarted(_));
        let has_logged = ended.has_logged;
        Outcome { index, exit, is_cut, was_started, is_left, took: Some(took), note, has_logged }
    }
}

/// Where the report of a run on stdout waits.
pub(crate) fn stdout(spool: &Path, index: usize) -> PathBuf {
    spool.join(format!("{index}.out"))
}

/// What a run makes that leaves its portal to another one.
pub(crate) fn left(spool: &Path, index: usize) -> PathBuf {
    spool.join(format!("{index}.left"))
}

/// Where the whole report of a run waits for a file that was asked for.
pub(crate) fn spooled(spool: &Path, index: usize, form: Form) -> PathBuf {
    spool.join(format!("{index}.{}", if form == Form::Json { "json" } else { "txt" }))
}

/// Whether a summary can be written in it.
pub(crate) fn has_form(form: Form) -> bool {
    matches!(form, Form::Json | Form::Text)
}

/// All portals of one fleet.
pub(crate) struct Summary<'a> {
    pub(crate) about: &'static About,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) dry_run: bool,
    pub(crate) portals: &'a [Portal],
    /// One for each portal, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) spool: &'a Path,
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
    /// Absent where no run was started.
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
        let report = |index| stdout(self.spool, index);
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
            let report = |index| spooled(self.spool, index, file.form);
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
    fn text(&self, out: &mut impl Write, report: impl Fn(usize) -> PathBuf, is_whole: bool) -> io::Result<()> {
        let mut said = 0;
        // whom another run looks at has no news here
        let is_shown = |outcome: &Outcome| is_whole || !outcome.is_left;
        for (portal, outcome) in self.portals.iter().zip(&self.outcomes).filter(|(_, outcome)| is_shown(outcome)) {
            let report = read(&report(outcome.index))?;
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
        let (left, looked_at): (Vec<_>, Vec<_>) = self.outcomes.iter().partition(|outcome| outcome.is_left);
        let count = |exits: &[Exit]| looked_at.iter().filter(|outcome| exits.contains(&outcome.exit)).count();
        let parts = [
            (count(&[Exit::Concluded, Exit::Findings]), "concluded"),
            (left.len(), "left to another run"),
            (count(&[Exit::Incomplete]), "incomplete"),
            (count(&[Exit::Usage]), "with wrong settings"),
            (count(&[Exit::Nothing]), "without a conclusion"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        format!("{}: {}", plural(self.portals.len() as u64, "portal"), parts.join(", "))
    }

    /// One document, with the report of each portal as it stands.
    fn json(&self, out: &mut impl Write, report: impl Fn(usize) -> PathBuf) -> io::Result<()> {
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
        for (portal, outcome) in self.portals.iter().zip(&self.outcomes) {
            out.write_all(if outcome.index == 0 { b"\n" } else { b",\n" })?;
            let object = serde_json::to_string_pretty(&PortalHead {
                name: &portal.name,
                url: portal.url.as_ref().map(|url| url.as_str().trim_end_matches('/')),
                exit_code: outcome.exit as u8,
                seconds: outcome.took.map(|took| (took.as_secs_f64() * 1000.0).round() / 1000.0),
                note: outcome.note.as_deref(),
            })?;
            let text = read(&report(outcome.index))?;
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

/// What a run has written; nothing where it has not.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The fleet goes on, and says so of this portal alone.
    #[test]
    fn a_run_whose_end_is_not_known_concludes_nothing() {
        let ended = Ended { how: How::Unknown(io::Error::other("no child processes")), has_logged: false };
        let outcome = Outcome::of(0, &ended, Duration::ZERO, false);
        assert_eq!((outcome.exit, outcome.was_started, outcome.is_cut), (Exit::Nothing, true, true));
        assert_eq!(outcome.note.as_deref(), Some("nobody can tell how its run ended (no child processes)"));
    }
}
