//! `explain`: the answer for one person and one room.

use crate::common::{now, start_portal};
use crate::world::world;

#[tokio::test]
async fn the_answer_says_why() {
    let setting = start_portal(world(now())).await;
    let (url, until) = (setting.sim.url(), now().to_rfc3339());
    let mut answers = String::new();
    for person in ["guest", "viewer", "grouped", "returned", "disabled", "olga"] {
        let email = format!("{person}@example.com");
        let ended = setting.run_with(&["--portal", &url, "--until", &until, "explain", &email, "Falcon (2026)"]).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{person}");
        answers.push_str(&ended.stdout);
        answers.push('\n');
    }
    insta::assert_snapshot!("explain", answers);
    assert!(!setting.state.path().join("state").exists(), "nothing is remembered");
    let flags = ["--portal", &url, "--since", "10d", "--until", "2d"];
    let earlier = setting.run_with(&[&flags[..], &["explain", "guest@example.com", "Falcon (2026)"]].concat()).await;
    let window = ", 2026-11-08 10:00:00 to 2026-11-18 10:00:00, ";
    assert!(earlier.stdout.lines().nth(1).unwrap().contains(window), "{}", earlier.stdout);
    let stranger =
        setting.run_with(&["--portal", &url, "--until", &until, "explain", "nobody@example.com", "71"]).await;
    assert_eq!(stranger.exit, 2);
    assert!(
        stranger.stdout.starts_with("nudge-inactive: `nobody@example.com` is not a member of"),
        "{}",
        stranger.stdout
    );
    // a name is no id, but says who is meant; so does a title in other letters
    let named = setting.run_with(&["--portal", &url, "--until", &until, "explain", "viewer test", "71"]).await;
    let said = "has the id or address `viewer test`; did you mean Viewer Test <viewer@example.com>?\n";
    assert!(named.exit == 2 && named.stdout.lines().next().unwrap().ends_with(said.trim_end()), "{}", named.stdout);
    let misspelt = setting.run_with(&["--portal", &url, "explain", "viewer@example.com", "EAGLE"]).await;
    let said = "argument `ROOM`: no room matches `EAGLE`; did you mean `Eagle`?";
    assert!(misspelt.exit == 2 && misspelt.stderr.contains(said), "{}", misspelt.stderr);
}
