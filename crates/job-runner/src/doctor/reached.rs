//! What `doctor` has of a portal that answers.

use anyhow::Context;
use docspace_client::{Capabilities, Client, Room};
use event_archive::Archive;

use crate::setup::snapshot_at;
use crate::state_path::State;

/// A portal that answers the key.
#[derive(Debug)]
pub struct Reached {
    pub client: Client,
    pub capabilities: Capabilities,
    /// Every room that the key's account can see, by id.
    pub rooms: Vec<Room>,
    /// `None` when no place is set: `doctor` says so elsewhere.
    pub(super) state: Option<State>,
}

impl Reached {
    /// What is remembered, as a copy that may be used freely. Empty before the first run.
    ///
    /// # Errors
    /// Without a folder, and of a store that is damaged, newer than this program, or was taken away.
    pub async fn archive_snapshot(&self) -> anyhow::Result<Archive> {
        snapshot_at(self.state.as_ref().context("no folder for what is remembered is set")?).await
    }
}
