//! A built program as a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::Run;

/// The variable by which a program is told what time it is. Builds that are delivered do not know it.
pub const CLOCK: &str = "AUDIT_TOOLS_TEST_CLOCK";

/// Whatever takes longer hangs, also on a machine that has ten times as much to do.
pub const TIME_LIMIT: Duration = Duration::from_secs(600);

/// The program in this folder, in an empty environment but for what stands for the machine that it runs on: its zone, and its date
/// where `faketime` moves it.
pub fn command(program: &Path, folder: &Path) -> Command {
    let is_of_the_machine = |name: &str| ["TZ", "LD_PRELOAD"].contains(&name) || name.starts_with("FAKETIME");
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_the_machine)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs the program to its end.
pub async fn run(mut command: Command) -> Run {
    let ended = tokio::time::timeout(TIME_LIMIT, command.output()).await.expect("the program ends in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run {
        stdout: text(ended.stdout),
        stderr: text(ended.stderr),
        exit: ended.status.code().expect("the program ends by itself"),
    }
}
