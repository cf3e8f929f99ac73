//! Rows by the thousand: read in steps, on a thread that does nothing else.
//!
//! A driver that hands over each row by itself costs more than the database below it: two threads wake each other for every row.

use std::borrow::Cow;
use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::postgres::{Server, ServerTexts, Session};
use crate::statement::{Dictionary, Failure, LookUp, Of, Row, Texts, Value};
use crate::work::With;
use crate::{Error, Store};

/// Rows handed over in one step.
const STEP: usize = 1_000;

/// A question for many rows.
#[derive(Clone, Debug)]
pub struct Select {
    /// What it is for, as a noun: `reading the events`.
    pub doing: &'static str,
    pub sql: Cow<'static, str>,
    pub values: Vec<Value>,
    /// Where numbers of texts are looked up.
    pub dictionary: Option<&'static Dictionary>,
}

/// A step of rows, and the end of the thread that reads them.
type Steps<T> = (mpsc::Receiver<Vec<T>>, JoinHandle<Result<(), Error>>);

/// The rows of an answer, in order; reading begins with the first poll, and ends when this is dropped.
#[must_use]
pub struct Rows<T> {
    begin: Option<Box<dyn FnOnce() -> Steps<T> + Send>>,
    steps: Option<Steps<T>>,
    step: std::vec::IntoIter<T>,
}

impl<T> Stream for Rows<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let rows = &mut *self;
        loop {
            if let Some(row) = rows.step.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            if let Some(begin) = rows.begin.take() {
                rows.steps = Some(begin());
            }
            let Some((receiver, reader)) = &mut rows.steps else { return Poll::Ready(None) };
            match ready!(receiver.poll_recv(context)) {
                Some(step) => rows.step = step.into_iter(),
                // no more rows is the end only when the thread says so
                None => {
                    let ended = ready!(Pin::new(reader).poll(context));
                    rows.steps = None;
                    let ended = ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
                    return Poll::Ready(ended.err().map(Err));
                }
            }
        }
    }
}

impl<T> Unpin for Rows<T> {}

impl Store {
    /// The rows of an answer in order, each as `row` makes it; all of one state of the store.
    pub fn rows<T: Send + 'static>(
        &self,
        select: Select,
        row: impl FnMut(&Row<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Rows<T> {
        let store = self.clone();
        let begin = move || {
            let (sender, receiver) = mpsc::channel(1);
            let doing = select.doing;
            let read = move |with: With<'_>| match with {
                With::Sqlite(connection) => read(connection, &select, row, &sender),
                With::Postgres(server, session) => read_from_server((server, session), &select, row, &sender),
            };
            (receiver, tokio::spawn(async move { store.work(doing, read).await }))
        };
        Rows { begin: Some(Box::new(begin)), steps: None, step: Vec::new().into_iter() }
    }
}

/// Reads until there is no more, or nobody wants more.
fn read<T>(
    connection: &Connection,
    select: &Select,
    mut of: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    sender: &mpsc::Sender<Vec<T>>,
) -> Result<(), Failure> {
    let texts = select.dictionary.map(|dictionary| Texts::of(dictionary, connection)).transpose()?.map(RefCell::new);
    let texts = texts.as_ref().map(|texts| texts as &dyn LookUp);
    let mut statement = connection.prepare(&select.sql)?;
    let mut rows = statement.query(params_from_iter(&select.values))?;
    let mut step = Vec::new();
    while let Some(row) = rows.next()? {
        step.push(of(&Row::new(Of::Sqlite(row), texts))?);
        if step.len() == STEP && sender.blocking_send(std::mem::replace(&mut step, Vec::with_capacity(STEP))).is_err() {
            return Ok(());
        }
    }
    // whoever has dropped the receiver wants no more
    let _ = sender.blocking_send(step);
    Ok(())
}

/// The same from a server; a cursor keeps what was not asked for there.
fn read_from_server<T>(
    (server, session): (&Server, &mut Session),
    select: &Select,
    mut of: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    sender: &mpsc::Sender<Vec<T>>,
) -> Result<(), Failure> {
    let session = &*session;
    server.begin_reading(session)?;
    let texts = select.dictionary.map(|dictionary| ServerTexts::of(dictionary, session)).transpose()?;
    session.execute(&format!("DECLARE asked NO SCROLL CURSOR FOR {}", select.sql), &select.values)?;
    // what it gives is known by now, and another one the next time, so it is not kept
    let fetch = session.wait(session.client.prepare(&format!("FETCH FORWARD {STEP} FROM asked")))?;
    loop {
        let rows = session.wait(session.client.query(&fetch, &[]))?;
        if rows.is_empty() {
            break;
        }
        let mut step = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            // the first row shows which columns hold numbers of texts
            if let Some(texts) = texts.as_ref().filter(|_| place == 1) {
                texts.foresee(&rows)?;
            }
            step.push(of(&Row::new(Of::Postgres(row), texts.as_ref().map(|texts| texts as &dyn LookUp)))?);
        }
        if sender.blocking_send(step).is_err() {
            break;
        }
    }
    session.script("COMMIT")
}
