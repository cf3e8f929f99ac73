//! What needs a decision: questions that single events raise, and numbers above the limits of the settings, a line each with who, what,
//! when and where to read on. Pure.

use std::cmp::Reverse;

use ::report::words::{list_of, number, plural};
use ::report::{Line, line};
use audit_model::{ActClass, GUEST_ACCOUNT};
use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::facts::Facts;
use crate::facts::logins::{BrokenIn, Failures, NewCountry};
use crate::facts::people::{Actor, Downloads, PersonRow};
use crate::facts::question::about;
use crate::facts::summary::{NAMED, TopicRow};
use crate::facts::tally::{Ids, Tally};
use crate::period::day_words;

/// One line of the first page under "What needs a decision".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Decision {
    /// What is to be decided: a kind of question, `no_events`, `by_link`, `bulk_downloads`, `failed_logins`, `failed_then_successful`, `set_addresses`
    /// or `new_countries`.
    pub(crate) kind: String,
    pub(crate) text: Line,
    /// The first events that it is about; of logins, ids of the login history.
    pub(crate) events: Vec<i64>,
    pub(crate) events_total: u64,
    /// How many matters the line stands for: more than one where the first page does not name each.
    pub(crate) matters: u64,
    /// Behind the text: the events, leading to their row.
    #[serde(skip)]
    pub(crate) row: Line,
}

impl Decision {
    fn new(kind: &str, text: Line, events: Ids) -> Self {
        let Ids { total, first } = events;
        Decision { kind: kind.to_owned(), text, events: first, events_total: total, matters: 1, row: Line::default() }
    }

    fn with_row(self, label: &str, anchor: String) -> Self {
        Decision { row: Line::row(format!("[{label}]"), anchor), ..self }
    }

    /// Of what the first page does not name.
    fn more(kind: &str, matters: u64, text: String) -> Self {
        Decision { matters, ..Decision::new(kind, text.into(), Ids::default()) }
    }
}

/// What lines of the first page lead to: the row of an event, of an account, and of logins.
pub(crate) fn event_anchor(id: i64) -> String {
    format!("event-{id}")
}

pub(crate) fn account_anchor(id: Uuid) -> String {
    format!("account-{id}")
}

pub(crate) fn login_anchor(id: i64) -> String {
    format!("login-{id}")
}

/// How many matters the lines stand for.
pub(crate) fn matters(decisions: &[Decision]) -> u64 {
    decisions.iter().map(|decision| decision.matters).sum()
}

/// Everything that somebody should decide about, in a fixed order.
pub(crate) fn decisions(config: &Config, facts: &Facts) -> Vec<Decision> {
    let parts = [
        no_events(facts),
        questions(facts),
        by_link(facts),
        broken_in(facts),
        failed_logins(config, facts),
        set_addresses(facts),
        new_countries(facts),
        bulk_downloads(config, facts),
    ];
    parts.concat()
}

/// A line for each of the first, and one that says how many there are besides.
fn each<T>(kind: &str, all: &[T], line: impl Fn(&T) -> Decision, more: impl Fn(u64) -> String) -> Vec<Decision> {
    let rest = all.len().saturating_sub(NAMED) as u64;
    let rest = (rest > 0).then(|| Decision::more(kind, rest, more(rest)));
    all.iter().take(NAMED).map(line).chain(rest).collect()
}

/// A trail without an event, where something must have happened: nobody writes a report about it, and nobody should trust it.
fn no_events(facts: &Facts) -> Vec<Decision> {
    if facts.summary.events.count > 0 || facts.filter.is_some() {
        return Vec::new();
    }
    let before = facts.before.as_ref().map_or(0, |before| before.events.count);
    // where there were rooms there was a portal
    let was_there = facts.unrecorded.is_some() && !facts.quiet.is_empty();
    let beside = match (facts.logins.successes, before) {
        (0, 0) if was_there => {
            format!("then or before, although the portal had {}", plural(facts.quiet.len() as u64, "room"))
        }
        (0, 0) => return Vec::new(),
        (0, before) => format!("after {} in {}", plural(before, "event"), facts.period.previous().words()),
        (logins, _) => format!("in spite of {}", plural(logins, "login")),
    };
    let text = format!(
        "not one event was recorded, {beside}: find out whether the portal still records events, and whether something between it and \
         this program leaves them out"
    );
    vec![Decision::new("no_events", text.into(), Ids::default())]
}

fn questions(facts: &Facts) -> Vec<Decision> {
    let mut all = Vec::new();
    for (question, asked) in &facts.summary.questions {
        let kind = serde_json::to_value(question).ok().and_then(|kind| Some(kind.as_str()?.to_owned()));
        let kind = kind.unwrap_or_default();
        all.extend(asked.first.iter().map(|row| {
            let text = line![sentence(facts, row), ": ", question.advice()];
            let events = Ids { total: 1, first: vec![row.id] };
            Decision::new(&kind, text, events).with_row(&row.id.to_string(), event_anchor(row.id))
        }));
        let more = asked.total - asked.first.len() as u64;
        if more > 0 {
            let text = format!("{} {}; see the section of their subject", number(more), question.more());
            all.push(Decision::more(&kind, more, text));
        }
    }
    all
}

/// `Sat 10 Oct 00:00  Bob Ray switched two-factor authentication off`
fn sentence(facts: &Facts, row: &TopicRow) -> Line {
    let people = facts.names_of(row);
    let what = match (people.is_empty(), row.said()) {
        (false, _) => line![" ", people],
        (true, Some(said)) => line![" (", said, ")"],
        (true, None) => Line::default(),
    };
    let place = row.room.as_ref().map(|title| line![", in room ", Line::name(title)]);
    line![
        facts.period.moment(row.at),
        "  ",
        Line::name(&row.actor),
        " ",
        about(row.action).map(|(_, did)| did).unwrap_or_default(),
        what,
        place.unwrap_or_default()
    ]
}

/// What was done by nobody who was signed in.
fn by_link(facts: &Facts) -> Vec<Decision> {
    let all = facts.summary.people.iter().filter(|(actor, _)| actor.is_by_link());
    let decision = |(_, row): (&Actor, &PersonRow)| {
        let (downloads, Tally { count, .. }) = (row.by_class.of(ActClass::Download), row.events);
        let what = match (downloads, count - downloads) {
            (0, _) => plural(count, "event"),
            (_, 0) => plural(downloads, "download"),
            (_, others) => format!("{} and {}", plural(downloads, "download"), plural(others, "other event")),
        };
        let text = format!(
            "{what} by link, by whoever has it, with nobody signed in: find out which link it is, and close it if it is no longer needed"
        );
        let events = Ids { total: count, first: ends(row.events) };
        Decision::new("by_link", text.into(), events).with_row(&row.events.ids(), account_anchor(GUEST_ACCOUNT))
    };
    all.map(decision).collect()
}

/// The first and the last, where these are two.
fn ends(tally: Tally) -> Vec<i64> {
    match tally.count {
        0 => Vec::new(),
        1 => vec![tally.first],
        _ => vec![tally.first, tally.last],
    }
}

fn set_addresses(facts: &Facts) -> Vec<Decision> {
    let some = &facts.logins.set_addresses;
    if some.total == 0 {
        return Vec::new();
    }
    let text = format!(
        "{} in which the client itself set the IP address that the portal recorded: this does not happen by accident; find out who it was",
        plural(some.total, "login")
    );
    let ids = shown(some);
    vec![Decision { row: format!("[{ids}]").into(), ..Decision::new("set_addresses", text.into(), some.clone()) }]
}

fn shown(ids: &Ids) -> String {
    let first: Vec<String> = ids.first.iter().map(i64::to_string).collect();
    list_of(&first, first.len(), ids.total)
}

fn bulk_downloads(config: &Config, facts: &Facts) -> Vec<Decision> {
    const KIND: &str = "bulk_downloads";
    let limit = config.bulk_downloads;
    let is_asked = |actor: &Actor, most: &Downloads| {
        limit > 0 && most.distinct() > limit && actor.is_person() && !facts.own.contains(&actor.id)
    };
    let people = facts.summary.people.iter().filter_map(|(actor, row)| Some((actor, row, row.busiest?)));
    let mut bulk: Vec<_> = people.filter(|(actor, _, most)| is_asked(actor, most)).collect();
    bulk.sort_by_key(|(_, _, most)| (Reverse(most.distinct()), most.day, most.events.first));
    let line = |(actor, row, most): &(&Actor, &PersonRow, Downloads)| {
        let said = format!(" downloaded {} on {}: ask whether that was agreed", downloaded(most), day_words(most.day));
        let events = Ids { total: most.events.count, first: ends(most.events) };
        Decision::new(KIND, line![Line::name(&row.name), said], events)
            .with_row(&most.events.ids(), account_anchor(actor.id))
    };
    each(KIND, &bulk, line, |more| {
        format!("{} downloaded as much on one day; see the table of people", plural(more, "more person"))
    })
}

/// `120 documents and 2 whole folders, in 150 downloads`
fn downloaded(most: &Downloads) -> String {
    let times = most.events.count;
    if times == most.distinct() { most.words() } else { format!("{}, in {}", most.words(), plural(times, "download")) }
}

fn failed_logins(config: &Config, facts: &Facts) -> Vec<Decision> {
    const KIND: &str = "failed_logins";
    let limit = config.failed_logins;
    let mut failed: Vec<(&String, &Failures)> = facts.logins.failed.iter().collect();
    failed.retain(|(_, some)| (limit > 0 && some.tally.count > limit) || some.locked > 0);
    failed.sort_by_key(|(typed, some)| (Reverse(some.tally.count), *typed));
    let line = |(typed, some): &(&String, &Failures)| {
        let locked = match some.locked {
            0 => String::new(),
            locked => format!(", {} of them refused because of too many tries or the IP address", number(locked)),
        };
        let text = format!(
            "{} with \"{typed}\" from {}{locked}: ask the person about them, and consider two-factor authentication",
            plural(some.tally.count, "failed login"),
            plural(some.addresses.len() as u64, "IP address"),
        );
        Decision::new(KIND, text.into(), some.ids.clone()).with_row(&some.tally.ids(), login_anchor(some.tally.first))
    };
    each(KIND, &failed, line, |more| {
        format!("{} with as many failed logins; see the table of failed logins", plural(more, "more name"))
    })
}

fn broken_in(facts: &Facts) -> Vec<Decision> {
    const KIND: &str = "failed_then_successful";
    let line = |one: &BrokenIn| {
        let country = one.country.as_ref().map(|country| line![" (", Line::name(country), ")"]);
        let text = line![
            facts.period.moment(one.at),
            "  ",
            Line::name(&one.name),
            " signed in from ",
            Line::name(&one.ip),
            country.unwrap_or_default(),
            format!(" after {} from there", plural(one.failures, "failed login")),
            ": ask whether that was them; if not, end their sessions and change the password"
        ];
        let events = Ids { total: 1, first: vec![one.id] };
        Decision { row: format!("[{}]", one.id).into(), ..Decision::new(KIND, text, events) }
    };
    each(KIND, &facts.logins.broken_in, line, |more| {
        format!("{} after many failed ones from the same address; see the logins", plural(more, "more login"))
    })
}

fn new_countries(facts: &Facts) -> Vec<Decision> {
    const KIND: &str = "new_countries";
    let all: Vec<&NewCountry> = facts.logins.new_countries().collect();
    let line = |new: &&NewCountry| {
        let text = line![
            facts.period.moment(new.first_at),
            "  ",
            Line::name(&new.name),
            " signed in from ",
            Line::name(&new.country),
            " for the first time: ask whether that was them"
        ];
        let events = Ids { total: new.logins.count, first: vec![new.logins.first] };
        Decision::new(KIND, text, events).with_row(&new.logins.ids(), login_anchor(new.logins.first))
    };
    each(KIND, &all, line, |more| {
        format!("{} from a country for the first time; see the table of new countries", plural(more, "more login"))
    })
}

#[cfg(test)]
mod tests {
    use audit_model::{PortalText, RoomId, Window, testing};
    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::Tz;

    use super::*;
    use crate::facts::logins::Logins;
    use crate::facts::summary::Summary;
    use crate::period::Period;

    fn june() -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_272_000, 0).unwrap()
    }

    fn quiet() -> Facts {
        Facts::unseen(Period { window: Window::new(june(), june() + TimeDelta::days(30)), zone: Tz::UTC })
    }

    /// No event beside logins, or after a month with events, is no quiet month.
    #[test]
    fn a_trail_without_an_event_is_held_against_what_else_is_known() {
        let told = |facts: &Facts| -> Vec<String> {
            decisions(&Config::default(), facts)
                .iter()
                .map(|one| one.text.for_terminal().split(':').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(told(&quiet()), [""; 0]);
        let mut logins = Logins::new(None, 10);
        logins.push(&testing::login("203.0.113.7", "Germany", DateTime::UNIX_EPOCH));
        let beside = Facts { logins, ..quiet() };
        assert_eq!(told(&beside), ["not one event was recorded, in spite of 1 login"]);
        let before = Summary { events: Tally { count: 9, first: 1, last: 9 }, ..Summary::default() };
        let after = Facts { before: Some(before), ..quiet() };
        assert_eq!(told(&after), ["not one event was recorded, after 9 events in May 2026"]);
        let quiet_room = vec![(RoomId::Number(71), PortalText::from("Falcon"))];
        let unrecorded = Some(Window::new(june(), june() + TimeDelta::days(30)));
        let nothing_ever = Facts { quiet: quiet_room.clone(), unrecorded, ..quiet() };
        assert_eq!(told(&nothing_ever), ["not one event was recorded, then or before, although the portal had 1 room"]);
        assert_eq!(told(&Facts { quiet: quiet_room, ..quiet() }), [""; 0], "an idle month of a portal that records");
        assert_eq!(told(&Facts { unrecorded, ..quiet() }), [""; 0], "no portal yet");
        let restricted = Facts { filter: Some("rooms Falcon".to_owned()), ..beside };
        assert_eq!(told(&restricted), [""; 0], "of what it is restricted to there may be none");
    }
}
