//! Whom a room could be shared with: groups and people, each with `shared`. For those who may change its members.

use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Context, entries, groups, page, people, people_list};
use crate::json::{Json, length};
use crate::scenario::{Person, Room};

/// The room, of a caller who may change its members.
fn editable<'a>(context: &Context<'a>, id: Option<i32>) -> Result<&'a Room, Failure> {
    let caller = people::caller(context)?;
    let room = id.and_then(|id| context.scenario.room(id)).ok_or_else(|| Failure::not_found("Item not found"))?;
    if entries::rights(context.scenario, caller, room.id).manage { Ok(room) } else { Err(Failure::security()) }
}

/// The groups whose name holds the text.
fn fitting_groups(context: &Context<'_>, room: &Room, text: Option<&str>) -> Vec<Json> {
    let content = &context.scenario.content;
    let text = text.unwrap_or_default().trim().to_lowercase();
    let fitting = content.groups.iter().filter(|group| group.name.to_lowercase().contains(&text));
    let drawn = fitting.map(|group| {
        let shared = content.shares.iter().any(|share| share.room == room.id && share.subject == group.id);
        match groups::object(context, group, false) {
            Json::Object(mut members) => {
                let at = members.iter().position(|(name, _)| name == "membersCount").unwrap_or(members.len());
                members.insert(at, ("shared".to_owned(), shared.into()));
                Json::Object(members)
            }
            other => other,
        }
    });
    drawn.collect()
}

/// `GET group/room/{id}`
pub(super) fn groups_of_room(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let (count, start) = (binder.count(), binder.start_index());
    let text = binder.text("filterValue");
    binder.done()?;
    let room = editable(context, id)?;
    // streamed: the count says 1 whatever the array holds
    Ok(Answer::one(Json::List(page(fitting_groups(context, room, text), start, count))))
}

/// `GET accounts/room/{id}/search`: groups first, then people; without a text nobody.
pub(super) fn search_room(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let (count, start) = (binder.count(), binder.start_index());
    let (text, separator) = (binder.text("filterValue"), binder.text("filterSeparator"));
    binder.done()?;
    let room = editable(context, id)?;
    if context.query.fields().is_some() {
        // entries of several kinds cannot be trimmed: nothing of them is left
        return Ok(Answer::one(Json::Object(Vec::new())));
    }
    let mut rows = Vec::new();
    if text.is_some() {
        rows = fitting_groups(context, room, text);
        let is_in = |person: &Person| room.owner == person.id || room.members.contains(&person.id);
        let fitting = context.scenario.people.iter().filter(|person| people_list::text_fits(person, text, separator));
        rows.extend(fitting.map(|person| people::with_shared(context, person, is_in(person))));
    }
    let total = length(rows.len());
    let rows = page(rows, start, count);
    Ok(Answer { count: length(rows.len()), response: Json::List(rows), total: Some(total) })
}
