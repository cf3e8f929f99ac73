//! A sixth program, whole: people who shared more than a few things in an hour. What to copy when a new program begins.

use std::collections::BTreeMap;
use std::process::ExitCode;

use audit_model::{
    Act, ActClass, Counts, Evidence, Finding, MainSource, Measure, Person, SlidingWindow, Source, Weight, Window,
};
use chrono::TimeDelta;
use event_archive::{Look, Unjudged};
use futures::TryStreamExt;
use job_runner::args::{NoCommand, NoFlags};
use job_runner::config::{Problem, Settings};
use job_runner::{About, Found, Head, Job, Judgement, Program, ReportOf};
use report::{Document, Section};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Settings of its own: `most_shares`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    most_shares: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { most_shares: 10 }
    }
}

impl Settings for Config {
    fn validate(&self) -> Vec<Problem> {
        let is_off = self.most_shares == 0;
        is_off.then(|| Problem::new("most_shares", "must be at least 1")).into_iter().collect()
    }
}

/// Name of the rule in findings and alerts.
const RULE: &str = "many_shares";

/// Shares are held together against the limit within any stretch of so long.
const WITHIN: TimeDelta = TimeDelta::hours(1);

struct ShareWatch;

impl Program for ShareWatch {
    const ABOUT: About = About {
        name: "share-watch",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds people who shared many things within an hour",
        report_version: 1,
        window: WITHIN,
        main: MainSource::Audit,
        blind_spots: &[],
        judged_by: &[Source::Audit],
        schedule: "*/10 * * * *",
        sends_alerts: true,
    };

    type Flags = NoFlags;
    type Command = NoCommand;
    type Config = Config;
    /// What has to be judged, and who shared what, in order of time.
    type Facts = (Unjudged, BTreeMap<Uuid, (Person, Vec<Evidence>)>);
    type Detail = ();
    type Body = BTreeMap<&'static str, u64>;

    /// All that the program asks. Whatever cannot be seen is noted by the look, which also says what has to be judged: more than the window,
    /// where rows came late, earlier runs left holes, or a burst goes on.
    async fn gather(_config: &Config, job: &Job, look: &mut Look) -> anyhow::Result<Self::Facts> {
        let unjudged = look.audit().await?;
        let mut shares: BTreeMap<Uuid, (Person, Vec<Evidence>)> = BTreeMap::new();
        let mut events = std::pin::pin!(job.archive.events(unjudged.window(WITHIN)));
        while let Some(event) = events.try_next().await? {
            if event.action.class() == Some(ActClass::Share) {
                let nobody = || (Person::named(event.actor, event.actor_name.clone()), Vec::new());
                shares.entry(event.actor).or_insert_with(nobody).1.push(Evidence::from(&event));
            }
        }
        Ok((unjudged, shares))
    }

    /// The rule.
    fn judge(config: &Config, (unjudged, shares): Self::Facts) -> Judgement<(), Self::Body> {
        let people = shares.len() as u64;
        let bursts = shares.into_values().flat_map(|(person, shares)| {
            let told = bursts(&shares, config.most_shares).into_iter().filter(|burst| unjudged.concerns(burst));
            let told = told.map(|burst| finding(&person, burst, &shares, config.most_shares));
            told.collect::<Vec<_>>()
        });
        let findings = bursts.collect();
        Judgement { findings, body: BTreeMap::from([("people_who_shared", people)]), notes: Vec::new() }
    }

    fn unseen(_config: &Config, _head: &Head) -> Self::Body {
        BTreeMap::new()
    }

    /// What the report says; every form is made from it.
    fn body(report: &ReportOf<Self>, document: &mut Document) {
        let people = report.findings.iter().map(|found| {
            let mut person = report.head.person(&found.finding);
            person.what_to_do =
                vec!["ask the person whom these links are for, and remove those that nobody needs".into()];
            person
        });
        if !report.findings.is_empty() {
            document.sections.push(Section::new("people who shared much").with_people(people));
        }
    }
}

/// The stretches in which there was more than the limit all along.
fn bursts(shares: &[Evidence], most: u64) -> Vec<Window> {
    let mut sliding = SlidingWindow::new(WITHIN, most, Measure::Acts);
    for share in shares {
        let act = Act { at: share.at, document: share.event, weight: Weight::ONE, sample: () };
        sliding.push(act);
    }
    sliding.episodes().iter().map(|episode| episode.window).collect()
}

fn finding(person: &Person, burst: Window, shares: &[Evidence], most: u64) -> Found<()> {
    let shares: Vec<&Evidence> = shares.iter().filter(|share| burst.contains(share.at)).collect();
    let total = shares.len() as u64;
    let fingerprint = audit_model::fingerprint(&[RULE, &person.id.to_string()]);
    Found::from(Finding {
        counts: Counts { acts: total, documents: total },
        reasons: vec![format!("shared {total} times, more than {most} of them within an hour").into()],
        evidence: shares.into_iter().take(audit_model::MAX_EVIDENCE).cloned().collect(),
        evidence_total: total,
        ..Finding::new(RULE, fingerprint, person.clone(), burst)
    })
}

fn main() -> ExitCode {
    job_runner::main::<ShareWatch>()
}
