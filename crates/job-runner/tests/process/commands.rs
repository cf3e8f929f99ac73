//! Subcommands: own ones, and those that every program has.

use crate::common::Desk;

#[tokio::test]
async fn an_own_command_needs_neither_portal_nor_key() {
    let ended = Desk::new().run(&["add", "2", "3"]).await;
    assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (0, "5\n", ""));
}

#[tokio::test]
async fn an_own_command_says_what_it_lacks_when_it_asks() {
    let desk = Desk::new();
    let ended = desk.run(&["remembered"]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("portal.url"), "{}", ended.stderr);
    let ended = desk.run(&["remembered", "--portal", "https://docs.example.com"]).await;
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert_eq!(ended.stdout, "[]\n");
    assert!(!desk.folder.path().join("state").exists(), "a look makes nothing");
    let ended = desk.run(&["whoami", "--portal", "https://docs.example.com"]).await;
    assert_eq!(ended.exit, 2);
    assert!(ended.stderr.contains("no API key"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_own_command_reaches_the_portal() {
    let (desk, sim) = Desk::with_portal().await;
    let ended = desk.run(&["whoami", "--portal", &sim.url()]).await;
    assert_eq!((ended.exit, ended.stdout.as_str()), (0, "66faa6e4-f133-11ea-b126-00ffeec8b4ef\n"), "{}", ended.stderr);
}

#[tokio::test]
async fn settings_must_be_right_for_own_commands_too() {
    let desk = Desk::new();
    let config = desk.write("sample.toml", "moood = 1\n[portal]\n");
    let ended = desk.run(&["add", "1", "--config", &config]).await;
    assert_eq!(ended.exit, 2);
    assert!(ended.stderr.contains("did you mean `mood`") && ended.stderr.contains("portal.url"), "{}", ended.stderr);
}

#[tokio::test]
async fn config_show_tells_value_and_origin_and_no_secret() {
    let desk = Desk::new();
    let secret = "s3cr3t";
    let config = desk.write(
        "sample.toml",
        &format!(
            "mood = \"calm\"\nkey_file = \"key\"\n[heartbeat]\nurl = \"https://beat.example.com/{secret}\"\n[alerts.webhook]\n\
             url = \"https://hooks.example.com/{secret}\"\n[outbound]\nproxy = \"http://me:{secret}@proxy.example.com:3128\"\n"
        ),
    );
    desk.write("key", secret);
    let ended = desk.run(&["config", "show", "--config", &config, "--portal", "https://docs.example.com"]).await;
    assert_eq!((ended.exit, ended.stderr.contains(secret)), (0, false), "{}", ended.stderr);
    assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
    let state = desk.folder.path().join("state");
    for (setting, origin) in [
        ("mood = \"calm\"", config.as_str()),
        ("portal.url = \"https://docs.example.com\"", "flag --portal"),
        ("heartbeat.url = \"https://beat.example.com/***\"", &config),
        ("outbound.proxy = \"http://proxy.example.com:3128\"", &config),
        ("run_limit = \"30m\"", "default"),
        ("# textfile is not set", "default"),
        (&format!("state = \"{}\"", state.display()), "environment variable STATE_DIRECTORY"),
    ] {
        let line = ended.stdout.lines().find(|line| line.starts_with(setting));
        let line = line.unwrap_or_else(|| panic!("{setting} in {}", ended.stdout));
        assert_eq!(line[setting.len()..].trim_start(), format!("# {origin}"));
    }
    assert!(ended.stdout.contains("# API key: from `") && ended.stdout.contains("(setting `key_file`)"));
}

#[tokio::test]
async fn config_show_prints_every_problem_after_the_settings() {
    let desk = Desk::new();
    let config = desk.write("sample.toml", "moood = 1\nrun_limit = \"soon\"\ntextfile = \"metrics.txt\"");
    let ended = desk.run(&["config", "show", "--format", "json", "--config", &config]).await;
    assert_eq!(ended.exit, 2);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    for key in ["moood", "run_limit", "textfile", "portal.url"] {
        let named = format!("`{key}`");
        assert!(problems.iter().any(|problem| problem.as_str().unwrap().contains(&named)), "{key} in {problems:?}");
        assert!(ended.stderr.contains(&named), "{key} in {}", ended.stderr);
    }
    let shown =
        |key: &str| report["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap();
    assert_eq!(shown("run_limit")["value"], "30m", "a value that does not fit is not used");
    assert_eq!(shown("textfile")["origin"], serde_json::json!({ "kind": "file", "name": config }));
    assert_eq!(shown("portal.url")["value"], serde_json::Value::Null);
}

#[tokio::test]
async fn completions_know_common_and_own_commands() {
    let ended = Desk::new().run(&["completions", "bash"]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
    for word in ["completions", "remembered", "--portal-config", "show"] {
        assert!(ended.stdout.contains(word), "{word}");
    }
    assert_eq!(Desk::new().run(&["completions", "tcl"]).await.exit, 2);
}

#[tokio::test]
async fn a_broken_rust_log_is_heard_of() {
    let desk = Desk::new();
    let mut command = desk.command(&["add", "1"]);
    command.env("RUST_LOG", "a=b=c");
    let ended = cli_test::run(command).await;
    assert_eq!(ended.exit, 2);
    assert!(ended.stderr.contains("RUST_LOG"), "{}", ended.stderr);
}

/// What a command says of a store must be true of it.
#[tokio::test]
async fn giving_up_says_what_there_was_to_give_up() {
    let (desk, sim) = Desk::with_portal().await;
    let url = sim.url();
    let config = desk.write("sample.toml", "mood = \"read\"");
    let give_up = async |until: &str| {
        let command = ["store", "give-up", "--reason", "a test", "--portal", &url, "--until", until];
        let ended = desk.run(&command).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""));
        ended.stdout
    };
    let before = give_up("2026-11-20T08:00:00Z").await;
    assert!(before.contains("does not exist yet, because no run has written to it"), "{before}");
    let state = desk.folder.path().join("state");
    assert!(!state.exists(), "nothing is made for that");
    let run = ["--portal", url.as_str(), "--config", &config, "--until", crate::common::NOW];
    assert_eq!(desk.run(&run).await.exit, 0);
    let early = give_up("2026-01-01T00:00:00Z").await;
    assert!(early.starts_with("nothing to give up: runs look at nothing before 2026-11-"), "{early}");
    let judged = give_up("2026-11-20T08:00:00Z").await;
    assert!(judged.contains("2026-11-20T08:00:00Z was judged"), "{judged}");
}

/// The one file of a folder with this ending.
fn only(folder: &std::path::Path, ending: &str) -> Option<std::path::PathBuf> {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|found| found == ending))
}

/// A store of version 1.0.0 in a folder of several programs: whoever only looks finds it and leaves it, and says so.
#[tokio::test]
async fn a_store_under_its_former_name_is_found_before_the_first_run() {
    let (desk, sim) = Desk::with_portal().await;
    let (url, state) = (sim.url(), desk.folder.path().join("state"));
    let config = desk.write("sample.toml", "mood = \"read\"");
    let run = ["--portal", url.as_str(), "--config", &config, "--until", crate::common::NOW, "--format", "json"];
    assert_eq!(desk.run(&run).await.exit, 0);
    let present = only(&state, "sqlite").unwrap();
    let name = present.file_name().unwrap().to_str().unwrap();
    let former = state.join(name.strip_prefix("sample-job-").unwrap());
    std::fs::rename(&present, &former).unwrap();
    let says = format!("the next run takes it over as {}", present.display());
    let judged = "2026-11-20";
    for command in [&["doctor"][..], &["store", "check"]] {
        let ended = desk.run(&[command, &["--portal", &url]].concat()).await;
        assert!(ended.stdout.contains(&says) && ended.stdout.contains(judged), "{command:?}: {}", ended.stdout);
    }
    let give_up = ["store", "give-up", "--reason", "a test", "--portal", &url, "--until", "2026-11-20T08:00:00Z"];
    let given = desk.run(&give_up).await.stdout;
    assert!(given.contains("was judged"), "{given}");
    let dry = desk.run(&[&run[..], &["--dry-run"]].concat()).await.json();
    assert!(dry["notes"].to_string().contains(&says), "{dry}");
    assert!(former.exists() && !present.exists(), "a look changes nothing");
    let taken = desk.run(&run).await.json();
    assert!(!taken["notes"].to_string().contains(&says) && present.exists() && !former.exists(), "{taken}");
}

/// Whoever gives a flag relies on it.
#[tokio::test]
async fn a_flag_that_a_subcommand_ignores_is_refused() {
    let report = ["--report", "r.html"];
    for (command, flags) in [
        (&["doctor"][..], &[&report[..], &["--since", "2d"], &["--until", "1h"], &["--exit-code"]][..]),
        (&["config", "show"], &[&report, &["--since", "2d"], &["--exit-code"]]),
        (&["completions", "bash"], &[&report, &["--format", "json"]]),
        (&["store", "check"], &[&report, &["--since", "2d"], &["--format", "json"], &["--exit-code"]]),
        (&["store", "prune", "--before", "90d"], &[&report, &["--dry-run"]]),
        (&["store", "give-up", "--until", "1h", "--reason", "a test"], &[&report, &["--dry-run"], &["--since", "2d"]]),
        (&["add", "2", "3"], &[&report, &["--format", "json"], &["--exit-code"]]),
    ] {
        for flag in flags {
            let desk = Desk::new();
            let ended = desk.run(&[command, flag, &["--portal", "http://127.0.0.1:9"]].concat()).await;
            let said = format!("`{}` has no effect on this subcommand; leave it out", flag.join(" "));
            let said = said.replace(" r.html", "").replace(" 2d", "").replace(" 1h", "");
            assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{command:?} {flag:?}");
            assert!(ended.stderr.contains(&said), "{command:?}: {}", ended.stderr);
            assert!(!desk.folder.path().join("r.html").exists());
        }
    }
}
