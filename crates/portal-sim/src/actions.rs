//! The portal's table of actions: numbers, names, what the audit trail says about each.
//!
//! `fixtures/message-actions.json` is the whole table of portal 3.7.2; the English texts here are a small selection.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// One action of the portal.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    pub(crate) id: i32,
    pub(crate) name: String,
    product: Option<String>,
    location: Option<String>,
    action_type: Option<String>,
    entry_types: Vec<String>,
    kind: String,
}

/// An enumeration of the portal: names and numbers.
pub(crate) type Names = &'static [(&'static str, i32)];

/// What an action does.
pub(crate) const ACTION_TYPES: Names = &[
    ("None", 0),
    ("Create", 1),
    ("Update", 2),
    ("Delete", 3),
    ("Link", 4),
    ("Unlink", 5),
    ("Attach", 6),
    ("Detach", 7),
    ("Send", 8),
    ("Import", 9),
    ("Export", 10),
    ("UpdateAccess", 11),
    ("Download", 12),
    ("Upload", 13),
    ("Copy", 14),
    ("Move", 15),
    ("Reassigns", 16),
    ("Follow", 17),
    ("Unfollow", 18),
    ("Logout", 19),
];

/// Where an action happens; the query calls it `moduleType`.
pub(crate) const LOCATIONS: Names = &[
    ("None", 0),
    ("Files", 1),
    ("Folders", 2),
    ("DocumentsSettings", 3),
    ("Rooms", 27),
    ("Settings", 29),
    ("Contacts", 30),
    ("Agents", 31),
];

/// The parts of the portal that have actions.
pub(crate) const PRODUCTS: Names = &[("Documents", 2), ("Login", 3), ("Settings", 7), ("Contacts", 8)];

/// What an audit event is about.
pub(crate) const ENTRY_TYPES: Names =
    &[("None", 0), ("File", 1), ("Folder", 2), ("User", 23), ("Group", 24), ("Room", 25), ("Tag", 26), ("Agent", 27)];

static TABLE: LazyLock<BTreeMap<i32, Action>> = LazyLock::new(|| {
    let list: Vec<Action> = serde_json::from_str(include_str!("../../../fixtures/message-actions.json"))
        .expect("the table of actions is valid JSON");
    list.into_iter().map(|action| (action.id, action)).collect()
});

/// The English texts that are known; elsewhere the action's name stands in.
static TEXTS: LazyLock<BTreeMap<i32, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/action-texts.json")).expect("the texts in this crate are valid JSON")
});

/// The action with this number, if the portal has one.
pub(crate) fn find(id: i32) -> Option<&'static Action> {
    TABLE.get(&id)
}

/// All actions, by number.
pub(crate) fn all() -> impl Iterator<Item = &'static Action> {
    TABLE.values()
}

/// The number of the action with this name, in any case.
pub(crate) fn id_of(name: &str) -> Option<i32> {
    TABLE.values().find(|action| action.name.eq_ignore_ascii_case(name)).map(|action| action.id)
}

impl Action {
    /// Whether the audit list can show it; rows of other actions are stored and never seen.
    pub(crate) fn is_mapped(&self) -> bool {
        self.kind != "unmapped"
    }

    /// Wire number of the product. Login actions show 0 in the audit list.
    pub(crate) fn product(&self) -> i32 {
        if self.kind == "login" { 0 } else { number(PRODUCTS, self.product.as_deref()) }
    }

    pub(crate) fn location(&self) -> i32 {
        number(LOCATIONS, self.location.as_deref())
    }

    pub(crate) fn action_type(&self) -> i32 {
        number(ACTION_TYPES, self.action_type.as_deref())
    }

    pub(crate) fn entries(&self) -> Vec<i32> {
        self.entry_types.iter().map(|name| number(ENTRY_TYPES, Some(name))).collect()
    }

    /// Whether its target is a file.
    pub(crate) fn is_about_files(&self) -> bool {
        self.location.as_deref() == Some("Files")
    }

    /// Whether it belongs to the Documents product, whose events may carry a room.
    pub(crate) fn is_documents(&self) -> bool {
        self.product.as_deref() == Some("Documents")
    }

    /// The English name of the location, which is the `context` of an event outside rooms.
    pub(crate) fn location_text(&self) -> Option<&'static str> {
        Some(match self.location.as_deref()? {
            "Files" => "Files",
            "Folders" => "Folders",
            "Rooms" => "Rooms",
            "Contacts" => "Contacts",
            "Agents" => "AI agents",
            _ => "Settings",
        })
    }

    /// The English format of the `action` text; `{0}`, `{1}` … stand for the stored texts.
    pub(crate) fn format(&self) -> &str {
        TEXTS.get(&self.id).unwrap_or(&self.name)
    }
}

fn number(names: Names, name: Option<&str>) -> i32 {
    name.and_then(|name| names.iter().find(|(known, _)| *known == name)).map_or(0, |(_, number)| *number)
}

/// The actions that a room's activity log shows (audit.md lists no others): everything else leaves no trace there.
const TRACKED: &[i32] = &[
    5000, 5001, 5006, 5007, 5011, 5013, 5014, 5015, 5016, 5017, 5018, 5019, 5020, 5022, 5023, 5024, 5025, 5026, 5027,
    5034, 5035, 5044, 5070, 5071, 5072, 5073, 5075, 5078, 5079, 5080, 5081, 5084, 5085, 5088, 5090, 5094, 5095, 5096,
    5097, 5098, 5099, 5100, 5102, 5103, 5106, 5107, 5108, 5109, 5110, 5111, 5112, 5113, 5114, 5115, 5116, 5117, 5118,
    5119, 5120, 5121, 5150, 5151, 5152, 5153, 5154, 5155, 5159, 5201, 5202, 5203, 5204, 6046, 6047,
];

/// Whether events of this action stand in the activity log of their room.
pub(crate) fn is_tracked(id: i32) -> bool {
    TRACKED.binary_search(&id).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_known() {
        assert_eq!(TABLE.len(), 334);
        assert_eq!(TABLE.values().filter(|action| action.is_mapped()).count(), 322);
        for action in TABLE.values() {
            assert!(
                action.product.as_deref().is_none_or(|name| number(PRODUCTS, Some(name)) != 0),
                "product of {}",
                action.name
            );
            assert!(action.location.is_none() || action.location() != 0, "location of {}", action.name);
            assert!(action.action_type.is_none() || action.action_type() != 0, "type of {}", action.name);
        }
        assert!(TRACKED.is_sorted());
        assert!(TRACKED.iter().all(|id| find(*id).is_some()));
    }
}
