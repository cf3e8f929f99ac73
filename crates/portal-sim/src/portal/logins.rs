//! The login history: slice first, filter afterwards.

use super::audit::{LAST, action_parameter};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Context, audit_text, gates, newest_first, shown_ip};
use crate::actions;
use crate::dates;
use crate::json::Json;
use crate::scenario::{GUEST, Login, Person, Scenario, Stored};

/// `GET security/audit/login/filter`
pub(super) fn filter(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let user = binder.guid("userId", "UserId");
    let action = action_parameter(&mut binder);
    let (from, to) = (binder.date("from"), binder.date("to"));
    let (count, start) = (binder.count(), binder.start_index());
    binder.finish().map_err(Failure::Validation)?;
    context.caller.demand_admin()?;
    if gates::falls_back(context.scenario) {
        return last(context);
    }
    gates::database(context.scenario)?;
    // the portal cuts the page out of all logins and only then looks at the filters
    let rows = newest(context.scenario, start, count).into_iter().filter(|login| {
        user.is_none_or(|user| login.user == user)
            && action.is_none_or(|action| login.action == action)
            && from.is_none_or(|from| login.at >= from)
            && to.is_none_or(|to| login.at <= to)
    });
    rows_of(context.scenario, rows, false)
}

/// `GET security/audit/login/last`
pub(super) fn last(context: &Context<'_>) -> Result<Answer, Failure> {
    context.caller.demand_admin()?;
    gates::base(context.scenario)?;
    gates::database(context.scenario)?;
    rows_of(context.scenario, newest(context.scenario, 0, LAST).into_iter(), true)
}

fn newest(scenario: &Scenario, start: i32, count: usize) -> Vec<&Login> {
    let skip = usize::try_from(start).unwrap_or(0);
    let (rows, newer) = scenario.login_rows().candidates(skip, count);
    let rows = newest_first(scenario, rows, |login| login.at, |login| login.id, (start, count));
    rows.into_iter().skip(skip - newer).take(count).collect()
}

fn rows_of<'a>(scenario: &Scenario, logins: impl Iterator<Item = &'a Login>, shorten: bool) -> Result<Answer, Failure> {
    Ok(Answer::list(logins.map(|login| row(scenario, login, shorten)).collect::<Result<_, _>>()?))
}

/// One row, or the failure that the whole page dies of: an address that is missing.
fn row(scenario: &Scenario, login: &Login, shorten: bool) -> Result<Json, Failure> {
    let Stored { description, ip, browser, platform, page, .. } = columns(login);
    let ip = ip.ok_or_else(Failure::null_reference)?;
    let texts = audit_text::texts(description.as_deref());
    // rows with an unknown action are listed too, without a text
    let text = match actions::find(login.action) {
        Some(action) => audit_text::sentence(action, texts.as_deref(), None, shorten)?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(Json::object([
        ("id", login.id.into()),
        ("date", dates::write_event(login.at, scenario.zone).into()),
        ("user", name(scenario, login).into()),
        ("userId", login.user.to_string().into()),
        ("login", login.login.clone().into()),
        ("action", text.into()),
        ("actionId", login.action.into()),
        ("ip", shown_ip(&ip).into()),
        ("country", login.country.as_deref().unwrap_or_default().into()),
        ("city", "".into()),
        ("browser", browser.into()),
        ("platform", platform.into()),
        ("page", page.into()),
    ]))
}

fn columns(login: &Login) -> Stored {
    login.stored.clone().unwrap_or_else(|| Stored {
        ip: Some(login.ip.clone()),
        browser: Some("Chrome 131".to_owned()),
        platform: Some("Windows 10".to_owned()),
        page: Some(login.page.clone().unwrap_or_else(|| "https://portal.example/login".to_owned())),
        ..Stored::default()
    })
}

fn name(scenario: &Scenario, login: &Login) -> String {
    let unknown = if login.user == GUEST { "Anonymous" } else { "Unknown Account" };
    let elsewhere = || scenario.condition.elsewhere.iter().find(|person| person.id == login.user);
    scenario
        .person(login.user)
        .or_else(elsewhere)
        .map(Person::display_name)
        .or_else(|| login.login.clone())
        .unwrap_or_else(|| unknown.to_owned())
}
