//! What kind of change an event is, as this program's limits know it.

use audit_model::{ActionId, AuditEvent, title_in_context};
use serde::Serialize;

/// What most limits count.
pub(crate) const DOCUMENT: &str = "document";

/// One kind of thing that people do to documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// In the trash.
    Deleted,
    /// Gone from a room without a trash to take it out of; versions too.
    DeletedForGood,
    /// Gone with its room.
    RoomDeleted,
    /// New content over the old, or a new version.
    Overwritten,
    Renamed,
    /// From a room to another or out of the rooms.
    MovedOut,
    /// Within one room, or within somebody's own documents.
    Moved,
    /// New documents: created, uploaded, copied, converted.
    Created,
    Downloaded,
    /// Deleted for good outside the rooms: nearly always from the person's own trash, where it was gone already.
    Purged,
    /// Opened, or shown in the browser.
    Viewed,
    /// An external link was made.
    Shared,
    /// Somebody, or a group, was removed from a room.
    MemberRemoved,
    /// A room was archived, an agent deleted, a storage disconnected.
    Dismantled,
}

impl Kind {
    /// The kind of an action; `None` for what changes no document. A move is [`Kind::Moved`] until its other half shows that something
    /// left a room, and a deletion for good [`Kind::DeletedForGood`] until its place shows that it was the trash.
    pub(crate) fn of(action: ActionId) -> Option<Kind> {
        Some(match action {
            ActionId::FILE_MOVED_TO_TRASH | ActionId::FOLDER_MOVED_TO_TRASH => Kind::Deleted,
            ActionId::FILE_DELETED | ActionId::FOLDER_DELETED | ActionId::FILE_VERSION_REMOVED => Kind::DeletedForGood,
            ActionId::ROOM_DELETED => Kind::RoomDeleted,
            ActionId::FILE_UPDATED
            | ActionId::FILE_COPIED_WITH_OVERWRITING
            | ActionId::USER_FILE_UPDATED
            | ActionId::FILE_RESTORE_VERSION
            | ActionId::FILE_UPLOADED_WITH_OVERWRITING => Kind::Overwritten,
            ActionId::FILE_RENAMED | ActionId::FOLDER_RENAMED => Kind::Renamed,
            ActionId::FILE_MOVED
            | ActionId::FILE_MOVED_WITH_OVERWRITING
            | ActionId::FOLDER_MOVED
            | ActionId::FOLDER_MOVED_WITH_OVERWRITING => Kind::Moved,
            ActionId::FILE_CREATED
            | ActionId::FILE_UPLOADED
            | ActionId::FILE_IMPORTED
            | ActionId::FILE_COPIED
            | ActionId::FOLDER_COPIED
            | ActionId::FOLDER_COPIED_WITH_OVERWRITING
            | ActionId::FILE_CONVERTED => Kind::Created,
            ActionId::FILE_DOWNLOADED
            | ActionId::FILE_DOWNLOADED_AS
            | ActionId::FOLDER_DOWNLOADED
            | ActionId::FILE_REVISION_DOWNLOADED => Kind::Downloaded,
            // FileOpenedForChange, FileReaded
            ActionId(5054 | 5064) => Kind::Viewed,
            // links to a room, a file, a folder
            ActionId(5088 | 5091 | 5122) => Kind::Shared,
            // RoomRemoveUser, RoomGroupRemove
            ActionId(5084 | 5096) => Kind::MemberRemoved,
            // ThirdPartyDeleted, RoomArchived, AgentDeleted
            ActionId(5030 | 5072 | 5156) => Kind::Dismantled,
            _ => return None,
        })
    }

    /// The actions that are of any kind.
    pub(crate) fn actions() -> impl Iterator<Item = ActionId> {
        (0..10_000).map(ActionId).filter(|action| Kind::of(*action).is_some())
    }

    /// Whether the vendor's published rule counts it, which knows changes, uploads and creations.
    pub(crate) fn is_change(self) -> bool {
        let is_none =
            matches!(self, Kind::Downloaded | Kind::Viewed | Kind::Shared | Kind::MemberRemoved | Kind::Dismantled);
        !is_none
    }

    pub(crate) fn is_deletion(self) -> bool {
        matches!(self, Kind::Deleted | Kind::DeletedForGood | Kind::RoomDeleted)
    }

    /// Whether it takes documents away, spoils them or carries them off, so that stopping the person helps.
    pub(crate) fn is_harm(self) -> bool {
        self.is_deletion() || matches!(self, Kind::Overwritten | Kind::Renamed | Kind::MovedOut | Kind::Downloaded)
    }

    /// Whether a folder that nobody can weigh must be told: it is gone, or has left.
    pub(crate) fn takes_away(self) -> bool {
        self.is_deletion() || matches!(self, Kind::MovedOut | Kind::Downloaded)
    }

    /// The word in `240 documents renamed within 10 min`.
    pub(crate) fn participle(self) -> &'static str {
        match self {
            Kind::Deleted => "deleted",
            Kind::DeletedForGood => "deleted for good",
            Kind::RoomDeleted => "deleted with their room",
            Kind::Overwritten => "overwritten",
            Kind::Renamed => "renamed",
            Kind::MovedOut => "moved out",
            Kind::Moved => "moved",
            Kind::Created => "created",
            Kind::Downloaded => "downloaded",
            Kind::Purged => "purged",
            Kind::Viewed => "looked at",
            Kind::Shared => "shared by links",
            Kind::MemberRemoved => "removed from rooms",
            Kind::Dismantled => "archived, deleted or disconnected",
        }
    }

    /// What stands before and behind what it was done to, in `renamed 240 documents`.
    pub(crate) fn verb(self) -> (&'static str, &'static str) {
        match self {
            Kind::Deleted => ("deleted", ""),
            Kind::DeletedForGood => ("deleted", " for good"),
            Kind::RoomDeleted => ("deleted", " with their room"),
            Kind::Overwritten => ("overwrote", ""),
            Kind::Renamed => ("renamed", ""),
            Kind::MovedOut => ("moved", " out"),
            Kind::Moved => ("moved", ""),
            Kind::Created => ("created", ""),
            Kind::Downloaded => ("downloaded", ""),
            Kind::Purged => ("purged", ""),
            Kind::Viewed => ("looked at", ""),
            Kind::Shared => ("shared", " by links"),
            Kind::MemberRemoved => ("removed", ""),
            Kind::Dismantled => ("archived, deleted or disconnected", ""),
        }
    }

    /// What is counted, in the singular.
    pub(crate) fn counted(self) -> &'static str {
        match self {
            Kind::MemberRemoved => "member",
            Kind::Dismantled => "place",
            _ => DOCUMENT,
        }
    }
}

/// Whether a document or a folder was deleted for good outside the rooms.
pub(crate) fn is_purge(event: &AuditEvent) -> bool {
    matches!(event.action, ActionId::FILE_DELETED | ActionId::FOLDER_DELETED) && title_in_context(event).is_none()
}

/// Whether something is gone without a trash to take it out of.
pub(crate) fn is_deletion_for_good(event: &AuditEvent) -> bool {
    matches!(event.action, ActionId::FILE_DELETED | ActionId::FOLDER_DELETED | ActionId::ROOM_DELETED)
}

/// What an event is about, so that two events about the same are one: a folder and a file may have the same number. Who was removed from a
/// room the portal does not say, so each such event is one.
pub(crate) fn document(event: &AuditEvent) -> String {
    let is_removal = Kind::of(event.action) == Some(Kind::MemberRemoved);
    match event.target.first().filter(|_| !is_removal) {
        Some(id) if event.action.is_about_whole_folder() || event.action == ActionId::FOLDER_RENAMED => {
            folder_named(id)
        }
        Some(id) => id.clone(),
        None => format!("event {}", event.id),
    }
}

/// What a folder as a whole is called among documents.
pub(crate) fn folder_named(id: impl std::fmt::Display) -> String {
    format!("folder {id}")
}

#[cfg(test)]
mod tests {
    use audit_model::ActClass;

    use super::*;

    /// Every action that a person can harm documents with is one of the kinds, and nothing else is.
    #[test]
    fn kinds_go_by_the_portals_own_names() {
        for id in 0..10_000 {
            let action = ActionId(id);
            let Some(kind) = Kind::of(action) else { continue };
            let name = action.info().unwrap().name;
            let words: &[&str] = match kind {
                Kind::Deleted => &["Trash"],
                Kind::DeletedForGood => &["Deleted", "Removed"],
                Kind::RoomDeleted => &["RoomDeleted"],
                Kind::Overwritten => &["Updated", "Overwriting", "Restore"],
                Kind::Renamed => &["Renamed"],
                Kind::Moved | Kind::MovedOut => &["Moved"],
                Kind::Created => &["Created", "Uploaded", "Copied", "Converted", "Imported"],
                Kind::Downloaded => &["Downloaded"],
                Kind::Purged => &[],
                Kind::Viewed => &["Opened", "Readed"],
                Kind::Shared => &["ExternalLinkCreated"],
                Kind::MemberRemoved => &["Remove"],
                Kind::Dismantled => &["RoomArchived", "AgentDeleted", "ThirdPartyDeleted"],
            };
            assert!(words.iter().any(|word| name.contains(word)), "{id} {name} is {kind:?}");
            assert_eq!(kind.is_deletion(), action.class() == Some(ActClass::Delete), "{name}");
            assert_eq!(kind == Kind::Downloaded, action.class() == Some(ActClass::Download), "{name}");
        }
        // purging the trash writes a deletion for each file besides
        assert_eq!(Kind::of(ActionId::TRASH_EMPTIED), None);
    }
}
