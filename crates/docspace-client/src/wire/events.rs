//! Rows of the audit trail, of the login history and of activity logs.

use audit_model::{ActionId, AuditEvent, EventDetails, LoginEvent, PortalText};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;
use uuid::Uuid;

use super::instant;
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
        let agent_was_set = self.page.as_ref().is_some_and(|page| has_parameter(page, SETS_THE_AGENT));
        let of_agent = |text: &PortalText| said(text) && !agent_was_set;
        let details = EventDetails {
            country: self.country.take().filter(said),
            city: self.city.take().filter(said),
            browser: self.browser.take().filter(of_agent),
            platform: self.platform.take().filter(of_agent),
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
    page: Option<PortalText>,
}

/// The parameter by which a request says what address to note.
const SETS_THE_ADDRESS: &str = "request-x-real-ip";

/// The same for browser and platform.
const SETS_THE_AGENT: &str = "request-user-agent";

/// Whether the address has a query parameter of this name, read as the portal reads it: decoded, in any case.
fn has_parameter(page: &PortalText, name: &str) -> bool {
    let without_fragment = page.raw().split('#').next().unwrap_or_default();
    let query = without_fragment.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).any(|(found, _)| found.eq_ignore_ascii_case(name))
}

impl LoginEventDto {
    pub(crate) const FIELDS: &str =
        "id,date,user,userId,login,action,actionId,ip,country,city,browser,platform,page,errors";
}

impl From<LoginEventDto> for LoginEvent {
    fn from(dto: LoginEventDto) -> Self {
        let is_set = |name| dto.page.as_ref().is_some_and(|page| has_parameter(page, name));
        let (ip_was_set, agent_was_set) = (is_set(SETS_THE_ADDRESS), is_set(SETS_THE_AGENT));
        let of_agent = |text: &PortalText| said(text) && !agent_was_set;
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
            // what a request claims of itself is not kept
            browser: dto.browser.filter(of_agent),
            platform: dto.platform.filter(of_agent),
            // nothing else of the page is kept: it can hold secrets
            ip_was_set,
        }
    }
}

/// An item of an activity log. Events that the page grouped under it are in `related`.
#[derive(Deserialize)]
pub(crate) struct LogItemDto {
    id: i64,
    #[serde(deserialize_with = "instant")]
    date: DateTime<Utc>,
    /// Elements can be null.
    #[serde(default)]
    related: Vec<Option<LogItemDto>>,
    /// What it holds depends on the action.
    data: Option<Value>,
}

impl LogItemDto {
    /// The item and everything grouped under it.
    pub(crate) fn flatten(&self) -> Vec<LogEntry> {
        let related = self.related.iter().flatten().flat_map(LogItemDto::flatten);
        related
            .chain([LogEntry { event: self.id, at: self.date, about: self.about(), former_title: self.former_title() }])
            .collect()
    }

    /// Of what was renamed. Through one of its routes the portal gives data about the place in its stead.
    fn former_title(&self) -> Option<PortalText> {
        let title = self.data.as_ref()?.get("oldTitle")?.as_str()?;
        let is_code = title.starts_with('{') && title.ends_with('}');
        let is_title = !title.is_empty() && !is_code;
        is_title.then(|| PortalText::new(title))
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

    /// The portal decodes names and takes them in any case.
    #[test]
    fn a_login_whose_request_set_its_address_or_agent_is_known_however_it_is_written() {
        let login = |page: &str| -> LoginEvent {
            let row = serde_json::json!({"id": 1, "date": "2025-01-31T07:00:00.0000000Z", "actionId": 1029, "ip": "192.0.2.7",
                "browser": "Chrome 131", "platform": "Windows 10", "page": page});
            serde_json::from_value::<LoginEventDto>(row).unwrap().into()
        };
        for query in [
            "request-x-real-ip=192.0.2.7",
            "request%2Dx%2Dreal%2Dip=192.0.2.7",
            "a=1&request-x-real-i%70=192.0.2.7",
            "%52EQUEST-X-real-%69p=192.0.2.7",
            "request-x-real-ip",
            "a=b+c&Request-X-Real-Ip=192.0.2.7#top",
        ] {
            assert!(login(&format!("https://docs.example.com/login?{query}")).ip_was_set, "{query}");
        }
        for query in
            ["q=request-x-real-ip", "q=request-x-real-ip%3D1", "request+x+real+ip=1", "#?request-x-real-ip=1", ""]
        {
            assert!(!login(&format!("https://docs.example.com/login?{query}")).ip_was_set, "{query}");
        }
        let claimed = login("https://docs.example.com/login?request%2Duser-agent=Firefox");
        assert_eq!((claimed.browser, claimed.platform, claimed.ip_was_set), (None, None, false));
        let honest = login("https://docs.example.com/login?user-agent=Firefox");
        assert_eq!(honest.browser, Some("Chrome 131".into()));
        let row = r#"{"id":1,"date":"2025-01-31T07:00:00.0000000Z","actionId":5009,"browser":"Chrome 131","page":"/?Request-User-Agent=x"}"#;
        let event: AuditEvent = serde_json::from_str::<AuditEventDto>(row).unwrap().into();
        assert_eq!(event.details.unwrap().browser, None);
    }

    #[test]
    fn a_row_needs_only_its_id_date_and_action() {
        let row = r#"{"id":1,"date":"2025-01-31T07:00:00.0000000Z","actionId":59999,"newMember":{"a":[1]}}"#;
        let event: AuditEvent = serde_json::from_str::<AuditEventDto>(row).unwrap().into();
        assert_eq!((event.id, event.action, event.target.len(), event.context), (1, ActionId(59_999), 0, None));
    }
}
