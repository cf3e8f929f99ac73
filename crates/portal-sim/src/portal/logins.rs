//! The login history: slice first, filter afterwards.

use super::audit::{LAST, action_parameter};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Context, newest_first, shown_ip};
use crate::actions;
use crate::dates;
use crate::json::{Json, length};
use crate::scenario::{GUEST, Login, Scenario};

/// `GET security/audit/login/filter`
pub(super) fn filter(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let user = binder.guid("userId", "UserId");
    let action = action_parameter(&mut binder);
    let (from, to) = (binder.date("from"), binder.date("to"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.finish().map_err(Failure::Validation)?;
    context.caller.demand_admin()?;
    if !context.scenario.audit {
        return last(context);
    }
    // the portal cuts the page out of all logins and only then looks at the filters
    let rows = newest(context.scenario, start, count).into_iter().filter(|login| {
        user.is_none_or(|user| login.user == user)
            && action.is_none_or(|action| login.action == action)
            && from.is_none_or(|from| login.at >= from)
            && to.is_none_or(|to| login.at <= to)
    });
    Ok(rows_of(context.scenario, rows))
}

/// `GET security/audit/login/last`
pub(super) fn last(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    Ok(rows_of(context.scenario, newest(context.scenario, 0, LAST).into_iter()))
}

fn newest(scenario: &Scenario, start: i32, count: usize) -> Vec<&Login> {
    let skip = usize::try_from(start).unwrap_or(0);
    let (rows, newer) = scenario.login_rows().candidates(skip, count);
    let rows = newest_first(rows, |login| login.at, |login| login.id, (start, count));
    rows.into_iter().skip(skip - newer).take(count).collect()
}

fn rows_of<'a>(scenario: &Scenario, logins: impl Iterator<Item = &'a Login>) -> Answer {
    let rows: Vec<Json> = logins.map(|login| row(scenario, login)).collect();
    Answer { count: length(rows.len()), response: Json::List(rows), total: None }
}

fn row(scenario: &Scenario, login: &Login) -> Json {
    // rows with an unknown action are listed too, without a text
    let text = actions::find(login.action).map_or("", |action| action.format());
    Json::object([
        ("id", login.id.into()),
        ("date", dates::write_event(login.at, scenario.zone).into()),
        ("user", name(scenario, login).into()),
        ("userId", login.user.to_string().into()),
        ("login", login.login.clone().into()),
        ("action", text.into()),
        ("actionId", login.action.into()),
        ("ip", shown_ip(&login.ip).into()),
        ("country", "".into()),
        ("city", "".into()),
        ("browser", "Chrome 131".into()),
        ("platform", "Windows 10".into()),
        ("page", "https://portal.example/login".into()),
    ])
}

fn name(scenario: &Scenario, login: &Login) -> String {
    let unknown = if login.user == GUEST { "Anonymous" } else { "Unknown Account" };
    scenario
        .person(login.user)
        .map(crate::scenario::Person::display_name)
        .or_else(|| login.login.clone())
        .unwrap_or_else(|| unknown.to_owned())
}
