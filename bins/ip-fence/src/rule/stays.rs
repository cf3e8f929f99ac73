//! Actions of one person from one address, taken together for as long as nothing can judge them differently: a run over a year needs no
//! more memory than its people and their addresses. Pure.

use std::collections::BTreeMap;

use audit_model::{PortalText, Window};
use chrono::NaiveDate;
use uuid::Uuid;

use super::found::Rows;
use super::sighting::Sighting;
use super::then;

/// Rules expire at the end of a day (UTC), and people are judged by what they were between two changes.
type Key = (Uuid, Option<PortalText>, NaiveDate, usize);

/// Takes in the audit trail by time.
#[derive(Debug, Default)]
pub(crate) struct Stays {
    stays: BTreeMap<Key, Rows>,
    unread: Vec<Window>,
    changes: usize,
}

impl Stays {
    /// `unread`: what of the trail is not known.
    pub(crate) fn new(unread: &[Window]) -> Self {
        Stays { unread: unread.to_vec(), ..Stays::default() }
    }

    /// Notes that something has changed by which people are judged.
    pub(crate) fn pass(&mut self, event: &Sighting) {
        self.changes += usize::from(then::is_change(event));
    }

    pub(crate) fn push(&mut self, action: &Sighting) {
        let gaps = self.unread.iter().filter(|gap| gap.until <= action.at).count();
        let key = (action.user, action.ip.clone(), action.at.date_naive(), self.changes + gaps);
        // whose address is somebody else's must not stand for the others
        if action.is_of_its_person() {
            self.stays.entry(key).or_default().push(action);
        }
    }

    pub(crate) fn finish(self) -> Vec<Rows> {
        self.stays.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use audit_model::ActionId;

    use super::*;
    use crate::testing::{ANNA, BOB, act, now};

    fn counts(stays: Stays) -> Vec<u64> {
        stays.finish().into_iter().map(|rows| rows.acts).collect()
    }

    #[test]
    fn actions_are_put_together_until_something_changes() {
        let gap = Window::new(now() - chrono::TimeDelta::seconds(40), now() - chrono::TimeDelta::seconds(30));
        let mut stays = Stays::new(&[gap]);
        let change = Sighting { action: ActionId::GROUP_UPDATED, ..act(ANNA, "192.0.2.1", 60) };
        let saved = Sighting { action: ActionId(5034), ..act(BOB, "192.0.2.7", 95) };
        let day_before = act(BOB, "192.0.2.7", 86_400);
        let rows = [90, 80, 50, 45, 20].map(|seconds| act(BOB, "192.0.2.7", seconds));
        for row in [&day_before, &saved, &rows[0], &rows[1], &change, &rows[2], &rows[3], &rows[4]] {
            stays.pass(row);
            stays.push(row);
        }
        stays.push(&act(BOB, "192.0.2.8", 10));
        assert_eq!(counts(stays), [1, 1, 2, 2, 1, 1], "Anna, then Bob by day, change, gap and address");
    }
}
