//! Address and key, as far as the portal takes them.

use super::PORTAL;
use super::answers::Answers;
use super::ask::Asker;
use super::files::Folder;
use crate::Error;
use crate::config::{self, Problems};
use crate::doctor::{self, Check, CheckState, Reached};
use crate::key_origin::KEY_VARIABLE;
use crate::program::Program;
use crate::secret;
use crate::setup::{self, Setup};

/// The key, if it has to be written, and the portal that takes it. `None`: it did not, and what is wrong was printed.
pub(super) async fn prove<P: Program>(
    answers: &mut Answers<'_>,
    asker: Asker,
    folder: &Folder,
) -> anyhow::Result<Option<(Option<String>, Reached)>> {
    loop {
        if answers.read::<P>().placeholders.is_none() {
            address::<P>(answers, asker)?;
        }
        let key = key(answers, asker, folder, P::ABOUT.name)?;
        let read = answers.read::<P>();
        let Some((common, own)) = &read.settings else { return Err(Error::Config(Problems(read.problems)).into()) };
        let setup = Setup::new(&P::ABOUT, &answers.args, (common, own), &answers.environment);
        let is_about_portal =
            |problem: &&config::Problem| problem.key.as_deref().is_some_and(|key| key.starts_with("portal."));
        let mut checks: Vec<Check> = read
            .problems
            .iter()
            .filter(is_about_portal)
            .map(|problem| Check::usage("settings", problem.to_string(), "correct it"))
            .collect();
        let reached = if checks.is_empty() { doctor::prove::<P>(&setup, &mut checks).await } else { None };
        let is_proven = checks.iter().all(|check| check.state != CheckState::Fail);
        setup::print(&proof(&checks, is_proven))?;
        if let (Some(reached), true) = (reached, is_proven) {
            return Ok(Some((key, reached)));
        }
        if !asker.again("Nothing was written. Enter address and key again?")? {
            setup::print(&format!(
                "\nNothing was written. Correct what failed, and run `{} init` again.\n",
                P::ABOUT.name
            ))?;
            return Ok(None);
        }
        answers.settings.remove(PORTAL);
        answers.environment = answers.environment.without(KEY_VARIABLE);
        answers.args.key_file = None;
        answers.settings.remove("key_file");
    }
}

/// Asks for the address, until one is typed that may be one.
fn address<P: Program>(answers: &mut Answers<'_>, asker: Asker) -> anyhow::Result<()> {
    if !asker.is_person() {
        let usage =
            format!("is missing: the address of the portal, as in `{} init https://docs.example.com`", P::ABOUT.name);
        return Err(Error::Argument("URL".to_owned(), usage).into());
    }
    loop {
        match asker.line("Address of the portal (such as https://docs.example.com)")? {
            None => setup::print("Without an address nothing can be set up; Ctrl+C ends this.\n")?,
            Some(typed) => {
                answers.settings.insert(PORTAL.to_owned(), with_scheme(&typed).into());
                let Some(problem) = answers.problem_with::<P>(PORTAL) else { return Ok(()) };
                setup::print(&format!("{problem}\n"))?;
            }
        }
    }
}

/// An address as people type it, without `https://`.
pub(super) fn with_scheme(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("https://{address}") }
}

/// What the portal answered. What is well is told with everything else when the settings are written.
fn proof(checks: &[Check], is_proven: bool) -> String {
    if is_proven {
        return format!("The portal answers and takes the key ({} checks).\n", checks.len());
    }
    let wrong = checks.iter().filter(|check| check.state != CheckState::Ok);
    wrong.map(|check| format!("{check}\n")).collect()
}

/// The key that has to be written into a file; `None` where one names it already.
fn key(answers: &mut Answers<'_>, asker: Asker, folder: &Folder, program: &str) -> anyhow::Result<Option<String>> {
    if let Some(path) = &answers.args.key_file {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        answers.settings.insert("key_file".to_owned(), path.display().to_string().into());
        return Ok(None);
    }
    let is_set = answers.settings.contains_key("key_file") || secret::has_credential(&answers.environment);
    if is_set && answers.environment.get(KEY_VARIABLE).is_none() {
        return Ok(None);
    }
    folder.refuse_existing(&folder.key())?;
    if let Some(key) = answers.environment.get(KEY_VARIABLE) {
        return Ok(Some(key.to_owned()));
    }
    if !asker.is_person() {
        let usage =
            format!("is missing: give `{program} init` the API key by `--key-file FILE`, or in `{KEY_VARIABLE}`");
        return Err(Error::Argument("--key-file".to_owned(), usage).into());
    }
    loop {
        match asker.secret("API key (what you type or paste is not shown)")? {
            None => setup::print("Nothing has arrived. Paste the key, then press Enter; Ctrl+C ends this.\n")?,
            Some(typed) => {
                answers.environment = answers.environment.with(KEY_VARIABLE, &typed);
                return Ok(Some(typed));
            }
        }
    }
}
