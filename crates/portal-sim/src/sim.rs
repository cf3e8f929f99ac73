//! A running simulator: the server task, the request log, and the handle that tests hold.
//!
//! Each request is answered under one lock, so answers are as if requests came one after the other.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::fault::{self, Fault, Sight};
use crate::limiter::{Entry, Limiter, Slot};
use crate::mail::{self, MailServer};
use crate::net::{Connection, Listener};
use crate::portal::{self, Outcome, Wire};
use crate::scenario::Scenario;
use crate::tls::{Certificate, Tls};

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
    /// It asked for `fields` where that harms a real portal: anywhere but on the audit and login lists.
    pub forbidden_fields: bool,
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
    /// What a client must trust, where the portal has TLS.
    trust: Option<String>,
    shared: Arc<Shared>,
    /// Where the scenario's mail server listens.
    mail_address: Option<SocketAddr>,
    /// Dropping it ends the mail server.
    _mail: JoinSet<()>,
    /// Dropping it ends the server task.
    _stop: oneshot::Sender<()>,
}

struct Shared {
    scenario: Mutex<Scenario>,
    /// What the portal's clock follows; it stands still without.
    clock: Mutex<Option<Followed>>,
    requests: Mutex<Vec<RequestLine>>,
    /// How many those are.
    answered: watch::Sender<usize>,
    /// What the mail server has taken.
    mails: Mutex<Vec<Vec<u8>>>,
    limiter: Limiter,
    log: Option<Mutex<File>>,
    /// Of the portal's URL.
    scheme: &'static str,
}

/// A clock that the portal's follows.
struct Followed {
    read: Box<dyn Fn() -> DateTime<Utc> + Send>,
    /// What it said the last time.
    last: DateTime<Utc>,
}

impl Followed {
    /// What has passed since the last call; below zero where the clock was set back.
    fn passed(&mut self) -> TimeDelta {
        let present = (self.read)();
        present - std::mem::replace(&mut self.last, present)
    }
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
        PortalSim::listen(scenario, address, log, None).await
    }

    /// Starts with TLS on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had, or no certificate can be made.
    pub async fn start_tls(scenario: Scenario, certificate: Certificate) -> io::Result<PortalSim> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        PortalSim::listen(scenario, address, None, Some(Tls::new(certificate)?)).await
    }

    async fn listen(
        scenario: Scenario,
        address: SocketAddr,
        log: Option<File>,
        tls: Option<Tls>,
    ) -> io::Result<PortalSim> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut scenario = scenario;
        fault::resolve(&mut scenario.faults, scenario.now);
        let shared = Arc::new(Shared {
            scenario: Mutex::new(scenario),
            clock: Mutex::default(),
            requests: Mutex::default(),
            answered: watch::Sender::default(),
            mails: Mutex::default(),
            limiter: Limiter::default(),
            log: log.map(Mutex::new),
            scheme: if tls.is_some() { "https" } else { "http" },
        });
        let (tls, trust) = tls.map_or((None, None), |tls| (Some(tls.acceptor), Some(tls.trust)));
        let app = Router::new()
            .fallback(handle)
            // the portal has its own limit and its own answers to too much
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let server =
            axum::serve(Listener { tcp: listener, tls }, app.into_make_service_with_connect_info::<Connection>())
                .with_graceful_shutdown(async move {
                    // the sender never sends: it is dropped
                    let _ = stopped.await;
                });
        tokio::spawn(async move { server.await });
        let (mail_address, mail) = shared.serve_mail().await?;
        Ok(PortalSim { address, trust, shared, mail_address, _mail: mail, _stop: stop })
    }

    /// The base URL, `http://127.0.0.1:PORT`, with TLS `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.shared.scheme, self.address)
    }

    /// What a client must trust to accept the portal's certificate, as PEM: the authority's certificate, or the portal's
    /// own where it is signed by itself. `None` without TLS.
    #[must_use]
    pub fn trust_pem(&self) -> Option<&str> {
        self.trust.as_deref()
    }

    /// The first key of the scenario: a full one of the portal's owner, unless the scenario says otherwise.
    ///
    /// # Panics
    /// When somebody removed every key from the scenario.
    #[must_use]
    pub fn key(&self) -> String {
        self.shared.scenario().keys.first().expect("every scenario starts with a key").key.clone()
    }

    /// The portal's clock, which moves only when somebody moves it, or as the one that it [`follow`](Self::follow)s.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.scenario().now
    }

    /// From now on the portal's clock goes as this one does. What happened before keeps its date, and who moves the clock besides moves it
    /// against this one.
    pub fn follow(&self, clock: impl Fn() -> DateTime<Utc> + Send + 'static) {
        let last = self.now();
        *lock(&self.shared.clock) = Some(Followed { read: Box::new(clock), last });
    }

    /// Where the mail server listens, in scenarios that have one.
    #[must_use]
    pub fn mail_address(&self) -> Option<SocketAddr> {
        self.mail_address
    }

    /// The messages that the mail server has taken, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Vec<u8>> {
        lock(&self.shared.mails).clone()
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLine> {
        lock(&self.shared.requests).clone()
    }

    /// Waits until so many requests have been answered since the portal began.
    pub async fn answered(&self, requests: usize) {
        let mut answered = self.shared.answered.subscribe();
        // it fails when nobody counts any more, and the portal is there to do so
        let _ = answered.wait_for(|answered| *answered >= requests).await;
    }

    /// Replaces the faults that are still to come.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        let mut scenario = self.shared.scenario();
        scenario.faults = faults;
        let now = scenario.now;
        fault::resolve(&mut scenario.faults, now);
    }

    /// Changes the portal while it runs. Moving `now` moves the portal's clock, and limiters and faults with it.
    pub fn edit(&self, change: impl FnOnce(&mut Scenario)) {
        let mut scenario = self.shared.scenario();
        change(&mut scenario);
        scenario.forget_index();
    }
}

impl Shared {
    /// The portal at this moment.
    fn scenario(&self) -> MutexGuard<'_, Scenario> {
        let mut scenario = lock(&self.scenario);
        if let Some(clock) = &mut *lock(&self.clock) {
            scenario.now += clock.passed();
        }
        scenario
    }

    /// Starts the mail server, where the scenario has one; it goes by what the scenario says at each mail.
    async fn serve_mail(self: &Arc<Self>) -> io::Result<(Option<SocketAddr>, JoinSet<()>)> {
        let mut server = JoinSet::new();
        if self.scenario().mail_server.is_none() {
            return Ok((None, server));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (asked, taker) = (Arc::clone(self), Arc::clone(self));
        let manner = move || asked.scenario().mail_server.unwrap_or(MailServer::TakesAll);
        server.spawn(mail::serve(listener, manner, move |message| lock(&taker.mails).push(message)));
        Ok((Some(address), server))
    }

    fn record(&self, now: DateTime<Utc>, request: RequestLine) {
        if let Some(log) = &self.log {
            let line = LogLine { at: now.format("%Y-%m-%dT%H:%M:%SZ").to_string(), request: &request };
            let mut text = serde_json::to_string(&line).expect("a log line holds only text and numbers");
            text.push('\n');
            // a full disk must not change what the portal answers
            let _ = lock(log).write_all(text.as_bytes());
        }
        let mut requests = lock(&self.requests);
        requests.push(request);
        self.answered.send_replace(requests.len());
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
    let Prepared { outcome, date, delay, slot } = prepare(&shared, &connection, &method, &uri, &headers, &body);
    if !delay.is_zero() {
        portal::wait(delay).await;
    }
    match outcome {
        Outcome::Reply(reply) => {
            let accept_encoding = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
            let accept_encoding = accept_encoding.map(str::to_owned);
            reply.send(Wire { date, accept_encoding, connection, slot })
        }
        Outcome::Reset => {
            connection.reset();
            Response::new(Body::empty())
        }
    }
}

/// An answer that has not left yet.
struct Prepared {
    outcome: Outcome,
    /// What the `Date` header says.
    date: DateTime<Utc>,
    delay: Duration,
    slot: Option<Slot>,
}

/// Everything about a request that happens under the lock: limiters, faults, the answer, the log.
fn prepare(
    shared: &Shared,
    connection: &Connection,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Prepared {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut guard = shared.scenario();
    let scenario = &mut *guard;
    let mut now = scenario.now;
    let request = portal::Request {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query(),
        scheme: shared.scheme,
        host: text(header::HOST).unwrap_or("127.0.0.1"),
        authorization: text(header::AUTHORIZATION),
        headers,
        body,
        serial: lock(&shared.requests).len() as u64 + 1,
    };
    let route = portal::route_path(request.path);
    let who = portal::caller(scenario, request.authorization)
        .map_or_else(|| connection.peer.ip().to_string(), |person| person.id.to_string());
    let entry = Entry { who, method: request.method, route: &route, serial: request.serial, now };
    let mut prepared = Prepared { outcome: Outcome::Reset, date: now, delay: Duration::ZERO, slot: None };
    match shared.limiter.admit(scenario.limits, entry) {
        Err(refusal) => prepared.outcome = Outcome::Reply(portal::too_many(refusal, now)),
        Ok(slot) => {
            prepared.slot = slot;
            let sight = Sight { route: &route, method: request.method, serial: request.serial, now };
            let effects = fault::take(&mut scenario.faults, sight);
            scenario.now += chrono::Duration::seconds(effects.passing_seconds);
            now = scenario.now;
            prepared.delay = Duration::from_millis(effects.delay_ms);
            prepared.date = now + chrono::Duration::seconds(effects.skew_seconds);
            prepared.outcome = match scenario.receive(&effects.arrive) {
                Ok(()) => portal::answer(scenario, &request, &effects),
                Err(error) => portal::cannot_be_done(&error),
            };
        }
    }
    let (status, bytes) = match &prepared.outcome {
        Outcome::Reply(reply) => (reply.status, reply.body.len()),
        Outcome::Reset => (0, 0),
    };
    let target = uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let forbidden_fields = portal::asks_for_forbidden_fields(&route, uri.query());
    shared.record(now, RequestLine { method: method.to_string(), target, status, bytes, forbidden_fields });
    prepared
}

/// `POST /__sim/faults` from this machine: a JSON list replaces the faults.
fn replace_faults(shared: &Shared, connection: &Connection, method: &Method, body: &[u8]) -> Response<Body> {
    let (status, text) = if !connection.peer.ip().is_loopback() {
        (StatusCode::FORBIDDEN, "only from this machine\n".to_owned())
    } else if method != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, "send the list with POST\n".to_owned())
    } else {
        match serde_json::from_slice(body) {
            Ok(faults) => match shared.scenario().order(faults) {
                Ok(()) => (StatusCode::NO_CONTENT, String::new()),
                Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
            },
            Err(error) => (StatusCode::BAD_REQUEST, format!("not a list of faults: {error}\n")),
        }
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
