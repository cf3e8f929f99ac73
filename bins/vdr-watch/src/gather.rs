//! What the program asks: which rooms to watch, what happened in them, who did it, and from where.

use std::collections::{BTreeMap, BTreeSet};

use attribution::file_of;
use audit_model::{Finding, GapReason, Halves, PortalText, RoomId, Rooms, Window};
use chrono::NaiveDate;
use event_archive::{Look, Unjudged};
use futures::TryStreamExt;
use job_runner::Job;
use job_runner::config::{Problem, Problems};
use uuid::Uuid;

use crate::circumstances::{self, Circumstances, Key};
use crate::config::Config;
use crate::create_room::{self, RoomAction};
use crate::logins::{self, Logins};
use crate::rule::{Detector, RoomKey, WINDOW};
use crate::usual::Usual;
use crate::watched::{Answers, Watched};
use crate::who::{self, Chosen};

/// What was read, as far as the report goes by it.
pub(crate) struct Facts {
    /// The rooms that were watched.
    pub(crate) watched: BTreeSet<RoomId>,
    /// Rooms that share a title with others.
    pub(crate) twins: BTreeSet<RoomId>,
    /// The day of the run, in UTC.
    pub(crate) today: NaiveDate,
    pub(crate) window: Window,
    pub(crate) findings: Vec<Finding>,
    /// What else is known of each finding.
    pub(crate) circumstances: BTreeMap<Key, Circumstances>,
    pub(crate) logins: Logins,
    /// What became of the room that was asked for.
    pub(crate) action: Option<RoomAction>,
    /// Whom the report is restricted to, in words.
    pub(crate) restriction: Option<String>,
}

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    let chosen = Chosen::look_up(&config.people, job, look).await?;
    let action = create_room::ensure(config, job, look).await?;
    let unjudged = look.audit().await?;
    attribution::keep_inventory(look).await?;
    let requested = action.as_ref().and_then(|action| action.room.id.clone());
    let watched = watched(config, requested, job, look).await?;
    let (mut findings, circumstances) = detect(config, job, &unjudged, &watched, look).await?;
    who::identify(&mut findings, job, look).await?;
    chosen.restrict(&mut findings);
    who::add_room_roles(&mut findings, job, look).await;
    let logins = logins::read(&findings, job, look).await?;
    Ok(Facts {
        twins: watched.rooms.twins(),
        watched: watched.ids,
        today: job.now.date_naive(),
        window: job.window,
        findings,
        circumstances,
        logins,
        action,
        restriction: chosen.note(),
    })
}

/// The rooms of the portal, and which of them to watch: those that the settings name, and the one that they ask for.
async fn watched(config: &Config, requested: Option<RoomId>, job: &Job, look: &mut Look) -> anyhow::Result<Watched> {
    let list_read = look.knows_rooms().await?;
    let rooms = job.archive.rooms(job.window).await?;
    let mut ids = choose(&config.rooms, &rooms, list_read)?;
    ids.extend(requested);
    Ok(Watched { rooms, ids, folder_weight: config.folder_weight })
}

/// The rooms that the settings name; without any, every virtual data room. A name that fits none is a mistake only when the
/// portal's list was read.
pub(crate) fn choose(wanted: &[String], rooms: &Rooms, list_read: bool) -> Result<BTreeSet<RoomId>, job_runner::Error> {
    let data_rooms = || rooms.iter().filter(|room| room.may_be_vdr());
    if wanted.is_empty() {
        return Ok(data_rooms().map(|room| room.id.clone()).collect());
    }
    let mut chosen = BTreeSet::new();
    let mut unknown = Vec::new();
    for name in wanted {
        let fits = data_rooms().filter(|room| room.is_meant_by(name));
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
    unjudged: &Unjudged,
    watched: &Watched,
    look: &mut Look,
) -> anyhow::Result<(Vec<Finding>, BTreeMap<Key, Circumstances>)> {
    let window = unjudged.window(WINDOW);
    let mut answers = watched.ask(window, look).await?;
    let unknown = Usual::unknown(window.since);
    let mut judged = judge(config, job, window, watched, (&answers, &unknown)).await?;
    // a document's place of today is asked for only where it decides about somebody
    if answers.ask_places(std::mem::take(&mut judged.open_files), look).await? {
        judged = judge(config, job, window, watched, (&answers, &unknown)).await?;
    }
    let mut usual = unknown;
    if !judged.busy.0.is_empty() {
        usual = Usual::read(std::mem::take(&mut judged.busy), window, job.portal.time_zone, &job.archive).await?;
        judged = judge(config, job, window, watched, (&answers, &usual)).await?;
    }
    look.unattributed(judged.unattributed);
    if judged.is_uncounted {
        // a folder that nobody can weigh is never an all-clear
        let is_told = look.coverage().gaps.iter().any(|gap| gap.what.ends_with("folders"));
        if !is_told {
            look.gap("hidden_folders", window, GapReason::NotThere);
        }
    }
    judged.findings.retain(|finding| unjudged.concerns(&finding.window));
    let circumstances = circumstances::read(&judged.findings, watched, (&answers, &usual), &job.archive).await?;
    Ok((judged.findings, circumstances))
}

/// What the rule says about a window.
struct Judged {
    findings: Vec<Finding>,
    /// Acts in rooms of which only the title is known.
    unattributed: u64,
    /// Files of the people found, where it is open which room they were in.
    open_files: BTreeSet<String>,
    /// Nobody knows what one of the folders held.
    is_uncounted: bool,
    /// Who did more than a little, and where.
    busy: (BTreeSet<Uuid>, BTreeSet<RoomId>),
}

async fn judge(
    config: &Config,
    job: &Job,
    window: Window,
    watched: &Watched,
    (answers, usual): (&Answers, &Usual),
) -> anyhow::Result<Judged> {
    let mut detector = Detector::new(&config.limits, usual, watched.rooms.twins(), job.window.since);
    let mut halves = Halves::default();
    let mut earlier = std::pin::pin!(job.archive.events_of(usual.people.iter().copied(), usual.before));
    while let Some(event) = earlier.try_next().await? {
        // what folders held then, and which of several rooms it was, is not asked again
        let placed = watched.place(event, answers).filter(|placed| matches!(placed.key, RoomKey::Known(_)));
        let Some(placed) = placed.filter(|placed| !placed.event.action.is_about_whole_folder()) else { continue };
        halves.push(placed, |first, second| first.key != second.key).for_each(|placed| detector.push(placed));
    }
    let mut unattributed = 0;
    let mut open: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    let mut events = std::pin::pin!(job.archive.events(window));
    while let Some(event) = events.try_next().await? {
        let Some(placed) = watched.place(event, answers) else { continue };
        unattributed += u64::from(placed.is_unattributed());
        if let (RoomKey::OneOf(_), Some(file)) = (&placed.key, file_of(&placed.event)) {
            open.entry(placed.event.actor).or_default().insert(file.to_owned());
        }
        // of a move between two rooms the half of the room that something left is told
        halves.push(placed, |first, second| first.key != second.key).for_each(|placed| detector.push(placed));
    }
    halves.finish().for_each(|placed| detector.push(placed));
    let busy = detector.busy();
    let is_uncounted = detector.has_uncounted_folders();
    let findings = detector.finish();
    let undecided = findings.iter().filter(|finding| finding.room.as_ref().is_some_and(|room| room.id.is_none()));
    let open_files = undecided.filter_map(|finding| open.get(&finding.person.id)).flatten().cloned().collect();
    Ok(Judged { findings, unattributed, open_files, is_uncounted, busy })
}
