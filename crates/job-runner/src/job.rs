//! What a run is given: the portal, its archive, a window, and what time it is.

use std::sync::Arc;

use alerting::Mailer;
use audit_model::{Coverage, Window};
use chrono::{DateTime, Utc};
use docspace_client::{Client, Portal};
use event_archive::{Archive, LookUps};
use job_store::Store;
use tokio::sync::Mutex;
use tracing::warn;
use url::Url;

/// One run of a program. Everything that differs between two runs is in here, so the same job gives the same outcome.
#[derive(Debug)]
pub struct Job {
    pub program: &'static str,
    pub version: &'static str,
    pub portal_url: Url,
    pub client: Client,
    /// What the portal says about itself; `None` when it could not be asked, and then the program is not run.
    pub portal: Option<Portal>,
    pub archive: Archive,
    /// Where a program keeps its journal, else why it may not act: change nothing at the portal, and write to nobody. In a dry run a copy
    /// that goes when the run ends.
    pub store: Result<Store, Refusal>,
    /// Half-open, UTC.
    pub window: Window,
    /// What the portal has recorded after the window while this machine's clock was behind. The runner names it as a gap.
    pub unseen_after: Option<Window>,
    /// When the run started.
    pub now: DateTime<Utc>,
    pub dry_run: bool,
    /// The way out for mails; `None` where none is set. Whoever writes to people holds it for as long as that takes.
    pub mailer: Option<Arc<Mutex<Mailer>>>,
    /// People who are robots: ids or e-mail addresses, lower case.
    pub service_accounts: Vec<String>,
    /// What the reader of the report must know about this run besides its coverage, for instance that it has no memory.
    pub notes: Vec<String>,
}

impl Job {
    /// Takes what look-ups left open into the coverage, as gaps of the whole window, and into the log.
    pub fn note(&self, look_ups: LookUps, coverage: &mut Coverage) {
        let (gaps, errors) = look_ups.finish(self.window);
        errors.into_iter().for_each(|error| warn!("{:#}", anyhow::Error::new(error)));
        coverage.add_gaps(gaps);
    }
}

/// Why a run may not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "this run has no memory, so nobody could tell what was done before; repair the store, or move it away to start with an empty one"
    )]
    NoMemory,
    #[error("this run has no lock on its store, so another one may be acting; make the state folder writable")]
    NoLock,
    #[error(
        "this machine's clock is {minutes} min {} the portal's, so nobody could tell how long ago things were; set it by NTP",
        if *is_behind { "behind" } else { "ahead of" }
    )]
    Clock {
        /// By how much, in minutes.
        minutes: u64,
        /// Whether this machine's clock is the one that is behind.
        is_behind: bool,
    },
}
