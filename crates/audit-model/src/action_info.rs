//! What is known about each of the portal's actions.

/// Where an action is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedIn {
    /// In the audit trail.
    Audit,
    /// In the login history.
    Login,
    /// Stored by the portal but listed nowhere.
    Unmapped,
}

/// The part of the portal that an action belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Files,
    Folders,
    DocumentsSettings,
    Rooms,
    Settings,
    Contacts,
    Agents,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Folder,
    User,
    Group,
    Room,
    Tag,
}

/// What is known about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionInfo {
    pub id: i32,
    /// The portal's own name of it, for instance `FileDownloaded`.
    pub name: &'static str,
    pub kind: RecordedIn,
    pub location: Option<Location>,
    /// Not parallel to an event's `target`.
    pub entries: &'static [EntryKind],
}

impl EntryKind {
    /// For people, in the singular; names of the portal's actions begin with it.
    pub fn word(self) -> &'static str {
        match self {
            EntryKind::File => "file",
            EntryKind::Folder => "folder",
            EntryKind::User => "user",
            EntryKind::Group => "group",
            EntryKind::Room => "room",
            EntryKind::Tag => "tag",
        }
    }
}
