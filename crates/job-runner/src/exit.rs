//! Exit codes: what they mean, and which one wins. Ending the process is left to the caller.

use std::process::ExitCode;

use crate::Error;

/// How a process ends. Scripts and monitoring rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Concluded, with findings or without.
    Concluded = 0,
    /// Nothing can be concluded, or a critical alert reached nobody.
    Nothing = 1,
    /// Flags or configuration: fails again until somebody edits them. The number is the one clap uses.
    Usage = 2,
    /// Findings, when asked for with `--exit-code`; an action or a plan that was held back, always.
    Findings = 3,
    /// Part of the window was read. Never an all-clear.
    Incomplete = 4,
}

impl Exit {
    /// Whether a heartbeat reports success: findings are the job done well.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Concluded | Self::Findings)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// What a finished run knows about itself, as far as the exit code depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ending {
    /// Nothing can be concluded, or a critical alert reached nobody.
    pub nothing: bool,
    /// A flag or a setting cannot be followed: fails again until somebody edits it.
    pub usage: bool,
    /// Something in the window could not be seen.
    pub incomplete: bool,
    /// There are findings.
    pub findings: bool,
    /// A breaker or a lock-out check held back an action or a plan.
    pub held: bool,
}

/// The exit code of a run: 1 wins over all, then 2, then 4, then 3. Findings count only with `--exit-code`, held actions always.
pub fn decide(ending: Ending, exit_code_flag: bool) -> Exit {
    if ending.nothing {
        Exit::Nothing
    } else if ending.usage {
        Exit::Usage
    } else if ending.incomplete {
        Exit::Incomplete
    } else if ending.held || (ending.findings && exit_code_flag) {
        Exit::Findings
    } else {
        Exit::Concluded
    }
}

/// Worst first: a portal whose settings are wrong is not looked at until somebody edits them, and so worse off than one of which a part
/// was not seen, for which the next run asks by itself.
const WORST_FIRST: [Exit; 5] = [Exit::Nothing, Exit::Usage, Exit::Incomplete, Exit::Findings, Exit::Concluded];

impl Exit {
    /// The exit code of several runs together, in the order of [`decide`].
    pub(crate) fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
        let rank = |exit: &Exit| WORST_FIRST.iter().position(|it| it == exit);
        exits.into_iter().min_by_key(rank).unwrap_or(Exit::Nothing)
    }

    /// `None` for a number that no run ends with.
    pub(crate) fn of_number(number: i32) -> Option<Exit> {
        WORST_FIRST.into_iter().find(|exit| *exit as i32 == number)
    }
}

/// How a process ends that failed: mistakes in flags and settings are for whoever edits them.
pub(crate) fn exit_of(failure: &anyhow::Error) -> Exit {
    let is_usage = failure.is::<Error>() || failure.is::<outbound::Error>() || is_moved(failure);
    if is_usage { Exit::Usage } else { Exit::Nothing }
}

/// Whether the store that is set is not the one to use, because it was moved, or a move into it has not ended. No run goes on without memory
/// then: the memory is elsewhere, and somebody has to say so in the settings.
pub(crate) fn is_moved(failure: &anyhow::Error) -> bool {
    use job_store::Error::{HalfMoved, MovedAway};
    failure.chain().any(|cause| matches!(cause.downcast_ref(), Some(MovedAway { .. } | HalfMoved { .. })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        // nothing, incomplete, findings, held, --exit-code → code
        let table = [
            ([false, false, false, false, false], 0),
            ([false, false, false, false, true], 0),
            ([false, false, true, false, false], 0),
            ([false, false, true, false, true], 3),
            ([false, false, false, true, false], 3),
            ([false, false, false, true, true], 3),
            ([false, true, false, false, false], 4),
            ([false, true, true, false, true], 4),
            ([false, true, false, true, false], 4),
            ([true, false, false, false, false], 1),
            ([true, true, false, false, true], 1),
            ([true, false, true, true, true], 1),
            ([true, true, true, true, true], 1),
        ];
        for ([nothing, incomplete, findings, held, flag], code) in table {
            let ending = Ending { nothing, usage: false, incomplete, findings, held };
            assert_eq!(decide(ending, flag) as u8, code, "{ending:?}, --exit-code {flag}");
            let by_usage = if code == 1 { 1 } else { 2 };
            assert_eq!(
                decide(Ending { usage: true, ..ending }, flag) as u8,
                by_usage,
                "{ending:?}, --exit-code {flag}"
            );
        }
    }

    #[test]
    fn the_worst_of_several_runs_wins_as_within_one() {
        use Exit::*;
        for (exits, worst) in [
            ([Concluded, Usage, Incomplete, Findings, Nothing], Nothing),
            ([Concluded, Usage, Incomplete, Findings, Findings], Usage),
            ([Concluded, Concluded, Incomplete, Findings, Findings], Incomplete),
            ([Concluded, Concluded, Concluded, Findings, Concluded], Findings),
            ([Concluded; 5], Concluded),
        ] {
            assert_eq!(Exit::worst(exits), worst);
        }
        assert_eq!(Exit::worst([]), Nothing, "nobody looked");
        assert_eq!((0..6).map(Exit::of_number).filter(Option::is_some).count(), 5);
    }

    #[test]
    fn process_exit_codes_carry_the_documented_numbers() {
        for (exit, code) in
            [(Exit::Concluded, 0), (Exit::Nothing, 1), (Exit::Usage, 2), (Exit::Findings, 3), (Exit::Incomplete, 4)]
        {
            assert_eq!(ExitCode::from(exit), ExitCode::from(code));
            assert_eq!(exit.is_success(), code == 0 || code == 3);
        }
    }
}
