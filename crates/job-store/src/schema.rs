//! Migrations, numbered per component, so that each crate keeps the history of its own tables.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::statement::{Failure, Row};
use crate::store::Store;

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
}

/// Steps that were applied, by component. No time stands here: the same steps give the same file.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS component_schema (
    component TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (component, number)
) STRICT, WITHOUT ROWID";

impl Store {
    /// Applies the steps of a component that this store does not have yet; other components are not looked at.
    ///
    /// Every step is applied in its own transaction. Calling it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NewerSchema`] and [`Error::ChangedMigration`] before anything is changed; [`Error::Migration`] for a
    /// step that failed, after which the steps before it stay; [`Error::Corrupt`] for a damaged file.
    ///
    /// # Panics
    ///
    /// When the steps are not numbered 1, 2, 3, …: a mistake that every test of the component meets.
    pub async fn migrate(&self, component: &Component) -> Result<(), Error> {
        assert!(
            component.steps.iter().zip(1..).all(|(step, number)| step.number == number),
            "steps of component `{}` must be numbered from 1 without gaps",
            component.name
        );
        self.execute("creating the schema table", TABLE, []).await?;
        let applied = self.applied(component).await?;
        self.check(component, &applied)?;
        for step in component.steps.iter().filter(|step| !applied.contains_key(&step.number)) {
            self.apply(component, step).await?;
        }
        Ok(())
    }

    async fn applied(&self, component: &Component) -> Result<BTreeMap<u32, String>, Error> {
        let sql = "SELECT number, checksum FROM component_schema WHERE component = ?";
        let step = |row: &Row<'_>| {
            let number = u32::try_from(row.int(0)?).map_err(Failure::other)?;
            Ok((number, row.text(1)?.to_owned()))
        };
        let rows = self.all("reading the schema table", sql, [component.name.into()], step).await?;
        Ok(rows.into_iter().collect())
    }

    fn check(&self, component: &Component, applied: &BTreeMap<u32, String>) -> Result<(), Error> {
        let known = component.steps.last().map_or(0, |step| step.number);
        if let Some((&found, _)) = applied.last_key_value()
            && found > known
        {
            return Err(Error::NewerSchema { path: self.path().to_owned(), component: component.name, found, known });
        }
        let changed = |step: &&Migration| applied.get(&step.number).is_some_and(|stored| *stored != checksum(step.sql));
        match component.steps.iter().find(changed) {
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
        let applied = self.write("updating the tables", move |write| {
            let values = [component.into(), i64::from(number).into(), name.into(), checksum(sql).into()];
            // The row comes first: where it stands already, another process applied this step a moment ago.
            let added =
                write.execute("INSERT INTO component_schema VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", &values)?;
            if added == 1 {
                write.script(sql)?;
            }
            Ok(())
        });
        applied.await.map_err(|error| match error {
            Error::Database { source, .. } => Error::Migration { path, component, number, name, source },
            error => error,
        })
    }
}

/// SHA-256 of a step's text, in hexadecimal.
fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql))
}
