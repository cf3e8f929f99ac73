//! Why there is a finding: all sentences in which it says so, signs of an attack included.

pub(crate) mod german;

use std::collections::BTreeSet;

use ::report::words::german::counted;
use ::report::words::{duration, list_of, number, plural};
use attribution::Distinct;
use audit_model::{PortalText, Sentence};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::rule::crowd::Crowd;
use crate::rule::extent::{Extent, ShownRoom};
use crate::rule::incident::Exceeded;
use crate::rule::kind::{DOCUMENT, Kind};

/// Rooms, people, addresses and programs that a sentence names.
const SHOWN: usize = 3;

impl Exceeded {
    pub(crate) fn sentence(&self) -> Sentence {
        Sentence::new(self.words(), self.german())
    }

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
pub(super) fn uncountable(folders: u64) -> Sentence {
    let english = if folders == 1 {
        "a folder or a room is not countable: nobody can list it any more, and what it held was not read before"
            .to_owned()
    } else {
        format!(
            "{folders} folders or rooms are not countable: nobody can list them any more, and what they held was not read before"
        )
    };
    Sentence::new(english, german::uncountable(folders))
}

/// Several people of one room exceeded its limit; the finding is named `2 people`.
pub(super) fn together(people: &[(Uuid, PortalText, u64)]) -> Sentence {
    let english = format!("by these people together, and by none of them alone: {}", names_of(people));
    Sentence::new(english, german::together(people))
}

/// So did visitors of several rooms.
pub(super) fn visitors_together(rooms: &[ShownRoom]) -> Sentence {
    let english = format!("in these rooms together, and in none of them alone: {}", shown_rooms(rooms).join(", "));
    Sentence::new(english, german::visitors_together(rooms))
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
    pub(crate) fn pace(&self, noun: &str, end: DateTime<Utc>) -> Option<Sentence> {
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
        let english = format!("{within}; the last one {ago} before the end of the window{goes_on}");
        Some(Sentence::new(english, self.pace_german(noun, last, end)))
    }

    /// `documents by place: room "Marketing" (120), room "Sales" (60), 3 more rooms`
    pub(crate) fn places(&self, noun: &str) -> Option<Sentence> {
        let mut parts = shown_rooms(&self.rooms());
        let outside = self.outside();
        parts.extend((outside > 0 && !parts.is_empty()).then(|| format!("outside the rooms ({})", number(outside))));
        let whole = self.largest_folder().map(|(title, files, others)| {
            let others = if others > 0 { format!(" and {}", plural(others, "other")) } else { String::new() };
            format!("whole folder or room \"{}\" ({}){others}", title.for_terminal_within(80), number(files))
        });
        parts.extend(whole);
        let english = (!parts.is_empty()).then(|| format!("{noun}s by place: {}", parts.join(", ")))?;
        Some(Sentence::new(english, self.places_german(noun)?))
    }

    /// Documents that are in no room.
    fn outside(&self) -> u64 {
        self.rooms.get(&PortalText::default()).map_or(0, Distinct::count)
    }

    /// Of folders that were changed as a whole the one that held most, how much that was, and how many others there are.
    fn largest_folder(&self) -> Option<(&PortalText, u64, u64)> {
        let mut folders: Vec<&(PortalText, u64)> = self.folders.iter().collect();
        folders.sort_by_key(|(_, files)| std::cmp::Reverse(*files));
        folders.first().map(|(title, files)| (title, *files, folders.len() as u64 - 1))
    }
}

impl Crowd {
    /// `1,000 documents overwritten within 6 min, 25 each: a sync client or a migration would explain it`; the finding is named `40 people`.
    pub(crate) fn reasons(&self) -> Vec<Sentence> {
        let documents = plural(self.counts().documents, self.counted());
        let done = self.kind.map_or("changed", Kind::participle);
        let within = duration(self.window.until - self.window.since);
        let people = self.people();
        let each = people.iter().map(|(_, documents)| *documents);
        let (few, most) = (each.clone().min().unwrap_or_default(), each.max().unwrap_or_default());
        let german = self.within_german((few, most));
        let (few, most) = (number(few), number(most));
        let each = if most == few { format!("{most} each") } else { format!("{few} to {most} each") };
        let english =
            format!("{documents} {done} within {within}, {each}: a sync client or a migration would explain it");
        let mut reasons = vec![Sentence::new(english, german)];
        let named = people.iter().map(|(person, documents)| (person.id, person.name.clone(), *documents));
        let named: Vec<_> = named.collect();
        let german = format!("darunter {}", german::names_of(&named));
        reasons.push(Sentence::new(format!("among them {}", names_of(&named)), german));
        reasons.extend(self.places());
        let signed = self.many(|member| !member.signs.is_empty());
        if let Some(sign) = self.members.iter().flat_map(|member| &member.signs).next() {
            let seen = &sign.evidence;
            reasons.push(Sentence::new(
                format!("signs of an attack with {signed} of them, for instance: {seen}"),
                format!("Anzeichen eines Angriffs bei {signed} von ihnen, zum Beispiel: {}", seen.german()),
            ));
        }
        // habits of each say nothing of all
        if let Some(first) = self.members.iter().find_map(|member| member.names_unknown.as_ref()) {
            let many = self.many(|member| member.names_unknown.is_some());
            let german = format!("bei {many} von ihnen: {}", first.german());
            reasons.push(Sentence::new(format!("of {many} of them: {first}"), german));
        }
        reasons
    }

    fn places(&self) -> Option<Sentence> {
        let parts = shown_rooms(&self.rooms());
        let english = || format!("{}s by place: {}", self.counted(), parts.join(", "));
        (!parts.is_empty()).then(|| Sentence::new(english(), self.places_german()))
    }
}

/// `from 203.0.113.66, with python-requests 2`; `None` where neither is known.
pub(super) fn from(addresses: &BTreeSet<String>, programs: &BTreeSet<String>) -> Option<Sentence> {
    let texts = |texts: &BTreeSet<String>| texts.iter().map(|text| shown(text)).collect::<Vec<String>>();
    let (addresses, programs) = (texts(addresses), texts(programs));
    let of = |texts: &[String], named: fn(&[String]) -> String| (!texts.is_empty()).then(|| named(texts));
    let english = |texts: &[String]| list_of(texts, SHOWN, texts.len() as u64);
    let from = of(&addresses, english).map(|addresses| format!("from {addresses}"));
    let with = of(&programs, english).map(|programs| format!("with {programs}"));
    let parts: Vec<String> = from.into_iter().chain(with).collect();
    let german = || german::from(of(&addresses, german::named), of(&programs, german::named));
    (!parts.is_empty()).then(|| Sentence::new(parts.join(", "), german()))
}

pub(super) fn several_rooms(rooms: usize) -> Sentence {
    let rooms = rooms as u64;
    Sentence::new(
        format!("documents of {}", plural(rooms, "room")),
        format!("Dokumente aus {}", counted(rooms, "Raum", "Räumen")),
    )
}

/// `days` are those of the month before on which the person worked.
pub(super) fn off_hours(hour: u32, days: usize) -> Sentence {
    let english =
        format!("at {hour}:00, an hour never worked at on {} of the month before", plural(days as u64, "day"));
    Sentence::new(english, german::off_hours(hour, days))
}

/// `known` is how many addresses the person had in the month before.
pub(super) fn new_address(new: &str, known: usize) -> Sentence {
    let english = format!("from {}, not among the {} of the month before", shown(new), plural(known as u64, "address"));
    Sentence::new(english, german::new_address(new, known))
}

/// `known` is how many programs the person had in the month before.
pub(super) fn new_program(new: &str, known: usize) -> Sentence {
    let english = format!("with {}, not among the {} of the month before", shown(new), plural(known as u64, "program"));
    Sentence::new(english, german::new_program(new, known))
}

pub(super) fn new_country(country: &PortalText) -> Sentence {
    let country = country.for_terminal();
    Sentence::new(
        format!("signed in from {country}, as the portal notes it, and not in the month before"),
        format!("Anmeldung aus {country}, wie das Portal es vermerkt, und im Monat davor nicht"),
    )
}

/// Of the documents that went into the trash in this incident so many are gone from there, too.
pub(super) fn trash_emptied(gone: u64) -> Sentence {
    Sentence::new(
        format!("{} of the trash were deleted there, too", plural(gone, "document")),
        format!("auch im Papierkorb gelöscht: {}", german::things(gone, DOCUMENT)),
    )
}

pub(super) fn ransom_name(name: &str) -> Sentence {
    let name = PortalText::new(name).for_terminal_within(120);
    Sentence::new(
        format!("`{name}` is a name that ransomware leaves behind"),
        format!("`{name}` ist ein Name, den Erpressersoftware hinterlässt"),
    )
}

pub(super) fn new_extension(extension: &str, (with_it, all): (usize, usize)) -> Sentence {
    let extension = shown(extension);
    Sentence::new(
        format!("{with_it} of {all} new names end in `.{extension}` now"),
        format!("{with_it} von {all} neuen Namen enden jetzt auf `.{extension}`"),
    )
}

/// Each of so many names has an ending that no other has.
pub(super) fn own_endings(example: &str, (such, all): (usize, usize)) -> Sentence {
    let example = PortalText::new(example).for_terminal_within(120);
    Sentence::new(
        format!("{such} of {all} new names have another ending each behind the former one, such as `{example}`"),
        format!("{such} von {all} neuen Namen haben hinter der alten Endung je eine andere, zum Beispiel `{example}`"),
    )
}

/// What is usual for somebody is not known.
pub(super) fn few_days(days: usize, needed: usize) -> Sentence {
    let known = days as u64;
    Sentence::new(
        format!(
            "cannot tell whether the hour and address are usual: only {} of history ({needed} needed)",
            plural(known, "day")
        ),
        format!(
            "ob Stunde und Adresse üblich sind, ist nicht zu sagen: Bekannt sind nur {} (nötig: {needed})",
            counted(known, "Tag", "Tage")
        ),
    )
}

/// Of the names that were asked for, some are not known.
pub(super) fn names_unknown(asked: usize, gone: usize, failed: usize) -> Sentence {
    let why = match (gone, failed) {
        (gone, 0) => format!("{gone} no longer there"),
        (0, failed) => format!("{failed} not told by the portal"),
        (gone, failed) => format!("{gone} no longer there and {failed} not told by the portal"),
    };
    let documents = plural(asked as u64, "document");
    let english = format!("could not check for ransomware file names: of {documents} looked up, {why}");
    Sentence::new(english, german::names_unknown(asked, gone, failed))
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
