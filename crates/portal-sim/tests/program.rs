//! The built program: it serves a scenario and tells where, and lists what is built in.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

/// Whatever takes longer hangs, also on a machine that has ten times as much to do.
const LIMIT: Duration = Duration::from_secs(600);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal-sim"));
    command.kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn serve_prints_its_address_first_and_answers_there() {
    let mut child = program()
        .args(["serve", "--scenario", "refused-sender", "--key", "sk-mine", "--now", "2026-11-20T09:00:00Z"])
        .spawn()
        .expect("start the program");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let first = timeout(LIMIT, lines.next_line()).await.expect("in time").expect("readable").expect("a line");
    let address = first.strip_prefix("http://").expect("the base URL is the first line");
    TcpStream::connect(address).await.expect("it listens there");
    let second = lines.next_line().await.expect("readable").expect("a line");
    assert_eq!(second, "scenario refused-sender, clock 2026-11-20T09:00:00Z, key sk-mine");
    let third = lines.next_line().await.expect("readable").expect("a line");
    let mail = third.strip_prefix("mail server ").and_then(|line| line.strip_suffix(", which refuses every sender"));
    TcpStream::connect(mail.expect("where the mail server is")).await.expect("it listens there, too");
    child.kill().await.expect("stop the program");
}

#[tokio::test]
async fn scenarios_lists_names_and_truth() {
    let done = timeout(LIMIT, program().arg("scenarios").output()).await.expect("in time").expect("run");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(done.status.success());
    for name in portal_sim::BUILTIN {
        assert!(text.lines().any(|line| line.starts_with(&format!("{name}: "))), "{name} in {text}");
    }
    let expected = "  must be reported\n    mallory@example.com in room 71 (\"Acme – due diligence\"): 41 actions within 1 h (vdr-watch)\n";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("mallory@example.com in room 75 (deleted by now): 41 actions"), "{text}");
    assert!(!text.contains('\u{1b}'), "nothing that moves the cursor: {text:?}");
}

#[tokio::test]
async fn an_unknown_scenario_is_a_plain_error() {
    let run = program().args(["serve", "--scenario", "no-such-thing"]).output();
    let done = timeout(LIMIT, run).await.expect("in time").expect("run");
    let text = String::from_utf8(done.stderr).expect("UTF-8");
    assert_eq!(done.status.code(), Some(1));
    assert!(text.starts_with("portal-sim: scenario `no-such-thing` is not built in (incident, quiet, "), "{text}");
}

#[tokio::test]
async fn the_tour_says_how_to_build_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let alone = folder.path().join("portal-sim");
    std::fs::copy(env!("CARGO_BIN_EXE_portal-sim"), &alone).expect("a copy with nothing beside it");
    let run = Command::new(&alone).arg("demo").kill_on_drop(true).output();
    let done = timeout(LIMIT, run).await.expect("in time").expect("run");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert_eq!(done.status.code(), Some(1));
    assert!(text.contains("cargo build --workspace"), "{text}");
}

/// What each part is there to show, in the order of the tour.
const SHOWN: [(&str, &[&str]); 5] = [
    ("vdr-watch", &["HIGH  Mallory Quick", "high: Mallory Quick in room", "(it prints nothing)"]),
    (
        "bulk-guard",
        &[
            "CRITICAL  Mallory Quick",
            "suspended",
            "The portal says that the account mallory@example.com is disabled.",
            "Disabled through this program: 1",
            "the account is enabled again",
            "mallory@example.com is active.",
        ],
    ),
    (
        "ip-fence",
        &["critical: Anna Schmidt: signed in after 7 wrong passwords", "ip-fence plan: REFUSED", "exit code 3"],
    ),
    ("compliance-monthly", &["Compliance report\n", "switched two-factor authentication off", "none changed"]),
    ("nudge-inactive", &["is inactive", "Subject: Falcon: ", "Hello Dora O'Brien,"]),
];

fn not_tested() {
    // past what keeps the output of tests that pass from being seen
    let _ = writeln!(std::io::stderr(), "NOT TESTED: the tour (the programs are not built)");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "a program is missing");
}

/// The first command of the README. Whoever runs it sees an incident of every program, and keeps its report.
#[tokio::test]
async fn the_tour_shows_an_incident_of_every_program() {
    let beside = |name: &str| std::path::Path::new(env!("CARGO_BIN_EXE_portal-sim")).with_file_name(name);
    if SHOWN.iter().any(|(name, _)| !beside(name).exists()) {
        return not_tested();
    }
    let folder = tempfile::tempdir().expect("a folder");
    // whoever has a portal of their own in the environment is not led there
    let run = program()
        .args(["demo", "--dir"])
        .arg(folder.path())
        .env("DOCSPACE_API_HOST", "http://127.0.0.1:1")
        .env("BULK_GUARD_MODE", "observe")
        .output();
    let done = timeout(LIMIT, run).await.expect("in time").expect("run");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    let mut rest = text.as_str();
    for (name, lines) in SHOWN {
        let (_, from) = rest.split_once(&format!(": {name} ===\n")).expect("a part of each program, in order");
        let part = from.split_once("\n=== ").expect("something follows").0;
        for line in lines {
            assert!(part.contains(line), "{name} does not show {line:?}: {part}");
        }
        assert!(part.lines().count() < 160, "{name} takes more than two screens: {}", part.lines().count());
        let page = std::fs::read_to_string(folder.path().join(name).join("report.html")).expect("its report");
        assert!(page.contains("</html>"), "{name}: {page}");
        rest = from;
    }
    assert!(rest.contains(" init https://docs.example.com"), "{rest}");
    let again = program().args(["demo", "--dir"]).arg(folder.path()).output();
    let done = timeout(LIMIT, again).await.expect("in time").expect("run");
    assert!(String::from_utf8_lossy(&done.stderr).contains("is not empty"), "{done:?}");
}
