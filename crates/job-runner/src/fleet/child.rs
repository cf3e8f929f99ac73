//! One run as a child process: how it is waited for, how it is ended, and whose lines of the log are whose.

use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::stop::ask_to_end;

/// A run that is told to end does so within two seconds; one that does not is not waited for any longer.
const GRACE: Duration = Duration::from_secs(5);

/// A terminal sends Ctrl-C to the fleet and to its runs at once, and the end of a run may be seen first.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A run that has not begun.
pub(crate) struct Child<'a> {
    /// With a pipe for stderr.
    pub(crate) command: Command,
    /// What its lines begin with.
    pub(crate) name: &'a str,
    /// After which it hangs.
    pub(crate) limit: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) how: How,
    /// Whether it has written to the log.
    pub(crate) has_logged: bool,
}

#[derive(Debug)]
pub(crate) enum How {
    NotStarted(io::Error),
    /// It was started, and the system does not say what became of it.
    Unknown(io::Error),
    /// By itself, or because somebody ended the fleet.
    Status {
        status: ExitStatus,
        was_stopped: bool,
    },
    /// It had to be ended, because it took longer than its limit.
    Hung(Duration),
}

impl Ended {
    pub(crate) fn not_started(failure: io::Error) -> Self {
        Ended { how: How::NotStarted(failure), has_logged: false }
    }
}

impl Child<'_> {
    /// To its end, which comes soon when somebody ends the fleet.
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) -> Ended {
        let mut child = match self.command.kill_on_drop(true).spawn() {
            Ok(child) => child,
            Err(failure) => return Ended::not_started(failure),
        };
        let lines = child.stderr.take();
        let log = async {
            match lines {
                Some(lines) => forward(lines, self.name, &mut io::stderr()).await,
                None => false,
            }
        };
        let (how, has_logged) = tokio::join!(wait(&mut child, self.limit, &mut stopped), log);
        Ended { how: how.unwrap_or_else(How::Unknown), has_logged }
    }
}

async fn wait(
    child: &mut tokio::process::Child,
    limit: Duration,
    stopped: &mut watch::Receiver<bool>,
) -> io::Result<How> {
    let mut stopping = pin!(stopped.wait_for(|it| *it));
    let first = timeout(limit, async {
        tokio::select! {
            biased;
            status = child.wait() => Some(status),
            _ = &mut stopping => None,
        }
    })
    .await;
    match first {
        Ok(Some(status)) => {
            let status = status?;
            Ok(How::Status { status, was_stopped: was_stopped(status, stopping).await })
        }
        Ok(None) => Ok(How::Status { status: end(child).await?, was_stopped: true }),
        Err(_) => end(child).await.map(|_| How::Hung(limit)),
    }
}

/// Whether a run that has ended so was stopped together with the fleet, which may hear of that a moment later.
async fn was_stopped<T, E>(status: ExitStatus, stopping: impl Future<Output = Result<T, E>>) -> bool {
    is_by_request(status) && timeout(AT_ONCE, stopping).await.is_ok_and(|it| it.is_ok())
}

/// Whether a signal ended it by which somebody asks a program to end, before it was able to hear that.
#[cfg(unix)]
fn is_by_request(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;

    use rustix::process::Signal;
    let requests = [Signal::INT, Signal::TERM, Signal::HUP].map(Signal::as_raw);
    status.signal().is_some_and(|signal| requests.contains(&signal))
}

#[cfg(not(unix))]
fn is_by_request(_status: ExitStatus) -> bool {
    false
}

/// Asks a run to end, and ends it where that does not help.
async fn end(child: &mut tokio::process::Child) -> io::Result<ExitStatus> {
    ask_to_end(child.id());
    match timeout(GRACE, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            child.start_kill()?;
            child.wait().await
        }
    }
}

/// Hands on what a run logs, line by line, each in one piece and with the portal's name before it. Whether there was any.
async fn forward(lines: impl AsyncRead + Unpin, name: &str, log: &mut impl io::Write) -> bool {
    let mut lines = BufReader::new(lines);
    let mut line = Vec::new();
    let mut has_logged = false;
    while lines.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        has_logged = true;
        let text = [name.as_bytes(), b": ", line.strip_suffix(b"\n").unwrap_or(&line), b"\n"].concat();
        // nobody can be told that nobody can be told
        let _ = log.write_all(&text);
        line.clear();
    }
    has_logged
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn child(script: &str, limit: Duration) -> Child<'static> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Child { command, name: "acme", limit }
    }

    /// It does not heed the request to end either. The clock jumps while everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_run_that_hangs_is_ended() {
        let (_stop, stopped) = watch::channel(false);
        let hanging = "trap '' TERM; while :; do :; done";
        let ended = child(hanging, Duration::from_secs(90)).run(stopped).await;
        assert!(matches!(ended.how, How::Hung(limit) if limit == Duration::from_secs(90)), "{ended:?}");
    }

    /// Ctrl-C reaches the run, which cannot hear it yet, before the fleet hears of it.
    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_stopped_together_with_the_fleet_is_stopped_whoever_is_seen_first() {
        use std::os::unix::process::ExitStatusExt as _;

        use rustix::process::Signal;
        let is_seen_as_stopped = async |signal: Signal, is_fleet_stopped| {
            let (stop, mut stopped) = watch::channel(false);
            let seen = was_stopped(ExitStatus::from_raw(signal.as_raw()), stopped.wait_for(|it| *it));
            let asked = async {
                // by a clock that jumps
                timeout(AT_ONCE / 2, std::future::pending::<()>()).await.unwrap_err();
                stop.send_replace(is_fleet_stopped);
            };
            tokio::join!(seen, asked).0
        };
        assert!(is_seen_as_stopped(Signal::INT, true).await);
        assert!(!is_seen_as_stopped(Signal::INT, false).await, "somebody ended this run alone");
        assert!(!is_seen_as_stopped(Signal::SEGV, true).await, "nobody asks so");
    }

    #[tokio::test]
    async fn lines_come_whole_and_with_a_name() {
        let mut log = Vec::new();
        assert!(forward(&b"one\n\ntwo, cut"[..], "acme", &mut log).await);
        assert_eq!(String::from_utf8(log).unwrap(), "acme: one\nacme: \nacme: two, cut\n");
        assert!(!forward(&b""[..], "acme", &mut Vec::new()).await);
    }
}
