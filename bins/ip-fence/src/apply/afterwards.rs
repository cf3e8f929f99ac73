//! `rollback`, `history`: what becomes of a list afterwards.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

use job_runner::exit::Exit;
use job_runner::{Desk, Error, Setup};
use tracing::warn;

use super::command::{call, nothing, who, writer};
use super::entry::{Entry, Order, State};
use super::journal::Kept;
use super::ownership::keep_ownership;
use super::portal::Live;
use super::run::{Ledger, follow};
use super::seen::{Clocks, is_past};
use super::words::{self, moment, sentence};
use super::{marker, merge, why};
use crate::cli::RollbackArgs;
use crate::config::Config;

/// So long whoever takes back by hand waits for the process that does it.
const PATIENCE_S: u32 = 60;

/// `rollback [--to ID]`
pub(crate) async fn rollback(args: &RollbackArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let done = setup.at_desk_to_its_end(async |desk| rollback_at(args, setup, desk).await).await?;
    done.map_or_else(|| nothing(setup, "There is nothing to take back"), Ok)
}

async fn rollback_at(args: &RollbackArgs, setup: &Setup<'_, Config>, desk: &Desk) -> anyhow::Result<Exit> {
    let kept = Kept::open(desk.store.clone(), setup.now).await?.speaking_of(setup).await;
    let exit = take_back(args, setup, (desk, &kept)).await;
    kept.deliver(desk.busy()).await;
    exit
}

async fn take_back(
    args: &RollbackArgs,
    setup: &Setup<'_, Config>,
    (desk, kept): (&Desk, &Kept),
) -> anyhow::Result<Exit> {
    let entries = kept.entries().await?;
    if let Some(why) = marker::forgotten(desk.store.path(), &entries) {
        return nothing(setup, &sentence(&why));
    }
    marker::clear(desk.store.path(), &entries);
    let written = |entry: &&Entry| !entry.puts.is_empty() && entry.state != State::Refused || entry.state.is_open();
    let meant: Vec<&Entry> = match &args.to {
        None => entries.iter().rfind(written).into_iter().collect(),
        Some(id) => match entries.iter().position(|entry| entry.id == *id) {
            // whatever was written after it goes first
            Some(at) => entries[at..].iter().rev().filter(written).collect(),
            None => {
                let message = "is no application that this program remembers; `ip-fence history` lists them";
                return Err(Error::Argument(id.clone(), message.to_owned()).into());
            }
        },
    };
    if meant.is_empty() {
        return nothing(setup, "There is nothing to take back");
    }
    let live = Live::new(writer(setup)?, setup.clock());
    let mut exit = Exit::Concluded;
    for entry in meant {
        if setup.stopping().is_asked() {
            return nothing(
                setup,
                &format!("Stopped: plan {} and what was written before it is not taken back", entry.intent.plan),
            );
        }
        let why =
            args.reason.as_deref().map_or_else(|| why::NO_REASON.into(), |why| words::as_typed(&words::typed(why)));
        let ordered =
            entry.order_back(Order { by: words::as_typed(&who(args.by.as_deref(), setup)), at: setup.clock(), why });
        if ordered != *entry && !kept.commit(&ordered).await? {
            return nothing(setup, "It was changed at this moment. Look at `ip-fence history`, and try again");
        }
        let after = match desk.busy() {
            Some(busy) => match setup.stopping().unless_asked(at_its_end((kept, &live), &entry.id)).await? {
                Some(after) => after,
                None => {
                    let plan = &entry.intent.plan;
                    return nothing(
                        setup,
                        &format!(
                            "Plan {plan} is to be taken back: {busy} does that, or else the next run. Look at `{} history` in a minute; \
                             if nothing has changed by then, end that process, and run `{}`",
                            call(setup),
                            call(setup)
                        ),
                    );
                }
            },
            None => {
                let following = follow((kept, &live), &entry.id, (false, false));
                let Some(after) = to_its_end(following, setup).await? else { continue };
                after
            }
        };
        keep_ownership(kept, &desk.store, setup.now).await?;
        marker::clear(desk.store.path(), &kept.entries().await?);
        setup.print(&ended(&after))?;
        if after.state != State::Restored && after.state != State::Refused {
            exit = Exit::Nothing;
        }
    }
    Ok(exit)
}

/// Takes back, also when somebody stops that: a list that is taken back by half may shut people out. Whoever stops it again leaves it to the
/// next run.
async fn to_its_end<T>(work: impl Future<Output = anyhow::Result<T>>, setup: &Setup<'_, Config>) -> anyhow::Result<T> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = setup.stopping().asked() => {}
    }
    warn!("stopping: the list is taken back first; stop once more to leave that to the next run");
    setup.stopping().unless_asked_twice(work).await
}

/// What another process has made of an entry, once it is through with it. `None`: it is not, for longer than taking back takes.
async fn at_its_end((kept, live): (&Kept, &Live), id: &str) -> anyhow::Result<Option<Entry>> {
    for _ in 0..PATIENCE_S {
        let entry = kept.entries().await?.into_iter().find(|entry| entry.id == id && !entry.state.is_open());
        if entry.is_some() {
            return Ok(entry);
        }
        live.wait(Duration::from_secs(1)).await;
    }
    Ok(None)
}

fn ended(entry: &Entry) -> String {
    let last = entry.said.last().map(|said| sentence(&said.words));
    format!("{}.\n", last.unwrap_or_else(|| format!("Plan {}: {}", entry.intent.plan, entry.state.word())))
}

/// `history`
pub(crate) async fn history(setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let looked = setup.looked().await?;
    let entries = Kept::open(looked.store.clone(), setup.now).await?.entries().await?;
    let forgotten = looked.store_file.and_then(|file| marker::forgotten(&file, &entries));
    let mut text = String::new();
    match &forgotten {
        Some(why) => writeln!(text, "{}.", sentence(why))?,
        None if entries.is_empty() => text += "The address list was never written by this program.\n",
        None => {}
    }
    for entry in entries.iter().rev() {
        writeln!(text, "{}  {}  {}  by {}", entry.id, moment(entry.accepted), entry.state.word(), entry.by)?;
        for put in &entry.puts {
            let (added, removed) = (
                merge::difference(&put.sent.entries, &put.read.entries),
                merge::difference(&put.read.entries, &put.sent.entries),
            );
            let switch = if put.sent.enabled { "on" } else { "off" };
            let fate = match put.arrived {
                Some(true) => "written",
                Some(false) => "not written",
                None => "not known whether written",
            };
            writeln!(
                text,
                "  {}. {}  added: {}; removed: {}; switch {switch}; {fate}",
                put.number,
                moment(put.at),
                words::entries(&added),
                words::entries(&removed)
            )?;
        }
        for said in &entry.said {
            writeln!(text, "  {}  {}", moment(said.at), said.words)?;
        }
    }
    setup.print(&text)?;
    let clocks = Clocks { portal: None, here: setup.clock() };
    let is_left = |entry: &Entry| entry.state == State::Reverting || entry.state.is_open() && is_past(entry, clocks);
    let is_open = entries.iter().any(is_left);
    Ok(if is_open || forgotten.is_some() { Exit::Nothing } else { Exit::Concluded })
}
