//! What stops a request between its credential and its parameters: the portal's state, the plan, the caller's address.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{HeaderMap, header};

use super::auth::Caller;
use super::reply::Failure;
use crate::dotnet_ip;
use crate::scenario::{PersonKind, Restriction, Scenario, TenantState};

/// Ends of paths that are open while the portal is being restored; the second list also with `.json`.
const OPEN_WHILE_RESTORING: (&[&str], &[&str]) = (
    &[
        "preparation-portal",
        "portal",
        "getrestoreprogress",
        "cancelrestore",
        "encryption/progress",
        "rebranding/additional",
        "rebranding/company",
    ],
    &["settings", "colortheme", "logos", "build", "@self"],
);
/// The proxy in front of the portal, and where every request of a test comes from.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The portal's state, then the plan, then the caller's address. The path is in lower case.
pub(super) fn admit(
    scenario: &Scenario,
    caller: Caller<'_>,
    (verb, path): (&str, &str),
    headers: &HeaderMap,
) -> Result<(), Failure> {
    match scenario.condition.tenant {
        TenantState::Active => {}
        // the portal's settings say what state it is in
        TenantState::Suspended if (verb, path) == ("GET", "settings") => {}
        TenantState::Suspended | TenantState::Unknown => return Err(Failure::Problem(404)),
        TenantState::Restoring if is_open_while_restoring(path) => {}
        TenantState::Restoring => return Err(Failure::Problem(403)),
    }
    let waived = headers.get("payment-info").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"false"));
    if scenario.condition.unpaid && !waived && !is_open_when_unpaid(verb, path) {
        return Err(Failure::Problem(402));
    }
    if is_blocked(scenario, caller, headers) {
        return Err(blocked(headers));
    }
    Ok(())
}

/// What a caller from a refused address gets.
pub(super) fn blocked(headers: &HeaderMap) -> Failure {
    Failure::Blocked { json: wants_json(headers) }
}

/// The routes that an unpaid portal still answers.
fn is_open_when_unpaid(verb: &str, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        (verb, &parts[..]),
        ("GET", ["people", _] | ["settings"] | ["portal"])
            | ("GET", ["settings", "version", "build"] | ["settings", "timezones" | "cultures"])
            | ("GET", ["portal", "tariff" | "quota"] | ["portal", "payment", ..])
            | ("PUT", ["people", "invite"])
    )
}

fn is_open_while_restoring(path: &str) -> bool {
    let (plain, also_json) = OPEN_WHILE_RESTORING;
    let bare = path.strip_suffix(".json").unwrap_or(path);
    plain.iter().any(|end| path.ends_with(end)) || also_json.iter().any(|end| bare.ends_with(end))
}

/// Only signed-in callers are judged, and never the portal's owner. The first rule that fits decides.
fn is_blocked(scenario: &Scenario, caller: Caller<'_>, headers: &HeaderMap) -> bool {
    let restrictions = &scenario.condition.restrictions;
    let Some(person) = caller.person() else { return false };
    if restrictions.hidden || !restrictions.enabled || person.kind == PersonKind::Owner {
        return false;
    }
    // a row that is no address makes loading the list fail, and every failure refuses
    if restrictions.entries.iter().any(|entry| dotnet_ip::parse(&entry.ip).is_none()) {
        return true;
    }
    if restrictions.entries.is_empty() {
        return false;
    }
    let address = address(scenario, caller, headers);
    for entry in restrictions.entries.iter().filter(|entry| !entry.for_admin || person.kind.is_admin()) {
        match covers(entry, address) {
            Some(true) => return false,
            Some(false) => {}
            None => return true,
        }
    }
    !address.is_loopback()
}

/// Whether the entry fits: the same text, or inside a range. `None` when comparing fails.
fn covers(entry: &Restriction, address: IpAddr) -> Option<bool> {
    if let Some((low, high)) = entry.ip.split_once('-') {
        let (low, high) = (dotnet_ip::parse(low)?, dotnet_ip::parse(high)?);
        return Some(low.is_ipv4() == address.is_ipv4() && (low..=high).contains(&address));
    }
    Some(entry.ip == address.to_string())
}

/// Where the portal sees a request come from.
///
/// A key with an address of its own is behind proper proxies, which cut what the caller says about itself, unless the
/// restrictions say that they trust it. Any other request stands for what a proxy passed on: its address is the last
/// hop of `X-Forwarded-For` that is not the proxy itself.
pub(super) fn address(scenario: &Scenario, caller: Caller<'_>, headers: &HeaderMap) -> IpAddr {
    let own = match caller {
        Caller::Person { key, .. } => key.from,
        Caller::Anonymous => None,
    };
    match own {
        Some(own) if !scenario.condition.restrictions.trusts_callers => own,
        own => forwarded(headers, own.unwrap_or(PROXY)),
    }
}

/// The last hop that is not the proxy, whose address stands where there is none.
fn forwarded(headers: &HeaderMap, nearest: IpAddr) -> IpAddr {
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut current = nearest;
    for hop in hops.iter().rev() {
        if current != PROXY && current != nearest {
            break;
        }
        match dotnet_ip::parse_endpoint(hop) {
            Some(next) => current = next,
            None => break,
        }
    }
    current
}

/// Whether the refusal comes as a JSON string: `application/json` is the best that the caller takes.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut kinds: Vec<(&str, f32)> = accept
        .split(',')
        .map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let kind = pieces.next().unwrap_or_default();
            let weight = pieces.find_map(|piece| piece.strip_prefix("q=")).and_then(|q| q.parse().ok());
            (kind, weight.unwrap_or(1.0))
        })
        .collect();
    if kinds.iter().any(|(kind, _)| *kind == "*/*") {
        return false;
    }
    kinds.sort_by(|a, b| b.1.total_cmp(&a.1));
    let known = |kind: &&str| matches!(*kind, "application/json" | "text/json" | "text/plain");
    kinds.into_iter().map(|(kind, _)| kind).find(known).is_some_and(|kind| kind != "text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_in_a_scope_is_a_range_and_other_dashes_fail() {
        let covers = |ip: &str, address: &str| {
            covers(&Restriction { id: 1, ip: ip.to_owned(), for_admin: false }, address.parse().expect("an address"))
        };
        assert_eq!(covers("2001:db8::1%x-2001:db8::ff", "2001:db8::7"), Some(true));
        assert_eq!(covers("2001:db8::1%x-2001:db8::ff", "192.0.2.1"), Some(false));
        assert_eq!(covers("::1%a-b", "192.0.2.1"), None);
        assert_eq!(covers("2001:DB8::1", "2001:db8::1"), Some(false), "texts are compared, not addresses");
    }

    #[test]
    fn paths_that_are_open_while_restoring() {
        assert!(is_open_while_restoring("settings/iprestrictions/settings"));
        assert!(is_open_while_restoring("people/@self.json"));
        assert!(!is_open_while_restoring("security/audit/events/filter"));
    }
}
