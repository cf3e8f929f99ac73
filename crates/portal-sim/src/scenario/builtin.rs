//! The scenarios that come with the program; the texts stand in `fixtures/scenarios`.

use chrono::{DateTime, Utc};

use super::{Scenario, file};

/// Names of the built-in scenarios, in the order of the tour.
pub const BUILTIN: &[&str] = &[
    "incident",
    "quiet",
    "no-audit",
    "incomplete",
    "twin-titles",
    "renamed-room",
    "late-rows",
    "autumn",
    "dense-second",
    "large",
    "hostile",
    "deleted-room",
    "addresses",
    "leaver",
    "list-off-and-on",
    "mass-change",
    "hidden-folders",
    "slow-attack",
    "rescuer",
    "forty-at-once",
    "visitors",
    "agent-twin",
    "inactive",
    "short-trail",
    "refused-sender",
];

/// The text of a built-in scenario.
pub(super) fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        "incident" => include_str!("../../../../fixtures/scenarios/incident.json"),
        "quiet" => include_str!("../../../../fixtures/scenarios/quiet.json"),
        "no-audit" => include_str!("../../../../fixtures/scenarios/no-audit.json"),
        "incomplete" => include_str!("../../../../fixtures/scenarios/incomplete.json"),
        "twin-titles" => include_str!("../../../../fixtures/scenarios/twin-titles.json"),
        "renamed-room" => include_str!("../../../../fixtures/scenarios/renamed-room.json"),
        "late-rows" => include_str!("../../../../fixtures/scenarios/late-rows.json"),
        "autumn" => include_str!("../../../../fixtures/scenarios/autumn.json"),
        "dense-second" => include_str!("../../../../fixtures/scenarios/dense-second.json"),
        "large" => include_str!("../../../../fixtures/scenarios/large.json"),
        "hostile" => include_str!("../../../../fixtures/scenarios/hostile.json"),
        "deleted-room" => include_str!("../../../../fixtures/scenarios/deleted-room.json"),
        "mass-change" => include_str!("../../../../fixtures/scenarios/mass-change.json"),
        "hidden-folders" => include_str!("../../../../fixtures/scenarios/hidden-folders.json"),
        "slow-attack" => include_str!("../../../../fixtures/scenarios/slow-attack.json"),
        "rescuer" => include_str!("../../../../fixtures/scenarios/rescuer.json"),
        "forty-at-once" => include_str!("../../../../fixtures/scenarios/forty-at-once.json"),
        "addresses" => include_str!("../../../../fixtures/scenarios/addresses.json"),
        "leaver" => include_str!("../../../../fixtures/scenarios/leaver.json"),
        "list-off-and-on" => include_str!("../../../../fixtures/scenarios/list-off-and-on.json"),
        "visitors" => include_str!("../../../../fixtures/scenarios/visitors.json"),
        "agent-twin" => include_str!("../../../../fixtures/scenarios/agent-twin.json"),
        "inactive" => include_str!("../../../../fixtures/scenarios/inactive.json"),
        "short-trail" => include_str!("../../../../fixtures/scenarios/short-trail.json"),
        "refused-sender" => include_str!("../../../../fixtures/scenarios/refused-sender.json"),
        _ => return None,
    })
}

/// The built-in scenario of this name as seen at `now`.
pub(super) fn load(name: &str, now: DateTime<Utc>) -> Option<Scenario> {
    text(name).map(|text| file::load(text, now).expect("built-in scenarios are valid; a test loads each"))
}
