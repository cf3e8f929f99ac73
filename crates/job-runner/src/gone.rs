//! A store that was there and is not any more: the lock beside it, which outlives the runs, says so.

use job_store::RunLock;
use report::words::instant;

use crate::former;
use crate::state_path::StatePaths;

/// What to do about it.
pub(crate) const REMEDY: &str = "restore it from a backup; otherwise the next run creates a new one, which does not know what was reported \
                                 and what was left open";

/// The beginning of a sentence when a store was taken away. Nothing is changed, and one that never was is not missed.
pub(crate) fn look(paths: &StatePaths) -> Option<String> {
    let found = former::find(paths);
    let seen = RunLock::seen_store(&paths.lock).filter(|_| !found.path.exists())?;
    let run = match seen.at {
        Some(at) => format!("the run of {}", instant(at)),
        None => "an earlier run".to_owned(),
    };
    Some(format!("the store {} is gone; {run} still had it", paths.store.display()))
}
