//! Runs the sample program.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use portal_sim::{PortalSim, Scenario};
use tempfile::TempDir;
use tokio::process::Command;

/// A run that takes longer hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// An empty folder, and a key when it was given one.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) key: Option<String>,
}

pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Desk { folder: TempDir::new().unwrap(), key: None }
    }

    /// With a portal that has an owner and nothing else, and its key.
    pub(crate) async fn with_portal() -> (Self, PortalSim) {
        let sim = PortalSim::start(Scenario::empty("2026-11-20T09:00:00Z".parse().unwrap())).await.unwrap();
        (Desk { key: Some(sim.key()), ..Desk::new() }, sim)
    }

    /// A file in the folder; gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path.display().to_string()
    }

    /// Runs the program in the folder, with the state in it and an otherwise empty environment.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(program());
        command.args(arguments).env_clear().env("STATE_DIRECTORY", self.folder.path().join("state"));
        command.envs(self.key.iter().map(|key| ("DOCSPACE_API_KEY", key)));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        let ended = tokio::time::timeout(TIME_LIMIT, command.output()).await.expect("ends in time").unwrap();
        Run {
            stdout: String::from_utf8(ended.stdout).unwrap(),
            stderr: String::from_utf8(ended.stderr).unwrap(),
            exit: ended.status.code().expect("the program ends by itself"),
        }
    }
}

/// What others may do with a file.
pub(crate) fn set_mode(path: &std::path::Path, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// Cargo builds examples beside the tests.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/sample-job");
    assert!(program.exists(), "{} is missing: cargo build -p job-runner --examples", program.display());
    program
}
