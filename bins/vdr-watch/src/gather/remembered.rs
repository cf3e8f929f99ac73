//! What earlier runs have looked up about findings. One that has not grown since costs no more requests for a day.

use audit_model::{Coverage, Finding, Person, RoomRole, Source};
use chrono::{DateTime, TimeDelta, Utc};
use job_runner::Job;
use serde::{Deserialize, Serialize};

use crate::rule::{Found, InFolder};

const FACT: &str = "findings";

/// So long it is believed who somebody is.
const KEPT: TimeDelta = TimeDelta::hours(24);

#[derive(Debug, Default)]
pub(super) struct Remembered(Vec<LookedUp>);

#[derive(Debug, Serialize, Deserialize)]
struct LookedUp {
    fingerprint: String,
    since: DateTime<Utc>,
    acts: u64,
    at: DateTime<Utc>,
    person: Person,
    room_owner: Option<Person>,
    folders: Vec<InFolder>,
}

impl LookedUp {
    fn is_of(&self, finding: &Finding) -> bool {
        (&self.fingerprint, self.since, self.acts) == (&finding.fingerprint, finding.window.since, finding.counts.acts)
    }
}

impl Remembered {
    /// # Errors
    /// Of the store.
    pub(super) async fn read(job: &Job) -> Result<Self, event_archive::Error> {
        let known = job.archive.fact::<Vec<LookedUp>>(FACT, "").await?;
        let mut known = known.map(|fact| fact.value).unwrap_or_default();
        known.retain(|looked_up| (TimeDelta::zero()..KEPT).contains(&(job.now - looked_up.at)));
        Ok(Remembered(known))
    }

    /// The finding with what is remembered about it, and whether that is so.
    pub(super) fn recall(&self, mut found: Found) -> (Found, bool) {
        let known = self.0.iter().find(|looked_up| looked_up.is_of(&found.finding));
        if let Some(LookedUp { person, room_owner, folders, .. }) = known {
            found.finding.person = person.clone();
            found.detail.room_owner.clone_from(room_owner);
            found.detail.folders.clone_from(folders);
        }
        (found, known.is_some())
    }

    /// Remembers what was looked up about these findings, but for what the portal did not tell.
    ///
    /// # Errors
    /// Of the store.
    pub(super) async fn keep(
        &mut self,
        found: &[Found],
        coverage: &Coverage,
        job: &Job,
    ) -> Result<(), event_archive::Error> {
        if coverage.lacks(Source::People) || found.is_empty() {
            return Ok(());
        }
        for Found { finding, detail } in found {
            if matches!(finding.person.room_role, Some(RoomRole::Unknown { .. })) {
                continue;
            }
            let Finding { fingerprint, window, counts, person, .. } = finding;
            self.0.retain(|known| (&known.fingerprint, known.since) != (fingerprint, window.since));
            self.0.push(LookedUp {
                fingerprint: fingerprint.clone(),
                since: window.since,
                acts: counts.acts,
                at: job.now,
                person: person.clone(),
                room_owner: detail.room_owner.clone(),
                folders: detail.folders.clone(),
            });
        }
        job.archive.keep_fact(FACT, "", &self.0, job.now).await
    }
}
