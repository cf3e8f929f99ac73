//! `compliance-monthly`: a month for whoever answers for it.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use portal_sim::{Event, Login, Scenario};

use super::stage::{REPORT, Stage};

const OFFICE: &str = r#"{
  "name": "office", "description": "forty people at work", "zone": "Europe/Berlin",
  "office": { "seed": 7, "people": 40, "rooms": 12, "days": 80, "events": 5000 },
  "people": [
    { "id": "66faa6e4-f133-11ea-b126-00ffeec8b4ef", "first_name": "Olga", "last_name": "Owner", "email": "olga@example.com", "kind": "owner", "ip": "192.0.2.2" },
    { "id": "5f0c1a52-8d8e-4a53-9a53-0d8f6b4d7c11", "first_name": "Anna", "last_name": "Schmidt", "email": "anna@example.com", "kind": "admin", "ip": "192.0.2.11" },
    { "id": "c1a0f3de-0000-4000-8000-000000000008", "first_name": "Mallory", "last_name": "Quick", "email": "mallory@example.com", "ip": "203.0.113.66" }
  ],
  "truth": {}
}"#;
const TWO_FACTOR_DISABLED: i32 = 6036;
const DOWNLOADED: i32 = 5009;

pub(super) async fn show(stage: &Stage) -> anyhow::Result<()> {
    let month = month(stage.now());
    let mut scenario = Scenario::from_json(OFFICE, stage.now())?;
    happen(&mut scenario, month);
    let scene = stage.begin(scenario, "out = \"{month}\"\n", "").await?;
    scene.say("Forty people at work for a month. One evening two-factor authentication was switched off; one night somebody tried passwords, and took 130 documents.")?;
    let month = month.format("%Y-%m");
    scene.run(&format!("--month {month} --report {REPORT}"), 60, 0).await?;
    scene.page(REPORT)?;
    scene.say("Has anybody changed a byte of it since?")?;
    scene.run(&format!("verify {month}"), 10, 0).await
}

/// The first day of the last month that ended at least ten days ago: all of it is settled.
fn month(now: DateTime<Utc>) -> NaiveDate {
    let day = now.date_naive() - Days::new(41);
    day.with_day(1).unwrap_or(day)
}

/// What the first page is about.
fn happen(portal: &mut Scenario, month: NaiveDate) {
    let at = |days: u64, hours: i64| {
        (month + Days::new(days)).and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(hours)
    };
    let owner = portal.owner().id;
    portal.add_event(Event::new(TWO_FACTOR_DISABLED, owner, at(9, 20)).ip("192.0.2.2"));
    let Some(mallory) = portal.person_by_email("mallory@example.com").cloned() else { return };
    for minute in 0..23 {
        let tried = at(16, 1) + TimeDelta::minutes(minute);
        portal.add_login(Login::failure("mallory@example.com", "203.0.113.66", tried));
    }
    portal.add_login(Login::success(&mallory, at(16, 2)));
    for number in 0..130_i32 {
        let when = at(16, 2) + TimeDelta::seconds(30 * i64::from(number + 1));
        let title = format!("contract {number}.pdf");
        portal.add_event(
            Event::new(DOWNLOADED, mallory.id, when).file(1_002_500 + number, &title).ip("203.0.113.66").in_room(1002),
        );
    }
}
