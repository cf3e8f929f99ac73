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
    PeopleRemoved,
    PeopleSwitchedOff,
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
            ActionId::USER_DELETED | ActionId::USERS_DELETED => Question::PeopleRemoved,
            ActionId::USERS_UPDATED_STATUS => Question::PeopleSwitchedOff,
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

    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Question::OwnerChanged => "make sure that the owner knows about it",
            Question::RolesChanged => "make sure that it was agreed; change the role back if it was not",
            Question::AddressListChanged => "check that the list is as it should be",
            Question::SignInChanged => "ask them; set it back if it was not agreed",
            Question::AuditSettingsChanged => "make sure that it still meets your rules",
            Question::KeysMade => "make sure that somebody is responsible for it, and that it expires",
            Question::PortalMoved => "make sure that you know where the copy is and who can read it",
            Question::RoomsDeleted | Question::DataReassigned | Question::PeopleRemoved => {
                "make sure that it was agreed"
            }
            Question::PeopleSwitchedOff => "make sure that it was agreed; set it back if it was not",
            Question::ExternalLinks => {
                "make sure that it is still needed: such a link can let people in without an invitation"
            }
            Question::ReportsTaken => "make sure that it went to the right people",
        }
    }

    /// The same events, more of them, in the plural.
    pub(crate) fn more(self) -> &'static str {
        match self {
            Question::OwnerChanged => "more steps towards another owner or towards the end of the portal",
            Question::RolesChanged => "more changes of people's roles",
            Question::AddressListChanged => "more changes of the list of allowed addresses",
            Question::SignInChanged => "more changes of how people sign in",
            Question::AuditSettingsChanged => "more changes of how long events are kept",
            Question::KeysMade => "more keys, webhooks, applications or tokens made or changed",
            Question::PortalMoved => "more backups, restores or moves of the portal",
            Question::RoomsDeleted => "more rooms deleted for good",
            Question::DataReassigned => "more times that a person's data were reassigned or removed",
            Question::PeopleRemoved => "more times that accounts were removed",
            Question::PeopleSwitchedOff => "more times that accounts were disabled or enabled",
            Question::ExternalLinks => "more links made or changed",
            Question::ReportsTaken => "more audit or login reports taken from the portal",
        }
    }
}

/// What somebody did, as it follows on their name; where it was done to people, their names follow on it.
pub(crate) fn did(action: ActionId) -> &'static str {
    match action {
        ActionId::OWNER_SENT_CHANGE_OWNER_INSTRUCTIONS => "asked for another owner of the portal",
        ActionId::OWNER_UPDATED => "made somebody else owner of the portal",
        ActionId::OWNER_SENT_PORTAL_DEACTIVATION_INSTRUCTIONS => "asked for the portal to be deactivated",
        ActionId::OWNER_SENT_PORTAL_DELETE_INSTRUCTIONS => "asked for the portal to be deleted",
        ActionId::PORTAL_DEACTIVATED => "deactivated the portal",
        ActionId::PORTAL_DELETED => "deleted the portal",
        ActionId::USERS_UPDATED_TYPE => "changed the role of",
        ActionId::ADMINISTRATOR_ADDED | ActionId::PRODUCT_ADDED_ADMINISTRATOR => "made an administrator of",
        ActionId::ADMINISTRATOR_OPENED_FULL_ACCESS => "gave full access to",
        ActionId::ADMINISTRATOR_DELETED | ActionId::PRODUCT_DELETED_ADMINISTRATOR => {
            "took the administrator's role from"
        }
        ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED => "changed the list of allowed addresses",
        ActionId::PASSWORD_STRENGTH_SETTINGS_UPDATED => "changed the rules for passwords",
        ActionId::TWO_FACTOR_AUTHENTICATION_SETTINGS_UPDATED => "changed two-factor authentication",
        ActionId::TWO_FACTOR_AUTHENTICATION_DISABLED => "switched two-factor authentication off",
        ActionId::TWO_FACTOR_AUTHENTICATION_ENABLED_BY_SMS => "switched two-factor authentication by SMS on",
        ActionId::TWO_FACTOR_AUTHENTICATION_ENABLED_BY_TFA_APP => "switched two-factor authentication by app on",
        ActionId::USER_DISCONNECTED_TFA_APP => "took the second factor away from",
        ActionId::SSO_ENABLED => "switched single sign-on on",
        ActionId::SSO_DISABLED => "switched single sign-on off",
        ActionId::PORTAL_ACCESS_SETTINGS_UPDATED => "changed who may enter the portal",
        ActionId::COOKIE_SETTINGS_UPDATED => "changed how long people stay signed in",
        ActionId::LOGIN_SETTINGS_UPDATED => "changed the rules for failed logins",
        ActionId::LDAP_ENABLED => "switched sign-in by LDAP on",
        ActionId::LDAP_DISABLED => "switched sign-in by LDAP off",
        ActionId::AUDIT_SETTINGS_UPDATED => "changed how long the portal keeps events",
        ActionId::WEBHOOK_CREATED => "made a webhook",
        ActionId::WEBHOOK_UPDATED => "changed a webhook",
        ActionId::API_KEY_CREATED => "made an API key",
        ActionId::API_KEY_UPDATED => "changed an API key",
        ActionId::CREATE_CLIENT => "made an OAuth application",
        ActionId::UPDATE_CLIENT | ActionId::CHANGE_CLIENT_ACTIVATION => "changed an OAuth application",
        ActionId::REGENERATE_SECRET => "made a new secret for an OAuth application",
        ActionId::GENERATE_AUTHORIZATION_CODE_TOKEN => "let an OAuth application in",
        ActionId::GENERATE_PERSONAL_ACCESS_TOKEN => "made a personal access token",
        ActionId::START_TRANSFER_SETTING => "began to move the portal",
        ActionId::BACKUP_STARTED | ActionId::SCHEDULED_BACKUP_STARTED => "began a backup of the portal",
        ActionId::RESTORE_STARTED => "began to restore the portal from a backup",
        ActionId::ROOM_DELETED => "deleted a room for good",
        ActionId::USER_DATA_REASSIGNS => "gave somebody else the data of",
        ActionId::USER_DATA_REMOVING => "removed the data of",
        ActionId::USER_DELETED | ActionId::USERS_DELETED => "removed the account of",
        ActionId::USERS_UPDATED_STATUS => "disabled or enabled the account of",
        ActionId::FILE_SEND_ACCESS_LINK => "sent a link to a document",
        ActionId::ROOM_INVITATION_LINK_CREATED => "made a link that invites into a room",
        ActionId::ROOM_INVITATION_LINK_UPDATED => "changed a link that invites into a room",
        ActionId::ROOM_EXTERNAL_LINK_CREATED => "made a link to a room",
        ActionId::ROOM_EXTERNAL_LINK_UPDATED => "changed a link to a room",
        ActionId::FILE_EXTERNAL_LINK_CREATED => "made a link to a document",
        ActionId::FILE_EXTERNAL_LINK_UPDATED => "changed a link to a document",
        ActionId::FOLDER_EXTERNAL_LINK_CREATED => "made a link to a folder",
        ActionId::FOLDER_EXTERNAL_LINK_UPDATED => "changed a link to a folder",
        ActionId::LOGIN_HISTORY_REPORT_DOWNLOADED => "took a report of all logins",
        ActionId::AUDIT_TRAIL_REPORT_DOWNLOADED => "took a report of all events",
        _ => "did something that somebody should look at",
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
            ("UserDeleted", Some(Question::PeopleRemoved)),
            ("UsersUpdatedStatus", Some(Question::PeopleSwitchedOff)),
        ] {
            assert_eq!(Question::about(ActionId::by_name(name).unwrap()), expected, "{name}");
        }
    }

    /// Nobody reads "did something" at three in the morning.
    #[test]
    fn everything_that_is_asked_about_has_words() {
        let asked = (0..10_000).map(ActionId).filter(|action| Question::about(*action).is_some());
        let without: Vec<ActionId> = asked.filter(|action| did(*action).starts_with("did ")).collect();
        assert_eq!(without, []);
    }
}
