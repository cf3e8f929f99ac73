//! What a portal holds besides people and rooms: groups, folders, files with versions, shares, quota.
//!
//! Who may do what with it, and how it looks on the wire, is decided in `portal`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::delivery::{Lateness, Pending};
use super::model::{digest, mix};
use super::{Room, Scenario};

/// The built-in group of everybody with an account.
pub const EVERYONE: Uuid = Uuid::from_u128(0xc5cc_67d1_c3e8_43c0_a3ad_3928_ae3e_5b5e);
/// Folder id of the "Rooms" section.
pub(crate) const ROOMS: i32 = 3;
/// Folder id of the archive.
pub(crate) const ARCHIVE: i32 = 4;
/// First id of the personal sections: far away from the ids of rooms and files.
const PERSONAL: i32 = 900_000_000;
/// How many numbers there are for personal sections; two people sharing one is as good as impossible.
const PERSONS: u64 = 500_000_000;
/// First id of entries that are made while the portal runs.
const FIRST_ENTRY: i32 = 81_000;

/// A group of people.
#[derive(Debug, Clone)]
pub struct Group {
    /// The portal's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Who leads it.
    pub manager: Option<Uuid>,
    /// Who is in it; guests cannot be.
    pub members: Vec<Uuid>,
}

impl Group {
    /// An empty group with an id made from its name, so it is the same in every run.
    #[must_use]
    pub fn new(name: &str) -> Group {
        Group {
            id: Uuid::from_u64_pair(digest(name, 31), digest(name, 32)),
            name: name.to_owned(),
            manager: None,
            members: Vec::new(),
        }
    }
}

/// A folder that is neither a room nor a section.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The portal's id.
    pub id: i32,
    /// The folder, room or section it is in.
    pub parent: i32,
    /// Its title.
    pub title: String,
    /// Who made it.
    pub author: Uuid,
    /// When it was made.
    pub created: DateTime<Utc>,
}

/// A file with all its versions.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The portal's id.
    pub id: i32,
    /// The folder, room or section it is in.
    pub folder: i32,
    /// Its title, with the extension.
    pub title: String,
    /// Who made the first version.
    pub author: Uuid,
    /// Oldest first; never empty.
    pub versions: Vec<Version>,
    /// Somebody has it open or locked: an upload of the same title makes a twin.
    pub busy: bool,
}

/// One version of a file.
#[derive(Debug, Clone)]
pub struct Version {
    /// When it was stored.
    pub at: DateTime<Utc>,
    /// Who stored it.
    pub author: Uuid,
    /// What it holds.
    pub content: Vec<u8>,
    /// The portal's remark, such as `Uploaded`.
    pub comment: Option<&'static str>,
}

impl StoredFile {
    /// A file with one version.
    #[must_use]
    pub fn new(id: i32, folder: i32, title: &str, author: Uuid, at: DateTime<Utc>, content: &[u8]) -> StoredFile {
        let version = Version { at, author, content: content.to_vec(), comment: None };
        StoredFile { id, folder, title: title.to_owned(), author, versions: vec![version], busy: false }
    }

    /// The newest version.
    pub(crate) fn current(&self) -> &Version {
        self.versions.last().expect("a file has at least one version")
    }
}

/// A right that a person or a group has in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The room.
    pub room: i32,
    /// A person or a group.
    pub subject: Uuid,
    /// 9 room manager, 11 content creator, 10 editor, 2 viewer, …
    pub access: i32,
}

/// What the tariff allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Seats of administrators and room administrators.
    pub paid_seats: usize,
    /// Seats of everybody else.
    pub free_seats: usize,
    /// Active rooms.
    pub rooms: usize,
    /// Bytes of one file.
    pub file_size: u64,
    /// Bytes of everything.
    pub space: u64,
    /// Bytes of one chunk of an upload; no tariff's but the server's.
    pub chunk: u64,
}

impl Default for Quota {
    /// More than a test fills by accident; files up to 100 MiB, as the portal's configuration says.
    fn default() -> Quota {
        Quota {
            paid_seats: 1000,
            free_seats: 100_000,
            rooms: 10_000,
            file_size: 104_857_600,
            space: 107_374_182_400,
            chunk: 10_485_760,
        }
    }
}

/// Further settings of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomExtras {
    pub(crate) indexing: bool,
    pub(crate) deny_download: bool,
    pub(crate) private: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) color: String,
    /// `deletePermanently`, `period`, `value`, `enabled`.
    pub(crate) lifetime: Option<(bool, i64, i64, bool)>,
    /// `additions`, `text`, `rotate`.
    pub(crate) watermark: Option<(i64, Option<String>, i64)>,
}

impl RoomExtras {
    pub(crate) fn of(room: &Room) -> RoomExtras {
        RoomExtras {
            indexing: room.room_type == 8,
            deny_download: false,
            private: false,
            tags: Vec::new(),
            color: "6191F2".to_owned(),
            lifetime: None,
            watermark: None,
        }
    }
}

/// An upload in chunks.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) folder: i32,
    pub(crate) title: String,
    pub(crate) size: u64,
    pub(crate) create_new: bool,
    pub(crate) created: DateTime<Utc>,
    /// By chunk number.
    pub(crate) chunks: BTreeMap<i64, Vec<u8>>,
    /// The file that it became.
    pub(crate) file: Option<i32>,
}

/// Everything of this module that a portal holds.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Groups, without the built-in ones.
    pub groups: Vec<Group>,
    /// Folders inside rooms and personal sections.
    pub folders: Vec<Folder>,
    /// Files.
    pub files: Vec<StoredFile>,
    /// Rights of people and groups in rooms. Members of [`Room::members`] without an entry here are editors.
    pub shares: Vec<Share>,
    /// What the tariff allows.
    pub quota: Quota,
    /// How late rows of the audit trail arrive.
    pub lateness: Lateness,
    pub(crate) extras: BTreeMap<i32, RoomExtras>,
    /// When people were disabled through `PUT people/{id}`.
    pub(crate) terminated: BTreeMap<Uuid, DateTime<Utc>>,
    pub(crate) sessions: Vec<Session>,
    /// Where deleted entries came from.
    pub(crate) origins: BTreeMap<i32, i32>,
    /// Rows of the audit trail that are on their way.
    pub(super) pending: Vec<Pending>,
    /// How many requests there were.
    pub(super) requests: u64,
    made: i32,
}

/// Where a folder or file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// In this room, or it is the room.
    Room(i32),
    /// In somebody's own documents.
    Mine(Uuid),
    /// In somebody's trash.
    Trash(Uuid),
    /// The section of the rooms, or of archived ones.
    Section,
}

impl Scenario {
    /// With this group.
    #[must_use]
    pub fn with_group(mut self, group: Group) -> Scenario {
        self.content.groups.push(group);
        self
    }

    /// With this folder.
    #[must_use]
    pub fn with_folder(mut self, folder: Folder) -> Scenario {
        self.content.folders.push(folder);
        self
    }

    /// With this file. No row of the audit trail is written.
    #[must_use]
    pub fn with_file(mut self, file: StoredFile) -> Scenario {
        self.content.files.push(file);
        self
    }

    /// With this right; a person becomes a member of the room, or gets another right.
    #[must_use]
    pub fn with_share(mut self, share: Share) -> Scenario {
        self.share(share);
        self
    }

    /// Gives a person or group this right in a room; 0 takes it away.
    pub fn share(&mut self, share: Share) {
        self.content.shares.retain(|known| (known.room, known.subject) != (share.room, share.subject));
        let is_person = self.person(share.subject).is_some();
        if let Some(room) = self.rooms.iter_mut().find(|room| room.id == share.room) {
            room.members.retain(|member| *member != share.subject);
            if is_person && share.access != 0 {
                room.members.push(share.subject);
            }
        }
        if share.access != 0 {
            self.content.shares.push(share);
        }
    }

    /// With rows of the audit trail that arrive late.
    #[must_use]
    pub fn with_lateness(mut self, lateness: Lateness) -> Scenario {
        self.content.lateness = lateness;
        self
    }

    /// The folder of somebody's own documents: a number made from the person's id.
    #[must_use]
    pub fn my_documents(&self, person: Uuid) -> i32 {
        let (high, low) = person.as_u64_pair();
        let number = i32::try_from(mix(high ^ mix(low)) % PERSONS).expect("a remainder of 32 bits");
        PERSONAL + 2 * number
    }

    /// Somebody's trash.
    #[must_use]
    pub fn trash(&self, person: Uuid) -> i32 {
        self.my_documents(person) + 1
    }

    /// The file with this id.
    #[must_use]
    pub fn file(&self, id: i32) -> Option<&StoredFile> {
        self.content.files.iter().find(|file| file.id == id)
    }

    pub(crate) fn file_mut(&mut self, id: i32) -> Option<&mut StoredFile> {
        self.content.files.iter_mut().find(|file| file.id == id)
    }

    pub(crate) fn folder(&self, id: i32) -> Option<&Folder> {
        self.content.folders.iter().find(|folder| folder.id == id)
    }

    /// Where a folder is; `None` for an id that is none.
    pub(crate) fn location(&self, folder: i32) -> Option<Location> {
        let mut at = folder;
        // no chain of folders is longer than their number
        for _ in 0..=self.content.folders.len() {
            if self.room(at).is_some() {
                return Some(Location::Room(at));
            }
            if at == ROOMS || at == ARCHIVE {
                return Some(Location::Section);
            }
            if at >= PERSONAL {
                return self.people.iter().map(|person| person.id).find_map(|id| match at - self.my_documents(id) {
                    0 => Some(Location::Mine(id)),
                    1 => Some(Location::Trash(id)),
                    _ => None,
                });
            }
            at = self.folder(at)?.parent;
        }
        None
    }

    /// The title of a room, folder or section.
    pub(crate) fn folder_title(&self, id: i32) -> String {
        if let Some(room) = self.room(id) {
            return room.title.clone();
        }
        if let Some(folder) = self.folder(id) {
            return folder.title.clone();
        }
        match self.location(id) {
            Some(Location::Mine(_)) => "My documents",
            Some(Location::Trash(_)) => "Trash",
            _ if id == ARCHIVE => "Archive",
            _ => "Rooms",
        }
        .to_owned()
    }

    /// Files and folders in this folder at any depth: their numbers and the bytes of the files.
    pub(crate) fn totals(&self, folder: i32) -> (usize, usize, u64) {
        let files = self.content.files.iter().filter(|file| file.folder == folder);
        let (mut count, mut folders, mut bytes) = (0, 0, 0);
        for file in files {
            count += 1;
            bytes += file.versions.iter().map(|version| version.content.len() as u64).sum::<u64>();
        }
        for inner in self.content.folders.iter().filter(|inner| inner.parent == folder) {
            let (more, deeper, space) = self.totals(inner.id);
            count += more;
            folders += deeper + 1;
            bytes += space;
        }
        (count, folders, bytes)
    }

    /// Gives a room another tag. Does nothing for a room that is not there.
    pub fn tag_room(&mut self, room: i32, tag: &str) {
        let Some(room) = self.room(room).cloned() else { return };
        let mut extras = self.extras(&room);
        extras.tags.push(tag.to_owned());
        self.content.extras.insert(room.id, extras);
    }

    /// Further settings of a room.
    pub(crate) fn extras(&self, room: &Room) -> RoomExtras {
        self.content.extras.get(&room.id).cloned().unwrap_or_else(|| RoomExtras::of(room))
    }

    /// An id that no entry has.
    pub(crate) fn next_entry(&mut self) -> i32 {
        let rooms = self.rooms.iter().map(|room| room.id);
        let folders = self.content.folders.iter().map(|folder| folder.id);
        let files = self.content.files.iter().map(|file| file.id);
        let highest = rooms.chain(folders).chain(files).chain([FIRST_ENTRY, self.content.made]).max();
        self.content.made = highest.unwrap_or(FIRST_ENTRY) + 1;
        self.content.made
    }

    /// An id for operations and sessions, the same in every run.
    pub(crate) fn next_id(&mut self, salt: u64) -> Uuid {
        self.content.made += 1;
        let number = u64::from(self.content.made.unsigned_abs());
        Uuid::from_u64_pair(mix(number ^ salt), mix(number.wrapping_mul(31) ^ salt))
    }

    /// The right of a person in a room: 1 for the owner, 0 for none. Personal rights go before those of groups.
    pub(crate) fn access_in(&self, person: Uuid, room: &Room) -> i32 {
        if room.owner == person {
            return 1;
        }
        let direct = self.content.shares.iter().find(|share| share.room == room.id && share.subject == person);
        if let Some(share) = direct {
            return share.access;
        }
        if room.members.contains(&person) {
            return EDITOR;
        }
        self.content
            .shares
            .iter()
            .filter(|share| share.room == room.id && self.is_in_group(person, share.subject))
            .map(|share| share.access)
            .max_by_key(|access| RANKS.iter().rev().position(|known| known == access))
            .unwrap_or(0)
    }

    pub(crate) fn is_in_group(&self, person: Uuid, group: Uuid) -> bool {
        group == EVERYONE && self.person(person).is_some()
            || self.content.groups.iter().any(|known| known.id == group && known.members.contains(&person))
    }

    /// Whether somebody may read a room: administrators all of them.
    pub(crate) fn may_read(&self, person: &super::Person, room: &Room) -> bool {
        person.kind.is_admin() || self.access_in(person.id, room) != 0
    }
}

/// What a member without an entry may do.
const EDITOR: i32 = 10;

/// Rights of groups from the strongest to the weakest.
const RANKS: &[i32] = &[9, 11, 10, 8, 5, 6, 7, 2];

#[cfg(test)]
mod tests {
    use super::*;

    fn portal() -> Scenario {
        Scenario::empty("2026-03-02T09:00:00Z".parse().expect("a fixed instant")).with_room(Room::vdr(71, "Alpha"))
    }

    #[test]
    fn places_are_found_through_folders() {
        let mut scenario = portal();
        let (owner, at) = (scenario.owner().id, scenario.now);
        for (id, parent) in [(80, 71), (81, 80)] {
            scenario.content.folders.push(Folder { id, parent, title: "x".to_owned(), author: owner, created: at });
        }
        assert_eq!(scenario.location(81), Some(Location::Room(71)));
        assert_eq!(scenario.location(ROOMS), Some(Location::Section));
        assert_eq!(scenario.location(scenario.trash(owner)), Some(Location::Trash(owner)));
        assert_eq!(scenario.location(82), None);
        assert_eq!(scenario.totals(71), (0, 2, 0));
    }

    #[test]
    fn a_personal_right_goes_before_that_of_a_group() {
        let person = crate::Person::new("ivan@example.com", "Ivan", "Petrov");
        let mut group = Group::new("Auditors");
        group.members.push(person.id);
        let (id, auditors) = (person.id, group.id);
        let mut scenario = portal().with_person(person).with_group(group);
        let access = |scenario: &Scenario| scenario.access_in(id, &scenario.rooms[0]);
        assert_eq!(access(&scenario), 0);
        scenario.share(Share { room: 71, subject: auditors, access: 9 });
        scenario.share(Share { room: 71, subject: EVERYONE, access: 2 });
        assert_eq!(access(&scenario), 9);
        scenario.share(Share { room: 71, subject: id, access: 2 });
        assert_eq!(access(&scenario), 2);
        scenario.share(Share { room: 71, subject: id, access: 0 });
        assert_eq!(access(&scenario), 9);
    }
}
