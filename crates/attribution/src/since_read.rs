//! What came into folders and what went out of them after the inventory was read. Folders are in folders: of an outer one it is gone already
//! what somebody took with an inner one, and no document counts twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use audit_model::{ACT_REPEAT, ActionId, AuditEvent, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::EntryId;
use event_archive::{Archive, Error, Reading};
use futures::TryStreamExt;
use uuid::Uuid;

/// A folder is taken away within so long a time before the portal writes that it was: what was read meanwhile may show a part of it.
const TAKEN_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// The portal writes both sides of a move within so long a time.
const WRITTEN_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Whoever deletes the documents of a folder and then the folder does it within so long a time; later the inventory shows it.
const ONE_BY_ONE_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// No portal has folders that deep.
const DEEPEST: usize = 100;

/// When something was done: of one second, in the order of the trail.
pub(crate) type Moment = (DateTime<Utc>, i64);

/// What the inventory read of folders, and what was done to them since.
#[derive(Clone, Debug, Default)]
pub(crate) struct SinceRead {
    readings: BTreeMap<EntryId, Vec<Reading>>,
    /// When folders were made.
    made: BTreeMap<EntryId, DateTime<Utc>>,
    /// When new documents came, by place: the portal does not say into which folder.
    came: BTreeMap<PortalText, Vec<DateTime<Utc>>>,
    /// How many files came into a folder, or went out of it, with folders or by a move into it.
    balance: BTreeMap<EntryId, Vec<(Moment, i64)>>,
    /// Where a folder went; `None`: into a trash, or it is gone for good.
    went: BTreeMap<EntryId, Vec<(Moment, Option<EntryId>)>>,
    /// Documents that somebody deleted one by one, by place.
    one_by_one: HashMap<(Uuid, PortalText), Vec<DateTime<Utc>>>,
    /// How many of those were taken to be of a folder that went after them.
    counted: HashMap<(Uuid, PortalText), Vec<(Moment, u64)>>,
    /// Who downloaded a folder as a whole.
    downloads: BTreeMap<EntryId, Vec<(Moment, Uuid)>>,
    /// How many files of a folder somebody downloaded with the folders in it.
    downloaded: BTreeMap<EntryId, Vec<(Moment, Uuid, u64)>>,
}

/// How many files a folder held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) files: u64,
    /// How many more it had held when it was last read, or had come into it since.
    pub(crate) gone: u64,
}

/// Something that was done to a folder, or a move of a document into one.
struct Step {
    at: Moment,
    actor: Uuid,
    action: ActionId,
    entry: EntryId,
    into: Option<EntryId>,
    place: PortalText,
}

impl SinceRead {
    /// Of these folders, each with when something was done to it, from what is remembered of the audit trail.
    pub(crate) async fn learn(
        folders: &BTreeMap<EntryId, Vec<DateTime<Utc>>>,
        (made_within, read_every): (TimeDelta, TimeDelta),
        archive: &Archive,
    ) -> Result<Self, Error> {
        let mut since_read = SinceRead { readings: archive.readings(folders.keys()).await?, ..SinceRead::default() };
        let moments = || folders.values().flatten();
        let (Some(first), Some(last)) = (moments().min(), moments().max()) else { return Ok(since_read) };
        let read = since_read.readings.values().flatten().map(|reading| reading.until);
        let since = read.filter(|until| until < first).min().unwrap_or(*first).min(*first - made_within);
        let window = Window::new(since.max(*first - read_every * 24), *last + TimeDelta::seconds(1));
        let steps = since_read.steps(folders, window, archive).await?;
        since_read.read_around(&steps, archive).await?;
        steps.into_iter().for_each(|step| since_read.take(step));
        Ok(since_read)
    }

    /// What matters of the trail, in its order.
    async fn steps(
        &mut self,
        folders: &BTreeMap<EntryId, Vec<DateTime<Utc>>>,
        window: Window,
        archive: &Archive,
    ) -> Result<Vec<Step>, Error> {
        let (mut steps, mut seen) = (Vec::new(), BTreeMap::new());
        let mut events = std::pin::pin!(archive.events_of_actions(actions(), window));
        while let Some(event) = events.try_next().await? {
            let AuditEvent { id, at, actor, action, target, context, .. } = event;
            let mut targets = target.iter().map(|id| EntryId::from(id.as_str()));
            let (entry, into) = (targets.next(), targets.next());
            let place = context.unwrap_or_default();
            let step = |entry| Step { at: (at, id), actor, action, entry, into: into.clone(), place: place.clone() };
            let is_asked = || into.as_ref().is_some_and(|into| folders.contains_key(into));
            match (action.0, entry) {
                (5019, Some(folder)) => {
                    self.made.entry(folder).or_insert(at);
                }
                (5017 | 5018, _) => self.one_by_one.entry((actor, place)).or_default().push(at),
                (_, Some(entry)) if action.is_about_whole_folder() || action.is_move_or_copy() && is_asked() => {
                    // a move or a copy from elsewhere is written twice
                    let is_other_half = |before| at - before <= WRITTEN_WITHIN;
                    let before =
                        if action.is_move_or_copy() { seen.insert((into.clone(), entry.clone()), at) } else { None };
                    if !before.is_some_and(is_other_half) {
                        steps.push(step(entry));
                    }
                }
                // a document that went into another folder
                (_, Some(_)) if action.is_move_or_copy() => {}
                _ => self.came.entry(place).or_default().push(at),
            }
        }
        Ok(steps)
    }

    /// What the inventory read of the other folders of these steps, and of all folders around them.
    async fn read_around(&mut self, steps: &[Step], archive: &Archive) -> Result<(), Error> {
        let folders = steps.iter().filter(|step| step.action.is_about_whole_folder()).map(|step| &step.entry);
        let mut asked: BTreeSet<EntryId> =
            folders.chain(steps.iter().filter_map(|step| step.into.as_ref())).cloned().collect();
        for _ in 0..DEEPEST {
            let around = self.readings.values().flatten().flat_map(|reading| {
                let room = (reading.holding.room != reading.holding.folder).then_some(&reading.holding.room);
                reading.holding.parent.iter().chain(room)
            });
            let unread = around.filter(|folder| !self.readings.contains_key(*folder)).cloned();
            asked.extend(unread);
            asked.retain(|folder| !self.readings.contains_key(folder));
            if asked.is_empty() {
                return Ok(());
            }
            let read = archive.readings(&asked).await?;
            // what is not in the inventory is not asked for again
            asked.iter().for_each(|folder| _ = self.readings.entry(folder.clone()).or_default());
            self.readings.extend(read);
            asked.clear();
        }
        Ok(())
    }

    fn take(&mut self, step: Step) {
        let Step { at, actor, action, entry, into, place } = step;
        let files =
            if action.is_about_whole_folder() { self.held(&entry, at, &place).map_or(1, |held| held.files) } else { 1 };
        let amount = i64::try_from(files).unwrap_or(i64::MAX);
        match action.0 {
            // a document: nobody knows from which folder
            _ if !action.is_about_whole_folder() => self.put(into.as_slice(), at, amount),
            5057 => self.note_download(entry, (at, actor), files),
            5022 | 5023 => self.put(&self.with_outer(into.as_ref(), at), at, amount),
            5024 | 5025 => {
                let (before, after) = (self.outer(&entry, at).0, self.with_outer(into.as_ref(), at));
                let apart = |these: &[EntryId], those: &[EntryId]| {
                    these.iter().filter(|folder| !those.contains(folder)).cloned().collect::<Vec<_>>()
                };
                let (out, inside) = (apart(&before, &after), apart(&after, &before));
                self.put(&out, at, -amount);
                self.put(&inside, at, amount);
                self.went.entry(entry).or_default().push((at, into));
            }
            _ => {
                let before = self.one_by_one(&entry, at, (actor, &place)).min(files);
                self.counted.entry((actor, place)).or_default().push((at, before));
                self.put(&self.outer(&entry, at).0, at, -amount);
                self.went.entry(entry).or_default().push((at, None));
            }
        }
    }

    fn put(&mut self, folders: &[EntryId], at: Moment, files: i64) {
        folders.iter().for_each(|folder| self.balance.entry(folder.clone()).or_default().push((at, files)));
    }

    fn note_download(&mut self, folder: EntryId, (at, actor): (Moment, Uuid), files: u64) {
        let is_known = self.is_downloaded(&folder, (at, actor)) || self.is_downloaded_with_outer(&folder, (at, actor));
        if !is_known {
            let files = files.saturating_sub(self.downloaded_of(&folder, (at, actor)));
            for outer in self.outer(&folder, at).0 {
                self.downloaded.entry(outer).or_default().push((at, actor, files));
            }
        }
        self.downloads.entry(folder).or_default().push((at, actor));
    }

    pub(crate) fn readings(&self, folder: &EntryId) -> &[Reading] {
        self.readings.get(folder).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a folder was made by then.
    pub(crate) fn is_made(&self, folder: &EntryId, at: DateTime<Utc>) -> bool {
        self.made.get(folder).is_some_and(|made| *made <= at)
    }

    /// How many files the folder held when it was last read before a moment, and until when it was seen so.
    pub(crate) fn read(&self, folder: &EntryId, at: DateTime<Utc>) -> Option<(u64, DateTime<Utc>)> {
        self.reading(folder, at).map(|reading| (reading.holding.files, reading.until.min(at)))
    }

    fn reading(&self, folder: &EntryId, at: DateTime<Utc>) -> Option<&Reading> {
        let readings = self.readings(folder);
        let before = |limit: DateTime<Utc>| readings.iter().rev().find(|reading| reading.since <= limit);
        before(at - TAKEN_WITHIN).or_else(|| before(at))
    }

    /// How many files a folder of the inventory held right before a moment, or how many it can have held that was made after the inventory
    /// was read: what was put into it, and whatever was new in its place.
    pub(crate) fn held(&self, folder: &EntryId, at: Moment, place: &PortalText) -> Option<Held> {
        self.held_of_read(folder, at).or_else(|| self.held_of_made(folder, at, place))
    }

    pub(crate) fn held_of_read(&self, folder: &EntryId, at: Moment) -> Option<Held> {
        let (files, until) = self.read(folder, at.0)?;
        Some(self.with_balance(files, folder, (until, at)))
    }

    pub(crate) fn held_of_made(&self, folder: &EntryId, at: Moment, place: &PortalText) -> Option<Held> {
        let made = *self.made.get(folder).filter(|made| **made <= at.0)?;
        let came = self.came.get(place).into_iter().flatten();
        let came = came.filter(|came| (made..=at.0).contains(came)).count() as u64;
        Some(self.with_balance(came, folder, (made, at)))
    }

    fn with_balance(&self, files: u64, folder: &EntryId, (since, at): (DateTime<Utc>, Moment)) -> Held {
        let own = self.balance.get(folder).into_iter().flatten();
        let own = own.filter(|(when, _)| when.0 >= since && *when < at);
        let (came, gone) = own.fold((files, 0u64), |(came, gone), (_, amount)| match amount {
            0.. => (came.saturating_add(amount.unsigned_abs()), gone),
            _ => (came, gone.saturating_add(amount.unsigned_abs())),
        });
        Held { files: came.saturating_sub(gone), gone }
    }

    /// The folders around a folder right before a moment, the nearest first, and whether one of them was taken away as a whole.
    pub(crate) fn outer(&self, folder: &EntryId, at: Moment) -> (Vec<EntryId>, bool) {
        let mut around: Vec<EntryId> = Vec::new();
        let mut next = folder.clone();
        while around.len() < DEEPEST {
            let reading = self.reading(&next, at.0);
            let moves = self.went.get(&next).into_iter().flatten().rev().find(|(when, _)| *when < at);
            // the inventory shows where it was put before it was read
            let moved = moves.filter(|(when, _)| reading.is_none_or(|reading| when.0 >= reading.until.min(at.0)));
            let parent = match (moved, reading) {
                (Some((_, into)), _) => into.clone(),
                (None, Some(reading)) => {
                    let holding = &reading.holding;
                    let room = || (holding.room != next).then(|| holding.room.clone());
                    holding.parent.clone().or_else(room)
                }
                (None, None) => None,
            };
            let is_taken = matches!(moved, Some((_, None)));
            match parent.filter(|parent| *parent != *folder && !around.contains(parent)) {
                Some(parent) => around.push(parent.clone()),
                None => return (around, is_taken && next != *folder),
            }
            next = around[around.len() - 1].clone();
        }
        (around, false)
    }

    /// A folder and those around it.
    fn with_outer(&self, folder: Option<&EntryId>, at: Moment) -> Vec<EntryId> {
        let outer = |folder: &EntryId| [folder.clone()].into_iter().chain(self.outer(folder, at).0).collect();
        folder.map(outer).unwrap_or_default()
    }

    /// Whether the folder was taken away with one around it.
    pub(crate) fn is_gone_with_outer(&self, folder: &EntryId, at: Moment) -> bool {
        self.outer(folder, at).1
    }

    /// How many documents of this place the person deleted one by one just before: they may have been in the folder.
    pub(crate) fn one_by_one(&self, folder: &EntryId, at: Moment, (actor, place): (Uuid, &PortalText)) -> u64 {
        let read = self.read(folder, at.0).map(|(_, until)| until);
        let since = read.max(Some(at.0 - ONE_BY_ONE_WITHIN));
        let key = (actor, place.clone());
        let deleted = self.one_by_one.get(&key).into_iter().flatten();
        let deleted = deleted.filter(|when| Some(**when) >= since && **when <= at.0).count() as u64;
        let counted = self.counted.get(&key).into_iter().flatten();
        let counted = counted.filter(|(when, _)| Some(when.0) >= since && *when < at);
        deleted.saturating_sub(counted.map(|(_, files)| files).sum())
    }

    fn is_downloaded(&self, folder: &EntryId, (at, actor): (Moment, Uuid)) -> bool {
        let own = self.downloads.get(folder).into_iter().flatten();
        own.filter(|(when, by)| *by == actor && is_just_before(*when, at)).count() > 0
    }

    /// Whether the person has just downloaded a folder around it.
    pub(crate) fn is_downloaded_with_outer(&self, folder: &EntryId, by: (Moment, Uuid)) -> bool {
        self.outer(folder, by.0).0.iter().any(|outer| self.is_downloaded(outer, by))
    }

    /// How many files of the folder the person has just downloaded with the folders in it.
    pub(crate) fn downloaded_of(&self, folder: &EntryId, (at, actor): (Moment, Uuid)) -> u64 {
        let own = self.downloaded.get(folder).into_iter().flatten();
        own.filter(|(when, by, _)| *by == actor && is_just_before(*when, at)).map(|(.., files)| files).sum()
    }
}

/// Repeats within an hour are the same action.
fn is_just_before(when: Moment, at: Moment) -> bool {
    when < at && at.0 - when.0 <= ACT_REPEAT
}

/// Whatever puts something into a folder or takes it out, makes a folder, or takes a copy of it.
fn actions() -> impl Iterator<Item = ActionId> {
    let made = [5000, 5011, 5012, 5019, 5035].into_iter().chain(5013..=5018);
    made.chain(5022..=5027).chain([5057, 5074]).map(ActionId)
}
