//! What `doctor` has of a portal that answers.

use docspace_client::{Capabilities, Client, Room};

/// A portal that answers the key.
#[derive(Debug)]
pub struct Reached {
    pub client: Client,
    pub capabilities: Capabilities,
    /// Every room that the key's account can see, by id.
    pub rooms: Vec<Room>,
}
