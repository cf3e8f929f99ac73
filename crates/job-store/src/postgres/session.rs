//! One connection, and the work that is done with it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::runtime::Handle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::rewriting::as_postgres;
use crate::statement::{Dictionary, Failure, Value, Why};

/// Statements that are kept prepared: more than a program has that are always the same.
const PREPARED: usize = 200;

/// Questions on their way at a time, and rows handed over in one step.
pub(super) const STEP: usize = 1_000;

/// One connection, and what is prepared in it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    handle: Handle,
    /// How long an answer may take.
    patience: Duration,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Session {
    pub(super) fn new(client: Client, handle: Handle, patience: Duration) -> Self {
        Session { client, handle, patience, prepared: Mutex::default() }
    }

    /// Waits for an answer, on the thread of whoever calls. A server that has stopped to work answers nothing and closes nothing.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
        Ok(within(&self.handle, self.patience, answer)??)
    }
}

/// Waits for so long.
pub(super) fn within<T>(handle: &Handle, patience: Duration, answer: impl Future<Output = T>) -> Result<T, Failure> {
    let answered = handle.block_on(async { tokio::time::timeout(patience, answer).await });
    answered.map_err(|_| Failure(Why::Silence(patience)))
}

impl Session {
    /// A statement of ours as this server takes it; prepared once.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement, Failure> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.wait(self.client.prepare(&as_postgres(sql)))?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let statement = self.prepare(sql)?;
        self.wait(self.client.query(&statement, &parameters(values)))
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, Failure> {
        let statement = self.prepare(sql)?;
        self.wait(self.client.execute(&statement, &parameters(values)))
    }

    pub(crate) fn script(&self, sql: &str) -> Result<(), Failure> {
        self.wait(self.client.batch_execute(sql))
    }
}

impl Session {
    /// What [`Write::for_each`](crate::Write::for_each) does, a thousand rows on their way at a time.
    pub(crate) fn for_each(
        &self,
        [sql, otherwise]: [&str; 2],
        values: &[Value],
        dictionary: &Dictionary,
    ) -> Result<Vec<bool>, Failure> {
        let numbers = self.numbers(values, dictionary)?;
        let number = |value: &Value| match value {
            Value::Shared(text) => numbers.get(text).map_or(Value::Null, |number| Value::Int(*number)),
            value => value.clone(),
        };
        let values: Vec<Value> = values.iter().map(number).collect();
        let width = self.prepare(sql)?.params().len().max(1);
        let rows: Vec<&[Value]> = values.chunks(width).collect();
        let mut changed = self.execute_each(sql, &rows)?;
        if !otherwise.is_empty() {
            let places: Vec<usize> = (0..rows.len()).filter(|place| !changed[*place]).collect();
            let rest: Vec<&[Value]> = places.iter().map(|place| rows[*place]).collect();
            for (place, now) in places.into_iter().zip(self.execute_each(otherwise, &rest)?) {
                changed[place] = now;
            }
        }
        Ok(changed)
    }

    /// Whether a statement changed anything, for each row of values, in order.
    pub(crate) fn execute_each(&self, sql: &str, rows: &[&[Value]]) -> Result<Vec<bool>, Failure> {
        let statement = self.prepare(sql)?;
        let mut changed = Vec::with_capacity(rows.len());
        for rows in rows.chunks(STEP) {
            let rows: Vec<_> = rows.iter().map(|row| parameters(row)).collect();
            let done = rows.iter().map(|row| self.client.execute(&statement, row));
            changed.extend(self.wait(try_join_all(done))?.into_iter().map(|rows| rows > 0));
        }
        Ok(changed)
    }

    /// The numbers of all shared texts; new ones are added.
    fn numbers(&self, values: &[Value], dictionary: &Dictionary) -> Result<HashMap<Arc<str>, i64>, Failure> {
        let shared = values.iter().filter_map(|value| if let Value::Shared(text) = value { Some(text) } else { None });
        let texts: BTreeSet<&Arc<str>> = shared.collect();
        let texts: Vec<[Value; 1]> = texts.into_iter().map(|text| [Value::Text(text.clone())]).collect();
        let mut numbers = HashMap::with_capacity(texts.len());
        let mut missing = texts;
        for sql in [dictionary.number, dictionary.add] {
            let statement = self.prepare(sql)?;
            let mut unknown = Vec::new();
            for texts in missing.chunks(STEP) {
                let asked: Vec<_> = texts.iter().map(|text| parameters(text)).collect();
                let answers = asked.iter().map(|text| self.client.query_opt(&statement, text));
                for (text, row) in texts.iter().zip(self.wait(try_join_all(answers))?) {
                    match (row, &text[0]) {
                        (Some(row), Value::Text(text)) => drop(numbers.insert(text.clone(), row.try_get(0)?)),
                        _ => unknown.push(text.clone()),
                    }
                }
            }
            missing = unknown;
        }
        Ok(numbers)
    }
}

/// As the driver takes them.
pub(crate) fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
