//! Who may start when. Pure.
//!
//! There are N places for runs. One that is slow gives its place to the next, as long as fewer than N others have done so: at most twice N
//! are at work. The next run of a portal whose last one outlived its round counts as slow from its start, so that however many portals
//! hang, the others have the N places for themselves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

/// A run that takes longer is slow. Most take a second; the first one of a big portal takes minutes.
const SLOW_AFTER: Duration = Duration::from_secs(10);

/// Who waits and who is at work, by their settings files.
#[derive(Debug)]
pub(crate) struct Places {
    at_most: usize,
    slow_after: Duration,
    /// In the order in which they may start.
    waiting: Vec<Waiting>,
    at_work: Vec<AtWork>,
    /// Whose last run outlived its round.
    slow: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Waiting {
    portal: PathBuf,
    /// It does not start before.
    turn: Instant,
}

#[derive(Debug)]
struct AtWork {
    portal: PathBuf,
    since: Instant,
    /// Whether it counts as slow, however short it is at work.
    is_slow: bool,
    /// Whether a round ended without it.
    has_outlived: bool,
}

impl Places {
    /// `every`: between two rounds, where there are several.
    pub(crate) fn new(at_most: usize, every: Option<Duration>) -> Self {
        let slow_after = every.map_or(SLOW_AFTER, |every| every.min(SLOW_AFTER));
        Places { at_most, slow_after, waiting: Vec::new(), at_work: Vec::new(), slow: BTreeSet::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.at_work.is_empty()
    }

    pub(crate) fn is_anybody_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A portal that is neither waiting nor at work, behind those that wait.
    pub(crate) fn queue(&mut self, portal: PathBuf, turn: Instant) {
        self.waiting.push(Waiting { portal, turn });
    }

    /// Of those that wait, only these go on waiting.
    pub(crate) fn retain_waiting(&mut self, is_kept: impl Fn(&Path) -> bool) {
        self.waiting.retain(|it| is_kept(&it.portal));
    }

    /// The first portal that may start now; from now on it is at work.
    pub(crate) fn start(&mut self, now: Instant) -> Option<PathBuf> {
        let slow = self.at_work.iter().filter(|it| self.is_slow(it, now)).count();
        let has_place = self.at_work.len() - slow.min(self.at_most) < self.at_most;
        let has_slow_place = slow < self.at_most;
        let may_start =
            |it: &Waiting| it.turn <= now && if self.slow.contains(&it.portal) { has_slow_place } else { has_place };
        let first = self.waiting.iter().position(may_start)?;
        let portal = self.waiting.remove(first).portal;
        let is_slow = self.slow.contains(&portal);
        self.at_work.push(AtWork { portal: portal.clone(), since: now, is_slow, has_outlived: false });
        Some(portal)
    }

    /// Its run has ended. One that outlived its round only because it began late in it is not slow.
    pub(crate) fn end(&mut self, portal: &Path, now: Instant) {
        let Some(at) = self.at_work.iter().position(|it| it.portal == portal) else { return };
        let AtWork { portal, since, has_outlived, .. } = self.at_work.swap_remove(at);
        if has_outlived && since + self.slow_after <= now {
            self.slow.insert(portal);
        } else {
            self.slow.remove(&portal);
        }
    }

    /// A round ends without those who are at work.
    pub(crate) fn outlive(&mut self) {
        self.at_work.iter_mut().for_each(|it| (it.is_slow, it.has_outlived) = (true, true));
    }

    /// Whether a round that has had its time waits on: for a run that is not slow, or for one that will get a place without waiting for a
    /// slow one.
    pub(crate) fn holds_up(&self, now: Instant) -> bool {
        self.at_work.iter().any(|it| !self.is_slow(it, now))
            || self.waiting.iter().any(|it| !self.slow.contains(&it.portal))
    }

    /// When somebody may start, or a round may end, without anybody's run having ended.
    pub(crate) fn wakes(&self, now: Instant) -> Option<Instant> {
        let turns = self.waiting.iter().map(|it| it.turn);
        let slow = self.at_work.iter().filter(|it| !it.is_slow).map(|it| it.since + self.slow_after);
        turns.chain(slow).filter(|moment| *moment > now).min()
    }

    fn is_slow(&self, run: &AtWork, now: Instant) -> bool {
        run.is_slow || run.since + self.slow_after <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// So many places, and these portals waiting from now on.
    fn places(at_most: usize, portals: &[&str]) -> (Places, Instant) {
        let (mut places, now) = (Places::new(at_most, Some(60 * SECOND)), Instant::now());
        queue(&mut places, portals, now);
        (places, now)
    }

    fn queue(places: &mut Places, portals: &[&str], now: Instant) {
        portals.iter().for_each(|portal| places.queue(portal.into(), now));
    }

    /// All that may start.
    fn started(places: &mut Places, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| places.start(now)).map(|portal| portal.display().to_string()).collect()
    }

    fn end(places: &mut Places, portals: &[&str], now: Instant) {
        portals.iter().for_each(|portal| places.end(Path::new(portal), now));
    }

    #[test]
    fn so_many_are_at_work_in_their_order() {
        let (mut places, now) = places(2, &["a", "b", "c", "d"]);
        assert_eq!(started(&mut places, now), ["a", "b"]);
        end(&mut places, &["b"], now);
        assert_eq!(started(&mut places, now + SECOND), ["c"]);
        end(&mut places, &["a", "c"], now);
        assert_eq!(started(&mut places, now + SECOND), ["d"]);
        assert!(!places.is_anybody_waiting() && !places.is_empty());
        end(&mut places, &["d"], now);
        assert!(places.is_empty());
    }

    #[test]
    fn nobody_starts_before_their_turn() {
        let (mut places, now) = places(2, &[]);
        places.queue("a".into(), now);
        places.queue("b".into(), now + SECOND);
        assert_eq!(started(&mut places, now), ["a"]);
        assert_eq!(places.wakes(now), Some(now + SECOND));
        assert_eq!(started(&mut places, now + SECOND), ["b"]);
    }

    /// As many hang as there are places: the others get theirs, and more than twice as many never work.
    #[test]
    fn those_that_hang_give_their_places_away() {
        let (mut places, now) = places(2, &["a", "b", "c", "d", "e", "f"]);
        assert_eq!(started(&mut places, now), ["a", "b"]);
        assert_eq!(places.wakes(now), Some(now + SLOW_AFTER));
        assert_eq!(started(&mut places, now + SLOW_AFTER - SECOND), [""; 0]);
        let later = now + SLOW_AFTER;
        assert_eq!(started(&mut places, later), ["c", "d"]);
        end(&mut places, &["c"], later);
        assert_eq!(started(&mut places, later), ["e"], "two hang, two places are left");
        assert_eq!(started(&mut places, later + 2 * SLOW_AFTER), [""; 0], "four are at work, and all hang");
        end(&mut places, &["b"], later);
        assert_eq!(started(&mut places, later + 2 * SLOW_AFTER), ["f"]);
    }

    #[test]
    fn a_round_waits_for_nobody_who_is_slow() {
        let (mut places, now) = places(1, &["a", "b"]);
        assert_eq!(started(&mut places, now), ["a"]);
        assert!(places.holds_up(now + SLOW_AFTER), "b has not had its turn");
        assert_eq!(started(&mut places, now + SLOW_AFTER), ["b"]);
        assert!(places.holds_up(now + SLOW_AFTER), "b may end soon");
        assert!(!places.holds_up(now + 2 * SLOW_AFTER));
    }

    /// More than twice as many hang as there are places, and none did before: each of the others waits until one of them has ended, and so
    /// does the round, however long ago the next one was due.
    #[test]
    fn where_more_hang_than_may_be_at_work_the_others_wait_and_none_is_lost() {
        let (mut places, now) = places(2, &["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(started(&mut places, now), ["a", "b"]);
        let mut later = now + SLOW_AFTER;
        assert_eq!(started(&mut places, later), ["c", "d"]);
        later = now + 100 * SLOW_AFTER;
        assert_eq!(started(&mut places, later), [""; 0]);
        assert_eq!(places.wakes(later), None, "until a run ends");
        assert!(places.holds_up(later), "e, f and g have not had their turn");
        end(&mut places, &["a"], later);
        assert_eq!(started(&mut places, later), ["e"]);
        later += SLOW_AFTER;
        assert_eq!(started(&mut places, later), [""; 0], "e hangs, too");
        assert!(places.holds_up(later), "f and g have not had their turn");
        end(&mut places, &["b"], later);
        assert_eq!(started(&mut places, later), ["f"]);
        end(&mut places, &["f"], later);
        assert_eq!(started(&mut places, later), ["g"]);
        end(&mut places, &["g"], later);
        assert!(!places.is_anybody_waiting() && !places.holds_up(later), "c, d and e are told when they end");
        places.outlive();
        // from the next round on they are known to hang
        let due = later + SLOW_AFTER;
        end(&mut places, &["c", "d", "e"], due);
        queue(&mut places, &["c", "d", "e", "f", "g"], due);
        assert_eq!(started(&mut places, due), ["c", "d", "f", "g"]);
        end(&mut places, &["f", "g"], due);
        assert!(!places.holds_up(due), "e waits for c or d");
    }

    /// However many hang: they wait for each other, and neither the others nor the round wait for them.
    #[test]
    fn portals_that_outlived_their_round_take_nobody_elses_place() {
        let (mut places, now) = places(2, &["a", "b", "c"]);
        let mut later = now;
        // each takes long
        for portal in ["a", "b", "c"] {
            started(&mut places, later);
            later += SLOW_AFTER;
            places.outlive();
            end(&mut places, &[portal], later);
        }
        queue(&mut places, &["a", "b", "c", "d", "e", "f"], later);
        assert_eq!(started(&mut places, later), ["a", "b", "d", "e"]);
        end(&mut places, &["d", "e"], later);
        assert_eq!(started(&mut places, later), ["f"]);
        end(&mut places, &["f"], later);
        assert!(!places.holds_up(later), "c waits for a or b");
        // a was quick this time, and b was not
        end(&mut places, &["a"], later);
        assert_eq!(started(&mut places, later), ["c"]);
        places.outlive();
        later += SLOW_AFTER;
        end(&mut places, &["b", "c"], later);
        queue(&mut places, &["a", "b", "c", "d"], later);
        assert_eq!(started(&mut places, later), ["a", "b", "c", "d"]);
        assert!(places.holds_up(later), "a and d are like all others");
        end(&mut places, &["a", "d"], later);
        assert!(!places.holds_up(later));
    }

    /// Where starts are spread over the time between two rounds, one of them has its turn just before the next round.
    #[test]
    fn who_was_slow_once_and_is_quick_now_is_like_all_others() {
        let (mut places, now) = places(2, &["a", "b"]);
        started(&mut places, now);
        places.outlive();
        let later = now + 70 * SECOND;
        end(&mut places, &["a", "b"], later);
        places.queue("a".into(), later + 59 * SECOND);
        queue(&mut places, &["b"], later);
        assert_eq!(started(&mut places, later), ["b"]);
        assert_eq!(started(&mut places, later + 59 * SECOND), ["a"]);
        let due = later + 60 * SECOND;
        assert!(!places.holds_up(due), "both may hang again");
        places.outlive();
        end(&mut places, &["a", "b"], due + SECOND);
        queue(&mut places, &["a", "b"], due + 60 * SECOND);
        assert_eq!(started(&mut places, due + 60 * SECOND), ["a", "b"]);
        places.end(Path::new("b"), due + 60 * SECOND);
        assert!(places.holds_up(due + 61 * SECOND), "a took two seconds");
    }

    #[test]
    fn where_rounds_are_short_slow_is_longer_than_one() {
        let mut places = Places::new(1, Some(SECOND));
        let now = Instant::now();
        queue(&mut places, &["a"], now);
        started(&mut places, now);
        assert!(!places.holds_up(now + SECOND));
    }
}
