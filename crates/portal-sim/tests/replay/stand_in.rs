//! Routes that only existed in the recording set-up and stood for a kind of route: the same question is put to a real
//! one, and only what the layers in front of the action say is compared.

use crate::exchange::Exchange;

/// The recording set-up's own routes.
const PROBE: &str = "/api/2.0/probe/";

/// For the test routes of `scopes`: the verb, the path, and the real path of the same kind.
const KINDS: &[(&str, &str, &str)] = &[
    // the recorded one is not open to everybody, the real room is
    ("GET", "files/rooms/1", "files/rooms"),
    ("GET", "files/rooms/1/public", "files/rooms/1"),
    ("POST", "files/rooms", "files/rooms"),
    ("PUT", "files/rooms/1", "files/rooms/1/share"),
    ("GET", "files/recent", "files/@my"),
    ("HEAD", "files/recent", "files/@my"),
    ("GET", "files/folder/1", "files/folder/1"),
    ("POST", "files/folder", "files/1/session"),
    ("GET", "files/7/log", "files/folder/7/log"),
    ("GET", "security/audit/types", "security/audit/settings/lifetime"),
    ("GET", "people/@self", "people/@self"),
    ("GET", "people", "people/filter"),
    ("PUT", "people/status/1", "people/status/1"),
    ("DELETE", "people/5", "people/5"),
    ("GET", "group", "group"),
    ("GET", "keys/@self", "keys/@self"),
    ("GET", "keys", "keys"),
    // for everybody too, and with the same scopes
    ("GET", "capabilities", "settings"),
];

/// Whether the exchange asks a route of the set-up that says something about every route.
pub(crate) fn is_telling(file: &str, exchange: &Exchange) -> bool {
    real_target(file, exchange).is_some()
}

fn behind_prefix(exchange: &Exchange) -> &str {
    exchange.path().strip_prefix("/api/2.0/").unwrap_or_default()
}

fn real_target(file: &str, exchange: &Exchange) -> Option<String> {
    let path = match file {
        "iprestrictions-matching" => match exchange.path().strip_prefix(PROBE)? {
            // for every signed-in caller, and for everybody
            "value/int" => "keys/@self",
            "anonymous" => "settings/version/build",
            _ => return None,
        },
        "scopes" => {
            let asked = (exchange.method.as_str(), behind_prefix(exchange));
            KINDS.iter().find(|(verb, path, _)| (*verb, *path) == asked).map(|(_, _, real)| *real)?
        }
        _ => return None,
    };
    Some(format!("/api/2.0/{path}"))
}

/// The request that is sent instead.
pub(crate) fn real_request(file: &str, exchange: &Exchange) -> Exchange {
    let mut asked = exchange.clone();
    if let Some(target) = real_target(file, exchange) {
        asked.target = target;
    }
    asked
}

/// What the test route answered once the layers in front of it let the request through.
pub(crate) fn is_let_through(file: &str, exchange: &Exchange) -> bool {
    is_telling(file, exchange) && exchange.status < 300
}
