//! Deleting files and folders: into the trash, or for good.
//!
//! The portal works behind its answer; here the work is done at once, but the answer does not say so.

use uuid::Uuid;

use super::files::{self, NO_FILE, NO_FOLDER, read};
use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Change, rights};
use crate::json::Json;
use crate::scenario::{Location, Reference};

const DELETE: Shape = Shape::Object(&Class {
    members: &[("deleteAfter", Shape::Bool { nullable: false }), ("immediately", Shape::Bool { nullable: false })],
    required: &[],
});

/// `DELETE files/file/{id}`
pub(super) fn file(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    binder.bool("returnSingleOperation", false);
    let body = binder.json(change.body, &DELETE, "File");
    binder.done()?;
    let person = change.person()?.id;
    let Some(file) = id.and_then(|id| change.scenario.file(id)) else { return operation(change, DELETED, NO_FILE) };
    let (id, title, folder) = (file.id, file.title.clone(), file.folder);
    if !may_delete(change, folder)? {
        return operation(change, DELETED, "You don't have enough permission to delete the file");
    }
    let trash = change.scenario.trash(person);
    let gone = is_for_good(change, &body, folder);
    if gone {
        change.scenario.content.files.retain(|file| file.id != id);
    } else if let Some(file) = change.scenario.file_mut(id) {
        file.folder = trash;
        change.scenario.content.origins.insert(id, folder);
    }
    change.entry_row(if gone { 5018 } else { 5017 }, Reference::File(id), &[&title], folder);
    operation(change, DELETED, "")
}

/// `DELETE files/folder/{id}`: one row for the folder, none for what is in it.
pub(super) fn folder(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let body = read(change, &DELETE, "Delete", |_, _| {})?;
    let person = change.person()?.id;
    let Some(folder) = id.and_then(|id| change.scenario.folder(id)) else {
        return operation(change, DELETED, NO_FOLDER);
    };
    let (id, title, parent) = (folder.id, folder.title.clone(), folder.parent);
    if !may_delete(change, parent)? {
        return operation(change, DELETED, "You don't have enough permission to delete the folder");
    }
    let trash = change.scenario.trash(person);
    let gone = is_for_good(change, &body, parent);
    if gone {
        remove_tree(change, id);
    } else if let Some(folder) = change.scenario.content.folders.iter_mut().find(|folder| folder.id == id) {
        folder.parent = trash;
        change.scenario.content.origins.insert(id, parent);
    }
    change.entry_row(if gone { 5027 } else { 5026 }, Reference::Folder(id), &[&title], parent);
    operation(change, DELETED, "")
}

fn may_delete(change: &Change<'_>, folder: i32) -> Result<bool, Failure> {
    let person = change.person()?;
    let own_trash = change.scenario.location(folder) == Some(Location::Trash(person.id));
    Ok(own_trash || rights::rights(change.scenario, &person, folder).create)
}

/// When asked to, or when it is in the trash already.
fn is_for_good(change: &Change<'_>, body: &Value, folder: i32) -> bool {
    let immediately = body.get("immediately").bool().unwrap_or(false);
    immediately || matches!(change.scenario.location(folder), Some(Location::Trash(_)))
}

pub(super) fn remove_tree(change: &mut Change<'_>, top: i32) {
    let scenario = &change.scenario;
    let below = |folder: i32| files::is_below(scenario, folder, top);
    let files: Vec<i32> = scenario.content.files.iter().filter(|file| below(file.folder)).map(|file| file.id).collect();
    let folders: Vec<i32> =
        scenario.content.folders.iter().filter(|folder| below(folder.id)).map(|folder| folder.id).collect();
    change.scenario.content.files.retain(|file| !files.contains(&file.id));
    change.scenario.content.folders.retain(|folder| !folders.contains(&folder.id));
}

/// The number of an operation that deletes.
const DELETED: i32 = 2;

/// The answer: a list of the operation that has just begun, or could not.
pub(super) fn operation(change: &mut Change<'_>, kind: i32, error: &str) -> Result<Answer, Failure> {
    let id: Uuid = change.scenario.next_id(17);
    Ok(Answer::one(Json::List(vec![Json::object([
        ("id", id.to_string().into()),
        ("Operation", kind.into()),
        ("progress", 0.into()),
        ("error", error.into()),
        ("processed", "0".into()),
        ("finished", false.into()),
        ("status", 1.into()),
    ])])))
}
