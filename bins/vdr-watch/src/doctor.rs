//! What `doctor` says of this program: which rooms and people it would watch, the room it would make, its limits, and what it can never
//! see.

use ::report::words::{blind_spot, plural};
use audit_model::PortalText;
use docspace_client::{Area, Directory, Error, Room, Scopes};
use job_runner::names::{NamedList, unknown};
use job_runner::{Check, Reached};

use crate::config::{Config, Limits};
use crate::create_room::of_title;
use crate::rule::{BLIND_SPOTS, Limit, of_class};

/// `reached` is absent when the portal could not be asked.
pub(crate) async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(Reached { client, capabilities, rooms, .. }) = reached {
        checks.extend(config.create_room.as_ref().map(|title| created(title, rooms, &capabilities.scopes)));
        let nothing_asked_for = config.rooms.is_empty() && config.create_room.is_none();
        if nothing_asked_for && rooms.iter().all(|room| !room.fact.may_be_vdr()) {
            checks.push(none_to_watch());
        } else {
            checks.extend(watched(&config.rooms, rooms));
        }
        if !config.people.is_empty() {
            let mut directory = Directory::default();
            let read = directory.read_people(client).await;
            checks.extend(people(&config.people, read.map(|()| directory)));
        }
    }
    checks.push(limits(&config.limits));
    checks.push(never());
    checks
}

/// A run would end with 2 for the mistakes among these.
fn people(wanted: &[String], read: Result<Directory, Error>) -> Vec<Check> {
    const NAME: &str = "people";
    let directory = match read {
        Ok(directory) => directory,
        Err(error) => return vec![Check::failed(NAME, error)],
    };
    let unknown = unknown(&[NamedList::people(NAME, wanted)], &directory);
    if unknown.is_empty() {
        let text = format!("only findings about {} of {} people are reported", wanted.len(), directory.people.len());
        return vec![Check::warn(NAME, text, "take `people` out unless that is meant")];
    }
    unknown.iter().map(|unknown| Check::usage(NAME, unknown.to_string(), "look both up in the portal")).collect()
}

fn created(title: &str, rooms: &[Room], scopes: &Scopes) -> Check {
    const NAME: &str = "create_room";
    let shown = PortalText::new(title).for_terminal();
    let of_title = of_title(rooms, title);
    match of_title.first() {
        _ if of_title.iter().any(|room| !room.archived) => {
            Check::ok(NAME, format!("there is a virtual data room \"{shown}\""))
        }
        Some(room) => {
            let text = format!("the virtual data room {} is called \"{shown}\" and is archived", room.fact.id);
            Check::usage(NAME, text, "take it out of the archive, or choose another title")
        }
        None if scopes.can_write(Area::Rooms) => Check::ok(NAME, format!("the next run makes the room \"{shown}\"")),
        None => {
            let text = format!("the key may not make the room \"{shown}\"");
            Check::usage(NAME, text, "give it the permission `rooms:write` besides, or take `create_room` out")
        }
    }
}

fn none_to_watch() -> Check {
    Check::fail(
        "watched_rooms",
        "the key's account sees no virtual data room",
        "make one, or use the key of an account that sees them",
    )
}

fn watched(wanted: &[String], rooms: &[Room]) -> Vec<Check> {
    const NAME: &str = "watched_rooms";
    let data_rooms: Vec<&Room> = rooms.iter().filter(|room| room.fact.may_be_vdr()).collect();
    if wanted.is_empty() {
        return vec![Check::ok(NAME, format!("all virtual data rooms, {} at present", data_rooms.len()))];
    }
    let fits = |name: &String| data_rooms.iter().filter(|room| room.fact.is_meant_by(name)).count();
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
        let is_wanted = |room: &&&Room| wanted.iter().any(|name| room.fact.is_meant_by(name));
        let count = data_rooms.iter().filter(is_wanted).count();
        return vec![Check::ok(NAME, format!("{count} of {} virtual data rooms", data_rooms.len()))];
    }
    missing
}

fn limits(limits: &Limits) -> Check {
    let armed = limits.armed();
    let on = armed.iter().map(|limit| format!("{} {}", of_any_class(limit), limit.span.words()));
    let unusual = limits.at_unusual_hours();
    let unusual = unusual.map(|limit| format!("{} within 24 h outside the usual hours", of_any_class(&limit)));
    let share = limits.share_of_room;
    let share = (share > 0).then(|| format!("{share} % of its documents downloaded within 30 days"));
    let on: Vec<String> = on.chain(unusual).chain(share).collect();
    Check::ok("limits", format!("a person is reported for more than any of these in one room: {}", on.join(", ")))
}

fn of_any_class(limit: &Limit) -> String {
    match limit.class {
        Some(class) => of_class(class, limit.acts),
        None => plural(limit.acts, "action"),
    }
}

fn never() -> Check {
    let spots: Vec<&str> = BLIND_SPOTS.into_iter().map(blind_spot).collect();
    Check::ok("blind_spots", format!("no portal records {}", spots.join("; ")))
}

#[cfg(test)]
mod tests {
    use audit_model::{RoomFact, RoomId};
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
        Room { fact, archived: false, owner: None, files: None, folders: None }
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
    }

    #[test]
    fn limits_that_are_off_are_not_named() {
        let sharing = ClassLimits::default();
        let text = limits(&Limits {
            per_day: 0,
            whole_window: 500,
            unusual_hours: 0,
            share_of_room: 0,
            sharing,
            ..Limits::default()
        })
        .text;
        let expected =
            "20 actions within 1 h, 500 actions in the whole window, 10 deletions within 1 h, 30 deletions within 24 h";
        assert!(text.ends_with(expected), "{text}");
        let text = limits(&Limits { share_of_room: 80, ..Limits::default() }).text;
        for part in ["20 actions within 24 h outside the usual hours", "80 % of its documents downloaded"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
