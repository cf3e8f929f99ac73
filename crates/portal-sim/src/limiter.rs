//! The portal's limiters: requests per minute, requests at once, changes per day, calls of sensitive routes.
//!
//! Off by default, as on a self-hosted portal. They count by person, or by address for those who are not signed in, on
//! the portal's clock. What a refusal looks like is in `portal::reply`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::fault::LimitKind;

/// Which limiters are on, and their limits; absent is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests of any verb within a minute.
    pub minute: Option<u32>,
    /// GET requests at the same time.
    pub reads: Option<u32>,
    /// Other requests at the same time.
    pub writes: Option<u32>,
    /// POST and PUT within 24 hours from the first one.
    pub day: Option<u32>,
    /// Calls of one sensitive route within a quarter of an hour.
    pub sensitive: Option<u32>,
}

impl Limits {
    /// All limiters with the portal's defaults, as in the cloud.
    #[must_use]
    pub fn usual() -> Limits {
        Limits {
            minute: Some(LimitKind::Minute.usual()),
            reads: Some(LimitKind::Reads.usual()),
            writes: Some(LimitKind::Writes.usual()),
            day: Some(LimitKind::Day.usual()),
            sensitive: Some(LimitKind::Sensitive.usual()),
        }
    }

    fn any(self) -> bool {
        self != Limits::default()
    }
}

/// After this time a request no longer counts as running.
const SLOT_SECONDS: i64 = 60;
const SENSITIVE_MINUTES: i64 = 15;

/// What was counted so far; shared by all requests of a simulator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limiter(Arc<Mutex<HashMap<String, Budget>>>);

/// The budget of one person or address.
#[derive(Debug, Default)]
struct Budget {
    minute: VecDeque<DateTime<Utc>>,
    sensitive: HashMap<String, VecDeque<DateTime<Utc>>>,
    reads: Vec<(u64, DateTime<Utc>)>,
    writes: Vec<(u64, DateTime<Utc>)>,
    day: Option<(DateTime<Utc>, u32)>,
}

/// A request, as far as limiters look at it.
pub(crate) struct Entry<'a> {
    /// Id of the person, or the address.
    pub(crate) who: String,
    pub(crate) method: &'a str,
    /// Path behind `/api/2.0/`, in lower case.
    pub(crate) route: &'a str,
    /// Number of the request.
    pub(crate) serial: u64,
    pub(crate) now: DateTime<Utc>,
}

/// Which limiter refuses, and what its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) limit: u32,
    /// Seconds to wait; only the day's limit tells.
    pub(crate) retry_after: Option<i64>,
}

/// A running request; it counts as running until this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    limiter: Limiter,
    who: String,
    serial: u64,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut budgets = self.limiter.lock();
        if let Some(budget) = budgets.get_mut(&self.who) {
            for running in [&mut budget.reads, &mut budget.writes] {
                running.retain(|(serial, _)| *serial != self.serial);
            }
        }
    }
}

impl Limiter {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Budget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the request in, or says who refuses it. What an earlier limiter counted stays counted.
    pub(crate) fn admit(&self, limits: Limits, entry: Entry<'_>) -> Result<Option<Slot>, Refusal> {
        if !limits.any() {
            return Ok(None);
        }
        let mut budgets = self.lock();
        let budget = budgets.entry(entry.who.clone()).or_default();
        let refuse = |limit| Err(Refusal { limit, retry_after: None });
        if let Some(limit) = limits.minute
            && !slide(&mut budget.minute, limit, Duration::minutes(1), entry.now)
        {
            return refuse(limit);
        }
        let read = entry.method == "GET";
        let (running, limit) =
            if read { (&mut budget.reads, limits.reads) } else { (&mut budget.writes, limits.writes) };
        running.retain(|(_, since)| entry.now - *since < Duration::seconds(SLOT_SECONDS));
        if let Some(limit) = limit
            && running.len() >= limit as usize
        {
            return refuse(limit);
        }
        if let Some(limit) = limits.day
            && matches!(entry.method, "POST" | "PUT")
        {
            let (start, count) =
                budget.day.filter(|(start, _)| entry.now < *start + Duration::days(1)).unwrap_or((entry.now, 0));
            if count >= limit {
                let wait = (start + Duration::days(1) - entry.now).num_seconds();
                return Err(Refusal { limit, retry_after: Some(wait) });
            }
            budget.day = Some((start, count + 1));
        }
        if let Some(limit) = limits.sensitive
            && is_sensitive(entry.method, entry.route)
            && !slide(
                budget.sensitive.entry(entry.route.to_owned()).or_default(),
                limit,
                Duration::minutes(SENSITIVE_MINUTES),
                entry.now,
            )
        {
            return refuse(limit);
        }
        let running = if read { &mut budget.reads } else { &mut budget.writes };
        running.push((entry.serial, entry.now));
        Ok(Some(Slot { limiter: self.clone(), who: entry.who, serial: entry.serial }))
    }
}

/// Counts one more within the sliding window, unless it is full.
fn slide(times: &mut VecDeque<DateTime<Utc>>, limit: u32, window: Duration, now: DateTime<Utc>) -> bool {
    while times.front().is_some_and(|oldest| *oldest + window <= now) {
        times.pop_front();
    }
    if times.len() >= limit as usize {
        return false;
    }
    times.push_back(now);
    true
}

/// Routes with their own small budget. None of audit, logins, restrictions, status, rooms or uploads is among them.
fn is_sensitive(method: &str, route: &str) -> bool {
    let parts: Vec<&str> = route.split('/').collect();
    matches!(
        (method, &parts[..]),
        ("POST", ["keys"] | ["people", "email" | "password"] | ["settings", "sendadmmail"])
            | ("POST", ["portal", "suspend" | "delete"])
            | ("POST", ["files", "rooms", _, "resend"] | ["files", "file", _, "sendeditornotify"])
            | ("PUT", ["people", "self", "delete"] | ["people", _, "password" | "email"] | ["people", "invite"])
            | ("PUT", ["settings", "webhook", "retry"] | ["settings", "webhook", _, "retry"])
            | ("GET", ["smtpsettings", "smtp", "test"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(method: &'static str, route: &'static str, serial: u64, seconds: i64) -> Entry<'static> {
        let now = DateTime::UNIX_EPOCH + Duration::seconds(seconds);
        Entry { who: "olga".to_owned(), method, route, serial, now }
    }

    #[test]
    fn the_minute_slides_and_refused_requests_do_not_count() {
        let limits = Limits { minute: Some(2), ..Limits::default() };
        let limiter = Limiter::default();
        let let_in = |serial, seconds| limiter.admit(limits, entry("GET", "x", serial, seconds)).is_ok();
        assert_eq!([let_in(1, 0), let_in(2, 30), let_in(3, 40), let_in(4, 59)], [true, true, false, false]);
        assert_eq!([let_in(5, 60), let_in(6, 61), let_in(7, 90)], [true, false, true]);
    }

    #[test]
    fn a_refusal_at_the_concurrency_gives_the_minute_nothing_back() {
        let limits = Limits { minute: Some(3), reads: Some(1), ..Limits::default() };
        let limiter = Limiter::default();
        let refused = |serial| limiter.admit(limits, entry("GET", "x", serial, 0)).err().map(|refusal| refusal.limit);
        let held = limiter.admit(limits, entry("GET", "x", 1, 0)).expect("let in");
        assert_eq!([refused(2), refused(3)], [Some(1), Some(1)]);
        drop(held);
        assert_eq!(refused(4), Some(3), "the minute's budget is gone");
    }

    #[test]
    fn a_slot_is_forgotten_after_a_minute_of_the_portals_clock() {
        let limits = Limits { reads: Some(1), ..Limits::default() };
        let limiter = Limiter::default();
        let held = limiter.admit(limits, entry("GET", "x", 1, 0)).expect("let in");
        assert!(limiter.admit(limits, entry("GET", "x", 2, 59)).is_err());
        assert!(limiter.admit(limits, entry("GET", "x", 3, 60)).is_ok());
        drop(held);
    }

    #[test]
    fn the_day_counts_post_and_put_and_says_how_long() {
        let limits = Limits { day: Some(1), ..Limits::default() };
        let limiter = Limiter::default();
        let ask = |method, serial, seconds| limiter.admit(limits, entry(method, "x", serial, seconds)).err();
        assert_eq!(ask("PUT", 1, 0), None);
        assert_eq!(ask("DELETE", 2, 0), None);
        assert_eq!(ask("POST", 3, 3600), Some(Refusal { limit: 1, retry_after: Some(82_800) }));
        assert_eq!(ask("POST", 4, 86_400), None);
    }

    #[test]
    fn sensitive_routes_have_a_budget_of_their_own_path() {
        let limits = Limits { sensitive: Some(1), ..Limits::default() };
        let limiter = Limiter::default();
        let ask = |route, serial, seconds| limiter.admit(limits, entry("PUT", route, serial, seconds)).is_ok();
        assert_eq!([ask("people/a/email", 1, 0), ask("people/b/email", 2, 0)], [true, true]);
        assert_eq!([ask("people/a/email", 3, 899), ask("people/a/email", 4, 900)], [false, true]);
        assert_eq!([ask("people/status/active", 5, 0), ask("people/status/active", 6, 0)], [true, true]);
    }
}
