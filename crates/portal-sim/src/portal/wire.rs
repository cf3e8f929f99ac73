//! Answers on the wire: chunks, gzip, the headers of server and proxy, and bodies that a fault cuts or slows down.
//!
//! What stands in an answer is in `reply`; resetting a connection is in `net`.

use std::io::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, BoxStream, StreamExt as _};

use super::manner::Manner;
use super::reply::{Maker, Reply};
use crate::limiter::Slot;
use crate::net::Connection;

/// The level of the portal's proxy.
const GZIP_LEVEL: u32 = 4;
/// Statuses whose bodies the proxy compresses.
const GZIP_STATUSES: [u16; 3] = [200, 403, 404];

/// What is around an answer.
pub(crate) struct Wire {
    /// The `Date` header.
    pub(crate) date: DateTime<Utc>,
    /// The client's `Accept-Encoding`.
    pub(crate) accept_encoding: Option<String>,
    pub(crate) connection: Connection,
    /// Given back when the body has left.
    pub(crate) slot: Option<Slot>,
}

type Pieces = BoxStream<'static, io::Result<Bytes>>;

impl Reply {
    /// The answer as it leaves.
    pub(crate) fn send(self, wire: Wire) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let value = |text: &str| HeaderValue::from_str(text).expect("the simulator's header values are plain ASCII");
        headers.insert(header::DATE, value(&wire.date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        let timing = HeaderName::from_static("server-timing");
        if self.maker == Maker::Portal {
            if self.names_versions && self.content_type.is_some() {
                headers.insert(HeaderName::from_static("api-supported-versions"), value("2.0"));
            }
            headers.insert(header::TRAILER, value("Server-Timing"));
            headers.append(timing.clone(), value("aspnetcore-request-time;dur=1ms"));
        }
        if matches!(self.status, 200..400) {
            headers.append(timing, value("proxy-request-time;dur=2"));
        }
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, value(content_type));
        }
        for (name, text) in &self.headers {
            headers.insert(HeaderName::from_static(name), value(text));
        }
        if self.body.is_empty() {
            return response;
        }
        let zipped = self.is_compressible() && wire.accept_encoding.as_deref().is_some_and(takes_gzip);
        if zipped {
            headers.insert(header::CONTENT_ENCODING, value("gzip"));
        }
        let (manner, maker) = (self.manner, self.maker);
        let body = if zipped { gzip(&self.body) } else { Bytes::from(self.body) };
        *response.body_mut() = if maker == Maker::Proxy {
            // the proxy knows the length of its own pages
            Body::from(body)
        } else {
            // the slot lives as long as the stream
            let slot = wire.slot;
            Body::from_stream(pieces(body, manner, wire.connection).inspect(move |_| {
                let _ = &slot;
            }))
        };
        response
    }

    fn is_compressible(&self) -> bool {
        let kind = self.content_type.and_then(|kind| kind.split(';').next());
        matches!(kind, Some("application/json" | "text/plain")) && GZIP_STATUSES.contains(&self.status)
    }
}

/// Whether `Accept-Encoding` names gzip with a weight above zero.
fn takes_gzip(header: &str) -> bool {
    header.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|part| {
            part.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        });
        is_gzip && !refused
    })
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    encoder.write_all(body).expect("writing into memory does not fail");
    Bytes::from(encoder.finish().expect("writing into memory does not fail"))
}

fn pieces(body: Bytes, manner: Manner, connection: Connection) -> Pieces {
    match manner {
        Manner::Whole => stream::iter([Ok(body)]).boxed(),
        Manner::Truncated | Manner::ResetInside => {
            let half = body.slice(..body.len() / 2);
            // the pause lets the first half leave before the error ends the connection
            let end = stream::once(async move {
                tokio::task::yield_now().await;
                if manner == Manner::ResetInside {
                    connection.reset();
                }
                Err(io::Error::other("a fault cuts the body"))
            });
            stream::iter([Ok(half)]).chain(end).boxed()
        }
        Manner::Slow { pieces, pause } => {
            let size = body.len().div_ceil(pieces.max(1) as usize).max(1);
            stream::unfold((body, false), move |(mut rest, started)| async move {
                if rest.is_empty() {
                    return None;
                }
                if started {
                    wait(pause).await;
                }
                let piece = rest.split_to(size.min(rest.len()));
                Some((Ok(piece), (rest, true)))
            })
            .boxed()
        }
    }
}

/// The only place where the simulator waits: a fault asked for it.
#[expect(clippy::disallowed_methods, reason = "a slow portal is what the test or the reader ordered")]
pub(crate) async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_when_it_is_named_and_not_refused() {
        for yes in ["gzip", "br, gzip;q=0.5", "deflate,GZIP"] {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "identity", "gzip;q=0", "br, gzip; q=0.0", "x-gzip"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }
}
