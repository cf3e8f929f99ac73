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
    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        self.words().0
    }

    /// The same events, more of them, in the plural.
    pub(crate) fn more(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Question::OwnerChanged => (
                "make sure that the owner knows about it",
                "more steps towards another owner or towards the end of the portal",
            ),
            Question::RolesChanged => {
                ("make sure that it was agreed; change the role back if it was not", "more changes of people's roles")
            }
            Question::AddressListChanged => {
                ("check that the list is as it should be", "more changes of the list of allowed addresses")
            }
            Question::SignInChanged => {
                ("ask them; set it back if it was not agreed", "more changes of how people sign in")
            }
            Question::AuditSettingsChanged => {
                ("make sure that it still meets your rules", "more changes of how long events are kept")
            }
            Question::KeysMade => (
                "make sure that somebody is responsible for it, and that it expires",
                "more keys, webhooks, applications or tokens made or changed",
            ),
            Question::PortalMoved => (
                "make sure that you know where the copy is and who can read it",
                "more backups, restores or moves of the portal",
            ),
            Question::RoomsDeleted => ("make sure that it was agreed", "more rooms deleted for good"),
            Question::DataReassigned => {
                ("make sure that it was agreed", "more times that a person's data were reassigned or removed")
            }
            Question::PeopleRemoved => ("make sure that it was agreed", "more times that accounts were removed"),
            Question::PeopleSwitchedOff => (
                "make sure that it was agreed; set it back if it was not",
                "more times that accounts were disabled or enabled",
            ),
            Question::ExternalLinks => (
                "make sure that it is still needed: such a link can let people in without an invitation",
                "more links made or changed",
            ),
            Question::ReportsTaken => {
                ("make sure that it went to the right people", "more audit or login reports downloaded from the portal")
            }
        }
    }
}

/// The question that an event of this kind raises, and what somebody did, as it follows on their name; where it was done to people, their
/// names follow on it.
pub(crate) fn about(action: ActionId) -> Option<(Question, &'static str)> {
    use ActionId as A;
    use Question as Q;
    Some(match action {
        A::OWNER_SENT_CHANGE_OWNER_INSTRUCTIONS => (Q::OwnerChanged, "asked for another owner of the portal"),
        A::OWNER_UPDATED => (Q::OwnerChanged, "made somebody else owner of the portal"),
        A::OWNER_SENT_PORTAL_DEACTIVATION_INSTRUCTIONS => (Q::OwnerChanged, "asked for the portal to be deactivated"),
        A::OWNER_SENT_PORTAL_DELETE_INSTRUCTIONS => (Q::OwnerChanged, "asked for the portal to be deleted"),
        A::PORTAL_DEACTIVATED => (Q::OwnerChanged, "deactivated the portal"),
        A::PORTAL_DELETED => (Q::OwnerChanged, "deleted the portal"),
        A::USERS_UPDATED_TYPE => (Q::RolesChanged, "changed the role of"),
        A::ADMINISTRATOR_ADDED | A::PRODUCT_ADDED_ADMINISTRATOR => {
            (Q::RolesChanged, "gave the administrator's role to")
        }
        A::ADMINISTRATOR_OPENED_FULL_ACCESS => (Q::RolesChanged, "gave full access to"),
        A::ADMINISTRATOR_DELETED | A::PRODUCT_DELETED_ADMINISTRATOR => {
            (Q::RolesChanged, "took the administrator's role from")
        }
        A::IP_RESTRICTIONS_SETTINGS_UPDATED => (Q::AddressListChanged, "changed the list of allowed addresses"),
        A::PASSWORD_STRENGTH_SETTINGS_UPDATED => (Q::SignInChanged, "changed the rules for passwords"),
        A::TWO_FACTOR_AUTHENTICATION_SETTINGS_UPDATED => (Q::SignInChanged, "changed two-factor authentication"),
        A::SSO_ENABLED => (Q::SignInChanged, "switched single sign-on on"),
        A::SSO_DISABLED => (Q::SignInChanged, "switched single sign-on off"),
        A::PORTAL_ACCESS_SETTINGS_UPDATED => (Q::SignInChanged, "changed who may enter the portal"),
        A::COOKIE_SETTINGS_UPDATED => (Q::SignInChanged, "changed how long people stay signed in"),
        A::TWO_FACTOR_AUTHENTICATION_DISABLED => (Q::SignInChanged, "switched two-factor authentication off"),
        A::TWO_FACTOR_AUTHENTICATION_ENABLED_BY_SMS => {
            (Q::SignInChanged, "switched two-factor authentication by SMS on")
        }
        A::TWO_FACTOR_AUTHENTICATION_ENABLED_BY_TFA_APP => {
            (Q::SignInChanged, "switched two-factor authentication by app on")
        }
        A::LOGIN_SETTINGS_UPDATED => (Q::SignInChanged, "changed the rules for failed logins"),
        A::LDAP_ENABLED => (Q::SignInChanged, "switched sign-in by LDAP on"),
        A::LDAP_DISABLED => (Q::SignInChanged, "switched sign-in by LDAP off"),
        A::USER_DISCONNECTED_TFA_APP => (Q::SignInChanged, "took the second factor away from"),
        A::AUDIT_SETTINGS_UPDATED => (Q::AuditSettingsChanged, "changed how long the portal keeps events"),
        A::WEBHOOK_CREATED => (Q::KeysMade, "made a webhook"),
        A::WEBHOOK_UPDATED => (Q::KeysMade, "changed a webhook"),
        A::API_KEY_CREATED => (Q::KeysMade, "made an API key"),
        A::API_KEY_UPDATED => (Q::KeysMade, "changed an API key"),
        A::CREATE_CLIENT => (Q::KeysMade, "made an OAuth application"),
        A::UPDATE_CLIENT | A::CHANGE_CLIENT_ACTIVATION => (Q::KeysMade, "changed an OAuth application"),
        A::REGENERATE_SECRET => (Q::KeysMade, "made a new secret for an OAuth application"),
        A::GENERATE_AUTHORIZATION_CODE_TOKEN => (Q::KeysMade, "let an OAuth application in"),
        A::GENERATE_PERSONAL_ACCESS_TOKEN => (Q::KeysMade, "made a personal access token"),
        A::START_TRANSFER_SETTING => (Q::PortalMoved, "began to move the portal"),
        A::BACKUP_STARTED | A::SCHEDULED_BACKUP_STARTED => (Q::PortalMoved, "began a backup of the portal"),
        A::RESTORE_STARTED => (Q::PortalMoved, "began to restore the portal from a backup"),
        A::ROOM_DELETED => (Q::RoomsDeleted, "deleted a room for good"),
        A::USER_DATA_REASSIGNS => (Q::DataReassigned, "gave somebody else the data of"),
        A::USER_DATA_REMOVING => (Q::DataReassigned, "removed the data of"),
        A::USER_DELETED | A::USERS_DELETED => (Q::PeopleRemoved, "removed the account of"),
        A::USERS_UPDATED_STATUS => (Q::PeopleSwitchedOff, "disabled or enabled the account of"),
        A::FILE_SEND_ACCESS_LINK => (Q::ExternalLinks, "sent a link to a document"),
        A::ROOM_INVITATION_LINK_UPDATED => (Q::ExternalLinks, "changed a link that invites into a room"),
        A::ROOM_INVITATION_LINK_CREATED => (Q::ExternalLinks, "made a link that invites into a room"),
        A::ROOM_EXTERNAL_LINK_CREATED => (Q::ExternalLinks, "made a link to a room"),
        A::ROOM_EXTERNAL_LINK_UPDATED => (Q::ExternalLinks, "changed a link to a room"),
        A::FILE_EXTERNAL_LINK_CREATED => (Q::ExternalLinks, "made a link to a document"),
        A::FILE_EXTERNAL_LINK_UPDATED => (Q::ExternalLinks, "changed a link to a document"),
        A::FOLDER_EXTERNAL_LINK_CREATED => (Q::ExternalLinks, "made a link to a folder"),
        A::FOLDER_EXTERNAL_LINK_UPDATED => (Q::ExternalLinks, "changed a link to a folder"),
        A::LOGIN_HISTORY_REPORT_DOWNLOADED => (Q::ReportsTaken, "downloaded a report of all logins"),
        A::AUDIT_TRAIL_REPORT_DOWNLOADED => (Q::ReportsTaken, "downloaded a report of all events"),
        _ => return None,
    })
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
            assert_eq!(about(ActionId::by_name(name).unwrap()).map(|(question, _)| question), expected, "{name}");
        }
    }
}
