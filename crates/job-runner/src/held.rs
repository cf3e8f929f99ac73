//! How a run begins: with the lock or the lease, without one, or not at all.

use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, TimeDelta, Utc};
use job_store::Store;
use tracing::warn;

use crate::args::CommonArgs;
use crate::config::CommonConfig;
use crate::exit::Exit;
use crate::explained::Explained;
use crate::hold::{self, Asked, HeldBy, Hold};
use crate::state_path::State;
use crate::stop::Stop;
use crate::watchers::Watchers;

/// What keeps other runs off while this one is at work.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) is_ours: bool,
    pub(crate) lock: Option<Hold>,
    /// The store that the lease is of, or why there is none. The lease itself is with the [`Watchers`], who are told last.
    pub(crate) on_server: Option<anyhow::Result<Store>>,
}

/// The lock or the lease of this run, where it can be had; else what this run ends with, because another one has it. A dry run writes
/// nothing and needs none.
pub(crate) async fn take_hold(
    args: &CommonArgs,
    common: &CommonConfig,
    state: &State,
    now: DateTime<Utc>,
    watchers: &mut Watchers,
    stop: &mut Stop,
) -> Result<Held, Exit> {
    if args.dry_run {
        return Ok(Held::default());
    }
    let asked = stop.hurry(hold::take(state, now)).await;
    let failure = match asked.map(|asked| asked.map_err(anyhow::Error::new)) {
        Some(Ok(Asked::Ours(hold))) => {
            let on_server = hold.store().cloned().map(Ok);
            if on_server.is_none() {
                return Ok(Held { is_ours: true, lock: Some(hold), on_server });
            }
            watchers.hold(hold).await;
            return Ok(Held { is_ours: true, lock: None, on_server });
        }
        Some(Ok(Asked::Held(by))) => return Err(leave_to(&by, common.run_limit.0, watchers)),
        Some(Err(failure)) => failure,
        None => anyhow!("the run was stopped while it asked for its lock"),
    };
    match state {
        State::Files(_) => {
            watchers.failures.warn(&format!("going on without a lock: {}", Explained::of(&failure)));
            Ok(Held::default())
        }
        State::Server(_) => Ok(Held { on_server: Some(Err(failure)), ..Held::default() }),
    }
}

/// Another run is at work: nothing to do, unless it should have ended itself long ago.
fn leave_to(by: &HeldBy, run_limit: Duration, watchers: &mut Watchers) -> Exit {
    let limit = TimeDelta::from_std(run_limit).unwrap_or(TimeDelta::MAX);
    match by.longer_than(limit) {
        Some(since) => {
            let what = if by.is_lease() { "lease" } else { "lock" };
            let text = format!("still holds the {what}, longer than `run_limit`; end that process");
            watchers.failures.error(&format!("{} {text}", by.run_of(since)));
            Exit::Nothing
        }
        None => {
            watchers.leave_alone();
            warn!("{} is still at work; this one ends without doing anything", by.run());
            Exit::Concluded
        }
    }
}
