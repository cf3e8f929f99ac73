#![doc = include_str!("../README.md")]

mod account_switch;
mod activity_log;
mod address_list;
mod address_list_write;
mod audit;
mod budget;
mod capabilities;
mod client;
mod directory;
mod error;
mod folders;
mod key;
mod key_facts;
mod lists;
mod log_entry;
mod login_pages;
mod logins;
mod members;
mod own_room;
mod people;
mod portal_info;
mod probe;
#[cfg(test)]
mod recorded;
mod refusal;
mod rooms;
mod slice;
mod upload;
mod wire;
mod zone;

pub use account_switch::AccountSwitch;
pub use address_list::{AddressList, ListEntry, StoredList};
pub use budget::{Budget, Halt};
pub use capabilities::{Ability, Capabilities};
pub use client::Client;
pub use directory::Directory;
pub use error::{Error, ErrorKind};
pub use folders::{File, Folder, FolderContents};
pub use key::ApiKey;
pub use key_facts::{Area, KeyFacts, ListedKey, Scopes};
pub use log_entry::LogEntry;
pub use members::{Access, Everyone, Member, MemberGroup};
pub use people::{Account, EVERYONE, Group, Memberships};
pub use portal_info::{Lifetimes, PortalSettings, PortalState, Quota, ServerVersion};
pub use probe::{AUDIT_TRAIL, Identity, Portal};
pub use rooms::{Room, title_problem};
pub use slice::{Rest, Slice, SliceGap};
pub use upload::{OnTwin, UploadSession};

/// Id of a folder or a file: the same forms as a room's, because a room is a folder.
pub type EntryId = audit_model::RoomId;
