//! Holding the portal's answers against what is stored and what it has said elsewhere: an answer that lacks what must be there is not
//! believed.

use std::collections::{HashMap, HashSet};

use audit_model::{AuditEvent, GapReason, Place, RoomId, SpanSet, Window};
use chrono::{DateTime, Offset, TimeDelta, Utc};
use chrono_tz::Tz;
use docspace_client::{Client, Slice, SliceGap};
use futures::TryStreamExt;
use job_store::Select;
use tracing::warn;

use super::OVERLAP;
use super::progress::{Progress, Row, read_of};
use crate::keep::Spans;
use crate::rows::{instant, micros};
use crate::source::{RoomLog, Source};
use crate::unread::Part;
use crate::{Archive, Error};

/// So far around a change of clocks a row may be dated another time.
const CLOCK_CHANGE: TimeDelta = TimeDelta::hours(3);

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl Archive {
    /// The newest row that is stored where a slice has read, and that the slice does not show; `carried` were shown by the one before it.
    pub(super) async fn lost<S: Source>(
        &self,
        source: &S,
        client: &Client,
        slice: &Slice<S::Row>,
        carried: &HashSet<i64>,
    ) -> Result<Option<Row>, Error> {
        let zone = client.time_zone().unwrap_or(Tz::UTC);
        let name = source.name();
        let kept_since = source.must_keep_since();
        let mut read: Vec<Window> = read_of(slice, true).iter().copied().collect();
        if slice.none_ever {
            read = vec![Window::new(kept_since.min(slice.span.until), slice.span.until)];
        }
        let mut shown: Option<HashSet<i64>> = None;
        for span in read.into_iter().rev() {
            // questions are asked in whole seconds
            let span = Window::new(kept_since.max(span.since + SECOND), span.until - SECOND);
            let values = vec![micros(span.since).into(), micros(span.until).into(), (&name).into()];
            let (doing, sql) = ("comparing with what is stored", source.ids_sql().into());
            let select = Select { doing, sql, values, dictionary: None };
            let mut rows = self.store().rows(select, |row| Ok((row.int(0)?, row.int(1)?)));
            while let Some((id, at)) = rows.try_next().await? {
                let shown = shown.get_or_insert_with(|| slice.rows.iter().map(|row| source.id(row)).collect());
                let Some(at) = instant(at).filter(|at| is_dated_well(*at, zone)) else { continue };
                if shown.contains(&id) || carried.contains(&id) {
                    continue;
                }
                drop(rows);
                let renumbered = self.moment(&renumbered_name(&name)).await?;
                return Ok(renumbered.is_none_or(|before| at > before).then_some(Row { id, at }));
            }
        }
        Ok(None)
    }

    /// A portal that was restored from a backup has lost rows for good, and gives later ones their numbers. What it lost up to now is not
    /// asked for any more.
    pub(super) async fn forget_if_renumbered<S: Source>(&self, source: &S, lost: Row) -> Result<(), Error> {
        let name = source.name();
        let values = [lost.id.into(), micros(lost.at + OVERLAP).into(), (&name).into()];
        let is_renumbered = self.says("comparing with what is stored", source.renumbered_sql(), values).await?;
        if is_renumbered {
            warn!(
                source = source.what(),
                "the portal counts ids anew, so it was restored from a backup; what it lost stays in the archive"
            );
            self.keep_moment(&renumbered_name(&name), lost.at).await?;
        }
        Ok(())
    }

    /// Counts spans as read of which the portal said that it has no row at all up to their end, or makes them gaps. Gives whether they are
    /// gaps because some row must be there.
    pub(super) async fn judge_none_ever<S: Source>(
        &self,
        source: &S,
        client: &Client,
        none_ever: &SpanSet,
        (progress, now): (&mut Progress, DateTime<Utc>),
    ) -> Result<bool, Error> {
        let until = none_ever.iter().last().map_or(progress.window.until, |last| last.until);
        let why = if progress.oldest_shown.is_some_and(|shown| shown < until) {
            Some(GapReason::UnstablePaging)
        } else if self.is_shown_later(source, client, Window::new(progress.window.until, now)).await? {
            None
        } else {
            Some(GapReason::NothingRecorded)
        };
        for span in none_ever.iter() {
            match why {
                Some(why) => progress.gap(*span, why),
                None => progress.read(*span),
            }
        }
        let spans =
            Spans { before: &progress.before, covered: &progress.covered, bad: &progress.bad, odd: &progress.odd };
        self.keep(source, &source.name(), &[], spans).await?;
        Ok(why == Some(GapReason::NothingRecorded))
    }

    /// Whether the portal has a row that is later than a span in which it has none, so that this may be true.
    async fn is_shown_later<S: Source>(&self, source: &S, client: &Client, later: Window) -> Result<bool, Error> {
        if S::IS_ONE_LIST {
            return Ok(false);
        }
        if self.is_known(source).await? {
            return Ok(true);
        }
        Ok(!later.is_empty() && !source.read(client, Part { rest: later.into(), rows: 1 }).await.rows.is_empty())
    }

    /// Makes the slice of a room's activity log a gap if it is empty beside events of the span that it must list: such that name the room
    /// by its id or by a title that no other room had, and such that name one of several rooms and are in no other room's log.
    pub(super) async fn unless_named<R>(
        &self,
        room: &RoomId,
        mut slice: Slice<R>,
        client: &Client,
    ) -> Result<Slice<R>, Error> {
        if !slice.rows.is_empty() || !slice.gaps.is_empty() {
            return Ok(slice);
        }
        let zone = client.time_zone().unwrap_or(Tz::UTC);
        // questions are asked in whole seconds
        let inside = Window::new(slice.span.since + SECOND, slice.span.until - SECOND);
        let mut events = self.events_near(room, inside).await?;
        events.retain(|event| event.action.is_in_room_log() && is_dated_well(event.at, zone));
        if events.is_empty() {
            return Ok(slice);
        }
        let rooms = self.rooms(inside).await?;
        let mut logs = HashMap::new();
        for event in events {
            let is_missing = match rooms.place(&event) {
                Place::Room(named, _) => named == *room,
                Place::OneOf { candidates, .. } if candidates.contains(room) => {
                    let others = candidates.iter().filter(|other| *other != room);
                    self.is_in_no_log_of(others, &event, (&mut logs, inside)).await?
                }
                _ => false,
            };
            if is_missing {
                warn!(room.id = %room, event.id, "the room's activity log is empty, though the audit trail has events of the room");
                slice.gaps.push(SliceGap { span: slice.span, why: GapReason::RoomUnreadable });
                break;
            }
        }
        Ok(slice)
    }

    /// Whether the activity logs of all these rooms were read at the time of the event, and none of them lists it.
    async fn is_in_no_log_of(
        &self,
        rooms: impl Iterator<Item = &RoomId>,
        event: &AuditEvent,
        (logs, window): (&mut HashMap<RoomId, ReadLog>, Window),
    ) -> Result<bool, Error> {
        for room in rooms {
            if !logs.contains_key(room) {
                let read = self.covered(&RoomLog(room).name()).await?;
                let listed = self.room_log(room, window).await?.into_iter().collect();
                logs.insert(room.clone(), ReadLog { read, listed });
            }
            let is_missing =
                |log: &ReadLog| log.read.iter().any(|span| span.contains(event.at)) && !log.listed.contains(&event.id);
            if !logs.get(room).is_some_and(is_missing) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What is stored of a room's activity log: what of it was read, and which events it lists.
struct ReadLog {
    read: SpanSet,
    listed: HashSet<i64>,
}

/// Whether printed dates are what they seem: an hour before and after clocks are changed they are not.
fn is_dated_well(at: DateTime<Utc>, zone: Tz) -> bool {
    let offset = |at: DateTime<Utc>| at.with_timezone(&zone).offset().fix();
    offset(at - CLOCK_CHANGE) == offset(at + CLOCK_CHANGE)
}

/// Under this name it is kept up to when rows were lost by a portal that counts anew.
fn renumbered_name(source: &str) -> String {
    format!("{source} (renumbered)")
}
