//! Misbehaviour on order: which requests it hits, and what comes of several faults at once.
//!
//! What the kinds are is in `kind`; how each is done on the wire is in `net`, `portal` and `portal::reply`.

mod kind;
mod meanwhile;
mod moment;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use kind::{AnswerForm, FaultBody, FaultKind, LimitKind, Remembered, RowForm};
pub use meanwhile::{Intervention, Side};
pub use moment::Moment;

use crate::scenario::{Lateness, Traffic, mix};

/// One misbehaviour and the requests it hits.
///
/// All faults that fit a request apply at once, except that only the first of those that decide the answer does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Beginning of the path behind `/api/2.0/`, such as `security/audit/events`; empty for every route. `*` stands for
    /// one part of the path, and `$` at the end for its end: `files/rooms/*/share`, `files/rooms$`.
    #[serde(default)]
    pub route: String,
    /// HTTP method; absent for all.
    #[serde(default)]
    pub method: Option<String>,
    /// How many fitting requests are answered properly first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it hits; absent means all of them.
    #[serde(default)]
    pub times: Option<u32>,
    /// Number of the first request it may hit, counted from 1 over all routes.
    #[serde(default)]
    pub from_request: u64,
    /// First instant of the portal's clock at which it hits.
    #[serde(default)]
    pub from: Option<Moment>,
    /// Instant of the portal's clock from which on it no longer hits.
    #[serde(default)]
    pub until: Option<Moment>,
    /// How many of a hundred fitting requests it hits, drawn from `seed`; absent means all of them.
    #[serde(default)]
    pub percent: Option<u8>,
    /// Where `percent` and jitter come from; the same seed hits the same requests.
    #[serde(default)]
    pub seed: u64,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// A request, as far as faults look at it.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// Path behind `/api/2.0/`, in lower case.
    pub(crate) route: &'a str,
    pub(crate) method: &'a str,
    /// Number of the request, from 1.
    pub(crate) serial: u64,
    /// The portal's clock.
    pub(crate) now: DateTime<Utc>,
}

/// Everything that the faults do to one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// What is answered instead of the truth, or done to the answer.
    pub(crate) answer: Option<FaultKind>,
    /// Milliseconds before the answer.
    pub(crate) delay_ms: u64,
    /// Seconds by which the `Date` header is wrong.
    pub(crate) skew_seconds: i64,
    /// The audit filters are ignored.
    pub(crate) fallback: bool,
    /// Rows that arrive before the answer.
    pub(crate) arrive: Vec<Traffic>,
    /// Seconds by which the portal's clock moves before the answer.
    pub(crate) passing_seconds: i64,
    /// How late the rows come that the request writes.
    pub(crate) late: Option<Lateness>,
    /// A changed switch of the IP restrictions is lost.
    pub(crate) lost_switch: bool,
    /// The IP restrictions are those from before so many changes, or a half of them.
    pub(crate) stale: Vec<(usize, Option<Remembered>)>,
    /// What happens beside the request.
    pub(crate) meanwhile: Vec<FaultKind>,
}

impl Fault {
    /// A fault on every route, for every request.
    #[must_use]
    pub fn new(kind: FaultKind) -> Fault {
        Fault {
            route: String::new(),
            method: None,
            skip: 0,
            times: None,
            from_request: 0,
            from: None,
            until: None,
            percent: None,
            seed: 0,
            kind,
        }
    }

    /// The status with its usual body.
    #[must_use]
    pub fn status(status: u16) -> Fault {
        Fault::new(FaultKind::Status { status, body: None })
    }

    /// Somebody else does this before the request is answered.
    #[must_use]
    pub fn meanwhile(request: Intervention) -> Fault {
        Fault::new(FaultKind::Meanwhile { request: Box::new(request), side: Side::Before })
    }

    /// Somebody else does this right after the request was answered.
    #[must_use]
    pub fn afterwards(request: Intervention) -> Fault {
        Fault::new(FaultKind::Meanwhile { request: Box::new(request), side: Side::After })
    }

    /// So many rows of a list are left out, the last ones.
    #[must_use]
    pub fn fewer_rows(drop: u32) -> Fault {
        Fault::new(FaultKind::FewerRows { drop: Some(drop), at: None, total: None })
    }

    /// All rows of a list are left out; its total stays.
    #[must_use]
    pub fn no_rows() -> Fault {
        Fault::new(FaultKind::FewerRows { drop: None, at: None, total: None })
    }

    /// Only routes whose path behind `/api/2.0/` begins like this; `*` and `$` as for [`Fault::route`].
    #[must_use]
    pub fn on(mut self, route: &str) -> Fault {
        route.clone_into(&mut self.route);
        self
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Fault {
        self.method = Some(method.to_owned());
        self
    }

    /// Only so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Fault {
        self.times = Some(times);
        self
    }

    /// Not the first so many requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Fault {
        self.skip = skip;
        self
    }

    /// Not before the portal has been asked so often, on any route.
    #[must_use]
    pub fn from_request(mut self, number: u64) -> Fault {
        self.from_request = number;
        self
    }

    /// Only while the portal's clock is at or after `from`.
    #[must_use]
    pub fn from(mut self, from: Moment) -> Fault {
        self.from = Some(from);
        self
    }

    /// Only while the portal's clock is before `until`.
    #[must_use]
    pub fn until(mut self, until: Moment) -> Fault {
        self.until = Some(until);
        self
    }

    /// Only so many of a hundred fitting requests, drawn from the seed.
    #[must_use]
    pub fn percent(mut self, percent: u8, seed: u64) -> Fault {
        self.percent = Some(percent);
        self.seed = seed;
        self
    }

    /// A number below `bound` that depends on the seed and the request alone.
    fn draw(&self, serial: u64, salt: u64, bound: u64) -> u64 {
        mix(mix(self.seed ^ salt) ^ serial) % bound
    }

    /// Whether route, method, clock and number fit; counts nothing.
    fn fits(&self, sight: Sight<'_>) -> bool {
        begins(sight.route, &self.route)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(sight.method))
            && self.kind.concerns(sight.method, sight.route)
            && self.times != Some(0)
            && sight.serial >= self.from_request
            && self.from.is_none_or(|from| from.has_come(sight.now))
            && self.until.is_none_or(|until| !until.has_come(sight.now))
    }

    /// Counts a request and says whether it is hit.
    fn hits(&mut self, sight: Sight<'_>) -> bool {
        if !self.fits(sight) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.percent.is_some_and(|percent| self.draw(sight.serial, 1, 100) >= u64::from(percent)) {
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// How late rows come; never, where nothing says when.
fn lateness(requests: Option<u64>, seconds: Option<u32>) -> Lateness {
    let never = requests.is_none() && seconds.is_none();
    let time = chrono::Duration::seconds(seconds.unwrap_or_default().into());
    Lateness { requests: if never { NEVER } else { requests.unwrap_or_default() }, time, shuffle: None }
}

/// More requests than any test sends.
const NEVER: u64 = u64::MAX / 2;

/// Whether the path begins like the pattern; see [`Fault::route`].
fn begins(path: &str, pattern: &str) -> bool {
    let (pattern, whole) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut rest = path;
    for (index, literal) in pattern.split('*').enumerate() {
        if index > 0 {
            rest = rest.trim_start_matches(|letter| letter != '/');
        }
        let Some(after) = rest.strip_prefix(literal) else { return false };
        rest = after;
    }
    !whole || rest.is_empty()
}

/// Fixes the moments that are relative, so that moving the clock later moves it towards them.
pub(crate) fn resolve(faults: &mut [Fault], now: DateTime<Utc>) {
    for moment in faults.iter_mut().flat_map(|fault| [&mut fault.from, &mut fault.until]).flatten() {
        *moment = moment.fixed(now);
    }
}

/// What happens to this request; counts it at every fault that it meets.
pub(crate) fn take(faults: &mut [Fault], sight: Sight<'_>) -> Effects {
    let mut effects = Effects::default();
    if faults.is_empty() {
        return effects;
    }
    resolve(faults, sight.now);
    for fault in faults {
        if (fault.kind.is_answer() && effects.answer.is_some()) || !fault.hits(sight) {
            continue;
        }
        match &fault.kind {
            FaultKind::Latency { ms, jitter_ms } => {
                effects.delay_ms += ms + fault.draw(sight.serial, 2, jitter_ms + 1);
            }
            FaultKind::ClockSkew { seconds } => effects.skew_seconds += seconds,
            FaultKind::Fallback => effects.fallback = true,
            FaultKind::Arrive { traffic } => effects.arrive.extend(traffic.iter().cloned()),
            FaultKind::TimePasses { seconds } => effects.passing_seconds += seconds,
            FaultKind::LateRows { requests, seconds } => effects.late = Some(lateness(*requests, *seconds)),
            FaultKind::LostSwitch => effects.lost_switch = true,
            FaultKind::Stale { changes, what } => effects.stale.push((*changes, *what)),
            beside @ (FaultKind::Meanwhile { .. }
            | FaultKind::AccountChanges { .. }
            | FaultKind::EditorSaves { .. }) => {
                effects.meanwhile.push(beside.clone());
            }
            answer => effects.answer = Some(answer.clone()),
        }
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: &str = "security/audit/events/filter";

    fn sight(route: &str, serial: u64) -> Sight<'_> {
        Sight { route, method: "GET", serial, now: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_fault_hits_its_route_after_so_many_and_so_often() {
        let mut faults = vec![Fault::status(500).on("security/").after(1).times(2)];
        let mut hits = |route| take(&mut faults, sight(route, 1)).answer.is_some();
        assert!(!hits("people/@self"));
        assert!(!hits(EVENTS), "the first one is let through");
        assert!(hits(EVENTS));
        assert!(hits("security/audit/login/filter"));
        assert!(!hits("security/audit/login/filter"), "used up");
    }

    #[test]
    fn a_route_is_a_beginning_with_parts_left_open() {
        for (pattern, path, fits) in [
            ("", "files/rooms", true),
            ("files/rooms", "files/rooms/71/share", true),
            ("files/rooms$", "files/rooms", true),
            ("files/rooms$", "files/rooms/71", false),
            ("files/rooms/*/share", "files/rooms/71/share", true),
            ("files/rooms/*/share", "files/rooms/71/logo/share", false),
            ("files/rooms/*/share", "files/rooms/71", false),
            ("files/folder/*$", "files/folder/71", true),
            ("files/folder/*$", "files/folder/71/log", false),
        ] {
            assert_eq!(begins(path, pattern), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn the_first_answer_wins_and_the_others_wait_but_delays_add_up() {
        let delay = |ms| Fault::new(FaultKind::Latency { ms, jitter_ms: 0 });
        let mut faults = vec![delay(3), Fault::status(502).times(1), delay(4), Fault::status(504).times(1)];
        let mut statuses = Vec::new();
        for serial in 1..4 {
            let effects = take(&mut faults, sight(EVENTS, serial));
            assert_eq!(effects.delay_ms, 7);
            if let Some(FaultKind::Status { status, .. }) = effects.answer {
                statuses.push(status);
            }
        }
        assert_eq!(statuses, [502, 504]);
    }

    #[test]
    fn the_same_seed_hits_the_same_requests_and_about_as_many_as_asked_for() {
        let run = |seed| -> Vec<u64> {
            let mut faults = vec![Fault::status(500).percent(30, seed)];
            (1..=1000).filter(|&serial| take(&mut faults, sight(EVENTS, serial)).answer.is_some()).collect()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!((250..350).contains(&run(7).len()), "{}", run(7).len());
    }

    #[test]
    fn moments_count_from_the_time_the_fault_was_first_seen() {
        let mut faults = vec![Fault::status(500).from("+1h".parse().expect("a moment"))];
        let mut hit_at = |minutes| {
            let now = DateTime::UNIX_EPOCH + chrono::Duration::minutes(minutes);
            take(&mut faults, Sight { now, ..sight(EVENTS, 1) }).answer.is_some()
        };
        assert_eq!([0, 59, 60, 90].map(&mut hit_at), [false, false, true, true]);
    }
}
