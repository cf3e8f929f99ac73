//! What `doctor` says of suspending: everything that it needs, a line each, and who is off.

use docspace_client::Area;
use job_runner::{Check, Reached};

use crate::config::Config;
use crate::people;
use crate::suspend::entry::State;
use crate::suspend::ledger::{Kept, Ledger};
use crate::suspend::permit::PROVEN_FOR;

/// Without `enforce` only who is off.
pub(super) async fn checks(config: &Config, reached: &Reached) -> Vec<Check> {
    let now = reached.client.portal_now().unwrap_or_default();
    let mut checks = vec![suspended(reached, now).await];
    if config.is_enforcing() {
        checks.push(right(reached));
        checks.push(end_of_key(config, reached, now));
        checks.push(own_account(reached).await);
        checks.push(channel(reached, now).await);
        checks.push(protected(config, reached).await);
    }
    checks
}

/// The right and the scope.
fn right(reached: &Reached) -> Check {
    const NAME: &str = "suspend_right";
    let capabilities = &reached.capabilities;
    let can_write = capabilities.scopes.can_write(Area::Accounts);
    match (capabilities.admin, can_write) {
        (true, true) => Check::ok(NAME, "the key may disable and enable accounts"),
        (true, false) => {
            let remedy = "make a key with the permissions `*:read` and `accounts:write`";
            Check::fail(NAME, "the key may not change accounts, so nobody could be suspended", remedy)
        }
        (false, _) => {
            let remedy = "make the key as a DocSpace admin";
            Check::fail(NAME, "the key's account is no DocSpace admin, so nobody could be suspended", remedy)
        }
    }
}

fn end_of_key(config: &Config, reached: &Reached, now: chrono::DateTime<chrono::Utc>) -> Check {
    const NAME: &str = "suspend_key_end";
    match reached.capabilities.key_expires {
        Some(at) if at < now + config.terms().longest => {
            let text = "the key expires before the longest term could end, so nobody is suspended";
            Check::fail(NAME, text, "create a new key and put it in place of the old one")
        }
        _ => Check::ok(NAME, "the key lives longer than the longest term"),
    }
}

/// Whoever else works as the key's account leaves rows that nobody can tell from those of this program.
async fn own_account(reached: &Reached) -> Check {
    const NAME: &str = "suspend_account";
    if reached.capabilities.owner {
        let text = "the key belongs to the portal's owner, who decides about accounts by hand, too: nobody could tell whose decision it was";
        return Check::warn(NAME, text, "make an account for this program alone, as a DocSpace admin, and a key of it");
    }
    match (reached.client.identity().await, reached.client.keys().await) {
        (Ok(me), Ok(keys)) => {
            let own = keys.iter().filter(|key| key.active && key.owner == Some(me.person.id)).count();
            if own > 1 {
                let text = format!(
                    "the key's account has {own} keys that are switched on; nobody but this program may act as it"
                );
                return Check::warn(NAME, text, "give other programs accounts of their own");
            }
            Check::ok(NAME, "the key's account has no other key; nobody may sign in as it to change accounts")
        }
        (Err(error), _) | (_, Err(error)) => Check::failed(NAME, error),
    }
}

async fn channel(reached: &Reached, now: chrono::DateTime<chrono::Utc>) -> Check {
    const NAME: &str = "suspend_channel";
    let remedy = "send one with `bulk-guard alerts test`";
    let store = match reached.store_snapshot().await {
        Ok(store) => store,
        Err(error) => return Check::fail(NAME, format!("{error:#}"), "repair the store"),
    };
    match reached.channels(&store).await {
        Ok((0, _)) => {
            let text = "no channel is set, so nobody would hear of a suspension";
            Check::usage(NAME, text, "set `alerts.file.path` or `alerts.webhook.url`")
        }
        Ok((_, Some(at))) if now - at <= PROVEN_FOR => {
            Check::ok(NAME, format!("a channel took a test alert on {}", at.format("%Y-%m-%d at %H:%M UTC")))
        }
        Ok(_) => Check::usage(NAME, "no channel has taken a test alert within 7 days, so nobody is suspended", remedy),
        Err(error) => Check::fail(NAME, error.to_string(), "repair the store"),
    }
}

async fn protected(config: &Config, reached: &Reached) -> Check {
    const NAME: &str = "suspend_protected";
    let people::Known { protection, misnamed, ambiguous, .. } = people::known(config, &reached.client, &[]).await;
    let wrong: Vec<&str> = misnamed.iter().chain(&ambiguous).map(|(_, said)| said.as_str()).collect();
    match protection.unread {
        _ if !wrong.is_empty() => {
            Check::usage(NAME, format!("{}, so nobody is suspended", wrong.join("; ")), "correct `protect`")
        }
        Some(what) => Check::fail(NAME, format!("{what}, so nobody is suspended"), "run `doctor` again"),
        None => Check::ok(NAME, "every entry of `protect` means one person or one group"),
    }
}

/// Everybody who is off through this program.
async fn suspended(reached: &Reached, now: chrono::DateTime<chrono::Utc>) -> Check {
    const NAME: &str = "suspended";
    let entries = async {
        let kept = Kept::open(reached.store_snapshot().await?, now).await?;
        kept.entries().await
    };
    let entries = match entries.await {
        Ok(entries) => entries,
        Err(error) => return Check::fail(NAME, format!("{error:#}"), "repair the store"),
    };
    let off = entries.iter().filter(|entry| entry.state.is_under_way() || entry.state == State::Kept);
    let names: Vec<String> = off
        .map(|entry| {
            let end = match entry.deadline() {
                Some(end) => format!("until {}", end.format("%Y-%m-%d %H:%M UTC")),
                None => "until somebody decides".to_owned(),
            };
            let name = audit_model::PortalText::new(entry.incident.name.as_str()).for_terminal();
            format!("{name} ({}), {end}", entry.person())
        })
        .collect();
    if names.is_empty() {
        return Check::ok(NAME, "nobody is disabled through this program");
    }
    let text = format!("disabled through this program, or possibly so: {}", names.join("; "));
    Check::warn(NAME, text, "`bulk-guard status` says why; end it with `release` before you uninstall this program")
}
