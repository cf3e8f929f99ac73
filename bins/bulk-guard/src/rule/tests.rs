use std::collections::BTreeSet;

use audit_model::{SYSTEM_ACCOUNT, testing};
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::*;

const DELETE: i32 = 5017;
const RENAME: i32 = 5001;
const SAVE: i32 = 5034;
const UPLOAD: i32 = 5011;

fn change(id: i64, second: i64, actor: u128, action: i32, target: &str) -> Change {
    let event = AuditEvent {
        id,
        actor: Uuid::from_u128(actor),
        actor_name: "Mara Klein".into(),
        context: Some("Rooms: Falcon".into()),
        ..testing::event(action, target, DateTime::from_timestamp(second, 0).unwrap())
    };
    let kind = Kind::of(event.action).unwrap();
    Change { event: Arc::new(event), kind, weight: Weight::ONE }
}

fn detect(limits: &Limits, changes: &[Change]) -> Vec<Incident> {
    let mut detector = Detector::new(limits);
    changes.iter().for_each(|change| detector.push(change));
    detector.finish()
}

/// So many distinct documents, one every ten seconds.
fn burst(action: i32, count: i64) -> Vec<Change> {
    (0..count).map(|n| change(n, n * 10, 1, action, &format!("{}", 900 + n))).collect()
}

fn words(incidents: &[Incident]) -> Vec<String> {
    incidents.iter().flat_map(|incident| incident.exceeded.iter().map(Exceeded::words)).collect()
}

#[test]
fn n_is_usual_and_one_more_is_not() {
    assert!(detect(&Limits::default(), &burst(DELETE, 20)).is_empty());
    let found = detect(&Limits::default(), &burst(DELETE, 21));
    let expected =
        ["21 documents changed within 10 min, more than 20", "21 documents deleted within 10 min, more than 20"];
    assert_eq!(words(&found), expected);
    assert_eq!(found[0].finding.counts.documents, 21);
}

#[test]
fn the_published_rule_adds_up_what_the_others_keep_apart() {
    let mut mixed: Vec<Change> = burst(UPLOAD, 11);
    mixed.extend((0..11).map(|n| change(50 + n, 120 + n, 1, SAVE, &format!("{}", 950 + n))));
    assert_eq!(words(&detect(&Limits::default(), &mixed)), ["22 documents changed within 10 min, more than 20"]);
}

#[test]
fn saving_one_document_all_day_is_one_document() {
    let saves: Vec<Change> = (0..600).map(|n| change(n, n * 20, 1, SAVE, "900")).collect();
    assert!(detect(&Limits::default(), &saves).is_empty());
}

#[test]
fn robots_are_not_people() {
    let mut robot = burst(DELETE, 50);
    for change in &mut robot {
        Arc::make_mut(&mut change.event).actor = SYSTEM_ACCOUNT;
    }
    assert!(detect(&Limits::default(), &robot).is_empty());
}

#[test]
fn a_folder_is_as_many_documents_as_it_holds() {
    let folder = Change { weight: Weight { documents: 200, at_least: true }, ..change(1, 0, 1, 5026, "71") };
    let found = detect(&Limits::default(), &[folder]);
    assert_eq!(words(&found)[1], "≥ 200 documents deleted within 10 min, more than 20");
    assert!(found[0].exceeded[1].is_flood());
}

#[test]
fn a_folder_and_a_file_of_one_number_are_two() {
    let both = [change(1, 0, 1, DELETE, "71"), change(2, 1, 1, 5026, "71")];
    let limits = Limits { changes: Limit { documents: 1, minutes: 10 }, ..Limits::default() };
    assert_eq!(words(&detect(&limits, &both)), ["2 documents changed within 10 min, more than 1"]);
}

#[test]
fn two_bursts_are_two_incidents_with_one_fingerprint() {
    let mut story = burst(RENAME, 30);
    story.extend((0..30).map(|n| change(100 + n, 7200 + n, 1, RENAME, &format!("{}", 900 + n))));
    let found = detect(&Limits::default(), &story);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].finding.fingerprint, found[1].finding.fingerprint);
}

prop_compose! {
    fn story()(rows in prop::collection::vec((0i64..4000, 1u128..4, 0usize..4, 0i64..40), 0..150)) -> Vec<Change> {
        let actions = [DELETE, RENAME, SAVE, UPLOAD];
        let mut story: Vec<Change> = rows.into_iter().enumerate()
            .map(|(id, (second, actor, action, target))| change(id as i64, second, actor, actions[action], &target.to_string()))
            .collect();
        story.sort_by_key(|change| (change.event.at, change.event.id));
        story
    }
}

fn limits() -> Limits {
    let limit = |documents| Limit { documents, minutes: 10 };
    Limits {
        changes: limit(6),
        deleted: limit(2),
        overwritten: limit(3),
        renamed: Limit { documents: 2, minutes: 2 },
        ..Limits::default()
    }
}

proptest! {
    /// Distinct documents counted by hand in the stretch that ends with each change.
    #[test]
    fn agrees_with_counting_by_hand(story in story()) {
        let mut expected = BTreeSet::new();
        for actor in (1u128..4).map(Uuid::from_u128) {
            for armed in limits().armed() {
                let own: Vec<&Change> = story.iter().filter(|c| c.event.actor == actor && armed.counts(c.kind)).collect();
                let ending = |end: usize| {
                    let inside = own[..=end].iter().filter(|c| own[end].event.at - c.event.at < TimeDelta::minutes(armed.limit.minutes as i64));
                    inside.map(|c| document(&c.event)).collect::<BTreeSet<_>>().len() as u64
                };
                let fullest = (0..own.len()).map(ending).max().unwrap_or(0);
                if fullest > armed.limit.documents {
                    expected.insert((actor, armed.kind, fullest));
                }
            }
        }
        let found = detect(&limits(), &story);
        let mut told: BTreeSet<(Uuid, Option<Kind>, u64)> = BTreeSet::new();
        for incident in &found {
            told.extend(incident.exceeded.iter().map(|one| (incident.finding.person.id, one.kind, one.documents)));
        }
        prop_assert!(expected.is_subset(&told));
        let subjects = |set: &BTreeSet<(Uuid, Option<Kind>, u64)>| set.iter().map(|(actor, kind, _)| (*actor, *kind)).collect::<BTreeSet<_>>();
        prop_assert_eq!(subjects(&expected), subjects(&told));
    }

    #[test]
    fn repeating_an_event_changes_no_count(story in story()) {
        let twice: Vec<Change> = story.iter().flat_map(|change| [change.clone(), change.clone()]).collect();
        prop_assert_eq!(words(&detect(&limits(), &twice)), words(&detect(&limits(), &story)));
    }

    #[test]
    fn incidents_of_a_person_lie_apart(story in story()) {
        let found = detect(&limits(), &story);
        for (n, one) in found.iter().enumerate() {
            for other in found[..n].iter().filter(|other| other.finding.person.id == one.finding.person.id) {
                prop_assert!(one.finding.window.intersection(&other.finding.window).is_empty());
            }
        }
    }
}

/// What people were told once is not told again by a later version: these fingerprints stand in stores.
#[test]
fn fingerprints_stay_from_version_to_version() {
    let print = |action, count| detect(&Limits::default(), &burst(action, count))[0].finding.fingerprint.clone();
    for (action, count) in [(DELETE, 21), (UPLOAD, 300), (RENAME, 21)] {
        assert_eq!(print(action, count), "7bea086a1e996f32", "{action}");
    }
}
