//! Events as rows of the store.

use audit_model::{ActionId, AuditEvent, LoginEvent, PortalText};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Microseconds since 1970, the finest resolution that any portal keeps.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

pub(crate) fn instant(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

/// Columns of `audit_event`, in the order of its definition.
pub(crate) type EventRow = (i64, i64, String, String, i32, Option<String>, Option<String>, String, Option<String>);

/// Rows are only ever written from events, so what does not fit is damage: it reads as unknown, never as somebody else.
pub(crate) fn from_row((id, at_us, actor, actor_name, action, text, ip, target, context): EventRow) -> AuditEvent {
    AuditEvent {
        id,
        at: instant(at_us).unwrap_or_default(),
        actor: Uuid::parse_str(&actor).unwrap_or_default(),
        actor_name: PortalText::new(actor_name),
        action: ActionId(action),
        text: text.map(PortalText::new),
        ip: ip.map(PortalText::new),
        target: serde_json::from_str(&target).unwrap_or_default(),
        context: context.map(PortalText::new),
        details: None,
    }
}

/// The same, and the details as JSON.
pub(crate) type DetailedRow =
    (i64, i64, String, String, i32, Option<String>, Option<String>, String, Option<String>, Option<String>);

pub(crate) fn from_detailed_row(row: DetailedRow) -> AuditEvent {
    let (id, at_us, actor, actor_name, action, text, ip, target, context, details) = row;
    let details = details.and_then(|json| serde_json::from_str(&json).ok());
    AuditEvent { details, ..from_row((id, at_us, actor, actor_name, action, text, ip, target, context)) }
}

/// Columns of `login_event`, in the order of its definition.
pub(crate) type LoginRow = (
    i64,
    i64,
    String,
    String,
    Option<String>,
    i32,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    bool,
);

pub(crate) fn from_login_row(row: LoginRow) -> LoginEvent {
    let (id, at_us, user, user_name, login, action, text, ip, country, city, browser, platform, ip_was_set) = row;
    let text_of = |text: Option<String>| text.map(PortalText::new);
    LoginEvent {
        id,
        at: instant(at_us).unwrap_or_default(),
        user: Uuid::parse_str(&user).unwrap_or_default(),
        user_name: PortalText::new(user_name),
        login: text_of(login),
        action: ActionId(action),
        text: text_of(text),
        ip: text_of(ip),
        country: text_of(country),
        city: text_of(city),
        browser: text_of(browser),
        platform: text_of(platform),
        ip_was_set,
    }
}
