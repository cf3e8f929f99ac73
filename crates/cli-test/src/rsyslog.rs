//! A real rsyslog for a test.

use std::fs;
use std::process::Stdio;

use job_store::testing::not_tested;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Runs as long as it is held.
pub struct Rsyslog {
    /// What it was given, and where it writes.
    pub folder: TempDir,
    child: Child,
}

impl Rsyslog {
    /// With these settings. `None`, loudly, where it is not installed; there CI fails.
    pub fn start(folder: TempDir, settings: &str) -> Option<Self> {
        let path = |name: &str| folder.path().join(name);
        fs::write(path("rsyslog.conf"), settings).unwrap();
        let mut command = Command::new("/usr/sbin/rsyslogd");
        command.args(["-n", "-C", "-f"]).arg(path("rsyslog.conf")).arg("-i").arg(path("pid"));
        match command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn() {
            Ok(child) => Some(Rsyslog { folder, child }),
            Err(_) => {
                not_tested("rsyslog", "rsyslog, rsyslog-gnutls are not installed");
                None
            }
        }
    }

    /// The port that it has written to this file, as `listenPortFileName` tells it.
    pub async fn port(&mut self, file: &str) -> u16 {
        let path = self.folder.path().join(file);
        crate::in_time(async {
            loop {
                assert!(self.child.try_wait().unwrap().is_none(), "rsyslog ended; is rsyslog-gnutls installed?");
                let written = fs::read_to_string(&path).ok().and_then(|port| port.trim().parse().ok());
                if let Some(port) = written {
                    return port;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}
