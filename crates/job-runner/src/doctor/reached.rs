//! What `doctor` has of a portal that answers.

use alerting::Channel;
use anyhow::Context;
use chrono::{DateTime, Utc};
use docspace_client::{Capabilities, Client, Room};
use event_archive::Archive;
use job_store::Store;

use crate::alerts::proven_at;
use crate::init::Choice;
use crate::setup::{copy_at, snapshot_at};
use crate::state_path::State;

/// A portal that answers the key.
#[derive(Debug)]
pub struct Reached {
    pub client: Client,
    pub capabilities: Capabilities,
    /// Every room that the key's account can see, by id.
    pub rooms: Vec<Room>,
    /// The channels that are set; none where one of them cannot be used, which `doctor` says elsewhere.
    pub(super) channels: Vec<Channel>,
    /// `None` when no place is set: `doctor` says so elsewhere.
    pub(super) state: Option<State>,
}

impl Reached {
    /// Some of the rooms as answers to a question of `init`: by id, because a title can change.
    pub fn rooms_to_choose(&self, is_offered: impl Fn(&Room) -> bool) -> Vec<Choice> {
        let rooms = self.rooms.iter().filter(|room| is_offered(room));
        let choice = |room: &Room| Choice {
            label: format!("{} ({})", room.fact.title.for_terminal(), room.fact.id),
            value: room.fact.id.to_string(),
        };
        rooms.map(choice).collect()
    }

    /// What is remembered, as a copy that may be used freely. Empty before the first run.
    ///
    /// # Errors
    /// Without a folder, and of a store that is damaged, newer than this program, or was taken away.
    pub async fn archive_snapshot(&self) -> anyhow::Result<Archive> {
        snapshot_at(self.place()?).await
    }

    /// The store itself, as such a copy.
    ///
    /// # Errors
    /// As for [`archive_snapshot`](Self::archive_snapshot).
    pub async fn store_snapshot(&self) -> anyhow::Result<Store> {
        copy_at(self.place()?).await
    }

    /// How many channels are set, and when one of them last took a test alert, by such a copy.
    ///
    /// # Errors
    /// Of the store.
    pub async fn channels(&self, store: &Store) -> Result<(usize, Option<DateTime<Utc>>), job_store::Error> {
        Ok((self.channels.len(), proven_at(store, &self.channels).await?))
    }

    fn place(&self) -> anyhow::Result<&State> {
        self.state.as_ref().context("no folder for what is remembered is set")
    }
}
