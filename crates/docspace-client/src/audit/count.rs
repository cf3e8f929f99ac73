//! The proof by counting: of the rows of one date as many distinct ones were seen as there are.
//!
//! Rows of one date have no order, so pages may lose some of them even when nothing is written. Where a page shows an older row, it is
//! known how many rows of the date there are: as many as were left out before the page, and those on it.

use std::collections::HashSet;

use audit_model::GapReason;
use chrono::{DateTime, Utc};

use super::page::{Asked, PAGE_ROWS, Page, second_of};
use super::{Reader, Stop};
use crate::ErrorKind;
use crate::client::OnFault;

/// A date of so many pages is looked at so many times as often. A look shows a hundred of its rows, as good as drawn by lot.
const LOOKS_PER_PAGE: usize = 8;

impl Reader<'_> {
    /// Looks at the rows of one date alone, at other offsets each time, until `size` distinct ones were seen. A gap when that does not
    /// come about.
    pub(super) async fn look_at(
        &mut self,
        date: DateTime<Utc>,
        mut ids: HashSet<i64>,
        mut size: usize,
    ) -> Result<(), Stop> {
        let alone = Asked { since: Some(date), to: date, ..Asked::all_of(second_of(date)) };
        for start in starts(size) {
            let raw = match self.client.audit_page(&Asked { start, ..alone }, OnFault::RepeatOnce).await {
                Ok(raw) => raw,
                Err(error) if error.kind == ErrorKind::UnexpectedForm => continue,
                Err(error) => match Stop::because_of(error) {
                    // it stands on none of the pages that were read
                    Stop::Unreadable(_) => {
                        self.unreadable_second(second_of(date)).await;
                        return Ok(());
                    }
                    stop => return Err(stop),
                },
            };
            let Some(page) = Page::of(raw, &Asked { start, ..alone }, None, self.client.time_zone()) else { continue };
            if !page.is_full() {
                size = size.max(start + page.rows.len());
            }
            ids.extend(page.ids_of(date));
            let flawed = page.is_flawed_at(date);
            self.take(page);
            if flawed || ids.len() >= size {
                return Ok(());
            }
        }
        self.gap(second_of(date), GapReason::UnstablePaging);
        Ok(())
    }
}

/// Where the looks begin: once when one page shows all; else spread over what a full page can begin with, no offset twice, and then at
/// those behind.
fn starts(size: usize) -> Vec<usize> {
    let looks = LOOKS_PER_PAGE * size.div_ceil(PAGE_ROWS);
    let Some(last) = size.checked_sub(PAGE_ROWS).filter(|last| *last > 0) else { return vec![0; 3] };
    let mut starts = vec![0, last];
    let mut parts = 2;
    while parts < 2 * last && starts.len() < looks {
        for odd in (1..parts).step_by(2) {
            let start = last * odd / parts;
            if !starts.contains(&start) {
                starts.push(start);
            }
        }
        parts *= 2;
    }
    starts.extend(last + 1..size);
    starts.truncate(looks);
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_spread_and_never_the_same() {
        assert_eq!(starts(100), [0, 0, 0], "one page shows all rows; two more tries for a page that cannot be right");
        assert_eq!(starts(140)[..5], [0, 40, 20, 10, 30]);
        for size in [101, 150, 420, 5_000] {
            let starts = starts(size);
            assert_eq!(starts.len(), LOOKS_PER_PAGE * size.div_ceil(PAGE_ROWS), "{size}");
            assert_eq!(starts.iter().collect::<HashSet<_>>().len(), starts.len(), "{size}");
            assert!(starts.iter().all(|start| *start < size));
        }
    }
}
