//! What of this process's own flags and environment reaches the runs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ArgAction;
use clap::parser::ValueSource;

use super::summary;
use crate::Error;
use crate::args::{CommonArgs, ReportFile};
use crate::config::{Sources, variable_of};
use crate::key_origin::KEY_VARIABLE;
use crate::program::{CommandLineOf, Program};
use crate::secret;
use crate::state_path::PORTAL;

/// What is not handed on as it is: the files of settings, the reports, and what is about one portal.
const NOT_HANDED_ON: [&str; 4] = ["config", "portal", "reports", "help"];

/// What every run of a fleet is started with.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// This program, as it was called: after an upgrade the next run is one of the new version.
    pub(crate) program: PathBuf,
    pub(crate) flags: Vec<OsString>,
    /// The variable that names a run's own metrics file.
    pub(crate) textfile_variable: String,
    /// Where the reports of all go.
    pub(crate) summaries: Vec<ReportFile>,
}

impl Arguments {
    /// # Errors
    /// A summary is wanted in a form that it does not have.
    pub(crate) fn of<P: Program>(args: &CommonArgs) -> anyhow::Result<Self> {
        let (own_reports, summaries): (Vec<_>, Vec<_>) =
            args.reports.iter().cloned().partition(|file| names_portal(&file.path));
        if let Some(file) = summaries.iter().find(|file| !summary::has_form(file.form)) {
            return Err(Error::SummaryForm(file.path.clone()).into());
        }
        Ok(Arguments {
            program: std::env::current_exe().context("cannot tell where this program is")?,
            flags: handed_on::<P>(args, &own_reports)?,
            textfile_variable: variable_of(P::ABOUT.name, "textfile"),
            summaries,
        })
    }
}

fn names_portal(path: &Path) -> bool {
    path.to_string_lossy().contains(PORTAL)
}

/// A key in the environment would be sent to every portal, and an address there would make all of them one.
pub(crate) fn refuse_one_for_all(args: &CommonArgs, sources: &Sources) -> Result<(), Error> {
    let environment = &sources.environment;
    let (url, key) = (
        "set `portal.url` in each file",
        "set `key_file` in each file, or name the portal by `{portal}` in a shared one",
    );
    if args.portal.is_some() {
        return Err(Error::OneForAll("`--portal`", url));
    }
    if environment.get("DOCSPACE_API_HOST").is_some() {
        return Err(Error::OneForAll("environment variable `DOCSPACE_API_HOST`", url));
    }
    if args.key_file.as_ref().is_some_and(|path| !names_portal(path)) {
        return Err(Error::OneForAll("`--key-file` without `{portal}` in it", key));
    }
    if args.key_file.is_none() && environment.get(KEY_VARIABLE).is_some() {
        return Err(Error::OneForAll("environment variable `DOCSPACE_API_KEY`", key));
    }
    if args.key_file.is_none() && secret::has_credential(environment) {
        return Err(Error::OneForAll("the credential `docspace-api-key`", key));
    }
    Ok(())
}

/// The flags of this process, for each run. All that stand before or after `fleet` and are no own ones of it count.
fn handed_on<P: Program>(args: &CommonArgs, reports: &[ReportFile]) -> anyhow::Result<Vec<OsString>> {
    let command = CommandLineOf::<P>::definition(&P::ABOUT, P::PROBES);
    let matches = command.clone().try_get_matches()?;
    let mut arguments: Vec<OsString> = Vec::new();
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        let Some(flag) = argument.get_long().filter(|_| is_given && !NOT_HANDED_ON.contains(&id)) else { continue };
        match argument.get_action() {
            ArgAction::SetTrue => arguments.push(format!("--{flag}").into()),
            ArgAction::Count => (0..matches.get_count(id)).for_each(|_| arguments.push(format!("--{flag}").into())),
            _ => matches.get_raw(id).into_iter().flatten().for_each(|value| arguments.push(with_value(flag, value))),
        }
    }
    arguments.extend(args.config.iter().map(|path| with_value("config", path.as_os_str())));
    arguments.extend(reports.iter().map(|file| with_value("report", file.path.as_os_str())));
    Ok(arguments)
}

pub(crate) fn with_value(flag: &str, value: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{flag}="));
    argument.push(value);
    argument
}
