//! The lines for cron and what they need, run as they stand: in the file that is shipped, and in the README.

use std::path::Path;

use cli_test::CLOCK;

use crate::common::{Setting, only_file};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The commands that are to be run once, as root.
fn commands(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.trim_start_matches(['#', ' ']));
    lines.filter(|line| line.starts_with("install ")).collect()
}

/// What the file sets for its lines, with the folders of this test.
fn set(text: &str, root: &str) -> Vec<(String, String)> {
    let installed = Path::new(env!("CARGO_BIN_EXE_vdr-watch")).parent().unwrap().display().to_string();
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("PATH=") || line.starts_with("STATE_"));
    let set = lines.filter_map(|line| line.split_once('='));
    set.map(|(name, value)| (name.to_owned(), here(value, root, "").replace("/usr/local/bin", &installed))).collect()
}

/// What cron runs, and as whom.
fn cron_line(text: &str) -> (String, String) {
    let line = text.lines().map(str::trim).find(|line| line.starts_with("*/10 * * * *")).unwrap();
    let mut words = line.split_whitespace().skip(5);
    let user = words.next().unwrap().to_owned();
    (user, words.collect::<Vec<_>>().join(" "))
}

async fn sh(setting: &Setting, line: &str, set: &[(String, String)]) -> cli_test::Run {
    let mut shell = cli_test::command(Path::new("/bin/sh"), setting.state.path());
    shell.args(["-c", line]).env("PATH", "/usr/bin:/bin").env(CLOCK, setting.sim.now().to_rfc3339());
    shell.envs(set.iter().map(|(name, value)| (name, value)));
    cli_test::run(shell).await
}

/// The line with the folders of this test, and for this user, who is not root everywhere.
fn here(line: &str, root: &str, user: &str) -> String {
    let line = line.replace("/var/lib/", &format!("{root}/var/")).replace("/etc/docspace/", &format!("{root}/etc/"));
    line.replace("-o vdr-watch", &format!("-o {user}"))
}

#[tokio::test]
async fn the_lines_make_what_they_need_and_the_second_run_remembers_the_first() {
    for name in ["deploy/vdr-watch.cron", "README.md"] {
        let text = file(name);
        let setting = Setting::new("incident").await;
        let root = setting.state.path().display().to_string();
        let user = sh(&setting, "id -un", &[]).await.stdout.trim().to_owned();
        for folder in ["var", "etc"] {
            std::fs::create_dir(setting.state.path().join(folder)).unwrap();
        }
        setting.file("etc/vdr-watch.toml", &format!("[portal]\nurl = \"{}\"\n", setting.sim.url()));
        setting.file("docspace-api-key", &setting.key);
        let made = commands(&text);
        assert!(made.iter().any(|line| line.contains("install -d -o vdr-watch -m 700 /var/lib/vdr-watch")), "{name}");
        assert!(made.iter().any(|line| line.ends_with("/etc/docspace/vdr-watch.key")), "{name}: {made:?}");
        for line in made {
            let done = sh(&setting, &here(line, &root, &user), &[]).await;
            assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{name}: {line}");
        }
        let (as_whom, command) = cron_line(&text);
        assert_eq!(as_whom, "vdr-watch", "{name}");
        let set = set(&text, &root);
        let first = sh(&setting, &here(&command, &root, &user), &set).await;
        assert!(first.exit == 0 && first.stdout.contains("Mallory Quick"), "{name}: {} {}", first.stdout, first.stderr);
        assert!(!first.stdout.contains("memory"), "{name}: {}", first.stdout);
        assert!(only_file(&setting.state.path().join("var/vdr-watch"), "sqlite").exists(), "{name}");
        let second = sh(&setting, &here(&command, &root, &user), &set).await;
        assert_eq!((second.exit, second.stdout.as_str(), second.stderr.as_str()), (0, "", ""), "{name}");
    }
}
