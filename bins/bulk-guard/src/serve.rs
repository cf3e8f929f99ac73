//! `serve`: a scan on demand over HTTP, for whoever cannot wait for cron.
//!
//! Each scan is a run of this same program in a process of its own, with its lock, its memory and its time limit; this process only
//! takes requests, and never holds a key longer than the child needs it.

mod connections;
pub(crate) mod token;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use job_runner::args::CommonArgs;
use job_runner::exit::Exit;
use job_runner::{Error, Setup};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tracing::warn;

use crate::config::Config;
use crate::serve::connections::{answer_until, out_of_patience, stop};
use crate::serve::token::Token;

/// No caller has anything to send.
const BODY_LIMIT_BYTES: u64 = 16 * 1024;

/// Requests taken in a minute, of callers with the token and of those without; a monitor asks once in a while.
const REQUESTS_PER_MINUTE: u64 = 60;

/// How one scan ended.
#[derive(Debug)]
struct Scan {
    exit: Option<i32>,
    /// `None` when the child printed none, as when another run holds the lock.
    report: Option<Value>,
    /// The child's log.
    log: String,
}

type Running = Shared<BoxFuture<'static, Arc<Scan>>>;

struct Guard {
    token: Token,
    /// How to call this program for a scan.
    arguments: Vec<OsString>,
    running: Mutex<Option<Running>>,
    /// Beginning of the present minute, and the requests in it: without the token, with it.
    minute: Mutex<(Instant, [u64; 2])>,
    scans: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    last_failed: Mutex<Option<bool>>,
}

pub(crate) async fn run(listen: SocketAddr, behind_tls_proxy: bool, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    if !listen.ip().is_loopback() && !behind_tls_proxy {
        let message = "is not a loopback address, and tokens would travel unencrypted: put a TLS proxy in front and say \
                       `--behind-tls-proxy`, or listen on 127.0.0.1";
        return Err(Error::setting("--listen", message).into());
    }
    // the child asks for all of this again; here a mistake is seen before the first scan
    setup.portal_url()?;
    setup.client()?;
    setup.warn_of_exposed();
    let guard = Arc::new(Guard {
        token: Token::read(setup.config)?,
        arguments: arguments(setup.args),
        running: Mutex::new(None),
        minute: Mutex::new((Instant::now(), [0; 2])),
        scans: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        last_failed: Mutex::new(None),
    });
    let app = Router::new()
        // a question about the answer is no wish for a scan
        .route("/security/scan", post(scan).get(scan).head(|| async { StatusCode::METHOD_NOT_ALLOWED }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::clone(&guard));
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    // before anybody is told that it listens, and may ask it to end
    let (asked, overdue) = (stop()?, stop()?);
    setup.print(&format!("http://{}\n", listener.local_addr()?))?;
    let mut connections = answer_until(asked, listener, app).await;
    let answered = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = answered => {}
        () = out_of_patience(overdue, guard.last_scan()) => {}
    }
    Ok(Exit::Concluded)
}

/// The flags of this process that a scan takes over.
fn arguments(args: &CommonArgs) -> Vec<OsString> {
    // a caller is told what is wrong each time, also when a mail was sent about it
    let mut arguments: Vec<OsString> = vec!["--format".into(), "json".into(), "--verbose".into()];
    let mut add = |flag: &str, value: Option<OsString>| {
        if let Some(value) = value {
            arguments.extend([flag.into(), value]);
        }
    };
    add("--portal", args.portal.as_ref().map(Into::into));
    add("--state", args.state.as_ref().map(Into::into));
    for (flag, path) in [("--key-file", &args.key_file), ("--portal-config", &args.portal_config)] {
        add(flag, path.as_ref().map(Into::into));
    }
    args.config.iter().for_each(|path| add("--config", Some(path.into())));
    for (flag, is_set) in [("--allow-http", args.allow_http), ("--dry-run", args.dry_run)] {
        if is_set {
            arguments.push(flag.into());
        }
    }
    arguments
}

async fn scan(State(guard): State<Arc<Guard>>, headers: HeaderMap) -> Response {
    if has_much_to_say(&headers) {
        let answer = json!({ "status": "error", "detail": "nobody reads what is sent along; send nothing" });
        return said(StatusCode::PAYLOAD_TOO_LARGE, [], &answer);
    }
    let is_known = guard.token.is_in(&headers);
    if !guard.takes_another(is_known) {
        let answer = json!({ "status": "error", "detail": "too many requests; ask again in a minute" });
        return said(StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], &answer);
    }
    if !is_known {
        guard.refused.fetch_add(1, Ordering::Relaxed);
        let answer = json!({ "status": "error", "detail": "a bearer token is required" });
        return said(StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], &answer);
    }
    let scan = guard.scan().await;
    let (status, answer) = answer(&scan);
    said(status, [], &answer)
}

/// Whether a body comes along that is longer than the limit, or of a length that nobody knows. It is not read.
fn has_much_to_say(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length > BODY_LIMIT_BYTES)
}

fn said<const N: usize>(status: StatusCode, more: [(HeaderName, &'static str); N], answer: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], more, format!("{answer}\n")).into_response()
}

/// `ok` only for a scan that saw everything and knows what was seen before.
fn answer(scan: &Scan) -> (StatusCode, Value) {
    let has_memory = |report: &Value| {
        let blind = report["coverage"]["blind_spots"].as_array();
        !blind.is_some_and(|spots| spots.iter().any(|spot| spot == "no_memory"))
    };
    match (scan.exit, &scan.report) {
        (Some(0 | 3), Some(report)) if has_memory(report) => {
            (StatusCode::OK, json!({ "status": "ok", "report": report }))
        }
        (Some(0), None) => {
            let detail = "another run is at work and has the lock; ask again when it has ended";
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "error", "detail": detail }))
        }
        (exit, report) => {
            let answer = json!({ "status": "error", "exit_code": exit, "detail": scan.log, "report": report });
            (StatusCode::INTERNAL_SERVER_ERROR, answer)
        }
    }
}

impl Guard {
    /// Counts a request; false when there were too many in this minute.
    fn takes_another(&self, is_known: bool) -> bool {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.0.elapsed() >= Duration::from_secs(60) {
            *minute = (Instant::now(), [0; 2]);
        }
        let count = &mut minute.1[usize::from(is_known)];
        *count += 1;
        *count <= REQUESTS_PER_MINUTE
    }

    /// Ends with the scan that is running.
    async fn last_scan(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(running) = running {
            running.await;
        }
    }

    /// The result of the scan that is running, or else of a new one.
    async fn scan(self: &Arc<Self>) -> Arc<Scan> {
        let running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.get_or_insert_with(|| Arc::clone(self).one_scan().boxed().shared()).clone()
        };
        running.await
    }

    async fn one_scan(self: Arc<Self>) -> Arc<Scan> {
        // a caller who hangs up must not end a scan that others wait for, nor a run halfway
        let guard = Arc::clone(&self);
        let scan = tokio::spawn(async move { guard.child().await }).await;
        let scan = scan.unwrap_or_else(|error| Scan { exit: None, report: None, log: error.to_string() });
        // a run that left the work to another one has not failed
        let has_failed = answer(&scan).0 == StatusCode::INTERNAL_SERVER_ERROR;
        self.scans.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(has_failed), Ordering::Relaxed);
        *self.last_failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(has_failed);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Arc::new(scan)
    }

    async fn child(&self) -> Scan {
        let failed = |log: String| {
            warn!("{log}");
            Scan { exit: None, report: None, log }
        };
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => return failed(format!("cannot find this program: {error}")),
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.output().await {
            Ok(output) => Scan {
                exit: output.status.code(),
                report: serde_json::from_slice(&output.stdout).ok(),
                log: warnings(&String::from_utf8_lossy(&output.stderr)),
            },
            Err(error) => failed(format!("cannot start a scan: {error}")),
        }
    }
}

/// The lines of a log that say that something is wrong.
fn warnings(log: &str) -> String {
    let level = |line: &&str| matches!(line.split_whitespace().nth(1), Some("WARN" | "ERROR"));
    log.lines().filter(level).collect::<Vec<_>>().join("\n")
}

/// Not ready after a scan that failed, until one has worked.
async fn ready(State(guard): State<Arc<Guard>>) -> (StatusCode, &'static str) {
    match *guard.last_failed.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(true) => (StatusCode::SERVICE_UNAVAILABLE, "the last scan failed\n"),
        Some(false) | None => (StatusCode::OK, "ready\n"),
    }
}

async fn metrics(State(guard): State<Arc<Guard>>) -> String {
    let counters = [
        ("scans_total", "Scans that have ended.", &guard.scans),
        ("scans_failed_total", "Scans that saw nothing or not everything.", &guard.failed),
        ("requests_refused_total", "Requests without the token.", &guard.refused),
    ];
    let shown = counters.map(|(name, help, value)| {
        let name = format!("docspace_bulk_guard_{name}");
        format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {}\n", value.load(Ordering::Relaxed))
    });
    shown.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a scan that saw everything is `ok`, whatever else was printed.
    #[test]
    fn an_answer_follows_from_how_the_scan_ended() {
        let report = || Some(json!({ "schema": "bulk-guard/1" }));
        for (exit, report, expected) in [
            (Some(0), report(), (StatusCode::OK, "ok")),
            (Some(3), report(), (StatusCode::OK, "ok")),
            (Some(4), report(), (StatusCode::INTERNAL_SERVER_ERROR, "error")),
            (Some(1), report(), (StatusCode::INTERNAL_SERVER_ERROR, "error")),
            (Some(2), None, (StatusCode::INTERNAL_SERVER_ERROR, "error")),
            (Some(3), None, (StatusCode::INTERNAL_SERVER_ERROR, "error")),
            // killed, or never started
            (None, None, (StatusCode::INTERNAL_SERVER_ERROR, "error")),
            // another run has the lock
            (Some(0), None, (StatusCode::SERVICE_UNAVAILABLE, "error")),
            // everything was seen, and nothing is known of before
            (
                Some(0),
                Some(json!({ "coverage": { "blind_spots": ["no_memory"] } })),
                (StatusCode::INTERNAL_SERVER_ERROR, "error"),
            ),
        ] {
            let (status, told) = answer(&Scan { exit, report, log: String::new() });
            assert_eq!((status, told["status"].as_str().unwrap()), expected, "{exit:?}");
        }
    }
}
