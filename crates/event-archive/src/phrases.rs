//! Texts that many rows share: each stands once in its table, and rows hold its number.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, SqliteConnection};

/// Texts looked up or stored by one statement.
const TEXTS_AT_ONCE: usize = 100;

/// The numbers of some texts, as they are within one transaction: another one may have forgotten them.
pub(crate) struct Phrases(HashMap<String, i64>);

impl Phrases {
    /// Looks the texts up, and stores those that are new.
    pub(crate) async fn of(texts: &HashSet<Cow<'_, str>>, write: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let mut known = HashMap::with_capacity(texts.len());
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        for some in texts.chunks(TEXTS_AT_ONCE) {
            let mut find = QueryBuilder::new("SELECT value, id FROM phrase WHERE value IN (");
            let mut list = find.separated(", ");
            for text in some {
                list.push_bind(*text);
            }
            find.push(")");
            known.extend(answers(find, some.len() == TEXTS_AT_ONCE, write).await?);
        }
        let new: Vec<&str> = texts.into_iter().filter(|text| !known.contains_key(*text)).collect();
        for some in new.chunks(TEXTS_AT_ONCE) {
            let mut store = QueryBuilder::new("INSERT INTO phrase (value) ");
            store.push_values(some, |mut row, text| {
                row.push_bind(*text);
            });
            store.push(" RETURNING value, id");
            known.extend(answers(store, some.len() == TEXTS_AT_ONCE, write).await?);
        }
        Ok(Phrases(known))
    }

    /// # Panics
    /// For a text that was not among those looked up.
    pub(crate) fn id(&self, text: &str) -> i64 {
        *self.0.get(text).expect("every text of the rows was looked up")
    }
}

/// Only statements of the usual length are kept prepared: others hardly come again.
async fn answers(
    mut statement: QueryBuilder<sqlx::Sqlite>,
    is_usual: bool,
    write: &mut SqliteConnection,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    statement.build_query_as().persistent(is_usual).fetch_all(write).await
}
