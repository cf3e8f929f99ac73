//! What a run does about what it has found: it plans and, where the settings say `enforce`, suspends; and it ends the suspensions of
//! earlier runs, whatever the settings say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail};
use audit_model::{GapReason, Person, PortalText, Sentence, Window};
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use job_runner::config::{Problem, Problems};
use job_runner::{Error, Job};
use job_store::Store;
use safe_actions::{Action, ActionKind, ActionState, Hold, Plan};
use uuid::Uuid;

use crate::body::{Report, Step, Suspended};
use crate::config::Config;
use crate::drill;
use crate::plan;
use crate::rule::kind::Kind;
use crate::suspend::entry::{Entry, Held, Incident, State, Topic};
use crate::suspend::ledger::{Kept, Ledger};
use crate::suspend::permit::{self, PROVEN_FOR, Refusal};
use crate::suspend::portal::Live;
use crate::suspend::run::{self, Acted, Portal};
use crate::suspend::seen::{Asked, Clocks, STATUS_CHANGED};
use crate::suspend::situation::{Given, enforced_since, situation};
use crate::suspend::state::{asked_within_a_day, may_be_over, overdue};
use crate::suspend::terms::DECIDED_FOR;
use crate::suspend::why;
use crate::way_back::{LEFT_OFF, sentence};

/// External links of the last so long are named.
const LINKS_OF: TimeDelta = TimeDelta::hours(24);

/// Plans, suspends where it may, and releases what is due.
pub(crate) async fn act(config: &Config, job: &Job, report: &mut Report) -> anyhow::Result<()> {
    // who looks at the past, or only looks, does nothing
    let is_rehearsal = job.dry_run || job.has_window || config.cannot_act;
    let store = match &job.store {
        Ok(store) if !is_rehearsal => store,
        Ok(_) => return plan::plan_for(config, job, report).await,
        Err(refusal) => {
            let told = match &job.store_for_telling {
                Some(store) if !is_rehearsal => tell_overdue(job, (store, refusal), report).await,
                _ => Ok(()),
            };
            // who is off and stays so matters more than what is wrong with a plan
            told.and(plan::plan_for(config, job, report).await)?;
            return if config.is_enforcing() && !is_rehearsal { Err((*refusal).into()) } else { Ok(()) };
        }
    };
    let planned = if config.is_enforcing() { Ok(()) } else { plan::plan_for(config, job, report).await };
    let carried_out = carry_out(config, job, store, report).await;
    // who is off and stays so matters more than what is wrong with a plan
    carried_out.and(planned)
}

/// Where a clock is wrong no term can be ended: says so of each that may be over. Nothing is asked of the portal.
async fn tell_overdue(
    job: &Job,
    (store, refusal): (&Store, &job_runner::Refusal),
    report: &mut Report,
) -> anyhow::Result<()> {
    let kept = Kept::open(store.clone(), job.now).await?.speaking(job.voice.clone());
    let clocks = Clocks { portal: job.client.portal_now(), here: job.present() };
    let before = kept.hand_on().await?;
    let own = permit::time(clocks, &before).err().map(|own| own.sentence());
    let german = own.map_or_else(|| format!("„{refusal}“"), |own| own.german().to_owned());
    let why = Sentence::new(refusal.to_string(), german);
    let mut needs_attention = false;
    for entry in before.iter().filter(|entry| may_be_over(entry, clocks)) {
        let told = overdue(entry, clocks, &why);
        needs_attention = true;
        if told != *entry {
            kept.commit(&told).await?;
        }
    }
    let now = clocks.now();
    show(report, Plan::default(), &kept.entries().await?, &as_found(&before, job), now, false);
    attention(&Acted { refused: None, needs_attention })
}

/// Everything but the plan of a run that only observes.
async fn carry_out(config: &Config, job: &Job, store: &Store, report: &mut Report) -> anyhow::Result<()> {
    let kept = Kept::open(store.clone(), job.now).await?.speaking(job.voice.clone());
    drill::follow::follow(config, job, store).await?;
    let before = kept.hand_on().await?;
    let live = Live::new(job.client.clone(), job.archive.clone(), (config, &job.service_accounts), job.present());
    let now = live.clocks().now();
    let since = enforced_since(config, store, false, now).await?;
    let asked = asked_within_a_day(&before, now) as u64;
    let (mut plan, planned) = match since {
        Some(_) => plan::made(config, job, Some(asked), &report.body.candidates).await,
        None => (Plan::default(), Ok(())),
    };
    let proposals = if since.is_some() { proposals(job, report).await? } else { Vec::new() };
    let proven_at = job.voice.proven_at(store).await?;
    let ready = if since.is_some() { ready(job, proven_at, now) } else { Ok(()) };
    let is_open = before.iter().any(|entry| entry.is_followed(now) || entry.state.is_before());
    let mut acted = Acted::default();
    let mut entries = before.clone();
    if is_open || !proposals.is_empty() || has_lost(job, &before, now).await? {
        let asked = match (config.cannot_act, config.asked_by.is_empty()) {
            (true, _) => Asked::Get,
            (false, true) => Asked::Run,
            (false, false) => Asked::Post,
        };
        let given = Given { asked, has_window: false, is_dry_run: false, has_lock: true, proven_at };
        let situation = situation(config, &job.client, (store, &job.archive), given, now).await?;
        acted = run::act((&kept, &live), (&situation, &config.terms()), &proposals).await?;
        entries = kept.entries().await?;
    }
    if since.is_some() {
        report.body.has_acted = true;
        let is_planned = |action: &&mut Action| action.state == ActionState::Planned;
        let why = acted.refused.as_ref().map(Refusal::sentence);
        for action in plan.actions.iter_mut().filter(is_planned) {
            let over = || {
                let german = "dieser Vorgang ist vorbei, oder es wurde schon über ihn entschieden";
                Sentence::new("this incident is over, or was decided about before", german)
            };
            let what = why.clone().unwrap_or_else(over);
            (action.state, action.held) = (ActionState::Held, Some(Hold::Stopped { what }));
        }
    }
    drill::follow::follow(config, job, store).await?;
    show(report, plan, &entries, &as_found(&before, job), now, since.is_some());
    conclude(report, &acted, since.is_some() && !proposals.is_empty())?;
    ready?;
    planned
}

/// Whom the settings let be suspended for what was found, with what an alert has to say of it.
async fn proposals(job: &Job, report: &Report) -> anyhow::Result<Vec<Incident>> {
    let mut proposals = report.body.proposals.clone();
    for incident in &mut proposals {
        let is_of = |person: Uuid| person == incident.person;
        let found = report
            .findings
            .iter()
            .find(|found| is_of(found.finding.person.id) || found.detail.people.iter().any(|person| is_of(person.id)));
        incident.matter = found.and_then(|found| found.finding.matter.clone());
        let window = Window::new(job.window.until - LINKS_OF, job.window.until);
        let mut events = std::pin::pin!(job.archive.events_of([incident.person], window));
        while let Some(event) = events.try_next().await? {
            if Kind::of(event.action) == Some(Kind::Shared) {
                let to = event.text.as_ref().map(|text| text.raw().to_owned());
                incident.links.push(to.unwrap_or_else(|| event.target.join(", ")));
            }
        }
    }
    Ok(proposals)
}

/// Whether the key's account has switched somebody on or off, and nobody remembers why.
async fn has_lost(job: &Job, entries: &[Entry], now: DateTime<Utc>) -> anyhow::Result<bool> {
    let own = job.portal.me.person.id;
    let known: BTreeSet<i64> = entries.iter().flat_map(|entry| entry.own_rows.iter().copied()).collect();
    let told: BTreeSet<&str> = entries.iter().map(|entry| entry.incident.id.as_str()).collect();
    let window = Window::new(now - DECIDED_FOR, now + TimeDelta::seconds(1));
    let mut events = std::pin::pin!(job.archive.events_of_actions([STATUS_CHANGED], window));
    while let Some(event) = events.try_next().await? {
        let is_told = event.target.iter().any(|id| told.contains(format!("row {} {id}", event.id).as_str()));
        if event.actor == own && !known.contains(&event.id) && !is_told {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What `enforce` demands, and what of it is missing: all of it.
fn ready(job: &Job, proven_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Error> {
    let mut missing = Vec::new();
    if job.voice.channels().is_empty() {
        let message =
            "no channel is set, so nobody would hear of a suspension; set `alerts.file.path` or `alerts.webhook.url`";
        missing.push(Problem::new("alerts", message));
    } else if proven_at.is_none_or(|at| now - at > PROVEN_FOR) {
        let message = "no channel has taken a test alert within 7 days; send one with `bulk-guard alerts test`";
        missing.push(Problem::new("alerts", message));
    }
    for unknown in &job.misnamed {
        let message = format!("{unknown}; `enforce` suspends nobody before that is corrected");
        missing.push(Problem::new(unknown.key.clone(), message));
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::Config(Problems(missing))) }
}

/// The state of an action in reports, and why it is held.
fn shown(entry: &Entry) -> (ActionState, Option<Hold>) {
    let stopped = |what: Sentence| Some(Hold::Stopped { what });
    let why = entry.why.clone().unwrap_or_else(|| why::DECIDED_SO.into());
    match (entry.state, &entry.held) {
        (State::Planned | State::Waiting, _) => (ActionState::Planned, None),
        (State::Held, Some(Held::Breaker(_))) => (ActionState::Held, Some(Hold::Breaker)),
        (State::Held | State::Dropped | State::Cancelled | State::Settled, _) => (ActionState::Held, stopped(why)),
        (State::Intended | State::Unknown | State::Releasing, _) => (ActionState::Unknown, None),
        (State::Done | State::Kept | State::ReleaseFailed, _) => (ActionState::Done, None),
        (State::Failed, _) => (ActionState::Failed, None),
        (State::Released, _) => (ActionState::Released, None),
    }
}

fn step(entry: &Entry) -> Step {
    Step {
        incident: entry.incident.id.clone(),
        until: entry.deadline(),
        why: entry.why.as_ref().map(ToString::to_string),
    }
}

fn person(entry: &Entry) -> Person {
    Person::named(entry.person(), PortalText::new(entry.incident.name.as_str()))
}

/// The entries without what was said before the run looked: that is of this run, too.
fn as_found(entries: &[Entry], job: &Job) -> Vec<Entry> {
    let mut found = entries.to_vec();
    for entry in &mut found {
        entry.said.retain(|said| !job.settled.said.contains(&sentence(said.words.english())));
    }
    found
}

/// Puts what became of everything into the report.
fn show(
    report: &mut Report,
    mut plan: Plan,
    entries: &[Entry],
    before: &[Entry],
    now: DateTime<Utc>,
    is_enforcing: bool,
) {
    let known: BTreeMap<&str, usize> =
        before.iter().map(|entry| (entry.incident.id.as_str(), entry.said.len())).collect();
    for entry in entries {
        let said =
            &entry.said[known.get(entry.incident.id.as_str()).copied().unwrap_or_default().min(entry.said.len())..];
        // what is about to be done, and was, is said once
        let is_over = |topic: Topic| topic == Topic::Suspending && said.len() > 1;
        report.body.said.extend(said.iter().filter(|said| !is_over(said.topic)).map(|said| said.words.to_string()));
        let is_off = entry.state.is_under_way() || entry.state == State::Kept;
        if is_off {
            let since = entry.row.map(|row| row.at).or(entry.intent.as_ref().map(|intent| intent.at));
            let (person, state) = (person(entry), entry.state);
            report.body.suspended.push(Suspended { person, state, since, step: step(entry) });
        }
        let is_of_now = now - entry.incident.last.at < TimeDelta::minutes(30);
        let Some(action) = plan.actions.iter_mut().find(|action| action.person.id == entry.person()) else {
            if !said.is_empty() && entry.intent.is_some() {
                let (state, held) = shown(entry);
                let (reason, fingerprint) = (entry.incident.reason.to_string(), entry.incident.fingerprint.clone());
                let person = person(entry);
                report.body.steps.insert(person.id, step(entry));
                plan.actions.push(Action { kind: ActionKind::Suspend, person, state, reason, held, fingerprint });
            }
            continue;
        };
        if is_off || is_of_now {
            (action.state, action.held) = shown(entry);
            report.body.steps.insert(entry.person(), step(entry));
        }
    }
    plan.actions.sort_by_key(|action| action.person.id);
    if is_enforcing {
        plan::planned(report, plan);
    } else {
        report.body.plan.actions.extend(plan.actions);
    }
    let is_held = |entry: &Entry| entry.state == State::Held && matches!(entry.held, Some(Held::Breaker(_)));
    report.is_held |= entries.iter().any(is_held);
}

/// The end of the run that follows.
fn conclude(report: &mut Report, acted: &Acted, has_reason: bool) -> anyhow::Result<()> {
    let Some(refused) = &acted.refused else {
        return attention(acted);
    };
    if refused.exit() == 4 {
        report.head.notes.push(format!("nobody was suspended or released: {}", refused.words()));
        let why = match refused {
            Refusal::TrailIncomplete => GapReason::PortalError,
            _ => GapReason::ClockSkew,
        };
        let window = report.head.window;
        report.head.coverage.gap("suspensions", window, why);
    }
    attention(acted)?;
    if has_reason && refused.exit() == 1 && !matches!(refused, Refusal::NoProvenChannel) {
        return Err(anyhow!("nobody is suspended: {}", refused.words()));
    }
    Ok(())
}

fn attention(acted: &Acted) -> anyhow::Result<()> {
    if acted.needs_attention {
        bail!(LEFT_OFF);
    }
    Ok(())
}
