//! The three lists that are kept: how each is read from the portal and stored.

use std::sync::Arc;

use audit_model::{AuditEvent, LoginEvent, PortalText, RoomId};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, LogEntry, Slice};
use job_store::Value;

use crate::judged::{AUDIT_WAITS_AS, LOGINS_WAIT_AS};
use crate::rows::{ids_to_json, micros, number, person};
use crate::unread::Part;

/// A list of the portal that grows with time.
pub(crate) trait Source {
    type Row;

    /// Where rules judge its rows: the name under which those that came late wait for it.
    const WAITS_AS: Option<&'static str> = None;

    /// Whether every answer begins with the newest row of all, so that one without rows says that there is none of any time.
    const IS_ONE_LIST: bool = false;

    /// Its name among covered spans.
    fn name(&self) -> String;

    /// Its name in gaps.
    fn what(&self) -> &'static str;

    /// Since when the portal keeps it; `None` for ever.
    fn kept_since(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// Since when every row that it had must be there still.
    fn must_keep_since(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    /// The room whose own events it lists, if it is the log of one.
    fn room(&self) -> Option<&RoomId> {
        None
    }

    async fn read(&self, client: &Client, part: Part) -> Slice<Self::Row>;

    /// Counts rows of a window, with the first and the last date; binds since, until, and the source's name.
    fn summary_sql(&self) -> &'static str;

    /// Ids and dates of the rows of a span, newest first; binds since, until, and the source's name.
    fn ids_sql(&self) -> &'static str;

    /// Whether a row has at most this id and a later date than this; binds both, and the source's name.
    fn renumbered_sql(&self) -> &'static str;

    /// Whether any row is stored; binds the source's name.
    fn is_known_sql(&self) -> &'static str;

    fn id(&self, row: &Self::Row) -> i64;

    fn at(&self, row: &Self::Row) -> DateTime<Utc>;

    /// Stores one row where it is not stored.
    fn insert_sql(&self) -> &'static str;

    /// What becomes of one that is, with the same values; empty for nothing.
    fn update_sql(&self) -> &'static str {
        ""
    }

    /// Adds the values of a row, in the order of its parameters.
    fn values(&self, row: &Self::Row, values: &mut Vec<Value>);
}

pub(crate) struct Audit;

impl Source for Audit {
    type Row = AuditEvent;

    const WAITS_AS: Option<&'static str> = Some(AUDIT_WAITS_AS);

    fn name(&self) -> String {
        "audit".to_owned()
    }

    fn what(&self) -> &'static str {
        audit_model::Source::Audit.name()
    }

    async fn read(&self, client: &Client, part: Part) -> Slice<AuditEvent> {
        client.audit_slice_of(part.rest, part.rows).await
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM audit_event WHERE at_us >= ? AND at_us < ? AND CAST(? AS TEXT) IS NOT NULL"
    }

    fn ids_sql(&self) -> &'static str {
        "SELECT id, at_us FROM audit_event WHERE at_us >= ? AND at_us < ? AND CAST(? AS TEXT) IS NOT NULL ORDER BY at_us DESC"
    }

    fn renumbered_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM audit_event WHERE id <= ? AND at_us > ? AND CAST(? AS TEXT) IS NOT NULL)"
    }

    fn is_known_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM audit_event WHERE CAST(? AS TEXT) IS NOT NULL)"
    }

    fn id(&self, event: &AuditEvent) -> i64 {
        event.id
    }

    fn at(&self, event: &AuditEvent) -> DateTime<Utc> {
        event.at
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context, details)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING"
    }

    /// A portal restored from a backup gives ids a second time: the event that it has now counts. The same event can only come
    /// back with another name or sentence, or an hour later in autumn, and is kept as it was, as is one in which somebody was made
    /// nameless.
    fn update_sql(&self) -> &'static str {
        "UPDATE audit_event SET at_us = ?2, actor = ?3, actor_name = ?4, action = ?5, text = ?6, ip = ?7, target = ?8,
             context = ?9, details = ?10
         WHERE id = ?1 AND (actor <> ?3 OR action <> ?5 OR target <> ?8
             OR abs(at_us - ?2) NOT IN (0, 1800000000, 3600000000, 7200000000))
             AND NOT EXISTS (SELECT 1 FROM rewritten WHERE event = ?1)"
    }

    fn values(&self, event: &AuditEvent, values: &mut Vec<Value>) {
        let shared = |text: &Option<PortalText>| Value::shared(text.as_ref().map(PortalText::shared));
        values.extend([
            Value::Int(event.id),
            Value::Int(micros(event.at)),
            Value::Shared(person(event.actor)),
            Value::Shared(event.actor_name.shared()),
            number(event.action),
            text(&event.text),
            shared(&event.ip),
            Value::Text(ids_to_json(&event.target)),
            shared(&event.context),
            Value::shared(details(event)),
        ]);
    }
}

/// The details as they stand among the phrases: whoever works on one page from one place shares them.
fn details(event: &AuditEvent) -> Option<Arc<str>> {
    event.details.as_ref().map(|details| serde_json::to_string(details).expect("details are plain data").into())
}

fn text(text: &Option<PortalText>) -> Value {
    Value::text(text.as_ref().map(PortalText::shared))
}

/// A portal cannot be told to forget logins earlier.
const SHORTEST_LIFETIME: TimeDelta = TimeDelta::days(1);

pub(crate) struct Logins {
    /// `None` when the portal did not tell.
    pub(crate) kept_since: Option<DateTime<Utc>>,
    pub(crate) portal_now: DateTime<Utc>,
}

impl Source for Logins {
    type Row = LoginEvent;

    const WAITS_AS: Option<&'static str> = Some(LOGINS_WAIT_AS);

    /// And somebody has signed in: whoever made the key.
    const IS_ONE_LIST: bool = true;

    fn name(&self) -> String {
        "logins".to_owned()
    }

    fn what(&self) -> &'static str {
        audit_model::Source::Logins.name()
    }

    fn kept_since(&self) -> Option<DateTime<Utc>> {
        self.kept_since
    }

    fn must_keep_since(&self) -> DateTime<Utc> {
        self.kept_since.unwrap_or(self.portal_now - SHORTEST_LIFETIME)
    }

    /// In one slice, however long: the portal gives the newest first and knows no other beginning.
    async fn read(&self, client: &Client, part: Part) -> Slice<LoginEvent> {
        match self.kept_since {
            Some(_) => client.login_slice(part.rest.span).await,
            None => client.login_slice_of_unknown_lifetime(part.rest.span, self.portal_now).await,
        }
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM login_event WHERE at_us >= ? AND at_us < ? AND CAST(? AS TEXT) IS NOT NULL"
    }

    fn ids_sql(&self) -> &'static str {
        "SELECT id, at_us FROM login_event WHERE at_us >= ? AND at_us < ? AND CAST(? AS TEXT) IS NOT NULL ORDER BY at_us DESC"
    }

    fn renumbered_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM login_event WHERE id <= ? AND at_us > ? AND CAST(? AS TEXT) IS NOT NULL)"
    }

    fn is_known_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM login_event WHERE CAST(? AS TEXT) IS NOT NULL)"
    }

    fn id(&self, login: &LoginEvent) -> i64 {
        login.id
    }

    fn at(&self, login: &LoginEvent) -> DateTime<Utc> {
        login.at
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO login_event
         (id, at_us, user_id, user_name, login, action, text, ip, country, city, browser, platform, ip_was_set)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING"
    }

    fn values(&self, login: &LoginEvent, values: &mut Vec<Value>) {
        values.extend([
            Value::Int(login.id),
            Value::Int(micros(login.at)),
            Value::Text(person(login.user)),
            Value::Text(login.user_name.shared()),
            text(&login.login),
            number(login.action),
            text(&login.text),
            text(&login.ip),
            text(&login.country),
            text(&login.city),
            text(&login.browser),
            text(&login.platform),
            Value::Int(login.ip_was_set.into()),
        ]);
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
        audit_model::Source::RoomLog.name()
    }

    fn room(&self) -> Option<&RoomId> {
        Some(self.0)
    }

    async fn read(&self, client: &Client, part: Part) -> Slice<LogEntry> {
        client.room_log(self.0, part.rest.span).await
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM room_log
         WHERE at_us >= ? AND at_us < ? AND 'room_log ' || room = ?"
    }

    fn ids_sql(&self) -> &'static str {
        "SELECT event, at_us FROM room_log WHERE at_us >= ? AND at_us < ? AND room = substr(?, length('room_log ') + 1)
         ORDER BY at_us DESC"
    }

    fn renumbered_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM room_log WHERE event <= ? AND at_us > ? AND room = substr(?, length('room_log ') + 1))"
    }

    fn is_known_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM room_log WHERE room = substr(?, length('room_log ') + 1))"
    }

    fn id(&self, entry: &LogEntry) -> i64 {
        entry.event
    }

    fn at(&self, entry: &LogEntry) -> DateTime<Utc> {
        entry.at
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO room_log (room, event, at_us, about) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    }

    fn values(&self, entry: &LogEntry, values: &mut Vec<Value>) {
        values.extend([
            Value::Text(self.0.to_string().into()),
            Value::Int(entry.event),
            Value::Int(micros(entry.at)),
            Value::text(entry.about.map(person)),
        ]);
    }
}
