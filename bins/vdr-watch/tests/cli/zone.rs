//! The portal's zone, which somebody may change.

use chrono::TimeDelta;
use chrono_tz::Tz;
use portal_sim::Event;

use crate::common::{Setting, now};

const ZONE_CHANGED: i32 = 6001;

/// What the portal says about itself is believed for a day, but not its zone from before the change.
#[tokio::test]
async fn a_zone_that_was_changed_is_not_believed_for_a_day() {
    let mut setting = Setting::new("quiet").await;
    let zone = |run: &cli_test::Run| run.json()["portal"]["time_zone"].as_str().map(str::to_owned);
    assert_eq!(zone(&setting.run(&["--format", "json"]).await).as_deref(), Some("Europe/Berlin"));
    let mut told = Vec::new();
    for minutes in [10, 20] {
        let later = now() + TimeDelta::minutes(minutes);
        setting.scenario.now = later;
        setting.sim.edit(|portal| {
            portal.now = later;
            if minutes == 10 {
                portal.zone = Tz::Asia__Tokyo;
                let olga = portal.owner().id;
                portal.add_event(Event::new(ZONE_CHANGED, olga, later - TimeDelta::minutes(5)));
            }
        });
        told.push(zone(&setting.run(&["--format", "json"]).await));
    }
    assert_eq!(told.last().unwrap().as_deref(), Some("Asia/Tokyo"), "{told:?}");
}
