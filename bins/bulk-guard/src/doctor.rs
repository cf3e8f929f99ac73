//! What `doctor` says of this program: how soon it could see something, its limits, and what the key could do to whom.

mod acting;
mod drill;

use std::time::Instant;

use ::report::words::plural;
use docspace_client::Area;
use job_runner::{Check, Reached};

use crate::config::{Config, Limit};
use crate::people;
use crate::serve::token::Token;
use crate::serve::webhook::Secret;

pub(crate) async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let mut checks = vec![limits(config), detection(), token(config)];
    checks.extend(webhooks(config));
    if let Some(reached) = reached {
        if !config.is_enforcing() {
            checks.push(key(reached));
        }
        checks.push(reach(config, reached).await);
        checks.extend(acting::checks(config, reached).await);
        checks.extend(drill::checks(config, reached).await);
    }
    checks
}

fn limits(config: &Config) -> Check {
    let Limit { documents, minutes, .. } = config.limits.changes;
    let own = config.limits.armed().len();
    let text = match documents {
        0 => format!("{} hold; `config show` lists them", plural(own as u64, "limit")),
        _ => format!(
            "more than {documents} documents changed within {minutes} min are reported; `config show` lists all {own} limits"
        ),
    };
    Check::ok("limits", text)
}

/// Whether `serve` would have what callers must present.
fn token(config: &Config) -> Check {
    const NAME: &str = "serve_token";
    if config.serve.token_file.is_none() {
        return Check::ok(NAME, "`serve.token_file` is not set, so `serve` would not start; runs do not need it");
    }
    match Token::read(config) {
        Ok(_) => Check::ok(NAME, "`serve.token_file` was read, and holds one word that is long enough"),
        Err(error) => Check::usage(NAME, error.to_string(), "write a token into that file"),
    }
}

/// Whether `serve` could check the portal's webhooks.
fn webhooks(config: &Config) -> Option<Check> {
    const NAME: &str = "serve_webhooks";
    let path = config.serve.webhook_secret_file.as_ref()?.as_path();
    let (debounce, acts) = (config.serve.webhook_debounce, config.serve.webhook_acts);
    let may = if acts { "may do what one of cron may" } else { "tells, and changes nothing at the portal" };
    Some(match Secret::read(path) {
        Ok(_) => Check::ok(NAME, format!("the secret was read; {debounce} after a webhook a scan begins, which {may}")),
        Err(error) => Check::usage(NAME, error.to_string(), "write the secret of the portal's webhook into that file"),
    })
}

/// A bound, so that nobody expects a second.
fn detection() -> Check {
    let text = "a mass change is seen by the first run after the portal has stored it: at most the time between two runs \
                plus the portal's own delay, which is seconds, and minutes when its queue is full";
    Check::ok("time_to_detection", text)
}

/// Who only observes only reads.
fn key(reached: &Reached) -> Check {
    const NAME: &str = "read_only_key";
    let remedy = "make one with the permission `*:read` and an end date, and delete this one";
    let expires = reached.capabilities.key_expires.is_some();
    match (reached.capabilities.scopes.can_write(Area::Accounts), expires) {
        (true, _) => Check::warn(
            NAME,
            "the key may change accounts, which a program that observes never does, except to release whom it has suspended",
            remedy,
        ),
        (false, false) => {
            Check::warn(NAME, "the key may only read, and never expires", "give the next one an end date")
        }
        (false, true) => Check::ok(NAME, "the key may only read, and expires"),
    }
}

/// Whom a suspension could reach with this key.
async fn reach(config: &Config, reached: &Reached) -> Check {
    const NAME: &str = "reach";
    let capabilities = &reached.capabilities;
    let may_write = capabilities.scopes.can_write(Area::Accounts);
    let began = Instant::now();
    let people::Known { protection, active_people, .. } = people::known(config, &reached.client, &[]).await;
    let took = began.elapsed();
    if let Some(why) = protection.unread {
        let text = format!("{why}, so nobody could ever be planned");
        return Check::fail(NAME, text, "correct `protect` or the key's permissions");
    }
    if let Some(limit) = config.look_up_limit().filter(|limit| took > *limit) {
        let (took, limit) = (took.as_secs(), limit.as_secs());
        let text = format!(
            "the lists of people took {took} s, and a plan may wait for them {limit} s: nobody would be planned"
        );
        return Check::warn(NAME, text, format!("set `look_up_limit` to \"{}s\"", 2 * took + 1));
    }
    let listed =
        config.protect.people.len() as u64 + protection.groups.values().map(|ids| ids.len() as u64).sum::<u64>();
    let admins = if capabilities.owner {
        "DocSpace admins included"
    } else {
        "DocSpace admins excepted: the key is not the owner's"
    };
    let key = match (capabilities.admin, may_write) {
        (true, true) if config.is_enforcing() => "the key can suspend them",
        (true, true) => "the key could suspend them; `mode` is `observe`",
        (true, false) => "the key may only read, which is all that observing needs",
        (false, _) => "the key's account is no admin and could suspend nobody",
    };
    let text =
        format!("{} can sign in, {admins}; {listed} protected by the settings; {key}", plural(active_people, "person"));
    Check::ok(NAME, text)
}
