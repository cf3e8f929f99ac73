//! What else points to an attack, or to none: the names that documents have now, the rooms, the hour, the addresses.

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::{list_of, plural};
use attribution::{Countries, FACTS_KEPT, History, Reach};
use audit_model::{AuditEvent, Finding, PortalText, Window};
use chrono::{DateTime, NaiveDate, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use event_archive::{Look, LookUps};
use futures::TryStreamExt;
use job_runner::Job;
use uuid::Uuid;

use crate::assessment::{Corroboration, Sign};
use crate::extent::Extent;
use crate::kind::Kind;
use crate::names::{Names, extension};
use crate::rule::{Incident, Who, place};

/// How far before an incident somebody's habits are looked at.
const HISTORY: TimeDelta = TimeDelta::days(30);

/// How far before it logins are read, to tell which countries are new.
const LOGIN_HISTORY: Reach = Reach { wanted: HISTORY, least: TimeDelta::days(15) };

/// So long before an incident habits end: an attack that begins slowly must not become the habit that it is measured by.
const NOT_YET_HABIT: TimeDelta = TimeDelta::days(1);

/// With fewer days of work than this nearly everything would be unusual.
const LEAST_DAYS: usize = 10;

/// Documents whose present names are looked up, one request each, where rows do not tell them.
const NAMES_LOOKED_UP: usize = 20;

/// With fewer names than this nothing is said of them.
const LEAST_NAMES: usize = 5;

/// So many documents with one extension that no program makes are told beside as many others.
const MANY_NAMES: usize = 20;

/// So many documents that went into the trash and are gone from there, too, are more than a mistake put right.
const LEAST_GONE: u64 = 5;

/// So many documents of an extension in the month before make it an ordinary one.
const LEAST_IN_USE: usize = 3;

/// Addresses and programs that a sentence names.
const SHOWN: usize = 3;

/// People work in a room or two at a time.
const MANY_ROOMS: usize = 3;

/// From where somebody did what they did in an incident, and what is usual for them.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) addresses: BTreeSet<String>,
    /// Browsers and other programs, with the system that they ran on.
    pub(crate) programs: BTreeSet<String>,
    pub(crate) habits: Habits,
}

/// What somebody did in the time before.
#[derive(Default)]
pub(crate) struct Habits {
    days: BTreeSet<NaiveDate>,
    hours: BTreeSet<u32>,
    addresses: BTreeSet<String>,
    programs: BTreeSet<String>,
}

impl Habits {
    fn learn(&mut self, event: &AuditEvent, zone: Tz) {
        let local = event.at.with_timezone(&zone);
        self.days.insert(local.date_naive());
        self.hours.insert(local.hour());
        self.addresses.extend(address(event));
        self.programs.extend(program(event));
    }

    fn are_known(&self) -> bool {
        self.days.len() >= LEAST_DAYS
    }

    /// What could not be judged for want of memory; `None` when it could.
    pub(crate) fn unknown(&self) -> Option<String> {
        let days = plural(self.days.len() as u64, "day");
        let asked = "cannot tell whether the hour and address are usual";
        (!self.are_known()).then(|| format!("{asked}: only {days} of history ({LEAST_DAYS} needed)"))
    }
}

impl Story {
    fn learn(&mut self, event: &AuditEvent) {
        if Kind::of(event.action).is_some() {
            self.addresses.extend(address(event));
            self.programs.extend(program(event));
        }
    }

    /// `from 203.0.113.66, with python-requests 2`
    pub(crate) fn from(&self) -> Option<String> {
        let shown = |texts: &BTreeSet<String>| {
            let texts: Vec<String> =
                texts.iter().map(|text| PortalText::new(text.as_str()).for_terminal_within(80)).collect();
            list_of(&texts, SHOWN, texts.len() as u64)
        };
        let from = (!self.addresses.is_empty()).then(|| format!("from {}", shown(&self.addresses)));
        let with = (!self.programs.is_empty()).then(|| format!("with {}", shown(&self.programs)));
        let parts: Vec<String> = from.into_iter().chain(with).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What can be told without asking anybody; `rooms` is in how many of them it happened.
    pub(crate) fn signs(&self, rooms: usize, began: DateTime<Utc>, zone: Tz) -> Vec<Corroboration> {
        let mut signs = Vec::new();
        let mut add = |kind: Sign, evidence: String| signs.push(Corroboration { kind, evidence });
        if rooms >= MANY_ROOMS {
            add(Sign::SeveralRooms, format!("documents of {}", plural(rooms as u64, "room")));
        }
        if self.habits.are_known() {
            let hour = began.with_timezone(&zone).hour();
            let near = [(hour + 23) % 24, hour, (hour + 1) % 24];
            if !near.iter().any(|hour| self.habits.hours.contains(hour)) {
                let days = plural(self.habits.days.len() as u64, "day");
                add(Sign::OffHours, format!("at {hour}:00, an hour never worked at on {days} of the month before"));
            }
            let shown = |text: &String| PortalText::new(text.as_str()).for_terminal_within(80);
            if let Some(new) = new_one(&self.addresses, &self.habits.addresses) {
                let known = plural(self.habits.addresses.len() as u64, "address");
                let evidence = format!("from {}, not among the {known} of the month before", shown(new));
                add(Sign::NewAddress, evidence);
            }
            if let Some(new) = new_one(&self.programs, &self.habits.programs) {
                let known = plural(self.habits.programs.len() as u64, "program");
                let evidence = format!("with {}, not among the {known} of the month before", shown(new));
                add(Sign::NewProgram, evidence);
            }
        }
        signs
    }
}

/// Whoever wants to keep others from taking documents out of the trash again empties it; so does whoever tidies up.
pub(crate) fn gone_for_good(extent: &Extent) -> Option<Corroboration> {
    let gone = extent.gone_for_good();
    let evidence = || format!("{} of the trash were deleted there, too", plural(gone, "document"));
    (gone >= LEAST_GONE).then(|| Corroboration { kind: Sign::TrashEmptied, evidence: evidence() })
}

/// What was not there before, where anything was.
fn new_one<'n>(now: &'n BTreeSet<String>, before: &BTreeSet<String>) -> Option<&'n String> {
    now.iter().find(|text| !before.contains(*text)).filter(|_| !before.is_empty())
}

/// The time that shows what is usual.
fn before(incident: Window) -> Window {
    Window::new(incident.since - HISTORY, incident.since - NOT_YET_HABIT)
}

/// The stories of all incidents of single people, from what is remembered of those people alone.
pub(crate) async fn stories(job: &Job, incidents: &[Incident], zone: Tz) -> anyhow::Result<Vec<Story>> {
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
                let is_here =
                    matches!(who, Who::Person(_)) || matches!(who, Who::Visitors(title) if place(&event) == *title);
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

/// What the names of the documents of an incident say.
pub(crate) struct NameSigns {
    pub(crate) signs: Vec<Corroboration>,
    /// What is not known of them, in words.
    pub(crate) unknown: Option<String>,
    /// There may be a sign that nobody could look up.
    pub(crate) may_be_more: bool,
}

/// Takes the names of all documents from the rows about them. Of those that no row names, some are looked up, spread over all of them.
pub(crate) async fn names(
    job: &Job,
    incident: Window,
    extent: &Extent,
    names: &Names,
    look_ups: &mut LookUps,
) -> anyhow::Result<NameSigns> {
    let mut titles: Vec<PortalText> = extent.names.values().filter_map(|(title, _)| title.clone()).collect();
    let told = titles.len();
    let untold: Vec<_> = extent.names.iter().filter(|(_, (title, _))| title.is_none()).collect();
    let asked: Vec<_> = spread(&untold, NAMES_LOOKED_UP).collect();
    let gone_before = look_ups.gone();
    for (file, (_, at)) in asked.iter().copied() {
        if !look_ups.may_ask() {
            break;
        }
        let looked = job.archive.title_of_file(&job.client, file, (job.now - *at).min(FACTS_KEPT), job.now).await?;
        titles.extend(look_ups.take(looked).map(|known| known.value));
    }
    let mut signs = signs_of_names(&titles, names);
    if let Some((extension, _)) = new_extension(&titles, names)
        && is_used_here(job, before(incident), &extension).await?
    {
        signs.retain(|sign| sign.kind != Sign::NewExtension);
    }
    let seen = titles.len() - told;
    let gone = ((look_ups.gone() - gone_before) as usize).min(asked.len() - seen);
    let failed = asked.len() - seen - gone;
    let ordinary = titles.iter().filter(|title| names.is_ordinary(&extension(title.raw()))).count();
    // with more ordinary names than this the others cannot make one extension the commonest
    let is_open = ordinary * 5 <= told + asked.len() && (failed > 0 || gone >= LEAST_NAMES);
    let may_be_more = signs.is_empty() && is_open;
    let unknown = (may_be_more || failed > 0).then(|| unknown_names(seen, gone, failed));
    Ok(NameSigns { signs, unknown, may_be_more })
}

/// At most so many of them, evenly from the first to the last.
fn spread<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = all.len().min(most);
    (0..count).map(move |n| &all[n * all.len() / count.max(1)])
}

fn unknown_names(told: usize, gone: usize, failed: usize) -> String {
    let asked = plural((told + gone + failed) as u64, "document");
    let why = match (gone, failed) {
        (gone, 0) => format!("{gone} no longer there"),
        (0, failed) => format!("{failed} not told by the portal"),
        (gone, failed) => format!("{gone} no longer there and {failed} not told by the portal"),
    };
    format!("could not check for ransomware file names: of {asked} looked up, {why}")
}

fn signs_of_names(titles: &[PortalText], names: &Names) -> Vec<Corroboration> {
    let mut signs = Vec::new();
    if let Some(known) = names.ransomware(titles) {
        let shown = PortalText::new(known).for_terminal_within(120);
        let evidence = format!("`{shown}` is a name that ransomware leaves behind");
        signs.push(Corroboration { kind: Sign::Ransomware, evidence });
    }
    if let Some((extension, count)) = new_extension(titles, names) {
        let shown = PortalText::new(extension).for_terminal_within(80);
        let evidence = format!("{count} of {} new names end in `.{shown}` now", titles.len());
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
    let is_most = commonest.1 * 5 >= titles.len() * 4 || commonest.1 >= MANY_NAMES && commonest.1 * 2 >= titles.len();
    let is_new = titles.len() >= LEAST_NAMES && !names.is_ordinary(&commonest.0) && is_most;
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
    /// Of whom the portal did not tell it, though it could: there may be a sign.
    pub(crate) failed: BTreeSet<Uuid>,
}

/// Sign-ins, in an incident or the day before it, from countries that the person had not signed in from in the month before. What is
/// missing of the login history is a gap.
pub(crate) async fn countries(job: &Job, findings: &[&Finding], look: &mut Look) -> anyhow::Result<CountrySigns> {
    let mut told = CountrySigns::default();
    let Some(first) = findings.iter().map(|finding| before(finding.window).until).min() else { return Ok(told) };
    // who steals a session looks around first
    let history = History::read(Window::new(first, job.window.until), LOGIN_HISTORY, look).await?;
    let is_blind = look.coverage().lacks(audit_model::Source::Logins);
    for finding in findings {
        let (id, own) = (finding.person.id, finding.window);
        told.failed.extend(is_blind.then_some(id));
        let habits_end = before(own).until;
        let now = job.archive.successful_logins_of(id, Window::new(habits_end, own.until)).await?;
        let mut now = now.iter().filter_map(|login| login.country.as_ref());
        let Some(since) = history.since() else {
            if now.next().is_some() {
                told.unknown.insert(id, unknown_countries(&history));
                told.failed.extend(history.unseen().map(|_| id));
            }
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
    let unknown = "cannot tell whether the country of the sign-in is new";
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

/// What sent the request, as the portal notes it.
fn program(event: &AuditEvent) -> Option<String> {
    let details = event.details.as_ref()?;
    let browser = said(details.browser.as_ref())?;
    Some(said(details.platform.as_ref()).map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}")))
}

/// An address that can be compared: the portal cuts IPv6 addresses at the first colon.
fn address(event: &AuditEvent) -> Option<String> {
    said(event.ip.as_ref()).filter(|ip| ip.contains('.')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use audit_model::{EventDetails, testing};

    use super::*;

    fn event(at: &str, action: i32, context: &str, ip: &str) -> AuditEvent {
        let event = testing::event(action, "900", at.parse().unwrap());
        AuditEvent { ip: Some(ip.into()), context: Some(context.into()), ..event }
    }

    fn signs(story: &Story) -> Vec<Sign> {
        story.signs(1, "2026-11-20T02:30:00Z".parse().unwrap(), Tz::UTC).into_iter().map(|sign| sign.kind).collect()
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
        let signs = |rooms| Story::default().signs(rooms, "2026-11-20T02:30:00Z".parse().unwrap(), Tz::UTC).len();
        assert_eq!([signs(2), signs(3)], [0, 1]);
    }

    #[test]
    fn a_program_never_used_is_a_sign() {
        let with = |browser: &str, at: &str| {
            let details = EventDetails { browser: Some(browser.into()), ..EventDetails::default() };
            AuditEvent { details: Some(Box::new(details)), ..event(at, 5034, "", "192.0.2.7") }
        };
        let mut story = Story { habits: usual(), ..Story::default() };
        story.learn(&with("python-requests 2", "2026-11-20T11:30:00Z"));
        assert_eq!(signs(&story), [Sign::OffHours], "which programs are usual is not known");
        story.habits.learn(&with("Chrome 131", "2026-11-12T09:20:00Z"), Tz::UTC);
        assert_eq!(signs(&story), [Sign::OffHours, Sign::NewProgram]);
        assert_eq!(story.from().unwrap(), "from 192.0.2.7, with python-requests 2");
    }

    #[test]
    fn names_are_looked_up_from_the_first_to_the_last() {
        let all: Vec<usize> = (0..99).collect();
        let asked: Vec<usize> = spread(&all, 20).copied().collect();
        assert_eq!((asked.len(), asked[0], asked[10], asked[19]), (20, 0, 49, 94));
        assert_eq!(spread(&all[..3], 20).count(), 3);
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
        // innocent names first, or in between, hide nothing
        let mixed: Vec<PortalText> = titles("", 20).into_iter().chain(titles(".xq7", 30)).collect();
        assert_eq!(found(&mixed), [Sign::NewExtension]);
        assert_eq!(found(&["HOW_TO_DECRYPT.txt".into()]), [Sign::Ransomware]);
    }
}
