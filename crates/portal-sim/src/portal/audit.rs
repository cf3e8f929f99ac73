//! The audit trail: filter, newest twenty, and the silent fallback from one to the other.
//!
//! The row's members and their order are the portal's; what is stored comes from the scenario.

use chrono::Duration;

use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Context, newest_first, page, shown_ip};
use crate::actions::{self, ACTION_TYPES, LOCATIONS};
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::{Event, GUEST, Place, SYSTEM, Scenario};

/// How many rows `last` and the fallback give.
pub(super) const LAST: usize = 20;
/// Days of the audit trail that `last` looks at.
const LIFETIME_DAYS: i64 = 180;
/// From this length on the pieces of a text are cut in `last` and in the fallback …
const LONG_PIECE: usize = 50;
/// … to this length, plus three dots.
const CUT_PIECE: usize = 47;
/// The portal's number for "any action".
const ANY: i32 = -1;

/// `GET security/audit/events/filter`
pub(super) fn filter(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let user = binder.guid("userId", "UserId");
    let module = binder.named("moduleType", "LocationType", LOCATIONS).unwrap_or(0);
    let action_type = binder.named("actionType", "ActionType", ACTION_TYPES).unwrap_or(0);
    let action = action_parameter(&mut binder);
    let (from, to) = (binder.date("from"), binder.date("to"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.finish().map_err(Failure::Validation)?;
    context.caller.demand_admin()?;
    if !context.scenario.audit {
        return last(context);
    }
    if action.is_none() && module != 0 {
        // the portal looks the module up in every product and trips over the first that has none
        return Err(Failure::null_reference());
    }
    let skip = usize::try_from(start).unwrap_or(0);
    let span = context.scenario.audit_rows(action, user, (from, to));
    let (rows, newer) = match action {
        Some(_) => span.candidates_where(skip, count, |event| user.is_none_or(|user| event.actor == user)),
        None if action_type == 0 => span.candidates(skip, count),
        None => span.candidates_where(skip, count, |event| {
            actions::find(event.action).is_some_and(|action| action.action_type() == action_type)
        }),
    };
    let rows = newest_first(rows, |event| event.at, |event| event.id, (start, count));
    let rows: Vec<&Event> = rows.into_iter().skip(skip - newer).take(count).collect();
    rows_of(context, &rows, false)
}

/// `GET security/audit/events/last`
pub(super) fn last(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    let since = context.scenario.now - Duration::days(LIFETIME_DAYS);
    let (rows, _) = context.scenario.audit_rows(None, None, (Some(since), None)).candidates(0, LAST);
    let rows = newest_first(rows, |event| event.at, |event| event.id, (0, LAST));
    rows_of(context, &page(rows, 0, LAST), true)
}

/// `action` by name or number; none and −1 mean any, 0 is no member.
pub(super) fn action_parameter(binder: &mut Binder<'_>) -> Option<i32> {
    binder
        .choice("action", "Action", actions::id_of, |number| actions::find(number).is_some())
        .filter(|number| *number != ANY)
}

fn rows_of(context: &Context<'_>, events: &[&Event], shorten: bool) -> Result<Answer, Failure> {
    let rows: Vec<Json> = events.iter().map(|event| row(context.scenario, event, shorten)).collect::<Result<_, _>>()?;
    Ok(Answer { count: length(rows.len()), response: Json::List(rows), total: None })
}

/// One row, or the failure that the whole page dies of.
fn row(scenario: &Scenario, event: &Event, shorten: bool) -> Result<Json, Failure> {
    if event.poison {
        let message = "'x' is an invalid start of a property name. Expected a '\"'. \
                       Path: $ | LineNumber: 0 | BytePositionInLine: 1.";
        return Err(Failure::exception(500, message, "System.Text.Json.JsonException", -2_146_233_088));
    }
    let action = actions::find(event.action).filter(|a| a.is_mapped()).ok_or_else(Failure::null_reference)?;
    let agent = event.ip.is_some();
    let folder = if let Place::Room { id, .. } = event.place { id } else { 1 };
    let text = action_text(action.format(), &event.texts, shorten);
    let silent = text.is_empty() && event.texts.is_empty();
    Ok(Json::object([
        ("id", event.id.into()),
        ("date", dates::write_event(event.at, scenario.zone).into()),
        ("user", actor_name(scenario, event).into()),
        ("userId", event.actor.to_string().into()),
        ("action", (!silent).then_some(text).into()),
        ("actionId", event.action.into()),
        ("ip", event.ip.as_deref().map(shown_ip).into()),
        ("country", "".into()),
        ("city", "".into()),
        ("browser", agent.then_some("Chrome 131").into()),
        ("platform", agent.then_some("Windows 10").into()),
        ("page", agent.then(|| format!("https://portal.example/rooms/shared/{folder}/filter?folder={folder}")).into()),
        ("actionType", action.action_type().into()),
        ("product", action.product().into()),
        ("location", action.location().into()),
        ("target", (!event.target.is_empty()).then(|| event.target.clone()).into()),
        ("entries", action.entries().into()),
        ("context", context_of(action, &event.place).into()),
    ]))
}

/// The localised place: the room's title at the time, or the name of the location.
fn context_of(action: &actions::Action, place: &Place) -> Option<String> {
    match place {
        Place::Room { title, .. } if action.is_documents() => Some(format!("Rooms: {title}")),
        Place::MyDocuments if action.is_documents() => Some("My documents".to_owned()),
        _ => action.location_text().map(str::to_owned),
    }
}

fn actor_name(scenario: &Scenario, event: &Event) -> String {
    match (event.actor, scenario.person(event.actor)) {
        (_, Some(person)) => person.display_name(),
        (SYSTEM, None) => "System Account".to_owned(),
        (GUEST, None) => "Anonymous".to_owned(),
        _ => event.initiator.clone().unwrap_or_else(|| "Unknown Account".to_owned()),
    }
}

/// The format filled with the stored texts, whose pieces between commas are joined anew (and cut in `last`).
///
/// A format that asks for a text which is not there shows its placeholder.
fn action_text(format: &str, texts: &[String], shorten: bool) -> String {
    let mut out = format.to_owned();
    for (index, text) in texts.iter().enumerate() {
        let pieces: Vec<String> = text
            .split(',')
            .map(str::trim)
            .filter(|piece| !piece.is_empty())
            .map(|piece| if shorten { shortened(piece) } else { piece.to_owned() })
            .collect();
        out = out.replace(&format!("{{{index}}}"), &pieces.join(", "));
    }
    out
}

fn shortened(piece: &str) -> String {
    if piece.chars().count() < LONG_PIECE {
        return piece.to_owned();
    }
    piece.chars().take(CUT_PIECE).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_at_commas_and_cut_only_when_asked() {
        let long = "x".repeat(60);
        let texts = [format!("a,,b.docx,{long}")];
        assert_eq!(action_text("File: {0}", &texts, false), format!("File: a, b.docx, {long}"));
        assert_eq!(action_text("File: {0}", &texts, true), format!("File: a, b.docx, {}...", "x".repeat(47)));
        assert_eq!(action_text("File: {0}", &[], false), "File: {0}");
    }
}
