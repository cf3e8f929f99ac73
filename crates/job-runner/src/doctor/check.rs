//! One thing that was checked.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::explained::Explained;

/// How a check came out; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    Ok,
    /// Runs work, but somebody should know.
    Warn,
    /// A run would see nothing, or not everything, or tell nobody.
    Fail,
}

/// One line of `doctor`. Displays as that line, without its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, in snake case; monitoring may rely on it.
    pub name: &'static str,
    pub state: CheckState,
    /// One line, whatever the state.
    pub text: String,
    /// What to do about it; absent when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Somebody has to edit flags or settings.
    #[serde(skip)]
    pub(crate) is_usage: bool,
}

impl Check {
    pub fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Check { name, state: CheckState::Ok, text: text.into(), remedy: None, is_usage: false }
    }

    pub fn warn(name: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { state: CheckState::Warn, remedy: Some(remedy.into()), ..Check::ok(name, text) }
    }

    pub fn fail(name: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { state: CheckState::Fail, ..Check::warn(name, text, remedy) }
    }

    /// The same, of one of several things.
    #[must_use]
    pub(crate) fn about(self, what: &str) -> Self {
        Check { text: format!("{what}: {}", self.text), ..self }
    }

    /// A failure that lasts until somebody edits flags or settings.
    pub fn usage(name: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { is_usage: true, ..Check::fail(name, text, remedy) }
    }

    /// A failure. Causes are part of what was found.
    pub fn failed(name: &'static str, error: impl Into<anyhow::Error>) -> Self {
        let Explained { text, remedy } = Explained::of(&error.into());
        let remedy = remedy.unwrap_or(Cow::Borrowed("run again; if that does not help, look at the log of `-vv`"));
        Check::fail(name, text, remedy)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            CheckState::Ok => "ok",
            CheckState::Warn => "warn",
            CheckState::Fail => "FAIL",
        };
        write!(f, "{state:4}  {}: {}", self.name, self.text)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}
