//! What a run is given: the portal, its archive, a window, what time it is, and what it may act with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use alerting::Mailer;
use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Portal};
use event_archive::Archive;
use job_store::Store;
use report::words::duration;
use tokio::sync::Mutex;
use url::Url;

use crate::names::Unknown;
use crate::naming::Naming;
use crate::voice::Voice;

/// One run of a program. Everything that differs between two runs is in here, so the same job gives the same outcome.
#[derive(Debug)]
pub struct Job {
    pub portal_url: Url,
    pub client: Client,
    /// What the portal says about itself.
    pub portal: Portal,
    pub archive: Archive,
    /// Where a program keeps its journal, else why it may not act: change nothing at the portal, and write to nobody. In a dry run a copy
    /// that goes when the run ends.
    pub store: Result<Store, Refusal>,
    /// The same where nothing but a clock keeps the program from acting: to tell what that leaves undone.
    pub store_for_telling: Option<Store>,
    /// What was settled before the run looked.
    pub settled: Settled,
    /// Half-open, UTC. What has to be judged may be more: the [`Look`](event_archive::Look) says so.
    pub window: Window,
    /// What nobody has looked at after the window, because this machine's clock is wrong. The runner names it as a gap.
    pub unseen_after: Option<Window>,
    /// When the run started.
    pub now: DateTime<Utc>,
    /// The same moment, on a clock that nobody sets.
    pub(crate) started: Instant,
    pub dry_run: bool,
    /// `--since` or `--until` was given: the run looks at the past.
    pub has_window: bool,
    /// Entries of the settings that mean nobody, as they were last looked up, within a day.
    pub misnamed: Vec<Unknown>,
    /// The way to people for what cannot wait for the end of the run.
    pub voice: Voice,
    /// The way out for mails; `None` where none is set. Whoever writes to people holds it for as long as that takes.
    pub mailer: Option<Arc<Mutex<Mailer>>>,
    /// People who are robots: ids or e-mail addresses, lower case.
    pub service_accounts: Vec<String>,
    /// How people are named in what others see, without knowing their names: what is made with it stays the same from run to run.
    pub naming: Naming,
}

impl Job {
    /// The present moment, for what may be done at some hours only: runs can be long.
    pub fn present(&self) -> DateTime<Utc> {
        self.now + TimeDelta::from_std(self.started.elapsed()).unwrap_or_default()
    }

    /// The earlier of what this machine and the portal take for now: what is over by one of the clocks alone may not be over.
    pub fn over_by_both_clocks(&self) -> DateTime<Utc> {
        self.client.portal_clock().map_or(self.now, |clock| clock.min(self.now))
    }
}

/// What a run settles with before it looks.
#[derive(Debug)]
pub struct Unsettled {
    pub client: Client,
    /// Where a program keeps its journal; `None` without memory. In a dry run a copy that goes when the run ends.
    pub store: Option<Store>,
    /// The file in which the store is, or was; `None` of one on a server.
    pub store_file: Option<PathBuf>,
    pub voice: Voice,
    /// When the run started.
    pub now: DateTime<Utc>,
    /// The same moment, on a clock that nobody sets.
    pub(crate) started: Instant,
    /// A dry run, or one without the lock: it may say what is left, and nothing else.
    pub only_looks: bool,
    /// `--since` or `--until` was given: the run looks at the past.
    pub has_window: bool,
}

impl Unsettled {
    /// The present moment by this machine's clock.
    pub fn present(&self) -> DateTime<Utc> {
        self.now + TimeDelta::from_std(self.started.elapsed()).unwrap_or_default()
    }
}

/// What a run has settled before it looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What was done, each a sentence without its end.
    pub said: Vec<String>,
    /// What should have been done and was not: the run ends with 1.
    pub left: Option<String>,
}

/// What a program hands its report on with, also after a run that could not look at anything.
#[derive(Debug)]
pub struct Publishing {
    /// Where a program remembers what did not arrive, else why it cannot.
    pub store: Result<Store, Refusal>,
    /// The way out for mails; `None` where none is set.
    pub mailer: Option<Arc<Mutex<Mailer>>>,
    /// When the run started.
    pub now: DateTime<Utc>,
}

/// Why a run may not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "this run has no memory, so it cannot know what was done before; repair the store, or move it away to start with an empty one"
    )]
    NoMemory,
    #[error("this run has no lock on its store, so another run may be doing the same; make the state folder writable")]
    NoLock,
    #[error(
        "this machine's clock is {} {} the portal's, so it cannot be known how long ago things happened; set it by NTP",
        duration(TimeDelta::minutes(*minutes as i64)),
        if *is_behind { "behind" } else { "ahead of" }
    )]
    Clock {
        /// By how much, in minutes.
        minutes: u64,
        /// Whether this machine's clock is the one that is behind.
        is_behind: bool,
    },
}
