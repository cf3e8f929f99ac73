//! A real SMTP server for a test.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use job_store::testing::not_tested;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Runs as long as it is held. Its script, `fixtures/smtp/server.py`, tells the modes.
pub struct Server {
    pub port: u16,
    pub folder: TempDir,
    _child: Child,
}

/// Debian's own interpreter knows the package that Debian installs; another one may come first in the path.
async fn python() -> Option<&'static str> {
    for name in ["/usr/bin/python3", "python3"] {
        let asked = Command::new(name).args(["-c", "import aiosmtpd"]).output().await;
        if asked.is_ok_and(|ended| ended.status.success()) {
            return Some(name);
        }
    }
    None
}

impl Server {
    /// `None`, loudly, where the server is not installed; there CI fails.
    pub async fn start(mode: &str, more: &[&str]) -> Option<Self> {
        let Some(python) = python().await else {
            not_tested("smtp", "python3-aiosmtpd is not installed");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/smtp/server.py");
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(python)
            .args([script.as_path(), folder.path()])
            .arg(mode)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).await.unwrap();
        let port = port.trim().parse().expect("the server says its port");
        Some(Server { port, folder, _child: child })
    }

    /// Goes on in another mode.
    pub fn switch(&self, mode: &str) {
        std::fs::write(self.folder.path().join("mode"), mode).unwrap();
    }

    /// The messages that it has taken, in order.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        // the envelope is written last
        files.retain(|path| path.extension().is_some_and(|end| end == "eml") && path.with_extension("json").exists());
        files.sort();
        files.iter().map(|path| std::fs::read(path).unwrap()).collect()
    }
}
