//! `explain`: the answer for one person and one room.

use crate::common::{now, settings_file, start_portal};
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

/// A pseudonym of a report leads back to the person where the key is at hand that it was made with, and to nobody otherwise.
#[tokio::test]
async fn a_pseudonym_is_understood_with_the_key() {
    let setting = start_portal(world(now())).await;
    setting.file("names-key", "0123456789abcdef0123456789abcdef\n");
    setting.file("another-key", "fedcba9876543210fedcba9876543210\n");
    let names = |key: &str| format!("names = \"pseudonym\"\nnames_key_file = \"{key}\"\n");
    let config = settings_file(&setting, &names("names-key"));
    let another = setting.file("another.toml", &names("another-key"));
    // one person is inactive there
    let run = setting.run(&["--config", &config, "--room", "Eagle", "--format", "json"]).await;
    let report = run.json();
    let person = &report["findings"][0]["person"];
    let [pseudonym, id] = ["name", "id"].map(|member| person[member].as_str().unwrap().to_owned());
    assert!(pseudonym.starts_with("person-"), "{person}");
    let clear = setting.run(&["explain", "asleep@example.com", "Eagle"]).await;
    let is_about = "Asleep Test <asleep@example.com> is inactive in";
    assert!(clear.exit == 0 && clear.stdout.contains(is_about), "{} {}", clear.stdout, clear.stderr);
    for word in [&pseudonym, &id] {
        let told = setting.run(&["explain", word, "Eagle", "--config", &config]).await;
        assert_eq!((told.exit, &told.stdout), (0, &clear.stdout), "{word}: {}", told.stderr);
        let without = setting.run(&["explain", word, "Eagle"]).await;
        assert_eq!((without.exit, without.stdout.as_str()), (2, ""), "{word}: {}", without.stderr);
        assert!(without.stderr.contains("name the file with the key in `names_key_file`"), "{}", without.stderr);
        let other = setting.run(&["explain", word, "Eagle", "--config", &another]).await;
        assert_eq!((other.exit, other.stdout.as_str()), (2, ""), "{word}: {}", other.stderr);
        assert!(other.stderr.contains("is a pseudonym of nobody whom this store knows"), "{}", other.stderr);
    }
}
