//! Facts with age, against a simulated portal whose people, files and folders go away.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, EntryId};
use event_archive::{Archive, Fact, FilePlace, FolderWeight};
use job_store::Store;
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{Fault, Folder, Person, PortalSim, Room, Scenario, StoredFile};
use secrecy::SecretString;
use url::Url;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn later(hours: i64) -> DateTime<Utc> {
    now() + TimeDelta::hours(hours)
}

async fn start(portal: Scenario) -> (PortalSim, Client, Archive) {
    let sim = PortalSim::start(portal).await.unwrap();
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    let client = Client::new(http, base, key, RetryPolicy::immediate(), Budget::default());
    (sim, client, Archive::open(Store::temporary().await.unwrap()).await.unwrap())
}

#[tokio::test]
async fn a_person_is_looked_up_afresh_and_remembered_for_bad_times() {
    let mara = Person::new("mara@example.com", "Mara", "Klein");
    let id = mara.id;
    let (sim, client, archive) = start(Scenario::empty(now()).with_person(mara)).await;
    let looked = archive.person(&client, id, now()).await.unwrap();
    assert_eq!(looked.fact.unwrap().value.name.raw(), "Mara Klein");
    sim.set_faults(vec![Fault::status(502).on("people")]);
    let looked = archive.person(&client, id, later(5)).await.unwrap();
    assert!(looked.error.is_some());
    let remembered = looked.fact.unwrap();
    assert_eq!((remembered.value.name.raw(), remembered.learned_at), ("Mara Klein", now()));
    let stranger = archive.person(&client, uuid::Uuid::from_u128(9), later(5)).await.unwrap();
    assert!(stranger.fact.is_none() && stranger.error.is_some());
}

#[tokio::test]
async fn a_files_place_and_a_folders_weight_outlive_them() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let author = portal.owner().id;
    let folder = Folder { id: 500, parent: 71, title: "Drafts".to_owned(), author, created: now() };
    portal = portal.with_folder(folder);
    for id in 900..903 {
        portal = portal.with_file(StoredFile::new(id, 500, "a.docx", author, now(), b"text"));
    }
    let (sim, client, archive) = start(portal).await;
    let (file, folder) = (EntryId::Number(900), EntryId::Number(500));
    let day = TimeDelta::days(1);
    let place = FilePlace { folder: folder.clone(), room: Some(EntryId::Number(71)) };
    let weight = FolderWeight { files: 3, folders: 0 };

    let looked = archive.place_of_file(&client, &file, day, now()).await.unwrap();
    assert_eq!(looked.fact, Some(Fact { value: place.clone(), learned_at: now() }));
    let looked = archive.weight_of_folder(&client, &folder, day, now()).await.unwrap();
    assert_eq!(looked.fact, Some(Fact { value: weight, learned_at: now() }));

    let asked = sim.requests().len();
    let again = archive.place_of_file(&client, &file, day, later(5)).await.unwrap();
    assert_eq!(again.fact.unwrap().learned_at, now());
    assert_eq!(sim.requests().len(), asked, "young enough: not asked again");

    sim.edit(|portal| {
        portal.content.files.clear();
        portal.content.folders.clear();
    });
    let gone = archive.place_of_file(&client, &file, day, later(30)).await.unwrap();
    assert_eq!(gone.fact, Some(Fact { value: place, learned_at: now() }));
    let gone = archive.weight_of_folder(&client, &folder, day, later(30)).await.unwrap();
    assert_eq!(gone.fact, Some(Fact { value: weight, learned_at: now() }));
}
