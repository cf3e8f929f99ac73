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
async fn markdown_and_html_are_converted_next_to_the_original() {
    let sim = PortalSim::start(portal()).await.expect("start");
    upload(&sim, 71, "", "notes.md", "# x").await;
    let text = json(&sim, "POST", "files/71/text", r#"{"title":"r","content":"a < 5 and b > 3"}"#).await;
    assert_eq!(Ordered::parse(&text.body).at("response").at("title").text(), "r.html");
    let contents = get(&sim, "files/71?withSubFolders=false&filterType=1&sortBy=AZ").await;
    let titles: Vec<&str> =
        contents.at("response").at("files").items().iter().map(|file| file.at("title").text()).collect();
    assert_eq!(titles, ["notes.docx", "notes.md", "r.docx", "r.html"]);
    // the text itself leaves no row
    assert_eq!(audit(&sim).await, [5011, 5035, 5035]);
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
    let refused = send(&sim, "POST", "files/71/insert?title=a.txt", "text/plain", b"x", &key.key).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    // binding comes before rights, rights before nothing else
    let unread = send(&sim, "POST", "files/71/upload?createNewIfExist=1", "text/plain", b"x", &key.key).await;
    assert_eq!(unread.status, 400);
}

#[tokio::test]
async fn chunks_become_a_file_and_failures_are_a_200() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let begun = json(&sim, "POST", "files/71/session", r#"{"fileName":"big.bin","fileSize":6}"#).await;
    let begun = Ordered::parse(&begun.body);
    assert_eq!(begun.at("response").at("bytes_total").int(), 6);
    let uid = begun.at("response").at("id").text().to_owned();
    let chunk = |content: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\n{content}\r\n--XX--\r\n")
    };
    let handler = format!("/ChunkedUploader.ashx?uid={uid}");
    let kind = "multipart/form-data; boundary=XX";
    let post = |body: String, key: String| {
        let (sim, handler) = (&sim, &handler);
        async move { send(sim, "POST", handler, kind, body.as_bytes(), &key).await }
    };
    let stranger = post(chunk("abc"), key_of("ivan@example.com")).await;
    assert_eq!((stranger.status, Ordered::parse(&stranger.body).at("success")), (200, &Ordered::Bool(false)));
    let nobody = post(chunk("abc"), "sk-nobody".to_owned()).await;
    assert_eq!((nobody.status, Ordered::parse(&nobody.body).at("success")), (200, &Ordered::Bool(false)));
    let first = post(chunk("abc"), sim.key()).await;
    assert_eq!((first.status, Ordered::parse(&first.body).at("success")), (200, &Ordered::Bool(true)));
    let last = post(chunk("def"), sim.key()).await;
    assert_eq!(last.status, 201, "{}", last.body);
    let file = Ordered::parse(&last.body);
    assert_eq!(file.at("data").at("file").at("comment").text(), "Uploaded");
    let id = file.at("data").at("id").int();
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
async fn a_move_between_rooms_is_two_rows_and_one_inside_a_room_is_one() {
    let sim = PortalSim::start(portal()).await.expect("start");
    json(&sim, "PUT", "files/fileops/move", r#"{"fileIds":[9001],"destFolderId":71}"#).await;
    assert_eq!(audit(&sim).await, [5015]);
    json(&sim, "PUT", "files/fileops/move", r#"{"fileIds":[9001],"destFolderId":72}"#).await;
    assert_eq!(audit(&sim).await, [5015, 5015, 5015]);
    assert_eq!((log(&sim, 71).await, log(&sim, 72).await), (vec![5015, 5015], vec![5015]));
    assert_eq!(log(&sim, 80).await, [5015], "the folder shows what left it");
    let page = get(&sim, "security/audit/events/filter").await;
    let mut contexts: Vec<&str> = page.at("response").items().iter().map(|row| row.at("context").text()).collect();
    contexts.sort_unstable();
    assert_eq!(contexts, ["Rooms: Alpha", "Rooms: Alpha", "Rooms: Beta"]);
    let target = page.at("response").items()[0].at("target").items().iter().map(Ordered::text).collect::<Vec<_>>();
    assert_eq!(target[0], "9001");
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
async fn rooms_are_made_renamed_and_archived() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let body = r#"{"title":"Acme: deal","roomType":8,"indexing":true,"denyDownload":true}"#;
    let made = Ordered::parse(&json(&sim, "POST", "files/rooms", body).await.body);
    let id = made.at("response").at("id").int();
    assert_eq!(made.at("response").at("title").text(), "Acme_ deal");
    json(&sim, "PUT", &format!("files/rooms/{id}"), r#"{"title":"Zeta"}"#).await;
    let operation = Ordered::parse(&json(&sim, "PUT", &format!("files/rooms/{id}/archive"), "{}").await.body);
    assert_eq!(operation.at("response").at("Operation").int(), 0);
    let room = get(&sim, &format!("files/rooms/{id}")).await;
    assert_eq!((room.at("response").at("rootFolderType").int(), room.at("response").at("title").text()), (20, "Zeta"));
    assert_eq!(audit(&sim).await, [5070, 5114, 5109, 5071, 5072]);
    let page = get(&sim, "security/audit/events/filter?action=5071").await;
    assert_eq!(page.at("response").items()[0].at("context").text(), "Rooms: Acme_ deal", "the old title");
    let file = send(&sim, "POST", &format!("files/{id}/insert?title=a.txt"), "text/plain", b"x", &sim.key()).await;
    assert_eq!(file.status, 403, "nothing is uploaded to an archived room");
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
async fn keys_show_themselves_once_and_sleep() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let body = r#"{"name":"watch","permissions":["*:read","accounts:write"],"expiresInDays":30}"#;
    let made = Ordered::parse(&json(&sim, "POST", "keys", body).await.body);
    let (id, key) = (made.at("response").at("id").text(), made.at("response").at("key").text());
    assert_eq!(key.len(), 67);
    let ask = |target: &'static str| send(&sim, "GET", target, "", b"", key);
    assert_eq!(ask("group").await.status, 200);
    let write = send(&sim, "PUT", "files/file/9001", "application/json", br#"{"title":"x"}"#, key).await;
    assert_eq!((write.status, write.body.contains("problem") || write.body.contains("Forbidden")), (403, true));
    let suspend = send(&sim, "PUT", "people/ivan", "application/json", br#"{"disable":true}"#, key).await;
    assert_eq!(suspend.status, 200);
    json(&sim, "PUT", &format!("keys/{id}"), r#"{"isActive":false}"#).await;
    assert_eq!(ask("group").await.status, 401);
    let listed = get(&sim, "keys").await;
    assert!(listed.at("response").items().iter().all(|key| key.at("key").text().starts_with("sk-***")));
    assert_eq!(json(&sim, "POST", "keys", r#"{"name":"x","permissions":["read"]}"#).await.status, 400);
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

#[tokio::test]
async fn invitations_make_accounts_that_wait_and_take_seats() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let body =
        r#"{"invitations": [{"email": "new@example.com", "type": "Guest"}, {"email": "ivan@example.com", "type": 4}]}"#;
    let answer = json(&sim, "POST", "people/invite", body).await;
    let answer = Ordered::parse(&answer.body);
    assert_eq!(answer.at("response").items().len(), 1, "Ivan is there already");
    let person = get(&sim, "people/email?email=new@example.com").await;
    let person = person.at("response");
    assert_eq!((person.at("status").int(), person.at("activationStatus").int()), (4, 2));
    assert_eq!(person.at("isVisitor"), &Ordered::Bool(true));
    let again = json(&sim, "PUT", "people/invite", r#"{"resendAll": true}"#).await;
    assert_eq!(Ordered::parse(&again.body).at("response").items().len(), 1);
    assert_eq!(audit(&sim).await, [4037, 4037]);
    sim.edit(|scenario| scenario.content.quota.paid_seats = 2);
    let body = r#"{"invitations": [{"email": "more@example.com", "type": "RoomAdmin"}]}"#;
    assert_eq!(json(&sim, "POST", "people/invite", body).await.status, 402);
    let body = r#"{"invitations": [{"email": "more@example.com"}]}"#.as_bytes();
    let refused = send(&sim, "POST", "people/invite", "application/json", body, &key_of("ivan@example.com")).await;
    assert_eq!(refused.status, 403, "ordinary people invite nobody");
}

#[tokio::test]
async fn groups_are_made_of_people_who_are_no_guests() {
    let gus = Person::new("gus@example.com", "Gus", "Guest").kind(PersonKind::Guest);
    let guest = gus.id;
    let scenario = portal().with_person(gus);
    let ivan = scenario.people.iter().find(|person| person.first_name == "Ivan").expect("Ivan").id;
    let sim = PortalSim::start(scenario).await.expect("start");
    let body = format!(r#"{{"groupName": "Auditors", "groupManager": "{ivan}", "members": []}}"#);
    let answer = json(&sim, "POST", "group", &body).await;
    let made = Ordered::parse(&answer.body);
    assert_eq!(made.at("response").at("membersCount").int(), 1, "who leads it is in it");
    assert_eq!(get(&sim, "group").await.at("total").int(), 1);
    assert_eq!(audit(&sim).await, [4026]);
    let body = format!(r#"{{"groupName": "Visitors", "members": ["{guest}"]}}"#);
    assert_eq!(json(&sim, "POST", "group", &body).await.status, 403);
}

#[tokio::test]
async fn the_tariff_tells_administrators_more_than_others() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let own = get(&sim, "portal/tariff").await;
    assert_eq!((own.at("response").at("id").int(), own.at("response").at("state").int()), (1, 1));
    assert_eq!(own.at("response").at("quotas").items().len(), 1);
    let ivan = key_of("ivan@example.com");
    let other = send(&sim, "GET", "portal/tariff", "application/json", b"", &ivan).await;
    assert_eq!(Ordered::parse(&other.body).at("response").names(), ["id", "state"]);
    assert_eq!(get(&sim, "portal/userscount").await.at("response").int(), 3);
    assert_eq!(send(&sim, "GET", "portal/userscount", "application/json", b"", &ivan).await.status, 403);
}

#[tokio::test]
async fn the_picker_finds_groups_then_people_and_nobody_without_a_text() {
    let mut scenario = portal();
    scenario.content.groups.push(Group::new("Ivory"));
    let sim = PortalSim::start(scenario).await.expect("start");
    let found = get(&sim, "accounts/room/71/search?filterValue=iv").await;
    assert_eq!((found.at("count").int(), found.at("total").int()), (2, 2));
    let rows = found.at("response").items();
    assert_eq!((rows[0].at("name").text(), rows[1].at("firstName").text()), ("Ivory", "Ivan"));
    assert_eq!((rows[0].at("shared"), rows[1].at("shared")), (&Ordered::Bool(false), &Ordered::Bool(true)));
    assert_eq!(get(&sim, "accounts/room/71/search").await.at("total").int(), 0);
    assert_eq!(get(&sim, "group/room/71").await.at("response").items().len(), 1);
    let not_hers = json(&sim, "GET", "accounts/room/72/search?filterValue=iv", "").await;
    assert_eq!(not_hers.status, 403, "an administrator who does not manage the room");
}

#[tokio::test]
async fn a_theme_is_kept_for_who_chose_it() {
    let sim = PortalSim::start(portal()).await.expect("start");
    let chosen = json(&sim, "PUT", "people/theme", r#"{"theme": "dark"}"#).await;
    assert_eq!(Ordered::parse(&chosen.body).at("response").at("theme").text(), "Dark");
    assert_eq!(get(&sim, "people/@self").await.at("response").at("theme").text(), "Dark");
}
