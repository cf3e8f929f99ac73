//! The archive itself: opening it and reading events out of it in order.

use std::borrow::Cow;
use std::collections::HashMap;

use audit_model::{ActionId, AuditEvent, LoginEvent, RoomId, SourceCoverage, SpanSet, Window};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::MapErr;
use futures::{TryStreamExt, future};
use job_store::{Component, Failure, Migration, Read, Row, Rows, Select, Store, Value, Write};
use uuid::Uuid;

use crate::Error;
use crate::part::Part;
use crate::rows::{self, PHRASES, instant, micros};
use crate::source::Source;

const COMPONENT: Component = Component {
    name: "archive",
    steps: &[
        Migration { number: 1, name: "events and what is known", sql: include_str!("migrations/1_events.sql") },
        Migration { number: 2, name: "what came late", sql: include_str!("migrations/2_unjudged.sql") },
        Migration { number: 3, name: "logins whose address was set", sql: include_str!("migrations/3_login_ip.sql") },
        Migration {
            number: 4,
            name: "what came late, by what runs look at",
            sql: include_str!("migrations/4_unjudged_by_part.sql"),
        },
        Migration { number: 5, name: "details of events", sql: include_str!("migrations/5_details.sql") },
        Migration { number: 6, name: "whom the log of a room is about", sql: include_str!("migrations/6_about.sql") },
        Migration { number: 7, name: "the id of who signed in", sql: include_str!("migrations/7_user_id.sql") },
        Migration { number: 8, name: "which spans were judged", sql: include_str!("migrations/8_judged.sql") },
        Migration { number: 9, name: "what runs left open", sql: include_str!("migrations/9_left_open.sql") },
        Migration { number: 10, name: "what folders hold", sql: include_str!("migrations/10_inventory.sql") },
        Migration { number: 11, name: "who was made nameless", sql: include_str!("migrations/11_rewritten.sql") },
        Migration { number: 12, name: "which folder is in which", sql: include_str!("migrations/12_parents.sql") },
        Migration { number: 13, name: "where events name rooms", sql: include_str!("migrations/13_rooms.sql") },
    ],
    on_server: &[
        Migration { number: 11, name: "the archive", sql: include_str!("migrations/postgres/archive.sql") },
        Migration {
            number: 12,
            name: "which folder is in which",
            sql: include_str!("migrations/postgres/12_parents.sql"),
        },
        Migration {
            number: 13,
            name: "where events name rooms",
            sql: include_str!("migrations/postgres/13_rooms.sql"),
        },
    ],
};

/// Under this name the spans are kept that held an unreadable row when they were last asked for.
pub(crate) fn unreadable_name(source: &str) -> String {
    format!("{source} (unreadable)")
}

/// Under this name those that held a row in a form that we do not know. Pages that hold it can be read.
pub(crate) fn unknown_form_name(source: &str) -> String {
    format!("{source}, unknown form (unreadable)")
}

/// Phrases are looked up where rows are read: joining them to every row costs as much again.
const EVENTS_SQL: &str = "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
    WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

const DETAILED_EVENTS_SQL: &str =
    "SELECT id, at_us, actor, actor_name, action, text, ip, target, context, details FROM audit_event
    WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

/// The same, but only events of the actions of a list.
fn some_events_sql(actions: &str) -> String {
    format!(
        "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
        WHERE at_us >= ? AND at_us < ? AND action IN ({actions}) ORDER BY at_us, id"
    )
}

/// The same, of actions that are all in the index of those that name rooms.
fn events_naming_rooms_sql() -> String {
    format!(
        "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
        WHERE at_us >= ? AND at_us < ? AND action BETWEEN 5070 AND 5159 AND action IN ({}) ORDER BY at_us, id",
        listed(ActionId::naming_rooms())
    )
}

/// The same of a list of actions, and those whose context ends with a title that the room of the last value has had.
fn events_near_sql(actions: &str) -> String {
    format!(
        "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
        WHERE at_us >= ? AND at_us < ? AND (action IN ({actions}) OR context IN (
            SELECT phrase.id FROM phrase JOIN room_title
            ON substr(phrase.value, length(phrase.value) - length(room_title.title) - 1) = ': ' || room_title.title
            WHERE phrase.value LIKE '%: %' AND room_title.room = ?))
        ORDER BY at_us, id"
    )
}

/// The same with details, of the people of a list.
fn events_of_sql(people: &str) -> String {
    format!(
        "SELECT id, at_us, actor, actor_name, action, text, ip, target, context, details FROM audit_event
        WHERE at_us >= ? AND at_us < ? AND actor IN (SELECT id FROM phrase WHERE value IN ({people})) ORDER BY at_us, id"
    )
}

/// Deletions of rooms, whenever they were.
const DELETIONS_SQL: &str = "SELECT id, at_us, actor, actor_name, action, text, ip, target, context FROM audit_event
    WHERE action = 5074 ORDER BY at_us, id";

const LOGINS_SQL: &str =
    "SELECT id, at_us, user_id, user_name, login, action, text, ip, country, city, browser, platform, ip_was_set
    FROM login_event WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id";

const LOGINS_OF_SQL: &str =
    "SELECT id, at_us, user_id, user_name, login, action, text, ip, country, city, browser, platform, ip_was_set
    FROM login_event WHERE at_us >= ? AND at_us < ? AND user_id = ? ORDER BY at_us, id";

const ROOM_LOG_SQL: &str = "SELECT event FROM room_log WHERE room = ? AND at_us >= ? AND at_us < ? ORDER BY event";

const ROOM_LOG_ABOUT_SQL: &str =
    "SELECT event, about FROM room_log WHERE room = ? AND at_us >= ? AND at_us < ? AND about IS NOT NULL";

const MOMENT_SQL: &str = "SELECT at_us FROM moment WHERE name = ?";

const KEEP_MOMENT_SQL: &str =
    "INSERT INTO moment (name, at_us) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at_us = excluded.at_us";

const COVERED_SQL: &str = "SELECT since_us, until_us FROM covered_span WHERE source = ?";

/// Rows of the archive as a stream, in order; it is of one state of the store, that of the first poll.
pub type Stored<T> = MapErr<Rows<T>, fn(job_store::Error) -> Error>;

/// The two values that select a window.
fn bounds(window: Window) -> Vec<Value> {
    vec![Value::Int(micros(window.since)), Value::Int(micros(window.until))]
}

/// Actions as SQL lists them.
fn listed(actions: impl IntoIterator<Item = ActionId>) -> String {
    let actions: Vec<String> = actions.into_iter().map(|action| action.0.to_string()).collect();
    actions.join(", ")
}

/// What one portal said, kept in a store.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Store,
    part: Part,
    /// What these runs have to ask for besides their window.
    holes: SpanSet,
    /// What they read once more, though it was read.
    again: SpanSet,
}

impl Archive {
    /// Opens the archive in a store, creating or updating its tables.
    ///
    /// # Errors
    /// Those of `job_store::Store::migrate`, for instance that a newer program has written the tables.
    pub async fn open(store: Store) -> Result<Self, Error> {
        store.migrate(&COMPONENT).await?;
        Ok(Archive { store, part: Part::default(), holes: SpanSet::default(), again: SpanSet::default() })
    }

    /// The same archive for runs that judge only a part of what happened: what they have judged is remembered by itself, so that they
    /// do not take it away from others. The same text is the same part.
    #[must_use]
    pub fn for_part(self, part: &str) -> Self {
        Archive { part: Part::new(part), ..self }
    }

    /// The same archive for a run that has to see to what earlier ones could not see or judge: it asks for that too, hands on as late what
    /// is there, and names as gaps what is still missing. Holes lie before the run's window.
    #[must_use]
    pub fn with_holes(self, holes: SpanSet) -> Self {
        Archive { holes, ..self }
    }

    /// The same archive for a run that reads a span once more, whatever was read of it, because rows may have come late.
    #[must_use]
    pub fn reading_again(self, span: Window) -> Self {
        Archive { again: [span].into_iter().collect(), ..self }
    }

    /// The events of the window in order of (time, id), streamed.
    pub fn events(&self, window: Window) -> Stored<AuditEvent> {
        self.select("reading the events", EVENTS_SQL.into(), bounds(window), rows::events())
    }

    /// The same events for whoever counts them: without addresses, and with the sentences of those actions only that say something in it
    /// which counts.
    pub fn events_to_count(&self, window: Window, has_text: fn(ActionId) -> bool) -> Stored<AuditEvent> {
        let mut events = rows::Events::default();
        let row = move |row: &Row<'_>| events.counted(row, has_text);
        self.select("reading the events", EVENTS_SQL.into(), bounds(window), row)
    }

    /// The same events, with their details where they were read with them.
    pub fn detailed_events(&self, window: Window) -> Stored<AuditEvent> {
        self.select("reading the events", DETAILED_EVENTS_SQL.into(), bounds(window), rows::detailed_events())
    }

    /// The logins of the window in order of (time, id), streamed.
    pub fn login_events(&self, window: Window) -> Stored<LoginEvent> {
        self.select("reading the logins", LOGINS_SQL.into(), bounds(window), rows::login)
    }

    /// The events of the window that these people did, in the same order, with their details where they were read with them.
    pub fn events_of(&self, people: impl IntoIterator<Item = Uuid>, window: Window) -> Stored<AuditEvent> {
        let people: Vec<String> = people.into_iter().map(|person| format!("'{}'", person.simple())).collect();
        let sql = events_of_sql(&people.join(", "));
        self.select("reading the events", sql.into(), bounds(window), rows::detailed_events())
    }

    /// The events of the window of these actions, in the same order.
    pub fn events_of_actions(&self, actions: impl IntoIterator<Item = ActionId>, window: Window) -> Stored<AuditEvent> {
        let sql = some_events_sql(&listed(actions));
        self.select("reading the events", sql.into(), bounds(window), rows::events())
    }

    /// The events of the window that may have been in the room, in the same order: all that name any room by its id, and those that name
    /// this one by a title that it has or had.
    pub(crate) async fn events_near(&self, room: &RoomId, window: Window) -> Result<Vec<AuditEvent>, Error> {
        let sql = events_near_sql(&listed(ActionId::naming_rooms()));
        let mut values = bounds(window);
        values.push(room.to_string().into());
        self.select("reading the events", sql.into(), values, rows::events()).try_collect().await
    }

    /// The events of the window that name rooms, in the same order: few beside all the others.
    pub(crate) fn events_naming_rooms(&self, window: Window) -> Stored<AuditEvent> {
        self.select("reading the events", events_naming_rooms_sql().into(), bounds(window), rows::events())
    }

    /// Every event that says that a room was deleted, whenever that was.
    pub(crate) async fn deletions_of_rooms(&self) -> Result<Vec<AuditEvent>, Error> {
        self.select("reading the deleted rooms", DELETIONS_SQL.into(), Vec::new(), rows::events()).try_collect().await
    }

    fn select<T: Send + 'static>(
        &self,
        doing: &'static str,
        sql: Cow<'static, str>,
        values: Vec<Value>,
        row: impl FnMut(&Row<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Stored<T> {
        let select = Select { doing, sql, values, dictionary: Some(&PHRASES) };
        self.store.rows(select, row).map_err(Error::from)
    }

    /// What of the window's audit trail was never read, oldest first.
    ///
    /// # Errors
    /// Of the store.
    pub async fn unread_audit(&self, window: Window) -> Result<Vec<Window>, Error> {
        Ok(self.covered("audit").await?.missing_from(window))
    }

    /// The logins of the window in order of (time, id).
    ///
    /// # Errors
    /// Of the store.
    pub async fn logins(&self, window: Window) -> Result<Vec<LoginEvent>, Error> {
        self.login_events(window).try_collect().await
    }

    /// The successful logins of one person in the window, in order of (time, id).
    ///
    /// # Errors
    /// Of the store.
    pub async fn successful_logins_of(&self, person: Uuid, window: Window) -> Result<Vec<LoginEvent>, Error> {
        let mut values = bounds(window);
        values.push(Value::Text(rows::person(person)));
        let logins = self.select("reading a person's logins", LOGINS_OF_SQL.into(), values, rows::login);
        logins.try_filter(|login| future::ready(login.action.is_successful_login())).try_collect().await
    }

    /// The events of the window that the activity log of a room lists.
    ///
    /// # Errors
    /// Of the store.
    pub async fn room_log(&self, room: &RoomId, window: Window) -> Result<Vec<i64>, Error> {
        // the log dates some events an hour later than the audit trail does, and others the other way round
        let margin = TimeDelta::hours(1);
        let values =
            [room.to_string().into(), micros(window.since - margin).into(), micros(window.until + margin).into()];
        Ok(self.store.all("reading a room's log", ROOM_LOG_SQL, values, |row| row.int(0)).await?)
    }

    /// Whose membership the events changed that the activity log of a room lists in the window: event to person or group.
    ///
    /// # Errors
    /// Of the store.
    pub async fn room_log_subjects(&self, room: &RoomId, window: Window) -> Result<HashMap<i64, Uuid>, Error> {
        let margin = TimeDelta::hours(1);
        let values =
            [room.to_string().into(), micros(window.since - margin).into(), micros(window.until + margin).into()];
        let about = |row: &Row<'_>| {
            let event = row.int(0)?;
            Ok(row.text(1)?.parse().ok().map(|about| (event, about)))
        };
        let rows = self.store.all("reading a room's log", ROOM_LOG_ABOUT_SQL, values, about).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Since when the audit trail is known without a hole up to this moment; `None` when it is not known just before it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn audit_known_since(&self, moment: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        let covered = self.covered("audit").await?;
        let reaches = covered.iter().find(|span| span.since < moment && moment <= span.until);
        Ok(reaches.map(|span| span.since))
    }

    /// How many rows of the window are stored, and the dates of the first and the last.
    pub(crate) async fn summary<S: Source>(&self, source: &S, window: Window) -> Result<SourceCoverage, Error> {
        let mut values = bounds(window);
        values.push(source.name().into());
        let summary = |row: &Row<'_>| {
            let (rows, oldest, newest) = (row.int(0)?, row.optional_int(1)?, row.optional_int(2)?);
            Ok(SourceCoverage {
                rows: rows.unsigned_abs(),
                oldest: oldest.and_then(instant),
                newest: newest.and_then(instant),
                ..SourceCoverage::default()
            })
        };
        Ok(self.store.row("counting the rows", source.summary_sql(), values, summary).await?.unwrap_or_default())
    }

    pub(crate) async fn moment(&self, name: &str) -> Result<Option<DateTime<Utc>>, Error> {
        let doing = "reading when something was done";
        let at = self.store.row(doing, MOMENT_SQL, [name.into()], |row| row.int(0)).await?;
        Ok(at.and_then(instant))
    }

    pub(crate) async fn keep_moment(&self, name: &str, at: DateTime<Utc>) -> Result<(), Error> {
        let doing = "storing when something was done";
        self.store.execute(doing, KEEP_MOMENT_SQL, [name.into(), micros(at).into()]).await?;
        Ok(())
    }

    /// The spans of a source that were read completely.
    pub(crate) async fn covered(&self, source: &str) -> Result<SpanSet, Error> {
        let doing = "reading the covered spans";
        let spans = self.store.all(doing, COVERED_SQL, [source.into()], |row| rows::span(row, 0)).await?;
        Ok(spans.into_iter().flatten().collect())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn part(&self) -> &Part {
        &self.part
    }

    pub(crate) fn holes(&self) -> &SpanSet {
        &self.holes
    }

    pub(crate) fn again(&self) -> &SpanSet {
        &self.again
    }

    /// The number that an answer of one row and column gives.
    pub(crate) async fn count(
        &self,
        doing: &'static str,
        sql: &'static str,
        values: impl Into<Vec<Value>>,
    ) -> Result<u64, Error> {
        Ok(self.store.row(doing, sql, values, |row| row.int(0)).await?.unwrap_or_default().unsigned_abs())
    }

    /// What an answer of one row and column says.
    pub(crate) async fn says(
        &self,
        doing: &'static str,
        sql: &'static str,
        values: impl Into<Vec<Value>>,
    ) -> Result<bool, Error> {
        Ok(self.store.row(doing, sql, values, |row| row.flag(0)).await?.unwrap_or_default())
    }
}

/// [`Archive::moment`], beside other questions to the same state of the store.
pub(crate) fn moment_in(read: &Read<'_>, name: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    Ok(read.row(MOMENT_SQL, &[name.into()], |row| row.int(0))?.and_then(instant))
}

/// The same of [`Archive::keep_moment`].
pub(crate) fn keep_moment_in(write: &Write<'_>, name: &str, at: DateTime<Utc>) -> Result<(), Failure> {
    write.execute(KEEP_MOMENT_SQL, &[name.into(), micros(at).into()])?;
    Ok(())
}

/// The same of [`Archive::covered`].
pub(crate) fn covered_in(read: &Read<'_>, source: &str) -> Result<SpanSet, Failure> {
    let spans = read.all(COVERED_SQL, &[source.into()], |row| rows::span(row, 0))?;
    Ok(spans.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of version 1.0.0.
    const FIRST_VERSION: usize = 6;

    #[tokio::test]
    async fn a_store_of_the_first_version_opens_and_goes_on() {
        let store = Store::temporary().await.unwrap();
        store.migrate(&Component { steps: &COMPONENT.steps[..FIRST_VERSION], ..COMPONENT }).await.unwrap();
        let anna = Uuid::from_u128(7);
        let insert = "INSERT INTO login_event (id, at_us, user, user_name, action, country) VALUES (1, 5, ?, 'Anna', 1000, 'Spain')";
        store.execute("filling", insert, [anna.simple().to_string().into()]).await.unwrap();
        let event = format!(
            "INSERT INTO phrase VALUES (1, '{}'), (2, 'Anna'), (3, 'Room: Falcon');
            INSERT INTO audit_event (id, at_us, actor, actor_name, action, text, ip, target, context)
            VALUES (9, 5, 1, 2, 5031, NULL, NULL, '[\"71\",\"72\"]', 3)",
            anna.simple()
        );
        store.script("filling", event).await.unwrap();

        let archive = Archive::open(store).await.unwrap();
        let window = Window::new(instant(0).unwrap(), instant(10).unwrap());
        let events: Vec<AuditEvent> = archive.detailed_events(window).try_collect().await.unwrap();
        let known = |event: &AuditEvent| (event.id, event.actor, event.target.join("/"), event.context.clone());
        let context = Some("Room: Falcon".into());
        assert_eq!(events.iter().map(known).collect::<Vec<_>>(), [(9, anna, "71/72".to_owned(), context)]);
        assert_eq!((&events[0].actor_name, &events[0].ip, &events[0].details), (&"Anna".into(), &None, &None));
        let before = archive.logins(window).await.unwrap();
        assert_eq!(before.iter().map(|login| login.user).collect::<Vec<_>>(), [anna]);
        let next = LoginEvent { id: 2, at: instant(6).unwrap(), ..before[0].clone() };
        let none = SpanSet::default();
        let spans = crate::keep::Spans { before: &none, covered: &none, bad: &none, odd: &none };
        let source = crate::source::Logins { kept_since: None, portal_now: window.until };
        archive.keep(&source, "logins", &[next], spans).await.unwrap();
        assert_eq!(archive.successful_logins_of(anna, window).await.unwrap().len(), 2);
        assert_eq!(archive.login_countries(window).await.unwrap()[&anna].values().sum::<u64>(), 2);
    }

    /// Words that PostgreSQL takes for something else where a column or a table is meant.
    const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate \
        collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time \
        current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full \
        grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime \
        localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right \
        select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using \
        variadic verbose when where window with";

    #[tokio::test]
    async fn no_name_means_something_else_to_postgresql() {
        let archive = Archive::open(Store::temporary().await.unwrap()).await.unwrap();
        let sql = "SELECT entry.name, info.name FROM sqlite_schema AS entry JOIN pragma_table_info(entry.name) AS info";
        let name = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
        let names = archive.store.all("reading names", sql, [], name).await.unwrap();
        assert!(names.contains(&("login_event".to_owned(), "user_id".to_owned())), "{names:?}");
        for (table, column) in names {
            for name in [&table, &column] {
                assert!(!RESERVED.split_whitespace().any(|word| word == name), "{table}.{column}");
            }
        }
    }

    #[tokio::test]
    async fn the_portal_is_in_every_key() {
        let Some(place) = job_store::testing::place() else { return };
        let store = Store::on_server(&place).await.unwrap();
        Archive::open(store.clone()).await.unwrap();
        assert_eq!(job_store::testing::unlike_the_others(&store).await, [""; 0]);
    }

    /// A window is found by its index, in order, without sorting and without reading the whole table.
    #[tokio::test]
    async fn windows_are_read_by_index() {
        let archive = Archive::open(Store::temporary().await.unwrap()).await.unwrap();
        let (some, near, of) = (some_events_sql("1, 2"), events_near_sql("1, 2"), events_of_sql("'a', 'b'"));
        for (sql, index) in [
            (EVENTS_SQL, "audit_event_by_time"),
            (DETAILED_EVENTS_SQL, "audit_event_by_time"),
            (&some, "audit_event_by_time"),
            (&events_naming_rooms_sql(), "audit_event_of_rooms"),
            (&near, "audit_event_by_time"),
            (&of, "audit_event_by_time"),
            (LOGINS_SQL, "login_event_by_time"),
            (LOGINS_OF_SQL, "login_event_by_time"),
            (ROOM_LOG_SQL, "room_log_by_time"),
            (ROOM_LOG_ABOUT_SQL, "room_log_by_time"),
            (DELETIONS_SQL, "audit_event_room_deleted"),
        ] {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let values = vec![Value::Int(0); sql.matches('?').count()];
            let steps = archive.store.all("explaining", explain, values, |row| Ok(row.text(3)?.to_owned()));
            let steps = steps.await.unwrap();
            assert!(steps.iter().any(|step| step.contains(index)), "{steps:?}");
            // the index of deletions holds nothing else, so it is read from end to end; a title may stand at the end of any text
            let small = |step: &String| step.contains("room_deleted") || step.contains("phrase");
            let scans = steps.iter().filter(|step| step.contains("SCAN") && !small(step));
            assert_eq!(scans.count(), 0, "{steps:?}");
        }
    }
}
