//! Columns and rows of the tables that stand beside the pages. Whoever reads them relies on both.

use ::report::csv;
use ::report::words::utc;
use audit_model::{
    ActClass, AuditEvent, EventDetails, LoginEvent, Person, Place, PortalText, RoomId, title_in_context,
};

use crate::facts::people::PersonRow;
use crate::facts::summary::RoomRow;
use crate::facts::tally::Tally;
use crate::facts::{CLASSES, Facts};
use crate::period::Period;

pub(crate) const EVENT_COLUMNS: [&str; 19] = [
    "id",
    "date_utc",
    "date_local",
    "user",
    "user_id",
    "action_id",
    "action",
    "text",
    "target",
    "context",
    "room_id",
    "room_title",
    "ip",
    "country",
    "city",
    "browser",
    "platform",
    "page",
    "topics",
];

pub(crate) const LOGIN_COLUMNS: [&str; 14] = [
    "id",
    "date_utc",
    "date_local",
    "user",
    "user_id",
    "login",
    "action_id",
    "action",
    "ip",
    "country",
    "city",
    "browser",
    "platform",
    "ip_was_set",
];

/// Heads the table of people.
pub(crate) fn people_columns() -> String {
    let columns = ["user", "user_id", "events", "first_event", "last_event"];
    csv::row(columns.into_iter().chain(class_columns()).chain(["remark"]))
}

/// Heads the table of rooms.
pub(crate) fn room_columns() -> String {
    let columns = ["room", "room_id", "events", "people", "first_event", "last_event"];
    csv::row(columns.into_iter().chain(class_columns()))
}

fn class_columns() -> [&'static str; 6] {
    CLASSES.map(|class| match class {
        ActClass::View => "views",
        ActClass::Download => "downloads",
        ActClass::Change => "changes",
        ActClass::Delete => "deletions",
        ActClass::Share => "shares",
        ActClass::Membership => "membership",
    })
}

fn raw(text: Option<&PortalText>) -> String {
    text.map(PortalText::raw).unwrap_or_default().to_owned()
}

/// One event as it is shown, with its place and the names of the topics that it belongs to.
pub(crate) fn event(event: &AuditEvent, place: &Place, facts: &Facts, topics: &[&str]) -> String {
    let room_id = match place {
        Place::Room(id, _) => id.to_string(),
        Place::OneOf { .. } | Place::UnknownRoom { .. } | Place::Elsewhere => String::new(),
    };
    let details = event.details.as_deref();
    let detail = |of: fn(&EventDetails) -> &Option<PortalText>| raw(details.and_then(|details| of(details).as_ref()));
    csv::row([
        event.id.to_string(),
        utc(event.at),
        facts.period.local(event.at),
        event.actor_name.raw().to_owned(),
        event.actor.to_string(),
        event.action.0.to_string(),
        event.action.to_string(),
        raw(event.text.as_ref()),
        event.target.join(","),
        raw(event.context.as_ref()),
        room_id,
        raw(title_in_context(event).as_ref()),
        raw(event.ip.as_ref()),
        detail(|details| &details.country),
        detail(|details| &details.city),
        detail(|details| &details.browser),
        detail(|details| &details.platform),
        detail(|details| &details.page),
        topics.join(" "),
    ])
}

/// One entry of the login history.
pub(crate) fn login(login: &LoginEvent, period: &Period) -> String {
    csv::row([
        login.id.to_string(),
        utc(login.at),
        period.local(login.at),
        login.user_name.raw().to_owned(),
        login.user.to_string(),
        raw(login.login.as_ref()),
        login.action.0.to_string(),
        login.action.to_string(),
        raw(login.ip.as_ref()),
        raw(login.country.as_ref()),
        raw(login.city.as_ref()),
        raw(login.browser.as_ref()),
        raw(login.platform.as_ref()),
        if login.ip_was_set { "yes" } else { "" }.to_owned(),
    ])
}

/// A row of the table of people.
pub(crate) fn account(person: &Person, row: &PersonRow, remark: &str) -> String {
    let Tally { count, first, last } = row.events;
    let cells =
        [person.name.raw().to_owned(), person.id.to_string(), count.to_string(), first.to_string(), last.to_string()]
            .into_iter();
    csv::row(cells.chain(CLASSES.map(|class| row.by_class.of(class).to_string())).chain([remark.to_owned()]))
}

/// One room; without an id when only its title is known.
pub(crate) fn room(title: &PortalText, id: Option<&RoomId>, row: &RoomRow) -> String {
    let Tally { count, first, last } = row.events;
    let of_event = |event: i64| if count > 0 { event.to_string() } else { String::new() };
    let cells = [
        title.raw().to_owned(),
        id.map(ToString::to_string).unwrap_or_default(),
        count.to_string(),
        row.people.len().to_string(),
        of_event(first),
        of_event(last),
    ];
    csv::row(cells.into_iter().chain(CLASSES.map(|class| row.by_class.of(class).to_string())))
}
