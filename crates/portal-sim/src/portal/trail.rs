//! Rows of the audit trail about entries and rooms: what is stored with them when something is done over the API.
//!
//! A row names the folders above its entry, so that the activity log of each of them shows it. How late it arrives is
//! decided in `scenario`.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Change;
use super::room_shape::folder_type;
use crate::actions;
use crate::scenario::{Event, Location, Place, Reference, Room, Scenario, Stored};

/// Deletions for good belong to the folders above only.
const GONE: &[i32] = &[5018, 5027];
/// Deletions of both kinds say nothing about the parent.
const DELETED: &[i32] = &[5017, 5018, 5026, 5027];

/// The folders from this one up to the room or the section, without the section.
fn ancestors(scenario: &Scenario, folder: i32) -> Vec<Reference> {
    let mut out = Vec::new();
    let mut at = folder;
    loop {
        if scenario.room(at).is_some() {
            out.push(Reference::Folder(at));
            return out;
        }
        let Some(found) = scenario.folder(at) else { return out };
        out.push(Reference::Folder(at));
        at = found.parent;
    }
}

/// Where an event in this folder happened.
pub(super) fn place(scenario: &Scenario, folder: i32) -> Place {
    match scenario.location(folder) {
        Some(Location::Room(id)) => Place::Room { id, title: String::new() },
        Some(Location::Mine(_)) => Place::MyDocuments,
        Some(Location::Trash(_) | Location::Section) | None => Place::None,
    }
}

/// The folder type of a room; other folders have none.
fn kind(scenario: &Scenario, folder: i32) -> i32 {
    scenario.room(folder).map_or(0, |room| folder_type(room.room_type))
}

/// What the last text of a description says about the place.
fn info(change: &Change<'_>, action: i32, folder: i32) -> Map<String, Value> {
    let scenario = &change.scenario;
    let tracked = actions::is_tracked(action);
    let actor = change.caller.as_ref().map_or_else(Uuid::nil, |(person, _)| person.id);
    let mut info = Map::new();
    let mut set = |name: &str, value: Value| info.insert(name.to_owned(), value);
    match scenario.location(folder) {
        Some(Location::Room(id)) => {
            if tracked {
                set("RoomId", json!(id));
            }
            set("RoomTitle", json!(scenario.folder_title(id)));
            set("IsAgent", json!(scenario.room(id).is_some_and(Room::is_agent)));
        }
        Some(Location::Mine(_)) if tracked => {
            set("RootFolderTitle", json!("My documents"));
        }
        Some(Location::Trash(_)) if tracked => {
            set("RootFolderTitle", json!("Trash"));
        }
        _ => {}
    }
    if tracked {
        set("CreateBy", json!(actor));
        set("Type", json!(0));
    }
    info
}

impl Change<'_> {
    /// A row about an entry in a folder; one deleted since is still told from where it was.
    pub(super) fn entry_row(&mut self, action: i32, entry: Reference, texts: &[&str], folder: i32) {
        let mut info = info(self, action, folder);
        if actions::is_tracked(action) && !DELETED.contains(&action) {
            info.insert("ParentId".to_owned(), json!(folder));
            info.insert("ParentTitle".to_owned(), json!(self.scenario.folder_title(folder)));
            info.insert("ParentType".to_owned(), json!(kind(self.scenario, folder)));
        }
        let mut references = ancestors(self.scenario, folder);
        if !GONE.contains(&action) {
            references.push(entry);
        }
        let place = place(self.scenario, folder);
        self.stored_row(action, &number(entry), (texts, info), references, place);
    }

    /// A row about a room.
    pub(super) fn room_row(&mut self, action: i32, room: i32, texts: &[&str], more: &[(&str, Value)]) {
        let mut info = info(self, action, room);
        info.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let place = Place::Room { id: room, title: String::new() };
        let references = if actions::is_tracked(action) { vec![Reference::Folder(room)] } else { Vec::new() };
        self.stored_row(action, &room.to_string(), (texts, info), references, place);
    }

    fn stored_row(
        &mut self,
        action: i32,
        target: &str,
        (texts, info): (&[&str], Map<String, Value>),
        references: Vec<Reference>,
        place: Place,
    ) {
        let info = Value::Object(info).to_string();
        let description: Vec<&str> = texts.iter().copied().chain([info.as_str()]).collect();
        let description = Some(Value::from(description).to_string());
        self.write_row(action, |mut event: Event| {
            event.target = target.split(',').map(str::to_owned).collect();
            event.texts = texts.iter().map(|text| (*text).to_owned()).collect();
            event.place = place;
            // address, browser and page are those of every other row
            event.stored =
                Some(Stored { description, target: Some(target.to_owned()), references, ..Stored::default() });
            event
        });
    }
}

fn number(entry: Reference) -> String {
    match entry {
        Reference::Folder(id) | Reference::File(id) | Reference::Gone(id) => id.to_string(),
    }
}
