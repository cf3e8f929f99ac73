//! The first page: what needs a decision, and what happened, against the period before. What was not seen stands in the coverage of
//! the document.

use ::report::words::{list as list_words, number, plural};
use ::report::{Block, Document, Figure, Line, Section, Table, line};
use audit_model::{ActClass, Coverage, Gap, SourceCoverage, Verdict};
use uuid::Uuid;

use crate::facts::people::Actor;
use crate::facts::summary::{RoomKey, Summary};
use crate::facts::{CLASSES, Facts};
use crate::period::{Period, day_words};
use crate::rule::Decision;

/// Adds the first page; only the coverage speaks of a period of which nothing was seen.
pub(crate) fn put(facts: &Facts, decisions: &[Decision], document: &mut Document) {
    if document.seal() == Verdict::Nothing {
        return;
    }
    let has_logins = document.coverage.logins.is_some();
    document.figures = figures(facts, has_logins);
    document.sections.push(Section::new("what needs a decision").with(asked(decisions)));
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
    let goes_incomplete = coverage.verdict() == Verdict::Incomplete && facts.goes_incomplete;
    let goes = goes_incomplete.then(|| {
        "this report is incomplete, and is uploaded all the same because `upload_incomplete` is set".to_owned()
    });
    let said = [left_out, trail_begins(facts), how_read(facts), no_history, goes];
    said.into_iter().flatten().chain(facts.notes.iter().cloned()).map(Line::from).collect()
}

/// Whether the trail begins after the whole time.
fn is_unrecorded(facts: &Facts) -> bool {
    facts.unrecorded.is_some_and(|unrecorded| unrecorded.until >= facts.period.window.until)
}

/// Since when there is a trail, where that is not the whole time.
fn trail_begins(facts: &Facts) -> Option<String> {
    let unrecorded = facts.unrecorded?;
    Some(if is_unrecorded(facts) {
        "the portal's audit trail begins after this time: what happened in it was not recorded".to_owned()
    } else {
        let day = facts.period.day(unrecorded.until).format("%-d %B %Y");
        format!("the portal's audit trail begins on {day}: what happened before was not recorded")
    })
}

/// Whether it may still grow.
fn how_read(facts: &Facts) -> Option<String> {
    let reading = facts.reading?;
    let (rows, are) = (plural(reading.late_rows, "row"), if reading.late_rows == 1 { "has" } else { "have" });
    let late = format!("{rows} {are} been stored by the portal since the first reading");
    let day = facts.recheck_from.map(|from| facts.period.day(from).format("%-d %B %Y").to_string());
    Some(match (reading.is_rechecked, reading.late_rows, day) {
        (true, 0, _) => return None,
        (true, _, _) => late,
        (false, 0, Some(day)) => {
            format!(
                "this is a first reading; a run on or after {day} reads everything again, for what the portal stores late"
            )
        }
        (false, _, Some(day)) => format!("{late}; a run on or after {day} reads everything again"),
        (false, 0, None) => "this is a first reading, and the only one, because `recheck` is off".to_owned(),
        (false, _, None) => format!("{late}; not everything was read again, because `recheck` is off"),
    })
}

/// `21 of 21 events, 12 of 12 logins; nothing is missing`, or `21 events, 12 logins; what is missing is listed below`: what the report
/// holds of what was read.
pub(crate) fn proof(facts: &Facts, coverage: &Coverage) -> Line {
    // how many there are is known only where all were read
    let is_whole = coverage.verdict() == Verdict::Complete;
    let of = |held: u64, source: Option<&SourceCoverage>, what: &str| {
        source.map(|source| match plural(source.rows, what) {
            read if is_whole || held != source.rows => format!("{} of {read}", number(held)),
            read => read,
        })
    };
    let (events, logins) = (facts.summary.events.count, facts.logins.rows.count);
    let held: Vec<String> =
        [of(events, coverage.audit.as_ref(), "event"), of(logins, coverage.logins.as_ref(), "login")]
            .into_iter()
            .flatten()
            .collect();
    let end = match (coverage.verdict(), facts.filter.is_some()) {
        (Verdict::Nothing, _) => return Line::default(),
        (Verdict::Incomplete, _) => "what is missing is listed below",
        (Verdict::Complete, true) => "the others are left out by the settings",
        (Verdict::Complete, false) if events == 0 => "the portal recorded no event in this time",
        (Verdict::Complete, false) => "nothing is missing",
    };
    format!("{}; {end}", held.join(", ")).into()
}

fn figures(facts: &Facts, has_logins: bool) -> Vec<Figure> {
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
        compared("events recorded", &|summary| summary.events.count),
        compared("people at work", &|summary| summary.active_people),
        compared("downloads", &|summary| summary.by_class.of(ActClass::Download)),
        compared("deletions", &|summary| summary.by_class.of(ActClass::Delete)),
    ];
    if has_logins {
        let note = format!("and {} successful", number(logins.successes));
        figures.push(Figure::new("failed logins", logins.failures).with_note(note));
    }
    figures
}

fn asked(decisions: &[Decision]) -> Block {
    if decisions.is_empty() {
        return Block::Paragraph("Nothing that this program looks for was found.".into());
    }
    let line = |decision: &Decision| line![decision.text.clone().capitalised(), ". ", decision.row.clone()];
    Block::List(decisions.iter().map(line).collect())
}

fn happened(facts: &Facts, has_logins: bool) -> Section {
    let Facts { summary, logins, period, .. } = facts;
    let mut lines = vec![everything(facts)];
    lines.extend(by_whom(facts));
    let busiest = summary.by_day.iter().max_by_key(|(day, tally)| (tally.count, std::cmp::Reverse(**day)));
    if let Some((day, tally)) = busiest {
        lines.push(format!("Busiest day: {} with {} ({})", day_words(*day), plural(tally.count, "event"), tally.ids()));
    }
    if has_logins {
        let people = plural(logins.users.len() as u64, "person");
        let (rows, successes) = (plural(logins.rows.count, "row"), plural(logins.successes, "login"));
        let others = match logins.others() {
            0 => String::new(),
            others => format!(" and {}, such as people signing out", plural(others, "other row")),
        };
        let failures = plural(logins.failures, "failed login");
        lines.push(format!("{rows} of the login history: {successes} by {people}, {failures}{others}"));
    }
    let Some(before) = &facts.before else {
        let classes =
            CLASSES.into_iter().map(|class| (class, summary.by_class.of(class))).filter(|(_, count)| *count > 0);
        let counts: Vec<String> =
            classes.map(|(class, count)| format!("{}: {}", class_words(class), number(count))).collect();
        lines.extend((!counts.is_empty()).then(|| format!("In numbers: {}", counts.join("; "))));
        lines.push(not_compared(&period.previous()));
        return Section::new("what happened").with(list(lines));
    };
    Section::new("what happened").with(list(lines)).with(Block::Table(numbers(facts, before)))
}

/// `1,870 events by 12 people, the owner of this program's key among them, in 6 of 8 rooms, 1–31 October 2026, Berlin time`
fn everything(facts: &Facts) -> String {
    let Facts { summary, period, .. } = facts;
    let is_key_owner = |id: &Uuid| facts.key_owner == Some(*id) && !facts.own.contains(id);
    let has_key_owner = summary.people.keys().any(|actor| is_key_owner(&actor.id));
    let key_owner = match (has_key_owner, summary.active_people) {
        (false, _) => "",
        (true, 1) => ", the owner of this program's key,",
        (true, _) => ", the owner of this program's key among them,",
    };
    let known = summary.rooms.keys().filter(|key| matches!(key, RoomKey::Known(_))).count() as u64;
    let titled: u64 = summary
        .rooms
        .iter()
        .filter(|(key, _)| matches!(key, RoomKey::Titled(_)))
        .map(|(_, row)| row.events.count)
        .sum();
    let titled = match titled {
        0 => String::new(),
        events => format!(" ({} of rooms that are known by title only)", plural(events, "event")),
    };
    format!(
        "{} by {}{key_owner} in {} of {}{titled}, {}, {}",
        plural(summary.events.count, "event"),
        plural(summary.active_people, "person"),
        number(known),
        plural(known + facts.quiet.len() as u64, "room"),
        period.days_in_words(),
        period.clock_words(),
    )
}

/// Whose events they were, where not all are of people.
fn by_whom(facts: &Facts) -> Option<String> {
    let Facts { summary, own, .. } = facts;
    let of = |is: &dyn Fn(&Actor) -> bool| -> u64 {
        summary.people.iter().filter(|(actor, _)| is(actor)).map(|(_, row)| row.events.count).sum()
    };
    let parts = [
        (summary.by_people, "by people"),
        (of(&Actor::is_by_link), "by link, with nobody signed in"),
        (of(&|actor| actor.is_person() && own.contains(&actor.id)), "by service accounts"),
        (of(&Actor::is_worker), "by the portal itself"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, who)| format!("{} {who}", number(count))).collect();
    (parts.len() > 1 || summary.by_people < summary.events.count).then(|| format!("Of these, {}", list_words(&parts)))
}

/// How to get what there is nothing to compare with.
fn not_compared(before: &Period) -> String {
    let words = before.words();
    let flags = match before.month() {
        Some(month) => format!("--month {month}"),
        None => format!("--since {} --until {}", before.local(before.window.since), before.local(before.window.until)),
    };
    format!(
        "No comparison: the previous period ({words}) is not fully archived; run this program once with `{flags}`, without `--out`, and \
         then this report again"
    )
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
    row("people", &|summary| summary.active_people);
    for class in CLASSES {
        row(class_words(class), &|summary| summary.by_class.of(class));
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
