//! The portal's actions, and what kind of act each of them is.
//!
//! Classification goes by the action's number. The `actionType` that the portal sends beside it is not used: it calls opening a
//! document an update and giving somebody access to a room an update too.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action_info::{ActionInfo, EntryKind, Location};
use crate::action_table::ACTIONS;

/// Number of an action, as in `actionId`. Unknown numbers are ordinary: newer servers have more actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub i32);

/// The lowest number.
const FIRST: i32 = ACTIONS[0].id;

/// From the lowest number to the highest.
const SPAN: usize = (ACTIONS[ACTIONS.len() - 1].id - FIRST) as usize + 1;

/// Where each number stands in the table, those that do not behind its end: it is asked several times of every event.
static PLACES: [u16; SPAN] = {
    let mut places = [u16::MAX; SPAN];
    let mut place = 0;
    while place < ACTIONS.len() {
        places[(ACTIONS[place].id - FIRST) as usize] = place as u16;
        place += 1;
    }
    places
};

/// What a person did to a document, as rules count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActClass {
    /// Opened or viewed.
    View,
    /// Bytes left the portal.
    Download,
    /// Content, name, place or properties changed, copies and new entries included.
    Change,
    /// Gone or in the trash.
    Delete,
    /// Links and rights of single entries, links of rooms.
    Share,
    /// Who is in a room, and as what.
    Membership,
}

impl ActionId {
    /// What is known about the action; `None` for a number newer than this program.
    pub fn info(self) -> Option<&'static ActionInfo> {
        let place = PLACES.get(usize::try_from(self.0.checked_sub(FIRST)?).ok()?)?;
        ACTIONS.get(usize::from(*place))
    }

    /// The action with this name of the portal's, for instance `FileDownloaded`.
    pub fn by_name(name: &str) -> Option<ActionId> {
        ACTIONS.iter().find(|info| info.name == name).map(|info| ActionId(info.id))
    }

    /// The class of act, or `None` for what is no act on a document or a room: settings, marks as read or as favourite, saves
    /// that the portal refused, and changes of the index, of which moving one document writes one for each that follows it.
    pub fn class(self) -> Option<ActClass> {
        use ActClass::{Change, Delete, Download, Membership, Share, View};
        Some(match self.0 {
            5054 | 5064 | 6047 => View,
            5009 | 5010 | 5057 | 5062 | 5106 => Download,
            // new bytes
            5000 | 5002 | 5011 | 5012 | 5034 | 5035 | 5044 | 5099 | 5151 | 5152 | 5201 | 5203 | 6046 => Change,
            // copied, moved, renamed, archived
            5001 | 5013..=5016 | 5020 | 5022..=5025 | 5071..=5073 | 5100 => Change,
            // new containers
            5019 | 5070 => Change,
            // properties of entries and rooms
            5003..=5007 | 5078..=5081 | 5109 | 5110 | 5112..=5117 | 5120 | 5121 | 5150 | 5153 => Change,
            5017 | 5018 | 5026 | 5027 | 5061 | 5074 | 5119 => Delete,
            5008 | 5021 | 5036 | 5043 | 5058..=5060 | 5066 | 5068 | 5082 | 5086..=5093 | 5097 | 5122..=5124 => Share,
            5075 | 5084 | 5085 | 5094..=5096 | 5118 | 5159 => Membership,
            _ => return None,
        })
    }

    /// Whether it is a login that succeeded, by whatever means. The use of an API key is none.
    pub fn is_successful_login(self) -> bool {
        matches!(self.0, 1000 | 1001 | 1007 | 1010..=1012 | 1015 | 1019 | 1021 | 1024 | 1027..=1029)
    }

    /// Whether somebody tried to sign in and could not.
    pub fn is_failed_login(self) -> bool {
        matches!(self.0, 1002..=1005 | 1008 | 1009 | 1013 | 1014 | 1018 | 1020 | 1022 | 1023 | 1025 | 1026)
    }

    /// Whether somebody was turned away whatever they typed: after too many tries, or because of the address they came from.
    pub fn is_blocked_login(self) -> bool {
        matches!(self, ActionId::LOGIN_FAIL_IP_SECURITY | ActionId::LOGIN_FAIL_BRUTE_FORCE)
    }

    /// Whether accounts were removed; the targets are their ids.
    pub fn is_removal_of_people(self) -> bool {
        matches!(self, ActionId::USER_DELETED | ActionId::USERS_DELETED)
    }

    /// Whether it is about who administers the portal or owns it. The portal files such actions under its settings.
    pub fn is_about_administrators(self) -> bool {
        (ActionId::ADMINISTRATOR_ADDED..=ActionId::PRODUCT_DELETED_ADMINISTRATOR).contains(&self)
            || matches!(self, ActionId::OWNER_SENT_CHANGE_OWNER_INSTRUCTIONS | ActionId::OWNER_UPDATED)
    }

    /// Whether somebody changed language, picture or telephone number, mostly their own. It changes nobody's rights.
    pub fn is_about_profile(self) -> bool {
        matches!(
            self,
            ActionId::USER_UPDATED_LANGUAGE
                | ActionId::USER_ADDED_AVATAR
                | ActionId::USER_DELETED_AVATAR
                | ActionId::USER_UPDATED_AVATAR_THUMBNAILS
                | ActionId::USER_UPDATED_MOBILE_NUMBER
        )
    }

    /// Whether the document server saved what several people may have written together: such an event names the first of them, and
    /// the address of whoever opened the document.
    pub fn is_saved_by_editor(self) -> bool {
        matches!(self.0, 5034 | 5151 | 5152 | 5201..=5204 | 6046)
    }

    /// Whether the event is about a room itself, so that its first target is the room's id. False for agents, which use the same
    /// kind of entry.
    pub fn is_about_room(self) -> bool {
        !self.is_about_agent()
            && self
                .info()
                .is_some_and(|info| info.location == Some(Location::Rooms) && info.entries == [EntryKind::Room])
    }

    /// Whether the event is about an AI agent itself, so that its first target is the agent's id.
    pub fn is_about_agent(self) -> bool {
        (5154..=5158).contains(&self.0)
    }

    /// The actions whose events name a room or an agent with its id: the only ones that tell of rooms.
    pub fn naming_rooms() -> impl Iterator<Item = ActionId> {
        let known = ACTIONS.iter().map(|info| ActionId(info.id));
        known.filter(|action| action.is_about_room() || action.is_about_agent())
    }

    /// The actions whose events are about tags.
    pub fn about_tags() -> impl Iterator<Item = ActionId> {
        ACTIONS.iter().map(|info| ActionId(info.id)).filter(|action| action.is_about_tag())
    }

    /// Whether the event says that a room was deleted for good.
    pub fn is_deletion_of_room(self) -> bool {
        self.0 == 5074
    }

    /// Whether the event is about a tag. Its context can be forged by the tag's name, so it says nothing about rooms.
    pub fn is_about_tag(self) -> bool {
        self.info().is_some_and(|info| info.entries.contains(&EntryKind::Tag))
    }

    /// Whether it was done to a folder, or to a room as a folder, with all that it holds: the portal writes this one event, and none
    /// for the documents inside.
    pub fn is_about_whole_folder(self) -> bool {
        matches!(self.0, 5022..=5027 | 5057 | 5074)
    }

    /// Whether something new came that was not in the portal before: it takes nothing away and changes nothing.
    pub fn is_addition(self) -> bool {
        matches!(self.0, 5000 | 5011 | 5012 | 5019)
    }

    /// Whether it moved or copied something. Where that was from one room or section to another, the portal writes two such events:
    /// first as seen from the destination, then as seen from the source.
    pub fn is_move_or_copy(self) -> bool {
        matches!(self.0, 5013..=5016 | 5022..=5025)
    }

    /// Whether the activity log of a room shows such events. Downloads, openings and content replaced through the API are the
    /// ones it never shows.
    pub fn is_in_room_log(self) -> bool {
        matches!(self.0,
            5000 | 5001 | 5006 | 5007 | 5011 | 5013..=5020 | 5022..=5027 | 5034 | 5035 | 5044 | 5070..=5073 | 5075
            | 5078..=5081 | 5084 | 5085 | 5088 | 5090 | 5094..=5100 | 5102 | 5103 | 5106..=5121 | 5150..=5155 | 5159
            | 5201..=5204 | 6046 | 6047)
    }
}

impl ActionId {
    /// What was done, in plain words, and to what: `opened` and `file`, `moved to trash` and `folder`. An action that is about no
    /// entry, and one that this program does not know, has the portal's name or its number.
    pub fn in_words(self) -> (String, Option<&'static str>) {
        let entry = self.info().and_then(|info| info.entries.first());
        let (Some(entry), Some(info)) = (entry, self.info()) else { return (self.to_string(), None) };
        let words = words(info.name);
        let done = match info.name {
            "FileReaded" => "opened",
            _ => words.strip_prefix(&format!("{} ", entry.word())).unwrap_or(&words),
        };
        (done.to_owned(), Some(entry.word()))
    }
}

/// `moved to trash` of `MovedToTrash`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

impl fmt::Display for ActionId {
    /// The portal's name of the action, or its number when this program does not know it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(info) => f.write_str(info.name),
            None => write!(f, "action {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::action_info::RecordedIn;

    /// A row of the portal's own table, made by running the server's mappers.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        id: i32,
        name: String,
        location: Option<String>,
        entry_types: Vec<String>,
        kind: String,
    }

    fn portal_table() -> Vec<Row> {
        serde_json::from_str(include_str!("../../../fixtures/message-actions.json")).unwrap()
    }

    #[test]
    fn the_table_is_the_portals() {
        let portal: Vec<Row> = portal_table().into_iter().filter(|row| row.id >= 0).collect();
        assert_eq!(portal.len(), ACTIONS.len());
        for (row, info) in portal.iter().zip(ACTIONS) {
            assert_eq!((row.id, row.name.as_str()), (info.id, info.name));
            assert_eq!(row.kind, format!("{:?}", info.kind).to_lowercase(), "{}", row.name);
            assert_eq!(row.location, info.location.map(|l| format!("{l:?}")), "{}", row.name);
            let entries: Vec<String> = info.entries.iter().map(|e| format!("{e:?}")).collect();
            assert_eq!(row.entry_types, entries, "{}", row.name);
        }
    }

    #[test]
    fn only_audit_actions_have_a_class() {
        for row in portal_table() {
            assert!(ActionId(row.id).class().is_none() || row.kind == "audit", "{} {}", row.id, row.name);
        }
        let classes = ACTIONS.iter().filter_map(|info| ActionId(info.id).class().map(|class| (class, info)));
        let mut lines: Vec<String> =
            classes.map(|(class, info)| format!("{class:?} {} {}", info.id, info.name)).collect();
        lines.sort();
        insta::assert_snapshot!("classes", lines.join("\n"));
    }

    #[test]
    fn actions_are_told_in_plain_words() {
        for (action, done, entry) in [
            (5064, "opened", Some("file")),
            (5054, "opened for change", Some("file")),
            (5026, "moved to trash", Some("folder")),
            (4022, "users deleted", Some("user")),
            (1009, "LoginFailIpSecurity", None),
            (99_999, "action 99999", None),
        ] {
            assert_eq!(ActionId(action).in_words(), (done.to_owned(), entry));
        }
    }

    #[test]
    fn an_action_of_a_newer_server_is_named_by_its_number() {
        assert_eq!(ActionId(59_999).to_string(), "action 59999");
        assert_eq!(ActionId(59_999).class(), None);
        assert_eq!(ActionId(5009).to_string(), "FileDownloaded");
        assert_eq!(ActionId::by_name("FileDownloaded"), Some(ActionId(5009)));
        assert_eq!(ActionId::by_name("filedownloaded"), None);
    }

    #[test]
    fn room_events_name_their_room_and_agents_are_no_rooms() {
        assert!(ActionId(5071).is_about_room());
        assert!(!ActionId(5155).is_about_room());
        assert!(!ActionId(5154).is_about_room());
        assert!(!ActionId(5076).is_about_room() && ActionId(5076).is_about_tag());
        assert!(!ActionId(5009).is_about_room());
    }

    #[test]
    fn logins_succeed_or_fail_as_their_names_say() {
        for info in ACTIONS.iter().filter(|info| info.kind == RecordedIn::Login) {
            let action = ActionId(info.id);
            let succeeds = info.name.starts_with("LoginSucces") || info.name == "AuthLinkActivated";
            assert_eq!(action.is_successful_login(), succeeds, "{}", info.name);
            assert_eq!(action.is_failed_login(), info.name.starts_with("LoginFail"), "{}", info.name);
        }
    }

    #[test]
    fn people_and_rights_are_told_by_their_names() {
        for info in ACTIONS {
            let (action, name) = (ActionId(info.id), info.name);
            assert_eq!(action.is_removal_of_people(), ["UserDeleted", "UsersDeleted"].contains(&name), "{name}");
            let blocked = ["LoginFailIpSecurity", "LoginFailBruteForce"];
            assert_eq!(action.is_blocked_login(), blocked.contains(&name), "{name}");
            assert!(action.is_failed_login() || !action.is_blocked_login(), "{name}");
            let is_about_rights = ["Administrator", "Product", "OwnerSentChangeOwner", "OwnerUpdated"];
            // what administrators are asked, and which parts the portal has
            let is_other = ["AdministratorMessageSettingsUpdated", "ProductsListUpdated"].contains(&name);
            let named = !is_other && is_about_rights.iter().any(|word| name.contains(word));
            assert_eq!(action.is_about_administrators(), named, "{name}");
            let profile = ["Avatar", "UserUpdatedLanguage", "UserUpdatedMobileNumber"];
            let named = profile.iter().any(|word| name.contains(word));
            assert_eq!(action.is_about_profile(), named, "{name}");
        }
    }

    #[test]
    fn whole_folders_and_moves_are_told_by_their_names() {
        for info in ACTIONS {
            let action = ActionId(info.id);
            let is_folder = info.name.starts_with("Folder") || info.name == "RoomDeleted";
            let whole = ["Copied", "Moved", "Downloaded", "FolderDeleted", "RoomDeleted"];
            let named = is_folder && whole.iter().any(|word| info.name.contains(word));
            assert_eq!(action.is_about_whole_folder(), named, "{}", info.name);
            let moved = ["FileMoved", "FileCopied", "FolderMoved", "FolderCopied"];
            let named = moved.iter().any(|word| info.name.starts_with(word)) && !info.name.ends_with("ToTrash");
            assert_eq!(action.is_move_or_copy(), named, "{}", info.name);
        }
    }

    #[test]
    fn the_room_log_shows_no_downloads() {
        assert!(ActionId(5011).is_in_room_log());
        for unseen in [5009, 5010, 5057, 5062, 5064, 5054, 5002, 5003, 5089, 5074] {
            assert!(!ActionId(unseen).is_in_room_log(), "{unseen}");
        }
    }
}
