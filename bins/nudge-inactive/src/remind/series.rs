//! Bringing the ledger up to date with what the run has found: series that begin and end, and mails that nobody needs any more.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{PortalText, RoomId};
use chrono::{DateTime, Utc};
use job_runner::Job;
use uuid::Uuid;

use super::ledger::Ledger;
use super::mail::ContentRoom;
use super::plan::{Past, Series, is_old};
use crate::body::{Inactive, ON_ITS_WAY, RoomReport, SinceLastRun};

/// What the run has found, as far as mails depend on it.
#[derive(Clone, Copy)]
pub(super) struct Observed<'a>(pub(super) &'a [RoomReport]);

impl<'a> Observed<'a> {
    pub(super) fn inactive(&self) -> Vec<(RoomId, PortalText, &'a Inactive)> {
        let mut all = Vec::new();
        for room in self.0 {
            all.extend(room.inactive.iter().map(|inactive| (room.id.clone(), room.title.clone(), inactive)));
        }
        all
    }

    /// Whether nobody can say whether this person is inactive in this room.
    pub(super) fn is_open(&self, person: Uuid, id: &RoomId) -> bool {
        match self.0.iter().find(|room| room.id == *id) {
            None => true,
            Some(room) => room.unknown.iter().any(|unknown| unknown.person.id == person),
        }
    }

    /// How many distinct people were judged.
    pub(super) fn judged(&self) -> usize {
        let people = |room: &RoomReport| {
            let inactive = room.inactive.iter().map(|inactive| inactive.person.id);
            inactive.chain(room.active_people.iter().copied()).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(people).collect::<BTreeSet<_>>().len()
    }
}

/// Begins and ends series, and gives what is remembered then.
pub(super) async fn note_series(
    ledger: &Ledger,
    job: &Job,
    observed: Observed<'_>,
) -> anyhow::Result<(Past, Option<SinceLastRun>)> {
    let past = ledger.past().await?;
    // a window of the past says nothing about who is active today
    if is_old(job.now, job.window.until) {
        return Ok((past, None));
    }
    let inactive: BTreeMap<(Uuid, RoomId), &Inactive> =
        observed.inactive().into_iter().map(|(id, _, one)| ((one.person.id, id), one)).collect();
    // activity between two runs ends a series, too; what there was in this period was too little
    let goes_on = |key: &(Uuid, RoomId), one: &Inactive| {
        let is_over = |last: DateTime<Utc>, series: &Series| (series.since..job.window.since).contains(&last);
        past.series.get(key).is_some_and(|series| one.last_activity.is_none_or(|last| !is_over(last, series)))
    };
    let begun: Vec<_> = inactive.iter().filter(|(key, one)| !goes_on(key, one)).map(|(key, _)| key.clone()).collect();
    let is_over = |(person, room): &&(Uuid, RoomId)| {
        !inactive.contains_key(&(*person, room.clone())) && !observed.is_open(*person, room)
    };
    let ended: Vec<_> = past.series.keys().filter(is_over).cloned().collect();
    ledger.note_series(&begun, &ended, job.now).await?;
    let people = |keys: &[(Uuid, RoomId)]| keys.iter().map(|(person, _)| *person).collect::<BTreeSet<_>>().len() as u64;
    let came_back: Vec<_> = ended.into_iter().filter(|(person, room)| past.was_reminded(*person, room)).collect();
    let now = ledger.past().await?;
    let newly_since_report = report_waits_since(ledger).await?.map(|since| {
        let is_new = |key: &&(Uuid, RoomId)| now.series.get(*key).is_some_and(|series| series.since >= since);
        people(&inactive.keys().filter(is_new).cloned().collect::<Vec<_>>())
    });
    let since_last_run =
        SinceLastRun { newly_inactive: people(&begun), newly_since_report, came_back: people(&came_back) };
    Ok((now, Some(since_last_run)))
}

/// Since when a report for some manager waits; `None` when all have arrived.
async fn report_waits_since(ledger: &Ledger) -> anyhow::Result<Option<DateTime<Utc>>> {
    let waiting = ledger.actions.open_of_kind(ON_ITS_WAY).await?;
    Ok(waiting.iter().filter_map(|intent| intent.payload["since"].as_str()?.parse().ok()).min())
}

/// Closes the mails of earlier runs whose people are active again, or no members any more, or were told by another mail: there is nothing
/// to say.
pub(super) async fn close_what_is_over(ledger: &Ledger, past: &Past, observed: Observed<'_>) -> anyhow::Result<()> {
    for (person, mail) in past.open.iter().flat_map(|(person, mails)| mails.iter().map(|mail| (*person, mail))) {
        let holds = |room: &ContentRoom| {
            if past.has_told(person, &room.step(PortalText::default())) {
                return false;
            }
            let series = past.series.get(&(person, room.id.clone()));
            series.is_some_and(|series| series.number == room.series) || observed.is_open(person, &room.id)
        };
        if !mail.content.rooms.iter().any(holds) {
            ledger.actions.give_up(&mail.intent).await?;
        }
    }
    Ok(())
}
