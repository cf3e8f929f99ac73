//! What is remembered for a policy of addresses: whom its names meant, who was in its groups, and which entries of the portal's own list
//! came of it.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::ListEntry;
use job_store::{Row, Value, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rows::PHRASES;
use crate::{Archive, Error};

const NAMES: &str = "policy names";
const OWN_ENTRIES: &str = "own list entries";
const MEMBERS: &str = "members seen";

/// So long after its last use a name, and after its last sight who was in a group, is forgotten.
const KEPT: TimeDelta = TimeDelta::days(90);

/// How often what has not changed is written again.
const NAMES_AGAIN: TimeDelta = TimeDelta::days(1);
const MEMBERS_AGAIN: TimeDelta = TimeDelta::hours(1);

/// Of a group that changes all the time no more than this is kept.
const MOST_SEEN: usize = 20;

/// Whom the names of policies meant when they were last looked up, as the policies write them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownNames {
    pub people: BTreeMap<String, Uuid>,
    pub groups: BTreeMap<String, Uuid>,
}

/// Names of all policies that share a store, with when each was last looked up.
#[derive(Default, Serialize, Deserialize)]
struct KeptNames {
    #[serde(flatten)]
    names: KnownNames,
    #[serde(default)]
    used: BTreeMap<String, DateTime<Utc>>,
}

/// Who was in a group for as long as runs saw the same people there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenMembers {
    pub members: BTreeSet<Uuid>,
    /// When the first look that saw them ended.
    pub first: DateTime<Utc>,
    /// When the last one began, to the hour.
    pub last: DateTime<Utc>,
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
    /// Whom the names of policies meant when they were last looked up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn names(&self) -> Result<KnownNames, Error> {
        Ok(self.kept_names().await?.names)
    }

    async fn kept_names(&self) -> Result<KeptNames, Error> {
        Ok(self.fact(NAMES, "").await?.map(|fact| fact.value).unwrap_or_default())
    }

    /// Remembers them, beside those of other policies for as long as somebody uses them.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_names(&self, names: &KnownNames, now: DateTime<Utc>) -> Result<(), Error> {
        let KeptNames { names: known, mut used } = self.kept_names().await?;
        let mut all = known.clone();
        for (kept, new) in [(&mut all.people, &names.people), (&mut all.groups, &names.groups)] {
            kept.extend(new.iter().map(|(name, id)| (name.clone(), *id)));
            for name in kept.keys() {
                used.entry(name.clone()).or_insert(now);
            }
        }
        let own = || names.people.keys().chain(names.groups.keys());
        let is_recent = own().all(|name| used.get(name).is_some_and(|at| now - *at < NAMES_AGAIN));
        if all == known && is_recent {
            return Ok(());
        }
        used.extend(own().map(|name| (name.clone(), now)));
        used.retain(|_, at| now - *at < KEPT);
        [&mut all.people, &mut all.groups].into_iter().for_each(|kept| kept.retain(|name, _| used.contains_key(name)));
        self.keep_fact(NAMES, "", &KeptNames { names: all, used }, now).await
    }

    /// Who was in a group when runs looked, oldest first. It goes by its id, or by a name for all people of one kind.
    ///
    /// # Errors
    /// Of the store.
    pub async fn members_seen(&self, group: &str) -> Result<Vec<SeenMembers>, Error> {
        Ok(self.fact(MEMBERS, group).await?.map(|fact| fact.value).unwrap_or_default())
    }

    /// Remembers who is in a group; `look` is when that was asked.
    ///
    /// # Errors
    /// Of the store.
    pub async fn saw_members(&self, group: &str, members: &BTreeSet<Uuid>, look: Window) -> Result<(), Error> {
        let mut seen = self.members_seen(group).await?;
        match seen.last_mut().filter(|last| last.members == *members) {
            Some(last) if look.since - last.last < MEMBERS_AGAIN => return Ok(()),
            Some(last) => last.last = look.since,
            None => seen.push(SeenMembers { members: members.clone(), first: look.until, last: look.since }),
        }
        seen.retain(|seen| look.since - seen.last < KEPT);
        seen.drain(..seen.len().saturating_sub(MOST_SEEN));
        self.keep_fact(MEMBERS, group, &seen, look.since).await
    }

    /// Forgets who was in groups before a moment.
    pub(crate) async fn prune_members(&self, before: DateTime<Utc>) -> Result<(), Error> {
        let all = "SELECT name, value FROM fact WHERE kind = ?";
        let forget = move |write: &Write<'_>| {
            let kept = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
            let mut pruned: Vec<Value> = Vec::new();
            for (group, value) in write.all(all, &[MEMBERS.into()], kept)? {
                // a form that an older version wrote is as good as none
                let Ok(mut seen) = serde_json::from_str::<Vec<SeenMembers>>(&value) else { continue };
                let all = seen.len();
                seen.retain(|seen| seen.last >= before);
                if seen.len() < all {
                    let value = serde_json::to_string(&seen).expect("facts are plain data");
                    pruned.extend([value.into(), MEMBERS.into(), group.into()]);
                }
            }
            let keep = "UPDATE fact SET value = ? WHERE kind = ? AND name = ?";
            write.for_each([keep, ""], &pruned, &PHRASES)
        };
        self.store().write("forgetting who was in groups", forget).await?;
        Ok(())
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
