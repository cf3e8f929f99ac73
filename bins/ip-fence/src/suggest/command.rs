//! `suggest`: reads what a policy is made from, and prints one. Changes nothing, here or at the portal, and not the policy either.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{Coverage, PortalText, Source, Verdict, Window};
use chrono::TimeDelta;
use docspace_client::{Client, Directory, Error};
use event_archive::Look;
use job_runner::args::ReportFormat;
use job_runner::exit::{Ending, Exit, decide};
use job_runner::names::{NamedList, accounts, unknown};
use job_runner::{FirstFile, Job, Setup};
use tracing::warn;
use url::Url;
use uuid::Uuid;

use super::report::{Content, SuggestReport};
use super::{Against, Inputs, Proof, Sightings, Suggestion, first_policy, text};
use crate::cli::SuggestArgs;
use crate::config::Config;
use crate::policy::directory;
use crate::policy::given::known_names;

/// How much history a policy is made from.
const HISTORY: TimeDelta = TimeDelta::days(90);

const INCOMPLETE: &str =
    "# INCOMPLETE: some of the history could not be read, so places may be missing. Do not use this as it is.\n";

/// A run with the policy looks at everything again, so nothing is lost by what was not seen, but places have to be added.
const PARTLY: &str = "# Some of the history could not be read, so places may be missing below: runs will report logins from there. Add them, or run `ip-fence suggest --against` this file later.\n";

/// What a suggestion is made from.
struct Material {
    job: Job,
    coverage: Coverage,
    directory: Directory,
    sightings: Sightings,
    only: BTreeSet<Uuid>,
    countries: BTreeMap<Uuid, BTreeMap<PortalText, u64>>,
}

impl Material {
    /// What is remembered is read from a copy, and nothing is written to the store itself.
    async fn read(setup: &Setup<'_, Config>) -> anyhow::Result<Self> {
        let (job, mut look) = setup.rehearsal(HISTORY, "from where people come").await?;
        let Job { archive, portal, window, .. } = &job;
        look.logins().await?.of_window_alone();
        look.audit().await?.of_window_alone();
        let directory = people(&mut look).await?;
        let sightings = Sightings::read(archive, *window, portal.time_zone).await?;
        let countries = archive.login_countries(Window::new(window.since - HISTORY, window.since)).await?;
        let robots = NamedList::people("service_accounts", &setup.common.service_accounts);
        unknown(&[robots], &directory).iter().for_each(|unknown| warn!("{unknown}"));
        let only = accounts("people", &setup.config.people, &directory)?;
        let coverage = look.into_coverage();
        Ok(Material { job, coverage, directory, sightings, only, countries })
    }

    fn inputs<'a>(&'a self, setup: &'a Setup<'_, Config>) -> anyhow::Result<Inputs<'a>> {
        Ok(Inputs {
            directory: &self.directory,
            service_accounts: &setup.common.service_accounts,
            is_public: setup.config.portal.is_public(&setup.portal_url()?),
            ipv6_by_64: setup.config.ipv6_by_64,
            limits: &setup.config.limits,
            zone: self.job.portal.time_zone,
            only: (!setup.config.people.is_empty()).then_some(&self.only),
            countries: &self.countries,
        })
    }
}

/// The policy with which `init` begins, unless one is set.
pub(crate) async fn first_files(setup: &Setup<'_, Config>) -> anyhow::Result<Vec<FirstFile>> {
    if setup.config.policy.is_some() {
        return Ok(Vec::new());
    }
    let material = Material::read(setup).await?;
    let inputs = material.inputs(setup)?;
    let policy = first_policy(&inputs, &material.sightings, material.job.window, setup.portal_url()?.as_str());
    let text = match material.coverage.verdict() {
        Verdict::Complete => policy,
        Verdict::Incomplete | Verdict::Nothing => format!("{PARTLY}{policy}"),
    };
    Ok(vec![FirstFile { key: "policy", name: "policy.toml", text, what: "the policy, suggested from 90 days" }])
}

pub(crate) async fn run(args: &SuggestArgs, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let path = args.against.as_deref();
    let against = directory::read_policy(path)?;
    let material = Material::read(setup).await?;
    let inputs = material.inputs(setup)?;
    let Material { job, coverage, directory, sightings, .. } = &material;
    let window = job.window;
    let verdict = coverage.verdict();
    let seen = (&inputs, sightings, window);
    let made = match against {
        Some(file) => {
            let names = known_names(setup.archive_snapshot()).await;
            let mut known = directory.clone();
            directory::add_everybody(&mut known, &file);
            let policy = directory::resolve(Some(file), path, &known, Some(&names), (setup.config, setup.now))?;
            Made::Difference(Against::of(&inputs, &Suggestion::make(&inputs, sightings, window), sightings, &policy))
        }
        None => Made::Policy,
    };
    setup.print(&match setup.args.format {
        ReportFormat::Text if verdict == Verdict::Complete => made.text(seen, &setup.portal_url()?),
        ReportFormat::Text => format!("{INCOMPLETE}{}", made.text(seen, &setup.portal_url()?)),
        ReportFormat::Json => SuggestReport::new(setup.head(job, coverage), made.content(seen)).json()?,
    })?;
    let (nothing, incomplete) = (verdict == Verdict::Nothing, verdict == Verdict::Incomplete);
    Ok(decide(Ending { nothing, incomplete, ..Ending::default() }, setup.args.exit_code))
}

/// What is printed.
enum Made {
    Policy,
    Difference(Against),
}

impl Made {
    fn text(&self, (inputs, sightings, window): (&Inputs<'_>, &Sightings, Window), portal: &Url) -> String {
        match self {
            Made::Policy => first_policy(inputs, sightings, window, portal.as_str()),
            Made::Difference(against) => text::difference(inputs, against, portal.as_str()),
        }
    }

    fn content(self, (inputs, sightings, window): (&Inputs<'_>, &Sightings, Window)) -> Content {
        match self {
            Made::Policy => Content::Whole {
                suggestion: Box::new(Suggestion::make(inputs, sightings, window)),
                proof: Proof::of(inputs, sightings, window),
            },
            Made::Difference(against) => Content::Against(against),
        }
    }
}

/// Everybody, and who is in which group. Without groups, rules name people one by one.
async fn people(look: &mut Look) -> Result<Directory, Error> {
    let client = look.client.clone();
    let mut directory = Directory::default();
    directory.read_people(&client).await?;
    if look.answered(Source::People.name(), groups(&client, &mut directory).await).is_none() {
        directory.groups.clear();
        directory.members.clear();
    }
    Ok(directory)
}

async fn groups(client: &Client, directory: &mut Directory) -> Result<(), Error> {
    directory.read_groups(client).await?;
    let ids: Vec<_> = directory.groups.iter().map(|group| group.id).collect();
    for id in ids {
        directory.read_members(id, client).await?;
    }
    Ok(())
}
