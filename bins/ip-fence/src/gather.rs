//! What the program asks: who came from where, what the portal's own list says, and who the people of the policy are.

use std::collections::BTreeSet;

use ::report::words::Clock;
use audit_model::{BlindSpot, GapReason, PersonStatus, PortalText, Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, Directory};
use event_archive::{Archive, Fact, KnownList, Look, Unjudged};
use futures::{Stream, TryStreamExt};
use job_runner::names::{accounts, restriction};
use job_runner::{Job, Refusal};
use tracing::debug;
use uuid::Uuid;

use crate::apply::own_writes::{own_events, own_writes};
use crate::config::{Config, Limits};
use crate::policy::{Policy, directory};
use crate::rule::Seen;
use crate::rule::bursts::SLOWLY;
use crate::rule::found::{INSTANT, Rows};
use crate::rule::own_list;
use crate::rule::sighting::Sighting;
use crate::rule::stays::Stays;
use crate::rule::then::{Memory, Trail, is_change};
use crate::shadow;

/// How far back countries are a habit.
const COUNTRY_MEMORY: TimeDelta = TimeDelta::days(90);

/// How far back failed logins are usual, and how much of that is needed to say so.
const USUAL: TimeDelta = TimeDelta::days(28);
const LEAST_DAYS: u64 = 7;

/// A window that ends so short a time ago ends today.
const JUST_NOW: TimeDelta = TimeDelta::minutes(2);

/// The portal tells its time in whole seconds.
const CLOCK_STEP: TimeDelta = TimeDelta::seconds(1);

/// The owner and the DocSpace admins, as they are remembered.
const ADMINS: &str = "admins";

/// The accounts that are disabled, as they are remembered.
const DISABLED: &str = "disabled";

/// What was read.
pub(crate) struct Facts {
    pub(crate) window: Window,
    /// The portal's own list; `None` when it was not read.
    pub(crate) address_list: Option<AddressList>,
    /// `None` when the portal did not tell who its people are: then everybody would be accused, or nobody.
    pub(crate) seen: Option<Seen>,
    /// What the reader must know besides.
    pub(crate) notes: Vec<String>,
}

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    let path = config.policy.as_ref().map(|path| path.as_path());
    let file = directory::read_policy(path)?;
    // first, because it tells whether there must be logins
    let audit = look.audit().await?;
    let logins = look.logins().await?;
    let address_list = look.answered("restrictions", job.client.address_list().await);
    let mut facts = Facts { window: job.window, address_list, seen: None, notes: Vec::new() };
    if facts.address_list.as_ref().is_some_and(|list| list.enabled) {
        look.blind(BlindSpot::BlockedLogins);
        facts.notes.push("the portal's own address list is switched on: logins that it refuses leave no trace, so nobody can see them here".to_owned());
    }
    let names = job.archive.names().await?;
    let asked = job.present();
    let people = directory::read(&job.client, file.as_ref(), &names).await;
    let Some(directory) = look.answered(Source::People.name(), people) else {
        facts.notes.push("nobody was judged: the portal did not tell who its people are".to_owned());
        return Ok(facts);
    };
    let has_memory = !matches!(job.store, Err(Refusal::NoMemory));
    let known = has_memory.then_some(&names);
    let policy = directory::resolve(file, path, &directory, known, (config, job.now))?;
    // a run without a policy says nothing of the names of those that others have
    if path.is_some() {
        job.archive.keep_names(&policy.names, job.now).await?;
    }
    let memory = remember(&job.archive, &policy, &directory, Window::new(asked, job.present())).await?;
    facts.notes.extend(policy.notes());
    let only = accounts("people", &config.people, &directory)?;
    let only = (!config.people.is_empty()).then_some(only);
    facts.notes.extend(restriction(&config.people));
    if !has_memory {
        facts.notes.push("this run has no memory, so nobody can see in it whether the portal's own list was changed since the last one".to_owned());
    }
    let list = match &facts.address_list {
        // whoever tells of some people only must not take the list for told
        _ if only.is_some() => None,
        Some(list) => compared(job, list).await?,
        None => job.archive.address_list().await?,
    };
    // a write that was not read may have switched the list off
    let list_is_whole = facts.address_list.is_some() && !look.coverage().lacks(Source::Audit);
    let own = match &job.store {
        Ok(store) => own_events(store).await?,
        Err(_) => BTreeSet::new(),
    };
    let mut read = read(&job.archive, (&audit, &logins), &own).await?;
    up_to_today(job, look, &mut read, (&policy, &directory)).await?;
    let before = Window::new(read.window.since - COUNTRY_MEMORY, read.window.since);
    let (own_writes, own_written) = match &job.store {
        Ok(store) => own_writes(store, &job.client, &read.writes).await?,
        Err(_) => (BTreeSet::new(), Vec::new()),
    };
    facts.seen = Some(Seen {
        clock: Clock(job.portal.time_zone),
        service_accounts: job.service_accounts.clone(),
        is_public: config.portal.is_public(&job.portal_url),
        countries: job.archive.login_countries(before).await?,
        usual: usual_failures(&job.archive, read.window.since, &read.logins, &config.limits).await?,
        unjudged: logins,
        policy,
        directory,
        only,
        memory,
        window: read.window,
        trail: read.trail,
        logins: read.logins,
        stays: read.stays,
        writes: read.writes,
        own_writes,
        own_written,
        break_glass: config.portal.break_glass,
        last_write: read.last_write,
        list,
        list_is_whole,
    });
    if let (Some(path), Some(seen), true) = (&config.shadow, &facts.seen, has_memory)
        && seen.only.is_none()
    {
        facts.notes.extend(shadow::watch(path.as_path(), job, look, seen).await?);
    }
    Ok(facts)
}

/// The list with what was remembered of it. From then on it is what is remembered, so only a run that tells of it may ask.
async fn compared(job: &Job, list: &AddressList) -> anyhow::Result<Option<Fact<KnownList>>> {
    job.archive.keep_address_list(list, job.now).await?;
    Ok(job.archive.address_list().await?)
}

/// What earlier runs saw of groups and admins; what this one has seen, at the time of `look`, is remembered for the next.
async fn remember(
    archive: &Archive,
    policy: &Policy,
    directory: &Directory,
    look: Window,
) -> Result<Memory, event_archive::Error> {
    let mut memory = Memory::default();
    for group in policy.names.groups.values().filter(|group| directory.members.contains_key(group)) {
        let members: BTreeSet<Uuid> = directory.members[group].iter().copied().collect();
        archive.saw_members(&group.to_string(), &members, look).await?;
    }
    for group in policy.names.groups.values() {
        memory.members.insert(*group, archive.members_seen(&group.to_string()).await?);
    }
    let admins = directory.people.keys().copied().filter(|person| directory.is_admin(*person)).collect();
    archive.saw_members(ADMINS, &admins, look).await?;
    memory.admins = archive.members_seen(ADMINS).await?;
    let disabled = directory.people.keys().copied().filter(|person| is_disabled(directory, *person)).collect();
    archive.saw_members(DISABLED, &disabled, look).await?;
    memory.disabled = archive.members_seen(DISABLED).await?;
    Ok(memory)
}

fn is_disabled(directory: &Directory, person: Uuid) -> bool {
    directory.people.get(&person).is_some_and(|account| account.person.status == Some(PersonStatus::Disabled))
}

/// What was read of both histories.
struct Read {
    window: Window,
    /// By time; who guesses slowly is seen only together with the day before what came late.
    logins: Vec<Sighting>,
    stays: Vec<Rows>,
    trail: Trail,
    writes: Vec<Sighting>,
    last_write: Option<DateTime<Utc>>,
}

async fn read(
    archive: &Archive,
    (audit, logins): (&Unjudged, &Unjudged),
    own_writes: &BTreeSet<i64>,
) -> Result<Read, event_archive::Error> {
    let (slow, own) = (logins.window(SLOWLY), audit.window(TimeDelta::zero()));
    let window = Window::new(slow.since.min(own.since), slow.until);
    let logins = archive.logins(window).await?.into_iter().map(Sighting::from).collect();
    let unread = archive.unread_audit(window).await?;
    let (mut stays, mut writes, mut last_write) = (Stays::new(&unread), Vec::new(), None);
    let mut trail = Trail { since: window.since, changes: Vec::new(), unread };
    let mut acts = std::pin::pin!(acts(archive, window));
    while let Some(act) = acts.try_next().await? {
        if is_change(&act) {
            trail.changes.push(act.clone());
        }
        if own_list::is_write(&act) {
            last_write = Some(act.at);
            let is_concerned = audit.concerns(&Window::new(act.at, act.at + INSTANT));
            writes.extend(is_concerned.then(|| act.clone()));
        }
        stays.pass(&act);
        // where this program runs is no place from which the owner of its key came
        if audit.holds(act.at) && !own_writes.contains(&act.id) {
            stays.push(&act);
        }
    }
    Ok(Read { window, logins, stays: stays.finish(), trail, writes, last_write })
}

/// People are read as they are by then, after the trail. What has changed since the rows that are judged is in the audit trail up to
/// that moment, if it reaches so far.
async fn up_to_today(job: &Job, look: &mut Look, read: &mut Read, people: (&Policy, &Directory)) -> anyhow::Result<()> {
    let present = job.present();
    let today = job.client.portal_clock().map_or(present, |clock| present.min(clock)) + CLOCK_STEP;
    let since = Window::new(read.window.until, today.max(read.window.until));
    let goes_by_today = read.goes_by_today(people);
    if since.length() <= JUST_NOW && !goes_by_today {
        return Ok(());
    }
    if goes_by_today && !job.archive.unread_audit(since).await?.is_empty() {
        let refreshed = job.archive.refresh_audit(&job.client, since, job.now).await?;
        // without it nobody knows whom the policy named then, and whose account was disabled
        let why = refreshed.gaps.first().map_or(GapReason::PortalError, |gap| gap.why);
        let unread = job.archive.unread_audit(since).await?;
        unread.iter().for_each(|span| look.gap(Source::Audit.name(), *span, why));
        if !unread.is_empty() {
            look.gap(Source::People.name(), job.window, why);
        }
        if let Some(error) = refreshed.error {
            debug!("what was changed since the window is not known: {:#}", anyhow::Error::new(error));
        }
    }
    // what was stored late stands before the end of the window
    let all = Window::new(read.window.since, since.until);
    read.trail.changes.clear();
    let mut later = std::pin::pin!(acts(&job.archive, all));
    while let Some(act) = later.try_next().await? {
        read.trail.changes.extend(is_change(&act).then_some(act));
    }
    read.trail.unread.extend(job.archive.unread_audit(since).await?);
    Ok(())
}

impl Read {
    /// Whether somebody has come of whom it matters what was changed since.
    fn goes_by_today(&self, (policy, directory): (&Policy, &Directory)) -> bool {
        let logins = self.logins.iter().filter(|login| login.action.is_successful_login());
        let stays = self.stays.iter().filter_map(Rows::first);
        let mut came = logins.chain(stays).map(|row| row.user);
        came.any(|person| policy.goes_by_groups() || is_disabled(directory, person))
    }
}

/// How many different addresses were typed in vain on a usual day before; asked only when there are many now. `None` when less than a
/// week is known.
async fn usual_failures(
    archive: &Archive,
    before: DateTime<Utc>,
    logins: &[Sighting],
    limits: &Limits,
) -> anyhow::Result<Option<u64>> {
    let failed = logins.iter().filter(|row| row.action.is_failed_login());
    let typed: BTreeSet<&PortalText> = failed.filter_map(|row| row.login.as_ref()).collect();
    if (typed.len() as u64) < limits.spread_people_per_day {
        return Ok(None);
    }
    let Some(known) = archive.logins_known_since(before).await? else { return Ok(None) };
    let since = known.max(before - USUAL);
    let days = u64::try_from((before - since).num_days()).unwrap_or_default();
    if days < LEAST_DAYS {
        return Ok(None);
    }
    let failing: u64 = archive.failing_by_day(Window::new(since, before)).await?.iter().sum();
    Ok(Some(failing.div_ceil(days)))
}

fn acts(archive: &Archive, window: Window) -> impl Stream<Item = Result<Sighting, event_archive::Error>> + '_ {
    archive.events(window).map_ok(Sighting::from)
}
