use std::collections::BTreeSet;

use audit_model::{SYSTEM_ACCOUNT, Weight, testing};
use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::config::{Limit, RoomLimit};
use crate::rule::kind::Kind;

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
    Change { event: Arc::new(event), kind, weight: Weight::ONE, folder: None, around: Vec::new() }
}

fn detect(limits: &Limits, changes: &[Change]) -> Vec<Incident> {
    let mut detector = Detector::new(limits);
    changes.iter().for_each(|change| detector.push(change));
    detector.finish().into_iter().filter(|one| matches!(one.who, Who::Person(_))).collect()
}

fn in_minutes(documents: u64, minutes: u64) -> Limit {
    Limit { documents, minutes, long_documents: 0, ..Limit::default() }
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
    let weight = Weight { documents: 200, at_least: false };
    let found = detect(&Limits::default(), &[Change { weight, ..change(1, 0, 1, 5026, "71") }]);
    assert_eq!(words(&found)[1], "200 documents deleted within 10 min, more than 20");
    // in the trash it can be taken out of, and for good it cannot
    let flood = |action: i32| {
        let found = detect(&Limits::default(), &[Change { weight, ..change(1, 0, 1, action, "71") }]);
        found[0].exceeded.iter().any(Exceeded::is_flood)
    };
    assert_eq!([5026, 5027, 5074].map(flood), [false, true, false]);
}

/// Whatever a folder weighs that nobody can list: it is told, and it is no flood.
#[test]
fn a_folder_that_nobody_can_weigh_is_told() {
    let weight = Weight { documents: 10, at_least: true };
    let folder = |id, action, target: &str| Change { weight, ..change(id, id * 60, 1, action, target) };
    for action in [5026, 5027, 5074, 5057] {
        let found = detect(&Limits::default(), &[folder(1, action, "71"), folder(2, action, "72")]);
        assert_eq!((found.len(), found[0].uncountable, found[0].exceeded.len()), (1, 2, 0), "{action}");
        assert!(
            found[0].finding.reasons[0].starts_with("2 folders or rooms are not countable"),
            "{:?}",
            found[0].finding
        );
    }
    // a folder that was copied or moved within a room is still there
    for action in [5023, 5025] {
        assert!(detect(&Limits::default(), &[folder(1, action, "71")]).is_empty(), "{action}");
    }
    let many: Vec<Change> = (0..20).map(|n| folder(n, 5027, &n.to_string())).collect();
    let found = detect(&Limits::default(), &many);
    assert_eq!((found.len(), found[0].uncountable), (1, 20));
    assert!(!found[0].exceeded.is_empty() && !found[0].exceeded.iter().any(Exceeded::is_flood));
}

/// One every thirty seconds never makes twenty in ten minutes.
#[test]
fn what_goes_slowly_is_found_by_the_long_part_of_a_limit() {
    let slow = |count: i64| -> Vec<Change> {
        (0..count).map(|n| change(n, n * 31, 1, RENAME, &format!("{}", 900 + n))).collect()
    };
    assert!(detect(&Limits::default(), &slow(200)).is_empty());
    let found = detect(&Limits::default(), &slow(950));
    assert_eq!(
        words(&found),
        ["950 documents changed within 24 h, more than 200", "950 documents renamed within 24 h, more than 200"]
    );
    assert_eq!((found[0].finding.window.until - found[0].finding.window.since).num_seconds(), 949 * 31);
    let off = Limits { renamed: in_minutes(20, 10), changes: in_minutes(0, 10), ..Limits::default() };
    assert!(detect(&off, &slow(950)).is_empty());
}

/// The portal has one account for everybody behind a link.
#[test]
fn visitors_are_told_by_room_and_are_nobody() {
    let mut story = burst(SAVE, 40);
    for (n, change) in story.iter_mut().enumerate() {
        let event = Arc::make_mut(&mut change.event);
        event.actor = GUEST_ACCOUNT;
        event.context = Some(if n % 4 == 0 { "Rooms: Merlin" } else { "Rooms: Falcon" }.into());
    }
    let mut detector = Detector::new(&Limits::default());
    story.iter().for_each(|change| detector.push(change));
    let found = detector.finish();
    let who: Vec<&Who> = found.iter().map(|one| &one.who).collect();
    assert_eq!(who, [&Who::Visitors("Falcon".into())]);
}

#[test]
fn all_people_of_a_room_are_counted_together() {
    let together = |action: i32, each: i64| {
        let mut detector = Detector::new(&Limits::default());
        for n in 0..each * 2 {
            let actor = if n % 2 == 0 { 1 } else { 2 };
            detector.push(&change(n, n * 10, actor, action, &format!("{}", 900 + n)));
        }
        detector.finish().into_iter().map(|one| one.who).collect::<Vec<_>>()
    };
    assert_eq!(together(DELETE, 20), [Who::Room("Falcon".into())]);
    assert_eq!(together(DELETE, 15), []);
    assert_eq!(together(SAVE, 20), [], "several people in the documents of a room are what rooms are for");
}

#[test]
fn a_folder_and_a_file_of_one_number_are_two() {
    let both = [change(1, 0, 1, DELETE, "71"), change(2, 1, 1, 5026, "71")];
    let limits = Limits { changes: in_minutes(1, 10), ..Limits::default() };
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
    let limit = |documents| in_minutes(documents, 10);
    Limits {
        changes: limit(6),
        deleted: limit(2),
        overwritten: limit(3),
        renamed: in_minutes(2, 2),
        created: limit(20),
        room: RoomLimit { documents: 0, minutes: 10 },
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
                    let inside = own[..=end].iter().filter(|c| own[end].event.at - c.event.at < TimeDelta::minutes(armed.threshold.minutes as i64));
                    inside.map(|c| document(&c.event)).collect::<BTreeSet<_>>().len() as u64
                };
                let fullest = (0..own.len()).map(ending).max().unwrap_or(0);
                if fullest > armed.threshold.documents {
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
