//! Findings that somebody expects: they are not told, but the JSON report has them, with the reason. Pure.

use audit_model::{Finding, FindingState, PortalText};
use chrono::NaiveDate;

use crate::config::Exclusion;

/// Silences what an exclusion covers, and says which exclusions have come to their end.
///
/// A finding about one of several rooms is covered only when all of them are: nobody is let off by a namesake.
pub(crate) fn silence(findings: &mut [Finding], exclusions: &[Exclusion], today: NaiveDate) -> Vec<String> {
    let (ended, valid): (Vec<_>, Vec<_>) =
        exclusions.iter().enumerate().partition(|(_, exclusion)| exclusion.until.is_none_or(|until| today >= until));
    for finding in findings {
        if let Some((_, exclusion)) = valid.iter().find(|(_, exclusion)| covers(exclusion, finding)) {
            let until = exclusion.until.map(|until| until.to_string()).unwrap_or_default();
            finding.state = FindingState::Silenced;
            finding
                .reasons
                .push(format!("expected until {until}: {}", PortalText::new(exclusion.reason.as_str()).for_terminal()));
        }
    }
    let note = |(number, exclusion): &(usize, &Exclusion)| {
        let until = exclusion.until.map(|until| format!(" ended on {until} and")).unwrap_or_default();
        let reason = PortalText::new(exclusion.reason.as_str());
        format!("entry {} of `exclude`{until} does not count any more: {}", number + 1, reason.for_terminal())
    };
    ended.iter().map(note).collect()
}

fn covers(exclusion: &Exclusion, finding: &Finding) -> bool {
    let person = &finding.person;
    let id = person.id.to_string();
    let email = person.email.as_ref().map(|email| email.raw().to_lowercase());
    let names_person = |name: &String| name.to_lowercase() == id || email.as_ref() == Some(&name.to_lowercase());
    let people = exclusion.people.is_empty() || exclusion.people.iter().any(names_person);
    let rooms = exclusion.rooms.is_empty()
        || finding.room.as_ref().is_some_and(|room| {
            let named = |id: String| exclusion.rooms.contains(&id);
            match &room.id {
                Some(id) => named(id.to_string()) || exclusion.rooms.iter().any(|name| room.title.raw() == name),
                None => !room.candidates.is_empty() && room.candidates.iter().all(|id| named(id.to_string())),
            }
        });
    people && rooms
}

#[cfg(test)]
mod tests {
    use audit_model::{Attributed, Counts, FindingRoom, Person, RoomId, Severity, Window};
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn finding(room: Option<i64>, candidates: &[i64]) -> Finding {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        Finding {
            rule: "unusual_activity".to_owned(),
            severity: Severity::High,
            state: FindingState::New,
            fingerprint: "0123".to_owned(),
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
            counts: Counts { acts: 41, documents: 41 },
            window: Window::new(at, at),
            reasons: vec!["41 acts within 1 h, more than 20".to_owned()],
            evidence: Vec::new(),
            evidence_total: 0,
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
        let notes = silence(std::slice::from_mut(&mut finding), &[exclusion], today);
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

    #[test]
    fn an_exclusion_ends_on_its_day_and_says_so() {
        let mut finding = finding(Some(71), &[]);
        let ended = exclusion(&[], &["71"], "2026-11-20");
        let notes = silence(std::slice::from_mut(&mut finding), &[ended], "2026-11-20".parse().unwrap());
        assert_eq!(notes, ["entry 1 of `exclude` ended on 2026-11-20 and does not count any more: migration"]);
        assert_eq!(finding.state, FindingState::New);
    }
}
