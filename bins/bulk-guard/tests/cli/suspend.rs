//! The whole way of a suspension through the built program, and back.

use chrono::TimeDelta;
use portal_sim::{Event, Fault, FaultKind, Person};

use crate::common::{Burst, PURGED, plan, setting, step};
use crate::watched::{ENFORCE, ON_WEAK_SIGNS, Watched, moves_on, portal};

/// RoomExternalLinkCreated
const ROOM_LINK_MADE: i32 = 5088;

/// The whole way: found, announced, disabled, read back, told; and it stays, because what was done cannot be undone.
#[tokio::test]
async fn who_deletes_for_good_is_suspended_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.calls(), ["Terminated"]);
    assert_eq!(plan(&run), [step("mara@example.com", "done", "")]);
    assert_eq!(watched.steps(), ["suspending", "done"]);
    let reasons = run.json()["findings"][0]["reasons"].to_string();
    assert!(reasons.contains("\"suspended\"") && !reasons.contains("would"), "{reasons}");
    assert_eq!(run.json()["suspended"][0]["state"], "done");
    let what_to_do = run.json()["findings"][0]["what_to_do"].to_string();
    assert!(what_to_do.starts_with("[\"leave the account disabled") && !what_to_do.contains("disable the account"));
    // neither growth nor time makes a second one, nor ends this one
    watched.pass(2);
    watched.run(&[]).await;
    watched.pass(24 * 60);
    let later = watched.run(&[]).await;
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (1, 2), "{} {}", later.stdout, later.stderr);
    assert_eq!(watched.steps(), ["suspending", "done"]);
}

/// Whoever asked for the run that suspends somebody is named in the announcement, and kept.
#[tokio::test]
async fn who_asked_for_the_run_is_told_and_kept() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&["--asked-by", "POST from 192.0.2.7"]).await;
    assert_eq!(watched.steps(), ["suspending", "done"]);
    let (_, _, words) = &watched.told()[0];
    assert!(words.ends_with("The run was asked for by POST from 192.0.2.7."), "{words}");
    let text = std::fs::read_to_string(watched.setting.state.path().join("alerts.ndjson")).unwrap();
    let alerts = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut of_suspension = alerts.filter(|alert| alert["suspension"].is_object());
    assert!(of_suspension.all(|alert| alert["suspension"]["asked_by"] == "POST from 192.0.2.7"), "{text}");
    let status = watched.setting.run(&["status"]).await.stdout;
    assert!(status.contains("asked by:   POST from 192.0.2.7"), "{status}");
}

/// While somebody is off, a run looks at that account and at the audit trail. Everybody is listed once, for the plan, and not for those who
/// are suspended already.
#[tokio::test]
async fn while_somebody_is_off_a_run_lists_everybody_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&[]).await;
    assert_eq!(watched.status(watched.mara), 2);
    let before = watched.setting.sim.requests().len();
    watched.pass(20);
    watched.run(&[]).await;
    let asked = watched.setting.sim.requests().into_iter().skip(before).map(|request| request.target);
    let asked: Vec<String> = asked.collect();
    assert!(asked.iter().any(|target| target.contains(&format!("people/{}", watched.mara))), "{asked:#?}");
    let count = |route: &str| asked.iter().filter(|target| target.contains(route)).count();
    assert_eq!(count("people/filter"), 1, "{asked:#?}");
    // the look of the run, what follows for the suspension, and what nobody remembers, each with the hours before it
    assert_eq!(count("events/filter?from="), 3 * 2, "{asked:#?}");
}

/// Two weak signs, which by themselves suspend nobody.
#[tokio::test]
async fn weak_signs_suspend_nobody_unless_told_to() {
    let watched = moves_on(ENFORCE).await;
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (1, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(run.json()["findings"][0]["severity"], "critical");
    assert_eq!(plan(&run)[0].1, "held");
    assert!(run.stdout.contains("somebody must look first") && watched.calls().is_empty(), "{}", run.stdout);
}

#[tokio::test]
async fn what_can_be_undone_ends_with_its_term_also_in_observe() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 0), "{} {}", run.stdout, run.stderr);
    let path = watched.setting.state.path().join("bulk-guard.toml");
    let settings = std::fs::read_to_string(&path).unwrap().replace("enforce", "observe");
    watched.setting.file("bulk-guard.toml", &settings);
    watched.pass(3 * 60 + 50);
    watched.run(&[]).await;
    assert_eq!(watched.steps(), ["suspending", "done", "warning"]);
    watched.pass(20);
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (1, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(
        (plan(&run), watched.calls()),
        (vec![step("", "released", "")], vec!["Terminated".to_owned(), "Active".to_owned()])
    );
    assert_eq!(watched.steps(), ["suspending", "done", "warning", "released"]);
    watched.pass(10);
    watched.run(&[]).await;
    assert_eq!(watched.calls().len(), 2);
}

/// What visitors do through a link is nobody's, and not that of whoever made the link: the portal has one account for all of them.
#[tokio::test]
async fn nobody_is_suspended_for_what_visitors_do_through_a_link() {
    let watched = Watched::new(ENFORCE).await;
    let visitor = Person { id: audit_model::GUEST_ACCOUNT, ..Person::new("", "Anonymous", "") };
    watched.setting.sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        let mut link = Event::new(ROOM_LINK_MADE, watched.mara, portal.now - TimeDelta::minutes(2)).in_room(71);
        link.target = vec!["71".to_owned()];
        portal.add_event(link);
        Burst { minutes: 1, ended: 1, ..Burst::new(PURGED, 110) }.by(portal, &visitor, &[71], "");
    });
    let run = watched.run(&[]).await;
    let findings = run.json()["findings"].clone();
    assert_eq!(findings.as_array().unwrap().len(), 1, "{findings}");
    assert_eq!(findings[0]["person"]["name"], "visitors through links");
    assert_eq!((plan(&run).len(), watched.calls().len(), run.exit), (0, 0, 0), "{} {}", run.stdout, run.stderr);
}

/// Who looks at the past, or only looks, changes nothing.
#[tokio::test]
async fn a_dry_run_a_replay_and_a_reader_never_act() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    let until = watched.setting.sim.now().to_rfc3339();
    for extra in [&["--dry-run"][..], &["--until", &until], &["--since", "1h"], &["--cannot-act"]] {
        let run = watched.run(extra).await;
        assert_eq!(plan(&run), [step("mara@example.com", "planned", "")], "{extra:?} {}", run.stderr);
        assert_eq!((watched.calls().len(), watched.steps().len()), (0, 0), "{extra:?}");
    }
}

/// Somebody has judged.
#[tokio::test]
async fn whom_somebody_enables_is_left_alone() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&[]).await;
    assert_eq!(watched.status(watched.mara), 2);
    let (owner, mara) = (watched.setting.scenario.owner().clone(), watched.mara);
    watched.pass(1);
    watched.setting.sim.edit(|portal| {
        portal.people.iter_mut().filter(|person| person.id == mara).for_each(|person| person.status = 1);
        let mut row = Event::new(4020, owner.id, portal.now);
        row.target = vec![mara.to_string()];
        portal.add_event(row);
    });
    watched.pass(1);
    watched.run(&[]).await;
    watched.burst(&Burst { minutes: 1, ended: 1, first: 30_000, ..Burst::new(PURGED, 110) }, watched.mara, "");
    watched.run(&[]).await;
    assert_eq!((watched.calls().len(), watched.status(watched.mara)), (1, 1));
    assert_eq!(watched.steps(), ["suspending", "done", "settled"]);
}

/// Everything that is missing is named, and nobody is touched.
#[tokio::test]
async fn what_is_missing_is_refused_by_name() {
    let settings =
        ENFORCE.replace("[suspend]", "[protect]\npeople = [\"bos@example.com\"]\ngroups = [\"Bored\"]\n[suspend]");
    let (portal, mara) = portal();
    let setting = setting(portal).await;
    let config = setting.file("bulk-guard.toml", &settings);
    let watched = Watched { setting, config, mara: mara.id };
    watched.run(&[]).await;
    watched.purges();
    let run = watched.run(&[]).await;
    assert_eq!((run.exit, watched.calls().len()), (2, 0), "{}", run.stderr);
    for missing in ["no channel is set", "`bos@example.com`", "`Bored`"] {
        assert!(run.stderr.contains(missing), "{missing}: {}", run.stderr);
    }
}

/// The plan as a whole is too large: nobody is touched, and one alert says so.
#[tokio::test]
async fn too_many_at_once_are_held_and_told_once() {
    let watched = Watched::new(ENFORCE).await;
    watched.setting.sim.edit(|portal| {
        portal.now += TimeDelta::minutes(3);
        for (n, person) in portal.people[1..5].to_vec().iter().enumerate() {
            let first = 1_000 * n as i32 + 10_000;
            Burst { minutes: 1, ended: 1, first, ..Burst::new(PURGED, 110) }.by(portal, person, &[71], "");
        }
    });
    let run = watched.run(&[]).await;
    assert_eq!((run.exit, watched.calls().len()), (3, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.steps(), ["held"]);
    watched.pass(1);
    watched.run(&[]).await;
    assert_eq!((watched.calls().len(), watched.steps().len()), (0, 1));
}

/// The words of every step, as they arrive.
#[tokio::test]
async fn what_is_told_of_a_suspension() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    watched.run(&[]).await;
    watched.pass(3 * 60 + 50);
    watched.run(&[]).await;
    watched.pass(20);
    watched.run(&[]).await;
    let told: Vec<String> =
        watched.told().into_iter().map(|(severity, step, words)| format!("[{severity}] {step}\n{words}\n")).collect();
    let told = told.join("\n");
    // terms begin with the second in which the call is made
    let told: String =
        told.split_inclusive(' ').map(|word| if word.starts_with("13:0") { "13:0M " } else { word }).collect();
    insta::assert_snapshot!(told);
}

/// Somebody else has taken the seat: it is told, the run fails, and it is tried again until there is one.
#[tokio::test]
async fn a_release_without_a_seat_is_told_and_tried_again() {
    let watched = moves_on(ON_WEAK_SIGNS).await;
    watched.run(&[]).await;
    watched.pass(3 * 60 + 50);
    watched.run(&[]).await;
    watched.pass(20);
    watched.setting.sim.set_faults(vec![Fault::new(FaultKind::FullSeats)]);
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (2, 1), "{} {}", run.stdout, run.stderr);
    let (severity, step, words) = watched.told().pop().unwrap();
    assert_eq!((severity.as_str(), step.as_str()), ("critical", "release_failed"));
    assert!(words.contains("no free seat") && words.contains("open Contacts"), "{words}");
    watched.setting.sim.set_faults(Vec::new());
    watched.pass(10);
    let run = watched.run(&[]).await;
    assert_eq!((watched.status(watched.mara), run.exit), (1, 0), "{} {}", run.stdout, run.stderr);
    assert_eq!(watched.steps().pop().unwrap(), "released");
    assert_eq!(watched.calls(), ["Terminated", "Active", "Active"]);
}

/// Everything that suspending needs has a line, and so has everybody who is off.
#[tokio::test]
async fn doctor_says_what_suspending_needs_and_who_is_off() {
    let watched = Watched::new(ENFORCE).await;
    watched.purges();
    watched.run(&[]).await;
    let url = watched.setting.sim.url();
    let doctor = watched.setting.run_with(&["doctor", "--portal", &url, "--config", &watched.config]).await;
    for line in [
        "warn  suspended: disabled through this program, or possibly so: Mara mara",
        "ok    suspend_right: ",
        "ok    suspend_key_end: ",
        "ok    suspend_account: ",
        "ok    suspend_channel: ",
        "ok    suspend_protected: ",
    ] {
        assert!(doctor.stdout.contains(line), "{line} {}", doctor.stdout);
    }
}
