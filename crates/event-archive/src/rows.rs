//! Events as rows of the store.

use std::sync::Arc;

use audit_model::{ActionId, AuditEvent, LoginEvent, PortalText, Window};
use chrono::{DateTime, Utc};
use job_store::{Dictionary, Failure, Row, Value};
use uuid::Uuid;

/// Accounts, names, contexts, addresses and details.
pub(crate) static PHRASES: Dictionary = Dictionary {
    text: "SELECT value FROM phrase WHERE id = ?",
    number: "SELECT id FROM phrase WHERE value = ?",
    add: "INSERT INTO phrase (value) VALUES (?) RETURNING id",
};

/// Microseconds since 1970, the finest resolution that any portal keeps.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

pub(crate) fn instant(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

/// Two instants of a row, the first in this column.
pub(crate) fn span(row: &Row<'_>, column: usize) -> Result<Option<Window>, Failure> {
    let (since, until) = (instant(row.int(column)?), instant(row.int(column + 1)?));
    Ok(since.zip(until).map(|(since, until)| Window::new(since, until)))
}

pub(crate) fn number(action: ActionId) -> Value {
    Value::Int(action.0.into())
}

/// 32 hexadecimal digits.
pub(crate) fn person(id: Uuid) -> Arc<str> {
    Arc::from(&*id.simple().encode_lower(&mut Uuid::encode_buffer()))
}

/// Ids as a JSON array of strings, as they are stored.
pub(crate) fn ids_to_json(ids: &[String]) -> Arc<str> {
    serde_json::to_string(ids).expect("strings are always JSON").into()
}

/// The same read back. What is no such array is damage, and reads as none.
fn ids_from_json(json: &str) -> Vec<String> {
    // nearly every array has one or two numbers, and nothing that JSON escapes
    let plain = json.strip_prefix("[\"").and_then(|rest| rest.strip_suffix("\"]")).filter(|ids| !ids.contains('\\'));
    match plain {
        Some(ids) if !ids.contains('"') => vec![ids.to_owned()],
        Some(ids) if ids.matches('"').count() == 2 * ids.matches("\",\"").count() => {
            ids.split("\",\"").map(str::to_owned).collect()
        }
        _ => serde_json::from_str(json).unwrap_or_default(),
    }
}

/// An event of `id, at_us, actor, actor_name, action, text, ip, target, context`. Rows are only ever written from events, so what does not fit is damage: it reads as unknown, never as somebody else.
pub(crate) fn event(row: &Row<'_>) -> Result<AuditEvent, Failure> {
    let phrase = |column| Ok::<_, Failure>(row.shared(column)?.map(PortalText::new));
    let actor = row.shared(2)?;
    Ok(AuditEvent {
        id: row.int(0)?,
        at: instant(row.int(1)?).unwrap_or_default(),
        actor: actor.and_then(|actor| Uuid::parse_str(&actor).ok()).unwrap_or_default(),
        actor_name: phrase(3)?.unwrap_or_default(),
        action: action(row.int(4)?),
        text: row.optional_text(5)?.map(PortalText::new),
        ip: phrase(6)?,
        target: ids_from_json(row.text(7)?),
        context: phrase(8)?,
        details: None,
    })
}

fn action(number: i64) -> ActionId {
    ActionId(i32::try_from(number).unwrap_or_default())
}

/// The same, and behind it the details as JSON.
pub(crate) fn detailed_event(row: &Row<'_>) -> Result<AuditEvent, Failure> {
    let details = row.shared(9)?.and_then(|json| serde_json::from_str(&json).ok());
    Ok(AuditEvent { details, ..event(row)? })
}

/// Columns of `login_event`, in the order of its definition.
pub(crate) fn login(row: &Row<'_>) -> Result<LoginEvent, Failure> {
    let text = |column| Ok::<_, Failure>(row.optional_text(column)?.map(PortalText::new));
    Ok(LoginEvent {
        id: row.int(0)?,
        at: instant(row.int(1)?).unwrap_or_default(),
        user: Uuid::parse_str(row.text(2)?).unwrap_or_default(),
        user_name: PortalText::new(row.text(3)?),
        login: text(4)?,
        action: action(row.int(5)?),
        text: text(6)?,
        ip: text(7)?,
        country: text(8)?,
        city: text(9)?,
        browser: text(10)?,
        platform: text(11)?,
        ip_was_set: row.int(12)? != 0,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_array_of_texts_reads_as_none() {
        for damage in ["", "[\"1]", "[1]", "{}", "[\"a\" \"b\"]", "[\"a\",\"b]"] {
            assert_eq!(ids_from_json(damage), Vec::<String>::new(), "{damage}");
        }
    }

    proptest! {
        #[test]
        fn ids_come_back_as_they_were_stored(ids in proptest::collection::vec("[0-9a-z\",\\\\ é\u{0}\u{1b}-]{0,6}", 0..5)) {
            prop_assert_eq!(ids_from_json(&ids_to_json(&ids)), ids);
        }
    }
}
