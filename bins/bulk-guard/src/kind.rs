//! What kind of change an event is, as this program's limits know it.

use audit_model::{ActionId, AuditEvent, title_in_context};
use serde::Serialize;

/// One kind of thing that people do to documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Gone, or in the trash.
    Deleted,
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
}

impl Kind {
    /// The kind of an action; `None` for what changes no document. A move is [`Kind::Moved`] until its other half shows that something
    /// left a room, and a deletion [`Kind::Deleted`] until its place shows that it was the trash.
    pub(crate) fn of(action: ActionId) -> Option<Kind> {
        Some(match action {
            ActionId::FILE_MOVED_TO_TRASH
            | ActionId::FILE_DELETED
            | ActionId::FOLDER_MOVED_TO_TRASH
            | ActionId::FOLDER_DELETED
            | ActionId::ROOM_DELETED
            | ActionId::FILE_VERSION_REMOVED => Kind::Deleted,
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
            _ => return None,
        })
    }

    /// Whether the vendor's published rule counts it, which knows changes, uploads and creations.
    pub(crate) fn is_change(self) -> bool {
        self != Kind::Downloaded
    }

    /// Whether it takes something away or spoils it, so that stopping the person helps.
    pub(crate) fn is_harm(self) -> bool {
        matches!(self, Kind::Deleted | Kind::Overwritten | Kind::Renamed)
    }

    /// The word in `240 documents renamed within 10 min`.
    pub(crate) fn participle(self) -> &'static str {
        match self {
            Kind::Deleted => "deleted",
            Kind::Overwritten => "overwritten",
            Kind::Renamed => "renamed",
            Kind::MovedOut => "moved out",
            Kind::Moved => "moved",
            Kind::Created => "created",
            Kind::Downloaded => "downloaded",
            Kind::Purged => "purged",
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

/// What an event is about, so that two events about the same are one: a folder and a file may have the same number.
pub(crate) fn document(event: &AuditEvent) -> String {
    match event.target.first() {
        Some(id) if event.action.is_about_whole_folder() || event.action == ActionId::FOLDER_RENAMED => {
            format!("folder {id}")
        }
        Some(id) => id.clone(),
        None => format!("event {}", event.id),
    }
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
                Kind::Deleted => &["Deleted", "Trash", "Removed"],
                Kind::Overwritten => &["Updated", "Overwriting", "Restore"],
                Kind::Renamed => &["Renamed"],
                Kind::Moved | Kind::MovedOut => &["Moved"],
                Kind::Created => &["Created", "Uploaded", "Copied", "Converted", "Imported"],
                Kind::Downloaded => &["Downloaded"],
                Kind::Purged => &[],
            };
            assert!(words.iter().any(|word| name.contains(word)), "{id} {name} is {kind:?}");
            assert_eq!(kind == Kind::Deleted, action.class() == Some(ActClass::Delete), "{name}");
            assert_eq!(kind == Kind::Downloaded, action.class() == Some(ActClass::Download), "{name}");
        }
        // purging the trash writes a deletion for each file besides
        assert_eq!(Kind::of(ActionId::TRASH_EMPTIED), None);
    }
}
