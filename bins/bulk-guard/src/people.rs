//! Who the people of the incidents are, whom the settings protect, and what a suspension would leave.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{ActionId, Person, PersonStatus, PortalText, Window};
use chrono::{DateTime, Utc};
use docspace_client::{Account, Client, Directory};
use event_archive::Look;
use futures::TryStreamExt;
use job_runner::Job;
use job_runner::names::{NamedList, unknown};
use job_store::{Journal, JournalState, Write};
use safe_actions::{Action, ActionState, Hold, Plan, Protection};
use serde_json::json;
use tracing::warn;
use uuid::Uuid;

use crate::config::Config;

/// What a suspension does not stop: the portal goes on with these.
pub(crate) const NOT_STOPPED: [&str; 3] = [
    "documents that the person has open in the editor go on being saved",
    "external links that the person made go on working",
    "the person's API keys stop working while the account is disabled, and work again afterwards",
];

/// UsersUpdatedStatus
const STATUS_CHANGED: ActionId = ActionId(4020);

/// Name of what is planned, in the journal. This version only shows it.
const KIND: &str = "suspend_observed";

/// From so many people on the list of all is read instead of one account after the other.
const MANY_PEOPLE: usize = 10;

/// Who people are.
#[derive(Default)]
pub(crate) struct Accounts {
    people: BTreeMap<Uuid, Account>,
    robots: BTreeSet<Uuid>,
}

impl Accounts {
    /// Looks people up as they are now. Somebody who cannot be looked up is as the audit trail names them; that is a gap, because nobody can
    /// be protected by a role that is not known.
    pub(crate) async fn look_up(ids: &BTreeSet<Uuid>, job: &Job, look: &mut Look) -> anyhow::Result<Accounts> {
        let people = if ids.len() < MANY_PEOPLE {
            attribution::accounts(ids.iter().copied(), look).await?
        } else {
            let mut directory = Directory::default();
            let answer = directory.read_people(&look.client).await;
            look.answered("people", answer);
            directory.people.into_iter().filter(|(id, _)| ids.contains(id)).collect()
        };
        let is_robot = |account: &&Account| account.person.is_meant_by_one_of(&job.service_accounts);
        let robots = people.values().filter(is_robot).map(|account| account.person.id);
        let by_id = ids.iter().filter(|id| Person::named(**id, "".into()).is_meant_by_one_of(&job.service_accounts));
        let robots = robots.chain(by_id.copied()).collect();
        Ok(Accounts { people, robots })
    }

    pub(crate) fn person(&self, id: Uuid) -> Option<&Person> {
        self.people.get(&id).map(|account| &account.person)
    }

    pub(crate) fn is_robot(&self, id: Uuid) -> bool {
        self.robots.contains(&id)
    }

    /// Accounts that are a directory's.
    pub(crate) fn of_directory(&self) -> BTreeSet<Uuid> {
        self.people.iter().filter(|(_, account)| account.is_ldap).map(|(id, _)| *id).collect()
    }
}

/// Whom somebody has switched on or off since a moment.
pub(crate) async fn decided(job: &Job, since: DateTime<Utc>) -> anyhow::Result<BTreeSet<Uuid>> {
    let window = Window::new(since, job.window.until);
    let mut decided = BTreeSet::new();
    let mut events = std::pin::pin!(job.archive.events_of_actions([STATUS_CHANGED], window));
    while let Some(event) = events.try_next().await? {
        decided.extend(event.target.iter().filter_map(|id| Uuid::parse_str(id).ok()));
    }
    Ok(decided)
}

/// Whom nothing may be done to, and what else the portal's lists say.
pub(crate) struct Known {
    /// What cannot be read protects everybody.
    pub(crate) protection: Protection,
    /// People who can sign in; 0 when nobody knows.
    pub(crate) active_people: u64,
    /// Entries of the settings that mean nobody, a sentence each, by the setting.
    pub(crate) misnamed: Vec<(String, String)>,
    /// The same of entries that mean several groups of one name.
    pub(crate) ambiguous: Vec<(String, String)>,
    /// Service accounts.
    pub(crate) robots: BTreeSet<Uuid>,
}

/// Asks the portal whom nothing may be done to, as of now.
pub(crate) async fn known(config: &Config, client: &Client, robots: &[String]) -> Known {
    let mut protection = Protection { people: config.protect.people.clone(), ..Protection::default() };
    let mut active_people = 0;
    let (mut misnamed, mut ambiguous) = (Vec::new(), Vec::new());
    let mut directory = Directory::default();
    let (me, people) = futures::join!(client.identity(), directory.read_people(client));
    // whose key it is may have changed since yesterday, and so may what that account may do
    match me {
        Ok(me) => (protection.own, protection.own_is_owner) = (Some(me.person.id), me.is_owner),
        Err(error) => unread(&mut protection, "the account of the key", error),
    }
    match people {
        Ok(()) => {
            let active = directory.people.values().map(|account| &account.person);
            let active = active.filter(|person| person.status == Some(PersonStatus::Active)).map(|person| person.id);
            let active: Vec<Uuid> = active.collect();
            active_people = active.len() as u64;
            protection.active_admins = active.into_iter().filter(|id| directory.is_admin(*id)).collect();
            let lists = [NamedList::people("service_accounts", robots), config.protect.named_people()];
            misnamed.extend(unknown(&lists, &directory));
        }
        Err(error) => unread(&mut protection, "the list of people", error),
    }
    if !config.protect.groups.is_empty() {
        match directory.read_groups(client).await {
            Ok(()) => {
                misnamed.extend(unknown(&[config.protect.named_groups()], &directory));
                for name in &config.protect.groups {
                    let meant = directory.groups_meant_by(name).count();
                    if meant > 1 {
                        let name = PortalText::new(name.as_str()).for_terminal();
                        let said = format!(
                            "{meant} groups of the portal are called `{name}`; write the id of the one that is meant"
                        );
                        ambiguous.push(("protect.groups".to_owned(), said));
                    }
                    // names of groups are not unique
                    for group in directory.groups_meant_by(name) {
                        match client.group_members(group.id).await {
                            Ok(members) => {
                                let ids = members.into_iter().map(|account| account.person.id);
                                protection.groups.entry(name.clone()).or_default().extend(ids);
                            }
                            Err(error) => unread(&mut protection, name, error),
                        }
                    }
                }
            }
            Err(error) => unread(&mut protection, "the list of groups", error),
        }
    }
    // somebody was meant, and nobody knows who
    if !misnamed.is_empty() {
        let said: Vec<String> = misnamed.iter().map(ToString::to_string).collect();
        protection.unread.get_or_insert(said.join("; "));
    }
    let misnamed = misnamed.into_iter().map(|unknown| (unknown.key.clone(), unknown.to_string())).collect();
    let is_robot = |account: &&Account| account.person.is_meant_by_one_of(robots);
    let robots = directory.people.values().filter(is_robot).map(|account| account.person.id).collect();
    Known { protection, active_people, misnamed, ambiguous, robots }
}

fn unread(protection: &mut Protection, what: &str, error: docspace_client::Error) {
    protection.unread = Some(format!("{what} could not be read"));
    warn!("{:#}", anyhow::Error::new(error));
}

/// How many other people were planned, or held by the breaker, in the last 24 hours; `None` where this run may not go by that.
pub(crate) async fn load(job: &Job, candidates: &BTreeSet<Uuid>) -> anyhow::Result<Option<u64>> {
    let Ok(store) = &job.store else { return Ok(None) };
    let journal = Journal::open(store.clone()).await?;
    let since = job.now - chrono::TimeDelta::hours(24);
    let earlier: BTreeSet<String> = journal
        .open_of_kind(KIND)
        .await?
        .into_iter()
        .filter(|entry| entry.created_at > since && !candidates.iter().any(|id| id.to_string() == entry.subject))
        .map(|entry| entry.subject)
        .collect();
    Ok(Some(earlier.len() as u64))
}

/// Writes down whom the plan would touch, so that the next run counts them. Those whom the breaker held count too: that some of them
/// leave the window must not release the others.
pub(crate) async fn remember(job: &Job, plan: &Plan) -> anyhow::Result<()> {
    let Some(store) = job.store.as_ref().ok().filter(|_| !job.dry_run) else { return Ok(()) };
    let journal = Journal::open(store.clone()).await?;
    let now = job.now;
    let mut old = journal.open_of_kind(KIND).await?;
    old.retain(|entry| entry.created_at < now - chrono::TimeDelta::days(7));
    let counts = |action: &&Action| action.state == ActionState::Planned || action.held == Some(Hold::Breaker);
    let planned = plan.actions.iter().filter(counts).map(|action| {
        let subject = action.person.id.to_string();
        // one entry an hour for each person: what counts is who
        let key = format!("{KIND} {subject} {}", now.format("%Y-%m-%dT%H"));
        (key, subject, json!({ "reason": action.reason, "fingerprint": action.fingerprint }))
    });
    let planned: Vec<_> = planned.collect();
    let note = move |write: &Write<'_>| {
        for entry in &old {
            journal.advance(write, &entry.key, JournalState::Done, &entry.payload, now)?;
        }
        for (key, subject, payload) in &planned {
            journal.plan(write, (key, KIND, subject), payload, now)?;
        }
        Ok(())
    };
    Ok(store.write("writing the journal", note).await?)
}
