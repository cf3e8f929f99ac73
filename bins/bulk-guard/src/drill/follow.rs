//! What an ordinary run does about drills: it takes away what one has left that nobody goes on with, and tells how each ended.

use std::time::Duration;

use docspace_client::Client;
use job_runner::Job;
use job_store::Store;
use tracing::info;

use crate::config::Config;
use crate::drill::book;
use crate::drill::course::{Do, Drill, Seen, Stage, next};
use crate::drill::decide::order;
use crate::drill::site::{self, Site, pause};
use crate::drill::words;
use crate::suspend::ledger::{Kept, Ledger as _};

/// A drill takes no more steps in one run: a decision, archive, delete, and a look after each.
const MOST_STEPS: usize = 8;

/// Between a call and the look at what it has done.
const PAUSE: Duration = Duration::from_millis(500);

/// Goes on with drills that were cut off, as far as that is possible now. Called before suspensions are followed, so that the way back is
/// theirs, and after.
///
/// # Errors
/// Of the store.
pub(crate) async fn follow(config: &Config, job: &Job, store: &Store) -> anyhow::Result<()> {
    for drill in book::open(store).await? {
        if drill.stage < Stage::Over && drill.is_cut_off(job.now) {
            settle(drill, &site(config, &job.client), job, store).await?;
        }
    }
    for drill in book::open(store).await? {
        if drill.stage == Stage::Over {
            tell(drill, job, store).await?;
        }
    }
    Ok(())
}

fn site(config: &Config, watching: &Client) -> Site {
    let key = config.drill.key_file.as_ref().map(site::key);
    let key = key.and_then(|key| key.inspect_err(|error| info!("{error}")).ok());
    Site { watching: watching.clone(), own: key.map(|key| watching.with_key(key)) }
}

async fn settle(drill: Drill, site: &Site, job: &Job, store: &Store) -> anyhow::Result<()> {
    let ledger = Kept::open(store.clone(), job.now).await?;
    let mut drill = drill.cut_off();
    for _ in 0..MOST_STEPS {
        let entries = ledger.entries().await?;
        let seen = Seen {
            now: site.watching.portal_now().unwrap_or(job.now),
            suspension: drill.suspension(&entries),
            account: site.status(drill.account).await,
            room: site.room(&drill).await,
            late: None,
        };
        let (after, what) = next(&drill, &seen);
        let Some(kept) = book::commit(store, &after, Default::default(), job.now).await? else { return Ok(()) };
        drill = kept;
        match what {
            Do::Cancel | Do::Release => {
                let Some(entry) = seen.suspension else { return Ok(()) };
                if !order(&ledger, entry, &what, job.now).await? {
                    return Ok(());
                }
            }
            Do::Archive(room) => {
                site.archive(&room).await;
                pause(PAUSE).await;
            }
            Do::Delete(room) => {
                site.delete(&room).await;
                pause(PAUSE).await;
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// One alert for each drill, in the commit that ends it.
async fn tell(drill: Drill, job: &Job, store: &Store) -> anyhow::Result<()> {
    let alert = words::alert(&job.voice, &drill);
    let told = Drill { is_told: true, ..drill };
    book::commit(store, &told, (Some(alert), job.voice.channels()), job.now).await.map(drop)
}
