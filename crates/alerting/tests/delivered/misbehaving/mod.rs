//! Every kind that speaks HTTP, and receivers that misbehave: what counts as taken, what as not taken, and what is asked again.

pub(crate) mod server;

use alerting::{Channel, Error, deliver};
use audit_model::{FindingState, Severity};
use serde_json::{Value, json};

use crate::machines::{channel, now, options, told};
use server::Does::{self, *};
use server::Server;

/// One kind, with what its receiver answers when it has taken an alert.
pub(crate) struct Kind {
    settings: Value,
    secrets: &'static [(&'static str, &'static str)],
    pub(crate) taken: &'static str,
    /// Whether 2xx alone says that it was taken.
    is_status_enough: bool,
    /// Whether the body of an answer can ask for a pause.
    reads_pause: bool,
}

impl Kind {
    pub(crate) fn name(&self) -> String {
        self.settings["kind"].as_str().unwrap().to_owned()
    }

    /// Of Slack, only a bot has them.
    pub(crate) fn has_threads(&self) -> bool {
        self.settings.get("url").is_none()
    }

    pub(crate) fn channel(&self) -> Channel {
        let mut settings = self.settings.clone();
        settings["name"] = "soc".into();
        channel(&settings, self.secrets, &options())
    }
}

/// Every kind, for a server.
pub(crate) fn kinds(server: &str) -> Vec<Kind> {
    let hook = format!("{server}/hooks/s3cret");
    let by_status =
        |settings: Value, secrets, taken| Kind { settings, secrets, taken, is_status_enough: true, reads_pause: false };
    let by_answer = |settings, secrets, taken| Kind { is_status_enough: false, ..by_status(settings, secrets, taken) };
    let with_pause = |kind| Kind { reads_pause: true, ..kind };
    let call = json!({ "kind": "http", "url": hook, "reference": "/key", "first": { "body": "{{ alert }}" } });
    let bot = json!({ "kind": "slack", "api": server, "channel": "C0123456789" });
    let matrix = json!({ "kind": "matrix", "server": server, "room": "!soc:example.com" });
    let telegram = json!({ "kind": "telegram", "api": server, "chat": "-100" });
    vec![
        by_status(json!({ "kind": "alertmanager", "url": hook }), &[], ""),
        by_answer(call, &[("secret", "Bearer s3cret")], r#"{"key":"SOC-1"}"#),
        with_pause(by_answer(matrix, &[("token", "s3cret")], r#"{"event_id":"$1"}"#)),
        by_status(json!({ "kind": "mattermost", "url": hook }), &[], "ok"),
        by_status(json!({ "kind": "ntfy", "url": hook }), &[], r#"{"id":"1"}"#),
        by_status(json!({ "kind": "opsgenie", "url": hook }), &[("key", "s3cret")], r#"{"requestId":"1"}"#),
        by_answer(json!({ "kind": "pagerduty", "url": hook }), &[("routing_key", "s3cret")], r#"{"status":"success"}"#),
        by_status(json!({ "kind": "rocketchat", "url": hook }), &[], r#"{"success":true}"#),
        by_status(json!({ "kind": "slack", "url": hook }), &[], "ok"),
        by_answer(bot, &[("token", "s3cret")], r#"{"ok":true,"ts":"1.2"}"#),
        by_answer(json!({ "kind": "splunk", "url": hook }), &[("token", "s3cret")], r#"{"text":"Success","code":0}"#),
        by_status(json!({ "kind": "teams", "url": hook }), &[], ""),
        with_pause(by_answer(telegram, &[("token", "1:s3cret")], r#"{"ok":true,"result":{"message_id":42}}"#)),
        by_status(json!({ "kind": "webhook", "url": hook }), &[], ""),
    ]
}

/// Sends one alert through each kind. `expected` says whether it counts as taken and how often it is sent, `is_meant` whether that is why it
/// was not taken.
async fn every_kind(
    does: &'static [Does],
    expected: impl Fn(&Kind) -> (bool, usize),
    is_meant: impl Fn(&Error) -> bool,
) {
    for number in 0..kinds("http://127.0.0.1").len() {
        let server = Server::bind().await;
        let kind = kinds(&server.url).swap_remove(number);
        let channel = kind.channel();
        let asked = server.start(does, kind.taken);
        let mut report = deliver(&[told(FindingState::New, 41, Severity::High)], &[channel], now()).await;
        if does.iter().any(|does| matches!(does, Stalls | IsSilent)) {
            tokio::time::resume();
        }
        let error = report.deliveries.remove(0).failures.pop().map(|failure| failure.error);
        let requests = asked.lock().unwrap().len();
        assert_eq!((error.is_none(), requests), expected(&kind), "{} {does:?}: {error:?}", kind.name());
        if let Some(error) = error {
            assert!(is_meant(&error), "{} {does:?}: {error:?}", kind.name());
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}

fn is_refused_with(wanted: u16) -> impl Fn(&Error) -> bool {
    move |error| matches!(error, Error::Refused { status, .. } if status.as_u16() == wanted)
}

fn is_unreachable(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. })
}

#[tokio::test]
async fn an_answer_in_the_form_of_the_receiver_is_taken_also_when_it_comes_slowly() {
    every_kind(&[Takes], |_| (true, 1), is_unreachable).await;
    every_kind(&[Drips], |_| (true, 1), is_unreachable).await;
}

#[tokio::test]
async fn an_answer_of_somebody_else_is_not_taken_where_the_receiver_says_more_than_its_status() {
    every_kind(&[Babbles], |kind| (kind.is_status_enough, 1), is_refused_with(200)).await;
}

#[tokio::test]
async fn a_short_pause_is_kept_and_a_long_one_left_to_the_next_run() {
    every_kind(&[AsksForPause(1), Takes], |_| (true, 2), is_unreachable).await;
    every_kind(&[AsksForPause(3_600), Takes], |_| (false, 1), is_refused_with(429)).await;
}

#[tokio::test]
async fn a_pause_in_the_body_counts_where_the_receiver_says_it_there() {
    every_kind(&[AsksInBody(1), Takes], |_| (true, 2), is_unreachable).await;
    let left_alone = |kind: &Kind| if kind.reads_pause { (false, 1) } else { (true, 2) };
    every_kind(&[AsksInBody(3_600), Takes], left_alone, is_refused_with(429)).await;
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again_by_this_run() {
    every_kind(&[Fails, Takes], |_| (false, 1), is_refused_with(500)).await;
    every_kind(&[HangsUp, Takes], |_| (false, 1), is_unreachable).await;
    every_kind(&[Resets, Takes], |_| (false, 1), is_unreachable).await;
}

#[tokio::test]
async fn a_receiver_that_falls_silent_is_given_up() {
    every_kind(&[IsSilent, Takes], |_| (false, 1), is_unreachable).await;
}

#[tokio::test]
async fn an_answer_that_stalls_has_said_its_status_only() {
    every_kind(&[Stalls, Takes], |kind| (kind.is_status_enough, 1), is_refused_with(200)).await;
}
