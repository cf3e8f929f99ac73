//! `plan`: reads what a plan is made from. Changes nothing, here or at the portal.

use audit_model::{BlindSpot, Coverage, Verdict};
use chrono::TimeDelta;
use docspace_client::{ErrorKind, ListedKey};
use event_archive::Look;
use job_runner::exit::{Ending, Exit, decide};
use job_runner::names::{NamedList, accounts, unknown};
use job_runner::{Job, Setup};
use tracing::warn;

use super::{History, Inputs, Plan, PlanReport};
use crate::cli::PlanArgs;
use crate::config::Config;
use crate::policy::given::{policy_file, resolved};

/// How much history is replayed against a planned list.
const HISTORY: TimeDelta = TimeDelta::days(30);

pub(crate) async fn run(args: &PlanArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let file = policy_file(setup)?;
    // what is remembered is read from a copy, and nothing is written to the store itself
    let (job, look) = setup.rehearsal(HISTORY, "whom a list would lock out").await?;
    let Job { client, archive, portal, window, .. } = &job;
    let (policy, directory) = resolved(setup, client, file).await?;
    let robots = NamedList::people("service_accounts", &setup.common.service_accounts);
    for unknown in unknown(&[robots], &directory) {
        warn!("{unknown}, so the plan does not mind it");
    }
    let list = client.address_list().await.map_err(|error| match error.kind {
        ErrorKind::ServerFault { .. } => anyhow::Error::new(error).context(
            "the portal cannot read its own address list: a row that is no address stands in its table, and while the switch is on it \
             refuses everybody but its owner; have whoever runs the server remove the row",
        ),
        _ => anyhow::Error::new(error),
    })?;
    let lock_out = accounts("--lock-out", &args.lock_out, &directory)?;
    let (mut coverage, seen, keys) = history(look).await?;
    let own_entries = archive.own_entries().await?;
    let remembered = archive.address_list().await?.map(|fact| fact.value.list);
    if list.enabled {
        coverage.blind_spots.push(BlindSpot::BlockedLogins);
    }
    let plan = Plan::make(&Inputs {
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
        own_address: args.own_address,
        me: &portal.me,
        is_public: setup.config.portal.is_public(&setup.portal_url()?),
        seen: &seen,
        until: window.until,
    });
    let verdict = coverage.verdict();
    let ending = Ending {
        nothing: verdict == Verdict::Nothing,
        incomplete: verdict == Verdict::Incomplete,
        held: plan.is_refused(),
        ..Ending::default()
    };
    let report = PlanReport::new(setup.head(&job, &coverage), plan);
    setup.print(&report.render(setup.args.format)?)?;
    Ok(decide(ending, setup.args.exit_code))
}

/// Logins and acts of the window, by person and address, and the keys that work without leaving any.
async fn history(mut look: Look) -> anyhow::Result<(Coverage, History, Vec<ListedKey>)> {
    look.logins().await?.of_window_alone();
    look.audit().await?.of_window_alone();
    let keys = look.answered("keys", look.client.keys().await).unwrap_or_default();
    let seen = History::read(&look.archive, look.window).await?;
    Ok((look.into_coverage(), seen, keys))
}
