//! How much a run may ask of a portal. A limit that is reached ends the read as incomplete, never as a shorter list.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Hard limits of one run, over all its reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub requests: u64,
    /// Events and logins received, those of overlaps included.
    pub rows: u64,
    /// Bodies received, after decompression.
    pub bytes: u64,
    /// No request is sent after this, and one that is under way ends.
    pub deadline: Option<Instant>,
    /// How long a page may take from its first byte to its last: one that trickles in is asked for once more, and then given up.
    pub page: Duration,
}

impl Default for Budget {
    /// Two million rows: more than a large portal writes in a month, and some minutes of a portal's time.
    fn default() -> Self {
        Budget { requests: 25_000, rows: 2_000_000, bytes: 4 << 30, deadline: None, page: Duration::from_secs(20) }
    }
}

/// What was spent of a budget.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    requests: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Spent {
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn note_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(crate) fn note_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Takes one request from the budget, or names the limit that is reached.
    pub(crate) fn take_request(&self, budget: &Budget) -> Result<(), &'static str> {
        let spent = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        if budget.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err("time");
        }
        if spent(&self.rows) >= budget.rows {
            return Err("rows");
        }
        if spent(&self.bytes) >= budget.bytes {
            return Err("megabytes");
        }
        if self.requests.fetch_add(1, Ordering::Relaxed) >= budget.requests {
            self.requests.fetch_sub(1, Ordering::Relaxed);
            return Err("requests");
        }
        Ok(())
    }
}
