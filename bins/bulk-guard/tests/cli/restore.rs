//! `restore-list`: every document that was changed, what it was before, where it is now, and who can put it back.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrono::TimeDelta;
use cli_test::Setting;
use portal_sim::{Fault, Folder, PersonKind, Scenario, StoredFile, Version};
use serde_json::Value;

use crate::common::{Burst, OVERWRITTEN, filled, hire, now, office, setting, taken_away};

/// A built-in scenario whose documents are in room 81, as its rows tell.
fn with_documents(name: &str, first: i32, files: i32, ending: &str) -> Scenario {
    let mut portal = Scenario::builtin(name, now()).unwrap();
    let owner = portal.owner().id;
    for id in first..first + files {
        let made = portal.now - TimeDelta::days(20);
        portal.content.files.push(StoredFile::new(id, 81, &format!("document {id}.docx{ending}"), owner, made, b"x"));
    }
    portal
}

/// The list of somebody's changes, or of an incident's, as CSV and JSON, and what was printed. Asserts what holds of every list.
async fn listed(setting: &Setting, subject: &str, exit: i32) -> (String, Value, String) {
    let [csv, json] = ["list.csv", "list.json"].map(|name| setting.state.path().join(name));
    let before = setting.sim.requests().len();
    let told = setting
        .run(&[
            "restore-list",
            subject,
            "--since",
            "24h",
            "--out",
            csv.to_str().unwrap(),
            "--out",
            json.to_str().unwrap(),
        ])
        .await;
    assert_eq!(told.exit, exit, "{}{}", told.stdout, told.stderr);
    let asked = setting.sim.requests();
    assert!(asked.len() > before && asked[before..].iter().all(|one| one.method == "GET"), "it only reads");
    for path in [&csv, &json] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let csv = std::fs::read_to_string(csv).unwrap();
    for cell in csv.lines().flat_map(|line| line.split("\",\"")) {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {cell}");
    }
    let text = std::fs::read_to_string(json).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/bulk-guard-restore-1.schema.json");
    cli_test::assert_keeps(&schema, &text);
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(csv.lines().count(), 1 + rows(&list).len() + list["not_seen"].as_array().unwrap().len());
    (csv, list, told.stdout)
}

fn rows(list: &Value) -> &Vec<Value> {
    list["documents"].as_array().unwrap()
}

fn row<'l>(list: &'l Value, id: &str) -> &'l Value {
    rows(list).iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} is not in {list}"))
}

#[tokio::test]
async fn every_renamed_document_is_named_as_before_and_as_now() {
    let setting = setting(with_documents("mass-change", 81_300, 150, ".locked")).await;
    let found = setting.run(&["--format", "json"]).await.json();
    let incident = found["findings"][0]["matter"].as_str().unwrap().to_owned();
    let before = setting.sim.requests().len();
    let (csv, list, told) = listed(&setting, &incident, 0).await;
    let asked: Vec<String> = setting.sim.requests()[before..].iter().map(|one| one.target.clone()).collect();
    assert_eq!(rows(&list).len(), 150, "{told}");
    for id in 81_300..81_450 {
        let one = row(&list, &id.to_string());
        assert_eq!(one["title_before"], format!("document {id}.docx"));
        assert_eq!(one["title_now"], format!("document {id}.docx.locked"));
        assert_eq!((&one["version_before"], &one["version_now"]), (&1.into(), &1.into()));
        assert_eq!((&one["room_id"], &one["how"]), (&81.into(), &"rename it back".into()));
        assert!(one["who_can_restore"].as_str().unwrap().contains("who owns the room"), "{one}");
        assert!(one["where_now"].as_str().unwrap().starts_with("in the room "), "{one}");
    }
    assert!(told.contains(": 150 documents.") && told.contains("Nothing was changed in the portal."), "{told}");
    assert!(csv.contains("\"document 81300.docx\",\"document 81300.docx.locked\",\"1\",\"1\""), "{csv}");
    // two pages of the room and two of its log, besides the rooms, an owner and who asks
    let about_files = asked.iter().filter(|target| target.contains("/files/")).count();
    assert!(about_files <= 8, "{asked:#?}");
    // asked for by the person it is the same list
    let (again, ..) = listed(&setting, "mallory@example.com", 0).await;
    assert_eq!(again, csv);
}

/// Somebody empties what is left while the list is asked for: no run has seen that yet.
#[tokio::test]
async fn what_happened_since_the_last_run_is_in_the_list() {
    let mut setting = setting(with_documents("mass-change", 81_300, 150, ".locked")).await;
    setting.run(&[]).await;
    setting.sim.edit(|portal| {
        let mallory = portal.person_by_email("mallory@example.com").unwrap().clone();
        portal.now += TimeDelta::minutes(10);
        let burst = Burst { first: 81_300, minutes: 2, ..Burst::new(5017, 5) };
        burst.by(portal, &mallory, &[81], "");
        portal.content.files.retain(|file| !(81_300..81_305).contains(&file.id));
    });
    setting.scenario.now = setting.sim.now();
    let (_, list, told) = listed(&setting, "mallory@example.com", 4).await;
    let unknown = "Incomplete: the versions of 5 documents that are in somebody's trash are not known";
    assert!(told.contains(unknown), "{told}");
    for id in 81_300..81_305 {
        let one = row(&list, &id.to_string());
        assert!(one.get("version_before").is_none(), "{one}");
        assert!(one["where_now"].as_str().unwrap().starts_with("in the trash of Mallory"), "{one}");
    }
}

/// It cannot be read: then nobody knows where anything is.
#[tokio::test]
async fn what_could_not_be_read_since_the_last_run_makes_the_list_incomplete() {
    let mut setting = setting(with_documents("mass-change", 81_300, 150, ".locked")).await;
    setting.run(&[]).await;
    setting.sim.edit(|portal| portal.now += TimeDelta::minutes(10));
    setting.scenario.now = setting.sim.now();
    setting.sim.set_faults(vec![Fault::status(502).on("security/audit/events/filter").after(1)]);
    let (_, list, told) = listed(&setting, "mallory@example.com", 4).await;
    assert_eq!(rows(&list).len(), 150, "what is known is listed");
    assert!(told.contains("Incomplete: not remembered: "), "{told}");
}

#[tokio::test]
async fn an_attack_of_eight_hours_is_listed_as_a_whole() {
    let setting = setting(with_documents("slow-attack", 90_000, 950, ".locked")).await;
    setting.run(&[]).await;
    let (_, list, _) = listed(&setting, "mallory@example.com", 0).await;
    assert_eq!(rows(&list).len(), 950);
    for id in 90_000..90_950 {
        assert_eq!(row(&list, &id.to_string())["title_before"], format!("document {id}.docx"));
    }
}

#[tokio::test]
async fn folders_that_nobody_can_list_are_named_with_whose_trash_they_are_in() {
    let setting = setting(Scenario::builtin("hidden-folders", now()).unwrap()).await;
    setting.run(&[]).await;
    let (_, list, told) = listed(&setting, "mallory@example.com", 4).await;
    let (trashed, gone) = (row(&list, "9001"), row(&list, "9002"));
    assert_eq!((&trashed["kind"], &gone["kind"]), (&"folder".into(), &"folder".into()));
    assert!(trashed["where_now"].as_str().unwrap().starts_with("in the trash of Mallory"), "{trashed}");
    assert!(trashed["who_can_restore"].as_str().unwrap().starts_with("Mallory"), "{trashed}");
    assert_eq!(
        (&gone["where_now"], &gone["who_can_restore"]),
        (&"deleted for good".into(), &"nobody in the portal".into())
    );
    assert!(told.contains("Incomplete: the documents that were inside 2 folders are not named"), "{told}");
}

#[tokio::test]
async fn of_what_was_overwritten_the_version_before_is_named() {
    let mut portal = with_documents("rescuer", 90_000, 150, "");
    let dora = portal.person_by_email("dora@example.com").unwrap().id;
    let (owner, now) = (portal.owner().id, portal.now);
    let version = |author, at| Version { at, author, content: b"y".to_vec(), comment: None };
    for file in portal.content.files.iter_mut().filter(|file| (90_000..90_150).contains(&file.id)) {
        // what the attack stored, and what the colleague has put on top of it
        let restored = portal.events.iter().find(|event| event.action == 5044 && event.target == [file.id.to_string()]);
        file.versions.push(version(owner, now - TimeDelta::hours(2)));
        file.versions.push(version(dora, restored.unwrap().at - TimeDelta::seconds(1)));
    }
    let setting = setting(portal).await;
    setting.run(&[]).await;
    // two more lie in her trash
    let (_, list, _) = listed(&setting, "dora@example.com", 4).await;
    for id in 90_000..90_150 {
        let one = row(&list, &id.to_string());
        assert_eq!(
            (&one["version_before"], &one["version_now"], &one["events"]),
            (&2.into(), &3.into(), &2.into()),
            "{one}"
        );
        assert_eq!(one["title_before"], format!("document {id}.docx.locked"));
        assert_eq!(one["how"], "restore version 2 in the version history, and rename it back");
    }
}

#[tokio::test]
async fn a_moved_folder_is_listed_with_what_is_in_it_and_a_title_is_no_formula() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    filled(&mut portal, 500, 40);
    taken_away(&mut portal, &mara, 5025, 500, 10);
    // where the key can look
    portal.content.folders.iter_mut().filter(|one: &&mut Folder| one.id == 500).for_each(|one| one.parent = 72);
    Burst::new(OVERWRITTEN, 3).by(&mut portal, &mara, &[71], "");
    portal
        .content
        .files
        .iter_mut()
        .filter(|file| file.id == 9_001)
        .for_each(|file| file.title = "=HYPERLINK(1)".to_owned());
    let setting = setting(portal).await;
    setting.run(&[]).await;
    let (csv, list, _) = listed(&setting, "mara@example.com", 0).await;
    let inside = rows(&list).iter().filter(|row| row["how"] == "comes back with its folder").count();
    assert_eq!((rows(&list).len(), inside), (44, 40), "{list}");
    assert!(csv.contains("HYPERLINK(1)"), "{csv}");
}

#[tokio::test]
async fn what_could_not_be_asked_makes_the_list_incomplete() {
    let setting = setting(with_documents("mass-change", 81_300, 150, ".locked")).await;
    setting.run(&[]).await;
    setting.sim.set_faults(vec![Fault::status(502).on("files/folder")]);
    let (csv, list, told) = listed(&setting, "mallory@example.com", 4).await;
    assert_eq!(rows(&list).len(), 150, "what is known is listed");
    assert!(row(&list, "81300").get("title_before").is_none(), "absent is unknown");
    assert!(told.contains("Incomplete: some former names could not be read"), "{told}");
    assert!(csv.contains("\"not_seen\""), "{csv}");
}

#[tokio::test]
async fn what_it_is_asked_for_wrongly_is_refused() {
    let setting = setting(office()).await;
    for (arguments, words) in [
        (["restore-list", "olga@example.com", "--out", "list.xlsx"], "must end in .csv or .json"),
        (
            ["restore-list", "nobody@example.com", "--out", "list.csv"],
            "nobody has the id, e-mail address or exact name",
        ),
    ] {
        let told = setting.run(&arguments).await;
        assert_eq!((told.exit, told.stdout.as_str()), (2, ""), "{}", told.stderr);
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
}
