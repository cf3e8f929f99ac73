//! Names of rooms and people as they were when a report first told them, so that whoever is renamed later changes no report.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{PortalText, RoomFact, RoomId};
use chrono::{DateTime, Utc};
use docspace_client::Directory;
use event_archive::{Archive, Look};
use job_runner::Job;
use uuid::Uuid;

use crate::facts::logins::Logins;
use crate::facts::summary::Summary;
use crate::period::Period;

/// Names in the archive.
const QUIET_ROOMS: &str = "quiet rooms of a report";
const NAME: &str = "name in reports";

/// The quiet rooms of a period, by id.
pub(crate) async fn quiet_rooms<'r>(
    archive: &Archive,
    period: &Period,
    rooms: impl Iterator<Item = &'r RoomFact>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<(RoomId, PortalText)>> {
    let name = period.label();
    let known = archive.fact::<BTreeMap<String, PortalText>>(QUIET_ROOMS, &name).await?;
    let known = known.map(|fact| fact.value).unwrap_or_default();
    let mut all = known.clone();
    let named: Vec<(RoomId, PortalText)> = rooms
        .map(|room| {
            let title = all.entry(room.id.to_string()).or_insert_with(|| room.title.clone());
            (room.id.clone(), title.clone())
        })
        .collect();
    if all != known && period.is_remembered() {
        archive.keep_fact(QUIET_ROOMS, &name, &all, now).await?;
    }
    Ok(named)
}

/// The people whom events were about: as events and logins of the period name them, else as they are remembered, else as the portal shows
/// them. Whoever is not there any more stays a number.
pub(crate) async fn names(
    job: &Job,
    summary: &Summary,
    logins: &Logins,
    look: &mut Look,
) -> anyhow::Result<BTreeMap<Uuid, PortalText>> {
    let mut names: BTreeMap<Uuid, PortalText> =
        logins.users.iter().map(|(id, user)| (*id, user.name.clone())).collect();
    names.extend(summary.people.iter().filter(|(actor, _)| actor.is_person()).map(|(a, row)| (a.id, row.name.clone())));
    let rows = summary.topics.values().flat_map(|rows| &rows.first);
    let mut unknown: BTreeSet<Uuid> =
        rows.flat_map(crate::facts::summary::TopicRow::people).filter(|id| !names.contains_key(id)).collect();
    for id in std::mem::take(&mut unknown) {
        match job.archive.fact::<PortalText>(NAME, &id.to_string()).await? {
            Some(known) => _ = names.insert(id, known.value),
            None => _ = unknown.insert(id),
        }
    }
    if unknown.is_empty() {
        return Ok(names);
    }
    let mut directory = Directory::default();
    if look.answered("people", directory.read_people(&job.client).await).is_none() {
        return Ok(names);
    }
    for id in unknown {
        if let Some(account) = directory.person(&id.to_string()) {
            job.archive.keep_fact(NAME, &id.to_string(), &account.person.name, job.now).await?;
            names.insert(id, account.person.name.clone());
        }
    }
    Ok(names)
}
