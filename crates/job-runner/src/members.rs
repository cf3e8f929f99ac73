//! Who is in the person groups that channels of alerts name, so that it is known when an alert is queued.

use std::collections::{BTreeMap, BTreeSet};

use alerting::Channel;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Directory};
use job_store::Store;
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::memory::Memory;

/// Whoever joins a group is looked for by its channel within so long. A run each minute must not ask each time.
const ASKED_EVERY: TimeDelta = TimeDelta::hours(1);

/// The name in the memory.
const MEMBERS: &str = "members";

/// By the entry of the settings.
type Members = BTreeMap<String, BTreeSet<Uuid>>;

#[derive(Serialize, Deserialize)]
struct Remembered {
    /// The entries that were looked up, so that a correction is seen at once.
    entries: BTreeSet<String>,
    members: Members,
}

/// The channels with who is in their groups. `client` is `None` where the portal does not answer: then, and where it fails at that, they
/// go by what an earlier run was told, and without that the channels get alerts about whomever.
pub(crate) async fn of_channels(
    channels: &[Channel],
    store: &Store,
    client: Option<&Client>,
    now: DateTime<Utc>,
) -> Vec<Channel> {
    let entries: BTreeSet<String> = channels.iter().flat_map(Channel::groups).cloned().collect();
    if entries.is_empty() {
        return channels.to_vec();
    }
    let known = looked_up(entries, store, client, now).await;
    let with_members = |channel: &Channel| match &known {
        Some(known) if !channel.groups().is_empty() => {
            let members = channel.groups().iter().filter_map(|entry| known.get(entry)).flatten();
            channel.clone().with_members(members.copied().collect())
        }
        _ => channel.clone(),
    };
    channels.iter().map(with_members).collect()
}

async fn looked_up(
    entries: BTreeSet<String>,
    store: &Store,
    client: Option<&Client>,
    now: DateTime<Utc>,
) -> Option<Members> {
    let (remembered, at) = match remembered(&entries, store).await {
        Some((members, at)) => (Some(members), Some(at)),
        None => (None, None),
    };
    let is_fresh = at.is_some_and(|at| (TimeDelta::zero()..ASKED_EVERY).contains(&(now - at)));
    let Some(client) = client.filter(|_| !is_fresh) else { return remembered };
    match ask(&entries, client).await {
        Ok(members) => {
            keep(Remembered { entries, members: members.clone() }, store, now).await;
            Some(members)
        }
        Err(failure) => {
            let instead = if remembered.is_some() { "as they were last read" } else { "as if they held everybody" };
            warn!(
                "the groups of channels could not be read, and are taken {instead}: {:#}",
                anyhow::Error::new(failure)
            );
            remembered
        }
    }
}

async fn ask(entries: &BTreeSet<String>, client: &Client) -> Result<Members, docspace_client::Error> {
    let mut directory = Directory::default();
    directory.read_groups(client).await?;
    let mut members = Members::new();
    for entry in entries {
        let groups: Vec<Uuid> = directory.groups_meant_by(entry).map(|group| group.id).collect();
        let of_entry = members.entry(entry.clone()).or_default();
        for group in groups {
            if !directory.members.contains_key(&group) {
                directory.read_members(group, client).await?;
            }
            of_entry.extend(directory.members.get(&group).into_iter().flatten().copied());
        }
    }
    Ok(members)
}

async fn remembered(entries: &BTreeSet<String>, store: &Store) -> Option<(Members, DateTime<Utc>)> {
    let (value, at) = Memory::open(store).await.ok()?.get(MEMBERS).await.ok()??;
    let remembered: Remembered = serde_json::from_str(&value).ok()?;
    (remembered.entries == *entries).then_some((remembered.members, at))
}

async fn keep(remembered: Remembered, store: &Store, now: DateTime<Utc>) {
    let kept = async {
        let value = serde_json::to_string(&remembered)?;
        Memory::open(store).await?.keep(MEMBERS, &value, now).await?;
        anyhow::Ok(())
    };
    if let Err(failure) = kept.await {
        debug!("the next run reads the groups of channels again: {failure:#}");
    }
}
