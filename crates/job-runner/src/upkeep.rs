//! `store check` and `store prune`. They talk to the store only, never to the portal.

use anyhow::Context;
use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{Archive, Kept, Rows};
use job_store::{Acquired, RunLock, Store};
use tracing::error;

use crate::Error;
use crate::args::StoreCommand;
use crate::exit::Exit;
use crate::setup::print;
use crate::state_path::StatePaths;

/// The next run re-reads this much, and compares with what is stored to tell what came late.
const STILL_COMPARED: TimeDelta = TimeDelta::days(3);

/// Runs the command. `window` is how far back the program's rule looks.
pub(crate) async fn run(
    command: &StoreCommand,
    paths: &StatePaths,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> anyhow::Result<Exit> {
    match command {
        StoreCommand::Check => check(paths).await,
        StoreCommand::Prune { before } => {
            // a date is the start of that day in UTC here: the portal, which knows its zone, is not asked
            let before = before.resolve(now, chrono_tz::Tz::UTC);
            let latest = now - window.max(STILL_COMPARED) * 2;
            if before > latest {
                return Err(Error::PruneTooMuch { asked: before, latest }.into());
            }
            prune(paths, now, before).await
        }
    }
}

async fn check(paths: &StatePaths) -> anyhow::Result<Exit> {
    let mut report = format!("store {}\n", paths.store.display());
    if !paths.store.exists() {
        report.push_str("does not exist yet: no run has kept anything\n");
        return print(&report).map(|()| Exit::Concluded);
    }
    // a copy is looked at, so that a run at work is not disturbed
    let store = Store::snapshot_of(&paths.store).await?;
    if let Some(damage) = store.damage().await? {
        error!("the store is damaged: {damage}; move it away to start with an empty one");
        return Ok(Exit::Nothing);
    }
    report.push_str("no damage\n");
    let archive = Archive::open(store).await?;
    for Rows { table, rows } in archive.rows().await? {
        report.push_str(&format!("{table}: {rows} rows\n"));
    }
    for Kept { source, covered } in archive.kept().await? {
        let spans: Vec<String> = covered.iter().map(Window::to_string).collect();
        let verb = if source.ends_with("(unreadable)") { "" } else { " read completely" };
        report.push_str(&format!("{source}:{verb} {}\n", spans.join(", ")));
    }
    print(&report).map(|()| Exit::Concluded)
}

async fn prune(paths: &StatePaths, now: DateTime<Utc>, before: DateTime<Utc>) -> anyhow::Result<Exit> {
    let Acquired::Locked(_lock) = RunLock::acquire(&paths.lock, now)? else {
        error!("a run is at work; try again when it has ended");
        return Ok(Exit::Nothing);
    };
    // `--state`, and a setting in a file that was named without a folder, may be relative
    let path = std::path::absolute(&paths.store).context("cannot tell the current folder")?;
    let store = Store::open(&format!("sqlite://{}", path.display())).await?;
    let archive = Archive::open(store.clone()).await?;
    let mut report = String::new();
    for Rows { table, rows } in archive.prune(before).await? {
        report.push_str(&format!("{table}: {rows} rows forgotten\n"));
    }
    store.close().await;
    print(&report).map(|()| Exit::Concluded)
}
