//! `drill`: the whole way of a suspension, on an account that is there for nothing else, proven before it is needed.
//!
//! [`course`] says what follows from what is seen. [`run`] carries it out, a commit before each call ([`book`]); runs of this program, which it
//! starts as cron does, find the documents, suspend the account and release it, and nothing of that is done here. [`follow`] is how an ordinary
//! run ends a drill that nobody goes on with. [`check`] says with what no drill begins.

pub(crate) mod book;
pub(crate) mod check;
mod children;
pub(crate) mod course;
mod decide;
mod exercise;
pub(crate) mod follow;
pub(crate) mod site;
mod words;

use std::fmt::Write as _;

use anyhow::bail;
use chrono::TimeDelta;
use docspace_client::Client;
use job_runner::Setup;
use job_runner::config::{Problem, Problems};
use job_runner::exit::Exit;
use uuid::Uuid;

use crate::config::Config;
use crate::drill::check::{Account, Refusal};
use crate::drill::course::{Drill, LIVES_FOR, OwnRoom, Stage, Times};
use crate::drill::exercise::Exercise;
use crate::drill::site::Site;

/// Letters of a mark, of which there are more than anybody ever uses.
const MARK: usize = 8;

/// `drill`. Whoever stops it has it leave to the next runs what there is to take away; whoever stops it again does not wait for that.
pub(crate) async fn run(setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    setup.stopping().unless_asked_twice(drill(setup)).await
}

async fn drill(setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let wrong = check::settings(setup.config);
    if !wrong.is_empty() {
        return Err(job_runner::Error::Config(Problems(wrong)).into());
    }
    let Some(key_file) = &setup.config.drill.key_file else { return Ok(Exit::Nothing) };
    let watching = setup.client()?;
    let own = watching.with_key(site::key(key_file)?);
    let site = Site { watching: watching.clone(), own: Some(own.clone()) };
    settle_earlier(setup, &site).await?;
    let looked = async { Ok(check::account(setup.config, (&watching, &own), &setup.common.service_accounts).await) };
    let account = match setup.stopping().unless_asked(looked).await? {
        Ok(account) => account,
        Err(refusals) => return refused(refusals),
    };
    let refusals = check::acting(setup).await?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    if let Some(refusal) = setup.stopping().unless_asked(check::now(setup, &site, &account)).await? {
        return refused(vec![refusal]);
    }
    if setup.stopping().is_asked() {
        bail!("no drill was begun: this command was stopped");
    }
    let drill = begun(setup, &watching, account);
    let drill = Exercise::new(setup, site).carry_out(drill).await?;
    conclude(setup, &drill)
}

/// Each with what to do. 2 where it lasts until somebody edits the settings.
fn refused(refusals: Vec<Refusal>) -> anyhow::Result<Exit> {
    let usage = refusals.iter().all(|refusal| refusal.key.is_some());
    if usage {
        let problem = |refusal: Refusal| {
            Problem::new(refusal.key.unwrap_or("drill").to_owned(), format!("{}; {}", refusal.text, refusal.remedy))
        };
        return Err(job_runner::Error::Config(Problems(refusals.into_iter().map(problem).collect())).into());
    }
    let all = refusals.into_iter().map(|refusal| format!("{}; {}", refusal.text, refusal.remedy));
    bail!("no drill was begun: {}", all.collect::<Vec<_>>().join("; "))
}

/// A drill that was cut off is ended by runs first.
async fn settle_earlier(setup: &Setup<'_, Config>, site: &Site) -> anyhow::Result<()> {
    let exercise = Exercise::new(setup, site.clone());
    let Some(open) = exercise.open().await? else { return Ok(()) };
    let now = setup.clock();
    if !open.is_cut_off(now) {
        let seconds = (open.lives_until - now).num_seconds().max(1);
        bail!("another drill is at work, or was cut off a moment ago; try again in {seconds} s");
    }
    exercise.runs_until_settled().await?;
    match exercise.open().await? {
        Some(_) if setup.stopping().is_asked() => bail!("no drill was begun: this command was stopped"),
        None => setup.print("An earlier drill was cut off. What it had left is taken away.\n"),
        Some(left) => bail!(
            "an earlier drill was cut off, and what it has left could not be taken away: {}",
            exercise::left_of(&left)
        ),
    }
}

fn begun(setup: &Setup<'_, Config>, watching: &Client, account: Account) -> Drill {
    let mark: String = Uuid::new_v4().simple().to_string().chars().take(MARK).collect();
    Drill {
        revision: 0,
        // an extension that begins with a letter is no number
        mark: format!("d{mark}"),
        account: account.id,
        name: account.name,
        documents: check::documents(setup.config),
        room: OwnRoom::Asked,
        stage: Stage::Making,
        began: watching.portal_now().unwrap_or_else(|| setup.clock()),
        lives_until: setup.clock() + LIVES_FOR,
        times: Times::default(),
        failure: None,
        is_told: false,
    }
}

fn conclude(setup: &Setup<'_, Config>, drill: &Drill) -> anyhow::Result<Exit> {
    let mut text = format!("{}.\n{}", words::outcome(drill), words::course(drill));
    if drill.stage == Stage::Over {
        text.push_str("Its room and documents are deleted for good, and nothing of it counts as evidence.\n");
    } else {
        writeln!(text, "Not everything is taken away yet: {}.", exercise::left_of(drill))?;
    }
    setup.print(&text)?;
    Ok(if drill.failure.is_none() && drill.stage == Stage::Over { Exit::Concluded } else { Exit::Nothing })
}

/// So long nobody may have signed in as the account.
const UNUSED_FOR: TimeDelta = TimeDelta::days(30);
