//! The portal's JSON, in the portal's names. Tolerant: unknown members are ignored, and only what no event can do without is
//! required. Members are absent, not null, when the portal has nothing to say.

mod events;
mod files;
mod people;
mod portal;

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

pub(crate) use events::{AuditEventDto, LogItemDto, LoginEventDto};
pub(crate) use files::{
    CommittedDto, ContentDto, EntryDto, FileDto, FolderDto, OneOrMany, RightsDto, RoomListDto, SessionDto,
    UploadSettingsDto,
};
pub(crate) use people::{GroupDto, GroupMemberDto, PersonDto, ShareDto, ShortPersonDto, Subject};
pub(crate) use portal::{BuildDto, KeyDto, LifetimesDto, QuotaDto, SettingsDto};

/// The success envelope. `count` is left out: it is 1 for many lists, whatever they hold. `links` echoes the request.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct Envelope<T> {
    pub(crate) response: Option<T>,
    /// Rows that match in all; only some lists have it.
    pub(crate) total: Option<i64>,
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

/// The date of a row that could not be understood otherwise.
pub(crate) fn date_of(row: &Value) -> Option<DateTime<Utc>> {
    parse_instant(row.get("date")?.as_str()?)
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
}
