//! Files, rooms, people, groups, keys and uploads against the recorded exchanges.
//!
//! The recorded actions were stand-ins: what counts is status, content type, refusals, the envelope and the order of
//! members. Where a stand-in said 200 and the portal's rule says something else, that is a known difference with its
//! reason; anything that is not on the list fails.

mod common;
#[path = "replay/exchange.rs"]
#[expect(dead_code, reason = "the other replay uses all of it")]
mod exchange;

use std::collections::{BTreeMap, BTreeSet};

use common::{Ordered, at};
use exchange::{Answer, Exchange};
use portal_sim::{Group, Key, Person, PersonKind, PortalSim, Room, Scenario, StoredFile};
use uuid::Uuid;

const FILES: &[&str] = &[
    "fields-files-people",
    "file-binding",
    "folder-contents-binding",
    "groups-keys-binding",
    "history-log-binding",
    "operations-binding",
    "people-list-binding",
    "people-status-binding",
    "people-update-binding",
    "query-values-binding",
    "response-shapes",
    "rooms-create-binding",
    "rooms-get-share-binding",
    "rooms-list-binding",
    "routing-files-people",
    "upload-binding",
    "upload-size-limit",
];

/// A part of verb, target, body or name, and why the answer differs.
const KNOWN: &[(&str, &str)] = &[
    ("sbox-", "third-party storage is not simulated; its entries are never found"),
    ("files/rooms/99999999999", "an id that is no 32-bit number belongs to third-party storage"),
    ("files/rooms.json", "an id that is no 32-bit number belongs to third-party storage"),
    ("files/file/abc", "an id that is no 32-bit number belongs to third-party storage"),
    ("files/folder/abc", "an id that is no 32-bit number belongs to third-party storage"),
    ("files/file/-1", "the stand-in finds every file"),
    ("files/file/81234?version=2", "the stand-in finds every version"),
    ("startIndex=-", "the stand-in takes a negative index; the portal's list and log refuse it"),
    ("people/00000000-", "the stand-in finds everybody"),
    ("people/self", "the stand-in finds everybody"),
    ("people/status ", "the stand-in finds everybody, even the user name `status`"),
    ("people/status/ ", "the stand-in finds everybody, even the user name `status`"),
    ("\"userIds\": [\"66faa6e4", "the stand-in touches the owner, whom the portal protects"),
    ("\"userIds\": [\"66FAA6E4", "the stand-in touches the owner, whom the portal protects"),
    ("\"UserIDs\": [\"66faa6e4", "the stand-in touches the owner, whom the portal protects"),
    ("\"userIds\": [\"00000000", "the stand-in touches an account that is not there"),
    ("\"access\": 77", "the stand-in takes every right; the portal refuses one that the room does not offer"),
    ("/session/0123456789abcdef", "the stand-in knows every session; on the portal an unknown one is a null reference"),
    ("DELETE people/1a2b3c4d", "the stand-in deletes everybody; the portal only disabled people"),
    ("(multipart", "the body is only described"),
    ("utf-16 body", "the body is only described"),
    ("byte order mark)", "the body is only described"),
];

/// A portal in which the things that the recordings name are there.
fn portal() -> Scenario {
    let carl = Person::new("carl@example.com", "Carl", "Caller").kind(PersonKind::Admin);
    let ivan = Person::new("ivan.petrov@example.com", "Ivan", "Petrov")
        .id(Uuid::from_u128(0x1a2b_3c4d_0000_4000_8000_0000_0000_0001));
    let ann = Person::new("ann@example.com", "Ann", "Lee");
    let mut key = Key::of(&carl);
    key.key = "sk-caller".to_owned();
    let mut room = Room::vdr(4217, "Acme");
    room.owner = carl.id;
    let now = at("2026-03-02T09:15:00Z");
    let group = |id: u128, name: &str| {
        let mut group = Group::new(name);
        (group.id, group.members) = (Uuid::from_u128(id), vec![ivan.id]);
        group
    };
    let file = StoredFile::new(81234, 4217, "plan.docx", carl.id, now, b"content");
    Scenario::empty(now)
        .with_zone(chrono_tz::Europe::Helsinki)
        .with_group(group(0x7f0c_5b0e_6f0e_4b53_8f0f_2f3a_1d7c_9b11, "Auditors"))
        .with_group(group(0x66fa_a6e4_f133_11ea_b126_00ff_eec8_b4ef, "Twins"))
        .with_person(carl)
        .with_person(ivan)
        .with_person(ann)
        .with_key(key)
        .with_room(room)
        .with_file(file)
}

/// The full form of every object: from the recordings in which every member was set.
fn full_shapes() -> BTreeMap<String, Ordered> {
    let mut shapes = BTreeMap::new();
    for exchange in FILES.iter().flat_map(|file| exchange::read(file)) {
        let sparse = exchange.header("x-sample").is_some() || exchange.target.contains("fields");
        if let Some(action) = exchange.answer_header("x-action").filter(|_| !sparse && exchange.status < 300) {
            shapes.entry(action.to_owned()).or_insert_with(|| exchange.answer.at("response").clone());
        }
    }
    shapes
}

#[tokio::test]
async fn recorded_exchanges_of_files_and_people_are_answered_alike() {
    let listed = exchange::files();
    assert!(FILES.iter().all(|file| listed.iter().any(|known| known == file)), "a recording is missing");
    let shapes = full_shapes();
    let (mut unknown, mut used) = (Vec::new(), BTreeSet::new());
    let (mut all_matched, mut all_known, mut all) = (0, 0, 0);
    for file in FILES {
        let (mut matched, mut known, mut skipped, mut total) = (0, 0, 0, 0);
        for mut exchange in exchange::read(file) {
            total += 1;
            // an exception on order
            if exchange.header("x-throw").is_some() {
                skipped += 1;
                continue;
            }
            if exchange.header("Authorization").is_none() {
                exchange.headers.push(("Authorization".to_owned(), "Bearer sk-caller".to_owned()));
            }
            // the reader of recordings keeps fractions as texts
            if exchange.name.ends_with("float") {
                let body = String::from_utf8_lossy(&exchange.body).replace("\"1.5\"", "1.5");
                exchange.body = body.into_bytes();
            }
            // every exchange meets the same portal
            let sim = PortalSim::start(portal()).await.expect("start");
            let answer = exchange::ask(&sim, &exchange).await;
            let reason = KNOWN.iter().find(|(part, _)| described(&exchange).contains(part));
            match (difference(&exchange, &answer, &shapes), reason) {
                (None, _) => matched += 1,
                (Some(_), Some((part, _))) => {
                    used.insert(*part);
                    known += 1;
                }
                (Some(text), None) => unknown.push(format!("{file}: {}\n    {text}", described(&exchange))),
            }
        }
        println!("{file:28} {matched:4} matched {known:4} known {skipped:4} not simulated {total:4} total");
        (all_matched, all_known, all) = (all_matched + matched, all_known + known, all + total);
    }
    println!("{:28} {all_matched:4} matched {all_known:4} known {all:4} total", "all");
    let unused = KNOWN.iter().filter(|(part, _)| !used.contains(part));
    unknown.extend(unused.map(|(part, _)| format!("{part}: listed as a known difference, and everything matches")));
    assert!(unknown.is_empty(), "{} unknown differences:\n{}", unknown.len(), unknown.join("\n"));
    assert!(all_matched * 10 > all * 7, "only {all_matched} of {all} match");
}

/// What the parts of [`KNOWN`] are looked for in.
fn described(exchange: &Exchange) -> String {
    let target = exchange.target.strip_prefix("/api/2.0/").unwrap_or(&exchange.target);
    let body = String::from_utf8_lossy(&exchange.body);
    let kind = exchange.header("Content-Type").unwrap_or("-");
    format!("{} {target} {kind} {body} ({})", exchange.method, exchange.name)
}

fn difference(exchange: &Exchange, answer: &Answer, shapes: &BTreeMap<String, Ordered>) -> Option<String> {
    let start = || answer.body.chars().take(300).collect::<String>();
    if answer.status != exchange.status {
        return Some(format!("status {} instead of {}: {}", answer.status, exchange.status, start()));
    }
    for name in ["Content-Type", "Allow"] {
        let (ours, theirs) = (answer.header(name), exchange.answer_header(name));
        if ours != theirs {
            return Some(format!("{name} is {ours:?} instead of {theirs:?}"));
        }
    }
    let theirs = &exchange.answer;
    if !matches!(theirs, Ordered::Object(_)) {
        return (!answer.body.is_empty()).then(|| format!("a body: {}", start()));
    }
    let ours = Ordered::parse(&answer.body);
    if exchange.status >= 300 {
        let (ours, theirs) = (steady(ours).render(), steady(theirs.clone()).render());
        return (ours != theirs).then(|| format!("{ours}\n    instead of {theirs}"));
    }
    if ours.names() != theirs.names() {
        return Some(format!("envelope {:?} instead of {:?}", ours.names(), theirs.names()));
    }
    counted(&ours, theirs).or_else(|| {
        if exchange.target.contains("fields=") || exchange.target.contains("fields[]=") {
            // the members that are left, in their order; some are there only in the recorded sample
            return misplaced("response", ours.at("response"), theirs.at("response"));
        }
        let full = exchange.answer_header("x-action").and_then(|action| shapes.get(action));
        // the recorded full form of changed members is an empty one
        let full = full.filter(|full| !matches!(full, Ordered::Object(members) if members.len() == 1));
        let full = full.and_then(|full| misplaced("response", ours.at("response"), full));
        full.or_else(|| missing(ours.at("response"), theirs.at("response")))
    })
}

/// Where the action set no numbers, the rule of the envelope counts: objects of a list in memory, else 1.
fn counted(ours: &Ordered, theirs: &Ordered) -> Option<String> {
    let (Ordered::List(list), Ordered::List(shown)) = (theirs.at("response"), ours.at("response")) else {
        return None;
    };
    if *theirs.at("total") != Ordered::Null {
        return None;
    }
    let by_length = list.len() > 1 && theirs.at("count").int() == list.len() as i64;
    let wanted = if by_length { shown.len() as i64 } else { theirs.at("count").int() };
    // one recorded element cannot tell the two rules apart
    let telling = by_length || list.len() > 1;
    (telling && ours.at("count").int() != wanted)
        .then(|| format!("count {} instead of {wanted}", ours.at("count").int()))
}

/// Members of maps: their names are content.
const MAPS: &[&str] = &["security", "viewAccessibility", "availableShareRights", "shareSettings"];

/// A member that the full object does not have, or has in another place.
fn misplaced(path: &str, ours: &Ordered, full: &Ordered) -> Option<String> {
    match (ours, full) {
        (Ordered::Object(members), Ordered::Object(_)) => {
            let names = full.names();
            let mut last = 0;
            for (name, value) in members {
                let Some(at) = names.iter().position(|known| known == name) else {
                    return Some(format!("{path}.{name} is no member of {names:?}"));
                };
                if at < last {
                    return Some(format!("{path}.{name} stands too late"));
                }
                last = at;
                if !MAPS.contains(&name.as_str())
                    && let Some(text) = misplaced(&format!("{path}.{name}"), value, full.at(name))
                {
                    return Some(text);
                }
            }
            None
        }
        (Ordered::List(items), Ordered::List(known)) => {
            let known = known.first()?;
            items.iter().find_map(|item| misplaced(&format!("{path}[]"), item, known))
        }
        _ => None,
    }
}

/// A member that even the sparest recorded object has.
fn missing(ours: &Ordered, sparse: &Ordered) -> Option<String> {
    match (ours, sparse) {
        (Ordered::Object(_), Ordered::Object(members)) => {
            // values that the recording set although nobody asked are no evidence
            let plain = members.iter().filter(|(_, value)| matches!(value, Ordered::Bool(false) | Ordered::Int(0)));
            let names = ours.names();
            plain
                .map(|(name, _)| name)
                .find(|name| !names.contains(&name.as_str()))
                .map(|name| format!("{name} is missing"))
        }
        (Ordered::List(items), Ordered::List(known)) => {
            items.iter().zip(known.first()).find_map(|(item, known)| missing(item, known))
        }
        _ => None,
    }
}

/// Without what differs in every run: stacks, trace ids, the host, the order of errors.
fn steady(value: Ordered) -> Ordered {
    match value {
        Ordered::List(items) => Ordered::List(items.into_iter().map(steady).collect()),
        Ordered::Object(members) => Ordered::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = match (name.as_str(), value) {
                        ("stack" | "traceId", Ordered::Text(_)) => Ordered::Text("…".to_owned()),
                        ("errors", errors) => errors.errors(),
                        (_, value) => steady(value),
                    };
                    (name, value)
                })
                .collect(),
        ),
        other => other,
    }
}
