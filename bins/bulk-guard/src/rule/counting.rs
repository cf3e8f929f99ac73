//! What is counted: documents, whatever was done to them, and people, however often.

use std::sync::Arc;

use audit_model::{AuditEvent, Rooms, Weight, testing};
use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::body::told;
use crate::rule::change::Change;
use crate::rule::crowd::{Told, gathered};
use crate::rule::detector::Detector;
use crate::rule::kind::Kind;
use crate::rule::names::{LookedUp, Names};

const RENAME: i32 = 5001;
const DELETE: i32 = 5017;
const SAVE: i32 = 5034;

/// Somebody does this to a document at a second.
fn change(id: i64, second: i64, actor: u128, action: i32, document: i64) -> Change {
    let at = DateTime::from_timestamp(second, 0).unwrap();
    let event = AuditEvent {
        id,
        actor: Uuid::from_u128(actor),
        actor_name: "Mara Klein".into(),
        context: Some("Rooms: Falcon".into()),
        ..testing::event(action, &document.to_string(), at)
    };
    let kind = Kind::of(event.action).unwrap();
    Change { event: Arc::new(event), kind, weight: Weight::ONE, folder: None, around: Vec::new() }
}

/// The incidents of people in these changes, judged.
fn assessed(changes: &[Change]) -> Vec<Assessed> {
    let mut detector = Detector::new(&Limits::default());
    changes.iter().for_each(|change| detector.push(change));
    let of_people = detector.finish().into_iter().filter(|one| matches!(one.who, Who::Person(_)));
    let suspects = of_people.map(|mut incident| {
        let mut extent = Extent::default();
        let own = changes.iter().filter(|change| incident.includes(change));
        own.for_each(|change| extent.add(change, &Rooms::default()));
        extent.complete(&mut incident);
        let names = NewNames::new(&extent, LookedUp::default(), &Names::built_in());
        Suspect { incident, extent, story: Story::default(), names, sign_ins: None }
    });
    judge(suspects.collect(), Tz::UTC, DateTime::UNIX_EPOCH)
}

/// So many documents are deleted, one a second.
fn deleted(actor: u128, first: i64, many: i64) -> Vec<Change> {
    (first..first + many).map(|document| change(document, document, actor, DELETE, document)).collect()
}

/// Thirty documents, each saved, renamed and deleted.
#[test]
fn a_document_counts_once_whatever_was_done_to_it() {
    let actions = [SAVE, RENAME, DELETE];
    let each = (0..90).map(|n| change(n, n, 1, actions[n as usize / 30], 900 + n % 30));
    let mut incidents = gathered(assessed(&each.collect::<Vec<_>>()));
    assert_eq!(incidents.len(), 1);
    let found = told(incidents.remove(0));
    assert_eq!((found.detail.file_count, found.finding.counts.documents, found.finding.counts.acts), (30, 30, 90));
}

/// A crowd is five people: four are none, though one of them has two incidents, and who has two counts once, with all documents.
#[test]
fn a_crowd_counts_people_and_not_incidents() {
    let once = |people: std::ops::Range<u128>| people.flat_map(|person| assessed(&deleted(person, 0, 25)));
    let twice = || assessed(&deleted(1, 0, 25)).into_iter().chain(assessed(&deleted(1, 100, 25)));
    let four: Vec<Told> = gathered(once(2..5).chain(twice()).collect());
    assert_eq!((four.len(), four.iter().filter(|told| matches!(told, Told::Crowd(_))).count()), (5, 0));
    let mut five = gathered(once(2..6).chain(twice()).collect());
    assert_eq!(five.len(), 1);
    let Told::Crowd(crowd) = five.remove(0) else { panic!("no crowd") };
    let people: Vec<(Uuid, u64)> =
        crowd.people().into_iter().map(|(person, documents)| (person.id, documents)).collect();
    assert_eq!(crowd.person().name.raw(), "5 people");
    assert_eq!(
        people,
        [(1, 50), (2, 25), (3, 25), (4, 25), (5, 25)].map(|(id, documents)| (Uuid::from_u128(id), documents))
    );
    // the others deleted the same documents
    assert_eq!(told(Told::Crowd(crowd)).detail.file_count, 50);
}
