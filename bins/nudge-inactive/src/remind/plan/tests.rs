use audit_model::PersonStatus;
use docspace_client::{Access, Account, Member};

use super::super::mail::{content, intent};
use super::*;
use crate::config::Snooze;
use crate::rule::{JudgedMember, Risk, Standing};

/// A Friday.
fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn ago(days: i64) -> DateTime<Utc> {
    now() - TimeDelta::days(days)
}

fn inactive(id: u128, role: PortalRole) -> Inactive {
    let person = Person {
        email: Some(format!("person{id}@example.com").as_str().into()),
        status: Some(PersonStatus::Active),
        role: Some(role),
        ..Person::named(Uuid::from_u128(id), "Anna".into())
    };
    let account = Account { person: person.clone(), is_ldap: false, is_sso: false, culture: None };
    let member = Member { account, access: Access::EDITING, is_owner: false, is_direct: true, groups: Vec::new() };
    let judged = JudgedMember {
        member,
        standing: Standing::Inactive,
        acts: 0,
        documents: 0,
        samples: Vec::new(),
        last: None,
        last_sign_in: None,
        possible_since: None,
    };
    Inactive {
        person,
        room: RoomId::Number(71),
        risk: Risk::MayChange,
        access: "editor".to_owned(),
        groups: Vec::new(),
        acts: 0,
        last_activity: None,
        last_sign_in: None,
        judged,
    }
}

fn circumstances() -> Circumstances {
    Circumstances {
        now: now(),
        zone: Tz::Europe__Berlin,
        window_end: now(),
        judged: 100,
        is_clear: true,
        is_rehearsal: false,
    }
}

/// People who are inactive in room 71 since so many days ago.
fn past(people: impl IntoIterator<Item = u128>, days: i64) -> Past {
    let key = |id| ((Uuid::from_u128(id), RoomId::Number(71)), Series { since: ago(days), number: 1 });
    Past { series: people.into_iter().map(key).collect(), ..Past::default() }
}

fn planned(people: &[Inactive], past: &Past, settings: &Remind) -> Vec<Due> {
    let list: Vec<_> = people.iter().map(|one| (RoomId::Number(71), "Falcon".into(), one)).collect();
    plan(&list, past, settings, circumstances())
}

/// The step of person 7 in room 71, if one is due.
fn step(past: &Past) -> Option<u32> {
    let due = planned(&[inactive(7, PortalRole::User)], past, &Remind::default());
    due.first().map(|due| due.steps[0].step_days)
}

#[test]
fn each_step_is_due_once_and_a_missed_run_is_caught_up_once() {
    for (days, expected) in [(0, 0), (13, 0), (14, 14), (27, 14), (28, 28), (300, 28)] {
        let mut past = past([7], days);
        assert_eq!(step(&past), Some(expected), "{days}");
        let due = planned(&[inactive(7, PortalRole::User)], &past, &Remind::default());
        past.reminded.insert(due[0].steps[0].key(Uuid::from_u128(7)));
        assert_eq!(step(&past), None, "{days}");
    }
    assert_eq!(step(&Past::default()), None, "no series has begun");
}

#[test]
fn a_new_series_begins_with_its_first_step() {
    let mut past = past([7], 40);
    let old = planned(&[inactive(7, PortalRole::User)], &past, &Remind::default())[0].steps[0].key(Uuid::from_u128(7));
    past.reminded.insert(old);
    assert_eq!(step(&past), None);
    past.series.insert((Uuid::from_u128(7), RoomId::Number(71)), Series { since: now(), number: 2 });
    assert_eq!(step(&past), Some(0));
}

#[test]
fn one_mail_per_person_over_all_rooms() {
    let anna = inactive(7, PortalRole::User);
    let mut past = past([7], 20);
    past.series.insert((Uuid::from_u128(7), RoomId::Number(72)), Series { since: ago(0), number: 1 });
    let list = [(RoomId::Number(72), "Eagle".into(), &anna), (RoomId::Number(71), "Falcon".into(), &anna)];
    let due = plan(&list, &past, &Remind::default(), circumstances());
    let steps: Vec<_> = due[0].steps.iter().map(|step| (step.title.raw(), step.step_days)).collect();
    assert_eq!((due.len(), steps), (1, vec![("Falcon", 14), ("Eagle", 0)]));
}

#[test]
fn who_is_left_in_peace_is_left_in_peace_for_a_reason() {
    let user = || inactive(7, PortalRole::User);
    let address = || vec!["Person7@Example.com".to_owned()];
    let snooze = |until: &str| vec![Snooze { person: Uuid::from_u128(7).to_string(), until: until.parse().ok() }];
    let mut nobody = user();
    nobody.person.email = None;
    let mut of_no_role = user();
    of_no_role.person.role = None;
    let sent = |times: &[i64]| {
        let mut past = past([7], 20);
        past.mails.insert(Uuid::from_u128(7), times.iter().map(|days| ago(*days)).collect());
        past
    };
    let defaults = Remind::default;
    let plain = || past([7], 20);
    let until = "2026-11-21".parse().unwrap();
    for (one, past, settings, expected) in [
        (user(), plain(), defaults(), None),
        (user(), plain(), Remind { stop: address(), ..defaults() }, Some(Hold::Stopped)),
        (user(), plain(), Remind { snooze: snooze("2026-11-21"), ..defaults() }, Some(Hold::Snoozed(until))),
        (user(), plain(), Remind { snooze: snooze("2026-11-20"), ..defaults() }, None),
        (inactive(7, PortalRole::Guest), plain(), defaults(), Some(Hold::Guest)),
        (inactive(7, PortalRole::Guest), plain(), Remind { guests: true, ..defaults() }, None),
        (of_no_role, plain(), defaults(), Some(Hold::Guest)),
        (nobody, plain(), defaults(), Some(Hold::NoAddress)),
        (user(), sent(&[10, 30, 60, 90, 120, 364]), defaults(), Some(Hold::EnoughThisYear(6))),
        (user(), sent(&[10, 30, 60, 90, 120, 365]), defaults(), None),
        (user(), sent(&[6]), defaults(), Some(Hold::TooSoon)),
        (user(), sent(&[7]), defaults(), None),
        (user(), plain(), Remind { not_on: vec!["2026-11-20".parse().unwrap()], ..defaults() }, Some(Hold::QuietHours)),
    ] {
        let due = planned(&[one], &past, &settings);
        assert_eq!(due[0].held, expected);
        assert!(expected.is_none_or(|hold| !hold.words().is_empty()));
    }
    let old = Circumstances { window_end: now() - TimeDelta::hours(25), ..circumstances() };
    let due = plan(&[(RoomId::Number(71), "Falcon".into(), &user())], &plain(), &defaults(), old);
    assert_eq!(due[0].held, Some(Hold::OldWindow));
}

#[test]
fn hours_and_days_are_those_of_the_portal() {
    let may = |at: &str, zone| may_write(&Remind::default(), at.parse().unwrap(), zone);
    let berlin = Tz::Europe__Berlin;
    assert!(may("2026-11-20T07:00:00Z", berlin) && !may("2026-11-20T06:59:00Z", berlin));
    assert!(may("2026-11-20T16:59:00Z", berlin) && !may("2026-11-20T17:00:00Z", berlin));
    // Saturday in Auckland, Friday in Berlin
    assert!(may("2026-11-20T12:00:00Z", berlin) && !may("2026-11-20T12:00:00Z", Tz::Pacific__Auckland));
    // the night the clocks go back: 02:30 comes twice, and is night both times
    let night = Remind { hours: "03:00-24:00".parse().unwrap(), weekends: true, ..Remind::default() };
    for (at, expected) in [
        ("2026-10-25T00:30:00Z", false),
        ("2026-10-25T01:30:00Z", false),
        ("2026-10-25T02:00:00Z", true),
        ("2026-03-29T00:59:00Z", false),
        ("2026-03-29T01:00:00Z", true),
    ] {
        assert_eq!(may_write(&night, at.parse().unwrap(), berlin), expected, "{at}");
    }
    // a holiday on a Friday, and the weekend behind it: Monday at eight
    let holiday = Remind { not_on: vec!["2026-12-25".parse().unwrap()], ..Remind::default() };
    let first =
        (0..24 * 10).map(|hour| "2026-12-24T18:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour));
    let first = first.into_iter().find(|at| may_write(&holiday, *at, berlin)).unwrap();
    assert_eq!(first, "2026-12-28T07:00:00Z".parse::<DateTime<Utc>>().unwrap());
}

/// A weekly timer is some minutes late or early, and in spring an hour: days are those of the portal's calendar.
#[test]
fn days_are_those_of_the_portal() {
    let at = |now: &str| Circumstances { now: now.parse().unwrap(), ..circumstances() };
    let begun: DateTime<Utc> = "2026-03-17T09:00:30Z".parse().unwrap();
    for (now, days) in [
        ("2026-03-31T08:00:00Z", 14),
        ("2026-03-24T08:59:59Z", 7),
        ("2026-03-17T22:59:00Z", 0),
        ("2026-03-17T23:00:00Z", 1),
    ] {
        assert_eq!(at(now).days_since(begun), days, "{now}");
    }
}

/// A run that goes on past the hours holds what is left of its mails.
#[test]
fn a_run_that_goes_on_past_the_hours_stops_writing() {
    let began: DateTime<Utc> = "2026-11-20T16:50:00Z".parse().unwrap();
    let may = |later: i64| may_write(&Remind::default(), began + TimeDelta::minutes(later), Tz::Europe__Berlin);
    assert_eq!([may(0), may(9), may(10), may(30)], [true, true, false, false]);
}

fn open(id: u128, rooms: &[(i64, u32)], may_have_left: bool) -> OpenMail {
    let steps: Vec<RemindedRoom> = rooms
        .iter()
        .map(|(room, step_days)| RemindedRoom {
            id: RoomId::Number(*room),
            title: "Falcon".into(),
            since: ago(20),
            series: 1,
            step_days: *step_days,
        })
        .collect();
    let intent = intent(Uuid::from_u128(id), &steps).unwrap();
    let content = content(&intent).unwrap();
    OpenMail { intent, content, may_have_left, at: ago(3) }
}

/// What waited is merged; what may have arrived is sent again as it was, so that a copy can be told.
#[test]
fn a_mail_that_is_open_is_merged_sent_again_or_closed() {
    let due = |mail: OpenMail| {
        let mut past = past([7], 20);
        past.open.insert(Uuid::from_u128(7), vec![mail]);
        planned(&[inactive(7, PortalRole::User)], &past, &Remind::default()).remove(0)
    };
    let told = |due: &Due| (due.steps[0].step_days, due.again.is_some(), due.instead_of.len(), due.held);
    assert_eq!(told(&due(open(7, &[(71, 0)], false))), (14, false, 1, None), "the later step is in its place");
    assert_eq!(told(&due(open(7, &[(71, 14)], false))), (14, true, 0, None), "the same mail");
    assert_eq!(told(&due(open(7, &[(71, 14)], true))), (14, true, 0, None), "a copy of it");
    assert_eq!(told(&due(open(7, &[(71, 14), (72, 0)], true))), (14, true, 0, None), "of what still holds");
    let later = due(open(7, &[(71, 0)], true));
    assert_eq!(told(&later), (14, false, 1, Some(Hold::TooSoon)), "the first may have arrived three days ago");
    let mut past = past([7], 20);
    past.open.insert(Uuid::from_u128(7), vec![open(7, &[(71, 0)], true)]);
    past.reminded.insert(open(7, &[(71, 14)], true).content.rooms[0].step("Falcon".into()).key(Uuid::from_u128(7)));
    assert_eq!(
        planned(&[inactive(7, PortalRole::User)], &past, &Remind::default()).len(),
        0,
        "the later step has left"
    );
}

#[test]
fn a_run_sends_so_many_and_too_many_at_once_hold_everybody() {
    let people: Vec<Inactive> = (10..30).map(|id| inactive(id, PortalRole::User)).collect();
    let past = past(10..30, 0);
    let held = |settings: &Remind, judged| {
        let list: Vec<_> = people.iter().map(|one| (RoomId::Number(71), "Falcon".into(), one)).collect();
        plan(&list, &past, settings, Circumstances { judged, ..circumstances() })
            .into_iter()
            .filter_map(|due| due.held)
            .collect::<Vec<_>>()
    };
    let few = Remind { most_per_run: 15, ..Remind::default() };
    assert_eq!(held(&few, 25), vec![Hold::RunIsFull; 5]);
    assert_eq!(held(&Remind::default(), 25), []);
    assert_eq!(held(&Remind::default(), 24), vec![Hold::TooMany { people: 20, judged: 24 }; 20]);
    assert_eq!(held(&Remind { hold_above_percent: 100, ..Remind::default() }, 20), []);
}
