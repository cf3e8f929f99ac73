//! A year of five hundred people at work, straight into the rule and the plan: told at most now and then, and nobody planned.

use std::sync::Arc;

use audit_model::{ActionId, AuditEvent, Weight};
use chrono::{DateTime, TimeDelta};
use safe_actions::{Breaker, Candidate, Load, Protection, plan};
use uuid::Uuid;

use super::detector::{Change, Detector};
use super::incident::Exceeded;
use crate::rule::assessment::assess;
use crate::config::Limits;
use crate::rule::kind::Kind;

const PEOPLE: u64 = 500;
const DAYS: i64 = 365;

/// A small generator of its own, so that the year is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// What people do on a working day: saves and downloads mostly, uploads, some tidying up.
const WORK: [i32; 12] = [5034, 5034, 5034, 5034, 5009, 5009, 5011, 5011, 5000, 5001, 5015, 5017];

#[test]
fn a_year_of_ordinary_work_plans_nobody() {
    let mut dice = Dice(11);
    let mut detector = Detector::new(&Limits::default());
    let (mut id, mut events) = (0, 0u64);
    for day in (0..DAYS).filter(|day| day % 7 < 5) {
        let mut today = Vec::new();
        for person in 0..PEOPLE {
            let morning = 7 + dice.roll(3) as i64;
            let mut act = |second: i64, action: i32, target: u64| {
                today.push((day * 86_400 + morning * 3600 + second, person, action, target))
            };
            for _ in 0..4 + dice.roll(4) {
                let second = dice.roll(9 * 3600) as i64;
                act(second, WORK[dice.roll(WORK.len() as u64) as usize], dice.roll(400));
            }
            let mut many = |count: u64, every: i64, action: i32, first: u64| {
                (0..count).for_each(|n| act(7200 + n as i64 * every, action, first + n));
            };
            match dice.roll(600) {
                // a pile of photos; all of them selected and trashed again
                0..=3 => many(25 + dice.roll(60), 3, 5011, 10_000),
                4 => many(150 + dice.roll(200), 1, 5017, 10_000),
                // a folder tidied up by hand
                5 | 6 => many(12 + dice.roll(8), 20, 5017, 20_000),
                // an export uploaded over the old one; a sync client that comes back after a holiday
                7 => many(150 + dice.roll(100), 1, 5099, 30_000),
                8 => many(400, 2, 5099, 40_000),
                // versions put back, and names, after a mistake
                9 => many(150, 2, 5044, 50_000),
                10 => many(150, 2, 5001, 50_000),
                // one document of many writers, saved all afternoon under the name of the first; a list of links opened one by one
                11..=14 => (0..60).for_each(|n| act(7200 + n * 30, 5034, n as u64 % 6)),
                15 => many(150, 2, 5034, 60_000),
                16 => many(150, 5, 5009, 70_000),
                // a project that ends: moved into the archive
                17 => many(300, 1, 5015, 80_000),
                _ => {}
            }
        }
        today.sort_unstable();
        for (second, person, action, target) in today {
            id += 1;
            events += 1;
            let event = AuditEvent {
                id,
                at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
                actor: Uuid::from_u128(u128::from(person) + 1),
                actor_name: "Anna".into(),
                action: ActionId(action),
                text: None,
                ip: None,
                target: vec![format!("{person}-{target}")],
                context: None,
                details: None,
            };
            let kind = Kind::of(event.action).unwrap();
            detector.push(&Change { event: Arc::new(event), kind, weight: Weight::ONE, folder: None });
        }
    }
    assert!(events > 1_000_000, "{events}");
    let incidents = detector.finish();
    let spoilt = incidents.iter().filter(|one| one.exceeded.iter().any(Exceeded::is_flood)).count();
    let candidates: Vec<Candidate> = incidents
        .iter()
        .filter_map(|incident| {
            let reason = assess(&incident.exceeded, &[], false).acts_because?;
            let (person, fingerprint) = (incident.finding.person.clone(), incident.finding.fingerprint.clone());
            Some(Candidate { person, is_ldap: false, reason, fingerprint, hold: None })
        })
        .collect();
    let plan =
        plan(&candidates, &Protection::default(), Breaker::default(), Load { active_people: PEOPLE, earlier_today: 0 });
    assert_eq!((spoilt, plan.actions.len()), (0, 0));
    // it is all told: far more than twenty documents within ten minutes
    assert!(incidents.len() > 2_000, "{}", incidents.len());
    let severe =
        incidents.iter().filter(|one| assess(&one.exceeded, &[], false).severity > audit_model::Severity::Medium);
    assert_eq!(severe.count(), 0);
}
