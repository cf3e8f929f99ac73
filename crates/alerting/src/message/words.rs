//! The words of the frame. What programs say of a finding they say in both languages themselves.

use audit_model::Severity;
use chrono::{DateTime, Utc};
use report::words::{Clock, german, number, plural, source};
use serde::Deserialize;

/// The language of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    De,
}

impl Language {
    /// As HTML names it.
    pub fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::De => "de",
        }
    }

    /// The word for it.
    pub(crate) fn severity(self, severity: Severity) -> &'static str {
        let [info, low, medium, high, critical] = self.words().severities;
        match severity {
            Severity::Info => info,
            Severity::Low => low,
            Severity::Medium => medium,
            Severity::High => high,
            Severity::Critical => critical,
        }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
        }
    }
}

pub(super) struct Words {
    /// From `info` to `critical`.
    pub(super) severities: [&'static str; 5],
    pub(super) over: &'static str,
    pub(super) in_room: &'static str,
    /// A title, as it is quoted.
    pub(super) title: fn(&str) -> String,
    /// What is no single person, by the name that a finding has for it.
    pub(super) nobody: fn(&str) -> Option<String>,
    pub(super) what_to_do: &'static str,
    pub(super) nothing_to_do: &'static str,
    pub(super) ask: &'static str,
    pub(super) who: &'static str,
    pub(super) place: &'static str,
    pub(super) one_of_rooms: fn(usize) -> String,
    pub(super) count: &'static str,
    /// Actions, documents.
    pub(super) acts: fn(u64, u64) -> String,
    pub(super) speed: &'static str,
    /// Minutes, actions a minute, and whether those are fewer than one.
    pub(super) rate: fn(u64, u64, bool) -> String,
    pub(super) since: &'static str,
    pub(super) at: fn(Clock, DateTime<Utc>) -> String,
    pub(super) number: fn(u64) -> String,
    /// What was not seen.
    pub(super) source: fn(&str) -> &str,
    /// Before the name of a time zone.
    pub(super) times_in: &'static str,
    pub(super) going_on: &'static str,
    pub(super) probably: &'static str,
    pub(super) last_at: &'static str,
    pub(super) ended_at: &'static str,
    pub(super) sure: &'static str,
    /// By target, log, title, tree.
    pub(super) sureness: [&'static str; 4],
    pub(super) open_room: &'static str,
    pub(super) why: &'static str,
    pub(super) held_back: &'static str,
    pub(super) not_seen: &'static str,
    pub(super) all_seen: &'static str,
    pub(super) something: &'static str,
    pub(super) more_possible: &'static str,
    pub(super) to: &'static str,
    pub(super) more: fn(usize) -> String,
    pub(super) room_page: &'static str,
    pub(super) person_page: &'static str,
    pub(super) matter: &'static str,
}

const ENGLISH: Words = Words {
    severities: ["info", "low", "medium", "high", "critical"],
    over: "over",
    in_room: "in",
    title: |title| format!("\"{title}\""),
    nobody: |_| None,
    what_to_do: "What to do",
    nothing_to_do: "Nothing more happens: keep this message with what you noted down.",
    ask: "Ask somebody who knows the work whether this was agreed, before you speak to the person.",
    who: "Who",
    place: "Where",
    one_of_rooms: |rooms| format!("one of {rooms} rooms with this title"),
    count: "How many",
    acts: |acts, documents| format!("{} on {}", plural(acts, "action"), plural(documents, "document")),
    speed: "How fast",
    rate: |minutes, rate, is_slow| match is_slow {
        true => format!("in {}, less than one a minute", plural(minutes, "minute")),
        false => format!("in {}, about {} a minute", plural(minutes, "minute"), number(rate)),
    },
    since: "Since",
    at: |clock, instant| clock.at(instant),
    number,
    source,
    times_in: "times in",
    going_on: "Still going on",
    probably: "probably; last action:",
    last_at: "not known; last action:",
    ended_at: "no; last action:",
    sure: "How sure",
    sureness: [
        "the events name the room",
        "the room's own log lists the events",
        "only this room had the title at that time",
        "the documents are in this room now, or were when it was last looked at",
    ],
    open_room: "the person and the number are sure, the room is not",
    why: "Why",
    held_back: "Runs that found more since the last message",
    not_seen: "Not seen",
    all_seen: "nothing; all that the portal records was read",
    something: "a part of the time; the true numbers may be higher",
    more_possible: "the true numbers may be higher",
    to: "to",
    more: |more| format!("and {more} more"),
    room_page: "Room",
    person_page: "Account",
    matter: "matter",
};

const GERMAN: Words = Words {
    severities: ["Hinweis", "niedrig", "mittel", "hoch", "kritisch"],
    over: "beendet",
    in_room: "in",
    title: |title| format!("„{title}“"),
    nobody: german::nobody,
    what_to_do: "Was zu tun ist",
    nothing_to_do: "Es geschieht nichts mehr: Bewahren Sie diese Nachricht bei Ihren Notizen auf.",
    ask: "Fragen Sie jemanden, der die Arbeit kennt, ob das vereinbart war, bevor Sie mit der Person sprechen.",
    who: "Wer",
    place: "Wo",
    one_of_rooms: |rooms| format!("einer von {rooms} Räumen mit diesem Titel"),
    count: "Wie viel",
    acts: |acts, documents| {
        let (act, document) =
            (if acts == 1 { "Aktion" } else { "Aktionen" }, if documents == 1 { "Dokument" } else { "Dokumenten" });
        format!("{} {act} an {} {document}", german::number(acts), german::number(documents))
    },
    speed: "Wie schnell",
    rate: |minutes, rate, is_slow| {
        let minute = if minutes == 1 { "Minute" } else { "Minuten" };
        match is_slow {
            true => format!("in {} {minute}, weniger als eine pro Minute", german::number(minutes)),
            false => format!("in {} {minute}, etwa {} pro Minute", german::number(minutes), german::number(rate)),
        }
    },
    since: "Seit",
    at: german::at,
    number: german::number,
    source: german::source,
    times_in: "Zeiten in",
    going_on: "Dauert an",
    probably: "wahrscheinlich; letzte Aktion:",
    last_at: "nicht bekannt; letzte Aktion:",
    ended_at: "nein; letzte Aktion:",
    sure: "Wie sicher",
    sureness: [
        "die Ereignisse nennen den Raum",
        "das Protokoll des Raums führt die Ereignisse auf",
        "nur dieser Raum hatte damals den Titel",
        "die Dokumente sind jetzt in diesem Raum oder waren es, als zuletzt nachgesehen wurde",
    ],
    open_room: "Person und Anzahl sind sicher, der Raum ist es nicht",
    why: "Warum",
    held_back: "Läufe, die seit der letzten Nachricht mehr fanden",
    not_seen: "Nicht gesehen",
    all_seen: "nichts; alles, was das Portal aufzeichnet, wurde gelesen",
    something: "ein Teil der Zeit; die wahren Zahlen können höher sein",
    more_possible: "die wahren Zahlen können höher sein",
    to: "bis",
    more: |more| format!("und {more} weitere"),
    room_page: "Raum",
    person_page: "Konto",
    matter: "Vorgang",
};
