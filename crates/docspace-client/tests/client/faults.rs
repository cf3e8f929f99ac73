//! Each fault of the simulated portal against each kind of read: what comes back is everything, each row once, or it says that it is
//! not. Never a shorter list that looks whole.

use std::collections::BTreeSet;

use audit_model::{RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ApiKey, Budget, Client, Error};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{
    Event, Fault, FaultBody, FaultKind, Folder, Group, LimitKind, Login, Person, PortalSim, Room, Scenario, Share,
    StoredFile,
};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn last_day() -> Window {
    Window::new(now() - TimeDelta::days(1), now())
}

/// A few pages of everything: events and log rows, logins, rooms.
fn portal() -> Scenario {
    let mut portal = Scenario::empty(now());
    for id in 0..230 {
        portal.add_room(Room::vdr(71 + id, "Falcon"));
    }
    let owner = portal.owner().clone();
    for n in 0..320 {
        let at = now() - TimeDelta::seconds(i64::from(n / 3) * 200 + 1);
        portal.add_event(Event::new(5011, owner.id, at).file(9_000 + n, "a.docx").in_room(71));
        portal.add_login(Login::success(&owner, at));
    }
    portal
}

fn client(sim: &PortalSim) -> Client {
    let base: Url = sim.url().parse().unwrap();
    client_with(http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap(), sim)
}

/// A client of its own, without reading this machine's certificates again.
fn client_with(http: reqwest::Client, sim: &PortalSim) -> Client {
    let base: Url = sim.url().parse().unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    Client::new(http, base, key, RetryPolicy::immediate(), Budget::default())
}

/// What a read gave: ids, and whether it claims to be whole.
struct Read {
    ids: Vec<i64>,
    whole: bool,
}

const READS: [&str; 4] = ["audit", "logins", "room log", "rooms"];

async fn read(client: &Client, what: &str) -> Read {
    match what {
        "audit" => {
            let slice = client.audit_slice(last_day()).await;
            Read { ids: slice.rows.iter().map(|row| row.id).collect(), whole: slice.gaps.is_empty() }
        }
        "logins" => {
            let slice = client.login_slice(last_day()).await;
            Read { ids: slice.rows.iter().map(|row| row.id).collect(), whole: slice.gaps.is_empty() }
        }
        "room log" => {
            let slice = client.room_log(&RoomId::Number(71), last_day()).await;
            Read { ids: slice.rows.iter().map(|row| row.event).collect(), whole: slice.gaps.is_empty() }
        }
        _ => match client.rooms().await {
            Ok(rooms) => {
                let number = |id: &RoomId| if let RoomId::Number(number) = id { *number } else { 0 };
                Read { ids: rooms.iter().map(|room| number(&room.fact.id)).collect(), whole: true }
            }
            Err(_) => Read { ids: Vec::new(), whole: false },
        },
    }
}

/// Every fault that can meet a read, with whether patience alone gets past it when it happens once.
fn faults() -> Vec<(Fault, bool)> {
    let status = |status, body| Fault::new(FaultKind::Status { status, body });
    let limited = |by, retry_after| Fault::new(FaultKind::Limited { by, retry_after });
    vec![
        (status(500, None), true),
        (status(500, Some(FaultBody::Html)), true),
        (status(502, None), true),
        (status(503, None), true),
        (status(504, Some(FaultBody::Html)), true),
        (status(401, None), false),
        (status(403, Some(FaultBody::Error)), false),
        (status(403, Some(FaultBody::Empty)), false),
        (status(403, Some(FaultBody::Problem)), false),
        (status(403, Some(FaultBody::Text)), false),
        (status(403, Some(FaultBody::Database)), true),
        (status(404, Some(FaultBody::Html)), false),
        (Fault::new(FaultKind::TooManyRequests { retry_after: None }), true),
        (Fault::new(FaultKind::TooManyRequests { retry_after: Some(0) }), true),
        (Fault::new(FaultKind::TooManyRequests { retry_after: Some(86_400) }), false),
        (limited(LimitKind::Minute, None), true),
        (limited(LimitKind::Reads, None), true),
        (Fault::new(FaultKind::Reset), true),
        (Fault::new(FaultKind::ResetInside), true),
        (Fault::new(FaultKind::Truncated), true),
        (Fault::new(FaultKind::Slow { pieces: 5, pause_ms: 2 }), true),
        (Fault::new(FaultKind::Latency { ms: 5, jitter_ms: 5 }), true),
        (Fault::new(FaultKind::Blocked), false),
        (Fault::new(FaultKind::Unpaid), false),
        (Fault::new(FaultKind::Suspended), false),
    ]
}

/// Each fault once, for ever, and now and then; at the first request of a read and in its middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_makes_a_shorter_list_look_whole() {
    let mut truth = Vec::new();
    let sim = PortalSim::start(portal()).await.unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &sim.url().parse().unwrap()).unwrap();
    for what in READS {
        let whole = read(&client(&sim), what).await;
        assert!(whole.whole && whole.ids.len() >= 230, "{what}: {}", whole.ids.len());
        truth.push(whole.ids.iter().copied().collect::<BTreeSet<i64>>());
    }
    for (fault, passes) in faults() {
        for (what, expected) in READS.into_iter().zip(&truth) {
            for skip in [0, 1, 2] {
                for times in [Some(1), None] {
                    let mut set = fault.clone().after(skip);
                    set.times = times;
                    sim.set_faults(vec![set]);
                    let read = read(&client_with(http.clone(), &sim), what).await;
                    let context = format!("{:?} on {what}, after {skip}, times {times:?}", fault.kind);
                    let distinct: BTreeSet<i64> = read.ids.iter().copied().collect();
                    assert_eq!(distinct.len(), read.ids.len(), "a row twice: {context}");
                    assert!(distinct.is_subset(expected), "rows that are not there: {context}");
                    assert!(
                        !read.whole || distinct == *expected,
                        "{} of {}: {context}",
                        distinct.len(),
                        expected.len()
                    );
                    if passes && times == Some(1) {
                        assert!(read.whole, "given up too soon: {context}");
                    }
                }
            }
        }
    }
}

/// Where the people, groups and files of [`office`] are.
const MEMBER: Uuid = Uuid::from_u128(100);
const NOBODY: Uuid = Uuid::from_u128(7);

/// More of everything than one page holds.
fn office() -> (Scenario, Uuid) {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let author = portal.owner().id;
    let mut group = Group::new("Auditors");
    for n in 100..230 {
        let member = Person::new(&format!("p{n}@example.com"), "Pia", "Pohl").id(Uuid::from_u128(n));
        group.members.push(member.id);
        portal = portal.with_person(member);
    }
    let id = group.id;
    portal = portal.with_group(group);
    portal.share(Share { room: 71, subject: id, access: 11 });
    portal.share(Share { room: 71, subject: MEMBER, access: 9 });
    for n in 0..110 {
        portal = portal.with_group(Group::new(&format!("Team {n}")));
        portal = portal.with_file(StoredFile::new(9_000 + n, 71, "a.docx", author, now(), b"12345"));
        portal =
            portal.with_folder(Folder { id: 1_000 + n, parent: 71, title: "Docs".to_owned(), author, created: now() });
    }
    (portal, id)
}

const LOOKUPS: [&str; 19] = [
    "person",
    "nobody",
    "people",
    "group",
    "no group",
    "groups",
    "group members",
    "room members",
    "room",
    "no room",
    "folder contents",
    "folder path",
    "file",
    "no file",
    "quota",
    "settings",
    "lifetimes",
    "identity",
    "probe",
];

/// What was learned, as text, or nothing but an error.
async fn look_up(client: &Client, what: &str, group: Uuid) -> Result<String, Error> {
    let (room, nothing) = (RoomId::Number(71), RoomId::Number(77));
    Ok(match what {
        "person" => format!("{:?}", client.account(MEMBER).await?),
        "nobody" => format!("{:?}", client.account(NOBODY).await?),
        "people" => format!("{:?}", client.people().await?),
        "group" => format!("{:?}", client.group(group).await?),
        "no group" => format!("{:?}", client.group(NOBODY).await?),
        "groups" => format!("{:?}", client.groups().await?),
        "group members" => format!("{:?}", client.group_members(group).await?),
        "room members" => format!("{:?}", client.members(&room).await?),
        "room" => format!("{:?}", client.room(&room).await?),
        "no room" => format!("{:?}", client.room(&nothing).await?),
        "folder contents" => format!("{:?}", client.folder_contents(&room).await?),
        "folder path" => format!("{:?}", client.folder_path(&RoomId::Number(1_000)).await?),
        "file" => format!("{:?}", client.file(&RoomId::Number(9_000)).await?),
        "no file" => format!("{:?}", client.file(&nothing).await?),
        "quota" => format!("{:?}", client.quota().await?),
        "settings" => {
            format!("{:?}", (client.settings().await?, client.public_settings().await?, client.server_version().await?))
        }
        "lifetimes" => format!("{:?}", client.lifetimes().await?),
        "identity" => format!("{:?}", (client.identity().await?, client.key().await?)),
        _ => format!("{:?}", client.probe().await?),
    })
}

/// The same for everything that is no history: the whole truth or an error, never a shorter list, a missing person or another plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_makes_a_wrong_fact() {
    let (portal, group) = office();
    let sim = PortalSim::start(portal).await.unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &sim.url().parse().unwrap()).unwrap();
    let mut truth = Vec::new();
    for what in LOOKUPS {
        truth.push(look_up(&client(&sim), what, group).await.unwrap());
    }
    let of = |what: &str| LOOKUPS.iter().position(|known| *known == what).unwrap();
    assert!(truth[of("people")].matches("p1").count() >= 100 && truth[of("groups")].matches("Team").count() == 110);
    assert!(truth[of("folder contents")].matches("a.docx").count() == 110);
    for (fault, passes) in faults() {
        for (what, expected) in LOOKUPS.into_iter().zip(&truth) {
            for skip in [0, 1] {
                for times in [Some(1), None] {
                    let mut set = fault.clone().after(skip);
                    set.times = times;
                    sim.set_faults(vec![set]);
                    let context = format!("{:?} on {what}, after {skip}, times {times:?}", fault.kind);
                    match look_up(&client_with(http.clone(), &sim), what, group).await {
                        // a suspended portal says so in its settings
                        Ok(learned) if learned.contains("Some(Suspended)") => assert_eq!(what, "settings", "{context}"),
                        Ok(learned) => assert!(learned == *expected, "a wrong fact: {context}: {learned:.300}"),
                        Err(error) => assert!(!passes || times.is_none(), "given up too soon: {context}: {error}"),
                    }
                }
            }
        }
    }
}

/// From some request on the portal ignores what it is asked, while its quota still claims the audit feature.
#[tokio::test]
async fn a_portal_that_stops_filtering_in_the_middle_is_noticed() {
    for from_request in 1..8 {
        let sim = PortalSim::start(portal()).await.unwrap();
        let mut fault = Fault::new(FaultKind::Fallback);
        fault.from_request = from_request;
        sim.set_faults(vec![fault]);
        let client = client(&sim);
        let slice = client.audit_slice(Window::new(now() - TimeDelta::days(9), now() - TimeDelta::hours(12))).await;
        let asked = sim.requests().len() as u64;
        if asked >= from_request {
            assert!(!slice.gaps.is_empty(), "from request {from_request} of {asked}: {} rows", slice.rows.len());
        }
    }
}

/// Rows that arrive between two pages, some of them older than what was read: none twice, and none lost but to the next read.
#[tokio::test]
async fn rows_that_arrive_meanwhile_are_neither_lost_nor_doubled() {
    let sim = PortalSim::start(portal()).await.unwrap();
    let before: BTreeSet<i64> = read(&client(&sim), "audit").await.ids.into_iter().collect();
    let arrive = serde_json::json!([{
        "kind": "arrive", "route": "security/audit", "skip": 1, "times": 3,
        "traffic": [{ "kind": "files", "person": "olga@example.com", "room": 71, "actions": [5009], "files": 70,
            "first_file": 50_000, "since": "-5h", "until": "-1m", "at_once": 7 }]
    }]);
    sim.set_faults(serde_json::from_value(arrive).unwrap());
    let during = read(&client(&sim), "audit").await;
    let distinct: BTreeSet<i64> = during.ids.iter().copied().collect();
    assert_eq!(distinct.len(), during.ids.len());
    assert!(before.is_subset(&distinct), "rows that were there all the time");
    sim.set_faults(Vec::new());
    let after: BTreeSet<i64> = read(&client(&sim), "audit").await.ids.into_iter().collect();
    assert!(after.len() >= before.len() + 70, "{} after {}", after.len(), before.len());
    assert!(distinct.is_subset(&after));
}
