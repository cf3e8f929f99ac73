//! Where the rows of a date, a person, an action, a folder or a file stand, so that no request looks at every row.
//!
//! Built when first asked for. The rows themselves stay where tests may change them; `Scenario::reindex` notices.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Event, Login};
use super::row::Reference;
use crate::actions;

/// So many new rows are put in one by one; more are sorted in at once.
const FEW: usize = 200;

/// Positions in the list of rows, oldest first.
type Positions = Vec<u32>;

/// A row with a date.
pub(crate) trait Dated {
    /// Its true instant.
    fn at(&self) -> DateTime<Utc>;
}

impl Dated for Event {
    fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

impl Dated for Login {
    fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// Everything that is looked up by date.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// How many rows the lists below know.
    events: usize,
    logins: usize,
    /// Rows that the audit trail shows when nobody asks for a certain action.
    listed: OnceLock<Positions>,
    by_actor: OnceLock<HashMap<Uuid, Positions>>,
    by_action: OnceLock<HashMap<i32, Positions>>,
    by_reference: OnceLock<HashMap<Reference, Positions>>,
    all_logins: OnceLock<Positions>,
}

impl Index {
    /// Adds the rows that came since; starts anew when rows are gone or many.
    pub(super) fn catch_up(&mut self, events: &[Event], logins: &[Login]) {
        if events.len() < self.events || events.len() > self.events + FEW {
            *self = Index { all_logins: std::mem::take(&mut self.all_logins), logins: self.logins, ..Index::default() };
        }
        for position in self.events..events.len() {
            self.add(events, position);
        }
        self.events = events.len();
        if logins.len() != self.logins {
            self.all_logins = OnceLock::new();
            self.logins = logins.len();
        }
    }

    fn add(&mut self, events: &[Event], position: usize) {
        let event = &events[position];
        if is_listed(event) {
            if let Some(positions) = self.listed.get_mut() {
                insert(positions, events, position);
            }
            if let Some(positions) = self.by_actor.get_mut() {
                insert(positions.entry(event.actor).or_default(), events, position);
            }
        }
        if let Some(positions) = self.by_action.get_mut() {
            insert(positions.entry(event.action).or_default(), events, position);
        }
        if let Some(positions) = self.by_reference.get_mut() {
            for reference in event.references() {
                insert(positions.entry(reference).or_default(), events, position);
            }
        }
    }

    pub(super) fn listed(&self, events: &[Event]) -> &[u32] {
        self.listed.get_or_init(|| sorted(events, is_listed))
    }

    pub(super) fn of_actor(&self, events: &[Event], actor: Uuid) -> &[u32] {
        let groups = self.by_actor.get_or_init(|| grouped(events, |event| is_listed(event).then_some(event.actor)));
        groups.get(&actor).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_action(&self, events: &[Event], action: i32) -> &[u32] {
        let groups = self.by_action.get_or_init(|| grouped(events, |event| Some(event.action)));
        groups.get(&action).map_or(&[], Vec::as_slice)
    }

    pub(super) fn about(&self, events: &[Event], reference: Reference) -> &[u32] {
        let groups = self.by_reference.get_or_init(|| grouped(events, Event::references));
        groups.get(&reference).map_or(&[], Vec::as_slice)
    }

    pub(super) fn logins(&self, logins: &[Login]) -> &[u32] {
        self.all_logins.get_or_init(|| sorted(logins, |_| true))
    }
}

/// Actions without a mapper are stored and never listed.
fn is_listed(event: &Event) -> bool {
    actions::find(event.action).is_some_and(actions::Action::is_mapped)
}

fn position(index: usize) -> u32 {
    u32::try_from(index).expect("a simulated portal holds fewer than 2^32 rows")
}

fn sorted<T: Dated>(rows: &[T], keep: impl Fn(&T) -> bool) -> Positions {
    let mut positions: Positions =
        rows.iter().enumerate().filter(|(_, row)| keep(row)).map(|(index, _)| position(index)).collect();
    positions.sort_by_key(|position| rows[*position as usize].at());
    positions
}

fn grouped<K: Hash + Eq, I: IntoIterator<Item = K>>(
    rows: &[Event],
    keys: impl Fn(&Event) -> I,
) -> HashMap<K, Positions> {
    let mut groups: HashMap<K, Positions> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        for key in keys(row) {
            groups.entry(key).or_default().push(position(index));
        }
    }
    for positions in groups.values_mut() {
        positions.sort_by_key(|position| rows[*position as usize].at());
    }
    groups
}

fn insert(positions: &mut Positions, rows: &[Event], index: usize) {
    let at = rows[index].at;
    let place = positions.partition_point(|position| rows[*position as usize].at <= at);
    positions.insert(place, position(index));
}

/// Rows of one list between two dates, both included.
pub(crate) struct Span<'a, T> {
    rows: &'a [T],
    positions: &'a [u32],
    range: Range<usize>,
}

impl<'a, T: Dated> Span<'a, T> {
    pub(super) fn new(
        rows: &'a [T],
        positions: &'a [u32],
        (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    ) -> Span<'a, T> {
        let before = |at: DateTime<Utc>| positions.partition_point(|position| rows[*position as usize].at() < at);
        let through = |at: DateTime<Utc>| positions.partition_point(|position| rows[*position as usize].at() <= at);
        let end = to.map_or(positions.len(), through);
        let start = from.map_or(0, before).min(end);
        Span { rows, positions, range: start..end }
    }

    fn row(&self, index: usize) -> &'a T {
        &self.rows[self.positions[index] as usize]
    }

    /// The rows that a page may hold: whole groups of equal dates, oldest first, and how many newer rows were left
    /// out. The caller sorts the groups, because only it knows the order among equal dates.
    pub(crate) fn candidates(&self, start: usize, count: usize) -> (Vec<&'a T>, usize) {
        let Range { start: low, end: high } = self.range.clone();
        if count == 0 || start >= high - low {
            return (Vec::new(), start);
        }
        let newest = self.row(high - 1 - start).at();
        let oldest = self.row((high - start).saturating_sub(count).max(low)).at();
        let inside = &self.positions[low..high];
        let top = low + inside.partition_point(|position| self.rows[*position as usize].at() <= newest);
        let bottom = low + inside.partition_point(|position| self.rows[*position as usize].at() < oldest);
        ((bottom..top).map(|index| self.row(index)).collect(), high - top)
    }

    /// The same among the rows that `keep` lets through; it looks at rows from the newest on until it has enough.
    pub(crate) fn candidates_where(
        &self,
        start: usize,
        count: usize,
        keep: impl Fn(&T) -> bool,
    ) -> (Vec<&'a T>, usize) {
        let wanted = start.saturating_add(count);
        let mut found: Vec<&'a T> = Vec::new();
        for index in self.range.clone().rev() {
            let row = self.row(index);
            if !keep(row) {
                continue;
            }
            if found.len() >= wanted && found.last().is_some_and(|last| last.at() != row.at()) {
                break;
            }
            found.push(row);
        }
        found.reverse();
        (found, 0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;

    fn events(minutes: &[i64]) -> Vec<Event> {
        let at = |minutes: &i64| DateTime::UNIX_EPOCH + Duration::minutes(*minutes);
        minutes.iter().map(|minute| Event::new(5009, Uuid::nil(), at(minute))).collect()
    }

    fn minutes(rows: &[&Event]) -> Vec<i64> {
        rows.iter().map(|row| row.at.timestamp() / 60).collect()
    }

    #[test]
    fn candidates_are_whole_groups_of_equal_dates() {
        let rows = events(&[5, 1, 3, 3, 3, 9, 2]);
        let mut index = Index::default();
        index.catch_up(&rows, &[]);
        let span = Span::new(&rows, index.listed(&rows), (None, None));
        let (found, newer) = span.candidates(2, 1);
        assert_eq!((minutes(&found), newer), (vec![3, 3, 3], 2));
        let (found, newer) = span.candidates(4, 2);
        assert_eq!((minutes(&found), newer), (vec![2, 3, 3, 3], 2));
        assert_eq!(minutes(&span.candidates(0, 100).0), [1, 2, 3, 3, 3, 5, 9]);
        assert!(span.candidates(7, 1).0.is_empty());
        assert_eq!(minutes(&span.candidates_where(0, 1, |row| row.at.timestamp() < 300).0), [3, 3, 3]);
    }

    #[test]
    fn both_bounds_are_included() {
        let rows = events(&[1, 2, 3, 4]);
        let index = Index::default();
        let bounds = (Some(rows[1].at), Some(rows[2].at));
        assert_eq!(minutes(&Span::new(&rows, index.listed(&rows), bounds).candidates(0, 100).0), [2, 3]);
        let nothing = (Some(rows[3].at), Some(rows[0].at));
        assert!(Span::new(&rows, index.listed(&rows), nothing).candidates(0, 100).0.is_empty());
    }

    #[test]
    fn new_rows_are_found_whether_few_or_many_and_lost_rows_are_forgotten() {
        let mut rows = events(&[1, 9]);
        let mut index = Index::default();
        let listed = |index: &mut Index, rows: &[Event]| {
            index.catch_up(rows, &[]);
            index.listed(rows).iter().map(|position| rows[*position as usize].at.timestamp() / 60).collect::<Vec<_>>()
        };
        assert_eq!(listed(&mut index, &rows), [1, 9]);
        rows.extend(events(&[5]));
        assert_eq!(listed(&mut index, &rows), [1, 5, 9]);
        rows.extend(events(&(100..400).collect::<Vec<_>>()));
        assert_eq!(listed(&mut index, &rows).len(), 303);
        rows.truncate(2);
        assert_eq!(listed(&mut index, &rows), [1, 9]);
    }
}
