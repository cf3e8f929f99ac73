//! The way back of runs that do not come to act: somebody is off past the term, and nothing of a run may pass that over.

use portal_sim::{Event, Fault, FaultKind};

use crate::suspended::kept;
use crate::terms::{Portal, ended, run, suspended};

/// What rooms hold is read before anything is planned, and may take longer than a run has. Which rooms the person is in is read before that.
#[tokio::test]
async fn a_look_that_takes_too_long_keeps_no_term_from_ending() {
    let (mut setting, mara) = suspended(5).await;
    setting.env.push(("BULK_GUARD_RUN_LIMIT", "8s"));
    setting
        .sim
        .set_faults(vec![Fault::new(FaultKind::Slow { pieces: 60, pause_ms: 1_000 }).on("files/rooms").after(2)]);
    assert_eq!(run(&setting, &mara).await, ended(1, "released", 1));
    assert_eq!(setting.enabled(), 1);
}

/// Whoever only looks changes nothing, and says that something is wrong.
#[tokio::test]
async fn what_only_looks_does_not_pass_over_who_is_off_past_the_term() {
    let (setting, mara) = suspended(6).await;
    let url = setting.sim.url();
    for extra in [&["--dry-run"][..], &["--since", "1h"], &["--cannot-act"]] {
        let run = setting.run_with(&[&["--portal", &url], extra].concat()).await;
        assert_eq!((run.exit, setting.status(&mara)), (1, 2), "{extra:?} {}", run.stderr);
    }
    assert_eq!(setting.run(&["status"]).await.exit, 1);
    assert_eq!(run(&setting, &mara).await, ended(0, "released", 1));
    assert_eq!(setting.run(&["status"]).await.exit, 0);
}

/// The store is gone, and the audit trail no longer shows the row: somebody hears of it once, and each run fails until somebody enables the
/// account.
#[tokio::test]
async fn who_is_off_is_not_forgotten_with_the_store() {
    let (setting, mara) = suspended(2).await;
    assert_eq!(run(&setting, &mara).await, ended(0, "done", 2));
    std::fs::remove_file(setting.state_file("sqlite")).unwrap();
    let (url, alerts) = (setting.sim.url(), setting.state.path().join("alerts.ndjson"));
    let config = setting.state.path().join("bulk-guard.toml").display().to_string();
    for number in 0..3 {
        let run = setting.run_with(&["--portal", &url, "--config", &config]).await;
        // as often as it is so
        let is_said = run.stderr.contains(&mara.id.to_string());
        assert_eq!((run.exit, is_said), (1, true), "{number} {}", run.stderr);
    }
    let told = std::fs::read_to_string(&alerts).unwrap();
    let of_mara = told.lines().filter(|alert| alert.contains("does not remember why"));
    assert_eq!(of_mara.filter(|alert| alert.contains("\"critical\"")).count(), 1, "{told}");
    let status = setting.run(&["status"]).await;
    assert!(status.exit == 1 && status.stdout.contains("does not remember why"), "{}", status.stdout);
    setting.sim.edit(|portal| {
        let accounts = portal.people.iter_mut().filter(|person| person.id == mara.id);
        accounts.for_each(|person| person.status = 1);
    });
    let run = setting.run_with(&["--portal", &url, "--config", &config]).await;
    assert_eq!((run.exit, setting.enabled()), (0, 0), "{}", run.stderr);
    assert_eq!(setting.run(&["status"]).await.exit, 0);
}

/// A portal that ignores questions answers with its newest rows: that somebody has decided about the account is not among them.
#[tokio::test]
async fn a_trail_that_is_not_what_was_asked_for_releases_nobody() {
    let (setting, mara) = suspended(5).await;
    setting.sim.edit(|portal| {
        let owner = portal.owner().id;
        let mut row = Event::new(4020, owner, portal.now - chrono::TimeDelta::hours(1));
        row.target = vec![mara.id.to_string()];
        portal.add_event(row);
        for n in 0..30 {
            let at = portal.now - chrono::TimeDelta::minutes(40 - n);
            portal.add_event(Event::new(5034, owner, at).file(5_000, "plan.docx").in_room(71));
        }
    });
    setting.sim.set_faults(vec![Fault::new(FaultKind::Fallback)]);
    let told = setting.run(&["release", "k3f9-q2mw", "--reason", "a migration"]).await;
    assert_eq!((told.exit, setting.enabled()), (1, 0), "{} {}", told.stdout, told.stderr);
    assert_eq!(run(&setting, &mara).await.0, 1);
    setting.sim.set_faults(Vec::new());
    run(&setting, &mara).await;
    assert_eq!((setting.enabled(), kept(&setting, &mara).await["state"].as_str()), (0, Some("settled")));
}
