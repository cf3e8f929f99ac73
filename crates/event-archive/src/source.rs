//! The three lists that are kept: how each is read from the portal and stored.

use std::borrow::Cow;
use std::collections::HashSet;

use audit_model::{AuditEvent, LoginEvent, PortalText, RoomId};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, LogEntry, Slice};
use sqlx::Sqlite;
use sqlx::query_builder::Separated;

use crate::judged::{AUDIT_WAITS_AS, LOGINS_WAIT_AS};
use crate::phrases::Phrases;
use crate::rows::micros;
use crate::unread::Part;

/// The columns of one row of an INSERT, to be bound in the order in which the statement names them.
pub(crate) type Columns<'c> = Separated<'c, Sqlite, &'static str>;

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

    /// The INSERT before its VALUES.
    fn insert_sql(&self) -> &'static str;

    /// And behind them: what becomes of a row that is stored already.
    fn conflict_sql(&self) -> &'static str;

    fn bind(&self, row: &Self::Row, phrases: &Phrases, columns: &mut Columns<'_>);

    /// Collects the texts of the row that stand in the table of phrases, because many rows share them.
    fn phrases<'r>(&self, _row: &'r Self::Row, _texts: &mut HashSet<Cow<'r, str>>) {}
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
        "SELECT count(*), min(at_us), max(at_us) FROM audit_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL"
    }

    fn ids_sql(&self) -> &'static str {
        "SELECT id, at_us FROM audit_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL ORDER BY at_us DESC"
    }

    fn renumbered_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM audit_event WHERE id <= ? AND at_us > ? AND ? IS NOT NULL)"
    }

    fn is_known_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM audit_event WHERE ? IS NOT NULL)"
    }

    fn id(&self, event: &AuditEvent) -> i64 {
        event.id
    }

    fn at(&self, event: &AuditEvent) -> DateTime<Utc> {
        event.at
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context, details) "
    }

    /// A portal restored from a backup gives ids a second time: the event that it has now counts. The same event can only come
    /// back with another name or sentence, or an hour later in autumn, and is kept as it was.
    fn conflict_sql(&self) -> &'static str {
        " ON CONFLICT (id) DO UPDATE SET at_us = excluded.at_us, actor = excluded.actor, actor_name = excluded.actor_name,
             action = excluded.action, text = excluded.text, ip = excluded.ip, target = excluded.target,
             context = excluded.context, details = excluded.details
         WHERE actor <> excluded.actor OR action <> excluded.action OR target <> excluded.target
             OR abs(at_us - excluded.at_us) NOT IN (0, 1800000000, 3600000000, 7200000000)"
    }

    fn bind(&self, event: &AuditEvent, phrases: &Phrases, columns: &mut Columns<'_>) {
        let phrase = |text: &PortalText| phrases.id(text.raw());
        columns
            .push_bind(event.id)
            .push_bind(micros(event.at))
            .push_bind(phrases.id(&event.actor.simple().to_string()))
            .push_bind(phrase(&event.actor_name))
            .push_bind(event.action.0)
            .push_bind(raw(&event.text))
            .push_bind(event.ip.as_ref().map(phrase))
            .push_bind(serde_json::to_string(&event.target).expect("strings are always JSON"))
            .push_bind(event.context.as_ref().map(phrase))
            .push_bind(details(event).map(|json| phrases.id(&json)));
    }

    fn phrases<'r>(&self, event: &'r AuditEvent, texts: &mut HashSet<Cow<'r, str>>) {
        let shared = [Some(&event.actor_name), event.ip.as_ref(), event.context.as_ref()];
        texts.extend(shared.into_iter().flatten().map(|text| Cow::Borrowed(text.raw())));
        texts.insert(Cow::Owned(event.actor.simple().to_string()));
        texts.extend(details(event).map(Cow::Owned));
    }
}

/// The details as they stand among the phrases: whoever works on one page from one place shares them.
fn details(event: &AuditEvent) -> Option<String> {
    event.details.as_ref().map(|details| serde_json::to_string(details).expect("details are plain data"))
}

fn raw(text: &Option<PortalText>) -> Option<&str> {
    text.as_ref().map(PortalText::raw)
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
        "SELECT count(*), min(at_us), max(at_us) FROM login_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL"
    }

    fn ids_sql(&self) -> &'static str {
        "SELECT id, at_us FROM login_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL ORDER BY at_us DESC"
    }

    fn renumbered_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM login_event WHERE id <= ? AND at_us > ? AND ? IS NOT NULL)"
    }

    fn is_known_sql(&self) -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM login_event WHERE ? IS NOT NULL)"
    }

    fn id(&self, login: &LoginEvent) -> i64 {
        login.id
    }

    fn at(&self, login: &LoginEvent) -> DateTime<Utc> {
        login.at
    }

    fn insert_sql(&self) -> &'static str {
        "INSERT INTO login_event
         (id, at_us, user_id, user_name, login, action, text, ip, country, city, browser, platform, ip_was_set) "
    }

    fn conflict_sql(&self) -> &'static str {
        " ON CONFLICT (id) DO NOTHING"
    }

    fn bind(&self, login: &LoginEvent, _phrases: &Phrases, columns: &mut Columns<'_>) {
        columns
            .push_bind(login.id)
            .push_bind(micros(login.at))
            .push_bind(login.user.simple().to_string())
            .push_bind(login.user_name.raw())
            .push_bind(raw(&login.login))
            .push_bind(login.action.0)
            .push_bind(raw(&login.text))
            .push_bind(raw(&login.ip))
            .push_bind(raw(&login.country))
            .push_bind(raw(&login.city))
            .push_bind(raw(&login.browser))
            .push_bind(raw(&login.platform))
            .push_bind(login.ip_was_set);
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
        "INSERT INTO room_log (room, event, at_us, about) "
    }

    fn conflict_sql(&self) -> &'static str {
        " ON CONFLICT DO NOTHING"
    }

    fn bind(&self, entry: &LogEntry, _phrases: &Phrases, columns: &mut Columns<'_>) {
        let about = entry.about.map(|id| id.simple().to_string());
        columns.push_bind(self.0.to_string()).push_bind(entry.event).push_bind(micros(entry.at)).push_bind(about);
    }
}
