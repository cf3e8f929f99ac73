//! What an entry says, as alerts.

use alerting::Alert;
use audit_model::{Counts, Finding, Person, Severity, Window};
use chrono::TimeDelta;
use job_runner::Voice;
use serde_json::json;

use crate::rule::incident::RULE;
use crate::suspend::entry::{Entry, Said, Topic};

/// The alert of one thing that an entry says: in the thread of the finding, and with an id of its own.
pub(crate) fn alert(voice: &Voice, entry: &Entry, said: &Said) -> Alert {
    let incident = &entry.incident;
    let window = Window::new(incident.first.at, incident.last.at + TimeDelta::seconds(1));
    let person = Person::named(incident.person, incident.name.as_str().into());
    let severity = match said.topic {
        _ if said.is_critical => Severity::Critical,
        Topic::Held | Topic::Failed | Topic::Warning => Severity::High,
        _ => Severity::Medium,
    };
    let finding = Finding {
        severity,
        matter: incident.matter.clone(),
        counts: Counts { acts: incident.documents, documents: incident.documents },
        reasons: vec![headline(said.topic).to_owned(), said.words.clone()],
        ..Finding::new(RULE, incident.fingerprint.clone(), person, window)
    };
    let mut suspension = json!({ "incident": incident.id, "step": said.topic });
    if let Some(until) = entry.deadline().filter(|_| said.topic != Topic::Held) {
        suspension["until"] = json!(until);
    }
    if let Some(who) = entry.intent.as_ref().and_then(|intent| intent.asked_by.as_deref()) {
        suspension["asked_by"] = json!(who);
    }
    // a term that was extended is announced again
    let step = format!("{} {:?} {}", incident.id, said.topic, said.at.to_rfc3339());
    voice.alert(&finding, &step, json!({ "suspension": suspension }))
}

/// What the subject of an alert says after the name.
fn headline(topic: Topic) -> &'static str {
    match topic {
        Topic::Held => "held, not suspended",
        Topic::Suspending => "about to be suspended",
        Topic::Done => "suspended",
        Topic::Failed => "could not be suspended",
        Topic::Unknown => "not known whether suspended",
        Topic::Warning => "the suspension ends soon",
        Topic::Blocked => "the suspension cannot be ended",
        Topic::Released => "released, the account is enabled",
        Topic::ReleaseFailed => "could not be released",
        Topic::Settled => "left alone from now on",
        Topic::Kept => "stays suspended",
        Topic::Dropped => "was not suspended",
        Topic::Cancelled => "cancelled, not suspended",
    }
}
