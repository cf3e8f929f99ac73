//! What somebody should look at: kinds of events that change who can do what, or that cannot be taken back.

use audit_model::ActionId;
use serde::Serialize;

/// Something that a reader of the report decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    OwnerChanged,
    RolesChanged,
    AddressListChanged,
    SignInChanged,
    AuditSettingsChanged,
    KeysMade,
    PortalMoved,
    RoomsDeleted,
    DataReassigned,
    ExternalLinks,
    ReportsTaken,
}

impl Question {
    pub(crate) fn about(action: ActionId) -> Option<Self> {
        Some(match action.0 {
            6021..=6026 => Question::OwnerChanged,
            4019 | 6009..=6011 | 6016 | 6017 => Question::RolesChanged,
            6094 => Question::AddressListChanged,
            6004 | 6005 | 6029..=6032 | 6036..=6038 | 6095 | 5501 | 5502 | 4033 => Question::SignInChanged,
            6035 => Question::AuditSettingsChanged,
            6055 | 6056 | 6058 | 6059 | 9901..=9903 | 9905 | 9908 | 9909 => Question::KeysMade,
            5040 | 5041 | 5127 | 5132 => Question::PortalMoved,
            5074 => Question::RoomsDeleted,
            4030 | 4031 => Question::DataReassigned,
            5036 | 5082 | 5086 | 5088 | 5089 | 5091 | 5092 | 5122 | 5123 => Question::ExternalLinks,
            6027 | 6028 => Question::ReportsTaken,
            _ => return None,
        })
    }

    /// What happened so often, and what to do about it.
    pub(crate) fn sentence(self, count: u64) -> String {
        let (what, advice) = match self {
            Question::OwnerChanged => {
                ("step towards another owner or towards the end of the portal", "make sure that the owner knows of it")
            }
            Question::RolesChanged => ("change of a person's role", "make sure that each was agreed"),
            Question::AddressListChanged => {
                ("change of the list of allowed addresses", "compare the list with what it should be")
            }
            Question::SignInChanged => (
                "change of how people sign in, or of the rules for it",
                "make sure that it was agreed and did not weaken them",
            ),
            Question::AuditSettingsChanged => {
                ("change of how long events are kept", "make sure that it still fits your rules")
            }
            Question::KeysMade => (
                "API key, webhook, application or token made or changed",
                "make sure that each has an owner and an end",
            ),
            Question::PortalMoved => {
                ("backup, restore or move of the portal begun", "make sure that somebody knows where the copy is")
            }
            Question::RoomsDeleted => ("room deleted for good", "make sure that it was agreed"),
            Question::DataReassigned => ("reassignment or removal of a person's data", "make sure that it was agreed"),
            Question::ExternalLinks => (
                "link made or changed, each of which can let people in without an invitation",
                "make sure that each is still needed",
            ),
            Question::ReportsTaken => {
                ("audit or login report taken from the portal", "make sure that it went to the right people")
            }
        };
        format!("{count} × {what}: {advice}")
    }
}

/// One line of the first page under "What needs a decision".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Decision {
    /// What is to be decided: a kind of question, `bulk_downloads`, `failed_logins`, `set_addresses` or `new_countries`.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// The first events that it is about; of logins, ids of the login history.
    pub(crate) events: Vec<i64>,
    pub(crate) events_total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_who_can_do_what_is_asked_about() {
        for (name, expected) in [
            ("OwnerUpdated", Some(Question::OwnerChanged)),
            ("UsersUpdatedType", Some(Question::RolesChanged)),
            ("IPRestrictionsSettingsUpdated", Some(Question::AddressListChanged)),
            ("TwoFactorAuthenticationDisabled", Some(Question::SignInChanged)),
            ("AuditSettingsUpdated", Some(Question::AuditSettingsChanged)),
            ("ApiKeyCreated", Some(Question::KeysMade)),
            ("ApiKeyDeleted", None),
            ("BackupStarted", Some(Question::PortalMoved)),
            ("RoomDeleted", Some(Question::RoomsDeleted)),
            ("RoomExternalLinkCreated", Some(Question::ExternalLinks)),
            ("RoomExternalLinkDeleted", None),
            ("FileDeleted", None),
        ] {
            assert_eq!(Question::about(ActionId::by_name(name).unwrap()), expected, "{name}");
        }
    }
}
