//! The job: refresh, who is who, judge.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use alerting::Alert;
use audit_model::{BlindSpot, Coverage, GapReason, MainSource, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::AddressList;
use event_archive::{Archive, Fact, KnownList, LateRow};
use futures::{Stream, TryStreamExt};
use job_runner::args::{FlagSetting, ReportFormat};
use job_runner::exit::Exit;
use job_runner::{Check, Conclusion, Head, Job, Program, Reached, Setup, Tellable};
use tracing::warn;

use crate::bursts::Bursts;
use crate::cli::Cli;
use crate::config::{Config, OwnPortal};
use crate::directory;
use crate::drift;
use crate::found::Found;
use crate::habits::Habits;
use crate::outcome::{Outcome, PolicyFacts, Seen};
use crate::policy::{Directory, Policy, PolicyFile, Unnamed};
use crate::rule::{Detector, Rulebook};
use crate::sighting::{Sighting, Source};

/// What no portal records. Logins that its own list refuses come to that where the list is switched on.
pub(crate) const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::KeyLogins, BlindSpot::Ipv6];

/// How far back countries are a habit.
const COUNTRY_MEMORY: TimeDelta = TimeDelta::days(90);

async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
    let file = directory::read_policy(config.policy.as_ref().map(|path| path.as_path()))?;
    if job.portal.as_ref().is_none_or(|portal| !portal.audit_filter_works) {
        let unseen = Coverage::unseen(IpFence::MAIN.name(), job.window, GapReason::AuditFeatureMissing);
        return Ok(IpFence::unseen(config, job, Coverage { main: IpFence::MAIN, ..unseen }));
    }
    let mut coverage = Coverage { main: IpFence::MAIN, ..Coverage::default() };
    coverage.blind_spots = BLIND_SPOTS.to_vec();
    let late = refresh(job, &mut coverage).await?;
    let list = address_list(job, &mut coverage).await;
    let mut notes = Vec::new();
    if list.as_ref().is_some_and(|list| list.enabled) {
        coverage.blind_spots.push(BlindSpot::BlockedLogins);
        notes.push("the portal's own address list is switched on: logins that it refuses leave no trace, so nobody can see them here".to_owned());
    }
    let directory = match directory::read(&job.client, file.as_ref()).await {
        Ok(directory) => directory,
        Err(error) => {
            // without knowing who is who, everybody would be accused or nobody
            coverage.gap("people", job.window, error.gap_reason());
            warn!("{:#}", anyhow::Error::new(error));
            notes.push("nobody was judged: the portal did not tell who its people are".to_owned());
            let seen = Seen { notes, address_list: list, ..Seen::default() };
            return Ok(Outcome::new(job, coverage, seen));
        }
    };
    let path = config.policy.as_ref().map(|path| path.as_path());
    let policy = resolve(file, path, &directory, config, job.now)?;
    notes.extend(about(&policy));
    let known = match &list {
        Some(list) => compared(job, list).await?,
        None => None,
    };
    let book = Rulebook {
        policy: &policy,
        directory: &directory,
        service_accounts: &job.service_accounts,
        is_public: is_public(&config.portal, &job.portal_url),
    };
    let found = judge(config, job, book, &late, known.as_ref()).await?;
    let facts = PolicyFacts {
        rules: policy.live_rules().count(),
        expired: policy.expired_rules().map(|rule| rule.label.clone()).collect(),
        people: policy.people(),
    };
    let seen = Seen { found, policy: Some(facts), address_list: list, notes };
    Ok(Outcome::new(job, coverage, seen))
}

/// Brings logins and audit trail up to date; gives the moments of rows that came late, by source.
async fn refresh(job: &Job, coverage: &mut Coverage) -> anyhow::Result<BTreeSet<(DateTime<Utc>, Source)>> {
    // first, because it tells whether there must be logins
    let audit = job.archive.refresh_audit(&job.client, job.window, job.now).await?;
    let logins = job.archive.refresh_logins(&job.client, job.window, job.now).await?;
    let of = |source| move |row: &LateRow| (row.at, source);
    let late = logins.late.iter().map(of(Source::Logins)).chain(audit.late.iter().map(of(Source::Audit))).collect();
    for error in [logins.error, audit.error].into_iter().flatten() {
        warn!("{:#}", anyhow::Error::new(error));
    }
    coverage.logins = logins.coverage;
    coverage.audit = audit.coverage;
    coverage.add_gaps(logins.gaps);
    coverage.add_gaps(audit.gaps);
    Ok(late)
}

/// The portal's own list.
async fn address_list(job: &Job, coverage: &mut Coverage) -> Option<AddressList> {
    match job.client.address_list().await {
        Ok(list) => Some(list),
        Err(error) => {
            coverage.gap("restrictions", job.window, error.gap_reason());
            warn!("{:#}", anyhow::Error::new(error));
            None
        }
    }
}

/// The list with what was remembered of it. From then on it is what is remembered, so only a run that tells of it may ask.
async fn compared(job: &Job, list: &AddressList) -> anyhow::Result<Option<Fact<KnownList>>> {
    job.archive.keep_address_list(list, job.now).await?;
    Ok(job.archive.address_list().await?)
}

/// Finds the people of the policy. Without a policy nobody is named.
pub(crate) fn resolve(
    file: Option<PolicyFile>,
    path: Option<&Path>,
    directory: &Directory,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Policy, job_runner::Error> {
    let file = file.unwrap_or(PolicyFile { default: Unnamed::Ignore, rules: Vec::new() });
    Policy::resolve(file, directory, now.date_naive(), config.ipv6_by_64)
        .map_err(|mistakes| directory::refused(path.unwrap_or(Path::new("policy")), mistakes))
}

/// What the reader must know of the policy.
pub(crate) fn about(policy: &Policy) -> Vec<String> {
    let mut notes = Vec::new();
    for rule in policy.expired_rules() {
        let label = audit_model::PortalText::new(rule.label.as_str()).for_terminal();
        let owner = rule.owner.as_ref().map(|owner| audit_model::PortalText::new(owner.as_str()).for_terminal());
        let ask = owner.map(|owner| format!("; ask {owner}")).unwrap_or_default();
        let end = rule.expires.map(|end| end.to_string()).unwrap_or_default();
        notes.push(format!("rule \"{label}\" (line {}) has expired on {end} and does not count{ask}", rule.line));
    }
    if policy.rules.is_empty() {
        notes.push("no policy is set, so only failed logins, new countries, disabled accounts and addresses that were set are judged; give `--policy FILE`".to_owned());
    }
    notes
}

/// Whether people come to the portal over the internet. By default: unless it has a private address or a name that only a company's own
/// network knows.
pub(crate) fn is_public(own: &OwnPortal, portal: &url::Url) -> bool {
    own.public.unwrap_or_else(|| match portal.host() {
        Some(url::Host::Domain(name)) => {
            let is_inner =
                [".local", ".internal", ".lan", ".intranet", ".home.arpa"].iter().any(|end| name.ends_with(end));
            name.contains('.') && !is_inner
        }
        Some(url::Host::Ipv4(ip)) => {
            !matches!(audit_model::Address::from(std::net::IpAddr::V4(ip)), audit_model::Address::Private(_))
        }
        Some(url::Host::Ipv6(ip)) => {
            !matches!(audit_model::Address::from(std::net::IpAddr::V6(ip)), audit_model::Address::Private(_))
        }
        None => true,
    })
}

async fn judge(
    config: &Config,
    job: &Job,
    book: Rulebook<'_>,
    late: &BTreeSet<(DateTime<Utc>, Source)>,
    known: Option<&Fact<KnownList>>,
) -> anyhow::Result<Vec<Found>> {
    // rows that came late are judged once, also when they lie before the window
    let oldest = late.first().map_or(job.window.since, |(at, _)| job.window.since.min(*at));
    let window = Window::new(oldest, job.window.until);
    let is_judged = |row: &Sighting| row.at >= job.window.since || late.contains(&(row.at, row.source));
    let logins = job.archive.logins(window).await?.into_iter().map(Sighting::from);
    let (logins, judged_before): (Vec<Sighting>, Vec<Sighting>) = logins.partition(is_judged);
    let mut habits = Habits::new(job.archive.login_countries(Window::new(oldest - COUNTRY_MEMORY, oldest)).await?);
    judged_before.iter().for_each(|login| habits.learn(login));
    let mut detector = Detector::new(book, habits);
    let mut changes = Vec::new();
    let mut waiting = logins.iter().peekable();
    let mut acts = std::pin::pin!(acts(&job.archive, window));
    while let Some(act) = acts.try_next().await? {
        if !is_judged(&act) {
            continue;
        }
        while let Some(login) = waiting.next_if(|login| login.order() < act.order()) {
            detector.push(login);
        }
        detector.push(&act);
        if drift::is_change(&act) {
            changes.push(act);
        }
    }
    waiting.for_each(|login| detector.push(login));
    let mut bursts = Bursts::new(book, &config.limits);
    logins.iter().for_each(|login| bursts.push(login));
    let mut found = detector.finish();
    found.extend(bursts.finish());
    if let Some(known) = known {
        found.extend(drift::changed(known, &changes, book.directory, job.window));
        found.extend(drift::not_enforced(known, &logins, book.directory));
    }
    Ok(found)
}

fn acts(archive: &Archive, window: Window) -> impl Stream<Item = Result<Sighting, event_archive::Error>> + '_ {
    archive.events(window).map_ok(Sighting::from)
}

/// This program, as the runner sees it.
pub(crate) struct IpFence;

impl Program for IpFence {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const MAIN: MainSource = MainSource::Logins;
    const WINDOW: TimeDelta = TimeDelta::hours(24);

    type Cli = Cli;
    type Config = Config;
    type Outcome = Outcome;

    fn flags(cli: &Cli) -> Vec<FlagSetting> {
        cli.flags()
    }

    const JUDGED_BY: &'static [&'static str] = &["audit", "logins", "people"];

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
        run(config, job).await
    }

    fn head(outcome: &mut Outcome) -> &mut Head {
        &mut outcome.head
    }

    fn unseen(_config: &Config, job: &Job, coverage: Coverage) -> Outcome {
        Outcome::new(job, coverage, Seen::default())
    }

    fn conclusion(outcome: &Outcome) -> Conclusion<'_> {
        Conclusion {
            coverage: &outcome.head.coverage,
            findings: &outcome.found.findings,
            suppressed: outcome.suppressed,
            held: false,
        }
    }

    fn tellable(outcome: &mut Outcome) -> Option<Tellable<'_>> {
        Some(outcome.tellable())
    }

    fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
        crate::report::render(outcome, format, out)
    }

    fn alerts(outcome: &Outcome) -> Vec<Alert> {
        outcome.head.alerts(&outcome.found.findings)
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        crate::checks::checks(config, reached).await
    }

    async fn own_command(cli: &Cli, setup: &Setup<'_, Self>) -> anyhow::Result<Exit> {
        crate::commands::run(cli, setup).await
    }
}
