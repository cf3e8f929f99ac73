//! A built program as a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use portal_sim::PortalSim;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::Run;

/// The variable by which a program is told what time it is. Builds that are delivered do not know it.
pub const CLOCK: &str = "AUDIT_TOOLS_TEST_CLOCK";

/// The one time limit of tests. Whatever takes longer hangs, also on a machine that has ten times as much to do.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// The program in this folder, also with its temporary files, in an empty environment but for what stands for the machine that it runs on: its zone, and its date
/// where `faketime` moves it.
pub fn command(program: &Path, folder: &Path) -> Command {
    let is_of_the_machine = |name: &str| ["TZ", "LD_PRELOAD"].contains(&name) || name.starts_with("FAKETIME");
    let mut command = bare_command(program);
    command
        .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_the_machine)))
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Waits for what comes to an end; panics when it does not.
pub async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIME_LIMIT, what).await.expect("it ends in time")
}

/// Lets everything else go on until this is so.
pub async fn until(is_so: impl Fn() -> bool) {
    in_time(async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Lets a program go on until the portal has answered so many requests and for some turns of this thread more, or until it has ended, and
/// kills it. Turns that differ from time to time hit what it writes between two requests, too.
pub async fn kill_at(child: &mut Child, sim: &PortalSim, requests: usize, turns: usize) {
    tokio::select! {
        () = sim.answered(requests) => {}
        _ = child.wait() => {}
    }
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    child.kill().await.unwrap();
}

/// Lets everything else go on until this is so; from then on the clock of this test jumps to the next timeout whenever nobody does
/// anything. For what falls silent, and is waited for in vain.
pub async fn jump_from(is_so: impl Fn() -> bool) {
    until(is_so).await;
    tokio::time::pause();
}

#[expect(clippy::disallowed_methods, reason = "the one place where tests start programs")]
fn bare_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// Sends a signal, `TERM` for instance, to a process that a test has started.
#[cfg(unix)]
pub async fn send(signal: &str, process: u32) {
    let mut command = command(Path::new("/bin/sh"), Path::new("/"));
    command.args(["-c", &format!("kill -{signal} {process}")]).env("PATH", "/usr/bin:/bin");
    assert_eq!(run(command).await.exit, 0);
}

/// Until a program has written a line with this to its log, which is piped.
pub async fn logs(child: &mut Child, part: &str) {
    let log = child.stderr.as_mut().expect("its log is piped");
    let mut text = Vec::new();
    in_time(async {
        while !(text.ends_with(b"\n") && String::from_utf8_lossy(&text).contains(part)) {
            assert!(log.read_buf(&mut text).await.unwrap() > 0, "{}", String::from_utf8_lossy(&text));
        }
    })
    .await;
}

/// Runs the program to its end.
pub async fn run(mut command: Command) -> Run {
    let ended = in_time(command.output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run {
        stdout: text(ended.stdout),
        stderr: text(ended.stderr),
        exit: ended.status.code().expect("the program ends by itself"),
    }
}
