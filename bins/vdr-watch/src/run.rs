//! The job: refresh, attribute, detect, identify.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ::report::words;
use alerting::Alert;
use audit_model::{BlindSpot, Coverage, Finding, GapReason, Halves, PortalText, RoomId, Rooms, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::LateRow;
use futures::TryStreamExt;
use job_runner::args::{FlagSetting, ReportFormat};
use job_runner::config::{Problem, Problems};
use job_runner::names::NamedList;
use job_runner::{Check, Conclusion, Head, Job, Program, Reached, Tellable};
use tracing::warn;
use uuid::Uuid;

use crate::attribution::{Answers, Watched, file_of};
use crate::cli::Cli;
use crate::config::{Config, Exclusion};
use crate::exclusion;
use crate::outcome::{Outcome, Seen};
use crate::rule::{Detector, RoomKey};
use crate::who::{self, Chosen};
use crate::{create_room, logins};

/// What no portal records of a room, however complete the read is.
pub(crate) const BLIND_SPOTS: [BlindSpot; 3] =
    [BlindSpot::StreamDownloads, BlindSpot::ViewOnlySessions, BlindSpot::FilesInFolderOperations];

async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
    if job.portal.as_ref().is_none_or(|portal| !portal.audit_filter_works) {
        let coverage = Coverage::unseen("audit", job.window, GapReason::AuditFeatureMissing);
        return Ok(VdrWatch::unseen(config, job, coverage));
    }
    let mut early = Coverage::default();
    let chosen = Chosen::look_up(&config.people, job, &mut early).await?;
    let action = create_room::ensure(config, job, &mut early).await?;
    let config = &create_room::watching(config, action.as_ref());
    let refreshed = job.archive.refresh_audit(&job.client, job.window, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    let mut coverage = Coverage { blind_spots: BLIND_SPOTS.to_vec(), audit: refreshed.coverage, ..Coverage::default() };
    coverage.add_gaps(refreshed.gaps);
    coverage.add_gaps(early.gaps);
    let watched = watched(config, job, &mut coverage).await?;
    let mut findings = detect(config, job, &refreshed.late, &watched, &mut coverage).await?;
    who::identify(&mut findings, job, &mut coverage).await?;
    chosen.restrict(&mut findings);
    who::add_room_roles(&mut findings, job, &mut coverage).await;
    let logins = logins::read(&findings, job, &mut coverage).await?;
    let actions = action.into_iter().collect();
    let mut notes: Vec<String> = chosen.note().into_iter().collect();
    let twins = watched.rooms.twins();
    notes.extend(exclusion::silence(&mut findings, &config.exclude, &twins, job.now.date_naive()));
    let seen = Seen { watched: watched.ids.into_iter().collect(), findings, logins, actions, notes };
    Ok(Outcome::new(config, job, coverage, seen))
}

/// The rooms of the portal, and which of them to watch.
async fn watched(config: &Config, job: &Job, coverage: &mut Coverage) -> anyhow::Result<Watched> {
    let list_read = match job.archive.refresh_rooms(&job.client, job.window, job.now).await? {
        Ok(_) => true,
        Err(error) => {
            coverage.gap("rooms", job.window, error.gap_reason());
            warn!("{:#}", anyhow::Error::new(error));
            false
        }
    };
    let rooms = job.archive.rooms(job.window).await?;
    let ids = choose(&config.rooms, &rooms, list_read)?;
    Ok(Watched { rooms, ids, folder_weight: config.folder_weight })
}

/// The rooms that the settings name; without any, every virtual data room. A name that fits none is a mistake only when the
/// portal's list was read.
fn choose(wanted: &[String], rooms: &Rooms, list_read: bool) -> Result<BTreeSet<RoomId>, job_runner::Error> {
    let data_rooms = || rooms.iter().filter(|room| room.may_be_vdr());
    if wanted.is_empty() {
        return Ok(data_rooms().map(|room| room.id.clone()).collect());
    }
    let mut chosen = BTreeSet::new();
    let mut unknown = Vec::new();
    for name in wanted {
        let fits = data_rooms().filter(|room| room.id == RoomId::from(name.as_str()) || room.title.raw() == name);
        let fits: Vec<RoomId> = fits.map(|room| room.id.clone()).collect();
        if fits.is_empty() && list_read {
            let shown = PortalText::new(name.as_str()).for_terminal();
            let message =
                format!("no virtual data room has the id or the exact title `{shown}`; look both up in the portal");
            unknown.push(Problem::new("rooms", message));
        }
        chosen.extend(fits);
    }
    if unknown.is_empty() { Ok(chosen) } else { Err(job_runner::Error::Config(Problems(unknown))) }
}

/// Findings of the window, and those that rows which the portal stored only after their time had been judged are part of.
async fn detect(
    config: &Config,
    job: &Job,
    late: &[LateRow],
    watched: &Watched,
    coverage: &mut Coverage,
) -> anyhow::Result<Vec<Finding>> {
    let oldest = late.iter().map(|row| row.at - VdrWatch::WINDOW).chain([job.window.since]).min();
    let window = Window::new(oldest.unwrap_or(job.window.since), job.window.until);
    let mut answers = watched.ask(job, window, coverage).await?;
    let judged = judge(config, job, window, watched, &answers).await?;
    // a document's place of today is asked for only where it decides about somebody
    let mut judged = if watched.ask_trees(job, &judged.open_files, &mut answers, coverage).await? {
        judge(config, job, window, watched, &answers).await?
    } else {
        judged
    };
    coverage.unattributed += judged.unattributed;
    let is_late = |finding: &Finding| late.iter().any(|row| finding.window.contains(row.at));
    judged.findings.retain(|finding| finding.window.until > job.window.since || is_late(finding));
    Ok(judged.findings)
}

/// What the rule says about a window.
struct Judged {
    findings: Vec<Finding>,
    /// Acts in rooms of which only the title is known.
    unattributed: u64,
    /// Files of the people found, where it is open which room they were in.
    open_files: BTreeSet<String>,
}

async fn judge(
    config: &Config,
    job: &Job,
    window: Window,
    watched: &Watched,
    answers: &Answers,
) -> anyhow::Result<Judged> {
    let mut detector = Detector::new(&config.limits, watched.rooms.twins(), job.window.since);
    let mut halves = Halves::default();
    let mut unattributed = 0;
    let mut open: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    let mut events = std::pin::pin!(job.archive.events(window));
    while let Some(event) = events.try_next().await? {
        let Some(placed) = watched.place(event, answers) else { continue };
        unattributed += u64::from(placed.is_unattributed());
        if let (RoomKey::OneOf(_), Some(file)) = (&placed.key, file_of(&placed.event)) {
            open.entry(placed.event.actor).or_default().insert(file.clone());
        }
        // of a move between two rooms the half of the room that something left is told
        halves.push(placed, |first, second| first.key != second.key).for_each(|placed| detector.push(placed));
    }
    halves.finish().for_each(|placed| detector.push(placed));
    let findings = detector.finish();
    let undecided = findings.iter().filter(|finding| finding.room.as_ref().is_some_and(|room| room.id.is_none()));
    let open_files = undecided.filter_map(|finding| open.get(&finding.person.id)).flatten().cloned().collect();
    Ok(Judged { findings, unattributed, open_files })
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

    fn named(config: &Config, now: DateTime<Utc>) -> Vec<NamedList> {
        let counts = |exclusion: &&Exclusion| exclusion.until.is_some_and(|until| now.date_naive() < until);
        let exclusions = || config.exclude.iter().filter(counts);
        vec![
            NamedList::people("exclude.people", exclusions().flat_map(|exclusion| &exclusion.people)),
            NamedList::rooms("exclude.rooms", exclusions().flat_map(|exclusion| &exclusion.rooms)),
        ]
    }

    fn part(config: &Config) -> String {
        config.part()
    }

    const JUDGED_BY: &'static [&'static str] = &["audit", "logins", "rooms", "room_log", "folders", "files"];

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
        run(config, job).await
    }

    async fn act(config: &Config, job: &Job, _outcome: &mut Outcome) -> anyhow::Result<()> {
        create_room::refused(config, job)
    }

    fn head(outcome: &mut Outcome) -> &mut Head {
        &mut outcome.head
    }

    fn unseen(config: &Config, job: &Job, coverage: Coverage) -> Outcome {
        Outcome::new(config, job, coverage, Seen::default())
    }

    fn conclusion(outcome: &Outcome) -> Conclusion<'_> {
        Conclusion {
            coverage: &outcome.head.coverage,
            findings: &outcome.findings,
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

    fn says_more(outcome: &Outcome) -> bool {
        outcome.made().next().is_some() || words::told(&outcome.findings).next().is_some()
    }

    fn alerts(outcome: &Outcome) -> Vec<Alert> {
        outcome.head.alerts(&outcome.findings)
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        crate::checks::checks(config, reached).await
    }
}
