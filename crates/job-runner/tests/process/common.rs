//! Runs the sample program.

use std::path::PathBuf;

use cli_test::Run;
use portal_sim::{PortalSim, Scenario};
use tempfile::TempDir;
use tokio::process::Command;

/// The moment at which the portal stands still, and the program's clock begins.
pub(crate) const NOW: &str = "2026-11-20T09:00:00Z";

/// An empty folder, and a key when it was given one.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) key: Option<String>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Desk { folder: TempDir::new().unwrap(), key: None }
    }

    /// With a portal that has an owner and nothing else, and its key.
    pub(crate) async fn with_portal() -> (Self, PortalSim) {
        let sim = PortalSim::start(Scenario::empty(NOW.parse().unwrap())).await.unwrap();
        (Desk { key: Some(sim.key()), ..Desk::new() }, sim)
    }

    /// A file in the folder; gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path.display().to_string()
    }

    /// The program in the folder, with the state in it and an otherwise empty environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cli_test::command(&program(), self.folder.path());
        command.args(arguments).env(cli_test::CLOCK, NOW).env("STATE_DIRECTORY", self.folder.path().join("state"));
        command.envs(self.key.iter().map(|key| ("DOCSPACE_API_KEY", key)));
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        cli_test::run(self.command(arguments)).await
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
