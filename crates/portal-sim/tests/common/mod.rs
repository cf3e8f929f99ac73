//! A plain HTTP client and readers of recordings for the tests of the simulator.
//!
//! Nothing of the simulator's own code is used, so that it cannot confirm its own mistakes.
#![expect(dead_code, reason = "each test file uses its own part of this module")]

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use portal_sim::PortalSim;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// JSON whose objects remember the order of their members.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ordered {
    Null,
    Bool(bool),
    Int(i64),
    /// A number with a fraction or exponent, as text.
    Float(String),
    Text(String),
    List(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ordered, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Ordered;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Ordered, E> {
                Ok(Ordered::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
                Ok(Ordered::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
                Ok(Ordered::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
                Ok(Ordered::Int(value as i64))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
                Ok(Ordered::Float(value.to_string()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
                Ok(Ordered::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ordered, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Ordered::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered::Object(members))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Ordered {
    pub(crate) fn parse(text: &str) -> Ordered {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON ({error}): {text}"))
    }

    /// The member of this name, or [`Ordered::Null`].
    pub(crate) fn at(&self, name: &str) -> &Ordered {
        let Ordered::Object(members) = self else { return &Ordered::Null };
        members.iter().find(|(known, _)| known == name).map_or(&Ordered::Null, |(_, value)| value)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let Ordered::Object(members) = self else { panic!("not an object: {self:?}") };
        members.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn items(&self) -> &[Ordered] {
        let Ordered::List(items) = self else { panic!("not a list: {self:?}") };
        items
    }

    pub(crate) fn text(&self) -> &str {
        let Ordered::Text(text) = self else { panic!("not a text: {self:?}") };
        text
    }

    pub(crate) fn int(&self) -> i64 {
        let Ordered::Int(value) = self else { panic!("not a number: {self:?}") };
        *value
    }

    /// The text, with a blank behind commas and colons, as the recorded requests were sent.
    pub(crate) fn render(&self) -> String {
        match self {
            Ordered::Null => "null".to_owned(),
            Ordered::Bool(value) => value.to_string(),
            Ordered::Int(value) => value.to_string(),
            Ordered::Float(value) => value.clone(),
            Ordered::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Ordered::List(items) => format!("[{}]", items.iter().map(Ordered::render).collect::<Vec<_>>().join(", ")),
            Ordered::Object(members) => {
                let member = |(name, value): &(String, Ordered)| {
                    format!("{}: {}", serde_json::Value::from(name.as_str()), value.render())
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The same with members replaced whose value differs from run to run.
    pub(crate) fn steady(self) -> Ordered {
        match self {
            Ordered::List(items) => Ordered::List(items.into_iter().map(Ordered::steady).collect()),
            Ordered::Object(members) => Ordered::Object(
                members
                    .into_iter()
                    .map(|(name, value)| match name.as_str() {
                        "stack" | "traceId" if value != Ordered::Null => (name, Ordered::Text("…".to_owned())),
                        "errors" => (name, value.errors()),
                        _ => (name, value.steady()),
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    /// The errors of a refusal, which the portal writes in no useful order. Of problems with JSON only the place counts.
    pub(crate) fn errors(self) -> Ordered {
        let Ordered::Object(mut members) = self else { return self };
        members.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, texts) in members.iter_mut().filter(|(place, _)| place.starts_with('$')) {
            *texts = Ordered::Text("…".to_owned());
        }
        Ordered::Object(members)
    }
}

/// A recorded exchange.
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) authorization: Option<String>,
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Ordered,
}

/// The exchanges of a file of `fixtures/recorded`.
pub(crate) fn recorded(file: &str) -> Vec<Exchange> {
    let path = format!("{}/../../fixtures/recorded/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let Ordered::List(list) = Ordered::parse(&text) else { panic!("{path} is no list") };
    list.iter()
        .map(|exchange| {
            let (request, response) = (exchange.at("request"), exchange.at("response"));
            let header = |from: &Ordered, name: &str| match from.at("headers").at(name) {
                Ordered::Text(text) => Some(text.clone()),
                _ => None,
            };
            Exchange {
                name: exchange.at("name").text().to_owned(),
                method: request.at("method").text().to_owned(),
                target: request.at("target").text().to_owned(),
                host: header(request, "Host").unwrap_or_default(),
                authorization: header(request, "Authorization"),
                status: u16::try_from(response.at("status").int()).expect("a status"),
                content_type: header(response, "Content-Type"),
                body: response.at("body").clone(),
            }
        })
        .collect()
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    /// The body ended as its framing says.
    pub(crate) complete: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Ordered {
        Ordered::parse(&self.body)
    }

    /// The `id` of each row.
    pub(crate) fn ids(&self) -> Vec<i64> {
        self.json().at("response").items().iter().map(|row| row.at("id").int()).collect()
    }
}

/// Asks with the scenario's first key; the path stands behind `/api/2.0/`.
pub(crate) async fn get(sim: &PortalSim, path: &str) -> Answer {
    let bearer = format!("Bearer {}", sim.key());
    ask(sim, "GET", &format!("/api/2.0/{path}"), "portal.example", Some(&bearer), "").await.expect("an answer")
}

/// Asks with this key, or none.
pub(crate) async fn get_as(sim: &PortalSim, path: &str, key: Option<&str>) -> Answer {
    let bearer = key.map(|key| format!("Bearer {key}"));
    ask(sim, "GET", &format!("/api/2.0/{path}"), "portal.example", bearer.as_deref(), "").await.expect("an answer")
}

/// One request on its own connection.
pub(crate) async fn ask(
    sim: &PortalSim,
    method: &str,
    target: &str,
    host: &str,
    authorization: Option<&str>,
    body: &str,
) -> std::io::Result<Answer> {
    let url = sim.url();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}Connection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await?;
    Ok(read(&raw))
}

fn read(raw: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(raw);
    let (head, rest) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let mut headers: HashMap<String, String> = HashMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let known = headers.entry(name.to_lowercase()).or_default();
        // a header that comes twice is shown as a list
        let comma = if known.is_empty() { "" } else { ", " };
        known.push_str(&format!("{comma}{value}"));
    }
    let chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
    let (body, complete) = if chunked { unchunk(rest) } else { (rest.to_owned(), true) };
    Answer { status: status.parse().expect("a status"), headers, body, complete }
}

fn unchunk(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        if size == 0 {
            return (body, true);
        }
        let chunk = &tail[..size.min(tail.len())];
        body.push_str(chunk);
        rest = tail[chunk.len()..].trim_start_matches("\r\n");
    }
    (body, false)
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
