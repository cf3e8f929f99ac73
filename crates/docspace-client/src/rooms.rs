//! Rooms.

use std::collections::BTreeMap;

use audit_model::{RoomFact, RoomId, VIRTUAL_DATA_ROOM};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Question, segment};
use crate::folders::{author, count};
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
    /// How many files are in it at any depth; like `folders`, absent where the portal does not say.
    pub files: Option<u64>,
    pub folders: Option<u64>,
}

impl Client {
    /// All rooms of every type that the account can see, archived ones included, by id. AI agents are not rooms.
    ///
    /// # Errors
    /// `IncompleteList` when the portal gave fewer distinct rooms than it says it has.
    pub async fn rooms(&self) -> Result<Vec<Room>, Error> {
        self.rooms_of("the list of rooms", &[]).await
    }

    /// All AI agents that the account can see, by id; none where the portal does not know agents.
    ///
    /// # Errors
    /// As for [`Client::rooms`].
    pub async fn agents(&self) -> Result<Vec<Room>, Error> {
        match self.rooms_in("AiAgents", "the list of AI agents", &[]).await {
            Err(error) if matches!(error.kind, ErrorKind::BadRequest { .. } | ErrorKind::UnknownCall) => Ok(Vec::new()),
            agents => agents,
        }
    }

    /// The rooms among [`Client::rooms`] that carry this tag, by id.
    ///
    /// # Errors
    /// As for [`Client::rooms`].
    pub async fn rooms_with_tag(&self, tag: &str) -> Result<Vec<Room>, Error> {
        let tags = json!([tag]).to_string();
        self.rooms_of("the rooms with a tag", &[("tags", &tags)]).await
    }

    /// The rooms among [`Client::rooms`] that name this person among their members, by id.
    ///
    /// # Errors
    /// As for [`Client::rooms`].
    pub(crate) async fn rooms_with_person(&self, person: Uuid) -> Result<Vec<Room>, Error> {
        self.rooms_of("the rooms of a person", &[("subjectId", &person.to_string())]).await
    }

    /// The error of a list of rooms that is empty where there must be rooms.
    pub fn no_rooms() -> Error {
        Error::new("the list of rooms", ErrorKind::EmptyList)
    }

    async fn rooms_of(&self, asked: &'static str, filter: &[(&str, &str)]) -> Result<Vec<Room>, Error> {
        self.rooms_in("Any", asked, filter).await
    }

    async fn rooms_in(&self, area: &str, asked: &'static str, filter: &[(&str, &str)]) -> Result<Vec<Room>, Error> {
        // always the same order: what is sent here becomes the account's default
        let mut query = vec![("searchArea", area), ("sortBy", "AZ"), ("sortOrder", "ascending")];
        query.extend(filter);
        let question = Question::new(asked, "files/rooms", "rooms:read or *:read").query(&query);
        let id = |folder: &FolderDto| folder.room_type.and(folder.id.clone());
        let rows = self.whole_list::<RoomListDto, _>(question, id).await?;
        let by_id = rows.into_iter().filter_map(room).map(|room| (room.fact.id.clone(), room));
        Ok(by_id.collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// Makes a virtual data room and gives it as the portal says it is; its owner is the key's. Titles are not unique: whoever wants
    /// one room of a title looks before, and again after an error that [`may_have_acted`](Error::may_have_acted).
    ///
    /// # Errors
    /// `MissingScope` without `rooms:write`, `MissingRight` for users and guests, `PlanLacks` when the plan allows no more rooms.
    /// Never repeated.
    pub async fn create_data_room(&self, title: &str) -> Result<Room, Error> {
        const ASKED: &str = "a virtual data room";
        let body = create_body(title);
        let question = Question::change(ASKED, "files/rooms", "rooms:write or *:write", &body);
        let made = self.post::<FolderDto>(question).await;
        let made = made.and_then(|dto| room(dto).ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm)));
        made.map_err(|error| error.trying_to("make"))
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

pub(crate) fn create_body(title: &str) -> Value {
    json!({ "title": title, "roomType": VIRTUAL_DATA_ROOM })
}

/// Longest title of a room, in characters.
const LONGEST_TITLE: usize = 170;

/// Why the portal would not keep exactly this as the title of a room; `None` when it would.
///
/// The portal trims titles and replaces some characters without a word, so that the room could not be found by the title asked for.
pub fn title_problem(title: &str) -> Option<String> {
    // a character outside the first plane is two to the portal, and becomes two underscores
    let replaced =
        |c: &char| matches!(c, '*' | '+' | ':' | '"' | '<' | '>' | '?' | '|' | '\\' | '/') || *c > '\u{ffff}';
    if title.trim().is_empty() {
        return Some("is empty".to_owned());
    }
    if title.trim() != title {
        return Some("begins or ends with a blank, which the portal removes".to_owned());
    }
    if title.chars().count() > LONGEST_TITLE {
        return Some(format!("is longer than {LONGEST_TITLE} characters"));
    }
    if title.contains(char::is_control) {
        return Some("has a control character".to_owned());
    }
    title.chars().find(replaced).map(|c| format!("has the character `{c}`, which the portal replaces by `_`"))
}

/// `None` for a folder that is no room.
fn room(dto: FolderDto) -> Option<Room> {
    let (id, room_type) = (dto.id?, Some(dto.room_type?));
    let archived = dto.root_folder_type == Some(ARCHIVE_ROOT);
    let fact = RoomFact { id, title: dto.title, room_type, created: dto.created };
    let (files, folders) = (count(dto.files_count), count(dto.folders_count));
    Some(Room { fact, archived, owner: author(dto.created_by), files, folders })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_the_portal_would_change_are_told() {
        for kept in ["Acme – due diligence", "Projekt Zürich (2026)", "契約書", "a_b", "a"] {
            assert_eq!(title_problem(kept), None, "{kept}");
        }
        assert_eq!(title_problem(&"ü".repeat(170)), None);
        for changed in
            ["", " ", "a ", "\tA", "a\nb", "a:b", "a/b", "a+b", "wh?", "\"a\"", "rocket 🚀", &"x".repeat(171)]
        {
            assert!(title_problem(changed).is_some(), "{changed}");
        }
    }
}
