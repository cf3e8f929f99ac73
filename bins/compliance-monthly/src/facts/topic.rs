//! The subjects of the report, and which of them an event belongs to.

use std::collections::BTreeSet;

use audit_model::{ActClass, ActionId, AuditEvent, Location, RecordedIn};
use uuid::Uuid;

/// A subject with a section of its own; an event may belong to several, and most belong to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Accounts, roles and groups.
    People,
    /// Who is in which room, and as what.
    Membership,
    /// Links and rights of single entries.
    Sharing,
    Deletions,
    /// Whole folders at once.
    FolderDownloads,
    /// Settings of the portal, its keys and its address list.
    Settings,
    /// What service accounts did.
    OwnPrograms,
}

pub(crate) const TOPICS: [Topic; 7] = [
    Topic::People,
    Topic::Membership,
    Topic::Sharing,
    Topic::Deletions,
    Topic::FolderDownloads,
    Topic::Settings,
    Topic::OwnPrograms,
];

impl Topic {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Topic::People => "People, roles and groups",
            Topic::Membership => "Members of rooms",
            Topic::Sharing => "Links and shares",
            Topic::Deletions => "Deletions",
            Topic::FolderDownloads => "Downloads of whole folders",
            Topic::Settings => "Settings of the portal",
            Topic::OwnPrograms => "What service accounts did",
        }
    }

    /// As it stands in the column `topics` of the tables, and in the JSON report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Topic::People => "people",
            Topic::Membership => "membership",
            Topic::Sharing => "sharing",
            Topic::Deletions => "deletions",
            Topic::FolderDownloads => "folder_downloads",
            Topic::Settings => "settings",
            Topic::OwnPrograms => "own_programs",
        }
    }

    /// The topics of an event; `own` are the accounts that the settings call robots.
    pub(crate) fn of(event: &AuditEvent, own: &BTreeSet<Uuid>) -> impl Iterator<Item = Topic> {
        let by_action = topic_of(event.action);
        by_action.into_iter().chain(own.contains(&event.actor).then_some(Topic::OwnPrograms))
    }
}

fn topic_of(action: ActionId) -> Option<Topic> {
    match action.class() {
        Some(ActClass::Membership) => return Some(Topic::Membership),
        Some(ActClass::Share) => return Some(Topic::Sharing),
        Some(ActClass::Delete) => return Some(Topic::Deletions),
        Some(ActClass::Download) if action.is_about_whole_folder() => return Some(Topic::FolderDownloads),
        _ => {}
    }
    if action.is_about_administrators() {
        return Some(Topic::People);
    }
    let info = action.info().filter(|info| info.kind == RecordedIn::Audit)?;
    match (info.location?, action) {
        (Location::Contacts, _) if action.is_about_profile() => None,
        (Location::Contacts, _) => Some(Topic::People),
        // saves that the editor was told to make
        (Location::DocumentsSettings, ActionId::DOCUMENTS_STORE_FORCESAVE | ActionId::DOCUMENTS_FORCESAVE) => None,
        (Location::Settings | Location::DocumentsSettings, _) => Some(Topic::Settings),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_stand_where_a_reader_looks_for_them() {
        for (name, expected) in [
            ("UserCreated", Some(Topic::People)),
            ("UserDeleted", Some(Topic::People)),
            ("UsersUpdatedType", Some(Topic::People)),
            ("GroupDeleted", Some(Topic::People)),
            ("AdministratorAdded", Some(Topic::People)),
            ("OwnerUpdated", Some(Topic::People)),
            ("UserAddedAvatar", None),
            ("RoomCreateUser", Some(Topic::Membership)),
            ("RoomExternalLinkCreated", Some(Topic::Sharing)),
            ("FileUpdatedAccessFor", Some(Topic::Sharing)),
            ("FileDeleted", Some(Topic::Deletions)),
            ("RoomDeleted", Some(Topic::Deletions)),
            ("FolderDownloaded", Some(Topic::FolderDownloads)),
            ("FileDownloaded", None),
            ("IPRestrictionsSettingsUpdated", Some(Topic::Settings)),
            ("ApiKeyCreated", Some(Topic::Settings)),
            ("AuditTrailReportDownloaded", Some(Topic::Settings)),
            ("DocumentsForcesave", None),
            ("FileUploaded", None),
        ] {
            let action = ActionId::by_name(name).unwrap();
            assert_eq!(topic_of(action), expected, "{name}");
        }
        assert_eq!(topic_of(ActionId(59_999)), None);
    }
}
