//! What to do about a finding.

pub(super) mod german;

use audit_model::{Finding, GUEST_ACCOUNT, Person, PersonStatus, PortalRole, PortalText, RoomId, RoomRole};
use chrono::TimeDelta;
use report::{Block, Details, Line, line};

use super::Report;
use crate::rule::Found;

/// So many days an exclusion lasts that the report offers.
const EXCLUDED_FOR: TimeDelta = TimeDelta::days(14);

/// What can be done about somebody, depending on who it is and where. Whoever is asked first is warned. `record` is what it stands in.
pub(super) fn what_to_do(Found { finding, detail }: &Found, record: &str) -> Vec<Line> {
    let (person, room) = (&finding.person, finding.room.as_ref());
    let name = Line::name(&person.name);
    let role = person.room_role.as_ref();
    let is_open = room.is_some_and(|room| room.id.is_none());
    let is_named = room.is_some_and(|room| !room.candidates.is_empty());
    let owners: Line = match role {
        Some(RoomRole::RoomGone) => "whoever owned the room".into(),
        _ if is_named => "the owners of these rooms".into(),
        _ if is_open => "whoever owns or owned a room of this title".into(),
        _ => line!["the room's owner", detail.room_owner.as_ref().map(called).unwrap_or_default()],
    };
    let ask = match role {
        _ if person.id == GUEST_ACCOUNT => line!["ask ", owners, " whether this was agreed"],
        Some(RoomRole::Owner) => {
            let whom = match person.role {
                Some(PortalRole::Owner | PortalRole::DocspaceAdmin) => "another admin of the portal",
                _ => "an admin of the portal, or another manager of the room",
            };
            line!["ask ", whom, ", and not ", name, ", who owns the room, whether this was agreed"]
        }
        _ => line!["ask ", owners, ", and not ", name, ", whether this was agreed"],
    };
    // who fills a room, or writes in it with others, takes nothing away
    let stop = (!detail.takes_nothing).then(|| line!["if it still goes on, ", stop(person)]);
    let mut steps: Vec<Line> = stop.into_iter().chain([ask, format!("keep this {record}").into()]).collect();
    match role {
        Some(RoomRole::RoomGone) => {}
        _ if is_named => steps.push("look at the rooms".into()),
        _ if is_open => {}
        _ => steps.push("look at the room".into()),
    }
    steps
}

/// ` (Bob Ray <bob@example.com>)`
fn called(owner: &Person) -> Line {
    let address = owner.email.as_ref().map(|email| line![" <", Line::name(email), ">"]).unwrap_or_default();
    line![" (", Line::name(&owner.name), address, ")"]
}

fn stop(person: &Person) -> String {
    if person.id == GUEST_ACCOUNT {
        return "take back the links that let people in without an account".to_owned();
    }
    let is_disabled = person.status == Some(PersonStatus::Disabled);
    let account = match person.role {
        Some(PortalRole::Owner) => "reset the password and end the sessions of the portal's owner",
        _ if is_disabled => "leave the account disabled",
        _ => "disable the account",
    };
    let leave = match person.room_role {
        Some(RoomRole::NoMember | RoomRole::Owner | RoomRole::RoomGone) => "",
        _ if is_disabled => "take the person out of the room and ",
        _ => "take the person out of the room or ",
    };
    format!("{leave}{account}")
}

/// What to put into the settings when it was expected; nothing where it is open whom or which room that would cover.
pub(super) fn exclusion(report: &Report, finding: &Finding) -> Option<Details> {
    let room = finding.room.as_ref()?.id.as_ref()?;
    let is_gone = finding.person.room_role == Some(RoomRole::RoomGone);
    if finding.person.id == GUEST_ACCOUNT || is_gone {
        return None;
    }
    // an address is easier to read, an id needs no quoting
    let is_plain = |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || "@._+-".contains(c));
    let id = finding.person.id.to_string();
    let person = finding.person.email.as_ref().map(PortalText::raw).filter(is_plain).unwrap_or(&id);
    let RoomId::Number(room) = room else { return None };
    let until = (report.head.window.until + EXCLUDED_FOR).date_naive();
    let lines = [
        "[[exclude]]".to_owned(),
        format!("people = [\"{person}\"]"),
        format!("rooms = [\"{room}\"]"),
        // without one the settings are refused
        "reason = \"\"".to_owned(),
        format!("until = \"{until}\""),
    ];
    let summary = "Was it expected? Then put this into the settings, and write who agreed to it and why".into();
    Some(Details { summary, blocks: vec![Block::Quote(lines.into_iter().map(Line::from).collect())] })
}
