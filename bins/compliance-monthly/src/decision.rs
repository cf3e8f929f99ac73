//! What needs a decision: questions that single events raise, and numbers above the limits of the settings. Pure.

use ::report::Line;
use ::report::words::plural;
use audit_model::PortalText;
use serde::Serialize;

use crate::logins::Logins;
use crate::summary::{Ids, Summary};

/// People and addresses of one kind that are named; the others are counted.
const NAMED: usize = 10;

/// Above which numbers something is named on the first page; 0 is off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bulk_downloads: u64,
    pub(crate) failed_logins: u64,
}

/// One line of the first page under "What needs a decision".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Decision {
    /// What is to be decided: a kind of question, `bulk_downloads`, `failed_logins`, `set_addresses` or `new_countries`.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// The first events that it is about; of logins, ids of the login history.
    pub(crate) events: Vec<i64>,
    pub(crate) events_total: u64,
}

impl Decision {
    /// Whether `events` are ids of the login history.
    pub(crate) fn is_about_logins(&self) -> bool {
        matches!(self.kind.as_str(), "failed_logins" | "new_countries" | "set_addresses")
    }
}

/// Everything that somebody should decide about, in a fixed order.
pub(crate) fn decisions(summary: &Summary, logins: &Logins, limits: Limits) -> Vec<Decision> {
    let decision = |kind: &str, text: String, ids: &Ids| Decision {
        kind: kind.to_owned(),
        text,
        events: ids.first.clone(),
        events_total: ids.total,
    };
    let mut all: Vec<Decision> = Vec::new();
    for (question, ids) in &summary.questions {
        let kind = serde_json::to_value(question).ok().and_then(|kind| Some(kind.as_str()?.to_owned()));
        all.push(decision(&kind.unwrap_or_default(), question.sentence(ids.total), ids));
    }
    if logins.set_addresses.total > 0 {
        let text = format!(
            "{} × login for which the caller chose the address that the portal noted: nothing does that by accident, look at who it was",
            logins.set_addresses.total
        );
        all.push(decision("set_addresses", text, &logins.set_addresses));
    }
    let bulk = summary.people.values().filter_map(|person| Some((person, person.busiest?)));
    let bulk = bulk.filter(|(_, (_, tally))| limits.bulk_downloads > 0 && tally.count > limits.bulk_downloads);
    let mut bulk: Vec<_> = bulk.collect();
    bulk.sort_by_key(|(_, (day, tally))| (std::cmp::Reverse(tally.count), *day, tally.first));
    for (person, (day, tally)) in bulk.iter().take(NAMED) {
        let text = format!(
            "{} downloaded {} on {day}: ask whether that was agreed",
            shown(&person.name),
            plural(tally.count, "document")
        );
        let ids = Ids { total: tally.count, first: vec![tally.first, tally.last] };
        all.push(decision("bulk_downloads", text, &ids));
    }
    if bulk.len() > NAMED {
        let text = format!(
            "{} more downloaded as much on one day; see the table of people",
            plural((bulk.len() - NAMED) as u64, "person")
        );
        all.push(decision("bulk_downloads", text, &Ids::default()));
    }
    let mut failed: Vec<_> = logins.failed.iter().collect();
    failed.retain(|(_, some)| (limits.failed_logins > 0 && some.tally.count > limits.failed_logins) || some.locked > 0);
    failed.sort_by(|(a, x), (b, y)| (y.tally.count, a).cmp(&(x.tally.count, b)));
    for (typed, some) in failed.iter().take(NAMED) {
        let locked = if some.locked > 0 {
            format!(", {} of them refused for too many tries or for the address", some.locked)
        } else {
            String::new()
        };
        let text = format!(
            "{} with \"{typed}\" from {}{locked}: ask the person, and think of a second factor",
            plural(some.tally.count, "failed login"),
            plural(some.addresses.len() as u64, "address"),
        );
        all.push(decision("failed_logins", text, &some.ids));
    }
    if failed.len() > NAMED {
        let text = format!(
            "{} more of which that is so; see the table of failed logins",
            plural((failed.len() - NAMED) as u64, "address")
        );
        all.push(decision("failed_logins", text, &Ids::default()));
    }
    for new in logins.new_countries().take(NAMED) {
        let text = format!(
            "{} signed in from {} for the first time: ask whether that was them",
            shown(&new.name),
            new.country.for_terminal()
        );
        let ids = Ids { total: new.logins.count, first: vec![new.logins.first] };
        all.push(decision("new_countries", text, &ids));
    }
    let more = logins.new_countries().count().saturating_sub(NAMED);
    if more > 0 {
        let text = format!(
            "{} more from a country for the first time; see the table of new countries",
            plural(more as u64, "person")
        );
        all.push(decision("new_countries", text, &Ids::default()));
    }
    all
}

/// A name of the portal's within a sentence of ours.
fn shown(name: &PortalText) -> String {
    Line::name(name).for_terminal()
}
