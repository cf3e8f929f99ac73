//! Models of what acts: schedules of crashes, lost answers and other people, each from a number, so that it can be repeated.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::Range;
use std::task::Poll;

/// SplitMix64: the same schedule for the same seed, on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than so many, from 0 on.
    pub fn below(&mut self, many: u64) -> u64 {
        self.next() % many
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Lets others in once.
pub async fn others() {
    let mut was_asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut was_asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// How often each thing was reached.
type Reached = BTreeMap<&'static str, u64>;

/// What is wrong with schedules, by their numbers.
type Failed = Vec<(u64, Vec<String>)>;

/// How a schedule went.
pub struct Played {
    /// How often each thing was reached.
    pub reached: BTreeMap<&'static str, u64>,
    /// What must not be, and was.
    pub wrong: Vec<String>,
    /// What happened, where it was asked for.
    pub log: Vec<String>,
}

/// Schedules of a test run.
const USUAL: u64 = 2_000;

/// Plays 2 000 schedules on two threads, or as many as `SCHEDULES` says, from `FIRST_SCHEDULE` on; panics with all that are wrong and the log
/// of the first. Each thing of `expected` has to be reached in one of so many schedules, because a test that reaches nothing proves nothing.
pub fn play(run: impl Fn(u64, bool) -> Played + Sync, expected: &[(&str, u64)]) {
    let set = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    play_those((set("FIRST_SCHEDULE", 0), set("SCHEDULES", USUAL)), run, expected);
}

/// So many schedules, from the first on.
fn play_those((first, many): (u64, u64), run: impl Fn(u64, bool) -> Played + Sync, expected: &[(&str, u64)]) {
    let half = first + many / 2;
    let halves = std::thread::scope(|scope| {
        let other = scope.spawn(|| of(&run, half..first + many));
        [of(&run, first..half), other.join().unwrap()]
    });
    let (mut reached, mut failed) = (Reached::new(), Failed::new());
    for (of_half, failed_of_half) in halves {
        of_half.into_iter().for_each(|(what, times)| *reached.entry(what).or_default() += times);
        failed.extend(failed_of_half);
    }
    if let Some((seed, _)) = failed.first() {
        let log = run(*seed, true).log.join("\n");
        panic!("{} of {many} schedules failed: {failed:#?}\nschedule {seed}:\n{log}", failed.len());
    }
    for (what, at_most) in expected.iter().filter(|_| many >= 1_000) {
        let times = reached.get(what).copied().unwrap_or_default();
        assert!(times >= many / at_most, "{what} was reached {times} times in {many} schedules: {reached:?}");
    }
}

/// How often each thing was reached, and what is wrong, by the number of the schedule.
fn of(run: &impl Fn(u64, bool) -> Played, seeds: Range<u64>) -> (Reached, Failed) {
    let (mut reached, mut failed) = (Reached::new(), Failed::new());
    for seed in seeds {
        let played = run(seed, false);
        played.reached.into_iter().for_each(|(what, times)| *reached.entry(what).or_default() += times);
        failed.extend((!played.wrong.is_empty()).then_some((seed, played.wrong)));
    }
    (reached, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(seed: u64) -> Played {
        let wrong = if seed == 3 { vec!["three".to_owned()] } else { Vec::new() };
        Played { reached: BTreeMap::from([("begun", 1)]), wrong, log: vec![format!("log of {seed}")] }
    }

    #[test]
    #[should_panic(expected = "log of 3")]
    fn what_is_wrong_is_told_with_its_log() {
        play_those((0, USUAL), |seed, _| played(seed), &[]);
    }

    #[test]
    #[should_panic(expected = "ended was reached 0 times")]
    fn what_is_never_reached_proves_nothing() {
        play_those((0, USUAL), |seed, _| Played { wrong: Vec::new(), ..played(seed) }, &[("begun", 1), ("ended", 50)]);
    }
}
