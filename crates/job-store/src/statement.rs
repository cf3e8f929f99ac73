//! What statements are made of: values, rows, and the texts that many rows share.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Statement};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql as ToServer, Type, to_sql_checked};

use crate::error::{Cause, Error};

/// A value of a row, or one that a statement is given.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Int(i64),
    Text(Arc<str>),
    /// The number of this text in the [`Dictionary`].
    Shared(Arc<str>),
}

impl Value {
    /// A text, or nothing.
    pub fn text(text: Option<Arc<str>>) -> Self {
        text.map_or(Value::Null, Value::Text)
    }

    /// The number of a text, or nothing.
    pub fn shared(text: Option<Arc<str>>) -> Self {
        text.map_or(Value::Null, Value::Shared)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) | Value::Shared(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Text(text.as_str().into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

/// Nothing where there is none.
impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl ToServer for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Cause> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *kind == Type::INT4 => ToServer::to_sql(&i32::try_from(*number)?, kind, out),
            Value::Int(number) if *kind == Type::INT8 => ToServer::to_sql(number, kind, out),
            Value::Int(_) => Err(format!("a number is given where {kind} is asked for").into()),
            // the server takes no text with this character
            Value::Text(text) | Value::Shared(text) if text.contains('\0') => {
                ToServer::to_sql(&text.replace('\0', "\u{2400}"), kind, out)
            }
            Value::Text(text) | Value::Shared(text) => ToServer::to_sql(&&**text, kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Why some work with a store was given up: a statement failed, a row is not of the form that its table has, or what the caller found.
#[derive(Debug)]
pub struct Failure(pub(crate) Why);

#[derive(Debug)]
pub(crate) enum Why {
    Sqlite(rusqlite::Error),
    Postgres(tokio_postgres::Error),
    /// The server did not answer for so long.
    Silence(Duration),
    /// Known by what the caller can do about it.
    Known(Box<Error>),
    Other(Cause),
}

impl Failure {
    /// A failure of the caller's own work; [`Error::Database`](crate::Error::Database) with this cause comes of it.
    pub fn other(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Failure(Why::Other(cause.into()))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure(Why::Sqlite(error))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure(Why::Postgres(error))
    }
}

/// It stays what it is.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure(Why::Known(Box::new(error)))
    }
}

/// A table in which each text stands once; rows hold its number.
#[derive(Debug)]
pub struct Dictionary {
    /// The text of a number.
    pub text: &'static str,
    /// The number of a text.
    pub number: &'static str,
    /// Adds a text, and gives its number.
    pub add: &'static str,
}

/// Texts remembered while rows are read: a power of two, and more than a portal has names and rooms in use at a time.
const REMEMBERED: usize = 4096;

/// Whatever knows the texts of numbers.
pub(crate) trait LookUp {
    fn text(&self, column: usize, number: i64) -> Result<Option<Arc<str>>, Failure>;
}

impl LookUp for RefCell<Texts<'_>> {
    fn text(&self, _column: usize, number: i64) -> Result<Option<Arc<str>>, Failure> {
        Ok(self.borrow_mut().text(number)?)
    }
}

/// Looks up the texts of numbers. What is remembered stays small however many texts there are: a number has one place.
pub(crate) struct Texts<'c> {
    find: Statement<'c>,
    known: Vec<Option<(i64, Arc<str>)>>,
}

impl<'c> Texts<'c> {
    pub(crate) fn of(dictionary: &Dictionary, connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Texts { find: connection.prepare(dictionary.text)?, known: Vec::new() })
    }

    fn text(&mut self, number: i64) -> rusqlite::Result<Option<Arc<str>>> {
        let place = number as usize % REMEMBERED;
        if let Some(Some((known, text))) = self.known.get(place)
            && *known == number
        {
            return Ok(Some(text.clone()));
        }
        let mut rows = self.find.query([number])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let text: Arc<str> = row.get_ref(0)?.as_str()?.into();
        if self.known.len() <= place {
            self.known.resize(place + 1, None);
        }
        self.known[place] = Some((number, text.clone()));
        Ok(Some(text))
    }
}

/// A row of an answer; columns are counted from 0.
pub struct Row<'r> {
    of: Of<'r>,
    texts: Option<&'r dyn LookUp>,
}

#[derive(Clone, Copy)]
pub(crate) enum Of<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// A number of PostgreSQL, or whether something is so, as SQLite gives it.
struct Number(i64);

impl<'a> FromSql<'a> for Number {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Cause> {
        Ok(Number(match *kind {
            Type::BOOL => bool::from_sql(kind, raw)?.into(),
            Type::INT4 => i32::from_sql(kind, raw)?.into(),
            _ => i64::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        [Type::BOOL, Type::INT4, Type::INT8].contains(kind)
    }
}

impl<'r> Row<'r> {
    pub(crate) fn new(of: Of<'r>, texts: Option<&'r dyn LookUp>) -> Self {
        Row { of, texts }
    }

    /// # Errors
    /// There is something else.
    pub fn int(&self, column: usize) -> Result<i64, Failure> {
        match self.of {
            Of::Sqlite(row) => Ok(row.get_ref(column)?.as_i64().map_err(rusqlite::Error::from)?),
            Of::Postgres(row) => Ok(row.try_get::<_, Number>(column)?.0),
        }
    }

    /// # Errors
    /// There is something else than a number or nothing.
    pub fn optional_int(&self, column: usize) -> Result<Option<i64>, Failure> {
        match self.of {
            Of::Sqlite(row) => Ok(row.get_ref(column)?.as_i64_or_null().map_err(rusqlite::Error::from)?),
            Of::Postgres(row) => Ok(row.try_get::<_, Option<Number>>(column)?.map(|number| number.0)),
        }
    }

    /// Whatever there is: a number, a text or nothing.
    pub(crate) fn value(&self, column: usize) -> Result<Value, Failure> {
        match self.of {
            Of::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(number) => Ok(Value::Int(number)),
                text => Ok(Value::from(text.as_str().map_err(rusqlite::Error::from)?)),
            },
            Of::Postgres(row) if row.columns().get(column).is_some_and(|column| Number::accepts(column.type_())) => {
                Ok(row.try_get::<_, Option<Number>>(column)?.map_or(Value::Null, |number| Value::Int(number.0)))
            }
            Of::Postgres(row) => Ok(row.try_get::<_, Option<&str>>(column)?.map_or(Value::Null, Value::from)),
        }
    }

    /// Whether something is so.
    ///
    /// # Errors
    /// There is something else.
    pub fn flag(&self, column: usize) -> Result<bool, Failure> {
        Ok(self.int(column)? != 0)
    }

    /// # Errors
    /// There is something else.
    pub fn text(&self, column: usize) -> Result<&str, Failure> {
        match self.of {
            Of::Sqlite(row) => Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?),
            Of::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// # Errors
    /// There is something else than a text or nothing.
    pub fn optional_text(&self, column: usize) -> Result<Option<&str>, Failure> {
        match self.of {
            Of::Sqlite(row) => Ok(row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?),
            Of::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// The text of a number in the dictionary; rows that share it share its memory. Nothing where there is none.
    ///
    /// # Errors
    /// There is something else than a number or nothing, or the dictionary cannot be read.
    pub fn shared(&self, column: usize) -> Result<Option<Arc<str>>, Failure> {
        match (self.optional_int(column)?, self.texts) {
            (Some(number), Some(texts)) => texts.text(column, number),
            _ => Ok(None),
        }
    }
}

/// Looks up the numbers of texts within one transaction, and adds those that are new. Another transaction may have forgotten them.
pub(crate) struct Numbers<'c> {
    find: Statement<'c>,
    add: Statement<'c>,
    known: HashMap<Arc<str>, i64, BuildHasherDefault<Folded>>,
}

/// Hashes short texts at little cost. Whoever makes texts of one hash slows down the storing of the few thousand rows of one transaction,
/// and nothing else.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        // an odd number without a pattern
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        for bytes in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            let product = u128::from(self.0 ^ u64::from_le_bytes(word)) * u128::from(SPREAD);
            self.0 = (product as u64) ^ ((product >> 64) as u64);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<'c> Numbers<'c> {
    pub(crate) fn of(dictionary: &Dictionary, connection: &'c Connection) -> rusqlite::Result<Self> {
        let (find, add) = (connection.prepare(dictionary.number)?, connection.prepare(dictionary.add)?);
        Ok(Numbers { find, add, known: HashMap::default() })
    }

    pub(crate) fn number(&mut self, text: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some(number) = self.known.get(text) {
            return Ok(*number);
        }
        let found = self.find.query_row([&**text], |row| row.get(0)).optional()?;
        let number = match found {
            Some(number) => number,
            None => self.add.query_row([&**text], |row| row.get(0))?,
        };
        self.known.insert(text.clone(), number);
        Ok(number)
    }
}
