//! What the archive knows of what people usually do, and of how much rooms hold.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{RoomId, Window};
use chrono::TimeDelta;
use chrono_tz::Tz;
use event_archive::Archive;
use futures::TryStreamExt;
use uuid::Uuid;

use crate::rule::{Days, Span, Usual};

/// With fewer days of records nobody knows which hours are usual.
const LEAST_HISTORY: TimeDelta = TimeDelta::days(14);

/// What is usual for these people and rooms before the window; nothing is asked of the portal.
///
/// # Errors
/// Of the store.
pub(super) async fn read(
    (people, rooms): (&BTreeSet<Uuid>, &BTreeSet<RoomId>),
    window: Window,
    zone: Tz,
    archive: &Archive,
) -> Result<Usual, event_archive::Error> {
    let before = Window::new((window.until - Span::Month.length()).min(window.since), window.since);
    let known_since = archive.audit_known_since(window.since).await?;
    let mut days: BTreeMap<Uuid, Days> = BTreeMap::new();
    if known_since.is_some_and(|since| window.since - since >= LEAST_HISTORY) {
        let mut events = std::pin::pin!(archive.events_of(people.iter().copied(), before));
        while let Some(event) = events.try_next().await? {
            days.entry(event.actor).or_default().learn(&event, zone);
        }
    }
    let hours = days.into_iter().filter_map(|(person, days)| Some((person, days.hours(zone)?))).collect();
    let held = archive.readings(rooms).await?.into_iter();
    let documents = held.filter_map(|(room, readings)| {
        let recent = readings.iter().filter(|reading| reading.until >= before.since);
        Some((room, recent.map(|reading| reading.holding.files).max()?))
    });
    Ok(Usual { before, hours, documents: documents.collect() })
}
