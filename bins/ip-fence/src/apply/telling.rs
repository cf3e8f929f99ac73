//! What an application of the address list says, as alerts.

use alerting::{Alert, Said as InAlert, SaidFacts};
use audit_model::{Finding, Person, PortalText, SYSTEM_ACCOUNT, Sentence, Severity, Window};
use chrono::TimeDelta;
use job_runner::Voice;
use serde_json::json;

use super::entry::{Entry, Said, Topic};
use super::journal::KIND;
use crate::rule::found::RULE;

/// A sentence in English and in German. `{id}` stands for the application.
type Step = (&'static str, &'static str);

/// The alert of one thing that an application says.
pub(super) fn alert(voice: &Voice, entry: &Entry, said: &Said) -> Alert {
    let step = format!("{} {:?} {}", entry.id, said.topic, said.at.to_rfc3339());
    let detail = json!({ "apply": { "id": entry.id, "plan": entry.intent.plan, "state": entry.state } });
    voice.alert(&finding(entry, said), &step, &in_alert(entry, said.topic), &detail)
}

fn finding(entry: &Entry, said: &Said) -> Finding {
    let severity = match said.topic {
        topic if topic.is_critical() => Severity::Critical,
        Topic::Reverting | Topic::Restored | Topic::Foreign => Severity::High,
        _ => Severity::Medium,
    };
    let person = Person::named(SYSTEM_ACCOUNT, PortalText::new("the portal's address list"));
    let window = Window::new(said.at, said.at + TimeDelta::seconds(1));
    Finding {
        severity,
        reasons: vec![said.words.clone()],
        ..Finding::new(RULE, format!("{KIND} {}", entry.id), person, window)
    }
}

fn in_alert(entry: &Entry, topic: Topic) -> InAlert {
    let sentence = |&step: &Step| Sentence::from(step).map(|text| text.replace("{id}", &entry.id));
    let (did, steps) = of(topic);
    InAlert {
        did: Some(did.into()),
        what_to_do: steps.iter().map(sentence).collect(),
        facts: SaidFacts {
            who: Some(("the portal's address list", "die Adressliste des Portals").into()),
            ..SaidFacts::default()
        },
    }
}

const LOOK: Step = (
    "look at the list in the portal, and correct it there",
    "Sehen Sie sich die Liste im Portal an und berichtigen Sie sie dort",
);

const ASK: Step = (
    "ask whoever wrote it what they changed, and why; the reasons name them",
    "Fragen Sie die Person, die geschrieben hat, was sie geändert hat und warum; die Gründe nennen sie",
);

fn of(topic: Topic) -> (Step, &'static [Step]) {
    match topic {
        Topic::Switched => (
            ("is written, and waits to be confirmed", "ist geschrieben und wartet auf Bestätigung"),
            &[
                (
                    "see that people can enter, and run `ip-fence confirm` in time: else it is taken back",
                    "Prüfen Sie, ob alle hineinkommen, und rufen Sie rechtzeitig `ip-fence confirm` auf: Sonst wird sie zurückgenommen",
                ),
                (
                    "if somebody is locked out, run `ip-fence rollback --to {id}`",
                    "Wenn jemand ausgesperrt ist, rufen Sie `ip-fence rollback --to {id}` auf",
                ),
            ],
        ),
        Topic::Confirmed => (
            ("is confirmed, and stays", "ist bestätigt und bleibt"),
            &[("nothing, if you know of it: the list counts", "Nichts, wenn Sie davon wissen: Die Liste gilt")],
        ),
        Topic::Reverting => (
            ("is being taken back", "wird zurückgenommen"),
            &[
                ("wait for the message that it is done", "Warten Sie auf die Nachricht, dass es erledigt ist"),
                (
                    "find out from the reasons below why, before you apply a plan again",
                    "Stellen Sie anhand der Gründe unten fest, warum, bevor Sie wieder einen Plan anwenden",
                ),
            ],
        ),
        Topic::Blocked => (
            ("cannot be taken back", "lässt sich nicht zurücknehmen"),
            &[
                (
                    "switch the list off in the portal as its owner, whom it does not stop, if people are locked out",
                    "Schalten Sie die Liste im Portal als Eigentümer aus, den sie nicht aufhält, wenn jemand ausgesperrt ist",
                ),
                LOOK,
            ],
        ),
        Topic::Restored => (
            ("was taken back: it is as it was before", "wurde zurückgenommen: Sie ist wie vorher"),
            &[(
                "find out from the reasons below why, make a new plan, and apply that",
                "Stellen Sie anhand der Gründe unten fest, warum, machen Sie einen neuen Plan und wenden Sie ihn an",
            )],
        ),
        Topic::Conflict => (("was not taken back as a whole", "wurde nicht ganz zurückgenommen"), &[LOOK, ASK]),
        Topic::Foreign => {
            (("was written by somebody else meanwhile", "hat inzwischen jemand anderes geschrieben"), &[ASK, LOOK])
        }
        Topic::Raced => {
            (("has overwritten somebody else's change", "hat eine fremde Änderung überschrieben"), &[ASK, LOOK])
        }
        Topic::Refused => (
            ("was not changed: the plan was not carried out", "wurde nicht geändert: Der Plan ist abgelehnt"),
            &[(
                "read why in the reasons below, make a new plan, and apply that",
                "Lesen Sie unten, warum, machen Sie einen neuen Plan und wenden Sie ihn an",
            )],
        ),
    }
}

#[cfg(test)]
mod tests;
