//! What subcommands are given: the policy that is set, the names that runs have known, and the people that arguments name.

use std::future::Future;
use std::path::Path;

use docspace_client::{Account, Client, Directory};
use event_archive::{Archive, KnownNames};
use job_runner::Setup;
use tracing::warn;

use super::{Policy, PolicyFile, directory, shown};
use crate::config::Config;

/// The policy that is set. Without one there is nothing to check or to plan.
pub(crate) fn policy_file(setup: &Setup<'_, Config>) -> Result<PolicyFile, job_runner::Error> {
    Ok(policy_with_text(setup)?.0)
}

/// The same, with the file as it was read.
pub(crate) fn policy_with_text(setup: &Setup<'_, Config>) -> Result<(PolicyFile, String), job_runner::Error> {
    let file = directory::read_with_text(path(setup))?;
    file.ok_or_else(|| {
        job_runner::Error::setting("policy", "is missing: give `--policy FILE`, or write it into the settings")
    })
}

/// Where it stands.
pub(super) fn path<'s>(setup: &'s Setup<'_, Config>) -> Option<&'s Path> {
    setup.config.policy.as_ref().map(|path| path.as_path())
}

/// The policy with its people, and who is who on the portal.
pub(crate) async fn resolved(
    setup: &Setup<'_, Config>,
    client: &Client,
    file: PolicyFile,
) -> anyhow::Result<(Policy, Directory)> {
    let names = known_names(setup.archive_snapshot()).await;
    let directory = directory::read(client, Some(&file), &names).await?;
    let policy = directory::resolve(Some(file), path(setup), &directory, Some(&names), (setup.config, setup.now))?;
    Ok((policy, directory))
}

/// The names that earlier runs have known: one of them is none that somebody mistyped.
pub(crate) async fn known_names(remembered: impl Future<Output = anyhow::Result<Archive>>) -> KnownNames {
    let names = async { anyhow::Ok(remembered.await?.names().await?) };
    names.await.unwrap_or_else(|failure| {
        warn!("names that an earlier run has known are not known: {failure:#}");
        KnownNames::default()
    })
}

/// Somebody whom a flag or an argument names.
pub(super) fn account<'d>(directory: &'d Directory, person: &str) -> Result<&'d Account, job_runner::Error> {
    directory.person(person).ok_or_else(|| {
        let known = directory.people.values().filter_map(|account| account.person.email.as_ref());
        let guess = job_runner::config::nearest_name(&person.to_lowercase(), known.map(|email| email.raw()));
        let guess = guess.map(|name| format!(", did you mean `{}`?", shown(name))).unwrap_or_default();
        job_runner::Error::setting("PERSON", format!("the portal has no person `{}`{guess}", shown(person)))
    })
}
