//! The proof by counting: of the rows of one date as many distinct ones were seen as there are.
//!
//! Rows of one date have no order, so pages may lose some of them even when nothing is written. Where a page shows an older row, it is
//! known how many rows of the date there are: as many as were left out before the page, and those on it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};

use super::page::{Asked, PAGE_ROWS, Page, second_of};
use super::{Reader, Stop};
use crate::ErrorKind;
use crate::client::OnFault;
use crate::zone::lateness;

/// A date of so many pages is looked at so many times as often. A look shows a hundred of its rows, as good as drawn by lot.
const LOOKS_PER_PAGE: usize = 8;

/// A date of so many pages is looked at so many times as often by its files, and a few times more: half of what a page shows may be known.
const LOOKS_BY_FILE_PER_PAGE: usize = 2;
const LOOKS_MORE: usize = 5;

/// Files that are made one after the other have numbers alike but for the last two digits; a number below a billion has seven before those.
const MOST_DIGITS: usize = 7;

/// So many rows later the next look begins at files of which one page did not show all rows.
const A_FEW: usize = 5;

/// What a full page leaves at least, as far as anybody can tell.
const LEFT_BY_A_FULL_PAGE: f64 = 0.02;

/// What a look at some rows of a date brought.
enum Look {
    /// Nothing that could be the answer.
    Odd,
    /// All rows that there are, or one that cannot be read: then their number proves nothing.
    Done,
    /// Other rows are still missing.
    More { rows: usize },
}

/// The rows of one date.
struct Date {
    at: DateTime<Utc>,
    ids: HashSet<i64>,
    size: usize,
}

impl Reader<'_> {
    /// Looks at the rows of one date alone until `size` distinct ones were seen: where one page does not show them, at those of some files
    /// at a time, and then at other offsets each time. Whether that came about.
    pub(super) async fn look_at(&mut self, at: DateTime<Utc>, ids: HashSet<i64>, size: usize) -> Result<bool, Stop> {
        let mut date = Date { at, ids, size };
        let alone = Asked { since: Some(at), to: at, ..Asked::all_of(second_of(at)) };
        if size > PAGE_ROWS && self.look_by_file(&mut date, alone).await? {
            return Ok(true);
        }
        for start in starts(size) {
            if let Look::Done = self.look(&mut date, Asked { start, ..alone }).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn look(&mut self, date: &mut Date, asked: Asked) -> Result<Look, Stop> {
        let raw = match self.client.audit_page(&asked, OnFault::RepeatOnce).await {
            Ok(raw) => raw,
            Err(error) if error.kind == ErrorKind::UnexpectedForm => return Ok(Look::Odd),
            Err(error) => match Stop::because_of(error) {
                // it stands on none of the pages that were read
                Stop::Unreadable(_) => {
                    self.unreadable_second(second_of(date.at)).await;
                    return Ok(Look::Done);
                }
                stop => return Err(stop),
            },
        };
        let rows = raw.len();
        let Some(page) = Page::of(raw, &asked, None, self.client.time_zone()) else { return Ok(Look::Odd) };
        let is_repeated = !lateness(date.at, self.client.time_zone()).is_zero();
        if (is_repeated || page.is_moved) && !self.confirms(&page).await? {
            return Ok(Look::Odd);
        }
        if !page.is_full() && asked.file.is_none() {
            date.size = date.size.max(asked.start + rows);
        }
        date.ids.extend(page.ids_of(date.at));
        let flawed = page.is_flawed_at(date.at);
        self.take(page);
        Ok(if flawed || date.ids.len() >= date.size { Look::Done } else { Look::More { rows } })
    }

    /// What is done to many files at once is written within a second. Rows of a few files stand on one page, in whatever order: those with
    /// some digits in their ids, as the rows that were seen have them. Whether that brought all.
    async fn look_by_file(&mut self, date: &mut Date, alone: Asked) -> Result<bool, Stop> {
        let rows = self.slice.rows.iter().filter(|event| date.ids.contains(&event.id));
        let mut files = Files::of(rows.map(|event| &event.target), date.size);
        let mut looks: BTreeMap<u32, usize> = BTreeMap::new();
        for _ in 0..LOOKS_BY_FILE_PER_PAGE * date.size.div_ceil(PAGE_ROWS) + LOOKS_MORE {
            let Some(digits) = files.most() else { break };
            let before = looks.entry(digits).or_default();
            let asked = Asked { file: Some(digits), start: *before * A_FEW, ..alone };
            *before += 1;
            match self.look(date, asked).await? {
                Look::Done => return Ok(true),
                // no rows about files, or another answer than was asked for
                Look::Odd | Look::More { rows: 0 } => return Ok(false),
                Look::More { rows } => files.seen(digits, rows == PAGE_ROWS),
            }
        }
        Ok(false)
    }
}

/// The digits in the ids of the files that rows are about. Those that are missing are taken to be like those that were seen.
struct Files {
    /// With how likely one like it is still missing, beside the others.
    rows: Vec<(BTreeSet<u32>, f64)>,
    /// How many rows have these digits.
    expected: BTreeMap<u32, f64>,
}

impl Files {
    fn of<'r>(targets: impl Iterator<Item = &'r Vec<String>>, size: usize) -> Self {
        let of_row = |ids: &Vec<String>| ids.iter().flat_map(|id| digits(id)).collect();
        let mut files = Files { rows: targets.map(|ids| (of_row(ids), 1.0)).collect(), expected: BTreeMap::new() };
        let share = size as f64 / files.rows.len() as f64;
        files.expected = files.missing();
        files.expected.values_mut().for_each(|rows| *rows *= share);
        files
    }

    /// By digits.
    fn missing(&self) -> BTreeMap<u32, f64> {
        let mut missing = BTreeMap::new();
        for (row, likely) in self.rows.iter().filter(|(_, likely)| *likely > 0.0) {
            row.iter().for_each(|digits| *missing.entry(*digits).or_default() += likely);
        }
        missing
    }

    /// The digits that show most of what is missing. Pages that show all of theirs are worth more: the others are not over with them.
    fn most(&self) -> Option<u32> {
        let worth = |(digits, missing): &(u32, f64)| missing * shown(self.expected[digits]).powi(2);
        self.missing().into_iter().max_by(|one, other| worth(one).total_cmp(&worth(other))).map(|(digits, _)| digits)
    }

    fn seen(&mut self, digits: u32, is_full: bool) {
        let left = (1.0 - shown(self.expected[&digits])).max(LEFT_BY_A_FULL_PAGE);
        for (_, likely) in self.rows.iter_mut().filter(|(row, _)| row.contains(&digits)) {
            *likely *= if is_full { left } else { 0.0 };
        }
    }
}

/// The share of so many rows that a page shows.
fn shown(rows: f64) -> f64 {
    (PAGE_ROWS as f64 / rows).min(1.0)
}

/// Digits that stand side by side in an id, not too many to be one number.
fn digits(id: &str) -> impl Iterator<Item = u32> {
    let parts = (1..=MOST_DIGITS).flat_map(|length| id.as_bytes().windows(length));
    let parts = parts.filter(|part| part[0] != b'0' && part.iter().all(u8::is_ascii_digit));
    parts.map(|part| part.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
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
    fn files_are_told_apart_by_the_digits_that_show_most_rows() {
        let targets: Vec<Vec<String>> = (9_000..9_250).map(|id: i32| vec![id.to_string()]).collect();
        let mut files = Files::of(targets.iter(), 250);
        let looks = std::iter::from_fn(|| {
            let digits = files.most()?;
            files.seen(digits, files.expected[&digits] >= 100.0);
            Some(digits)
        });
        let looks: Vec<u32> = looks.take(4).collect();
        let is_shown = |id: &str| digits(id).any(|digits| looks.contains(&digits));
        assert!(targets.iter().flatten().all(|id| is_shown(id)), "{looks:?}");
        assert!(Files::of([vec!["a-b".to_owned()]].iter(), 250).most().is_none(), "ids without digits");
    }

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
