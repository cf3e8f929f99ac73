//! Names for the actions that programs speak of, so that no program owns a number of the portal's.

use crate::action::ActionId;

macro_rules! named {
    ($($constant:ident = $id:literal, $name:literal;)*) => {
        impl ActionId {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: ActionId = ActionId($id);)*
        }

        #[cfg(test)]
        const NAMED: &[(&str, ActionId, &str)] = &[$((stringify!($constant), ActionId::$constant, $name)),*];
    };
}

named! {
    LOGIN_FAIL_IP_SECURITY = 1009, "LoginFailIpSecurity";
    LOGIN_FAIL_BRUTE_FORCE = 1023, "LoginFailBruteForce";
    USER_UPDATED_LANGUAGE = 4007, "UserUpdatedLanguage";
    USER_ADDED_AVATAR = 4008, "UserAddedAvatar";
    USER_DELETED_AVATAR = 4009, "UserDeletedAvatar";
    USER_UPDATED_AVATAR_THUMBNAILS = 4010, "UserUpdatedAvatarThumbnails";
    USER_DELETED = 4018, "UserDeleted";
    USERS_UPDATED_TYPE = 4019, "UsersUpdatedType";
    USERS_UPDATED_STATUS = 4020, "UsersUpdatedStatus";
    USERS_DELETED = 4022, "UsersDeleted";
    GROUP_UPDATED = 4027, "GroupUpdated";
    USER_UPDATED_MOBILE_NUMBER = 4029, "UserUpdatedMobileNumber";
    USER_DATA_REASSIGNS = 4030, "UserDataReassigns";
    USER_DATA_REMOVING = 4031, "UserDataRemoving";
    USER_DISCONNECTED_TFA_APP = 4033, "UserDisconnectedTfaApp";
    FILE_CREATED = 5000, "FileCreated";
    FILE_RENAMED = 5001, "FileRenamed";
    FILE_UPDATED = 5002, "FileUpdated";
    FILE_DOWNLOADED = 5009, "FileDownloaded";
    FILE_DOWNLOADED_AS = 5010, "FileDownloadedAs";
    FILE_UPLOADED = 5011, "FileUploaded";
    FILE_IMPORTED = 5012, "FileImported";
    FILE_COPIED = 5013, "FileCopied";
    FILE_COPIED_WITH_OVERWRITING = 5014, "FileCopiedWithOverwriting";
    FILE_MOVED = 5015, "FileMoved";
    FILE_MOVED_WITH_OVERWRITING = 5016, "FileMovedWithOverwriting";
    FILE_MOVED_TO_TRASH = 5017, "FileMovedToTrash";
    FILE_DELETED = 5018, "FileDeleted";
    FOLDER_RENAMED = 5020, "FolderRenamed";
    FOLDER_COPIED = 5022, "FolderCopied";
    FOLDER_COPIED_WITH_OVERWRITING = 5023, "FolderCopiedWithOverwriting";
    FOLDER_MOVED = 5024, "FolderMoved";
    FOLDER_MOVED_WITH_OVERWRITING = 5025, "FolderMovedWithOverwriting";
    FOLDER_MOVED_TO_TRASH = 5026, "FolderMovedToTrash";
    FOLDER_DELETED = 5027, "FolderDeleted";
    USER_FILE_UPDATED = 5034, "UserFileUpdated";
    FILE_CONVERTED = 5035, "FileConverted";
    FILE_SEND_ACCESS_LINK = 5036, "FileSendAccessLink";
    START_TRANSFER_SETTING = 5040, "StartTransferSetting";
    BACKUP_STARTED = 5041, "BackupStarted";
    FILE_RESTORE_VERSION = 5044, "FileRestoreVersion";
    DOCUMENTS_STORE_FORCESAVE = 5048, "DocumentsStoreForcesave";
    DOCUMENTS_FORCESAVE = 5049, "DocumentsForcesave";
    FOLDER_DOWNLOADED = 5057, "FolderDownloaded";
    TRASH_EMPTIED = 5061, "TrashEmptied";
    FILE_REVISION_DOWNLOADED = 5062, "FileRevisionDownloaded";
    ROOM_DELETED = 5074, "RoomDeleted";
    ROOM_INVITATION_LINK_UPDATED = 5082, "RoomInvitationLinkUpdated";
    ROOM_CREATE_USER = 5085, "RoomCreateUser";
    ROOM_INVITATION_LINK_CREATED = 5086, "RoomInvitationLinkCreated";
    ROOM_EXTERNAL_LINK_CREATED = 5088, "RoomExternalLinkCreated";
    ROOM_EXTERNAL_LINK_UPDATED = 5089, "RoomExternalLinkUpdated";
    FILE_EXTERNAL_LINK_CREATED = 5091, "FileExternalLinkCreated";
    FILE_EXTERNAL_LINK_UPDATED = 5092, "FileExternalLinkUpdated";
    ROOM_GROUP_ADDED = 5094, "RoomGroupAdded";
    FILE_UPLOADED_WITH_OVERWRITING = 5099, "FileUploadedWithOverwriting";
    FILE_VERSION_REMOVED = 5119, "FileVersionRemoved";
    FOLDER_EXTERNAL_LINK_CREATED = 5122, "FolderExternalLinkCreated";
    FOLDER_EXTERNAL_LINK_UPDATED = 5123, "FolderExternalLinkUpdated";
    SCHEDULED_BACKUP_STARTED = 5127, "ScheduledBackupStarted";
    RESTORE_STARTED = 5132, "RestoreStarted";
    FORM_PARTIALLY_FILLED = 5151, "FormPartiallyFilled";
    FORM_COMPLETELY_FILLED = 5152, "FormCompletelyFilled";
    FILE_SAVED_BUT_USER_QUOTA_EXCEEDED = 5201, "FileSavedButUserQuotaExceeded";
    FILE_SAVED_BUT_ROOM_QUOTA_EXCEEDED = 5203, "FileSavedButRoomQuotaExceeded";
    LDAP_ENABLED = 5501, "LdapEnabled";
    LDAP_DISABLED = 5502, "LdapDisabled";
    PASSWORD_STRENGTH_SETTINGS_UPDATED = 6004, "PasswordStrengthSettingsUpdated";
    TWO_FACTOR_AUTHENTICATION_SETTINGS_UPDATED = 6005, "TwoFactorAuthenticationSettingsUpdated";
    ADMINISTRATOR_ADDED = 6009, "AdministratorAdded";
    ADMINISTRATOR_OPENED_FULL_ACCESS = 6010, "AdministratorOpenedFullAccess";
    ADMINISTRATOR_DELETED = 6011, "AdministratorDeleted";
    USERS_OPENED_PRODUCT_ACCESS = 6012, "UsersOpenedProductAccess";
    GROUPS_OPENED_PRODUCT_ACCESS = 6013, "GroupsOpenedProductAccess";
    PRODUCT_ACCESS_OPENED = 6014, "ProductAccessOpened";
    PRODUCT_ACCESS_RESTRICTED = 6015, "ProductAccessRestricted";
    PRODUCT_ADDED_ADMINISTRATOR = 6016, "ProductAddedAdministrator";
    PRODUCT_DELETED_ADMINISTRATOR = 6017, "ProductDeletedAdministrator";
    OWNER_SENT_CHANGE_OWNER_INSTRUCTIONS = 6021, "OwnerSentChangeOwnerInstructions";
    OWNER_UPDATED = 6022, "OwnerUpdated";
    OWNER_SENT_PORTAL_DEACTIVATION_INSTRUCTIONS = 6023, "OwnerSentPortalDeactivationInstructions";
    OWNER_SENT_PORTAL_DELETE_INSTRUCTIONS = 6024, "OwnerSentPortalDeleteInstructions";
    PORTAL_DEACTIVATED = 6025, "PortalDeactivated";
    PORTAL_DELETED = 6026, "PortalDeleted";
    LOGIN_HISTORY_REPORT_DOWNLOADED = 6027, "LoginHistoryReportDownloaded";
    AUDIT_TRAIL_REPORT_DOWNLOADED = 6028, "AuditTrailReportDownloaded";
    SSO_ENABLED = 6029, "SSOEnabled";
    SSO_DISABLED = 6030, "SSODisabled";
    PORTAL_ACCESS_SETTINGS_UPDATED = 6031, "PortalAccessSettingsUpdated";
    COOKIE_SETTINGS_UPDATED = 6032, "CookieSettingsUpdated";
    AUDIT_SETTINGS_UPDATED = 6035, "AuditSettingsUpdated";
    TWO_FACTOR_AUTHENTICATION_DISABLED = 6036, "TwoFactorAuthenticationDisabled";
    TWO_FACTOR_AUTHENTICATION_ENABLED_BY_SMS = 6037, "TwoFactorAuthenticationEnabledBySms";
    TWO_FACTOR_AUTHENTICATION_ENABLED_BY_TFA_APP = 6038, "TwoFactorAuthenticationEnabledByTfaApp";
    FORM_SUBMIT = 6046, "FormSubmit";
    WEBHOOK_CREATED = 6055, "WebhookCreated";
    WEBHOOK_UPDATED = 6056, "WebhookUpdated";
    API_KEY_CREATED = 6058, "ApiKeyCreated";
    API_KEY_UPDATED = 6059, "ApiKeyUpdated";
    IP_RESTRICTIONS_SETTINGS_UPDATED = 6094, "IPRestrictionsSettingsUpdated";
    LOGIN_SETTINGS_UPDATED = 6095, "LoginSettingsUpdated";
    CREATE_CLIENT = 9901, "CreateClient";
    UPDATE_CLIENT = 9902, "UpdateClient";
    REGENERATE_SECRET = 9903, "RegenerateSecret";
    CHANGE_CLIENT_ACTIVATION = 9905, "ChangeClientActivation";
    GENERATE_AUTHORIZATION_CODE_TOKEN = 9908, "GenerateAuthorizationCodeToken";
    GENERATE_PERSONAL_ACCESS_TOKEN = 9909, "GeneratePersonalAccessToken";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_called_as_the_portal_calls_its_actions() {
        for (constant, action, name) in NAMED {
            assert_eq!(action.info().map(|info| info.name), Some(*name), "{constant}");
            assert_eq!(constant.replace('_', "").to_lowercase(), name.to_lowercase());
        }
    }
}
