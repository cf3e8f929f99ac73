//! Files into a simulated portal and back: what is sent, and what each failure says about the effect.

use audit_model::RoomId;
use docspace_client::{Client, EntryId, ErrorKind, OnTwin, UploadSession};
use portal_sim::{Fault, FaultKind, Key, Person, PersonKind, PortalSim, Room, Scenario, Share, StoredFile};

use crate::common::client;

const ROOM: RoomId = RoomId::Number(71);

fn portal() -> Scenario {
    Scenario::empty("2026-11-20T09:00:00Z".parse().unwrap()).with_room(Room::vdr(71, "Compliance"))
}

async fn start(scenario: Scenario) -> (PortalSim, Client) {
    let sim = PortalSim::start(scenario).await.unwrap();
    let client = client(&sim, &sim.key());
    (sim, client)
}

async fn content(client: &Client, file: &EntryId, version: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_file(file, version, |part| bytes.extend_from_slice(part)).await.unwrap();
    bytes
}

/// Bytes that no text and no boundary looks like.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
}

#[tokio::test]
async fn what_is_uploaded_can_be_read_back() {
    let mut portal = portal();
    portal.events.clear();
    let (sim, client) = start(portal).await;
    for bytes in [b"".to_vec(), b"a line\r\n--boundary\r\n".to_vec(), noise(100_000)] {
        let file = client.upload(&ROOM, "report.txt", &bytes, OnTwin::KeepBoth).await.unwrap();
        assert_eq!((file.size_bytes, file.folder.clone(), file.version), (bytes.len() as u64, Some(ROOM), 1));
        assert_eq!(content(&client, &file.id, 1).await, bytes);
    }
    let events: Vec<i32> = {
        let mut events = Vec::new();
        sim.edit(|portal| events = portal.events.iter().map(|event| event.action).collect());
        events
    };
    assert_eq!(events, [5011; 3], "reading back leaves no event");
}

#[tokio::test]
async fn twins_are_kept_or_become_versions() {
    let (sim, client) = start(portal()).await;
    let first = client.upload(&ROOM, "report.txt", b"1", OnTwin::NewVersion).await.unwrap();
    let second = client.upload(&ROOM, "report.txt", b"2", OnTwin::NewVersion).await.unwrap();
    assert_eq!((second.id.clone(), second.version), (first.id.clone(), 2));
    assert_eq!(content(&client, &first.id, 1).await, b"1");
    let beside = client.upload(&ROOM, "report.txt", b"3", OnTwin::KeepBoth).await.unwrap();
    assert_eq!((beside.title.raw(), beside.version), ("report (1).txt", 1));
    sim.edit(|portal| portal.content.files.iter_mut().for_each(|file| file.busy = true));
    let locked = client.upload(&ROOM, "report.txt", b"4", OnTwin::NewVersion).await.unwrap();
    assert_eq!((locked.title.raw(), locked.version), ("report.txt", 1));
    assert_ne!(locked.id, first.id);
}

#[tokio::test]
async fn older_portals_answer_the_file_itself() {
    let owner = portal().owner().clone();
    let token = Key { key: "a-personal-access-token".to_owned(), ..Key::of(&owner) };
    let (sim, _) = start(portal().with_version("3.6.1").with_key(token.clone())).await;
    // the flag is understood in the query there too, or not at all: the first upload of a title never collides
    let file = client(&sim, &token.key).upload(&ROOM, "report.txt", b"1", OnTwin::KeepBoth).await.unwrap();
    assert_eq!(file.title.raw(), "report.txt");
}

#[tokio::test]
async fn large_files_go_in_chunks() {
    let mut scenario = portal();
    scenario.content.quota.chunk = 1000;
    let (sim, client) = start(scenario).await;
    assert_eq!(client.upload_chunk_bytes().await.unwrap(), 1000);
    let bytes = noise(2500);
    let session = client.begin_upload(&ROOM, "large.csv", 2500, OnTwin::KeepBoth).await.unwrap();
    // out of order, one of them twice, one after a reset
    sim.set_faults(vec![Fault::new(FaultKind::Reset).method("POST").times(1)]);
    for number in [2, 1, 3, 2] {
        let from = (number as usize - 1) * 1000;
        client.send_chunk(&session, number, &bytes[from..(from + 1000).min(2500)]).await.unwrap();
    }
    let file = client.end_upload(&session).await.unwrap();
    assert_eq!((file.size_bytes, file.title.raw()), (2500, "large.csv"));
    assert_eq!(content(&client, &file.id, file.version).await, bytes);
}

#[tokio::test]
async fn an_upload_that_was_begun_can_be_forgotten_twice() {
    let (_sim, client) = start(portal()).await;
    let session = client.begin_upload(&ROOM, "large.csv", 10, OnTwin::KeepBoth).await.unwrap();
    client.forget_upload(&session).await.unwrap();
    client.forget_upload(&session).await.unwrap();
    let unknown = UploadSession { id: "0123".to_owned(), ..session };
    assert!(matches!(client.end_upload(&unknown).await.unwrap_err().kind, ErrorKind::ServerFault { .. }));
}

/// Each failure: whether somebody must act, whether it may have been done, and how many files there really are afterwards.
#[tokio::test]
async fn a_failure_says_whether_it_may_have_been_done_and_is_not_repeated() {
    let faults = [
        (FaultKind::Reset, (false, true), 0),
        (FaultKind::ResetInside, (false, true), 1),
        (FaultKind::Truncated, (false, true), 1),
        (FaultKind::DoneThenStatus { status: 500 }, (false, true), 1),
        (FaultKind::Status { status: 503, body: None }, (false, true), 0),
        (FaultKind::TooManyRequests { retry_after: None }, (false, false), 0),
        (FaultKind::Unpaid, (true, false), 0),
        (FaultKind::Blocked, (true, false), 0),
    ];
    for (kind, expected, files) in faults {
        let (sim, client) = start(portal()).await;
        sim.set_faults(vec![Fault::new(kind.clone()).method("POST")]);
        let error = client.upload(&ROOM, "report.txt", b"1", OnTwin::KeepBoth).await.unwrap_err();
        assert_eq!((error.needs_somebody(), error.may_have_acted()), expected, "{kind:?}: {error}");
        assert!(error.to_string().starts_with("cannot upload a file: "), "{error}");
        assert_eq!(sim.requests().iter().filter(|request| request.method == "POST").count(), 1, "{kind:?}");
        sim.set_faults(Vec::new());
        assert_eq!(client.folder_contents(&ROOM).await.unwrap().files.len(), files, "{kind:?}");
    }
}

#[tokio::test]
async fn a_full_portal_is_told_from_a_plan() {
    let mut scenario = portal();
    scenario.content.quota.file_size = 5;
    let (sim, client) = start(scenario).await;
    let error = client.upload(&ROOM, "report.txt", b"123456", OnTwin::KeepBoth).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSpace);
    let error = client.begin_upload(&ROOM, "report.txt", 6, OnTwin::KeepBoth).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSpace);
    assert!(error.to_string().contains("larger than a file may be"), "{error}");
    sim.edit(|portal| portal.content.quota.space = 4);
    let error = client.upload(&ROOM, "report.txt", b"12345", OnTwin::KeepBoth).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSpace);
}

/// An admin reads every room and uploads into none that is not theirs.
#[tokio::test]
async fn the_right_to_upload_is_known_before() {
    let admin = Person::new("adam@example.com", "Adam", "Admin").kind(PersonKind::Admin);
    let reader = Person::new("rita@example.com", "Rita", "Reader").kind(PersonKind::User);
    let keys = [Key::of(&admin), Key::of(&reader)];
    let scenario = portal()
        .with_person(admin)
        .with_person(reader.clone())
        .with_key(keys[0].clone())
        .with_key(keys[1].clone())
        .with_share(Share { room: 71, subject: reader.id, access: 2 });
    let (sim, owner) = start(scenario).await;
    assert!(owner.may_upload_to(&ROOM).await.unwrap());
    for key in keys {
        let client = client(&sim, &key.key);
        assert!(!client.may_upload_to(&ROOM).await.unwrap());
        let error = client.upload(&ROOM, "report.txt", b"1", OnTwin::KeepBoth).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::MissingRight);
    }
    assert_eq!(owner.may_upload_to(&RoomId::Number(4711)).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn titles_that_the_portal_would_change_are_not_sent() {
    let (sim, client) = start(portal()).await;
    for title in ["a:b.txt", "a\"; name=\"x", "a\r\nb.txt", " a.txt", ""] {
        let error = client.upload(&ROOM, title, b"1", OnTwin::KeepBoth).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::BadRequest { .. }), "{title:?}");
    }
    assert_eq!(sim.requests().len(), 0);
}

#[tokio::test]
async fn a_file_that_is_not_there_cannot_be_read() {
    let file = StoredFile::new(9, 71, "a.txt", portal().owner().id, portal().now, b"abc");
    let (sim, client) = start(portal().with_file(file)).await;
    assert_eq!(content(&client, &RoomId::Number(9), 1).await, b"abc");
    assert!(client.read_file(&RoomId::Number(10), 1, |_| {}).await.is_err());
    sim.set_faults(vec![Fault::new(FaultKind::Truncated)]);
    assert!(client.read_file(&RoomId::Number(9), 1, |_| {}).await.is_err(), "half a file is none");
}
