//! Reports into a room: every file once, whatever breaks.

use std::collections::BTreeMap;

use portal_sim::{Fault, FaultKind, Folder, Key, Person, PersonKind, Scenario, Share, StoredFile};

use cli_test::Run;

use crate::common::Setting;
use crate::portal::june;

const TITLES: [&str; 7] = [
    "compliance-report-2026-06-events.csv",
    "compliance-report-2026-06-events.ndjson",
    "compliance-report-2026-06-logins.csv",
    "compliance-report-2026-06-manifest.json",
    "compliance-report-2026-06-people.csv",
    "compliance-report-2026-06-rooms.csv",
    "compliance-report-2026-06.txt",
];

/// June, and a folder in its room.
pub(crate) fn with_folder() -> Scenario {
    let portal = june();
    let (author, created) = (portal.owner().id, portal.now);
    portal.with_folder(Folder { id: 500, parent: 71, title: "Reports".to_owned(), author, created })
}

async fn upload(setting: &Setting, extra: &[&str]) -> Run {
    setting.month("2026-06", &[&["--upload-to", "Falcon/Reports"], extra].concat()).await
}

/// Lets so much time pass that a call which broke cannot be at work any more.
fn wait(setting: &Setting) {
    setting.sim.edit(|portal| portal.now += chrono::TimeDelta::minutes(6));
}

/// Titles and contents of the files in the folder.
fn uploaded(setting: &Setting) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    setting.sim.edit(|portal| {
        let files = portal.content.files.iter().filter(|file| file.folder == 500);
        found = files.map(|file| (file.title.clone(), file.versions.last().unwrap().content.clone())).collect();
    });
    found.sort();
    found
}

/// What is in the folder is what was written here, each file once.
fn assert_whole(setting: &Setting, what: &str) {
    let local: BTreeMap<String, Vec<u8>> = setting.bytes();
    let there = uploaded(setting);
    let titles: Vec<&str> = there.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles, TITLES, "{what}");
    for (title, content) in &there {
        let name = if title.ends_with("-manifest.json") { "manifest.json" } else { title };
        assert_eq!(content, &local[name], "{what}: {title}");
    }
}

#[tokio::test]
async fn a_report_is_uploaded_once_and_read_back() {
    let setting = Setting::new(with_folder()).await;
    let ended = upload(&setting, &["--format", "json"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    assert_whole(&setting, "first run");
    crate::common::assert_valid("compliance-monthly-1", &ended.stdout);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(report["actions"].as_array().unwrap().iter().all(|action| action["state"] == "done"));
    assert_eq!((&report["upload"]["path"], &report["upload"]["folder"]), (&"Falcon/Reports".into(), &500.into()));
    let again = upload(&setting, &[]).await;
    assert_eq!(again.exit, 0, "{}", again.stderr);
    let uploads = again.stdout.split_once("\nUploads").unwrap().1;
    insta::assert_snapshot!("uploaded_again", uploads.split_once("\nRead: ").unwrap().0);
    assert_whole(&setting, "second run");
}

/// By id, and by the title of a room alone.
#[tokio::test]
async fn the_folder_is_named_by_id_or_title() {
    let setting = Setting::new(with_folder()).await;
    let by_id = setting.month("2026-06", &["--upload-to", "500"]).await;
    assert_eq!(by_id.exit, 0, "{}{}", by_id.stdout, by_id.stderr);
    assert!(by_id.stdout.contains("Uploads into Falcon/Reports (folder 500)"), "{}", by_id.stdout);
    let by_title = setting.month("2026-06", &["--upload-to", "Falcon"]).await;
    assert!(by_title.stdout.contains("Uploads into Falcon (folder 71)"), "{}{}", by_title.stdout, by_title.stderr);
    for (wanted, why) in [
        ("Falcno", "no room with the exact title `Falcno`"),
        ("Falcon/Nope", "no folder with"),
        ("4711", "no folder with the id 4711"),
    ] {
        let refused = setting.month("2026-06", &["--upload-to", wanted]).await;
        assert_eq!(refused.exit, 2, "{wanted}: {}", refused.stdout);
        assert!(refused.stderr.contains(why), "{wanted}: {}", refused.stderr);
    }
}

#[tokio::test]
async fn a_chunked_upload_is_the_same_file() {
    let mut portal = with_folder();
    portal.content.quota.chunk = 1500;
    let setting = Setting::new(portal).await;
    assert_eq!(upload(&setting, &[]).await.exit, 0);
    assert_whole(&setting, "in chunks");
    assert!(setting.sim.requests().iter().any(|request| request.target.contains("chunkNumber=3")));
}

/// Who can read the folder stands in the report, with a warning when the report is about them.
#[tokio::test]
async fn readers_that_the_report_names_are_warned_about() {
    let portal = with_folder();
    let anna = portal.person_by_email("anna@example.com").unwrap().id;
    let setting = Setting::new(portal.with_share(Share { room: 71, subject: anna, access: 2 })).await;
    let ended = upload(&setting, &[]).await;
    assert!(
        ended.stdout.contains("WARNING: the report names people who can read it there: Olga Owner, Anna Schmidt"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("who can read it there: Olga Owner, Anna Schmidt"), "{}", ended.stdout);
}

#[tokio::test]
async fn titles_that_are_taken_follow_the_policy() {
    let with_twin = || {
        let portal = with_folder();
        let (olga, now) = (portal.owner().id, portal.now);
        portal.with_file(StoredFile::new(600, 500, TITLES[6], olga, now, b"somebody else's"))
    };
    let state = |report: &str, title: &str| {
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        let actions = report["actions"].as_array().unwrap().clone();
        let action = actions.iter().find(|action| action["title"] == title).unwrap();
        (
            action["state"].as_str().unwrap().to_owned(),
            action["reason"].as_str().unwrap().to_owned(),
            action["id"].clone(),
        )
    };
    let setting = Setting::new(with_twin()).await;
    let ended = upload(&setting, &["--format", "json"]).await;
    let (done, reason, _) = state(&ended.stdout, TITLES[6]);
    assert_eq!((ended.exit, done.as_str()), (0, "done"));
    assert!(reason.contains("as \"compliance-report-2026-06 (1).txt\" because the title was taken"), "{reason}");
    let setting = Setting::new(with_twin()).await;
    let ended = upload(&setting, &["--format", "json", "--on-collision", "new-version"]).await;
    let (done, reason, id) = state(&ended.stdout, TITLES[6]);
    assert_eq!((ended.exit, done.as_str(), id), (0, "done", 600.into()));
    assert!(reason.contains("as version 2"), "{reason}");
    let setting = Setting::new(with_twin()).await;
    let ended = upload(&setting, &["--format", "json", "--on-collision", "fail"]).await;
    let (failed, reason, _) = state(&ended.stdout, TITLES[6]);
    assert_eq!((ended.exit, failed.as_str()), (4, "failed"), "{reason}");
    assert!(reason.contains("is there already"), "{reason}");
    // once it is out of the way, the next run finishes
    setting.sim.edit(|portal| portal.content.files.retain(|file| file.id != 600));
    assert_eq!(upload(&setting, &["--on-collision", "fail"]).await.exit, 0);
    assert_whole(&setting, "after the collision");
}

/// A file that is open cannot get a version; the portal makes a twin of the same title, and ours is the one that was read back.
#[tokio::test]
async fn a_locked_title_makes_no_mistake() {
    let portal = with_folder();
    let (olga, now) = (portal.owner().id, portal.now);
    let locked = StoredFile { busy: true, ..StoredFile::new(600, 500, TITLES[6], olga, now, b"being edited") };
    let setting = Setting::new(portal.with_file(locked)).await;
    let ended = upload(&setting, &["--on-collision", "new-version"]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    upload(&setting, &["--on-collision", "new-version"]).await;
    let twins: Vec<_> = uploaded(&setting).into_iter().filter(|(title, _)| title == TITLES[6]).collect();
    assert_eq!(twins.len(), 2);
    assert!(twins.iter().any(|(_, content)| content == b"being edited"));
}

/// The right is looked at before anything else, and the report is made all the same.
#[tokio::test]
async fn without_the_right_the_report_stays_here() {
    let portal = with_folder();
    let admin = Person::new("adam@example.com", "Adam", "Admin").kind(PersonKind::Admin);
    let reader = Key { key: format!("sk-{}", "a".repeat(64)), ..Key::of(portal.owner()).scopes(&["*:read"]) };
    let of_admin = Key::of(&admin);
    let scenario = portal.with_person(admin).with_key(reader.clone()).with_key(of_admin.clone());
    for (key, why) in [(reader.key, "`files:write`"), (of_admin.key, "being a DocSpace admin is not enough")] {
        let mut setting = Setting::new(scenario.clone()).await;
        setting.key = key;
        let ended = upload(&setting, &[]).await;
        assert_eq!(ended.exit, 4, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("nothing was uploaded") && ended.stdout.contains(why), "{}", ended.stdout);
        assert_eq!(setting.bytes().len(), 8, "the local copy is there");
        assert_eq!(uploaded(&setting), []);
        assert!(setting.sim.requests().iter().all(|request| request.method == "GET"));
    }
}

#[tokio::test]
async fn a_full_portal_is_explained_and_the_next_run_finishes() {
    let mut portal = with_folder();
    portal.content.quota.space = 3000;
    let setting = Setting::new(portal).await;
    let ended = upload(&setting, &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("NOT UPLOADED: cannot upload a file: the portal does not take it (402)"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("make room or raise the quota"), "{}", ended.stdout);
    // everything was read: the line above the report must not say otherwise
    let headline = "need a decision, and the report is not everywhere it should be";
    assert!(ended.stdout.contains(headline), "{}", ended.stdout);
    setting.sim.edit(|portal| portal.content.quota.space = 1 << 30);
    let again = upload(&setting, &[]).await;
    assert_eq!(again.exit, 0, "{}", again.stdout);
    assert_whole(&setting, "after making room");
}

#[tokio::test]
async fn what_has_not_settled_is_not_uploaded() {
    let setting = Setting::new(with_folder()).await;
    let config = setting.config("settle = \"36500d\"");
    let ended = upload(&setting, &["--config", &config]).await;
    assert_eq!(ended.exit, 4);
    assert!(ended.stdout.contains("HELD BACK"), "{}", ended.stdout);
    assert_eq!(uploaded(&setting), []);
}

/// Every call that changes something breaks once, in every way; the run or the next one finishes, and nothing is there twice. Each way comes at
/// one place of each kind of call, and with `FAULTS=all` at each.
#[tokio::test]
async fn no_fault_at_any_call_doubles_or_loses_a_file() {
    let faults = [
        FaultKind::Reset,
        FaultKind::ResetInside,
        FaultKind::Truncated,
        FaultKind::DoneThenStatus { status: 500 },
        FaultKind::Status { status: 503, body: None },
        FaultKind::Status { status: 402, body: Some(portal_sim::FaultBody::Error) },
        FaultKind::Status { status: 403, body: Some(portal_sim::FaultBody::Error) },
    ];
    // PUT ends an upload in chunks; there are few of them
    for (method, skips) in [("POST", &[0, 4, 9][..]), ("PUT", &[0, 2])] {
        for (n, kind) in faults.iter().enumerate() {
            for &skip in cli_test::played(skips, n) {
                let mut portal = with_folder();
                portal.content.quota.chunk = 2000;
                let setting = Setting::new(portal).await;
                setting.sim.set_faults(vec![Fault::new(kind.clone()).method(method).after(skip).times(1)]);
                let first = upload(&setting, &[]).await;
                setting.sim.set_faults(Vec::new());
                let what = format!("{kind:?} at {method} {skip}: {}", first.stdout);
                assert!([0, 4].contains(&first.exit), "{what}");
                wait(&setting);
                let second = upload(&setting, &[]).await;
                assert_eq!(second.exit, 0, "{what}\n{}", second.stdout);
                assert_whole(&setting, &what);
            }
        }
    }
}

/// The local copy is there before the portal is asked, and a killed run leaves nothing double or lost. It is killed at one request of three,
/// and with `FAULTS=all` at each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_killed_at_any_request_is_finished_by_the_next() {
    // how many requests an undisturbed run makes
    let mut portal = with_folder();
    portal.content.quota.chunk = 3000;
    let setting = Setting::new(portal.clone()).await;
    assert_eq!(upload(&setting, &[]).await.exit, 0);
    let requests = setting.sim.requests().len();
    let first_upload = setting.sim.requests().iter().position(|request| request.method == "POST").unwrap();
    for killed_at in (first_upload..=requests).step_by(if cli_test::plays_all_faults() { 1 } else { 3 }) {
        let setting = Setting::new(portal.clone()).await;
        let out = setting.out().display().to_string();
        let mut command = setting.running(&["--month", "2026-06", "--out", &out, "--upload-to", "Falcon/Reports"]);
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        cli_test::kill_at(&mut child, &setting.sim, killed_at, killed_at * 37 % 200).await;
        wait(&setting);
        let ended = upload(&setting, &[]).await;
        assert_eq!(ended.exit, 0, "killed at {killed_at}: {}{}", ended.stdout, ended.stderr);
        assert_whole(&setting, &format!("killed at {killed_at}"));
    }
}

#[tokio::test]
async fn a_dry_run_uploads_nothing() {
    let setting = Setting::new(with_folder()).await;
    let ended = upload(&setting, &["--dry-run"]).await;
    assert_eq!(ended.exit, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("dry run: nothing was uploaded into Falcon/Reports"), "{}", ended.stdout);
    assert_eq!(uploaded(&setting), []);
    assert!(setting.sim.requests().iter().all(|request| request.method == "GET"));
}

/// What the journal calls done is looked for all the same: somebody may have thrown it away.
#[tokio::test]
async fn a_file_that_was_deleted_there_is_uploaded_again() {
    let setting = Setting::new(with_folder()).await;
    assert_eq!(upload(&setting, &[]).await.exit, 0);
    setting.sim.edit(|portal| portal.content.files.retain(|file| file.title != TITLES[6]));
    let again = upload(&setting, &[]).await;
    assert_eq!(again.exit, 0, "{}", again.stdout);
    assert_whole(&setting, "after it was deleted");
    for email in ["olga@example.com", "anna@example.com"] {
        setting.sim.edit(|portal| {
            let trash = portal.trash(portal.person_by_email(email).unwrap().id);
            let thrown = portal.content.files.iter_mut().find(|file| file.folder == 500 && file.title == TITLES[6]);
            thrown.unwrap().folder = trash;
        });
        let again = upload(&setting, &[]).await;
        assert_eq!(again.exit, 0, "{}", again.stdout);
        assert_whole(&setting, &format!("after it was thrown into the trash of {email}"));
    }
}

/// The portal answers as if all was well and keeps nothing.
#[tokio::test]
async fn an_upload_without_effect_is_noticed_and_made_by_the_next_run() {
    let setting = Setting::new(with_folder()).await;
    setting.sim.set_faults(vec![Fault::new(FaultKind::Unchanged).method("POST").times(1)]);
    let ended = upload(&setting, &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    setting.sim.set_faults(Vec::new());
    // the portal may still be at work on it
    let at_once = upload(&setting, &[]).await;
    assert_eq!(at_once.exit, 4, "{}", at_once.stdout);
    assert!(
        at_once.stdout.contains("it may still be in progress; a run in five minutes checks again"),
        "{}",
        at_once.stdout
    );
    wait(&setting);
    assert_eq!(upload(&setting, &[]).await.exit, 0);
    assert_whole(&setting, "after it was not there");
}

/// Half a month must not pass for the month: nothing leaves by a clock that is wrong.
#[tokio::test]
async fn nothing_leaves_by_a_clock_that_is_wrong() {
    let mut setting = Setting::new(with_folder()).await;
    let now = setting.scenario.now;
    for by in [chrono::TimeDelta::days(28), chrono::TimeDelta::minutes(-5)] {
        setting.clock = cli_test::Clock::At(now + by);
        let ended = setting.month("2026-06", &["--upload-to", "Falcon/Reports", "--format", "json"]).await;
        let report = ended.json();
        let actions = report["actions"].as_array().unwrap();
        assert_eq!(ended.exit, 4, "{by}: {}", ended.stderr);
        assert!(!actions.is_empty() && actions.iter().all(|action| action["state"] == "held"), "{by}: {actions:?}");
        assert!(actions[0]["reason"].as_str().unwrap().contains("clock"), "{by}: {actions:?}");
    }
    assert_eq!(uploaded(&setting), []);
}

/// Titles and states of the uploads of a JSON report.
fn states(run: &Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let report = run.json();
    report["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| (text(&action["title"]), text(&action["state"])))
        .collect()
}

fn states_of_all(run: &Run) -> Vec<String> {
    states(run).into_iter().map(|(_, state)| state).collect()
}

/// A proxy, a watermark or a virus scanner gives back other bytes: the file is there, whatever it holds, and is not sent again.
#[tokio::test]
async fn what_comes_back_with_other_bytes_is_not_sent_again() {
    let setting = Setting::new(with_folder()).await;
    setting.sim.set_faults(vec![Fault::new(FaultKind::OtherBytes)]);
    let first = upload(&setting, &["--format", "json"]).await;
    let expected = ["unknown"; 6].into_iter().chain(["held"]).collect::<Vec<_>>();
    assert_eq!((first.exit, states_of_all(&first)), (4, expected.iter().map(|&state| state.to_owned()).collect()));
    assert_eq!(uploaded(&setting).len(), 6);
    for run in 2..4 {
        wait(&setting);
        let again = upload(&setting, &[]).await;
        assert_eq!(again.exit, 4, "{}", again.stdout);
        assert!(
            again.stdout.contains("NOT KNOWN TO BE THERE") && again.stdout.contains("delete it there"),
            "{}",
            again.stdout
        );
        assert_eq!(uploaded(&setting).len(), 6, "run {run}");
    }
    // somebody says so: what was deleted there is sent again, also where they put a file of their own in its place, and what comes back
    // right by now is done
    let own = 700;
    setting.sim.edit(|portal| {
        let (olga, now) = (portal.owner().id, portal.now);
        portal.content.files.retain(|file| file.title != TITLES[6]);
        portal.content.files.push(StoredFile::new(own, 500, TITLES[6], olga, now, b"by hand"));
    });
    setting.sim.set_faults(Vec::new());
    wait(&setting);
    let last = upload(&setting, &[]).await;
    assert_eq!(last.exit, 0, "{}", last.stdout);
    setting.sim.edit(|portal| {
        portal.content.files.retain(|file| file.id != own);
        let sent = portal.content.files.iter_mut().find(|file| file.title.ends_with(" (1).txt")).unwrap();
        sent.title = TITLES[6].to_owned();
    });
    assert_whole(&setting, "after somebody looked");
}

/// The same where the answer never came: the file is known by its title, its author and its version.
#[tokio::test]
async fn what_was_changed_after_a_call_that_broke_is_not_sent_again() {
    let setting = Setting::new(with_folder()).await;
    let broken = Fault::new(FaultKind::DoneThenStatus { status: 500 }).method("POST").times(1);
    let scanned = Fault::new(FaultKind::OtherBytes);
    setting.sim.set_faults(vec![broken, scanned]);
    assert_eq!(upload(&setting, &[]).await.exit, 4);
    for _ in 0..2 {
        wait(&setting);
        let again = upload(&setting, &["--format", "json"]).await;
        assert_eq!((again.exit, states(&again)[0].1.as_str()), (4, "unknown"), "{}", again.stdout);
        let titles: Vec<String> = uploaded(&setting).into_iter().map(|(title, _)| title).collect();
        assert_eq!(titles.iter().filter(|title| title.contains("-events.csv")).count(), 1, "{titles:?}");
    }
}

/// What lies there with these bytes under these titles is the report, whatever the journal says and whoever put it there.
#[tokio::test]
async fn a_lost_store_sends_nothing_again() {
    let setting = Setting::new(with_folder()).await;
    assert_eq!(upload(&setting, &[]).await.exit, 0);
    for is_of_another in [false, true] {
        std::fs::remove_dir_all(setting.home().join("state")).unwrap();
        setting.sim.edit(|portal| {
            let anna = portal.person_by_email("anna@example.com").unwrap().id;
            portal.content.files.iter_mut().filter(|_| is_of_another).for_each(|file| file.author = anna);
        });
        let again = upload(&setting, &["--format", "json"]).await;
        assert_eq!(again.exit, 0, "{}", again.stdout);
        assert_eq!(states_of_all(&again), ["already"; 7], "{}", again.stdout);
        assert_whole(&setting, "with a new store");
    }
}

/// Everything after the first pages of the audit trail fails.
fn with_many_events() -> Scenario {
    let mut portal = with_folder();
    let olga = portal.owner().id;
    for n in 0..200 {
        let at = crate::portal::at("2026-06-20T09:00:00Z") + chrono::TimeDelta::minutes(n);
        portal.add_event(portal_sim::Event::new(5009, olga, at).file(1, "a.docx"));
    }
    portal
}

fn broken() -> Vec<Fault> {
    vec![Fault::status(401).on("security/audit/events").after(3)]
}

/// Half a month is no month, unless somebody says that it may go; the page then says so.
#[tokio::test]
async fn what_a_later_run_may_see_more_of_stays_here() {
    let setting = Setting::new(with_folder()).await;
    setting.sim.set_faults(vec![Fault::status(403).on("files/rooms$")]);
    let ended = setting.month("2026-06", &["--upload-to", "500", "--format", "json"]).await;
    assert_eq!((ended.exit, states_of_all(&ended)), (4, vec!["held".to_owned(); 7]), "{}", ended.stdout);
    assert!(ended.stdout.contains("a later run may see more (list of rooms: "), "{}", ended.stdout);
    assert_eq!(uploaded(&setting), []);
    let config = setting.config("upload_incomplete = true");
    let allowed = setting.month("2026-06", &["--upload-to", "500", "--config", &config]).await;
    assert_eq!(allowed.exit, 4, "{}", allowed.stdout);
    assert_whole(&setting, "as the setting says");
    let said = "is uploaded all the same because `upload_incomplete` is set";
    assert!(setting.written("2026-06.txt").contains(said), "{}", allowed.stdout);
    // not before the month is over and has settled, whatever the setting says
    let fresh = Setting::new(with_many_events()).await;
    let config = fresh.config("upload_incomplete = true\nsettle = \"36500d\"");
    let ended = upload(&fresh, &["--config", &config, "--format", "json"]).await;
    assert_eq!(states_of_all(&ended), ["held"; 7], "{}", ended.stdout);
}

#[tokio::test]
async fn a_report_that_saw_less_does_not_take_the_place_of_one_that_saw_more() {
    let setting = Setting::new(with_many_events()).await;
    assert_eq!(upload(&setting, &[]).await.exit, 0);
    let there = uploaded(&setting);
    // another machine, which has neither the report nor the memory
    std::fs::remove_dir_all(setting.home().join("state")).unwrap();
    std::fs::remove_dir_all(setting.out()).unwrap();
    setting.sim.set_faults(broken());
    let config = setting.config("upload_incomplete = true\non_collision = \"new-version\"");
    let ended = upload(&setting, &["--config", &config, "--format", "json"]).await;
    assert_eq!((ended.exit, states_of_all(&ended)), (4, vec!["held".to_owned(); 7]), "{}", ended.stdout);
    assert!(ended.stdout.contains("that is there already saw more"), "{}", ended.stdout);
    assert_eq!(uploaded(&setting), there);
}

/// What is larger than the portal takes goes compressed; what is larger even then stays here, and so does the manifest.
#[tokio::test]
async fn large_files_go_compressed_and_the_manifest_goes_last() {
    let mut portal = with_folder();
    portal.content.quota.file_size = 6000;
    let setting = Setting::new(portal.clone()).await;
    let ended = upload(&setting, &[]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    let there = uploaded(&setting);
    assert_eq!(there.len(), 7);
    let local = setting.bytes();
    for (title, content) in &there {
        let name = if title.ends_with("-manifest.json") { "manifest.json" } else { title.trim_end_matches(".gz") };
        assert_eq!(title.ends_with(".gz"), local[name].len() > 6000, "{title}");
        let mut plain = Vec::new();
        if title.ends_with(".gz") {
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&content[..]), &mut plain).unwrap();
        } else {
            plain.clone_from(content);
        }
        assert_eq!(plain, local[name], "{title}");
    }
    assert!(there.iter().any(|(title, _)| title.ends_with(".gz")));
    assert_eq!(local.len(), 8, "nothing is left of it here: {:?}", local.keys());
    let again = upload(&setting, &["--format", "json"]).await;
    assert_eq!((again.exit, states_of_all(&again)), (0, vec!["already".to_owned(); 7]));
    assert_eq!(uploaded(&setting), there);

    portal.content.quota.file_size = 500;
    let setting = Setting::new(portal).await;
    let ended = upload(&setting, &["--format", "json"]).await;
    let states = states(&ended);
    assert_eq!((ended.exit, states[6].1.as_str()), (4, "held"), "{states:?}");
    assert!(states.iter().any(|(_, state)| state == "failed") && states.iter().any(|(_, state)| state == "done"));
    let posts = setting.sim.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(
        posts,
        states.iter().filter(|(_, state)| state == "done").count(),
        "nothing is sent that is refused anyway"
    );
    for said in
        ["the portal takes files of at most 500 bytes", "have the portal's owner raise that limit", "it is whole in"]
    {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
}

/// Whoever looks into the folder must know which of two files counts.
#[tokio::test]
async fn what_a_changed_report_leaves_behind_is_called_outdated() {
    for (policy, titles) in [("keep-both", 10), ("new-version", 7)] {
        let setting = Setting::new(with_folder()).await;
        assert_eq!(upload(&setting, &["--on-collision", policy]).await.exit, 0);
        setting.sim.edit(|portal| {
            let olga = portal.owner().id;
            let at = crate::portal::at("2026-06-30T20:30:00Z");
            portal.add_event(portal_sim::Event::new(5009, olga, at).file(1, "late.docx"));
        });
        let again = upload(&setting, &["--on-collision", policy]).await;
        assert_eq!(again.exit, 0, "{}", again.stdout);
        assert!(uploaded(&setting).len() >= titles, "{:?}", uploaded(&setting).len());
        let counts = "because the title was taken; this one counts; file 81001 is outdated";
        assert_eq!(again.stdout.contains(counts), policy == "keep-both", "{}", again.stdout);
        assert_eq!(again.stdout.contains("is outdated"), policy == "keep-both", "{}", again.stdout);
    }
}
