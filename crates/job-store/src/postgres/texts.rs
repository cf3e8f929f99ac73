//! The texts of a dictionary on a server: asked for by the thousand, because each question is a way there and back.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::try_join_all;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::session::{STEP, Session};
use crate::statement::{Dictionary, Failure, LookUp};

/// Texts remembered while rows are read, at most, and those of one step more.
const REMEMBERED: usize = 20_000;

/// The texts of a dictionary, as rows ask for them.
pub(crate) struct ServerTexts<'s> {
    session: &'s Session,
    find: Statement,
    known: RefCell<HashMap<i64, Option<Arc<str>>>>,
    /// In these columns rows have asked for texts.
    columns: RefCell<BTreeSet<usize>>,
}

impl<'s> ServerTexts<'s> {
    pub(crate) fn of(dictionary: &Dictionary, session: &'s Session) -> Result<Self, Failure> {
        let find = session.prepare(dictionary.text)?;
        Ok(ServerTexts { session, find, known: RefCell::default(), columns: RefCell::default() })
    }

    /// Asks at once for what these rows will ask for one after the other.
    pub(crate) fn foresee(&self, rows: &[tokio_postgres::Row]) -> Result<(), Failure> {
        let mut known = self.known.borrow_mut();
        if known.len() > REMEMBERED {
            known.clear();
        }
        let columns = self.columns.borrow();
        let mut numbers = BTreeSet::new();
        for row in rows {
            for column in columns.iter() {
                numbers.extend(row.try_get::<_, Option<i64>>(*column)?.filter(|number| !known.contains_key(number)));
            }
        }
        let numbers: Vec<i64> = numbers.into_iter().collect();
        for numbers in numbers.chunks(STEP) {
            let asked: Vec<[&(dyn ToSql + Sync); 1]> = numbers.iter().map(|number| [number as _]).collect();
            let answers = asked.iter().map(|number| self.session.client.query_opt(&self.find, number));
            for (number, row) in numbers.iter().zip(self.session.wait(try_join_all(answers))?) {
                known.insert(*number, row.map(|row| row.try_get::<_, &str>(0).map(Arc::from)).transpose()?);
            }
        }
        Ok(())
    }
}

impl LookUp for ServerTexts<'_> {
    fn text(&self, column: usize, number: i64) -> Result<Option<Arc<str>>, Failure> {
        self.columns.borrow_mut().insert(column);
        if let Some(text) = self.known.borrow().get(&number) {
            return Ok(text.clone());
        }
        let row = self.session.wait(self.session.client.query_opt(&self.find, &[&number]))?;
        let text: Option<Arc<str>> = row.map(|row| row.try_get::<_, &str>(0).map(Arc::from)).transpose()?;
        self.known.borrow_mut().insert(number, text.clone());
        Ok(text)
    }
}
