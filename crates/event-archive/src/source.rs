//! The three lists that are kept: how each is read from the portal and stored.

use std::borrow::Cow;

use audit_model::{AuditEvent, LoginEvent, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, LogEntry, Slice};
use serde_json::{Value, json};

use crate::rows::micros;

/// A list of the portal that grows with time.
pub(crate) trait Source {
    type Row;

    /// Its name among covered spans.
    fn name(&self) -> String;

    /// Its name in gaps.
    fn what(&self) -> &'static str;

    /// Since when the portal keeps it; `None` for ever.
    fn kept_since(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// The span that is read and stored at once to begin with.
    fn slice_length(&self) -> TimeDelta;

    async fn read(&self, client: &Client, span: Window) -> Slice<Self::Row>;

    /// Counts rows of a window, with the first and the last date; binds since, until, and the source's name.
    fn summary_sql(&self) -> &'static str;

    /// Stores the rows of a JSON array that are not stored yet, and gives the date of each that was not.
    fn insert_sql(&self) -> &'static str;

    /// A row as an element of that array: an array of columns.
    fn columns(&self, row: &Self::Row) -> Value;

    /// Texts of the row that stand in the table of phrases, because many rows share them.
    fn phrases<'r>(&self, _row: &'r Self::Row) -> Vec<Cow<'r, str>> {
        Vec::new()
    }
}

pub(crate) struct Audit;

impl Source for Audit {
    type Row = AuditEvent;

    fn name(&self) -> String {
        "audit".to_owned()
    }

    fn what(&self) -> &'static str {
        "audit"
    }

    /// Enough to learn how busy the portal is.
    fn slice_length(&self) -> TimeDelta {
        TimeDelta::hours(6)
    }

    async fn read(&self, client: &Client, span: Window) -> Slice<AuditEvent> {
        client.audit_slice(span).await
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM audit_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL"
    }

    /// A portal restored from a backup gives ids a second time: the event that it has now counts. The same event can only come
    /// back with another name or sentence, or an hour later in autumn, and is kept as it was.
    fn insert_sql(&self) -> &'static str {
        "INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context)
         SELECT row.value->>0, row.value->>1, (SELECT id FROM phrase WHERE phrase.value = row.value->>2),
             (SELECT id FROM phrase WHERE phrase.value = row.value->>3), row.value->>4, row.value->>5,
             (SELECT id FROM phrase WHERE phrase.value = row.value->>6), row.value->>7,
             (SELECT id FROM phrase WHERE phrase.value = row.value->>8)
         FROM json_each(?) AS row WHERE true
         ON CONFLICT (id) DO UPDATE SET at_us = excluded.at_us, actor = excluded.actor, actor_name = excluded.actor_name,
             action = excluded.action, text = excluded.text, ip = excluded.ip, target = excluded.target,
             context = excluded.context
         WHERE actor <> excluded.actor OR action <> excluded.action OR target <> excluded.target
             OR abs(at_us - excluded.at_us) NOT IN (0, 1800000000, 3600000000, 7200000000)
         RETURNING at_us"
    }

    fn columns(&self, event: &AuditEvent) -> Value {
        let target = serde_json::to_string(&event.target).expect("strings are always JSON");
        json!([
            event.id,
            micros(event.at),
            event.actor.simple().to_string(),
            event.actor_name,
            event.action,
            event.text,
            event.ip,
            target,
            event.context,
        ])
    }

    fn phrases<'r>(&self, event: &'r AuditEvent) -> Vec<Cow<'r, str>> {
        let texts = [Some(&event.actor_name), event.ip.as_ref(), event.context.as_ref()];
        let texts = texts.into_iter().flatten().map(|text| Cow::Borrowed(text.raw()));
        texts.chain([Cow::Owned(event.actor.simple().to_string())]).collect()
    }
}

pub(crate) struct Logins {
    pub(crate) kept_since: Option<DateTime<Utc>>,
}

impl Source for Logins {
    type Row = LoginEvent;

    fn name(&self) -> String {
        "logins".to_owned()
    }

    fn what(&self) -> &'static str {
        "logins"
    }

    fn kept_since(&self) -> Option<DateTime<Utc>> {
        self.kept_since
    }

    /// Never cut: the portal gives the newest first and knows no other beginning.
    fn slice_length(&self) -> TimeDelta {
        TimeDelta::MAX
    }

    async fn read(&self, client: &Client, span: Window) -> Slice<LoginEvent> {
        client.login_slice(span).await
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM login_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL"
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO login_event
         (id, at_us, user, user_name, login, action, text, ip, country, city, browser, platform, ip_was_set)
         SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
         value->>9, value->>10, value->>11, value->>12
         FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING RETURNING at_us"
    }

    fn columns(&self, login: &LoginEvent) -> Value {
        json!([
            login.id,
            micros(login.at),
            login.user.simple().to_string(),
            login.user_name,
            login.login,
            login.action,
            login.text,
            login.ip,
            login.country,
            login.city,
            login.browser,
            login.platform,
            login.ip_was_set,
        ])
    }
}

/// The activity log of one room.
pub(crate) struct RoomLog<'a>(pub(crate) &'a RoomId);

impl Source for RoomLog<'_> {
    type Row = LogEntry;

    fn name(&self) -> String {
        format!("room_log {}", self.0)
    }

    fn what(&self) -> &'static str {
        "room_log"
    }

    fn slice_length(&self) -> TimeDelta {
        TimeDelta::MAX
    }

    async fn read(&self, client: &Client, span: Window) -> Slice<LogEntry> {
        client.room_log(self.0, span).await
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM room_log
         WHERE at_us >= ? AND at_us < ? AND 'room_log ' || room = ?"
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO room_log (room, event, at_us)
         SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING RETURNING at_us"
    }

    fn columns(&self, entry: &LogEntry) -> Value {
        json!([self.0.to_string(), entry.event, micros(entry.at)])
    }
}
