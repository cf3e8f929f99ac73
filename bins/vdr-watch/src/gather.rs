//! What the program asks: which rooms to watch, what happened in them, who did it, and from where.

mod folders;
pub(crate) mod logins;
mod people;
mod remembered;
pub(crate) mod rooms;
mod usual;

use std::collections::BTreeSet;

use audit_model::{ACT_REPEAT, AuditEvent, Finding, Halves, RoomId, Window};
use chrono::{DateTime, NaiveDate, Utc};
use event_archive::{Error, Look, Unjudged};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use job_runner::Job;

use self::logins::Logins;
use self::people::Chosen;
use self::remembered::Remembered;
use self::rooms::{Answers, Watched};
use crate::config::Config;
use crate::create_room::{self, RoomAction};
use crate::rule::{self, Counting, Found, LITTLE, RoomKey, Span, Usual, WINDOW};

/// What was read, as far as the report goes by it.
pub(crate) struct Facts {
    /// The rooms that were watched.
    pub(crate) watched: BTreeSet<RoomId>,
    /// Rooms that share a title with others.
    pub(crate) twins: BTreeSet<RoomId>,
    /// The day of the run, in UTC.
    pub(crate) today: NaiveDate,
    pub(crate) window: Window,
    /// What the rule found, and who it was.
    pub(crate) found: Vec<Found>,
    pub(crate) logins: Logins,
    /// What became of the room that was asked for.
    pub(crate) action: Option<RoomAction>,
    /// Whom the report is restricted to, in words.
    pub(crate) restriction: Option<String>,
}

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    let chosen = Chosen::look_up(&config.people, job, look).await?;
    let action = create_room::ensure(config, job, look).await?;
    // a first run remembers nothing of what the limits of thirty days go by
    let month = look.window.until - Span::Month.length();
    let since = if config.limits.count_a_month() { month } else { look.window.since };
    let unjudged = look.audit_since(since).await?;
    attribution::keep_inventory(look).await?;
    let requested = action.as_ref().and_then(|action| action.room.id.clone());
    let watched = Watched::read(config, requested, job, look).await?;
    let found = find(config, job, &unjudged, &watched, look).await?;
    let found = identify(found, &chosen, job, look).await?;
    let logins = logins::read(&found, job, look).await?;
    Ok(Facts {
        twins: watched.rooms.twins(),
        watched: watched.ids,
        today: job.now.date_naive(),
        window: job.window,
        found,
        logins,
        action,
        restriction: chosen.note(),
    })
}

/// Findings of the window, and those that rows which the portal stored only after their time had been judged are part of.
///
/// Everybody's events are counted once. Of those who did more than a little it is then asked where the documents are that may be in one
/// of several rooms, and what is usual; and what they did is counted again, with that: of the time before the window only what the limits
/// go by.
async fn find(
    config: &Config,
    job: &Job,
    unjudged: &Unjudged,
    watched: &Watched,
    look: &mut Look,
) -> anyhow::Result<Vec<Found>> {
    let window = unjudged.window(WINDOW);
    let (mut answers, events) = watched.ask(window, look).await?;
    let nothing = Usual::unknown(window.since);
    let (limits, twins) = (std::slice::from_ref(&config.limits), watched.rooms.twins());
    // numbers tell who is busy, and take far less memory than what a finding shows
    let mut everybody = Counting::of_each(limits, &nothing, twins.clone(), job.window.since);
    let events = match events {
        Some(events) => stream::iter(events.into_iter().map(Ok)).left_stream(),
        None => job.archive.events(window).right_stream(),
    };
    count(&mut everybody, events, watched, (&answers, window.since)).await?;
    let undecided = everybody.undecided();
    // once documents are looked up, somebody may turn out to have done more in one room than was counted
    let little = if undecided.is_empty() { config.limits.little() } else { LITTLE };
    let (busy, rooms) = everybody.busy(little);
    let others = everybody.unattributed.iter().filter(|(person, _)| !busy.contains(person));
    look.unattributed(others.map(|(_, actions)| actions).sum());
    if busy.is_empty() {
        return Ok(Vec::new());
    }
    // a document's place of today is asked for only where it decides about somebody
    answers.look_up_places(watched, (undecided, window), look).await?;
    let usual = usual::read((&busy, &rooms), window, job.portal.time_zone, &job.archive).await?;
    let mut counted = Counting::new(&config.limits, &usual, twins, job.window.since);
    let counts_since = if config.limits.count_a_month() { usual.before.since } else { window.since - ACT_REPEAT };
    let events = job.archive.events_of(busy, Window::new(counts_since, window.until));
    count(&mut counted, events, watched, (&answers, window.since)).await?;
    look.unattributed(counted.unattributed.values().sum());
    if counted.has_uncounted_folders() {
        attribution::note_hidden_folders(look, window);
    }
    let mut found = rule::candidates(counted);
    found.retain(|found| unjudged.concerns(&found.finding.window));
    Ok(found)
}

/// Counts what happened in the watched rooms. Of what earlier runs have judged only counts what surely was in one of them: what folders
/// held then, and which of several rooms it was, is not asked again.
async fn count(
    counting: &mut Counting<'_>,
    events: impl Stream<Item = Result<AuditEvent, Error>>,
    watched: &Watched,
    (answers, judged_since): (&Answers, DateTime<Utc>),
) -> anyhow::Result<()> {
    let mut halves = Halves::default();
    let mut placing = watched.placing(answers);
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.try_next().await? {
        let is_earlier = event.at < judged_since;
        let Some(placed) = placing.place(event) else { continue };
        let is_sure = matches!(placed.key, RoomKey::Known(_)) && !placed.event.action.is_about_whole_folder();
        if is_sure || !is_earlier {
            // of a move between two rooms the half of the room that something left is told
            halves.push(placed, |first, second| first.key != second.key).for_each(|placed| counting.push(placed));
        }
    }
    halves.finish().for_each(|placed| counting.push(placed));
    Ok(())
}

/// Who it was, in the portal and in the room, and from which folders: without those whom nobody asked about. What was looked up within
/// a day about a finding that has not grown since is not asked again.
async fn identify(found: Vec<Found>, chosen: &Chosen, job: &Job, look: &mut Look) -> anyhow::Result<Vec<Found>> {
    if found.is_empty() {
        return Ok(found);
    }
    let mut remembered = Remembered::read(job).await?;
    let (mut known, mut new): (Vec<_>, Vec<_>) =
        found.into_iter().map(|found| remembered.recall(found)).partition(|(_, is_known)| *is_known);
    let of = |found: &mut Vec<(Found, bool)>| found.drain(..).map(|(found, _)| found).collect::<Vec<_>>();
    let (mut known, mut new) = (of(&mut known), of(&mut new));
    people::identify(&mut new, look).await?;
    for found in [&mut known, &mut new] {
        found.retain(|found| !found.finding.person.is_meant_by_one_of(&job.service_accounts));
        chosen.restrict(found);
    }
    people::add_room_roles(&mut new, job, look).await;
    folders::name(&mut new, job).await?;
    remembered.keep(&new, look.coverage(), job).await?;
    known.append(&mut new);
    Finding::sort(&mut known);
    Ok(known)
}
