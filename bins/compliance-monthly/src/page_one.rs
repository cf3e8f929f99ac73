//! The first page: what happened, against the period before, what needs a decision, and what was not seen. Before any table.

use ::report::words::{list_of, plural};
use audit_model::{ActClass, Coverage, Verdict, Window};

use crate::body::Facts;
use crate::decision::Decision;
use crate::document::Block;
use crate::logins::Logins;
use crate::period::Period;
use crate::summary::{Ids, Summary};
use crate::words::{self, local};

/// Classes in the order of the first page.
pub(crate) const CLASSES: [ActClass; 6] =
    [ActClass::Download, ActClass::Change, ActClass::Delete, ActClass::Share, ActClass::Membership, ActClass::View];

/// Lines that the first page has room for, of one kind.
const LINES: usize = 10;

pub(crate) fn blocks(facts: &Facts, decisions: &[Decision]) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(format!("Portal: {}, times in {}", facts.portal, facts.period.zone))];
    blocks.extend(verdict(&facts.coverage, &facts.period));
    if facts.coverage.verdict() != Verdict::Nothing {
        blocks.push(Block::Heading("What happened".to_owned()));
        blocks.extend(happened(facts));
        blocks.push(Block::Heading(format!("Compared with {}", facts.period.previous().label())));
        blocks.push(compared(facts));
        blocks.push(Block::Heading("What needs a decision".to_owned()));
        blocks.push(asked(decisions));
    }
    blocks.push(Block::Heading("What was not seen".to_owned()));
    blocks.push(Block::List(unseen(facts)));
    blocks
}

fn verdict(coverage: &Coverage, period: &Period) -> Option<Block> {
    let label = period.label();
    match coverage.verdict() {
        Verdict::Complete => None,
        Verdict::Incomplete => Some(Block::Warning(format!(
            "INCOMPLETE: not everything that the portal recorded of {label} could be read. Nothing here is an all-clear."
        ))),
        Verdict::Nothing => Some(Block::Warning(format!(
            "NOTHING CAN BE CONCLUDED about {label}: the audit trail could not be read. This report says nothing of what happened."
        ))),
    }
}

fn happened(facts: &Facts) -> Vec<Block> {
    let Facts { summary, logins, period, .. } = facts;
    let people = summary.active_people() as u64;
    let rooms = summary.rooms.len() as u64;
    let mut lines = vec![format!(
        "{} by {} in {}, from {} to {} ({} to {})",
        plural(summary.events.count, "event"),
        plural(people, "person"),
        plural(rooms, "room"),
        local(period.window.since, period.zone),
        local(period.window.until, period.zone),
        period.window.since.format("%Y-%m-%dT%H:%MZ"),
        period.window.until.format("%Y-%m-%dT%H:%MZ"),
    )];
    let classes = CLASSES.into_iter().map(|class| (class, summary.of_class(class))).filter(|(_, count)| *count > 0);
    let classes: Vec<String> = classes.map(|(class, count)| format!("{}: {count}", words::class(class))).collect();
    if !classes.is_empty() {
        lines.push(classes.join("; "));
    }
    let busiest = summary.by_day.iter().max_by_key(|(day, tally)| (tally.count, std::cmp::Reverse(**day)));
    if let Some((day, tally)) = busiest {
        lines.push(format!("busiest day: {day} with {} ({})", plural(tally.count, "event"), tally.ids()));
    }
    if facts.coverage.logins.is_some() {
        lines.push(format!(
            "{} by {}, {} failed",
            plural(logins.successes, "login"),
            plural(logins.users.len() as u64, "person"),
            logins.failures
        ));
    }
    vec![Block::List(lines)]
}

fn compared(facts: &Facts) -> Block {
    let Some(before) = &facts.before else {
        return Block::Paragraph(format!(
            "{} is not completely in this program's archive, so there is nothing to compare with.",
            facts.period.previous().label()
        ));
    };
    let now = &facts.summary;
    let people = |summary: &Summary| summary.active_people() as u64;
    let mut lines =
        vec![change("events", now.events.count, before.events.count), change("people", people(now), people(before))];
    for class in CLASSES {
        let (this, last) = (now.of_class(class), before.of_class(class));
        if this > 0 || last > 0 {
            lines.push(change(words::class(class), this, last));
        }
    }
    Block::List(lines)
}

/// `events: 120, before 100 (+20 %)`
fn change(what: &str, this: u64, before: u64) -> String {
    let percent = match before {
        0 => String::new(),
        _ => {
            let change = (i128::from(this) - i128::from(before)) * 100 / i128::from(before);
            format!(" ({change:+} %)")
        }
    };
    format!("{what}: {this}, before {before}{percent}")
}

fn asked(decisions: &[Decision]) -> Block {
    if decisions.is_empty() {
        return Block::Paragraph("Nothing of what this program looks for.".to_owned());
    }
    let line = |decision: &Decision| {
        let ids: Vec<String> = decision.events.iter().map(i64::to_string).collect();
        let ids = list_of(&ids, ids.len(), decision.events_total);
        let what = if is_about_logins(decision) { "logins" } else { "events" };
        format!("{} ({what} {ids})", decision.text)
    };
    Block::List(decisions.iter().map(line).collect())
}

fn is_about_logins(decision: &Decision) -> bool {
    matches!(decision.kind.as_str(), "failed_logins" | "new_countries" | "set_addresses")
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
    for (person, (day, tally)) in bulk.iter().take(LINES) {
        let text = format!(
            "{} downloaded {} on {day}: ask whether that was agreed",
            words::name(&person.name),
            plural(tally.count, "document")
        );
        let ids = Ids { total: tally.count, first: vec![tally.first, tally.last] };
        all.push(decision("bulk_downloads", text, &ids));
    }
    if bulk.len() > LINES {
        let text = format!(
            "{} more downloaded as much on one day; see the table of people",
            plural((bulk.len() - LINES) as u64, "person")
        );
        all.push(decision("bulk_downloads", text, &Ids::default()));
    }
    let mut failed: Vec<_> = logins.failed.iter().collect();
    failed.retain(|(_, some)| (limits.failed_logins > 0 && some.tally.count > limits.failed_logins) || some.locked > 0);
    failed.sort_by(|(a, x), (b, y)| (y.tally.count, a).cmp(&(x.tally.count, b)));
    for (typed, some) in failed.iter().take(LINES) {
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
    if failed.len() > LINES {
        let text = format!(
            "{} more of which that is so; see the table of failed logins",
            plural((failed.len() - LINES) as u64, "address")
        );
        all.push(decision("failed_logins", text, &Ids::default()));
    }
    for new in logins.new_countries().take(LINES) {
        let text = format!(
            "{} signed in from {} for the first time: ask whether that was them",
            words::name(&new.name),
            new.country.for_terminal()
        );
        let ids = Ids { total: new.logins.count, first: vec![new.logins.first] };
        all.push(decision("new_countries", text, &ids));
    }
    let more = logins.new_countries().count().saturating_sub(LINES);
    if more > 0 {
        let text = format!(
            "{} more from a country for the first time; see the table of new countries",
            plural(more as u64, "person")
        );
        all.push(decision("new_countries", text, &Ids::default()));
    }
    all
}

/// Above which numbers something is named on the first page; 0 is off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bulk_downloads: u64,
    pub(crate) failed_logins: u64,
}

fn unseen(facts: &Facts) -> Vec<String> {
    let Facts { coverage, period, .. } = facts;
    let span = |span: Window| format!("{} to {}", local(span.since, period.zone), local(span.until, period.zone));
    let mut lines: Vec<String> = coverage
        .merged_gaps()
        .iter()
        .map(|gap| format!("{}, {}: {}", ::report::words::source(&gap.what), span(gap.span), gap.explanation()))
        .collect();
    if lines.is_empty() {
        lines.push("everything that the portal recorded of this time was read".to_owned());
    }
    let left_out = facts.summary.left_out + facts.logins.left_out;
    match &facts.filter {
        Some(filter) => lines.push(format!(
            "left out by the settings of this report ({filter}): {} and {}",
            plural(facts.summary.left_out, "event"),
            plural(facts.logins.left_out, "login")
        )),
        None => debug_assert_eq!(left_out, 0),
    }
    if facts.coverage.verdict() != Verdict::Nothing && facts.logins.known_since.is_none() {
        lines.push(
            "there is no login history before this time, so logins from new countries cannot be detected".to_owned(),
        );
    }
    lines.extend(facts.notes.iter().cloned());
    let never: Vec<&str> = coverage.blind_spots.iter().copied().map(::report::words::blind_spot).collect();
    if !never.is_empty() {
        lines.push(format!("never recorded by the portal: {}", never.join("; ")));
    }
    lines
}
