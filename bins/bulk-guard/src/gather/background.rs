//! What else there is to know of those who made incidents: how they usually work, from where they sign in, and which names their documents
//! have now. Habits are remembered; names that no row tells, and sign-ins, are asked for.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::{german, plural};
use attribution::{FACTS_KEPT, History, Reach};
use audit_model::{GapReason, PortalText, Sentence, Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, EntryId};
use event_archive::{Look, LookUps};
use futures::TryStreamExt;
use job_runner::Job;
use uuid::Uuid;

use crate::rule::extent::Extent;
use crate::rule::habits::{SignIns, Story};
use crate::rule::incident::{Incident, Who, place};
use crate::rule::kind::Kind;
use crate::rule::names::{LEAST_NAMES, LookedUp, Names, NewNames};

/// How far before an incident somebody's habits are looked at.
const HISTORY: TimeDelta = TimeDelta::days(30);

/// How far before it logins are read, to tell which countries are new.
const LOGIN_HISTORY: Reach = Reach { wanted: HISTORY, least: TimeDelta::days(15) };

/// So long before an incident habits end: an attack that begins slowly must not become the habit that it is measured by.
const NOT_YET_HABIT: TimeDelta = TimeDelta::days(1);

/// Documents of an incident whose present names are looked up, one request each, where rows do not tell them.
const NAMES_LOOKED_UP: usize = 20;

/// The same of all incidents together.
const NAMES_IN_ALL: usize = 60;

/// So many documents of an extension in the month before make it an ordinary one.
const LEAST_IN_USE: usize = 3;

/// The time that shows what is usual.
fn before(incident: Window) -> Window {
    Window::new(incident.since - HISTORY, incident.since - NOT_YET_HABIT)
}

/// From where and with what people did what they did, and what is usual for them, from what is remembered of those people alone; by
/// incident, empty for several people.
pub(super) async fn stories(incidents: &[Incident], job: &Job) -> anyhow::Result<Vec<Story>> {
    let zone = job.portal.time_zone;
    let mut stories: Vec<Story> = incidents.iter().map(|_| Story::default()).collect();
    let windows = || incidents.iter().map(|incident| incident.finding.window);
    let (Some(first), Some(last)) = (windows().map(|w| w.since).min(), windows().map(|w| w.until).max()) else {
        return Ok(stories);
    };
    let mut of_person: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for (index, incident) in incidents.iter().enumerate() {
        // of visitors nothing is usual: everybody has one account
        if !matches!(incident.who, Who::Room(_)) {
            of_person.entry(incident.finding.person.id).or_default().push(index);
        }
    }
    let people: Vec<Uuid> = of_person.keys().copied().collect();
    let mut events = std::pin::pin!(job.archive.events_of(people, Window::new(first - HISTORY, last)));
    while let Some(event) = events.try_next().await? {
        for &index in of_person.get(&event.actor).into_iter().flatten() {
            let Incident { who, finding, .. } = &incidents[index];
            if finding.window.contains(event.at) {
                let is_here = matches!(who, Who::Person(_) | Who::VisitorsOfRooms)
                    || matches!(who, Who::Visitors(title) if place(&event) == *title);
                if is_here {
                    stories[index].learn(&event);
                }
            } else if matches!(who, Who::Person(_)) && before(finding.window).contains(event.at) {
                stories[index].habits.learn(&event, zone);
            }
        }
    }
    Ok(stories)
}

/// Takes the names of all documents from the rows about them. Of those that no row names, some are looked up, spread over all of them. Where
/// that leaves too few for each of many incidents, those of all speak for each.
pub(super) async fn names(
    incidents: &[Incident],
    extents: &[Extent],
    client: &Client,
    job: &Job,
) -> anyhow::Result<(Vec<NewNames>, LookUps)> {
    let known = Names::built_in();
    let mut look_ups = LookUps::of(Source::Files.name(), "hidden_files", usize::MAX, job.now);
    let untold = |extent: &Extent| {
        let untold = extent.names.iter().filter(|(_, (title, _))| title.is_none());
        untold.map(|(file, (_, at))| (file.clone(), *at)).collect::<Vec<_>>()
    };
    let untold: Vec<_> = extents.iter().map(untold).collect();
    let share = NAMES_IN_ALL / untold.iter().filter(|own| !own.is_empty()).count().max(1);
    let mut looked = Vec::new();
    for own in &untold {
        let asked: Vec<_> = spread(own, NAMES_LOOKED_UP.min(share.max(1)));
        let gone_before = look_ups.gone();
        let ask = async |(file, at): &(EntryId, DateTime<Utc>)| {
            job.archive.title_of_file(client, file, (job.now - *at).min(FACTS_KEPT), job.now).await
        };
        let asked_for = asked.len();
        let titles = look_ups.each(asked, ask).await?.into_iter().map(|(_, known)| known.value).collect();
        looked.push(LookedUp { titles, asked: asked_for, gone: (look_ups.gone() - gone_before) as usize });
    }
    if share < LEAST_NAMES {
        let all: LookedUp = looked.iter().sum();
        looked.iter_mut().filter(|own| own.asked > 0).for_each(|own| own.clone_from(&all));
    }
    let mut all = Vec::new();
    for ((incident, extent), looked) in incidents.iter().zip(extents).zip(looked) {
        let mut names = NewNames::new(extent, looked, &known);
        if let Some((extension, _)) = &names.new_extension
            && is_used_here(job, before(incident.finding.window), extension).await?
        {
            names.new_extension = None;
        }
        all.push(names);
    }
    Ok((all, look_ups))
}

/// At most so many of them, evenly from the first to the last.
fn spread<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    let count = all.len().min(most);
    (0..count).map(|n| all[n * all.len() / count.max(1)].clone()).collect()
}

/// Whether people worked with documents of this extension in a time: the lists of this program do not know every trade.
async fn is_used_here(job: &Job, time: Window, extension: &str) -> anyhow::Result<bool> {
    let ending = format!(".{extension}");
    let names_it = |text: &PortalText| {
        let lower = text.raw().to_lowercase();
        let mut ends = lower.match_indices(&ending).map(|(at, _)| &lower[at + ending.len()..]);
        ends.any(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let mut documents = BTreeSet::new();
    let mut events = std::pin::pin!(job.archive.events_of_actions(Kind::actions(), time));
    while let Some(event) = events.try_next().await? {
        if event.text.as_ref().is_some_and(names_it) {
            documents.extend(event.target.into_iter().next());
        }
        if documents.len() >= LEAST_IN_USE {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The login history before the incidents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logins(Window);

impl Logins {
    async fn read(self, look: &mut Look) -> anyhow::Result<History> {
        Ok(History::read(self.0, LOGIN_HISTORY, look).await?)
    }

    /// Reads what is left of it, so that it is remembered.
    pub(crate) async fn read_on(self, look: &mut Look) -> anyhow::Result<()> {
        self.read(look).await.map(drop)
    }
}

/// From where the people of the incidents signed in, in an incident or the day before it, and in the month before that; `None` of others
/// than single people. What is missing of the login history is a gap; what alerts did not wait for is handed on.
pub(super) async fn sign_ins(
    incidents: &[Incident],
    job: &Job,
    look: &mut Look,
) -> anyhow::Result<(Vec<Option<SignIns>>, Option<Logins>)> {
    let is_person = |incident: &&Incident| matches!(incident.who, Who::Person(_));
    let first = incidents.iter().filter(is_person).map(|incident| before(incident.finding.window).until).min();
    let Some(first) = first else { return Ok((incidents.iter().map(|_| None).collect(), None)) };
    // who steals a session looks around first
    let logins = Logins(Window::new(first, job.window.until));
    let history = logins.read(look).await?;
    let lacks = look.coverage().gaps.iter().filter(|gap| gap.what == Source::Logins.name());
    let is_postponed = lacks.chain(history.unseen()).any(|gap| gap.why == GapReason::Postponed);
    let is_blind = look.coverage().lacks(Source::Logins);
    let mut all = Vec::new();
    for incident in incidents {
        let sign_ins = if is_person(&incident) { Some(of_person(incident, &history, job).await?) } else { None };
        all.push(sign_ins.map(|own| SignIns { has_failed: own.has_failed || is_blind, ..own }));
    }
    Ok((all, is_postponed.then_some(logins)))
}

async fn of_person(incident: &Incident, history: &History, job: &Job) -> anyhow::Result<SignIns> {
    let (id, own) = (incident.finding.person.id, incident.finding.window);
    let habits_end = before(own).until;
    let now = job.archive.successful_logins_of(id, Window::new(habits_end, own.until)).await?;
    let now: Vec<PortalText> = now.into_iter().filter_map(|login| login.country).collect();
    let Some(since) = history.since() else {
        let is_open = !now.is_empty();
        return Ok(SignIns {
            unknown: is_open.then(|| unknown_countries(history)),
            has_failed: is_open && history.unseen().is_some(),
            ..SignIns::default()
        });
    };
    let usual = job.archive.successful_logins_of(id, Window::new(since, habits_end)).await?;
    let usual = usual.iter().map(|login| login.country.as_ref()).collect();
    Ok(SignIns { now, usual: Some(usual), ..SignIns::default() })
}

fn unknown_countries(history: &History) -> Sentence {
    let unknown = "cannot tell whether the country of the sign-in is new";
    let unknown_german = "ob das Land der Anmeldung neu ist, ist nicht zu sagen";
    if let Some(unseen) = history.unseen() {
        return Sentence::new(
            format!("{unknown}, because earlier ones could not be read: {}", unseen.explanation()),
            format!("{unknown_german}: Frühere Anmeldungen waren nicht zu lesen"),
        );
    }
    let (days, least) = (history.length().num_days().unsigned_abs(), LOGIN_HISTORY.least.num_days());
    let (english, german) = (plural(days, "day"), german::counted(days, "Tag", "Tage"));
    Sentence::new(
        format!("{unknown}: {english} of logins remembered of the month before, fewer than {least}"),
        format!("{unknown_german}: Aus dem Monat davor sind Anmeldungen für {german} bekannt, weniger als {least}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_from_the_first_to_the_last() {
        let all: Vec<usize> = (0..99).collect();
        let asked = spread(&all, 20);
        assert_eq!((asked.len(), asked[0], asked[10], asked[19]), (20, 0, 49, 94));
        assert_eq!(spread(&all[..3], 20).len(), 3);
    }
}
