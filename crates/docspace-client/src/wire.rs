//! The portal's JSON, in the portal's names. Tolerant: unknown members are ignored, and only what no event can do without is
//! required. Members are absent, not null, when the portal has nothing to say.

use audit_model::{ActionId, AuditEvent, LoginEvent, PortalText, RoomId};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

use crate::LogEntry;

/// The success envelope. `count` is left out: it is 1 for many lists, whatever they hold. `links` echoes the request.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct Envelope<T> {
    pub(crate) response: Option<T>,
    /// Rows that match in all; only some lists have it.
    pub(crate) total: Option<i64>,
}

/// Text form: portal-local time with seven digits and an offset. A missing offset means UTC.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_instant(&text).ok_or_else(|| de::Error::custom("a date that is not ISO 8601"))
}

fn maybe_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(parse_instant))
}

fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    zoned.ok().or_else(|| Some(text.parse::<NaiveDateTime>().ok()?.and_utc()))
}

/// Some texts are empty where others are absent: the sentence of an action without one, an IPv6 address that was cut.
fn said(text: &PortalText) -> bool {
    !text.raw().is_empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEventDto {
    id: i64,
    #[serde(deserialize_with = "instant")]
    date: DateTime<Utc>,
    #[serde(default)]
    user: PortalText,
    #[serde(default)]
    user_id: Uuid,
    action: Option<PortalText>,
    action_id: ActionId,
    ip: Option<PortalText>,
    #[serde(default)]
    target: Vec<String>,
    context: Option<PortalText>,
}

impl AuditEventDto {
    /// The members that [`AuditEvent`] needs, and `errors`, without which a refused request loses its explanation.
    pub(crate) const FIELDS: &str = "id,date,user,userId,action,actionId,ip,target,context,errors";
}

impl From<AuditEventDto> for AuditEvent {
    fn from(dto: AuditEventDto) -> Self {
        AuditEvent {
            id: dto.id,
            at: dto.date,
            actor: dto.user_id,
            actor_name: dto.user,
            action: dto.action_id,
            text: dto.action.filter(said),
            ip: dto.ip.filter(said),
            target: dto.target,
            context: dto.context,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginEventDto {
    id: i64,
    #[serde(deserialize_with = "instant")]
    date: DateTime<Utc>,
    #[serde(default)]
    user: PortalText,
    #[serde(default)]
    user_id: Uuid,
    login: Option<PortalText>,
    action: Option<PortalText>,
    action_id: ActionId,
    ip: Option<PortalText>,
    country: Option<PortalText>,
    city: Option<PortalText>,
    browser: Option<PortalText>,
    platform: Option<PortalText>,
}

impl LoginEventDto {
    pub(crate) const FIELDS: &str = "id,date,user,userId,login,action,actionId,ip,country,city,browser,platform,errors";
}

impl From<LoginEventDto> for LoginEvent {
    fn from(dto: LoginEventDto) -> Self {
        LoginEvent {
            id: dto.id,
            at: dto.date,
            user: dto.user_id,
            user_name: dto.user,
            login: dto.login,
            action: dto.action_id,
            text: dto.action.filter(said),
            ip: dto.ip.filter(said),
            country: dto.country.filter(said),
            city: dto.city.filter(said),
            browser: dto.browser.filter(said),
            platform: dto.platform.filter(said),
        }
    }
}

/// A room or any other folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomDto {
    pub(crate) id: Option<RoomId>,
    #[serde(default)]
    pub(crate) title: PortalText,
    /// Absent for folders that are no rooms.
    pub(crate) room_type: Option<i32>,
    /// 14 for active rooms, 20 for archived ones.
    pub(crate) root_folder_type: Option<i32>,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) created: Option<DateTime<Utc>>,
}

/// The room list is one object, so the envelope's own numbers say nothing about it.
#[derive(Deserialize)]
pub(crate) struct RoomListDto {
    #[serde(default)]
    pub(crate) folders: Vec<RoomDto>,
    pub(crate) total: i64,
}

/// An item of a room's activity log. Events that the page grouped under it are in `related`.
#[derive(Deserialize)]
pub(crate) struct LogItemDto {
    id: i64,
    #[serde(default, deserialize_with = "maybe_instant")]
    date: Option<DateTime<Utc>>,
    /// Elements can be null.
    #[serde(default)]
    related: Vec<Option<LogItemDto>>,
}

impl LogItemDto {
    /// The item and everything grouped under it; `undated` is the date of what has none.
    pub(crate) fn flatten(&self, undated: DateTime<Utc>) -> Vec<LogEntry> {
        let related = self.related.iter().flatten().flat_map(|item| item.flatten(undated));
        related.chain([LogEntry { event: self.id, at: self.date.unwrap_or(undated) }]).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonDto {
    pub(crate) id: Uuid,
    #[serde(default)]
    pub(crate) first_name: String,
    #[serde(default)]
    pub(crate) last_name: String,
    /// HTML-encoded, unlike the two above.
    #[serde(default)]
    pub(crate) display_name: String,
    pub(crate) email: Option<PortalText>,
    /// 1 active, 2 disabled, 4 invited.
    pub(crate) status: Option<i32>,
    /// False for the owner.
    #[serde(default)]
    pub(crate) is_admin: bool,
    #[serde(default)]
    pub(crate) is_owner: bool,
}

#[derive(Deserialize)]
pub(crate) struct QuotaDto {
    /// Whether the audit filters work at all.
    #[serde(default)]
    pub(crate) audit: bool,
}

#[derive(Deserialize)]
pub(crate) struct SettingsDto {
    pub(crate) version: Option<String>,
    /// IANA id; only for callers who are signed in.
    pub(crate) timezone: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_zone_is_utc_and_seven_digits_are_read() {
        let expected: DateTime<Utc> = "2025-01-31T07:00:00.1234567Z".parse().unwrap();
        for text in ["2025-01-31T10:00:00.1234567+03:00", "2025-01-31T07:00:00.1234567Z", "2025-01-31T07:00:00.1234567"]
        {
            assert_eq!(parse_instant(text), Some(expected), "{text}");
        }
        assert_eq!(parse_instant("01/31/2025"), None);
    }

    #[test]
    fn a_row_needs_only_its_id_date_and_action() {
        let row = r#"{"id":1,"date":"2025-01-31T07:00:00.0000000Z","actionId":59999,"newMember":{"a":[1]}}"#;
        let event: AuditEvent = serde_json::from_str::<AuditEventDto>(row).unwrap().into();
        assert_eq!((event.id, event.action, event.target.len(), event.context), (1, ActionId(59_999), 0, None));
    }
}
