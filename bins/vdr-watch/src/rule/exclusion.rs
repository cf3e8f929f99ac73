//! Findings that somebody expects: they are not told, but the JSON report has them, with the reason. Pure.
//!
//! Whoever manages a room may give it any title. So a title in an exclusion stands for a room only while no other has had it.

use std::borrow::BorrowMut;
use std::collections::BTreeSet;

use audit_model::{Finding, FindingRoom, FindingState, PortalText, RoomId, Sentence};
use chrono::NaiveDate;

use crate::config::Exclusion;

/// Silences what an exclusion covers, and says which exclusions have come to their end.
///
/// `twins` are the rooms that share a title with another, of now or before. A finding about one of several rooms is covered only when
/// all of them are: nobody is let off by a namesake.
pub(crate) fn silence(
    findings: &mut [impl BorrowMut<Finding>],
    exclusions: &[Exclusion],
    twins: &BTreeSet<RoomId>,
    today: NaiveDate,
) -> Vec<String> {
    let (ended, valid): (Vec<_>, Vec<_>) =
        exclusions.iter().enumerate().partition(|(_, exclusion)| exclusion.until.is_none_or(|until| today >= until));
    for finding in findings.iter_mut().map(BorrowMut::borrow_mut) {
        let covering = valid.iter().find(|(_, exclusion)| covers(exclusion, finding, Some(twins)));
        if let Some((_, exclusion)) = covering {
            let until = exclusion.until.map(|until| until.to_string()).unwrap_or_default();
            finding.state = FindingState::Silenced;
            finding.reasons.push(
                format!("expected until {until}: {}", PortalText::new(exclusion.reason.as_str()).for_terminal()).into(),
            );
        } else if let Some((number, _)) = valid.iter().find(|(_, exclusion)| covers(exclusion, finding, None)) {
            let why = "several rooms have had the title that it names; give the room's id";
            let why_german = "mehrere Räume hatten den Titel, den er nennt; geben Sie die Id des Raums an";
            finding.reasons.push(Sentence::new(
                format!("not covered by entry {} of `exclude`: {why}", number + 1),
                format!("nicht von Eintrag {} von `exclude` erfasst: {why_german}", number + 1),
            ));
        }
    }
    let note = |(number, exclusion): &(usize, &Exclusion)| {
        let until = exclusion.until.map(|until| format!(" ended on {until} and")).unwrap_or_default();
        let reason = PortalText::new(exclusion.reason.as_str());
        format!("entry {} of `exclude`{until} does not count any more: {}", number + 1, reason.for_terminal())
    };
    ended.iter().map(note).collect()
}

/// `twins` absent: titles count whoever else has had them.
fn covers(exclusion: &Exclusion, finding: &Finding, twins: Option<&BTreeSet<RoomId>>) -> bool {
    let person = &finding.person;
    let people = exclusion.people.is_empty() || person.is_meant_by_one_of(&exclusion.people);
    let rooms = exclusion.rooms.is_empty()
        || finding.room.as_ref().is_some_and(|room| names_room(&exclusion.rooms, room, twins));
    people && rooms
}

/// Whether the room of a finding is among those named, or all that it may be.
fn names_room(names: &[String], room: &FindingRoom, twins: Option<&BTreeSet<RoomId>>) -> bool {
    let by_id = |id: &RoomId| names.iter().any(|name| RoomId::from(name.as_str()) == *id);
    // a number is an id: a room that calls itself 71 is not room 71
    let is_title = |name: &&String| matches!(RoomId::from(name.as_str()), RoomId::Text(_));
    match &room.id {
        Some(id) => {
            let by_title = names.iter().filter(is_title).any(|name| room.title.raw() == name);
            by_id(id) || by_title && twins.is_none_or(|twins| !twins.contains(id))
        }
        None => !room.candidates.is_empty() && room.candidates.iter().all(by_id),
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{Attributed, FindingRoom, Person, RoomId, testing};
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn finding(room: Option<i64>, candidates: &[i64]) -> Finding {
        Finding {
            person: Person {
                email: Some("Anna@Example.com".into()),
                ..Person::named(Uuid::from_u128(7), "Anna".into())
            },
            room: Some(FindingRoom {
                id: room.map(RoomId::Number),
                candidates: candidates.iter().copied().map(RoomId::Number).collect(),
                title: "Falcon".into(),
                attributed: Attributed::Title,
            }),
            ..testing::finding(DateTime::from_timestamp(0, 0).unwrap())
        }
    }

    fn exclusion(people: &[&str], rooms: &[&str], until: &str) -> Exclusion {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Exclusion {
            people: owned(people),
            rooms: owned(rooms),
            reason: "migration".to_owned(),
            until: until.parse().ok(),
        }
    }

    fn is_silenced(exclusion: Exclusion, mut finding: Finding) -> bool {
        let today = "2026-11-20".parse().unwrap();
        let notes = silence(std::slice::from_mut(&mut finding), &[exclusion], &BTreeSet::new(), today);
        assert_eq!(finding.state == FindingState::Silenced, finding.reasons.len() == 2);
        assert!(notes.is_empty() || finding.state == FindingState::New);
        finding.state == FindingState::Silenced
    }

    #[test]
    fn an_exclusion_covers_the_people_and_rooms_it_names() {
        let falcon = || finding(Some(71), &[]);
        let id = Uuid::from_u128(7).to_string();
        for (people, rooms, expected) in [
            (vec!["anna@example.com"], vec![], true),
            (vec![id.as_str()], vec!["71"], true),
            (vec![], vec!["Falcon"], true),
            (vec!["ben@example.com"], vec!["71"], false),
            (vec!["anna@example.com"], vec!["72"], false),
        ] {
            assert_eq!(
                is_silenced(exclusion(&people, &rooms, "2027-01-01"), falcon()),
                expected,
                "{people:?} {rooms:?}"
            );
        }
    }

    #[test]
    fn a_namesake_of_an_excluded_room_is_not_covered() {
        let excluded = || exclusion(&[], &["71", "Falcon"], "2027-01-01");
        assert!(!is_silenced(excluded(), finding(None, &[71, 72])));
        assert!(!is_silenced(excluded(), finding(None, &[])));
        assert!(is_silenced(exclusion(&[], &["71", "72"], "2027-01-01"), finding(None, &[71, 72])));
    }

    /// A manager gives a room the title, or the number, of one that is excluded.
    #[test]
    fn nobody_hides_behind_the_title_of_an_excluded_room() {
        let today = "2026-11-20".parse().unwrap();
        let twins = BTreeSet::from([RoomId::Number(71), RoomId::Number(72)]);
        let mut renamed = finding(Some(72), &[]);
        silence(std::slice::from_mut(&mut renamed), &[exclusion(&[], &["Falcon"], "2027-01-01")], &twins, today);
        assert_eq!(renamed.state, FindingState::New);
        assert!(renamed.reasons[1].contains("entry 1 of `exclude`") && renamed.reasons[1].contains("id"));
        let mut numbered = finding(Some(72), &[]);
        numbered.room.as_mut().unwrap().title = "71".into();
        assert!(!is_silenced(exclusion(&[], &["71"], "2027-01-01"), numbered));
    }

    #[test]
    fn an_exclusion_ends_on_its_day_and_says_so() {
        let mut finding = finding(Some(71), &[]);
        let ended = exclusion(&[], &["71"], "2026-11-20");
        let today = "2026-11-20".parse().unwrap();
        let notes = silence(std::slice::from_mut(&mut finding), &[ended], &BTreeSet::new(), today);
        assert_eq!(notes, ["entry 1 of `exclude` ended on 2026-11-20 and does not count any more: migration"]);
        assert_eq!(finding.state, FindingState::New);
    }
}
