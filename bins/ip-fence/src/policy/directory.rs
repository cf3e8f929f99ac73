//! Reading what the policy is judged with: the file, and who is who on the portal.

use std::path::Path;

use chrono::{DateTime, Utc};
use docspace_client::{Client, Directory, EVERYONE, Error, Group};
use event_archive::KnownNames;
use job_runner::config::{Problem, Problems};
use uuid::Uuid;

use super::{Mistake, Policy, PolicyFile, Unnamed, parse};
use crate::config::Config;

/// The policy of a file; `None` when none is set.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub(crate) fn read_policy(path: Option<&Path>) -> Result<Option<PolicyFile>, job_runner::Error> {
    Ok(read_with_text(path)?.map(|(file, _)| file))
}

/// The same, with the file as it was read.
pub(crate) fn read_with_text(path: Option<&Path>) -> Result<Option<(PolicyFile, String)>, job_runner::Error> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| job_runner::Error::setting("policy", format!("{} cannot be read: {error}", path.display())))?;
    let file = parse(&text).map_err(|mistakes| refused(path, mistakes))?;
    Ok(Some((file, text)))
}

/// Mistakes in the policy as the mistakes of a setting.
pub(crate) fn refused(path: &Path, mistakes: Vec<Mistake>) -> job_runner::Error {
    let problem = |mistake: Mistake| Problem::new("policy", format!("{}, {mistake}", path.display()));
    job_runner::Error::Config(Problems(mistakes.into_iter().map(problem).collect()))
}

/// All people, all groups, and the members of the groups that the policy names, or named when they were looked up last.
pub(crate) async fn read(client: &Client, policy: Option<&PolicyFile>, known: &KnownNames) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    directory.read_people(client).await?;
    let rules = policy.into_iter().flat_map(|policy| &policy.rules);
    let named: Vec<&str> = rules.flat_map(|rule| &rule.groups).map(|name| name.text.as_str()).collect();
    if named.is_empty() {
        return Ok(directory);
    }
    directory.read_groups(client).await?;
    let everybody = built_in(&named);
    let names_listed = named.iter().any(|name| Uuid::parse_str(name.trim()).ok() != Some(EVERYONE));
    if directory.groups.is_empty() && names_listed && !are_gone(&named, known, client).await? {
        return Err(Client::no_groups());
    }
    let meant = |name: &&str| known.groups.get(*name).copied();
    let is_named = |group: &&Group| named.iter().any(|name| group.is_meant_by(name) || meant(name) == Some(group.id));
    let asked: Vec<Uuid> = directory.groups.iter().filter(is_named).map(|group| group.id).collect();
    for group in asked {
        directory.read_members(group, client).await?;
    }
    if let Some(everybody) = everybody {
        directory.members.insert(EVERYONE, directory.people.keys().copied().collect());
        directory.groups.push(everybody);
    }
    Ok(directory)
}

/// Finds the people of the policy. Without a policy nobody is named.
///
/// # Errors
/// As for [`Policy::resolve`].
pub(crate) fn resolve(
    file: Option<PolicyFile>,
    path: Option<&Path>,
    directory: &Directory,
    known: Option<&KnownNames>,
    (config, now): (&Config, DateTime<Utc>),
) -> Result<Policy, job_runner::Error> {
    let file = file.unwrap_or(PolicyFile { default: Unnamed::Ignore, rules: Vec::new() });
    Policy::resolve(file, directory, known, now.date_naive(), config.ipv6_by_64)
        .map_err(|mistakes| refused(path.unwrap_or(Path::new("policy")), mistakes))
}

/// Whether the portal says of each group by itself that it is gone: then a list without any is believed.
async fn are_gone(named: &[&str], known: &KnownNames, client: &Client) -> Result<bool, Error> {
    for name in named {
        let Some(id) = known.groups.get(*name) else { return Ok(false) };
        if *id != EVERYONE && !client.is_group_gone(*id).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The group of everybody, which no list has, when it is named by its id.
fn built_in(named: &[&str]) -> Option<Group> {
    let is_named = named.iter().any(|name| Uuid::parse_str(name.trim()).is_ok_and(|id| id == EVERYONE));
    is_named.then(|| Group { id: EVERYONE, name: "everybody".into(), manager: None, size: None })
}
