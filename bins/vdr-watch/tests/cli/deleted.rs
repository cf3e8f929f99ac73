//! Somebody empties a room, and then the room is deleted.

use crate::common::Setting;

#[tokio::test]
async fn a_reader_understands_why_a_deleted_room_is_no_all_clear() {
    let setting = Setting::new("deleted-room").await;
    let run = setting.run(&[]).await;
    assert_eq!(run.exit, 4, "{}", run.stderr);
    for part in [
        "HIGH Bob Ray, ≥ 25 deletions at once, room 75 \"Hooli – patents\", and 1 more",
        "nobody could tell how many documents were in the room itself; there may be more",
        "≥ 25 deletions on 25 documents",
        "HIGH  Mallory Quick <mallory@example.com> in \"Hooli – patents\" (room 75)",
        "ask whoever owned the room, and not Mallory Quick, whether this was agreed",
        "Not seen: contents of some folders, 2026-11-19 10:00:00 to 2026-11-20 10:00:00: somebody took the folders away before \
         this program had seen what they held",
    ] {
        assert!(run.stdout.contains(part), "{part} in\n{}", run.stdout);
    }
    for untrue in ["check the address", "rooms/shared/75", "rooms = [\"75\"]"] {
        assert!(!run.stdout.contains(untrue), "{untrue} in\n{}", run.stdout);
    }
}
