//! What people are told of a drill.

use std::fmt::Write as _;

use alerting::{Alert, Said};
use audit_model::{Counts, Finding, Person, PortalText, Sentence, Severity, Window};
use chrono::{DateTime, Utc};
use job_runner::Voice;
use report::words::duration;
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
    fn missing(self) -> &'static str {
        match self {
            Step::Made => "the documents were not all made and renamed",
            Step::Found => "no run has found it",
            Step::Suspended => "the account was not suspended",
            Step::Proven => "the suspension was not proven",
            Step::Released => "the account was not released",
            Step::Back => "the release was not proven",
            Step::Cleaned => "what it made is not all taken away",
        }
    }
}

fn steps(drill: &Drill) -> [(Step, Option<DateTime<Utc>>, &'static str); 6] {
    let Times { made, found, suspended, proven, released, back } = drill.times;
    [
        (Step::Made, made, "documents made and renamed in a room of its own"),
        (Step::Found, found, "a run has found it, and planned to suspend the account"),
        (Step::Suspended, suspended, "the portal was asked to disable the account"),
        (Step::Proven, proven, "account and audit trail were read back: disabled"),
        (Step::Released, released, "the portal was asked to enable the account"),
        (Step::Back, back, "account and audit trail were read back: enabled"),
    ]
}

fn name(drill: &Drill) -> String {
    PortalText::new(drill.name.as_str()).for_terminal()
}

/// How it ended, in one sentence without a full stop.
pub(crate) fn outcome(drill: &Drill) -> String {
    match (&drill.failure, drill.times.made, drill.times.back) {
        (Some(failure), ..) => {
            format!("The drill with {} has failed: {}: {}", name(drill), failure.step.missing(), failure.why)
        }
        (None, Some(made), Some(back)) => format!(
            "The drill with {} has passed: {} after the documents were renamed, the account was suspended and enabled again",
            name(drill),
            duration((back - made).max(chrono::TimeDelta::zero()))
        ),
        (None, ..) => format!("The drill with {} is not over", name(drill)),
    }
}

/// Each step with its time, the seconds since the one before, and what happened.
pub(crate) fn course(drill: &Drill) -> String {
    let mut text = String::new();
    let mut before: Option<DateTime<Utc>> = None;
    for (step, at, what) in steps(drill) {
        let Some(at) = at else { break };
        let since = before.map_or_else(String::new, |before| format!("+{} s", (at - before).num_seconds().max(0)));
        let _ = writeln!(text, "  {:<10} {}  {since:>6}  {what}", step.name(), at.format("%Y-%m-%d %H:%M:%S UTC"));
        before = Some(at);
    }
    text
}

/// What is told once through the channels.
pub(crate) fn alert(voice: &Voice, drill: &Drill) -> Alert {
    let times = steps(drill);
    let last = times.iter().filter_map(|(_, at, _)| *at).max().unwrap_or(drill.began);
    let window = Window::new(drill.began, last.max(drill.began) + chrono::TimeDelta::seconds(1));
    let person = Person::named(drill.account, drill.name.as_str().into());
    let fingerprint = format!("drill {}", drill.mark);
    let has_passed = drill.failure.is_none();
    let headline: Sentence = if has_passed {
        ("a drill has passed", "eine Übung ist gelungen").into()
    } else {
        ("a drill has failed", "eine Übung ist misslungen").into()
    };
    let mut reasons =
        vec![headline, format!("This was a drill, and nobody attacked anything. {}.", outcome(drill)).into()];
    reasons.extend(course(drill).lines().map(|line| line.trim().into()));
    let finding = Finding {
        severity: if drill.failure.is_none() { Severity::Info } else { Severity::High },
        counts: Counts { acts: drill.documents, documents: drill.documents },
        reasons,
        ..Finding::new(RULE, fingerprint.clone(), person, window)
    };
    let detail = json!({
        "passed": has_passed,
        "times": drill.times,
        "failure": drill.failure,
    });
    voice.alert(&finding, &fingerprint, &said(has_passed), &json!({ "drill": detail }))
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
