use audit_model::{ActionId, GUEST_ACCOUNT, SYSTEM_ACCOUNT};
use chrono::DateTime;
use proptest::prelude::*;

use super::*;

const DOWNLOAD: i32 = 5009;
const SAVE: i32 = 5034;

fn event(id: i64, minute: i64, actor: u128, action: i32, target: &str) -> AuditEvent {
    AuditEvent {
        id,
        at: DateTime::from_timestamp(minute * 60, 0).unwrap(),
        actor: Uuid::from_u128(actor),
        actor_name: "Mara Klein".into(),
        action: ActionId(action),
        text: Some("File Downloaded".into()),
        ip: None,
        target: vec![target.to_owned()],
        context: Some("Rooms: Falcon".into()),
    }
}

fn in_room(event: &AuditEvent, room: i64) -> Placed<'_> {
    Placed {
        event,
        key: RoomKey::Known(RoomId::Number(room)),
        title: "Falcon".into(),
        candidates: Vec::new(),
        attributed: Attributed::Title,
    }
}

fn detect(limits: &Limits, events: &[AuditEvent]) -> Vec<Finding> {
    let mut detector = Detector::new(limits, BTreeSet::new());
    events.iter().for_each(|event| detector.push(in_room(event, 71)));
    detector.finish()
}

fn downloads(count: i64) -> Vec<AuditEvent> {
    (0..count).map(|n| event(n, n, 1, DOWNLOAD, &format!("{}", 900 + n))).collect()
}

#[test]
fn more_than_the_limit_is_a_finding_and_the_limit_is_not() {
    assert_eq!(detect(&Limits::default(), &downloads(20)), []);
    let found = detect(&Limits::default(), &downloads(41));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].counts, Counts { acts: 41, documents: 41 });
    assert_eq!(found[0].severity, Severity::High);
    assert_eq!(found[0].reasons, ["41 acts within 1 h, more than 20", "41 downloads on 41 documents"]);
    assert_eq!((found[0].evidence.len(), found[0].evidence_total), (10, 41));
}

#[test]
fn a_whole_day_of_automatic_saves_is_one_act() {
    let saves: Vec<AuditEvent> = (0..300).map(|n| event(n, n * 4, 1, SAVE, "900")).collect();
    let limits = Limits { per_hour: 1, per_day: 1, whole_window: 1 };
    assert_eq!(detect(&limits, &saves), []);
}

#[test]
fn a_slow_day_is_found_by_the_day() {
    let slow: Vec<AuditEvent> = (0..130).map(|n| event(n, n * 9, 1, DOWNLOAD, &format!("{}", 900 + n))).collect();
    let found = detect(&Limits::default(), &slow);
    assert_eq!(found[0].reasons[0], "130 acts within 24 h, more than 100");
    assert_eq!(found[0].severity, Severity::Medium);
}

#[test]
fn the_whole_window_has_a_limit_of_its_own() {
    let limits = Limits { per_hour: 0, per_day: 0, whole_window: 3 };
    let spread: Vec<AuditEvent> = (0..4).map(|n| event(n, n * 2000, 1, DOWNLOAD, &format!("{}", 900 + n))).collect();
    assert_eq!(detect(&limits, &spread)[0].reasons[0], "4 acts in the whole window, more than 3");
    assert_eq!(detect(&limits, &spread[..3]), []);
}

#[test]
fn robots_are_not_people_but_anonymous_guests_are() {
    let by = |actor: Uuid| {
        let mut events = downloads(30);
        events.iter_mut().for_each(|event| event.actor = actor);
        detect(&Limits::default(), &events).len()
    };
    assert_eq!(by(SYSTEM_ACCOUNT), 0);
    assert_eq!(by(Uuid::nil()), 0);
    assert_eq!(by(GUEST_ACCOUNT), 1);
}

#[test]
fn rooms_and_people_are_counted_apart() {
    let limits = Limits::default();
    let mut detector = Detector::new(&limits, BTreeSet::new());
    let events = downloads(40);
    events.iter().for_each(|event| detector.push(in_room(event, 71 + event.id % 2)));
    assert_eq!(detector.finish(), []);
}

#[test]
fn a_finding_is_as_sure_as_its_least_sure_event() {
    let limits = Limits::default();
    let mut detector = Detector::new(&limits, BTreeSet::new());
    for event in &downloads(30) {
        let attributed = if event.id == 7 { Attributed::Title } else { Attributed::Log };
        detector.push(Placed { attributed, ..in_room(event, 71) });
    }
    assert_eq!(detector.finish()[0].room.as_ref().unwrap().attributed, Attributed::Title);
}

prop_compose! {
    fn history()(
        rows in prop::collection::vec((0i64..2000, 1u128..4, 0usize..4, 900i64..930), 0..120),
    ) -> Vec<AuditEvent> {
        let actions = [DOWNLOAD, SAVE, 5017, 6015];
        let mut events: Vec<AuditEvent> = rows.into_iter().enumerate().map(|(id, (minute, actor, action, target))| {
            event(id as i64, minute, actor, actions[action], &target.to_string())
        }).collect();
        events.sort_by_key(|event| (event.at, event.id));
        events
    }
}

fn limits() -> Limits {
    Limits { per_hour: 3, per_day: 8, whole_window: 12 }
}

proptest! {
    #[test]
    fn repeating_an_event_changes_nothing(history in history()) {
        let twice: Vec<AuditEvent> = history.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        prop_assert_eq!(detect(&limits(), &twice), detect(&limits(), &history));
    }

    #[test]
    fn a_higher_limit_never_finds_more_people(history in history(), by in 1u64..5) {
        let low = limits();
        let high = Limits { per_hour: low.per_hour + by, per_day: low.per_day + by, whole_window: low.whole_window + by };
        let people = |limits: &Limits| -> Vec<Uuid> { detect(limits, &history).iter().map(|found| found.person.id).collect() };
        let (few, many) = (people(&high), people(&low));
        prop_assert!(few.iter().all(|person| many.contains(person)));
    }

    /// By hand: acts of a person, told from repeats, counted in the hour that ends with each of them.
    #[test]
    fn agrees_with_counting_by_hand(history in history()) {
        let only_hour = Limits { per_hour: 3, per_day: 0, whole_window: 0 };
        let mut expected = Vec::new();
        for actor in (1u128..4).map(Uuid::from_u128) {
            let own: Vec<&AuditEvent> = history.iter().filter(|e| e.actor == actor && e.action.class().is_some()).collect();
            let is_act = |n: usize| !own[..n].iter().any(|before| {
                let same = before.target == own[n].target && before.action.class() == own[n].action.class();
                same && own[n].at - before.at <= TimeDelta::hours(1)
            });
            let acts: Vec<_> = (0..own.len()).filter(|n| is_act(*n)).map(|n| own[n].at).collect();
            let in_hour = |end: usize| acts[..=end].iter().filter(|at| acts[end] - **at < TimeDelta::hours(1)).count();
            if (0..acts.len()).any(|end| in_hour(end) > 3) {
                expected.push(actor);
            }
        }
        let mut found: Vec<Uuid> = detect(&only_hour, &history).iter().map(|found| found.person.id).collect();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}

/// The portal names the person only in the sentence; the target is the room each time.
#[test]
fn inviting_thirty_people_is_not_one_act() {
    let invited: Vec<AuditEvent> = (0..30)
        .map(|n| AuditEvent {
            text: Some(format!("Added user: person {n}. Role: Viewer").as_str().into()),
            ..event(n, n, 1, 5085, "71")
        })
        .collect();
    assert_eq!(detect(&Limits::default(), &invited).len(), 1);
}
