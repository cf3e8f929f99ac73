//! Changes of accounts: disabling and enabling, cutting sessions.

use uuid::Uuid;

use super::Change;
use super::files::read;
use super::json_body::{Class, Shape, Value};
use super::people;
use super::people_list::{STATUSES, is_address};
use super::person_shape::full;
use super::query::Binder;
use super::reply::{Answer, Failure};
use crate::json::Json;
use crate::scenario::{Person, PersonKind, Scenario};
use crate::version::Ability;

const GUIDS: Shape = Shape::List { item: &Shape::Guid };
pub(super) const MEMBERS: Shape = Shape::Object(&Class {
    members: &[("userIds", GUIDS), ("resendAll", Shape::Bool { nullable: false })],
    required: &[],
});

/// `PUT people/status/{status}`: all of them or none, then one after the other. Older portals skip whom they may not
/// change.
pub(super) fn status(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let value = change.path.split('/').nth(2).unwrap_or_default();
    let status = binder.flags_value("status", "Status", value, STATUSES);
    let body = binder.json(change.body, &MEMBERS, "UpdateMembers");
    binder.done()?;
    let strict = change.scenario.can(Ability::StrictStatus);
    let status = status.filter(|status| matches!(status, 1 | 2));
    if strict && status.is_none() {
        return Err(Failure::argument("Incorrect status"));
    }
    let caller = change.person()?;
    if !caller.kind.is_admin() {
        return Err(Failure::security());
    }
    let Value::List(sent) = body.get("userIds") else { return Err(Failure::null_argument("source")) };
    let ids: Vec<Uuid> = sent.iter().filter_map(Value::guid).collect();
    let protected = |id: &Uuid| {
        change.scenario.person(*id).is_none_or(|person| {
            person.kind == PersonKind::Owner
                || person.id == caller.id
                || person.is_ldap
                || (person.kind == PersonKind::Admin && caller.kind != PersonKind::Owner)
        })
    };
    if strict && ids.iter().any(protected) {
        return Err(Failure::security());
    }
    let open: Vec<Uuid> = ids.iter().copied().filter(|id| !protected(id)).collect();
    for id in open {
        let Some(person) = change.scenario.person(id).cloned() else { continue };
        if status == Some(2) {
            set_status(change.scenario, id, 2);
            change.write_row(6032, |event| event);
        } else if status == Some(1) && person.status == 2 {
            demand_seat(change.scenario, &person)?;
            // somebody who never came goes back to being invited
            let invited = person.first_name.is_empty() && person.last_name.is_empty();
            set_status(change.scenario, id, if invited { 4 } else { 1 });
        }
    }
    let names = ids.iter().filter_map(|id| change.scenario.person(*id)).map(Person::display_name);
    let names = names.collect::<Vec<_>>().join(", ");
    change.write_row(4020, |mut event| {
        event.target = ids.iter().map(Uuid::to_string).collect();
        event.texts = vec![names];
        event
    });
    let context = change.context();
    // older portals leave accounts of a directory out, too
    let rows = ids.iter().filter_map(|id| context.scenario.person(*id)).filter(|person| strict || !person.is_ldap);
    let rows = rows.map(|person| full(&context, person, false));
    // streamed: the count says 1 whatever the array holds
    Ok(Answer::one(Json::List(rows.collect())))
}

fn set_status(scenario: &mut Scenario, id: Uuid, status: i32) {
    if let Some(person) = scenario.people.iter_mut().find(|person| person.id == id) {
        person.status = status;
    }
}

/// Whether one more account of this kind may be active.
pub(super) fn demand_seat(scenario: &Scenario, person: &Person) -> Result<(), Failure> {
    let pays = |person: &Person| matches!(person.kind, PersonKind::Owner | PersonKind::Admin | PersonKind::RoomAdmin);
    let counts = |other: &&Person| matches!(other.status, 1 | 4) && pays(other) == pays(person);
    let taken = scenario.people.iter().filter(counts).count();
    let quota = scenario.content.quota;
    if taken < if pays(person) { quota.paid_seats } else { quota.free_seats } {
        return Ok(());
    }
    Err(Failure::quota("The number of users exceeds the maximum allowed by your tariff"))
}

const UPDATE: Shape = Shape::Object(&Class {
    members: &[
        ("userId", Shape::Text),
        ("disable", Shape::Bool { nullable: true }),
        ("email", Shape::Text),
        ("isUser", Shape::Bool { nullable: true }),
        ("firstName", Shape::Text),
        ("lastName", Shape::Text),
        ("department", Shape::List { item: &Shape::Guid }),
        ("location", Shape::Text),
        ("comment", Shape::Text),
    ],
    required: &[],
});

/// `PUT people/{userid}`: for somebody else only `disable` does anything.
pub(super) fn update(change: &mut Change<'_>, name: &str) -> Result<Answer, Failure> {
    let body = read(change, &UPDATE, "UpdateMember", |binder, body| {
        if body.get("email").text().is_some_and(|email| !is_address(email)) {
            binder.error("UpdateMember.Email", "The Email field is not a valid e-mail address.".to_owned());
        }
    })?;
    let caller = change.person()?;
    let person = people::by_name(change.scenario, name)
        .ok_or_else(|| Failure::not_found("The user could not be found"))?
        .clone();
    let own = person.id == caller.id;
    let strict = change.scenario.can(Ability::StrictDisable);
    let equal = person.kind == PersonKind::Admin && caller.kind != PersonKind::Owner;
    if !own && (!caller.kind.is_admin() || person.kind == PersonKind::Owner || (strict && equal)) {
        return Err(Failure::security());
    }
    // nobody disables themselves; older portals let that through, and pass over other administrators
    let disable = body.get("disable").bool().filter(|_| if own { !strict } else { !equal });
    if own && let Some(own) = change.scenario.people.iter_mut().find(|person| person.id == caller.id) {
        let set = |place: &mut String, value: &Value| {
            if let Some(text) = value.text() {
                text.clone_into(place);
            }
        };
        set(&mut own.first_name, body.get("firstName"));
        set(&mut own.last_name, body.get("lastName"));
    }
    let now = change.scenario.now;
    match disable {
        Some(true) => {
            set_status(change.scenario, person.id, 2);
            change.scenario.content.terminated.insert(person.id, now);
        }
        Some(false) => {
            set_status(change.scenario, person.id, 1);
            change.scenario.content.terminated.remove(&person.id);
        }
        None => {}
    }
    updated(change, &person);
    if disable == Some(true) {
        change.write_row(6032, |event| event);
    }
    let context = change.context();
    let person = context.scenario.person(person.id).ok_or_else(Failure::null_reference)?;
    Ok(Answer::one(full(&context, person, false)))
}

/// The row about a changed account.
fn updated(change: &mut Change<'_>, person: &Person) {
    change.write_row(4006, |mut event| {
        event.target = vec![person.id.to_string()];
        event.texts = vec![person.display_name()];
        event
    });
}

/// `PUT security/activeconnections/logoutall/{userId}`: cookies only; an unknown id is no error.
pub(super) fn logout_all(change: &mut Change<'_>, id: Uuid) -> Result<Answer, Failure> {
    let caller = change.person()?;
    let own = caller.id == id;
    if !own && !caller.kind.is_admin() {
        return Err(Failure::security());
    }
    let name = change.scenario.person(id).map(Person::display_name).unwrap_or_default();
    change.write_row(if own { 4034 } else { 4036 }, |mut event| {
        event.target = vec![id.to_string()];
        event.texts = vec![name];
        event
    });
    Ok(Answer::nothing())
}

/// `DELETE people/{userid}`: only somebody who is disabled already.
pub(super) fn delete(change: &mut Change<'_>, name: &str) -> Result<Answer, Failure> {
    let caller = change.person()?;
    if !caller.kind.is_admin() {
        return Err(Failure::security());
    }
    let person = people::by_name(change.scenario, name)
        .ok_or_else(|| Failure::not_found("The user could not be found"))?
        .clone();
    if person.kind == PersonKind::Owner || person.id == caller.id {
        return Err(Failure::security());
    }
    if person.status != 2 {
        return Err(Failure::invalid_operation("The user is not suspended"));
    }
    let answer = Answer::one(full(&change.context(), &person, false));
    for room in &mut change.scenario.rooms {
        room.members.retain(|member| *member != person.id);
    }
    change.scenario.content.shares.retain(|share| share.subject != person.id);
    for group in &mut change.scenario.content.groups {
        group.members.retain(|member| *member != person.id);
    }
    change.scenario.keys.retain(|key| key.person != person.id);
    change.scenario.people.retain(|known| known.id != person.id);
    change.write_row(4018, |mut event| {
        event.target = vec![person.id.to_string()];
        event.texts = vec![person.display_name()];
        event
    });
    Ok(answer)
}
