//! Servers that the simulated portal is not: lists that lose entries between pages, and what older versions answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use audit_model::{GapReason, RoomId, Window};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Access, ApiKey, Budget, Client, EVERYONE, EntryId, ErrorKind};
use outbound::{HttpOptions, RetryPolicy, http_client};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

const ROOM: RoomId = RoomId::Number(71);

/// One request as the server sees it.
struct Asked {
    /// Below `/api/2.0/`.
    path: String,
    start: usize,
    /// How many requests for this path came before.
    before: usize,
    headers: HeaderMap,
}

enum Said {
    /// A payload, and the envelope's `total`.
    Json(Value, Option<usize>),
    Html(u16),
    Empty(u16),
}

/// A server that answers with what `say` says, and a client for it.
async fn serve(say: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Client {
    let seen: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let say = Arc::new(say);
    let router = Router::new().fallback(move |request: Request| {
        let (seen, say) = (Arc::clone(&seen), Arc::clone(&say));
        async move {
            let path = request.uri().path().trim_start_matches("/api/2.0/").to_owned();
            let query = request.uri().query().unwrap_or_default();
            assert!(!query.contains("fields") || path.starts_with("security/audit/"), "{path}?{query}");
            let start = query.split('&').find_map(|part| part.strip_prefix("startIndex=")).map_or("0", |start| start);
            let before = {
                let mut seen = seen.lock().unwrap();
                let count = seen.entry(path.clone()).or_default();
                *count += 1;
                *count - 1
            };
            let start = start.parse().unwrap();
            answer(say(&Asked { path, start, before, headers: request.headers().clone() }))
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(format!("sk-{}", "0".repeat(64))));
    Client::new(http, base, key, RetryPolicy::immediate(), Budget::default())
}

fn answer(said: Said) -> Response {
    let (status, content_type, body) = match said {
        Said::Json(response, total) => {
            let body = json!({"response": response, "count": 1, "total": total, "status": 0, "statusCode": 200});
            (200, "application/json; charset=utf-8", body.to_string())
        }
        Said::Html(status) => (status, "text/html", "<html><title>404 Error Page</title></html>".to_owned()),
        Said::Empty(status) => (status, "", String::new()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if !content_type.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    }
    response
}

fn id(n: usize) -> Uuid {
    Uuid::from_u128(n as u128 + 1)
}

fn person(n: usize) -> Value {
    json!({"id": id(n), "firstName": "Anna", "email": format!("p{n}@example.com"), "status": 1})
}

/// A page of people.
fn page(numbers: impl IntoIterator<Item = usize>, start: usize) -> Value {
    numbers.into_iter().skip(start).take(100).map(person).collect()
}

/// Entries with equal keys: near the edge of a page one is there again, and another one is not, unless pages begin elsewhere.
fn losing_edges(total: usize, start: usize) -> Value {
    let is_edge = start > 0 && start.is_multiple_of(99);
    let at = |index: usize| if is_edge && index == start + 1 { start - 1 } else { index };
    (start..total.min(start + 100)).map(|index| person(at(index))).collect()
}

#[tokio::test]
async fn entries_lost_between_pages_are_found_by_overlap() {
    let client = serve(|asked| Said::Json(losing_edges(320, asked.start), Some(320))).await;
    let people = client.people().await.unwrap();
    assert_eq!(people.len(), 320);
    assert_eq!(client.requests(), 4 + 6, "a pass that lost some, and one with more overlap");
}

#[tokio::test]
async fn a_list_that_never_gets_whole_is_no_list() {
    // one entry that is counted and never shown
    let client = serve(|asked| Said::Json(page(0..249, asked.start), Some(250))).await;
    let error = client.people().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::IncompleteList { read: 249, total: 250 });
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_paged_is_read_again() {
    // somebody leaves after the first page: without a second look the one who moved up is missed
    let client = serve(|asked| match asked.before {
        0 => Said::Json(page(0..250, asked.start), Some(250)),
        _ => Said::Json(page((0..250).filter(|n| *n != 7), asked.start), Some(249)),
    })
    .await;
    let people = client.people().await.unwrap();
    assert_eq!(people.len(), 249);
    assert!(people.iter().all(|account| account.person.id != id(7)), "gone");
    assert!(people.iter().any(|account| account.person.id == id(100)), "moved up");
}

#[tokio::test]
async fn somebody_else_instead_of_somebody_is_a_change_too() {
    let client = serve(|asked| match asked.before {
        0 => Said::Json(page(0..150, asked.start), Some(150)),
        _ => Said::Json(page((0..151).filter(|n| *n != 7), asked.start), Some(150)),
    })
    .await;
    let people = client.people().await.unwrap();
    assert_eq!(people.len(), 150);
    assert!(people.iter().all(|account| account.person.id != id(7)));
}

#[tokio::test]
async fn a_list_without_a_number_of_entries_proves_nothing() {
    let client = serve(|asked| Said::Json(page(0..3, asked.start), None)).await;
    assert_eq!(client.people().await.unwrap_err().kind, ErrorKind::UnexpectedForm);
}

#[tokio::test]
async fn folders_and_files_of_third_party_storage_have_ids_of_text() {
    let client = serve(|asked| {
        assert_eq!(asked.path, "files/sbox-12-%7Cfolder");
        let folder = json!({"id": "sbox-12-|a", "title": "A", "parentId": "sbox-12-|folder"});
        let file = json!({"id": "sbox-12-|a", "title": "a.txt", "folderId": "sbox-12-|folder", "version": 1});
        Said::Json(json!({"folders": [folder], "files": [file], "count": 2, "total": 2}), None)
    })
    .await;
    let folder = EntryId::Text("sbox-12-|folder".to_owned());
    let contents = client.folder_contents(&folder).await.unwrap();
    assert_eq!((contents.folders.len(), contents.files.len()), (1, 1), "the same id, but a file and a folder");
    assert_eq!(contents.files[0].folder, Some(folder));
}

/// Up to 3.2 a row has one object for people and groups alike.
#[tokio::test]
async fn member_rows_of_old_servers_are_understood() {
    let group = id(900);
    let client = serve(move |asked| match asked.path.as_str() {
        "files/rooms/71/share" => {
            let rows = json!([
                {"access": 1, "sharedTo": person(1), "isOwner": true, "subjectType": 0},
                {"access": 2, "sharedTo": {"id": group, "name": "Auditors", "manager": "maria"}, "subjectType": 2},
                {"access": 10, "sharedTo": person(2), "subjectType": 0},
            ]);
            Said::Json(rows, Some(3))
        }
        path => {
            assert_eq!(path, format!("files/folder/71/group/{group}/share"));
            let rows = json!([{"user": person(2), "groupAccess": 2}, {"user": person(3), "groupAccess": 2}]);
            Said::Json(rows, Some(2))
        }
    })
    .await;
    let members = client.members(&ROOM).await.unwrap();
    let seen: Vec<_> = members.iter().map(|member| (member.account.person.id, member.access)).collect();
    assert_eq!(seen, [(id(1), Access::FULL), (id(2), Access::EDITING), (id(3), Access::READ)]);
}

/// A group that left the room between two questions: no rows, but the number of its people.
#[tokio::test]
async fn a_group_that_shows_nobody_but_counts_some_is_incomplete() {
    let client = serve(|asked| match asked.path.as_str() {
        "files/rooms/71/share" => {
            let group = json!({"id": id(900), "name": "Auditors"});
            let rows = json!([
                {"access": 1, "sharedToUser": person(1), "isOwner": true, "subjectType": 0},
                {"access": 2, "sharedToGroup": group, "subjectType": 2},
            ]);
            Said::Json(rows, Some(2))
        }
        _ => Said::Json(json!([]), Some(12)),
    })
    .await;
    let error = client.members(&ROOM).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::IncompleteList { read: 0, total: 12 });
}

/// A row that names nobody we understand is counted by the portal and not by us.
#[tokio::test]
async fn a_member_row_without_a_subject_is_not_passed_over() {
    let client = serve(|_| {
        let rows = json!([
            {"access": 1, "sharedToUser": person(1), "isOwner": true, "subjectType": 0},
            {"access": 2, "sharedToRobot": {"id": id(5)}, "subjectType": 9},
        ]);
        Said::Json(rows, Some(2))
    })
    .await;
    let error = client.members(&ROOM).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::IncompleteList { read: 1, total: 2 });
}

#[tokio::test]
async fn public_questions_are_sent_without_the_key() {
    let client = serve(|asked| {
        let has_key = asked.headers.contains_key(header::AUTHORIZATION);
        assert_eq!(has_key, asked.path == "people/filter", "{}", asked.path);
        match asked.path.as_str() {
            "people/filter" => Said::Json(json!([person(1)]), Some(1)),
            "settings" => Said::Json(json!({"version": "3.6.1", "ownerId": Uuid::nil(), "tenantStatus": 4}), None),
            _ => Said::Json(json!({"docSpace": "3.6.1"}), None),
        }
    })
    .await;
    let settings = client.public_settings().await.unwrap();
    assert_eq!((settings.version.as_deref(), settings.owner), (Some("3.6.1"), None));
    assert_eq!(client.server_version().await.unwrap().document_server, None);
    assert_eq!(client.people().await.unwrap().len(), 1);
}

/// A server before 3.1 for somebody who is no admin: no keys, and a plan for everybody.
#[tokio::test]
async fn an_old_server_is_described_as_it_is() {
    let client = serve(|asked| match asked.path.as_str() {
        "keys/@self" => Said::Html(404),
        "people/@self" => Said::Json(person(1), None),
        "portal/quota" => Said::Json(json!({"audit": true}), None),
        "settings" => Said::Json(json!({"version": "3.0.4", "timezone": "Europe/Berlin"}), None),
        "security/audit/events/filter" => Said::Empty(403),
        _ => Said::Json(json!([]), None),
    })
    .await;
    let capabilities = client.capabilities().await.unwrap();
    assert!(!capabilities.api_keys && capabilities.scopes.is_unrestricted());
    assert!(!capabilities.admin && capabilities.quota.unwrap().audit, "the plan proves no right");
    assert!(!capabilities.audit_filter.works() && capabilities.login_history.works());
    assert_eq!(capabilities.time_zone, Some(chrono_tz::Tz::Europe__Berlin));
}

/// Before 3.2 `fields` is ignored: rows have everything, and members that we never heard of.
#[tokio::test]
async fn rows_with_more_than_was_asked_for_are_read() {
    let client = serve(|asked| {
        if asked.before > 0 {
            return Said::Json(json!([]), None); // nothing stands behind it
        }
        let row = json!({"id": 7, "date": "2026-11-20T08:00:00.0000000Z", "user": "Anna", "userId": id(1), "actionId": 5009,
            "action": "File downloaded", "ip": "192.0.2.1", "country": "", "browser": "Firefox", "page": "https://docs.example.com",
            "actionType": 10, "product": 5, "location": 6, "target": ["9417"], "entries": [{"type": 2}], "context": "Rooms: Falcon"});
        Said::Json(json!([row]), None)
    })
    .await;
    let hour = Window::new("2026-11-20T07:30:00Z".parse().unwrap(), "2026-11-20T08:30:00Z".parse().unwrap());
    let slice = client.audit_slice(hour).await;
    assert_eq!((slice.rows.len(), slice.gaps.len()), (1, 0));
    assert_eq!((slice.rows[0].id, slice.rows[0].actor), (7, id(1)));
}

#[tokio::test]
async fn an_expiry_that_cannot_be_read_is_not_never() {
    let client = serve(|_| Said::Json(json!({"name": "k", "isActive": true, "expiresAt": "31.01.2027"}), None)).await;
    assert_eq!(client.key().await.unwrap_err().kind, ErrorKind::UnexpectedForm);
}

#[tokio::test]
async fn calls_that_a_server_does_not_know_are_named() {
    let client = serve(|_| Said::Empty(404)).await;
    assert_eq!(client.lifetimes().await.unwrap_err().kind, ErrorKind::UnknownCall);
    assert_eq!(client.group(EVERYONE).await.unwrap_err().kind, ErrorKind::UnknownCall);
    assert_eq!(client.key().await.unwrap(), None);
}

/// A cache that does not look at positions: a page of logins that is always the same brings nothing new, for ever.
#[tokio::test]
async fn one_page_of_logins_for_every_position_ends() {
    let newest: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
    let row = move |n: i64| json!({"id": 1_000 - n, "date": newest - TimeDelta::minutes(n), "userId": id(1), "actionId": 1000});
    let client = serve(move |_| Said::Json((0..100).map(row).collect(), None)).await;
    let span = Window::new(newest - TimeDelta::days(30), newest + TimeDelta::minutes(1));
    let slice = client.login_slice(span).await;
    assert_eq!(slice.rows.len(), 100);
    assert_eq!(slice.gaps.iter().map(|gap| gap.why).collect::<Vec<_>>(), [GapReason::UnstablePaging]);
    assert!(client.requests() < 50, "{}", client.requests());
}
