//! Runs the sample program.

use std::path::{Path, PathBuf};

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
        self.command_of("sample-job", arguments)
    }

    /// The same of another example.
    pub(crate) fn command_of(&self, example: &str, arguments: &[&str]) -> Command {
        let mut command = cli_test::command(&program(example), self.folder.path());
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

/// An example. Cargo builds it beside the tests, but not for `--test process` or `--tests` alone: then it may be older than its source,
/// and is refused, for it would tell of another program.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    let remedy = "build it with `cargo build -p job-runner --examples`";
    assert!(program.exists(), "{} is missing: {remedy}", program.display());
    // cargo notes from what it has built it: `PROGRAM: SOURCE SOURCE …`
    let noted = std::fs::read_to_string(program.with_extension("d")).unwrap().replace("\\ ", "\0");
    let sources = noted.trim_end().split_once(": ").unwrap().1.split(' ').map(|path| path.replace('\0', " "));
    let changed = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let built = changed(&program).unwrap();
    let newer = sources.filter(|path| changed(Path::new(path)).map_or(true, |changed| changed > built));
    let newer: Vec<String> = newer.collect();
    assert!(newer.is_empty(), "{} is older than its source {newer:?}: {remedy}", program.display());
    program
}
