//! The person in front of `init`, if there is one.

use std::io::{self, IsTerminal};

use anyhow::Context;
use dialoguer::console::Term;
use dialoguer::{Input, MultiSelect, Password};

use super::question::Choice;

/// Whom `init` can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Somebody who types answers and sees questions.
    Person,
    /// A script: whatever no flag says keeps its default.
    Nobody,
}

impl Asker {
    pub(super) fn new(is_content: bool) -> Self {
        let is_person = !is_content && io::stdin().is_terminal() && io::stderr().is_terminal();
        if is_person { Asker::Person } else { Asker::Nobody }
    }

    pub(super) fn is_person(self) -> bool {
        self == Asker::Person
    }

    /// `None`: nobody, or nothing typed.
    pub(super) fn line(self, question: &str) -> anyhow::Result<Option<String>> {
        if self == Asker::Nobody {
            return Ok(None);
        }
        let typed: String = Input::new().with_prompt(question).allow_empty(true).interact_text().context(UNREAD)?;
        Ok(Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty()))
    }

    /// The same, without showing what is typed.
    pub(super) fn secret(self, question: &str) -> anyhow::Result<Option<String>> {
        if self == Asker::Nobody {
            return Ok(None);
        }
        let typed = Password::new().with_prompt(question).allow_empty_password(true).interact().context(UNREAD)?;
        Ok(Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty()))
    }

    /// Which of them; none when nobody is there.
    pub(super) fn several(self, question: &str, choices: &[Choice]) -> anyhow::Result<Vec<usize>> {
        if self == Asker::Nobody || choices.is_empty() {
            return Ok(Vec::new());
        }
        let labels: Vec<&str> = choices.iter().map(|choice| choice.label.as_str()).collect();
        let chosen = MultiSelect::new().with_prompt(question).items(&labels).interact();
        if chosen.is_err() {
            // it hides the cursor, and whoever ends it needs it again
            let _ = Term::stderr().show_cursor();
        }
        chosen.context(UNREAD)
    }

    /// Whether to go on, which nothing typed means as well; `false` when nobody is there.
    pub(super) fn again(self, question: &str) -> anyhow::Result<bool> {
        if self == Asker::Nobody {
            return Ok(false);
        }
        let answer = self.line(&format!("{question} [Y/n]"))?;
        Ok(answer.is_none_or(|answer| !answer.to_lowercase().starts_with('n')))
    }
}

/// Whether somebody has ended the questions instead of answering.
pub(super) fn is_interruption(failure: &anyhow::Error) -> bool {
    matches!(failure.downcast_ref(), Some(dialoguer::Error::IO(error)) if error.kind() == io::ErrorKind::Interrupted)
}

const UNREAD: &str = "no answer came from the terminal; nothing was written";
