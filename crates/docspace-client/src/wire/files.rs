//! Rooms, folders, files.

use std::collections::HashMap;

use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::maybe_instant;
use super::people::ShortPersonDto;

/// A room or any other folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FolderDto {
    pub(crate) id: Option<RoomId>,
    #[serde(default)]
    pub(crate) title: PortalText,
    /// The section, for a room; 0 for a section.
    pub(crate) parent_id: Option<RoomId>,
    /// Absent for folders that are no rooms.
    pub(crate) room_type: Option<i32>,
    /// 14 for active rooms, 20 for archived ones.
    pub(crate) root_folder_type: Option<i32>,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) created: Option<DateTime<Utc>>,
    /// Of a room: its owner of today.
    pub(crate) created_by: Option<ShortPersonDto>,
    /// Inside it at any depth, like the next one.
    pub(crate) files_count: Option<i64>,
    pub(crate) folders_count: Option<i64>,
}

/// The room list is one object, so the envelope's own numbers say nothing about it.
#[derive(Deserialize)]
pub(crate) struct RoomListDto {
    #[serde(default)]
    pub(crate) folders: Vec<FolderDto>,
    pub(crate) total: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileDto {
    pub(crate) id: Option<RoomId>,
    #[serde(default)]
    pub(crate) title: PortalText,
    pub(crate) folder_id: Option<RoomId>,
    #[serde(default)]
    pub(crate) version: i64,
    /// Bytes; absent for an empty file. `contentLength` is a text for people.
    #[serde(default)]
    pub(crate) pure_content_length: u64,
    /// 3 for the trash.
    pub(crate) root_folder_type: Option<i32>,
    /// Only for entries inside a room.
    pub(crate) parent_room_type: Option<i32>,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) created: Option<DateTime<Utc>>,
    pub(crate) created_by: Option<ShortPersonDto>,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) updated: Option<DateTime<Utc>>,
    pub(crate) updated_by: Option<ShortPersonDto>,
}

/// What is in a folder; pages run over folders first, then files.
#[derive(Deserialize)]
pub(crate) struct ContentDto {
    #[serde(default)]
    pub(crate) folders: Vec<FolderDto>,
    #[serde(default)]
    pub(crate) files: Vec<FileDto>,
    pub(crate) total: i64,
}

/// One entry of a folder.
pub(crate) enum EntryDto {
    Folder(FolderDto),
    File(FileDto),
}

/// A file as uploads answer it: in a list, since 3.7, or by itself.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    Many(Vec<FileDto>),
    One(Box<FileDto>),
}

/// A folder, as far as what may be done in it counts.
#[derive(Deserialize)]
pub(crate) struct RightsDto {
    #[serde(default)]
    pub(crate) security: HashMap<String, bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadSettingsDto {
    pub(crate) chunk_upload_size: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct SessionDto {
    pub(crate) id: String,
}

/// The end of an upload in chunks.
#[derive(Deserialize)]
pub(crate) struct CommittedDto {
    pub(crate) file: FileDto,
}
