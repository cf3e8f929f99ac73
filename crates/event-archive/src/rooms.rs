//! Rooms as they were seen, those of the past included.

use audit_model::{PortalText, RoomFact, RoomId, Rooms, Window};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use crate::rows::{instant, micros};
use crate::{Archive, Error};

type TitleRow = (String, String, Option<i32>, Option<i64>);

impl Archive {
    /// Remembers rooms as they were seen at some time; the title that was seen last is the present one.
    pub async fn keep_rooms(&self, facts: &[RoomFact], seen_at: DateTime<Utc>) -> Result<(), Error> {
        let failed = |source| self.failed("storing the rooms", source);
        let mut write = self.store().begin().await?;
        for fact in facts {
            sqlx::query(
                "INSERT INTO room_title (room, title, room_type, created_us, seen_us) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (room, title) DO UPDATE SET seen_us = max(seen_us, excluded.seen_us),
                 room_type = coalesce(excluded.room_type, room_type), created_us = coalesce(excluded.created_us, created_us)",
            )
            .bind(fact.id.to_string())
            .bind(fact.title.raw())
            .bind(fact.room_type)
            .bind(fact.created.map(micros))
            .bind(micros(seen_at))
            .execute(&mut *write)
            .await
            .map_err(failed)?;
        }
        write.commit().await.map_err(failed)
    }

    /// All rooms that are known: as the portal showed them, and as their own events in the window named them.
    ///
    /// Rooms that only events tell of are remembered too, since the portal will not name them again.
    pub async fn rooms(&self, window: Window) -> Result<Rooms, Error> {
        let rows: Vec<TitleRow> =
            sqlx::query_as("SELECT room, title, room_type, created_us FROM room_title ORDER BY seen_us, room, title")
                .fetch_all(self.store().pool())
                .await
                .map_err(|source| self.failed("reading the rooms", source))?;
        let mut rooms = Rooms::default();
        for (room, title, room_type, created) in rows {
            let id = RoomId::from(room.as_str());
            let created = created.and_then(instant);
            rooms.learn(RoomFact { id, title: PortalText::new(title), room_type, created });
        }
        for event in self.deletions_of_rooms().await? {
            rooms.learn_from(&event);
        }
        let mut learned = Vec::new();
        let mut events = std::pin::pin!(self.events_naming_rooms(window));
        while let Some(event) = events.try_next().await? {
            learned.extend(rooms.learn_from(&event).map(|fact| (fact, event.at)));
        }
        for (fact, at) in learned {
            self.keep_rooms(&[fact], at).await?;
        }
        Ok(rooms)
    }
}
