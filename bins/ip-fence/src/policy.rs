//! The policy: who may come from where. As it is written, and as it applies to the people of a portal.
//!
//! `directory` reads the file and the portal's people, `file` its text, `lint` doubts it, `resolve` finds its people and groups, `import`
//! makes one from other lists, `words` answers questions about it; `given` is what subcommands begin with; `command` and `allow` are its subcommands.

mod allow;
pub(crate) mod command;
pub(crate) mod directory;
mod file;
pub(crate) mod given;
pub(crate) mod import;
pub(crate) mod lint;
mod resolve;
pub(crate) mod words;

use std::fmt;

use audit_model::AddressRange;
use chrono::NaiveDate;
use serde::Serialize;

pub(crate) use file::{parse, shown};
pub(crate) use lint::holds;
pub(crate) use resolve::{Allowed, Permission, Policy};
pub(crate) use words::Word;

/// What the run was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PolicyFacts {
    pub(crate) rules: usize,
    /// Labels of rules that have ended.
    pub(crate) expired: Vec<String>,
    /// How many people rules name, members of groups included.
    pub(crate) people: usize,
}

/// What happens to people whom no rule names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unnamed {
    /// They are reported, once each.
    #[default]
    Report,
    Ignore,
}

/// A policy as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyFile {
    pub(crate) default: Unnamed,
    pub(crate) rules: Vec<Rule>,
}

/// One `[[rule]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) label: String,
    /// E-mail addresses and ids.
    pub(crate) people: Vec<Name>,
    /// Names and ids.
    pub(crate) groups: Vec<Name>,
    pub(crate) allow: Vec<Entry>,
    pub(crate) reason: Option<String>,
    /// Whom to ask about it.
    pub(crate) owner: Option<String>,
    /// The first day, in UTC, on which it does not count any more.
    pub(crate) expires: Option<NaiveDate>,
    /// Counts only for the owner and DocSpace admins.
    pub(crate) for_admin: bool,
    pub(crate) line: usize,
}

impl Rule {
    pub(crate) fn has_expired(&self, today: NaiveDate) -> bool {
        self.expires.is_some_and(|end| today >= end)
    }
}

/// A person or group as the file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// One element of `allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) range: AddressRange,
    pub(crate) line: usize,
}

/// Something in the policy that somebody has to edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Mistake {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Mistake { line, message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}
