//! The flags that every program has. Parsing only: what they lead to is decided elsewhere.
//!
//! `DOCSPACE_API_HOST` and `STATE_DIRECTORY` are read by [`crate::config`] and not by clap, so that a setting still
//! knows whether it came from a flag or from the environment.

mod blank;
mod command_line;
mod commands;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{ArgAction, Args, ValueEnum};
use report::Form;

use crate::state_path::Placeholders;
use crate::time_spec::TimeSpec;

pub use command_line::{
    AnyCommand, CommandLine, FlagSetting, NoCommand, NoFlags, OwnCommand, OwnFlags, Probe, RunFlag,
};
pub use commands::{
    AlertsCommand, CommonCommand, ConfigCommand, FleetArgs, InitArgs, SetKey, SilenceCommand, StoreCommand,
};

/// The common flags. They are global: they may stand before or after a subcommand.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// Address of the portal: scheme, host and port, no path [env: DOCSPACE_API_HOST]
    #[arg(long, global = true, value_name = "URL")]
    pub portal: Option<String>,

    /// Accept plain http to hosts other than this one
    #[arg(long, global = true)]
    pub allow_http: bool,

    /// File with the API key [env: DOCSPACE_API_KEY holds the key itself]
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// This program's settings file, TOML; can be repeated, later files override earlier ones
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Vec<PathBuf>,

    /// Settings file shared by several programs, TOML; --config overrides it
    #[arg(long, global = true, value_name = "FILE")]
    pub portal_config: Option<PathBuf>,

    /// Start of the window: instant with offset or Z, date (start of day at the portal), or age (45m, 12h, 30d) before the end of the window
    #[arg(long, global = true, value_name = "TIME")]
    pub since: Option<TimeSpec>,

    /// End of the window (exclusive); same forms, but an age counts back from now [default: now]
    #[arg(long, global = true, value_name = "TIME")]
    pub until: Option<TimeSpec>,

    /// Where this program remembers: a folder, or a server as postgres://ROLE@HOST/DATABASE [env: STATE_DIRECTORY]
    #[arg(long, global = true, value_name = "DIR|URL")]
    pub state: Option<String>,

    /// Format of the report on stdout
    #[arg(long, global = true, value_enum, default_value_t)]
    pub format: ReportFormat,

    /// Also write the full report to FILE; the extension sets the format (.html, .txt, .csv or .json); can be repeated
    #[arg(long = "report", global = true, value_name = "FILE")]
    pub reports: Vec<ReportFile>,

    /// Only read and report: change nothing, send nothing, remember nothing
    #[arg(long, global = true)]
    pub dry_run: bool,

    /// Exit with 3 when there are findings
    #[arg(long, global = true)]
    pub exit_code: bool,

    /// Log more on stderr; give it twice for more detail [env: RUST_LOG]
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,

    /// Log errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// A file that gets the whole report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    pub path: PathBuf,
    pub form: Form,
}

impl FromStr for ReportFile {
    type Err = report::Error;

    fn from_str(text: &str) -> Result<Self, report::Error> {
        let path = PathBuf::from(text);
        Ok(ReportFile { form: Form::of_file(&path)?, path })
    }
}

/// Form of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

impl CommonArgs {
    /// Beginning and end of the window as the flags say; `None` for a flag that is not given. `zone` is the portal's.
    pub fn window(&self, now: DateTime<Utc>, zone: Tz) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let until = self.until.map(|time| time.resolve(now, zone));
        // so that the same two flags mean a window of the same length on any day
        let since = self.since.map(|time| time.resolve(until.unwrap_or(now), zone));
        (since, until)
    }

    /// With the placeholders of its paths filled in that are no settings: those of the key file and of the reports.
    pub(crate) fn filled_in(&self, placeholders: Option<&Placeholders>) -> Self {
        let fill = |path: &Path| placeholders.map_or_else(|| path.to_owned(), |it| it.filled_in_path(path));
        let reports = self.reports.iter().map(|file| ReportFile { path: fill(&file.path), form: file.form });
        CommonArgs { key_file: self.key_file.as_deref().map(fill), reports: reports.collect(), ..self.clone() }
    }

    /// Whether the end of the window is counted from a clock.
    pub(crate) fn ends_by_clock(&self) -> bool {
        !matches!(self.until, Some(TimeSpec::Instant(_) | TimeSpec::Date(_)))
    }

    /// The flags that stand for settings. `--key-file` is not one: it ranks above the key in the environment, the
    /// setting `key_file` below it ([`crate::secret`]).
    pub(crate) fn settings(&self) -> Vec<FlagSetting> {
        let portal = self.portal.as_ref().map(|url| FlagSetting::new("--portal", "portal.url", url.as_str()));
        let state = self.state.as_ref().map(|folder| FlagSetting::new("--state", "state", folder.as_str()));
        let allow_http = self.allow_http.then(|| FlagSetting::new("--allow-http", "portal.allow_http", true));
        [portal, state, allow_http].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser, Subcommand};

    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "vdr-watch")]
    struct Cli {
        #[command(flatten)]
        common: CommonArgs,
        #[command(subcommand)]
        command: Option<Command>,
    }

    #[derive(Debug, Subcommand)]
    enum Command {
        Doctor,
    }

    fn parse(arguments: &[&str]) -> Result<CommonArgs, clap::Error> {
        Cli::try_parse_from(["vdr-watch"].iter().chain(arguments)).map(|cli| cli.common)
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_flags_everything_is_default() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.format, ReportFormat::Text);
        assert_eq!((args.verbose, args.quiet, args.dry_run, args.exit_code), (0, false, false, false));
        assert!(args.settings().is_empty());
    }

    #[test]
    fn flags_are_parsed_before_and_after_a_subcommand() {
        let flags = ["--format", "json", "-vv", "--since", "12h", "--until", "2026-11-20", "--dry-run"];
        let before: Vec<_> = flags.into_iter().chain(["doctor"]).collect();
        let after: Vec<_> = ["doctor"].into_iter().chain(flags).collect();
        for arguments in [before, after] {
            let args = parse(&arguments).unwrap();
            assert_eq!(args.format, ReportFormat::Json, "{arguments:?}");
            assert_eq!(args.verbose, 2);
            assert!(matches!(args.since, Some(TimeSpec::Age(_))));
            assert!(matches!(args.until, Some(TimeSpec::Date(_))));
            assert!(args.dry_run);
        }
    }

    #[test]
    fn an_age_counts_back_from_the_end_of_the_window_and_that_from_now() {
        let now: DateTime<Utc> = "2028-02-29T12:00:00Z".parse().unwrap();
        for (arguments, since, until) in [
            (vec!["--since", "1d"], Some("2028-02-28T12:00:00Z"), None),
            (vec!["--until", "1d"], None, Some("2028-02-28T12:00:00Z")),
            (vec!["--since", "1d", "--until", "1d"], Some("2028-02-27T12:00:00Z"), Some("2028-02-28T12:00:00Z")),
            (
                vec!["--since", "1d", "--until", "2028-02-01"],
                Some("2028-01-30T23:00:00Z"),
                Some("2028-01-31T23:00:00Z"),
            ),
            (
                vec!["--since", "2028-02-01", "--until", "1h"],
                Some("2028-01-31T23:00:00Z"),
                Some("2028-02-29T11:00:00Z"),
            ),
        ] {
            let expected = [since, until].map(|text| text.map(|text| text.parse().unwrap()));
            assert_eq!(parse(&arguments).unwrap().window(now, Tz::Europe__Berlin), expected.into(), "{arguments:?}");
        }
    }

    #[test]
    fn a_bad_time_is_refused_with_the_reason() {
        let message = parse(&["--since", "2026-11-20T09:00:00"]).unwrap_err().to_string();
        assert!(message.contains("--since") && message.contains("needs an offset"), "{message}");
    }

    #[test]
    fn quiet_and_verbose_exclude_each_other() {
        assert_eq!(parse(&["-q", "-v"]).unwrap_err().kind(), clap::error::ErrorKind::ArgumentConflict);
    }

    #[test]
    fn help_names_the_environment() {
        let help = Cli::command().render_help().to_string();
        for name in ["DOCSPACE_API_HOST", "DOCSPACE_API_KEY", "STATE_DIRECTORY", "RUST_LOG"] {
            assert!(help.contains(name), "{name} in\n{help}");
        }
    }
}
