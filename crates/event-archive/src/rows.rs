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

/// So many accounts are remembered while rows are read, by the number of their text, each at the place of its number: a power of two.
const ACCOUNTS: usize = 1024;

/// Makes events of rows `id, at_us, actor, actor_name, action, text, ip, target, context`. Rows are only ever written from events, so what
/// does not fit is damage: it reads as unknown, never as somebody else.
#[derive(Default)]
pub(crate) struct Events {
    /// The number of a text, and the account that it names.
    accounts: Vec<Option<(i64, Uuid)>>,
}

/// Events of the rows of one answer.
pub(crate) fn events() -> impl FnMut(&Row<'_>) -> Result<AuditEvent, Failure> {
    let mut events = Events::default();
    move |row| events.whole(row)
}

/// The same, and behind them the details as JSON.
pub(crate) fn detailed_events() -> impl FnMut(&Row<'_>) -> Result<AuditEvent, Failure> {
    let mut events = Events::default();
    move |row| {
        let details = row.shared(9)?.and_then(|json| serde_json::from_str(&json).ok());
        Ok(AuditEvent { details, ..events.whole(row)? })
    }
}

impl Events {
    fn whole(&mut self, row: &Row<'_>) -> Result<AuditEvent, Failure> {
        let event = self.counted(row, |_| true)?;
        Ok(AuditEvent { ip: phrase(row, 6)?, ..event })
    }

    /// Without the address, and with the text of these actions only.
    pub(crate) fn counted(&mut self, row: &Row<'_>, has_text: fn(ActionId) -> bool) -> Result<AuditEvent, Failure> {
        let action = action(row.int(4)?);
        let text = if has_text(action) { row.optional_text(5)?.map(PortalText::new) } else { None };
        Ok(AuditEvent {
            id: row.int(0)?,
            at: instant(row.int(1)?).unwrap_or_default(),
            actor: self.account(row)?,
            actor_name: phrase(row, 3)?.unwrap_or_default(),
            action,
            text,
            ip: None,
            target: ids_from_json(row.text(7)?),
            context: phrase(row, 8)?,
            details: None,
        })
    }

    /// The account of a row; a number stands for the same one in all rows of an answer.
    fn account(&mut self, row: &Row<'_>) -> Result<Uuid, Failure> {
        let Some(number) = row.optional_int(2)? else { return Ok(Uuid::default()) };
        let place = number as usize % ACCOUNTS;
        if let Some(Some((known, account))) = self.accounts.get(place)
            && *known == number
        {
            return Ok(*account);
        }
        let account = row.shared(2)?.and_then(|actor| Uuid::parse_str(&actor).ok()).unwrap_or_default();
        self.accounts.resize(self.accounts.len().max(place + 1), None);
        self.accounts[place] = Some((number, account));
        Ok(account)
    }
}

fn phrase(row: &Row<'_>, column: usize) -> Result<Option<PortalText>, Failure> {
    Ok(row.shared(column)?.map(PortalText::new))
}

fn action(number: i64) -> ActionId {
    ActionId(i32::try_from(number).unwrap_or_default())
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
