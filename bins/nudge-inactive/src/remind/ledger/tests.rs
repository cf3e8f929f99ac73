use super::super::mail::{mail_key, message_id};
use super::super::series::{Observed, close_what_is_over};
use super::*;
use crate::body::RemindedRoom;

const ANNA: Uuid = Uuid::from_u128(2);

fn step(id: &str, series: u32, step_days: u32) -> RemindedRoom {
    let since = "2026-10-01T00:00:00Z".parse().unwrap();
    RemindedRoom { id: RoomId::from(id), title: "Falcon".into(), since, series, step_days }
}

/// Nobody is reminded twice because of an upgrade: the keys stand in stores, the other is what mail servers drop copies by.
#[test]
fn names_of_mails_stay_from_version_to_version() {
    let key = mail_key(ANNA, &[step("sbox-7", 2, 14), step("71", 1, 1)]);
    assert_eq!(key, "reminder_mail 00000000-0000-0000-0000-000000000002 5c518cb99a2acd1f");
    let id = |since: &str| {
        let step = RemindedRoom { since: since.parse().unwrap(), ..step("71", 1, 0) };
        message_id("reminder_mail 1", &[step], "example.com")
    };
    assert_eq!(id("2026-10-01T00:00:00Z"), id("2026-10-01T00:00:00Z"));
    assert_ne!(id("2026-10-01T00:00:00Z"), id("2026-11-03T00:00:00Z"), "of another store");
}

/// The rows of a run of version 1.0.0 that lost the server: one mail about two rooms, of which the first is active again.
const VERSION_1_0_0: &str = r#"
INSERT INTO journal_entry (key, kind, subject, state, payload, created_us, updated_us) VALUES
('inactive_since 00000000-0000-0000-0000-000000000002 71', 'inactive_since', '00000000-0000-0000-0000-000000000002 71', 'started',
 '{"person":"00000000-0000-0000-0000-000000000002","room":71,"since":"2026-10-01T00:00:00Z","number":1}', 1790000000000000, 1790000000000000),
('reminder 00000000-0000-0000-0000-000000000002 71 1 0', 'reminder', '00000000-0000-0000-0000-000000000002', 'unknown',
 '{"mail":"reminder_mail 00000000-0000-0000-0000-000000000002 aa"}', 1790000000000000, 1790000000000000),
('reminder 00000000-0000-0000-0000-000000000002 72 1 0', 'reminder', '00000000-0000-0000-0000-000000000002', 'started',
 '{"mail":"reminder_mail 00000000-0000-0000-0000-000000000002 aa"}', 1790000000000000, 1790000000000000),
('reminder_mail 00000000-0000-0000-0000-000000000002 aa', 'reminder_mail', '00000000-0000-0000-0000-000000000002', 'unknown',
 '{"rooms":[{"id":71,"since":"2026-10-01T00:00:00Z","series":1,"step_days":0}],"tries":1}', 1790000000000000, 1790000000000000);
"#;

#[tokio::test]
async fn what_version_1_0_0_wrote_is_read_and_gone_on_with() {
    let store = Store::temporary().await.unwrap();
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    let ledger = Ledger::open(store.clone(), now).await.unwrap();
    store.script("filling", VERSION_1_0_0).await.unwrap();

    let past = ledger.past().await.unwrap();
    assert_eq!(past.series[&(ANNA, RoomId::from("71"))].number, 1);
    let reminded = [step("71", 1, 0), step("72", 1, 0)].map(|step| step.key(ANNA));
    assert_eq!(past.reminded.iter().collect::<Vec<_>>(), [&reminded[1]], "the first is open still");
    assert_eq!((past.mails.len(), past.open[&ANNA].len()), (0, 1));
    let states = ledger.told(ANNA, &RoomId::from("71")).await.unwrap();
    assert_eq!(states.iter().map(|(days, state, _)| (*days, *state)).collect::<Vec<_>>(), [(0, JournalState::Unknown)]);
    assert_eq!(ledger.told(ANNA, &RoomId::from("72")).await.unwrap()[0].1, JournalState::Started);

    let [open] = &past.open[&ANNA][..] else { panic!("one mail is open") };
    assert_eq!((open.may_have_left, open.content.tries, open.content.rooms.len()), (true, 1, 1));
    ledger.actions.give_up(&open.intent).await.unwrap();
    let past = ledger.past().await.unwrap();
    assert_eq!((past.open.len(), past.mails[&ANNA].len(), past.reminded.len()), (0, 1, 2));
    assert_eq!(ledger.told(ANNA, &RoomId::from("71")).await.unwrap()[0].1, JournalState::Failed);
}

/// A run ended after a mail had left, and before the ones in whose place it went were closed.
#[tokio::test]
async fn what_another_mail_has_told_is_not_said_again() {
    for (sent, open) in [("1", "2"), ("2", "1")] {
        let store = Store::temporary().await.unwrap();
        let ledger = Ledger::open(store.clone(), "2026-11-20T09:00:00Z".parse().unwrap()).await.unwrap();
        let room = |id: u32, days: u32| {
            format!(r#"{{"id":{id},"since":"2026-10-01T00:00:00Z","series":1,"step_days":{days}}}"#)
        };
        let mails = [
            (sent, "done", format!("{},{}", room(71, 14), room(72, 0)), 1),
            (open, "planned", room(72, 0), 0),
            ("3", "unknown", room(71, 0), 1),
        ];
        for (key, state, rooms, tries) in mails {
            let row = format!(
                r#"INSERT INTO journal_entry (key, kind, subject, state, payload, created_us, updated_us)
                   VALUES ('reminder_mail {key}', 'reminder_mail', '{ANNA}', '{state}', '{{"rooms":[{rooms}],"tries":{tries}}}', 1, 1)"#
            );
            store.script("filling", row).await.unwrap();
        }
        let past = ledger.past().await.unwrap();
        let told = [step("71", 1, 0), step("71", 1, 14), step("72", 1, 0)].map(|step| past.has_told(ANNA, &step));
        assert_eq!((told, past.open[&ANNA].len()), ([true; 3], 2));
        assert!(!past.has_told(ANNA, &step("71", 1, 28)) && !past.has_told(ANNA, &step("71", 2, 0)));
        close_what_is_over(&ledger, &past, Observed(&[])).await.unwrap();
        assert_eq!(ledger.past().await.unwrap().open.len(), 0);
    }
}
