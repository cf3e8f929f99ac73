//! Rooms.

use std::collections::BTreeMap;

use audit_model::{RoomFact, RoomId};

use crate::client::Question;
use crate::wire::{RoomDto, RoomListDto};
use crate::{Client, Error, ErrorKind};

/// The portal's largest page.
const PAGE_ROWS: usize = 100;

/// The section of the portal that archived rooms stand in.
const ARCHIVE_ROOT: i32 = 20;

/// A room as the portal shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub fact: RoomFact,
    pub archived: bool,
}

impl Client {
    /// All rooms of every type that the account can see, archived ones included, by id. AI agents are not rooms.
    ///
    /// # Errors
    /// `IncompleteList` when the portal gave fewer distinct rooms than it says it has.
    pub async fn rooms(&self) -> Result<Vec<Room>, Error> {
        let mut rooms = BTreeMap::new();
        let mut start = 0;
        loop {
            let start_text = start.to_string();
            // always the same order: what is sent here becomes the account's default
            let query = [
                ("searchArea", "Any"),
                ("sortBy", "AZ"),
                ("sortOrder", "ascending"),
                ("count", "100"),
                ("startIndex", &start_text),
            ];
            let question = Question {
                asked: "the list of rooms",
                path: "files/rooms",
                query: &query,
                needs: "rooms:read or *:read",
            };
            let page: RoomListDto = self.get(question).await?.response;
            let rows = page.folders.len();
            rooms.extend(page.folders.into_iter().filter_map(room).map(|room| (room.fact.id.clone(), room)));
            start += PAGE_ROWS;
            let total = u64::try_from(page.total).unwrap_or_default();
            if rows < PAGE_ROWS || start as u64 >= total {
                let read = rooms.len() as u64;
                if read < total {
                    return Err(Error::new("the list of rooms", ErrorKind::IncompleteList { read, total }));
                }
                return Ok(rooms.into_values().collect());
            }
        }
    }

    /// One room, or `None` when there is no such room; other folders are no rooms.
    pub async fn room(&self, id: &RoomId) -> Result<Option<Room>, Error> {
        let RoomId::Number(number) = id else { return Ok(None) };
        let path = format!("files/rooms/{number}");
        let question = Question { asked: "a room", path: &path, query: &[], needs: "rooms:read or *:read" };
        match self.get::<RoomDto>(question).await {
            Ok(answer) => Ok(room(answer.response)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `None` for a folder that is no room.
fn room(dto: RoomDto) -> Option<Room> {
    let (id, room_type) = (dto.id?, Some(dto.room_type?));
    let archived = dto.root_folder_type == Some(ARCHIVE_ROOT);
    Some(Room { fact: RoomFact { id, title: dto.title, room_type, created: dto.created }, archived })
}
