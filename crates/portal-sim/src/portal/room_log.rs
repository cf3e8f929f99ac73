//! The activity logs of rooms, folders and files: pages by id, groups inside the page, raw counts.
//!
//! What a row says is in `log_data`, how rows become items in `log_groups`.

use std::cmp::Reverse;

use uuid::Uuid;

use super::log_data::LogRow;
use super::log_groups;
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Context, gates, page};
use crate::actions;
use crate::json::{Json, length};
use crate::scenario::{ARCHIVE, Entry, Event, Location, Person, ROOMS, Reference, Room, Scenario};

/// What somebody who only fills forms sees of subfolders …
const SEEN_OF_FOLDERS: &[i32] = &[5019, 5020, 5025, 5026];
/// … and of files.
const SEEN_OF_FILES: &[i32] = &[5001, 5011, 5013, 5015, 5150, 5151, 5152, 5153, 6046, 6047];
/// The room type of form filling.
const FORM_ROOM: i32 = 1;

/// `GET files/folder/{id}/log`
pub(super) fn folder(context: &Context<'_>, id: i32) -> Result<Answer, Failure> {
    log(context, Reference::Folder(id))
}

/// `GET files/file/{id}/log`
pub(super) fn file(context: &Context<'_>, id: i32) -> Result<Answer, Failure> {
    log(context, Reference::File(id))
}

fn log(context: &Context<'_>, asked: Reference) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let (from, to) = (binder.instant("fromDate"), binder.instant("toDate"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.done()?;
    let scenario = context.scenario;
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    gates::database(scenario)?;
    if is_section(scenario, asked) {
        return Ok(Answer { response: Json::List(Vec::new()), count: 0, total: Some(0) });
    }
    let room = demand_reading(scenario, person, asked)?;
    if start < 0 {
        let message = "2201X: OFFSET must not be negative";
        return Err(Failure::exception(500, message, "Npgsql.PostgresException", -2_147_467_259));
    }
    let wanted = rows_about(scenario, asked)
        .into_iter()
        .filter(|event| from.is_none_or(|from| event.at >= from) && to.is_none_or(|to| event.at <= to));
    let (rows, total) = match asked {
        Reference::Folder(id) if fills_forms(scenario, person, room) => reduced(scenario, wanted.collect(), id),
        _ => {
            let mut rows: Vec<&Event> = wanted.collect();
            rows.sort_by_key(|event| Reverse(event.id));
            if let Reference::File(_) = asked {
                rows.dedup_by(|later, kept| is_other_half(later, kept));
            }
            let total = rows.len();
            (rows, total)
        }
    };
    let shown = total.saturating_sub(usize::try_from(start).unwrap_or_default()).min(count);
    let mut rows = page(rows, start, count);
    rows.sort_by_key(|event| Reverse(event.id));
    let rows: Vec<LogRow<'_>> = rows
        .into_iter()
        .filter(|event| actions::is_tracked(event.action))
        .map(|event| LogRow::read(scenario, event))
        .collect::<Result<_, _>>()?;
    let response = Json::List(log_groups::items(context, &rows)?);
    Ok(Answer { response, count: length(shown), total: Some(length(total)) })
}

/// The reduced list in the order of the table, and how many of it are counted.
///
/// A file that has the number of the folder is listed and not counted.
fn reduced<'a>(scenario: &Scenario, rows: Vec<&'a Event>, folder: i32) -> (Vec<&'a Event>, usize) {
    let mut counted = 0;
    let mut seen: Vec<&Event> = Vec::new();
    for event in rows {
        let references = event.columns().references;
        let below = references.iter().filter(|reference| match **reference {
            Reference::Folder(id) => SEEN_OF_FOLDERS.contains(&event.action) && is_below(scenario, id, folder),
            Reference::File(_) => SEEN_OF_FILES.contains(&event.action),
            Reference::Gone(_) => false,
        });
        let below: Vec<Reference> = below.copied().collect();
        if !below.is_empty() {
            counted += usize::from(below != [Reference::File(folder)]);
            seen.push(event);
        }
    }
    seen.sort_by_key(|event| event.id);
    (seen, counted)
}

/// Whether the folder exists and lies below the other one.
fn is_below(scenario: &Scenario, folder: i32, above: i32) -> bool {
    let parent = |id| scenario.condition.entries.iter().find(|entry| entry.reference == Reference::Folder(id))?.parent;
    std::iter::successors(parent(folder), |id| parent(*id)).any(|id| id == above)
}

/// Whether this person only fills forms in a room for that.
fn fills_forms(scenario: &Scenario, person: &Person, room: Option<&Room>) -> bool {
    room.is_some_and(|room| room.room_type == FORM_ROOM && scenario.condition.fillers.contains(&(room.id, person.id)))
}

fn is_section(scenario: &Scenario, asked: Reference) -> bool {
    let Reference::Folder(id) = asked else { return false };
    let own = |person: &Person| id == scenario.my_documents(person.id) || id == scenario.trash(person.id);
    id == ROOMS
        || id == ARCHIVE
        || scenario.people.iter().any(own)
        || scenario.condition.entries.iter().any(|entry| entry.reference == asked && entry.parent.is_none())
}

/// The rows of a log, in no particular order.
///
/// Of rows that bring no references of their own only the room and the file are known; whether they belong to a folder
/// below the room is judged by where the file is now.
fn rows_about(scenario: &Scenario, asked: Reference) -> Vec<&Event> {
    let mut rows: Vec<&Event> = scenario.events_about(asked).collect();
    if let Reference::Folder(id) = asked
        && scenario.folder(id).is_some()
        && let Some(Location::Room(room)) = scenario.location(id)
    {
        let inside = scenario.events_about(Reference::Folder(room)).filter(|event| event.stored.is_none());
        rows.extend(inside.filter(|event| is_about_something_in(scenario, event, id)));
    }
    rows
}

fn is_about_something_in(scenario: &Scenario, event: &Event, folder: i32) -> bool {
    let Some(id) = event.target.first().and_then(|id| id.parse::<i32>().ok()) else { return false };
    let start = scenario.file(id).map_or(id, |file| file.folder);
    std::iter::successors(Some(start), |id| scenario.folder(*id).map(|folder| folder.parent)).any(|id| id == folder)
}

/// A move or copy between rooms is two rows; the file's own log shows one of them.
fn is_other_half(later: &Event, kept: &Event) -> bool {
    later.stored.is_none()
        && (later.action, &later.target, later.at) == (kept.action, &kept.target, kept.at)
        && later.place != kept.place
}

/// Whose a folder or file is.
enum Home<'a> {
    Room(&'a Room),
    /// Somebody's own documents or trash.
    Personal(Uuid),
    /// Known by its place only, outside rooms.
    Elsewhere,
}

/// The room that the folder or file is in, if any; missing entries and missing rights are refused, in this order.
fn demand_reading<'a>(scenario: &'a Scenario, person: &Person, asked: Reference) -> Result<Option<&'a Room>, Failure> {
    match home(scenario, asked)? {
        Home::Room(room) if scenario.may_read(person, room) => Ok(Some(room)),
        Home::Personal(owner) if owner == person.id => Ok(None),
        Home::Elsewhere => Ok(None),
        Home::Room(_) | Home::Personal(_) => Err(Failure::security()),
    }
}

fn home(scenario: &Scenario, asked: Reference) -> Result<Home<'_>, Failure> {
    let folder = match asked {
        Reference::Folder(id) => Some(id),
        Reference::File(id) | Reference::Gone(id) => scenario.file(id).map(|file| file.folder),
    };
    match folder.and_then(|id| scenario.location(id)) {
        Some(Location::Room(id)) => scenario.room(id).map_or_else(|| Ok(Home::Elsewhere), |room| Ok(Home::Room(room))),
        Some(Location::Mine(id) | Location::Trash(id)) => Ok(Home::Personal(id)),
        Some(Location::Section) => Ok(Home::Elsewhere),
        None => listed_home(scenario, asked),
    }
}

/// The same for entries that are known by their place only.
fn listed_home(scenario: &Scenario, asked: Reference) -> Result<Home<'_>, Failure> {
    let find = |wanted| scenario.condition.entries.iter().find(|entry| entry.reference == wanted);
    let Some(mut entry) = find(asked) else { return home_from_events(scenario, asked) };
    loop {
        let Entry { parent: Some(parent), .. } = *entry else { return Ok(Home::Elsewhere) };
        if let Some(room) = scenario.room(parent) {
            return Ok(Home::Room(room));
        }
        match find(Reference::Folder(parent)) {
            Some(above) => entry = above,
            None => return Ok(Home::Elsewhere),
        }
    }
}

/// A file that only events tell about is in the room of the newest of them.
fn home_from_events(scenario: &Scenario, asked: Reference) -> Result<Home<'_>, Failure> {
    let Reference::File(_) = asked else {
        return Err(Failure::not_found("The required folder was not found"));
    };
    let newest = scenario.events_about(asked).filter(|event| event.stored.is_none()).max_by_key(|event| event.id);
    let room = newest.ok_or_else(|| Failure::not_found("The required file was not found"))?.room();
    Ok(room.and_then(|id| scenario.room(id)).map_or(Home::Elsewhere, Home::Room))
}
