//! A room that the settings name twice, in whichever way, is watched once.

use crate::common::Setting;

#[tokio::test]
async fn a_room_that_is_named_twice_is_watched_once() {
    let setting = Setting::new("incident").await;
    let once = setting.run(&["--dry-run", "--room", "71"]).await;
    assert!(once.stdout.contains("Mallory Quick"), "{}", once.stdout);
    let twice = setting.run(&["--dry-run", "--room", "71", "--room", "71"]).await;
    assert_eq!((twice.exit, &twice.stdout), (once.exit, &once.stdout), "{}", twice.stderr);
    let config = setting.config("rooms = [\"71\", \" 71 \", \"Acme – due diligence\"]\n");
    let both = setting.run(&["--dry-run", "--config", &config]).await;
    assert_eq!((both.exit, &both.stdout), (once.exit, &once.stdout), "{}", both.stderr);
    let doctor = setting.run_with(&["doctor", "--portal", &setting.sim.url(), "--config", &config]).await;
    assert!(doctor.stdout.contains("1 of 3 virtual data rooms"), "{}", doctor.stdout);
}
