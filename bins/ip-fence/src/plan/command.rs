//! `plan`: reads what a plan is made from. Changes nothing, here or at the portal.

use audit_model::{BlindSpot, Coverage, Verdict};
use chrono::TimeDelta;
use docspace_client::{ErrorKind, ListedKey, StoredList};
use event_archive::Look;
use job_runner::exit::{Ending, Exit, decide};
use job_runner::names::{NamedList, accounts, unknown};
use job_runner::{Job, Setup};
use tracing::warn;
use uuid::Uuid;

use super::file::check::Now;
use super::file::{Circumstances, policy_sha256};
use super::report::Saved;
use super::{History, Inputs, Plan, PlanFile, PlanReport};
use crate::cli::PlanArgs;
use crate::config::Config;
use crate::policy::given::{policy_with_text, resolved};

/// How much history is replayed against a planned list.
const HISTORY: TimeDelta = TimeDelta::days(30);

/// A plan, and all that it was made from.
pub(crate) struct Planned {
    pub(crate) job: Job,
    pub(crate) coverage: Coverage,
    pub(crate) plan: Plan,
    /// As it would be written.
    pub(crate) file: PlanFile,
    /// The list from which it was made.
    pub(crate) stored: StoredList,
}

pub(crate) async fn run(args: &PlanArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let Planned { job, coverage, plan, file, .. } = make(args, setup).await?;
    let saved = args.out.as_ref().map(|path| file.write(path).map(|()| Saved::of(&file, path))).transpose()?;
    let verdict = coverage.verdict();
    let ending = Ending {
        nothing: verdict == Verdict::Nothing,
        incomplete: verdict == Verdict::Incomplete,
        held: plan.is_refused(),
        ..Ending::default()
    };
    let report = PlanReport::new(setup.head(&job, &coverage), plan, saved);
    setup.print(&report.render(setup.args.format)?)?;
    Ok(decide(ending, setup.args.exit_code))
}

/// Reads everything, and plans. To see whether an earlier plan still holds, it is made again with the same flags.
pub(crate) async fn make(args: &PlanArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Planned> {
    let (policy_file, policy_text) = policy_with_text(setup)?;
    // what is remembered is read from a copy, and nothing is written to the store itself
    let (job, look) = setup.rehearsal(HISTORY, "whom a list would lock out").await?;
    let Job { client, archive, portal, window, .. } = &job;
    let (policy, directory) = resolved(setup, client, policy_file).await?;
    let robots = NamedList::people("service_accounts", &setup.common.service_accounts);
    for unknown in unknown(&[robots], &directory) {
        warn!("{unknown}, so the plan does not mind it");
    }
    let stored = client.stored_list().await.map_err(unreadable)?;
    let list = stored.sorted();
    let lock_out = accounts("--lock-out", &args.lock_out, &directory)?;
    let (mut coverage, seen, keys) = history(look).await?;
    let own_entries = archive.own_entries().await?;
    let remembered = archive.address_list().await?.map(|fact| fact.value.list);
    if list.enabled {
        coverage.blind_spots.push(BlindSpot::BlockedLogins);
    }
    let inputs = Inputs {
        list: &list,
        remembered: remembered.as_ref(),
        policy: &policy,
        directory: &directory,
        service_accounts: &setup.common.service_accounts,
        settings: &setup.config.portal,
        own_all: args.own_all,
        add_again: args.add_again,
        own_entries: &own_entries,
        lock_out: &lock_out,
        keys: &keys,
        yes_remove: args.yes_remove,
        own_address: args.own_address,
        me: &portal.me,
        is_public: setup.config.portal.is_public(&job.portal_url),
        seen: &seen,
        until: window.until,
    };
    let plan = Plan::make(&inputs);
    let under = Circumstances {
        at: client.portal_clock().unwrap_or(job.now),
        by: args.by.clone(),
        portal_url: &job.portal_url,
        stored: &stored,
        policy_sha256: policy_sha256(&policy_text, &plan, &inputs)?,
        window: *window,
        complete: coverage.verdict() == Verdict::Complete,
        flags: args.flags(),
    };
    let file = PlanFile::of(&plan, &inputs, under)?;
    Ok(Planned { job, coverage, plan, file, stored })
}

impl Planned {
    /// How things stand, for an earlier plan. `key_owner` is the account whose key would write.
    pub(crate) fn now(&self, key_owner: Uuid, clean_days: Option<u32>, without_shadow: bool) -> Now<'_> {
        Now {
            at: self.file.made.at,
            portal_url: &self.job.portal_url,
            list: &self.stored,
            policy_sha256: &self.file.policy_sha256,
            would: &self.file,
            key_owner,
            dangers: &self.plan.dangers,
            clean_days,
            without_shadow,
        }
    }
}

fn unreadable(error: docspace_client::Error) -> anyhow::Error {
    match error.kind {
        ErrorKind::ServerFault { .. } => anyhow::Error::new(error).context(
            "the portal cannot read its own address list: a row that is no address stands in its table, and while the switch is on it \
             refuses everybody but its owner; have whoever runs the server remove the row",
        ),
        _ => anyhow::Error::new(error),
    }
}

/// Logins and acts of the window, by person and address, and the keys that work without leaving any.
async fn history(mut look: Look) -> anyhow::Result<(Coverage, History, Vec<ListedKey>)> {
    look.logins().await?.of_window_alone();
    look.audit().await?.of_window_alone();
    let keys = look.answered("keys", look.client.keys().await).unwrap_or_default();
    let seen = History::read(&look.archive, look.window).await?;
    Ok((look.into_coverage(), seen, keys))
}
