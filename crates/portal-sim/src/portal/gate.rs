//! States of the whole portal that stop a request between the key and the parameters: suspended, unpaid, blocked.
//!
//! They are switched on by faults; the order of the layers is in `mod`.

use super::reply::Failure;
use crate::fault::FaultKind;

/// Stops the request if the portal is in such a state and the route is not exempt.
///
/// `signed_in` is false for a request without a credential: nobody's address is judged then.
pub(super) fn pass(
    state: Option<&FaultKind>,
    method: &str,
    path: &str,
    accept: Option<&str>,
    signed_in: bool,
) -> Result<(), Failure> {
    match state {
        // the portal's settings say what state it is in
        Some(FaultKind::Suspended) if !(method == "GET" && path == "settings") => Err(Failure::Problem(404)),
        Some(FaultKind::Unpaid) if !is_open_when_unpaid(method, path) => Err(Failure::Problem(402)),
        Some(FaultKind::Blocked) if signed_in => Err(Failure::Blocked { json: wants_json_alone(accept) }),
        _ => Ok(()),
    }
}

/// The routes that an unpaid portal still answers.
fn is_open_when_unpaid(method: &str, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match (method, &parts[..]) {
        ("GET", ["people", _] | ["settings"] | ["portal"]) => true,
        ("GET", ["settings", "version", "build"] | ["settings", "timezones" | "cultures"]) => true,
        ("GET", ["portal", "tariff" | "quota"] | ["portal", "payment", ..]) => true,
        ("PUT", ["people", "invite"]) => true,
        _ => false,
    }
}

/// Whether `Accept` weighs JSON above plain text and does not take everything.
fn wants_json_alone(accept: Option<&str>) -> bool {
    let Some(accept) = accept else { return false };
    let weight = |name: &str| {
        accept.split(',').find_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            parts.next().filter(|kind| kind.eq_ignore_ascii_case(name))?;
            Some(parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0))
        })
    };
    weight("*/*").is_none() && weight("application/json").is_some_and(|json| json > weight("text/plain").unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_want_json_alone_get_a_json_string() {
        for yes in ["application/json", "application/json, text/html", "text/plain;q=0.5, application/json"] {
            assert!(wants_json_alone(Some(yes)), "{yes}");
        }
        for no in ["*/*", "application/json, */*", "text/plain, application/json", "text/html", ""] {
            assert!(!wants_json_alone(Some(no)), "{no}");
        }
        assert!(!wants_json_alone(None));
    }
}
