use chrono::TimeDelta;

use super::super::seen::{Clocks, Guard, Trail};
use super::super::testing::{entry, legs, put, row, written};
use super::*;

/// Accepted, and nothing is written yet.
fn planned() -> Entry {
    Entry { state: State::Planned, puts: Vec::new(), switched: None, ..entry() }
}

fn after(guard: Result<Guard, String>, tenant: Option<i64>, is_complete: bool) -> Next {
    let entry = planned();
    let clocks = Clocks { portal: Some(written()), here: written() };
    let read = Ok(Read { list: entry.intent.before.clone(), tenant });
    let trail = Trail { rows: Vec::new(), is_complete };
    let seen = Seen { guard: &guard, is_foreground: true, ..Seen::by_somebody((&read, &trail), clocks) };
    step(&entry, &seen).next
}

/// Whose key it is, when it dies, which portal it is, how old the server is: right before the write.
#[test]
fn nothing_is_written_unless_key_portal_and_server_are_as_they_must_be() {
    let good = Guard { account: None, is_owner: true, key_ends: None, has_keys: true };
    let day_after = |minutes| Some(written() + TimeDelta::days(1) + TimeDelta::minutes(minutes));
    assert_eq!(after(Ok(good.clone()), Some(2), true), Next::Write);
    assert_eq!(after(Ok(Guard { key_ends: day_after(16), ..good.clone() }), Some(2), true), Next::Write);
    for (guard, tenant) in [
        (Guard { is_owner: false, ..good.clone() }, Some(2)),
        (Guard { key_ends: day_after(10), ..good.clone() }, Some(2)),
        (Guard { has_keys: false, ..good.clone() }, Some(2)),
        (good.clone(), Some(3)),
    ] {
        assert_eq!(after(Ok(guard.clone()), tenant, true), Next::Rest, "{guard:?} {tenant:?}");
    }
    assert_eq!(after(Err("503".to_owned()), Some(2), true), Next::Look);
    assert_eq!(after(Ok(good), Some(2), false), Next::Look);
}

/// An earlier write arrived twice, and somebody else has changed the list: whether that has undone the switch, its own event must say.
#[test]
fn nothing_ends_while_it_is_a_guess_whether_a_write_was_undone() {
    let [before, wide, _] = legs();
    let (wide, on) = (AddressList { enabled: false, ..wide.clone() }, wide);
    let puts = vec![
        put(1, Purpose::Widen, (AddressList { enabled: false, ..before.clone() }, wide.clone())),
        Put { events: Vec::new(), is_verified: false, ..put(2, Purpose::Switch, (wide, on.clone())) },
    ];
    let mut entry = Entry { state: State::Reverting, switched: None, puts, ..entry() };
    (entry.intent.before.enabled, entry.intent.remove) = (false, Vec::new());
    let clocks = Clocks { portal: Some(written()), here: written() };
    let mut now = on;
    now.entries.remove(0);
    let read = Ok(Read { list: now, tenant: Some(2) });
    let twice = [(101, "/ip-fence/a1/1"), (102, "/ip-fence/a1/1")];
    let next = |more: Option<&str>, seconds| {
        let rows =
            twice.into_iter().map(|(event, tag)| row(event, Some(tag))).chain(more.map(|tag| row(103, Some(tag))));
        let trail = Trail { rows: rows.collect(), is_complete: true };
        let seen = Seen::by_somebody((&read, &trail), clocks);
        step(&entry, &Seen { waited: TimeDelta::seconds(seconds), ..seen })
    };
    assert_eq!(next(None, 30).next, Next::Look);
    assert_eq!(next(None, 120).entry.state, State::Conflict);
    let known = next(Some("/ip-fence/a1/2"), 30);
    assert_eq!((known.next, known.entry.puts.last().unwrap().sent.enabled), (Next::Write, false));
}
