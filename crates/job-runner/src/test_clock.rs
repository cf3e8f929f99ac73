//! The clock that a test hands to the program, so that it agrees with the simulated portal's. Builds that are delivered do not
//! contain this module: nobody may move what a run takes for the present.

use std::sync::OnceLock;
use std::time::Instant;

use chrono::{DateTime, Utc};

/// Holds the instant (RFC 3339) at which the process first looks at its clock; from there the clock goes on. Children inherit it.
const VARIABLE: &str = "AUDIT_TOOLS_TEST_CLOCK";

/// `None` when no test has set one.
pub(crate) fn now() -> Option<DateTime<Utc>> {
    static BEGAN: OnceLock<Option<(DateTime<Utc>, Instant)>> = OnceLock::new();
    let began = BEGAN.get_or_init(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let instant = DateTime::parse_from_rfc3339(&text).expect("a test sets its clock to an RFC 3339 instant");
        Some((instant.to_utc(), Instant::now()))
    });
    began.map(|(instant, started)| instant + started.elapsed())
}
