//! Rooms as they were seen, those of the past included.

use audit_model::{AI_AGENT_ROOM, ActionId, PortalText, RoomFact, RoomId, RoomKind, Rooms, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Room};
use futures::TryStreamExt;
use job_store::{Failure, Row, Value, Write};

use crate::rows::{instant, micros};
use crate::{Archive, Error};

/// The title that was seen last is the present one.
const TITLES_SQL: &str = "SELECT room, title, room_type, created_us FROM room_title ORDER BY seen_us, room, title";

const KEEP_SQL: &str = "INSERT INTO room_title (room, title, room_type, created_us, seen_us) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (room, title) DO UPDATE SET
        seen_us = CASE WHEN excluded.seen_us > room_title.seen_us THEN excluded.seen_us ELSE room_title.seen_us END,
        room_type = coalesce(excluded.room_type, room_title.room_type),
        created_us = coalesce(excluded.created_us, room_title.created_us)";

/// Whether something happened in a room of the portal lately, and no room was deleted that we know of: what happens in a room names it
/// behind a word for rooms in the reader's language.
const SOMETHING_IN_A_ROOM_SQL: &str =
    "SELECT EXISTS (SELECT 1 FROM event WHERE at_us >= ? AND at_us < ? AND context LIKE '%: %')
    AND NOT EXISTS (SELECT 1 FROM audit_event WHERE action = 5074)";

/// What stands before and after the colon of each context, and first and last event with it. The context of events about tags can be
/// forged.
const CONTEXTS_SQL: &str = "SELECT phrase.value, used.first_us, used.last_us
    FROM (SELECT context, min(at_us) AS first_us, max(at_us) AS last_us FROM audit_event
        WHERE at_us >= ? AND at_us < ? AND action NOT IN (TAGS) GROUP BY context) AS used
    JOIN phrase ON phrase.id = used.context WHERE phrase.value LIKE '%: %'";

/// When the AI agents were last read.
const AGENTS_READ: &str = "agents";

/// So long it is believed which agents there are: of a new one an event tells.
const AGENTS_KEPT: TimeDelta = TimeDelta::hours(1);

/// When the list of rooms was last read, and what was stored then.
const LIST_READ: &str = "rooms";

/// So long the list is believed while nothing happens on the portal: every change of it is an event.
const LIST_KEPT: TimeDelta = TimeDelta::hours(1);

/// Events of so long a time before the list was read are counted with it: every run looks for late ones.
const COUNTED_BEFORE: TimeDelta = TimeDelta::days(3);

const COUNT_SQL: &str = "SELECT count(*) FROM audit_event WHERE at_us >= ?";

/// What the words before titles mean, as earlier runs have learnt it.
const WORDS: &str = "words before titles";

impl Archive {
    /// The rooms that the portal shows, remembered. An empty list is an error of the portal, too, where something happened in rooms or
    /// the portal has shown some whose deletion is not known: call this after [`refresh_audit`](Self::refresh_audit).
    ///
    /// # Errors
    /// The outer one of the store, the inner one of the portal.
    pub async fn refresh_rooms(
        &self,
        client: &Client,
        window: Window,
        now: DateTime<Utc>,
    ) -> Result<Result<Vec<Room>, docspace_client::Error>, Error> {
        let rooms = match client.rooms().await {
            Ok(rooms) => rooms,
            Err(error) => return Ok(Err(error)),
        };
        if rooms.is_empty() && (self.something_happened_in_a_room(window).await? || self.knows_a_room().await?) {
            return Ok(Err(Client::no_rooms()));
        }
        let facts: Vec<RoomFact> = rooms.iter().map(|room| room.fact.clone()).collect();
        self.keep_rooms(&facts, now).await?;
        let answer = self.refresh_agents(client, window, now).await?.map(|()| rooms);
        if answer.is_ok() {
            self.keep_fact(LIST_READ, "", &self.events_since(now - COUNTED_BEFORE).await?, now).await?;
        }
        Ok(answer)
    }

    /// Whether the portal's list of rooms must be the one that was remembered: it was read lately, and not an event was stored since. Ask it
    /// after [`refresh_audit`](Self::refresh_audit), when that left no gap.
    ///
    /// # Errors
    /// Of the store.
    pub async fn rooms_are_fresh(&self, window: Window, now: DateTime<Utc>) -> Result<bool, Error> {
        let Some(read) = self.fact::<u64>(LIST_READ, "").await? else { return Ok(false) };
        let is_lately = (TimeDelta::zero()..LIST_KEPT).contains(&(now - read.learned_at));
        Ok(is_lately
            && self.events_since(read.learned_at - COUNTED_BEFORE).await? == read.value
            && !self.agents_are_due(window, now).await?)
    }

    async fn events_since(&self, since: DateTime<Utc>) -> Result<u64, Error> {
        self.count("counting the events", COUNT_SQL, [micros(since).into()]).await
    }

    /// Reads the AI agents and remembers them, where something may have happened in one: they bear titles of their own, which may be those
    /// of rooms.
    async fn refresh_agents(
        &self,
        client: &Client,
        window: Window,
        now: DateTime<Utc>,
    ) -> Result<Result<(), docspace_client::Error>, Error> {
        if !self.agents_are_due(window, now).await? {
            return Ok(Ok(()));
        }
        let agents = match client.agents().await {
            Ok(agents) => agents,
            Err(error) => return Ok(Err(error)),
        };
        let facts: Vec<RoomFact> = agents.into_iter().map(|agent| agent.fact).collect();
        self.keep_rooms(&facts, now).await?;
        self.keep_moment(AGENTS_READ, now).await?;
        Ok(Ok(()))
    }

    async fn agents_are_due(&self, window: Window, now: DateTime<Utc>) -> Result<bool, Error> {
        let is_fresh = |read: DateTime<Utc>| (TimeDelta::zero()..AGENTS_KEPT).contains(&(now - read));
        Ok(!self.moment(AGENTS_READ).await?.is_some_and(is_fresh) && self.knows_no_word(window).await?)
    }

    /// Whether something happened in a place of which no event has told that it is a room.
    async fn knows_no_word(&self, window: Window) -> Result<bool, Error> {
        let mut rooms = Rooms::default();
        self.known_words().await?.iter().for_each(|(word, kind)| rooms.learn_word(word, *kind));
        let contexts = self.contexts(window).await?;
        let words = contexts.iter().filter_map(|(context, ..)| context.split_once(": "));
        Ok(words.into_iter().any(|(word, _)| rooms.told(word) != Some(RoomKind::Room)))
    }

    async fn known_words(&self) -> Result<Vec<(String, RoomKind)>, Error> {
        Ok(self.fact(WORDS, "").await?.map(|fact| fact.value).unwrap_or_default())
    }

    async fn contexts(&self, window: Window) -> Result<Vec<(String, i64, i64)>, Error> {
        let tags: Vec<String> = ActionId::about_tags().map(|action| action.0.to_string()).collect();
        let sql = CONTEXTS_SQL.replace("TAGS", &tags.join(", "));
        let values = [micros(window.since).into(), micros(window.until).into()];
        let context = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?));
        Ok(self.store().all("reading the places of events", sql, values, context).await?)
    }

    async fn something_happened_in_a_room(&self, window: Window) -> Result<bool, Error> {
        let values = [micros(window.since).into(), micros(window.until).into()];
        self.says("reading the events", SOMETHING_IN_A_ROOM_SQL, values).await
    }

    /// Whether the portal has shown a room of whose deletion nothing is known. Rooms that only events tell of may never be in the list.
    async fn knows_a_room(&self) -> Result<bool, Error> {
        let (sql, values) =
            ("SELECT DISTINCT room FROM room_title WHERE room_type <> ?", [i64::from(AI_AGENT_ROOM).into()]);
        let shown = self.store().all("reading the rooms", sql, values, |row| Ok(row.text(0)?.to_owned())).await?;
        let mut rooms = Rooms::default();
        for deletion in self.deletions_of_rooms().await? {
            rooms.learn_from(&deletion);
        }
        Ok(shown.iter().any(|room| rooms.deleted_at(&RoomId::from(room.as_str())).is_none()))
    }

    /// Remembers rooms as they were seen at some time; the title that was seen last is the present one.
    pub async fn keep_rooms(&self, facts: &[RoomFact], seen_at: DateTime<Utc>) -> Result<(), Error> {
        let rows = facts.iter().map(|fact| {
            let (room, title) = (fact.id.to_string().into(), fact.title.raw().into());
            let room_type = fact.room_type.map(i64::from).into();
            [room, title, room_type, fact.created.map(micros).into(), micros(seen_at).into()]
        });
        let rows: Vec<[Value; 5]> = rows.collect();
        let keep = move |write: &Write<'_>| rows.iter().try_for_each(|row| write.execute(KEEP_SQL, row).map(|_| ()));
        Ok(self.store().write("storing the rooms", keep).await?)
    }

    /// All rooms that are known: as the portal showed them, and as their own events in the window named them.
    ///
    /// Rooms that only events tell of are remembered too, since the portal will not name them again.
    pub async fn rooms(&self, window: Window) -> Result<Rooms, Error> {
        let fact = |row: &Row<'_>| {
            let room_type = row.optional_int(2)?.map(i32::try_from).transpose().map_err(Failure::other)?;
            let (id, title) = (RoomId::from(row.text(0)?), PortalText::new(row.text(1)?));
            Ok(RoomFact { id, title, room_type, created: row.optional_int(3)?.and_then(instant) })
        };
        let mut rooms = Rooms::default();
        for fact in self.store().all("reading the rooms", TITLES_SQL, [], fact).await? {
            rooms.learn(fact);
        }
        for event in self.deletions_of_rooms().await? {
            rooms.learn_from(&event);
        }
        let known_words = self.known_words().await?;
        known_words.iter().for_each(|(word, kind)| rooms.learn_word(word, *kind));
        let mut learned = Vec::new();
        let mut events = std::pin::pin!(self.events_naming_rooms(window));
        while let Some(event) = events.try_next().await? {
            learned.extend(rooms.learn_from(&event).map(|fact| (fact, event.at)));
        }
        for (fact, at) in learned {
            self.keep_rooms(&[fact], at).await?;
        }
        if rooms.share_titles_with_agents() {
            // otherwise nothing goes by it, and it takes a look at every event of the window
            for (context, first, last) in self.contexts(window).await? {
                if let Some(used) = instant(first).zip(instant(last)) {
                    rooms.note_context(&PortalText::new(context), used);
                }
            }
        }
        let words: Vec<(String, RoomKind)> = rooms.words().map(|(word, kind)| (word.to_owned(), kind)).collect();
        if words.len() != known_words.len() {
            self.keep_fact(WORDS, "", &words, window.until).await?;
        }
        Ok(rooms)
    }
}
