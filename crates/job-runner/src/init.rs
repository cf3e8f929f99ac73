//! `init`: asks what a program needs, proves it against the portal, and writes the settings and the key.

mod ask;
mod files;
mod question;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};

use crate::Error;
use crate::args::{CommonArgs, FlagSetting, InitArgs};
use crate::config::{self, Problems, Read, Sources};
use crate::doctor::{self, Check, CheckState, Reached};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::key_origin::KEY_VARIABLE;
use crate::program::Program;
use crate::secret;
use crate::setup::{self, Setup};
use crate::stop::Signals;
use ask::Asker;
use files::{Folder, NewFile};
use question::Form;

pub use question::{Choice, Question};

/// A file besides settings and key with which a program begins, such as a policy.
#[derive(Clone, Debug)]
pub struct FirstFile {
    /// The setting that names it.
    pub key: &'static str,
    /// Its name in the folder of the settings.
    pub name: &'static str,
    pub text: String,
    /// What it is, for the list of what was written.
    pub what: &'static str,
}

/// Everything that is known so far.
struct Answers<'a> {
    args: CommonArgs,
    environment: Environment,
    /// By key; of two for one key the later counts.
    settings: BTreeMap<String, Value>,
    sources: &'a Sources,
}

impl Answers<'_> {
    fn read<P: Program>(&self) -> Read<P::Config> {
        let flags = self.settings.iter().map(|(key, value)| FlagSetting::answer(key.clone(), value.clone()));
        let sources = Sources { flags: flags.collect(), environment: self.environment.clone(), ..self.sources.clone() };
        config::read::<P::Config>(P::ABOUT.name, &sources)
    }
}

/// Runs the command.
pub(crate) async fn run<P: Program>(
    (command, args): (&InitArgs, &CommonArgs),
    sources: &Sources,
) -> anyhow::Result<Exit> {
    let name = P::ABOUT.name;
    if let Some(path) = args.config.first() {
        let message = format!("`{name} init` writes a settings file of its own; leave out --config");
        return Err(Error::Argument(path.display().to_string(), message).into());
    }
    let asker = Asker::new(command.yes);
    let folder = Folder::find(command.dir.as_deref(), name)?;
    let mut answers = Answers {
        args: args.clone(),
        environment: sources.environment.clone(),
        settings: sources.flags.iter().map(|flag| (flag.key.clone().into_owned(), flag.value.clone())).collect(),
        sources,
    };
    // what the environment says here it does not say where cron starts the program
    let url = match answers.settings.contains_key(PORTAL) {
        true => command.url.as_deref(),
        false => command.url.as_deref().or(sources.environment.get(config::PORTAL_VARIABLE)),
    };
    if let Some(url) = url {
        answers.settings.insert(PORTAL.to_owned(), url.into());
    }
    let defaults = config::both_defaults::<P::Config>();
    for given in &command.set {
        let value = config::typed(&given.value, config::at(&defaults, &given.key));
        answers.settings.insert(given.key.clone(), value);
    }

    if asker.is_person() {
        setup::print(&welcome(name, &folder))?;
    }
    let Some((key, reached)) = prove::<P>(&mut answers, asker, &folder).await? else { return Ok(Exit::Nothing) };
    ask::<P>(&mut answers, asker, &reached, &defaults)?;
    let read = answers.read::<P>();
    let (Some((common, own)), true) = (&read.settings, read.problems.is_empty()) else {
        return Err(Error::Config(Problems(read.problems)).into());
    };
    let setup = Setup::new(&P::ABOUT, &answers.args, (common, own), &answers.environment);
    let mut first = P::first_files(&setup).await?;
    first.retain(|file| !answers.settings.contains_key(file.key));

    let written = write::<P>(&folder, key, first, &mut answers, &defaults)?;
    let listed: Vec<String> =
        written.iter().map(|file| format!("  {:<40}  {}\n", file.path.display(), file.what)).collect();
    setup::print(&format!(
        "\nWritten, readable by this user only:\n{}\n`{name} doctor` checks what a run depends on:\n",
        listed.concat()
    ))?;

    let args = CommonArgs { config: vec![folder.settings()], portal: None, ..args.clone() };
    let sources = Sources { own_files: args.config.clone(), flags: Vec::new(), ..sources.clone() };
    // what is proved is what cron will have
    let environment = sources.environment.without(KEY_VARIABLE).without(config::PORTAL_VARIABLE);
    let read = config::read::<P::Config>(name, &Sources { environment: environment.clone(), ..sources });
    // not before: a signal ends the questions at once
    let exit = doctor::run::<P>((&args, &[]), &environment, &read, Signals::listen()).await?;
    setup::print(&next::<P>(&folder.settings(), args.portal_config.as_deref()))?;
    Ok(exit)
}

const PORTAL: &str = "portal.url";

/// What a person has to know before the first question.
fn welcome(program: &str, folder: &Folder) -> String {
    format!(
        "This sets up {program}. It needs the address of your portal, and an API key of a DocSpace admin or the owner:\nin the portal, open Developer tools, then API keys, and create one with the permission `*:read`.\nNothing is written before the portal has accepted the key; then settings and key go to {}\n\n",
        folder.shown()
    )
}

/// The key, if it has to be written, and the portal that takes it. `None`: it did not, and what is wrong was printed.
async fn prove<P: Program>(
    answers: &mut Answers<'_>,
    asker: Asker,
    folder: &Folder,
) -> anyhow::Result<Option<(Option<String>, Reached)>> {
    loop {
        if answers.read::<P>().placeholders.is_none() {
            let typed = asker.line("Address of the portal (such as https://docs.example.com)")?;
            let missing = || {
                let usage = format!(
                    "is missing: the address of the portal, as in `{} init https://docs.example.com`",
                    P::ABOUT.name
                );
                Error::Argument("URL".to_owned(), usage)
            };
            answers.settings.insert(PORTAL.to_owned(), typed.ok_or_else(missing)?.into());
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
    }
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
    let typed = asker.secret("API key (what you type or paste is not shown)")?;
    let missing = || {
        let usage =
            format!("is missing: give `{program} init` the API key by `--key-file FILE`, or in `{KEY_VARIABLE}`");
        Error::Argument("--key-file".to_owned(), usage)
    };
    let typed = typed.ok_or_else(missing)?;
    answers.environment = answers.environment.with(KEY_VARIABLE, &typed);
    Ok(Some(typed))
}

/// Asks for what no flag has said. An answer that cannot be is asked for again.
fn ask<P: Program>(answers: &mut Answers<'_>, asker: Asker, reached: &Reached, defaults: &Dict) -> anyhow::Result<()> {
    if !asker.is_person() {
        return Ok(());
    }
    let mut questions = P::questions(reached);
    if P::ABOUT.sends_alerts {
        questions.extend(question::of_alerts());
    }
    questions.extend(question::of_all());
    for question in questions {
        if answers.settings.contains_key(question.key) {
            continue;
        }
        loop {
            let value = match &question.form {
                Form::Line => {
                    asker.line(&question.text)?.map(|typed| of_line(&typed, config::at(defaults, question.key)))
                }
                Form::Several(choices) => {
                    let which = asker.several(&question.text, choices)?;
                    (!which.is_empty()).then(|| question::chosen(choices, &which))
                }
            };
            let Some(value) = value else { break };
            answers.settings.insert(question.key.to_owned(), value);
            let problems = answers.read::<P>().problems;
            let is_about_it = |problem: &&config::Problem| problem.key.as_deref() == Some(question.key);
            let Some(problem) = problems.iter().find(is_about_it) else { break };
            setup::print(&format!("{problem}\n"))?;
            answers.settings.remove(question.key);
        }
    }
    Ok(())
}

/// What was typed, as the setting wants it: a list is typed with commas.
fn of_line(typed: &str, default: Option<&Value>) -> Value {
    let is_list = matches!(default, Some(Value::Array(..))) && !typed.starts_with('[');
    if !is_list {
        return config::typed(typed, default);
    }
    typed.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect::<Vec<_>>().into()
}

/// Key, other files, and last the settings, which name them.
fn write<P: Program>(
    folder: &Folder,
    key: Option<String>,
    first: Vec<FirstFile>,
    answers: &mut Answers<'_>,
    defaults: &Dict,
) -> anyhow::Result<Vec<NewFile>> {
    let mut made = Vec::new();
    if let Some(key) = key {
        let path = folder.key();
        answers.settings.insert("key_file".to_owned(), path.display().to_string().into());
        made.push(NewFile { path, text: format!("{key}\n"), what: "the API key" });
    }
    for FirstFile { key, name, text, what } in first {
        let path = folder.file(name);
        folder.refuse_existing(&path)?;
        answers.settings.insert(key.to_owned(), path.display().to_string().into());
        made.push(NewFile { path, text, what });
    }
    // a file that is shared may say something else than the default
    if answers.sources.portal_file.is_none() {
        let is_default =
            |key: &str, value: &Value| config::at(defaults, key).is_some_and(|of| config::is_same(of, value));
        answers.settings.retain(|key, value| !is_default(key, value));
    }
    let name = P::ABOUT.name;
    let head = format!(
        "# Settings of {name}, written by `{name} init`: only what differs from the defaults.\n# All of them with their meaning: {name}.example.toml, and `{name} config show`.\n"
    );
    let path = folder.settings();
    made.push(NewFile { path, text: files::settings_text(&head, &answers.settings), what: "the settings" });
    files::write(&made)?;
    Ok(made)
}

/// What to do next.
fn next<P: Program>(settings: &Path, shared: Option<&Path>) -> String {
    let name = P::ABOUT.name;
    let shown = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
        // a blank would end the word in a shell
        let text = path.display().to_string();
        if text.contains(|c: char| !(c.is_alphanumeric() || "/._-".contains(c))) {
            format!("'{}'", text.replace('\'', "'\\''"))
        } else {
            text
        }
    };
    let shared = shared.map(|path| format!(" --portal-config {}", shown(path))).unwrap_or_default();
    let call = format!("{name}{shared} --config {}", shown(settings));
    format!(
        "\nNext:\n  1. Correct what says FAIL, and read what says warn. To check again:\n       {call} doctor\n  2. Look once; nobody is told, and nothing is remembered:\n       {call} --dry-run\n  3. Let cron run it, as this user:\n       {}  {call}\n     or systemd, if the package or the units in `deploy/` are installed:\n       systemctl enable --now {name}.timer\n",
        P::ABOUT.schedule
    )
}
