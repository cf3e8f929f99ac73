//! How many documents stand behind an action on a whole folder: what was in it before.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{ActionId, AuditEvent, GapReason, PortalText, Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::EntryId;
use event_archive::{Archive, Error, Look, LookUps, Reading};
use futures::TryStreamExt;

use crate::FACTS_KEPT;
use crate::inventory::READ_EVERY;

/// Names the gap of folders of which nobody knows what they held.
const HIDDEN_FOLDERS: &str = "hidden_folders";

/// Folders are listed, one request each, until so many were; the others stay unlisted, and are a gap.
const MOST_FOLDERS: usize = 300;

/// A folder is taken away within so long a time before the portal writes that it was: what was read meanwhile may show a part of it.
const TAKEN_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// A folder that the inventory does not know was made after it was read.
const MADE_WITHIN: TimeDelta = TimeDelta::hours(2);

/// The portal writes both sides of a move within so long a time.
const WRITTEN_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Folders to weigh.
#[derive(Clone, Debug, Default)]
pub struct Folders(BTreeMap<EntryId, Asked>);

/// What was done to a folder.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// When something was done to it.
    at: Vec<DateTime<Utc>>,
    /// What is known of it otherwise than by the inventory must have been learned after this; `None` asks the portal for nothing.
    learned_after: Option<DateTime<Utc>>,
    /// Some of that left it where it was, so that it can be listed.
    is_left: bool,
}

impl Folders {
    /// Asks for the folder that an event is about as a whole, if it is. Where the inventory does not know it, it is listed, after the event.
    pub fn ask(&mut self, event: &AuditEvent) {
        self.note(event, Some(event.at));
    }

    /// The same for a folder that the event deleted for good: what is remembered of it is all that there is.
    pub fn ask_for_deleted(&mut self, event: &AuditEvent) {
        self.note(event, Some(DateTime::UNIX_EPOCH));
    }

    /// The same for an event that an earlier run has judged: what that learned is remembered, and nothing new is asked.
    pub fn recall(&mut self, event: &AuditEvent) {
        self.note(event, None);
    }

    fn note(&mut self, event: &AuditEvent, learned_after: Option<DateTime<Utc>>) {
        if let Some(folder) = folder_of(event) {
            let asked = self.0.entry(folder).or_default();
            asked.at.push(event.at);
            asked.is_left |= leaves_in_place(event);
            asked.learned_after = asked.learned_after.max(learned_after);
        }
    }

    /// Takes from the inventory what the folders held, and lists those that it does not know. What the portal does not tell any more is as it
    /// was remembered; what cannot be had is a gap.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn weigh(self, look: &mut Look) -> Result<Weights, Error> {
        let mut weights = self.known(&look.archive).await?;
        let mut look_ups = LookUps::of(Source::Folders.name(), HIDDEN_FOLDERS, MOST_FOLDERS, look.now);
        let unknown = self.0.into_iter().filter(|(folder, asked)| !weights.knows(folder, asked));
        let unknown =
            unknown.filter_map(|(folder, asked)| Some((folder, believed_for(asked.learned_after?, look.now))));
        let unknown: Vec<(EntryId, TimeDelta)> = unknown.collect();
        let ask = async |(folder, max_age): &(EntryId, TimeDelta)| {
            look.archive.weight_of_folder(&look.client, folder, *max_age, look.now).await
        };
        let listed = look_ups.each(unknown, ask).await?;
        weights.listed.extend(listed.into_iter().map(|((folder, _), known)| (folder, known.value.files)));
        look.finish(look_ups);
        Ok(weights)
    }

    /// What is remembered of the folders, without asking the portal.
    ///
    /// # Errors
    /// Of the store.
    pub async fn remembered(mut self, archive: &Archive) -> Result<Weights, Error> {
        self.0.values_mut().for_each(|asked| asked.learned_after = None);
        self.known(archive).await
    }

    /// The inventory, and for what earlier runs have judged what those have learned.
    async fn known(&self, archive: &Archive) -> Result<Weights, Error> {
        let mut weights = Weights { readings: archive.readings(self.0.keys()).await?, ..Weights::default() };
        weights.learn_arrivals(self, archive).await?;
        for (folder, asked) in &self.0 {
            if asked.learned_after.is_none() && !weights.knows(folder, asked) {
                let remembered = archive.remembered_weight(folder).await?;
                weights.listed.extend(remembered.map(|known| (folder.clone(), known.value.files)));
            }
        }
        Ok(weights)
    }
}

/// Names as a gap that there was a folder which nobody could weigh, unless a gap says so: such a folder is never an all-clear.
pub fn note_hidden_folders(look: &mut Look, window: Window) {
    if !look.coverage().gaps.iter().any(|gap| gap.what.ends_with("folders")) {
        look.gap(HIDDEN_FOLDERS, window, GapReason::NotThere);
    }
}

/// How old what is known of a folder may be: learned after what was last done to it.
fn believed_for(last: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - last).min(FACTS_KEPT)
}

/// The folder that an event is about as a whole.
fn folder_of(event: &AuditEvent) -> Option<EntryId> {
    let folder = event.target.first().filter(|_| event.action.is_about_whole_folder());
    folder.map(|id| EntryId::from(id.as_str()))
}

/// When something came, and which folder it is where it is one.
type Arrival = (DateTime<Utc>, Option<EntryId>);

/// Whether the folder is still there afterwards: it was downloaded or copied.
fn leaves_in_place(event: &AuditEvent) -> bool {
    matches!(event.action.0, 5022 | 5023 | 5057)
}

/// How many files folders held, at any depth, as far as the key's account can see.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    readings: BTreeMap<EntryId, Vec<Reading>>,
    /// As they were listed afterwards.
    listed: BTreeMap<EntryId, u64>,
    /// When folders were made.
    made: BTreeMap<EntryId, DateTime<Utc>>,
    /// What was moved or copied into a folder: when, and which folder where it was one.
    arrived: BTreeMap<EntryId, Vec<Arrival>>,
    /// When new documents came, by place: the portal does not say into which folder.
    came: BTreeMap<PortalText, Vec<DateTime<Utc>>>,
}

/// What stands behind an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// One document, or whatever else the event is about.
    One,
    /// A folder with so many files, which can be none.
    Folder { files: u64 },
    /// A folder of which nobody knows how much it held.
    UnlistedFolder,
}

impl Weights {
    /// What stood behind the event. What that counts is a matter of rules.
    pub fn behind(&self, event: &AuditEvent) -> Behind {
        let Some(folder) = folder_of(event) else { return Behind::One };
        let listed = || self.listed.get(&folder).copied();
        let read = self.read(&folder, event.at).map(|(files, since)| files + self.arrived(&folder, since, event.at));
        let files =
            read.or_else(|| listed().filter(|_| leaves_in_place(event))).or_else(|| self.brought_in(&folder, event));
        // rather what it held later than nothing
        let later = || self.readings.get(&folder)?.first().map(|reading| reading.holding.files);
        let files = files.or_else(listed).or_else(later);
        files.map_or(Behind::UnlistedFolder, |files| Behind::Folder { files })
    }

    /// Whether the portal need not be asked for a folder.
    fn knows(&self, folder: &EntryId, asked: &Asked) -> bool {
        let is_new = |at: &DateTime<Utc>| !asked.is_left && self.made.get(folder).is_some_and(|made| made <= at);
        asked.at.iter().all(|at| self.read(folder, *at).is_some() || is_new(at))
    }

    /// The title of a folder or a room, as it was last read.
    pub fn title_of(&self, event: &AuditEvent) -> Option<&PortalText> {
        let readings = self.readings.get(&folder_of(event)?)?;
        readings.last().map(|reading| &reading.holding.title)
    }

    /// How many files the folder held when it was last read before a moment, and until when it was seen so.
    fn read(&self, folder: &EntryId, at: DateTime<Utc>) -> Option<(u64, DateTime<Utc>)> {
        let readings = self.readings.get(folder)?;
        let before = |limit: DateTime<Utc>| readings.iter().rev().find(|reading| reading.since <= limit);
        let reading = before(at - TAKEN_WITHIN).or_else(|| before(at))?;
        Some((reading.holding.files, reading.until.min(at)))
    }

    /// How many files were moved or copied into a folder between two moments.
    fn arrived(&self, folder: &EntryId, since: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        let weight = |inner: &Option<EntryId>, at: DateTime<Utc>| match inner {
            Some(inner) => self.read(inner, at).map_or(1, |(files, _)| files),
            None => 1,
        };
        let arrived = self.arrived.get(folder).into_iter().flatten();
        arrived.filter(|(at, _)| (since..=until).contains(at)).map(|(at, inner)| weight(inner, *at)).sum()
    }

    /// How many files a folder can have held that was made after the inventory was read: what was moved into it, and whatever was new in
    /// its place.
    fn brought_in(&self, folder: &EntryId, event: &AuditEvent) -> Option<u64> {
        let made = *self.made.get(folder).filter(|made| **made <= event.at)?;
        let came = event.context.as_ref().and_then(|place| self.came.get(place)).into_iter().flatten();
        let came = came.filter(|at| (made..=event.at).contains(at)).count() as u64;
        Some(came + self.arrived(folder, made, event.at))
    }

    /// What came into the folders after they were read, from what is remembered of the audit trail.
    async fn learn_arrivals(&mut self, folders: &Folders, archive: &Archive) -> Result<(), Error> {
        let moments = || folders.0.values().flat_map(|asked| &asked.at);
        let (Some(first), Some(last)) = (moments().min(), moments().max()) else { return Ok(()) };
        let read = self.readings.values().flatten().map(|reading| reading.until);
        let since = read.filter(|until| *until < *first).min().unwrap_or(*first).min(*first - MADE_WITHIN);
        let window = Window::new(since.max(*first - READ_EVERY * 24), *last + TimeDelta::seconds(1));
        let (mut inner, mut seen) = (BTreeSet::new(), BTreeMap::new());
        let mut events = std::pin::pin!(archive.events_of_actions(arrivals(), window));
        while let Some(event) = events.try_next().await? {
            let mut targets = event.target.iter().map(|id| EntryId::from(id.as_str()));
            let (Some(entry), folder) = (targets.next(), targets.next()) else { continue };
            match (event.action, folder) {
                (ActionId(5019), _) => {
                    self.made.entry(entry).or_insert(event.at);
                }
                (action, Some(folder)) if action.is_move_or_copy() => {
                    let is_folder = action.is_about_whole_folder();
                    // a move from elsewhere is written twice
                    let before = seen.insert((folder.clone(), entry.clone()), event.at);
                    let is_again = before.is_some_and(|before| event.at - before <= WRITTEN_WITHIN);
                    if folders.0.contains_key(&folder) && !is_again {
                        inner.extend(is_folder.then(|| entry.clone()));
                        self.arrived.entry(folder).or_default().push((event.at, is_folder.then_some(entry)));
                    }
                }
                _ => self.came.entry(event.context.unwrap_or_default()).or_default().push(event.at),
            }
        }
        inner.retain(|folder| !self.readings.contains_key(folder));
        self.readings.extend(archive.readings(&inner).await?);
        Ok(())
    }
}

/// Whatever puts something into a folder, and makes one.
fn arrivals() -> impl Iterator<Item = ActionId> {
    [5000, 5011, 5012, 5019, 5035].into_iter().chain(5013..=5016).chain(5022..=5025).map(ActionId)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it held this morning says nothing of what was in it at its download this evening.
    #[test]
    fn a_folder_is_weighed_again_after_what_was_last_done_to_it() {
        let evening = DateTime::UNIX_EPOCH + TimeDelta::days(2);
        assert_eq!(believed_for(evening, evening + TimeDelta::minutes(5)), TimeDelta::minutes(5));
        assert_eq!(believed_for(evening - TimeDelta::days(2), evening), FACTS_KEPT);
    }
}
