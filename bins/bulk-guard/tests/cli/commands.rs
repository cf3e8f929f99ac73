//! `explain`, `backtest`, and what is refused.

use portal_sim::PersonKind;

use crate::common::{Burst, folder_deleted, hire, json, office, setting};

#[tokio::test]
async fn explain_shows_the_fullest_stretch_and_whether_a_plan_could_touch_somebody() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(5017, 18).by(&mut portal, &mara, &[71], "");
    folder_deleted(&mut portal, &mara, 500, 40, 30);
    let setting = setting(portal).await;
    setting.run(&[]).await;
    let told = setting.run(&["explain", "mara@example.com"]).await;
    assert_eq!(told.exit, 0, "{}", told.stderr);
    insta::assert_snapshot!("explain", told.stdout);
    let owner = setting.run(&["explain", "olga@example.com"]).await.stdout;
    assert!(owner.contains("could not suspend this person: the owner of the portal cannot be suspended"), "{owner}");
    let unknown = setting.run(&["explain", "nobody@example.com"]).await;
    assert_eq!(unknown.exit, 2);
    assert!(unknown.stderr.contains("nobody has the id"), "{}", unknown.stderr);
}

/// A pseudonym of a report leads back to the person where the key is at hand that it was made with, and to nobody otherwise.
#[tokio::test]
async fn what_takes_a_person_takes_their_pseudonym_with_the_key() {
    let mut portal = office();
    let mara = hire(&mut portal, "mara@example.com", PersonKind::User);
    Burst::new(5018, 130).by(&mut portal, &mara, &[71], "");
    let setting = setting(portal).await;
    setting.file("names-key", "0123456789abcdef0123456789abcdef\n");
    setting.file("another-key", "fedcba9876543210fedcba9876543210\n");
    let names = |key: &str| format!("names = \"pseudonym\"\nnames_key_file = \"{key}\"\n");
    let config = setting.file("names.toml", &names("names-key"));
    let another = setting.file("another.toml", &names("another-key"));
    let report = json(&setting, &["--portal-config", &config]).await.json();
    let person = &report["findings"][0]["person"];
    let [pseudonym, id] = ["name", "id"].map(|member| person[member].as_str().unwrap().to_owned());
    assert!(pseudonym.starts_with("person-") && id != mara.id.to_string(), "{person}");
    let list = setting.state.path().join("list.csv").display().to_string();
    for (command, flags) in [("explain", &[][..]), ("restore-list", &["--since", "24h", "--out", &list])] {
        let run = async |word: &str, more: &[&str]| setting.run(&[&[command, word], flags, more].concat()).await;
        let clear = run("mara@example.com", &[]).await;
        assert!(clear.stdout.contains("130 documents"), "{command}: {} {}", clear.stdout, clear.stderr);
        for word in [&pseudonym, &id] {
            let told = run(word, &["--portal-config", &config]).await;
            assert_eq!((told.exit, &told.stdout), (clear.exit, &clear.stdout), "{command} {word}: {}", told.stderr);
            let without = run(word, &[]).await;
            assert_eq!((without.exit, without.stdout.as_str()), (2, ""), "{command} {word}: {}", without.stderr);
            assert!(without.stderr.contains("name the file with the key in `names_key_file`"), "{}", without.stderr);
            let other = run(word, &["--portal-config", &another]).await;
            assert_eq!((other.exit, other.stdout.as_str()), (2, ""), "{command} {word}: {}", other.stderr);
            assert!(other.stderr.contains("is a pseudonym of nobody whom this store knows"), "{}", other.stderr);
        }
    }
    let named = setting.run(&["explain", &pseudonym, "--portal-config", &config]).await;
    let who = format!("Mara mara <mara@example.com>, {}", mara.id);
    assert!(named.stdout.contains(&who), "{}", named.stdout);
}

/// Zero of nothing remembered is no all-clear.
#[tokio::test]
async fn what_is_not_remembered_is_named() {
    let setting = setting(office()).await;
    let commands = [vec!["explain", "olga@example.com"], vec!["backtest"]];
    for command in commands.map(|command| [&command[..], &["--since", "2026-11-19T07:00:00Z"]].concat()) {
        let told = setting.run(&command).await;
        assert_eq!(told.exit, 0, "{}", told.stderr);
        assert!(told.stdout.contains("Nothing is remembered of 2026-11-19 07:00:00 to"), "{command:?} {}", told.stdout);
        assert!(told.stdout.contains("`bulk-guard --since 2026-11-19T07:00:00Z` reads"), "{command:?} {}", told.stdout);
        let zeros = ["peak 0", "0 changes", "incidents"];
        assert!(!zeros.iter().any(|zero| told.stdout.contains(zero)), "{command:?} {}", told.stdout);
    }
    setting.run(&[]).await;
    let told = setting.run(&["backtest", "--since", "2026-11-19T07:00:00Z"]).await;
    assert!(told.stdout.contains("Not remembered: 2026-11-19 07:00:00 to 2026-11-19 08:00:00"), "{}", told.stdout);
    for command in [vec!["explain", "olga@example.com"], vec!["backtest"]] {
        let told = setting.run(&[&command[..], &["--since", "2026-11-20T09:30:00Z"]].concat()).await;
        assert_eq!((told.exit, told.stdout.as_str()), (2, ""), "{}", told.stderr);
    }
}

#[tokio::test]
async fn an_age_of_the_beginning_counts_from_the_end_of_the_window() {
    let setting = setting(office()).await;
    let url = setting.sim.url();
    for command in [vec!["explain", "olga@example.com"], vec!["backtest"]] {
        let flags = ["--portal", &url, "--since", "1d", "--until", "2d"];
        let told = setting.run_with(&[&command[..], &flags].concat()).await;
        assert_eq!(told.exit, 0, "{}", told.stderr);
        let window = "remembered of 2026-11-17 09:00:00 to 2026-11-18 09:00:00";
        assert!(told.stdout.contains(window), "{command:?} {}", told.stdout);
        let ahead = setting.run_with(&[&command[..], &["--portal", &url, "--until", "2026-11-21"]].concat()).await;
        assert_eq!((ahead.exit, ahead.stdout.as_str()), (2, ""), "{}", ahead.stderr);
    }
}

#[tokio::test]
async fn backtest_compares_limits_in_what_is_remembered() {
    let mut portal = office();
    let (mara, ben) = (
        hire(&mut portal, "mara@example.com", PersonKind::User),
        hire(&mut portal, "ben@example.com", PersonKind::User),
    );
    Burst::new(5018, 130).by(&mut portal, &mara, &[71], "");
    Burst { first: 30_000, ..Burst::new(5011, 30) }.by(&mut portal, &ben, &[72], "");
    let setting = setting(portal).await;
    setting.run(&[]).await;
    let told = setting.run(&["backtest", "--since", "2026-11-13", "--limits", "20/10m,50/10m,200/10m"]).await;
    assert_eq!(told.exit, 0, "{}", told.stderr);
    insta::assert_snapshot!("backtest", told.stdout);
    for ignored in [&["--format", "json"][..], &["--report", "r.html"], &["--exit-code"]] {
        let refused = setting.run(&[&["backtest"], ignored].concat()).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{ignored:?}");
        assert!(refused.stderr.contains(&format!("`{}", ignored[0])), "{}", refused.stderr);
    }
    // two incidents in the two weeks that are remembered of thirteen
    setting.run(&["--since", "14d"]).await;
    let told = setting.run(&["backtest", "--since", "91d", "--limits", "20/10m"]).await;
    assert!(told.stdout.contains("those of the 2.1 weeks that are remembered"), "{}", told.stdout);
    assert!(told.stdout.contains("20/10m             2       0.9 "), "{}", told.stdout);
    let wrong = setting.run(&["backtest", "--limits", "20/10h"]).await;
    assert_eq!(wrong.exit, 2);
    assert!(wrong.stderr.contains("20/10m"), "{}", wrong.stderr);
}

#[tokio::test]
async fn enforcing_is_refused_without_saying_for_what() {
    let setting = setting(office()).await;
    let config = setting.file("bulk-guard.toml", "mode = \"enforce\"\n");
    let told = setting.run(&["--config", &config]).await;
    assert_eq!((told.exit, told.stdout.as_str()), (2, ""));
    assert!(told.stderr.contains("`suspend.kinds`") && told.stderr.contains("suspend nobody"), "{}", told.stderr);
}
