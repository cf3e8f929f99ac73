//! The audit trail: filter, newest twenty, and the silent fallback from one to the other; how long rows are kept.

use chrono::Duration;

use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Context, audit_row, audit_rows, gates, newest_first, page};
use crate::actions::{self, ACTION_TYPES, Action, ENTRY_TYPES, LOCATIONS};
use crate::json::{Json, length};
use crate::scenario::Event;

/// How many rows `last` and the fallback give.
pub(super) const LAST: usize = 20;
/// The portal's number for "any action".
const ANY: i32 = -1;
/// Actions that two mappers know: a set of actions that holds one of them cannot be built.
const MAPPED_TWICE: &[i32] = &[5076, 5077, 5154];

/// `GET security/audit/events/filter`
pub(super) fn filter(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let user = binder.guid("userId", "UserId");
    let module = binder.named("moduleType", "LocationType", LOCATIONS).unwrap_or(0);
    let action_type = binder.named("actionType", "ActionType", ACTION_TYPES).unwrap_or(0);
    let action = action_parameter(&mut binder);
    let entry_type = binder.named("entryType", "EntryType", ENTRY_TYPES).unwrap_or(0);
    let target = binder.text("target");
    let (from, to) = (binder.date("from"), binder.date("to"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.finish().map_err(Failure::Validation)?;
    context.caller.demand_admin()?;
    if gates::falls_back(context.scenario) {
        return last(context);
    }
    gates::database(context.scenario)?;
    let wanted = match action {
        Some(action) => Wanted::One { action, target },
        None => {
            if module != 0 {
                // the portal looks the module up in every product and trips over the first that has none
                return Err(Failure::null_reference());
            }
            let entry = target.filter(|_| entry_type != 0).map(|target| (entry_type, target));
            if let Some((entry_type, _)) = entry {
                buildable(entry_type, action_type)?;
            }
            Wanted::Mapped { action_type, entry }
        }
    };
    let skip = usize::try_from(start).unwrap_or(0);
    let span = context.scenario.audit_rows(action, user, (from, to));
    let (rows, newer) = if matches!(wanted, Wanted::Mapped { action_type: 0, entry: None }) {
        // the index holds these very rows
        span.candidates(skip, count)
    } else {
        span.candidates_where(skip, count, |event| user.is_none_or(|user| event.actor == user) && wanted.fits(event))
    };
    let rows = newest_first(context.scenario, rows, |event| event.at, |event| event.id, (start, count));
    let rows: Vec<&Event> = rows.into_iter().skip(skip - newer).take(count).collect();
    rows_of(context, &rows, false)
}

/// Which rows the filter lets through.
enum Wanted<'a> {
    /// Exactly this action, mapped or not, and the whole stored target.
    One { action: i32, target: Option<&'a str> },
    /// Every mapped action of this type (0: any); with an entry type, only rows whose target contains the text.
    Mapped { action_type: i32, entry: Option<(i32, &'a str)> },
}

impl Wanted<'_> {
    fn fits(&self, event: &Event) -> bool {
        match *self {
            Wanted::One { action, target } => {
                event.action == action && target.is_none_or(|target| stored_target(event) == target)
            }
            Wanted::Mapped { action_type, entry } => actions::find(event.action).is_some_and(|known| {
                known.is_mapped()
                    && (action_type == 0 || known.action_type() == action_type)
                    && entry.is_none_or(|(entry_type, text)| {
                        known.entries().contains(&entry_type) && stored_target(event).contains(text)
                    })
            }),
        }
    }
}

fn stored_target(event: &Event) -> String {
    match &event.stored {
        Some(stored) => stored.target.clone().unwrap_or_default(),
        None => event.target.join(","),
    }
}

/// The portal makes a dictionary of the actions with this entry type, which fails for those it knows twice.
fn buildable(entry_type: i32, action_type: i32) -> Result<(), Failure> {
    let twice = MAPPED_TWICE.iter().filter_map(|id| actions::find(*id)).find(|action| {
        action.entries().contains(&entry_type) && (action_type == 0 || action.action_type() == action_type)
    });
    match twice {
        None => Ok(()),
        Some(Action { id, .. }) => {
            let message = format!("An item with the same key has already been added. Key: {id}");
            Err(Failure::exception(400, &message, "System.ArgumentException", -2_147_024_809))
        }
    }
}

/// `GET security/audit/events/last`
pub(super) fn last(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    gates::base(context.scenario)?;
    gates::database(context.scenario)?;
    let since = context.scenario.now - Duration::days(i64::from(context.scenario.condition.audit_lifetime));
    let (rows, _) = context.scenario.audit_rows(None, None, (Some(since), None)).candidates(0, LAST);
    let rows = newest_first(context.scenario, rows, |event| event.at, |event| event.id, (0, LAST));
    rows_of(context, &page(rows, 0, LAST), true)
}

/// `action` by name or number; none and −1 mean any, 0 is no member.
pub(super) fn action_parameter(binder: &mut Binder<'_>) -> Option<i32> {
    binder
        .choice("action", "Action", actions::id_of, |number| actions::find(number).is_some())
        .filter(|number| *number != ANY)
}

fn rows_of(context: &Context<'_>, events: &[&Event], shorten: bool) -> Result<Answer, Failure> {
    if !shorten {
        let fields = context.query.fields();
        let rows = audit_rows::page(context.scenario, events, fields.as_deref())?;
        return Ok(Answer { response: Json::Raw(rows), count: length(events.len()), total: None });
    }
    let rows: Vec<Json> =
        events.iter().map(|event| audit_row::row(context.scenario, event, shorten)).collect::<Result<_, _>>()?;
    Ok(Answer::list(rows))
}

/// `GET security/audit/settings/lifetime`
pub(super) fn lifetimes(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    let scenario = context.scenario;
    gates::base(scenario)?;
    gates::database(scenario)?;
    let condition = &scenario.condition;
    Ok(Answer::one(Json::object([
        ("loginHistoryLifeTime", condition.login_lifetime.into()),
        ("auditTrailLifeTime", condition.audit_lifetime.into()),
        ("lastModified", scenario.now.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
    ])))
}
