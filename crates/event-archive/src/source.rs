//! The three lists that are kept: how each is read from the portal and stored.

use audit_model::{AuditEvent, LoginEvent, PortalText, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, LogEntry, Slice};
use sqlx::{Sqlite, Transaction};

use crate::rows::{micros, to_row};

pub(crate) type Write = Transaction<'static, Sqlite>;

/// A list of the portal that grows with time.
pub(crate) trait Source {
    type Row;

    /// Its name among covered spans.
    fn name(&self) -> String;

    /// Its name in gaps.
    fn what(&self) -> &'static str;

    /// The longest span that is read and stored at once.
    fn slice_length(&self) -> TimeDelta;

    async fn read(&self, client: &Client, span: Window) -> Slice<Self::Row>;

    /// Counts rows of a window, with the first and the last date; binds since, until, and the source's name.
    fn summary_sql(&self) -> &'static str;

    /// Whether the row was not stored before.
    async fn insert(&self, write: &mut Write, row: &Self::Row) -> Result<bool, sqlx::Error>;

    fn at(row: &Self::Row) -> DateTime<Utc>;
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

    /// A day keeps an ordinary portal at a few thousand rows, and costs one partly filled page.
    fn slice_length(&self) -> TimeDelta {
        TimeDelta::days(1)
    }

    async fn read(&self, client: &Client, span: Window) -> Slice<AuditEvent> {
        client.audit_slice(span).await
    }

    fn summary_sql(&self) -> &'static str {
        "SELECT count(*), min(at_us), max(at_us) FROM audit_event WHERE at_us >= ? AND at_us < ? AND ? IS NOT NULL"
    }

    async fn insert(&self, write: &mut Write, event: &AuditEvent) -> Result<bool, sqlx::Error> {
        let (id, at_us, actor, actor_name, action, text, ip, target, context) = to_row(event);
        let done = sqlx::query(
            "INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(at_us)
        .bind(actor)
        .bind(actor_name)
        .bind(action)
        .bind(text)
        .bind(ip)
        .bind(target)
        .bind(context)
        .execute(&mut **write)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    fn at(row: &AuditEvent) -> DateTime<Utc> {
        row.at
    }
}

pub(crate) struct Logins;

impl Source for Logins {
    type Row = LoginEvent;

    fn name(&self) -> String {
        "logins".to_owned()
    }

    fn what(&self) -> &'static str {
        "logins"
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

    async fn insert(&self, write: &mut Write, login: &LoginEvent) -> Result<bool, sqlx::Error> {
        let raw = |text: &Option<PortalText>| text.as_ref().map(|text| text.raw().to_owned());
        let done = sqlx::query(
            "INSERT INTO login_event
             (id, at_us, user, user_name, login, action, text, ip, country, city, browser, platform)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(login.id)
        .bind(micros(login.at))
        .bind(login.user.as_bytes().to_vec())
        .bind(login.user_name.raw().to_owned())
        .bind(raw(&login.login))
        .bind(login.action.0)
        .bind(raw(&login.text))
        .bind(raw(&login.ip))
        .bind(raw(&login.country))
        .bind(raw(&login.city))
        .bind(raw(&login.browser))
        .bind(raw(&login.platform))
        .execute(&mut **write)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    fn at(row: &LoginEvent) -> DateTime<Utc> {
        row.at
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

    async fn insert(&self, write: &mut Write, entry: &LogEntry) -> Result<bool, sqlx::Error> {
        let done = sqlx::query("INSERT INTO room_log (room, event, at_us) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(self.0.to_string())
            .bind(entry.event)
            .bind(micros(entry.at))
            .execute(&mut **write)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    fn at(row: &LogEntry) -> DateTime<Utc> {
        row.at
    }
}
