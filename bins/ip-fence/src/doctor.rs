//! What `doctor` says of this program: whether the policy can be read and its people found, what the portal's own list does, and what
//! nobody can see.

use ::report::words::{blind_spot, plural};
use audit_model::BlindSpot;
use docspace_client::{ApiKey, Area};
use futures::try_join;
use job_runner::environment::Environment;
use job_runner::secret::find_key;
use job_runner::{Check, Reached};

use crate::config::Config;
use crate::policy::directory;
use crate::policy::given::known_names;
use crate::policy::{Mistake, Policy, PolicyFile, lint};
use crate::rule::server::Trouble;

const POLICY: &str = "policy";
const LIST: &str = "address_list";
const APPLY_KEY: &str = "apply_key";

const OWNERS_KEY: &str = "make a key of the portal's owner with `*:read` and `*:write`";

pub(crate) async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let mut checks = policy(config, reached).await;
    if let Some(reached) = reached {
        checks.push(own_list(reached).await);
    }
    checks.extend(apply_key(config, reached).await);
    let never = [BlindSpot::KeyLogins, BlindSpot::Ipv6, BlindSpot::BlockedLogins].map(blind_spot).join("; ");
    checks.push(Check::ok("blind_spots", format!("no portal records {never}")));
    checks
}

async fn policy(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let Some(path) = config.policy.as_ref().map(|path| path.as_path()) else {
        let text =
            "none is set: only failed logins, new countries, disabled accounts and addresses that were set are judged";
        return vec![Check::warn(POLICY, text, "give `--policy FILE` or set `policy`")];
    };
    let shown = path.display();
    let file: PolicyFile = match std::fs::read_to_string(path).map(|text| crate::policy::parse(&text)) {
        Ok(Ok(file)) => file,
        Ok(Err(mistakes)) => return mistakes.into_iter().map(|mistake| wrong(path, &mistake)).collect(),
        Err(error) => {
            return vec![Check::usage(POLICY, format!("{shown} cannot be read: {error}"), "check path and rights")];
        }
    };
    let Some(reached) = reached else {
        let text =
            format!("{shown}: {}; its people and groups were not looked for", plural(file.rules.len() as u64, "rule"));
        return vec![Check::warn(POLICY, text, "correct what failed above, and run again")];
    };
    let names = known_names(reached.archive_snapshot()).await;
    let directory = match directory::read(&reached.client, Some(&file), &names).await {
        Ok(directory) => directory,
        Err(error) => {
            let text = format!("the people of {shown} cannot be looked up: {error}");
            return vec![Check::fail(POLICY, text, "use the key of a DocSpace admin or of the owner with `*:read`")];
        }
    };
    let doubts = lint::doubts(&file, Some(config.portal.public == Some(true)), chrono::NaiveDate::MIN);
    // expiry is told by `policy check`, which knows the day
    match Policy::resolve(file, &directory, Some(&names), chrono::NaiveDate::MIN, config.ipv6_by_64) {
        Ok(policy) => {
            let (rules, people) = (plural(policy.rules.len() as u64, "rule"), policy.people());
            let text = format!("{shown}: {rules} for {people} of {} people", directory.people.len());
            let doubts = doubts
                .iter()
                .map(|doubt| Check::warn(POLICY, format!("{shown}, {doubt}"), "or leave it, if it is meant"));
            let stale = policy.stale.iter().map(|stale| Check::warn(POLICY, format!("{shown}: {stale}"), STALE));
            std::iter::once(Check::ok(POLICY, text)).chain(stale).chain(doubts).collect()
        }
        Err(mistakes) => mistakes.into_iter().map(|mistake| wrong(path, &mistake)).collect(),
    }
}

/// Of a name that nobody has any more, everything but what to do is said already.
const STALE: &str = "everybody else is judged until then";

fn wrong(path: &std::path::Path, mistake: &Mistake) -> Check {
    Check::usage(POLICY, format!("{}, {mistake}", path.display()), "correct it, or take out who has left")
}

/// The key that writes the list: nothing needs it before somebody waits for a list to be taken back. Whether others can read its file is
/// looked at with all secrets.
async fn apply_key(config: &Config, reached: Option<&Reached>) -> Option<Check> {
    let path = config.apply_key_file.as_ref()?.as_path();
    let shown = path.display();
    let key = match find_key(Some(path), &Environment::default(), None) {
        Ok(found) => ApiKey::new(found.key),
        Err(error) => return Some(Check::usage(APPLY_KEY, error.to_string(), "without it no run takes a list back")),
    };
    let Some(reached) = reached else {
        let text = format!("the key in {shown} was not tried");
        return Some(Check::warn(APPLY_KEY, text, "correct what failed above, and run again"));
    };
    let client = reached.client.with_key(key);
    let (me, facts) = match try_join!(client.identity(), client.key()) {
        Ok(asked) => asked,
        Err(error) => {
            let text = format!("the portal does not take the key in {shown}: {error}");
            return Some(Check::fail(APPLY_KEY, text, OWNERS_KEY));
        }
    };
    if !facts.is_none_or(|facts| facts.scopes.can_write(Area::Portal)) {
        let text = format!("the key in {shown} may not write the portal's list");
        return Some(Check::fail(APPLY_KEY, text, OWNERS_KEY));
    }
    if !me.is_owner {
        let text = format!("the key in {shown} is not the owner's, so the list that it writes can stop it");
        return Some(Check::warn(APPLY_KEY, text, OWNERS_KEY));
    }
    Some(Check::ok(APPLY_KEY, format!("the key in {shown} is the owner's, and may write the portal's list")))
}

async fn own_list(reached: &Reached) -> Check {
    let list = match reached.client.address_list().await {
        Ok(list) => list,
        Err(error) => {
            let remedy = "changes of the list go unseen; if it is a 500, a row that is no address stands in it";
            return Check::fail(LIST, error.to_string(), remedy);
        }
    };
    let troubles: Vec<Trouble> = list.entries.iter().filter_map(Trouble::of).collect();
    let text = format!(
        "the portal's own list has {} and is switched {}",
        plural(list.entries.len() as u64, "entry"),
        if list.enabled { "on: logins that it refuses leave no trace" } else { "off" }
    );
    if troubles.iter().any(|trouble| trouble.stops_everybody()) {
        return Check::fail(
            LIST,
            text,
            "an entry in it makes the portal refuse everybody but its owner: see `ip-fence plan`",
        );
    }
    if !troubles.is_empty() {
        let remedy = format!("{} in it can never match: see `ip-fence plan`", plural(troubles.len() as u64, "entry"));
        return Check::warn(LIST, text, remedy);
    }
    Check::ok(LIST, text)
}
