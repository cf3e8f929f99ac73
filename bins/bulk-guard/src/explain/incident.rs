//! `explain INCIDENT`: what a person did, what was done about it, who decided what, and what follows. Pure.

use std::fmt::{self, Write as _};

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use report::words::plural;

use crate::status::{decided, standing, whom};
use crate::suspend::entry::Entry;
use crate::suspend::next::next;
use crate::suspend::words::{asker, moment};

/// The entries of one incident, each for one person.
pub(super) fn text(entries: &[&Entry], now: DateTime<Utc>) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for (place, entry) in entries.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        one(&mut text, entry, now)?;
    }
    Ok(text)
}

fn one(text: &mut String, entry: &Entry, now: DateTime<Utc>) -> fmt::Result {
    let incident = &entry.incident;
    let shown = |text: &str| PortalText::new(text).for_terminal();
    writeln!(text, "Incident {}: {}", incident.called(), whom(entry))?;
    writeln!(text, "What the person did: {}", shown(&incident.reason))?;
    let (first, last) = (incident.first, incident.last);
    writeln!(text, "  first event: {}, {}", first.event, moment(first.at))?;
    writeln!(text, "  last event:  {}, {}", last.event, moment(last.at))?;
    writeln!(text, "  in all:      {}", plural(incident.documents, "document"))?;
    for sign in &incident.strong {
        writeln!(text, "  sign:        {}", shown(sign))?;
    }
    if incident.is_late {
        writeln!(text, "  The portal wrote some of these events down late, so they are no fresh evidence.")?;
    }
    writeln!(text, "State: {}", standing(entry.state, entry.why.as_deref()))?;
    if let Some(why) = &incident.needs_decision {
        writeln!(text, "No term ends a suspension for it, because {}.", shown(why))?;
    }
    writeln!(text, "What happened, times in UTC:")?;
    for (at, what) in course(entry) {
        writeln!(text, "  {}  {what}", at.format("%Y-%m-%d %H:%M:%S"))?;
    }
    writeln!(text, "Next: {}", next(entry, now))
}

/// All that was noted, in its order.
fn course(entry: &Entry) -> Vec<(DateTime<Utc>, String)> {
    let mut course = vec![(entry.planned_at, "planned".to_owned())];
    if let Some(intent) = &entry.intent {
        let until = intent.deadline.map_or_else(String::new, |end| format!(", until {}", moment(end)));
        let asked = intent.asked_by.as_deref().map(|who| format!(", in a run asked for by {}", asker(who)));
        let asked = asked.unwrap_or_default();
        course.push((intent.at, format!("about to ask the portal to disable the account{until}{asked}")));
    }
    course
        .extend(entry.row.map(|row| (row.at, format!("the portal's own row {}: the account was disabled", row.event))));
    course.extend(entry.tried.as_ref().map(|tried| {
        let times = if tried.number == 1 { String::new() } else { format!(" for the {}. time", tried.number) };
        (tried.at, format!("about to ask the portal to enable the account{times}"))
    }));
    course.extend(entry.decisions.iter().map(|decision| (decision.at, decided(decision))));
    course.extend(entry.said.iter().map(|said| {
        let words = PortalText::new(said.words.english()).for_terminal_within(2_000);
        (said.at, format!("told: {words}"))
    }));
    // what was noted at the same moment stays in the order of its kinds
    course.sort_by_key(|(at, _)| *at);
    course
}
