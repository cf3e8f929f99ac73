//! `--create-room`: never two rooms, whatever breaks, and never silence about a room that may be missing.

use std::process::Stdio;

use chrono::TimeDelta;
use portal_sim::{Fault, FaultKind, Key, Room, Scenario};
use serde_json::Value;

use crate::common::{Run, Setting, assert_valid, now, only_file};

const TITLE: &str = "Falcon – closing";
const CREATE: [&str; 2] = ["--create-room", TITLE];

async fn setting() -> Setting {
    Setting::with(Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"))).await
}

fn rooms(setting: &Setting) -> Vec<Room> {
    let mut found = Vec::new();
    setting.sim.edit(|portal| found = portal.rooms.iter().filter(|room| room.title == TITLE).cloned().collect());
    found
}

fn posts(setting: &Setting) -> usize {
    setting.sim.requests().iter().filter(|request| request.method == "POST").count()
}

async fn report(setting: &Setting, extra: &[&str]) -> (Value, Run) {
    let ended = setting.run(&[&CREATE[..], extra, &["--format", "json"]].concat()).await;
    assert_valid(&ended.stdout);
    (serde_json::from_str(&ended.stdout).unwrap(), ended)
}

/// State of the only action.
async fn state(setting: &Setting) -> (String, i32) {
    let (report, ended) = report(setting, &[]).await;
    (report["actions"][0]["state"].as_str().unwrap().to_owned(), ended.exit)
}

fn half_an_hour_passes(setting: &Setting) {
    setting.sim.edit(|portal| portal.now += TimeDelta::minutes(30));
}

#[tokio::test]
async fn a_missing_room_is_made_once_and_watched() {
    let setting = setting().await;
    let first = setting.run(&CREATE).await;
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""));
    let made = rooms(&setting);
    assert_eq!((made.len(), made[0].room_type), (1, 8));
    let page = format!("https://docs.example.com/rooms/shared/{}/", made[0].id);
    let line = format!("Made the virtual data room \"{TITLE}\"\n");
    assert!(first.stdout.contains(&line) && first.stdout.contains(&page), "{}", first.stdout);
    insta::assert_snapshot!("made_room_text", first.stdout);
    // there now: nothing to do, nothing to say
    let second = setting.run(&CREATE).await;
    assert_eq!((second.exit, second.stdout.as_str(), posts(&setting)), (0, "", 1));
    let (told, _) = report(&setting, &["--room", "71"]).await;
    assert_eq!(told["rooms"], serde_json::json!([71, made[0].id]), "the new room is watched besides the ones named");
    assert_eq!(told["actions"][0]["state"], "already");
}

#[tokio::test]
async fn a_dry_run_only_says_so() {
    let setting = setting().await;
    let (told, ended) = report(&setting, &["--dry-run"]).await;
    assert_eq!((ended.exit, &told["actions"][0]["state"]), (0, &Value::from("planned")));
    insta::assert_snapshot!("would_make_room_json", ended.stdout);
    let text = setting.run(&[&CREATE[..], &["--dry-run"]].concat()).await.stdout;
    assert!(text.contains("Would make the virtual data room"), "{text}");
    assert_eq!(posts(&setting), 0);
}

#[tokio::test]
async fn two_rooms_of_the_title_are_used_and_no_third_is_made() {
    let setting =
        Setting::with(Scenario::empty(now()).with_room(Room::vdr(72, TITLE)).with_room(Room::vdr(73, TITLE))).await;
    assert_eq!((state(&setting).await, posts(&setting)), (("already".to_owned(), 0), 0));
}

#[tokio::test]
async fn what_somebody_must_change_first_is_an_error_that_says_what() {
    let read_only = |setting: &Setting| {
        let key =
            Key { key: format!("sk-{}", "a".repeat(64)), ..Key::of(setting.scenario.owner()).scopes(&["*:read"]) };
        setting.sim.edit(|portal| portal.keys.push(key.clone()));
        key.key
    };
    let refused = async |setting: &Setting, arguments: &[&str], told: &str| {
        let ended = setting.run(arguments).await;
        assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{told}: {}", ended.stderr);
        assert!(ended.stderr.contains(told) && ended.stderr.contains("create_room"), "{told}: {}", ended.stderr);
    };
    let scope = setting().await;
    let key = read_only(&scope);
    let scope = scope.with_key(&key);
    refused(&scope, &CREATE, "`rooms:write").await;
    assert!(rooms(&scope).is_empty());
    // and it is not remembered as a room that may be there
    let key = scope.sim.key();
    let scope = scope.with_key(&key);
    assert_eq!(state(&scope).await, ("done".to_owned(), 0));

    let full = setting().await;
    full.sim.edit(|portal| portal.content.quota.rooms = 1);
    refused(&full, &CREATE, "plan does not include").await;

    let mut archived = Room::vdr(72, TITLE);
    archived.archived = true;
    let archived = Setting::with(Scenario::empty(now()).with_room(archived)).await;
    refused(&archived, &CREATE, "data room 72 has this title and is archived").await;

    let title = setting().await;
    refused(&title, &["--create-room", "Falcon: closing"], "`:`").await;
    assert_eq!(title.sim.requests().len(), 0);
}

/// The effect and the answer come apart in every way; the run says what it knows, and the next ones never make a second room.
#[tokio::test]
async fn a_call_that_breaks_never_leads_to_two_rooms() {
    let faults = [
        (FaultKind::Reset, "failed", 0),
        (FaultKind::ResetInside, "done", 1),
        (FaultKind::Truncated, "done", 1),
        (FaultKind::DoneThenStatus { status: 500 }, "done", 1),
        (FaultKind::DoneThenStatus { status: 504 }, "done", 1),
        (FaultKind::Status { status: 502, body: None }, "failed", 0),
        (FaultKind::Unchanged, "failed", 0),
    ];
    for (kind, expected, there) in faults {
        let setting = setting().await;
        setting.sim.set_faults(vec![Fault::new(kind.clone()).method("POST").times(1)]);
        let (told, exit) = state(&setting).await;
        assert_eq!((told.as_str(), exit), (expected, if there == 1 { 0 } else { 4 }), "{kind:?}");
        assert_eq!(rooms(&setting).len(), there, "{kind:?}");
        // at once, nobody knows yet; later, it must be over
        let (told, exit) = state(&setting).await;
        assert_eq!((told.as_str(), exit), if there == 1 { ("already", 0) } else { ("failed", 4) }, "{kind:?}");
        half_an_hour_passes(&setting);
        let (told, exit) = state(&setting).await;
        assert_eq!((told.as_str(), exit), (if there == 1 { "already" } else { "done" }, 0), "{kind:?}");
        assert_eq!(rooms(&setting).len(), 1, "{kind:?}");
    }
}

/// The portal did not even begin: the next run may try at once.
#[tokio::test]
async fn a_refusal_for_now_is_tried_again_by_the_next_run() {
    let setting = setting().await;
    setting.sim.set_faults(vec![Fault::new(FaultKind::TooManyRequests { retry_after: None }).method("POST").times(1)]);
    assert_eq!(state(&setting).await, ("failed".to_owned(), 4));
    assert_eq!(state(&setting).await, ("done".to_owned(), 0));
    assert_eq!(rooms(&setting).len(), 1);
}

#[tokio::test]
async fn rooms_that_cannot_be_read_are_not_made() {
    let setting = setting().await;
    setting.sim.set_faults(vec![Fault::status(503).on("files/rooms").method("GET")]);
    assert_eq!((state(&setting).await, posts(&setting)), (("failed".to_owned(), 4), 0));
    let text = setting.run(&CREATE).await.stdout;
    assert!(
        text.contains("Could not create or find the virtual data room")
            && text.contains(": the rooms could not be read"),
        "{text}"
    );
}

/// Without a memory nobody could tell tomorrow what was done today.
#[tokio::test]
async fn without_a_store_nothing_is_made() {
    let setting = setting().await;
    setting.run(&[]).await;
    let store = only_file(&setting.state.path().join("state"), "sqlite");
    std::fs::write(&store, "this is no database").unwrap();
    let ended = setting.run(&CREATE).await;
    assert_eq!((ended.exit, posts(&setting)), (1, 0), "{}", ended.stdout);
    assert!(ended.stderr.contains("no room was made: this run has no memory"), "{}", ended.stderr);
}

/// Without the lock two runs could make one each.
#[tokio::test]
async fn without_the_lock_nothing_is_made() {
    let setting = setting().await;
    setting.run(&[]).await;
    let lock = only_file(&setting.state.path().join("state"), "lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let ended = setting.run(&CREATE).await;
    assert_eq!((ended.exit, posts(&setting)), (1, 0), "{}", ended.stdout);
    assert!(ended.stderr.contains("no room was made: this run has no lock"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_room_that_was_renamed_or_deleted_since() {
    let setting = setting().await;
    assert_eq!(state(&setting).await.0, "done");
    let id = rooms(&setting)[0].id;
    setting.sim.edit(|portal| {
        let room = portal.rooms.iter_mut().find(|room| room.id == id).unwrap();
        room.title = "Falcon – closed".to_owned();
    });
    let (told, ended) = report(&setting, &[]).await;
    assert_eq!((ended.exit, &told["actions"][0]["state"]), (0, &Value::from("already")));
    assert_eq!(told["actions"][0]["room"]["id"], id);
    let reason = told["actions"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("called \"Falcon – closed\" now"), "{reason}");
    assert_eq!(posts(&setting), 1, "a renamed room is still the room");
    setting.sim.edit(|portal| portal.rooms.retain(|room| room.id != id));
    assert_eq!(state(&setting).await, ("done".to_owned(), 0));
    assert_eq!((rooms(&setting).len(), posts(&setting)), (1, 2));
}

/// The answer never came, so only looking told which room it was; it is known as well as any other.
#[tokio::test]
async fn a_room_whose_making_was_not_answered_may_be_renamed() {
    let setting = setting().await;
    let fault = Fault::new(FaultKind::DoneThenStatus { status: 504 });
    setting.sim.set_faults(vec![fault.method("POST").times(1)]);
    assert_eq!(state(&setting).await, ("done".to_owned(), 0));
    setting.sim.edit(|portal| {
        let room = portal.rooms.iter_mut().find(|room| room.title == TITLE).unwrap();
        room.title = "Falcon – closed".to_owned();
    });
    assert_eq!((state(&setting).await, posts(&setting)), (("already".to_owned(), 0), 1));
}

/// Killed at the boundary of each request, or some moments behind it, and with `FAULTS=all` at each of these moments: the runs after that make
/// one room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_anywhere_never_leads_to_two_rooms() {
    let undisturbed = setting().await;
    undisturbed.run(&CREATE).await;
    let requests = undisturbed.sim.requests();
    let post = 1 + requests.iter().position(|request| request.method == "POST").unwrap();
    let mut found = [0, 0];
    for boundary in 1..=post + 3 {
        for &spins in cli_test::played(&[0, 40, 400], boundary) {
            let setting = setting().await;
            run_and_kill(&setting, boundary, spins).await;
            let there = rooms(&setting).len();
            assert!(there <= 1);
            found[there] += 1;
            // whatever stands in the journal, a run at once and a run later end with one room
            setting.run(&CREATE).await;
            assert!(rooms(&setting).len() <= 1, "boundary {boundary}, spins {spins}");
            half_an_hour_passes(&setting);
            let (told, exit) = state(&setting).await;
            assert!(["already", "done"].contains(&told.as_str()) && exit == 0, "{told}, {exit}");
            assert_eq!(rooms(&setting).len(), 1, "boundary {boundary}, spins {spins}");
        }
    }
    assert!(found[0] > 0 && found[1] > 0, "kills before and after the effect: {found:?}");
}

async fn run_and_kill(setting: &Setting, requests: usize, spins: usize) {
    let (url, until) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let arguments = [&["--portal", &url, "--until", &until], &CREATE[..]].concat();
    let mut child = setting.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    cli_test::kill_at(&mut child, &setting.sim, requests, spins).await;
}
