//! `apply FILE`, `confirm`: what people decide about the list.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{AddressList, ApiKey, Client};
use job_runner::environment::Environment;
use job_runner::exit::Exit;
use job_runner::secret::find_key;
use job_runner::{Desk, Error, Setup, Signals};

use super::durable;
use super::entry::{Confirmation, Entry, State};
use super::front::Front;
use super::intent::{Addition, Intent};
use super::journal::Kept;
use super::ownership::keep_ownership;
use super::portal::Live;
use super::restore::restoring;
use super::run::{Ledger, Portal};
use super::seen::Seen;
use super::words::{self, moment, sentence};
use super::{marker, witness};
use crate::cli::{ApplyArgs, ConfirmArgs, PlanArgs};
use crate::config::Config;
use crate::plan::PlanFile;
use crate::plan::command::make;
use crate::shadow::Shadow;

/// A process that waits must have ended before a run takes it for one that hangs: so long writing and taking back may take besides.
const AROUND_WAITING: TimeDelta = TimeDelta::minutes(10);

/// Without a run for so long, nothing but the process in front takes back.
const RUNS_END_WITHIN: TimeDelta = TimeDelta::hours(1);

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
    // before the plan is made once more: it would be stale by what the other one has written
    let looked = setup.looked().await?;
    let known = Kept::open(looked.store, setup.now).await?.entries().await?;
    if let Some(open) = known.iter().find(|entry| entry.state.is_open()) {
        return refuse(setup, &still_open(open, setup));
    }
    if let Some(why) = looked.store_file.and_then(|file| marker::forgotten(&file, &known)) {
        return refuse(setup, &why);
    }
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
    let last_run = looked.seen_until;
    // signals are heeded there
    let done = setup.at_desk_to_its_end(async |desk| {
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

/// Another application, or what an earlier one has left: who began it, when, and what to do.
fn still_open(open: &Entry, setup: &Setup<'_, Config>) -> String {
    let (plan, state, call) = (&open.intent.plan, open.state.word(), call(setup));
    let begun =
        format!("plan {plan} is still open ({state}): {} began to apply it at {}", open.by, moment(open.accepted));
    if open.state == State::Reverting {
        return format!("{begun}, and it is being taken back; run `{call}`, which does that, and then make a new plan");
    }
    format!(
        "{begun}, and it is taken back unless somebody confirms it before {}. Keep it with `{call} confirm --by NAME`, or take it back with \
         `{call} rollback`, and then make a new plan",
        moment(open.deadline())
    )
}

/// Writes, and waits until somebody confirms, or the time is over.
async fn in_front(
    args: &ApplyArgs,
    (setup, desk): (&Setup<'_, Config>, &Desk),
    (file, client, is_owner): (&PlanFile, Client, bool),
    (within, last_run): (TimeDelta, Option<DateTime<Utc>>),
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let kept = Kept::open(desk.store.clone(), setup.now).await?.speaking_of(setup).await;
    let entries = kept.entries().await?;
    if let Some(open) = entries.iter().find(|entry| entry.state.is_open()) {
        return refuse(setup, &still_open(open, setup));
    }
    if let Some(why) = marker::forgotten(desk.store.path(), &entries) {
        return refuse(setup, &why);
    }
    marker::clear(desk.store.path(), &entries);
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
    kept.commit(&entry).await?;
    let is_covered = last_run.is_some_and(|end| setup.now - end < RUNS_END_WITHIN);
    setup.print(&begun(&entry, &restoring, is_covered, setup))?;
    let attended = Front::new(setup, (&kept, &live), (&id, within)).attend(signals).await;
    kept.deliver(None).await;
    let exit = attended?;
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
pub(super) fn call(setup: &Setup<'_, Config>) -> String {
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
    let done = setup.at_desk(async |desk| confirm_at(args, setup, desk).await).await?;
    done.map_or_else(|| nothing(setup, "There is nothing to confirm"), Ok)
}

async fn confirm_at(args: &ConfirmArgs, setup: &Setup<'_, Config>, desk: &Desk) -> anyhow::Result<Exit> {
    let kept = Kept::open(desk.store.clone(), setup.now).await?.speaking_of(setup).await;
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
    if setup.stopping().is_asked() {
        return nothing(setup, "Not confirmed: this process was stopped");
    }
    if !kept.commit(&confirmed).await? {
        return nothing(
            setup,
            "Not confirmed: it was changed at this moment. Look at `ip-fence history`, and try again",
        );
    }
    keep_ownership(&kept, &desk.store, at).await?;
    marker::clear(desk.store.path(), &kept.entries().await?);
    kept.deliver(desk.busy()).await;
    let last = confirmed.said.last().map(|said| sentence(&said.words)).unwrap_or_default();
    setup.print(&format!("{last}.\n"))?;
    Ok(Exit::Concluded)
}

pub(super) fn nothing(setup: &Setup<'_, Config>, why: &str) -> anyhow::Result<Exit> {
    setup.print(&format!("{why}.\n"))?;
    Ok(Exit::Nothing)
}
