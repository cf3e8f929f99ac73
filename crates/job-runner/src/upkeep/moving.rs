//! `store move`: everything that is remembered, to another folder or server.

use std::path::Path;

use anyhow::{Context, bail};
use job_store::{Error as StoreError, Move, MovedTable, SeenServer, Step, Store, TakenBack};
use report::words::plural;
use tracing::{error, info};

use crate::Error;
use crate::exit::Exit;
use crate::former;
use crate::hold::{self, Asked};
use crate::keeping::{open_all, tables};
use crate::setup::{Setup, print};
use crate::state_path::{State, url_of};
use crate::stop::{Signals, unless_ended};

pub(crate) async fn run<C>(setup: &Setup<'_, C>, from: &Path, to: &Path, replace: bool) -> anyhow::Result<Exit> {
    let (source, target) = (existing(setup, from)?, setup.state_at(to)?);
    if source.shown() == target.shown() {
        let message = "is the store itself".to_owned();
        return Err(Error::Argument(target.shown(), message).into());
    }
    let mut signals = Signals::listen();
    // nobody may be at work in either, and the target is only made when the source is ours
    let moved = at_rest(setup, &source, &mut signals, async |source, signals| {
        at_rest(setup, &target, signals, async |target, signals| {
            let moving = Move { from: source, to: target, tables: &tables(), replace, now: setup.now };
            unless_ended(signals, async { Ok(moving.run(note).await) }).await
        })
        .await
    });
    match moved.await?.flatten() {
        None => Ok(Exit::Nothing),
        // whoever typed it can name another place
        Some(Err(refusal @ StoreError::NotEmpty { .. })) => {
            let message = format!("cannot be the target: {refusal}");
            Err(Error::Argument(target.shown(), message).into())
        }
        Some(moved) => print(&report(&moved?, &source, &target)).map(|()| Exit::Concluded),
    }
}

/// `store take-back`: a store that was moved away is used again. The other one has to be gone, or `lost` where it cannot be asked.
pub(crate) async fn take_back<C>(setup: &Setup<'_, C>, place: &Path, lost: bool) -> anyhow::Result<Exit> {
    let state = existing(setup, place)?;
    let mut signals = Signals::listen();
    let taken_back = at_rest(setup, &state, &mut signals, async |store, signals| {
        unless_ended(signals, taken_back(setup, store, lost)).await
    });
    let Some(taken_back) = taken_back.await? else { return Ok(Exit::Nothing) };
    let refused = |message: &str| Err(Error::Argument(state.shown(), message.to_owned()).into());
    let (other, at) = match taken_back {
        TakenBack::Done { other, at } => (other, at),
        TakenBack::NotMoved => return refused("was not moved away, so there is nothing to take back"),
        TakenBack::StillThere => {
            return refused(
                "was moved to a store that is still there: use that one, or move it back with `store move … --replace`",
            );
        }
    };
    let (place, day) = (state.shown(), at.date_naive());
    print(&format!(
        "{place} is used again: set `state` to it in the settings and in every unit and cron line\n\
         it knows what was known on {day}, when it was moved to {other}: what was reported since is reported again, and what was done since \
         stands only in reports and logs\n\
         no run may use {other} any more; should it come back, nothing tells the two apart\n"
    ))
    .map(|()| Exit::Concluded)
}

async fn taken_back<C>(setup: &Setup<'_, C>, store: &Store, lost: bool) -> anyhow::Result<TakenBack> {
    let other = match store.in_use().await {
        Err(StoreError::MovedAway { to, .. }) => match still_there(setup, &to).await {
            Err(_) if lost => None,
            Err(failure) => {
                let shown = store.path().display();
                return Err(failure.context(format!(
                    "{shown} stays as it is, because {to}, which it was moved to, could not be asked whether it is in use; see to it that \
                     it answers, set `state` to it if its address has more to it, and try again; add `--lost` if it is gone for good"
                )));
            }
            Ok(other) => other,
        },
        _ => None,
    };
    let taken_back = store.take_back(other.as_ref()).await;
    if let Some(other) = other {
        other.close().await;
    }
    Ok(taken_back?)
}

/// The store of this name; `None` where there is none. Nothing is made for it.
///
/// # Errors
/// It could not be asked, so it may be in use.
async fn still_there<C>(setup: &Setup<'_, C>, name: &str) -> anyhow::Result<Option<Store>> {
    let Some((address, _)) = name.rsplit_once(", schema ") else {
        let path = Path::new(name);
        let is_there = path.try_exists().with_context(|| format!("cannot look for {name}"))?;
        return Ok(if is_there { Some(Store::open_to_move(&url_of(path)).await?) } else { None });
    };
    // a name holds neither password nor certificates, the setting does
    let set = setup.state().ok().filter(|state| state.shown() == name);
    let state = set.map_or_else(|| setup.state_at(Path::new(address)), Ok)?;
    let State::Server(server) = state else { bail!("{name} is no address of a server") };
    let is_there = SeenServer::at(&server.place).await?.has_schema;
    Ok(if is_there { Some(Store::on_server_to_move(&server.place).await?) } else { None })
}

/// A place that somebody has typed; a folder has to have a store.
fn existing<C>(setup: &Setup<'_, C>, typed: &Path) -> anyhow::Result<State> {
    let state = setup.state_at(typed)?;
    if let State::Files(paths) = &state
        && !former::find(paths).path.exists()
    {
        let message = "does not exist: name the folder or the address where the store is".to_owned();
        return Err(Error::Argument(state.shown(), message).into());
    }
    Ok(state)
}

/// Does some work with the store, which gets the tables of all components, and lets the next run in; `None`, said, while one is at work.
async fn at_rest<C, T>(
    setup: &Setup<'_, C>,
    state: &State,
    signals: &mut Signals,
    work: impl AsyncFnOnce(&Store, &mut Signals) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let asked = unless_ended(signals, async { Ok(hold::take_to_move(state, setup.now).await?) });
    let hold = match asked.await? {
        Asked::Ours(hold) => hold,
        Asked::Held(by) => {
            error!("{} is at work in {}; try again when it has ended", by.run(), state.shown());
            return Ok(None);
        }
    };
    let open = async {
        let State::Files(paths) = state else { return Err(StoreError::Url.into()) };
        let path = std::path::absolute(former::find(paths).path).context("cannot tell the current folder")?;
        Ok(Store::open_to_move(&url_of(&path)).await?)
    };
    let done = hold.with_store(open, async |store| {
        unless_ended(signals, open_all(store)).await?;
        work(store, signals).await
    });
    done.await.map(Some)
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
