//! Groups of people.

use uuid::Uuid;

use super::people::caller;
use super::person_shape::full;
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::rooms::SORT_ORDERS;
use super::{Context, page};
use crate::json::{Json, length};
use crate::scenario::{EVERYONE, Group, Person, PersonKind, Scenario};

/// The group with this id; the built-in one of everybody too.
pub(super) fn find(scenario: &Scenario, id: Uuid) -> Option<Group> {
    if id == EVERYONE {
        let members = scenario.people.iter().map(|person| person.id).collect();
        return Some(Group { id, name: "Everyone".to_owned(), manager: None, members });
    }
    scenario.content.groups.iter().find(|group| group.id == id).cloned()
}

/// Disabled people are not counted and not listed.
fn counted<'a>(scenario: &'a Scenario, group: &Group) -> Vec<&'a Person> {
    let people = group.members.iter().filter_map(|id| scenario.person(*id));
    people.filter(|person| matches!(person.status, 1 | 4)).collect()
}

pub(super) fn object(context: &Context<'_>, group: &Group, members: bool) -> Json {
    let scenario = context.scenario;
    let people = counted(scenario, group);
    let nobody = Uuid::nil().to_string();
    let manager = group.manager.and_then(|id| scenario.person(id));
    let list = members.then(|| Json::List(people.iter().map(|person| full(context, person, false)).collect()));
    Json::object([
        ("name", group.name.as_str().into()),
        ("parent", nobody.clone().into()),
        ("category", nobody.into()),
        ("id", group.id.to_string().into()),
        ("isLDAP", false.into()),
        ("isSystem", (group.id == EVERYONE).then_some(true).into()),
        ("manager", manager.map(|person| full(context, person, false)).into()),
        ("members", list.into()),
        ("membersCount", length(people.len()).into()),
    ])
}

fn demand_groups(context: &Context<'_>) -> Result<(), Failure> {
    match caller(context)?.kind {
        PersonKind::User | PersonKind::Guest => Err(Failure::security()),
        _ => Ok(()),
    }
}

/// `GET group`: without members, and without the built-in groups.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let user = binder.guid_or_empty("userId");
    let manager = binder.bool_or_empty("manager").unwrap_or(false);
    let (count, start) = (binder.count(), binder.start_index());
    let descending = binder.named_or_empty("sortOrder", "SortOrder", SORT_ORDERS) == Some(1);
    let sort = binder.text("sortBy").unwrap_or_default().to_ascii_lowercase();
    let text = binder.text("filterValue").map(str::to_lowercase);
    binder.done()?;
    demand_groups(context)?;
    let scenario = context.scenario;
    let mut rows: Vec<&Group> = scenario
        .content
        .groups
        .iter()
        .filter(|group| {
            user.is_none_or(|user| if manager { group.manager == Some(user) } else { group.members.contains(&user) })
        })
        .filter(|group| text.as_ref().is_none_or(|text| group.name.to_lowercase().contains(text)))
        .collect();
    match sort.as_str() {
        "memberscount" => rows.sort_by_key(|group| counted(scenario, group).len()),
        _ => rows.sort_by_key(|group| group.name.to_lowercase()),
    }
    if descending {
        rows.reverse();
    }
    let total = length(rows.len());
    let rows: Vec<Json> = page(rows, start, count).into_iter().map(|group| object(context, group, false)).collect();
    Ok(Answer { count: length(rows.len()), response: Json::List(rows), total: Some(total) })
}

/// `GET group/{id}`
pub(super) fn one(context: &Context<'_>, id: Uuid) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let members = binder.bool("includeMembers", true);
    binder.done()?;
    demand_groups(context)?;
    let group = find(context.scenario, id).ok_or_else(|| Failure::not_found("Group not found"))?;
    Ok(Answer::one(object(context, &group, members)))
}
