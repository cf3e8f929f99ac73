//! The command line of a program: which flags and subcommands there are besides the common ones, and what they stand for.

use std::borrow::Cow;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use figment::value::Value;

use super::blank::refuse_blank;
use super::{CommonArgs, CommonCommand, ReportFormat};
use crate::Error;
use crate::about::About;

const DOCTOR: &str = "doctor";

/// A setting given by a flag.
#[derive(Debug, Clone)]
pub struct FlagSetting {
    pub(crate) flag: &'static str,
    pub(crate) key: Cow<'static, str>,
    pub(crate) value: Value,
}

impl FlagSetting {
    /// Says that `flag` (such as `--room`) sets `key` (such as `rooms`, dots between levels) to `value`.
    pub fn new(flag: &'static str, key: &'static str, value: impl Into<Value>) -> Self {
        Self { flag, key: Cow::Borrowed(key), value: value.into() }
    }

    /// An answer to `init`.
    pub(crate) fn answer(key: String, value: Value) -> Self {
        Self { flag: "--set", key: Cow::Owned(key), value }
    }

    /// The same of a flag that need not be given.
    pub fn optional(flag: &'static str, key: &'static str, value: Option<impl Into<Value>>) -> Option<Self> {
        value.map(|value| Self::new(flag, key, value))
    }

    /// The same of a flag that may be repeated, and need not be given.
    pub fn repeated(flag: &'static str, key: &'static str, values: &[String]) -> Option<Self> {
        Self::optional(flag, key, (!values.is_empty()).then(|| values.to_vec()))
    }
}

/// A program's whole command line: the common flags, its own, and a subcommand. Without one, the program does its job once.
#[derive(Parser)]
pub struct CommandLine<Flags: OwnFlags, Own: OwnCommand> {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    own: Flags,
    #[command(subcommand)]
    given: Option<AnyCommand<Own>>,
    /// Flags of [`Probe`]s.
    #[arg(skip)]
    probes: Vec<&'static Probe>,
}

/// Something that `doctor` tries at the portal only where a flag asks for it, because it is no mere look.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Without the dashes.
    pub flag: &'static str,
    /// Name of the [check](crate::Check) that tells what came of it.
    pub check: &'static str,
    /// For `--help`.
    pub help: &'static str,
}

impl<Flags: OwnFlags, Own: OwnCommand> CommandLine<Flags, Own> {
    /// The flags and subcommands of the program, as `--help` shows them.
    pub(crate) fn definition(about: &About, probes: &'static [Probe]) -> clap::Command {
        let flag = |probe: &Probe| Arg::new(probe.flag).long(probe.flag).help(probe.help).action(ArgAction::SetTrue);
        let command = Self::command().name(about.name).version(about.version).about(about.summary).long_about(None);
        command.mut_subcommand(DOCTOR, |doctor| doctor.args(probes.iter().map(flag)))
    }

    /// Reads argv.
    ///
    /// # Errors
    /// Bad usage, such as a value that is empty; help and the version, which are asked for, come as one, too.
    pub(crate) fn of_process(about: &About, probes: &'static [Probe]) -> Result<Self, clap::Error> {
        Self::of(std::env::args_os(), about, probes)
    }

    fn of(
        arguments: impl IntoIterator<Item = OsString>,
        about: &About,
        probes: &'static [Probe],
    ) -> Result<Self, clap::Error> {
        let mut command = Self::definition(about, probes);
        let matches = command.try_get_matches_from_mut(arguments)?;
        refuse_blank(&mut command, &matches)?;
        let doctor = matches.subcommand_matches(DOCTOR);
        let is_given = |probe: &&Probe| doctor.is_some_and(|doctor| doctor.get_flag(probe.flag));
        let probes = probes.iter().filter(is_given).collect();
        Ok(Self { probes, ..Self::from_arg_matches(&matches)? })
    }

    /// The flags of [`Probe`]s that were given.
    pub(crate) fn probes(&self) -> &[&'static Probe] {
        &self.probes
    }

    pub(crate) fn common(&self) -> &CommonArgs {
        &self.common
    }

    /// The subcommand that was given; without one, the program does its job once.
    pub(crate) fn given(&self) -> Option<&AnyCommand<Own>> {
        self.given.as_ref()
    }

    /// The program's own flags as settings, so that they override files and environment.
    pub(crate) fn settings(&self) -> Vec<FlagSetting> {
        self.own.settings()
    }

    /// The subcommand that was given, if it is one that all programs share.
    pub(crate) fn shared_command(&self) -> Option<&CommonCommand> {
        match self.given() {
            Some(AnyCommand::Common(command)) => Some(command),
            _ => None,
        }
    }

    /// Refuses flags that the given subcommand would ignore.
    pub(crate) fn refuse_ignored(&self) -> Result<(), Error> {
        let heeded = match self.given() {
            Some(AnyCommand::Common(command)) => command.heeded(),
            Some(AnyCommand::Own(command)) => command.heeded(),
            None => return Ok(()),
        };
        let mut given = RunFlag::ALL.into_iter().filter(|flag| flag.is_given(&self.common));
        given.find(|flag| !heeded.contains(flag)).map_or(Ok(()), |flag| Err(Error::IgnoredFlag(flag.name())))
    }
}

/// The flags of a program's own. No logic: each stands for a setting.
pub trait OwnFlags: Args {
    fn settings(&self) -> Vec<FlagSetting>;
}

/// The flags of a program that has none of its own.
#[derive(Clone, Copy, Debug, Args)]
pub struct NoFlags {}

impl OwnFlags for NoFlags {
    fn settings(&self) -> Vec<FlagSetting> {
        Vec::new()
    }
}

/// A subcommand: one that all programs share, or one of the program's own.
#[derive(Debug, Subcommand)]
pub enum AnyCommand<Own: Subcommand> {
    #[command(flatten)]
    Common(CommonCommand),
    #[command(flatten)]
    Own(Own),
}

/// A subcommand of a program's own.
pub trait OwnCommand: Subcommand {
    /// The flags about runs that it goes by. All others are refused.
    fn heeded(&self) -> &'static [RunFlag];
}

/// The subcommands of a program that has none of its own.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum NoCommand {}

impl OwnCommand for NoCommand {
    fn heeded(&self) -> &'static [RunFlag] {
        match *self {}
    }
}

/// A common flag that is about a run and its report. A subcommand refuses those that it does not go by: whoever gives one relies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFlag {
    Since,
    Until,
    /// `--format json`
    Json,
    Report,
    /// Heeded as well by whatever changes nothing anyway.
    DryRun,
    ExitCode,
}

impl RunFlag {
    pub(super) const ALL: [RunFlag; 6] =
        [RunFlag::Since, RunFlag::Until, RunFlag::Json, RunFlag::Report, RunFlag::DryRun, RunFlag::ExitCode];

    fn name(self) -> &'static str {
        match self {
            RunFlag::Since => "--since",
            RunFlag::Until => "--until",
            RunFlag::Json => "--format json",
            RunFlag::Report => "--report",
            RunFlag::DryRun => "--dry-run",
            RunFlag::ExitCode => "--exit-code",
        }
    }

    fn is_given(self, args: &CommonArgs) -> bool {
        match self {
            RunFlag::Since => args.since.is_some(),
            RunFlag::Until => args.until.is_some(),
            RunFlag::Json => args.format == ReportFormat::Json,
            RunFlag::Report => !args.reports.is_empty(),
            RunFlag::DryRun => args.dry_run,
            RunFlag::ExitCode => args.exit_code,
        }
    }
}

#[cfg(test)]
mod tests {
    use audit_model::MainSource;
    use chrono::TimeDelta;
    use clap::error::ErrorKind;

    use super::*;

    const ABOUT: About = About {
        name: "sample-job",
        version: "1.0.0",
        summary: "Does it",
        report_version: 1,
        window: TimeDelta::hours(1),
        main: MainSource::Audit,
        blind_spots: &[],
        judged_by: &[],
        schedule: "* * * * *",
        sends_alerts: true,
    };

    fn refusal(arguments: &[&str]) -> Option<clap::Error> {
        let arguments = ["sample-job"].iter().chain(arguments).map(OsString::from);
        CommandLine::<NoFlags, NoCommand>::of(arguments, &ABOUT, &[]).err()
    }

    #[test]
    fn a_value_that_says_nothing_is_refused_wherever_it_stands() {
        for (arguments, named) in [
            (&["alerts", "explain", ""][..], "'<ID>'"),
            (&["alerts", "explain", " \t"], "'<ID>'"),
            (&["alerts", "test", ""], "'[CHANNEL]'"),
            (&["store", "show", ""], "'<PERSON>'"),
            (&["store", "forget", "", "--reason", "asked"], "'<PERSON>'"),
            (&["store", "forget", "anna@example.com", "--reason", " "], "'--reason <TEXT>'"),
            (&["--portal", "", "doctor"], "'--portal <URL>'"),
            (&["doctor", "--portal="], "'--portal <URL>'"),
            (&["--config", "a.toml", "--config", " "], "'--config <FILE>'"),
        ] {
            let refused = refusal(arguments).unwrap_or_else(|| panic!("{arguments:?} is accepted"));
            assert_eq!(refused.kind(), ErrorKind::InvalidValue, "{arguments:?}: {refused}");
            assert!(
                refused.to_string().contains(&format!("the value of {named} is empty")),
                "{arguments:?}: {refused}"
            );
        }
        for arguments in [&[][..], &["alerts", "explain", "k3f9-q2mw"], &["alerts", "test"], &["-vv", "doctor"]] {
            let refused = refusal(arguments);
            assert!(refused.is_none(), "{arguments:?}: {}", refused.unwrap());
        }
    }
}
