//! A real Alertmanager.

use std::fs;
use std::process::Stdio;

use alerting::Alert;
use audit_model::{FindingState, Severity, Window};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::testing::not_tested;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{channel, options, through_an_outbox, told};

struct Server {
    url: String,
    _folder: TempDir,
    _child: Child,
}

impl Server {
    async fn start() -> Option<Server> {
        let folder = TempDir::new().unwrap();
        let settings = folder.path().join("alertmanager.yml");
        fs::write(&settings, "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n").unwrap();
        let started = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let Ok(mut child) = started else {
            not_tested("alertmanager", "prometheus-alertmanager is not installed");
            return None;
        };
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Some(line) = log.next_line().await.unwrap() {
            if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                let url = format!("http://{}", address.trim());
                // it must not wait for somebody who reads its log
                tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
                return Some(Server { url, _folder: folder, _child: child });
            }
        }
        panic!("Alertmanager ended");
    }

    /// Its clock, which may not be ours.
    async fn now(&self) -> DateTime<Utc> {
        let url = format!("{}/-/healthy", self.url).parse().unwrap();
        let client = outbound::http_client(&options(), &url).unwrap();
        let said = client.get(url).send().await.unwrap();
        let date = said.headers().get("date").unwrap().to_str().unwrap();
        DateTime::parse_from_rfc2822(date).unwrap().to_utc()
    }

    /// Severities of what fires, by its labels.
    async fn firing(&self) -> Vec<String> {
        let url = format!("{}/api/v2/alerts?active=true", self.url).parse().unwrap();
        let client = outbound::http_client(&options(), &url).unwrap();
        let said = client.get(url).send().await.unwrap().text().await.unwrap();
        let alerts: Vec<Value> = serde_json::from_str(&said).unwrap();
        let mut severities: Vec<String> = alerts
            .iter()
            .map(|alert| {
                assert_eq!(alert["labels"]["matter"], "vdr-watch:k3f9-q2mw", "{alert}");
                alert["labels"]["severity"].as_str().unwrap().to_owned()
            })
            .collect();
        severities.sort();
        severities
    }
}

#[tokio::test]
async fn a_matter_fires_grows_and_is_resolved() {
    let Some(server) = Server::start().await else { return };
    let settings = json!({ "name": "am", "kind": "alertmanager", "url": server.url, "labels": { "team": "soc" } });
    let alertmanager = channel(&settings, &[], &options());
    let (now, high) = (server.now().await, Severity::High);
    let window = Window::new(now - TimeDelta::hours(2), now - TimeDelta::hours(1));
    let told = |state, acts, severity| Alert { window, ..told(state, acts, severity) };
    let new = told(FindingState::New, 41, high);
    through_an_outbox(alertmanager.clone(), vec![new.clone()], now).await;
    assert_eq!(server.firing().await, ["high"]);
    through_an_outbox(alertmanager.clone(), vec![new.clone(), told(FindingState::Grown, 90, high)], now).await;
    assert_eq!(server.firing().await, ["high"], "the labels stay");
    let critical = told(FindingState::Grown, 200, Severity::Critical);
    through_an_outbox(alertmanager.clone(), vec![new.clone(), critical.clone()], now).await;
    assert_eq!(server.firing().await, ["critical", "high"]);
    through_an_outbox(alertmanager, vec![new, critical, told(FindingState::Ended, 205, high)], now).await;
    assert_eq!(server.firing().await, [""; 0]);
}
