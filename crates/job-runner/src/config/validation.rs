//! Checks that settings of all programs need.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::TimeDelta;

use super::problem::Problem;
use crate::time_spec::Age;

/// Collects everything that is wrong with settings.
#[derive(Debug, Default)]
pub struct Validation(Vec<Problem>);

impl Validation {
    pub fn new() -> Self {
        Self::default()
    }

    /// `message` continues the key: lower case, no full stop, what is wrong and what would be right.
    pub fn refuse_if(&mut self, is_wrong: bool, key: &str, message: impl Into<String>) {
        if is_wrong {
            self.0.push(Problem::new(key, message));
        }
    }

    /// Refuses a list with an empty entry in it; `give` says what entries are, in the plural.
    pub fn no_blanks(&mut self, key: &str, entries: &[String], give: &str) {
        self.refuse_if(has_blank(entries), key, format!("holds an empty entry; give {give}"));
    }

    /// Refuses a number out of bounds; `why` may be empty.
    pub fn between<N: PartialOrd + Display>(&mut self, key: &str, number: N, bounds: RangeInclusive<N>, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let message = format!("must be between {} and {}{why}", bounds.start(), bounds.end());
        self.refuse_if(!bounds.contains(&number), key, message);
    }

    /// Refuses braces in a path that are none of these placeholders, which nothing would fill in.
    pub fn placeholders(&mut self, key: &str, path: Option<&Path>, known: &[&str]) {
        let mut rest = path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        known.iter().for_each(|known| rest = rest.replace(known, ""));
        let shown: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
        let (last, others) = shown.split_last().expect("there is a placeholder");
        let and = if others.is_empty() { "" } else { " and " };
        let shown = format!("{}{and}{last}", others.join(", "));
        let message = format!("has braces around something other than a placeholder; use {shown}");
        self.refuse_if(rest.contains(['{', '}']), key, message);
    }

    /// Refuses a `keep` that forgets what the program's own rules look at, as [`Settings::remembers`](super::Settings::remembers) says.
    pub fn keep(&mut self, keep: Age, (needed, because): (TimeDelta, &str)) {
        let is_short = TimeDelta::from_std(keep.0).is_ok_and(|keep| keep < needed);
        let message = format!("must be at least {}d: {because} needs what happened so long ago", needed.num_days());
        self.refuse_if(is_short, "keep", message);
    }

    /// Takes over what is wrong with a part of the settings.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.0.extend(problems);
    }

    pub fn problems(self) -> Vec<Problem> {
        self.0
    }
}

/// Whether an entry says nothing.
pub fn has_blank(entries: &[String]) -> bool {
    entries.iter().any(|entry| entry.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_collected() {
        let mut wrong = Validation::new();
        wrong.no_blanks("people", &["anna@example.com".to_owned()], "ids");
        wrong.no_blanks("people", &[" ".to_owned()], "ids");
        wrong.between("minutes", 5, 1..=5, "");
        wrong.between("minutes", 0, 1..=5, "a limit is about some time");
        let known = ["{program}", "{portal}"];
        for path in [None, Some("/m/{program}-{portal}.prom"), Some("/m/a.prom")] {
            wrong.placeholders("textfile", path.map(Path::new), &known);
        }
        for path in ["/m/{foo}.prom", "/m/{program.prom", "/m/{Portal}.prom", "/m/{{program}}.prom"] {
            wrong.placeholders("textfile", Some(Path::new(path)), &known);
        }
        let told: Vec<String> = wrong.problems().iter().map(ToString::to_string).collect();
        let braces = "config key `textfile`: has braces around something other than a placeholder; use `{program}` and `{portal}`";
        assert_eq!(
            told,
            [
                "config key `people`: holds an empty entry; give ids",
                "config key `minutes`: must be between 1 and 5: a limit is about some time",
                braces,
                braces,
                braces,
                braces,
            ]
        );
    }
}
