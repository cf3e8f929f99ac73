//! The connections of callers: how many at a time, how long each may take, and how they end when this process does.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

/// Connections held at a time: far fewer than a process may have descriptors. Who comes then waits for one that ends.
const MOST_CONNECTIONS: usize = 128;

/// Who has not sent the whole head of a request by then is cut off, so that nobody holds connections for nothing.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// Who has not got an answer so long after the last scan has ended, when this process was asked to stop, never finished asking.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// The other end of a connection, which may be a proxy. Every request has it among its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) IpAddr);

/// Answers until somebody asks this process to end; gives the connections that have an answer to come.
pub(super) async fn answer_until(asked: impl Future<Output = ()>, listener: TcpListener, app: Router) -> JoinSet<()> {
    let (stopping, stop) = watch::channel(false);
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut asked = std::pin::pin!(asked);
    loop {
        let next = async {
            let room = Arc::clone(&room).acquire_owned().await.ok()?;
            let (stream, peer) =
                listener.accept().await.inspect_err(|error| warn!("a caller was lost: {error}")).ok()?;
            Some((stream, Caller(peer.ip()), room))
        };
        let next = tokio::select! {
            () = &mut asked => break,
            next = next => next,
        };
        while connections.try_join_next().is_some() {}
        match next {
            Some((stream, caller, room)) => {
                let (app, stop) = (app.clone(), stop.clone());
                connections.spawn(async move {
                    connection((stream, caller), app, stop).await;
                    drop(room);
                });
            }
            None => until_descriptors_are_free().await,
        }
    }
    stopping.send_replace(true);
    connections
}

/// Trying again at once would only be hot.
#[expect(clippy::disallowed_methods, reason = "the patience of a server; nothing of a run waits")]
async fn until_descriptors_are_free() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Answers one caller. When this process is to end, one who has asked for something gets the answer, and one who has not yet does not.
async fn connection((stream, caller): (TcpStream, Caller), app: Router, mut stop: watch::Receiver<bool>) {
    let has_asked = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&has_asked);
    let service = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller);
        noted.store(true, Ordering::Relaxed);
        service.call(request)
    });
    let mut builder = http1::Builder::new();
    // who asks again and again and reads no answer would hold the connection for good
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).keep_alive(false);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = async { stop.wait_for(|stop| *stop).await.map(drop).unwrap_or_default() } => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None if !has_asked.load(Ordering::Relaxed) => return,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!("a caller was not answered: {error}");
    }
}

/// Some time after somebody asked this process to end and the scan that ran then has ended.
#[expect(clippy::disallowed_methods, reason = "the patience of a server that stops; nothing of a run waits")]
pub(super) async fn out_of_patience(asked: impl Future<Output = ()>, last_scan: impl Future<Output = ()>) {
    asked.await;
    info!("stopping when the last answer is given");
    last_scan.await;
    tokio::time::sleep(LAST_ANSWERS).await;
}

/// Ends when somebody asks this process to end, which is heard from this call on. What is being answered then is answered.
#[cfg(unix)]
pub(super) fn stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(super) fn stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupted = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupted.recv().await;
    })
}
