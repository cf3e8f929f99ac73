//! The first page: what needs a decision, and what happened, against the period before. What was not seen stands in the coverage of
//! the document.

use ::report::words::{list_of, number, plural};
use ::report::{Block, Document, Figure, Line, Section, Table};
use audit_model::{ActClass, Coverage, Gap, Verdict};

use crate::decision::Decision;
use crate::facts::Facts;
use crate::summary::Summary;

/// Classes in the order of the first page.
pub(crate) const CLASSES: [ActClass; 6] =
    [ActClass::Download, ActClass::Change, ActClass::Delete, ActClass::Share, ActClass::Membership, ActClass::View];

/// Adds the first page; only the coverage speaks of a period of which nothing was seen.
pub(crate) fn put(facts: &Facts, document: &mut Document) {
    if document.seal() == Verdict::Nothing {
        return;
    }
    let decisions = facts.decisions();
    let has_logins = document.coverage.logins.is_some();
    document.figures = figures(facts, decisions.len() as u64, has_logins);
    document.sections.push(Section::new("what needs a decision").with(asked(&decisions)));
    document.sections.push(happened(facts, has_logins));
}

/// Whether what is missing is a copy of the report, and not something that the portal recorded.
pub(crate) fn is_about_files(gap: &Gap) -> bool {
    matches!(gap.what.as_str(), "files" | "upload")
}

/// What the reader must know before all numbers.
pub(crate) fn notes(facts: &Facts, coverage: &Coverage) -> Vec<Line> {
    let left_out = facts.filter.as_ref().map(|filter| {
        format!(
            "left out by the settings of this report ({filter}): {} and {}",
            plural(facts.summary.left_out, "event"),
            plural(facts.logins.left_out, "login")
        )
    });
    let is_known = coverage.verdict() == Verdict::Nothing || facts.logins.known_since.is_some();
    let no_history = (!is_known).then(|| {
        "there is no login history before this time, so logins from new countries cannot be detected".to_owned()
    });
    left_out.into_iter().chain(no_history).chain(facts.notes.iter().cloned()).map(Line::from).collect()
}

fn figures(facts: &Facts, decisions: u64, has_logins: bool) -> Vec<Figure> {
    let Facts { summary, before, logins, period, .. } = facts;
    let previous = period.previous().words();
    let compared = |label: &str, of: &dyn Fn(&Summary) -> u64| {
        let note = before.as_ref().map(|before| match change(of(summary), of(before)) {
            Some(change) => format!("{previous}: {}, {change}", number(of(before))),
            None => format!("{previous}: 0"),
        });
        Figure::new(label, of(summary)).with_note(note.unwrap_or_default())
    };
    let mut figures = vec![
        Figure::new("matters to decide", decisions),
        compared("events recorded", &|summary| summary.events.count),
        compared("people at work", &|summary| summary.active_people() as u64),
        compared("downloads", &|summary| summary.of_class(ActClass::Download)),
        compared("deletions", &|summary| summary.of_class(ActClass::Delete)),
    ];
    if has_logins {
        let note = format!("beside {}", plural(logins.successes, "login"));
        figures.push(Figure::new("failed logins", logins.failures).with_note(note));
    }
    figures
}

fn asked(decisions: &[Decision]) -> Block {
    if decisions.is_empty() {
        return Block::Paragraph("Nothing that this program looks for was found.".into());
    }
    let line = |decision: &Decision| {
        let ids: Vec<String> = decision.events.iter().map(i64::to_string).collect();
        if ids.is_empty() {
            return Line::from(decision.text.as_str());
        }
        let what = match (decision.is_about_logins(), decision.events_total) {
            (true, 1) => "login",
            (true, _) => "logins",
            (false, 1) => "event",
            (false, _) => "events",
        };
        format!("{} ({what} {})", decision.text, list_of(&ids, ids.len(), decision.events_total)).into()
    };
    Block::List(decisions.iter().map(line).collect())
}

fn happened(facts: &Facts, has_logins: bool) -> Section {
    let Facts { summary, logins, period, .. } = facts;
    let mut lines = vec![format!(
        "{} by {} in {}",
        plural(summary.events.count, "event"),
        plural(summary.active_people() as u64, "person"),
        plural(summary.rooms.len() as u64, "room"),
    )];
    let busiest = summary.by_day.iter().max_by_key(|(day, tally)| (tally.count, std::cmp::Reverse(**day)));
    if let Some((day, tally)) = busiest {
        lines.push(format!("Busiest day: {day} with {} ({})", plural(tally.count, "event"), tally.ids()));
    }
    if has_logins {
        let people = plural(logins.users.len() as u64, "person");
        lines.push(format!("{} by {people}, {} failed", plural(logins.successes, "login"), logins.failures));
    }
    let Some(before) = &facts.before else {
        let classes = CLASSES.into_iter().map(|class| (class, summary.of_class(class))).filter(|(_, count)| *count > 0);
        let counts: Vec<String> =
            classes.map(|(class, count)| format!("{}: {}", class_words(class), number(count))).collect();
        lines.extend((!counts.is_empty()).then(|| format!("In numbers: {}", counts.join("; "))));
        let previous = period.previous().words();
        lines.push(format!(
            "{previous} is not completely in this program's archive, so there is nothing to compare with"
        ));
        return Section::new("what happened").with(list(lines));
    };
    Section::new("what happened").with(list(lines)).with(Block::Table(numbers(facts, before)))
}

fn list(lines: Vec<String>) -> Block {
    Block::List(lines.into_iter().map(Line::from).collect())
}

/// Events by class, with those of the period before.
fn numbers(facts: &Facts, before: &Summary) -> Table {
    let Facts { summary, period, .. } = facts;
    let (this, last) = (period.words(), period.previous().words());
    let mut table = Table::new(format!("Compared with {last}"), &["Number of", &this, &last, "Change"]);
    let mut row = |what: &str, of: &dyn Fn(&Summary) -> u64| {
        let (now, then) = (of(summary), of(before));
        if now > 0 || then > 0 {
            table.row([what.into(), now.into(), then.into(), change(now, then).into()]);
        }
    };
    row("events", &|summary| summary.events.count);
    row("people", &|summary| summary.active_people() as u64);
    for class in CLASSES {
        row(class_words(class), &|summary| summary.of_class(class));
    }
    table
}

/// `+20 %`; nothing where there was nothing before.
fn change(now: u64, then: u64) -> Option<String> {
    let percent = ((i128::from(now) - i128::from(then)) * 100).checked_div(i128::from(then))?;
    Some(format!("{percent:+} %"))
}

fn class_words(class: ActClass) -> &'static str {
    match class {
        ActClass::View => "openings and views",
        ActClass::Download => "downloads",
        ActClass::Change => "changes, uploads and copies",
        ActClass::Delete => "deletions",
        ActClass::Share => "links and shares",
        ActClass::Membership => "changes of room members",
    }
}
