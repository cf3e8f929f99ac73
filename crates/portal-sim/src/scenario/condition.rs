//! The state of the portal as a whole: whether it runs, what its plan and its deployment hide, who may enter.

use chrono::{DateTime, Utc};

use serde::Deserialize;
use uuid::Uuid;

use super::model::Person;
use super::row::Reference;

/// How long events are kept in view unless the portal says otherwise, in days.
const LIFETIME_DAYS: i32 = 180;

/// Everything about the portal that is no content.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Whether the portal runs.
    pub tenant: TenantState,
    /// The plan is not paid.
    pub unpaid: bool,
    /// The deployment hides the login history, and with it the audit trail.
    pub history_hidden: bool,
    /// Every query of the database fails.
    pub database_down: bool,
    /// Which addresses may enter.
    pub restrictions: Restrictions,
    /// Days that `audit/events/last` looks back, 1 to 180.
    pub audit_lifetime: i32,
    /// Days that logins are kept, 1 to 180.
    pub login_lifetime: i32,
    /// Accounts of other portals of the same installation: the login history knows their names, the audit trail not.
    pub elsewhere: Vec<Person>,
    /// Rows of one date come in the same order on every page, as from a database that reads them by an index.
    pub stable_order: bool,
    /// Folders and files that are known by their place only; rooms need not be listed.
    pub entries: Vec<Entry>,
    /// How the reader's language calls the places before the titles.
    pub words: Words,
    /// What the portal calls its time zone, where that is another name than that of the zone which it follows.
    pub zone_name: Option<String>,
    /// Members whose only right in a room is to fill forms: the room, then the person.
    pub fillers: Vec<(i32, Uuid)>,
}

/// A folder or file known by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// What it is.
    pub reference: Reference,
    /// The folder or room it is in; `None` for a section such as "My documents".
    pub parent: Option<i32>,
}

impl Default for Condition {
    fn default() -> Condition {
        Condition {
            tenant: TenantState::Active,
            unpaid: false,
            history_hidden: false,
            database_down: false,
            restrictions: Restrictions::default(),
            audit_lifetime: LIFETIME_DAYS,
            login_lifetime: LIFETIME_DAYS,
            elsewhere: Vec::new(),
            stable_order: false,
            entries: Vec::new(),
            words: Words::default(),
            zone_name: None,
            fillers: Vec::new(),
        }
    }
}

/// What stands before the titles of places in the audit trail, in the language of whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Before the titles of rooms.
    pub rooms: String,
    /// Before the titles of AI agents.
    pub agents: String,
}

impl Default for Words {
    fn default() -> Words {
        Words { rooms: "Rooms".to_owned(), agents: "AI agents".to_owned() }
    }
}

/// Whether the portal runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TenantState {
    /// It does.
    #[default]
    Active,
    /// Switched off by its owner, or about to be removed.
    Suspended,
    /// Being restored, moved or encrypted.
    Restoring,
    /// No portal has this address.
    Unknown,
}

/// The IP restrictions.
#[derive(Debug, Clone, Default)]
pub struct Restrictions {
    /// The list, in the order of the table.
    pub entries: Vec<Restriction>,
    /// The switch.
    pub enabled: bool,
    /// When the switch was last changed; `None` means never.
    pub changed: Option<DateTime<Utc>>,
    /// A failure while saving the switch is swallowed: it stays as it is and the answer is 200.
    pub switch_is_stuck: bool,
    /// The deployment switches the whole feature off and does not say so.
    pub hidden: bool,
    /// The highest id given so far.
    pub last_id: i64,
    /// The proxies before the portal take a caller's address from any `X-Forwarded-For` that the caller sends.
    pub trusts_callers: bool,
    /// List and switch as they were before each change while the portal runs, oldest first.
    pub earlier: Vec<(Vec<Restriction>, bool)>,
}

impl Restrictions {
    /// The list and the switch before so many of the latest changes; as they began, if there were fewer.
    pub(crate) fn before(&self, changes: usize) -> (&[Restriction], bool) {
        let earlier = self.earlier.len().saturating_sub(changes);
        self.earlier.get(earlier).map_or((&self.entries, self.enabled), |(entries, enabled)| (entries, *enabled))
    }
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// Its number; new with every change of the list.
    pub id: i64,
    /// The address as sent.
    pub ip: String,
    /// Counts for administrators only.
    pub for_admin: bool,
}
