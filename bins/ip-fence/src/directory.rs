//! Reading what the policy is judged with: the file, and who is who on the portal.

use std::path::Path;

use docspace_client::{Client, EVERYONE, Error, Group};
use job_runner::config::{Problem, Problems};
use job_runner::names::is_group;
use uuid::Uuid;

use crate::policy::{Directory, Mistake, PolicyFile, parse};

/// The policy of a file; `None` when none is set.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub(crate) fn read_policy(path: Option<&Path>) -> Result<Option<PolicyFile>, job_runner::Error> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| job_runner::Error::setting("policy", format!("{} cannot be read: {error}", path.display())))?;
    parse(&text).map(Some).map_err(|mistakes| refused(path, mistakes))
}

/// Mistakes in the policy as the mistakes of a setting.
pub(crate) fn refused(path: &Path, mistakes: Vec<Mistake>) -> job_runner::Error {
    let problem = |mistake: Mistake| Problem::new("policy", format!("{}, {mistake}", path.display()));
    job_runner::Error::Config(Problems(mistakes.into_iter().map(problem).collect()))
}

/// All people, all groups, and the members of the groups that the policy names.
pub(crate) async fn read(client: &Client, policy: Option<&PolicyFile>) -> Result<Directory, Error> {
    let people = client.people().await?;
    let named: Vec<&str> = policy
        .into_iter()
        .flat_map(|policy| policy.rules.iter().flat_map(|rule| rule.groups.iter().map(|name| name.text.as_str())))
        .collect();
    let mut groups = Vec::new();
    if !named.is_empty() {
        let shown = client.groups().await?;
        let names_listed = named.iter().any(|name| Uuid::parse_str(name.trim()).ok() != Some(EVERYONE));
        if shown.is_empty() && names_listed {
            return Err(Client::no_groups());
        }
        for group in shown.into_iter().chain(built_in(&named)) {
            let is_named = named.iter().any(|name| is_group(&group, name));
            let members = match group.id {
                EVERYONE => people.clone(),
                id if is_named => client.group_members(id).await?,
                _ => Vec::new(),
            };
            groups.push((group, members.into_iter().map(|account| account.person.id).collect()));
        }
    }
    Ok(Directory { people: people.into_iter().map(|account| (account.person.id, account)).collect(), groups })
}

/// The group of everybody, which no list has, when it is named by its id.
fn built_in(named: &[&str]) -> Option<Group> {
    let is_named = named.iter().any(|name| Uuid::parse_str(name.trim()).is_ok_and(|id| id == EVERYONE));
    is_named.then(|| Group { id: EVERYONE, name: "everybody".into(), manager: None, size: None })
}
