//! What is remembered for a policy of addresses: whom its names meant, and which entries of the portal's own list came of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use docspace_client::ListEntry;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Archive, Error};

const NAMES: &str = "policy names";
const OWN_ENTRIES: &str = "own list entries";

/// Whom the names of a policy meant when they were last looked up, as the policy writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownNames {
    pub people: BTreeMap<String, Uuid>,
    pub groups: BTreeMap<String, Uuid>,
}

/// An entry of the portal's own list that a confirmed write of ours added: whoever else wrote one, it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnEntry {
    #[serde(flatten)]
    pub entry: ListEntry,
    /// Label of the rule that wanted it.
    pub rule: String,
    /// Whom to ask about the rule.
    pub owner: Option<String>,
    pub since: DateTime<Utc>,
    /// Which plan was carried out.
    pub plan: String,
}

impl Archive {
    /// Whom the names of the policy meant when they were last looked up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn names(&self) -> Result<KnownNames, Error> {
        Ok(self.fact(NAMES, "").await?.map(|fact| fact.value).unwrap_or_default())
    }

    /// Remembers them instead of those that were remembered before.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_names(&self, names: &KnownNames, now: DateTime<Utc>) -> Result<(), Error> {
        if self.names().await? == *names {
            return Ok(());
        }
        self.keep_fact(NAMES, "", names, now).await
    }

    /// The entries of the portal's own list that are ours.
    ///
    /// # Errors
    /// Of the store.
    pub async fn own_entries(&self) -> Result<Vec<OwnEntry>, Error> {
        Ok(self.fact(OWN_ENTRIES, "").await?.map(|fact| fact.value).unwrap_or_default())
    }

    /// Remembers them instead of those that were remembered before.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_own_entries(&self, entries: &[OwnEntry], now: DateTime<Utc>) -> Result<(), Error> {
        self.keep_fact(OWN_ENTRIES, "", &entries, now).await
    }
}
