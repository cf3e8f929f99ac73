//! `serve`: a scan on demand over HTTP, for whoever cannot wait for cron.
//!
//! Each scan is a run of this same program in a process of its own, with its lock, its memory and its time limit; this process only
//! takes requests, and never holds a key longer than the child needs it.

mod answer;
mod connections;
mod scans;
pub(crate) mod token;
pub(crate) mod webhook;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use job_runner::exit::Exit;
use job_runner::{Error, Setup};
use serde_json::json;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::serve::answer::said;
use crate::serve::connections::{Caller, answer_until, out_of_patience, stop};
use crate::serve::scans::{Scans, Way, Wish};
use crate::serve::token::Token;
use crate::serve::webhook::{Secret, Webhooks};

/// No caller of a scan has anything to send.
const BODY_LIMIT_BYTES: u64 = 16 * 1024;

/// Requests taken in a minute, of callers with the token and of those without; a monitor asks once in a while.
const REQUESTS_PER_MINUTE: u64 = 60;

struct Guard {
    token: Token,
    scans: Arc<Scans>,
    /// `None` where the settings name no secret.
    webhooks: Option<Arc<Webhooks>>,
    /// Beginning of the present minute, and the requests in it: without the token, with it.
    minute: Mutex<(Instant, [u64; 2])>,
    refused: AtomicU64,
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
    let settings = &setup.config.serve;
    let secret = settings.webhook_secret_file.as_ref().map(|path| Secret::read(path.as_path())).transpose()?;
    let guard = Arc::new(Guard {
        token: Token::read(setup.config)?,
        scans: Arc::new(Scans::new(arguments(setup))),
        webhooks: secret.map(|secret| Arc::new(Webhooks::new(secret))),
        minute: Mutex::new((Instant::now(), [0; 2])),
        refused: AtomicU64::new(0),
    });
    let scans = Arc::clone(&guard.scans);
    let mut app = Router::new()
        // a question about the answer is no wish for a scan
        .route("/security/scan", post(scan).get(scan).head(|| async { StatusCode::METHOD_NOT_ALLOWED }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::clone(&guard));
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let following = guard
        .webhooks
        .as_ref()
        .map(|webhooks| tokio::spawn(webhook::follow(Arc::clone(webhooks), settings.clone(), Arc::clone(&scans))));
    if let Some(webhooks) = &guard.webhooks {
        app = app.merge(webhook::router(Arc::clone(webhooks)));
    }
    // before anybody is told that it listens, and may ask it to end
    let (asked, overdue) = (stop()?, stop()?);
    setup.print(&format!("http://{}\n", listener.local_addr()?))?;
    let mut connections = answer_until(asked, listener, app).await;
    // what happened last, cron's next run sees
    following.inspect(|following| following.abort());
    let answered = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = answered => {}
        () = out_of_patience(overdue, scans.last()) => {}
    }
    // nobody may wait for it any more, and it may be about to do something
    scans.last().await;
    Ok(Exit::Concluded)
}

/// The flags of this process that a scan takes over.
fn arguments(setup: &Setup<'_, Config>) -> Vec<OsString> {
    // a caller is told what is wrong each time, also when a mail was sent about it
    let mut arguments: Vec<OsString> = vec!["--format".into(), "json".into(), "--verbose".into()];
    arguments.extend(place(setup));
    arguments
}

/// The flags of this process that say where the portal, the settings and the store are, and what a run may not do.
pub(crate) fn place(setup: &Setup<'_, Config>) -> Vec<OsString> {
    let args = setup.args;
    let mut arguments: Vec<OsString> = Vec::new();
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
    let cannot_act = setup.config.cannot_act;
    for (flag, is_set) in [("--allow-http", args.allow_http), ("--dry-run", args.dry_run), ("--cannot-act", cannot_act)]
    {
        if is_set {
            arguments.push(flag.into());
        }
    }
    arguments
}

async fn scan(
    State(guard): State<Arc<Guard>>,
    Extension(Caller(from)): Extension<Caller>,
    method: Method,
    headers: HeaderMap,
) -> Response {
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
    let way = if method == Method::POST { Way::Post } else { Way::Get };
    let (status, answer) = guard.scans.scan(Wish { way, from }).await.answer();
    said(status, [], &answer)
}

/// Whether a body comes along that is longer than the limit, or of a length that nobody knows. It is not read.
fn has_much_to_say(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length > BODY_LIMIT_BYTES)
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
}

/// Not ready after a scan that failed, until one has worked.
async fn ready(State(guard): State<Arc<Guard>>) -> (StatusCode, &'static str) {
    match guard.scans.last_failed() {
        Some(true) => (StatusCode::SERVICE_UNAVAILABLE, "the last scan failed\n"),
        Some(false) | None => (StatusCode::OK, "ready\n"),
    }
}

async fn metrics(State(guard): State<Arc<Guard>>) -> String {
    let Scans { ended, failed, by_webhook, .. } = &*guard.scans;
    let mut counters = vec![
        ("scans_total", "Scans that have ended.", ended),
        ("scans_failed_total", "Scans that saw nothing or not everything.", failed),
        ("requests_refused_total", "Requests without the token.", &guard.refused),
    ];
    if let Some(webhooks) = &guard.webhooks {
        counters.extend([
            ("webhooks_total", "Webhooks of the portal that were taken.", &webhooks.taken),
            ("webhooks_refused_total", "Webhooks that were not signed, not new, or too long.", &webhooks.refused),
            ("webhook_scans_total", "Scans that have ended and began because of webhooks.", by_webhook),
        ]);
    }
    let shown = counters.into_iter().map(|(name, help, value)| {
        let name = format!("docspace_bulk_guard_{name}");
        format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {}\n", value.load(Ordering::Relaxed))
    });
    shown.collect()
}
