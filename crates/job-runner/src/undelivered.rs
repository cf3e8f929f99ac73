//! What the log says of alerts that channels did not take: a line for each cause.

use alerting::{Error, Failure, Refused};
use report::words::plural;

/// One line of the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Undelivered {
    /// The id of the alert that was tried.
    pub(crate) alert: String,
    pub(crate) channel: String,
    /// Why, and how many alerts behind it were not tried because of that.
    pub(crate) why: String,
}

/// A line for each alert that a channel was asked to take; those that it was not asked to take after that are counted in the last.
pub(crate) fn undelivered(refused: impl IntoIterator<Item = Refused>) -> Vec<Undelivered> {
    let mut lines: Vec<(Undelivered, u64)> = Vec::new();
    for Refused { alert, failure: Failure { channel, error } } in refused {
        let cause = lines.iter_mut().rfind(|(line, _)| line.channel == channel);
        match cause {
            Some((_, more)) if matches!(error, Error::NotTried) => *more += 1,
            _ => {
                let why = format!("{:#}", anyhow::Error::new(error));
                lines.push((Undelivered { alert, channel, why }, 0));
            }
        }
    }
    let counted = |(line, more): (Undelivered, u64)| match more {
        0 => line,
        _ => Undelivered { why: format!("{}; {} not tried after that", line.why, plural(more, "more alert")), ..line },
    };
    lines.into_iter().map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(alert: &str, channel: &str, error: Error) -> Refused {
        Refused { alert: alert.to_owned(), failure: Failure { channel: channel.to_owned(), error } }
    }

    fn broken() -> Error {
        Error::File { path: "alerts.ndjson".into(), source: std::io::ErrorKind::StorageFull.into() }
    }

    #[test]
    fn one_cause_is_one_line_whatever_waits_behind_it() {
        let lines = undelivered([
            refused("1", "a", broken()),
            refused("2", "a", broken()),
            refused("3", "a", Error::NotTried),
            refused("1", "b", broken()),
            refused("4", "a", Error::NotTried),
        ]);
        let said: Vec<(&str, &str)> = lines.iter().map(|line| (line.alert.as_str(), line.channel.as_str())).collect();
        assert_eq!(said, [("1", "a"), ("2", "a"), ("1", "b")]);
        assert!(lines[1].why.ends_with("; 2 more alerts not tried after that"), "{}", lines[1].why);
        assert!(!lines[2].why.contains("not tried"), "{}", lines[2].why);
    }
}
