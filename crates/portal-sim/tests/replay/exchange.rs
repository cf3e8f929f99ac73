//! Reading the recordings, and sending their requests byte by byte.

use portal_sim::PortalSim;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::Ordered;

/// A recorded exchange.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) target: String,
    /// First label of the `Host` header.
    pub(crate) host: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body was not recorded but described in parentheses.
    pub(crate) described: bool,
    pub(crate) status: u16,
    pub(crate) answer_headers: Vec<(String, String)>,
    pub(crate) answer: Ordered,
}

/// An answer as it came over the wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Exchange {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub(crate) fn answer_header(&self, name: &str) -> Option<&str> {
        header(&self.answer_headers, name)
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn folder() -> String {
    format!("{}/../../fixtures/recorded", env!("CARGO_MANIFEST_DIR"))
}

/// The names of all recordings but those of webhooks, which are no requests to the portal.
pub(crate) fn files() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the recordings")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .filter(|name| !name.starts_with("webhook-"))
        .collect();
    names.sort();
    names
}

/// The exchanges of a file, in the order of recording.
pub(crate) fn read(file: &str) -> Vec<Exchange> {
    let path = format!("{}/{file}.json", folder());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Ordered::parse(&text).items().iter().map(exchange).collect()
}

fn exchange(recorded: &Ordered) -> Exchange {
    let (request, response) = (recorded.at("request"), recorded.at("response"));
    let headers = pairs(request.at("headers"));
    let host = header(&headers, "Host").unwrap_or_default();
    Exchange {
        name: recorded.at("name").text().to_owned(),
        method: request.at("method").text().to_owned(),
        target: request.at("target").text().to_owned(),
        host: host.split('.').next().unwrap_or_default().to_owned(),
        body: body(request.at("body"), header(&headers, "Content-Type")),
        described: matches!(request.at("body"), Ordered::Text(text) if text.starts_with('(') && text.ends_with(')')),
        headers,
        status: u16::try_from(response.at("status").int()).expect("a status"),
        answer_headers: pairs(response.at("headers")),
        answer: response.at("body").clone(),
    }
}

fn pairs(headers: &Ordered) -> Vec<(String, String)> {
    let Ordered::Object(members) = headers else { return Vec::new() };
    members.iter().map(|(name, value)| (name.clone(), value.text().to_owned())).collect()
}

/// A body is recorded as a JSON value if it was JSON, else as text.
fn body(value: &Ordered, content_type: Option<&str>) -> Vec<u8> {
    match value {
        Ordered::Null => Vec::new(),
        // a JSON string and plain text look alike
        Ordered::Text(text) => encoded(text, content_type),
        value => encoded(&value.render(), content_type),
    }
}

fn encoded(text: &str, content_type: Option<&str>) -> Vec<u8> {
    if content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("utf-16")) {
        return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    text.as_bytes().to_vec()
}

/// Sends the recorded request on its own connection.
///
/// Without its encodings: the recordings were made without the proxy that compresses.
pub(crate) async fn ask(sim: &PortalSim, exchange: &Exchange) -> Answer {
    let url = sim.url();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("the simulator listens");
    let mut head = format!("{} {} HTTP/1.1\r\n", exchange.method, exchange.target);
    for (name, value) in &exchange.headers {
        if !matches!(
            name.to_ascii_lowercase().as_str(),
            "content-length" | "connection" | "transfer-encoding" | "accept-encoding"
        ) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", exchange.body.len()));
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    stream.write_all(&exchange.body).await.expect("the body is sent");
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.expect("an answer");
    read_answer(&raw)
}

fn read_answer(raw: &[u8]) -> Answer {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let rest = &raw[end + 4..];
    let chunked = header(&headers, "transfer-encoding") == Some("chunked");
    let body = if chunked { unchunked(rest) } else { rest.to_vec() };
    Answer { status: status.expect("a status"), headers, body: String::from_utf8_lossy(&body).into_owned() }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).expect("digits"), 16).expect("a size");
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}
