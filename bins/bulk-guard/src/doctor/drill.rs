//! What `doctor` says of drills: whether the settings and the test account allow one. Nothing where no drill is set.

use docspace_client::Client;
use job_runner::{Check, Reached};

use crate::config::Config;
use crate::drill::book;
use crate::drill::check;
use crate::drill::course::Stage;
use crate::drill::site;

const NAME: &str = "drill";

/// What was cut off stays until somebody sees to it, whatever the settings say now.
async fn left(reached: &Reached) -> Option<Check> {
    const NAME: &str = "drill_left";
    let open = match reached.store_snapshot().await {
        Ok(store) => book::open(&store).await,
        Err(error) => return Some(Check::fail(NAME, format!("{error:#}"), "repair the store")),
    };
    let open = match open {
        Ok(open) => open,
        Err(error) => return Some(Check::fail(NAME, format!("{error:#}"), "repair the store")),
    };
    let drill = open.into_iter().find(|drill| drill.stage < Stage::Over)?;
    let text = format!(
        "a drill that began on {} is not over: its account {} may be disabled, and its room \"{}\" may be there",
        drill.began.format("%Y-%m-%d at %H:%M UTC"),
        audit_model::PortalText::new(drill.name.as_str()).for_terminal(),
        drill.title()
    );
    let remedy =
        "runs go on with it where they can; the account must be enabled, and `drill.key_file` must hold its key";
    Some(Check::warn(NAME, text, remedy))
}

pub(super) async fn checks(config: &Config, reached: &Reached) -> Vec<Check> {
    let mut checks: Vec<Check> = left(reached).await.into_iter().collect();
    checks.extend(possible(config, reached).await);
    checks
}

/// Whether a drill can begin.
async fn possible(config: &Config, reached: &Reached) -> Vec<Check> {
    if !config.drill.is_set() {
        return Vec::new();
    }
    let wrong = check::settings(config);
    if !wrong.is_empty() {
        let remedy = "correct the settings, or take `[drill]` out of them";
        return wrong.iter().map(|problem| Check::warn(NAME, problem.to_string(), remedy)).collect();
    }
    let Some(path) = &config.drill.key_file else { return Vec::new() };
    let own: Client = match site::key(path) {
        Ok(key) => reached.client.with_key(key),
        Err(error) => {
            return vec![Check::usage(NAME, error.to_string(), "write a key of the test account into that file")];
        }
    };
    match check::account(config, (&reached.client, &own), &[]).await {
        Ok(account) => {
            let name = audit_model::PortalText::new(account.name.as_str()).for_terminal();
            let text = format!("`drill` can be tried with {name}, who may make rooms; let cron do it once a month");
            vec![Check::ok(NAME, text)]
        }
        Err(refusals) => refusals.into_iter().map(|refusal| Check::warn(NAME, refusal.text, refusal.remedy)).collect(),
    }
}
