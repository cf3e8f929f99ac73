//! What `doctor` says of this program: which rooms it would watch, its limits, and what it can never see. Pure.

use audit_model::{PortalText, RoomId};
use docspace_client::{Area, Room, Scopes};
use job_runner::{Check, Reached};

use crate::config::{Config, Limit, Limits};
use crate::report::blind_spot;
use crate::rule::{of_class, plural};
use crate::run::BLIND_SPOTS;

/// `reached` is absent when the portal could not be asked.
pub(crate) fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(Reached { capabilities, rooms, .. }) = reached {
        checks.extend(watched(&config.rooms, rooms));
        checks.extend(config.create_room.as_ref().map(|title| making(title, rooms, &capabilities.scopes)));
    }
    checks.push(limits(&config.limits));
    checks.push(never());
    checks
}

/// Whether a room that is missing can be made. Whether the portal's plan allows another one shows only then.
fn making(title: &str, rooms: &[Room], scopes: &Scopes) -> Check {
    const NAME: &str = "create_room";
    if rooms.iter().any(|room| !room.archived && room.fact.may_be_vdr() && room.fact.title.raw() == title) {
        Check::ok(NAME, "the room is there")
    } else if scopes.can_write(Area::Rooms) {
        Check::ok(NAME, "the room is missing; the next run makes it")
    } else {
        let remedy = "make a key with `rooms:write` besides `*:read`";
        Check::fail(NAME, "the room is missing, and the key may not make it", remedy)
    }
}

fn watched(wanted: &[String], rooms: &[Room]) -> Vec<Check> {
    const NAME: &str = "watched_rooms";
    let data_rooms: Vec<&Room> = rooms.iter().filter(|room| room.fact.may_be_vdr()).collect();
    if data_rooms.is_empty() {
        return vec![Check::fail(
            NAME,
            "the key's account sees no virtual data room",
            "make one, or use the key of an account that sees them",
        )];
    }
    if wanted.is_empty() {
        return vec![Check::ok(NAME, format!("all virtual data rooms, {} at present", data_rooms.len()))];
    }
    let fits = |name: &String| {
        data_rooms
            .iter()
            .filter(|room| room.fact.id == RoomId::from(name.as_str()) || room.fact.title.raw() == name)
            .count()
    };
    let missing = wanted.iter().filter(|name| fits(name) == 0).map(|name| {
        let shown = PortalText::new(name.as_str()).for_terminal();
        Check::usage(
            NAME,
            format!("no virtual data room has the id or the exact title `{shown}`"),
            "look both up in the portal",
        )
    });
    let missing: Vec<Check> = missing.collect();
    if missing.is_empty() {
        let count: usize = wanted.iter().map(fits).sum();
        return vec![Check::ok(NAME, format!("{count} of {} virtual data rooms", data_rooms.len()))];
    }
    missing
}

fn limits(limits: &Limits) -> Check {
    let armed = limits.armed();
    let on: Vec<String> = armed.iter().map(|limit| format!("{} {}", of_any_class(limit), limit.span.words())).collect();
    Check::ok("limits", format!("a person is reported after more in one room than {}", on.join(", ")))
}

fn of_any_class(limit: &Limit) -> String {
    match limit.class {
        Some(class) => of_class(class, limit.acts),
        None => plural(limit.acts, "act"),
    }
}

fn never() -> Check {
    let spots: Vec<&str> = BLIND_SPOTS.into_iter().map(blind_spot).collect();
    Check::ok("blind_spots", format!("no portal records {}", spots.join("; ")))
}

#[cfg(test)]
mod tests {
    use audit_model::RoomFact;
    use job_runner::CheckState;

    use super::*;
    use crate::config::ClassLimits;

    fn room(id: i64, title: &str, room_type: i32) -> Room {
        let fact = RoomFact {
            id: RoomId::Number(id),
            title: PortalText::new(title),
            room_type: Some(room_type),
            created: None,
        };
        Room { fact, archived: false, owner: None }
    }

    #[test]
    fn wanted_rooms_must_be_virtual_data_rooms() {
        let rooms = [room(71, "Falcon", 8), room(72, "Office", 2)];
        let seen = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            watched(&wanted, &rooms).into_iter().map(|check| check.state).collect::<Vec<_>>()
        };
        assert_eq!(seen(&[]), [CheckState::Ok]);
        assert_eq!(seen(&["71"]), [CheckState::Ok]);
        assert_eq!(seen(&["Falcon"]), [CheckState::Ok]);
        assert_eq!(seen(&["72", "Falcon", "falcon"]), [CheckState::Fail, CheckState::Fail]);
        assert_eq!(watched(&[], &rooms[1..])[0].state, CheckState::Fail);
    }

    #[test]
    fn limits_that_are_off_are_not_named() {
        let sharing = ClassLimits::default();
        let text = limits(&Limits { per_day: 0, whole_window: 500, sharing, ..Limits::default() }).text;
        let expected =
            "20 acts within 1 h, 500 acts in the whole window, 10 deletions within 1 h, 30 deletions within 24 h";
        assert!(text.ends_with(expected), "{text}");
    }
}
