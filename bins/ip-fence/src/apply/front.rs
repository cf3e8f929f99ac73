//! The process in front: writes, asks whether everybody is still let in, waits until somebody confirms, and takes back otherwise.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use audit_model::Sentence;
use chrono::TimeDelta;
use job_runner::exit::Exit;
use job_runner::{Setup, Signals, Suspensions};
use tracing::warn;

use super::entry::{Entry, Order, State};
use super::journal::Kept;
use super::portal::Live;
use super::routes::{self, AGAIN_AFTER, Asked};
use super::run::{Ledger as _, Portal as _, follow};
use super::seen::is_past;
use super::why;
use super::words::sentence;
use crate::config::Config;

/// How often whoever waits looks whether somebody has decided. The portal is not asked for that.
const POLL: Duration = Duration::from_secs(5);

/// One application, and the process that waits for what becomes of it.
pub(super) struct Front<'a> {
    pub(super) setup: &'a Setup<'a, Config>,
    pub(super) kept: &'a Kept,
    pub(super) live: &'a Live,
    /// Of the entry.
    pub(super) id: &'a str,
    /// So long somebody has to confirm.
    pub(super) within: TimeDelta,
    is_stopped: Cell<bool>,
    shown: Cell<usize>,
}

/// When the services were asked whether they let in.
enum Checked {
    Not,
    /// Once, when the process had run for so long.
    At(TimeDelta),
    Twice,
}

impl<'a> Front<'a> {
    pub(super) fn new(
        setup: &'a Setup<'a, Config>,
        (kept, live): (&'a Kept, &'a Live),
        (id, within): (&'a str, TimeDelta),
    ) -> Self {
        Front { setup, kept, live, id, within, is_stopped: Cell::new(false), shown: Cell::new(0) }
    }

    /// Does it, to the end.
    ///
    /// # Errors
    /// Of the journal: then nothing more is written, and the next run settles what was begun.
    pub(super) async fn attend(&self, signals: &mut Signals) -> anyhow::Result<Exit> {
        let mut checked = Checked::Not;
        loop {
            let is_over = self.is_over();
            let followed = follow((self.kept, self.live), self.id, (true, is_over));
            let Some(followed) = self.heeding(followed, signals).await? else { return Ok(self.left()) };
            let entry = followed?.context("the journal's entry is gone")?;
            self.show(&entry);
            if let Some(exit) = ended(&entry) {
                return Ok(exit);
            }
            if entry.state == State::Switched {
                // so that somebody who is not at this terminal can confirm in time, or take it back
                let Some(()) = self.heeding(self.kept.deliver(None), signals).await? else { return Ok(self.left()) };
                let Some(decided) = self.wait(entry, &mut checked, signals).await? else { return Ok(self.left()) };
                self.show(&decided);
                if let Some(exit) = ended(&decided) {
                    return Ok(exit);
                }
            } else if is_over {
                self.say("It could not be taken back now. Each run of `ip-fence` tries again.");
                return Ok(Exit::Nothing);
            } else {
                let Some(()) = self.heeding(self.live.wait(POLL), signals).await? else { return Ok(self.left()) };
            }
        }
    }

    /// Waits until there is something to do about a list that is written, and asks the services meanwhile. `None`: it is left to the next run.
    async fn wait(
        &self,
        mut entry: Entry,
        checked: &mut Checked,
        signals: &mut Signals,
    ) -> anyhow::Result<Option<Entry>> {
        while entry.state == State::Switched && entry.order.is_none() && !self.is_due(&entry) {
            let asked = match *checked {
                Checked::Not => Some(Asked::Others),
                Checked::At(at) if self.live.elapsed() - at >= AGAIN_AFTER => Some(Asked::All),
                Checked::At(_) | Checked::Twice => None,
            };
            let work = async {
                let Some(asked) = asked else {
                    self.live.wait(POLL).await;
                    return None;
                };
                routes::trouble(self.live, asked).await
            };
            let Some(trouble) = self.heeding(work, signals).await? else { return Ok(None) };
            match asked {
                Some(Asked::Others) => *checked = Checked::At(self.live.elapsed()),
                Some(Asked::All) => *checked = Checked::Twice,
                None => {}
            }
            if let Some(why) = trouble {
                self.order_back(
                    ("the check after the write", "der Prüfung nach dem Schreiben").into(),
                    Sentence::quoted(why),
                )
                .await?;
            }
            entry = self.found().await?;
        }
        Ok(Some(entry))
    }

    fn is_over(&self) -> bool {
        self.live.elapsed() >= self.within
    }

    fn is_due(&self, entry: &Entry) -> bool {
        self.is_over() || is_past(entry, self.live.clocks())
    }

    async fn found(&self) -> anyhow::Result<Entry> {
        let entries = self.kept.entries().await?;
        entries.into_iter().find(|entry| entry.id == self.id).context("the journal's entry is gone")
    }

    /// Does something. The first signal meanwhile has the list taken back; the second one leaves that to the next run: `None`.
    async fn heeding<T>(&self, work: impl Future<Output = T>, signals: &mut Signals) -> anyhow::Result<Option<T>> {
        let (mut work, mut suspended) = (pin!(work), Suspensions::listen());
        loop {
            tokio::select! {
                done = &mut work => return Ok(Some(done)),
                () = suspended.next() => self.say(
                    "Not halted: a process that is halted takes nothing back, and keeps runs from it. Confirm in another terminal, or press Ctrl-C to have the list taken back.",
                ),
                () = signals.next() => {
                    if self.is_stopped.replace(true) {
                        return Ok(None);
                    }
                    self.order_back(("a signal", "einem Signal").into(), why::STOPPED.into()).await?;
                    self.say("Stopped: the list is taken back now. Stop once more to leave that to the next run.");
                }
            }
        }
    }

    async fn order_back(&self, by: Sentence, why: Sentence) -> anyhow::Result<()> {
        let order = Order { by, at: self.setup.clock(), why };
        self.kept.decide(self.id, |entry| entry.order_back(order.clone())).await
    }

    /// Prints what it has said since the last time.
    fn show(&self, entry: &Entry) {
        for said in entry.said.iter().skip(self.shown.replace(entry.said.len())) {
            self.say(&format!("{}.", sentence(&said.words)));
        }
    }

    /// Prints a line. Nobody need be there any more to read it, as when a terminal is closed: taking back goes on.
    fn say(&self, line: &str) {
        if let Err(error) = self.setup.print(&format!("{line}\n")) {
            warn!("{error:#}");
        }
    }

    fn left(&self) -> Exit {
        let key = match self.setup.config.apply_key_file {
            Some(_) => ", where it can read `apply_key_file`",
            None => "",
        };
        self.say(&format!(
            "Stopped again: the list is not taken back yet. Run `ip-fence` now; each run takes it back{key}."
        ));
        Exit::Nothing
    }
}

fn ended(entry: &Entry) -> Option<Exit> {
    match entry.state {
        State::Confirmed => Some(Exit::Concluded),
        State::Refused | State::Restored => Some(Exit::Findings),
        State::Conflict => Some(Exit::Nothing),
        State::Planned | State::Widened | State::Narrowed | State::Switched | State::Reverting => None,
    }
}
