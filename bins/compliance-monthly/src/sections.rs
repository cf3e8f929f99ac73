//! The sections behind the first page: tables that lead to events.

use std::cmp::Reverse;

use audit_model::{ActClass, PortalText, RoomId, Verdict, is_robot};

use crate::body::Facts;
use crate::document::Bars;
use crate::document::{Block, Table};
use crate::summary::{RoomKey, RoomRow, SHOWN};
use crate::topic::{TOPICS, Topic};
use crate::words::{self, local};
use ::report::words::plural;

pub(crate) fn blocks(facts: &Facts, names: &Names) -> Vec<Block> {
    if facts.coverage.verdict() == Verdict::Nothing {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    logins(facts, names, &mut blocks);
    for topic in TOPICS {
        topic_section(facts, topic, names, &mut blocks);
    }
    blocks.push(Block::Heading("Rooms".to_owned()));
    blocks.push(Block::Table(rooms(facts, names)));
    blocks.push(quiet(facts));
    blocks.push(Block::Heading("People".to_owned()));
    blocks.push(Block::Table(people(facts, names)));
    blocks.push(Block::Heading("Events by day".to_owned()));
    blocks.push(Block::Bars(days(facts)));
    blocks.push(Block::Heading("Events by kind".to_owned()));
    blocks.push(Block::Table(actions(facts)));
    blocks
}

/// Where long tables stand in full.
pub(crate) struct Names {
    pub(crate) events: String,
    pub(crate) logins: String,
    pub(crate) people: String,
    pub(crate) rooms: String,
}

fn logins(facts: &Facts, names: &Names, blocks: &mut Vec<Block>) {
    let logins = &facts.logins;
    blocks.push(Block::Heading("Logins".to_owned()));
    if facts.coverage.logins.is_none() {
        blocks.push(Block::Warning("The login history could not be read; see what was not seen.".to_owned()));
        return;
    }
    let mut failed: Vec<_> = logins.failed.iter().collect();
    failed.sort_by(|(a, x), (b, y)| (y.tally.count, a).cmp(&(x.tally.count, b)));
    let mut table = Table::new("Failed logins", &["Typed", "How often", "Refused", "Addresses", "Login ids"]);
    for (typed, some) in failed.iter().take(SHOWN) {
        let addresses: Vec<String> = some.addresses.iter().take(5).map(|ip| ip.for_terminal()).collect();
        let more = some.addresses.len().saturating_sub(addresses.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        table.rows.push(vec![
            (*typed).clone(),
            some.tally.count.to_string(),
            some.locked.to_string(),
            format!("{}{more}", addresses.join(", ")),
            some.tally.ids(),
        ]);
    }
    push_table(blocks, table.of(failed.len() as u64, &names.logins), "No login failed.");
    let mut table =
        Table::new("Logins from new countries", &["Person", "Id", "Country", "First", "How often", "Login ids"]);
    for new in logins.new_countries().take(SHOWN) {
        table.rows.push(vec![
            words::name(&new.name),
            new.user.to_string(),
            new.country.for_terminal(),
            local(new.first_at, facts.period.zone),
            new.logins.count.to_string(),
            new.logins.ids(),
        ]);
    }
    let none = match logins.known_since {
        Some(since) => {
            format!("No country was new; earlier logins are known since {}.", local(since, facts.period.zone))
        }
        None => "Whether a country is new cannot be told: no earlier logins are known.".to_owned(),
    };
    push_table(blocks, table.of(logins.new_countries().count() as u64, &names.logins), &none);
    let mut users: Vec<_> = logins.users.iter().collect();
    users.sort_by_key(|(id, user)| (Reverse(user.logins.count), **id));
    let mut table = Table::new("Who signed in", &["Person", "Id", "Logins", "Countries", "Login ids"]);
    for (id, user) in users.iter().take(SHOWN) {
        let countries: Vec<String> = user.countries.iter().map(|country| country.for_terminal()).collect();
        table.rows.push(vec![
            words::name(&user.name),
            id.to_string(),
            user.logins.count.to_string(),
            countries.join(", "),
            user.logins.ids(),
        ]);
    }
    push_table(blocks, table.of(users.len() as u64, &names.logins), "Nobody signed in.");
}

fn push_table(blocks: &mut Vec<Block>, table: Table, none: &str) {
    if table.rows.is_empty() {
        blocks.push(Block::Paragraph(none.to_owned()));
    } else {
        blocks.push(Block::Table(table));
    }
}

fn topic_section(facts: &Facts, topic: Topic, names: &Names, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(topic.title().to_owned()));
    let Some(rows) = facts.summary.topics.get(&topic) else {
        blocks.push(Block::Paragraph("Nothing of this kind.".to_owned()));
        return;
    };
    let mut table = Table::new(plural(rows.tally.count, "event"), &["Event", "When", "Who", "What", "Where"]);
    for line in &rows.lines {
        table.rows.push(vec![
            line.id.to_string(),
            local(line.at, facts.period.zone),
            words::name(&line.actor),
            line.done.clone(),
            line.context.as_ref().map(words::name).unwrap_or_default(),
        ]);
    }
    blocks.push(Block::Table(table.of(rows.tally.count, format!("{}, topic {}", names.events, topic.name()))));
}

/// Title and id of a room, as surely as they are known.
pub(crate) fn room_name(facts: &Facts, key: &RoomKey, row: &RoomRow) -> (PortalText, Option<RoomId>) {
    match key {
        RoomKey::Known(id) => {
            let known = || facts.rooms.get(id).map(|room| room.title.clone());
            (row.title.clone().or_else(known).unwrap_or_default(), Some(id.clone()))
        }
        RoomKey::Titled(title) => (title.clone(), None),
    }
}

fn rooms(facts: &Facts, names: &Names) -> Table {
    let mut rows: Vec<_> = facts.summary.rooms.iter().collect();
    rows.sort_by_key(|(key, row)| (Reverse(row.events.count), (*key).clone()));
    let columns = ["Room", "Id", "Events", "People", "Downloads", "Changes", "Deletions", "Event ids"];
    let mut table = Table::new("Rooms by number of events", &columns);
    for (key, row) in rows.iter().take(SHOWN) {
        let (title, id) = room_name(facts, key, row);
        let of = |class| row.by_class.get(&class).copied().unwrap_or(0).to_string();
        table.rows.push(vec![
            words::name(&title),
            id.map_or_else(|| "known by its title only".to_owned(), |id| id.to_string()),
            row.events.count.to_string(),
            row.people.len().to_string(),
            of(ActClass::Download),
            of(ActClass::Change),
            of(ActClass::Delete),
            row.events.ids(),
        ]);
    }
    table.of(rows.len() as u64, &names.rooms)
}

/// Rooms that were there and in which nothing was recorded, as far as this report can tell.
fn quiet(facts: &Facts) -> Block {
    let is_hidden = facts.coverage.gaps.iter().any(|gap| matches!(gap.what.as_str(), "rooms" | "audit"));
    let quiet: Vec<String> =
        facts.quiet_rooms().map(|room| format!("{} ({})", words::name(&room.title), room.id)).collect();
    if quiet.is_empty() && is_hidden {
        return Block::Paragraph("Which rooms were quiet cannot be told: see what was not seen.".to_owned());
    }
    if quiet.is_empty() {
        return Block::Paragraph("There is no room in which nothing happened.".to_owned());
    }
    let shown = quiet.len().min(SHOWN);
    let more = if quiet.len() > shown { format!(" and {} more", quiet.len() - shown) } else { String::new() };
    let nothing = match (is_hidden, &facts.filter) {
        (true, _) => "Nothing was seen, though not all could be seen,",
        (false, Some(_)) => "Nothing of what this report is restricted to was recorded",
        (false, None) => "Nothing was recorded",
    };
    let rooms = plural(quiet.len() as u64, "room");
    Block::Paragraph(format!("{nothing} in {rooms}: {}{more}.", quiet[..shown].join(", ")))
}

fn people(facts: &Facts, names: &Names) -> Table {
    let mut rows: Vec<_> = facts.summary.people.iter().collect();
    rows.sort_by_key(|(id, row)| (Reverse(row.events.count), **id));
    let columns =
        ["Person", "Id", "Events", "Downloads", "Most on one day", "Changes", "Deletions", "Remark", "Event ids"];
    let mut table = Table::new("People by number of events", &columns);
    for (id, row) in rows.iter().take(SHOWN) {
        let busiest = row.busiest.map(|(day, tally)| format!("{} on {day}", tally.count)).unwrap_or_default();
        table.rows.push(vec![
            words::name(&row.name),
            id.to_string(),
            row.events.count.to_string(),
            row.of_class(ActClass::Download).to_string(),
            busiest,
            row.of_class(ActClass::Change).to_string(),
            row.of_class(ActClass::Delete).to_string(),
            remark(facts, **id),
            row.events.ids(),
        ]);
    }
    table.of(rows.len() as u64, &names.people)
}

pub(crate) fn remark(facts: &Facts, id: uuid::Uuid) -> String {
    if let Some((at, event)) = facts.summary.removed.get(&id) {
        return format!("removed on {} (event {event})", facts.period.day(*at));
    }
    if is_robot(id) {
        return "the portal itself".to_owned();
    }
    if facts.own.contains(&id) {
        return "account of our own programs".to_owned();
    }
    String::new()
}

fn days(facts: &Facts) -> Bars {
    let bars = facts.period.days().map(|day| {
        let tally = facts.summary.by_day.get(&day).copied().unwrap_or_default();
        (day.to_string(), tally.count, tally.ids())
    });
    Bars { caption: "Events by day".to_owned(), bars: bars.collect() }
}

fn actions(facts: &Facts) -> Table {
    let mut table = Table::new("Events by kind of action", &["Action", "Number", "Events", "Event ids"]);
    let mut rows: Vec<_> = facts.summary.by_action.iter().collect();
    rows.sort_by_key(|(action, tally)| (Reverse(tally.count), action.0));
    for (action, tally) in rows {
        let unknown = if action.info().is_none() { " (not known to this version)" } else { "" };
        table.rows.push(vec![format!("{action}{unknown}"), action.0.to_string(), tally.count.to_string(), tally.ids()]);
    }
    table
}

/// Whether a room is one that events of the period were in.
pub(crate) fn had_events(facts: &Facts, id: &RoomId, title: &PortalText) -> bool {
    let rooms = &facts.summary.rooms;
    rooms.contains_key(&RoomKey::Known(id.clone())) || rooms.contains_key(&RoomKey::Titled(title.clone()))
}
