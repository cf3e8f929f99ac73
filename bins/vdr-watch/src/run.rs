//! The job: refresh, attribute, detect, identify.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use alerting::Alert;
use audit_model::{BlindSpot, Coverage, Finding, GapReason, PortalText, RoomId, Rooms, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::LateRow;
use futures::TryStreamExt;
use job_runner::args::ReportFormat;
use job_runner::config::FlagSetting;
use job_runner::{Check, Conclusion, Job, Program, Reached};
use tracing::warn;

use crate::attribution::Watched;
use crate::cli::Cli;
use crate::config::Config;
use crate::outcome::{Outcome, Seen};
use crate::rule::Detector;
use crate::who::{self, LoginDetails};

/// What no portal records of a room, however complete the read is.
pub(crate) const BLIND_SPOTS: [BlindSpot; 3] =
    [BlindSpot::StreamDownloads, BlindSpot::ViewOnlySessions, BlindSpot::FilesInFolderOperations];

async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
    if job.portal.as_ref().is_none_or(|portal| !portal.audit_filter_works) {
        let coverage = Coverage::unseen("audit", job.window, GapReason::AuditFeatureMissing);
        return Ok(VdrWatch::unseen(config, job, coverage));
    }
    let refreshed = job.archive.refresh_audit(&job.client, job.window, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    let mut coverage = Coverage { blind_spots: BLIND_SPOTS.to_vec(), audit: refreshed.coverage, ..Coverage::default() };
    coverage.add_gaps(refreshed.gaps);
    let watched = watched(config, job, &mut coverage).await?;
    let mut findings = detect(config, job, job.window, &watched, &mut coverage, None).await?;
    findings.extend(detect_late(config, job, &refreshed.late, &watched, &findings).await?);
    Finding::sort(&mut findings);
    who::identify(&mut findings, job, &mut coverage).await?;
    let login_details =
        if findings.is_empty() { LoginDetails::new() } else { who::logins(&findings, job, &mut coverage).await? };
    let seen = Seen { watched: watched.ids.into_iter().collect(), findings, login_details };
    Ok(Outcome::new(config, job, coverage, seen))
}

/// The rooms of the portal, and which of them to watch.
async fn watched(config: &Config, job: &Job, coverage: &mut Coverage) -> anyhow::Result<Watched> {
    let list_read = match job.client.rooms().await {
        Ok(shown) => {
            let facts: Vec<_> = shown.into_iter().map(|room| room.fact).collect();
            job.archive.keep_rooms(&facts, job.now).await?;
            true
        }
        Err(error) => {
            warn!("{:#}", anyhow::Error::new(error));
            coverage.gap("rooms", job.window, GapReason::RoomUnreadable);
            false
        }
    };
    let rooms = job.archive.rooms(job.window).await?;
    let ids = choose(&config.rooms, &rooms, list_read)?;
    Ok(Watched { rooms, ids })
}

/// The rooms that the settings name; without any, every virtual data room. A name that fits none is a mistake only when the
/// portal's list was read.
fn choose(wanted: &[String], rooms: &Rooms, list_read: bool) -> Result<BTreeSet<RoomId>, job_runner::Error> {
    let data_rooms = || rooms.iter().filter(|room| room.may_be_vdr());
    if wanted.is_empty() {
        return Ok(data_rooms().map(|room| room.id.clone()).collect());
    }
    let mut chosen = BTreeSet::new();
    for name in wanted {
        let fits = data_rooms().filter(|room| room.id == RoomId::from(name.as_str()) || room.title.raw() == name);
        let before = chosen.len();
        chosen.extend(fits.map(|room| room.id.clone()));
        if chosen.len() == before && list_read {
            let shown = PortalText::new(name.as_str()).for_terminal();
            let message =
                format!("no virtual data room has the id or the exact title `{shown}`; look both up in the portal");
            return Err(job_runner::Error::setting("rooms", message));
        }
    }
    Ok(chosen)
}

/// Findings around rows that the portal stored only after their time had been judged, when that time lies before the window.
async fn detect_late(
    config: &Config,
    job: &Job,
    late: &[LateRow],
    watched: &Watched,
    known: &[Finding],
) -> anyhow::Result<Vec<Finding>> {
    let before = || late.iter().map(|row| row.at).filter(|at| *at < job.window.since);
    let (Some(oldest), Some(newest)) = (before().min(), before().max()) else { return Ok(Vec::new()) };
    let around = Window::new(oldest - VdrWatch::WINDOW, newest + VdrWatch::WINDOW);
    let mut findings =
        detect(config, job, around, watched, &mut Coverage::default(), Some(Arc::new(before().collect()))).await?;
    findings.retain(|finding| !known.iter().any(|other| tells_of(other, finding)));
    Ok(findings)
}

/// Whether a finding of the window tells already what the other one says: the same stretch of time, and no fewer acts.
fn tells_of(known: &Finding, late: &Finding) -> bool {
    known.fingerprint == late.fingerprint
        && !known.window.intersection(&late.window).is_empty()
        && known.counts.acts >= late.counts.acts
}

async fn detect(
    config: &Config,
    job: &Job,
    window: Window,
    watched: &Watched,
    coverage: &mut Coverage,
    only_around: Option<Arc<BTreeSet<DateTime<Utc>>>>,
) -> anyhow::Result<Vec<Finding>> {
    let logs = watched.logs(job, window, coverage).await?;
    let mut detector = Detector::new(&config.limits, watched.rooms.twins()).only_around(only_around);
    let mut events = std::pin::pin!(job.archive.events(window));
    while let Some(event) = events.try_next().await? {
        let Some(placed) = watched.place(&event, &logs) else { continue };
        if placed.is_unattributed() {
            coverage.unattributed += 1;
        }
        detector.push(placed);
    }
    Ok(detector.finish())
}

/// This program, as the runner sees it.
pub(crate) struct VdrWatch;

impl Program for VdrWatch {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const WINDOW: TimeDelta = TimeDelta::hours(24);

    type Cli = Cli;
    type Config = Config;
    type Outcome = Outcome;

    fn flags(cli: &Cli) -> Vec<FlagSetting> {
        cli.flags()
    }

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
        run(config, job).await
    }

    fn unseen(config: &Config, job: &Job, coverage: Coverage) -> Outcome {
        Outcome::new(config, job, coverage, Seen::default())
    }

    fn conclusion(outcome: &Outcome) -> Conclusion<'_> {
        Conclusion { coverage: &outcome.head.coverage, findings: &outcome.findings, suppressed: outcome.suppressed }
    }

    fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
        crate::report::render(outcome, format, out)
    }

    fn alerts(outcome: &Outcome) -> Vec<Alert> {
        crate::report::alerts(outcome)
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        crate::checks::checks(config, reached.map(|reached| reached.rooms.as_slice()))
    }
}
