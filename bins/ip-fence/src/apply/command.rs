//! `apply FILE`, `confirm`, `rollback`, `history`: what people decide about the list.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, ApiKey, Client};
use job_runner::environment::Environment;
use job_runner::exit::Exit;
use job_runner::secret::find_key;
use job_runner::{Desk, Error, Setup, Signals};

use super::durable;
use super::entry::{Confirmation, Entry, Order, State};
use super::front::Front;
use super::intent::{Addition, Intent};
use super::journal::Kept;
use super::ownership::keep_ownership;
use super::portal::Live;
use super::restore::restoring;
use super::run::{Ledger, Portal, follow};
use super::seen::{Clocks, Seen, is_past};
use super::words::{self, moment, sentence};
use super::{marker, merge, witness};
use crate::cli::{ApplyArgs, ConfirmArgs, PlanArgs, RollbackArgs};
use crate::config::Config;
use crate::plan::PlanFile;
use crate::plan::command::make;
use crate::shadow::Shadow;

/// A process that waits must have ended before a run takes it for one that hangs: so long writing and taking back may take besides.
const AROUND_WAITING: TimeDelta = TimeDelta::minutes(10);

/// Without a run for so long, nothing but the process in front takes back.
const RUNS_END_WITHIN: TimeDelta = TimeDelta::hours(1);

/// So long whoever takes back by hand waits for the process that does it.
const PATIENCE_S: u32 = 60;

/// `apply FILE`
pub(crate) async fn apply(args: &ApplyArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen();
    let file = match PlanFile::read(&args.file) {
        Ok(file) => file,
        Err(unusable) => {
            setup.print(&format!("{unusable}.\n"))?;
            return Ok(unusable.exit());
        }
    };
    let within = time_to_confirm(setup)?;
    let flags = PlanArgs::from(&file.flags);
    let planned = tokio::select! {
        planned = make(&flags, setup) => planned?,
        () = signals.next() => return refuse(setup, "this process was stopped"),
    };
    let client = writer(setup)?;
    let me = client.identity().await?;
    let clean = Shadow::clean_days(&planned.job.archive, &file).await?;
    if let Err(stale) = file.check(&planned.now(me.person.id, clean, args.without_shadow)) {
        return refuse(setup, &stale.to_string());
    }
    let last_run = setup.looked().await?.seen_until;
    let done = setup.at_desk(async |desk| {
        if let Some(busy) = desk.busy() {
            return refuse(
                setup,
                &format!("{busy} is at work, so nothing is written now; try again when it has ended"),
            );
        }
        in_front(args, (setup, desk), (&file, client, me.is_owner), (within, last_run), &mut signals).await
    });
    match done.await? {
        Some(exit) => Ok(exit),
        None => refuse(setup, "no run has made a store yet, so nothing would be remembered; let `ip-fence` run once"),
    }
}

/// So long somebody has to confirm. Runs meanwhile find the lock held, and must not take its holder for one that hangs.
fn time_to_confirm(setup: &Setup<'_, Config>) -> anyhow::Result<TimeDelta> {
    let within = TimeDelta::from_std(setup.config.apply.confirm_within.0)?;
    let limit = TimeDelta::from_std(setup.common.run_limit.0).unwrap_or(TimeDelta::MAX);
    if within + AROUND_WAITING > limit {
        let message = "must be at least 10 minutes shorter than `run_limit`: runs take whatever keeps them waiting for longer for a process that hangs";
        return Err(Error::setting("apply.confirm_within", message).into());
    }
    Ok(within)
}

fn refuse(setup: &Setup<'_, Config>, why: &str) -> anyhow::Result<Exit> {
    setup.print(&format!("Nothing was written: {why}.\n"))?;
    Ok(Exit::Findings)
}

/// Writes, and waits until somebody confirms, or the time is over.
async fn in_front(
    args: &ApplyArgs,
    (setup, desk): (&Setup<'_, Config>, &Desk),
    (file, client, is_owner): (&PlanFile, Client, bool),
    (within, last_run): (TimeDelta, Option<DateTime<Utc>>),
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let kept = Kept::open(desk.store.clone(), setup.now).await?;
    let entries = kept.entries().await?;
    if let Some(open) = entries.iter().find(|entry| entry.state.is_open()) {
        let text =
            format!("plan {} is still open ({}); confirm it, or take it back", open.intent.plan, open.state.word());
        return refuse(setup, &text);
    }
    if let Some(why) = marker::forgotten(desk.store.path(), &entries) {
        return refuse(setup, &why);
    }
    if let Some(why) = durable::trouble(desk.store.path()) {
        return refuse(setup, &why);
    }
    let intent = intent(file, setup, args);
    if !is_owner && !claims_own_address(file, &intent) {
        return refuse(
            setup,
            "the key is not the owner's, and the plan names no own address that is in the list before and after",
        );
    }
    let live = Live::new(client, setup.clock());
    let clocks = live.clocks();
    let accepted = clocks.portal.context("the portal does not tell what time it is")?;
    let id = format!("{}-{}", file.id, entries.iter().filter(|entry| entry.intent.plan == file.id).count() + 1);
    let by = (who(args.by.as_deref(), setup), !is_owner);
    let mut entry = Entry::new(id.clone(), intent, (accepted, clocks.here), within, by).marked();
    entry.plan = Some(Box::new(file.clone()));
    let restoring = restoring(&entry, setup, (desk, &args.file))?;
    marker::set(desk.store.path(), &entry, &restoring)?;
    kept.commit(&entry).await?;
    let is_covered = last_run.is_some_and(|end| setup.now - end < RUNS_END_WITHIN);
    setup.print(&begun(&entry, &restoring, is_covered, setup))?;
    let exit = Front::new(setup, (&kept, &live), (&id, within)).attend(signals).await?;
    marker::clear(desk.store.path(), &kept.entries().await?);
    Ok(exit)
}

fn intent(file: &PlanFile, setup: &Setup<'_, Config>, args: &ApplyArgs) -> Intent {
    let add = file.add.iter().map(|change| Addition {
        entry: change.entry.clone(),
        rule: change.rule.clone().unwrap_or_default(),
        owner: change.owner.clone(),
    });
    Intent {
        plan: file.id.clone(),
        tenant: file.portal.tenant_id,
        before: AddressList { entries: file.before.entries.clone(), enabled: file.before.enable },
        add: add.collect(),
        remove: file.remove.iter().map(|change| change.entry.clone()).collect(),
        enable_after: file.after.enable,
        by: who(file.made.by.as_deref().or(args.by.as_deref()), setup),
    }
}

/// Whether the plan names an own address that is in the list before and after.
fn claims_own_address(file: &PlanFile, intent: &Intent) -> bool {
    let Some(ip) = file.flags.own_address else { return false };
    let text = ip.to_string();
    let holds = |list: &AddressList| list.entries.iter().any(|entry| entry.ip.raw() == text);
    holds(&intent.before) && holds(&intent.after())
}

pub(super) fn who(by: Option<&str>, setup: &Setup<'_, Config>) -> String {
    let operator = || setup.operator().unwrap_or_else(|| "somebody on this machine".to_owned());
    by.map(words::typed).filter(|by| !by.is_empty()).unwrap_or_else(operator)
}

/// The client with the key that may write.
pub(super) fn writer(setup: &Setup<'_, Config>) -> anyhow::Result<Client> {
    let client = setup.client()?;
    let Some(path) = setup.config.apply_key_file.as_ref().map(|path| path.as_path()) else { return Ok(client) };
    let found = find_key(Some(path), &Environment::default(), None)?;
    Ok(client.with_key(ApiKey::new(found.key)))
}

fn begun(entry: &Entry, restoring: &Path, is_covered: bool, setup: &Setup<'_, Config>) -> String {
    let intent = &entry.intent;
    let switch = match (intent.before.enabled, intent.enable_after) {
        (false, true) => "switched on",
        (true, false) => "switched off",
        (true, true) => "stays on",
        (false, false) => "stays off",
    };
    let mut text = format!(
        "Plan {}: adds {}, removes {}; the switch: {switch}.\n\
         To keep it, let somebody sign in who is neither the portal's owner nor the account of the key, and then, before {}, run in another terminal:\n  \
         {} confirm --by NAME\n\
         To take it back, press Ctrl-C here, or run:\n  \
         {} rollback\n\
         To restore it by hand, with a key of the owner, run:\n  \
         DOCSPACE_API_KEY=... sh {}\n",
        intent.plan,
        words::entries(&intent.added()),
        words::entries(&intent.remove),
        moment(entry.deadline()),
        call(setup),
        call(setup),
        quoted(&restoring.display().to_string()),
    );
    if !is_covered {
        text += "No run has ended within the last hour, so nothing but this process takes the list back: leave it running.\n";
    }
    if setup.config.apply_key_file.is_some() {
        text += "Runs can take the list back only where they can read `apply_key_file`.\n";
    }
    text
}

/// The program with the flags that another call needs, too.
fn call(setup: &Setup<'_, Config>) -> String {
    let args = setup.args;
    let paths = |flag: &'static str, paths: &[PathBuf]| -> Vec<(&'static str, String)> {
        paths.iter().map(|path| (flag, path.display().to_string())).collect()
    };
    let flags = [
        paths("--config", &args.config),
        paths("--portal-config", args.portal_config.as_slice()),
        args.portal.iter().map(|url| ("--portal", url.clone())).collect(),
        args.state.iter().map(|state| ("--state", state.clone())).collect(),
        paths("--key-file", args.key_file.as_slice()),
    ];
    let words = flags.concat().into_iter().map(|(flag, value)| format!(" {flag} {}", quoted(&value)));
    std::iter::once("ip-fence".to_owned()).chain(words).collect()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// `confirm --by NAME`
pub(crate) async fn confirm(args: &ConfirmArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    if args.by.trim().is_empty() {
        return Err(Error::setting("--by", "is empty: say who confirms, for whoever asks later").into());
    }
    let done = setup.at_desk(async |desk| confirm_at(args, setup, desk).await).await?;
    done.map_or_else(|| nothing(setup, "There is nothing to confirm"), Ok)
}

async fn confirm_at(args: &ConfirmArgs, setup: &Setup<'_, Config>, desk: &Desk) -> anyhow::Result<Exit> {
    let kept = Kept::open(desk.store.clone(), setup.now).await?;
    let entries = kept.entries().await?;
    if let Some(why) = marker::forgotten(desk.store.path(), &entries) {
        return nothing(setup, &sentence(&why));
    }
    let Some(entry) = entries.into_iter().next_back() else {
        return nothing(setup, "There is nothing to confirm");
    };
    let client = writer(setup)?;
    let live = Live::new(client.clone(), setup.clock());
    // in this order: what somebody writes between the two is in the list, and its event is still to come
    let trail = live.trail(&entry).await;
    let read = live.read().await.map_err(anyhow::Error::msg)?;
    let list = read.list.clone();
    let read = Ok(read);
    let witness = match (args.without_witness, entry.switched) {
        (false, Some(since)) if entry.state == State::Switched => {
            let own = client.identity().await?.person.id;
            let found = witness::find(&client, since, own, &list).await?;
            if found.is_none() {
                return nothing(
                    setup,
                    "Not confirmed: nobody but the owner has come in since the list was written, so nothing shows that it lets people in. \
                     Let somebody sign in, or give `--without-witness`",
                );
            }
            found
        }
        _ => None,
    };
    let clocks = live.clocks();
    let at = clocks.portal.unwrap_or(clocks.here);
    let confirmation = Confirmation { by: words::typed(&args.by), at, witness };
    let confirmed = match entry.confirm(confirmation, &Seen::by_somebody((&read, &trail), clocks)) {
        Ok(confirmed) => confirmed,
        Err(why) => return nothing(setup, &format!("Not confirmed: {why}")),
    };
    if !kept.commit(&confirmed).await? {
        return nothing(
            setup,
            "Not confirmed: it was changed at this moment. Look at `ip-fence history`, and try again",
        );
    }
    keep_ownership(&kept, &desk.store, at).await?;
    marker::clear(desk.store.path(), &kept.entries().await?);
    let last = confirmed.said.last().map(|said| sentence(&said.words)).unwrap_or_default();
    setup.print(&format!("{last}.\n"))?;
    Ok(Exit::Concluded)
}

fn nothing(setup: &Setup<'_, Config>, why: &str) -> anyhow::Result<Exit> {
    setup.print(&format!("{why}.\n"))?;
    Ok(Exit::Nothing)
}

/// `rollback [--to ID]`
pub(crate) async fn rollback(args: &RollbackArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let done = setup.at_desk(async |desk| rollback_at(args, setup, desk).await).await?;
    done.map_or_else(|| nothing(setup, "There is nothing to take back"), Ok)
}

async fn rollback_at(args: &RollbackArgs, setup: &Setup<'_, Config>, desk: &Desk) -> anyhow::Result<Exit> {
    let kept = Kept::open(desk.store.clone(), setup.now).await?;
    let entries = kept.entries().await?;
    if let Some(why) = marker::forgotten(desk.store.path(), &entries) {
        return nothing(setup, &sentence(&why));
    }
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
        let why = args.reason.as_deref().map_or_else(|| "no reason was given".to_owned(), words::typed);
        let ordered = entry.order_back(Order { by: who(args.by.as_deref(), setup), at: setup.clock(), why });
        if ordered != *entry && !kept.commit(&ordered).await? {
            return nothing(setup, "It was changed at this moment. Look at `ip-fence history`, and try again");
        }
        let after = match desk.busy() {
            Some(busy) => match at_its_end((&kept, &live), &entry.id).await? {
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
                let Some(after) = follow((&kept, &live), &entry.id, (false, false)).await? else { continue };
                after
            }
        };
        keep_ownership(&kept, &desk.store, setup.now).await?;
        marker::clear(desk.store.path(), &kept.entries().await?);
        setup.print(&ended(&after))?;
        if after.state != State::Restored && after.state != State::Refused {
            exit = Exit::Nothing;
        }
    }
    Ok(exit)
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
    let mut text = String::new();
    if entries.is_empty() {
        text += "The address list was never written by this program.\n";
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
    Ok(if is_open { Exit::Nothing } else { Exit::Concluded })
}
