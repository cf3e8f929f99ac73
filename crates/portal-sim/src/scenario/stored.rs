//! The columns of an event that is described by its members; rows of another origin bring their own.

use serde_json::{Map, Value, json};

use super::model::{Event, Place};
use super::row::{Reference, Stored};

/// A file deleted for good.
const FILE_DELETED: i32 = 5018;

impl Event {
    /// The columns of this row: its own, or what its members mean.
    #[must_use]
    pub fn columns(&self) -> Stored {
        if let Some(stored) = &self.stored {
            return stored.clone();
        }
        let agent = self.ip.is_some();
        let room = self.room();
        let folder = room.unwrap_or(1);
        Stored {
            description: self.description(),
            target: (!self.target.is_empty()).then(|| self.target.join(",")),
            ip: self.ip.clone(),
            browser: agent.then(|| "Chrome 131".to_owned()),
            platform: agent.then(|| "Windows 10".to_owned()),
            page: agent.then(|| format!("https://portal.example/rooms/shared/{folder}/filter?folder={folder}")),
            references: self.derived_references(),
        }
    }

    /// The folders and files whose activity log shows the row.
    pub(crate) fn references(&self) -> Vec<Reference> {
        let Some(stored) = &self.stored else { return self.derived_references() };
        let alive = |reference: &Reference| match *reference {
            Reference::Gone(id) => Reference::File(id),
            other => other,
        };
        stored.references.iter().map(alive).collect()
    }

    fn derived_references(&self) -> Vec<Reference> {
        if !crate::actions::is_tracked(self.action) {
            return Vec::new();
        }
        self.room().map(Reference::Folder).into_iter().chain(self.file_id().map(Reference::File)).collect()
    }

    /// The room it happened in.
    pub(crate) fn room(&self) -> Option<i32> {
        match self.place {
            Place::Room { id, .. } | Place::Agent { id, .. } => Some(id),
            Place::None | Place::MyDocuments => None,
        }
    }

    /// The file it is about; deletions belong to the folders above only.
    fn file_id(&self) -> Option<i32> {
        if self.action == FILE_DELETED
            || !crate::actions::find(self.action).is_some_and(crate::actions::Action::is_about_files)
        {
            return None;
        }
        self.target.first().and_then(|id| id.parse().ok())
    }

    /// The texts and, inside a room or in somebody's own documents, the place.
    fn description(&self) -> Option<String> {
        let mut texts = self.texts.clone();
        let mut place = Map::new();
        match &self.place {
            Place::None => {}
            Place::Room { id, title } | Place::Agent { id, title } => {
                let agent = matches!(self.place, Place::Agent { .. });
                let renamed = matches!(self.action, 5071 | 5155);
                let now = if renamed { self.texts.get(1).unwrap_or(title) } else { title };
                place.extend(object(json!({
                    "RoomId": id, "RoomTitle": now, "ParentId": id, "ParentTitle": now, "Type": 0,
                    "IsAgent": agent, "RootFolderTitle": if agent { "AI agents" } else { "Rooms" },
                })));
                if renamed {
                    place.insert("RoomOldTitle".to_owned(), json!(title));
                }
                if let Some(about) = self.about {
                    place.insert("UserIds".to_owned(), json!([about]));
                }
            }
            Place::MyDocuments => {
                place.extend(object(json!({"RootFolderTitle": "My documents"})));
            }
        }
        if texts.is_empty() && place.is_empty() {
            return None;
        }
        if !place.is_empty() {
            texts.push(Value::Object(place).to_string());
        }
        Some(Value::from(texts).to_string())
    }
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
