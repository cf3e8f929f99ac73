//! What is kept about people: shown, forgotten when it is old, and forgotten when somebody asks for it.

use chrono::TimeDelta;
use cli_test::contract::{named_in_store as left, names_of};
use serde_json::Value;

use crate::common::{self, Run, Setting, only_file};

const MALLORY: &str = "mallory@example.com";

async fn store(setting: &Setting, arguments: &[&str]) -> Run {
    let url = setting.sim.url();
    setting.run_with(&[&["--portal", &url, "store"], arguments].concat()).await
}

#[tokio::test]
async fn after_pruning_nobody_is_named_in_the_file() {
    let mut setting = Setting::new("incident").await;
    setting.run(&["--since", "2026-11-10T00:00:00Z"]).await;
    let people = names_of(&setting, |_| true);
    assert!(left(&setting, &people).len() > 10);
    setting.clock = cli_test::Clock::At(common::now() + TimeDelta::days(200));
    let pruned = store(&setting, &["prune", "--before", "100d"]).await;
    assert_eq!((pruned.exit, pruned.stderr.as_str()), (0, ""));
    assert!(
        pruned.stdout.contains("audit_event: ") && pruned.stdout.contains("matter: 2 rows forgotten"),
        "{}",
        pruned.stdout
    );
    assert_eq!(left(&setting, &people), Vec::<String>::new());
    let checked = store(&setting, &["check"]).await.stdout;
    assert!(checked.contains("no longer remembered: what happened before 2027-02-28"), "{checked}");
    assert!(!checked.contains("read completely") && !checked.contains("but not"), "neither seen nor a hole: {checked}");
}

/// What the first run of a day forgets is older than `keep` and told; `keep` is never shorter than what the rules look at.
#[tokio::test]
async fn the_first_run_of_a_day_forgets_what_is_older_than_keep() {
    let mut setting = Setting::new("incident").await;
    let url = setting.sim.url();
    let refused = setting.run_with(&["--portal", &url, "--config", &setting.config("keep = \"20d\"")]).await;
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("must be at least 31d: `limits.unusual_hours` needs"), "{}", refused.stderr);
    setting.run(&["--since", "2026-11-10T00:00:00Z"]).await;
    let people = names_of(&setting, |_| true);
    let kept = left(&setting, &people);
    setting.run_with(&["--portal", &url]).await;
    assert_eq!(left(&setting, &people), kept, "nothing is old yet");
    let later = common::now() + TimeDelta::days(91);
    setting.clock = cli_test::Clock::At(later);
    setting.sim.follow(move || later);
    let later = setting.run_with(&["--portal", &url, "-v", "--since", "1d"]).await;
    assert!(later.stderr.contains("as `keep` says"), "{}", later.stderr);
    let mallory = names_of(&setting, |email| email == MALLORY);
    assert_eq!(left(&setting, &mallory), Vec::<String>::new());
}

#[tokio::test]
async fn a_person_is_shown_and_forgotten_and_stays_so() {
    let setting = Setting::new("incident").await;
    let config = setting.config("[alerts.webhook]\nurl = \"http://127.0.0.1:9/\"");
    setting.run(&["--since", "2026-11-10T00:00:00Z", "--config", &config]).await;
    let [name, _, id, _] = names_of(&setting, |email| email == MALLORY).remove(0);
    let shown = store(&setting, &["show", MALLORY]).await;
    assert_eq!(shown.exit, 0, "{}", shown.stderr);
    for part in [
        name.as_str(),
        id.as_str(),
        "alerts that no channel has taken yet (waiting): 1 row",
        "sign-ins and failed sign-ins",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let shown: Value = store(&setting, &["--format", "json", "show", &id.to_uppercase()]).await.json();
    assert_eq!((&shown["person"]["id"], &shown["person"]["emails"][0]), (&id.clone().into(), &MALLORY.into()));
    for (person, why) in
        [("nobody@example.com", "nobody that this store knows"), ("Mallory", "neither an id nor an e-mail address")]
    {
        for command in [&["show", person][..], &["forget", person, "--reason", "asked"]] {
            let refused = store(&setting, command).await;
            assert_eq!((refused.exit, refused.stdout.as_str()), (2, ""), "{command:?}");
            assert!(refused.stderr.contains(why), "{}", refused.stderr);
        }
    }
    let others = names_of(&setting, |email| email != MALLORY);
    let kept = left(&setting, &others);
    let forgotten = store(&setting, &["forget", MALLORY, "--reason", "mallory@example.com asked for it"]).await;
    assert_eq!((forgotten.exit, forgotten.stderr.as_str()), (0, ""));
    assert!(forgotten.stdout.contains("The portal itself still has its events"), "{}", forgotten.stdout);
    let mallory = names_of(&setting, |email| email == MALLORY);
    assert_eq!(left(&setting, &mallory), Vec::<String>::new());
    assert_eq!(left(&setting, &others), kept, "the others are as they were");
    // the same time is judged again, and partly read again
    let again = setting.run(&["--config", &config]).await;
    assert_eq!((again.exit, again.stdout.contains("forgotten person")), (0, false), "{}", again.stdout);
    let [_, _, id, simple] = &mallory[0];
    assert!(!left(&setting, &mallory).contains(simple), "an event got its name back");
    assert!(!again.stdout.contains(id), "told again: {}", again.stdout);
}

#[tokio::test]
async fn a_backup_is_whole_private_and_never_in_the_place_of_another_file() {
    let setting = Setting::new("incident").await;
    setting.run(&[]).await;
    let file = setting.state.path().join("backup.sqlite");
    let path = file.display().to_string();
    let done = store(&setting, &["backup", &path]).await;
    assert_eq!((done.exit, done.stderr.as_str()), (0, ""));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    let copy = job_store::Store::open(&format!("sqlite://{path}")).await.unwrap();
    assert_eq!(copy.damage().await.unwrap(), None);
    assert!(copy.count(event_archive::ARCHIVE_TABLES[0], false).await.unwrap() > 0);
    copy.close().await;
    let bytes = std::fs::read(&file).unwrap();
    let refused = store(&setting, &["backup", &path]).await;
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("exists already"), "{}", refused.stderr);
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    let original = only_file(&setting.state.path().join("state"), "sqlite");
    let mut damaged = std::fs::read(&original).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8192].fill(0);
    std::fs::write(&original, damaged).unwrap();
    let other = setting.state.path().join("other.sqlite");
    assert_eq!(store(&setting, &["backup", &other.display().to_string()]).await.exit, 1);
    assert!(!other.exists());
}
