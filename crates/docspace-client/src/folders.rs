//! Folders, and what is in them.

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::client::{Question, segment};
use crate::wire::{ContentDto, EntryDto, FileDto, FolderDto, ShortPersonDto};
use crate::{Client, EntryId, Error, ErrorKind};

/// The number of the trash among the portal's sections.
const TRASH: i32 = 3;

/// A folder, a room, or a section of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub id: EntryId,
    pub title: PortalText,
    /// The folder, room or section it is in; a section has none.
    pub parent: Option<EntryId>,
    /// The portal's number; only rooms have one.
    pub room_type: Option<i32>,
    pub created: Option<DateTime<Utc>>,
    /// Who made it; of a room, its owner of today.
    pub author: Option<Uuid>,
    /// How many files are in it at any depth, as far as the account can see; like `folders`, a hint about its weight.
    pub files: Option<u64>,
    pub folders: Option<u64>,
}

/// A file in its newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub id: EntryId,
    /// With the extension.
    pub title: PortalText,
    pub version: i64,
    /// What it is in; [`Client::folder_path`] of it leads to the room.
    pub folder: Option<EntryId>,
    pub size_bytes: u64,
    pub in_room: bool,
    pub in_trash: bool,
    pub created: Option<DateTime<Utc>>,
    pub author: Option<Uuid>,
    pub updated: Option<DateTime<Utc>>,
    pub updated_by: Option<Uuid>,
}

/// What is directly in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderContents {
    pub folders: Vec<Folder>,
    pub files: Vec<File>,
}

impl Client {
    /// What is directly in a folder or room, by title. Files that are being converted are left out by the portal.
    ///
    /// # Errors
    /// `IncompleteList` when the portal gave fewer distinct entries than it says there are; `NotFound` for a folder that is not
    /// there.
    pub async fn folder_contents(&self, folder: &EntryId) -> Result<FolderContents, Error> {
        let path = format!("files/{}", segment(folder));
        // always the same order: what is sent here becomes the account's default
        let query = [("withSubFolders", "false"), ("sortBy", "AZ"), ("sortOrder", "ascending")];
        let question = Question::new("the contents of a folder", &path, "files:read or *:read").query(&query);
        let mut contents = FolderContents::default();
        for entry in self.whole_list::<ContentDto, _>(question, entry_id).await? {
            match entry {
                EntryDto::Folder(dto) => contents.folders.extend(folder_value(dto)),
                EntryDto::File(dto) => contents.files.extend(file_value(dto)),
            }
        }
        Ok(contents)
    }

    /// The folders in a folder or room, without the files beside them: at any depth, or those at the top. Older servers know no top.
    ///
    /// # Errors
    /// As for [`Client::folder_contents`].
    pub async fn folders_in(&self, folder: &EntryId, at_any_depth: bool) -> Result<Vec<Folder>, Error> {
        let path = format!("files/{}", segment(folder));
        let depth = if at_any_depth { "true" } else { "false" };
        let query = [("filterType", "2"), ("withSubFolders", depth), ("sortBy", "AZ"), ("sortOrder", "ascending")];
        let question = Question::new("the folders of a room", &path, "files:read or *:read").query(&query);
        let entries = self.whole_list::<ContentDto, _>(question, entry_id).await?;
        let folder = |entry| match entry {
            EntryDto::Folder(dto) => folder_value(dto),
            EntryDto::File(_) => None,
        };
        Ok(entries.into_iter().filter_map(folder).collect())
    }

    /// The files in a folder or room at any depth, without the folders.
    ///
    /// # Errors
    /// As for [`Client::folder_contents`].
    pub async fn files_in(&self, folder: &EntryId) -> Result<Vec<File>, Error> {
        let path = format!("files/{}", segment(folder));
        let query = [("filterType", "1"), ("withSubFolders", "true"), ("sortBy", "AZ"), ("sortOrder", "ascending")];
        let question = Question::new("the files of a room", &path, "files:read or *:read").query(&query);
        let entries = self.whole_list::<ContentDto, _>(question, entry_id).await?;
        let file = |entry| match entry {
            EntryDto::File(dto) => file_value(dto),
            EntryDto::Folder(_) => None,
        };
        Ok(entries.into_iter().filter_map(file).collect())
    }

    /// The way to a folder: the section, the room where there is one, the folders between, the folder itself.
    ///
    /// # Errors
    /// `NotFound` for a folder that is not there.
    pub async fn folder_path(&self, folder: &EntryId) -> Result<Vec<Folder>, Error> {
        const ASKED: &str = "the path of a folder";
        let path = format!("files/folder/{}/path", segment(folder));
        let parts: Vec<FolderDto> = self.get(Question::new(ASKED, &path, "files:read or *:read")).await?.response;
        let parts: Option<Vec<Folder>> = parts.into_iter().map(folder_value).collect();
        // a path with a hole in it would name the wrong room
        parts.ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm))
    }

    /// All versions of a file, oldest first; none when there is no such file any more. Of each the title is the file's.
    pub async fn versions_of(&self, id: &EntryId) -> Result<Vec<File>, Error> {
        let path = format!("files/file/{}/history", segment(id));
        match self.get::<Vec<FileDto>>(Question::new("the versions of a file", &path, "files:read or *:read")).await {
            Ok(answer) => {
                let mut versions: Vec<File> = answer.response.into_iter().filter_map(file_value).collect();
                versions.sort_by_key(|one| one.version);
                Ok(versions)
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// One file in its newest version, or `None` when there is no such file any more.
    pub async fn file(&self, id: &EntryId) -> Result<Option<File>, Error> {
        let path = format!("files/file/{}", segment(id));
        match self.get::<FileDto>(Question::new("a file", &path, "files:read or *:read")).await {
            Ok(answer) => Ok(file_value(answer.response)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Folders and files are numbered apart from each other.
pub(crate) fn entry_id(entry: &EntryDto) -> Option<(bool, EntryId)> {
    match entry {
        EntryDto::Folder(folder) => Some((true, folder.id.clone()?)),
        EntryDto::File(file) => Some((false, file.id.clone()?)),
    }
}

pub(crate) fn folder_value(dto: FolderDto) -> Option<Folder> {
    Some(Folder {
        id: dto.id?,
        title: dto.title,
        parent: dto.parent_id.filter(|parent| *parent != EntryId::Number(0)),
        room_type: dto.room_type,
        created: dto.created,
        author: author(dto.created_by),
        files: count(dto.files_count),
        folders: count(dto.folders_count),
    })
}

pub(crate) fn file_value(dto: FileDto) -> Option<File> {
    Some(File {
        id: dto.id?,
        title: dto.title,
        version: dto.version,
        folder: dto.folder_id,
        size_bytes: dto.pure_content_length,
        in_room: dto.parent_room_type.is_some(),
        in_trash: dto.root_folder_type == Some(TRASH),
        created: dto.created,
        author: author(dto.created_by),
        updated: dto.updated,
        updated_by: author(dto.updated_by),
    })
}

pub(crate) fn count(count: Option<i64>) -> Option<u64> {
    count.and_then(|count| u64::try_from(count).ok())
}

pub(crate) fn author(dto: Option<ShortPersonDto>) -> Option<Uuid> {
    dto.and_then(|person| person.id)
}
