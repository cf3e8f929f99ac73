//! `init` as a person meets it, in a terminal.

use std::path::Path;

use cli_test::{Run, Setting, command, run};
use job_store::testing::not_tested;
use portal_sim::Scenario;

use crate::common::now;

/// Answers each question when the program waits for it, as a person does, and prints everything that the terminal has shown. A program that
/// waits shows nothing of what is typed by itself; what is typed sooner, a question for a secret throws away.
const PERSON: &str = r"
import os, pty, sys, termios
program, answers = sys.argv[1], [pair.split('|') for pair in sys.argv[2:]]
child, terminal = pty.fork()
if child == 0:
    os.execv(program, [program, 'init', '--dir', '.', '--set', 'state=state'])
shown = b''
asked = 0
while True:
    try:
        got = os.read(terminal, 4096)
    except OSError:
        break
    if not got:
        break
    shown += got
    while answers and answers[0][0].encode() in shown[asked:]:
        question, answer = answers.pop(0)
        asked = len(shown)
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            os.sched_yield()
        os.write(terminal, answer.encode().decode('unicode_escape').encode())
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// What `init` shows somebody who answers like this; `None` without a terminal to try it in. `{url}` and `{key}` are filled in.
async fn answered(answers: &[(&str, &str)]) -> Option<(Setting, Run)> {
    let python = Path::new("/usr/bin/python3");
    if !python.exists() {
        not_tested("init in a terminal", "python3 is not installed");
        return None;
    }
    let scenario = Scenario::builtin("quiet", now()).unwrap();
    let setting = Setting::new(env!("CARGO_BIN_EXE_vdr-watch"), scenario).await;
    let filled_in = |answer: &str| answer.replace("{url}", &setting.sim.url()).replace("{key}", &setting.key);
    let answers = answers.iter().map(|(question, answer)| format!("{question}|{}", filled_in(answer)));
    let mut person = command(python, setting.state.path());
    person.args(["-c", PERSON, env!("CARGO_BIN_EXE_vdr-watch")]).args(answers);
    person.env(cli_test::CLOCK, setting.sim.now().to_rfc3339()).env("TERM", "xterm");
    let ended = run(person).await;
    Some((setting, ended))
}

/// Address, key and rooms, and two questions that are left open. What cannot be is asked again, before the next question. The key is not
/// shown, and only what was answered is written.
#[tokio::test]
async fn a_person_answers_and_the_program_is_set_up() {
    let answers = [
        ("Address of the portal", "\\r"),
        ("Without an address", "ftp://docs.example.com\\r"),
        ("Not accepted: `portal.url` must start with", "{url}\\r"),
        ("API key", "\\r"),
        ("Nothing has arrived", "{key}\\r"),
        ("the space bar marks", "\u{20}\\r"),
        ("Webhook", "nonsense\\r"),
        ("Not accepted: `alerts.webhook.url`", "\\r"),
        ("Heartbeat", "\\r"),
    ];
    let Some((setting, ended)) = answered(&answers).await else { return };
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    assert!(!ended.stdout.contains(&setting.key), "{}", ended.stdout);
    assert!(ended.stdout.contains("create one with the permission `*:read`"), "{}", ended.stdout);
    // it is not where cron would find it by its name
    let call = format!("{} --config", env!("CARGO_BIN_EXE_vdr-watch"));
    assert!(ended.stdout.contains(&call) && ended.stdout.contains("`--dir /etc/docspace`"), "{}", ended.stdout);
    let read = |name: &str| std::fs::read_to_string(setting.state.path().join(name)).unwrap();
    assert_eq!(read("vdr-watch.key").trim(), setting.key);
    let settings = read("vdr-watch.toml");
    let rooms = settings.lines().find(|line| line.starts_with("rooms = [\""));
    assert!(rooms.is_some() && settings.contains(&format!("url = \"{}\"", setting.sim.url())), "{settings}");
    assert!(!settings.contains("webhook") && !settings.contains("heartbeat"), "{settings}");
}

/// Somebody who ends the questions in the middle has the cursor again, and nothing was written.
#[tokio::test]
async fn a_person_ends_the_questions() {
    let answers = [("Address of the portal", "{url}\\r"), ("API key", "{key}\\r"), ("the space bar marks", "\\x03")];
    let Some((setting, ended)) = answered(&answers).await else { return };
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    assert!(ended.stdout.ends_with("Nothing was written.\r\n"), "{:?}", ended.stdout);
    assert!(ended.stdout.rfind("\u{1b}[?25h") > ended.stdout.rfind("\u{1b}[?25l"), "{:?}", ended.stdout);
    let written = std::fs::read_dir(setting.state.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let written: Vec<_> = written.filter(|name| name.to_string_lossy().starts_with("vdr-watch.")).collect();
    assert!(written.is_empty(), "{written:?}");
}

/// What somebody has set stands in the file although it is the default: another file says something else.
#[tokio::test]
async fn what_is_set_wins_over_a_file_that_is_shared() {
    let setting = crate::common::Setting::new("incident").await;
    let shared = setting.file("shared.toml", "[alerts]\nquiet = \"2h\"\n");
    let mut command = setting.command(&[
        "init",
        &setting.sim.url(),
        "--yes",
        "--dir",
        ".",
        "--portal-config",
        &shared,
        "--set",
        "alerts.quiet=1h",
    ]);
    command.env("DOCSPACE_API_KEY", &setting.key);
    let ended = cli_test::run(command).await;
    assert_eq!(ended.exit, 0, "{} {}", ended.stdout, ended.stderr);
    let settings = std::fs::read_to_string(setting.state.path().join("vdr-watch.toml")).unwrap();
    assert!(settings.contains("quiet = \"1h\""), "{settings}");
}
