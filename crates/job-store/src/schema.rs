//! Migrations, numbered per component, so that each crate keeps the history of its own tables.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::error::Error;
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
        sqlx::query(TABLE).execute(self.pool()).await.map_err(|e| self.error("creating the schema table", e))?;
        let applied = self.applied(component).await?;
        self.check(component, &applied)?;
        for step in component.steps.iter().filter(|step| !applied.contains_key(&step.number)) {
            self.apply(component, step).await?;
        }
        Ok(())
    }

    async fn applied(&self, component: &Component) -> Result<BTreeMap<u32, String>, Error> {
        let rows: Vec<(u32, String)> =
            sqlx::query_as("SELECT number, checksum FROM component_schema WHERE component = ?")
                .bind(component.name)
                .fetch_all(self.pool())
                .await
                .map_err(|e| self.error("reading the schema table", e))?;
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
        let failed = |source| {
            if crate::error::is_corruption(&source) {
                return Error::Corrupt { path: self.path().to_owned(), source };
            }
            Error::Migration {
                path: self.path().to_owned(),
                component: component.name,
                number: step.number,
                name: step.name,
                source,
            }
        };
        let mut write = self.begin().await?;
        // The row comes first: where it stands already, another process applied this step a moment ago.
        let added = sqlx::query("INSERT INTO component_schema VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(component.name)
            .bind(step.number)
            .bind(step.name)
            .bind(checksum(step.sql))
            .execute(&mut *write)
            .await
            .map_err(failed)?;
        if added.rows_affected() == 1 {
            sqlx::raw_sql(step.sql).execute(&mut *write).await.map_err(failed)?;
        }
        write.commit().await.map_err(failed)
    }
}

/// SHA-256 of a step's text, in hexadecimal.
fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql))
}
