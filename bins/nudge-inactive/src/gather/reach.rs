//! How far the records reach: whether they show the whole period, and what they know of the time before.

use std::collections::BTreeMap;

use audit_model::{Coverage, GapReason, Place, Source, Window};
use chrono::TimeDelta;
use event_archive::Look;
use futures::TryStreamExt;
use job_runner::Job;
use tracing::warn;

use super::activity::Records;
use crate::rule::{SignIns, Unsure};

/// How far back it is of interest when somebody was last there.
const REMEMBERED: TimeDelta = TimeDelta::days(366);

/// Longer than any portal is there.
const LONG_AGO: TimeDelta = TimeDelta::days(36_500);

/// Notes when people were last seen in these rooms before the window, as far as the archive knows. Actions that may have been in several
/// rooms count for each.
pub(super) async fn seen_before(job: &Job, records: &mut Records) -> anyhow::Result<()> {
    let Records { rooms, titles, logs, .. } = records;
    let mut events = std::pin::pin!(job.archive.events(Window::new(job.window.since - REMEMBERED, job.window.since)));
    while let Some(event) = events.try_next().await? {
        if event.action.class().is_none() {
            continue;
        }
        let candidates = match titles.place_with_logs(&event, logs) {
            Place::Room(id, _) => vec![id],
            Place::OneOf { candidates, .. } => candidates,
            Place::UnknownRoom { .. } | Place::Elsewhere => continue,
        };
        for id in candidates {
            if let Some(room) = rooms.get_mut(&id) {
                room.seen_before.insert(event.actor, event.at);
            }
        }
    }
    Ok(())
}

/// Reads the login history of the period, as far as the portal keeps it.
pub(super) async fn sign_ins(job: &Job, look: &mut Look) -> anyhow::Result<SignIns> {
    let kept = job.client.lifetimes().await.ok().map(|kept| TimeDelta::days(i64::from(kept.login_days)));
    let here = job.client.portal_now().unwrap_or(job.now);
    // what is forgotten while it is asked for is no gap
    let since = kept.map_or(job.window.since, |kept| job.window.since.max(here - kept + TimeDelta::hours(1)));
    let until = job.window.until;
    if since >= until {
        return Ok(SignIns::default());
    }
    look.logins_and_history(Window::new(since, until), TimeDelta::zero()).await?;
    let known_since = job.archive.logins_known_since(until).await?;
    let is_known = known_since.is_some_and(|known| known <= job.window.since) && !look.coverage().lacks(Source::Logins);
    let mut last = BTreeMap::new();
    let mut logins = std::pin::pin!(job.archive.login_events(Window::new(until - REMEMBERED, until)));
    while let Some(login) = logins.try_next().await? {
        if login.action.is_successful_login() {
            last.insert(login.user, login.at);
        }
    }
    Ok(SignIns { last, is_known })
}

/// Why nobody can tell who was active before the audit trail begins, where that is inside the period. Asks the portal until an event of
/// the time before is stored.
pub(super) async fn short_trail(job: &Job, look: &mut Look) -> anyhow::Result<Option<Unsure>> {
    let before = Window::new(job.window.since - LONG_AGO, job.window.since);
    if std::pin::pin!(job.archive.events(before)).try_next().await?.is_some() {
        return Ok(None);
    }
    let slice = job.client.audit_slice_of(before, 1).await;
    if slice.none_ever {
        return Ok(Some(Unsure::TrailTooShort));
    }
    let Some(error) = slice.error.filter(|_| slice.rows.is_empty()) else { return Ok(None) };
    look.gap("audit", job.window, error.gap_reason());
    warn!("whether the audit trail is as long as the period is not known: {:#}", anyhow::Error::new(error));
    Ok(Some(Unsure::NotAllRead))
}

/// Why the portal's records of the period are not enough to call anybody inactive.
pub(super) fn blindness(job: &Job, period: TimeDelta, coverage: &Coverage) -> Option<Unsure> {
    let has_hole = |is_skew: bool| {
        coverage.gaps.iter().any(|gap| gap.is_of(Source::Audit) && (gap.why == GapReason::ClockSkew) == is_skew)
    };
    if has_hole(false) || coverage.audit.is_none() {
        return Some(Unsure::NotAllRead);
    }
    if has_hole(true) || job.unseen_after.is_some() {
        return Some(Unsure::ClocksDiffer);
    }
    if coverage.audit.as_ref().is_some_and(|audit| audit.rows == 0) {
        return Some(Unsure::NoEvents);
    }
    (job.window.length() < period).then_some(Unsure::HistoryTooShort)
}
