//! Rooms.

use std::collections::BTreeMap;

use audit_model::{RoomFact, RoomId};
use uuid::Uuid;

use crate::client::{Question, segment};
use crate::folders::author;
use crate::wire::{FolderDto, RoomListDto};
use crate::{Client, Error, ErrorKind};

/// The section of the portal that archived rooms stand in.
const ARCHIVE_ROOT: i32 = 20;

/// A room as the portal shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub fact: RoomFact,
    pub archived: bool,
    /// Who owns it today.
    pub owner: Option<Uuid>,
}

impl Client {
    /// All rooms of every type that the account can see, archived ones included, by id. AI agents are not rooms.
    ///
    /// # Errors
    /// `IncompleteList` when the portal gave fewer distinct rooms than it says it has.
    pub async fn rooms(&self) -> Result<Vec<Room>, Error> {
        // always the same order: what is sent here becomes the account's default
        let query = [("searchArea", "Any"), ("sortBy", "AZ"), ("sortOrder", "ascending")];
        let question = Question::new("the list of rooms", "files/rooms", "rooms:read or *:read").query(&query);
        let id = |folder: &FolderDto| folder.room_type.and(folder.id.clone());
        let rows = self.whole_list::<RoomListDto, _>(question, id).await?;
        let by_id = rows.into_iter().filter_map(room).map(|room| (room.fact.id.clone(), room));
        Ok(by_id.collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// One room, or `None` when there is no such room; other folders are no rooms.
    pub async fn room(&self, id: &RoomId) -> Result<Option<Room>, Error> {
        let path = format!("files/rooms/{}", segment(id));
        match self.get::<FolderDto>(Question::new("a room", &path, "rooms:read or *:read")).await {
            Ok(answer) => Ok(room(answer.response)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `None` for a folder that is no room.
fn room(dto: FolderDto) -> Option<Room> {
    let (id, room_type) = (dto.id?, Some(dto.room_type?));
    let archived = dto.root_folder_type == Some(ARCHIVE_ROOT);
    let fact = RoomFact { id, title: dto.title, room_type, created: dto.created };
    Some(Room { fact, archived, owner: author(dto.created_by) })
}
