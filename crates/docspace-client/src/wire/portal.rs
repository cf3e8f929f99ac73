//! What the portal says about itself and about the key that asks.

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::people::ShortPersonDto;
use super::{instant_if_any, maybe_instant};

#[derive(Deserialize)]
pub(crate) struct QuotaDto {
    /// Whether the audit filters work at all.
    #[serde(default)]
    pub(crate) audit: bool,
    #[serde(default)]
    pub(crate) free: bool,
    #[serde(default)]
    pub(crate) statistic: bool,
    /// Bytes; 0 and less mean none.
    #[serde(default, rename = "maxFileSize")]
    pub(crate) max_file_size: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SettingsDto {
    pub(crate) version: Option<String>,
    /// IANA id; only for callers who are signed in.
    pub(crate) timezone: Option<String>,
    /// Zero for callers who are not signed in.
    pub(crate) owner_id: Option<Uuid>,
    #[serde(default)]
    pub(crate) standalone: bool,
    pub(crate) tenant_status: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildDto {
    pub(crate) doc_space: Option<String>,
    /// Absent when no document server is configured.
    pub(crate) document_server: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyDto {
    #[serde(default)]
    pub(crate) name: PortalText,
    pub(crate) key_postfix: Option<PortalText>,
    /// Empty means everything, and so does its absence.
    #[serde(default)]
    pub(crate) permissions: Vec<String>,
    /// Absent for keys that nobody has used.
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) last_used: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) create_on: Option<DateTime<Utc>>,
    pub(crate) create_by: Option<ShortPersonDto>,
    /// Absent for keys that never expire.
    #[serde(default, deserialize_with = "instant_if_any")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) is_active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LifetimesDto {
    pub(crate) audit_trail_life_time: u32,
    pub(crate) login_history_life_time: u32,
}
