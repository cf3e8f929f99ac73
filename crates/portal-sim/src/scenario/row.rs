//! The columns of an audit row as they stand in the portal's table.

use serde::Deserialize;

/// The columns of a row that follow from nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Stored {
    /// A JSON list of texts; for events of Documents the last one is a JSON object about the place.
    pub description: Option<String>,
    /// Ids, joined with commas.
    pub target: Option<String>,
    /// Stored address.
    pub ip: Option<String>,
    /// Browser as shown.
    pub browser: Option<String>,
    /// System as shown.
    pub platform: Option<String>,
    /// Page as shown.
    pub page: Option<String>,
    /// Folders and files whose activity log shows the row.
    pub references: Vec<Reference>,
}

/// A folder or file that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A folder or room.
    Folder(i32),
    /// A file.
    File(i32),
    /// A file that was deleted for good since; its id is shown as 0.
    Gone(i32),
}
