use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, ListEntry};
use uuid::Uuid;

use super::super::entry::{Answer, Confirmation, Entry, Mark, Purpose, Put, State};
use super::super::intent::{Addition, Intent};
use super::super::seen::{Clocks, Read, Row, Seen, Trail};

fn written() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn list(ips: &[&str]) -> AddressList {
    AddressList {
        entries: ips.iter().map(|ip| ListEntry { ip: (*ip).into(), for_admin: false }).collect(),
        enabled: true,
    }
}

/// The list as it was, with what is added, and without what is removed: 192.0.2.1 and .2, then .20, too, then .2 no more.
fn legs() -> [AddressList; 3] {
    [
        list(&["192.0.2.1", "192.0.2.2"]),
        list(&["192.0.2.1", "192.0.2.2", "192.0.2.20"]),
        list(&["192.0.2.1", "192.0.2.20"]),
    ]
}

fn put(number: u32, purpose: Purpose, (read, sent): (AddressList, AddressList)) -> Put {
    let at = written() - TimeDelta::seconds(10 - i64::from(number));
    Put {
        number,
        purpose,
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
fn entry() -> Entry {
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

fn row(event: i64, tag: Option<&str>) -> Row {
    let at = written() + TimeDelta::seconds(1);
    Row { event, at, actor: Uuid::from_u128(1), name: "Anna".to_owned(), ip: None, tag: tag.map(str::to_owned) }
}

/// Somebody confirms so many seconds after the list was written.
fn confirmed(seconds: i64, now: AddressList, rows: Vec<Row>) -> Result<State, String> {
    let at = written() + TimeDelta::seconds(seconds);
    let clocks = Clocks { portal: Some(at), here: at };
    let (read, trail) = (Ok(Read { list: now, tenant: Some(2) }), Trail { rows, is_complete: true });
    let confirmation = Confirmation { by: "ben".to_owned(), at, witness: None };
    entry().confirm(confirmation, &Seen::by_somebody((&read, &trail), clocks)).map(|entry| entry.state)
}

#[test]
fn a_list_that_is_as_it_was_written_is_confirmed() {
    let [.., narrow] = legs();
    assert_eq!(confirmed(30, narrow.clone(), Vec::new()), Ok(State::Confirmed));
    assert!(confirmed(5, narrow, Vec::new()).unwrap_err().contains("just now"));
}

/// What a repeated write has brought back is not what anybody wanted, whether its event is there yet or not.
#[test]
fn a_list_that_a_repeated_write_has_undone_is_not_confirmed() {
    let [_, wide, _] = legs();
    for seconds in [30, 300] {
        assert!(
            confirmed(seconds, wide.clone(), Vec::new()).unwrap_err().contains("not what was written"),
            "{seconds}"
        );
        let repeat = vec![row(101, Some("/ip-fence/a1/1")), row(103, Some("/ip-fence/a1/1"))];
        assert!(confirmed(seconds, wide.clone(), repeat).unwrap_err().contains("arrived twice"), "{seconds}");
    }
    // somebody else's event is there, and that of the repetition may still come
    let other = vec![row(104, None)];
    assert!(confirmed(30, wide, other).unwrap_err().contains("two minutes"));
}

#[test]
fn a_list_that_somebody_else_has_changed_is_confirmed_and_told() {
    let mut now = legs()[2].clone();
    now.entries.extend(list(&["192.0.2.30"]).entries);
    assert!(confirmed(300, now.clone(), Vec::new()).is_err());
    assert_eq!(confirmed(300, now.clone(), vec![row(104, None)]), Ok(State::Confirmed));
    now.enabled = false;
    assert!(confirmed(300, now, vec![row(104, None)]).unwrap_err().contains("switch"));
}
