//! What can stop a run before it starts. All of it is for whoever edits flags, settings or files: exit code 2.

use std::io;
use std::path::PathBuf;

use report::words::utc;

use crate::config::{Problem, Problems};
use crate::key_origin::KeyOrigin;
use crate::names::Unknown;

/// Why the surroundings of a job could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Settings that are unknown, of the wrong type or out of bounds.
    #[error(transparent)]
    Config(#[from] Problems),
    /// None of the four places holds a key.
    #[error(
        "no API key: give `--key-file FILE`, set `DOCSPACE_API_KEY`, provide the credential `docspace-api-key` in \
         `$CREDENTIALS_DIRECTORY`, or set `key_file` in the configuration"
    )]
    NoKey,
    /// The first place that names a key file names one that cannot be read.
    #[error("cannot read the API key from {origin}: check that the file exists and this user may read it")]
    KeyUnreadable {
        /// Which file.
        origin: KeyOrigin,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A key file without a key.
    #[error("the API key from {origin} is empty: write the key into it, on one line")]
    KeyEmpty {
        /// Which file.
        origin: KeyOrigin,
    },
    /// More than one word, or characters that no HTTP header can carry.
    #[error("the API key from {origin} must be one word of plain ASCII, without blanks or line breaks inside")]
    KeyMalformed {
        /// Which file or variable.
        origin: KeyOrigin,
    },
    /// `state` names a database server in a way that cannot be used. It may hold a password, so it is not repeated.
    #[error("setting `state`: {0}")]
    StateAddress(job_store::UrlError),
    /// The certificates that are trusted cannot be read.
    #[error("cannot set up the encrypted connection to the server that setting `state` names")]
    StateEncryption(#[source] outbound::Error),
    /// `state` is a URL where a folder is expected.
    #[error(
        "setting `state` must be a folder or an address that begins with `postgres://`, not one with the scheme `{0}`"
    )]
    StateNotAFolder(String),
    /// Nothing says where the state could live.
    #[error("there is no folder for the state: give `--state DIR`, or set `STATE_DIRECTORY` or `HOME`")]
    NoStateFolder,
    /// A portal without a host has no state file name.
    #[error("the portal address has no host to name the state file after: {0}")]
    NoHost(url::Url),
    /// `--since` is not before `--until`.
    #[error("the window {0} is empty: its end must be after its beginning; change `--since` or `--until`")]
    EmptyWindow(audit_model::Window),
    /// `--until` has not come yet.
    #[error("the window ends at {}, which is in the future; change `--until`, or set this machine's clock", utc(*.0))]
    FutureWindow(chrono::DateTime<chrono::Utc>),
    /// A flag about runs was given to a subcommand that does not go by it.
    #[error("`{0}` has no effect on this subcommand; leave it out")]
    IgnoredFlag(&'static str),
    /// `store prune` would forget what the next run judges.
    #[error(
        "`--before {}` would forget events that the next run still needs; the latest time possible is {}",
        utc(*asked),
        utc(*latest)
    )]
    PruneTooMuch {
        /// What was asked for.
        asked: chrono::DateTime<chrono::Utc>,
        /// What is allowed.
        latest: chrono::DateTime<chrono::Utc>,
    },
    /// `fleet` was given no portal, which must not look like portals where all is quiet.
    #[error("the folder {} holds no settings file `NAME.toml`, so no portal would be looked at", .0.display())]
    NoPortals(PathBuf),
    /// `--portals` is no folder, or not one that this user may read.
    #[error("cannot read the folder {}; give `--portals` a folder that this user may read", folder.display())]
    PortalsUnreadable {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What belongs to one portal was given to all portals of a fleet.
    #[error("{0} is about one portal, but a fleet has many; leave it out, and {1} instead")]
    OneForAll(&'static str, &'static str),
    /// `--report` of a fleet names a form that its summary does not have.
    #[error(
        "cannot write the summary to {}: it has the forms .txt and .json; with `{{portal}}` in its name each portal gets a report of its own, in any form",
        .0.display()
    )]
    SummaryForm(PathBuf),
    /// What stands behind a subcommand means nobody or nothing, or too much.
    #[error("`{0}` {1}")]
    Argument(String, String),
    /// `RUST_LOG` is not a filter.
    #[error("environment variable `RUST_LOG` is not a valid log filter")]
    LogFilter(#[source] tracing_subscriber::filter::ParseError),
    /// A second subscriber in one process.
    #[error("the log of this process is set up already")]
    LogTwice(#[source] tracing_subscriber::util::TryInitError),
}

impl Error {
    /// Entries of the settings that mean nobody and nothing, all of them.
    pub fn unknown(unknown: &[Unknown]) -> Self {
        let problem = |unknown: &Unknown| Problem::new(unknown.key.as_str(), unknown.message());
        Error::Config(Problems(unknown.iter().map(problem).collect()))
    }

    /// A setting that only a look at the portal shows to be wrong, for instance a room that does not exist.
    pub fn setting(key: &str, message: impl Into<String>) -> Self {
        Error::Config(Problems(vec![Problem::new(key, message)]))
    }
}
