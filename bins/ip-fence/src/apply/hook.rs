//! What every run does with what is open: it takes back what nobody has confirmed.

use anyhow::bail;
use chrono::TimeDelta;
use docspace_client::{ApiKey, Client};
use job_runner::Job;
use job_runner::environment::Environment;
use job_runner::secret::find_key;
use tracing::warn;

use super::entry::{Entry, State};
use super::journal::Kept;
use super::portal::Live;
use super::run::{Ledger, follow};
use super::seen::is_past;
use crate::apply::run::Portal;
use crate::config::Config;
use crate::report::body::Report;

/// So long after its end others' writes are looked for that came to light late.
const LATE: TimeDelta = TimeDelta::hours(1);

/// Settles what is open. What it says is in the report, and in the alerts.
///
/// # Errors
/// Something that should have been taken back was not: the run ends with 1.
pub(crate) async fn settle(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    let (Ok(store), false) = (&job.store, job.dry_run) else { return Ok(()) };
    let kept = Kept::open(store.clone(), job.now).await?.speaking(job.voice.clone());
    kept.hand_on().await?;
    let before = kept.entries().await?;
    let now = job.client.portal_now().unwrap_or(job.now);
    let is_followed = |entry: &&Entry| entry.state.is_open() || entry.ended.is_some_and(|ended| now - ended < LATE);
    let mut failed = None;
    for entry in before.iter().filter(is_followed) {
        let live = Live::new(client(config, &job.client), job.present());
        let Some(after) = follow((&kept, &live), &entry.id, (false, false)).await? else { continue };
        let said = after.said.iter().skip(entry.said.len());
        report.body.said.extend(said.map(|said| said.words.clone()));
        let is_due = after.state == State::Switched && is_past(&after, live.clocks());
        let is_new_conflict = after.state == State::Conflict && entry.state != State::Conflict;
        if after.state == State::Reverting || is_due || is_new_conflict {
            let last = after.said.last().map(|said| said.words.clone());
            failed = failed.or(last.or(Some("the address list was not taken back".to_owned())));
        }
    }
    match failed {
        Some(words) => bail!("{words}"),
        None => Ok(()),
    }
}

/// The client with the key that may write, where there is one; else with that of the run, which the portal may refuse.
fn client(config: &Config, client: &Client) -> Client {
    let Some(path) = config.apply_key_file.as_ref().map(|path| path.as_path()) else { return client.with_details() };
    match find_key(Some(path), &Environment::default(), None) {
        Ok(found) => client.with_key(ApiKey::new(found.key)),
        Err(error) => {
            warn!("the key that may write the address list cannot be read: {error}");
            client.with_details()
        }
    }
}
