//! What is tried again, and after how long. Deciding is pure; only [`with_retries`] waits.

use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use backon::{ConstantBuilder, Retryable};

/// How often a failed call may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Somebody must act first, or repeating could do a thing twice.
    Never,
    /// Usually fails for ever, but not always: one more try.
    Once,
    /// Overload and broken connections: three tries in all. `after` is what the server asked for.
    Often { after: Option<Duration> },
    /// The server is well, but wants to be left alone for this long. Asked again and again, as long as there is time.
    Later { after: Duration },
}

/// A server that refuses so often in a row is not going to have time for us.
const LATER_TRIES: u32 = 8;

/// By how much pauses that a server asked for are spread at most.
const LONGEST_SPREAD: Duration = Duration::from_secs(5);

/// How long to wait between tries.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Before the second try; doubles from there.
    pub base: Duration,
    /// A server that asks for a longer pause is not waited for where there is no deadline: the next scheduled run is the better retry.
    pub longest: Duration,
    /// No pause ends after this; any that a server asks for and that ends before is waited for.
    pub deadline: Option<Instant>,
    /// Tests decide as programs do, but wait for nothing.
    waits: bool,
}

impl Default for RetryPolicy {
    /// 1 s, then 2 s; a `Retry-After` of up to 30 s is obeyed.
    fn default() -> Self {
        let (base, longest) = (Duration::from_secs(1), Duration::from_secs(30));
        RetryPolicy { base, longest, deadline: None, waits: true }
    }
}

impl RetryPolicy {
    /// The same tries without waiting, for tests.
    pub fn immediate() -> Self {
        RetryPolicy { base: Duration::ZERO, waits: false, ..RetryPolicy::default() }
    }

    /// The same, with as much patience as this moment leaves.
    #[must_use]
    pub fn until(self, deadline: Option<Instant>) -> Self {
        RetryPolicy { deadline, ..self }
    }

    /// The pause after `failures` failed tries (1 or more), or `None` when that was the last one. `left` is the time up to the
    /// deadline, if there is one.
    ///
    /// `spread` in `0.0..=1.0` adds up to half of the pause, so that programs started by the same cron minute drift apart.
    pub fn delay_before(&self, failures: u32, repeat: Repeat, spread: f64, left: Option<Duration>) -> Option<Duration> {
        let (tries, after) = match repeat {
            Repeat::Never => (1, None),
            Repeat::Once => (2, None),
            Repeat::Often { after } => (3, after),
            Repeat::Later { after } => (LATER_TRIES, Some(after)),
        };
        if failures >= tries {
            return None;
        }
        let own = match repeat {
            Repeat::Later { after } => after.max(self.base).min(2 * LONGEST_SPREAD),
            _ => self.base * 2u32.saturating_pow(failures.saturating_sub(1)),
        };
        let pause = own.max(after.unwrap_or_default()) + own.mul_f64(spread.clamp(0.0, 1.0) / 2.0);
        let fits = match left {
            Some(left) => pause < left,
            None => after.is_none_or(|after| after <= self.longest),
        };
        fits.then_some(pause)
    }
}

/// Calls until it succeeds or `judge` and the policy say that it is over; the last error is handed back.
pub async fn with_retries<T, E, F, Fut>(policy: RetryPolicy, call: F, judge: impl Fn(&E) -> Repeat) -> Result<T, E>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let mut failures = 0;
    call.retry(ConstantBuilder::default().with_delay(Duration::ZERO).without_max_times())
        .adjust(|error, _| {
            failures += 1;
            let left = policy.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let pause = policy.delay_before(failures, judge(error), spread(), left)?;
            Some(if policy.waits { pause } else { Duration::ZERO })
        })
        .await
}

/// A number in `0.0..1.0` that differs between processes and tries.
fn spread() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

/// Reads a `Retry-After` header: seconds, or a date that is compared with the answer's own `Date`.
pub fn parse_retry_after(value: &str, answered_at: Option<SystemTime>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    Some(date.duration_since(answered_at?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_and_end() {
        let policy = RetryPolicy::default();
        let often = Repeat::Often { after: None };
        assert_eq!(policy.delay_before(1, often, 0.0, None), Some(SECOND));
        assert_eq!(policy.delay_before(2, often, 0.0, None), Some(2 * SECOND));
        assert_eq!(policy.delay_before(2, often, 1.0, None), Some(3 * SECOND));
        assert_eq!(policy.delay_before(3, often, 0.0, None), None);
        assert_eq!(policy.delay_before(1, Repeat::Once, 0.0, None), Some(SECOND));
        assert_eq!(policy.delay_before(2, Repeat::Once, 0.0, None), None);
        assert_eq!(policy.delay_before(1, Repeat::Never, 0.0, None), None);
    }

    #[test]
    fn the_server_may_ask_for_more_but_not_for_too_much() {
        let policy = RetryPolicy::default();
        let asked = |seconds| Repeat::Often { after: Some(Duration::from_secs(seconds)) };
        assert_eq!(policy.delay_before(1, asked(20), 0.0, None), Some(20 * SECOND));
        assert_eq!(policy.delay_before(1, asked(0), 0.0, None), Some(SECOND));
        assert_eq!(policy.delay_before(1, asked(31), 0.0, None), None);
    }

    #[test]
    fn with_a_deadline_whatever_ends_before_it_is_waited_for() {
        let policy = RetryPolicy::default();
        let later = Repeat::Later { after: 600 * SECOND };
        assert_eq!(policy.delay_before(1, later, 0.0, None), None, "nobody knows how much time there is");
        assert_eq!(policy.delay_before(1, later, 0.0, Some(601 * SECOND)), Some(600 * SECOND));
        assert_eq!(policy.delay_before(7, later, 1.0, Some(3600 * SECOND)), Some(605 * SECOND), "pauses do not double");
        assert_eq!(policy.delay_before(8, later, 0.0, Some(3600 * SECOND)), None);
        assert_eq!(policy.delay_before(1, later, 0.0, Some(600 * SECOND)), None);
        let often = Repeat::Often { after: Some(40 * SECOND) };
        assert_eq!(policy.delay_before(1, often, 0.0, Some(60 * SECOND)), Some(40 * SECOND));
        assert_eq!(policy.delay_before(2, Repeat::Often { after: None }, 0.0, Some(SECOND)), None);
    }

    #[tokio::test]
    async fn nothing_is_tried_again_after_the_deadline() {
        for (deadline, expected) in [(Instant::now(), 1), (Instant::now() + 3600 * SECOND, 8)] {
            let tries = Cell::new(0);
            let call = || {
                tries.set(tries.get() + 1);
                async { Err::<(), _>("later") }
            };
            let policy = RetryPolicy::immediate().until(Some(deadline));
            assert_eq!(with_retries(policy, call, |_| Repeat::Later { after: 60 * SECOND }).await, Err("later"));
            assert_eq!(tries.get(), expected);
        }
    }

    #[test]
    fn retry_after_in_both_forms() {
        let answered = httpdate::parse_http_date("Fri, 20 Nov 2026 09:00:00 GMT").unwrap();
        let at = |text| parse_retry_after(text, Some(answered));
        assert_eq!(at("7"), Some(7 * SECOND));
        assert_eq!(at("Fri, 20 Nov 2026 09:00:12 GMT"), Some(12 * SECOND));
        assert_eq!(at("Fri, 20 Nov 2026 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(at("soon"), None);
    }

    #[tokio::test]
    async fn three_tries_for_overload_two_for_a_fault_one_for_a_refusal() {
        for (repeat, expected) in [(Repeat::Often { after: None }, 3), (Repeat::Once, 2), (Repeat::Never, 1)] {
            let tries = Cell::new(0);
            let call = || {
                tries.set(tries.get() + 1);
                async { Err::<(), _>("no") }
            };
            assert_eq!(with_retries(RetryPolicy::immediate(), call, |_| repeat).await, Err("no"));
            assert_eq!(tries.get(), expected);
        }
    }

    #[tokio::test]
    async fn the_second_try_may_succeed() {
        let tries = Cell::new(0);
        let call = || {
            tries.set(tries.get() + 1);
            let result = if tries.get() == 2 { Ok("yes") } else { Err("no") };
            async move { result }
        };
        assert_eq!(with_retries(RetryPolicy::immediate(), call, |_| Repeat::Once).await, Ok("yes"));
    }
}
