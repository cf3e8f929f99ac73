//! What ends a run before it is through: its time limit, or somebody who wants it to end. Either way it asks the portal nothing more, and
//! judges and tells what was read.

use std::pin::pin;
use std::time::Duration;

use docspace_client::{Client, Halt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

/// How long a step of a run that somebody ends may still take: the report, the alerts and the heartbeat have to leave within two seconds.
const GRACE: Duration = Duration::from_millis(600);

/// How long a command that somebody ends may still take for what it has begun, such as a call at the portal and the look at what it has done:
/// shorter than what service managers and Kubernetes wait before they kill.
const STEP: Duration = Duration::from_secs(20);

/// However short the limit is, so long a run may conclude from what it has read.
const LEAST_TO_CONCLUDE: Duration = Duration::from_secs(10);

/// After which a run with this limit concludes, whatever it waits for.
pub(crate) fn longest(run_limit: Duration) -> Duration {
    run_limit.max(run_limit.mul_f64(0.9).saturating_add(LEAST_TO_CONCLUDE))
}

/// The limits of one run.
pub(crate) struct Stop {
    signals: Signals,
    /// Nine tenths of the time are for reading.
    reading_ends: Instant,
    ends: Instant,
    is_interrupted: bool,
    grace: Duration,
}

impl Stop {
    /// From now on there is so much time.
    pub(crate) fn new(signals: Signals, run_limit: Duration) -> Self {
        let now = Instant::now();
        // longer than any run: an instant beyond what the clock can hold means no limit
        let after = |time: Duration| now.checked_add(time).unwrap_or(now + Duration::from_secs(10 * 365 * 86_400));
        Stop {
            signals,
            reading_ends: after(run_limit.mul_f64(0.9)),
            ends: after(longest(run_limit)),
            is_interrupted: false,
            grace: GRACE,
        }
    }

    /// The same for work that acts at the portal: what it has begun is finished, also when somebody ends it.
    pub(crate) fn finishing_steps(self) -> Self {
        Stop { grace: STEP, ..self }
    }

    /// Whether somebody has ended the run.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// From now on no more than so much time is left for reading.
    pub(crate) fn hasten(&mut self, left: Duration) {
        let Some(end) = Instant::now().checked_add(left) else { return };
        self.reading_ends = self.reading_ends.min(end);
        self.ends = self.ends.min(end + LEAST_TO_CONCLUDE);
    }

    /// Until the moment comes or somebody ends the run.
    async fn halt_at(&mut self, moment: Instant) -> Halt {
        if !self.is_interrupted && timeout_at(moment, self.signals.next()).await.is_err() {
            return Halt::OutOfTime;
        }
        self.is_interrupted = true;
        Halt::Interrupted
    }

    /// Does work that asks the portal. When it has to end, the portal is asked nothing more, and the work has a moment left to conclude.
    ///
    /// # Errors
    /// Why it did not come to a conclusion.
    pub(crate) async fn limit<T>(&mut self, client: &Client, work: impl Future<Output = T>) -> Result<T, Halt> {
        let mut work = pin!(work);
        let halt = tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            halt = self.halt_at(self.reading_ends) => halt,
        };
        client.halt(halt);
        if halt == Halt::OutOfTime {
            let halt = tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                halt = self.halt_at(self.ends) => halt,
            };
            if halt == Halt::OutOfTime {
                return Err(halt);
            }
            client.halt(halt);
        }
        timeout(self.grace, work).await.map_err(|_| Halt::Interrupted)
    }

    /// Does work that takes no time to speak of, unless somebody waits for the end of the run. `None` when it was not through then.
    pub(crate) async fn hurry<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        if !self.is_interrupted {
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = self.signals.next() => self.is_interrupted = true,
            }
        }
        timeout(GRACE, work).await.ok()
    }
}

/// Somebody has ended a command before it was through.
#[derive(Debug, thiserror::Error)]
#[error("this command was stopped before it was through; give it again to finish what it began")]
pub(crate) struct Ended;

/// Does the work of a command that is no run, unless somebody ends it before it is through.
///
/// # Errors
/// Those of the work; [`Ended`].
pub(crate) async fn unless_ended<T>(
    signals: &mut Signals,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    unless(signals.next(), work).await
}

async fn unless<T>(
    asked: impl Future<Output = ()>,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        done = work => done,
        () = asked => Err(Ended.into()),
    }
}

/// Whether somebody wants a command to end that has to finish what it has begun at the portal, and to write down how that ended.
#[derive(Clone)]
pub struct Stopping(watch::Receiver<u32>);

impl Stopping {
    /// Listens from now on, for as long as the process lasts. Within a runtime.
    pub(crate) fn listen() -> Self {
        let (times, asked) = watch::channel(0);
        let mut signals = Signals::listen();
        tokio::spawn(async move {
            loop {
                signals.next().await;
                times.send_modify(|times| *times += 1);
            }
        });
        Stopping(asked)
    }

    /// Whether somebody has asked, so that nothing more is to be begun.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Until somebody asks.
    pub async fn asked(&self) {
        self.asked_times(1).await;
    }

    async fn asked_times(&self, times: u32) {
        if self.0.clone().wait_for(|asked| *asked >= times).await.is_err() {
            std::future::pending().await
        }
    }

    /// Does work that can be left at any moment, unless somebody asks before it is through.
    ///
    /// # Errors
    /// Those of the work, and that it was stopped.
    pub async fn unless_asked<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        unless(self.asked_times(1), work).await
    }

    /// Does work that goes by [`is_asked`](Self::is_asked) itself, and is left only when somebody asks twice.
    ///
    /// # Errors
    /// Those of the work, and that it was stopped.
    pub async fn unless_asked_twice<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        unless(self.asked_times(2), work).await
    }

    /// Does work that begins nothing more once somebody has asked. What it has begun then is finished, unless somebody asks again or it takes
    /// too long.
    ///
    /// # Errors
    /// Those of the work, and that it was stopped.
    pub(crate) async fn finishing_a_step<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.asked() => {}
        }
        warn!(
            "stopping: what has begun is finished first, which takes {} s at most; stop once more to end at once",
            STEP.as_secs()
        );
        timeout(STEP, self.unless_asked_twice(work)).await.unwrap_or_else(|_| Err(Ended.into()))
    }
}

/// Asks a process that this one has started to end.
#[cfg(unix)]
pub fn ask_to_end(process: Option<u32>) {
    use rustix::process::{Pid, Signal, kill_process};
    let process = process.and_then(|id| Pid::from_raw(id.cast_signed()));
    // one that has just ended need not be told
    process.map(|process| kill_process(process, Signal::TERM));
}

#[cfg(not(unix))]
pub fn ask_to_end(_process: Option<u32>) {}

/// What asks a process to end.
#[cfg(unix)]
pub struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    /// Listens from now on, also as the first process of a container, where the system ends nothing by itself. Within a runtime.
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Signals(
            [SignalKind::terminate(), SignalKind::interrupt()]
                .into_iter()
                // a session that is closed sends it; under nohup it is to be ignored
                .chain((!is_hangup_ignored()).then(SignalKind::hangup))
                .filter_map(|kind| signal(kind).ok())
                .collect(),
        )
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let any = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        match any.len() {
            0 => std::future::pending().await,
            _ => drop(futures::future::select_all(any).await),
        }
    }
}

/// What halts a process in a terminal (Ctrl-Z): it does not, as long as somebody listens.
#[cfg(unix)]
pub struct Suspensions(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Suspensions {
    /// Listens from now on. Within a runtime.
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Suspensions(signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw())).ok())
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
pub struct Suspensions;

#[cfg(not(unix))]
impl Suspensions {
    /// There is nothing to prepare.
    pub fn listen() -> Self {
        Suspensions
    }

    /// Never ends.
    pub async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Whether this process was started to outlive its terminal. Where the system does not tell, it was not.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // the lowest bit is signal 1, SIGHUP
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// There is nothing to prepare.
    pub fn listen() -> Self {
        Signals
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use docspace_client::{ApiKey, Budget};
    use outbound::RetryPolicy;

    use super::*;

    /// Asks for ever, until it is told to end.
    async fn asks(client: &Client) -> Halt {
        loop {
            match client.halted() {
                Some(why) => return why,
                None => tokio::task::yield_now().await,
            }
        }
    }

    #[tokio::test]
    async fn a_run_that_is_hastened_asks_nothing_more() {
        let url: url::Url = "http://127.0.0.1:9/".parse().unwrap();
        let http = outbound::http_client(&outbound::HttpOptions::new("test", "1"), &url).unwrap();
        let client = Client::new(http, url, ApiKey::new("sk-x".into()), RetryPolicy::default(), Budget::default());
        let mut stop = Stop::new(Signals::listen(), Duration::from_secs(3_600));
        stop.hasten(Duration::from_millis(1));
        assert_eq!(stop.limit(&client, asks(&client)).await.ok(), Some(Halt::OutOfTime));
        assert!(!stop.is_interrupted());
        let before = stop.reading_ends;
        stop.hasten(Duration::MAX);
        assert_eq!(stop.reading_ends, before);
    }
}
