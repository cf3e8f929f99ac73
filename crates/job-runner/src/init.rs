//! `init`: asks what a program needs, proves it against the portal, and writes the settings and the key.

mod answers;
mod ask;
mod files;
mod prove;
mod question;
mod words;

use std::path::PathBuf;

use figment::value::{Dict, Value};

use crate::Error;
use crate::args::{CommonArgs, InitArgs};
use crate::config::{self, Problems, Sources};
use crate::doctor;
use crate::exit::Exit;
use crate::key_origin::KEY_VARIABLE;
use crate::program::Program;
use crate::setup::{self, Setup};
use crate::stop::Signals;
use answers::Answers;
use ask::Asker;
use files::{Folder, NewFile};

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
        answers.settings.insert(PORTAL.to_owned(), prove::with_scheme(url).into());
    }
    let defaults = config::both_defaults::<P::Config>();
    for given in &command.set {
        let value = answers::value(&given.value, config::at(&defaults, &given.key));
        answers.settings.insert(given.key.clone(), value);
    }

    if asker.is_person() {
        setup::print(&words::welcome(name, &folder))?;
    }
    let proven = prove::prove::<P>(&mut answers, asker, &folder).await?;
    let Some((key, reached)) = proven else { return Ok(Exit::Nothing) };
    // a signal ends what comes before at once, and from here on nothing is left half done
    let mut signals = Signals::listen();
    match answers::ask::<P>(&mut answers, asker, &reached, &defaults) {
        Err(failure) if ask::is_interruption(&failure) => return interrupted(),
        asked => asked?,
    }
    let read = answers.read::<P>();
    let (Some((common, own)), true) = (&read.settings, read.problems.is_empty()) else {
        return Err(Error::Config(Problems(read.problems)).into());
    };
    let setup = Setup::new(&P::ABOUT, &answers.args, (common, own), &answers.environment);
    let mut first = tokio::select! {
        biased;
        () = signals.next() => return interrupted(),
        first = P::first_files(&setup) => first?,
    };
    first.retain(|file| !answers.settings.contains_key(file.key));

    let read_first: Vec<PathBuf> = first.iter().map(|file| folder.file(file.name)).collect();
    let written = write::<P>(&folder, key, first, &mut answers, &defaults)?;
    setup::print(&words::written(name, &written))?;

    let args = CommonArgs { config: vec![folder.settings()], portal: None, ..args.clone() };
    let sources = Sources { own_files: args.config.clone(), flags: Vec::new(), ..sources.clone() };
    // what is proved is what cron will have
    let environment = sources.environment.without(KEY_VARIABLE).without(config::PORTAL_VARIABLE);
    let read = config::read::<P::Config>(name, &Sources { environment: environment.clone(), ..sources });
    let exit = doctor::run::<P>((&args, &[]), &environment, &read, signals).await?;
    let is_well = exit == Exit::Concluded;
    setup::print(&words::next::<P>(&folder, &read_first, args.portal_config.as_deref(), is_well))?;
    Ok(exit)
}

fn interrupted() -> anyhow::Result<Exit> {
    setup::print("\nNothing was written.\n")?;
    Ok(Exit::Nothing)
}

const PORTAL: &str = "portal.url";

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
