//! What besides the number points to an attack, and what only looks so.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Login, PersonKind};

use crate::common::{Burst, DELETED, RENAMED, found, hire, json, now, office, ordinary_month, row, setting};

/// Twenty-one deletions alone are medium; at night and from an address never seen before they are reason enough.
#[tokio::test]
async fn habits_decide_where_the_number_does_not() {
    for (ip, expected) in [
        ("192.0.2.30", row("mara@example.com", "medium", false)),
        ("203.0.113.66", row("mara@example.com", "critical", true)),
    ] {
        let mut portal = office();
        let mut mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        ordinary_month(&mut portal, &mara);
        ip.clone_into(&mut mara.ip);
        let night = if ip == "192.0.2.30" { 0 } else { 6 };
        portal.now = now() - TimeDelta::hours(night);
        Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
        let run = json(&setting(portal).await, &["--since", "2026-10-20T00:00:00Z"]).await;
        assert_eq!(found(&run), [expected]);
    }
}

/// The attacker's first hour must not become the habit that the second is measured by.
#[tokio::test]
async fn an_attack_that_begins_slowly_teaches_no_habits() {
    let mut portal = office();
    let mut mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    ordinary_month(&mut portal, &mara);
    portal.now = now() - TimeDelta::hours(6);
    "203.0.113.66".clone_into(&mut mara.ip);
    Burst { first: 30_000, minutes: 60, ended: 20, ..Burst::new(DELETED, 10) }.by(&mut portal, &mara, &[71], "");
    Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
    let run = json(&setting(portal).await, &["--since", "2026-10-20T00:00:00Z"]).await;
    assert_eq!(found(&run), [row("mara@example.com", "critical", true)]);
}

/// Whoever stole a session looked around for some hours before.
#[tokio::test]
async fn a_sign_in_from_a_new_country_earlier_that_day_is_a_sign() {
    for (country, expected) in
        [("Germany", row("mara@example.com", "medium", false)), ("Iceland", row("mara@example.com", "critical", true))]
    {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let mut sign_in = |country: &str, at: DateTime<Utc>| {
            let mut login = Login::success(&mara, at);
            login.country = Some(country.to_owned());
            portal.add_login(login);
        };
        (2..29).for_each(|day| sign_in("Germany", now() - TimeDelta::days(day)));
        sign_in(country, now() - TimeDelta::hours(3));
        Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
        assert_eq!(found(&json(&setting(portal).await, &[]).await), [expected], "{country}");
    }
}

/// A drawing office renames its drawings: the extension is in no list of ours, and in daily use there.
#[tokio::test]
async fn an_extension_that_the_office_always_uses_is_no_sign() {
    for (usual, expected) in [
        ("plan.sldprt", row("mara@example.com", "medium", false)),
        ("plan.docx", row("mara@example.com", "critical", true)),
    ] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        let (ben, day_before) = (portal.people[1].id, now() - TimeDelta::days(3));
        for n in 0..3 {
            portal.add_event(Event::new(5034, ben, day_before).file(5_000 + n, usual).in_room(71));
        }
        Burst::new(RENAMED, 25).by(&mut portal, &mara, &[71], ".SLDPRT");
        let run = json(&setting(portal).await, &["--since", "2026-11-10T00:00:00Z"]).await;
        assert_eq!(found(&run), [expected], "{usual}");
    }
}

/// Hours of work are the portal's; the clock that was set back in between changes none of them.
#[tokio::test]
async fn summer_time_makes_no_hour_unusual() {
    let mut portal = office().with_zone(chrono_tz::Europe::Berlin);
    portal.now = "2026-11-02T08:40:00Z".parse().unwrap();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    for day in 3..25 {
        // half past nine in Berlin, summer or winter
        let summer = i64::from(day > 8);
        let at = portal.now - TimeDelta::days(day) - TimeDelta::minutes(10) - TimeDelta::hours(summer);
        portal.add_event(Event::new(5034, mara.id, at).file(5_000, "plan.docx").ip(&mara.ip).in_room(71));
    }
    Burst::new(DELETED, 21).by(&mut portal, &mara, &[71], "");
    let run = json(&setting(portal).await, &["--since", "2026-10-01T00:00:00Z"]).await;
    assert_eq!(run.json()["findings"][0]["corroboration"], serde_json::json!([]), "{}", run.stdout);
}
