//! `--create-room`: a virtual data room of a title is made where there is none, and never twice.
//!
//! Titles are not unique and a call can break after it had its effect, so every run looks before it acts, writes down that it acts, and
//! looks again. A call of which nobody knows the fate is left alone until it must be over.

use audit_model::{GapReason, PortalText, RoomId, VIRTUAL_DATA_ROOM};
use chrono::TimeDelta;
use docspace_client::{Error, Room};
use event_archive::Look;
use job_runner::Job;
use job_store::{Journal, JournalEntry, JournalState, Store};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::warn;

use crate::config::Config;

/// Kind of the entries in the journal, and of the action in reports.
const KIND: &str = "create_room";

/// A call that broke may still be at work in the portal. Its proxies give up after a minute or two; five are more than that.
const STILL_AT_WORK: TimeDelta = TimeDelta::minutes(5);

/// How far an action has come, in the words that all programs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionState {
    /// A dry run only says so.
    Planned,
    Done,
    /// Not done, or not known to be done: the next run looks again.
    Failed,
    Already,
}

/// The room that was asked for, and what became of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RoomAction {
    kind: &'static str,
    pub(crate) state: ActionState,
    pub(crate) room: ActionRoom,
    pub(crate) reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ActionRoom {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<RoomId>,
    /// As it was asked for.
    pub(crate) title: PortalText,
}

impl RoomAction {
    pub(crate) fn new(state: ActionState, id: Option<RoomId>, title: &str, reason: impl Into<String>) -> Self {
        RoomAction { kind: KIND, state, room: ActionRoom { id, title: title.into() }, reason: reason.into() }
    }

    fn already(room: &Room, title: &str, reason: &str) -> Self {
        RoomAction::new(ActionState::Already, Some(room.fact.id.clone()), title, reason)
    }
}

/// The settings with the room among those to watch, where only some are watched.
pub(crate) fn watching(config: &Config, action: Option<&RoomAction>) -> Config {
    let mut config = config.clone();
    if !config.rooms.is_empty() {
        config.rooms.extend(action.and_then(|action| action.room.id.as_ref()).map(ToString::to_string));
    }
    config
}

/// Makes the room that the settings name, unless it is there. What could not be settled is a gap: the room may be missing among those
/// that were watched.
///
/// # Errors
/// `job_runner::Error` for what somebody must change first: the key, the plan, the title, an archived room. Others are of the store.
pub(crate) async fn ensure(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Option<RoomAction>> {
    let Some(title) = config.create_room.as_deref() else { return Ok(None) };
    let rooms = match job.client.rooms().await {
        Ok(rooms) => rooms,
        Err(error) => return Ok(Some(failed(title, "the rooms could not be read", Some(error), job, look))),
    };
    let of_title = of_title(&rooms, title);
    if let Some(room) = of_title.iter().find(|room| !room.archived) {
        let settled = settle_open(title, room, job).await?;
        return Ok(Some(match settled {
            true => done(room, title),
            false => RoomAction::already(room, title, "there is a virtual data room of this title"),
        }));
    }
    if let Some(room) = of_title.first() {
        let message = format!(
            "the virtual data room {} has this title and is archived; take it out of the archive, or choose another title",
            room.fact.id
        );
        return Err(setting(message));
    }
    if job.dry_run {
        let reason = "there is no virtual data room of this title";
        return Ok(Some(RoomAction::new(ActionState::Planned, None, title, reason)));
    }
    let store = match &job.store {
        Ok(store) => store,
        // what happened in the other rooms is looked at all the same
        Err(refusal) => {
            return Ok(Some(RoomAction::new(ActionState::Failed, None, title, format!("no room was made: {refusal}"))));
        }
    };
    let making = Making { title, key: key(title), journal: Journal::open(store.clone()).await?, store, job };
    Ok(Some(making.make_unless_known(&rooms, look).await?))
}

/// Says that this run may make no room, where it was asked to; a room that is there already is no exception, because a run that may not
/// act is not one to rely on.
///
/// # Errors
/// The reason.
pub(crate) fn refused(config: &Config, job: &Job) -> anyhow::Result<()> {
    match &job.store {
        Err(refusal) if config.create_room.is_some() && !job.dry_run => {
            Err(anyhow::Error::new(*refusal).context("no room was made"))
        }
        _ => Ok(()),
    }
}

/// The virtual data rooms of exactly this title, archived ones included.
pub(crate) fn of_title<'r>(rooms: &'r [Room], title: &str) -> Vec<&'r Room> {
    let fits = |room: &&Room| room.fact.room_type == Some(VIRTUAL_DATA_ROOM) && room.fact.title.raw() == title;
    rooms.iter().filter(fits).collect()
}

fn key(title: &str) -> String {
    format!("{KIND} {title}")
}

fn setting(message: String) -> anyhow::Error {
    job_runner::Error::setting(KIND, message).into()
}

fn done(room: &Room, title: &str) -> RoomAction {
    let reason = "there was no virtual data room of this title";
    RoomAction::new(ActionState::Done, Some(room.fact.id.clone()), title, reason)
}

/// Nothing more can be done in this run.
fn failed(title: &str, reason: &str, error: Option<Error>, job: &Job, look: &mut Look) -> RoomAction {
    let why = error.as_ref().map_or(GapReason::PortalError, Error::gap_reason);
    look.gap("rooms", job.window, why);
    match error {
        Some(error) => warn!("{reason}: {:#}", anyhow::Error::new(error)),
        None => warn!("{reason}"),
    }
    RoomAction::new(ActionState::Failed, None, title, reason)
}

/// Whether an earlier run began to make this room and did not see the end of it; its entry is closed.
async fn settle_open(title: &str, room: &Room, job: &Job) -> anyhow::Result<bool> {
    let Some(store) = job.store.as_ref().ok().filter(|_| !job.dry_run) else { return Ok(false) };
    let journal = Journal::open(store.clone()).await?;
    let key = key(title);
    let begun = |entry: &JournalEntry| entry.key == key && entry.state != JournalState::Planned;
    if !journal.open_of_kind(KIND).await?.iter().any(begun) {
        return Ok(false);
    }
    let making = Making { title, key, journal, store, job };
    making.advance(JournalState::Done, &payload(&room.fact.id)).await?;
    Ok(true)
}

fn payload(room: &RoomId) -> Value {
    json!({ "room": room })
}

/// One room on its way.
struct Making<'a> {
    title: &'a str,
    key: String,
    journal: Journal,
    store: &'a Store,
    job: &'a Job,
}

impl Making<'_> {
    /// The portal shows no room of this title: the journal tells whether that is all there is to know.
    async fn make_unless_known(&self, rooms: &[Room], look: &mut Look) -> anyhow::Result<RoomAction> {
        let entry = self.plan().await?;
        let age = (self.job.now - entry.updated_at).abs();
        match entry.state {
            JournalState::Done => {
                let made: Option<RoomId> = serde_json::from_value(entry.payload["room"].clone()).ok();
                if let Some(room) = rooms.iter().find(|room| Some(&room.fact.id) == made.as_ref()) {
                    let reason =
                        format!("it was made earlier and is called \"{}\" now", room.fact.title.for_terminal());
                    return Ok(RoomAction::already(room, self.title, &reason));
                }
                self.make(look).await
            }
            JournalState::Started | JournalState::Unknown if age < STILL_AT_WORK => {
                let reason = "whether an earlier run made it is not known yet; a run in five minutes looks again";
                Ok(failed(self.title, reason, None, self.job, look))
            }
            _ => self.make(look).await,
        }
    }

    async fn make(&self, look: &mut Look) -> anyhow::Result<RoomAction> {
        let Making { title, job, .. } = self;
        self.advance(JournalState::Started, &json!({})).await?;
        let made = match job.client.create_data_room(title).await {
            Ok(made) => made,
            Err(error) if error.needs_somebody() => {
                self.advance(JournalState::Failed, &json!({})).await?;
                return Err(setting(format!("{:#}", anyhow::Error::new(error))));
            }
            Err(error) if error.may_have_acted() => return self.look_again(error, look).await,
            Err(error) => {
                self.advance(JournalState::Failed, &json!({})).await?;
                return Ok(failed(title, "the portal did not make it", Some(error), job, look));
            }
        };
        let (state, action) = match job.client.room(&made.fact.id).await {
            Ok(Some(room)) => (JournalState::Done, done(&room, title)),
            Ok(None) => {
                let reason = "the portal says that it made the room, and has no such room";
                (JournalState::Unknown, failed(title, reason, None, job, look))
            }
            Err(error) => {
                let reason = "the portal says that it made the room, which could not be read back";
                (JournalState::Unknown, failed(title, reason, Some(error), job, look))
            }
        };
        self.advance(state, &payload(&made.fact.id)).await?;
        Ok(action)
    }

    /// The call broke: what the portal shows now tells whether it had its effect.
    async fn look_again(&self, error: Error, look: &mut Look) -> anyhow::Result<RoomAction> {
        let rooms = self.job.client.rooms().await.unwrap_or_default();
        if let Some(room) = of_title(&rooms, self.title).first() {
            self.advance(JournalState::Done, &payload(&room.fact.id)).await?;
            return Ok(done(room, self.title));
        }
        self.advance(JournalState::Unknown, &json!({})).await?;
        let reason = "whether the portal made it is not known yet; a run in five minutes looks again";
        Ok(failed(self.title, reason, Some(error), self.job, look))
    }

    async fn plan(&self) -> anyhow::Result<JournalEntry> {
        let mut write = self.store.begin().await?;
        let intent = (self.key.as_str(), KIND, self.title);
        let entry = self.journal.plan(&mut write, intent, &json!({}), self.job.now).await?;
        write.commit().await.map_err(|source| self.store.error("writing the journal", source))?;
        Ok(entry)
    }

    async fn advance(&self, state: JournalState, payload: &Value) -> anyhow::Result<()> {
        let mut write = self.store.begin().await?;
        self.journal.advance(&mut write, &self.key, state, payload, self.job.now).await?;
        write.commit().await.map_err(|source| self.store.error("writing the journal", source))?;
        Ok(())
    }
}
