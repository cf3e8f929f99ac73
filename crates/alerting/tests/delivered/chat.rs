//! Threads of chats.

use audit_model::{Finding, FindingState};
use serde_json::{Value, json};

use crate::common::{alert_of, complete, finding};
use crate::machines::now;
use crate::misbehaving::server::{Does, Server};
use crate::misbehaving::{Kind, kinds};
use crate::outbox::{moment, outbox};

#[tokio::test]
async fn later_alerts_about_a_matter_answer_the_first() {
    for (kind, thread) in [
        ("matrix", ("/m.relates_to/event_id", json!("$1"))),
        ("slack", ("/thread_ts", json!("1.2"))),
        ("telegram", ("/reply_parameters/message_id", json!(42))),
    ] {
        let server = Server::bind().await;
        let is_meant = |one: &Kind| one.name() == kind && one.has_threads();
        let kind = kinds(&server.url).into_iter().find(is_meant).unwrap();
        let (outbox, channels) = (outbox().await, [kind.channel()]);
        let asked = server.start(&[Does::Takes], kind.taken);
        for (acts, state) in [(41, FindingState::New), (90, FindingState::Grown), (90, FindingState::Ended)] {
            let mut finding = Finding { matter: Some("k3f9-q2mw".to_owned()), state, ..finding() };
            finding.counts.acts = acts;
            let mut alerts = [alert_of(&finding, &complete())];
            outbox.keep::<Finding>(&[], &[], &mut alerts, &channels, &moment(now())).await.unwrap();
            assert_eq!(outbox.drain(&channels, now()).await.unwrap().taken, 1, "{}", kind.name());
        }
        let bodies = asked.lock().unwrap();
        let thread_of = |body: &String| serde_json::from_str::<Value>(body).unwrap().pointer(thread.0).cloned();
        let threads: Vec<Option<Value>> = bodies.iter().map(thread_of).collect();
        assert_eq!(threads, [None, Some(thread.1.clone()), Some(thread.1)], "{}", kind.name());
    }
}
