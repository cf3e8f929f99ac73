//! What the portal says happened: rows of the audit trail and of the login history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use crate::{ActionId, PortalText};

/// The portal's own account: background jobs, not a person.
pub const SYSTEM_ACCOUNT: Uuid = uuid!("a37ee56e-3302-4a7b-b67e-ddbea64cd032");

/// The account of everybody who is not signed in. Failed logins and anonymous editors carry it.
pub const GUEST_ACCOUNT: Uuid = uuid!("712d9ec3-5d2b-4b13-824f-71f00191dcca");

/// Whether an actor is the portal itself: the system account, or none at all (`DocsService`, `AutoCleanUp`, …).
pub fn is_robot(actor: Uuid) -> bool {
    actor == SYSTEM_ACCOUNT || actor.is_nil()
}

/// One row of the audit trail.
///
/// Neither `id` nor `at` alone is an order: ids are given at insertion, dates at creation. Sort by (`at`, `id`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The portal's row id, unique per portal.
    pub id: i64,
    /// When it happened. Up to one hour late for events of the repeated hour when clocks are set back.
    pub at: DateTime<Utc>,
    pub actor: Uuid,
    /// The actor's name of today, as the portal shows it to the reader. Join on `actor`, never on this.
    pub actor_name: PortalText,
    pub action: ActionId,
    /// The portal's sentence about it, in the reader's language. For people; never parsed.
    pub text: Option<PortalText>,
    /// A claim: any caller can set it, and IPv6 addresses are cut at the first colon.
    pub ip: Option<PortalText>,
    /// Ids of what was acted on; what they mean depends on the action.
    pub target: Vec<String>,
    /// Where: for entries in a room a localised prefix and the room's title of that moment.
    pub context: Option<PortalText>,
    /// Absent unless it was asked for: most readers do not need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<EventDetails>>,
}

/// Where a request came from and what sent it. All of it is a claim, see [`AuditEvent::ip`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventDetails {
    /// English name of the country that the address is registered in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<PortalText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<PortalText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<PortalText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PortalText>,
    /// The page it was done from, without the query and the fragment, which can hold secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PortalText>,
}

/// One row of the login history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginEvent {
    pub id: i64,
    pub at: DateTime<Utc>,
    /// [`GUEST_ACCOUNT`] when a password was wrong: then only `login` says who was meant.
    pub user: Uuid,
    pub user_name: PortalText,
    /// What was typed, for failed logins; absent for most successful ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<PortalText>,
    pub action: ActionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<PortalText>,
    /// A claim, see [`AuditEvent::ip`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<PortalText>,
    /// English name of the country that the address is registered in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PortalText>,
    /// The request itself said what `ip` to note, which nothing but a deliberate call does. It shows only in some of such requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ip_was_set: bool,
}
