//! Members of rooms: who has which right, through whom, and changing it.

use serde_json::json;
use uuid::Uuid;

use super::files::read;
use super::json_body::{Class, Shape, Value};
use super::people::caller;
use super::people_list::is_address;
use super::person_shape::full;
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Change, Context, groups, page, person_shape, rights};
use crate::actions::Names;
use crate::json::{Json, length};
use crate::scenario::{EVERYONE, Group, Person, PersonKind, Room, Share};
use crate::version::Ability;

const FILTERS: Names = &[
    ("UserOrGroup", 0),
    ("InvitationLink", 1),
    ("ExternalLink", 2),
    ("AdditionalExternalLink", 4),
    ("PrimaryExternalLink", 8),
    ("Link", 15),
    ("User", 16),
    ("Group", 32),
];
/// The filter bits that ask for links; rooms have none here.
const LINKS: i32 = 15;
/// The longest e-mail address of an invitation.
const MAX_EMAIL: usize = 255;

/// A line of the member list.
enum Subject {
    Person(Person),
    Group(Group),
}

/// The rights that may be given in a room of this type; to groups the same without room manager.
fn offered(room_type: i32) -> &'static [i32] {
    match room_type {
        8 => &[9, 11, 10, 2, 7],
        5 => &[9, 11, 10, 5, 6, 2],
        6 => &[9, 11],
        1 => &[9, 11, 7],
        _ => &[9, 11, 10, 2],
    }
}

/// The name of a right, as the texts of events have it.
fn role(access: i32) -> &'static str {
    match access {
        1 => "Full Access",
        2 => "Viewer",
        5 => "Reviewer",
        6 => "Commenter",
        7 => "Form filler",
        9 => "Room Manager",
        10 => "Editor",
        11 => "Content Creator",
        _ => "No access",
    }
}

/// The lines of a room in the portal's order: the owner, managers, groups, other people, guests, invited ones.
fn lines(context: &Context<'_>, room: &Room) -> Vec<(Subject, i32)> {
    let scenario = context.scenario;
    let mut rows: Vec<(Subject, i32)> = Vec::new();
    for id in &room.members {
        if let Some(person) = scenario.person(*id).filter(|person| person.id != room.owner) {
            rows.push((Subject::Person(person.clone()), scenario.access_in(*id, room)));
        }
    }
    for share in scenario.content.shares.iter().filter(|share| share.room == room.id) {
        if let Some(group) = groups::find(scenario, share.subject) {
            rows.push((Subject::Group(group), share.access));
        }
    }
    rows.sort_by_key(|(subject, access)| match subject {
        Subject::Person(_) if *access == 9 => (0, *access, String::new()),
        Subject::Group(group) => (1, *access, group.name.to_lowercase()),
        Subject::Person(person) if person.status == 4 => (4, *access, person.email.to_lowercase()),
        Subject::Person(person) if person.kind == PersonKind::Guest => (3, *access, person.first_name.to_lowercase()),
        Subject::Person(person) => (2, *access, person.first_name.to_lowercase()),
    });
    if let Some(owner) = scenario.person(room.owner) {
        rows.insert(0, (Subject::Person(owner.clone()), 1));
    }
    rows
}

/// One line as an object. `sharedTo` repeats the subject.
fn line(context: &Context<'_>, room: &Room, subject: &Subject, access: i32) -> Json {
    let me = context.caller.person();
    let edits = me.is_some_and(|me| rights::rights(context.scenario, me, room.id).manage);
    let both = context.scenario.can(Ability::SharedToMembers);
    let (copy, user, group, is_owner, own, kind) = match subject {
        Subject::Person(person) => {
            let object = full(context, person, false);
            let own = me.is_some_and(|me| me.id == person.id);
            (object.clone(), object, Json::Absent, person.id == room.owner, own, 0)
        }
        Subject::Group(group) => {
            let object = person_shape::group(context.scenario, group);
            (object.clone(), Json::Absent, object, false, false, 2)
        }
    };
    Json::object([
        ("access", access.into()),
        ("sharedTo", copy),
        ("sharedToUser", if both { user } else { Json::Absent }),
        ("sharedToGroup", if both { group } else { Json::Absent }),
        ("isLocked", (own && !is_owner).into()),
        ("isOwner", is_owner.into()),
        ("canEditAccess", (edits && !is_owner && !own).into()),
        ("canEditInternal", false.into()),
        ("canEditDenyDownload", false.into()),
        ("canEditExpirationDate", false.into()),
        ("canRevoke", false.into()),
        ("subjectType", kind.into()),
    ])
}

/// The room; one that is not there is a 404 here.
fn room<'a>(context: &Context<'a>, id: Option<i32>) -> Result<&'a Room, Failure> {
    id.and_then(|id| context.scenario.room(id)).ok_or_else(|| Failure::not_found("Item not found"))
}

/// `GET files/rooms/{id}/share`: without the right an empty list, not a refusal.
pub(super) fn list(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let filter = binder.flags("filterType", FILTERS).unwrap_or(0);
    let text = binder.text("filterValue").map(|text| text.trim().to_lowercase());
    let (count, start) = (binder.count(), binder.start_index());
    binder.done()?;
    let person = caller(context)?;
    let room = room(context, id)?;
    let links_only = filter & LINKS != 0;
    if links_only || !context.scenario.may_read(person, room) {
        return Ok(Answer { response: Json::List(Vec::new()), count: 0, total: Some(0) });
    }
    let contains = |value: &str| text.as_ref().is_none_or(|text| value.to_lowercase().contains(text));
    let mut rows = lines(context, room);
    rows.retain(|(subject, _)| match subject {
        Subject::Person(person) => {
            (filter == 0 || filter & 16 != 0)
                && (contains(&person.first_name) || contains(&person.last_name) || contains(&person.email))
        }
        Subject::Group(group) => (filter == 0 || filter & 32 != 0) && contains(&group.name),
    });
    let total = length(rows.len());
    let rows: Vec<Json> =
        page(rows, start, count).iter().map(|(subject, access)| line(context, room, subject, *access)).collect();
    // negative past the end
    let shown = (total - i64::from(start.max(0))).min(length(count));
    Ok(Answer { response: Json::List(rows), count: shown, total: Some(total) })
}

/// `GET files/folder/{id}/group/{groupId}/share`: the people of a group, with the rights they have in the room.
pub(super) fn of_group(context: &Context<'_>, id: i32, group: Uuid) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let text = binder.text("filterValue").map(|text| text.trim().to_lowercase());
    let (count, start) = (binder.count(), binder.start_index());
    binder.done()?;
    let person = caller(context)?;
    if person.kind == PersonKind::Guest {
        return Err(Failure::security());
    }
    let scenario = context.scenario;
    let nothing = |total| Ok(Answer { response: Json::List(Vec::new()), count: total, total: Some(total) });
    let Some(room) = scenario.room(id).filter(|room| scenario.may_read(person, room)) else { return nothing(0) };
    // built-in groups have no stored members
    let Some(group) = scenario.content.groups.iter().find(|known| known.id == group) else { return nothing(0) };
    let Some(share) = scenario.content.shares.iter().find(|share| share.room == id && share.subject == group.id) else {
        return nothing(length(group.members.len()));
    };
    let contains = |value: &str| text.as_ref().is_none_or(|text| value.to_lowercase().contains(text));
    let mut people: Vec<&Person> = group.members.iter().filter_map(|id| scenario.person(*id)).collect();
    people.retain(|person| contains(&person.first_name) || contains(&person.last_name) || contains(&person.email));
    people.sort_by_key(|person| (person.first_name.to_lowercase(), person.id));
    let total = length(people.len());
    let manages = rights::rights(scenario, person, id).manage;
    let rows: Vec<Json> = page(people, start, count)
        .into_iter()
        .map(|member| {
            let owner = member.id == room.owner;
            let own = (owner || room.members.contains(&member.id)).then(|| scenario.access_in(member.id, room));
            let own = if owner { Some(9) } else { own };
            Json::object([
                ("user", full(context, member, false)),
                ("groupAccess", share.access.into()),
                ("userAccess", own.into()),
                ("overridden", (own.is_some() && !owner).into()),
                ("canEditAccess", (manages && !owner).into()),
                ("owner", owner.into()),
            ])
        })
        .collect();
    Ok(Answer { count: length(rows.len()), response: Json::List(rows), total: Some(total) })
}

const INVITATION: Shape = Shape::Object(&Class {
    members: &[("id", Shape::Guid), ("access", Shape::Access), ("email", Shape::Text)],
    required: &[],
});
const INVITATIONS: Shape = Shape::Object(&Class {
    members: &[
        ("invitations", Shape::List { item: &INVITATION }),
        ("notify", Shape::Bool { nullable: false }),
        ("message", Shape::Text),
        ("culture", Shape::Text),
        ("force", Shape::Bool { nullable: false }),
    ],
    required: &[],
});

/// `PUT files/rooms/{id}/share`
pub(super) fn change(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let body = read(change, &INVITATIONS, "RoomInvitation", |binder, body| {
        for (index, invitation) in body.get("invitations").items().iter().enumerate() {
            let Some(email) = invitation.get("email").text() else { continue };
            let key = format!("RoomInvitation.Invitations[{index}].Email");
            if !is_address(email) {
                binder.error(&key, "The Email field is not a valid e-mail address.".to_owned());
            }
            if email.chars().count() > MAX_EMAIL {
                let text =
                    format!("The field Email must be a string or array type with a maximum length of '{MAX_EMAIL}'.");
                binder.error(&key, text);
            }
        }
    })?;
    let invitations = body.get("invitations").items();
    if invitations.is_empty() {
        // the room is not even looked up
        return Ok(Answer::one(Json::object([("error", 0.into())])));
    }
    if invitations.contains(&Value::Null) {
        return Err(Failure::null_reference());
    }
    let caller = change.person()?;
    let context = change.context();
    let room = room(&context, id)?.clone();
    let manages = rights::rights(change.scenario, &caller, room.id).manage;
    let mut wanted: Vec<(Option<Uuid>, Option<String>, i32)> = Vec::new();
    for invitation in invitations {
        let access = i32::try_from(invitation.get("access").int().unwrap_or(0)).unwrap_or(0);
        let email = invitation.get("email").text();
        let known = email.and_then(|email| change.scenario.person_by_email(email)).map(|person| person.id);
        let subject = if email.is_some() { known } else { invitation.get("id").guid() };
        let own_exit = subject == Some(caller.id) && access == 0;
        if !manages && !own_exit {
            return Err(Failure::security());
        }
        check_access(change, &room, subject, access)?;
        wanted.push((subject, email.map(str::to_owned), access));
    }
    let mut touched: Vec<Uuid> = Vec::new();
    for (subject, email, access) in wanted {
        let subject = match (subject, email) {
            (Some(subject), _) => subject,
            (None, Some(email)) if access != 0 => invite(change, &email),
            (None, _) => continue,
        };
        if apply(change, &room, subject, access) {
            touched.push(subject);
        }
    }
    let context = change.context();
    let room = context.scenario.room(room.id).ok_or_else(Failure::null_reference)?;
    let mut rows = lines(&context, room);
    rows.retain(|(subject, _)| {
        touched.contains(match subject {
            Subject::Person(person) => &person.id,
            Subject::Group(group) => &group.id,
        })
    });
    let members = rows.iter().map(|(subject, access)| line(&context, room, subject, *access)).collect();
    Ok(Answer::one(Json::object([("members", Json::List(members)), ("error", 0.into())])))
}

/// Whether the room offers this right, to people and groups each.
fn check_access(change: &Change<'_>, room: &Room, subject: Option<Uuid>, access: i32) -> Result<(), Failure> {
    let person = subject.and_then(|id| change.scenario.person(id));
    let group = person.is_none() && subject.is_some_and(|id| groups::find(change.scenario, id).is_some());
    let fits = access == 0 || (offered(room.room_type).contains(&access) && !(group && access == 9));
    let simple = person.is_some_and(|person| matches!(person.kind, PersonKind::User | PersonKind::Guest));
    if fits && !(simple && access == 9) { Ok(()) } else { Err(Failure::security()) }
}

/// Makes the account of somebody who is invited by e-mail: a guest without names who has not come yet.
fn invite(change: &mut Change<'_>, email: &str) -> Uuid {
    let mut person = Person::new(email, "", "").kind(PersonKind::Guest);
    person.status = 4;
    let id = person.id;
    change.scenario.people.push(person);
    id
}

/// Gives or takes a right and writes the row about it; `false` when there was nothing to do.
fn apply(change: &mut Change<'_>, room: &Room, subject: Uuid, access: i32) -> bool {
    let person = change.scenario.person(subject).cloned();
    // for a disabled person only removal is processed
    if subject == room.owner || (access != 0 && person.as_ref().is_some_and(|person| person.status == 2)) {
        return false;
    }
    let shares = &change.scenario.content.shares;
    let before = match &person {
        Some(_) if room.members.contains(&subject) => change.scenario.access_in(subject, room),
        Some(_) => 0,
        None => shares.iter().find(|share| share.room == room.id && share.subject == subject).map_or(0, |s| s.access),
    };
    if before == access {
        return access != 0;
    }
    let Some(group) = person.is_none().then(|| groups::find(change.scenario, subject)) else {
        let name = person.map(|person| if person.status == 4 { person.email } else { person.display_name() });
        let action = match (before, access) {
            (0, _) => 5085,
            (_, 0) => 5084,
            _ => 5075,
        };
        change.scenario.share(Share { room: room.id, subject, access });
        membership_row(change, action, room.id, (subject, &name.unwrap_or_default()), (before, access));
        return true;
    };
    let Some(group) = group else { return false };
    let action = match (before, access) {
        (0, _) => 5094,
        (_, 0) => 5096,
        _ => 5095,
    };
    change.scenario.share(Share { room: room.id, subject, access });
    membership_row(change, action, room.id, (subject, &group.name), (before, access));
    true
}

/// The row about a changed membership: the name, and the new role when there is one.
fn membership_row(
    change: &mut Change<'_>,
    action: i32,
    room: i32,
    (subject, name): (Uuid, &str),
    (before, access): (i32, i32),
) {
    let mut more = match action {
        5094..=5096 => vec![("GroupId", json!(subject)), ("IsSystem", json!(subject == EVERYONE))],
        _ => vec![("UserIds", json!([subject]))],
    };
    if matches!(action, 5075 | 5095) {
        more.push(("OldAccess", json!(role(before))));
    }
    let texts: &[&str] = if access == 0 { &[name] } else { &[name, role(access)] };
    change.room_row(action, room, texts, &more);
}
