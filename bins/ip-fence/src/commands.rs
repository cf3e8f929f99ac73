//! The subcommands of this program. None of them changes anything, here or at the portal.

use std::collections::BTreeSet;
use std::path::Path;

use ::report::words::plural;
use audit_model::{BlindSpot, Coverage, MainSource, Verdict, Window};
use chrono::TimeDelta;
use docspace_client::{Client, Directory, ErrorKind, ListedKey};
use event_archive::{KnownNames, Look};
use job_runner::Setup;
use job_runner::args::ReportFormat;
use job_runner::exit::{Ending, Exit, decide};
use job_runner::names::{NamedList, unknown};
use tracing::warn;
use uuid::Uuid;

use crate::cli::{Cli, Command, ListFormat, PlanArgs, PolicyCommand};
use crate::config::Config;
use crate::directory;
use crate::gather;
use crate::plan::{self, Plan, PlanReport};
use crate::policy::{Policy, PolicyFile, Word, import, lint};
use crate::rule::BLIND_SPOTS;

/// How much history is replayed against a planned list.
const HISTORY: TimeDelta = TimeDelta::days(30);

pub(crate) async fn run(cli: &Cli, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    match &cli.command {
        Some(Command::Policy(PolicyCommand::Check)) => check(setup).await,
        Some(Command::Policy(PolicyCommand::Import { file, from })) => import(setup, file, *from).await,
        Some(Command::Policy(PolicyCommand::Test { person, address })) => test(setup, person, address).await,
        Some(Command::Plan(args)) => plan(setup, args).await,
        Some(Command::Common(_)) | None => Ok(Exit::Usage),
    }
}

/// The policy that is set. Without one there is nothing to check or to plan.
fn policy_file(setup: &Setup<'_, Config>) -> Result<PolicyFile, job_runner::Error> {
    let file = directory::read_policy(path(setup))?;
    file.ok_or_else(|| {
        job_runner::Error::setting("policy", "is missing: give `--policy FILE`, or write it into the settings")
    })
}

fn path<'s>(setup: &'s Setup<'_, Config>) -> Option<&'s Path> {
    setup.config.policy.as_ref().map(|path| path.as_path())
}

async fn check(setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let file = policy_file(setup)?;
    let rules = plural(file.rules.len() as u64, "rule");
    let portal = setup.portal_url().ok();
    let doubts = lint::doubts(&file, portal.as_ref().map(|url| gather::is_public(&setup.config.portal, url)));
    let well = match doubts.len() {
        0 => "no errors".to_owned(),
        count => format!("{} to look at", plural(count as u64, "entry")),
    };
    let mut text = match portal {
        None => format!("{rules}, {well}; no portal is set, so people and groups were not looked for\n"),
        Some(_) => {
            let client = setup.client()?;
            let (policy, directory) = resolved(setup, &client, file).await?;
            let of = format!("{rules} for {} of {} people, {well}\n", policy.people(), directory.people.len());
            gather::about(&policy).iter().fold(of, |text, note| format!("{text}Note: {note}\n"))
        }
    };
    doubts.iter().for_each(|doubt| text.push_str(&format!("{}\n", sentence(&doubt.to_string()))));
    setup.print(&text)?;
    let ending = Ending { findings: !doubts.is_empty(), ..Ending::default() };
    Ok(decide(ending, setup.args.exit_code))
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

async fn resolved(setup: &Setup<'_, Config>, client: &Client, file: PolicyFile) -> anyhow::Result<(Policy, Directory)> {
    // a name that a run has known once is none that somebody mistyped
    let names = match setup.archive_snapshot().await {
        Ok(archive) => archive.names().await.unwrap_or_default(),
        Err(failure) => {
            warn!("names that an earlier run has known are not known: {failure:#}");
            KnownNames::default()
        }
    };
    let directory = directory::read(client, Some(&file), &names).await?;
    let policy = gather::resolve(Some(file), path(setup), &directory, Some(&names), (setup.config, setup.now))?;
    Ok((policy, directory))
}

async fn import(setup: &Setup<'_, Config>, file: &Path, from: Option<ListFormat>) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| job_runner::Error::setting("FILE", format!("{} cannot be read: {error}", file.display())))?;
    let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let read = match from.unwrap_or(if is_json { ListFormat::Json } else { ListFormat::Csv }) {
        ListFormat::Csv => import::from_csv(&text),
        ListFormat::Json => import::from_json(&text),
    };
    let mut rows = read.map_err(|mistakes| directory::refused(file, mistakes))?;
    if setup.common.portal.url.is_some() {
        let mut directory = Directory::default();
        directory.read_people(&setup.client()?).await?;
        for unknown in import::resolve(&mut rows, &directory) {
            warn!("the portal has no person `{}`; the policy says so beside the rule", shown(&unknown));
        }
    }
    let policy = import::to_policy(&rows).map_err(|mistakes| directory::refused(file, mistakes))?;
    setup.print(&policy)?;
    Ok(Exit::Concluded)
}

async fn test(setup: &Setup<'_, Config>, person: &str, address: &str) -> anyhow::Result<Exit> {
    let client = setup.client()?;
    let (policy, directory) = resolved(setup, &client, policy_file(setup)?).await?;
    let Some(account) = directory.person(person) else {
        let known = directory.people.values().filter_map(|account| account.person.email.as_ref());
        let guess = job_runner::config::nearest_name(&person.to_lowercase(), known.map(|email| email.raw()));
        let guess = guess.map(|name| format!(", did you mean `{}`?", shown(name))).unwrap_or_default();
        return Err(job_runner::Error::setting(
            "PERSON",
            format!("the portal has no person `{}`{guess}", shown(person)),
        )
        .into());
    };
    let is_public = gather::is_public(&setup.config.portal, &setup.portal_url()?);
    let answer = policy.answer(&account.person, address, is_public);
    setup.print(&match setup.args.format {
        ReportFormat::Text => answer.text(),
        ReportFormat::Json => format!("{}\n", serde_json::to_string_pretty(&answer)?),
    })?;
    let ending = Ending { findings: answer.verdict != Word::Allowed, ..Ending::default() };
    Ok(decide(ending, setup.args.exit_code))
}

async fn plan(setup: &Setup<'_, Config>, args: &PlanArgs) -> anyhow::Result<Exit> {
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
    let plan = Plan::make(&plan::Inputs {
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
        is_public: gather::is_public(&setup.config.portal, &setup.portal_url()?),
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
    archive: &event_archive::Archive,
    window: Window,
    setup: &Setup<'_, Config>,
) -> anyhow::Result<(Coverage, plan::History, Vec<ListedKey>)> {
    let what = (client.clone(), archive.clone());
    let mut look = Look::new(what, (window, setup.now), MainSource::Logins, &BLIND_SPOTS);
    look.logins().await?.of_window_alone();
    look.audit().await?.of_window_alone();
    let keys = look.answered("keys", client.keys().await).unwrap_or_default();
    Ok((look.into_coverage(), plan::History::read(archive, window).await?, keys))
}

fn shown(text: &str) -> String {
    audit_model::PortalText::new(text).for_terminal()
}
