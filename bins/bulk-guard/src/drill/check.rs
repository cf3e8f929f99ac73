//! With what no drill begins: each reason, and what to do.

use std::collections::BTreeSet;

use anyhow::Context as _;
use audit_model::{PersonStatus, PortalRole, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Account as PortalAccount, Area, Client, KeyFacts, ListedKey};
use event_archive::Archive;
use futures::TryStreamExt as _;
use job_runner::Setup;
use job_runner::config::Problem;
use report::words::plural;
use safe_actions::Candidate;
use uuid::Uuid;

use crate::config::{Config, Limit};
use crate::drill::UNUSED_FOR;
use crate::drill::children;
use crate::drill::site::Site;
use crate::people;
use crate::rule::kind::Kind;
use crate::suspend::ledger::{Kept, Ledger as _};
use crate::suspend::seen::STATUS_CHANGED;
use crate::suspend::state::asked_within_a_day;
use crate::suspend::terms::{DECIDED_FOR, FRESH};

/// So many more documents than the limit allows.
const ABOVE: u64 = 5;

/// More would be a burden to the portal.
const MOST_DOCUMENTS: u64 = 200;

/// Why no drill begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The setting that somebody has to edit; `None` where that does not help.
    pub(crate) key: Option<&'static str>,
    pub(crate) text: String,
    pub(crate) remedy: &'static str,
}

impl Refusal {
    fn of_setting(key: &'static str, text: impl Into<String>, remedy: &'static str) -> Self {
        Refusal { key: Some(key), ..Refusal::of_now(text, remedy) }
    }

    fn of_now(text: impl Into<String>, remedy: &'static str) -> Self {
        Refusal { key: None, text: text.into(), remedy }
    }
}

/// The account of a drill.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

/// How many documents a drill renames.
pub(crate) fn documents(config: &Config) -> u64 {
    config.limits.renamed.documents + ABOVE
}

/// What the settings lack or say against it.
pub(crate) fn settings(config: &Config) -> Vec<Problem> {
    let mut wrong = Vec::new();
    let mut refuse = |is_wrong: bool, key: &str, message: &str| {
        if is_wrong {
            wrong.push(Problem::new(key.to_owned(), message.to_owned()));
        }
    };
    let account = "is missing: name an account that is there for drills alone (README, \"Drill\")";
    refuse(config.drill.account.is_none(), "drill.account", account);
    refuse(config.drill.key_file.is_none(), "drill.key_file", "is missing: name the file with a key of that account");
    refuse(!config.is_enforcing(), "mode", "is `observe`, so nobody would be suspended; a drill needs `enforce`");
    let kinds = config.suspend.kinds();
    let kind = "does not name `renamed`, and a drill renames documents; add it";
    refuse(config.is_enforcing() && !kinds.contains(&Kind::Renamed), "suspend.kinds", kind);
    let Limit { documents: limit, .. } = config.limits.renamed;
    refuse(limit == 0, "limits.renamed.documents", "is 0, so nobody finds who renames documents; set a limit");
    let many = "is so high that a drill would have to rename more than 200 documents; set a lower one";
    refuse(documents(config) > MOST_DOCUMENTS, "limits.renamed.documents", many);
    refuse(config.cannot_act, "--cannot-act", "was given, and a drill acts");
    wrong
}

/// The account, which must be there for drills alone, and its key.
///
/// # Errors
/// All that is wrong.
pub(crate) async fn account(
    config: &Config,
    (watching, own): (&Client, &Client),
    robots: &[String],
) -> Result<Account, Vec<Refusal>> {
    let named = config.drill.account.clone().unwrap_or_default();
    let unread = |error: docspace_client::Error| vec![Refusal::of_now(error.to_string(), "run `bulk-guard doctor`")];
    let people = watching.people().await.map_err(unread)?;
    let Some(account) = people.iter().find(|account| account.person.is_meant_by(&named)) else {
        let text = format!("`{}` is nobody of the portal", PortalText::new(named.as_str()).for_terminal());
        return Err(vec![Refusal::of_setting(
            "drill.account",
            text,
            "write the id or the e-mail address of the test account",
        )]);
    };
    let id = account.person.id;
    let me = watching.identity().await.map_err(unread)?.person.id;
    let known = people::known(config, watching, robots).await;
    let mut wrong: Vec<Refusal> = plain(account, me, robots).into_iter().collect();
    let candidate = Candidate {
        person: account.person.clone(),
        is_ldap: account.is_ldap,
        reason: String::new(),
        fingerprint: String::new(),
        hold: None,
    };
    if wrong.is_empty()
        && let Some(hold) = known.protection.hold(&candidate)
    {
        let text = format!("a plan could not suspend the account of the drill: {}", hold.words());
        wrong.push(Refusal::of_setting("drill.account", text, "take it out of `protect`, or name another account"));
    }
    if account.person.status != Some(PersonStatus::Active) {
        wrong.push(Refusal::of_now(
            "the account of the drill is disabled, or has not accepted its invitation",
            "enable it in the portal",
        ));
    }
    let keys = watching.keys().await.map_err(unread)?;
    wrong.extend(other_keys(id, &keys));
    if wrong.is_empty() {
        match (own.key().await, own.identity().await) {
            (Ok(facts), Ok(whose)) => wrong.extend(key(id, whose.person.id, facts.as_ref())),
            (Err(error), _) | (_, Err(error)) => {
                let text = format!("the key of the drill's account does not work: {error}");
                wrong.push(Refusal::of_now(
                    text,
                    "make a new key, signed in as that account, and put it into `drill.key_file`",
                ));
            }
        }
    }
    let now = watching.portal_now().unwrap_or_default();
    let logins = watching.login_slice(Window::new(now - UNUSED_FOR, now)).await;
    if !logins.gaps.is_empty() {
        let text =
            "the login history of the last 30 days could not be read, so somebody may use the account of the drill";
        wrong.push(Refusal::of_now(text, "`bulk-guard doctor` says why"));
    }
    let has_signed_in = logins.rows.iter().any(|login| login.user == id && login.action.is_successful_login());
    if has_signed_in {
        let text = "somebody has signed in as the account of the drill in the last 30 days, so it is somebody's";
        wrong.push(Refusal::of_now(text, "make an account with which nobody signs in, or wait"));
    }
    if wrong.is_empty() { Ok(Account { id, name: account.person.name.raw().to_owned() }) } else { Err(wrong) }
}

/// What no account of a drill may be.
fn plain(account: &PortalAccount, own: Uuid, robots: &[String]) -> Option<Refusal> {
    let why = match account.person.role {
        _ if account.person.id == own => "is the account of this program's own key",
        Some(PortalRole::Owner) => "is the portal's owner",
        Some(PortalRole::DocspaceAdmin) => "is a DocSpace admin",
        Some(PortalRole::User | PortalRole::Guest) => "may not make rooms: that takes the role of a room admin",
        None => "has a role that this program does not know",
        Some(PortalRole::RoomAdmin) if account.is_ldap => "comes from a directory, which would enable it again",
        Some(PortalRole::RoomAdmin) if account.person.is_meant_by_one_of(robots) => "is one of `service_accounts`",
        Some(PortalRole::RoomAdmin) => return None,
    };
    let remedy = "name an account that is there for drills alone, with the role of a room admin";
    Some(Refusal::of_setting("drill.account", format!("the account {why}"), remedy))
}

/// Whatever runs with another key of the account would stop.
fn other_keys(account: Uuid, keys: &[ListedKey]) -> Option<Refusal> {
    let own = keys.iter().filter(|key| key.active && key.owner == Some(account)).count() as u64;
    let text = || {
        format!("the account of the drill has {}, and whatever runs with the others would stop", plural(own, "API key"))
    };
    (own > 1).then(|| Refusal::of_now(text(), "switch off all but the one of the drill"))
}

fn key(account: Uuid, whose: Uuid, facts: Option<&KeyFacts>) -> Option<Refusal> {
    const MAKE: &str = "sign in as that account, and make a key with the permissions `rooms:write`, `files:write` and `accounts.self:read`";
    if account != whose {
        return Some(Refusal::of_setting(
            "drill.key_file",
            "the key belongs to another account than `drill.account`",
            MAKE,
        ));
    }
    let Some(facts) = facts else {
        return Some(Refusal::of_setting("drill.key_file", "holds no API key", MAKE));
    };
    let may = facts.scopes.can_write(Area::Rooms) && facts.scopes.can_write(Area::Files);
    (!may).then(|| Refusal::of_setting("drill.key_file", "the key may not make rooms and files", MAKE))
}

/// What `doctor` misses for suspending.
///
/// # Errors
/// `doctor` could not be started.
pub(crate) async fn acting(setup: &Setup<'_, Config>) -> anyhow::Result<Vec<Refusal>> {
    let output = children::call(setup, &["doctor"], &[]).await?;
    let told = String::from_utf8_lossy(&output.stdout);
    let lines = told.lines().filter_map(|line| line.strip_prefix("FAIL")).map(str::trim);
    let missing = lines.filter(|line| line.starts_with("suspend"));
    Ok(missing.map(|line| Refusal::of_now(line.to_owned(), "`bulk-guard doctor` says more")).collect())
}

/// What is so only now.
///
/// # Errors
/// Of the store.
pub(crate) async fn now(setup: &Setup<'_, Config>, site: &Site, account: &Account) -> anyhow::Result<Option<Refusal>> {
    const CRON: &str = "let cron run `bulk-guard` every minute, and try again then";
    let looked = setup.looked().await?;
    let now = site.watching.portal_now().context("the portal has not told its time")?;
    if looked.seen_until.is_none_or(|at| now - at > FRESH) {
        return Ok(Some(Refusal::of_now(
            "no run has looked within the last ten minutes, so the next one would suspend nobody",
            CRON,
        )));
    }
    let entries = Kept::open(looked.store.clone(), setup.now).await?.entries().await?;
    if entries
        .iter()
        .any(|entry| entry.person() == account.id && (entry.state.is_under_way() || entry.state.is_before()))
    {
        let text = "the account of the drill is suspended, or is to be, for something else";
        return Ok(Some(Refusal::of_now(text, "`bulk-guard status` says what for")));
    }
    let archive = Archive::open(looked.store.clone()).await?;
    let switched = switched(&archive, account.id, now).await?;
    let judged = entries.iter().filter(|entry| entry.person() == account.id).filter_map(|entry| entry.judged_at);
    if let Some(last) = judged.chain(switched).max().filter(|at| now - *at < DECIDED_FOR) {
        let text = format!(
            "the account of the drill was switched on or off in the last 24 hours, so nobody suspends it before {}",
            (last + DECIDED_FOR).format("%Y-%m-%d %H:%M UTC")
        );
        return Ok(Some(Refusal::of_now(text, "try again then")));
    }
    if asked_within_a_day(&entries, now) as u64 >= setup.config.breaker.per_day {
        let text = "the limit of suspensions within 24 h is reached (`breaker.per_day`)";
        return Ok(Some(Refusal::of_now(text, "try again tomorrow")));
    }
    Ok(None)
}

/// When somebody last switched the account on or off, within a day.
async fn switched(archive: &Archive, account: Uuid, now: DateTime<Utc>) -> anyhow::Result<BTreeSet<DateTime<Utc>>> {
    let window = Window::new(now - DECIDED_FOR, now + TimeDelta::seconds(1));
    let mut events = std::pin::pin!(archive.events_of_actions([STATUS_CHANGED], window));
    let mut switched = BTreeSet::new();
    while let Some(event) = events.try_next().await? {
        if event.target.iter().any(|id| Uuid::parse_str(id) == Ok(account)) {
            switched.insert(event.at);
        }
    }
    Ok(switched)
}

#[cfg(test)]
mod tests;
