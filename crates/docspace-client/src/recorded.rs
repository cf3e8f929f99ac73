//! Every exchange that the portal's own code produced for the lists we read: successes parse, refusals are understood.

mod create_room;
mod files_people;

use std::collections::BTreeMap;
use std::path::Path;

use audit_model::{AuditEvent, LoginEvent};
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::refusal::{Refusal, classify};
use crate::wire::{AuditEventDto, Envelope, FolderDto, LogItemDto, LoginEventDto, PersonDto, RoomListDto};

#[derive(Deserialize)]
struct Exchange {
    name: String,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    target: String,
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
struct Response {
    status: u16,
    headers: BTreeMap<String, Value>,
    body: Value,
}

impl Response {
    fn content_type(&self) -> &str {
        self.headers.get("Content-Type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The body as bytes: recordings keep JSON as a value and everything else as text.
    fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Value::String(text) if !self.content_type().contains("json") => text.clone().into_bytes(),
            Value::String(text) if text.is_empty() => Vec::new(),
            Value::Null => Vec::new(),
            json => json.to_string().into_bytes(),
        }
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<Envelope<T>, serde_json::Error> {
        serde_json::from_slice(&self.bytes())
    }

    /// Elements of a list answer as the recording has them.
    fn recorded_rows(&self) -> usize {
        self.body["response"].as_array().map_or(0, Vec::len)
    }
}

/// All recorded GET exchanges whose path fits, with the file each stands in.
fn exchanges(fits: impl Fn(&str) -> bool) -> Vec<(String, Exchange)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recorded");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let json = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut found = Vec::new();
    for path in json {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("webhook") {
            continue; // another form, and nothing that we read
        }
        let all: Vec<Exchange> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let fitting = all.into_iter().filter(|exchange| {
            let path = exchange.request.target.split('?').next().unwrap_or_default().to_lowercase();
            exchange.request.method == "GET" && fits(path.trim_end_matches('/'))
        });
        found.extend(fitting.map(|exchange| (name.clone(), exchange)));
    }
    found
}

/// Parses each success as `T`, and tells what each refusal means, by status.
fn read_all<T: DeserializeOwned>(exchanges: &[(String, Exchange)], rows: impl Fn(&T) -> usize) -> String {
    let mut summary: BTreeMap<String, usize> = BTreeMap::new();
    let mut parsed_rows = 0;
    for (file, Exchange { name, request, response }) in exchanges {
        let asks_for_less = request.target.to_lowercase().contains("fields");
        if response.status == 200 && !asks_for_less {
            let envelope: Envelope<T> = response.parse().unwrap_or_else(|error| panic!("{file}: {name}: {error}"));
            let payload = envelope.response.unwrap_or_else(|| panic!("{file}: {name}: no response"));
            assert_eq!(rows(&payload), response.recorded_rows(), "{file}: {name}");
            parsed_rows += rows(&payload);
            *summary.entry("200 parsed".to_owned()).or_default() += 1;
        } else if response.status != 200 && !asks_for_less {
            let kind = classify(&Refusal {
                status: StatusCode::from_u16(response.status).unwrap(),
                content_type: response.content_type(),
                location: None,
                limit: None,
                after: None,
                body: &response.bytes(),
                needs: "*:read",
            });
            *summary.entry(format!("{} {kind:?}", response.status)).or_default() += 1;
        }
    }
    let lines: Vec<String> = summary.into_iter().map(|(what, count)| format!("{count:4} {what}")).collect();
    format!("{parsed_rows} rows\n{}", lines.join("\n"))
}

#[test]
fn audit_trail() {
    let all = exchanges(|path| path.contains("security/audit/events/"));
    assert!(all.len() > 400, "{}", all.len());
    insta::assert_snapshot!("audit_trail", read_all::<Vec<AuditEventDto>>(&all, Vec::len));
}

#[test]
fn login_history() {
    let all = exchanges(|path| path.contains("security/audit/login/"));
    assert!(all.len() > 30, "{}", all.len());
    insta::assert_snapshot!("login_history", read_all::<Vec<LoginEventDto>>(&all, Vec::len));
}

#[test]
fn activity_logs() {
    let mut all =
        exchanges(|path| (path.contains("/files/folder/") || path.contains("/files/file/")) && path.ends_with("/log"));
    // no events, but rows of which nothing was set, to see which members are always there
    for (_, exchange) in &mut all {
        if let Some(rows) = exchange.response.body.get_mut("response").and_then(Value::as_array_mut) {
            rows.retain(|row| *row != serde_json::json!({ "id": 0 }));
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    insta::assert_snapshot!("activity_logs", read_all::<Vec<LogItemDto>>(&all, Vec::len));
}

#[test]
fn room_lists() {
    let all = exchanges(|path| path.ends_with("/api/2.0/files/rooms"));
    assert!(all.len() > 40, "{}", all.len());
    insta::assert_snapshot!("room_lists", read_all::<RoomListDto>(&all, |_| 0));
}

#[test]
fn full_objects() {
    let all = exchanges(|path| path.contains("/api/2.0/"));
    let shapes = |fits: fn(&str) -> bool| {
        let of_shape = all.iter().filter(move |(file, exchange)| {
            let path = exchange.request.target.split('?').next().unwrap_or_default();
            file == "response-shapes" && exchange.response.status == 200 && fits(path)
        });
        of_shape.map(|(_, exchange)| &exchange.response).collect::<Vec<_>>()
    };
    fn object<T: DeserializeOwned>(answer: &Response) -> T {
        answer.parse().unwrap().response.unwrap()
    }
    let rooms = shapes(|path| path.starts_with("/api/2.0/files/rooms/") && path.matches('/').count() == 5);
    let people = shapes(|path| path == "/api/2.0/people/@self");
    for answer in &rooms {
        let room: FolderDto = object(answer);
        assert_eq!(room.room_type.map(i64::from), answer.body["response"]["roomType"].as_i64());
    }
    for answer in &people {
        let person: PersonDto = object(answer);
        let email = person.email.map(|email| email.raw().to_owned());
        assert_eq!(email.as_deref(), answer.body["response"]["email"].as_str());
    }
    assert!(!rooms.is_empty() && !people.is_empty());
}

/// The members that a rule relies on, once each, against the recording itself.
#[test]
fn rows_keep_what_the_portal_said() {
    let all = exchanges(|path| path.ends_with("security/audit/events/filter"));
    let (_, exchange) =
        all.iter().find(|(file, exchange)| file == "audit-filter-rows" && exchange.response.status == 200).unwrap();
    let raw = &exchange.response.body["response"][0];
    let rows: Vec<AuditEventDto> = exchange.response.parse().unwrap().response.unwrap();
    let event = AuditEvent::from(rows.into_iter().next().unwrap());
    assert_eq!(event.id, raw["id"].as_i64().unwrap());
    assert_eq!(event.actor.to_string(), raw["userId"].as_str().unwrap());
    assert_eq!(i64::from(event.action.0), raw["actionId"].as_i64().unwrap());
    assert_eq!(event.context.unwrap().raw(), raw["context"].as_str().unwrap());
    assert_eq!(event.target[0], raw["target"][0].as_str().unwrap());

    let all = exchanges(|path| path.ends_with("security/audit/login/filter"));
    let (_, exchange) = all.iter().find(|(file, _)| file == "login-filter-rows").unwrap();
    let raw = &exchange.response.body["response"][0];
    let rows: Vec<LoginEventDto> = exchange.response.parse().unwrap().response.unwrap();
    let login = LoginEvent::from(rows.into_iter().next().unwrap());
    assert_eq!((login.id, login.login.unwrap().raw()), (raw["id"].as_i64().unwrap(), raw["login"].as_str().unwrap()));
}
