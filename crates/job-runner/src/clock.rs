//! This machine's clock beside the portal's. One that is ahead shows as a gap at the end of the window; one that is behind hides
//! nothing, but shifts whatever is counted from now.

use chrono::{DateTime, TimeDelta, Utc};

/// Clocks of two machines differ by seconds.
pub(crate) const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// What the report must say of a clock that is behind; `now` is this machine's moment of the portal's last answer, or a later one.
pub(crate) fn behind(now: DateTime<Utc>, portal_clock: Option<DateTime<Utc>>) -> Option<String> {
    let by = portal_clock? - now;
    (by > CLOCK_TOLERANCE).then(|| {
        format!(
            "this machine's clock is {} minutes behind the portal's, and so are windows and ages that are counted from now; \
             set it by NTP",
            by.num_minutes()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_minute_is_told_in_minutes() {
        let now = DateTime::from_timestamp(1_795_165_200, 0).unwrap();
        let after = |seconds| behind(now, Some(now + TimeDelta::seconds(seconds)));
        assert!(after(300).unwrap().contains("5 minutes behind"));
        assert!(after(61).is_some());
        assert_eq!([after(60), after(0), after(-9_000), behind(now, None)], [None, None, None, None]);
    }
}
