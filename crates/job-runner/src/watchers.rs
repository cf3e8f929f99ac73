//! Those who watch that runs go on: a heartbeat, a file of metrics, and whoever reads the log.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use job_store::files;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use crate::exit::Exit;
use crate::failures::Failures;
use crate::fleet::LEFT_VARIABLE;
use crate::heartbeat::Heartbeat;
use crate::hold::Hold;
use crate::logging::{Log, LogTail};
use crate::metrics::{self, Labels, Measured};
use crate::place::Place;
use crate::setup::Setup;

/// What they are told of one run. A dry run tells nobody.
pub(crate) struct Watchers {
    pub(crate) failures: Failures,
    /// Set by a run that came to a report.
    pub(crate) measured: Option<Measured>,
    heartbeat: Option<Heartbeat>,
    textfile: Option<PathBuf>,
    portal: String,
    program: &'static str,
    version: &'static str,
    now: DateTime<Utc>,
    tail: LogTail,
    key: Option<SecretString>,
    /// Another run is at work, and tells for itself.
    is_left_alone: bool,
    /// Which file tells a fleet so.
    left_file: Option<PathBuf>,
    /// Of a store on a server, until everything was told.
    lease: Option<Hold>,
}

impl Watchers {
    /// As far as the settings say whom to tell; they may be wrong otherwise.
    pub(crate) fn new<C>(setup: &Setup<'_, C>, log: Log) -> Self {
        let portal = setup.portal_url().ok();
        let tells = !setup.args.dry_run;
        let heartbeat = || {
            let url = setup.common.heartbeat_url().ok()??;
            Heartbeat::new(url, &setup.http_options().ok()?, setup.now).ok()
        };
        let failures = setup.state().ok().filter(|_| tells);
        let failures = failures.map(|state| Place::all(&state, "failures")).unwrap_or_default();
        Watchers {
            failures: Failures::read(failures, setup.now, log.gate),
            measured: None,
            heartbeat: tells.then(heartbeat).flatten(),
            textfile: setup.textfile().filter(|_| tells),
            portal: portal.as_ref().map(metrics::portal_label).unwrap_or_default(),
            program: setup.about.name,
            version: setup.about.version,
            now: setup.now,
            tail: log.tail,
            key: setup.key().ok().map(|found| found.key),
            is_left_alone: false,
            left_file: setup.environment.get(LEFT_VARIABLE).map(PathBuf::from),
            lease: None,
        }
    }

    /// The lease of the run, which lasts until all are told: what was told of failures is remembered in its store.
    pub(crate) async fn hold(&mut self, lease: Hold) {
        if let Some(store) = lease.store() {
            self.failures.recall(store).await;
        }
        self.lease = Some(lease);
    }

    /// The run has begun.
    pub(crate) async fn start(&mut self) {
        let Some(heartbeat) = &self.heartbeat else { return };
        if let Err(why) = heartbeat.start().await {
            self.failures.warn(&format!("the heartbeat server did not accept the start of the run: {why}"));
        }
    }

    /// Another run is at work and tells for itself.
    pub(crate) fn leave_alone(&mut self) {
        self.is_left_alone = true;
        if let Some(path) = &self.left_file
            && let Err(failure) = files::replace(path, b"", files::PRIVATE)
        {
            warn!("the summary of the fleet counts this portal as looked at: {failure}");
        }
    }

    /// Lets the next run in, whoever could be told.
    pub(crate) async fn end(self, exit: Exit) {
        let exit = (!self.is_left_alone).then_some(exit);
        match self.lease.as_ref().and_then(Hold::store) {
            Some(store) => self.failures.keep_in(exit, store).await,
            None => self.failures.keep(exit),
        }
        if let Some(lease) = self.lease {
            lease.end().await;
        }
    }

    /// The run has ended like this.
    pub(crate) async fn tell(&mut self, exit: Exit) {
        if self.is_left_alone {
            return;
        }
        if let Some(path) = &self.textfile {
            let labels = Labels { program: self.program, version: self.version, portal: &self.portal };
            if let Err(failure) = metrics::write(path, labels, self.now, exit, self.measured.as_ref()) {
                let failure = anyhow::Error::new(failure);
                let remedy = "check that its folder exists and that this user may write there";
                self.failures.warn(&format!("cannot write the textfile {}: {failure:#}; {remedy}", path.display()));
            }
        }
        // that there is no memory is no failure, and no plain success either
        let is_plain = self.measured.as_ref().is_none_or(|measured| measured.has_memory);
        if let Some(heartbeat) = &self.heartbeat
            && let Err(why) = heartbeat.end(exit, is_plain, self.log()).await
        {
            self.failures.warn(&format!("the heartbeat server did not accept the end of the run: {why}"));
        }
    }

    /// The last lines of the log. No line ever holds the key; this is the second lock on that door.
    fn log(&self) -> String {
        let text = self.tail.text();
        match &self.key {
            Some(key) => text.replace(key.expose_secret(), "***"),
            None => text,
        }
    }
}
