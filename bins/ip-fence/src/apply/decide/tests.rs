use chrono::TimeDelta;
use docspace_client::AddressList;

use super::super::entry::{Confirmation, Entry, Order, State};
use super::super::seen::{Clocks, Read, Row, Seen, Trail};
use super::super::testing::{entry, legs, list, row, written};

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

/// Whoever is late, or comes after somebody who wants it back, confirms nothing.
#[test]
fn what_is_late_or_taken_back_is_not_confirmed() {
    let [.., narrow] = legs();
    let at = written() + TimeDelta::minutes(1);
    let (read, trail) = (Ok(Read { list: narrow, tenant: Some(2) }), Trail { is_complete: true, ..Trail::default() });
    let confirmation = || Confirmation { by: "ben".to_owned(), at, witness: None };
    let confirm = |entry: &Entry, minutes| {
        let clock = at + TimeDelta::minutes(minutes);
        entry.confirm(confirmation(), &Seen::by_somebody((&read, &trail), Clocks { portal: Some(clock), here: at }))
    };
    let order = |by: &str| Order { by: by.into(), at, why: "a mistake".into() };
    assert!(confirm(&entry(), 20).unwrap_err().contains("time to confirm is over"));
    let ordered = entry().order_back(order("ben"));
    assert!(confirm(&ordered, 0).unwrap_err().contains("asked to take it back"));
    assert_eq!(ordered.order_back(order("eva")), ordered, "twice is as once");
    let confirmed = confirm(&entry(), 0).unwrap();
    assert!(confirm(&confirmed, 0).unwrap_err().contains("before"));
    let back = confirmed.order_back(order("ben"));
    assert_eq!(back.state, State::Reverting);
    assert!(confirm(&back, 0).unwrap_err().contains("being taken back"));
    let unreadable = Err("503".to_owned());
    let seen = Seen::by_somebody((&unreadable, &trail), Clocks { portal: Some(at), here: at });
    assert!(entry().confirm(confirmation(), &seen).unwrap_err().contains("cannot be read"));
}
