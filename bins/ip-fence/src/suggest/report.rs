//! A suggestion as JSON. Pure.

use job_runner::Head;
use serde::Serialize;

use super::{Against, Proof, Suggestion};

/// Version of the JSON form; a change that breaks readers raises it.
const SCHEMA: &str = "ip-fence-suggest/1";

/// Serialises to the JSON form.
#[derive(Debug, Serialize)]
pub(super) struct SuggestReport {
    /// Its window is the history that was read.
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    content: Content,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Against(Against),
    #[serde(untagged)]
    Whole {
        #[serde(flatten)]
        suggestion: Box<Suggestion>,
        /// Absent where there is too little history to try it on.
        #[serde(skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
}

impl SuggestReport {
    pub(super) fn new(head: Head, content: Content) -> Self {
        SuggestReport { head: Head { schema: SCHEMA.to_owned(), ..head }, content }
    }

    pub(super) fn json(&self) -> anyhow::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}
