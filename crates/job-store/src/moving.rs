//! Moving what a store holds into another one, of the same engine or the other, without knowing what it is.
//!
//! Both stores are marked. While a move goes on, the source is used as before, and the target refuses to be used. When every table has been
//! compared, the source is marked as moved away and refuses from then on; only after that the target may be used. So there is never a moment
//! at which both are, and whatever a crash leaves is finished by the same call. What the source has lost or gained between two calls is found
//! by the comparison, and its table is copied again.

mod copying;
mod marks;
mod shape;

pub(crate) use marks::{on_server, verdict};

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::store::Store;
use crate::table::Table;
use marks::{Mark, Side};
use shape::Shape;

/// From where to where. Both stores were opened with [`Store::open_to_move`] or [`Store::on_server_to_move`], all components of the program
/// are up to date in both, and no run is at work in either.
#[derive(Debug)]
pub struct Move<'s> {
    pub from: &'s Store,
    pub to: &'s Store,
    /// All tables of the program.
    pub tables: &'s [&'static Table],
    /// Whether a target that was itself moved away, or that an abandoned move has left, is emptied first.
    pub replace: bool,
    pub now: DateTime<Utc>,
}

/// What a move has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Both stores say that a move goes on.
    Begun,
    /// Rows of a table were copied.
    Copied { table: &'static str, rows: u64 },
    /// A table differed from the one that was copied before, because the source has changed since; it is copied again.
    Again { table: &'static str },
    /// A table is the same in both stores.
    Compared { table: &'static str, rows: u64 },
    /// The source refuses to be used from now on.
    SourceEnded,
}

/// What has become of a store that was to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenBack {
    /// It was not moved away.
    NotMoved,
    /// The one that it was moved to is there, and to be used.
    StillThere,
    /// It is to be used from now on.
    Done {
        /// The name of the store that it was moved to.
        other: String,
        at: DateTime<Utc>,
    },
}

/// A table as it is in both stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTable {
    pub table: &'static str,
    pub rows: u64,
    /// Of all its rows, the same for the same rows in whichever engine: 32 hexadecimal digits.
    pub digest: String,
}

impl Store {
    /// Whether this store may be used: it was not moved away, and no unfinished move fills it. [`Store::open`] and [`Store::on_server`] have
    /// seen to it.
    ///
    /// # Errors
    /// [`Error::MovedAway`], [`Error::HalfMoved`].
    pub async fn in_use(&self) -> Result<(), Error> {
        self.in_use_as(self.path()).await
    }

    /// Lets a store be used again that was moved away, because the one that it was moved to is lost. `other` is that one, where it still can
    /// be opened: while it goes on from this move, both stay as they are.
    ///
    /// # Errors
    /// Of the stores.
    pub async fn take_back(&self, other: Option<&Store>) -> Result<TakenBack, Error> {
        marks::take_back(self, other).await
    }

    /// What [`in_use`](Self::in_use) says of a copy, for the store that it is a copy of.
    ///
    /// # Errors
    /// Those of [`in_use`](Self::in_use).
    pub async fn in_use_as(&self, path: &Path) -> Result<(), Error> {
        verdict(&marks::read(self).await?, path)
    }
}

/// How far a move has come; with its id.
enum Begun {
    /// The source is in use.
    Now(String),
    /// The source refuses to be used, and the target still does.
    SourceEnded(String),
    /// The target may be used.
    Ended(String),
}

impl Move<'_> {
    /// Moves, or goes on with what an earlier call has left; gives nothing when the same move has ended before.
    /// Tells of each step when it is done; whatever `told` gives back as an error ends the move there, as a crash would.
    ///
    /// # Errors
    /// [`Error::MovedAway`] for a source that was moved elsewhere; [`Error::NotEmpty`], [`Error::HalfMoved`] and again [`Error::MovedAway`] for
    /// a target that holds something else, [`Error::Unlike`] where the tables of the two are not the same, [`Error::Differs`] where a
    /// table is not the same in the end; else of the stores. The source is as it was then.
    pub async fn run(&self, mut told: impl FnMut(Step) -> Result<(), Error>) -> Result<Vec<MovedTable>, Error> {
        if self.from.path() == self.to.path() {
            return Err(Error::SameStore { path: self.from.path().to_owned() });
        }
        let shapes = self.shapes().await?;
        let (id, is_decided) = match self.begin(&shapes).await? {
            Begun::Now(id) => (id, false),
            Begun::SourceEnded(id) => (id, true),
            // the target may have been in use since, so there is nothing to compare
            Begun::Ended(id) => {
                marks::end(self.from, Side::To, &id, self.now).await?;
                return Ok(Vec::new());
            }
        };
        told(Step::Begun)?;
        let mut moved = Vec::new();
        for shape in &shapes {
            let table = shape.table;
            if !is_decided {
                self.copy(shape, &mut told).await?;
            }
            let (mut ours, mut theirs) = (shape.digest(self.from).await?, shape.digest(self.to).await?);
            if ours != theirs && !is_decided {
                shape.empty(self.to).await?;
                told(Step::Again { table })?;
                self.copy(shape, &mut told).await?;
                (ours, theirs) = (shape.digest(self.from).await?, shape.digest(self.to).await?);
            }
            if ours != theirs {
                let (path, other) = (self.to.path().to_owned(), self.from.path().to_owned());
                return Err(Error::Differs { path, other, table });
            }
            told(Step::Compared { table, rows: ours.rows })?;
            moved.push(MovedTable { table, rows: ours.rows, digest: ours.in_words() });
        }
        for shape in &shapes {
            shape.number_on(self.to).await?;
        }
        if !is_decided {
            marks::end(self.from, Side::To, &id, self.now).await?;
        }
        told(Step::SourceEnded)?;
        marks::end(self.to, Side::From, &id, self.now).await?;
        Ok(moved)
    }

    async fn copy(&self, shape: &Shape, told: &mut impl FnMut(Step) -> Result<(), Error>) -> Result<(), Error> {
        let mut last = copying::copied_up_to(self.to, shape.table).await?;
        while let Some((next, rows)) = shape.copy_some(self.from, self.to, last).await? {
            last = Some(next);
            told(Step::Copied { table: shape.table, rows })?;
        }
        Ok(())
    }

    /// All tables, which must be the same in both stores.
    async fn shapes(&self) -> Result<Vec<Shape>, Error> {
        let unlike = |what| Error::Unlike { path: self.to.path().to_owned(), other: self.from.path().to_owned(), what };
        for store in [self.from, self.to] {
            marks::prepare(store).await?;
        }
        let (ours, theirs) = (shape::components(self.from).await?, shape::components(self.to).await?);
        if let Some(component) = ours.symmetric_difference(&theirs).next() {
            return Err(unlike(format!("step {} of component `{}`", component.1, component.0)));
        }
        let known: BTreeSet<&str> = self.tables.iter().map(|table| table.name).collect();
        for store in [self.from, self.to] {
            let there = shape::tables(store).await?;
            let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
            if let Some(table) = there.symmetric_difference(&known).next() {
                return Err(unlike(format!("table `{table}`")));
            }
        }
        let mut shapes = Vec::new();
        for table in self.tables {
            let shape = Shape::of(table.name, self.from, self.to).await?;
            shapes.push(shape.ok_or_else(|| unlike(format!("table `{}`", table.name)))?);
        }
        Ok(shapes)
    }

    /// Marks both stores, or finds the marks of this move.
    async fn begin(&self, shapes: &[Shape]) -> Result<Begun, Error> {
        let (ours, theirs) = (marks::read(self.from).await?, marks::read(self.to).await?);
        let begun = ours.iter().find(|mark| mark.side == Side::To);
        let same = theirs.iter().find(|mark| mark.side == Side::From && begun.is_some_and(|begun| begun.id == mark.id));
        match (begun, same) {
            (Some(_), Some(Mark { ended: Some(_), id, .. })) => return Ok(Begun::Ended(id.clone())),
            (Some(Mark { ended: Some(_), .. }), Some(Mark { id, .. })) => return Ok(Begun::SourceEnded(id.clone())),
            (Some(_), Some(Mark { id, .. })) => return Ok(Begun::Now(id.clone())),
            (Some(Mark { ended: Some(at), other, .. }), None) => {
                return Err(Error::MovedAway { path: self.from.path().to_owned(), to: other.clone(), at: *at });
            }
            _ => {}
        }
        // nothing may be moved out of what is not whole
        self.from.in_use().await?;
        match self.to.in_use().await {
            Err(Error::MovedAway { .. } | Error::HalfMoved { .. }) if self.replace => {
                for shape in shapes {
                    shape.empty(self.to).await?;
                }
            }
            usable => usable?,
        }
        for shape in shapes {
            let rows = shape.count(self.to).await?;
            if rows > 0 {
                return Err(Error::NotEmpty { path: self.to.path().to_owned(), table: shape.table, rows });
            }
        }
        let id = marks::new_id(self.from).await?;
        // the source first: what it alone says keeps nobody from either store, and the next call begins anew
        marks::begin(self.from, Side::To, &id, self.to, self.now).await?;
        marks::begin(self.to, Side::From, &id, self.from, self.now).await?;
        Ok(Begun::Now(id))
    }
}
