//! `plan`: reads what a plan is made from. Changes nothing, here or at the portal.

use std::collections::BTreeSet;

use audit_model::{BlindSpot, Coverage, MainSource, Verdict, Window};
use chrono::TimeDelta;
use docspace_client::{Client, Directory, ErrorKind, ListedKey};
use event_archive::{Archive, Look};
use job_runner::Setup;
use job_runner::exit::{Ending, Exit, decide};
use job_runner::names::{NamedList, unknown};
use tracing::warn;
use uuid::Uuid;

use super::{History, Inputs, Plan, PlanReport};
use crate::cli::PlanArgs;
use crate::config::Config;
use crate::policy::command::{policy_file, resolved};
use crate::rule::BLIND_SPOTS;

/// How much history is replayed against a planned list.
const HISTORY: TimeDelta = TimeDelta::days(30);

pub(crate) async fn run(args: &PlanArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let file = policy_file(setup)?;
    let client = setup.client()?;
    let portal = client.probe().await?;
    let zone = portal.time_zone;
    let window = setup.window(zone, HISTORY)?;
    if !portal.audit_filter_works {
        anyhow::bail!("the portal's plan has no audit feature, so nobody can tell whom a list would lock out");
    }
    let (policy, directory) = resolved(setup, &client, file).await?;
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
    // what is remembered is read from a copy, and nothing is written to the store itself
    let archive = setup.archive_snapshot().await?;
    let lock_out = lock_out(&args.lock_out, &directory)?;
    let (mut coverage, seen, keys) = history(&client, &archive, window, setup).await?;
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
    let report = PlanReport::new(setup, &portal, window, coverage, plan)?;
    setup.print(&report.render(setup.args.format)?)?;
    Ok(decide(ending, setup.args.exit_code))
}

/// The people whom the flag names.
fn lock_out(named: &[String], directory: &Directory) -> Result<BTreeSet<Uuid>, job_runner::Error> {
    let unknown = unknown(&[NamedList::people("--lock-out", named)], directory);
    if !unknown.is_empty() {
        return Err(job_runner::Error::unknown(&unknown));
    }
    Ok(named.iter().filter_map(|entry| directory.person(entry)).map(|account| account.person.id).collect())
}

/// Logins and acts of the window, by person and address, and the keys that work without leaving any.
async fn history(
    client: &Client,
    archive: &Archive,
    window: Window,
    setup: &Setup<'_, Config>,
) -> anyhow::Result<(Coverage, History, Vec<ListedKey>)> {
    let what = (client.clone(), archive.clone());
    let mut look = Look::new(what, (window, setup.now), MainSource::Logins, &BLIND_SPOTS);
    look.logins().await?.of_window_alone();
    look.audit().await?.of_window_alone();
    let keys = look.answered("keys", client.keys().await).unwrap_or_default();
    Ok((look.into_coverage(), History::read(archive, window).await?, keys))
}
