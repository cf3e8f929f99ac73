//! The rooms that are watched: which of them an event belongs to, and how many documents stand behind it. Three steps: ask (what must be
//! known?), fetch, apply. Only the second talks to the portal.

use std::collections::BTreeSet;
use std::sync::Arc;

use attribution::{Behind, Folders, Places, Weights, Whereabouts, file_of, has_log, read_room_log};
use audit_model::{
    ActClass, Attributed, AuditEvent, GapReason, Place, Placer, PortalText, RoomId, RoomLogs, Rooms, Weight, Window,
    is_other_half,
};
use event_archive::{Archive, Look};
use futures::TryStreamExt;
use job_runner::Job;
use job_runner::config::{Problem, Problems};
use uuid::Uuid;

use crate::config::{Config, HEAVIEST_FOLDER};
use crate::rule::{Doubt, Placed, RoomKey};

/// So many events are kept while questions are looked for; where there are more, they are read once more.
const MOST_KEPT: usize = 5_000;

/// A run that would read more activity logs than this says that it did not.
const MOST_LOGS: usize = 200;

/// The rooms of a portal and which of them are watched.
pub(crate) struct Watched {
    pub(crate) rooms: Rooms,
    pub(crate) ids: BTreeSet<RoomId>,
    /// What a folder counts that cannot be listed.
    pub(crate) folder_weight: u64,
    /// The lists of rooms and AI agents could not be read: there may be some that nobody knows.
    pub(crate) is_unread: bool,
}

/// Places event after event.
pub(crate) struct Placing<'w> {
    watched: &'w Watched,
    answers: &'w Answers,
    placer: Placer<'w>,
}

/// What the audit trail alone does not tell about the events of a window.
#[derive(Default)]
pub(crate) struct Answers {
    logs: RoomLogs,
    weights: Weights,
    /// Where the files of people who were found are today.
    places: Places,
}

/// What must be asked to place and weigh the events of a window.
#[derive(Default)]
struct Questions {
    logs: BTreeSet<RoomId>,
    folders: Folders,
    /// The events that were looked at and can count, where they are few.
    events: Option<Vec<AuditEvent>>,
}

impl Watched {
    /// The rooms of the portal, and which of them to watch: those that the settings name, and the one that they ask for.
    pub(super) async fn read(
        config: &Config,
        requested: Option<RoomId>,
        job: &Job,
        look: &mut Look,
    ) -> anyhow::Result<Self> {
        let list_read = look.knows_rooms().await?;
        let rooms = job.archive.rooms(job.window).await?;
        let mut ids = choose(&config.rooms, &rooms, list_read)?;
        ids.extend(requested);
        Ok(Watched { rooms, ids, folder_weight: config.folder_weight, is_unread: !list_read })
    }

    pub(crate) fn placing<'w>(&'w self, answers: &'w Answers) -> Placing<'w> {
        Placing { watched: self, answers, placer: Placer::new(&self.rooms) }
    }

    fn watched(&self, id: RoomId, how: Attributed) -> Option<(RoomKey, PortalText, Vec<RoomId>, Attributed)> {
        let title = self.rooms.get(&id).map(|room| room.title.clone()).unwrap_or_default();
        self.ids.contains(&id).then(|| (RoomKey::Known(id), title, Vec::new(), how))
    }

    fn weight(&self, event: &AuditEvent, answers: &Answers) -> Weight {
        match answers.weights.behind(event) {
            Behind::One => Weight::ONE,
            // nobody downloads an empty folder: it was emptied since
            Behind::Folder { files: 0 } if event.action.class() == Some(ActClass::Download) => self.unlisted(),
            Behind::Folder { files } => Weight { documents: files.clamp(1, HEAVIEST_FOLDER), at_least: false },
            Behind::Counted => Weight { documents: 0, at_least: false },
            Behind::UnlistedFolder => self.unlisted(),
        }
    }

    fn unlisted(&self) -> Weight {
        Weight { documents: self.folder_weight, at_least: true }
    }

    /// What the audit trail leaves open about the events of a window.
    async fn questions(&self, archive: &Archive, window: Window) -> anyhow::Result<Questions> {
        let mut questions = Questions { events: Some(Vec::new()), ..Questions::default() };
        let mut before: Option<AuditEvent> = None;
        let mut placer = Placer::new(&self.rooms);
        let mut events = std::pin::pin!(archive.events(window));
        while let Some(event) = events.try_next().await? {
            let place = placer.place(&event);
            let candidates = place.question(&event);
            if candidates.iter().any(|id| self.ids.contains(id)) {
                questions.logs.extend(candidates.iter().cloned());
            }
            // two halves that name no room: something went between a section of the portal and a room that only its log tells
            if place == Place::Elsewhere && before.as_ref().is_some_and(|first| is_other_half(first, &event)) {
                questions.logs.extend(self.ids.iter().cloned());
            }
            let matters = match &place {
                Place::Room(id, _) => self.ids.contains(id),
                Place::OneOf { candidates, .. } => candidates.iter().any(|id| self.ids.contains(id)),
                Place::UnknownRoom { .. } | Place::Elsewhere => false,
            };
            if matters {
                questions.folders.ask(&event);
            }
            questions.keep(before.replace(event));
        }
        questions.keep(before);
        Ok(questions)
    }

    /// Reads the activity logs and lists the folders that are needed to place and weigh the events of the window, and gives those of the
    /// events that can count, where they are few. A log or a folder that cannot be read is a gap.
    pub(super) async fn ask(
        &self,
        window: Window,
        look: &mut Look,
    ) -> anyhow::Result<(Answers, Option<Vec<AuditEvent>>)> {
        let Questions { logs, folders, events } = self.questions(&look.archive, window).await?;
        let mut answers = Answers::default();
        if logs.len() > MOST_LOGS {
            look.gap(audit_model::Source::RoomLog.name(), window, GapReason::BudgetExhausted);
        }
        for room in logs.iter().filter(|room| has_log(room)).take(MOST_LOGS) {
            // of a room that is gone, what stands in none of the other logs stays open between the rooms
            read_room_log(room, window, &mut answers.logs, look).await?;
        }
        answers.weights = folders.weigh(look).await?;
        Ok((answers, events))
    }
}

impl Placing<'_> {
    /// The event with its room, if it happened in a watched one, or in one of which nobody knows more than the title: it may be
    /// a watched one that had another title then.
    pub(crate) fn place(&mut self, event: AuditEvent) -> Option<Placed> {
        let (watched, answers) = (self.watched, self.answers);
        let whereabouts = answers.places.of(&event);
        let by_tree = match whereabouts {
            Some(Whereabouts::Room(room)) => Some(room),
            Some(Whereabouts::NoRoom | Whereabouts::Gone | Whereabouts::Unseen) | None => None,
        };
        let is_unplaced = whereabouts == Some(&Whereabouts::Unseen);
        let may_be_agent = watched.is_unread && watched.rooms.may_be_agent(&event);
        let (key, title, candidates, attributed) = match (self.placer.place_with_logs(&event, &answers.logs), by_tree) {
            (Place::Room(id, attributed), _) => watched.watched(id, attributed)?,
            (Place::OneOf { candidates, .. }, Some(room)) if candidates.contains(room) => {
                watched.watched(room.clone(), Attributed::Tree)?
            }
            (Place::UnknownRoom { .. }, Some(room)) => watched.watched(room.clone(), Attributed::Tree)?,
            (Place::OneOf { title, candidates }, _) => {
                candidates.iter().find(|id| watched.ids.contains(id))?;
                (RoomKey::OneOf(title.clone()), title, candidates, Attributed::Title)
            }
            (Place::UnknownRoom { title }, None) => {
                (RoomKey::OneOf(title.clone()), title, Vec::new(), Attributed::Title)
            }
            (Place::Elsewhere, _) => return None,
        };
        let weight = watched.weight(&event, answers);
        let around = answers.weights.around(&event).iter().map(ToString::to_string).collect();
        let doubt = Doubt { is_unplaced, may_be_agent: may_be_agent && attributed == Attributed::Title };
        Some(Placed { event: Arc::new(event), key, title, candidates, attributed, weight, around, doubt })
    }
}

impl Questions {
    fn keep(&mut self, event: Option<AuditEvent>) {
        let Some(event) = event.filter(|event| event.action.class().is_some()) else { return };
        match &mut self.events {
            Some(events) if events.len() < MOST_KEPT => events.push(event),
            events => *events = None,
        }
    }
}

/// The rooms that the settings name; without any, every virtual data room. A name that fits none is a mistake only when the
/// portal's list was read.
pub(crate) fn choose(wanted: &[String], rooms: &Rooms, list_read: bool) -> Result<BTreeSet<RoomId>, job_runner::Error> {
    let data_rooms = || rooms.iter().filter(|room| room.may_be_vdr());
    if wanted.is_empty() {
        return Ok(data_rooms().map(|room| room.id.clone()).collect());
    }
    let mut chosen = BTreeSet::new();
    let mut unknown = Vec::new();
    for name in wanted {
        let fits = data_rooms().filter(|room| room.is_meant_by(name));
        let fits: Vec<RoomId> = fits.map(|room| room.id.clone()).collect();
        if fits.is_empty() && list_read {
            let shown = PortalText::new(name.as_str()).for_terminal();
            let message =
                format!("no virtual data room has the id or the exact title `{shown}`; look both up in the portal");
            unknown.push(Problem::new("rooms", message));
        }
        chosen.extend(fits);
    }
    if unknown.is_empty() { Ok(chosen) } else { Err(job_runner::Error::Config(Problems(unknown))) }
}

impl Answers {
    /// Looks up where the documents are that may have been in one of several rooms when these people did something to them. What cannot be
    /// looked up is a gap.
    pub(super) async fn look_up_places(
        &mut self,
        watched: &Watched,
        (people, window): (BTreeSet<Uuid>, Window),
        look: &mut Look,
    ) -> anyhow::Result<()> {
        if people.is_empty() {
            return Ok(());
        }
        let mut files = BTreeSet::new();
        let archive = look.archive.clone();
        let mut events = std::pin::pin!(archive.events_of(people, window));
        let mut placing = watched.placing(self);
        while let Some(event) = events.try_next().await? {
            if let Some(Placed { key: RoomKey::OneOf(_), event, .. }) = placing.place(event) {
                files.extend(file_of(&event).map(str::to_owned));
            }
        }
        self.places = Places::look_up(files, look).await?;
        Ok(())
    }
}
