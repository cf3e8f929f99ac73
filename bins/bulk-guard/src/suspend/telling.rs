//! What an entry says, as alerts.

mod steps;

use alerting::Alert;
use audit_model::{Counts, Finding, Person, Sentence, Severity, Window};
use chrono::TimeDelta;
use job_runner::Voice;
use serde_json::{Value, json};

use crate::rule::incident::RULE;
use crate::suspend::entry::{Entry, Said, Topic};

/// The alert of one thing that an entry says: in the thread of the finding, and with an id of its own.
pub(crate) fn alert(voice: &Voice, entry: &Entry, said: &Said) -> Alert {
    // a term that was extended is announced again
    let step = format!("{} {:?} {}", entry.incident.id, said.topic, said.at.to_rfc3339());
    voice.alert(&finding(entry, said), &step, &steps::said(entry, said), &detail(entry, said))
}

fn finding(entry: &Entry, said: &Said) -> Finding {
    let incident = &entry.incident;
    let window = Window::new(incident.first.at, incident.last.at + TimeDelta::seconds(1));
    let person = Person::named(incident.person, incident.name.as_str().into());
    let severity = match said.topic {
        _ if said.is_critical => Severity::Critical,
        Topic::Held | Topic::Failed | Topic::Warning => Severity::High,
        _ => Severity::Medium,
    };
    Finding {
        severity,
        matter: incident.matter.clone(),
        counts: Counts { acts: incident.documents, documents: incident.documents },
        reasons: vec![headline(said.topic), said.words.clone()],
        ..Finding::new(RULE, incident.fingerprint.clone(), person, window)
    }
}

fn detail(entry: &Entry, said: &Said) -> Value {
    let mut suspension = json!({ "incident": entry.incident.id, "step": said.topic });
    if let Some(until) = entry.deadline().filter(|_| said.topic != Topic::Held) {
        suspension["until"] = json!(until);
    }
    if let Some(who) = entry.intent.as_ref().and_then(|intent| intent.asked_by.as_deref()) {
        suspension["asked_by"] = json!(who);
    }
    json!({ "suspension": suspension })
}

/// What the subject of an alert says after the name.
fn headline(topic: Topic) -> Sentence {
    match topic {
        Topic::Held => ("held, not suspended", "angehalten, nicht gesperrt"),
        Topic::Suspending => ("about to be suspended", "wird gleich gesperrt"),
        Topic::Done => ("suspended", "gesperrt"),
        Topic::Failed => ("could not be suspended", "konnte nicht gesperrt werden"),
        Topic::Unknown => ("not known whether suspended", "nicht bekannt, ob gesperrt"),
        Topic::Warning => ("the suspension ends soon", "die Sperre endet bald"),
        Topic::Blocked => ("the suspension cannot be ended", "die Sperre lässt sich nicht beenden"),
        Topic::Released => ("released, the account is enabled", "freigegeben, das Konto ist wieder aktiv"),
        Topic::ReleaseFailed => ("could not be released", "konnte nicht freigegeben werden"),
        Topic::Settled => ("left alone from now on", "bleibt von nun an unberührt"),
        Topic::Kept => ("stays suspended", "bleibt gesperrt"),
        Topic::Dropped => ("was not suspended", "wurde nicht gesperrt"),
        Topic::Cancelled => ("cancelled, not suspended", "abgebrochen, nicht gesperrt"),
    }
    .into()
}

#[cfg(test)]
mod tests;
