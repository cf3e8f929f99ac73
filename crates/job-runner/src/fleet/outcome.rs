//! How it went with one portal.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::child::{Ended, How};
use super::round::Run;
use crate::exit::Exit;
use crate::time_spec::Age;

/// How it went with one portal, or goes.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) run: Run,
    pub(crate) exit: Exit,
    /// Whether its run was not able to tell those who watch how it ended.
    pub(crate) is_cut: bool,
    /// Whether its run came to begin.
    pub(crate) was_started: bool,
    pub(crate) standing: Standing,
    pub(crate) took: Option<Duration>,
    /// What its run could not say itself.
    pub(crate) note: Option<String>,
    pub(crate) has_logged: bool,
}

/// What became of a portal's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is through, with or without a run.
    Done,
    /// Its run found another one at work on the portal.
    Left,
    /// Its run goes on, and is told of again when it has ended.
    AtWork,
}

impl Outcome {
    pub(crate) fn refused(run: Run, refusal: &str) -> Self {
        Outcome::without_run(run, Exit::Usage, refusal)
    }

    pub(crate) fn not_looked_at(run: Run) -> Self {
        Outcome::without_run(run, Exit::Incomplete, "not looked at: somebody ended the fleet before its turn")
    }

    /// A run that waits until one of the others that take long has ended.
    pub(crate) fn waits(run: Run) -> Self {
        let note =
            "not looked at yet: its last run took longer than a round, and as many such runs as may be are at work";
        Outcome::without_run(run, Exit::Incomplete, note)
    }

    fn without_run(run: Run, exit: Exit, note: &str) -> Self {
        Outcome {
            run,
            exit,
            is_cut: false,
            was_started: false,
            standing: Standing::Done,
            took: None,
            note: Some(note.to_owned()),
            has_logged: false,
        }
    }

    /// A run that goes on while its round ends: nobody knows what it will find.
    pub(crate) fn at_work(run: Run, since: DateTime<Utc>) -> Self {
        let note = format!("still at work since {} UTC; told when it ends", since.format("%Y-%m-%d %H:%M:%S"));
        Outcome { standing: Standing::AtWork, was_started: true, ..Outcome::without_run(run, Exit::Incomplete, &note) }
    }

    /// A run that is over.
    pub(crate) fn of(run: Run, ended: &Ended, took: Duration) -> Self {
        let (exit, note) = conclusion(&ended.how);
        let is_cut = note.is_some();
        let is_left = exit == Exit::Concluded && run.is_left();
        Outcome {
            run,
            exit,
            is_cut,
            was_started: !matches!(ended.how, How::NotStarted(_)),
            standing: if is_left { Standing::Left } else { Standing::Done },
            took: Some(took),
            note: note.or_else(|| is_left.then(|| "left to another run, which is at work on this portal".to_owned())),
            has_logged: ended.has_logged,
        }
    }
}

/// What the end of a process means, and in words what the run was not able to say itself.
fn conclusion(how: &How) -> (Exit, Option<String>) {
    match how {
        How::NotStarted(failure) => {
            (Exit::Nothing, Some(format!("not looked at: its run could not be started ({failure})")))
        }
        How::Unknown(failure) => (Exit::Nothing, Some(format!("nobody can tell how its run ended ({failure})"))),
        How::Hung(limit) => {
            let limit = Age(Duration::from_secs(limit.as_secs()));
            (Exit::Nothing, Some(format!("its run did not end within {limit}, and was ended; look into `run_limit`")))
        }
        How::Status { status, was_stopped } => match (status.code(), status.code().and_then(Exit::of_number)) {
            (_, Some(exit)) => (exit, None),
            (None, None) if *was_stopped => {
                (Exit::Incomplete, Some("somebody ended the fleet before its run had begun to look".to_owned()))
            }
            _ => (Exit::Nothing, Some(format!("its run broke off ({status})"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// The fleet goes on, and says so of this portal alone.
    #[test]
    fn a_run_whose_end_is_not_known_concludes_nothing() {
        let (exit, note) = conclusion(&How::Unknown(io::Error::other("no child processes")));
        assert_eq!(exit, Exit::Nothing);
        assert_eq!(note.as_deref(), Some("nobody can tell how its run ended (no child processes)"));
    }
}
