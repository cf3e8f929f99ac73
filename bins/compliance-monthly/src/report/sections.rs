//! The sections behind the first page: tables that lead to events, folded where a page can fold.

use std::cmp::Reverse;

use ::report::words::{Clock, list_of, plural};
use ::report::{Bar, Block, Cell, Details, Document, Line, Section, Table, Timeline};
use audit_model::{ActClass, Coverage, MainSource, PortalText, Verdict};

use crate::bundle::names::Names;
use crate::facts::Facts;
use crate::facts::summary::{SHOWN, TopicRow};
use crate::facts::topic::{TOPICS, Topic};
use crate::period::day_words;
use crate::rule::{account_anchor, event_anchor, login_anchor};

/// Countries and addresses that stand in a cell; the others are counted.
const IN_A_CELL: usize = 5;

/// Adds the sections and the timeline; only the coverage speaks of a period of which nothing was seen.
pub(crate) fn put(facts: &Facts, names: &Names, document: &mut Document) {
    if document.seal() == Verdict::Nothing {
        return;
    }
    let sections = &mut document.sections;
    sections.push(logins(facts, &document.coverage, names));
    sections.push(subjects(facts, &document.coverage, names));
    sections.push(rooms(facts, &document.coverage, names));
    sections.push(Section::new("people").with(people(facts, names)));
    sections.push(Section::new("events by kind").with(actions(facts)));
    document.timelines.push(days(facts));
}

/// A table that is opened by whoever wants to see it.
fn folded(summary: impl Into<Line>, table: Table) -> Block {
    Block::Details(Details { summary: summary.into(), blocks: vec![Block::Table(table)] })
}

/// The same, or a sentence when there is nothing in it.
fn folded_or(summary: impl Into<Line>, table: Table, none: impl Into<Line>) -> Block {
    if table.rows.is_empty() { Block::Paragraph(none.into()) } else { folded(summary, table) }
}

/// The first texts, and how many there are besides.
fn first_of<'t>(texts: impl ExactSizeIterator<Item = &'t PortalText>) -> String {
    let total = texts.len() as u64;
    let shown: Vec<String> = texts.take(IN_A_CELL).map(|text| Line::name(text).for_terminal()).collect();
    list_of(&shown, IN_A_CELL, total)
}

fn logins(facts: &Facts, coverage: &Coverage, names: &Names) -> Section {
    let section = Section::new("logins");
    if coverage.logins.is_none() {
        let warning = "the login history could not be read, so nothing is known of logins";
        return section.with(Block::Warning(warning.into()));
    }
    section.with(failed_logins(facts, names)).with(new_countries(facts, names)).with(who_signed_in(facts, names))
}

fn failed_logins(facts: &Facts, names: &Names) -> Block {
    let mut failed: Vec<_> = facts.logins.failed.iter().collect();
    failed.sort_by(|(a, x), (b, y)| (y.tally.count, a).cmp(&(x.tally.count, b)));
    let mut table = Table::new("", &["Login name", "How often", "Refused", "IP addresses", "First … last login"]);
    for (typed, some) in failed.iter().take(SHOWN) {
        table.row([
            Cell::from(typed.as_str()),
            some.tally.count.into(),
            some.locked.into(),
            first_of(some.addresses.iter()).into(),
            Cell::anchored(some.tally.ids(), login_anchor(some.tally.first)),
        ]);
    }
    folded_or(
        plural(facts.logins.failures, "failed login"),
        table.of(failed.len() as u64, names.logins.as_str()),
        "No login failed.",
    )
}

fn new_countries(facts: &Facts, names: &Names) -> Block {
    let total = facts.logins.new_countries().count() as u64;
    let mut table = Table::new("", &["Person", "Country", "First", "How often", "First … last login", "Id"]);
    for new in facts.logins.new_countries().take(SHOWN) {
        table.row([
            Line::name(&new.name).into(),
            Line::name(&new.country).into(),
            new.first_at.into(),
            new.logins.count.into(),
            Cell::anchored(new.logins.ids(), login_anchor(new.logins.first)),
            new.user.to_string().into(),
        ]);
    }
    let none = match facts.logins.known_since {
        Some(since) => {
            let since = Clock(facts.period.zone).at(since);
            format!("No country was new for anybody; earlier logins are known since {since}.")
        }
        None => "Whether a country is new cannot be told: no earlier logins are known.".to_owned(),
    };
    folded_or(plural(total, "new country"), table.of(total, names.logins.as_str()), none)
}

fn who_signed_in(facts: &Facts, names: &Names) -> Block {
    let mut users: Vec<_> = facts.logins.users.iter().collect();
    users.sort_by_key(|(id, user)| (Reverse(user.logins.count), **id));
    let mut table = Table::new("", &["Person", "Logins", "Countries", "First … last login", "Id"]);
    for (id, user) in users.iter().take(SHOWN) {
        table.row([
            Line::name(&user.name).into(),
            user.logins.count.into(),
            first_of(user.countries.iter()).into(),
            user.logins.ids().into(),
            id.to_string().into(),
        ]);
    }
    let total = users.len() as u64;
    let title = format!("{} signed in", plural(total, "person"));
    folded_or(title, table.of(total, names.logins.as_str()), "Nobody signed in.")
}

fn subjects(facts: &Facts, coverage: &Coverage, names: &Names) -> Section {
    let (had, had_not): (Vec<Topic>, Vec<Topic>) =
        TOPICS.into_iter().partition(|topic| facts.summary.of_topic(*topic) > 0);
    let mut section = Section::new("events by subject");
    section.blocks.extend(had.into_iter().map(|topic| subject(facts, topic, names)));
    if !had_not.is_empty() {
        let titles: Vec<String> = had_not.into_iter().map(|topic| topic.title().to_lowercase()).collect();
        let is_hidden = coverage.lacks(audit_model::Source::Audit);
        let nothing = if is_hidden { "Nothing found (records incomplete) for" } else { "Nothing was recorded of" };
        section.blocks.push(Block::Paragraph(format!("{nothing}: {}.", titles.join("; ")).into()));
    }
    section
}

fn subject(facts: &Facts, topic: Topic, names: &Names) -> Block {
    let rows: Vec<&TopicRow> = facts.summary.topics.get(&topic).iter().flat_map(|rows| &rows.first).collect();
    let has_people = rows.iter().any(|row| row.people().next().is_some());
    let columns = ["When", "Who", "What", "To whom", "Where", "Event"];
    let columns: Vec<&str> = columns.into_iter().filter(|column| has_people || *column != "To whom").collect();
    let mut table = Table::new("", &columns);
    for row in rows {
        let done = row.said().map_or_else(|| Line::from(row.action.to_string()), Line::from);
        let begin = [row.at.into(), Line::name(&row.actor).into(), done.into()];
        let to_whom = has_people.then(|| Cell::from(facts.names_of(row)));
        let end =
            [row.context.as_ref().map(Line::name).into(), Cell::anchored(row.id.to_string(), event_anchor(row.id))];
        table.row(begin.into_iter().chain(to_whom).chain(end));
    }
    let total = facts.summary.of_topic(topic);
    let place = format!("{}, topic {}", names.events, topic.name());
    folded(format!("{} ({})", topic.title(), plural(total, "event")), table.of(total, place))
}

fn rooms(facts: &Facts, coverage: &Coverage, names: &Names) -> Section {
    let mut rows: Vec<_> = facts.summary.rooms.iter().collect();
    rows.sort_by_key(|(key, row)| (Reverse(row.events.count), (*key).clone()));
    let columns = ["Room", "Id", "Events", "People", "Downloads", "Changes", "Deletions", "First … last event"];
    let mut table = Table::new("", &columns);
    for (key, row) in rows.iter().take(SHOWN) {
        let (title, id) = facts.room_name(key, row);
        let of = |class| Cell::from(row.by_class.of(class));
        table.row([
            Line::name(&title).into(),
            id.map_or_else(|| "known by its title only".to_owned(), |id| id.to_string()).into(),
            row.events.count.into(),
            (row.people.len() as u64).into(),
            of(ActClass::Download),
            of(ActClass::Change),
            of(ActClass::Delete),
            row.events.ids().into(),
        ]);
    }
    let total = rows.len() as u64;
    let title = format!("{} with events", plural(total, "room"));
    let busy = folded_or(title, table.of(total, names.rooms.as_str()), "No event was recorded in a room.");
    Section::new("rooms").with(busy).with(quiet(facts, coverage))
}

/// Rooms that were there and in which nothing was recorded, as far as this report can tell.
fn quiet(facts: &Facts, coverage: &Coverage) -> Block {
    let is_hidden = coverage.lacks(audit_model::Source::Rooms) || coverage.lacks(audit_model::Source::Audit);
    let mut quiet: Vec<Line> = Vec::new();
    let mut total = 0;
    for (id, title) in &facts.quiet {
        total += 1;
        if quiet.len() < SHOWN {
            quiet.push(Line::name(title).and(format!(" ({id})")));
        }
    }
    if total == 0 {
        let none = if is_hidden {
            "Which rooms were quiet cannot be told, because not everything was read."
        } else {
            "There is no room in which nothing happened."
        };
        return Block::Paragraph(none.into());
    }
    if total > quiet.len() as u64 {
        quiet.push(format!("and {} more", ::report::words::number(total - quiet.len() as u64)).into());
    }
    let nothing = match (is_hidden, &facts.filter) {
        (true, _) => "Nothing found (records incomplete) for",
        (false, Some(_)) => "Nothing of what this report is restricted to was recorded in",
        (false, None) => "Nothing was recorded in",
    };
    let summary = format!("{nothing} {}", plural(total, "room")).into();
    Block::Details(Details { summary, blocks: vec![Block::List(quiet)] })
}

fn people(facts: &Facts, names: &Names) -> Block {
    let mut rows: Vec<_> = facts.summary.people.iter().collect();
    rows.sort_by_key(|(actor, row)| (Reverse(row.events.count), *actor));
    let columns =
        ["Account", "Events", "Downloads", "Most on one day", "Changes", "Deletions", "Remark", "First … last event"];
    let mut table = Table::new("", &columns);
    for (actor, row) in rows.iter().take(SHOWN) {
        let busiest = row.busiest.map(|most| format!("{} on {}", most.words(), day_words(most.day)));
        table.row([
            Line::name(&row.name).into(),
            row.events.count.into(),
            row.by_class.of(ActClass::Download).into(),
            busiest.into(),
            row.by_class.of(ActClass::Change).into(),
            row.by_class.of(ActClass::Delete).into(),
            facts.remark(actor).into(),
            Cell::anchored(row.events.ids(), account_anchor(actor.id)),
        ]);
    }
    let total = rows.len() as u64;
    let title = format!("{} with events", plural(total, "account"));
    folded_or(title, table.of(total, names.people.as_str()), "No event was recorded of anybody.")
}

fn actions(facts: &Facts) -> Block {
    let mut table = Table::new("", &["Action", "Code", "Events", "First … last event"]);
    let mut rows: Vec<_> = facts.summary.by_action.iter().collect();
    rows.sort_by_key(|(action, tally)| (Reverse(tally.count), action.0));
    for (action, tally) in &rows {
        let unknown = if action.info().is_none() { " (not known to this version)" } else { "" };
        table.row([
            format!("{action}{unknown}").into(),
            action.0.to_string().into(),
            tally.count.into(),
            tally.ids().into(),
        ]);
    }
    folded_or(plural(rows.len() as u64, "kind"), table, "No event was recorded.")
}

fn days(facts: &Facts) -> Timeline {
    let bar = |day| {
        let tally = facts.summary.by_day.get(&day).copied().unwrap_or_default();
        Bar { note: tally.ids().into(), ..Bar::new(facts.period.part_on(day), tally.count) }
    };
    Timeline {
        title: "events per day".into(),
        unit: "event".to_owned(),
        source: MainSource::Audit,
        span: facts.period.window,
        bars: facts.period.days().map(bar).collect(),
        marks: Vec::new(),
    }
}
