//! What the program asks: who came from where, what the portal's own list says, and who the people of the policy are.

use std::collections::BTreeSet;
use std::path::Path;

use audit_model::{BlindSpot, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, Directory};
use event_archive::{Archive, Fact, KnownList, KnownNames, Look, Unjudged};
use futures::{Stream, TryStreamExt};
use job_runner::names::{NamedList, unknown};
use job_runner::{Job, Refusal};
use tracing::debug;
use uuid::Uuid;

use crate::bursts::{Bursts, SLOWLY};
use crate::config::{Config, Limits, OwnPortal};
use crate::directory;
use crate::drift;
use crate::found::{Found, INSTANT};
use crate::habits::Habits;
use crate::policy::{Policy, PolicyFacts, PolicyFile, Unnamed};
use crate::rule::{Detector, Rulebook};
use crate::sighting::{Sighting, Source};

/// How far back countries are a habit.
const COUNTRY_MEMORY: TimeDelta = TimeDelta::days(90);

/// How far back failed logins are usual, and how much of that is needed to say so.
const USUAL: TimeDelta = TimeDelta::days(28);
const LEAST_DAYS: u64 = 7;

/// A window that ends so short a time ago ends today.
const JUST_NOW: TimeDelta = TimeDelta::minutes(2);

/// What was read, as far as the report goes by it.
pub(crate) struct Facts {
    pub(crate) window: Window,
    pub(crate) found: Vec<Found>,
    /// `None` when nobody could be judged.
    pub(crate) policy: Option<PolicyFacts>,
    /// The portal's own list; `None` when it was not read.
    pub(crate) address_list: Option<AddressList>,
    /// What the reader must know besides.
    pub(crate) notes: Vec<String>,
}

pub(crate) async fn gather(config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Facts> {
    let path = config.policy.as_ref().map(|path| path.as_path());
    let file = directory::read_policy(path)?;
    let unjudged = SightingsToJudge::refresh(look).await?;
    let address_list = look.answered("restrictions", job.client.address_list().await);
    let mut facts = Facts { window: job.window, found: Vec::new(), policy: None, address_list, notes: Vec::new() };
    if facts.address_list.as_ref().is_some_and(|list| list.enabled) {
        look.blind(BlindSpot::BlockedLogins);
        facts.notes.push("the portal's own address list is switched on: logins that it refuses leave no trace, so nobody can see them here".to_owned());
    }
    let names = job.archive.names().await?;
    let people = directory::read(&job.client, file.as_ref(), &names).await;
    let Some(directory) = look.answered(audit_model::Source::People.name(), people) else {
        // without knowing who is who, everybody would be accused or nobody
        facts.notes.push("nobody was judged: the portal did not tell who its people are".to_owned());
        return Ok(facts);
    };
    let has_memory = !matches!(job.store, Err(Refusal::NoMemory));
    let policy = resolve(file, path, &directory, has_memory.then_some(&names), (config, job.now))?;
    // a run without a policy says nothing of the names of the one that others have
    if path.is_some() {
        job.archive.keep_names(&policy.names, job.now).await?;
    }
    facts.notes.extend(about(&policy));
    let chosen = chosen(&config.people, &directory)?;
    facts.notes.extend(chosen.as_ref().map(|_| only(&config.people)));
    if !has_memory {
        facts.notes.push("this run has no memory, so nobody can see in it whether the portal's own list was changed since the last one".to_owned());
    }
    let known = match &facts.address_list {
        // whoever tells of some people only must not take the list for told
        _ if chosen.is_some() => None,
        Some(list) => compared(job, list).await?,
        None => job.archive.address_list().await?,
    };
    let book = Rulebook {
        policy: &policy,
        directory: &directory,
        service_accounts: &job.service_accounts,
        is_public: is_public(&config.portal, &job.portal_url),
        only: chosen.as_ref(),
    };
    // a write that was not read may have switched the list off
    let is_whole = facts.address_list.is_some() && !look.coverage().lacks(audit_model::Source::Audit);
    let (found, notes) = judge(config, job, book, &unjudged, (known.as_ref(), is_whole)).await?;
    facts.found = found;
    facts.notes.extend(notes);
    facts.policy = Some(PolicyFacts {
        rules: policy.live_rules().count(),
        expired: policy.expired_rules().map(|rule| rule.label.clone()).collect(),
        people: policy.people(),
    });
    Ok(facts)
}

/// The people to whom the settings restrict a run; `None` for everybody.
fn chosen(people: &[String], directory: &Directory) -> Result<Option<BTreeSet<Uuid>>, job_runner::Error> {
    let unknown = unknown(&[NamedList::people("people", people)], directory);
    if !unknown.is_empty() {
        return Err(job_runner::Error::unknown(&unknown));
    }
    let ids = people.iter().filter_map(|entry| directory.person(entry)).map(|account| account.person.id);
    Ok((!people.is_empty()).then(|| ids.collect()))
}

fn only(people: &[String]) -> String {
    let names: Vec<String> = people.iter().map(|entry| PortalText::new(entry.trim()).for_terminal()).collect();
    format!("only findings about {} are reported; this says nothing of anybody else", names.join(", "))
}

/// What has to be judged of both sources.
struct SightingsToJudge {
    audit: Unjudged,
    logins: Unjudged,
}

impl SightingsToJudge {
    /// Brings logins and audit trail up to date.
    async fn refresh(look: &mut Look) -> anyhow::Result<Self> {
        // first, because it tells whether there must be logins
        let audit = look.audit().await?;
        Ok(SightingsToJudge { audit, logins: look.logins().await? })
    }

    /// What has to be read: who guesses slowly is seen only together with the day before what came late.
    fn window(&self) -> Window {
        let (logins, audit) = (self.logins.window(SLOWLY), self.audit.window(TimeDelta::zero()));
        Window::new(logins.since.min(audit.since), logins.until)
    }

    /// Whether a row is judged by itself: whatever is so until it ends goes by the window and by what came late.
    fn holds(&self, row: &Sighting) -> bool {
        match row.source {
            Source::Logins => self.logins.holds(row.at),
            Source::Audit => self.audit.holds(row.at),
        }
    }
}

/// The list with what was remembered of it. From then on it is what is remembered, so only a run that tells of it may ask.
async fn compared(job: &Job, list: &AddressList) -> anyhow::Result<Option<Fact<KnownList>>> {
    job.archive.keep_address_list(list, job.now).await?;
    Ok(job.archive.address_list().await?)
}

/// Finds the people of the policy. Without a policy nobody is named.
pub(crate) fn resolve(
    file: Option<PolicyFile>,
    path: Option<&Path>,
    directory: &Directory,
    known: Option<&KnownNames>,
    (config, now): (&Config, DateTime<Utc>),
) -> Result<Policy, job_runner::Error> {
    let file = file.unwrap_or(PolicyFile { default: Unnamed::Ignore, rules: Vec::new() });
    Policy::resolve(file, directory, known, now.date_naive(), config.ipv6_by_64)
        .map_err(|mistakes| directory::refused(path.unwrap_or(Path::new("policy")), mistakes))
}

/// What the reader must know of the policy.
pub(crate) fn about(policy: &Policy) -> Vec<String> {
    let mut notes = policy.stale.clone();
    for rule in policy.expired_rules() {
        let label = audit_model::PortalText::new(rule.label.as_str()).for_terminal();
        let owner = rule.owner.as_ref().map(|owner| audit_model::PortalText::new(owner.as_str()).for_terminal());
        let ask = owner.map(|owner| format!("; ask {owner}")).unwrap_or_default();
        let end = rule.expires.map(|end| end.to_string()).unwrap_or_default();
        notes.push(format!("rule \"{label}\" (line {}) has expired on {end} and does not count{ask}", rule.line));
    }
    if policy.rules.is_empty() {
        notes.push("no policy is set, so only failed logins, new countries, disabled accounts and addresses that were set are judged; give `--policy FILE`".to_owned());
    }
    notes
}

/// Whether people come to the portal over the internet. By default: unless it has a private address or a name that only a company's own
/// network knows.
pub(crate) fn is_public(own: &OwnPortal, portal: &url::Url) -> bool {
    own.public.unwrap_or_else(|| match portal.host() {
        Some(url::Host::Domain(name)) => {
            let is_inner =
                [".local", ".internal", ".lan", ".intranet", ".home.arpa"].iter().any(|end| name.ends_with(end));
            name.contains('.') && !is_inner
        }
        Some(url::Host::Ipv4(ip)) => {
            !matches!(audit_model::Address::from(std::net::IpAddr::V4(ip)), audit_model::Address::Private(_))
        }
        Some(url::Host::Ipv6(ip)) => {
            !matches!(audit_model::Address::from(std::net::IpAddr::V6(ip)), audit_model::Address::Private(_))
        }
        None => true,
    })
}

async fn judge(
    config: &Config,
    job: &Job,
    book: Rulebook<'_>,
    unjudged: &SightingsToJudge,
    (known, list_is_known): (Option<&Fact<KnownList>>, bool),
) -> anyhow::Result<(Vec<Found>, Vec<String>)> {
    let window = unjudged.window();
    let all: Vec<Sighting> = job.archive.logins(window).await?.into_iter().map(Sighting::from).collect();
    let (logins, judged_before): (Vec<Sighting>, Vec<Sighting>) =
        all.iter().cloned().partition(|login| unjudged.holds(login));
    let mut habits =
        Habits::new(job.archive.login_countries(Window::new(window.since - COUNTRY_MEMORY, window.since)).await?);
    judged_before.iter().for_each(|login| habits.learn(login));
    // up to its end nobody knows who was disabled when
    let unread = job.archive.unread_audit(window).await?;
    let mut detector = Detector::new(book, habits, unread.last().map(|gap| gap.until));
    let (mut changes, mut last_write) = (Vec::new(), None);
    let mut waiting = logins.iter().peekable();
    let mut acts = std::pin::pin!(acts(&job.archive, window));
    while let Some(act) = acts.try_next().await? {
        if drift::is_write(&act) {
            last_write = Some(act.at);
        }
        let is_concerned = unjudged.audit.concerns(&Window::new(act.at, act.at + INSTANT));
        if drift::is_write(&act) && is_concerned {
            changes.push(act.clone());
        }
        if !unjudged.holds(&act) {
            continue;
        }
        while let Some(login) = waiting.next_if(|login| login.order() < act.order()) {
            detector.push(login);
        }
        detector.push(&act);
    }
    waiting.for_each(|login| detector.push(login));
    up_to_today(job, window, &mut detector).await?;
    let usual = usual_failures(job, window.since, &all, &config.limits).await?;
    let mut bursts = Bursts::new(book, &config.limits, usual);
    all.iter().for_each(|login| bursts.push(login));
    let (mut found, notes) = detector.finish();
    found.extend(bursts.finish().into_iter().filter(|burst| unjudged.logins.concerns(&burst.finding.window)));
    if let Some(only) = book.only {
        found.retain(|found| only.contains(&found.finding.person.id));
        return Ok((found, notes));
    }
    found.extend(drift::told(known, &changes, &all, book.directory, window));
    if let Some(known) = known.filter(|_| list_is_known) {
        found.extend(drift::not_enforced(known, last_write, &logins, book.directory));
    }
    Ok((found, notes))
}

/// People are read as they are today. What has changed since the rows that are judged is in the audit trail up to today, if it reaches so
/// far.
async fn up_to_today(job: &Job, window: Window, detector: &mut Detector<'_>) -> anyhow::Result<()> {
    // a clock that is ahead has no today
    let today = job.client.portal_clock().map_or(job.now, |clock| clock.min(job.now));
    let since = Window::new(window.until, today.max(window.until));
    if since.length() <= JUST_NOW {
        return Ok(());
    }
    if detector.has_disabled() && !job.archive.unread_audit(since).await?.is_empty() {
        // what of it cannot be read is no gap of this window
        let refreshed = job.archive.refresh_audit(&job.client, since, job.now).await?;
        if let Some(error) = refreshed.error {
            debug!("who was disabled since the window is not known: {:#}", anyhow::Error::new(error));
        }
    }
    let mut later = std::pin::pin!(acts(&job.archive, since));
    while let Some(act) = later.try_next().await? {
        detector.changed(&act);
    }
    if !job.archive.unread_audit(since).await?.is_empty() {
        detector.trail_ends();
        detector.today_is_unknown();
    }
    Ok(())
}

/// How many different addresses were typed in vain on a usual day before; asked only when there are many now. `None` when less than a
/// week is known.
async fn usual_failures(
    job: &Job,
    before: DateTime<Utc>,
    logins: &[Sighting],
    limits: &Limits,
) -> anyhow::Result<Option<u64>> {
    let failed = logins.iter().filter(|row| row.action.is_failed_login());
    let typed: BTreeSet<&PortalText> = failed.filter_map(|row| row.login.as_ref()).collect();
    if (typed.len() as u64) < limits.spread_people_per_day {
        return Ok(None);
    }
    let Some(known) = job.archive.logins_known_since(before).await? else { return Ok(None) };
    let since = known.max(before - USUAL);
    let days = u64::try_from((before - since).num_days()).unwrap_or_default();
    if days < LEAST_DAYS {
        return Ok(None);
    }
    let failing: u64 = job.archive.failing_by_day(Window::new(since, before)).await?.iter().sum();
    Ok(Some(failing.div_ceil(days)))
}

fn acts(archive: &Archive, window: Window) -> impl Stream<Item = Result<Sighting, event_archive::Error>> + '_ {
    archive.events(window).map_ok(Sighting::from)
}
