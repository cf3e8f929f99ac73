//! What `doctor` looks at besides what all programs depend on: the folder here, the one in the portal, and what reports are restricted to.

use job_runner::names::{self, Unknown};
use job_runner::{Check, Reached};
use job_store::files;

use crate::config::Config;
use crate::filter::Selection;
use crate::gather::look_up;
use crate::upload::target::{NoTarget, Target};

pub(crate) async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
    let mut checks = vec![out(config)];
    if let Some(reached) = reached
        && !reached.capabilities.login_history.works()
    {
        let text = "the login history cannot be read, so reports are incomplete";
        checks.push(Check::warn("login_history", text, "use a plan that has it"));
    }
    if !config.only.is_everything() {
        checks.extend(only(&config.only, reached).await);
    }
    if let (Some(wanted), Some(reached)) = (&config.upload_to, reached) {
        checks.push(upload_to(wanted, reached).await);
    }
    checks
}

/// Whether files could be written; tries one.
fn out(config: &Config) -> Check {
    let Some(out) = &config.out else {
        return Check::warn("out", "no folder is set, so reports are only printed", "set `out` or give `--out DIR`");
    };
    let folder = out.as_path();
    let shown = folder.display();
    // `{month}` stands for a folder that a run makes
    let there = folder.ancestors().find(|above| above.exists());
    match there.map(|above| (above, files::begin(above, "doctor"))) {
        Some((above, Ok(_))) => Check::ok(
            "out",
            format!("reports go to {shown}; a file could be made in {}, and is gone again", above.display()),
        ),
        Some((above, _)) => {
            let text = format!(
                "reports cannot go to {shown}: {} is not a folder that this user may write to",
                above.display()
            );
            Check::fail("out", text, "give this user the right to write there")
        }
        // a relative path: what is above it is the current folder
        None => Check::ok("out", format!("reports go to {shown}, which a run makes")),
    }
}

/// Whether what a report is restricted to is there. Of what is not a run ends with 2, unless an event of its time names the id.
async fn only(only: &Selection, reached: Option<&Reached>) -> Vec<Check> {
    const NAME: &str = "only";
    let lists = match look_up::lists(only) {
        Ok(lists) => lists,
        Err(error) => return vec![Check::usage(NAME, error.to_string(), "correct that list")],
    };
    let given: Vec<String> =
        lists.iter().filter(|list| !list.entries.is_empty()).map(|list| format!("`{}`", list.key)).collect();
    let (Some(reached), false) = (reached, given.is_empty()) else { return Vec::new() };
    match names::look_up(&lists, &reached.client).await {
        Err(error) => vec![Check::failed(NAME, error)],
        Ok(unknown) if unknown.is_empty() => {
            let given = given.join(", ");
            vec![Check::ok(NAME, format!("asked the portal for everything that {given} name, and all of it is there"))]
        }
        Ok(unknown) => unknown.iter().map(|unknown| missing(NAME, unknown)).collect(),
    }
}

fn missing(name: &'static str, unknown: &Unknown) -> Check {
    let remedy = format!("correct `{}`", unknown.key);
    if unknown.is_id() {
        let doubt = "it is misspelt or was removed; a report is made only if an event of its time names it";
        return Check::warn(name, format!("{unknown}: {doubt}"), remedy);
    }
    Check::usage(name, unknown.to_string(), remedy)
}

async fn upload_to(wanted: &str, reached: &Reached) -> Check {
    const NAME: &str = "upload_to";
    let target = match Target::find(&reached.client, wanted).await {
        Ok(target) => target,
        Err(NoTarget::Setting(message)) => return Check::usage(NAME, message, "change `upload_to`"),
        Err(NoTarget::Portal(error)) => return Check::failed(NAME, error),
    };
    match target.obstacle(&reached.client).await {
        Ok(Some(obstacle)) => Check::fail(NAME, format!("{}: {}", target.path, obstacle.meaning), obstacle.remedy),
        Err(error) => Check::failed(NAME, error),
        Ok(None) => match target.readers(&reached.client).await {
            Ok(readers) => {
                let count = readers.len();
                Check::ok(
                    NAME,
                    format!(
                        "reports go to {} (folder {}), which {count} accounts can read",
                        target.path, target.folder
                    ),
                )
            }
            Err(error) => Check::warn(NAME, error.to_string(), "find out who can read that folder"),
        },
    }
}
