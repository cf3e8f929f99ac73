//! The activity logs of rooms, folders and files: pages by id, groups inside the page, raw counts.
//!
//! What a row says is in `log_data`, how rows become items in `log_groups`.

use std::cmp::Reverse;

use super::log_data::LogRow;
use super::log_groups;
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Change, Context, audit_tables, gates, page};
use crate::actions;
use crate::json::{Json, length};
use crate::scenario::{Entry, Event, Location, Person, ROOMS, Reference, Room, Scenario};

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

/// `POST files/folder/{id}/log/report`: the address of the file with the report, which itself is not written.
pub(super) fn report(change: &mut Change<'_>, id: i32) -> Result<Answer, Failure> {
    let context = change.context();
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    gates::full(context.scenario)?;
    let room = room_of(context.scenario, Reference::Folder(id))?;
    if room.is_some_and(|room| !context.scenario.may_read(person, room)) {
        return Err(Failure::security());
    }
    Ok(Answer::one(audit_tables::report_address(context.base).into()))
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
    let room = room_of(scenario, asked)?;
    if room.is_some_and(|room| !scenario.may_read(person, room)) {
        return Err(Failure::security());
    }
    if start < 0 {
        let message = "2201X: OFFSET must not be negative";
        return Err(Failure::exception(500, message, "Npgsql.PostgresException", -2_147_467_259));
    }
    let wanted = scenario
        .events
        .iter()
        .filter(|event| event.refers_to(asked))
        .filter(|event| from.is_none_or(|from| event.at >= from) && to.is_none_or(|to| event.at <= to));
    let (rows, total) = match asked {
        Reference::Folder(id) if fills_forms(scenario, person, room) => reduced(scenario, wanted.collect(), id),
        _ => {
            let mut rows: Vec<&Event> = wanted.collect();
            rows.sort_by_key(|event| Reverse(event.id));
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
    let known = |id| scenario.folder(id).map(|folder| folder.parent);
    let entry = |id| scenario.condition.entries.iter().find(|entry| entry.reference == Reference::Folder(id))?.parent;
    let parent = |id| known(id).or_else(|| entry(id));
    std::iter::successors(parent(folder), |id| parent(*id)).any(|id| id == above)
}

/// Whether this person only fills forms in a room for that.
fn fills_forms(scenario: &Scenario, person: &Person, room: Option<&Room>) -> bool {
    room.is_some_and(|room| room.room_type == FORM_ROOM && scenario.condition.fillers.contains(&(room.id, person.id)))
}

fn is_section(scenario: &Scenario, asked: Reference) -> bool {
    let personal = |id| matches!(scenario.location(id), Some(Location::Mine(_) | Location::Trash(_)));
    matches!(asked, Reference::Folder(id) if personal(id) && scenario.folder(id).is_none())
        || asked == Reference::Folder(ROOMS)
        || scenario.condition.entries.iter().any(|entry| entry.reference == asked && entry.parent.is_none())
}

/// The room that the folder or file is in; `None` for one outside rooms.
fn room_of(scenario: &Scenario, asked: Reference) -> Result<Option<&Room>, Failure> {
    let folder = match asked {
        Reference::Folder(id) => Some(id),
        Reference::File(id) | Reference::Gone(id) => scenario.file(id).map(|file| file.folder),
    };
    if let Some(found) = folder.and_then(|folder| scenario.location(folder)) {
        return Ok(match found {
            Location::Room(id) => scenario.room(id),
            Location::Mine(_) | Location::Trash(_) | Location::Section => None,
        });
    }
    let mut current = asked;
    loop {
        if let Reference::Folder(id) = current
            && let Some(room) = scenario.room(id)
        {
            return Ok(Some(room));
        }
        let entry = scenario.condition.entries.iter().find(|entry| entry.reference == current);
        match entry {
            Some(Entry { parent: Some(parent), .. }) => current = Reference::Folder(*parent),
            Some(Entry { parent: None, .. }) => return Ok(None),
            None if current == asked => return known_from_events(scenario, asked),
            None => return Ok(None),
        }
    }
}

/// A file that only events tell about is in the room of the newest of them.
fn known_from_events(scenario: &Scenario, asked: Reference) -> Result<Option<&Room>, Failure> {
    let Reference::File(_) = asked else {
        return Err(Failure::not_found("The required folder was not found"));
    };
    let newest = scenario.events.iter().filter(|event| event.stored.is_none() && event.refers_to(asked));
    let newest = newest.max_by_key(|event| event.id);
    match newest {
        Some(event) => Ok(event.room().and_then(|room| scenario.room(room))),
        None => Err(Failure::not_found("The required file was not found")),
    }
}
