//! The columns of an audit row as they stand in the portal's table.
//!
//! Most events are described by their members and get these columns from them; rows of another origin bring their own.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::model::{Event, Place};

/// A file deleted for good.
const FILE_DELETED: i32 = 5018;

/// The columns of a row that follow from nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Stored {
    /// A JSON list of texts; for events of Documents the last one is a JSON object about the place.
    pub description: Option<String>,
    /// Ids, joined with commas.
    pub target: Option<String>,
    /// Stored address.
    pub ip: Option<String>,
    /// Browser as shown.
    pub browser: Option<String>,
    /// System as shown.
    pub platform: Option<String>,
    /// Page as shown.
    pub page: Option<String>,
    /// Folders and files whose activity log shows the row.
    pub references: Vec<Reference>,
}

/// A folder or file that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A folder or room.
    Folder(i32),
    /// A file.
    File(i32),
    /// A file that was deleted for good since; its id is shown as 0.
    Gone(i32),
}

impl Event {
    /// The columns of this row: its own, or what its members mean.
    pub(crate) fn columns(&self) -> Stored {
        if let Some(stored) = &self.stored {
            return stored.clone();
        }
        let agent = self.ip.is_some();
        let room = self.room();
        let folder = room.unwrap_or(1);
        let references = if crate::actions::is_tracked(self.action) {
            room.map(Reference::Folder).into_iter().chain(self.file_id().map(Reference::File)).collect()
        } else {
            Vec::new()
        };
        Stored {
            description: self.description(),
            target: (!self.target.is_empty()).then(|| self.target.join(",")),
            ip: self.ip.clone(),
            browser: agent.then(|| "Chrome 131".to_owned()),
            platform: agent.then(|| "Windows 10".to_owned()),
            page: agent.then(|| format!("https://portal.example/rooms/shared/{folder}/filter?folder={folder}")),
            references,
        }
    }

    /// Whether the activity log of this folder or file shows the row.
    pub(crate) fn refers_to(&self, wanted: Reference) -> bool {
        if let Some(stored) = &self.stored {
            let gone = |reference: &Reference| matches!((reference, wanted), (Reference::Gone(a), Reference::File(b)) if *a == b);
            return stored.references.iter().any(|reference| *reference == wanted || gone(reference));
        }
        crate::actions::is_tracked(self.action)
            && match wanted {
                Reference::Folder(id) => self.room() == Some(id),
                Reference::File(id) | Reference::Gone(id) => self.file_id() == Some(id),
            }
    }

    /// The room it happened in.
    pub(crate) fn room(&self) -> Option<i32> {
        if let Place::Room { id, .. } = self.place { Some(id) } else { None }
    }

    /// The file it is about; deletions belong to the folders above only.
    fn file_id(&self) -> Option<i32> {
        if self.action == FILE_DELETED || !is_about_a_file(self.action) {
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
            Place::Room { id, title } => {
                let renamed = matches!(self.action, 5071 | 5155);
                let now = if renamed { self.texts.get(1).unwrap_or(title) } else { title };
                place.extend(object(json!({
                    "RoomId": id, "RoomTitle": now, "ParentId": id, "ParentTitle": now, "Type": 0,
                    "IsAgent": false, "RootFolderTitle": "Rooms",
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

/// Whether the target of this action starts with the id of a file.
fn is_about_a_file(action: i32) -> bool {
    crate::actions::find(action).is_some_and(|action| action.entries().first() == Some(&1))
}
