//! `policy check`, `policy import` and `policy test`, which change nothing, here or at the portal.

use std::path::Path;

use ::report::Line;
use ::report::words::plural;
use docspace_client::Directory;
use job_runner::Setup;
use job_runner::args::ReportFormat;
use job_runner::exit::{Ending, Exit, decide};
use tracing::warn;

use super::allow::allow;
use super::given::{account, policy_file, resolved};
use super::{Word, directory, import, lint, shown};
use crate::cli::{ListFormat, PolicyCommand};
use crate::config::Config;

pub(crate) async fn run(command: &PolicyCommand, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    match command {
        PolicyCommand::Check => check(setup).await,
        PolicyCommand::Import { file, from } => import(setup, file, *from).await,
        PolicyCommand::Test { person, address } => test(setup, person, address).await,
        PolicyCommand::Allow { person, address, reason } => allow(setup, person, address, reason).await,
    }
}

async fn check(setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let file = policy_file(setup)?;
    let rules = plural(file.rules.len() as u64, "rule");
    let portal = setup.portal_url().ok();
    let doubts =
        lint::doubts(&file, portal.as_ref().map(|url| setup.config.portal.is_public(url)), setup.now.date_naive());
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
            policy.notes().iter().fold(of, |text, note| format!("{text}Note: {note}\n"))
        }
    };
    for doubt in &doubts {
        text.push_str(&format!("{}\n", Line::from(doubt.to_string()).capitalised().for_terminal()));
    }
    setup.print(&text)?;
    let ending = Ending { findings: !doubts.is_empty(), ..Ending::default() };
    Ok(decide(ending, setup.args.exit_code))
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
        let unknown = import::resolve(&mut rows, &directory).map_err(|mistakes| directory::refused(file, mistakes))?;
        for unknown in unknown {
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
    let account = account(&directory, person)?;
    let is_public = setup.config.portal.is_public(&setup.portal_url()?);
    let answer = policy.answer(&account.person, address, is_public);
    setup.print(&match setup.args.format {
        ReportFormat::Text => answer.text(),
        ReportFormat::Json => format!("{}\n", serde_json::to_string_pretty(&answer)?),
    })?;
    let ending = Ending { findings: answer.verdict != Word::Allowed, ..Ending::default() };
    Ok(decide(ending, setup.args.exit_code))
}
