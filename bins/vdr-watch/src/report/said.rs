//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts};
use audit_model::{Attributed, Finding, FindingRoom, Sentence};
use report::words::{Clock, german};
use report::{Line, Where, line};

use super::{Report, advice, how, how_long, of_room};
use crate::rule::{Detail, Found};

/// Rooms named where it may have been several.
const ROOMS_NAMED: usize = 5;

/// Who did what and where, what to do, and the answers to what people ask first.
pub(crate) fn said(report: &Report, found: &Found) -> Said {
    let Found { finding, detail } = found;
    let clock = Clock(report.head.portal.time_zone.unwrap_or_default());
    let is_told = !detail.kinds.classes.is_empty();
    let steps = advice::what_to_do(found, "message").into_iter().zip(advice::german::what_to_do(found));
    Said {
        did: is_told.then(|| did(finding, detail)),
        what_to_do: steps.map(|(step, german)| shown(step, german)).collect(),
        facts: SaidFacts {
            who: None,
            place: place(finding, detail),
            how_many: is_told.then(|| Sentence::new(detail.kinds.to_string(), detail.kinds.german())),
            how_fast: detail.when(clock),
            goes_on: None,
            how_sure: finding.room.as_ref().filter(|room| room.id.is_some()).map(sure),
        },
    }
}

fn shown(english: Line, german: Line) -> Sentence {
    Sentence::new(english.for_terminal(), german.for_terminal())
}

/// `made 41 downloads in 40 min in "Acme"`
fn did(finding: &Finding, detail: &Detail) -> Sentence {
    let title = |open: &'static str, close: &'static str| {
        let title = finding.room.as_ref().map(|room| line![open, Line::name(&room.title), close]);
        title.unwrap_or_default().for_terminal()
    };
    let (place, place_german, long) = (title(" in \"", "\""), title(" in „", "“"), how_long(finding));
    let (kinds, german) = (detail.kinds.by_class(), detail.kinds.by_class_german());
    Sentence::new(format!("made {kinds}{long}{place}"), format!("kommt auf {german}{}{place_german}", long.german()))
}

/// `"Acme" (room 71); 34 of 64 documents of the room (53 %)`
fn place(finding: &Finding, detail: &Detail) -> Option<Sentence> {
    let room = finding.room.as_ref()?;
    let all = |place: Line, parts: Option<Line>| parts.into_iter().fold(place, |all, part| all.and("; ").and(part));
    Some(shown(
        all(Where::from(room).line(), of_room(finding, detail)),
        all(place_german(room), of_room_german(finding, detail)),
    ))
}

fn place_german(room: &FindingRoom) -> Line {
    let candidates: Vec<String> = room.candidates.iter().map(ToString::to_string).collect();
    let which = match (&room.id, candidates.len() as u64) {
        (Some(id), _) => format!(" (Raum {id})"),
        (None, 0) => " (Raum nicht bekannt)".to_owned(),
        (None, total) => format!(" (einer der Räume {})", german::list_of(&candidates, ROOMS_NAMED, total)),
    };
    line!["„", Line::name(&room.title), "“", which]
}

/// `34 von 64 Dokumenten des Raums (53 %); im Ordner „Signed“: 30`
fn of_room_german(finding: &Finding, detail: &Detail) -> Option<Line> {
    let share = detail.share_of_room?;
    let all = german::counted(share.documents, "Dokument", "Dokumenten");
    let taken = german::number(finding.counts.documents);
    let said: Line = format!("{taken} von {all} des Raums ({} %)", share.percent).into();
    let folders = detail.folders.iter().enumerate().map(|(at, folder)| {
        let title = folder.title.as_ref().map(|title| line!["„", Line::name(title), "“"]);
        let name = title.unwrap_or_else(|| folder.id.to_string().into());
        let before = if at == 0 { "; im Ordner " } else { ", im Ordner " };
        line![before, name, format!(": {}", german::number(folder.documents))]
    });
    Some(folders.fold(said, Line::and))
}

fn sure(room: &FindingRoom) -> Sentence {
    let german = match room.attributed {
        Attributed::Target => "der Raum ist sicher: Jedes Ereignis nennt ihn",
        Attributed::Log => "der Raum ist sicher: Sein Protokoll führt die Ereignisse auf",
        Attributed::Title => {
            "der Raum ergibt sich aus dem Titel: Mehr nennt das Portal bei den meisten Ereignissen nicht"
        }
        Attributed::Tree => {
            "der Raum ergibt sich daraus, wo die Dokumente jetzt sind; damals können sie woanders gewesen sein"
        }
    };
    Sentence::new(format!("the room is known {}", how(room.attributed)), german)
}

#[cfg(test)]
mod tests;
