//! `fleet`: the job for many portals. Each run is a child process of the same program with settings of its own, so that none can take
//! another's memory, time or life; here is only when a round begins and ends, and what is said of all portals together.

mod arguments;
mod child;
mod crew;
mod outcome;
mod places;
mod portals;
mod round;
mod summary;
mod textfiles;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use job_store::{Acquired, RunLock};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use self::arguments::Arguments;
use self::crew::Crew;
use self::places::Places;
use self::round::Round;
use self::summary::Summary;
use crate::args::{CommonArgs, FleetArgs};
use crate::config::Sources;
use crate::exit::Exit;
use crate::explained::Explained;
use crate::program::Program;
use crate::setup;
use crate::stop::Signals;

/// Names the file that a run of a fleet makes when it leaves its portal to another run. It ends with 0 and prints nothing, as one does that
/// has found nothing.
pub(crate) const LEFT_VARIABLE: &str = "AUDIT_TOOLS_FLEET_LEFT";

/// So long metrics wait for those of other portals, with which they are written.
const MERGE_AFTER: Duration = Duration::from_secs(1);

/// However long it takes to read the settings of all portals, a round lasts so long after that, if it is not to be shorter.
const LEAST_ROUND: Duration = Duration::from_secs(1);

/// Looks at every portal of the folder, once or until somebody ends it.
pub(crate) async fn run<P: Program>(
    (args, fleet): (&CommonArgs, &FleetArgs),
    sources: &Sources,
    mut signals: Signals,
) -> anyhow::Result<Exit> {
    arguments::refuse_one_for_all(args, sources)?;
    let arguments = Arguments::of::<P>(args)?;
    let lock = match lock::<P>(args, fleet, sources)? {
        Ok(lock) => lock,
        Err(exit) => return Ok(exit),
    };
    let places = Places::new(fleet.at_most.into(), fleet.every.map(|every| every.0));
    let mut rounds = Rounds { args, fleet, sources, arguments: &arguments, crew: Crew::new(&arguments, places), lock };
    let exit = rounds.run::<P>(&mut signals).await;
    if exit.is_err() {
        rounds.give_up::<P>(&mut signals).await;
    }
    exit
}

/// The lock of this fleet, beside what is remembered of its first portal, so that two do not start the runs of the same folder at once;
/// else what to end with. None in a dry run, and where no portal is remembered in a file: of a server, each run finds out whether another
/// one is at work.
fn lock<P: Program>(
    args: &CommonArgs,
    fleet: &FleetArgs,
    sources: &Sources,
) -> anyhow::Result<Result<Option<RunLock>, Exit>> {
    let portals = portals::read::<P>(&fleet.portals, sources)?;
    let Some(state) = portals.iter().find_map(|portal| portal.state.as_ref()).filter(|_| !args.dry_run) else {
        return Ok(Ok(None));
    };
    let folder = fleet.portals.canonicalize().unwrap_or_else(|_| fleet.portals.clone());
    let name = audit_model::fingerprint(&[P::ABOUT.name, &folder.to_string_lossy()]);
    match RunLock::acquire(&state.join(format!("{}-fleet-{name}.lock", P::ABOUT.name)), setup::now()) {
        Ok(Acquired::Locked(lock)) => Ok(Ok(Some(lock))),
        Ok(Acquired::Held { .. }) => {
            warn!("another fleet is still at work on these portals; this one ends without doing anything");
            Ok(Err(Exit::Concluded))
        }
        Err(error) => {
            warn!("going on without a lock: {}", Explained::of(&error.into()));
            Ok(Ok(None))
        }
    }
}

/// Round after round, each over the portals of which no run goes on.
struct Rounds<'a> {
    args: &'a CommonArgs,
    fleet: &'a FleetArgs,
    sources: &'a Sources,
    arguments: &'a Arguments,
    crew: Crew<'a>,
    /// A fleet that looks once gives it back when all its runs have begun: each of them has a lock of its own.
    lock: Option<RunLock>,
}

impl Rounds<'_> {
    /// One round, or one after the other until somebody ends the fleet; how the last one ended.
    async fn run<P: Program>(&mut self, signals: &mut Signals) -> anyhow::Result<Exit> {
        loop {
            let began = Instant::now();
            // what the settings say is read again each time
            let round = Arc::new(Round::prepare::<P>(&self.fleet.portals, self.sources, self.args.dry_run)?);
            let due = self.fleet.every.map(|every| next_round(began, every.0, Instant::now()));
            self.queue(&round, began);
            let is_stopped = self.work::<P>(due, signals).await;
            let exit = self.tell::<P>(round.started_at)?;
            let Some(due) = due.filter(|_| !is_stopped) else { return Ok(exit) };
            // the next round has begun already where one of this round's runs goes on
            if self.crew.is_idle() && timeout_at(due, signals.next()).await.is_ok() {
                return Ok(exit);
            }
        }
    }

    /// Gives every portal its turn.
    fn queue(&mut self, round: &Arc<Round>, began: Instant) {
        let spread = self.fleet.spread.map_or(Duration::ZERO, |spread| spread.0);
        self.crew.queue(round.runs().zip(turns(began, spread, round.portals.len())));
    }

    /// Until every run has ended, or the next round is due and nothing goes on but what takes long. Whether somebody ended the fleet
    /// meanwhile.
    async fn work<P: Program>(&mut self, due: Option<Instant>, signals: &mut Signals) -> bool {
        // somebody may have done so while the last round was told
        let mut is_stopped = signals.next().now_or_never().is_some();
        if is_stopped {
            self.crew.stop();
        }
        let (mut merged, mut merge_at) = (0, None);
        loop {
            let now = Instant::now();
            self.crew.start(now);
            if due.is_none() && !self.crew.is_anybody_waiting() {
                self.lock = None;
            }
            let is_due = due.is_some_and(|due| due <= now) && !is_stopped;
            if self.crew.is_idle() || is_due && !self.crew.holds_up(now) {
                break;
            }
            let wakes = [self.crew.wakes(now), due.filter(|due| *due > now), merge_at];
            let wakes = wakes.into_iter().flatten().min();
            tokio::select! {
                biased;
                // before the end of one run starts another
                () = signals.next(), if !is_stopped => {
                    warn!("somebody ends this fleet; its runs conclude with what they have read");
                    is_stopped = true;
                    self.crew.stop();
                }
                () = next_end_by(&mut self.crew, wakes) => {}
            }
            let ended = self.crew.ended().len();
            if merge_at.is_some_and(|at| at <= Instant::now()) {
                textfiles::merge::<P>(&self.crew.ended()[merged..]).await;
                (merged, merge_at) = (ended, None);
            } else if ended > merged && merge_at.is_none() {
                merge_at = Some(Instant::now() + MERGE_AFTER);
            }
        }
        textfiles::merge::<P>(&self.crew.ended()[merged..]).await;
        is_stopped
    }

    /// Says of all portals what there is to say; their worst exit code.
    fn tell<P: Program>(&mut self, started_at: DateTime<Utc>) -> anyhow::Result<Exit> {
        let outcomes = self.crew.tell();
        let summary = Summary { about: &P::ABOUT, started_at, dry_run: self.args.dry_run, outcomes: &outcomes };
        let unwritten = summary.write_files(&self.arguments.summaries);
        let printed = summary.print(self.args.format);
        outcomes.iter().filter(|outcome| outcome.took.is_some()).for_each(|outcome| outcome.run.clear());
        printed?;
        unwritten.iter().for_each(|why| error!("{why}"));
        let usage = (!unwritten.is_empty()).then_some(Exit::Usage);
        Ok(Exit::worst([summary.exit()].into_iter().chain(usage)))
    }

    /// No further round can begin, or nobody can be told. What is at work concludes, and is told as far as that goes.
    async fn give_up<P: Program>(&mut self, signals: &mut Signals) {
        if self.crew.is_idle() {
            return;
        }
        self.crew.stop();
        self.work::<P>(None, signals).await;
        if let Err(failure) = self.tell::<P>(setup::now()) {
            error!("{failure:#}");
        }
    }
}

/// When each of so many portals has its turn in a round that began then: evenly over the spread, the first one at once, and after the last
/// one as long as between any two.
fn turns(began: Instant, spread: Duration, count: usize) -> impl Iterator<Item = Instant> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let step = spread.checked_div(count).unwrap_or_default();
    (0..count).map(move |number| began + step * number)
}

/// When the round after this one begins. This one began then, and has been prepared `now`: where that alone took all the time, it still has a
/// moment left for runs that end and for signals.
fn next_round(began: Instant, every: Duration, now: Instant) -> Instant {
    (began + every).max(now + every.min(LEAST_ROUND))
}

/// Until a run ends, or until then.
async fn next_end_by(crew: &mut Crew<'_>, wakes: Option<Instant>) {
    match wakes {
        Some(wakes) => drop(timeout_at(wakes, crew.next_end()).await),
        None => crew.next_end().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that the starts of many portals are no one moment, and those of the next round follow as those of this one did.
    #[test]
    fn starts_are_spread_evenly_from_the_beginning_of_the_round_on() {
        let began = Instant::now();
        let turns = |spread: u64, count| -> Vec<Duration> {
            turns(began, Duration::from_secs(spread), count).map(|turn| turn - began).collect()
        };
        assert_eq!(turns(60, 4), [0, 15, 30, 45].map(Duration::from_secs));
        assert_eq!(turns(50, 3), [0, 16_666_666_666, 33_333_333_332].map(Duration::from_nanos));
        assert_eq!(turns(60, 1), [Duration::ZERO]);
        assert_eq!(turns(0, 3), [Duration::ZERO; 3]);
    }

    #[test]
    fn a_round_has_time_also_where_its_settings_are_read_slowly() {
        let began = Instant::now();
        let [second, minute] = [1, 60].map(Duration::from_secs);
        assert_eq!(next_round(began, minute, began + second), began + minute);
        assert_eq!(next_round(began, minute, began + 2 * minute), began + 2 * minute + second);
        assert_eq!(next_round(began, second / 2, began + second), began + second + second / 2);
    }
}
