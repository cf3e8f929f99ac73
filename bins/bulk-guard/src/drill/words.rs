//! What people are told of a drill.

use std::fmt::Write as _;

use alerting::{Alert, Said};
use audit_model::{Counts, Finding, Person, PortalText, Sentence, Severity, Window};
use chrono::{DateTime, Utc};
use job_runner::Voice;
use report::words::{duration, german};
use serde_json::json;

use crate::drill::course::{Drill, Step, Times};

/// Names the alert among others.
const RULE: &str = "mass_change";

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Made => "made",
            Step::Found => "found",
            Step::Suspended => "suspended",
            Step::Proven | Step::Back => "proven",
            Step::Released => "released",
            Step::Cleaned => "cleaned up",
        }
    }

    /// What has not happened, as a clause.
    fn missing(self) -> Sentence {
        match self {
            Step::Made => {
                ("the documents were not all made and renamed", "es wurden nicht alle Dokumente angelegt und umbenannt")
            }
            Step::Found => ("no run has found it", "kein Lauf hat sie gefunden"),
            Step::Suspended => ("the account was not suspended", "das Konto wurde nicht gesperrt"),
            Step::Proven => ("the suspension was not proven", "die Sperre wurde nicht nachgewiesen"),
            Step::Released => ("the account was not released", "das Konto wurde nicht freigegeben"),
            Step::Back => ("the release was not proven", "die Freigabe wurde nicht nachgewiesen"),
            Step::Cleaned => {
                ("what it made is not all taken away", "es ist nicht alles aufgeräumt, was sie angelegt hat")
            }
        }
        .into()
    }
}

/// A step, when it happened, and what it is in both languages.
type Happened = (Step, Option<DateTime<Utc>>, (&'static str, &'static str));

fn steps(drill: &Drill) -> [Happened; 6] {
    let Times { made, found, suspended, proven, released, back } = drill.times;
    [
        (
            Step::Made,
            made,
            (
                "documents made and renamed in a room of its own",
                "Dokumente in einem eigenen Raum angelegt und umbenannt",
            ),
        ),
        (
            Step::Found,
            found,
            (
                "a run has found it, and planned to suspend the account",
                "ein Lauf hat sie gefunden und die Sperre des Kontos geplant",
            ),
        ),
        (
            Step::Suspended,
            suspended,
            ("the portal was asked to disable the account", "das Portal wurde aufgefordert, das Konto zu deaktivieren"),
        ),
        (
            Step::Proven,
            proven,
            (
                "account and audit trail were read back: disabled",
                "Konto und Audit-Protokoll wurden gelesen: deaktiviert",
            ),
        ),
        (
            Step::Released,
            released,
            ("the portal was asked to enable the account", "das Portal wurde aufgefordert, das Konto zu aktivieren"),
        ),
        (
            Step::Back,
            back,
            ("account and audit trail were read back: enabled", "Konto und Audit-Protokoll wurden gelesen: aktiv"),
        ),
    ]
}

fn name(drill: &Drill) -> String {
    PortalText::new(drill.name.as_str()).for_terminal()
}

/// How it ended, in one sentence without a full stop.
pub(crate) fn outcome(drill: &Drill) -> Sentence {
    let name = name(drill);
    match (&drill.failure, drill.times.made, drill.times.back) {
        (Some(failure), ..) => {
            let missing = failure.step.missing();
            Sentence::new(
                format!("The drill with {name} has failed: {missing}: {}", failure.why),
                format!(
                    "Die Übung mit {name} ist misslungen: {}. Grund: {}",
                    german::after_colon(missing.german()),
                    german::after_colon(failure.why.german())
                ),
            )
        }
        (None, Some(made), Some(back)) => {
            let took = (back - made).max(chrono::TimeDelta::zero());
            Sentence::new(
                format!(
                    "The drill with {name} has passed: {} after the documents were renamed, the account was suspended and enabled again",
                    duration(took)
                ),
                format!(
                    "Die Übung mit {name} ist gelungen: Nach dem Umbenennen der Dokumente dauerte es {}, bis das Konto gesperrt und wieder aktiviert war",
                    german::duration(took)
                ),
            )
        }
        (None, ..) => Sentence::new(
            format!("The drill with {name} is not over"),
            format!("Die Übung mit {name} ist noch nicht vorbei"),
        ),
    }
}

/// Each step with its time, the seconds since the one before, and what happened.
pub(crate) fn course(drill: &Drill) -> String {
    let mut text = String::new();
    for line in happened(drill) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// The same, a sentence for each step.
fn happened(drill: &Drill) -> Vec<Sentence> {
    let mut happened = Vec::new();
    let mut before: Option<DateTime<Utc>> = None;
    for (step, at, (what, what_de)) in steps(drill) {
        let Some(at) = at else { break };
        let since = before.map_or_else(String::new, |before| format!("+{} s", (at - before).num_seconds().max(0)));
        let (when, when_de) = (at.format("%Y-%m-%d %H:%M:%S UTC"), at.format("%d.%m.%Y %H:%M:%S UTC"));
        let since_de = if since.is_empty() { String::new() } else { format!(" ({since})") };
        happened.push(Sentence::new(
            format!("{:<10} {when}  {since:>6}  {what}", step.name()),
            format!("{when_de}{since_de}: {}", german::after_colon(what_de)),
        ));
        before = Some(at);
    }
    happened
}

/// What is told once through the channels.
pub(crate) fn alert(voice: &Voice, drill: &Drill) -> Alert {
    let finding = finding(drill);
    let detail = json!({
        "passed": drill.failure.is_none(),
        "times": drill.times,
        "failure": drill.failure,
    });
    voice.alert(&finding, &finding.fingerprint, &said(drill.failure.is_none()), &json!({ "drill": detail }))
}

fn finding(drill: &Drill) -> Finding {
    let times = steps(drill);
    let last = times.iter().filter_map(|(_, at, _)| *at).max().unwrap_or(drill.began);
    let window = Window::new(drill.began, last.max(drill.began) + chrono::TimeDelta::seconds(1));
    let person = Person::named(drill.account, drill.name.as_str().into());
    let (severity, headline) = match drill.failure {
        None => (Severity::Info, ("a drill has passed", "eine Übung ist gelungen")),
        Some(_) => (Severity::High, ("a drill has failed", "eine Übung ist misslungen")),
    };
    let outcome = outcome(drill);
    let told = Sentence::new(
        format!("This was a drill, and nobody attacked anything. {outcome}."),
        format!("Dies war eine Übung, und niemand hat angegriffen. {}.", outcome.german()),
    );
    Finding {
        severity,
        counts: Counts { acts: drill.documents, documents: drill.documents },
        reasons: [headline.into(), told].into_iter().chain(happened(drill)).collect(),
        ..Finding::new(RULE, format!("drill {}", drill.mark), person, window)
    }
}

/// What the account of the drill did, and what to do.
fn said(has_passed: bool) -> Said {
    let (did, steps): (_, &[_]) = if has_passed {
        (
            ("has passed a drill: nobody attacked anything", "hat eine Übung bestanden: Niemand hat angegriffen"),
            &[(
                "nothing: it was a drill, and all of it worked",
                "Nichts: Es war eine Übung, und alles hat funktioniert",
            )],
        )
    } else {
        (
            ("has failed a drill: nobody attacked anything", "hat eine Übung nicht bestanden: Niemand hat angegriffen"),
            &[
                (
                    "do not rely on suspensions until a drill passes",
                    "Verlassen Sie sich nicht auf Sperren, bis eine Übung gelingt",
                ),
                (
                    "find out why from the reasons below, and run `bulk-guard drill` again",
                    "Stellen Sie anhand der Gründe unten fest, warum, und rufen Sie `bulk-guard drill` noch einmal auf",
                ),
            ],
        )
    };
    Said { did: Some(did.into()), what_to_do: steps.iter().map(|&step| step.into()).collect(), ..Said::default() }
}

#[cfg(test)]
mod tests;
