//! A client for tests of the transport: own headers, bytes as they come, and when they come.
#![expect(dead_code, reason = "each test file uses its own part of this module")]

use std::io::{ErrorKind, Read as _};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use portal_sim::PortalSim;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came over the wire.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// The header lines, in order.
    pub(crate) lines: Vec<String>,
    /// The body without chunk sizes.
    pub(crate) body: Vec<u8>,
    /// The body ended as its framing says.
    pub(crate) complete: bool,
    /// The connection ended with a reset.
    pub(crate) reset: bool,
    pub(crate) took: Duration,
}

impl Raw {
    /// All values of a header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let pairs = self.lines.iter().filter_map(|line| line.split_once(": "));
        pairs.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn unzipped(&self) -> String {
        let mut text = String::new();
        GzDecoder::new(&self.body[..]).read_to_string(&mut text).expect("gzip");
        text
    }
}

/// A GET with the scenario's first key and these further header lines.
pub(crate) async fn get(sim: &PortalSim, path: &str, more: &str) -> Raw {
    ask(sim, "GET", path, &format!("Authorization: Bearer {}\r\n{more}", sim.key()), "").await
}

/// A request on a connection of its own, with exactly these header lines; each ends with CR and LF.
pub(crate) async fn ask(sim: &PortalSim, method: &str, path: &str, lines: &str, body: &str) -> Raw {
    let started = Instant::now();
    let url = sim.url();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("connect");
    let length = body.len();
    let head = format!(
        "{method} /api/2.0/{path} HTTP/1.1\r\nHost: portal.example\r\n{lines}Connection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("send");
    stream.write_all(body.as_bytes()).await.expect("send");
    let mut raw = Vec::new();
    let end = stream.read_to_end(&mut raw).await;
    let reset = end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
    read(&raw, reset, started.elapsed())
}

fn read(raw: &[u8], reset: bool, took: Duration) -> Raw {
    let Some(end) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Raw { status: 0, lines: Vec::new(), body: Vec::new(), complete: false, reset, took };
    };
    let head = String::from_utf8_lossy(&raw[..end]);
    let mut lines = head.lines().map(str::to_owned);
    let status = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).expect("a status line");
    let status = status.parse().expect("a status");
    let lines: Vec<String> = lines.collect();
    let chunked = lines.iter().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
    let rest = &raw[end + 4..];
    let (body, complete) = if chunked { unchunk(rest) } else { (rest.to_vec(), true) };
    Raw { status, lines, body, complete, reset, took }
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a chunk size");
        if size == 0 {
            return (body, true);
        }
        rest = &rest[line + 2..];
        body.extend(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}
