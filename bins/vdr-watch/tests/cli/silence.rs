//! A month of ordinary work, and what is planted in it: nobody is reported for working, and nobody is missed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use portal_sim::{Event, Office, Person, PersonKind, Scenario};
use serde_json::Value;

use crate::common::{Setting, now};

/// Two hundred people, a tenth of them guests, editors that save by themselves, people in three zones, and a quarter that ends.
fn month() -> Scenario {
    Office::new(11).people(200).rooms(40).days(30).events(60_000).rush(5).build(now()).unwrap()
}

/// Adds somebody who does one thing to so many distinct documents, one after the other, ending ten minutes before now.
fn plant(portal: &mut Scenario, email: &str, action: i32, documents: i32, minutes: i64, room_of: impl Fn(i32) -> i32) {
    let mut person = Person::new(email, "Planted", email.split('@').next().unwrap()).kind(PersonKind::User);
    person.ip = "203.0.113.66".to_owned();
    let actor = person.id;
    portal.people.push(person);
    let first_file = 9_000_000 + i32::try_from(portal.people.len()).unwrap() * 1000;
    for n in 0..documents {
        let back =
            TimeDelta::minutes(10) + TimeDelta::seconds(minutes * 60 * i64::from(documents - n) / i64::from(documents));
        let event = Event::new(action, actor, portal.now - back).file(first_file + n, &format!("planted {n}.docx"));
        portal.add_event(event.in_room(room_of(n)));
    }
}

fn found(report: &str) -> BTreeSet<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!(report["coverage"]["complete"], true);
    let people = report["findings"].as_array().unwrap().iter();
    people.map(|finding| finding["person"]["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_month_of_ordinary_work_is_silence_and_what_is_planted_in_it_is_found() {
    let setting = Setting::with(month()).await;
    let month = ["--since", "30d", "--format", "json"];
    let quiet = setting.run(&month).await;
    assert_eq!((found(&quiet.stdout), quiet.exit), (BTreeSet::new(), 0), "{}", quiet.stderr);

    setting.sim.edit(|portal| {
        let vdr = |n: i32| 1001 + n * 4;
        plant(portal, "insider@example.com", 5009, 60, 40, |_| vdr(0));
        plant(portal, "spread@example.com", 5009, 60, 40, |n| vdr(n % 6));
        plant(portal, "deleter@example.com", 5017, 15, 40, |_| vdr(1));
        plant(portal, "below@example.com", 5009, 20, 40, |_| vdr(2));
    });
    let told = setting.run(&month).await;
    let expected = ["deleter@example.com", "insider@example.com"].map(str::to_owned);
    assert_eq!(found(&told.stdout), BTreeSet::from(expected), "{}", told.stderr);
}

#[tokio::test]
async fn an_end_that_is_no_date_is_refused_with_an_example() {
    let setting = Setting::with(Scenario::empty(now())).await;
    for until in ["2030-01-01T10:00:00", "\"2030-01-01T10:00:00\"", "\"soon\""] {
        let config = setting.config(&format!("[[exclude]]\nrooms = [\"71\"]\nreason = \"binder\"\nuntil = {until}\n"));
        let refused = setting.run(&["--config", &config]).await;
        assert_eq!(refused.exit, 2, "{until}: {}", refused.stderr);
        assert!(refused.stderr.contains("must be a date such as 2030-01-01"), "{until}: {}", refused.stderr);
    }
}
