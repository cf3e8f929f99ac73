//! What else points to an attack, or to none: the names that documents have now, the rooms, the hour, the addresses.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::plural;
use attribution::{Countries, History, Reach};
use audit_model::{AuditEvent, Finding, PortalText, Window, title_in_context};
use chrono::{DateTime, NaiveDate, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use docspace_client::EntryId;
use event_archive::{Look, LookUps};
use futures::TryStreamExt;
use job_runner::Job;
use uuid::Uuid;

use crate::assessment::{Corroboration, Sign};
use crate::kind::Kind;
use crate::names::{Names, extension};
use crate::rule::Incident;

/// How far before an incident somebody's habits are looked at.
const HISTORY: TimeDelta = TimeDelta::days(30);

/// How far before it logins are read, to tell which countries are new.
const LOGIN_HISTORY: Reach = Reach { wanted: HISTORY, least: TimeDelta::days(15) };

/// So long before an incident habits end: an attack that begins slowly must not become the habit that it is measured by.
const NOT_YET_HABIT: TimeDelta = TimeDelta::days(1);

/// With fewer days of work than this nearly everything would be unusual.
const LEAST_DAYS: usize = 10;

/// Documents whose present names are looked up, one request each.
const NAMES_LOOKED_UP: usize = 20;

/// With fewer names than this nothing is said of them.
const LEAST_NAMES: usize = 5;

/// So many documents of an extension in the month before make it an ordinary one.
const LEAST_IN_USE: usize = 3;

/// People work in a room or two at a time.
const MANY_ROOMS: usize = 3;

/// What somebody did in an incident, and before it.
#[derive(Default)]
pub(crate) struct Story {
    rooms: BTreeSet<String>,
    addresses: BTreeSet<String>,
    /// Files whose names may have been changed or made.
    files: BTreeSet<String>,
    pub(crate) habits: Habits,
}

/// What somebody did in the time before.
#[derive(Default)]
pub(crate) struct Habits {
    days: BTreeSet<NaiveDate>,
    hours: BTreeSet<u32>,
    addresses: BTreeSet<String>,
}

impl Habits {
    fn learn(&mut self, event: &AuditEvent, zone: Tz) {
        let local = event.at.with_timezone(&zone);
        self.days.insert(local.date_naive());
        self.hours.insert(local.hour());
        self.addresses.extend(address(event));
    }

    fn are_known(&self) -> bool {
        self.days.len() >= LEAST_DAYS
    }

    /// What could not be judged for want of memory; `None` when it could.
    pub(crate) fn unknown(&self) -> Option<String> {
        let days = plural(self.days.len() as u64, "day");
        let asked = "whether hour and address are usual is not known";
        (!self.are_known())
            .then(|| format!("{asked}: {days} of work remembered of the month before, fewer than {LEAST_DAYS}"))
    }
}

impl Story {
    fn learn(&mut self, event: &AuditEvent) {
        let Some(kind) = Kind::of(event.action) else { return };
        self.rooms.extend(title_in_context(event).map(|title| title.raw().to_owned()));
        self.addresses.extend(address(event));
        let is_named = matches!(kind, Kind::Renamed | Kind::Overwritten | Kind::Created);
        if is_named && !event.action.is_about_whole_folder() {
            self.files.extend(event.target.first().cloned());
        }
    }

    /// What can be told without asking anybody.
    pub(crate) fn signs(&self, began: DateTime<Utc>, zone: Tz) -> Vec<Corroboration> {
        let mut signs = Vec::new();
        let mut add = |kind: Sign, evidence: String| signs.push(Corroboration { kind, evidence });
        if self.rooms.len() >= MANY_ROOMS {
            add(Sign::SeveralRooms, format!("documents of {}", plural(self.rooms.len() as u64, "room")));
        }
        if self.habits.are_known() {
            let hour = began.with_timezone(&zone).hour();
            let near = [(hour + 23) % 24, hour, (hour + 1) % 24];
            if !near.iter().any(|hour| self.habits.hours.contains(hour)) {
                let days = plural(self.habits.days.len() as u64, "day");
                add(Sign::OffHours, format!("at {hour}:00, an hour never worked at on {days} of the month before"));
            }
            let new: Vec<&String> = self.addresses.difference(&self.habits.addresses).collect();
            if let Some(first) = new.first().filter(|_| !self.habits.addresses.is_empty()) {
                let shown = PortalText::new(first.as_str()).for_terminal();
                let known = plural(self.habits.addresses.len() as u64, "address");
                add(Sign::NewAddress, format!("from {shown}, not among the {known} of the month before"));
            }
        }
        signs
    }
}

/// The time that shows what is usual.
fn before(incident: Window) -> Window {
    Window::new(incident.since - HISTORY, incident.since - NOT_YET_HABIT)
}

/// The stories of all incidents, from two passes over what is remembered.
pub(crate) async fn stories(job: &Job, incidents: &[Incident], zone: Tz) -> anyhow::Result<Vec<Story>> {
    let mut stories: Vec<Story> = incidents.iter().map(|_| Story::default()).collect();
    let windows = || incidents.iter().map(|incident| incident.finding.window);
    let (Some(first), Some(last)) = (windows().map(|w| w.since).min(), windows().map(|w| w.until).max()) else {
        return Ok(stories);
    };
    let mut of_person: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for (index, incident) in incidents.iter().enumerate() {
        of_person.entry(incident.finding.person.id).or_default().push(index);
    }
    let mut events = std::pin::pin!(job.archive.events(Window::new(first - HISTORY, last)));
    while let Some(event) = events.try_next().await? {
        for &index in of_person.get(&event.actor).into_iter().flatten() {
            let window = incidents[index].finding.window;
            if window.contains(event.at) {
                stories[index].learn(&event);
            } else if before(window).contains(event.at) {
                stories[index].habits.learn(&event, zone);
            }
        }
    }
    Ok(stories)
}

/// What the present names of some of the documents of an incident say.
pub(crate) struct NameSigns {
    pub(crate) signs: Vec<Corroboration>,
    /// What is not known of them, in words.
    pub(crate) unknown: Option<String>,
    /// There may be a sign that nobody could look up.
    pub(crate) may_be_more: bool,
}

/// Looks up present names.
pub(crate) async fn names(
    job: &Job,
    incident: Window,
    story: &Story,
    names: &Names,
    look_ups: &mut LookUps,
) -> anyhow::Result<NameSigns> {
    let files: Vec<&String> = story.files.iter().take(NAMES_LOOKED_UP).collect();
    let gone_before = look_ups.gone();
    let mut titles = Vec::new();
    for file in &files {
        if !look_ups.may_ask() {
            break;
        }
        let file = look_ups.take_answer(job.client.file(&EntryId::from(file.as_str())).await);
        titles.extend(file.map(|file| file.title));
    }
    let mut signs = signs_of_names(&titles, names);
    if let Some((extension, _)) = new_extension(&titles, names)
        && is_used_here(job, before(incident), &extension).await?
    {
        signs.retain(|sign| sign.kind != Sign::NewExtension);
    }
    let gone = (look_ups.gone() - gone_before) as usize;
    let failed = files.len() - titles.len() - gone;
    let ordinary = titles.iter().filter(|title| names.is_ordinary(&extension(title.raw()))).count();
    // with more ordinary names than this the others cannot make one extension the commonest
    let is_open = ordinary * 5 <= files.len() && (failed > 0 || gone >= LEAST_NAMES);
    let may_be_more = signs.is_empty() && is_open;
    let unknown = (may_be_more || failed > 0).then(|| unknown_names(titles.len(), gone, failed));
    Ok(NameSigns { signs, unknown, may_be_more })
}

fn unknown_names(told: usize, gone: usize, failed: usize) -> String {
    let asked = plural((told + gone + failed) as u64, "document");
    let why = match (gone, failed) {
        (gone, 0) => format!("{gone} no longer there"),
        (0, failed) => format!("{failed} not told by the portal"),
        (gone, failed) => format!("{gone} no longer there and {failed} not told by the portal"),
    };
    format!("whether the documents have names that ransomware gives is not known: of {asked} looked up, {why}")
}

fn signs_of_names(titles: &[PortalText], names: &Names) -> Vec<Corroboration> {
    let mut signs = Vec::new();
    if let Some(known) = names.ransomware(titles) {
        let shown = PortalText::new(known).for_terminal();
        let evidence = format!("`{shown}` is a name that ransomware leaves behind");
        signs.push(Corroboration { kind: Sign::Ransomware, evidence });
    }
    if let Some((extension, count)) = new_extension(titles, names) {
        let shown = PortalText::new(extension).for_terminal();
        let evidence = format!("{count} of {} documents looked at end in `.{shown}` now", titles.len());
        signs.push(Corroboration { kind: Sign::NewExtension, evidence });
    }
    signs
}

/// The extension of nearly all titles, and of how many, where no ordinary program makes it.
fn new_extension(titles: &[PortalText], names: &Names) -> Option<(String, usize)> {
    let mut extensions: BTreeMap<String, usize> = BTreeMap::new();
    for title in titles {
        *extensions.entry(extension(title.raw())).or_default() += 1;
    }
    let commonest = extensions.into_iter().max_by_key(|(_, count)| *count)?;
    let is_new = titles.len() >= LEAST_NAMES && !names.is_ordinary(&commonest.0) && commonest.1 * 5 >= titles.len() * 4;
    is_new.then_some(commonest)
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
    let mut events = std::pin::pin!(job.archive.events(time));
    while let Some(event) = events.try_next().await? {
        if Kind::of(event.action).is_some() && event.text.as_ref().is_some_and(names_it) {
            documents.extend(event.target.into_iter().next());
        }
        if documents.len() >= LEAST_IN_USE {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the countries of people's sign-ins say.
#[derive(Default)]
pub(crate) struct CountrySigns {
    pub(crate) signs: BTreeMap<Uuid, Corroboration>,
    /// Of whom nobody can tell whether a country is new, and why, in words.
    pub(crate) unknown: BTreeMap<Uuid, String>,
}

/// Sign-ins, in an incident or the day before it, from countries that the person had not signed in from in the month before. What is
/// missing of the login history is a gap.
pub(crate) async fn countries(job: &Job, findings: &[&Finding], look: &mut Look) -> anyhow::Result<CountrySigns> {
    let mut told = CountrySigns::default();
    let Some(first) = findings.iter().map(|finding| before(finding.window).until).min() else { return Ok(told) };
    // who steals a session looks around first
    let history = History::read(Window::new(first, job.window.until), LOGIN_HISTORY, look).await?;
    for finding in findings {
        let (id, own) = (finding.person.id, finding.window);
        let habits_end = before(own).until;
        let now = job.archive.successful_logins_of(id, Window::new(habits_end, own.until)).await?;
        let mut now = now.iter().filter_map(|login| login.country.as_ref());
        let Some(since) = history.since() else {
            told.unknown.extend(now.next().map(|_| (id, unknown_countries(&history))));
            continue;
        };
        let usual = job.archive.successful_logins_of(id, Window::new(since, habits_end)).await?;
        let usual: Countries = usual.iter().map(|login| login.country.as_ref()).collect();
        if let Some(country) = now.find_map(|country| usual.new_one(Some(country))) {
            let shown = country.for_terminal();
            let evidence = format!("signed in from {shown}, as the portal notes it, and not in the month before");
            told.signs.insert(id, Corroboration { kind: Sign::NewCountry, evidence });
        }
    }
    Ok(told)
}

fn unknown_countries(history: &History) -> String {
    let unknown = "whether the country of the sign-in is new is not known";
    if let Some(unseen) = history.unseen() {
        return format!("{unknown}, because earlier ones could not be read: {}", unseen.explanation());
    }
    let days = plural(history.length().num_days().unsigned_abs(), "day");
    let least = LOGIN_HISTORY.least.num_days();
    format!("{unknown}: {days} of logins remembered of the month before, fewer than {least}")
}

/// The portal writes an empty text for what it does not know.
fn said(text: Option<&PortalText>) -> Option<&str> {
    text.map(PortalText::raw).filter(|text| !text.is_empty())
}

/// An address that can be compared: the portal cuts IPv6 addresses at the first colon.
fn address(event: &AuditEvent) -> Option<String> {
    said(event.ip.as_ref()).filter(|ip| ip.contains('.')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use audit_model::testing;

    use super::*;

    fn event(at: &str, action: i32, context: &str, ip: &str) -> AuditEvent {
        let event = testing::event(action, "900", at.parse().unwrap());
        AuditEvent { ip: Some(ip.into()), context: Some(context.into()), ..event }
    }

    fn signs(story: &Story) -> Vec<Sign> {
        story.signs("2026-11-20T02:30:00Z".parse().unwrap(), Tz::UTC).into_iter().map(|sign| sign.kind).collect()
    }

    /// Twelve days in the office, from one address.
    fn usual() -> Habits {
        let mut habits = Habits::default();
        for day in 1..13 {
            for hour in [9, 11, 14, 17] {
                habits.learn(&event(&format!("2026-11-{day:02}T{hour:02}:20:00Z"), 5034, "", "192.0.2.7"), Tz::UTC);
            }
        }
        habits
    }

    #[test]
    fn night_and_a_new_address_are_unusual_only_where_the_usual_is_known() {
        let mut story = Story::default();
        story.learn(&event("2026-11-20T02:30:00Z", 5017, "Rooms: Falcon", "203.0.113.66"));
        assert_eq!(signs(&story), []);
        story.habits = usual();
        assert_eq!(signs(&story), [Sign::OffHours, Sign::NewAddress]);
        story.habits.learn(&event("2026-11-13T03:10:00Z", 5034, "", "203.0.113.66"), Tz::UTC);
        assert_eq!(signs(&story), []);
    }

    /// The portal cuts IPv6 addresses at the first colon, so that they say nothing.
    #[test]
    fn half_an_address_is_not_a_new_one() {
        let mut story = Story { habits: usual(), ..Story::default() };
        story.learn(&event("2026-11-20T11:30:00Z", 5017, "Rooms: Falcon", "2001"));
        assert_eq!(signs(&story), [Sign::OffHours]);
    }

    #[test]
    fn three_rooms_at_a_time_are_many() {
        let mut story = Story::default();
        for room in ["Rooms: A", "Rooms: B", "My documents"] {
            story.learn(&event("2026-11-20T02:30:00Z", 5017, room, ""));
        }
        assert_eq!(signs(&story), []);
        story.learn(&event("2026-11-20T02:30:00Z", 5017, "Rooms: C", ""));
        assert_eq!(signs(&story), [Sign::SeveralRooms]);
    }

    #[test]
    fn one_extension_that_no_program_makes_is_a_sign() {
        let names = Names::built_in();
        let titles = |extension: &str, count: usize| -> Vec<PortalText> {
            (0..count).map(|n| PortalText::new(format!("paper {n}.docx{extension}"))).collect()
        };
        let found = |titles: &[PortalText]| -> Vec<Sign> {
            signs_of_names(titles, &names).into_iter().map(|sign| sign.kind).collect()
        };
        assert_eq!(found(&titles("", 20)), []);
        assert_eq!(found(&titles(".xq7", 20)), [Sign::NewExtension]);
        assert_eq!(found(&titles(".xq7", 4)), []);
        assert_eq!(found(&titles(".lockbit", 3)), [Sign::Ransomware]);
        assert_eq!(found(&titles(".locked", 2)), []);
        let mixed: Vec<PortalText> = titles(".xq7", 3).into_iter().chain(titles("", 2)).collect();
        assert_eq!(found(&mixed), []);
        assert_eq!(found(&["HOW_TO_DECRYPT.txt".into()]), [Sign::Ransomware]);
    }
}
