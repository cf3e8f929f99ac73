//! The member `content` of scenario files: groups, rights, folders, files, quota, lateness.

use serde::Deserialize;
use uuid::Uuid;

use super::Scenario;
use super::content::{EVERYONE, Folder, Group, Share, StoredFile};
use super::delivery::Lateness;
use super::entry::{ScenarioError, instant, length, person};

/// `content` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ContentEntry {
    groups: Vec<GroupEntry>,
    shares: Vec<ShareEntry>,
    folders: Vec<FolderEntry>,
    files: Vec<FileEntry>,
    quota: QuotaEntry,
    lateness: Option<LatenessEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    name: String,
    manager: Option<String>,
    #[serde(default)]
    members: Vec<String>,
}

/// A right of a person, of a group, or of everybody.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareEntry {
    room: i32,
    person: Option<String>,
    group: Option<String>,
    access: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderEntry {
    id: i32,
    parent: i32,
    title: String,
    author: String,
    created: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    id: i32,
    folder: i32,
    title: String,
    author: String,
    created: String,
    #[serde(default)]
    text: String,
}

/// Only what differs from the usual.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct QuotaEntry {
    paid_seats: Option<usize>,
    free_seats: Option<usize>,
    rooms: Option<usize>,
    file_size: Option<u64>,
    space: Option<u64>,
    chunk: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LatenessEntry {
    #[serde(default)]
    requests: u64,
    time: Option<String>,
    shuffle: Option<u64>,
}

impl ContentEntry {
    /// Adds everything to the scenario; people and rooms are there already.
    pub(super) fn add(self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        let now = scenario.now;
        for entry in self.groups {
            let mut group = Group::new(&entry.name);
            group.manager = entry.manager.map(|email| person(scenario, &email).map(|person| person.id)).transpose()?;
            let members = entry.members.iter().map(|email| person(scenario, email).map(|person| person.id));
            group.members = members.collect::<Result<_, _>>()?;
            scenario.content.groups.push(group);
        }
        for entry in self.shares {
            let subject = entry.subject(scenario)?;
            super::entry::room_of(scenario, entry.room)?;
            scenario.share(Share { room: entry.room, subject, access: entry.access });
        }
        for entry in self.folders {
            let (author, created) = (person(scenario, &entry.author)?.id, instant(&entry.created, now)?);
            let FolderEntry { id, parent, title, .. } = entry;
            scenario.content.folders.push(Folder { id, parent, title, author, created });
        }
        for entry in self.files {
            let (author, at) = (person(scenario, &entry.author)?.id, instant(&entry.created, now)?);
            let file = StoredFile::new(entry.id, entry.folder, &entry.title, author, at, entry.text.as_bytes());
            scenario.content.files.push(file);
        }
        let quota = &mut scenario.content.quota;
        quota.paid_seats = self.quota.paid_seats.unwrap_or(quota.paid_seats);
        quota.free_seats = self.quota.free_seats.unwrap_or(quota.free_seats);
        quota.rooms = self.quota.rooms.unwrap_or(quota.rooms);
        quota.file_size = self.quota.file_size.unwrap_or(quota.file_size);
        quota.space = self.quota.space.unwrap_or(quota.space);
        quota.chunk = self.quota.chunk.unwrap_or(quota.chunk);
        if let Some(late) = self.lateness {
            let time = late.time.map(|text| length(&text)).transpose()?.unwrap_or_default();
            scenario.content.lateness = Lateness { requests: late.requests, time, shuffle: late.shuffle };
        }
        Ok(())
    }
}

impl ShareEntry {
    /// Whose right it is: of neither a person nor a group means of everybody.
    fn subject(&self, scenario: &Scenario) -> Result<Uuid, ScenarioError> {
        if let Some(email) = &self.person {
            return person(scenario, email).map(|person| person.id);
        }
        let Some(name) = &self.group else { return Ok(EVERYONE) };
        let group = scenario.content.groups.iter().find(|group| group.name == *name);
        group.map(|group| group.id).ok_or_else(|| ScenarioError::Group(name.clone()))
    }
}
