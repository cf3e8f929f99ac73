//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts};
use audit_model::{Finding, GUEST_ACCOUNT, Sentence};
use job_runner::Found;
use report::words::{duration, german, list_of, number, plural};

use crate::advice::INCIDENT_IS;
use crate::body::{Detail, Of, ShownLimit};
use crate::rule::kind::{DOCUMENT, Kind};
use crate::rule::reasons::german::{participle, things};

/// Rooms named one by one.
const ROOMS_NAMED: usize = 3;

/// Who did what, what to do, and the answers to what people ask first.
pub(crate) fn said(found: &Found<Detail>) -> Said {
    let Found { finding, detail } = found;
    Said {
        did: Some(did(finding, detail)),
        what_to_do: detail.what_to_do.iter().map(|step| with_matter(step, finding)).collect(),
        facts: SaidFacts {
            who: who(finding, detail),
            place: place(detail),
            how_many: Some(how_many(finding, detail)),
            how_fast: detail.documents_per_hour.map(|an_hour| how_fast(finding, an_hour)),
            goes_on: Some(detail.goes_on),
            how_sure: Some(how_sure(detail)),
        },
    }
}

/// Whoever it is that is no single person.
fn who(finding: &Finding, detail: &Detail) -> Option<Sentence> {
    match detail.of {
        Of::Person => None,
        Of::Visitors | Of::VisitorsOfRooms if finding.person.id == GUEST_ACCOUNT => {
            Some(("visitors through links", "Besucher über Links").into())
        }
        Of::Visitors | Of::VisitorsOfRooms => None,
        Of::Room | Of::Crowd => {
            let people = detail.people.len() as u64;
            Some(Sentence::new(plural(people, "person"), german::counted(people, "Person", "Personen")))
        }
    }
}

/// `renamed 180 documents in 4 min in "Marketing"`: by the limit that was exceeded most.
fn did(finding: &Finding, detail: &Detail) -> Sentence {
    let are_many = detail.of != Of::Person;
    let have = if are_many { "haben" } else { "hat" };
    let Some(ShownLimit { kind, threshold, documents, at_least }) =
        detail.exceeded.iter().max_by_key(|limit| (limit.kind.is_some(), limit.documents))
    else {
        return Sentence::new(
            "deleted, moved or downloaded a folder of unknown contents",
            format!("{have} einen Ordner unbekannten Inhalts gelöscht, verschoben oder heruntergeladen"),
        );
    };
    let noun = kind.map_or(DOCUMENT, Kind::counted);
    // of several people the limit is about the busiest of them
    let documents = if detail.of == Of::Crowd { finding.counts.documents } else { *documents };
    let is_all = documents == finding.counts.documents;
    let long = (finding.window.length().num_seconds() > 0).then(|| finding.window.length());
    let (within, within_german) = match long.filter(|_| is_all) {
        Some(long) => (format!("in {}", duration(long)), format!("in {}", german::duration(long))),
        None => (format!("within {}", threshold.span()), format!("innerhalb von {}", threshold.span())),
    };
    let (verb, behind) = kind.map_or(("changed", ""), Kind::verb);
    let at_least = if *at_least { "≥ " } else { "" };
    let (place, place_german) = short_place(detail);
    let (what, what_german) = (plural(documents, noun), things(documents, noun));
    let done = participle(*kind);
    Sentence::new(
        format!("{verb} {at_least}{what}{behind} {within}{place}"),
        format!("{have} {within_german} {at_least}{what_german} {done}{place_german}"),
    )
}

/// ` in "Marketing"`, ` in 3 rooms`
fn short_place(detail: &Detail) -> (String, String) {
    match detail.rooms.as_slice() {
        [] => Default::default(),
        [one] => {
            let title = one.title.unlinked_within(80);
            (format!(" in \"{title}\""), format!(" (Raum „{title}“)"))
        }
        rooms => (format!(" in {} rooms", rooms.len()), format!(" (in {} Räumen)", rooms.len())),
    }
}

/// The command as it can be pasted.
pub(crate) fn with_matter(step: &Sentence, finding: &Finding) -> Sentence {
    let Some(matter) = &finding.matter else { return step.clone() };
    let (english, german) = INCIDENT_IS;
    step.clone().map(|step| match step.strip_suffix(english).or_else(|| step.strip_suffix(german)) {
        Some(step) => step.replace("INCIDENT", matter),
        None => step.to_owned(),
    })
}

/// `room "Marketing" (120), room "Board" (60)`
fn place(detail: &Detail) -> Option<Sentence> {
    let rooms = || detail.rooms.iter().map(|one| (one.title.unlinked_within(80), one.documents));
    let english: Vec<String> = rooms().map(|(title, many)| format!("room \"{title}\" ({})", number(many))).collect();
    let german: Vec<String> =
        rooms().map(|(title, many)| format!("Raum „{title}“ ({})", german::number(many))).collect();
    let total = english.len() as u64;
    (total > 0)
        .then(|| Sentence::new(list_of(&english, ROOMS_NAMED, total), german::list_of(&german, ROOMS_NAMED, total)))
}

fn how_many(finding: &Finding, detail: &Detail) -> Sentence {
    let (documents, acts) = (finding.counts.documents, finding.counts.acts);
    let (by, by_german) = match detail.people.len() as u64 {
        0 | 1 => Default::default(),
        people => (
            format!(", by {}", plural(people, "person")),
            format!(", von {}", german::counted(people, "Person", "Personen")),
        ),
    };
    let (at_least, at_least_german) = if detail.uncountable > 0 { ("at least ", "mindestens ") } else { ("", "") };
    let (things, actions) = (things(documents, detail.counted), german::counted(acts, "Aktion", "Aktionen"));
    Sentence::new(
        format!("{at_least}{} in {}{by}", plural(documents, detail.counted), plural(acts, "action")),
        format!("{at_least_german}{things} in {actions}{by_german}"),
    )
}

fn how_fast(finding: &Finding, an_hour: u64) -> Sentence {
    let length = finding.window.length();
    let (long, long_german) = (duration(length), german::duration(length));
    match an_hour / 60 {
        0 => Sentence::new(
            format!("in {long}, {} an hour", number(an_hour)),
            format!("in {long_german}, {} pro Stunde", german::number(an_hour)),
        ),
        a_minute => Sentence::new(
            format!("in {long}, about {} a minute", number(a_minute)),
            format!("in {long_german}, etwa {} pro Minute", german::number(a_minute)),
        ),
    }
}

fn how_sure(detail: &Detail) -> Sentence {
    match detail.corroboration.len() as u64 {
        0 => (
            "the number alone speaks for it; no other sign was found",
            "nur die Anzahl spricht dafür; ein anderes Anzeichen war nicht zu finden",
        )
            .into(),
        1 => ("besides the number, 1 sign speaks for it", "außer der Anzahl spricht 1 Anzeichen dafür").into(),
        signs => Sentence::new(
            format!("besides the number, {} signs speak for it", number(signs)),
            format!("außer der Anzahl sprechen {} Anzeichen dafür", german::number(signs)),
        ),
    }
}

#[cfg(test)]
mod tests;
