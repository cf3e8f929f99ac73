//! A store that was there and is not any more: the lock beside it, which outlives the runs, says so.

use chrono::SecondsFormat;
use job_store::RunLock;

use crate::former;
use crate::state_path::StatePaths;

/// What to do about it.
pub(crate) const REMEDY: &str = "put it back from a backup; else the next run makes a new one, which does not know what was told and \
                                 what was left open";

/// The beginning of a sentence when a store was taken away. Nothing is changed, and one that never was is not missed.
pub(crate) fn look(paths: &StatePaths) -> Option<String> {
    let found = former::find(paths);
    let seen = RunLock::seen_store(&paths.lock).filter(|_| !found.path.exists())?;
    let run = match seen.at {
        Some(at) => format!("the run of {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        None => "an earlier run".to_owned(),
    };
    Some(format!("the store {} is gone, which {run} still had", paths.store.display()))
}
