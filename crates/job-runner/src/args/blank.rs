//! Values on the command line that say nothing.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Refuses values that are empty or only blanks, of every argument of the command and of the subcommand that was given. Where a script
/// writes `release "$PERSON"` and nothing has set `PERSON`, nobody is meant: neither everybody, nor the first, nor what holds without the flag.
///
/// # Errors
/// Bad usage, which names the argument.
pub(super) fn refuse_blank(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let is_blank = |id: &str| {
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        let mut values = matches.get_raw(id).into_iter().flatten();
        is_given && values.any(|value| value.to_string_lossy().trim().is_empty())
    };
    let blank = command.get_arguments().find(|argument| is_blank(argument.get_id().as_str())).map(ToString::to_string);
    if let Some(argument) = blank {
        return Err(command.error(ErrorKind::InvalidValue, format!("the value of '{argument}' is empty")));
    }
    match matches.subcommand() {
        Some((name, given)) => command.find_subcommand_mut(name).map_or(Ok(()), |below| refuse_blank(below, given)),
        None => Ok(()),
    }
}
