//! The same in German, for messages.

use audit_model::{GUEST_ACCOUNT, Person, PersonStatus, PortalRole, RoomRole};
use report::{Line, line};

use super::called;
use crate::rule::Found;

/// What can be done about somebody: as many steps as in English, in the same order.
pub(in crate::report) fn what_to_do(Found { finding, detail }: &Found) -> Vec<Line> {
    let (person, room) = (&finding.person, finding.room.as_ref());
    let name = Line::name(&person.name);
    let role = person.room_role.as_ref();
    let is_open = room.is_some_and(|room| room.id.is_none());
    let is_named = room.is_some_and(|room| !room.candidates.is_empty());
    let owners: Line = match role {
        Some(RoomRole::RoomGone) => "den früheren Eigentümer des Raums".into(),
        _ if is_named => "die Eigentümer dieser Räume".into(),
        _ if is_open => "die Eigentümer der Räume, die diesen Titel haben oder hatten".into(),
        _ => line!["den Eigentümer des Raums", detail.room_owner.as_ref().map(called).unwrap_or_default()],
    };
    let ask = match role {
        _ if person.id == GUEST_ACCOUNT => line!["Fragen Sie ", owners, ", ob das vereinbart war"],
        Some(RoomRole::Owner) => {
            let whom = match person.role {
                Some(PortalRole::Owner | PortalRole::DocspaceAdmin) => "einen anderen Administrator des Portals",
                _ => "einen Administrator des Portals oder einen anderen Manager des Raums",
            };
            line!["Fragen Sie ", whom, ", ob das vereinbart war, und nicht ", name, ": Dieser Person gehört der Raum"]
        }
        _ => line!["Fragen Sie ", owners, ", ob das vereinbart war, und nicht ", name],
    };
    let stop = (!detail.takes_nothing).then(|| line!["Wenn es noch andauert, ", stop(person)]);
    let keep = "Bewahren Sie diese Nachricht auf".into();
    let look = match role {
        Some(RoomRole::RoomGone) => None,
        _ if is_named => Some("Sehen Sie sich die Räume an".into()),
        _ if is_open => None,
        _ => Some("Sehen Sie sich den Raum an".into()),
    };
    stop.into_iter().chain([ask, keep]).chain(look).collect()
}

fn stop(person: &Person) -> String {
    if person.id == GUEST_ACCOUNT {
        return "ziehen Sie die Links zurück, die ohne Konto hineinführen".to_owned();
    }
    let is_disabled = person.status == Some(PersonStatus::Disabled);
    let account = match person.role {
        Some(PortalRole::Owner) => {
            "setzen Sie das Passwort des Eigentümers des Portals zurück und beenden Sie seine Sitzungen"
        }
        _ if is_disabled => "lassen Sie das Konto deaktiviert",
        _ => "deaktivieren Sie das Konto",
    };
    let leave = match person.room_role {
        Some(RoomRole::NoMember | RoomRole::Owner | RoomRole::RoomGone) => "",
        _ if is_disabled => "nehmen Sie die Person aus dem Raum und ",
        _ => "nehmen Sie die Person aus dem Raum oder ",
    };
    format!("{leave}{account}")
}
