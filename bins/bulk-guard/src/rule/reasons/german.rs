//! The same sentences in German.

use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use report::words::german::{counted, duration, list_of, number};
use uuid::Uuid;

use super::{SHOWN, shown};
use crate::rule::crowd::Crowd;
use crate::rule::extent::{Extent, ShownRoom};
use crate::rule::incident::Exceeded;
use crate::rule::kind::{DOCUMENT, Kind};

impl Exceeded {
    /// `240 Dokumente innerhalb von 10 min umbenannt, mehr als 20`
    pub(super) fn german(&self) -> String {
        let with = if self.at_least { ", mit Ordnern, deren Inhalt nicht zu zählen war" } else { "" };
        let what = things(self.documents, self.kind.map_or(DOCUMENT, Kind::counted));
        let (span, most) = (self.threshold.span(), number(self.threshold.documents));
        format!("{what} innerhalb von {span} {}, mehr als {most}{with}", participle(self.kind))
    }
}

/// `1 Dokument`, `180 Dokumente`: of what is counted, by its English noun.
pub(crate) fn things(count: u64, noun: &str) -> String {
    let (one, many) = match noun {
        "member" => ("Mitglied", "Mitglieder"),
        "place" => ("Ort", "Orte"),
        _ => ("Dokument", "Dokumente"),
    };
    counted(count, one, many)
}

/// What was done; `None`: it was changed in several ways.
pub(crate) fn participle(kind: Option<Kind>) -> &'static str {
    match kind {
        None => "geändert",
        Some(Kind::Deleted) => "gelöscht",
        Some(Kind::DeletedForGood) => "endgültig gelöscht",
        Some(Kind::RoomDeleted) => "mit dem Raum gelöscht",
        Some(Kind::Overwritten) => "überschrieben",
        Some(Kind::Renamed) => "umbenannt",
        Some(Kind::MovedOut) => "hinausverschoben",
        Some(Kind::Moved) => "verschoben",
        Some(Kind::Created) => "angelegt",
        Some(Kind::Downloaded) => "heruntergeladen",
        Some(Kind::Purged) => "aus dem Papierkorb gelöscht",
        Some(Kind::Viewed) => "angesehen",
        Some(Kind::Shared) => "über Links geteilt",
        Some(Kind::MemberRemoved) => "aus Räumen entfernt",
        Some(Kind::Dismantled) => "archiviert, gelöscht oder getrennt",
    }
}

pub(super) fn uncountable(folders: u64) -> String {
    if folders == 1 {
        "ein Ordner oder Raum ist nicht zu zählen: Niemand kann ihn mehr auflisten, und was er enthielt, wurde vorher nicht gelesen"
            .to_owned()
    } else {
        format!(
            "{} Ordner oder Räume sind nicht zu zählen: Niemand kann sie mehr auflisten, und was sie enthielten, wurde vorher nicht gelesen",
            number(folders)
        )
    }
}

pub(super) fn together(people: &[(Uuid, PortalText, u64)]) -> String {
    format!("von diesen Personen zusammen und von keiner allein: {}", names_of(people))
}

pub(super) fn visitors_together(rooms: &[ShownRoom]) -> String {
    format!("in diesen Räumen zusammen und in keinem allein: {}", shown_rooms(rooms).join(", "))
}

impl Extent {
    fn counted_german(&self, noun: &str) -> String {
        let uncountable = self.uncountable.len() as u64;
        let counted = self.documents().saturating_sub(uncountable);
        let folders = match uncountable {
            0 => return things(counted, noun),
            1 => "1 Ordner oder Raum".to_owned(),
            many => format!("{} Ordner oder Räume", number(many)),
        };
        let folders = format!("{folders} mit nicht zählbarem Inhalt");
        if counted > 0 { format!("{} und {folders}", things(counted, noun)) } else { folders }
    }

    /// `180 Dokumente in 4 min, 45 pro Minute; das letzte 10 s vor dem Ende des Zeitraums: Es kann noch andauern`
    pub(super) fn pace_german(&self, noun: &str, last: DateTime<Utc>, end: DateTime<Utc>) -> String {
        let hourly = self.documents_per_hour().filter(|_| self.uncountable.is_empty());
        let rate = hourly.map(|hourly| match hourly {
            0..120 => format!(", {} pro Stunde", number(hourly)),
            _ => format!(", {} pro Minute", number(hourly / 60)),
        });
        let (counted, length) = (self.counted_german(noun), self.length());
        let within = if length < TimeDelta::minutes(1) {
            format!("{counted} innerhalb einer Minute")
        } else {
            format!("{counted} in {}{}", duration(length), rate.unwrap_or_default())
        };
        let ago = duration((end - last).max(TimeDelta::zero()));
        let goes_on = if self.goes_on(end) { ": Es kann noch andauern" } else { "" };
        format!("{within}; zuletzt {ago} vor dem Ende des Zeitraums{goes_on}")
    }

    /// `Dokumente nach Ort: Raum „Marketing“ (120), Raum „Sales“ (60), 3 weitere Räume`
    pub(super) fn places_german(&self, noun: &str) -> Option<String> {
        let mut parts = shown_rooms(&self.rooms());
        let outside = self.outside();
        parts.extend((outside > 0 && !parts.is_empty()).then(|| format!("außerhalb der Räume ({})", number(outside))));
        let whole = self.largest_folder().map(|(title, files, others)| {
            let others = match others {
                0 => String::new(),
                others => format!(" und {}", counted(others, "weiterer", "weitere")),
            };
            format!("ganzer Ordner oder Raum „{}“ ({}){others}", title.for_terminal_within(80), number(files))
        });
        parts.extend(whole);
        (!parts.is_empty()).then(|| format!("{} nach Ort: {}", plural_of(noun), parts.join(", ")))
    }
}

impl Crowd {
    pub(super) fn within_german(&self, (few, most): (u64, u64)) -> String {
        let documents = things(self.counts().documents, self.counted());
        let within = duration(self.window.until - self.window.since);
        let each = match (number(few), number(most)) {
            (few, most) if few == most => format!("je {most}"),
            (few, most) => format!("je {few} bis {most}"),
        };
        let done = participle(self.kind);
        format!(
            "{documents} innerhalb von {within} {done}, {each}: Ein Synchronisierungsprogramm oder ein Umzug würde es erklären"
        )
    }

    pub(super) fn places_german(&self) -> String {
        format!("{} nach Ort: {}", plural_of(self.counted()), shown_rooms(&self.rooms()).join(", "))
    }
}

pub(super) fn from(from: Option<String>, with: Option<String>) -> String {
    let from = from.map(|addresses| format!("von {addresses}"));
    let with = with.map(|programs| format!("mit {programs}"));
    from.into_iter().chain(with).collect::<Vec<_>>().join(", ")
}

/// Of several, and how many more.
pub(super) fn named(texts: &[String]) -> String {
    list_of(texts, SHOWN, texts.len() as u64)
}

pub(super) fn off_hours(hour: u32, days: usize) -> String {
    let days = counted(days as u64, "Tag", "Tagen");
    format!("um {hour}:00 Uhr, zu einer Stunde, in der die Person im Monat davor an {days} nie gearbeitet hat")
}

pub(super) fn new_address(new: &str, known: usize) -> String {
    format!("von {}, nicht unter den {} des Monats davor", shown(new), counted(known as u64, "Adresse", "Adressen"))
}

pub(super) fn new_program(new: &str, known: usize) -> String {
    format!("mit {}, nicht unter den {} des Monats davor", shown(new), counted(known as u64, "Programm", "Programmen"))
}

pub(super) fn names_unknown(asked: usize, gone: usize, failed: usize) -> String {
    let asked = counted(asked as u64, "Dokument", "Dokumenten");
    let gone_words =
        |gone: usize| if gone == 1 { "1 nicht mehr da".to_owned() } else { format!("{gone} nicht mehr da") };
    let failed_words = |failed: usize| format!("{failed} vom Portal nicht genannt");
    let why = match (gone, failed) {
        (gone, 0) => gone_words(gone),
        (0, failed) => failed_words(failed),
        (gone, failed) => format!("{} und {}", gone_words(gone), failed_words(failed)),
    };
    format!("Dateinamen von Erpressersoftware waren nicht zu prüfen: von {asked}, die nachgesehen wurden, {why}")
}

pub(super) fn shown_rooms(rooms: &[ShownRoom]) -> Vec<String> {
    let shown = rooms.iter().take(SHOWN);
    let shown = shown.map(|room| format!("Raum „{}“ ({})", room.title.for_terminal_within(80), number(room.documents)));
    let more = rooms.len().saturating_sub(SHOWN) as u64;
    shown.chain((more > 0).then(|| counted(more, "weiterer Raum", "weitere Räume"))).collect()
}

/// `Anna (20), Ben (20), 3 weitere`
pub(super) fn names_of(people: &[(Uuid, PortalText, u64)]) -> String {
    let shown = people
        .iter()
        .take(SHOWN)
        .map(|(_, name, count)| format!("{} ({})", name.for_terminal_within(80), number(*count)));
    let more = people.len().saturating_sub(SHOWN);
    shown.chain((more > 0).then(|| format!("{more} weitere"))).collect::<Vec<_>>().join(", ")
}

fn plural_of(noun: &str) -> String {
    things(0, noun).split_off(2)
}
