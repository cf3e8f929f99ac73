//! What the program asks: which rooms are meant, who is in them, and what they did there.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{GapReason, RoomId, Window};
use chrono::{DateTime, Utc};
use docspace_client::Room;
use event_archive::Look;
use job_runner::Job;
use job_runner::config::{Problem, Problems};
use uuid::Uuid;

use crate::activity::{self, SignIns};
use crate::config::Config;
use crate::rooms::{Choice, choose, tags};
use crate::rule::{JudgedMember, Terms, Verdict, judge};

/// The chosen rooms and what the rule says of their members.
pub(crate) struct Facts {
    pub(crate) window: Window,
    pub(crate) notes: Vec<String>,
    pub(crate) found: activity::Records,
    pub(crate) judged: Vec<(RoomId, Vec<JudgedMember>)>,
    /// Since when the audit trail is known without a hole.
    pub(crate) watched_since: Option<DateTime<Utc>>,
    /// When those who are inactive were last seen before the window.
    pub(crate) last: BTreeMap<(Uuid, RoomId), DateTime<Utc>>,
}

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    look.audit().await?.of_window_alone();
    let mut notes = Vec::new();
    let (shown, choice) = chosen(config, job, look).await?;
    if choice.archived > 0 {
        notes.push(format!("archived rooms are not looked at: {}", choice.archived));
    }
    let has_list = !look.coverage().lacks(audit_model::Source::Rooms);
    if choice.ids.is_empty() && has_list {
        // no all-clear for rooms that nobody looked at
        look.gap("rooms", job.window, GapReason::ListEmpty);
    }
    let rooms: Vec<&Room> = shown.iter().filter(|room| choice.ids.contains(&room.fact.id)).collect();
    let found = activity::read(job, &rooms, &config.classes, look).await?;
    let terms = terms(config, job, look).await?;
    let judged: Vec<(RoomId, Vec<JudgedMember>)> =
        found.rooms.values().map(|room| (room.id.clone(), judge(room, &terms, job.window.until))).collect();
    let watched_since = job.archive.audit_known_since(job.window.until).await?;
    let last = activity::last_before(job, &inactive(&judged), &found).await?;
    Ok(Facts { window: job.window, notes, found, judged, watched_since, last })
}

/// The rooms that the portal shows, and which of them are meant.
async fn chosen(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<(Vec<Room>, Choice)> {
    let wanted = config.rooms.wanted();
    let asked = async {
        let mut tagged = Vec::new();
        for tag in tags(wanted) {
            let rooms = job.client.rooms_with_tag(tag).await?;
            tagged.push((tag.to_owned(), rooms.into_iter().map(|room| room.fact.id).collect()));
        }
        Ok::<_, docspace_client::Error>(tagged)
    };
    let Some(shown) = look.rooms().await? else { return Ok((Vec::new(), Choice::default())) };
    let Some(tagged): Option<Vec<(String, Vec<RoomId>)>> = look.answered("rooms", asked.await) else {
        return Ok((Vec::new(), Choice::default()));
    };
    let choice = choose(wanted, &shown, &tagged);
    if !choice.unknown.is_empty() {
        let message = |unknown: &String| no_room(unknown, &shown);
        let problems = choice.unknown.iter().map(|unknown| Problem::new("rooms", message(unknown))).collect();
        return Err(job_runner::Error::Config(Problems(problems)).into());
    }
    Ok((shown, choice))
}

/// What to say of an entry that means no room.
pub(crate) fn no_room(unknown: &str, rooms: &[Room]) -> String {
    let is_alike = |room: &&Room| room.fact.title.for_terminal().to_lowercase() == unknown.to_lowercase();
    let advice = match rooms.iter().find(is_alike) {
        Some(room) => format!("did you mean `{}`?", room.fact.title.for_terminal()),
        None => "look ids, titles and tags up in the portal".to_owned(),
    };
    format!("no room is meant by `{unknown}`; {advice}")
}

async fn terms(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Terms> {
    let mut blind = activity::blindness(job, config.period(), look.coverage());
    if blind.is_none() {
        blind = activity::short_trail(job, look).await?;
    }
    let sign_ins =
        if look.coverage().audit.is_some() { activity::sign_ins(job, look).await? } else { SignIns::default() };
    Ok(Terms {
        min_activity: config.min_activity,
        grace: config.grace(),
        with_owner: config.include_owner,
        with_managers: config.include_managers,
        robots: job.service_accounts.clone(),
        listed: config.exclude_people.clone(),
        own: Some(job.portal.me.person.id),
        period_begins: job.window.since,
        sign_ins,
        blind,
    })
}

fn inactive(judged: &[(RoomId, Vec<JudgedMember>)]) -> BTreeSet<(Uuid, RoomId)> {
    let of_room = |(room, judged): &(RoomId, Vec<JudgedMember>)| {
        let inactive = judged.iter().filter(|judged| judged.verdict == Verdict::Inactive);
        inactive.map(|judged| (judged.member.account.person.id, room.clone())).collect::<Vec<_>>()
    };
    judged.iter().flat_map(of_room).collect()
}
