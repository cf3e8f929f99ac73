//! What a run is given: the portal, its archive, a window, and what time it is.

use alerting::Mailer;
use audit_model::Window;
use chrono::{DateTime, Utc};
use docspace_client::{Client, Portal};
use event_archive::Archive;
use job_store::Store;
use tokio::sync::Mutex;
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
    /// Where a program keeps its journal. `None` without a memory, or without the lock on it: whatever acts refuses. In a dry run a copy
    /// that goes when the run ends.
    pub store: Option<Store>,
    /// Half-open, UTC.
    pub window: Window,
    /// When the run started.
    pub now: DateTime<Utc>,
    pub dry_run: bool,
    /// The way out for mails; `None` where none is set. Whoever writes to people holds it for as long as that takes.
    pub mailer: Option<Mutex<Mailer>>,
    /// People who are robots: ids or e-mail addresses, lower case.
    pub service_accounts: Vec<String>,
    /// What the reader of the report must know about this run besides its coverage, for instance that it has no memory.
    pub notes: Vec<String>,
}
