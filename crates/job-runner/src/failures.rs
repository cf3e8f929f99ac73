//! Our own failures are not a second storm: one that was logged within the hour is logged again at `info` only.
//!
//! Remembered in a file beside the lock and not in the store, because a store that cannot be used is one of the failures.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tracing::{debug, error, info, warn};

/// How long a failure stays known: cron mails every line, and one mail an hour is enough to act on.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);

/// Longer messages are told apart by their beginning.
const MAX_CLASS_CHARS: usize = 300;

/// What was logged within the last hour.
#[derive(Debug)]
pub(crate) struct Failures {
    /// `None` when nothing may be remembered.
    path: Option<PathBuf>,
    now: DateTime<Utc>,
    known: BTreeMap<String, DateTime<Utc>>,
    is_changed: bool,
}

impl Failures {
    /// Reads what earlier runs logged. A file that cannot be read is as good as none.
    pub(crate) fn read(path: Option<PathBuf>, now: DateTime<Utc>) -> Self {
        let text = path.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let all: BTreeMap<_, _> = text.lines().filter_map(parse).collect();
        let before = all.len();
        let known: BTreeMap<_, _> = all.into_iter().filter(|(_, last)| is_known(*last, now)).collect();
        Failures { path, now, is_changed: known.len() != before, known }
    }

    /// Logs something that kept the run from its job.
    pub(crate) fn error(&mut self, text: &str) {
        if self.is_news(text) { error!("{text}") } else { again(text) }
    }

    /// Logs something that the run could do without.
    pub(crate) fn warn(&mut self, text: &str) {
        if self.is_news(text) { warn!("{text}") } else { again(text) }
    }

    /// Whether this was not logged within the last hour. From now on it was.
    fn is_news(&mut self, text: &str) -> bool {
        let class = class(text);
        let is_news = !self.known.contains_key(&class);
        if is_news {
            self.known.insert(class, self.now);
            self.is_changed = true;
        }
        is_news
    }

    /// Remembers them for the next run.
    pub(crate) fn keep(self) {
        let Some(path) = self.path.as_ref().filter(|_| self.is_changed) else { return };
        if let Err(failure) = self.write(path) {
            debug!("failures of this run will be logged again: {failure}");
        }
    }

    fn write(&self, path: &PathBuf) -> io::Result<()> {
        if self.known.is_empty() {
            return fs::remove_file(path);
        }
        let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        for (class, last) in &self.known {
            writeln!(file, "{} {class}", last.to_rfc3339_opts(SecondsFormat::Secs, true))?;
        }
        file.persist(path)?;
        Ok(())
    }
}

fn again(text: &str) {
    info!("again within the hour: {text}");
}

fn parse(line: &str) -> Option<(String, DateTime<Utc>)> {
    let (last, class) = line.split_once(' ')?;
    Some((class.to_owned(), DateTime::parse_from_rfc3339(last).ok()?.to_utc()))
}

/// Logged less than an hour ago, and not in the future of a clock that was set back.
fn is_known(last: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (TimeDelta::zero()..KNOWN_FOR).contains(&(now - last))
}

/// The message without its numbers, so that times, counts and ids make no difference.
fn class(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_ascii_digit() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_CLASS_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(1_000 + minutes)
    }

    #[test]
    fn numbers_make_no_difference_and_words_do() {
        let one = "the run that began at 2026-11-20T09:00:00Z failed (502)";
        assert_eq!(class(one), class("the run that began at 2026-11-21T10:10:30Z failed (503)"));
        assert_ne!(class(one), class("the run that began at 2026-11-20T09:00:00Z stopped (502)"));
        assert!(!class("a\nb").contains('\n'));
    }

    #[test]
    fn a_failure_is_news_once_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docs.example.com.failures");
        let news = |minutes: i64, text: &str| {
            let mut failures = Failures::read(Some(path.clone()), at(minutes));
            let is_news = failures.is_news(text);
            failures.keep();
            is_news
        };
        assert!(news(0, "no answer (502)"));
        assert!(!news(10, "no answer (503)"));
        assert!(news(20, "the disk is full"));
        assert!(!news(59, "no answer (502)"));
        assert!(news(60, "no answer (502)"), "an hour after it was logged, not after it happened");
        assert!(!news(70, "the disk is full"));
        assert!(news(30, "no answer (502)"), "the clock was set back");
    }

    #[test]
    fn what_is_over_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docs.example.com.failures");
        let mut failures = Failures::read(Some(path.clone()), at(0));
        failures.error("no answer");
        failures.keep();
        assert!(path.exists());
        Failures::read(Some(path.clone()), at(30)).keep();
        assert!(path.exists());
        Failures::read(Some(path.clone()), at(60)).keep();
        assert!(!path.exists());
    }

    #[test]
    fn nothing_is_remembered_without_a_place() {
        let mut failures = Failures::read(None, at(0));
        assert!(failures.is_news("no answer"));
        failures.keep();
    }
}
