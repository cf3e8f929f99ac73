//! What is moved, copied and thrown away twice: the portal writes two events for one thing, or one for many.

use chrono::{DateTime, TimeDelta, Utc};
use portal_sim::{Event, Person, PersonKind, Place, Scenario};

use crate::common::{
    Burst, COPIED, DELETED, MOVED, PURGED, TRASH_EMPTIED, found, hire, json, now, office, plan, row, setting,
};

/// What goes from a room to a place outside the rooms is moved out; what is moved about in one room is not.
#[tokio::test]
async fn moving_out_of_rooms_is_told_from_moving_about() {
    let mut portal = office();
    let (out, about) = (
        hire(&mut portal, "out@example.com", PersonKind::User),
        hire(&mut portal, "about@example.com", PersonKind::User),
    );
    Burst { first: 30_000, ..Burst::new(MOVED, 30) }.by(&mut portal, &about, &[71], "");
    let own = portal.my_documents(out.id).to_string();
    for n in 0..30 {
        for _half in 0..2 {
            let mut event = Event::new(MOVED, out.id, now() - TimeDelta::minutes(9) + TimeDelta::seconds(n))
                .file(40_000 + n as i32, "a.docx");
            event.target.push(own.clone());
            event.place = portal_sim::Place::MyDocuments;
            portal.add_event(event);
        }
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), [row("about@example.com", "medium", false), row("out@example.com", "medium", false)]);
}

fn room(id: i32) -> Place {
    Place::Room { id, title: String::new() }
}

/// One half of what was moved or copied: the portal writes one as seen from each side.
fn half(portal: &mut Scenario, action: i32, person: &Person, at: DateTime<Utc>, file: i32, to: i32, seen_from: Place) {
    let mut event = Event::new(action, person.id, at).file(file, "paper.docx").ip(&person.ip);
    event.target.push(to.to_string());
    event.place = seen_from;
    portal.add_event(event);
}

/// Somebody who hands in documents puts them into a room; others do the same at that second, and the portal stores the halves in any
/// order.
#[tokio::test]
async fn what_comes_into_a_room_has_left_none() {
    let mut portal = office();
    let people: Vec<Person> =
        ["a", "b", "c"].map(|name| hire(&mut portal, &format!("{name}@example.com"), PersonKind::User)).to_vec();
    for n in 0..30 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        let (a, b, c) = (&people[0], &people[1], &people[2]);
        half(&mut portal, MOVED, a, at, 40_000 + n, 71, room(71));
        half(&mut portal, MOVED, b, at, 50_000 + n, 71, room(71));
        half(&mut portal, MOVED, a, at, 40_000 + n, 71, Place::MyDocuments);
        half(&mut portal, MOVED, b, at, 50_000 + n, 71, Place::MyDocuments);
        half(&mut portal, MOVED, c, at, 60_000 + n, 71, Place::MyDocuments);
        half(&mut portal, MOVED, c, at, 60_000 + n, 71, room(71));
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), ["a", "b", "c"].map(|name| row(&format!("{name}@example.com"), "medium", false)));
}

#[tokio::test]
async fn what_leaves_a_room_is_moved_out_in_whatever_order_it_is_stored() {
    let mut portal = office();
    let people: Vec<Person> =
        ["a", "b", "c"].map(|name| hire(&mut portal, &format!("{name}@example.com"), PersonKind::User)).to_vec();
    let own: Vec<i32> = people.iter().map(|person| portal.my_documents(person.id)).collect();
    for n in 0..30 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        half(&mut portal, MOVED, &people[0], at, 40_000 + n, own[0], Place::MyDocuments);
        half(&mut portal, MOVED, &people[0], at, 40_000 + n, own[0], room(71));
        half(&mut portal, MOVED, &people[1], at, 50_000 + n, own[1], room(71));
        half(&mut portal, MOVED, &people[1], at, 50_000 + n, own[1], Place::MyDocuments);
        half(&mut portal, MOVED, &people[2], at, 60_000 + n, 72, room(72));
        half(&mut portal, MOVED, &people[2], at, 60_000 + n, 72, room(71));
    }
    let run = json(&setting(portal).await, &[]).await;
    assert_eq!(found(&run), ["a", "b", "c"].map(|name| row(&format!("{name}@example.com"), "medium", false)));
    for finding in run.json()["findings"].as_array().unwrap() {
        assert_eq!((&finding["file_count"], finding["exceeded"][1]["kind"].as_str()), (&30.into(), Some("moved_out")));
    }
}

#[tokio::test]
async fn a_copy_from_room_to_room_is_one() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    for n in 0..20 {
        let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(i64::from(n));
        half(&mut portal, COPIED, &mara, at, 40_000 + n, 72, room(72));
        half(&mut portal, COPIED, &mara, at, 40_000 + n, 72, room(71));
    }
    assert_eq!(found(&json(&setting(portal).await, &[]).await), []);
}

/// The portal writes a deletion for each document in a trash that is emptied. Those were deleted long ago.
#[tokio::test]
async fn emptying_ones_own_trash_spoils_nothing() {
    for (is_over, expected) in [(true, vec![]), (false, vec![row("mara@example.com", "medium", false)])] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        for n in 0..150 {
            let at = now() - TimeDelta::minutes(9) + TimeDelta::seconds(n);
            portal.add_event(Event::new(PURGED, mara.id, at).file(40_000 + n as i32, "old.docx"));
        }
        if is_over {
            portal.add_event(Event::new(TRASH_EMPTIED, mara.id, now() - TimeDelta::minutes(6)));
        }
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!((found(&run), plan(&run)), (expected, vec![]));
    }
}

/// What was thrown away and is gone from the trash, too, cannot be taken out of it again. That is one sign, and plans nobody alone.
#[tokio::test]
async fn emptying_the_trash_after_a_room_was_emptied_is_a_sign() {
    for (by_hand, emptied, severity) in [(0, false, "medium"), (30, false, "high"), (0, true, "high")] {
        let mut portal = office();
        let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
        Burst::new(DELETED, 30).by(&mut portal, &mara, &[71], "");
        for n in 0..by_hand {
            let at = now() - TimeDelta::minutes(4) + TimeDelta::seconds(n);
            portal.add_event(Event::new(PURGED, mara.id, at).file(9_000 + n as i32, "paper.docx").ip(&mara.ip));
        }
        if emptied {
            portal.add_event(Event::new(TRASH_EMPTIED, mara.id, now() - TimeDelta::minutes(3)).ip(&mara.ip));
        }
        let run = json(&setting(portal).await, &[]).await;
        assert_eq!(found(&run), [row("mara@example.com", severity, false)], "{by_hand} {emptied}: {}", run.stdout);
        assert_eq!(run.stdout.contains("30 documents of the trash were deleted there, too"), severity == "high");
    }
}
