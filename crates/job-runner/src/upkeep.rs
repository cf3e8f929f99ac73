//! `store …`. These commands talk to the store only, never to the portal.

pub(crate) mod moving;

use std::path::Path;

use anyhow::Context;
use audit_model::{PortalText, SpanSet, Window};
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{Archive, GivenUp, Judged, Kept};
use job_store::{SeenServer, Store};
use report::words::{plural, utc};
use tracing::error;
use uuid::Uuid;

use crate::Error;
use crate::args::{ReportFormat, StoreCommand};
use crate::config::Settings;
use crate::exit::Exit;
use crate::former;
use crate::hold::{self, Asked};
use crate::keeping::{self, open_all, tables};
use crate::naming::NamesKey;
use crate::setup::{Setup, print};
use crate::state_path::State;
use crate::stop::{Signals, unless_ended};
use crate::stores::{Copy, copied, copy_of, open_store};
use crate::{gone, rights, spare};

/// The next run re-reads this much, and compares with what is stored to tell what came late.
const STILL_COMPARED: TimeDelta = TimeDelta::days(3);

/// Runs the command. `window` is how far back the program's rule looks.
pub(crate) async fn run<C: Settings>(
    command: &StoreCommand,
    setup: &Setup<'_, C>,
    window: TimeDelta,
) -> anyhow::Result<Exit> {
    let (args, now, state) = (setup.args, setup.now, &setup.state()?);
    match command {
        StoreCommand::Check => looking(check(state)).await,
        StoreCommand::Prune { before } => {
            // a date is the start of that day in UTC here: the portal, which knows its zone, is not asked
            let before = before.resolve(now, chrono_tz::Tz::UTC);
            let (needed, _) = setup.config.remembers();
            let latest = now - needed.max(window).max(STILL_COMPARED);
            if before > latest {
                return Err(Error::PruneTooMuch { asked: before, latest }.into());
            }
            prune(state, now, before).await
        }
        StoreCommand::Backup { file } => looking(backup(state, file)).await,
        StoreCommand::Move { from, to, replace } => moving::run(setup, from, to, *replace).await,
        StoreCommand::TakeBack { place, lost } => moving::take_back(setup, place, *lost).await,
        StoreCommand::Show { person } => looking(show(state, (person, setup.names_key()?.as_ref()), args.format)).await,
        StoreCommand::Forget { person, reason } => {
            forget(state, now, (person, setup.names_key()?.as_ref()), reason).await
        }
        StoreCommand::GiveUp { reason } => {
            let Some(until) = args.until else {
                let message = "is missing: what was not seen before this time is given up; `store check` lists it";
                return Err(Error::setting("--until", message).into());
            };
            // as above
            let until = until.resolve(now, chrono_tz::Tz::UTC);
            if until > now {
                return Err(Error::FutureWindow(until).into());
            }
            give_up(state, now, until, reason).await
        }
    }
}

/// Work with a copy of the store, which goes with whoever looks, also where somebody ends the process meanwhile.
async fn looking(work: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    unless_ended(&mut Signals::listen(), work).await
}

async fn check(state: &State) -> anyhow::Result<Exit> {
    // a copy is looked at, so that a run at work is not disturbed
    let Copy { store, is_there, note } = copy_of(state).await?;
    if !is_there {
        return missing(state);
    }
    let mut report = format!("store {}\n", found_at(state));
    report.extend(note.map(|note| format!("{note}\n")));
    match state {
        State::Files(_) => {
            if let Some(damage) = store.damage().await? {
                error!("the store is damaged: {damage}; move it away to start with an empty one");
                return Ok(Exit::Nothing);
            }
            report.push_str("no damage\n");
        }
        State::Server(_) => report.push_str("the server looks for damage itself\n"),
    }
    let archive = open_all(&store).await?;
    for table in tables() {
        let (rows, open) = (store.count(table, false).await?, store.count(table, true).await?);
        let open =
            if open == 0 { String::new() } else { format!(", {open} of them open, which stay whatever their age") };
        report.push_str(&format!("{}: {}{open}\n", table.name, plural(rows, "row")));
    }
    if let Some(before) = archive.pruned_before().await? {
        report.push_str(&format!(
            "no longer remembered: what happened before {}, unless it was read again\n",
            utc(before)
        ));
    }
    for Kept { source, covered } in archive.kept().await? {
        let spans: Vec<String> = covered.iter().map(Window::to_string).collect();
        let verb = if source.ends_with("(unreadable)") { "" } else { " read completely" };
        report.push_str(&format!("{source}:{verb} {}\n", spans.join(", ")));
    }
    for (part, judged) in archive.judged_by_part().await? {
        report.push_str(&about(&part, &judged));
    }
    for GivenUp { part, span, reason, at } in archive.given_up().await? {
        let of = of_part(&part);
        report.push_str(&format!("given up{of}: {span}, on {}: {}\n", at.date_naive(), shown(&reason)));
    }
    print(&report).map(|()| Exit::Concluded)
}

/// What is still to be seen or judged, of the runs that look at this.
fn about(part: &str, judged: &Judged) -> String {
    let (Some(since), Some(ended)) = (judged.since, judged.ended()) else { return String::new() };
    let listed = |spans: &SpanSet, before: &str| {
        let spans: Vec<String> = spans.iter().map(Window::to_string).collect();
        if spans.is_empty() { String::new() } else { format!("{before}{}", spans.join(", ")) }
    };
    let holes: SpanSet = judged.spans.missing_from(Window::new(since, ended)).into_iter().collect();
    let open = listed(&holes, ", but not ") + &listed(&judged.left_open, "; still to be judged from before that: ");
    format!("judged{}: {}{open}\n", of_part(part), Window::new(since, ended))
}

fn of_part(part: &str) -> String {
    if part.is_empty() { String::new() } else { format!(" by runs that look at {} only", shown(part)) }
}

fn shown(text: &str) -> String {
    PortalText::new(text).for_terminal()
}

async fn give_up(state: &State, now: DateTime<Utc>, until: DateTime<Utc>, reason: &str) -> anyhow::Result<Exit> {
    at_rest(state, now, async |store| {
        let report = given_up(store, (until, reason), now).await?;
        Ok((report, Exit::Concluded))
    })
    .await
}

async fn given_up(store: &Store, (until, reason): (DateTime<Utc>, &str), now: DateTime<Utc>) -> anyhow::Result<String> {
    let archive = Archive::open(store.clone()).await?;
    let given_up = archive.give_up(until, reason, now).await?;
    let watched = archive.judged_by_part().await?;
    let lines = given_up.iter().map(|GivenUp { part, span, .. }| format!("given up{}: {span}\n", of_part(part)));
    let report: String = lines.collect();
    let first = watched.iter().filter_map(|(_, judged)| judged.since).min();
    let nothing = || match first {
        None => "nothing to give up: no run has looked at anything yet\n".to_owned(),
        Some(first) if until <= first => {
            format!("nothing to give up: runs look at nothing before {}\n", utc(first))
        }
        Some(first) => {
            format!("nothing to give up: everything from {} to {} was judged\n", utc(first), utc(until))
        }
    };
    Ok(if report.is_empty() { nothing() } else { report })
}

/// Where the store is, under the name that it has.
fn found_at(state: &State) -> String {
    match state {
        State::Files(paths) => former::find(paths).path.display().to_string(),
        State::Server(server) => server.shown.clone(),
    }
}

/// One that was taken away is a failure: what it held is not known to any run.
fn missing(state: &State) -> anyhow::Result<Exit> {
    if let State::Files(paths) = state
        && let Some(gone) = gone::look(paths)
    {
        error!("{gone}; {}", gone::REMEDY);
        return Ok(Exit::Nothing);
    }
    let text = format!("the store {} does not exist yet, because no run has written to it\n", state.shown());
    print(&text).map(|()| Exit::Concluded)
}

/// Does some work with the store while no run is at work, and lets the next one in. What the work gives is printed; else it is said why
/// it was not done. A store that is not there is not made for that.
pub(crate) async fn at_rest(
    state: &State,
    now: DateTime<Utc>,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<(String, Exit)>,
) -> anyhow::Result<Exit> {
    if is_there(state).await? { in_turn(state, now, work).await } else { missing(state) }
}

async fn is_there(state: &State) -> anyhow::Result<bool> {
    Ok(match state {
        State::Files(paths) => former::find(paths).path.exists(),
        State::Server(server) => SeenServer::at(&server.place).await?.has_schema,
    })
}

/// The same, for what somebody may want before the first run: a store that is not there is made.
pub(crate) async fn in_turn(
    state: &State,
    now: DateTime<Utc>,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<(String, Exit)>,
) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen();
    let asked = unless_ended(&mut signals, async { Ok(hold::take(state, now).await?) });
    let hold = match asked.await? {
        Asked::Ours(hold) => hold,
        Asked::Held(_) => {
            error!("a run is at work; try again when it has ended");
            return Ok(Exit::Nothing);
        }
    };
    let work = async |store: &Store| unless_ended(&mut signals, work(store)).await;
    let (report, exit) = hold.with_store(open_store(state), work).await?;
    print(&report).map(|()| exit)
}

async fn prune(state: &State, now: DateTime<Utc>, before: DateTime<Utc>) -> anyhow::Result<Exit> {
    at_rest(state, now, async |store| Ok((pruned(store, before).await?, Exit::Concluded))).await
}

async fn pruned(store: &Store, before: DateTime<Utc>) -> anyhow::Result<String> {
    let forgot = keeping::prune(store, before, u32::MAX).await?;
    store.compact().await?;
    let mut report = String::new();
    for pruned in &forgot.tables {
        report.push_str(&format!("{}: {} forgotten\n", pruned.table, plural(pruned.rows, "row")));
    }
    for hole in forgot.holes.iter() {
        report.push_str(&format!("no run has judged {hole}; it is not remembered any more\n"));
    }
    for table in tables() {
        let open = store.count(table, true).await?;
        if open > 0 {
            report.push_str(&format!("{}: {} still open, kept whatever their age\n", table.name, plural(open, "row")));
        }
    }
    Ok(report)
}

async fn backup(state: &State, file: &Path) -> anyhow::Result<Exit> {
    let file = std::path::absolute(file).context("cannot tell the current folder")?;
    if std::fs::symlink_metadata(&file).is_ok() {
        let message = "exists already; give another name, because a backup never replaces a file".to_owned();
        return Err(Error::Argument(file.display().to_string(), message).into());
    }
    match state {
        State::Files(paths) => {
            let path = std::path::absolute(former::find(paths).path).context("cannot tell the current folder")?;
            if !path.exists() {
                return missing(state);
            }
            Store::backup(&path, &file).await?;
        }
        // what the server holds of this portal, which a file of `--state` can hold as well
        State::Server(server) => {
            let (copy, is_there) = copied(&server.place, None).await?;
            if !is_there {
                return missing(state);
            }
            copy.keep_as(&file).await?;
        }
    }
    print(&format!("the store was copied to {}, which only this user can read\n", file.display()))
        .map(|()| Exit::Concluded)
}

async fn show(state: &State, (person, key): (&str, Option<&NamesKey>), format: ReportFormat) -> anyhow::Result<Exit> {
    let Copy { store, is_there, .. } = copy_of(state).await?;
    let archive = open_all(&store).await?;
    let id = id_of(&store, &archive, (person, key)).await?;
    let elsewhere = spare::about(state, (id.as_deref().unwrap_or(person), key)).await?;
    if !is_there && elsewhere.is_empty() {
        return missing(state);
    }
    let kept = match rights::about(&store, &archive, person, key).await {
        Ok(about) => vec![(found_at(state), about)],
        Err(failure) if failure.is::<Error>() && !elsewhere.is_empty() => Vec::new(),
        Err(failure) => return Err(failure),
    };
    print(&rights::shown(&[kept, elsewhere].concat(), format)).map(|()| Exit::Concluded)
}

/// The id of whom a word means, by which what lies elsewhere knows them as well.
async fn id_of(
    store: &Store,
    archive: &Archive,
    (person, key): (&str, Option<&NamesKey>),
) -> anyhow::Result<Option<String>> {
    Ok(rights::resolve(store, archive, person, key).await?.id.map(|id| id.to_string()))
}

async fn forget(
    state: &State,
    now: DateTime<Utc>,
    (person, key): (&str, Option<&NamesKey>),
    reason: &str,
) -> anyhow::Result<Exit> {
    if !is_there(state).await? {
        let elsewhere = spare::forget(state, (person, key), reason, now).await?;
        return if elsewhere.is_empty() { missing(state) } else { print(&elsewhere).map(|()| Exit::Concluded) };
    }
    at_rest(state, now, async |store| {
        let id = id_of(store, &open_all(store).await?, (person, key)).await?;
        let person = (id.as_deref().unwrap_or(person), key);
        // first, because nobody can tell any more who they are when the store has forgotten them
        let elsewhere = spare::forget(state, person, reason, now).await?;
        let report = match rights::forget(store, person, reason, Uuid::new_v4(), now).await {
            // nothing is kept about them here
            Err(failure) if failure.is::<Error>() && !elsewhere.is_empty() => String::new(),
            done => done?,
        };
        Ok((report + &elsewhere, Exit::Concluded))
    })
    .await
}
