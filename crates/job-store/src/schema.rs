//! Migrations, numbered per component, so that each crate keeps the history of its own tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::statement::{Failure, Row};
use crate::store::{Engine, Store};

/// One step in the history of a component's tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Position in the history: 1, 2, 3, …
    pub number: u32,
    /// What the step does, for messages.
    pub name: &'static str,
    /// One or more statements, without `BEGIN` and `COMMIT`. Never edited once released.
    pub sql: &'static str,
}

/// The tables of one crate and how they came about.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// A short name, stored; it must never change.
    pub name: &'static str,
    /// Every step from number 1 on, in order and without gaps.
    pub steps: &'static [Migration],
    /// The same in PostgreSQL, where the first one makes at once what the steps up to its number have made in SQLite. Every table has `portal`
    /// as the first column of its key, and no statement names it.
    pub on_server: &'static [Migration],
}

/// The steps of a component.
#[derive(Clone, Copy, Debug)]
struct History {
    name: &'static str,
    steps: &'static [Migration],
    /// The last step for a server.
    last_on_server: u32,
}

/// The histories that a store was found to have or was given: looking once more would find the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histories(Arc<Mutex<Vec<History>>>);

impl Histories {
    fn include(&self, component: &Component) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|known| known.name == component.name && std::ptr::eq(known.steps, component.steps))
    }

    fn add(&self, component: &Component) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(History {
            name: component.name,
            steps: component.steps,
            last_on_server: last(component.on_server),
        });
    }

    /// What this program cannot read of a server that was brought so far: a component with the step there and the last one known here.
    pub(crate) fn newer(&self, on_server: &BTreeMap<String, u32>) -> Option<(&'static str, u32, u32)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = |history: &History| {
            let found = *on_server.get(history.name)?;
            (found > history.last_on_server).then_some((history.name, found, history.last_on_server))
        };
        known.iter().find_map(newer)
    }
}

fn last(steps: &[Migration]) -> u32 {
    steps.last().map_or(0, |step| step.number)
}

/// Steps that were applied, by component. No time stands here: the same steps give the same file.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS component_schema (
    component TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (component, number)
) STRICT, WITHOUT ROWID";

const IS_THERE: &str = "SELECT 1 FROM sqlite_schema WHERE name = 'component_schema'";

impl Store {
    /// Applies the steps of a component that this store does not have yet; other components are not looked at.
    ///
    /// Every step is applied in its own transaction. Where nothing is missing, nothing is written; calling it again for this store or a clone
    /// of it does nothing at all.
    ///
    /// # Errors
    ///
    /// [`Error::NewerSchema`] and [`Error::ChangedMigration`] before anything is changed; [`Error::Migration`] for a
    /// step that failed, after which the steps before it stay; [`Error::Corrupt`] for a damaged file.
    ///
    /// # Panics
    ///
    /// When the steps are not numbered 1, 2, 3, …, or PostgreSQL lacks the last one: a mistake that every test of the component meets.
    pub async fn migrate(&self, component: &Component) -> Result<(), Error> {
        assert!(
            component.steps.iter().zip(1..).all(|(step, number)| step.number == number),
            "steps of component `{}` must be numbered from 1 without gaps",
            component.name
        );
        assert!(
            component.on_server.is_empty() || last(component.on_server) >= last(component.steps),
            "component `{}` has a step for SQLite that it lacks for PostgreSQL",
            component.name
        );
        if self.histories().include(component) {
            return Ok(());
        }
        let (table, steps) = match self.engine() {
            Engine::Sqlite(_) => (TABLE, component.steps),
            Engine::Postgres(_) => (TABLE_ON_SERVER, component.on_server),
        };
        let applied = match self.applied(component).await? {
            Some(applied) => applied,
            None => {
                self.script("creating the schema table", table).await?;
                BTreeMap::new()
            }
        };
        self.check(component, steps, &applied)?;
        for step in steps.iter().filter(|step| !applied.contains_key(&step.number)) {
            self.apply(component, step).await?;
        }
        self.histories().add(component);
        Ok(())
    }

    /// The steps that were applied, with their checksums; `None` where the store does not even have the table of them.
    async fn applied(&self, component: &Component) -> Result<Option<BTreeMap<u32, String>>, Error> {
        let is_there = match self.engine() {
            Engine::Sqlite(_) => IS_THERE,
            Engine::Postgres(_) => IS_THERE_ON_SERVER,
        };
        let name = component.name;
        let applied = self.read("reading the schema table", move |read| {
            if read.row(is_there, &[], |_| Ok(()))?.is_none() {
                return Ok(None);
            }
            let sql = "SELECT number, checksum FROM component_schema WHERE component = ?";
            let step = |row: &Row<'_>| {
                let number = u32::try_from(row.int(0)?).map_err(Failure::other)?;
                Ok((number, row.text(1)?.to_owned()))
            };
            Ok(Some(read.all(sql, &[name.into()], step)?.into_iter().collect()))
        });
        applied.await
    }

    fn check(
        &self,
        component: &Component,
        steps: &'static [Migration],
        applied: &BTreeMap<u32, String>,
    ) -> Result<(), Error> {
        let known = last(steps);
        if let Some((&found, _)) = applied.last_key_value()
            && found > known
        {
            return Err(Error::NewerSchema { path: self.path().to_owned(), component: component.name, found, known });
        }
        let changed = |step: &&Migration| applied.get(&step.number).is_some_and(|stored| *stored != checksum(step.sql));
        match steps.iter().find(changed) {
            None => Ok(()),
            Some(step) => Err(Error::ChangedMigration {
                path: self.path().to_owned(),
                component: component.name,
                number: step.number,
            }),
        }
    }

    async fn apply(&self, component: &Component, step: &Migration) -> Result<(), Error> {
        let (path, component, Migration { number, name, sql }) = (self.path().to_owned(), component.name, *step);
        let is_on_server = matches!(self.engine(), Engine::Postgres(_));
        let applied = self.write("updating the tables", move |write| {
            let values = [component.into(), i64::from(number).into(), name.into(), checksum(sql).into()];
            if is_on_server {
                // portals share the tables
                write.script("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")?;
            }
            // The row comes first: where it stands already, another process applied this step a moment ago.
            let added =
                write.execute("INSERT INTO component_schema VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", &values)?;
            if added == 1 {
                write.script(sql)?;
            }
            if is_on_server {
                write.script(KEEP_APART)?;
            }
            Ok(())
        });
        applied.await.map_err(|error| match error {
            Error::Database { source, .. } => Error::Migration { path, component, number, name, source },
            error => error,
        })
    }
}

const IS_THERE_ON_SERVER: &str = "SELECT 1 WHERE to_regclass('component_schema') IS NOT NULL";

/// The same table in PostgreSQL, for all portals of a schema.
const TABLE_ON_SERVER: &str = "SELECT pg_advisory_xact_lock(hashtext(current_schema()));
CREATE TABLE IF NOT EXISTS component_schema (
    component TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (component, number)
)";

/// Keeps the rows of portals apart in every table, also for the role that owns it.
const KEEP_APART: &str = "DO $$ DECLARE name TEXT; BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
        AND NOT relforcerowsecurity AND relname <> 'component_schema'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY of_portal ON %I USING (portal = current_setting(''job.portal''))', name);
    END LOOP;
END $$";

/// SHA-256 of a step's text, in hexadecimal.
fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql))
}
