//! What the program asks: changes, who made them, and what else there is to know of those who made many. The time for all but the audit
//! trail is limited, because the alert waits for it.

mod background;
pub(crate) mod changes;

use std::collections::BTreeSet;
use std::time::Instant;

use audit_model::{Rooms, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_archive::{Look, Unjudged};
use job_runner::Job;
use tracing::warn;
use uuid::Uuid;

pub(crate) use crate::gather::background::Logins;

use crate::config::Config;
use crate::drill::book::Spent;
use crate::gather::background::{names, sign_ins, stories};
use crate::gather::changes::{Answers, feed};
use crate::people::{self, Accounts};
use crate::rule::detector::Detector;
use crate::rule::extent::Extent;
use crate::rule::incident::{Incident, Who};
use crate::rule::{Suspect, to_be_told};

/// So long a decision of somebody about an account stands.
const DECIDED_FOR: TimeDelta = TimeDelta::hours(24);

/// What was found out about everybody who changed many documents.
pub(crate) struct Facts {
    pub(crate) suspects: Vec<Suspect>,
    /// Accounts that are a directory's.
    pub(crate) directory: BTreeSet<Uuid>,
    /// Whom somebody has switched on or off lately.
    pub(crate) decided: BTreeSet<Uuid>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
    /// When rows happened that runs should have seen before.
    pub(crate) late: Vec<DateTime<Utc>>,
    pub(crate) looked_until: DateTime<Utc>,
    /// The login history that alerts did not wait for.
    pub(crate) postponed: Option<Logins>,
}

/// Reads the audit trail, and whatever the incidents in it leave open.
pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    // a first run remembers nothing of what the long limits go by
    let unjudged = look.detailed_audit_since(look.window.since - config.limits.longest()).await?;
    let (began, patient) = (Instant::now(), look.client.clone());
    let limited = |share| config.look_up_limit().map_or(patient.clone(), |limit| patient.until(began + limit / share));
    // what is read for later leaves half of the time to what is asked about now
    look.client = limited(2);
    attribution::keep_inventory(look).await?;
    look.client = limited(1);
    let found = detect(config, job, &unjudged, look).await?;
    let ids = found.iter().flat_map(|(incident, extent)| ids_of(incident, extent)).collect();
    let accounts = Accounts::look_up(&ids, job, look).await?;
    let found = to_be_told(&config.limits, found, &accounts);
    let mut facts = Facts {
        suspects: Vec::new(),
        directory: accounts.of_directory(),
        decided: BTreeSet::new(),
        now: job.now,
        zone: job.portal.time_zone,
        late: unjudged.late().collect(),
        looked_until: job.window.until,
        postponed: None,
    };
    if !found.is_empty() {
        facts.decided = people::decided(job, job.now - DECIDED_FOR).await?;
        (facts.suspects, facts.postponed) = suspects(found, job, look).await?;
    }
    Ok(facts)
}

/// Everybody whom an incident is about.
fn ids_of(incident: &Incident, extent: &Extent) -> Vec<Uuid> {
    match incident.who {
        Who::Person(id) => vec![id],
        Who::Room(_) => extent.people().into_iter().map(|(id, ..)| id).collect(),
        Who::Visitors(_) | Who::VisitorsOfRooms => Vec::new(),
    }
}

/// Incidents of the window, and those that rows which the portal stored only after their time had been judged are part of, each with all
/// that is known of it.
async fn detect(
    config: &Config,
    job: &Job,
    unjudged: &Unjudged,
    look: &mut Look,
) -> anyhow::Result<Vec<(Incident, Extent)>> {
    let reach = config.limits.longest();
    let earliest = unjudged.window(TimeDelta::zero()).since;
    // what has left the window may still belong to what is in it
    let window = Window::new(earliest - reach, job.window.until);
    let spent = match job.store.as_ref().ok().or(job.store_for_telling.as_ref()) {
        // without its journal a run still remembers what was told, and whatever acts refuses by itself
        Some(store) => Spent::read(store, job.now).await.unwrap_or_else(|failure| {
            warn!("what was done in drills counts like all else: {failure:#}");
            Spent::default()
        }),
        None => Spent::default(),
    };
    let answers = Answers::ask(job, (window, earliest), (config.folder_weight, spent), look).await?;
    let mut detector = Detector::new(&config.limits);
    feed(&job.archive, window, &answers, |change| detector.push(change)).await?;
    let mut incidents = detector.finish();
    incidents.retain(|one| unjudged.concerns(&one.finding.window));
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    if incidents.iter().filter_map(|incident| incident.last_uncountable).any(|at| at >= earliest) {
        attribution::note_hidden_folders(look, job.window);
    }
    let rooms: Rooms = job.archive.rooms(window).await?;
    let mut extents: Vec<Extent> = incidents.iter().map(|_| Extent::default()).collect();
    feed(&job.archive, window, &answers, |change| {
        let own = incidents.iter().zip(&mut extents).filter(|(incident, _)| incident.includes(change));
        own.for_each(|(_, extent)| extent.add(change, &rooms));
    })
    .await?;
    for (incident, extent) in incidents.iter_mut().zip(&mut extents) {
        if let Who::Person(id) = incident.who {
            extent.has_emptied = answers.has_emptied(id, incident.finding.window.since);
        }
        extent.complete(incident);
    }
    Ok(incidents.into_iter().zip(extents).collect())
}

/// What else is known of those who made the incidents, and the login history that is left to be read.
async fn suspects(
    found: Vec<(Incident, Extent)>,
    job: &Job,
    look: &mut Look,
) -> anyhow::Result<(Vec<Suspect>, Option<Logins>)> {
    let (incidents, extents): (Vec<Incident>, Vec<Extent>) = found.into_iter().unzip();
    let stories = stories(&incidents, job).await?;
    let client = look.client.clone();
    let names = names(&incidents, &extents, &client, job);
    let ((names, look_ups), (sign_ins, postponed)) = futures::try_join!(names, sign_ins(&incidents, job, look))?;
    look.finish(look_ups);
    let suspects = incidents.into_iter().zip(extents).zip(stories).zip(names).zip(sign_ins);
    let suspects = suspects.map(|((((incident, extent), story), names), sign_ins)| Suspect {
        incident,
        extent,
        story,
        names,
        sign_ins,
    });
    Ok((suspects.collect(), postponed))
}
