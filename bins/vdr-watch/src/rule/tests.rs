use std::collections::BTreeSet;
use std::sync::Arc;

use audit_model::{Attributed, AuditEvent, GUEST_ACCOUNT, RoomId, SYSTEM_ACCOUNT, Weight, testing};
use proptest::prelude::*;

use super::*;

mod recount;
use crate::config::{ClassLimits, Limits};

const DOWNLOAD: i32 = 5009;
const SAVE: i32 = 5034;

fn event(id: i64, minute: i64, actor: u128, action: i32, target: &str) -> AuditEvent {
    AuditEvent {
        id,
        actor: Uuid::from_u128(actor),
        actor_name: "Mara Klein".into(),
        text: Some("File Downloaded".into()),
        context: Some("Rooms: Falcon".into()),
        ..testing::event(action, target, DateTime::from_timestamp(minute * 60, 0).unwrap())
    }
}

fn in_room(event: &AuditEvent, room: i64) -> Placed {
    Placed {
        event: Arc::new(event.clone()),
        key: RoomKey::Known(RoomId::Number(room)),
        title: "Falcon".into(),
        candidates: Vec::new(),
        attributed: Attributed::Title,
        weight: Weight::ONE,
        around: Vec::new(),
        doubt: Doubt::default(),
    }
}

/// Only the common limits.
fn common(per_hour: u64, per_day: u64, whole_window: u64) -> Limits {
    let off = ClassLimits::default();
    Limits { per_hour, per_day, whole_window, deletions: off, sharing: off, ..Limits::default() }
}

fn unknown() -> Usual {
    Usual::unknown(DateTime::UNIX_EPOCH)
}

fn findings(counting: Counting<'_>) -> Vec<Finding> {
    candidates(counting).into_iter().map(|found| found.finding).collect()
}

fn detect(limits: &Limits, events: &[AuditEvent]) -> Vec<Finding> {
    let usual = unknown();
    let mut counting = Counting::new(limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
    events.iter().for_each(|event| counting.push(in_room(event, 71)));
    findings(counting)
}

/// Every third document is in one of two rooms of this title.
fn perhaps_in_room(event: &AuditEvent) -> Placed {
    let is_sure = event.id % 3 > 0;
    let candidates = if is_sure { Vec::new() } else { vec![RoomId::Number(71), RoomId::Number(72)] };
    let key = if is_sure { RoomKey::Known(RoomId::Number(71)) } else { RoomKey::OneOf("Falcon".into()) };
    Placed { key, candidates, ..in_room(event, 71) }
}

/// Who, where, when and how severe.
type Told = Vec<(Uuid, RoomIds, Window, Severity)>;
type RoomIds = Option<(Option<RoomId>, Vec<RoomId>)>;

fn told_of(findings: &[Finding]) -> Told {
    let room = |finding: &Finding| finding.room.clone().map(|room| (room.id, room.candidates));
    findings.iter().map(|one| (one.person.id, room(one), one.window, one.severity)).collect()
}

/// What each of the limits finds by itself, and in one pass in which everything that is over is forgotten before each event.
fn one_by_one_and_at_once(limits: &[Limits], events: &[AuditEvent]) -> [Vec<Told>; 2] {
    let usual = unknown();
    let alone = |limits| {
        let mut counting = Counting::new(limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
        events.iter().for_each(|event| counting.push(perhaps_in_room(event)));
        told_of(&findings(counting))
    };
    let mut counting = Counting::of_each(limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
    for event in events {
        counting.settle(event.at);
        counting.push(perhaps_in_room(event));
    }
    let (since, subjects) = (counting.judged_since(), counting.into_subjects());
    let at_once = |of| told_of(&told(&subjects, |(_, subject)| subject.outlined(of, since)));
    [limits.iter().map(alone).collect(), (0..limits.len()).map(at_once).collect()]
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
    assert_eq!(found[0].reasons, ["41 actions within 1 h, more than 20", "41 downloads on 41 documents"]);
    assert_eq!((found[0].evidence.len(), found[0].evidence_total), (10, 41));
}

/// Filling a data room is what it is for. What is taken away meanwhile is as severe as without.
#[test]
fn new_documents_are_told_and_make_nothing_more_severe() {
    let upload = |n: i64| event(n, n / 10, 1, 5011, &format!("{}", 5_000 + n));
    let filling: Vec<AuditEvent> = (0..150).map(upload).collect();
    let judged = |events: &[AuditEvent]| {
        let found = detect(&Limits::default(), events);
        (found.len(), found[0].severity, found[0].counts.acts)
    };
    assert_eq!(judged(&filling), (1, Severity::Medium, 150));
    for (taken, severity) in [(20, Severity::Medium), (41, Severity::High), (101, Severity::Critical)] {
        let taking = (0..taken).map(|n| event(500 + n, 15 + n / 10, 1, DOWNLOAD, &format!("{}", 900 + n)));
        let events: Vec<AuditEvent> = filling.iter().cloned().chain(taking).collect();
        assert_eq!(judged(&events), (1, severity, 150 + taken as u64), "{taken}");
    }
}

/// So is writing in it together, and putting back what somebody spoilt.
#[test]
fn saved_and_restored_documents_are_told_and_make_nothing_more_severe() {
    let judged = |actions: [i32; 2]| {
        let action = |n: i64| event(n, n / 10, 1, actions[n as usize % 2], &format!("{}", 5_000 + n));
        let usual = unknown();
        let (limits, events) = (Limits::default(), (0..150).map(action));
        let mut counting = Counting::new(&limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
        events.for_each(|event| counting.push(in_room(&event, 71)));
        let found = candidates(counting);
        (found[0].finding.severity, found[0].finding.counts.acts, found[0].detail.takes_nothing)
    };
    assert_eq!(judged([SAVE, 5044]), (Severity::Medium, 150, true));
    // over a document by hand, under another name, or out of the room
    for action in [5002, 5001, 5015] {
        assert_eq!(judged([action, action]), (Severity::Critical, 150, false), "{action}");
    }
}

#[test]
fn a_whole_day_of_automatic_saves_is_one_act() {
    let saves: Vec<AuditEvent> = (0..300).map(|n| event(n, n * 4, 1, SAVE, "900")).collect();
    let limits = common(1, 1, 1);
    assert_eq!(detect(&limits, &saves), []);
}

#[test]
fn a_slow_day_is_found_by_the_day() {
    let slow: Vec<AuditEvent> = (0..130).map(|n| event(n, n * 9, 1, DOWNLOAD, &format!("{}", 900 + n))).collect();
    let found = detect(&Limits::default(), &slow);
    assert_eq!(found[0].reasons[0], "130 actions within 24 h, more than 100");
    assert_eq!(found[0].severity, Severity::Medium);
}

#[test]
fn the_whole_window_has_a_limit_of_its_own() {
    let limits = common(0, 0, 3);
    let spread: Vec<AuditEvent> = (0..4).map(|n| event(n, n * 2000, 1, DOWNLOAD, &format!("{}", 900 + n))).collect();
    assert_eq!(detect(&limits, &spread)[0].reasons[0], "4 actions in the whole window, more than 3");
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
    let (limits, usual) = (Limits::default(), unknown());
    let mut counting = Counting::new(&limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
    let events = downloads(40);
    events.iter().for_each(|event| counting.push(in_room(event, 71 + event.id % 2)));
    assert_eq!(findings(counting), []);
}

#[test]
fn a_finding_is_as_sure_as_its_least_sure_event() {
    let (limits, usual) = (Limits::default(), unknown());
    let mut counting = Counting::new(&limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
    for event in &downloads(30) {
        let attributed = if event.id == 7 { Attributed::Title } else { Attributed::Log };
        counting.push(Placed { attributed, ..in_room(event, 71) });
    }
    assert_eq!(findings(counting)[0].room.as_ref().unwrap().attributed, Attributed::Title);
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
    common(3, 8, 12)
}

proptest! {
    #[test]
    fn limits_find_in_one_pass_what_each_finds_by_itself(
        steps in proptest::collection::vec((0_i64..200, 0_i64..12, prop_oneof![Just(DOWNLOAD), Just(SAVE), Just(5018)]), 0..120),
        (per_hour, per_day, deletions) in (0_u64..4, 0_u64..8, 0_u64..3),
        per_30_days in prop_oneof![Just(0), Just(30)],
    ) {
        let deletions = ClassLimits { per_hour: deletions, per_day: 0 };
        let limits = Limits { per_30_days, deletions, ..common(per_hour, per_day, 0) };
        let mut minute = 0;
        let events: Vec<AuditEvent> = (1..).zip(steps).map(|(id, (step, document, action))| {
            minute += step;
            event(id, minute, 1, action, &document.to_string())
        }).collect();
        let only_by_day = common(0, 2 * per_day, 0);
        let [one_by_one, at_once] = one_by_one_and_at_once(&[only_by_day, limits, common(2 * per_hour, 0, 9)], &events);
        prop_assert_eq!(at_once, one_by_one);
    }

    #[test]
    fn repeating_an_event_changes_nothing(history in history()) {
        let twice: Vec<AuditEvent> = history.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        prop_assert_eq!(detect(&limits(), &twice), detect(&limits(), &history));
    }

    #[test]
    fn a_higher_limit_never_finds_more_people(history in history(), by in 1u64..5) {
        let low = limits();
        let high = common(low.per_hour + by, low.per_day + by, low.whole_window + by);
        let people = |limits: &Limits| -> Vec<Uuid> { detect(limits, &history).iter().map(|found| found.person.id).collect() };
        let (few, many) = (people(&high), people(&low));
        prop_assert!(few.iter().all(|person| many.contains(person)));
    }

    /// Every limit counted by hand, over all pairs of acts.
    #[test]
    fn agrees_with_counting_by_hand(history in history()) {
        let limits = Limits { deletions: ClassLimits { per_hour: 1, per_day: 2 }, ..limits() };
        let mut expected = BTreeSet::new();
        for actor in (1u128..4).map(Uuid::from_u128) {
            let own: Vec<&AuditEvent> = history.iter().filter(|e| e.actor == actor && e.action.class().is_some()).collect();
            let is_act = |n: usize| !own[..n].iter().any(|before| {
                let same = before.target == own[n].target && before.action.class() == own[n].action.class();
                same && own[n].at - before.at <= TimeDelta::hours(1)
            });
            let acts: Vec<&AuditEvent> = (0..own.len()).filter(|n| is_act(*n)).map(|n| own[n]).collect();
            for limit in limits.armed() {
                let counted = |act: &&&AuditEvent| limit.class.is_none() || act.action.class() == limit.class;
                let acts: Vec<&&AuditEvent> = acts.iter().filter(counted).collect();
                let ending = |end: usize| acts[..=end].iter().filter(|act| acts[end].at - act.at < limit.span.length()).count();
                let fullest = (0..acts.len()).map(ending).max().unwrap_or(0) as u64;
                if fullest > limit.acts {
                    expected.insert((actor, fullest, limit.acts));
                }
            }
        }
        let mut told = BTreeSet::new();
        for finding in detect(&limits, &history) {
            for reason in finding.reasons.iter().filter(|reason| reason.contains("more than")) {
                let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok()).unwrap();
                let (count, limit) = (number(reason.split(' ').next()), number(reason.rsplit(' ').next()));
                told.insert((finding.person.id, count, limit));
            }
        }
        // of several episodes each is told; the fullest of each limit is what was counted here
        prop_assert!(expected.is_subset(&told), "{expected:?} {told:?}");
        let people = |told: &BTreeSet<(Uuid, u64, u64)>| told.iter().map(|(actor, ..)| *actor).collect::<BTreeSet<_>>();
        prop_assert_eq!(people(&told), people(&expected));
    }

    /// Findings of one person and room never share a moment, so that each is told on its own.
    #[test]
    fn findings_with_one_fingerprint_lie_apart(history in history()) {
        let found = detect(&limits(), &history);
        for (n, finding) in found.iter().enumerate() {
            for other in found[..n].iter().filter(|other| other.fingerprint == finding.fingerprint) {
                prop_assert!(finding.window.intersection(&other.window).is_empty());
            }
        }
    }

    /// Whatever else happens, a person above the limit stays found.
    #[test]
    fn more_events_never_hide_a_person(history in history(), more in history()) {
        let people = |events: &[AuditEvent]| -> BTreeSet<Uuid> {
            detect(&limits(), events).iter().map(|found| found.person.id).collect()
        };
        let mut all = history.clone();
        // other documents, so that no act becomes the repeat of another
        all.extend(more.into_iter().map(|event| AuditEvent { id: event.id + 1000, target: vec![format!("x{}", event.target[0])], ..event }));
        all.sort_by_key(|event| (event.at, event.id));
        prop_assert!(people(&history).is_subset(&people(&all)));
    }

    /// Nothing that a portal can store makes the rule stumble.
    #[test]
    fn any_event_is_taken(rows in prop::collection::vec((any::<i64>(), any::<i32>(), any::<u64>(), ".{0,9}"), 0..40)) {
        let (limits, usual) = (common(1, 1, 1), unknown());
        let mut counting = Counting::new(&limits, &usual, BTreeSet::from([RoomId::Number(71)]), DateTime::UNIX_EPOCH);
        let mut events: Vec<(AuditEvent, u64)> = rows
            .into_iter()
            .map(|(id, action, documents, target)| (event(id, id % 100_000_000, 1, action.rem_euclid(7000), &target), documents))
            .collect();
        events.sort_by_key(|(event, _)| (event.at, event.id));
        for (event, documents) in &events {
            let weight = Weight { documents: documents % 1_000_000_000, at_least: true };
            counting.push(Placed { weight, ..in_room(event, 71) });
        }
        candidates(counting);
    }
}

/// The target is the room each time, and links may have one name.
#[test]
fn making_a_dozen_links_of_one_room_is_not_one_act() {
    let links: Vec<AuditEvent> = (0..12).map(|n| event(n, n, 1, 5088, "71")).collect();
    assert_eq!(detect(&Limits::default(), &links)[0].reasons[0], "12 shares within 1 h, more than 10");
}

#[test]
fn somebody_who_only_deletes_is_found_by_a_limit_of_its_own() {
    let deleted: Vec<AuditEvent> = (0..12).map(|n| event(n, n, 1, 5017, &format!("{}", 900 + n))).collect();
    let found = detect(&Limits::default(), &deleted);
    assert_eq!(found[0].reasons, ["12 deletions within 1 h, more than 10", "12 deletions on 12 documents"]);
    assert_eq!(detect(&Limits::default(), &deleted[..10]), []);
}

/// Otherwise the second would stay unsaid until the first has left the window.
#[test]
fn a_second_burst_on_the_same_day_is_a_finding_of_its_own() {
    let burst = |from: i64| (0..25).map(move |n| event(from + n, from + n, 1, DOWNLOAD, &format!("{}", from + n)));
    let found = detect(&Limits::default(), &burst(0).chain(burst(600)).collect::<Vec<_>>());
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].fingerprint, found[1].fingerprint);
    assert!(found[0].window.until < found[1].window.since);
}

#[test]
fn a_folder_counts_what_it_holds() {
    let folder = event(1, 0, 1, 5057, "300");
    let found = |weight: Weight| {
        let (limits, usual) = (Limits::default(), unknown());
        let mut counting = Counting::new(&limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
        counting.push(Placed { weight, ..in_room(&folder, 71) });
        findings(counting)
    };
    let listed = found(Weight { documents: 60, at_least: false });
    assert_eq!(listed[0].reasons, ["60 actions within 1 h, more than 20", "60 downloads on 60 documents"]);
    assert_eq!(listed[0].evidence_total, 1);
    let few = found(Weight { documents: 10, at_least: true });
    assert_eq!((few.len(), few[0].severity, few[0].counts.acts), (1, Severity::Medium, 10), "whatever it weighs");
    assert!(few[0].reasons[2].contains("how many documents were in folder 300"), "{few:?}");
    assert_eq!(found(Weight { documents: 10, at_least: false }), []);
    let guessed = found(Weight { documents: 30, at_least: true });
    assert!(guessed[0].reasons[0].starts_with("≥ 30 actions"));
    assert!(guessed[0].reasons.iter().any(|reason| reason.contains("how many documents were in folder 300")));
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

/// What people were told once is not told again by a later version: these fingerprints stand in stores.
#[test]
fn fingerprints_stay_from_version_to_version() {
    let (limits, usual) = (Limits::default(), unknown());
    let print = |key: RoomKey| {
        let mut counting = Counting::new(&limits, &usual, BTreeSet::new(), DateTime::UNIX_EPOCH);
        let events = downloads(30);
        events.iter().for_each(|event| counting.push(Placed { key: key.clone(), ..in_room(event, 71) }));
        findings(counting)[0].fingerprint.clone()
    };
    assert_eq!(print(RoomKey::Known(RoomId::Number(71))), "f4d7248661fabe30");
    assert_eq!(print(RoomKey::Known(RoomId::Text("sbox-7".to_owned()))), "319189bffa8e2e25");
    assert_eq!(print(RoomKey::OneOf("Falcon \u{202e}é".into())), "65b5588203e1b082");
    assert_eq!(print(RoomKey::Perhaps(RoomId::Number(71))), "e2c4973508266e19");
}
