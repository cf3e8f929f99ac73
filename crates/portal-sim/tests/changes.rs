//! Doing things over the API: what changes, what the audit trail and the room's log say about it, and what is refused.

mod common;
#[path = "replay/exchange.rs"]
#[expect(dead_code, reason = "the replay uses all of it")]
mod exchange;

use chrono::Duration;
use common::{Ordered, at};
use exchange::{Answer, Exchange};
use portal_sim::{
    EVERYONE, Folder, Group, Key, Lateness, Person, PersonKind, PortalSim, Room, Scenario, Share, StoredFile,
};

/// Olga owns the portal and room 71, Ivan is a member of it, Rita owns room 72.
fn portal() -> Scenario {
    let rita = Person::new("rita@example.com", "Rita", "Room").kind(PersonKind::RoomAdmin);
    let ivan = Person::new("ivan@example.com", "Ivan", "Petrov");
    let mut beta = Room::vdr(72, "Beta");
    beta.owner = rita.id;
    let (ivan_key, ivan_id) = (Key::of(&ivan), ivan.id);
    let now = at("2026-03-02T09:15:00Z");
    let mut scenario = Scenario::bare(now)
        .with_person(rita)
        .with_person(ivan)
        .with_key(ivan_key)
        .with_room(Room::vdr(71, "Alpha"))
        .with_room(beta);
    let owner = scenario.owner().id;
    scenario.share(Share { room: 71, subject: ivan_id, access: 11 });
    scenario.share(Share { room: 72, subject: owner, access: 11 });
    scenario
        .with_folder(Folder { id: 80, parent: 71, title: "Docs".to_owned(), author: owner, created: now })
        .with_file(StoredFile::new(9001, 80, "plan.docx", owner, now, b"one"))
        .with_file(StoredFile::new(9002, 80, "list.xlsx", owner, now, b"two"))
}

fn key_of(email: &str) -> String {
    Key::of(&Person::new(email, "", "")).key
}

async fn send(sim: &PortalSim, method: &str, target: &str, kind: &str, body: &[u8], key: &str) -> Answer {
    let headers = [("Host", "portal.example"), ("Authorization", &format!("Bearer {key}")), ("Content-Type", kind)];
    let path = if target.starts_with('/') { target.to_owned() } else { format!("/api/2.0/{target}") };
    let asked = Exchange {
        name: String::new(),
        method: method.to_owned(),
        target: path,
        host: String::new(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_vec(),
        status: 0,
        answer_headers: Vec::new(),
        answer: Ordered::Null,
        described: false,
    };
    exchange::ask(sim, &asked).await
}

async fn json(sim: &PortalSim, method: &str, target: &str, body: &str) -> Answer {
    send(sim, method, target, "application/json", body.as_bytes(), &sim.key()).await
}

async fn get(sim: &PortalSim, target: &str) -> Ordered {
    let answer = json(sim, "GET", target, "").await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    Ordered::parse(&answer.body)
}

/// Uploads a file and gives back the object that the answer holds.
async fn upload(sim: &PortalSim, folder: i32, query: &str, title: &str, content: &str) -> Ordered {
    let body = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{title}\"\r\n\r\n{content}\r\n--XX--\r\n"
    );
    let target = format!("files/{folder}/upload{query}");
    let answer = send(sim, "POST", &target, "multipart/form-data; boundary=XX", body.as_bytes(), &sim.key()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let response = Ordered::parse(&answer.body);
    assert_eq!(response.at("response").items().len(), 1, "an array with one file");
    response.at("response").items()[0].clone()
}

/// Numbers of the actions in the audit trail, in the order of their ids.
async fn audit(sim: &PortalSim) -> Vec<i64> {
    let page = get(sim, "security/audit/events/filter").await;
    let mut rows: Vec<(i64, i64)> =
        page.at("response").items().iter().map(|row| (row.at("id").int(), row.at("actionId").int())).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, action)| action).collect()
}

/// Numbers of the actions in the log of a folder, newest first.
async fn log(sim: &PortalSim, folder: i32) -> Vec<i64> {
    let page = get(sim, &format!("files/folder/{folder}/log")).await;
    let rows = page.at("response").items().iter();
    rows.flat_map(|row| std::iter::once(row).chain(row.at("related").items()))
        .map(|row| row.at("action").at("id").int())
        .collect()
}

#[tokio::test]
async fn uploads_make_versions_numbers_and_twins() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let first = upload(&sim, 71, "", "Report 11:30+.TXT", "one").await;
    assert_eq!(first.at("title").text(), "Report 11_30_.txt");
    assert_eq!((first.at("version").int(), first.at("pureContentLength").int()), (1, 3));
    let second = upload(&sim, 71, "", "Report 11:30+.txt", "three").await;
    assert_eq!((second.at("id"), second.at("version").int()), (first.at("id"), 2));
    assert_eq!(second.at("comment").text(), "Uploaded");
    let numbered = upload(&sim, 71, "?createNewIfExist=true", "Report 11_30_.txt", "").await;
    assert_eq!(numbered.at("title").text(), "Report 11_30_ (1).txt");
    assert_eq!(*numbered.at("pureContentLength"), Ordered::Null, "absent for an empty file");
    let id = i32::try_from(first.at("id").int()).expect("an id");
    sim.edit(|scenario| {
        let file = scenario.content.files.iter_mut().find(|file| file.id == id);
        file.expect("the file").busy = true;
    });
    let twin = upload(&sim, 71, "", "Report 11_30_.txt", "x").await;
    assert_eq!((twin.at("title"), twin.at("version").int()), (first.at("title"), 1));
    assert_ne!(twin.at("id"), first.at("id"));
    assert_eq!(audit(&sim).await, [5011, 5099, 5011, 5011]);
    // an overwriting is shown as an edit
    assert_eq!(log(&sim, 71).await.len(), 4);
}

#[tokio::test]
async fn administrators_read_every_room_and_upload_to_none_that_is_not_theirs() {
    let anna = Person::new("anna@example.com", "Anna", "Admin").kind(PersonKind::Admin);
    let key = Key::of(&anna);
    let sim = PortalSim::start(portal().with_person(anna).with_key(key.clone())).await.expect("start");
    let room = send(&sim, "GET", "files/rooms/71", "", b"", &key.key).await;
    let room = Ordered::parse(&room.body);
    assert_eq!(*room.at("response").at("security").at("Read"), Ordered::Bool(true));
    assert_eq!(*room.at("response").at("security").at("Create"), Ordered::Bool(false));
    let session = send(&sim, "POST", "files/71/session", "application/json", br#"{"fileName":"a"}"#, &key.key).await;
    assert_eq!(session.status, 403, "{}", session.body);
    // binding comes before rights, rights before nothing else
    let unread = send(&sim, "POST", "files/71/upload?createNewIfExist=1", "text/plain", b"x", &key.key).await;
    assert_eq!(unread.status, 400);
}

#[tokio::test]
async fn markdown_is_converted_next_to_the_original() {
    let sim = PortalSim::start(portal()).await.expect("start");
    upload(&sim, 71, "", "notes.md", "# x").await;
    let contents = get(&sim, "files/71?withSubFolders=false&filterType=1&sortBy=AZ").await;
    let titles: Vec<&str> =
        contents.at("response").at("files").items().iter().map(|file| file.at("title").text()).collect();
    assert_eq!(titles, ["notes.docx", "notes.md"]);
    assert_eq!(audit(&sim).await, [5011, 5035]);
}

#[tokio::test]
async fn chunks_become_a_file() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let begun = json(&sim, "POST", "files/71/session", r#"{"fileName":"big.bin","fileSize":6}"#).await;
    let begun = Ordered::parse(&begun.body);
    assert_eq!(begun.at("response").at("bytes_total").int(), 6);
    let session = format!("files/71/session/{}", begun.at("response").at("id").text());
    for (number, content) in [(2, "def"), (1, "abc")] {
        let body = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\n{content}\r\n--XX--\r\n"
        );
        let target = format!("{session}/upload?chunkNumber={number}");
        let sent = send(&sim, "POST", &target, "multipart/form-data; boundary=XX", body.as_bytes(), &sim.key()).await;
        assert_eq!(sent.status, 200, "{}", sent.body);
    }
    let ended = json(&sim, "PUT", &format!("{session}/finalize"), "").await;
    assert_eq!(ended.status, 201, "{}", ended.body);
    let file = Ordered::parse(&ended.body);
    assert_eq!(file.at("response").at("file").at("comment").text(), "Uploaded");
    let id = file.at("response").at("id").int();
    let stream = send(&sim, "GET", &format!("/filehandler.ashx?action=stream&fileid={id}"), "", b"", &sim.key()).await;
    assert_eq!((stream.status, stream.body.as_str()), (200, "abcdef"));
    assert_eq!(audit(&sim).await, [5011]);
    let unknown = json(&sim, "PUT", "files/71/session/0123/finalize", "").await;
    assert_eq!(unknown.status, 500, "an unknown session is dereferenced");
}

#[tokio::test]
async fn only_downloads_and_views_are_written_down() {
    let sim = PortalSim::start(portal()).await.expect("start");
    for action in ["download", "view", "stream"] {
        let target = format!("/filehandler.ashx?action={action}&fileid=9001");
        assert_eq!(send(&sim, "GET", &target, "", b"", &sim.key()).await.body, "one", "{action}");
    }
    assert_eq!(audit(&sim).await, [5009, 5064]);
    assert_eq!(log(&sim, 71).await, [0i64; 0], "neither stands in the room's log");
    let nobody = send(&sim, "GET", "/filehandler.ashx?action=stream&fileid=9001", "", b"", "sk-nobody").await;
    assert_eq!((nobody.status, nobody.body.as_str()), (401, ""));
}

#[tokio::test]
async fn deleting_a_folder_is_one_row() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let answer = json(&sim, "DELETE", "files/folder/80", "{}").await;
    let operations = Ordered::parse(&answer.body);
    assert_eq!(operations.at("response").items()[0].at("Operation").int(), 2);
    assert_eq!(*operations.at("response").items()[0].at("finished"), Ordered::Bool(false));
    assert_eq!(audit(&sim).await, [5026]);
    assert_eq!(log(&sim, 71).await, [5026]);
    let trash = get(&sim, "files/@trash").await;
    assert_eq!(trash.at("response").at("folders").items()[0].at("id").int(), 80);
    // out of the trash nothing is left in any log
    json(&sim, "DELETE", "files/folder/80", "{}").await;
    assert_eq!((audit(&sim).await, log(&sim, 71).await), (vec![5026, 5027], vec![5026]));
    assert_eq!(json(&sim, "GET", "files/file/9001", "").await.status, 404);
}

#[tokio::test]
async fn statuses_change_for_all_or_for_nobody() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let ivan = Person::new("ivan@example.com", "", "").id;
    let stranger = Person::new("nobody@example.com", "", "").id;
    let body = |ids: &str| format!("{{\"userIds\":[{ids}]}}");
    let both = body(&format!("\"{ivan}\",\"{stranger}\""));
    assert_eq!(json(&sim, "PUT", "people/status/Terminated", &both).await.status, 403);
    let profile = get(&sim, &format!("people/{ivan}")).await;
    assert_eq!(profile.at("response").at("status").int(), 1, "nothing was changed");
    let one = body(&format!("\"{ivan}\""));
    let answer = Ordered::parse(&json(&sim, "PUT", "people/status/2", &one).await.body);
    assert_eq!((answer.at("count").int(), answer.at("response").items()[0].at("status").int()), (1, 2));
    assert_eq!(audit(&sim).await, [6032, 4020]);
    let key = key_of("ivan@example.com");
    assert_eq!(send(&sim, "GET", "people/@self", "", b"", &key).await.status, 401, "the key sleeps");
    // still a member of the room, with the new status
    let share = get(&sim, "files/rooms/71/share").await;
    let member = &share.at("response").items()[1];
    assert_eq!(member.at("sharedToUser").at("status").int(), 2);
    assert_eq!(*member.at("sharedToUser").at("terminated"), Ordered::Null);
    // without a seat nobody comes back
    sim.edit(|scenario| scenario.content.quota.free_seats = 0);
    assert_eq!(json(&sim, "PUT", "people/status/Active", &one).await.status, 402);
    sim.edit(|scenario| scenario.content.quota.free_seats = 1);
    assert_eq!(json(&sim, "PUT", "people/status/Active", &one).await.status, 200);
    assert_eq!(send(&sim, "GET", "people/@self", "", b"", &key).await.status, 200, "the key is back");
}

#[tokio::test]
async fn disabling_by_account_notes_the_time_and_never_oneself() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let own = json(&sim, "PUT", "people/olga", r#"{"disable":true}"#).await;
    assert_eq!(Ordered::parse(&own.body).at("response").at("status").int(), 1);
    let ivan = Ordered::parse(&json(&sim, "PUT", "people/ivan", r#"{"disable":true,"comment":"x"}"#).await.body);
    assert_eq!(ivan.at("response").at("terminated").text(), "2026-03-02T09:15:00.0000000Z");
    assert_eq!(*ivan.at("response").at("notes"), Ordered::Null);
    assert_eq!(audit(&sim).await, [4006, 4006, 6032]);
}

#[tokio::test]
async fn members_come_and_go_with_rows_and_groups_are_one_line() {
    let mut group = Group::new("Auditors");
    let (ivan, rita) = (Person::new("ivan@example.com", "", "").id, Person::new("rita@example.com", "", "").id);
    group.members = vec![ivan, rita];
    let auditors = group.id;
    let sim = PortalSim::start(portal().with_group(group)).await.expect("start");
    let invite = |entry: String| format!("{{\"invitations\":[{entry}]}}");
    let body =
        invite(format!("{{\"id\":\"{auditors}\",\"access\":2}},{{\"email\":\"new@buyer.example\",\"access\":2}}"));
    let changed = Ordered::parse(&json(&sim, "PUT", "files/rooms/71/share", &body).await.body);
    assert_eq!(changed.at("response").at("members").items().len(), 2);
    let share = get(&sim, "files/rooms/71/share").await;
    let kinds: Vec<i64> = share.at("response").items().iter().map(|row| row.at("subjectType").int()).collect();
    assert_eq!((kinds, share.at("total").int()), (vec![0, 2, 0, 0], 4));
    assert_eq!(*share.at("response").items()[0].at("isOwner"), Ordered::Bool(true));
    assert_eq!(share.at("response").items()[3].at("sharedToUser").at("status").int(), 4);
    let past = get(&sim, "files/rooms/71/share?startIndex=10").await;
    assert_eq!(past.at("count").int(), -6, "negative past the end");
    let expanded = get(&sim, &format!("files/folder/71/group/{auditors}/share")).await;
    let overridden: Vec<&Ordered> = expanded.at("response").items().iter().map(|row| row.at("overridden")).collect();
    assert_eq!(overridden, [&Ordered::Bool(true), &Ordered::Bool(false)]);
    // a typo in the right removes
    json(&sim, "PUT", "files/rooms/71/share", &invite(format!("{{\"id\":\"{ivan}\",\"access\":\"read\"}}"))).await;
    assert_eq!(audit(&sim).await, [5094, 5085, 5084]);
    let logged = get(&sim, "files/folder/71/log").await;
    let removed = &logged.at("response").items()[0];
    assert_eq!(removed.at("data").at("user").at("displayName").text(), "Ivan Petrov");
    let refused = invite(format!("{{\"id\":\"{ivan}\",\"access\":9}}"));
    assert_eq!(json(&sim, "PUT", "files/rooms/71/share", &refused).await.status, 403, "not for this kind of account");
    // who may not read the room gets an empty list
    let stranger = send(&sim, "GET", "files/rooms/72/share", "", b"", &key_of("ivan@example.com")).await;
    assert_eq!((stranger.status, Ordered::parse(&stranger.body).at("total").int()), (200, 0));
}

#[tokio::test]
async fn disabled_people_vanish_from_groups_but_not_from_the_filter() {
    let mut group = Group::new("Auditors");
    group.members = vec![Person::new("ivan@example.com", "", "").id];
    let id = group.id;
    let sim = PortalSim::start(portal().with_group(group)).await.expect("start");
    sim.edit(|scenario| {
        scenario.people.iter_mut().for_each(|p| {
            if p.first_name == "Ivan" {
                p.status = 2
            }
        })
    });
    let one = get(&sim, &format!("group/{id}")).await;
    assert_eq!((one.at("response").at("membersCount").int(), one.at("response").at("members").items().len()), (0, 0));
    let filtered = get(&sim, &format!("people/filter?groupId={id}")).await;
    assert_eq!(filtered.at("total").int(), 1);
    let everyone = get(&sim, &format!("group/{EVERYONE}?includeMembers=false")).await;
    assert_eq!(everyone.at("response").at("membersCount").int(), 2);
    assert_eq!(get(&sim, "people/filter?employeeStatus=5").await.at("total").int(), 2, "active ones only");
}

#[tokio::test]
async fn rooms_are_made_as_far_as_the_plan_goes() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let body = r#"{"title":"Acme: deal","roomType":8,"indexing":true,"denyDownload":true}"#;
    let made = Ordered::parse(&json(&sim, "POST", "files/rooms", body).await.body);
    assert_eq!(made.at("response").at("title").text(), "Acme_ deal");
    assert_eq!(audit(&sim).await, [5070, 5114, 5109]);
    sim.edit(|scenario| scenario.content.quota.rooms = 2);
    assert_eq!(json(&sim, "POST", "files/rooms", body).await.status, 402);
}

#[tokio::test]
async fn late_rows_have_new_ids_and_old_dates() {
    let lateness = Lateness { time: Duration::hours(1), shuffle: Some(3), ..Lateness::default() };
    let sim = PortalSim::start(portal().with_lateness(lateness)).await.expect("start");
    for title in ["a.txt", "b.txt", "c.txt", "d.txt"] {
        upload(&sim, 71, "", title, "x").await;
    }
    json(&sim, "POST", "files/rooms", r#"{"title":"At once","roomType":8}"#).await;
    assert_eq!(audit(&sim).await, [5070], "a room's creation overtakes the uploads");
    sim.edit(|scenario| scenario.now += Duration::hours(2));
    assert_eq!(audit(&sim).await, [5070, 5011, 5011, 5011, 5011]);
    let page = get(&sim, "security/audit/events/filter?action=5011").await;
    let mut rows: Vec<(i64, &str)> = page
        .at("response")
        .items()
        .iter()
        .map(|row| (row.at("id").int(), row.at("target").items()[0].text()))
        .collect();
    rows.sort_unstable();
    assert!(!rows.is_sorted_by_key(|(_, target)| *target), "inserted out of order: {rows:?}");
    assert_eq!(page.at("response").items()[0].at("date").text(), "2026-03-02T09:15:00.0000000Z");
}

#[tokio::test]
async fn the_address_of_a_row_is_what_the_request_says() {
    let sim = PortalSim::start(portal()).await.expect("start");
    json(&sim, "PUT", "files/file/9001?request-x-real-ip=nonsense", r#"{"title":"other"}"#).await;
    let page = get(&sim, "security/audit/events/filter").await;
    let row = &page.at("response").items()[0];
    assert_eq!(row.at("ip").text(), "nonsense");
    let asked = "http://portal.example/api/2.0/files/file/9001?request-x-real-ip=nonsense";
    assert_eq!(row.at("page").text(), asked, "the page of a request that names none is the request");
    let long = "1".repeat(51);
    json(&sim, "PUT", &format!("files/file/9001?request-x-real-ip={long}"), r#"{"title":"third"}"#).await;
    assert_eq!(audit(&sim).await, [5001], "a row whose address is too long is lost");
    assert_eq!(get(&sim, "files/file/9001").await.at("response").at("title").text(), "third.docx");
}

#[tokio::test]
async fn logging_somebody_out_is_a_row_even_for_nobody() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let unknown = "security/activeconnections/logoutall/11111111-0000-4000-8000-000000000001";
    let answer = json(&sim, "PUT", unknown, "").await;
    assert_eq!((answer.status, Ordered::parse(&answer.body).at("count").int()), (200, 0));
    assert_eq!(audit(&sim).await, [4036]);
}

#[tokio::test]
async fn scenario_files_hold_content() {
    let text = r#"{"name": "x", "description": "x", "truth": {},
        "people": [
            {"id": "66faa6e4-f133-11ea-b126-00ffeec8b4ef", "first_name": "Olga", "last_name": "Owner",
             "email": "olga@example.com", "kind": "owner", "ip": "192.0.2.1"},
            {"id": "1a2b3c4d-0000-4000-8000-000000000001", "first_name": "Ivan", "last_name": "Petrov",
             "email": "ivan@example.com", "ip": "192.0.2.2"}],
        "rooms": [{"id": 71, "title": "Alpha", "type": 8, "created": "-9d", "owner": "olga@example.com"}],
        "content": {
            "groups": [{"name": "Auditors", "members": ["ivan@example.com"]}],
            "shares": [{"room": 71, "group": "Auditors", "access": 2}],
            "folders": [{"id": 80, "parent": 71, "title": "Docs", "author": "olga@example.com", "created": "-2d"}],
            "files": [{"id": 81, "folder": 80, "title": "a.txt", "author": "olga@example.com", "created": "-1d",
                       "text": "hello"}],
            "quota": {"rooms": 1},
            "lateness": {"requests": 1}}}"#;
    let scenario = Scenario::from_json(text, at("2026-03-02T09:15:00Z")).expect("a scenario");
    let ivan = scenario.person_by_email("ivan@example.com").map(Key::of).expect("Ivan");
    let sim = PortalSim::start(scenario.with_key(ivan.clone())).await.expect("start");
    let room = Ordered::parse(&send(&sim, "GET", "files/rooms/71", "", b"", &ivan.key).await.body);
    assert_eq!((room.at("response").at("filesCount").int(), room.at("response").at("access").int()), (1, 2));
    assert_eq!(*room.at("response").at("inRoom"), Ordered::Bool(false), "a member through a group");
    assert_eq!(json(&sim, "POST", "files/rooms", r#"{"title":"a","roomType":8}"#).await.status, 402);
    json(&sim, "PUT", "files/file/81", r#"{"title":"b"}"#).await;
    // the key that every portal's owner once made
    assert_eq!(audit(&sim).await, [6058], "one request later");
    assert_eq!(audit(&sim).await, [6058, 5001]);
    let wrong = text.replace("\"group\": \"Auditors\"", "\"group\": \"Nobody\"");
    assert!(Scenario::from_json(&wrong, at("2026-03-02T09:15:00Z")).is_err());
}
