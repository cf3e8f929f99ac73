//! Scans, one at a time, each a run of this same program in a process of its own.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::{Value, json};
use tokio::process::Command;
use tracing::{info, warn};

/// How one scan ended.
#[derive(Debug)]
pub(super) struct Scan {
    exit: Option<i32>,
    /// `None` when the child printed none, as when another run holds the lock.
    report: Option<Value>,
    /// The child's log.
    log: String,
}

impl Scan {
    /// What a caller is told. `ok` only for a scan that saw everything and knows what was seen before.
    pub(super) fn answer(&self) -> (StatusCode, Value) {
        let has_memory = |report: &Value| {
            let blind = report["coverage"]["blind_spots"].as_array();
            !blind.is_some_and(|spots| spots.iter().any(|spot| spot == "no_memory"))
        };
        match (self.exit, &self.report) {
            (Some(0 | 3), Some(report)) if has_memory(report) => {
                (StatusCode::OK, json!({ "status": "ok", "report": report }))
            }
            _ if self.is_left_to_another() => {
                let detail = "another run is at work and has the lock; ask again when it has ended";
                (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "error", "detail": detail }))
            }
            (exit, report) => {
                let answer = json!({ "status": "error", "exit_code": exit, "detail": self.log, "report": report });
                (StatusCode::INTERNAL_SERVER_ERROR, answer)
            }
        }
    }

    /// Another run has the lock, so this one has looked at nothing, and has not failed either.
    pub(super) fn is_left_to_another(&self) -> bool {
        self.exit == Some(0) && self.report.is_none()
    }

    fn has_failed(&self) -> bool {
        self.answer().0 == StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// How somebody asked for a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The published question; it only reads.
    Get,
    Post,
    /// The portal says that something has happened. What it says is not looked at.
    Webhook {
        may_act: bool,
    },
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Get => "GET",
            Way::Post => "POST",
            Way::Webhook { .. } => "a webhook",
        })
    }
}

/// Who wants a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) way: Way,
    /// The other end of the connection, which may be a proxy.
    pub(super) from: IpAddr,
}

impl Wish {
    /// Whether the scan may change anything at the portal, as far as that depends on who asks.
    fn may_act(self) -> bool {
        matches!(self.way, Way::Post | Way::Webhook { may_act: true })
    }

    /// Whether the result of a scan that runs already will do: not if that one may do less, nor for what it may have missed.
    fn is_met_by(self, running: Wish) -> bool {
        !matches!(self.way, Way::Webhook { .. }) && (running.may_act() || !self.may_act())
    }

    /// The flags by which the child knows who asked, and what it cannot do.
    fn arguments(self) -> Vec<OsString> {
        let who = format!("{} from {}", self.way, self.from);
        let mut arguments: Vec<OsString> = vec!["--asked-by".into(), who.into()];
        if !self.may_act() {
            arguments.push("--cannot-act".into());
        }
        arguments
    }
}

type Running = Shared<BoxFuture<'static, Arc<Scan>>>;

/// All scans of this process.
pub(super) struct Scans {
    /// How to call this program for a scan.
    arguments: Vec<OsString>,
    running: Mutex<Option<(Wish, Running)>>,
    begun: AtomicU64,
    last_failed: Mutex<Option<bool>>,
    pub(super) ended: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) by_webhook: AtomicU64,
}

impl Scans {
    /// `arguments` are those that all scans have.
    pub(super) fn new(arguments: Vec<OsString>) -> Self {
        Scans {
            arguments,
            running: Mutex::new(None),
            begun: AtomicU64::new(0),
            last_failed: Mutex::new(None),
            ended: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            by_webhook: AtomicU64::new(0),
        }
    }

    /// Whether the last scan that has ended has failed; `None` before the first.
    pub(super) fn last_failed(&self) -> Option<bool> {
        *self.last_failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends with the scan that is running.
    pub(super) async fn last(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, running)) = running {
            running.await;
        }
    }

    /// The result of the scan that is running, if that will do, or else of a new one after it.
    pub(super) async fn scan(self: &Arc<Self>, wish: Wish) -> Arc<Scan> {
        loop {
            let (scan, is_met) = self.running_or_new(wish);
            let scan = scan.await;
            if is_met {
                return scan;
            }
        }
    }

    /// The scan that is running, else one that begins now, and whether it is what was wished for.
    fn running_or_new(self: &Arc<Self>, wish: Wish) -> (Running, bool) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, scan)) = &*running {
            return (scan.clone(), wish.is_met_by(*of));
        }
        // a caller who hangs up must not end a scan that others wait for, nor a run halfway
        let task = tokio::spawn(Arc::clone(self).one(wish));
        let scan = async move { task.await.unwrap_or_else(|error| Arc::new(not_begun(error.to_string()))) };
        let scan = scan.boxed().shared();
        *running = Some((wish, scan.clone()));
        (scan, true)
    }

    async fn one(self: Arc<Self>, wish: Wish) -> Arc<Scan> {
        let number = 1 + self.begun.fetch_add(1, Ordering::Relaxed);
        let is_by_webhook = matches!(wish.way, Way::Webhook { .. });
        info!("scan {number} begins, asked for by {}", wish.way);
        let scan = self.child(wish).await;
        let has_failed = scan.has_failed();
        info!("scan {number} has ended, exit code {:?}", scan.exit);
        if is_by_webhook && has_failed {
            // nobody gets an answer with these words
            warn!("scan {number}, which a webhook asked for, saw nothing or not everything:");
            scan.log.lines().for_each(|line| warn!("scan {number}: {line}"));
        }
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(has_failed), Ordering::Relaxed);
        self.by_webhook.fetch_add(u64::from(is_by_webhook), Ordering::Relaxed);
        // whatever was left to another run tells nothing of whether scans work
        if !scan.is_left_to_another() {
            *self.last_failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(has_failed);
        }
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Arc::new(scan)
    }

    async fn child(&self, wish: Wish) -> Scan {
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => return not_begun(format!("cannot find this program: {error}")),
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).args(wish.arguments());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.output().await {
            Ok(output) => Scan {
                exit: output.status.code(),
                report: serde_json::from_slice(&output.stdout).ok(),
                log: warnings(&String::from_utf8_lossy(&output.stderr)),
            },
            Err(error) => not_begun(format!("cannot start a scan: {error}")),
        }
    }
}

fn not_begun(log: String) -> Scan {
    warn!("{log}");
    Scan { exit: None, report: None, log }
}

/// The lines of a log that say that something is wrong.
fn warnings(log: &str) -> String {
    let level = |line: &&str| matches!(line.split_whitespace().nth(1), Some("WARN" | "ERROR"));
    log.lines().filter(level).collect::<Vec<_>>().join("\n")
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
            let (status, told) = Scan { exit, report, log: String::new() }.answer();
            assert_eq!((status, told["status"].as_str().unwrap()), expected, "{exit:?}");
        }
    }

    fn wish(way: Way) -> Wish {
        Wish { way, from: [192, 0, 2, 7].into() }
    }

    /// The child cannot act unless somebody with the token sent a POST, or the settings let webhooks.
    #[test]
    fn who_asks_decides_whether_a_scan_can_act() {
        let arguments = |way| wish(way).arguments().into_iter().map(|word| word.into_string().unwrap()).collect();
        let told: [Vec<String>; 4] =
            [Way::Get, Way::Post, Way::Webhook { may_act: false }, Way::Webhook { may_act: true }].map(arguments);
        assert_eq!(told[0], ["--asked-by", "GET from 192.0.2.7", "--cannot-act"]);
        assert_eq!(told[1], ["--asked-by", "POST from 192.0.2.7"]);
        assert_eq!(told[2], ["--asked-by", "a webhook from 192.0.2.7", "--cannot-act"]);
        assert_eq!(told[3], ["--asked-by", "a webhook from 192.0.2.7"]);
    }

    /// A caller who may act is not put off with the result of a scan that could not, and a webhook with that of one that began before.
    #[test]
    fn a_running_scan_is_shared_only_where_it_will_do() {
        let (get, post) = (Way::Get, Way::Post);
        let webhook = Way::Webhook { may_act: true };
        for (asked, running, is_met) in [
            (get, get, true),
            (get, post, true),
            (post, post, true),
            (post, get, false),
            (post, Way::Webhook { may_act: false }, false),
            (webhook, post, false),
            (webhook, webhook, false),
        ] {
            assert_eq!(wish(asked).is_met_by(wish(running)), is_met, "{asked:?} while {running:?}");
        }
    }
}
