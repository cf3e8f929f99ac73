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
        Some(match action {
            ActionId::OWNER_SENT_CHANGE_OWNER_INSTRUCTIONS
            | ActionId::OWNER_UPDATED
            | ActionId::OWNER_SENT_PORTAL_DEACTIVATION_INSTRUCTIONS
            | ActionId::OWNER_SENT_PORTAL_DELETE_INSTRUCTIONS
            | ActionId::PORTAL_DEACTIVATED
            | ActionId::PORTAL_DELETED => Question::OwnerChanged,
            ActionId::USERS_UPDATED_TYPE
            | ActionId::ADMINISTRATOR_ADDED
            | ActionId::ADMINISTRATOR_OPENED_FULL_ACCESS
            | ActionId::ADMINISTRATOR_DELETED
            | ActionId::PRODUCT_ADDED_ADMINISTRATOR
            | ActionId::PRODUCT_DELETED_ADMINISTRATOR => Question::RolesChanged,
            ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED => Question::AddressListChanged,
            ActionId::PASSWORD_STRENGTH_SETTINGS_UPDATED
            | ActionId::TWO_FACTOR_AUTHENTICATION_SETTINGS_UPDATED
            | ActionId::SSO_ENABLED
            | ActionId::SSO_DISABLED
            | ActionId::PORTAL_ACCESS_SETTINGS_UPDATED
            | ActionId::COOKIE_SETTINGS_UPDATED
            | ActionId::TWO_FACTOR_AUTHENTICATION_DISABLED
            | ActionId::TWO_FACTOR_AUTHENTICATION_ENABLED_BY_SMS
            | ActionId::TWO_FACTOR_AUTHENTICATION_ENABLED_BY_TFA_APP
            | ActionId::LOGIN_SETTINGS_UPDATED
            | ActionId::LDAP_ENABLED
            | ActionId::LDAP_DISABLED
            | ActionId::USER_DISCONNECTED_TFA_APP => Question::SignInChanged,
            ActionId::AUDIT_SETTINGS_UPDATED => Question::AuditSettingsChanged,
            ActionId::WEBHOOK_CREATED
            | ActionId::WEBHOOK_UPDATED
            | ActionId::API_KEY_CREATED
            | ActionId::API_KEY_UPDATED
            | ActionId::CREATE_CLIENT
            | ActionId::UPDATE_CLIENT
            | ActionId::REGENERATE_SECRET
            | ActionId::CHANGE_CLIENT_ACTIVATION
            | ActionId::GENERATE_AUTHORIZATION_CODE_TOKEN
            | ActionId::GENERATE_PERSONAL_ACCESS_TOKEN => Question::KeysMade,
            ActionId::START_TRANSFER_SETTING
            | ActionId::BACKUP_STARTED
            | ActionId::SCHEDULED_BACKUP_STARTED
            | ActionId::RESTORE_STARTED => Question::PortalMoved,
            ActionId::ROOM_DELETED => Question::RoomsDeleted,
            ActionId::USER_DATA_REASSIGNS | ActionId::USER_DATA_REMOVING => Question::DataReassigned,
            ActionId::FILE_SEND_ACCESS_LINK
            | ActionId::ROOM_INVITATION_LINK_UPDATED
            | ActionId::ROOM_INVITATION_LINK_CREATED
            | ActionId::ROOM_EXTERNAL_LINK_CREATED
            | ActionId::ROOM_EXTERNAL_LINK_UPDATED
            | ActionId::FILE_EXTERNAL_LINK_CREATED
            | ActionId::FILE_EXTERNAL_LINK_UPDATED
            | ActionId::FOLDER_EXTERNAL_LINK_CREATED
            | ActionId::FOLDER_EXTERNAL_LINK_UPDATED => Question::ExternalLinks,
            ActionId::LOGIN_HISTORY_REPORT_DOWNLOADED | ActionId::AUDIT_TRAIL_REPORT_DOWNLOADED => {
                Question::ReportsTaken
            }
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
