//! What a subcommand may need, made only when it asks for it: some need neither portal nor key.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use alerting::{Channel, Fault, Mailer, Outbox, SecretMember, WayOut};
use anyhow::{Context, bail};
use audit_model::{Coverage, Window};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use docspace_client::{ApiKey, Budget, Client};
use event_archive::{Archive, Look};
use job_store::Store;
use outbound::{HttpOptions, RetryPolicy, http_client};
use secrecy::ExposeSecret;
use url::Url;

use crate::Error;
use crate::about::About;
use crate::args::CommonArgs;
use crate::clock::{ClockDifference, check_window};
use crate::config::{self, BudgetSettings, CommonConfig, NamesSetting, Problems};
use crate::environment::Environment;
use crate::gone;
use crate::head::{Head, PortalName, RunFacts};
use crate::job::{Job, Settled};
use crate::naming::{NamesKey, Naming};
use crate::secret::{self, FoundKey};
use crate::state_path::{Placeholders, State};
use crate::stop::Stopping;
use crate::stores::copy_of;
use crate::voice::Voice;

/// The settings of a program, and the ways from there to the portal and to what is remembered of it.
pub struct Setup<'a, C> {
    /// Which program it is.
    pub about: &'static About,
    pub args: &'a CommonArgs,
    pub common: &'a CommonConfig,
    pub config: &'a C,
    /// When the process started, whole seconds.
    pub now: DateTime<Utc>,
    pub(crate) environment: &'a Environment,
    stopping: OnceLock<Stopping>,
}

/// What is remembered there, as a copy that may be used freely.
pub(crate) async fn snapshot_at(state: &State) -> anyhow::Result<Archive> {
    Ok(Archive::open(copy_at(state).await?).await?)
}

pub(crate) async fn copy_at(state: &State) -> anyhow::Result<Store> {
    if let State::Files(paths) = state
        && let Some(gone) = gone::look(paths)
    {
        bail!("{gone}; {}", gone::REMEDY);
    }
    Ok(copy_of(state).await?.store)
}

impl<'a, C> Setup<'a, C> {
    /// At this moment.
    pub(crate) fn new(
        about: &'static About,
        args: &'a CommonArgs,
        (common, config): (&'a CommonConfig, &'a C),
        environment: &'a Environment,
    ) -> Self {
        Setup { about, args, common, config, now: now(), environment, stopping: OnceLock::new() }
    }
}

impl<C> Setup<'_, C> {
    /// Whether somebody wants this process to end, which is heard from the first call on, and ends nothing by itself any more. Within a
    /// runtime.
    pub fn stopping(&self) -> &Stopping {
        self.stopping.get_or_init(Stopping::listen)
    }

    /// What time it is now, for a command that goes on for longer.
    pub fn clock(&self) -> DateTime<Utc> {
        now()
    }

    /// The window that the flags ask for; without `--since` it is so long. `zone` is the portal's.
    ///
    /// # Errors
    /// The window is empty, or ends in the future: exit code 2.
    pub fn window(&self, zone: Tz, length: TimeDelta) -> Result<Window, Error> {
        self.window_before(self.now, zone, length)
    }

    fn window_before(&self, present: DateTime<Utc>, zone: Tz, length: TimeDelta) -> Result<Window, Error> {
        let (since, until) = self.args.window(present, zone);
        let until = until.unwrap_or(present);
        let window = Window::new(since.unwrap_or(until - length), until);
        check_window(window, self.now)?;
        Ok(window)
    }

    /// The portal that is set.
    ///
    /// # Errors
    /// None is: exit code 2.
    pub fn portal_url(&self) -> Result<Url, Error> {
        self.common.portal_url().map_err(|problem| Error::Config(Problems(vec![problem])))
    }

    /// Where this program remembers what the portal said. Nothing is made.
    ///
    /// # Errors
    /// No portal is set, or no folder: exit code 2.
    pub(crate) fn state(&self) -> Result<State, Error> {
        let state = self.common.state.as_ref().map(|path| path.as_path());
        State::new(self.about.name, &self.portal_url()?, state, self.common, self.environment)
    }

    /// The file in which the store is, or would be; `None` of one on a server.
    ///
    /// # Errors
    /// No portal is set, or no folder: exit code 2.
    pub fn store_file(&self) -> Result<Option<PathBuf>, Error> {
        Ok(match self.state()? {
            State::Files(paths) => Some(paths.store),
            State::Server(_) => None,
        })
    }

    /// The same for a folder or an address that somebody has typed.
    pub(crate) fn state_at(&self, typed: &Path) -> Result<State, Error> {
        let portal = self.portal_url()?;
        let typed = Placeholders::new(self.about.name, &portal)?.filled_in_path(typed);
        State::new(self.about.name, &portal, Some(&typed), self.common, self.environment)
    }

    /// What is remembered, as a copy that may be used freely: the store itself stays as it is. Empty before the first run.
    ///
    /// # Errors
    /// No portal is set, or no folder: exit code 2. Others are of a store that is damaged, newer than this program, or was taken away.
    pub async fn archive_snapshot(&self) -> anyhow::Result<Archive> {
        snapshot_at(&self.state()?).await
    }

    /// What a run of now would be given, on a copy of what is remembered: whatever it reads is gone afterwards. Without `--since` its
    /// window is so long. `what` is what nobody can tell without the audit feature, as the end of a sentence.
    ///
    /// # Errors
    /// No portal or key is set, or the window is none: exit code 2. Others are of the portal and of the store.
    pub async fn rehearsal(&self, length: TimeDelta, what: &str) -> anyhow::Result<(Job, Look)> {
        let client = self.client()?;
        let store = copy_at(&self.state()?).await?;
        let archive = Archive::open(store.clone()).await?;
        let portal = client.probe().await?;
        if !portal.audit_filter_works {
            bail!("the portal's plan has no audit feature, so nobody can tell {what}");
        }
        let clocks = ClockDifference::between(self.clock(), client.portal_now());
        let window = self.window_before(clocks.present(self.now), portal.time_zone, length)?;
        let both = (client.clone(), archive.clone());
        let look = Look::new(both, (window, self.now), self.about.main, self.about.blind_spots);
        let job = Job {
            portal_url: self.portal_url()?,
            client,
            portal,
            archive,
            store: Ok(store.clone()),
            window,
            unseen_after: clocks.unseen(window.until).filter(|_| self.args.ends_by_clock()),
            now: self.now,
            started: instant_of(self.now),
            dry_run: true,
            store_for_telling: None,
            settled: Settled::default(),
            has_window: self.args.since.is_some() || self.args.until.is_some(),
            misnamed: Vec::new(),
            voice: Voice {
                about: self.about,
                portal_url: self.portal_url()?,
                time_zone: None,
                naming: Naming::default(),
                outbox: Outbox::open(store.clone()).await?,
                channels: Vec::new(),
            },
            mailer: None,
            service_accounts: self.common.robots(),
            naming: Naming::default(),
        };
        Ok((job, look))
    }

    /// What a report of a [`rehearsal`](Self::rehearsal) begins with.
    pub fn head(&self, job: &Job, coverage: &Coverage) -> Head {
        let portal = PortalName::new(job.portal_url.clone(), Some(&job.portal));
        let run = RunFacts { started_at: job.now, dry_run: job.dry_run };
        Head::new(self.about, portal, run, job.window, coverage.clone())
    }

    /// A client for the portal, with the key.
    ///
    /// # Errors
    /// No portal, no key, or no way out of here is set: exit code 2.
    pub fn client(&self) -> anyhow::Result<Client> {
        let portal_url = self.portal_url()?;
        self.client_with(ApiKey::new(self.key()?.key), &portal_url)
    }

    /// The file for metrics, if one is set.
    pub(crate) fn textfile(&self) -> Option<PathBuf> {
        // its name may be meant to hold the portal's
        self.portal_url().ok()?;
        self.common.textfile.as_ref().map(|path| path.as_path().to_owned())
    }

    /// The way out for mails, as the settings `mail.*` say; `None` without `mail.host`. Connects to nobody yet.
    ///
    /// # Errors
    /// An address or the password file cannot be used: exit code 2.
    pub fn mailer(&self) -> Result<Option<Mailer>, Error> {
        let mail = &self.common.mail;
        let ca_file = self.common.outbound.ca_file.as_ref().map(|path| path.as_path());
        let password_file = mail.password_file.as_ref().map(|path| path.as_path());
        mail.mailer(ca_file, || secret::find_password(self.environment, password_file))
    }

    /// How people are to be named, as the setting `names` says.
    ///
    /// # Errors
    /// Pseudonyms are asked for, and there is no key for them: exit code 2.
    pub fn naming(&self) -> Result<Naming, Error> {
        match (self.common.names, self.names_key()?) {
            (NamesSetting::Clear, _) => Ok(Naming::default()),
            (NamesSetting::Pseudonym, Some(key)) => Ok(Naming::pseudonyms(key)),
            (NamesSetting::Pseudonym, None) => {
                let message = "is missing: `names = \"pseudonym\"` needs it, or the credential `names-key`; make a key with \
                               `openssl rand -hex 32`";
                Err(Error::setting("names_key_file", message))
            }
        }
    }

    /// The file with the key of pseudonyms, if there is one.
    pub(crate) fn names_key_file(&self) -> Option<PathBuf> {
        secret::names_key_file(self.environment, self.common.names_key_file.as_ref().map(|path| path.as_path()))
    }

    /// The key of pseudonyms, if there is one.
    ///
    /// # Errors
    /// It cannot be read or is too short, or no portal is set: exit code 2.
    pub(crate) fn names_key(&self) -> Result<Option<NamesKey>, Error> {
        let Some(path) = self.names_key_file() else { return Ok(None) };
        let secret = secret::read_names_key(&path)?;
        Ok(Some(NamesKey::new(secret.expose_secret().as_bytes(), &self.portal_url()?)))
    }

    /// Writes to stdout, which nobody else may.
    ///
    /// # Errors
    /// Stdout is full or closed.
    pub fn print(&self, text: &str) -> anyhow::Result<()> {
        print(text)
    }

    pub(crate) fn key(&self) -> Result<FoundKey, Error> {
        let setting = self.common.key_file.as_ref().map(|path| path.as_path());
        secret::find_key(self.args.key_file.as_deref(), self.environment, setting)
    }

    pub(crate) fn client_with(&self, key: ApiKey, portal_url: &Url) -> anyhow::Result<Client> {
        let http = http_client(&self.http_options()?, portal_url)?;
        Ok(Client::new(http, portal_url.clone(), key, RetryPolicy::default(), self.budget()))
    }

    pub(crate) fn http_options(&self) -> Result<HttpOptions, Error> {
        let outbound = &self.common.outbound;
        let mut options = HttpOptions::new(self.about.name, self.about.version);
        options.proxy = outbound.proxy.as_deref().map(|text| setting_url("outbound.proxy", text)).transpose()?;
        options.ca_file = outbound.ca_file.as_ref().map(|path| path.as_path().to_owned());
        Ok(options)
    }

    /// Reading ends when nine tenths of `run_limit` are over, so that there is time to report.
    fn budget(&self) -> Budget {
        let BudgetSettings { requests, rows, megabytes } = self.common.budget;
        let deadline = Instant::now().checked_add(self.common.run_limit.0.mul_f64(0.9));
        Budget { requests, rows, bytes: megabytes.saturating_mul(1 << 20), deadline, ..Budget::default() }
    }

    /// The channels that are set, with their secrets.
    ///
    /// # Errors
    /// Everything that is wrong with one of them: exit code 2.
    pub(crate) fn channels(&self) -> anyhow::Result<Vec<Channel>> {
        let (alerts, options) = (&self.common.alerts, self.http_options()?);
        let mut channels = Vec::new();
        if let Some(path) = &alerts.file.path {
            channels.push(Channel::file(path.as_path()));
        }
        if let Some(url) = self.common.webhook_url().map_err(|problem| Error::Config(Problems(vec![problem])))? {
            let file = alerts.webhook.secret_file.as_ref().map(|path| path.as_path());
            let secret = secret::find_alert_secret(self.environment, "webhook", "secret", file);
            let built = secret.and_then(|secret| Channel::webhook(url.clone(), secret, &options));
            channels.push(
                built.unwrap_or_else(|fault| Channel::webhook_without(&url, Fault::new("secret_file", fault.message))),
            );
        }
        let mailer = || self.mailer().map_err(|error| Fault::new("", error.to_string()));
        let out = WayOut::new(&options, self.common.portal.allow_http).with_mail(&mailer);
        let mut problems = Vec::new();
        for settings in config::channels::read(&alerts.channel) {
            match settings {
                Ok(settings) => {
                    let name = settings.name.clone();
                    let find = |secret: &SecretMember, file: Option<&str>| {
                        secret::find_alert_secret(self.environment, &name, secret.name, file.map(Path::new))
                    };
                    channels.push(settings.build(find, &out));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(channels) } else { Err(Error::Config(Problems(problems)).into()) }
    }
}

/// What time it is, in whole seconds: they are what most portals keep, and what people can read.
pub(crate) fn now() -> DateTime<Utc> {
    exact_now().trunc_subsecs(0)
}

/// When it was `now`, by the clock that only goes forward.
pub(crate) fn instant_of(now: DateTime<Utc>) -> Instant {
    let here = Instant::now();
    (exact_now() - now).to_std().ok().and_then(|ago| here.checked_sub(ago)).unwrap_or(here)
}

#[expect(clippy::disallowed_methods, reason = "the one place where a process learns what time it is")]
fn exact_now() -> DateTime<Utc> {
    #[cfg(debug_assertions)]
    return crate::test_clock::now().unwrap_or_else(Utc::now);
    #[cfg(not(debug_assertions))]
    return Utc::now();
}

pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot print the report")
}

fn setting_url(key: &str, text: &str) -> Result<Url, Error> {
    text.parse().map_err(|error| Error::setting(key, format!("must be an address like `https://host/path`: {error}")))
}
