//! Where drills are kept: the journal of the store.

use alerting::{Alert, Channel, Outbox};
use anyhow::Context as _;
use audit_model::{ActionId, AuditEvent, Bilingual, RoomId, title_in_context};
use chrono::{DateTime, Utc};
use job_store::{Journal, JournalEntry, JournalState, Store, Write};
use uuid::Uuid;

use crate::drill::course::{Drill, LIVES_FOR, OwnRoom, Stage};

/// RoomArchived
const ROOM_ARCHIVED: ActionId = ActionId(5072);

/// Name of drills in the journal.
const KIND: &str = "drill";

fn read(entry: JournalEntry) -> anyhow::Result<Drill> {
    Bilingual::read(entry.payload).with_context(|| format!("the journal's entry `{}` cannot be read", entry.key))
}

/// All drills, oldest first.
pub(crate) async fn all(store: &Store) -> anyhow::Result<Vec<Drill>> {
    let entries = Journal::open(store.clone()).await?.of_kind(KIND).await?;
    entries.into_iter().map(read).collect()
}

/// The drills of which something may be left, or that nobody was told of, oldest first.
pub(crate) async fn open(store: &Store) -> anyhow::Result<Vec<Drill>> {
    let entries = Journal::open(store.clone()).await?.open_of_kind(KIND).await?;
    entries.into_iter().map(read).collect()
}

/// The account of the drill that is at work now, if one is, or was a moment ago: a run may have judged what was done before that.
pub(crate) async fn at_work(store: &Store, now: DateTime<Utc>) -> anyhow::Result<Option<Uuid>> {
    let drills = open(store).await?;
    Ok(drills.into_iter().find(|drill| !drill.is_spent(now - LIVES_FOR)).map(|drill| drill.account))
}

/// Keeps a drill: on disk when this returns it, with a revision of one more. `None`: somebody else has gone on with it meanwhile. An alert leaves
/// with the commit.
pub(crate) async fn commit(
    store: &Store,
    drill: &Drill,
    (alert, channels): (Option<Alert>, Vec<Channel>),
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Drill>> {
    let journal = Journal::open(store.clone()).await?;
    let next = Drill { revision: drill.revision + 1, ..drill.clone() };
    let (key, subject, revision) = (format!("{KIND} {}", drill.mark), drill.account.to_string(), drill.revision);
    let payload = serde_json::to_value(Bilingual::new(next.clone()))?;
    let state = if next.stage == Stage::Over && next.is_told { JournalState::Done } else { JournalState::Started };
    let keep = move |write: &Write<'_>| {
        if journal.plan_unchanged(write, (&key, KIND, &subject), (revision, &payload), now)?.is_none() {
            return Ok(false);
        }
        Outbox::wait(write, alert.as_slice(), &channels, now)?;
        journal.advance(write, &key, state, &payload, now)?;
        Ok(true)
    };
    let is_kept = store.write("writing the journal of drills", keep).await?;
    Ok(is_kept.then_some(next))
}

/// What was done in drills that are over, or that nobody goes on with: no evidence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spent(Vec<(Uuid, String, Option<RoomId>)>);

impl Spent {
    pub(crate) async fn read(store: &Store, now: DateTime<Utc>) -> anyhow::Result<Self> {
        Ok(Spent::of(&all(store).await?, now))
    }

    fn of(drills: &[Drill], now: DateTime<Utc>) -> Self {
        let room = |drill: &Drill| match &drill.room {
            OwnRoom::Made(room) => Some(room.clone()),
            OwnRoom::Asked | OwnRoom::Refused => None,
        };
        let spent = drills.iter().filter(|drill| drill.is_spent(now));
        Spent(spent.map(|drill| (drill.account, drill.title(), room(drill))).collect())
    }

    /// Whether it was done by the account of a drill, in or to the room of that drill.
    pub(crate) fn includes(&self, event: &AuditEvent) -> bool {
        let of_actor = self.0.iter().filter(|(account, ..)| *account == event.actor);
        let mut rooms = of_actor.peekable();
        if rooms.peek().is_none() {
            return false;
        }
        let context = title_in_context(event);
        // files are numbered apart from rooms
        let is_about_room = matches!(event.action, ActionId::ROOM_DELETED | ROOM_ARCHIVED);
        let target = event.target.first().filter(|_| is_about_room).map(|id| RoomId::from(id.as_str()));
        rooms.any(|(_, title, room)| {
            let is_in_it = context.as_ref().is_some_and(|context| context.raw() == title);
            is_in_it || room.is_some() && *room == target
        })
    }
}
