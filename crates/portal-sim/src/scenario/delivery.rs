//! Rows of the audit trail on their way: some arrive at once, others late and in another order.

use chrono::{DateTime, Duration, Utc};

use super::Scenario;
use super::model::{Event, mix};
use super::row::Stored;

/// Actions that the portal inserts at once; all others take the way through its queue.
const AT_ONCE: &[i32] = &[4014, 4015, 4017, 4037, 5054, 5070, 5084, 5154, 6039, 6047, 7001];
/// The longest address that the audit trail can store; a longer one loses the row.
const MAX_IP: usize = 50;

/// How long a row of the audit trail is on its way.
///
/// The portal's own rows arrive within seconds, but nothing bounds the delay: the row then has a new id and an old
/// date. Rows that the portal inserts directly (rooms made, members removed) overtake the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lateness {
    /// So many later requests are answered before the row can be seen.
    pub requests: u64,
    /// So much time of the portal's clock passes before the row can be seen.
    pub time: Duration,
    /// Rows that arrive together are inserted in an order that follows from this number, not in the order of the acts.
    pub shuffle: Option<u64>,
}

/// A row on its way.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    event: Event,
    /// Number of the first request that may see it.
    request: u64,
    time: DateTime<Utc>,
}

impl Scenario {
    /// Sends a row on its way to the audit trail, with the page that it names unless that follows from the row; it is
    /// lost when its address is too long to store.
    pub(crate) fn write_row(&mut self, mut event: Event, page: Option<&str>) {
        if event.ip.as_ref().is_some_and(|ip| ip.chars().count() > MAX_IP) {
            return;
        }
        if event.ip.is_none() {
            event.ip = self.person(event.actor).map(|person| person.ip.clone());
        }
        event.place = self.place_at(event.place, self.now);
        // what every row has, from what follows of the members
        let own = event.stored.take();
        let derived = event.columns();
        let (ip, browser, platform) = (derived.ip.clone(), derived.browser.clone(), derived.platform.clone());
        let page = page.map(str::to_owned).or_else(|| derived.page.clone());
        event.stored = Some(Stored { ip, browser, platform, page, ..own.unwrap_or(derived) });
        let late = self.content.lateness;
        if AT_ONCE.contains(&event.action) || late == Lateness::default() {
            self.add_event(event);
            return;
        }
        let request = self.content.requests + late.requests + 1;
        self.content.pending.push(Pending { event, request, time: self.now + late.time });
    }

    /// Counts a request, and inserts the rows that have arrived by now.
    pub(crate) fn deliver(&mut self) {
        self.content.requests += 1;
        let (request, now) = (self.content.requests, self.now);
        let pending = std::mem::take(&mut self.content.pending);
        let (mut due, waiting): (Vec<Pending>, Vec<Pending>) =
            pending.into_iter().partition(|row| row.request <= request && row.time <= now);
        self.content.pending = waiting;
        if let Some(seed) = self.content.lateness.shuffle {
            let mut number = 0;
            due.sort_by_cached_key(|_| {
                number += 1;
                mix(number ^ seed)
            });
        }
        for row in due {
            self.add_event(row.event);
        }
        // the rows are looked up in this very request
        self.reindex();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Room;

    fn portal() -> Scenario {
        let mut portal = Scenario::empty("2026-03-02T09:00:00Z".parse().expect("a fixed instant"));
        portal.events.clear();
        portal.with_room(Room::vdr(71, "Alpha"))
    }

    #[test]
    fn late_rows_get_new_ids_and_keep_their_dates() {
        let lateness = Lateness { requests: 2, ..Lateness::default() };
        let mut scenario = portal().with_lateness(lateness);
        let (owner, at) = (scenario.owner().id, scenario.now);
        scenario.deliver();
        scenario.write_row(Event::new(5011, owner, at), None);
        scenario.now += Duration::hours(1);
        scenario.write_row(Event::new(5070, owner, scenario.now), None);
        assert_eq!(scenario.events.len(), 1, "a room's creation is inserted at once");
        for seen in [1, 1, 2] {
            scenario.deliver();
            assert_eq!(scenario.events.len(), seen);
        }
        assert!(scenario.events[1].id > scenario.events[0].id && scenario.events[1].at == at);
    }
}
