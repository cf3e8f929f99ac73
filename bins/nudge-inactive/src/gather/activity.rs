//! The chosen rooms: who is in them, who joined when, who did what, and which documents changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use attribution::{Places, Whereabouts, file_of, read_room_log};
use audit_model::{ActClass, ActionId, AuditEvent, GapReason, Place, RoomId, RoomLogs, Rooms};
use chrono::{DateTime, Utc};
use docspace_client::{Everyone, Room};
use event_archive::Look;
use futures::TryStreamExt;
use job_runner::Job;
use tracing::warn;
use uuid::Uuid;

use crate::rule::{Certainty, RoomView, Unsure};

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// By id.
    pub(crate) rooms: BTreeMap<RoomId, RoomView>,
    /// Rooms whose members could not be read.
    pub(crate) unread: Vec<RoomId>,
    /// Documents that were made or changed in each room and not deleted since, newest first, each once, with who did it.
    pub(crate) changed: BTreeMap<RoomId, Vec<Changed>>,
    pub(crate) titles: Rooms,
    pub(crate) logs: RoomLogs,
}

/// A document that was made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) file: String,
    pub(crate) by: Uuid,
    pub(crate) at: DateTime<Utc>,
}

/// Reads members and logs of the rooms, and places the events of the window.
pub(crate) async fn read(job: &Job, rooms: &[&Room], classes: &[ActClass], look: &mut Look) -> anyhow::Result<Records> {
    let titles = job.archive.rooms(job.window).await?;
    let mut records = Records { titles, ..Records::default() };
    let mut subjects = HashMap::new();
    let mut everyone = Everyone::default();
    for room in rooms {
        let id = &room.fact.id;
        let members = match job.client.members_with(id, &mut everyone).await {
            Ok(members) => members,
            Err(error) => {
                // also where the portal says that the room is gone: a moment ago it was in the list
                look.gap("members", job.window, error.gap_reason());
                warn!(room.id = %id, "{error:#}");
                records.unread.push(id.clone());
                continue;
            }
        };
        let mut view = RoomView::new(id.clone(), room.fact.title.clone(), room.fact.created, members);
        // without a log, nobody tells who joined
        if let Some(gaps) = read_room_log(id, job.window, &mut records.logs, look).await? {
            if gaps.iter().any(|gap| gap.why != GapReason::ClockSkew) {
                view.blind = Some(Unsure::NoRoomLog);
            }
            subjects.extend(job.archive.room_log_subjects(id, job.window).await?);
        }
        records.rooms.insert(id.clone(), view);
    }
    let open = place(job, classes, &subjects, &mut records).await?;
    let unattributed = look_up(open, &mut records, look).await?;
    look.unattributed(unattributed);
    Ok(records)
}

/// An act in a room of which only the title is known.
struct Unplaced {
    event: AuditEvent,
    class: ActClass,
}

/// Puts the events of the window into the rooms, and gives those that nobody can place yet.
async fn place(
    job: &Job,
    classes: &[ActClass],
    subjects: &HashMap<i64, Uuid>,
    records: &mut Records,
) -> anyhow::Result<Vec<Unplaced>> {
    let members: BTreeSet<Uuid> =
        records.rooms.values().flat_map(|room| &room.members).map(|member| member.account.person.id).collect();
    let mut open = Vec::new();
    let mut changed: BTreeMap<RoomId, HashMap<String, Changed>> = BTreeMap::new();
    let mut events = std::pin::pin!(job.archive.events(job.window));
    while let Some(event) = events.try_next().await? {
        note_joining(&event, subjects, records);
        let Some(class) = event.action.class() else { continue };
        let rooms: Vec<(RoomId, Certainty)> = match records.titles.place_with_logs(&event, &records.logs) {
            Place::Room(id, _) => vec![(id, Certainty::Certain)],
            Place::OneOf { candidates, .. } => candidates.into_iter().map(|id| (id, Certainty::Possible)).collect(),
            Place::UnknownRoom { .. } => {
                if classes.contains(&class) && members.contains(&event.actor) {
                    open.push(Unplaced { event, class });
                }
                continue;
            }
            Place::Elsewhere => continue,
        };
        for (id, certainty) in rooms {
            let Some(room) = records.rooms.get_mut(&id) else { continue };
            if classes.contains(&class) {
                room.push(&event, class, certainty);
            }
            let Some(file) = file_of(&event).filter(|_| certainty == Certainty::Certain) else { continue };
            if is_news(event.action) {
                let change = Changed { file: file.to_owned(), by: event.actor, at: event.at };
                changed.entry(id).or_default().insert(change.file.clone(), change);
            } else if class == ActClass::Delete {
                changed.entry(id).or_default().remove(file);
            }
        }
    }
    for (room, files) in changed {
        let mut files: Vec<Changed> = files.into_values().collect();
        files.sort_by(|a, b| (b.at, &b.file).cmp(&(a.at, &a.file)));
        records.changed.insert(room, files);
    }
    Ok(open)
}

/// Whether a document is new in the room, or has new content.
fn is_news(action: ActionId) -> bool {
    matches!(
        action,
        ActionId::FILE_CREATED
            | ActionId::FILE_UPDATED
            | ActionId::FILE_UPLOADED
            | ActionId::FILE_IMPORTED
            | ActionId::FILE_COPIED
            | ActionId::FILE_COPIED_WITH_OVERWRITING
            | ActionId::USER_FILE_UPDATED
            | ActionId::FILE_CONVERTED
            | ActionId::FILE_RESTORE_VERSION
            | ActionId::FILE_UPLOADED_WITH_OVERWRITING
            | ActionId::FORM_PARTIALLY_FILLED
            | ActionId::FORM_COMPLETELY_FILLED
            | ActionId::FILE_SAVED_BUT_USER_QUOTA_EXCEEDED
            | ActionId::FILE_SAVED_BUT_ROOM_QUOTA_EXCEEDED
            | ActionId::FORM_SUBMIT
    )
}

/// Who joined, and which groups changed: the audit trail has the event, the log of the room whom it is about.
fn note_joining(event: &AuditEvent, subjects: &HashMap<i64, Uuid>, records: &mut Records) {
    let Some(target) = event.target.first() else { return };
    // somebody was put into a group or taken out of it; nobody says who
    if event.action == ActionId::GROUP_UPDATED {
        if let Ok(group) = target.parse::<Uuid>() {
            for room in records.rooms.values_mut() {
                note_latest(&mut room.groups_changed, group, event.at);
            }
        }
        return;
    }
    if !matches!(event.action, ActionId::ROOM_CREATE_USER | ActionId::ROOM_GROUP_ADDED) {
        return;
    }
    let Some(room) = records.rooms.get_mut(&RoomId::from(target.as_str())) else { return };
    match (subjects.get(&event.id), event.action) {
        (Some(person), ActionId::ROOM_CREATE_USER) => note_latest(&mut room.joined, *person, event.at),
        (Some(group), _) => note_latest(&mut room.groups_changed, *group, event.at),
        (None, _) => room.somebody_joined = room.somebody_joined.max(Some(event.at)),
    }
}

fn note_latest(known: &mut BTreeMap<Uuid, DateTime<Utc>>, id: Uuid, at: DateTime<Utc>) {
    let latest = known.entry(id).or_insert(at);
    *latest = at.max(*latest);
}

/// Where only the title of a room is known, the place of the document today may tell; else the act counts as perhaps in any room of
/// its author. What cannot be looked up is a gap. Gives how many stay open.
async fn look_up(open: Vec<Unplaced>, records: &mut Records, look: &mut Look) -> anyhow::Result<u64> {
    let files: BTreeSet<String> = open.iter().filter_map(|open| file_of(&open.event)).map(str::to_owned).collect();
    let places = Places::look_up(files, look).await?;
    let mut left = 0;
    for Unplaced { event, class } in &open {
        match places.of(event) {
            // where it is now it may not have been then, so nobody is called inactive by it
            Some(Whereabouts::Room(room)) => {
                if let Some(room) = records.rooms.get_mut(room) {
                    room.push(event, *class, Certainty::Possible);
                }
            }
            Some(Whereabouts::NoRoom) => {}
            Some(Whereabouts::Gone | Whereabouts::Unseen) | None => {
                left += 1;
                records.rooms.values_mut().for_each(|room| room.push(event, *class, Certainty::TitleOnly));
            }
        }
    }
    Ok(left)
}
