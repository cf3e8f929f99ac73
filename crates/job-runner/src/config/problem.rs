//! One mistake in the settings, and all of them together.

use std::fmt;
use std::path::Path;

use super::place::SettingPlace;

/// Something in the settings that somebody has to edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, with dots between levels; `None` when a whole file is wrong.
    pub key: Option<String>,
    /// Where the value stands; `None` for one that stands nowhere.
    pub place: Option<SettingPlace>,
    /// What is wrong and what would be right: lower case, no full stop, continuing the key.
    pub message: String,
}

impl Problem {
    /// A problem with one key. [`super::load`] adds the place.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: Some(key.into()), place: None, message: message.into() }
    }

    /// A problem with a whole file.
    pub(super) fn with_file(path: &Path, message: impl Into<String>) -> Self {
        Self { key: None, place: Some(SettingPlace::File(path.to_owned())), message: message.into() }
    }

    pub(super) fn at(mut self, place: &SettingPlace) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// Whether `other` is about the same key or one below it.
    pub(super) fn covers(&self, other: &Problem) -> bool {
        let (Some(own), Some(other)) = (&self.key, &other.key) else { return false };
        other.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.place) {
            (Some(key), Some(place)) => write!(f, "config key `{key}` ({place}): {}", self.message),
            (Some(key), None) => write!(f, "{} `{key}`: {}", kind(key), self.message),
            (None, Some(place)) => write!(f, "config file {place}: {}", self.message),
            (None, None) => write!(f, "configuration: {}", self.message),
        }
    }
}

/// What a name is that stands in no file: settings are in lower case, flags begin with `--`, and arguments are in capitals.
fn kind(name: &str) -> &'static str {
    let is_capital = |c: char| c.is_ascii_uppercase() || c == '_';
    if name.starts_with("--") {
        "flag"
    } else if !name.is_empty() && name.chars().all(is_capital) {
        "argument"
    } else {
        "config key"
    }
}

/// Everything that is wrong with the settings of a run; never empty. Displays one problem per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_arguments_are_called_so() {
        let told = ["--until", "ADDRESS", "mail.host"].map(|name| Problem::new(name, "is wrong").to_string());
        assert_eq!(
            told,
            ["flag `--until`: is wrong", "argument `ADDRESS`: is wrong", "config key `mail.host`: is wrong"]
        );
    }
}
