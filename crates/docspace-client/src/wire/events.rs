//! Rows of the audit trail, of the login history and of activity logs.

use audit_model::{ActionId, AuditEvent, EventDetails, LoginEvent, PortalText};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{instant, maybe_instant};
use crate::LogEntry;

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
    country: Option<PortalText>,
    city: Option<PortalText>,
    browser: Option<PortalText>,
    platform: Option<PortalText>,
    page: Option<PortalText>,
}

impl AuditEventDto {
    /// The members that [`AuditEvent`] needs, and `errors`, without which a refused request loses its explanation.
    pub(crate) const FIELDS: &str = "id,date,user,userId,action,actionId,ip,target,context,errors";

    /// The same with those of [`EventDetails`].
    pub(crate) const FIELDS_WITH_DETAILS: &str =
        "id,date,user,userId,action,actionId,ip,target,context,errors,country,city,browser,platform,page";

    fn details(&mut self) -> Option<Box<EventDetails>> {
        let details = EventDetails {
            country: self.country.take().filter(said),
            city: self.city.take().filter(said),
            browser: self.browser.take().filter(said),
            platform: self.platform.take().filter(said),
            page: self.page.take().map(without_query).filter(said),
        };
        (details != EventDetails::default()).then(|| Box::new(details))
    }
}

/// The address without what stands behind its path: the query of an editor's callback holds a key.
fn without_query(page: PortalText) -> PortalText {
    match page.raw().split_once(['?', '#']) {
        Some((path, _)) => PortalText::new(path),
        None => page,
    }
}

impl From<AuditEventDto> for AuditEvent {
    fn from(mut dto: AuditEventDto) -> Self {
        AuditEvent {
            details: dto.details(),
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
    page: Option<String>,
}

/// The parameter by which a request says what address to note.
const SETS_THE_ADDRESS: &str = "request-x-real-ip=";

impl LoginEventDto {
    pub(crate) const FIELDS: &str =
        "id,date,user,userId,login,action,actionId,ip,country,city,browser,platform,page,errors";
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
            // nothing else of the page is kept: it can hold secrets
            ip_was_set: dto.page.is_some_and(|page| page.to_lowercase().contains(SETS_THE_ADDRESS)),
        }
    }
}

/// An item of an activity log. Events that the page grouped under it are in `related`.
#[derive(Deserialize)]
pub(crate) struct LogItemDto {
    id: i64,
    #[serde(default, deserialize_with = "maybe_instant")]
    date: Option<DateTime<Utc>>,
    /// Elements can be null.
    #[serde(default)]
    related: Vec<Option<LogItemDto>>,
    /// What it holds depends on the action.
    data: Option<Value>,
}

impl LogItemDto {
    /// The item and everything grouped under it; `undated` is the date of what has none.
    pub(crate) fn flatten(&self, undated: DateTime<Utc>) -> Vec<LogEntry> {
        let related = self.related.iter().flatten().flat_map(|item| item.flatten(undated));
        related.chain([LogEntry { event: self.id, at: self.date.unwrap_or(undated), about: self.about() }]).collect()
    }

    /// The affected account or group; a removed account has no id any more.
    fn about(&self) -> Option<Uuid> {
        let data = self.data.as_ref()?;
        let subject = data.get("user").or_else(|| data.get("group"))?;
        subject.get("id")?.as_str()?.parse().ok().filter(|id: &Uuid| !id.is_nil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_kept_without_its_query() {
        let row = r#"{"id":1,"date":"2025-01-31T07:00:00.0000000Z","actionId":5009,"country":"","browser":"Chrome 131","page":"https://docs.example.com/editor?fileid=1&auth=secret#x"}"#;
        let event: AuditEvent = serde_json::from_str::<AuditEventDto>(row).unwrap().into();
        let details = *event.details.unwrap();
        assert_eq!(details.page, Some("https://docs.example.com/editor".into()));
        assert_eq!((details.country, details.browser), (None, Some("Chrome 131".into())));
    }

    #[test]
    fn a_row_needs_only_its_id_date_and_action() {
        let row = r#"{"id":1,"date":"2025-01-31T07:00:00.0000000Z","actionId":59999,"newMember":{"a":[1]}}"#;
        let event: AuditEvent = serde_json::from_str::<AuditEventDto>(row).unwrap().into();
        assert_eq!((event.id, event.action, event.target.len(), event.context), (1, ActionId(59_999), 0, None));
    }
}
