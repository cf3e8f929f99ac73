//! The way back of a run that may never come to act: whatever keeps it from looking, or from planning, terms end, and whoever is off and
//! stays so is told of.

use std::collections::BTreeSet;

use anyhow::Context as _;
use audit_model::PersonStatus;
use chrono::{DateTime, Utc};
use docspace_client::{Client, ListedKey};
use event_archive::Archive;
use job_runner::{Settled, Unsettled};
use uuid::Uuid;

use crate::config::Config;
use crate::suspend::admit;
use crate::suspend::entry::Entry;
use crate::suspend::ledger::{Kept, Ledger as _};
use crate::suspend::marker::{self, Off};
use crate::suspend::portal::Live;
use crate::suspend::run::{self, Portal, needs_attention};
use crate::suspend::seen::{AccountNow, Answer, Call, Clocks, Guard, Trail};
use crate::suspend::state::{cannot_wait, may_be_over};

/// What is wrong while somebody is off who should not be.
pub(crate) const LEFT_OFF: &str = "an account is disabled through this program, or may be, and does not come back by itself; `bulk-guard status` says whose";

/// Follows what cannot wait until the run has looked, and says what is left of it.
///
/// # Errors
/// Of the store.
pub(crate) async fn settle(config: &Config, unsettled: &Unsettled) -> anyhow::Result<Settled> {
    let Some(store) = &unsettled.store else {
        return Ok(Settled { left: forgotten(unsettled, &[]).await?.first().map(left), ..Settled::default() });
    };
    let kept = Kept::open(store.clone(), unsettled.now).await?;
    let mut settled = Settled::default();
    if unsettled.only_looks || unsettled.has_window || config.cannot_act {
        let entries = kept.entries().await?;
        settled.left = is_left(&entries, clocks(unsettled)).then(|| LEFT_OFF.to_owned());
        settled.left = settled.left.or(forgotten(unsettled, &entries).await?.first().map(left));
        return Ok(settled);
    }
    let kept = kept.speaking(unsettled.voice.clone());
    let before = kept.hand_on().await?;
    let began = clocks(unsettled);
    if before.iter().any(|entry| cannot_wait(entry, began)) {
        follow(config, unsettled, &kept).await?;
    }
    let after = kept.entries().await?;
    for entry in &after {
        let known = before.iter().find(|known| known.incident.id == entry.incident.id);
        let said = entry.said.iter().skip(known.map_or(0, |known| known.said.len()));
        settled.said.extend(said.map(|said| sentence(said.words.english())));
    }
    settled.left = is_left(&after, clocks(unsettled)).then(|| LEFT_OFF.to_owned());
    let lost = forgotten(unsettled, &after).await?;
    for off in &lost {
        let entry = admit::forgotten(off, unsettled.present());
        if after.iter().all(|known| known.incident.id != entry.incident.id) {
            kept.commit(&entry).await?;
        }
    }
    settled.left = settled.left.or(lost.first().map(left));
    if settled.left.is_some() {
        // the run may end before its report is told
        unsettled.voice.deliver(unsettled.now).await;
    }
    Ok(settled)
}

async fn follow(config: &Config, unsettled: &Unsettled, kept: &Kept) -> anyhow::Result<()> {
    let (client, terms) = (&unsettled.client, config.terms());
    match client.identity().await {
        Ok(me) => {
            let archive = Archive::open(kept.store().clone()).await?;
            let live = Live::new(client.clone(), archive, (config, &[]), unsettled.present());
            run::follow_due((kept, &live), (me.person.id, &terms)).await
        }
        Err(error) => {
            let silent = Silent { clocks: clocks(unsettled), why: error.to_string() };
            run::follow_due((kept, &silent), (Uuid::nil(), &terms)).await
        }
    }
}

fn clocks(unsettled: &Unsettled) -> Clocks {
    Clocks { portal: unsettled.client.portal_now(), here: unsettled.present() }
}

/// Whether somebody is off, or may be, and should not be any more.
fn is_left(entries: &[Entry], clocks: Clocks) -> bool {
    let is_apart = clocks.agreed().is_none();
    entries.iter().any(|entry| needs_attention(entry, clocks.now()) || is_apart && may_be_over(entry, clocks))
}

fn left(off: &Off) -> String {
    sentence(off.words().english())
}

/// Without its end, as notes are.
pub(crate) fn sentence(words: &str) -> String {
    words.trim_end_matches('.').to_owned()
}

/// Whom only the file beside the store remembers, as far as the account is not known to be enabled again.
async fn forgotten(unsettled: &Unsettled, entries: &[Entry]) -> anyhow::Result<Vec<Off>> {
    let Some(file) = &unsettled.store_file else { return Ok(Vec::new()) };
    if !unsettled.only_looks {
        // an earlier version has not written the file, and two processes may have written it at once
        marker::keep(file, entries)?;
    }
    let mut left = Vec::new();
    for off in marker::forgotten(file, entries)? {
        if is_back(&unsettled.client, off.person).await {
            if !unsettled.only_looks {
                marker::forget(file, &off.incident).context("what is remembered beside the store cannot be changed")?;
            }
        } else {
            left.push(off);
        }
    }
    Ok(left)
}

/// Whether nobody has to see to the account any more.
async fn is_back(client: &Client, person: Uuid) -> bool {
    match client.account(person).await {
        Ok(Some(account)) => account.person.status.is_some_and(|status| status != PersonStatus::Disabled),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// A portal that cannot be asked anything.
struct Silent {
    clocks: Clocks,
    why: String,
}

impl Portal for Silent {
    fn clocks(&self) -> Clocks {
        self.clocks
    }

    async fn trail(&self, _: DateTime<Utc>) -> Trail {
        Trail::default()
    }

    async fn account(&self, _: Uuid) -> AccountNow {
        AccountNow::Unread(self.why.clone())
    }

    async fn memberships(&self, _: Uuid) -> Option<BTreeSet<String>> {
        None
    }

    async fn guard(&self) -> Option<Guard> {
        None
    }

    async fn keys(&self) -> Option<Vec<ListedKey>> {
        None
    }

    async fn switch(&self, _: Uuid, _: Call) -> Answer {
        Answer::Refused(self.why.clone())
    }

    async fn pause(&self, _: u32) {}
}
