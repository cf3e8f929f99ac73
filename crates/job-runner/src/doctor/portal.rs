//! What a run depends on at the portal: the way there, its clock, the key and what it opens.

use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{
    Ability, ApiKey, Area, Capabilities, Client, ErrorKind, KeyFacts, PortalSettings, PortalState, Scopes,
};
use report::words::{duration, plural};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Check, CheckState, Reached, way};
use crate::clock::{CLOCK_TOLERANCE, rounded};
use crate::config::Settings;
use crate::config::is_loopback;
use crate::key_end;
use crate::names::{self, Unknown};
use crate::program::Program;
use crate::setup::Setup;

/// How the portal is asked.
pub(super) struct Way {
    pub(super) client: Client,
    url: Url,
    /// Where it is from as well; or why there is none.
    key: Result<(SecretString, String), String>,
}

/// `None` when it cannot be asked: a missing address is named among the mistakes in the settings, and a client that cannot be made under
/// `outbound`.
pub(super) fn way<C>(setup: &Setup<'_, C>) -> Option<Way> {
    let url = setup.portal_url().ok()?;
    let key = setup.key().map(|found| (found.key, found.origin.to_string())).map_err(|error| error.to_string());
    let secret = key.as_ref().map_or_else(|_| SecretString::default(), |(key, _)| key.clone());
    let client = setup.client_with(ApiKey::new(secret), &url).ok()?;
    Some(Way { client, url, key })
}

/// Goes as far as possible; what could not be looked at is named in one line.
pub(super) async fn inspect<P: Program>(
    setup: &Setup<'_, P::Config>,
    Way { client, url, key }: &Way,
    checks: &mut Vec<Check>,
) -> Option<Reached> {
    if let Err(why) = key {
        checks.push(Check::usage("key", why, "then run `doctor` again"));
    }
    let is_there = reach(setup, client, url, checks).await;
    match key {
        Ok((key, origin)) if is_there => {
            let reached = opened(client, key, origin, (setup.now, setup.config.reach(P::ABOUT.window)), checks).await;
            let channels = setup.channels().unwrap_or_default();
            reached.map(|reached| Reached { state: setup.state().ok(), channels, ..reached })
        }
        _ => {
            checks.push(not_checked("the key and what it opens"));
            None
        }
    }
}

/// Whether everybody whom the settings name is there.
pub(super) async fn names<P: Program>(setup: &Setup<'_, P::Config>, reached: &Reached) -> Vec<Check> {
    const NAME: &str = "names";
    let lists = crate::surroundings::named::<P>(setup.common, setup.config, setup.now);
    let count: usize = lists.iter().map(|list| list.entries.len()).sum();
    if count == 0 {
        return Vec::new();
    }
    match names::look_up(&lists, &reached.client).await {
        Err(error) => vec![Check { state: CheckState::Warn, ..Check::failed(NAME, error) }],
        Ok(unknown) if unknown.is_empty() => {
            let keys = lists.iter().filter(|list| !list.entries.is_empty()).map(|list| format!("`{}`", list.key));
            let keys: Vec<String> = keys.collect();
            vec![Check::ok(NAME, format!("everybody and everything named in {} is there", keys.join(", ")))]
        }
        Ok(unknown) => {
            let told = |unknown: &Unknown| Check::warn(NAME, unknown.to_string(), format!("correct `{}`", unknown.key));
            unknown.iter().map(told).collect()
        }
    }
}

fn not_checked(what: &str) -> Check {
    Check::warn("not_checked", what, "correct what failed above, and run again")
}

/// Host, TLS, portal, clock. Whether it is worth showing the key.
async fn reach<C>(setup: &Setup<'_, C>, client: &Client, url: &Url, checks: &mut Vec<Check>) -> bool {
    let host = url.host_str().unwrap_or_default();
    match way::proxy(setup, url) {
        // whether it is reached shows below
        Some(proxy) => {
            checks.push(Check::ok("host", format!("{host} is asked through {proxy}; see `portal` for the answer")))
        }
        None => match way::reach(url).await {
            Ok(_) => checks.push(Check::ok("host", format!("{host} accepts connections"))),
            Err(why) => {
                checks.push(Check::fail("host", why, "check the address, DNS, firewall and proxy"));
                return false;
            }
        },
    }
    let answer = client.public_settings().await;
    if let Err(error @ docspace_client::Error { kind: ErrorKind::BadCertificate(_), .. }) = answer {
        checks.push(Check::failed("tls", error));
        return false;
    }
    let now = setup.clock();
    let is_reached =
        !answer.as_ref().is_err_and(|error| matches!(error.kind, ErrorKind::Unreachable | ErrorKind::TimedOut));
    checks.push(tls(url, is_reached));
    checks.extend(client.portal_clock().map(|portal| clock(now, portal)));
    match answer {
        Ok(settings) => {
            checks.push(portal(&settings));
            true
        }
        Err(error) => {
            let goes_on = matches!(error.kind, ErrorKind::BlockedAddress | ErrorKind::Unpaid);
            checks.push(Check::failed("portal", error));
            goes_on
        }
    }
}

fn tls(url: &Url, is_reached: bool) -> Check {
    const NAME: &str = "tls";
    match (url.scheme(), is_reached) {
        ("https", true) => Check::ok(NAME, "the connection is encrypted, and the certificate is trusted"),
        ("https", false) => Check::fail(
            NAME,
            "no encrypted connection could be made, or nothing answered over it",
            "see `portal` below for the reason; trust a company's own authority with `outbound.ca_file`",
        ),
        _ if is_loopback(url) => Check::ok(NAME, "plain http, which does not leave this machine"),
        _ => Check::warn(NAME, "plain http: anyone on the way can read the key", "use `https://`"),
    }
}

fn portal(settings: &PortalSettings) -> Check {
    const NAME: &str = "portal";
    let version = settings.version.as_deref().map(|text| PortalText::new(text).for_terminal());
    match settings.state {
        None | Some(PortalState::Active) => {
            Check::ok(NAME, format!("DocSpace {} answers", version.as_deref().unwrap_or("of an unknown version")))
        }
        Some(state) => {
            Check::fail(NAME, format!("the portal is not in operation ({state:?})"), "ask the portal's owner")
        }
    }
}

fn clock(here: DateTime<Utc>, portal: DateTime<Utc>) -> Check {
    const NAME: &str = "clock";
    let ahead = here - portal;
    if ahead > CLOCK_TOLERANCE {
        let text = format!("this machine's clock is {} ahead of the portal's: every run is incomplete", rounded(ahead));
        return Check::fail(NAME, text, "set it by NTP");
    }
    if -ahead > CLOCK_TOLERANCE {
        let text =
            format!("this machine's clock is {} behind the portal's: runs see events that much later", rounded(ahead));
        return Check::warn(NAME, text, "set it by NTP");
    }
    Check::ok(NAME, "agrees with the portal's to the minute")
}

/// The key, and what it opens.
async fn opened(
    client: &Client,
    key: &SecretString,
    origin: &str,
    (now, reach): (DateTime<Utc>, TimeDelta),
    checks: &mut Vec<Check>,
) -> Option<Reached> {
    match client.key().await {
        Ok(facts) => checks.extend(key_checks(facts.as_ref(), key, origin, client.portal_clock().unwrap_or(now))),
        Err(error) => {
            checks.push(Check::failed("key", error));
            checks.push(not_checked("what the key opens"));
            return None;
        }
    }
    if checks.iter().any(|check| check.name == "key_scope" && check.state == CheckState::Fail) {
        checks.push(not_checked("what the key's account may see"));
        return None;
    }
    let capabilities = match client.capabilities().await {
        Ok(capabilities) => capabilities,
        Err(error) => {
            checks.push(Check::failed("key", error));
            checks.push(not_checked("what the key's account may see"));
            return None;
        }
    };
    checks.push(right(&capabilities));
    if capabilities.admin {
        checks.push(audit("audit", "audit trail", &capabilities.audit_filter));
        checks.push(audit("logins", "login history", &capabilities.login_history));
        checks.push(lifetimes(client, reach).await);
    } else {
        checks.push(not_checked("audit trail and login history"));
    }
    match client.rooms().await {
        Ok(rooms) => {
            checks.push(Check::ok(
                "rooms",
                format!("the list can be read, and has {}", plural(rooms.len() as u64, "room")),
            ));
            Some(Reached { client: client.clone(), capabilities, rooms, channels: Vec::new(), state: None })
        }
        Err(error) => {
            checks.push(Check::failed("rooms", error));
            None
        }
    }
}

fn key_checks(facts: Option<&KeyFacts>, key: &SecretString, origin: &str, now: DateTime<Utc>) -> Vec<Check> {
    if !key.expose_secret().starts_with("sk-") {
        let text = format!("{origin} holds a personal access token, not an API key: it ends when its owner signs out");
        return vec![Check::warn("key", text, "create an API key (Developer tools, API keys)")];
    }
    let Some(facts) = facts else {
        let text = format!("from {origin}; servers before version 3.1 say nothing about it");
        return vec![Check::warn("key", text, "look up in the portal when it expires")];
    };
    let end = facts.postfix.as_ref().map(|end| format!(", ending in {}", end.for_terminal())).unwrap_or_default();
    vec![
        Check::ok("key", format!("\"{}\"{end}, from {origin}, is accepted", facts.name.for_terminal())),
        expiry(facts.expires, facts.scopes.is_unrestricted(), now),
        scope(&facts.scopes),
    ]
}

fn expiry(expires: Option<DateTime<Utc>>, is_unrestricted: bool, now: DateTime<Utc>) -> Check {
    const NAME: &str = "key_expiry";
    match expires {
        None if is_unrestricted => Check::warn(
            NAME,
            "the key is not restricted and never expires",
            "create one with fewer permissions that expires",
        ),
        None => Check::ok(NAME, "the key never expires"),
        Some(at) if at - now < key_end::NOTICE => {
            let text = format!("the key expires on {}, {}", at.date_naive(), key_end::in_days(at, now));
            Check::warn(NAME, text, "create a new key and put it in place of the old one")
        }
        Some(at) => Check::ok(NAME, format!("the key expires on {}", at.date_naive())),
    }
}

fn scope(scopes: &Scopes) -> Check {
    const NAME: &str = "key_scope";
    if scopes.is_unrestricted() {
        let text = "no restriction: whoever gets hold of the key can do everything that its account can";
        return Check::warn(
            NAME,
            text,
            "create one with the permission `*:read`, plus the permissions listed in the README",
        );
    }
    if scopes.can_read(Area::Portal) {
        return Check::ok(NAME, format!("{}: enough to read everything", scope_names(scopes)));
    }
    Check::fail(
        NAME,
        format!("{}: the audit trail cannot be read", scope_names(scopes)),
        "create a key with the permission `*:read`; the portal has no narrower one for this",
    )
}

fn scope_names(scopes: &Scopes) -> String {
    let names: Vec<String> =
        scopes.names().iter().map(|name| format!("`{}`", PortalText::new(name.as_str()).for_terminal())).collect();
    names.join(", ")
}

fn right(capabilities: &Capabilities) -> Check {
    const NAME: &str = "right";
    match (capabilities.owner, capabilities.admin) {
        (true, _) => Check::ok(NAME, "the key acts as the portal's owner"),
        (false, true) => Check::ok(NAME, "the key acts as a DocSpace admin"),
        (false, false) => Check::fail(
            NAME,
            "the key's account is not a DocSpace admin, so it may not read the audit trail",
            "use the key of a DocSpace admin or of the owner",
        ),
    }
}

fn audit(name: &'static str, what: &str, ability: &Ability) -> Check {
    match ability {
        Ability::Works => Check::ok(name, format!("the {what} can be searched")),
        Ability::Refused(ErrorKind::PlanLacks) => Check::fail(
            name,
            format!("the portal's plan has no audit feature: of the {what} only the newest 20 rows can be seen"),
            "upgrade to a plan that includes the audit trail; without it nothing can be concluded",
        ),
        Ability::Refused(kind) => Check::fail(name, format!("the {what} cannot be read: {kind}"), kind.remedy()),
    }
}

/// Only logins are ever deleted; what a run needs of them must still be there.
async fn lifetimes(client: &Client, window: TimeDelta) -> Check {
    const NAME: &str = "lifetimes";
    match client.lifetimes().await {
        Ok(kept) if TimeDelta::days(i64::from(kept.login_days)) < window => Check::warn(
            NAME,
            format!(
                "the portal forgets logins after {}, but a run looks {} back",
                plural(kept.login_days.into(), "day"),
                duration(window)
            ),
            "raise the lifetime of the login history in the portal's security settings",
        ),
        Ok(kept) => Check::ok(
            NAME,
            format!(
                "events are kept for {}, logins for {}; a run looks {} back",
                plural(kept.audit_days.into(), "day"),
                plural(kept.login_days.into(), "day"),
                duration(window)
            ),
        ),
        Err(error) => Check { state: CheckState::Warn, ..Check::failed(NAME, error) },
    }
}
