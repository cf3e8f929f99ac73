//! Alerts that no channel took: offered again, never forgotten, and never without a word.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use chrono::TimeDelta;
use serde_json::Value;
use tokio::sync::Notify;

use crate::common::{Setting, in_store};

/// A receiver that can be switched off, and keeps the ids of the alerts it was sent.
#[derive(Clone, Default)]
struct Receiver {
    url: String,
    is_up: Arc<Mutex<bool>>,
    ids: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Receiver { url, ..Receiver::default() };
        let app = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    fn switch(&self, is_up: bool) {
        *self.is_up.lock().unwrap() = is_up;
    }

    /// Ids of what arrived, and forgets them.
    fn arrived(&self) -> Vec<String> {
        std::mem::take(&mut *self.ids.lock().unwrap())
    }

    fn config(&self, setting: &Setting, more: &str) -> String {
        setting.config(&format!("{more}\n[alerts.webhook]\nurl = \"{}\"", self.url))
    }
}

async fn take(State(receiver): State<Receiver>, body: String) -> StatusCode {
    let alert: Value = serde_json::from_str(&body).unwrap();
    receiver.ids.lock().unwrap().push(alert["id"].as_str().unwrap().to_owned());
    if *receiver.is_up.lock().unwrap() { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

/// After a day everything that was put off is due.
fn a_day_passes(setting: &Setting) {
    setting.sim.edit(|portal| portal.now += TimeDelta::days(1));
}

#[tokio::test]
async fn a_webhook_that_was_down_gets_its_alerts_from_a_later_run() {
    let setting = Setting::new("incident").await;
    let receiver = Receiver::start().await;
    let config = receiver.config(&setting, "");
    let first = setting.run(&["--config", &config]).await;
    assert!(first.stdout.contains("2 findings"), "{}", first.stdout);
    assert_eq!(first.stderr.matches("alert not delivered").count(), 2, "{}", first.stderr);
    let tried = receiver.arrived();
    assert_eq!(tried.len(), 2);

    receiver.switch(true);
    let at_once = setting.run(&["--config", &config]).await;
    assert_eq!((at_once.stdout.as_str(), receiver.arrived()), ("", Vec::new()), "put off for a minute");
    a_day_passes(&setting);
    let later = setting.run(&["--config", &config]).await;
    assert_eq!((later.exit, later.stdout.as_str(), later.stderr.as_str()), (0, "", ""));
    assert_eq!(receiver.arrived(), tried);
    a_day_passes(&setting);
    setting.run(&["--config", &config]).await;
    assert_eq!(receiver.arrived(), Vec::<String>::new(), "taken once");
}

/// Every run fails until somebody has heard of it, also those that do not try again yet.
#[tokio::test]
async fn a_critical_alert_fails_every_run_until_it_has_reached_somebody() {
    let setting = Setting::new("incident").await;
    let receiver = Receiver::start().await;
    let config = receiver.config(&setting, "[limits]\nper_hour = 5");
    assert_eq!(setting.run(&["--config", &config]).await.exit, 1);
    let waiting = setting.run(&["--config", &config]).await;
    assert_eq!((waiting.exit, waiting.stdout.as_str(), waiting.stderr.as_str()), (1, "", ""), "said within the hour");
    let waiting = setting.run(&["--config", &config, "-v"]).await;
    assert_eq!(waiting.exit, 1);
    assert!(waiting.stderr.contains("have not reached anybody"), "{}", waiting.stderr);
    receiver.switch(true);
    a_day_passes(&setting);
    let delivered = setting.run(&["--config", &config]).await;
    assert_eq!((delivered.exit, delivered.stderr.as_str()), (0, ""));
}

#[tokio::test]
async fn giving_up_stands_in_the_report_once() {
    let setting = Setting::new("incident").await;
    let receiver = Receiver::start().await;
    let config = receiver.config(&setting, "");
    setting.run(&["--config", &config, "--room", "71"]).await;
    a_day_passes(&setting);
    setting.sim.edit(|portal| portal.now += TimeDelta::days(7));
    assert_eq!(setting.run(&["--config", &config, "--room", "71"]).await.stdout, "");
    let told = setting.run(&["--config", &config, "--room", "71"]).await;
    let expected = format!("Note: gave up sending an alert that webhook {}", receiver.url.replace("/hook", ""));
    assert!(told.stdout.starts_with(&expected), "{}", told.stdout);
    assert!(told.stdout.contains(" actions within "), "{}", told.stdout);
    assert!(told.stderr.contains("alert given up"), "{}", told.stderr);
    assert_eq!(setting.run(&["--config", &config, "--room", "71"]).await.stdout, "");
}

/// Somebody takes the webhook out of the settings while alerts wait for it.
#[tokio::test]
async fn alerts_of_a_channel_that_is_gone_are_told_by_the_report() {
    let setting = Setting::new("incident").await;
    let receiver = Receiver::start().await;
    let config = receiver.config(&setting, "");
    setting.run(&["--config", &config]).await;
    let json = setting.run(&["--format", "json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    let notes = report["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.iter().all(|note| note.as_str().unwrap().contains(" actions within ")), "{notes:?}");
    assert_eq!(setting.run(&[]).await.stdout, "");
}

/// The disk is full when the alerts are to be kept: they are sent all the same, and told again by the next run, under the same id.
#[tokio::test]
async fn a_store_that_cannot_keep_alerts_does_not_stop_them() {
    let setting = Setting::new("incident").await;
    let receiver = Receiver::start().await;
    receiver.switch(true);
    // a run with limits that nobody reaches makes the store
    let lenient = receiver.config(&setting, "[limits]\nper_hour = 10000\nper_day = 10000");
    assert_eq!(setting.run(&["--config", &lenient]).await.stdout, "");
    let config = receiver.config(&setting, "");
    let full = "CREATE TRIGGER full BEFORE INSERT ON waiting BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    in_store(&setting, full).await;
    let first = setting.run(&["--config", &config]).await;
    assert!(first.stdout.contains("findings") && first.stderr.contains("the disk is full"), "{}", first.stderr);
    let sent = receiver.arrived();
    assert_eq!(sent.len(), 2);
    in_store(&setting, "DROP TRIGGER full").await;
    let second = setting.run(&["--config", &config]).await;
    assert_eq!((second.stdout, receiver.arrived()), (first.stdout, sent));
    assert_eq!(setting.run(&["--config", &config]).await.stdout, "");
}

/// The run is killed while the receiver has the alert and has not answered: it arrives again, under the same id.
#[tokio::test]
async fn an_alert_that_was_sent_when_the_run_was_killed_arrives_again() {
    let setting = Setting::new("incident").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (ids, asked) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
    let (seen, begun) = (ids.clone(), asked.clone());
    let is_first = Arc::new(Mutex::new(true));
    let hook = move |body: String| async move {
        let alert: Value = serde_json::from_str(&body).unwrap();
        seen.lock().unwrap().push(alert["id"].as_str().unwrap().to_owned());
        let is_first = std::mem::take(&mut *is_first.lock().unwrap());
        if is_first {
            begun.notify_one();
            std::future::pending::<()>().await;
        }
        StatusCode::OK
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(hook))).await });
    let config = setting.config(&format!("[alerts.webhook]\nurl = \"{url}\""));
    let (url, until) = (setting.sim.url(), setting.scenario.now.to_rfc3339());
    let mut command = setting.command(&["--portal", &url, "--until", &until, "--config", &config]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    asked.notified().await;
    child.kill().await.unwrap();
    let after = setting.run(&["--config", &config]).await;
    assert_eq!((after.exit, after.stdout.as_str(), after.stderr.as_str()), (0, "", ""));
    let ids = ids.lock().unwrap();
    assert_eq!((ids.len(), &ids[0]), (3, &ids[1]));
    assert_ne!(ids[1], ids[2]);
}
