//! `--create-room`: a virtual data room of a title is made where there is none, and never twice.
//!
//! Titles are not unique and a call can break after it had its effect, so every run looks before it acts, writes down that it acts, and
//! looks again. A call of which nobody knows the fate is left alone until it must be over.

use std::sync::Mutex;

use audit_model::{GapReason, PortalText, RoomId, VIRTUAL_DATA_ROOM};
use docspace_client::{Client, Error, Room};
use event_archive::Look;
use job_runner::Job;
use safe_actions::{ActionState, Actions, Begun, Called, Effect, Intent, Outcome, Trace};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::warn;

use crate::config::Config;

/// Kind of the entries in the journal, and of the action in reports.
const KIND: &str = "create_room";

/// The room that was asked for, and what became of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RoomAction {
    kind: &'static str,
    /// One of `planned`, in a dry run; `done`; `failed`, also where it may have been done and the next run looks again; `already`.
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
    let there = of_title.iter().find(|room| !room.archived).map(|room| (*room).clone());
    if let (None, Some(archived)) = (&there, of_title.first()) {
        let message = format!(
            "the virtual data room {} has this title and is archived; take it out of the archive, or choose another title",
            archived.fact.id
        );
        return Err(setting(message));
    }
    let already = |room: &Room| RoomAction::already(room, title, "there is a virtual data room of this title");
    Ok(Some(match (&job.store, there) {
        (_, Some(room)) if job.dry_run => already(&room),
        (_, None) if job.dry_run => {
            RoomAction::new(ActionState::Planned, None, title, "there is no virtual data room of this title")
        }
        (Err(_), Some(room)) => already(&room),
        // what happened in the other rooms is looked at all the same
        (Err(refusal), None) => {
            RoomAction::new(ActionState::Failed, None, title, format!("no room was made: {refusal}"))
        }
        (Ok(store), there) => {
            let actions = Actions::open(store.clone(), job.now).await?;
            let making = Making { client: &job.client, rooms, seen: Mutex::default() };
            match there {
                Some(room) if making.was_begun(title, &actions).await? => done(Some(room.fact.id), title),
                Some(room) => already(&room),
                None => making.make(title, &actions, job, look).await?,
            }
        }
    }))
}

/// Says that this run may make no room, where it was asked to; a room that is there already is no exception, because a run that may not
/// act is not one to rely on.
///
/// # Errors
/// When a room is asked for and the store cannot be used.
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

fn done(room: Option<RoomId>, title: &str) -> RoomAction {
    RoomAction::new(ActionState::Done, room, title, "there was no virtual data room of this title")
}

/// The room that an intent has led to, as far as that is known.
fn made(intent: &Intent) -> Option<RoomId> {
    serde_json::from_value(intent.payload["room"].clone()).ok()
}

/// The room that an intent is about: the one that it has led to, whatever that is called by now, or one of the title.
fn wanted<'r>(rooms: &'r [Room], intent: &Intent) -> Option<&'r Room> {
    let made = made(intent);
    let of_title = || of_title(rooms, &intent.subject).into_iter().find(|room| !room.archived);
    rooms.iter().find(|room| Some(&room.fact.id) == made.as_ref()).or_else(of_title)
}

/// Rooms on their way.
struct Making<'a> {
    client: &'a Client,
    /// As the portal showed them before anything was begun.
    rooms: Vec<Room>,
    seen: Mutex<Seen>,
}

/// What the portal has said meanwhile.
#[derive(Default)]
struct Seen {
    has_called: bool,
    room: Option<Room>,
    /// The first one.
    error: Option<Error>,
}

impl Making<'_> {
    /// Whether an earlier run began to make this room and did not see the end of it.
    async fn was_begun(&self, title: &str, actions: &Actions) -> anyhow::Result<bool> {
        let settled = actions.settle(KIND, self).await?;
        Ok(settled.iter().any(|one| one.intent.key == key(title) && one.state == ActionState::Done))
    }

    /// The portal shows no room of this title: the journal tells whether that is all there is to know.
    async fn make(&self, title: &str, actions: &Actions, job: &Job, look: &mut Look) -> anyhow::Result<RoomAction> {
        let key = key(title);
        let kept = actions.kept(KIND, &key).await?.filter(|kept| wanted(&self.rooms, kept).is_some());
        let intent = || Intent { key, kind: KIND.to_owned(), subject: title.to_owned(), payload: json!({}) };
        let Outcome { intent, state, reason } = actions.apply(kept.unwrap_or_else(intent), self).await?;
        let Seen { room, error, .. } = std::mem::take(&mut *self.seen());
        match (state, room, error) {
            (ActionState::Done, ..) => Ok(done(made(&intent), title)),
            (ActionState::Already, Some(room), _) => {
                let reason = format!("it was made earlier and is called \"{}\" now", room.fact.title.for_terminal());
                Ok(RoomAction::already(&room, title, &reason))
            }
            (_, _, Some(error)) if error.needs_somebody() => Err(setting(format!("{:#}", anyhow::Error::new(error)))),
            (_, _, error) => Ok(failed(title, reason.as_deref().unwrap_or("it was not made"), error, job, look)),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Effect for Making<'_> {
    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, job_store::Error> {
        self.seen().has_called = true;
        let error = match self.client.create_data_room(&begun.intent().subject).await {
            Ok(room) => {
                begun.note(payload(&room)).await?;
                return Ok(Called::Done);
            }
            Err(error) => error,
        };
        let called = if error.may_have_acted() {
            Called::Broke("whether the portal made it is not known yet; a run in five minutes looks again".to_owned())
        } else {
            Called::Refused("the portal did not make it".to_owned())
        };
        self.seen().error = Some(error);
        Ok(called)
    }

    async fn look(&self, intent: &Intent) -> Trace {
        let has_called = self.seen().has_called;
        let looked = match made(intent) {
            _ if !has_called => Ok(wanted(&self.rooms, intent).cloned()),
            Some(room) => self.client.room(&room).await,
            None => self.client.rooms().await.map(|rooms| wanted(&rooms, intent).cloned()),
        };
        let mut seen = self.seen();
        match looked {
            Ok(room) => {
                seen.room = room;
                if seen.room.is_some() { Trace::Happened } else { Trace::NotHappened }
            }
            Err(error) => {
                seen.error.get_or_insert(error);
                Trace::Unclear("the portal says that it made the room, which could not be read back".to_owned())
            }
        }
    }

    fn found(&self, _: &Intent) -> Option<Value> {
        self.seen().room.as_ref().map(payload)
    }
}

fn payload(room: &Room) -> Value {
    json!({ "room": room.fact.id })
}
