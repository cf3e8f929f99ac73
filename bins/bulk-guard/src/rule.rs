//! The rule `mass_change`: one person touches more distinct documents than a limit allows, in any stretch of the limit's length. So do all
//! people of a room together, and those who come to it, or to several, through links. Pure.
//!
//! Two hundred documents renamed within five minutes are a finding. Suspicious, but none: an editor that saves one document two
//! hundred times.
//!
//! 1. [`detector`] counts changes ([`kind`]) and finds incidents ([`incident`]); [`extent`] adds up all that belongs to each.
//! 2. [`to_be_told`] says whose they are, and drops those of robots.
//! 3. [`judge`] looks for signs of an attack in what is known besides ([`habits`], [`names`]), and says how serious it is and whether a
//!    plan may act ([`assessment`]).
//! 4. [`crowd`] makes one finding of many people who did the same.
//!
//! [`reasons`] has the sentences in which a finding says why it is there.

pub(crate) mod assessment;
pub(crate) mod change;
pub(crate) mod crowd;
pub(crate) mod detector;
pub(crate) mod extent;
pub(crate) mod habits;
pub(crate) mod incident;
pub(crate) mod kind;
pub(crate) mod names;
pub(crate) mod reasons;

use std::cmp::Reverse;

use audit_model::{Sentence, Severity, Window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::config::Limits;
use crate::people::Accounts;
use crate::rule::assessment::{Assessment, Corroboration, assess};
use crate::rule::extent::{Extent, ShownRoom};
use crate::rule::habits::{SignIns, Story, gone_for_good};
use crate::rule::incident::{Incident, Who};
use crate::rule::names::NewNames;

/// An incident with all that is known of it, before it is judged.
#[derive(Debug)]
pub(crate) struct Suspect {
    pub(crate) incident: Incident,
    pub(crate) extent: Extent,
    pub(crate) story: Story,
    pub(crate) names: NewNames,
    /// Of one person alone.
    pub(crate) sign_ins: Option<SignIns>,
}

/// An incident, and what follows from it.
#[derive(Debug)]
pub(crate) struct Assessed {
    pub(crate) incident: Incident,
    pub(crate) extent: Extent,
    /// From where, and with which programs.
    pub(crate) from: Option<Sentence>,
    pub(crate) signs: Vec<Corroboration>,
    /// What could not be told of the names, and what not of the person, in words.
    pub(crate) names_unknown: Option<Sentence>,
    pub(crate) unknown: Vec<Sentence>,
    pub(crate) assessment: Assessment,
    /// End of the window that was looked at.
    pub(crate) looked_until: DateTime<Utc>,
}

/// Most severe first, then by person and time.
pub(crate) fn judge(suspects: Vec<Suspect>, zone: Tz, looked_until: DateTime<Utc>) -> Vec<Assessed> {
    let mut assessed: Vec<Assessed> =
        suspects.into_iter().map(|suspect| assessed(suspect, zone, looked_until)).collect();
    assessed.sort_by_key(|one| {
        let finding = &one.incident.finding;
        (Reverse(one.assessment.severity), finding.person.id, finding.window.since)
    });
    assessed
}

fn assessed(suspect: Suspect, zone: Tz, looked_until: DateTime<Utc>) -> Assessed {
    let Suspect { incident, extent, story, names, sign_ins } = suspect;
    let (mut signs, mut unknown) = (names.signs(), Vec::new());
    if let Some(sign_ins) = &sign_ins {
        signs.extend(sign_ins.sign());
        signs.extend(story.signs(extent.rooms().len(), incident.finding.window.since, zone));
        signs.extend(gone_for_good(&extent));
        unknown.extend(sign_ins.unknown.clone());
        unknown.extend(story.habits.unknown());
    }
    let mut assessment = assess(&incident.exceeded, &signs, names.may_hide_a_sign());
    if sign_ins.as_ref().is_some_and(|sign_ins| sign_ins.has_failed) {
        assessment.severity = assessment.severity.max(Severity::High);
    }
    if sign_ins.is_none() {
        // nobody in particular can be planned
        assessment.acts_because = None;
    }
    let (from, names_unknown) = (story.from(), names.unknown());
    Assessed { incident, extent, from, signs, names_unknown, unknown, assessment, looked_until }
}

/// Says who everybody is. What robots did is dropped, and what several people of a room did where each of them is told already, or only one
/// is left; the same of visitors of several rooms.
pub(crate) fn to_be_told(
    limits: &Limits,
    found: Vec<(Incident, Extent)>,
    accounts: &Accounts,
) -> Vec<(Incident, Extent)> {
    let is_told = |incident: &&(Incident, Extent)| !incident.0.exceeded.is_empty();
    let own: Vec<(Who, Window)> =
        found.iter().filter(is_told).map(|(incident, _)| (incident.who.clone(), incident.finding.window)).collect();
    let mut left = Vec::new();
    for (mut incident, extent) in found {
        let window = incident.finding.window;
        let is_told = |who: &Who| own.iter().any(|(one, when)| one == who && !when.intersection(&window).is_empty());
        match incident.who {
            Who::Person(id) if accounts.is_robot(id) => continue,
            Who::Person(id) => {
                if let Some(person) = accounts.person(id) {
                    incident.finding.person = person.clone();
                }
            }
            Who::Room(_) => {
                let people = extent.people().into_iter().filter(|(id, _, documents)| {
                    // a team that begins a project downloads a few each, whatever somebody else does in the room meanwhile
                    let least = if extent.only_downloaded(*id) { limits.room.much() } else { 0 };
                    !accounts.is_robot(*id) && !is_told(&Who::Person(*id)) && *documents > least
                });
                let others: Vec<_> = people.collect();
                let documents: u64 = others.iter().map(|(.., documents)| documents).sum();
                if others.len() < 2 || documents <= limits.room.documents {
                    continue;
                }
                let name = format!("{} people", others.len());
                incident.finding.person.name = name.as_str().into();
                incident.finding.reasons.push(reasons::together(&others));
            }
            Who::VisitorsOfRooms => {
                let rooms = extent.rooms().into_iter();
                let rooms = rooms
                    .filter(|room| !is_told(&Who::Visitors(room.title.clone())) && room.documents > limits.room.much());
                let rooms: Vec<ShownRoom> = rooms.collect();
                let documents: u64 = rooms.iter().map(|room| room.documents).sum();
                if rooms.len() < 2 || documents <= limits.room.documents {
                    continue;
                }
                incident.finding.reasons.push(reasons::visitors_together(&rooms));
            }
            Who::Visitors(_) => {}
        }
        left.push((incident, extent));
    }
    left
}

#[cfg(test)]
mod counting;
#[cfg(test)]
mod year;
