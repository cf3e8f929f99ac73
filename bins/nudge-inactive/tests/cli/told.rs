//! Who is told what, once, over weeks: runs that follow each other over the same store, at a portal whose clock goes on.

use std::collections::BTreeSet;
use std::process::Stdio;

use chrono::TimeDelta;
use cli_test::smtp::Server;
use portal_sim::{Event, Person, Room, Scenario};
use serde_json::Value;

use crate::common::{Setting, now, settings_file, start_portal};
use crate::mails::{Taken, go, settings};
use crate::world::{EAGLE, HAWK, id};

/// A room whose members do nothing, and whose owner works.
fn office(people: usize) -> Scenario {
    let mut portal = Scenario::empty(now()).with_zone(chrono_tz::Europe::Berlin);
    let mut room = Room::vdr(EAGLE, "Eagle");
    for n in 0..people {
        let person = Person::new(&format!("person{n}@example.com"), "Person", &n.to_string());
        room.members.push(person.id);
        portal = portal.with_person(person);
    }
    portal.add_room(room);
    portal = portal.with_person(Person::new("robot@example.com", "Robot", "Arm"));
    for days in [60, 1] {
        works(&mut portal, days);
    }
    portal
}

fn works(portal: &mut Scenario, days_ago: i64) {
    let (olga, at) = (portal.owner().id, portal.now - TimeDelta::days(days_ago));
    let file = 900 + i32::try_from(portal.events.len()).unwrap();
    portal.add_event(Event::new(5011, olga, at).file(file, "plan.docx").in_room(EAGLE));
}

/// Time passes at the portal and here.
fn pass(setting: &Setting, time: TimeDelta) {
    setting.sim.edit(|portal| {
        portal.now += time;
        works(portal, 1);
    });
}

async fn start(server: &Server, people: usize, remind: &str) -> (Setting, String) {
    let setting = start_portal(office(people)).await;
    let config = settings_file(&setting, &settings(server, "").replace("[remind]\n", &format!("[remind]\n{remind}\n")));
    (setting, config)
}

#[tokio::test]
async fn who_stays_inactive_is_told_once() {
    let setting = start_portal(office(5)).await;
    let config = settings_file(&setting, "");
    for (days, news) in [(0, true), (1, false), (6, false), (14, false), (60, false)] {
        pass(&setting, TimeDelta::days(days));
        let ended = setting.run_with(&["--portal", &setting.sim.url(), "--config", &config]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{days} days later");
        assert_eq!(!ended.stdout.is_empty(), news, "{days} days later: {}", ended.stdout);
    }
    // somebody comes, and is silent again: that is news
    let person = id(&setting.scenario, "Person3");
    pass(&setting, TimeDelta::days(7));
    setting.sim.edit(|portal| {
        let at = portal.now - TimeDelta::days(1);
        portal.add_event(Event::new(5064, person, at).file(900, "plan.docx").in_room(EAGLE));
    });
    for (days, news) in [(0, false), (31, true), (7, false)] {
        pass(&setting, TimeDelta::days(days));
        let ended = setting.run_with(&["--portal", &setting.sim.url(), "--config", &config]).await;
        assert_eq!(!ended.stdout.is_empty(), news, "{days} days later: {}", ended.stdout);
        assert!(!news || ended.stdout.matches("<person").count() == 1, "{}", ended.stdout);
    }
}

/// Somebody looks at one room by hand. Cron, which looks at all, goes on as if nobody had: it tells what it has not told, and nothing twice.
#[tokio::test]
async fn a_look_at_one_room_by_hand_does_not_disturb_cron() {
    let mut portal = office(2);
    let person = id(&portal, "Person0");
    let mut room = Room::vdr(HAWK, "Hawk");
    room.members.push(person);
    portal.add_room(room);
    let setting = start_portal(portal).await;
    let url = setting.sim.url();
    let told = async |more: &[&str]| setting.run_with(&[&["--portal", &url], more].concat()).await.stdout;
    let by_hand = told(&["--room", "Hawk"]).await;
    assert_eq!(by_hand.matches("  LOW  ").count(), 1, "{by_hand}");
    let cron = told(&[]).await;
    assert_eq!(cron.matches("  LOW  ").count(), 3, "cron tells everybody to its own reader: {cron}");
    for more in [&["--room", "Hawk"][..], &["--room", "Eagle"], &[]] {
        pass(&setting, TimeDelta::days(1));
        assert_eq!(told(more).await, "", "{more:?}");
    }
}

/// A mail that waited and one that is due are one mail.
#[tokio::test]
async fn a_mail_that_waited_for_weeks_is_merged_into_what_is_due() {
    let Some(server) = Server::start("defer", &[]).await else { return };
    let (setting, config) = start(&server, 4, "").await;
    go(&setting, &config, &[]).await;
    assert_eq!(server.taken(), []);
    server.switch("accept");
    pass(&setting, TimeDelta::days(15));
    go(&setting, &config, &[]).await;
    assert_eq!(server.recipients().len(), 4);
    assert_eq!(server.recipients().into_iter().collect::<BTreeSet<_>>().len(), 4, "one mail per person");
    // nothing is left of the first one
    pass(&setting, TimeDelta::days(1));
    go(&setting, &config, &[]).await;
    assert_eq!(server.recipients().len(), 4);
}

/// Another room is due while a mail waits: one mail about both.
#[tokio::test]
async fn a_mail_that_waited_takes_another_room_along() {
    let Some(server) = Server::start("defer", &[]).await else { return };
    let (setting, config) = start(&server, 1, "").await;
    go(&setting, &config, &[]).await;
    let person = id(&setting.scenario, "Person0");
    setting.sim.edit(|portal| {
        let mut room = Room::vdr(HAWK, "Hawk");
        room.members.push(person);
        portal.add_room(room);
    });
    server.switch("accept");
    pass(&setting, TimeDelta::days(8));
    let ended = go(&setting, &config, &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let rooms: Vec<i64> =
        report["actions"][0]["rooms"].as_array().unwrap().iter().map(|room| room["id"].as_i64().unwrap()).collect();
    assert_eq!((server.recipients().len(), rooms), (1, vec![EAGLE.into(), HAWK.into()]), "{}", ended.stdout);
}

/// Steps are days at the portal, whatever the minute in which a timer starts.
#[tokio::test]
async fn weekly_runs_that_begin_earlier_in_their_hour_keep_the_steps() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, 1, "").await;
    let mut sent = Vec::new();
    for week in 0..5 {
        let before = server.taken().len();
        go(&setting, &config, &[]).await;
        if server.taken().len() > before {
            sent.push(7 * week);
        }
        pass(&setting, TimeDelta::days(7) - TimeDelta::seconds(30));
    }
    assert_eq!(sent, [0, 14, 28]);
}

/// A mailbox that has had an id may swallow the second mail that bears it.
#[tokio::test]
async fn mails_of_another_store_bear_other_ids() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, 2, "").await;
    go(&setting, &config, &[]).await;
    std::fs::remove_dir_all(setting.state.path().join("state")).unwrap();
    pass(&setting, TimeDelta::days(49));
    go(&setting, &config, &[]).await;
    let ids: BTreeSet<String> = server.taken().into_iter().map(|(.., id)| id).collect();
    assert_eq!((server.taken().len(), ids.len()), (4, 4));
}

/// A try counts before the message leaves, so that whatever ends the process is counted too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_before_the_answer_has_used_up_a_try() {
    let Some(server) = Server::start("hang", &[]).await else { return };
    let (setting, config) = start(&server, 1, "").await;
    for copies in 1..=3 {
        let mut command = setting.command(&["--portal", &setting.sim.url(), "--config", &config]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        cli_test::until(|| server.messages().len() == copies).await;
        child.kill().await.unwrap();
    }
    server.switch("accept");
    for said in [true, false] {
        let ended = go(&setting, &config, &[]).await;
        assert_eq!((server.messages().len(), ended.stdout.contains("a fourth time")), (3, said), "{}", ended.stdout);
    }
    pass(&setting, TimeDelta::days(14));
    go(&setting, &config, &[]).await;
    assert_eq!(server.messages().len(), 4, "the next step is another mail");
}

/// Whoever did not get the last report must not read that nobody is new.
#[tokio::test]
async fn a_report_that_did_not_arrive_leaves_its_news_to_the_next() {
    let Some(server) = Server::start("refuse:boss@example.com", &[]).await else { return };
    let setting = start_portal(office(3)).await;
    let managed = format!("{}\n[manager]\nmail_to = [\"boss@example.com\"]\n", settings(&server, ""));
    let config = settings_file(&setting, &managed);
    go(&setting, &config, &[]).await;
    server.switch("accept");
    for expected in
        ["Newly inactive: 3 (since the last report that arrived)", "Newly inactive: 0 (since the run before)"]
    {
        pass(&setting, TimeDelta::days(1));
        let ended = go(&setting, &config, &["--print", "text"]).await;
        assert!(ended.stdout.contains(expected), "{} {}", ended.stdout, ended.stderr);
    }
}

/// Somebody who was active again after a reminder, and somebody who was not.
#[tokio::test]
async fn the_report_says_who_came_back() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let (setting, config) = start(&server, 3, "").await;
    let first: Value = go(&setting, &config, &["--format", "json"]).await.json();
    assert_eq!(first["since_last_run"], serde_json::json!({ "newly_inactive": 3, "came_back": 0 }));
    let person = id(&setting.scenario, "Person1");
    pass(&setting, TimeDelta::days(7));
    setting.sim.edit(|portal| {
        let at = portal.now - TimeDelta::days(1);
        portal.add_event(Event::new(5064, person, at).file(900, "plan.docx").in_room(EAGLE));
    });
    let ended = go(&setting, &config, &["--print", "text"]).await;
    assert!(ended.stdout.contains("Came back: 1 "), "{}", ended.stdout);
    assert_eq!(ended.stdout.matches("reminded on 2026-11-20 (day 0)").count(), 2, "{}", ended.stdout);
}
