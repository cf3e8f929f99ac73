//! The portal's JSON, in the portal's names. Tolerant: unknown members are ignored, and only what no event can do without is
//! required. Members are absent, not null, when the portal has nothing to say.

mod events;
mod files;
mod people;
mod portal;

use std::borrow::Cow;

use audit_model::GapReason;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

pub(crate) use events::{AuditEventDto, LogItemDto, LoginEventDto};
pub(crate) use files::{
    CommittedDto, ContentDto, EntryDto, FileDto, FolderDto, OneOrMany, RightsDto, RoomListDto, SessionDto,
    UploadSettingsDto,
};
pub(crate) use people::{GroupDto, GroupMemberDto, GroupsDto, PersonDto, ShareDto, ShortPersonDto, Subject};
pub(crate) use portal::{BuildDto, KeyDto, LifetimesDto, QuotaDto, SettingsDto};

/// The success envelope. `links` echoes the request, so it is left out.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct Envelope<T> {
    pub(crate) response: Option<T>,
    /// Rows that match in all; only some lists have it.
    pub(crate) total: Option<i64>,
    /// Rows of this page, in activity logs those that were grouped away too; 1 for many lists, whatever they hold.
    pub(crate) count: Option<i64>,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row<T> {
    Read(T),
    /// In a form that we do not know, or so bad that the portal itself fails at it; at most its date can be told.
    Unreadable {
        at: Option<DateTime<Utc>>,
        why: GapReason,
    },
}

impl<T> Row<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Row<U> {
        match self {
            Row::Read(row) => Row::Read(change(row)),
            Row::Unreadable { at, why } => Row::Unreadable { at, why },
        }
    }
}

/// Parses a list row by row, so that one of another form costs nothing but itself.
///
/// # Errors
/// The answer is no list, or not one of its rows (of two or more) can be read: then it is not the rows.
pub(crate) fn rows<T: DeserializeOwned>(body: &[u8]) -> Result<Envelope<Vec<Row<T>>>, serde_json::Error> {
    // held to be UTF-8 as a whole, which is cheaper than text by text
    let all = std::str::from_utf8(body).map_or_else(|_| serde_json::from_slice(body), serde_json::from_str);
    let error = match all {
        Ok(Envelope { response, total, count }) => {
            let response = response.map(|rows: Vec<T>| rows.into_iter().map(Row::Read).collect());
            return Ok(Envelope { response, total, count });
        }
        Err(error) => error,
    };
    let Envelope { response, total, count } = serde_json::from_slice::<Envelope<Vec<Value>>>(body)?;
    let rows: Vec<Row<T>> = response.unwrap_or_default().into_iter().map(row).collect();
    let has_some = rows.len() < 2 || rows.iter().any(|row| matches!(row, Row::Read(_)));
    if has_some { Ok(Envelope { response: Some(rows), total, count }) } else { Err(error) }
}

fn row<T: DeserializeOwned>(value: Value) -> Row<T> {
    let at = value.get("date").and_then(Value::as_str).and_then(parse_instant);
    serde_json::from_value(value).map_or(Row::Unreadable { at, why: GapReason::UnknownForm }, Row::Read)
}

/// A date as it stands in the body, not copied.
#[derive(Deserialize)]
struct DateText<'t>(#[serde(borrow)] Cow<'t, str>);

/// Text form: portal-local time with seven digits and an offset. A missing offset means UTC.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = DateText::deserialize(deserializer)?;
    parse_instant(&text.0).ok_or_else(|| de::Error::custom("a date that is not ISO 8601"))
}

/// For dates whose absence means something: one that cannot be read must not pass for none.
fn instant_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<DateText>::deserialize(deserializer)? else { return Ok(None) };
    parse_instant(&text.0).map(Some).ok_or_else(|| de::Error::custom("a date that is not ISO 8601"))
}

fn maybe_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Option::<DateText>::deserialize(deserializer)?.and_then(|text| parse_instant(&text.0)))
}

fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    zoned.ok().or_else(|| Some(text.parse::<NaiveDateTime>().ok()?.and_utc()))
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
    fn a_row_of_another_form_leaves_the_others_of_its_list() {
        let list = |rows: &str| rows_of(format!(r#"{{"response":[{rows}],"total":7}}"#));
        let odd = |at| Row::Unreadable { at, why: GapReason::UnknownForm };
        assert_eq!(list(r#"5,"a",6"#).unwrap(), [Row::Read(5), odd(None), Row::Read(6)]);
        let dated = list(r#"{"date":"2026-11-20T09:00:00.0000000Z"},1"#).unwrap();
        assert_eq!(dated, [odd(parse_instant("2026-11-20T09:00:00Z")), Row::Read(1)]);
        assert_eq!(list("null").unwrap(), [odd(None)], "one alone may be the row");
        assert!(list(r#""a","b""#).is_none(), "all of them alike are the form");
        assert_eq!(list("").unwrap(), []);
        for other in ["[]", "{}", r#"{"response":{"a":1}}"#] {
            assert_eq!(rows_of(other.to_owned()), None, "{other}");
        }
    }

    fn rows_of(body: String) -> Option<Vec<Row<i64>>> {
        rows(body.as_bytes()).ok()?.response
    }
}
