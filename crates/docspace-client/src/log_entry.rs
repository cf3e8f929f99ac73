//! What an activity log says of an event.

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// An event that an activity log lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The same id as in the audit trail.
    pub event: i64,
    /// Up to an hour late on the day when clocks are set forward, unlike in the audit trail.
    pub at: DateTime<Utc>,
    /// The person or group whose membership changed, which the audit trail does not tell; `None` for other events, and for an
    /// account that was removed since.
    pub about: Option<Uuid>,
    /// What a renamed document or folder was called before, which the audit trail does not tell; `None` for other events.
    pub former_title: Option<PortalText>,
}
