//! Who is due for which step, and who is left in peace for now. Pure.
//!
//! A series begins when somebody is first found inactive in a room, and ends with activity. Of the steps that are due only the last
//! is sent: a run that was missed is caught up once.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{Person, PortalRole, PortalText, RoomId};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use safe_actions::Intent;
use uuid::Uuid;

use super::mail::{OpenMail, series_prefix};
use crate::body::{Hold, Inactive, RemindedRoom};
use crate::config::Remind;

/// A share of so few people says nothing about the rule.
const BREAKER_FROM: usize = 10;

/// Somebody is inactive in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) since: DateTime<Utc>,
    /// 1 for the first.
    pub(crate) number: u32,
}

/// What is remembered of earlier runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// Who is found inactive in which room, and since when.
    pub(crate) series: BTreeMap<(Uuid, RoomId), Series>,
    /// Keys of reminders that were sent, refused or given up.
    pub(crate) reminded: BTreeSet<String>,
    /// When mails left for somebody, or may have; those that are still open are not among them.
    pub(crate) mails: BTreeMap<Uuid, Vec<DateTime<Utc>>>,
    /// The last mail of a series that left, or may have: when, and of which day.
    pub(crate) sent: BTreeMap<(Uuid, RoomId), (DateTime<Utc>, u32)>,
    /// Mails that were begun and are not known to be taken, oldest first.
    pub(crate) open: BTreeMap<Uuid, Vec<OpenMail>>,
}

impl Past {
    /// Whether somebody was reminded of a room in the series that is remembered.
    pub(crate) fn was_reminded(&self, person: Uuid, room: &RoomId) -> bool {
        let Some(series) = self.series.get(&(person, room.clone())) else { return false };
        self.days_told(person, room, series.number).next().is_some()
    }

    /// Whether this step of a series, or a later one, has been told, so that there is nothing to say of it any more.
    pub(crate) fn has_told(&self, person: Uuid, step: &RemindedRoom) -> bool {
        self.days_told(person, &step.id, step.series).any(|days| days >= step.step_days)
    }

    fn days_told(&self, person: Uuid, room: &RoomId, series: u32) -> impl Iterator<Item = u32> {
        let prefix = series_prefix(person, room, series);
        let of_series = self.reminded.range(prefix.clone()..).map_while(move |key| key.strip_prefix(&prefix));
        of_series.filter_map(|days| days.parse().ok())
    }

    /// When mails left for somebody, or may have, besides the one that is sent again.
    pub(crate) fn sent_to(&self, person: Uuid, again: Option<&str>) -> Vec<DateTime<Utc>> {
        let open = self.open.get(&person).into_iter().flatten();
        let open =
            open.filter(|mail| mail.may_have_left && Some(mail.intent.key.as_str()) != again).map(|mail| mail.at);
        self.mails.get(&person).into_iter().flatten().copied().chain(open).collect()
    }
}

/// Somebody who is due, and why not now.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) person: Person,
    pub(crate) culture: Option<String>,
    pub(crate) steps: Vec<RemindedRoom>,
    /// The mail of an earlier run that says the same; without, it is a new one.
    pub(crate) again: Option<Intent>,
    /// Mails of earlier runs in whose place this one is sent.
    pub(crate) instead_of: Vec<Intent>,
    pub(crate) held: Option<Hold>,
}

/// What of the portal and of this run decides about mails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
    /// End of the window that people were judged by.
    pub(crate) window_end: DateTime<Utc>,
    /// How many distinct people were judged.
    pub(crate) judged: usize,
    /// Whether it is known whom the settings leave in peace.
    pub(crate) is_clear: bool,
    /// Whether mails are only shown, which they may be at any hour.
    pub(crate) is_rehearsal: bool,
}

impl Circumstances {
    /// Days at the portal since then: whoever runs weekly at about the same time has a week between two runs, also when a timer is late and
    /// where clocks change.
    fn days_since(self, then: DateTime<Utc>) -> i64 {
        let day = |at: DateTime<Utc>| at.with_timezone(&self.zone).date_naive();
        (day(self.now) - day(then)).num_days()
    }
}

/// The mails that are due: one per person over all rooms, by person, whatever waited.
pub(crate) fn plan(
    inactive: &[(RoomId, PortalText, &Inactive)],
    past: &Past,
    settings: &Remind,
    at: Circumstances,
) -> Vec<Due> {
    let mut by_person: BTreeMap<Uuid, Vec<(&RoomId, &PortalText, &Inactive)>> = BTreeMap::new();
    for (id, title, inactive) in inactive {
        by_person.entry(inactive.person.id).or_default().push((id, title, inactive));
    }
    let mut due: Vec<Due> = by_person.values().filter_map(|rooms| due_mail(rooms, past, settings, at)).collect();
    let people = due.iter().filter(|due| due.held.is_none()).count();
    let is_large = people >= BREAKER_FROM && people * 100 > at.judged * settings.hold_above_percent as usize;
    let mut left = settings.most_per_run;
    for due in due.iter_mut().filter(|due| due.held.is_none()) {
        if is_large {
            due.held = Some(Hold::TooMany { people, judged: at.judged });
        } else if left == 0 {
            due.held = Some(Hold::RunIsFull);
        } else {
            left -= 1;
        }
    }
    due
}

/// The one mail to somebody who is inactive in these rooms, if one is due.
fn due_mail(
    rooms: &[(&RoomId, &PortalText, &Inactive)],
    past: &Past,
    settings: &Remind,
    at: Circumstances,
) -> Option<Due> {
    let (.., inactive) = rooms.first()?;
    let person = &inactive.person;
    let mut steps: Vec<RemindedRoom> =
        rooms.iter().filter_map(|(id, title, _)| due_step(person.id, (id, title), past, settings, at)).collect();
    let open = past.open.get(&person.id).map(Vec::as_slice).unwrap_or_default();
    let still = |mail: &OpenMail| -> Vec<RemindedRoom> {
        let step = |id: &RoomId| {
            let (_, title, _) = rooms.iter().find(|(room, ..)| *room == id)?;
            let kept = mail.content.rooms.iter().find(|kept| kept.id == *id)?;
            let series = past.series.get(&(person.id, id.clone()))?;
            let step = kept.step((*title).clone());
            (series.number == step.series && !past.has_told(person.id, &step)).then_some(step)
        };
        mail.content.rooms.iter().filter_map(|kept| step(&kept.id)).collect()
    };
    let is_outrun = |old: &RemindedRoom| steps.iter().any(|step| step.id == old.id && step.step_days > old.step_days);
    // one that may have arrived is sent again as it was, so that a copy can be told by its Message-ID
    let copy = open.iter().rev().filter(|mail| mail.may_have_left).find_map(|mail| {
        let still = still(mail);
        (!still.is_empty() && !still.iter().any(is_outrun)).then(|| (mail.intent.clone(), still))
    });
    let again = match copy {
        Some((intent, still)) => {
            steps = still;
            Some(intent)
        }
        None => open.iter().find(|mail| mail.is_about(&steps)).map(|mail| mail.intent.clone()),
    };
    if steps.is_empty() {
        return None;
    }
    steps.sort();
    let key = again.as_ref().map(|intent| intent.key.as_str());
    let others = open.iter().map(|mail| &mail.intent).filter(|intent| Some(intent.key.as_str()) != key);
    Some(Due {
        person: person.clone(),
        culture: inactive.judged.member.account.culture.clone(),
        steps,
        held: hold(person, &past.sent_to(person.id, key), settings, at),
        instead_of: others.cloned().collect(),
        again,
    })
}

/// The last step whose time has come, unless it or a later one was sent.
fn due_step(
    person: Uuid,
    (id, title): (&RoomId, &PortalText),
    past: &Past,
    settings: &Remind,
    at: Circumstances,
) -> Option<RemindedRoom> {
    let Series { since, number } = *past.series.get(&(person, id.clone()))?;
    let days = settings.steps_days.iter().rev().find(|days| at.days_since(since) >= i64::from(**days))?;
    let step = RemindedRoom { id: id.clone(), title: title.clone(), since, series: number, step_days: *days };
    (!past.has_told(person, &step)).then_some(step)
}

/// Why somebody is not written to now, the most lasting reason first.
pub(crate) fn hold(person: &Person, sent: &[DateTime<Utc>], settings: &Remind, at: Circumstances) -> Option<Hold> {
    let today = at.now.with_timezone(&at.zone).date_naive();
    let snoozed = settings.snooze.iter().filter(|snooze| person.is_meant_by(&snooze.person));
    let until = snoozed.filter_map(|snooze| snooze.until).filter(|until| today < *until).max();
    let this_year = sent.iter().filter(|sent| at.days_since(**sent) < 365).count();
    if person.is_meant_by_one_of(&settings.stop) {
        Some(Hold::Stopped)
    } else if is_guest(person) && !settings.guests {
        Some(Hold::Guest)
    } else if person.email.as_ref().is_none_or(|email| email.raw().is_empty()) {
        Some(Hold::NoAddress)
    } else if let Some(until) = until {
        Some(Hold::Snoozed(until))
    } else if this_year >= settings.most_per_year {
        Some(Hold::EnoughThisYear(this_year))
    } else if sent.iter().any(|sent| at.days_since(*sent) < i64::from(settings.apart_days)) {
        Some(Hold::TooSoon)
    } else if is_old(at.now, at.window_end) {
        Some(Hold::OldWindow)
    } else if !at.is_clear {
        Some(Hold::Unclear)
    } else if !at.is_rehearsal && !may_write(settings, at.now, at.zone) {
        Some(Hold::QuietHours)
    } else {
        None
    }
}

/// Whether a window is too long over to go by.
pub(crate) fn is_old(now: DateTime<Utc>, window_end: DateTime<Utc>) -> bool {
    now - window_end > TimeDelta::days(1)
}

/// A person of unknown role may be a guest.
fn is_guest(person: &Person) -> bool {
    person.role.is_none_or(|role| role == PortalRole::Guest)
}

/// Whether mails may leave at this moment, by the clock at the portal.
pub(crate) fn may_write(settings: &Remind, now: DateTime<Utc>, zone: Tz) -> bool {
    let local = now.with_timezone(&zone);
    let is_weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
    let minute = local.hour() * 60 + local.minute();
    let in_hours = (settings.hours.from..settings.hours.to).contains(&minute);
    in_hours && (settings.weekends || !is_weekend) && !settings.not_on.contains(&local.date_naive())
}

#[cfg(test)]
mod tests;
