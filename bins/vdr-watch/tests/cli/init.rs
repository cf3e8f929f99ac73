//! `init` as a person meets it, in a terminal.

use std::path::Path;

use cli_test::{Setting, command, run};
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

#[expect(clippy::print_stderr, reason = "a test that was not run is said loudly")]
fn not_tested() {
    eprintln!("NOT TESTED: init in a terminal (python3 is not installed)");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "python3 is missing");
}

/// Address, key and rooms, and two questions that are left open. The key is not shown, and only what was answered is written.
#[tokio::test]
async fn a_person_answers_and_the_program_is_set_up() {
    let python = Path::new("/usr/bin/python3");
    if !python.exists() {
        return not_tested();
    }
    let scenario = Scenario::builtin("quiet", now()).unwrap();
    let setting = Setting::new(env!("CARGO_BIN_EXE_vdr-watch"), scenario).await;
    let url = setting.sim.url();
    let answers = [
        format!("Address of the portal|{url}\\r"),
        format!("API key|{}\\r", setting.key),
        "Which rooms|\u{20}\\r".to_owned(),
        "Webhook|\\r".to_owned(),
        "Heartbeat|\\r".to_owned(),
    ];
    let mut person = command(python, setting.state.path());
    person.args(["-c", PERSON, env!("CARGO_BIN_EXE_vdr-watch")]).args(answers);
    person.env(cli_test::CLOCK, setting.sim.now().to_rfc3339()).env("TERM", "xterm");
    let ended = run(person).await;
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    assert!(!ended.stdout.contains(&setting.key), "{}", ended.stdout);
    assert!(ended.stdout.contains("create one with the permission `*:read`"), "{}", ended.stdout);
    let read = |name: &str| std::fs::read_to_string(setting.state.path().join(name)).unwrap();
    assert_eq!(read("vdr-watch.key").trim(), setting.key);
    let settings = read("vdr-watch.toml");
    let rooms = settings.lines().find(|line| line.starts_with("rooms = [\""));
    assert!(rooms.is_some() && settings.contains(&format!("url = \"{url}\"")), "{settings}");
    assert!(!settings.contains("webhook") && !settings.contains("heartbeat"), "{settings}");
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
