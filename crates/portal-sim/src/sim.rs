//! A running simulator: the server task, the request log, and the handle that tests hold.
//!
//! Each request is answered under one lock, so answers are as if requests came one after the other.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::net::{Connection, Listener};
use crate::portal::{self, Outcome};
use crate::scenario::Scenario;

/// The path that replaces the faults while the simulator runs.
const FAULTS_PATH: &str = "/__sim/faults";

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestLine {
    /// HTTP method as sent.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Status of the answer; 0 when the connection was reset instead.
    pub status: u16,
    /// Length of the answer's body, before it was cut by a fault.
    pub bytes: usize,
}

/// A line of the log file.
#[derive(Serialize)]
struct LogLine<'a> {
    at: String,
    #[serde(flatten)]
    request: &'a RequestLine,
}

/// A running simulator; it stops when dropped.
///
/// It serves on tasks of the runtime it was started in, so a test can wait for a child process meanwhile.
pub struct PortalSim {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropping it ends the server task.
    _stop: oneshot::Sender<()>,
}

struct Shared {
    scenario: Mutex<Scenario>,
    requests: Mutex<Vec<RequestLine>>,
    log: Option<Mutex<File>>,
}

impl PortalSim {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(scenario: Scenario) -> io::Result<PortalSim> {
        PortalSim::start_on(scenario, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None).await
    }

    /// Starts on this address and appends one JSON line per request to `log`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_on(scenario: Scenario, address: SocketAddr, log: Option<File>) -> io::Result<PortalSim> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { scenario: Mutex::new(scenario), requests: Mutex::default(), log: log.map(Mutex::new) });
        let app = Router::new()
            .fallback(handle)
            // the portal has its own limit and its own answers to too much
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(Listener(listener), app.into_make_service_with_connect_info::<Connection>())
            .with_graceful_shutdown(async move {
                // the sender never sends: it is dropped
                let _ = stopped.await;
            });
        tokio::spawn(async move { server.await });
        Ok(PortalSim { address, shared, _stop: stop })
    }

    /// The base URL, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first key of the scenario: a full one of the portal's owner, unless the scenario says otherwise.
    ///
    /// # Panics
    /// When somebody removed every key from the scenario.
    #[must_use]
    pub fn key(&self) -> String {
        self.shared.scenario().keys.first().expect("every scenario starts with a key").key.clone()
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLine> {
        lock(&self.shared.requests).clone()
    }

    /// Replaces the faults that are still to come.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.scenario().faults = faults;
    }

    /// Changes the portal while it runs.
    pub fn edit(&self, change: impl FnOnce(&mut Scenario)) {
        change(&mut self.shared.scenario());
    }
}

impl Shared {
    fn scenario(&self) -> MutexGuard<'_, Scenario> {
        lock(&self.scenario)
    }

    fn record(&self, now: chrono::DateTime<chrono::Utc>, request: RequestLine) {
        if let Some(log) = &self.log {
            let line = LogLine { at: now.format("%Y-%m-%dT%H:%M:%SZ").to_string(), request: &request };
            let mut text = serde_json::to_string(&line).expect("a log line holds only text and numbers");
            text.push('\n');
            // a full disk must not change what the portal answers
            let _ = lock(log).write_all(text.as_bytes());
        }
        lock(&self.requests).push(request);
    }
}

/// A panic in a test's `edit` leaves the state usable for the requests that are still to come.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if uri.path() == FAULTS_PATH {
        return replace_faults(&shared, &connection, &method, &body);
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut scenario = shared.scenario();
    let request = portal::Request {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query(),
        host: text(header::HOST).unwrap_or("127.0.0.1"),
        authorization: text(header::AUTHORIZATION),
        headers: &headers,
        body: &body,
        serial: lock(&shared.requests).len() as u64 + 1,
    };
    let outcome = portal::answer(&mut scenario, &request);
    let (status, bytes) = match &outcome {
        Outcome::Reply(reply) => (reply.status, reply.body.len()),
        Outcome::Reset => (0, 0),
    };
    let target = uri.path_and_query().map_or_else(String::new, ToString::to_string);
    shared.record(scenario.now, RequestLine { method: method.to_string(), target, status, bytes });
    match outcome {
        Outcome::Reply(reply) => reply.into_response(scenario.now),
        Outcome::Reset => {
            connection.reset();
            Response::new(Body::empty())
        }
    }
}

/// `POST /__sim/faults` from this machine: a JSON list replaces the faults.
fn replace_faults(shared: &Shared, connection: &Connection, method: &Method, body: &[u8]) -> Response<Body> {
    let (status, text) = if !connection.peer.ip().is_loopback() {
        (StatusCode::FORBIDDEN, "only from this machine\n".to_owned())
    } else if method != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, "send the list with POST\n".to_owned())
    } else {
        match serde_json::from_slice(body) {
            Ok(faults) => {
                shared.scenario().faults = faults;
                (StatusCode::NO_CONTENT, String::new())
            }
            Err(error) => (StatusCode::BAD_REQUEST, format!("not a list of faults: {error}\n")),
        }
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
