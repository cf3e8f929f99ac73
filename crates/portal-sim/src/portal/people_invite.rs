//! Invitations to the portal, and making groups.

use uuid::Uuid;

use super::Change;
use super::files::read;
use super::groups;
use super::json_body::{Class, Shape, Value};
use super::people::{full, short};
use super::people_change::{MEMBERS, demand_seat};
use super::people_list::{TYPES, is_address};
use super::reply::{Answer, Failure};
use crate::json::Json;
use crate::scenario::{Group, Person, PersonKind};

const INVITATION: Shape = Shape::Object(&Class {
    name: "ASC.People.ApiModels.RequestDto.UserInvitation",
    members: &[("email", Shape::Text), ("type", Shape::Named { class: "ASC.Core.Users.EmployeeType", names: TYPES })],
    required: &[],
});
const INVITE: Shape = Shape::Object(&Class {
    name: "ASC.People.ApiModels.RequestDto.InviteUsersRequestDto",
    members: &[
        (
            "invitations",
            Shape::List {
                class: "System.Collections.Generic.List`1[ASC.People.ApiModels.RequestDto.UserInvitation]",
                item: &INVITATION,
            },
        ),
        ("culture", Shape::Text),
    ],
    required: &[],
});

/// `POST people/invite`: accounts without names that have not come yet; short people, counted as one.
pub(super) fn invite(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let body = read(change, &INVITE, "", |binder, body| {
        if matches!(body, Value::Object(_)) && *body.get("invitations") == Value::Null {
            binder.error("Invitations", "The Invitations field is required.".to_owned());
        }
        for (index, invitation) in body.get("invitations").items().iter().enumerate() {
            if invitation.get("email").text().is_some_and(|email| !is_address(email)) {
                let text = "The Email field is not a valid e-mail address.".to_owned();
                binder.error(&format!("Invitations[{index}].Email"), text);
            }
        }
    })?;
    demand_inviter(change)?;
    let mut people = Vec::new();
    for invitation in body.get("invitations").items() {
        if *invitation == Value::Null {
            return Err(Failure::null_reference());
        }
        let Some(email) = invitation.get("email").text().filter(|email| !email.is_empty()) else { continue };
        if change.scenario.person_by_email(email).is_some() {
            continue;
        }
        let kind = match invitation.get("type").int() {
            Some(1) => PersonKind::RoomAdmin,
            Some(2) => PersonKind::Guest,
            Some(3) => PersonKind::Admin,
            _ => PersonKind::User,
        };
        let mut person = Person::new(email, "", "").kind(kind);
        person.status = 4;
        demand_seat(change.scenario, &person)?;
        change.scenario.people.push(person.clone());
        sent(change, &person);
        people.push(person);
    }
    Ok(Answer::one(Json::List(people.iter().map(|person| short(change.base, person)).collect())))
}

/// `PUT people/invite`: the invitation again, to those who have not come yet.
pub(super) fn invite_again(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let body = read(change, &MEMBERS, "", |_, _| {})?;
    demand_inviter(change)?;
    let all = body.get("resendAll").bool().unwrap_or_default();
    let ids: Vec<Uuid> = body.get("userIds").items().iter().filter_map(Value::guid).collect();
    let people = change.scenario.people.iter().filter(|person| person.status == 4);
    let people: Vec<Person> = people.filter(|person| all || ids.contains(&person.id)).cloned().collect();
    for person in &people {
        sent(change, person);
    }
    let context = change.context();
    Ok(Answer::one(Json::List(people.iter().map(|person| full(&context, person, false)).collect())))
}

/// The row about an invitation by mail.
fn sent(change: &mut Change<'_>, person: &Person) {
    change.write_row(4037, |mut event| {
        event.target = vec![person.id.to_string()];
        event.texts = vec![person.email.clone()];
        event
    });
}

fn demand_inviter(change: &Change<'_>) -> Result<(), Failure> {
    match change.person()?.kind {
        PersonKind::User | PersonKind::Guest => Err(Failure::security()),
        _ => Ok(()),
    }
}

const GROUP: Shape = Shape::Object(&Class {
    name: "ASC.People.ApiModels.RequestDto.GroupRequestDto",
    members: &[
        ("groupManager", Shape::Guid { nullable: false }),
        ("groupName", Shape::Text),
        (
            "members",
            Shape::List {
                class: "System.Collections.Generic.IEnumerable`1[System.Guid]",
                item: &Shape::Guid { nullable: false },
            },
        ),
    ],
    required: &[],
});

/// `POST group`: for administrators; guests cannot be put into a group.
pub(super) fn make_group(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let body = read(change, &GROUP, "", |_, _| {})?;
    change.context().caller.demand_admin()?;
    let name = body.get("groupName").text().map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::null_argument("groupName"))?;
    let manager = body.get("groupManager").guid().filter(|id| !id.is_nil());
    let mut members: Vec<Uuid> = body.get("members").items().iter().filter_map(Value::guid).chain(manager).collect();
    members.sort_unstable();
    members.dedup();
    let is_member = |id: &Uuid| change.scenario.person(*id).is_some_and(|person| person.kind != PersonKind::Guest);
    if !members.iter().all(is_member) {
        return Err(Failure::security());
    }
    let group = Group { id: change.scenario.next_id(57), name: name.to_owned(), manager, members };
    change.scenario.content.groups.push(group.clone());
    change.write_row(4026, |mut event| {
        event.target = vec![group.id.to_string()];
        event.texts = vec![group.name.clone()];
        event
    });
    groups::one(&change.context(), group.id)
}
