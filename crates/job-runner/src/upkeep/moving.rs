//! `store move`: everything that is remembered, to another folder or server.

use std::path::Path;

use anyhow::Context;
use job_store::{Error as StoreError, Move, MovedTable, Step, Store};
use report::words::plural;
use tracing::{error, info};

use super::ended;
use crate::Error;
use crate::exit::Exit;
use crate::former;
use crate::hold::{self, Asked, Hold};
use crate::keeping::{open_all, tables};
use crate::setup::{Setup, print};
use crate::state_path::{State, url_of};

pub(crate) async fn run<C>(setup: &Setup<'_, C>, from: &Path, to: &Path, replace: bool) -> anyhow::Result<Exit> {
    let (source, target) = (setup.state_at(from)?, setup.state_at(to)?);
    if let State::Files(paths) = &source
        && !former::find(paths).path.exists()
    {
        let message = "does not exist: name the folder or the address where the store is".to_owned();
        return Err(Error::Argument(source.shown(), message).into());
    }
    if source.shown() == target.shown() {
        let message = "is the store itself".to_owned();
        return Err(Error::Argument(target.shown(), message).into());
    }
    // nobody may be at work in either, and the target is only made when the source is ours
    let Some((source_hold, source_store)) = taken(setup, &source).await? else { return Ok(Exit::Nothing) };
    let Some((target_hold, target_store)) = taken(setup, &target).await? else { return Ok(Exit::Nothing) };
    let moving = Move { from: &source_store, to: &target_store, tables: &tables(), replace, now: setup.now };
    let moved = moving.run(note).await;
    ended(target_hold, target_store).await;
    ended(source_hold, source_store).await;
    let moved = match moved {
        // whoever typed it can name another place
        Err(refusal @ StoreError::NotEmpty { .. }) => {
            let message = format!("cannot be the target: {refusal}");
            return Err(Error::Argument(target.shown(), message).into());
        }
        moved => moved?,
    };
    print(&report(&moved, &source, &target)).map(|()| Exit::Concluded)
}

/// The lock or the lease, and the store with the tables of all components; `None`, said, while a run is at work.
async fn taken<C>(setup: &Setup<'_, C>, state: &State) -> anyhow::Result<Option<(Hold, Store)>> {
    let hold = match hold::take_to_move(state, setup.now).await? {
        Asked::Ours(hold) => hold,
        Asked::Held(by) => {
            error!("{} is at work in {}; try again when it has ended", by.run(), state.shown());
            return Ok(None);
        }
    };
    let store = match (hold.store(), state) {
        (Some(store), _) => store.clone(),
        (None, State::Files(paths)) => {
            let path = std::path::absolute(former::find(paths).path).context("cannot tell the current folder")?;
            Store::open_to_move(&url_of(&path)).await?
        }
        (None, State::Server(_)) => return Err(StoreError::Url.into()),
    };
    open_all(&store).await?;
    Ok(Some((hold, store)))
}

fn note(step: Step) -> Result<(), StoreError> {
    match step {
        Step::Copied { table, rows } => info!(table, rows, "copied"),
        Step::Again { table } => info!(table, "has changed since it was copied, and is copied again"),
        Step::Begun | Step::Compared { .. } | Step::SourceEnded => {}
    }
    Ok(())
}

fn report(moved: &[MovedTable], from: &State, to: &State) -> String {
    let (from, to) = (from.shown(), to.shown());
    if moved.is_empty() {
        return format!("{from} was moved to {to} before; there is nothing left to do\n");
    }
    let lines = moved.iter().map(|moved| format!("{}: {}, the same in both\n", moved.table, plural(moved.rows, "row")));
    let mut report: String = lines.collect();
    report.push_str(&format!(
        "everything is in {to} now: set `state` to it in the settings and in every unit and cron line\n\
         {from} is kept as it was, and no run uses it any more; delete it when the new one has proved itself, because it still names people\n"
    ));
    report
}
