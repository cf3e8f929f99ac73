//! Why there is a finding: all sentences in which it says so, signs of an attack included.

use std::collections::BTreeSet;

use ::report::words::{duration, list_of, number, plural};
use attribution::Distinct;
use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::rule::crowd::Crowd;
use crate::rule::extent::{Extent, ShownRoom};
use crate::rule::incident::Exceeded;
use crate::rule::kind::{DOCUMENT, Kind};

/// Rooms, people, addresses and programs that a sentence names.
const SHOWN: usize = 3;

impl Exceeded {
    /// `240 documents renamed within 10 min, more than 20`
    pub(crate) fn words(&self) -> String {
        // such a folder counts what the settings say
        let with = if self.at_least { ", with folders whose contents could not be counted" } else { "" };
        let what = plural(self.documents, self.kind.map_or(DOCUMENT, Kind::counted));
        let done = self.kind.map_or("changed", Kind::participle);
        format!("{what} {done} within {}, more than {}{with}", self.threshold.span(), self.threshold.documents)
    }
}

/// Folders and rooms went, and nobody knows what they held.
pub(super) fn uncountable(folders: u64) -> String {
    if folders == 1 {
        "a folder or a room is not countable: nobody can list it any more, and what it held was not read before"
            .to_owned()
    } else {
        format!(
            "{folders} folders or rooms are not countable: nobody can list them any more, and what they held was not read before"
        )
    }
}

/// Several people of one room exceeded its limit; the finding is named `2 people`.
pub(super) fn together(people: &[(Uuid, PortalText, u64)]) -> String {
    format!("by these people together, and by none of them alone: {}", names_of(people))
}

/// So did visitors of several rooms.
pub(super) fn visitors_together(rooms: &[ShownRoom]) -> String {
    format!("in these rooms together, and in none of them alone: {}", shown_rooms(rooms).join(", "))
}

impl Extent {
    /// `180 documents`, `3 documents and 1 folder or room, whose contents could not be counted`
    fn counted(&self, noun: &str) -> String {
        let uncountable = self.uncountable.len() as u64;
        let counted = self.documents().saturating_sub(uncountable);
        let folders = match uncountable {
            0 => return plural(counted, noun),
            1 => "1 folder or room".to_owned(),
            many => format!("{many} folders or rooms"),
        };
        let folders = format!("{folders}, whose contents could not be counted,");
        if counted > 0 { format!("{} and {folders}", plural(counted, noun)) } else { folders }
    }

    /// `180 documents in 4 min, 45 a minute; the last one 10 s before the end of the window: it may still be going on`
    pub(crate) fn pace(&self, noun: &str, end: DateTime<Utc>) -> Option<String> {
        let last = self.last?;
        let hourly = self.documents_per_hour().filter(|_| self.uncountable.is_empty());
        let rate = hourly.map(|hourly| match hourly {
            0..120 => format!(", {hourly} an hour"),
            _ => format!(", {} a minute", hourly / 60),
        });
        let (counted, length) = (self.counted(noun), self.length());
        let within = if length < TimeDelta::minutes(1) {
            format!("{counted} within a minute")
        } else {
            format!("{counted} in {}{}", duration(length), rate.unwrap_or_default())
        };
        let ago = duration((end - last).max(TimeDelta::zero()));
        let goes_on = if self.goes_on(end) { ": it may still be going on" } else { "" };
        Some(format!("{within}; the last one {ago} before the end of the window{goes_on}"))
    }

    /// `documents by place: room "Marketing" (120), room "Sales" (60), 3 more rooms`
    pub(crate) fn places(&self, noun: &str) -> Option<String> {
        let rooms = self.rooms();
        let mut parts = shown_rooms(&rooms);
        let outside = self.rooms.get(&PortalText::default()).map_or(0, Distinct::count);
        parts.extend((outside > 0 && !parts.is_empty()).then(|| format!("outside the rooms ({})", number(outside))));
        let mut folders: Vec<&(PortalText, u64)> = self.folders.iter().collect();
        folders.sort_by_key(|(_, files)| std::cmp::Reverse(*files));
        let whole = folders.first().map(|(title, files)| {
            let others = folders.len() as u64 - 1;
            let others = if others > 0 { format!(" and {}", plural(others, "other")) } else { String::new() };
            format!("whole folder or room \"{}\" ({}){others}", title.for_terminal_within(80), number(*files))
        });
        parts.extend(whole);
        (!parts.is_empty()).then(|| format!("{noun}s by place: {}", parts.join(", ")))
    }
}

impl Crowd {
    /// `1,000 documents overwritten within 6 min, 25 each: a sync client or a migration would explain it`; the finding is named `40 people`.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let documents = plural(self.counts().documents, self.counted());
        let done = self.kind.map_or("changed", Kind::participle);
        let within = duration(self.window.until - self.window.since);
        let people = self.people();
        let each = people.iter().map(|(_, documents)| *documents);
        let (most, few) = (each.clone().max().unwrap_or_default(), each.min().unwrap_or_default());
        let (most, few) = (number(most), number(few));
        let each = if most == few { format!("{most} each") } else { format!("{few} to {most} each") };
        let mut reasons =
            vec![format!("{documents} {done} within {within}, {each}: a sync client or a migration would explain it")];
        let named = people.iter().map(|(person, documents)| (person.id, person.name.clone(), *documents));
        let named: Vec<_> = named.collect();
        reasons.push(format!("among them {}", names_of(&named)));
        reasons.extend(self.places());
        let signed = self.many(|member| !member.signs.is_empty());
        if let Some(sign) = self.members.iter().flat_map(|member| &member.signs).next() {
            reasons.push(format!("signs of an attack with {signed} of them, for instance: {}", sign.evidence));
        }
        // habits of each say nothing of all
        if let Some(first) = self.members.iter().find_map(|member| member.names_unknown.as_ref()) {
            let many = self.many(|member| member.names_unknown.is_some());
            reasons.push(format!("of {many} of them: {first}"));
        }
        reasons
    }

    fn places(&self) -> Option<String> {
        let parts = shown_rooms(&self.rooms());
        (!parts.is_empty()).then(|| format!("{}s by place: {}", self.counted(), parts.join(", ")))
    }
}

/// `from 203.0.113.66, with python-requests 2`; `None` where neither is known.
pub(super) fn from(addresses: &BTreeSet<String>, programs: &BTreeSet<String>) -> Option<String> {
    let named = |texts: &BTreeSet<String>| {
        let texts: Vec<String> = texts.iter().map(|text| shown(text)).collect();
        list_of(&texts, SHOWN, texts.len() as u64)
    };
    let from = (!addresses.is_empty()).then(|| format!("from {}", named(addresses)));
    let with = (!programs.is_empty()).then(|| format!("with {}", named(programs)));
    let parts: Vec<String> = from.into_iter().chain(with).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(super) fn several_rooms(rooms: usize) -> String {
    format!("documents of {}", plural(rooms as u64, "room"))
}

/// `days` are those of the month before on which the person worked.
pub(super) fn off_hours(hour: u32, days: usize) -> String {
    format!("at {hour}:00, an hour never worked at on {} of the month before", plural(days as u64, "day"))
}

/// `known` is how many addresses the person had in the month before.
pub(super) fn new_address(new: &str, known: usize) -> String {
    format!("from {}, not among the {} of the month before", shown(new), plural(known as u64, "address"))
}

/// `known` is how many programs the person had in the month before.
pub(super) fn new_program(new: &str, known: usize) -> String {
    format!("with {}, not among the {} of the month before", shown(new), plural(known as u64, "program"))
}

pub(super) fn new_country(country: &PortalText) -> String {
    format!("signed in from {}, as the portal notes it, and not in the month before", country.for_terminal())
}

/// Of the documents that went into the trash in this incident so many are gone from there, too.
pub(super) fn trash_emptied(gone: u64) -> String {
    format!("{} of the trash were deleted there, too", plural(gone, "document"))
}

pub(super) fn ransom_name(name: &str) -> String {
    format!("`{}` is a name that ransomware leaves behind", PortalText::new(name).for_terminal_within(120))
}

pub(super) fn new_extension(extension: &str, (with_it, all): (usize, usize)) -> String {
    format!("{with_it} of {all} new names end in `.{}` now", shown(extension))
}

/// Each of so many names has an ending that no other has.
pub(super) fn own_endings(example: &str, (such, all): (usize, usize)) -> String {
    let example = PortalText::new(example).for_terminal_within(120);
    format!("{such} of {all} new names have another ending each behind the former one, such as `{example}`")
}

/// What is usual for somebody is not known.
pub(super) fn few_days(days: usize, needed: usize) -> String {
    let days = plural(days as u64, "day");
    format!("cannot tell whether the hour and address are usual: only {days} of history ({needed} needed)")
}

/// Of the names that were asked for, some are not known.
pub(super) fn names_unknown(asked: usize, gone: usize, failed: usize) -> String {
    let asked = plural(asked as u64, "document");
    let why = match (gone, failed) {
        (gone, 0) => format!("{gone} no longer there"),
        (0, failed) => format!("{failed} not told by the portal"),
        (gone, failed) => format!("{gone} no longer there and {failed} not told by the portal"),
    };
    format!("could not check for ransomware file names: of {asked} looked up, {why}")
}

fn shown(text: &str) -> String {
    PortalText::new(text).for_terminal_within(80)
}

/// The first of them, and how many more there are.
fn shown_rooms(rooms: &[ShownRoom]) -> Vec<String> {
    let shown = rooms.iter().take(SHOWN);
    let shown =
        shown.map(|room| format!("room \"{}\" ({})", room.title.for_terminal_within(80), number(room.documents)));
    let more = rooms.len().saturating_sub(SHOWN) as u64;
    shown.chain((more > 0).then(|| plural(more, "more room"))).collect()
}

/// Names of people, the busiest first: `Anna (20), Ben (20), 3 more`.
fn names_of(people: &[(Uuid, PortalText, u64)]) -> String {
    let shown = people
        .iter()
        .take(SHOWN)
        .map(|(_, name, count)| format!("{} ({})", name.for_terminal_within(80), number(*count)));
    let more = people.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("{more} more"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}
