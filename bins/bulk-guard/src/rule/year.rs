//! Five hundred people at work, straight into the rule and the plan: two weeks in full, and of the rest of the year what is out of
//! the ordinary on every sixth day. It says how much of it is told, and who is planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use audit_model::{ActionId, AuditEvent, GUEST_ACCOUNT, Rooms, Severity, Weight};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use safe_actions::{Breaker, Candidate, Hold, Load, Plan, Protection, plan};
use uuid::Uuid;

use super::assessment::is_sure;
use super::change::Change;
use super::detector::Detector;
use super::extent::Extent;
use super::habits::{Habits, SignIns, Story};
use super::incident::{Incident, Who};
use super::kind::Kind;
use super::names::{LookedUp, Names, NewNames};
use super::{Assessed, Suspect, judge, to_be_told};
use crate::config::{Config, KINDS, Limits, Mode};
use crate::people::Accounts;
use crate::suspend::propose::proposals;

const PEOPLE: u64 = 500;
const DAYS: i64 = 365;
const IN_FULL: i64 = 14;
const OFFICE: &str = "192.0.2.7";
const HOTEL: &str = "203.0.113.9";

/// A small generator of its own, so that the year is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.roll(many) == 0
    }
}

/// What people do on a working day: they save, open, download and upload, and tidy up a little.
const WORK: [i32; 16] =
    [5034, 5034, 5034, 5034, 5034, 5054, 5054, 5054, 5009, 5009, 5011, 5011, 5000, 5001, 5015, 5017];

/// What is out of the ordinary: how many documents, at most how many more, how many seconds apart, and by which action.
const UNUSUAL: [(u64, u64, u64, i32); 13] = [
    // a pile of photos; 150 of them and more selected and thrown away again; a folder tidied up by hand
    (25, 60, 3, 5011),
    (150, 200, 1, 5017),
    (12, 8, 20, 5017),
    // an export uploaded over the old one; a sync client that comes back after a holiday; an old portal imported
    (150, 100, 1, 5099),
    (400, 1, 2, 5099),
    (300, 200, 1, 5012),
    // versions put back after a mistake, and names
    (150, 1, 2, 5044),
    (150, 1, 2, 5001),
    // documents of many writers, saved under the name of the first; a list of links opened one by one
    (60, 90, 10, 5034),
    (150, 1, 5, 5009),
    // a project that ends: moved into the archive, or thrown away
    (300, 1, 1, 5015),
    (90, 1, 2, 5017),
    // some drafts deleted for good at once
    (15, 70, 2, 5018),
];

/// Where and when somebody works on a day.
#[derive(Clone, Copy)]
struct Desk {
    person: u64,
    begins: i64,
    address: &'static str,
}

#[derive(Default)]
struct Year {
    events: Vec<AuditEvent>,
    id: i64,
}

impl Year {
    fn add(&mut self, desk: Desk, second: u64, (action, room, document): (i32, u64, u64)) {
        self.id += 1;
        self.events.push(AuditEvent {
            id: self.id,
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(desk.begins + second as i64),
            actor: Uuid::from_u128(u128::from(desk.person) + 1),
            actor_name: "Anna".into(),
            action: ActionId(action),
            text: None,
            ip: Some(desk.address.into()),
            target: vec![format!("{room}-{document}")],
            context: Some(format!("Rooms: {room}").as_str().into()),
            details: None,
        });
    }

    /// One person's day. Gives whether anything was out of the ordinary.
    fn work(&mut self, dice: &mut Dice, desk: Desk, in_full: bool) -> bool {
        let rooms = [desk.person % 60, desk.person * 7 % 60, desk.person * 13 % 60];
        for _ in 0..if in_full { 20 + dice.roll(41) } else { 0 } {
            let action = WORK[dice.roll(16) as usize];
            // people work on few documents, and go on with those of before
            let (room, document) = (rooms[dice.roll(2) as usize], dice.roll(30));
            self.add(desk, dice.roll(9 * 3600), (action, room, document));
        }
        if !dice.one_in(40) {
            return false;
        }
        let (least, more, apart, action) = UNUSUAL[dice.roll(13) as usize];
        // now and then in all rooms at a time
        let spread = if dice.one_in(8) { 3 } else { 1 };
        let (count, first) = (least + dice.roll(more), 1000 * dice.roll(90));
        for n in 0..count {
            self.add(desk, 7200 + n * apart, (action, rooms[(n % spread) as usize], first + n));
        }
        true
    }
}

/// How many documents each of a team downloads when a project begins, and visitors of a room after a mailing.
const A_FEW: u64 = 15;

impl Year {
    /// A project begins: five people get their documents from its room. A mailing went out: visitors open links into three rooms.
    fn begin_project(&mut self, day: i64) {
        let (room, begins) = (day as u64 % 60, day * 86_400 + 9 * 3600);
        for n in 0..5 * A_FEW {
            let desk = Desk { person: (day as u64 * 5 + n % 5) % PEOPLE, begins, address: OFFICE };
            self.add(desk, n * 4, (5009, room, 40_000 + n));
        }
        for n in 0..3 * A_FEW {
            let visitors = Desk { person: 0, begins, address: HOTEL };
            self.add(visitors, n * 5, (5009, 60 + n % 3, 50_000 + n));
            self.events.last_mut().unwrap().actor = GUEST_ACCOUNT;
        }
    }
}

/// What people are used to: two weeks in the office.
fn usual() -> Habits {
    let mut habits = Habits::default();
    for (day, hour) in (0..14).flat_map(|day| (6..19).map(move |hour| (day, hour))) {
        let at = DateTime::UNIX_EPOCH - TimeDelta::days(day) + TimeDelta::hours(hour);
        habits.learn(&AuditEvent { ip: Some(OFFICE.into()), ..audit_model::testing::event(5034, "900", at) }, Tz::UTC);
    }
    habits
}

fn suspect(mut incident: Incident, own: &[Change], (habits, known): (&Habits, &Names)) -> Suspect {
    let (mut extent, mut story) = (Extent::default(), Story { habits: habits.clone(), ..Story::default() });
    for change in own.iter().filter(|change| incident.includes(change)) {
        extent.add(change, &Rooms::default());
        story.learn(&change.event);
    }
    extent.complete(&mut incident);
    let names = NewNames::new(&extent, LookedUp::default(), known);
    Suspect { incident, extent, story, names, sign_ins: Some(SignIns::default()) }
}

/// All that somebody did on days on which something was out of the ordinary.
type Kept = BTreeMap<Uuid, Vec<Change>>;

/// Hands over all that is done in a year, in order, and whether something was out of the ordinary with this person that day. Gives how many
/// events it were.
fn each_change(mut take: impl FnMut(&Change, bool)) -> i64 {
    let (mut dice, mut year) = (Dice(11), Year::default());
    for day in (0..DAYS).filter(|day| day % 7 < 5 && (*day < IN_FULL || day % 6 == 0)) {
        let mut unusual = BTreeSet::new();
        for person in 0..PEOPLE {
            // some work from elsewhere, and some at night
            let address = if dice.one_in(15) { HOTEL } else { OFFICE };
            let morning = if dice.one_in(60) { 19 } else { 7 + dice.roll(3) as i64 };
            let desk = Desk { person, begins: day * 86_400 + morning * 3600, address };
            if year.work(&mut dice, desk, day < IN_FULL) {
                unusual.insert(Uuid::from_u128(u128::from(person) + 1));
            }
        }
        year.begin_project(day);
        year.events.sort_unstable_by_key(|event| (event.at, event.id));
        for event in year.events.drain(..) {
            let kind = Kind::of(event.action).unwrap();
            let change = Change { event: Arc::new(event), kind, weight: Weight::ONE, folder: None, around: Vec::new() };
            take(&change, unusual.contains(&change.event.actor));
        }
    }
    year.id
}

/// The incidents of a year, and how many events it had.
fn year() -> (Vec<Incident>, Kept, i64) {
    let (mut detector, mut kept) = (Detector::new(&Limits::default()), Kept::new());
    let events = each_change(|change, is_unusual| {
        detector.push(change);
        if is_unusual {
            kept.entry(change.event.actor).or_default().push(change.clone());
        }
    });
    (detector.finish(), kept, events)
}

fn planned(one: &Assessed) -> Plan {
    let (person, fingerprint) = (one.incident.finding.person.clone(), one.incident.finding.fingerprint.clone());
    let reason = one.assessment.acts_because.as_ref().map(ToString::to_string);
    let hold = (!is_sure(&one.incident.exceeded, &one.signs)).then_some(Hold::Doubtful);
    let candidate = reason.map(|reason| Candidate { person, is_ldap: false, reason, fingerprint, hold });
    let load = Load { active_people: PEOPLE, earlier_today: 0 };
    plan(candidate.as_slice(), &Protection::default(), Breaker::default(), load)
}

/// Ordinary work is told, far more than twenty documents within ten minutes as it is, and suspends nobody: not with one sign besides, such as
/// a hotel, a late hour or three rooms, and not with two of them at once, which somebody has to look at.
#[test]
fn ordinary_work_suspends_nobody() {
    let (incidents, kept, events) = year();
    assert!(events > 250_000, "{events}");
    let of_people = incidents.into_iter().filter(|one| matches!(one.who, Who::Person(id) if id != GUEST_ACCOUNT));
    let (habits, known) = (usual(), Names::built_in());
    let suspects: Vec<Suspect> = of_people
        .map(|incident| {
            let own = kept.get(&incident.finding.person.id).map_or(&[][..], Vec::as_slice);
            suspect(incident, own, (&habits, &known))
        })
        .collect();
    let told = suspects.len();
    let end: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(DAYS);
    let assessed = judge(suspects, Tz::UTC, end);
    let of_severity = |severity| assessed.iter().filter(|one| one.assessment.severity == severity).count();
    let counts = [Severity::Medium, Severity::High, Severity::Critical].map(of_severity);
    let held: Vec<&Assessed> = assessed.iter().filter(|one| !planned(one).actions.is_empty()).collect();
    println!("{events} events; told {told}: medium, high, critical {counts:?}; held {}", held.len());
    assert!(told > 500 && counts[0] > told / 2, "{told} {counts:?}");
    for one in &held {
        assert!(one.signs.len() >= 2, "{:?}", one.assessment);
        assert_eq!(planned(one).planned().count(), 0, "{:?}", one.assessment);
    }
    assert!(!held.is_empty() && held.len() * 50 < told, "{} of {told}", held.len());
    // what enforcing would ask of the portal, with every kind switched on
    let mut config = Config::default();
    config.suspend.kinds = KINDS.map(|(name, _)| name.to_owned()).to_vec();
    config.mode = Mode::Enforce;
    assert_eq!(proposals(&assessed, &config, &[], end), []);
}

/// Teams that begin a project, and visitors after a mailing, take a few documents each: nobody is told of them together.
#[test]
fn people_who_take_a_few_documents_each_are_no_finding_of_a_room() {
    let mut detector = Detector::new(&Limits::default());
    let events = each_change(|change, _| detector.push(change));
    let mut found: Vec<(Incident, Extent)> =
        detector.finish().into_iter().map(|incident| (incident, Extent::default())).collect();
    let of_several = |who: &Who| matches!(who, Who::Room(_) | Who::VisitorsOfRooms);
    let above = found.iter().filter(|(incident, _)| of_several(&incident.who)).count();
    let mut those: Vec<_> = found.iter_mut().filter(|(incident, _)| of_several(&incident.who)).collect();
    each_change(|change, _| {
        let near = those.iter_mut().filter(|(incident, _)| incident.finding.window.contains(change.event.at));
        let own = near.filter(|(incident, _)| incident.includes(change));
        own.for_each(|(_, extent)| extent.add(change, &Rooms::default()));
    });
    let told = to_be_told(&Limits::default(), found, &Accounts::default());
    let told: Vec<&Incident> = told.iter().map(|(incident, _)| incident).filter(|one| of_several(&one.who)).collect();
    println!("{events} events; above the limit of a room {above}, told {}", told.len());
    let downloads = told.iter().filter(|one| one.exceeded.iter().any(|one| one.kind == Some(Kind::Downloaded)));
    assert_eq!(downloads.count(), 0);
    assert!(
        above > 60 && told.len() <= 5,
        "{above}: {:?}",
        told.iter().map(|one| &one.finding.reasons).collect::<Vec<_>>()
    );
}
