//! AI agents have titles of their own, which may be those of rooms. The word before a title tells them apart, in whichever language.

use chrono::TimeDelta;
use portal_sim::{Event, Scenario};

use crate::common::{Setting, now};

fn agents_asked(setting: &Setting) -> usize {
    setting.sim.requests().iter().filter(|request| request.target.contains("searchArea=AiAgents")).count()
}

/// The list of agents is one more request, once an hour and only while a word is not known.
#[tokio::test]
async fn agents_are_read_once_and_no_more_when_the_word_is_known() {
    let mut setting = Setting::new("quiet").await;
    assert_eq!(setting.run(&[]).await.exit, 0);
    // that a list is empty is proven by asking twice
    let once = agents_asked(&setting);
    assert!(once > 0);
    assert_eq!(setting.run(&[]).await.exit, 0);
    assert_eq!(agents_asked(&setting), once);
    let later = now() + TimeDelta::hours(2);
    setting.scenario.now = later;
    setting.sim.edit(|portal| {
        portal.now = later;
        let bob = portal.person_by_email("bob@example.com").unwrap().id;
        let mut invited = Event::new(5085, bob, later - TimeDelta::minutes(30)).in_room(71);
        invited.target = vec!["71".to_owned()];
        portal.add_event(invited);
    });
    assert_eq!(setting.run(&[]).await.exit, 0);
    assert_eq!(agents_asked(&setting), 2 * once, "the list is read before the word is learnt from that event");
    let later = later + TimeDelta::hours(2);
    setting.scenario.now = later;
    setting.sim.edit(|portal| portal.now = later);
    assert_eq!(setting.run(&[]).await.exit, 0);
    assert_eq!(agents_asked(&setting), 2 * once);
}

/// What happened in the room itself is still told, beside an agent of the same title.
#[tokio::test]
async fn a_burst_in_the_room_is_told_beside_an_agent_of_its_title() {
    let mut portal = Scenario::builtin("agent-twin", now()).unwrap();
    let chen = portal.person_by_email("chen@example.com").unwrap().id;
    for n in 0..30 {
        let at = now() - TimeDelta::minutes(150 - i64::from(n));
        portal.add_event(Event::new(5009, chen, at).file(71_500 + n, "paper.docx").in_room(71));
    }
    let setting = Setting::with(portal).await;
    let report = setting.run(&["--format", "json"]).await.json();
    let found: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), 1, "{report:#}");
    assert_eq!((&found[0]["person"]["email"], &found[0]["room"]["id"]), (&"chen@example.com".into(), &71.into()));
}

#[tokio::test]
async fn agents_that_could_not_be_read_are_a_gap() {
    let setting = Setting::new("agent-twin").await;
    setting.sim.set_faults(vec![portal_sim::Fault::status(500).on("files/rooms").after(1)]);
    let run = setting.run(&["--format", "json"]).await;
    assert_eq!(run.exit, 4, "{}", run.stdout);
    let report = run.json();
    let gaps = report["coverage"]["gaps"].to_string();
    assert!(gaps.contains("\"rooms\""), "{gaps}");
    // nobody knows the agent yet that bears the room's title
    let finding = &report["findings"][0];
    assert_eq!((&finding["room"]["id"], &finding["room"]["attributed"]), (&71.into(), &"title".into()), "{report:#}");
    let reasons = finding["reasons"].to_string();
    assert!(reasons.contains("it may have happened in an agent of this title, and not in the room"), "{reasons}");
}
