//! A plan as a file: exactly what would be written, what was known when it was made, and a digest over all of it.

pub(crate) mod check;
mod content;
mod digest;
pub(crate) mod ownership;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use audit_model::sayable;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use docspace_client::ListEntry;
use job_runner::exit::Exit;
use job_store::files;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use content::{Circumstances, policy_sha256};

use super::Danger;

/// Version of the form. Files of another one are refused.
const SCHEMA: &str = "ip-fence-plan-file/1";

/// People and policies change: what was reviewed longer ago must be reviewed again.
const USABLE: TimeDelta = TimeDelta::hours(24);

/// A list of 65 536 entries, all of them new, with their rules.
const LARGEST_BYTES: u64 = 64 << 20;

/// A plan as it was made and reviewed. It has a digest, so nobody changes it by mistake; it has no signature, so whoever can write the
/// file can make another plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    pub(crate) schema: String,
    /// Made of the digest, and short enough to be said: `7fk2-9qwd`.
    pub(crate) id: String,
    pub(crate) made: Made,
    /// From then on it is stale, in portal time.
    pub(crate) usable_until: DateTime<Utc>,
    pub(crate) portal: PlannedPortal,
    /// Of the policy's file, with whom and what it meant: see [`policy_sha256`].
    pub(crate) policy_sha256: String,
    /// The account of the key that the plan was made with.
    pub(crate) key: KeyOwner,
    pub(crate) history: Replayed,
    pub(crate) flags: PlanFlags,
    /// As it was read: in the portal's order, verbatim, doubles included.
    pub(crate) before: Listed,
    /// As it would be: `before` without what is removed, then what is added.
    pub(crate) after: Listed,
    pub(crate) add: Vec<Change>,
    pub(crate) remove: Vec<Change>,
    /// Ours, and taken out by somebody else: they stay out.
    pub(crate) withheld: Vec<ListEntry>,
    /// Those that refuse first.
    pub(crate) dangers: Vec<Danger>,
    /// SHA-256, in hex, over everything but itself and `id`.
    pub(crate) digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// In portal time.
    pub(crate) at: DateTime<Utc>,
    /// As `--by` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// Version of this program.
    pub(crate) version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedPortal {
    pub(crate) url: String,
    /// The portal's number in its installation; absent when it did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyOwner {
    pub(crate) account: Uuid,
    /// Whether it is the portal's owner, whom no list stops.
    pub(crate) is_owner: bool,
}

/// The history that was replayed, half-open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replayed {
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    /// Whether everything that the portal records of that time was read.
    pub(crate) complete: bool,
}

/// The flags that the plan was made with: some of them allow what would refuse it without them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PlanFlags {
    pub(crate) own_all: bool,
    pub(crate) add_again: bool,
    pub(crate) lock_out: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) own_address: Option<std::net::IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) yes_remove: Option<u64>,
}

/// The list and its switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<ListEntry>,
    pub(crate) enable: bool,
}

/// One entry that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    #[serde(flatten)]
    pub(crate) entry: ListEntry,
    /// Label of the rule that wants it, or wanted it: of several the one that counts longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// Whom to ask about the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// The first day, in UTC, on which no rule wants it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It cannot be read, or is no plan: exit code 2.
    NoPlan(String),
    /// It is a plan, and not as it was made: exit code 3.
    Changed,
}

impl PlanFile {
    /// Reads a plan, and believes it only when it is as it was made.
    pub(crate) fn read(path: &Path) -> Result<Self, Unusable> {
        let no_plan = |why: String| Unusable::NoPlan(format!("{} {why}", path.display()));
        let file = File::open(path).map_err(|error| no_plan(format!("cannot be read: {error}")))?;
        let mut bytes = Vec::new();
        let read = file.take(LARGEST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| no_plan(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > LARGEST_BYTES {
            return Err(no_plan(format!("is larger than {} MiB, so it is no plan", LARGEST_BYTES >> 20)));
        }
        Self::parse(&bytes).map_err(|unusable| match unusable {
            Unusable::NoPlan(why) => no_plan(why),
            changed => changed,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        let no_plan = |why: &dyn std::fmt::Display| {
            Unusable::NoPlan(format!("is no plan that `ip-fence plan --out` has written: {why}"))
        };
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| no_plan(&error))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => {}
            Some(other) => return Err(no_plan(&format!("its schema is {other:?}, and this version knows {SCHEMA:?}"))),
            None => return Err(no_plan(&"it names no schema")),
        }
        let digest = digest::of(&value);
        let plan: PlanFile = serde_json::from_value(value).map_err(|error| no_plan(&error))?;
        if plan.digest != hex::encode(digest) || plan.id != sayable(&digest) {
            return Err(Unusable::Changed);
        }
        Ok(plan)
    }

    /// Writes it in one step, for this user only.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = format!("{}\n", serde_json::to_string_pretty(self)?);
        files::replace(path, text.as_bytes(), files::PRIVATE)
            .map_err(|error| anyhow::anyhow!("the plan cannot be written to {}: {error}", path.display()))
    }

    /// Sets digest and id, which go by everything else.
    fn sealed(mut self) -> anyhow::Result<Self> {
        let digest = digest::of(&serde_json::to_value(&self)?);
        (self.digest, self.id) = (hex::encode(digest), sayable(&digest));
        Ok(self)
    }

    /// Whether it can shut out somebody whom the list lets in today.
    pub(crate) fn narrows(&self) -> bool {
        let lets_everybody_in = !self.before.enable || self.before.entries.is_empty();
        self.after.enable && (lets_everybody_in || !self.remove.is_empty())
    }
}

impl Unusable {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Unusable::NoPlan(_) => Exit::Usage,
            Unusable::Changed => Exit::Findings,
        }
    }
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unusable::NoPlan(why) => f.write_str(why),
            Unusable::Changed => f.write_str(
                "the plan is not as `ip-fence plan --out` wrote it: its digest is wrong; make it again, and review it",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
