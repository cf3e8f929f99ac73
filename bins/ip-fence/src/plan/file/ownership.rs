//! Whose entries are whose after a plan was carried out and confirmed.

use chrono::{DateTime, Utc};
use event_archive::{Archive, OwnEntry};

use super::PlanFile;

impl PlanFile {
    /// The entries that are ours after it: what it added, and what was ours and still stands, or stays out because somebody else has taken
    /// it out. What is ours no more, whoever writes it one day, is theirs. Twice is as once.
    pub(crate) fn own_entries_after(&self, known: &[OwnEntry], confirmed_at: DateTime<Utc>) -> Vec<OwnEntry> {
        let is_added = |own: &OwnEntry| self.add.iter().any(|change| change.entry == own.entry);
        let stays = |own: &OwnEntry| self.after.entries.contains(&own.entry) || self.withheld.contains(&own.entry);
        let is_same = |own: &OwnEntry| own.plan == self.id;
        let kept = known.iter().filter(|own| stays(own) && (!is_added(own) || is_same(own)));
        let mut owned: Vec<OwnEntry> = kept.cloned().collect();
        for change in &self.add {
            if !owned.iter().any(|own| own.entry == change.entry) {
                owned.push(OwnEntry {
                    entry: change.entry.clone(),
                    rule: change.rule.clone().unwrap_or_default(),
                    owner: change.owner.clone(),
                    since: confirmed_at,
                    plan: self.id.clone(),
                });
            }
        }
        owned
    }
}

/// Remembers what a confirmed plan made ours.
///
/// # Errors
/// Of the store.
pub(crate) async fn own_entries_confirmed(
    archive: &Archive,
    plan: &PlanFile,
    confirmed_at: DateTime<Utc>,
) -> Result<(), event_archive::Error> {
    let known = archive.own_entries().await?;
    archive.keep_own_entries(&plan.own_entries_after(&known, confirmed_at), confirmed_at).await
}
