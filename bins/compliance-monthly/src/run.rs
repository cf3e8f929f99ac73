//! The job: refresh, sum up, write.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use alerting::Alert;
use anyhow::Context;
use audit_model::{BlindSpot, Coverage, GapReason, Rooms, Verdict, Window, is_robot};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures::TryStreamExt;
use job_runner::args::{FlagSetting, ReportFormat};
use job_runner::exit::Exit;
use job_runner::{Check, Conclusion, Head, Job, Program, Reached, Refusal, Setup};
use serde_json::json;
use tracing::{error, warn};
use uuid::Uuid;

use crate::bundle::{Bundle, Subject};
use crate::cli::Cli;
use crate::config::Config;
use crate::filter::Filter;
use crate::logins::Logins;
use crate::look_up::{self, id_of, people};
use crate::outcome::{Destination, Facts, Outcome, REPORT_VERSION};
use crate::page_one::Limits;
use crate::period::{Month, Period, month_before};
use crate::summary::{Eyes, Summary};
use crate::target::{NoTarget, Target, about_readers};
use crate::upload::{self, State, Uploader};
use crate::write::{self, Origin};
use ::report::words::plural;

/// What no portal records, however complete the read is.
const BLIND_SPOTS: [BlindSpot; 6] = [
    BlindSpot::StreamDownloads,
    BlindSpot::ViewOnlySessions,
    BlindSpot::KeyLogins,
    BlindSpot::FilesInFolderOperations,
    BlindSpot::Ipv6,
    BlindSpot::BlockedLogins,
];

/// A country is new when a person was not seen there for this long: a quarter holds most holidays and journeys.
const LOGIN_HISTORY: TimeDelta = TimeDelta::days(92);

async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
    // what only somebody can set right is found before the work is done
    let target = target(config, job).await?;
    let period = period(config, job);
    if let (Some(folder), false) = (folder(config, &period), job.dry_run) {
        Bundle::open(&folder, &subject(config, job, &period))?;
    }
    let (facts, filter) = if job.portal.as_ref().is_some_and(|portal| portal.audit_filter_works) {
        gather(config, job).await?
    } else {
        let coverage = Coverage::unseen("audit", job.window, GapReason::AuditFeatureMissing);
        (unseen(config, job, coverage), Filter::default())
    };
    let head = Head::new(job, REPORT_VERSION, facts.coverage.clone());
    Ok(Outcome { target, filter, ..outcome(config, head, facts) })
}

/// Writes the files of the report, and uploads them.
async fn act(config: &Config, job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    outcome.see();
    if let Some(folder) = folder(config, &outcome.facts.period) {
        match job.dry_run {
            true => outcome.head.notes.push(format!("dry run: nothing was written into {}", folder.display())),
            false => write_files(config, job, folder, outcome).await?,
        }
    }
    if let Some(target) = outcome.target.take() {
        deliver(config, job, target, outcome).await?;
    }
    Ok(())
}

async fn write_files(config: &Config, job: &Job, folder: PathBuf, outcome: &mut Outcome) -> anyhow::Result<()> {
    let Outcome { head, facts, filter, .. } = &mut *outcome;
    let bundle = Bundle::open(&folder, &subject(config, job, &facts.period))?;
    let query = write::query(config, &facts.own, filter);
    let origin = Origin { program: head.program.clone(), portal: &head.portal, query };
    match write::bundle(job, facts, filter, &origin, bundle).await {
        Ok(Some(written)) => outcome.report = Some(written),
        Ok(None) => {
            let kept = "the report of this time that is there already was kept: this run saw less";
            head.notes.push(kept.to_owned());
        }
        // a full disk must not keep the first page from being printed
        Err(error) => {
            error!("{error:#}");
            head.notes.push(format!("the files of the report could not be written: {error:#}"));
            head.coverage.gap("files", job.window, GapReason::StoreError);
        }
    }
    Ok(())
}

/// Where to upload to, or why that cannot be.
async fn target(config: &Config, job: &Job) -> anyhow::Result<Option<Result<Target, String>>> {
    let Some(wanted) = &config.upload_to else { return Ok(None) };
    let target = match Target::find(&job.client, wanted).await {
        Ok(target) => target,
        Err(NoTarget::Setting(message)) => return Err(job_runner::Error::setting("upload_to", message).into()),
        Err(NoTarget::Portal(error)) => return Ok(Some(Err(upload::said(&error)))),
    };
    Ok(Some(match target.obstacle(&job.client).await {
        Ok(None) => Ok(target),
        Ok(Some(obstacle)) => Err(format!("cannot upload into {}: {obstacle}", target.path)),
        Err(error) => Err(upload::said(&error)),
    }))
}

/// Uploads what was written. What could not be uploaded makes the run incomplete, and is finished by the next.
async fn deliver(
    config: &Config,
    job: &Job,
    target: Result<Target, String>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let missing = |outcome: &mut Outcome| outcome.head.coverage.gap("upload", job.window, GapReason::PortalError);
    let target = match target {
        Ok(target) => target,
        Err(why) => {
            outcome.head.notes.push(format!("nothing was uploaded: {why}"));
            missing(outcome);
            return Ok(());
        }
    };
    let notes = match target.readers(&job.client).await {
        Ok(readers) => about_readers(&readers, &named(&outcome.facts)),
        Err(error) => vec![format!("who can read it there could not be seen: {error}")],
    };
    outcome.upload = Some(Destination { folder: target.folder.clone(), path: target.path.clone(), notes });
    if job.dry_run {
        outcome.head.notes.push(format!("dry run: nothing was uploaded into {}", target.path));
    }
    let Some(written) = outcome.report.take() else { return Ok(()) };
    let uploads = upload::uploads(&written.files, &written.manifest, &outcome.facts.period.label());
    let held = held_back(&outcome.facts, job);
    let mut actions = Vec::new();
    match (&held, &job.store) {
        (Some(why), _) => actions.extend(uploads.iter().map(|upload| upload.action(State::Held, why.clone()))),
        (None, Err(refusal)) => {
            actions.extend(uploads.iter().map(|upload| upload.action(State::Failed, refusal.to_string())));
        }
        (None, Ok(store)) => {
            let me = job.portal.as_ref().map(|portal| portal.me.person.id).unwrap_or_default();
            match Uploader::new((&job.client, store), &target, me, config.on_collision, job.now).await {
                Ok(uploader) => {
                    for upload in &uploads {
                        let action = uploader.apply(upload, &written.folder).await;
                        actions.push(action.unwrap_or_else(|error| upload.action(State::Failed, format!("{error:#}"))));
                    }
                }
                Err(error) => {
                    actions.extend(uploads.iter().map(|upload| upload.action(State::Failed, format!("{error:#}"))));
                }
            }
        }
    }
    outcome.report = Some(written);
    if actions.iter().any(|action| matches!(action.state, State::Held | State::Failed)) {
        missing(outcome);
    }
    outcome.actions = actions;
    Ok(())
}

/// Why a report is not for others yet.
fn held_back(facts: &Facts, job: &Job) -> Option<String> {
    if facts.coverage.verdict() == Verdict::Nothing {
        return Some("nothing can be concluded".to_owned());
    }
    if let Err(refusal @ Refusal::Clock { .. }) = &job.store {
        return Some(refusal.to_string());
    }
    let is_open = facts.coverage.gaps.iter().any(|gap| gap.why == GapReason::NotSettled);
    is_open.then(|| "the portal may still be storing events of it; run again later".to_owned())
}

/// People whom the report names; the portal itself and our own programs are none.
fn named(facts: &Facts) -> BTreeSet<Uuid> {
    let people = facts.summary.people.keys().chain(facts.logins.users.keys());
    people.filter(|id| !is_robot(**id) && !facts.own.contains(id)).copied().collect()
}

/// Reads what is missing, and sums it up.
async fn gather(config: &Config, job: &Job) -> anyhow::Result<(Facts, Filter)> {
    let period = period(config, job);
    let mut coverage = refresh(config, job, &period).await?;
    let rooms = rooms(job, &mut coverage).await?;
    let own = own_accounts(job, &mut coverage).await;
    let (filter, notes) = look_up::filter(&config.only, job, &rooms, &mut coverage).await?;
    let eyes = Eyes { period: &period, rooms: &rooms, own: &own };
    let summary = sum_up(job, period.window, &filter, &eyes).await?;
    let previous = period.previous();
    let before = match is_covered(job, previous.window).await? {
        true => Some(sum_up(job, previous.window, &filter, &Eyes { period: &previous, ..eyes }).await?),
        false => None,
    };
    let logins = logins(job, &period, &filter).await?;
    let restricted = (!config.only.is_everything()).then(|| in_words(config, &filter));
    let unseen = unseen(config, job, coverage);
    let facts = Facts { summary, before, logins, own, filter: restricted, rooms, notes, ..unseen };
    Ok((facts, filter))
}

async fn refresh(config: &Config, job: &Job, period: &Period) -> anyhow::Result<Coverage> {
    let refreshed = job.archive.refresh_audit(&job.client.with_details(), period.window, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    let mut coverage = Coverage { blind_spots: BLIND_SPOTS.to_vec(), audit: refreshed.coverage, ..Coverage::default() };
    coverage.add_gaps(refreshed.gaps);
    let unsettled = period.unsettled(job.now, config.settle());
    if !unsettled.is_empty() {
        coverage.gap("audit", unsettled, GapReason::NotSettled);
    }
    let refreshed = job.archive.refresh_logins_and_history(&job.client, period.window, LOGIN_HISTORY, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    coverage.logins = refreshed.coverage;
    coverage.add_gaps(refreshed.gaps);
    Ok(coverage)
}

async fn rooms(job: &Job, coverage: &mut Coverage) -> anyhow::Result<Rooms> {
    if let Err(error) = job.archive.refresh_rooms(&job.client, job.window, job.now).await? {
        coverage.gap("rooms", job.window, error.gap_reason());
        warn!("{:#}", anyhow::Error::new(error));
    }
    Ok(job.archive.rooms(job.window).await?)
}

/// The key's own account, and the people that the settings call robots.
async fn own_accounts(job: &Job, coverage: &mut Coverage) -> BTreeSet<Uuid> {
    let mut own: BTreeSet<Uuid> = job.portal.iter().map(|portal| portal.me.person.id).collect();
    own.extend(job.service_accounts.iter().filter_map(|entry| id_of(entry)));
    // the portal is asked only when there are addresses
    if job.service_accounts.iter().any(|entry| id_of(entry).is_none()) {
        let (found, _) = people(job, ("service_accounts", &job.service_accounts), coverage).await;
        own.extend(found);
    }
    own
}

async fn sum_up(job: &Job, window: Window, filter: &Filter, eyes: &Eyes<'_>) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let mut events = std::pin::pin!(job.archive.events(window));
    while let Some(event) = events.try_next().await? {
        if filter.fits(&event, eyes.rooms) {
            summary.push(&event, eyes);
        } else {
            summary.left_out += 1;
        }
    }
    summary.finish();
    Ok(summary)
}

/// Whether the archive has every event of the window.
async fn is_covered(job: &Job, window: Window) -> anyhow::Result<bool> {
    let kept = job.archive.kept().await?;
    let audit = kept.iter().find(|kept| kept.source == "audit");
    Ok(audit.is_some_and(|kept| kept.covered.missing_from(window).is_empty()))
}

async fn logins(job: &Job, period: &Period, filter: &Filter) -> anyhow::Result<Logins> {
    let since = period.window.since;
    let known_since = job.archive.logins_known_since(since).await?.map(|known| known.max(since - LOGIN_HISTORY));
    let mut logins = Logins::new(known_since);
    if let Some(known_since) = known_since {
        let mut history = std::pin::pin!(job.archive.login_events(Window::new(known_since, since)));
        while let Some(login) = history.try_next().await? {
            logins.push_history(&login);
        }
    }
    let mut all = std::pin::pin!(job.archive.login_events(period.window));
    while let Some(login) = all.try_next().await? {
        if filter.fits_login(&login) {
            logins.push(&login);
        } else {
            logins.left_out += 1;
        }
    }
    Ok(logins)
}

/// What the report is restricted to.
fn in_words(config: &Config, filter: &Filter) -> String {
    let only = &config.only;
    let lists = [
        ("rooms", &only.rooms),
        ("folders", &only.folders),
        ("files", &only.files),
        ("people", &only.people),
        ("actions", &only.actions),
    ];
    let given = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut parts: Vec<String> = given
        .map(|(name, list)| format!("{name} {}", audit_model::PortalText::new(list.join(", ")).for_terminal()))
        .collect();
    if only.important_documents.is_some() {
        parts.push(format!("a list of {}", plural(filter.important.len() as u64, "important document")));
    }
    parts.join("; ")
}

fn limits(config: &Config) -> Limits {
    Limits { bulk_downloads: config.bulk_downloads, failed_logins: config.failed_logins }
}

fn period(config: &Config, job: &Job) -> Period {
    let portal = job.portal.as_ref().map_or(Tz::UTC, |portal| portal.time_zone);
    Period { window: job.window, zone: config.zone_or(portal) }
}

fn folder(config: &Config, period: &Period) -> Option<PathBuf> {
    let folder = config.out.as_ref()?.as_path().to_string_lossy().replace("{month}", &period.label());
    Some(PathBuf::from(folder))
}

fn portal(job: &Job) -> String {
    job.portal_url.as_str().trim_end_matches('/').to_owned()
}

fn subject(config: &Config, job: &Job, period: &Period) -> Subject {
    Subject { portal: portal(job), period: period.facts(), only: json!(config.only) }
}

fn unseen(config: &Config, job: &Job, coverage: Coverage) -> Facts {
    Facts::unseen(portal(job), period(config, job), coverage, limits(config))
}

fn outcome(config: &Config, mut head: Head, facts: Facts) -> Outcome {
    head.portal.time_zone = Some(facts.period.zone);
    Outcome::new(head, facts, &config.only)
}

/// This program, as the runner sees it.
pub(crate) struct ComplianceMonthly;

impl Program for ComplianceMonthly {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    /// What `store prune` leaves is twice this: a month, and the one to compare it with.
    const WINDOW: TimeDelta = TimeDelta::days(31);

    type Cli = Cli;
    type Config = Config;
    type Outcome = Outcome;

    fn flags(cli: &Cli) -> Vec<FlagSetting> {
        cli.flags()
    }

    fn window(
        config: &Config,
        since: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Option<Window>, job_runner::Error> {
        let zone = config.zone_or(zone);
        match (since, until) {
            (None, None) => {
                let month = config.month.unwrap_or_else(|| Month::last_complete(now, zone));
                let window = month.window(zone);
                if window.until > now {
                    let message =
                        format!("{month} ends at {} and is not over yet", crate::words::local(window.until, zone));
                    return Err(job_runner::Error::setting("month", message));
                }
                Ok(Some(window))
            }
            (None, Some(until)) => Ok(Some(Window::new(month_before(until, zone), until))),
            (Some(since), until) => Ok(Some(Window::new(since, until.unwrap_or(now)))),
        }
    }

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
        run(config, job).await
    }

    fn unseen(config: &Config, job: &Job, coverage: Coverage) -> Outcome {
        let facts = unseen(config, job, coverage);
        outcome(config, Head::new(job, REPORT_VERSION, facts.coverage.clone()), facts)
    }

    async fn act(config: &Config, job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
        act(config, job, outcome).await
    }

    fn head(outcome: &mut Outcome) -> &mut Head {
        &mut outcome.head
    }

    fn conclusion(outcome: &Outcome) -> Conclusion<'_> {
        Conclusion { coverage: &outcome.head.coverage, findings: &[], suppressed: 0, held: false }
    }

    fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
        crate::report::render(outcome, format, out)
    }

    /// A report that was asked for is printed, whatever it lacks.
    fn says_more(_outcome: &Outcome) -> bool {
        true
    }

    fn alerts(_outcome: &Outcome) -> Vec<Alert> {
        Vec::new()
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        crate::checks::checks(config, reached).await
    }

    async fn own_command(cli: &Cli, setup: &Setup<'_, Self>) -> anyhow::Result<Exit> {
        let folder = cli.verified_folder().context("`verify` names a folder")?;
        let verified = crate::verify::verify(folder)?;
        let shown = folder.display();
        if verified.problems.is_empty() {
            setup.print(&format!("{shown}: {} files, none changed\n", verified.files))?;
            return Ok(Exit::Concluded);
        }
        let lines: String = verified.problems.iter().map(|problem| format!("  - {problem}\n")).collect();
        setup.print(&format!("{shown}: NOT what was written\n{lines}"))?;
        Ok(Exit::Nothing)
    }
}
