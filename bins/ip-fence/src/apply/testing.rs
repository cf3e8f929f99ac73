//! An application for tests: 192.0.2.20 is added, 192.0.2.2 is removed, and the list is on.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, ListEntry};
use uuid::Uuid;

use super::entry::{Answer, Entry, Mark, Purpose, Put, State};
use super::intent::{Addition, Intent};
use super::seen::Row;

pub(super) fn written() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

pub(super) fn list(ips: &[&str]) -> AddressList {
    AddressList {
        entries: ips.iter().map(|ip| ListEntry { ip: (*ip).into(), for_admin: false }).collect(),
        enabled: true,
    }
}

/// The list as it was, with what is added, and without what is removed: 192.0.2.1 and .2, then .20, too, then .2 no more.
pub(super) fn legs() -> [AddressList; 3] {
    [
        list(&["192.0.2.1", "192.0.2.2"]),
        list(&["192.0.2.1", "192.0.2.2", "192.0.2.20"]),
        list(&["192.0.2.1", "192.0.2.20"]),
    ]
}

pub(super) fn put(number: u32, purpose: Purpose, (read, sent): (AddressList, AddressList)) -> Put {
    let at = written() - TimeDelta::seconds(10 - i64::from(number));
    Put {
        number,
        purpose,
        account: Some(Uuid::from_u128(1)),
        read,
        sent,
        at,
        here: at,
        known: BTreeSet::new(),
        answer: Answer::Taken,
        arrived: Some(true),
        events: vec![Mark { event: 100 + i64::from(number), at }],
        is_verified: true,
        is_raced: false,
        is_void: false,
    }
}

/// Widened, narrowed, and read back.
pub(super) fn entry() -> Entry {
    let [before, wide, narrow] = legs();
    let intent = Intent {
        plan: "p1".to_owned(),
        tenant: Some(2),
        before: before.clone(),
        add: vec![Addition { entry: wide.entries[2].clone(), rule: "office".to_owned(), owner: None }],
        remove: vec![before.entries[1].clone()],
        enable_after: true,
        by: "olga".to_owned(),
    };
    let accepted = written() - TimeDelta::seconds(20);
    let new =
        Entry::new("a1".to_owned(), intent, (accepted, accepted), TimeDelta::minutes(15), ("olga".to_owned(), false));
    let puts = vec![put(1, Purpose::Widen, (before, wide.clone())), put(2, Purpose::Narrow, (wide, narrow))];
    Entry { puts, state: State::Switched, switched: Some(written()), ..new }
}

pub(super) fn row(event: i64, tag: Option<&str>) -> Row {
    let at = written() + TimeDelta::seconds(1);
    Row { event, at, actor: Uuid::from_u128(1), name: "Anna".to_owned(), ip: None, tag: tag.map(str::to_owned) }
}
