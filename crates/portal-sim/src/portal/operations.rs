//! Operations on many files and folders: moving, copying, deleting, and the list of what is going on.
//!
//! The portal works behind its answer; here the work is done at once, but the answer does not say so.

use super::entries;
use super::files::{self, read};
use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::titles;
use super::{Change, Context};
use crate::actions::Names;
use crate::json::Json;
use crate::scenario::{Location, Operation, Reference};

const CONFLICTS: Names = &[("Skip", 0), ("Overwrite", 1), ("Duplicate", 2)];
const IDS: Shape =
    Shape::List { class: "System.Collections.Generic.IEnumerable`1[System.Text.Json.JsonElement]", item: &Shape::Free };
const MOVE: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.BatchRequestDto",
    members: &[
        ("folderIds", IDS),
        ("fileIds", IDS),
        ("destFolderId", Shape::Free),
        (
            "conflictResolveType",
            Shape::Named {
                class: "ASC.Web.Files.Services.WCFService.FileOperations.FileConflictResolveType",
                names: CONFLICTS,
            },
        ),
        ("deleteAfter", Shape::Bool { nullable: false }),
        ("content", Shape::Bool { nullable: false }),
        ("toFillOut", Shape::Bool { nullable: false }),
        ("returnSingleOperation", Shape::Bool { nullable: false }),
    ],
    required: &[],
});
const DELETE: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.DeleteBatchRequestDto",
    members: &[
        ("folderIds", IDS),
        ("fileIds", IDS),
        ("deleteAfter", Shape::Bool { nullable: false }),
        ("immediately", Shape::Bool { nullable: false }),
        ("returnSingleOperation", Shape::Bool { nullable: false }),
    ],
    required: &[],
});

/// Ids of entries kept by the portal itself; third-party ids are passed over.
fn ids(value: &Value) -> Vec<i32> {
    let numbers = value.items().iter().filter_map(|id| id.int().or_else(|| id.text()?.parse().ok()));
    numbers.filter_map(|id| i32::try_from(id).ok()).collect()
}

fn flag(body: &Value, name: &str) -> bool {
    body.get(name).bool().unwrap_or(false)
}

/// `PUT files/fileops/delete`
pub(super) fn delete_batch(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let body = read(change, &DELETE, "", |_, _| {})?;
    let flags = (flag(&body, "immediately"), flag(&body, "deleteAfter"));
    let single = flag(&body, "returnSingleOperation");
    delete(change, &ids(body.get("fileIds")), &ids(body.get("folderIds")), flags, single)
}

/// Deletes into the trash, or for good when asked to, or when it is in the trash already.
pub(super) fn delete(
    change: &mut Change<'_>,
    files: &[i32],
    folders: &[i32],
    (immediately, forget): (bool, bool),
    single: bool,
) -> Result<Answer, Failure> {
    let person = change.person()?;
    let mut work = Work::default();
    for &id in files {
        let Some(file) = change.scenario.file(id) else {
            work.fail("The required file was not found");
            continue;
        };
        let (title, folder) = (file.title.clone(), file.folder);
        if !may_delete(change, &person, folder) {
            work.fail("You don't have enough permission to delete the file");
            continue;
        }
        let trash = change.scenario.trash(person.id);
        let gone = immediately || matches!(change.scenario.location(folder), Some(Location::Trash(_)));
        if gone {
            change.scenario.content.files.retain(|file| file.id != id);
        } else if let Some(file) = change.scenario.file_mut(id) {
            file.folder = trash;
            change.scenario.content.origins.insert(id, folder);
        }
        change.entry_row(if gone { 5018 } else { 5017 }, Reference::File(id), &[&title], folder);
        work.done += 1;
    }
    for &id in folders {
        let Some(folder) = change.scenario.folder(id) else {
            work.fail("The required folder was not found");
            continue;
        };
        let (title, parent) = (folder.title.clone(), folder.parent);
        if !may_delete(change, &person, parent) {
            work.fail("You don't have enough permission to delete the folder");
            continue;
        }
        let trash = change.scenario.trash(person.id);
        let gone = immediately || matches!(change.scenario.location(parent), Some(Location::Trash(_)));
        if gone {
            remove_tree(change, id);
        } else if let Some(folder) = change.scenario.content.folders.iter_mut().find(|folder| folder.id == id) {
            folder.parent = trash;
            change.scenario.content.origins.insert(id, parent);
        }
        // one row for the folder, none for what is in it
        change.entry_row(if gone { 5027 } else { 5026 }, Reference::Folder(id), &[&title], parent);
        work.done += 1;
    }
    finish(change, 2, work, forget, single)
}

fn may_delete(change: &Change<'_>, person: &crate::scenario::Person, folder: i32) -> bool {
    let own_trash = change.scenario.location(folder) == Some(Location::Trash(person.id));
    own_trash || entries::rights(change.scenario, person, folder).create
}

fn remove_tree(change: &mut Change<'_>, top: i32) {
    let scenario = &change.scenario;
    let below = |folder: i32| files::is_below(scenario, folder, top);
    let files: Vec<i32> = scenario.content.files.iter().filter(|file| below(file.folder)).map(|file| file.id).collect();
    let folders: Vec<i32> =
        scenario.content.folders.iter().filter(|folder| below(folder.id)).map(|folder| folder.id).collect();
    change.scenario.content.files.retain(|file| !files.contains(&file.id));
    change.scenario.content.folders.retain(|folder| !folders.contains(&folder.id));
}

/// `PUT files/fileops/move`
pub(super) fn move_batch(change: &mut Change<'_>) -> Result<Answer, Failure> {
    transfer(change, false)
}

/// `PUT files/fileops/copy`
pub(super) fn copy_batch(change: &mut Change<'_>) -> Result<Answer, Failure> {
    transfer(change, true)
}

fn transfer(change: &mut Change<'_>, copy: bool) -> Result<Answer, Failure> {
    let body = read(change, &MOVE, "", |_, _| {})?;
    let person = change.person()?;
    let dest = body.get("destFolderId");
    let dest = dest.int().or_else(|| dest.text()?.parse().ok()).and_then(|id| i32::try_from(id).ok());
    let conflict = body.get("conflictResolveType").int().unwrap_or(0);
    let mut work = Work::default();
    let allowed = dest.filter(|dest| {
        change.scenario.location(*dest).is_some() && entries::rights(change.scenario, &person, *dest).create
    });
    let Some(dest) = allowed else {
        work.fail("You don't have enough permission to create");
        return finish(change, i32::from(copy), work, flag(&body, "deleteAfter"), flag(&body, "returnSingleOperation"));
    };
    for id in ids(body.get("fileIds")) {
        transfer_file(change, id, (dest, conflict, copy), &mut work);
    }
    for id in ids(body.get("folderIds")) {
        transfer_folder(change, id, (dest, copy), &mut work);
    }
    finish(change, i32::from(copy), work, flag(&body, "deleteAfter"), flag(&body, "returnSingleOperation"))
}

fn transfer_file(change: &mut Change<'_>, id: i32, (dest, conflict, copy): (i32, i64, bool), work: &mut Work) {
    let Ok(person) = change.person() else { return };
    let Some(file) = change.scenario.file(id).cloned() else {
        return work.fail("The required file was not found");
    };
    let rights = entries::rights(change.scenario, &person, file.folder);
    if !(if copy { rights.download } else { rights.create }) {
        return work.fail("You don't have enough permission to move the file");
    }
    let twin = change
        .scenario
        .content
        .files
        .iter()
        .find(|other| other.folder == dest && other.title == file.title && other.id != id)
        .map(|other| other.id);
    let mut title = file.title.clone();
    let mut overwrites = false;
    match (twin, conflict) {
        (Some(_), 0) => return work.fail(""),
        (Some(twin), 1) => {
            change.scenario.content.files.retain(|other| other.id != twin);
            overwrites = true;
        }
        (Some(_), _) => {
            title = titles::numbered(&title, |title| {
                change.scenario.content.files.iter().any(|other| other.folder == dest && other.title == title)
            });
        }
        (None, _) => {}
    }
    let from = file.folder;
    let mut entry = id;
    if copy {
        entry = change.scenario.next_entry();
        let mut new = file.clone();
        (new.id, new.folder, new.author, new.busy) = (entry, dest, person.id, false);
        new.title.clone_from(&title);
        new.versions = vec![file.current().clone()];
        new.versions[0].at = change.scenario.now;
        change.scenario.content.files.push(new);
    } else if let Some(file) = change.scenario.file_mut(id) {
        file.folder = dest;
        file.title.clone_from(&title);
    }
    let action = if copy { 5013 } else { 5015 } + i32::from(overwrites);
    change.transfer_rows(action, Reference::File(entry), &title, (from, dest));
    work.done += 1;
}

fn transfer_folder(change: &mut Change<'_>, id: i32, (dest, copy): (i32, bool), work: &mut Work) {
    let Ok(person) = change.person() else { return };
    let Some(folder) = change.scenario.folder(id).cloned() else {
        return work.fail("The required folder was not found");
    };
    let rights = entries::rights(change.scenario, &person, folder.parent);
    if !(if copy { rights.download } else { rights.create }) || files::is_below(change.scenario, dest, id) {
        return work.fail("You don't have enough permission to move the folder");
    }
    let mut entry = id;
    if copy {
        entry = copy_tree(change, id, dest, person.id);
    } else if let Some(found) = change.scenario.content.folders.iter_mut().find(|found| found.id == id) {
        found.parent = dest;
    }
    // folder moves are always written as overwriting
    let action = if copy { 5022 } else { 5025 };
    change.transfer_rows(action, Reference::Folder(entry), &folder.title, (folder.parent, dest));
    work.done += 1;
}

fn copy_tree(change: &mut Change<'_>, id: i32, dest: i32, author: uuid::Uuid) -> i32 {
    let new = change.scenario.next_entry();
    let Some(mut folder) = change.scenario.folder(id).cloned() else { return new };
    (folder.id, folder.parent, folder.author, folder.created) = (new, dest, author, change.scenario.now);
    let inner: Vec<i32> =
        change.scenario.content.folders.iter().filter(|inner| inner.parent == id).map(|inner| inner.id).collect();
    let files: Vec<_> = change.scenario.content.files.iter().filter(|file| file.folder == id).cloned().collect();
    change.scenario.content.folders.push(folder);
    for mut file in files {
        (file.id, file.folder, file.author) = (change.scenario.next_entry(), new, author);
        file.versions = vec![file.current().clone()];
        change.scenario.content.files.push(file);
    }
    for inner in inner {
        copy_tree(change, inner, new, author);
    }
    new
}

/// `PUT files/fileops/emptytrash`
pub(super) fn empty_trash(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let single = binder.bool("single", false);
    binder.done()?;
    let person = change.person()?;
    let trash = change.scenario.trash(person.id);
    let files: Vec<(i32, String)> = change
        .scenario
        .content
        .files
        .iter()
        .filter(|file| file.folder == trash)
        .map(|file| (file.id, file.title.clone()))
        .collect();
    let folders: Vec<i32> = change
        .scenario
        .content
        .folders
        .iter()
        .filter(|folder| folder.parent == trash)
        .map(|folder| folder.id)
        .collect();
    let work = Work { done: files.len() + folders.len(), ..Work::default() };
    for (id, title) in files {
        change.scenario.content.files.retain(|file| file.id != id);
        change.entry_row(5018, Reference::File(id), &[&title], trash);
    }
    for folder in folders {
        remove_tree(change, folder);
    }
    change.entry_row(5061, Reference::Folder(trash), &[], trash);
    finish(change, 2, work, false, single)
}

/// What an operation did.
#[derive(Debug, Default)]
struct Work {
    done: usize,
    error: String,
}

impl Work {
    fn fail(&mut self, text: &str) {
        text.clone_into(&mut self.error);
    }
}

/// Remembers an operation and answers with the caller's operations, or with this one alone.
fn finish(change: &mut Change<'_>, kind: i32, work: Work, forget: bool, single: bool) -> Result<Answer, Failure> {
    let owner = change.person()?.id;
    let operation = Operation { id: change.scenario.next_id(17), owner, kind, error: work.error, processed: work.done };
    let mut list: Vec<Json> = Vec::new();
    if !single {
        let known = change.scenario.content.operations.iter().filter(|known| known.owner == owner);
        list.extend(known.map(|known| object(known, true)));
    }
    list.push(object(&operation, false));
    if !forget {
        change.scenario.content.operations.push(operation);
    }
    Ok(Answer::one(Json::List(list)))
}

/// Archiving and the like: one operation as an object of its own.
pub(super) fn one(change: &mut Change<'_>, kind: i32, error: &str, forget: bool) -> Result<Answer, Failure> {
    let owner = change.person()?.id;
    let id = change.scenario.next_id(17);
    let operation = Operation { id, owner, kind, error: error.to_owned(), processed: usize::from(error.is_empty()) };
    let answer = Answer::one(object(&operation, false));
    if !forget {
        change.scenario.content.operations.push(operation);
    }
    Ok(answer)
}

/// `GET files/fileops`
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Failure> {
    let owner = context.caller.person().map(|person| person.id);
    let known = context.scenario.content.operations.iter().filter(|operation| Some(operation.owner) == owner);
    Ok(Answer::one(Json::List(known.map(|operation| object(operation, true)).collect())))
}

/// An operation, just begun or finished.
fn object(operation: &Operation, finished: bool) -> Json {
    Json::object([
        ("id", operation.id.to_string().into()),
        ("Operation", operation.kind.into()),
        ("progress", (if finished { 100 } else { 0 }).into()),
        ("error", (if finished { operation.error.as_str() } else { "" }).into()),
        ("processed", (if finished { operation.processed } else { 0 }).to_string().into()),
        ("finished", finished.into()),
        ("status", (if finished { 2 } else { 1 }).into()),
    ])
}
