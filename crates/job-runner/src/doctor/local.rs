//! What a run depends on here: settings, ways out, store, lock, and where alerts and signs of life go.

use std::io;
use std::path::{Path, PathBuf};

use alerting::MailError;
use audit_model::PortalText;
use chrono::TimeDelta;
use docspace_client::ApiKey;
use event_archive::Archive;
use job_store::{Holder, RunLock, Store, files};
use outbound::{HandshakeError, tls_handshake};
use report::words::instant;
use secrecy::SecretString;
use url::Url;

use super::Check;
use super::limit::{LONGEST_CHECK, within};
use super::server;
use super::way::{proxy, reach, through};
use crate::args::CommonArgs;
use crate::config::{Problem, Settings};
use crate::former::{self, FoundStore};
use crate::gone;
use crate::guard;
use crate::metrics::{self, Labels};
use crate::program::Program;
use crate::setup::Setup;
use crate::state_path::{State, StatePaths};

/// One check per mistake.
pub(super) fn configuration(args: &CommonArgs, problems: &[Problem]) -> Vec<Check> {
    if !problems.is_empty() {
        let fail = |problem: &Problem| Check::usage("configuration", problem.to_string(), "correct it");
        return problems.iter().map(fail).collect();
    }
    let files: Vec<String> =
        args.portal_config.iter().chain(&args.config).map(|path| path.display().to_string()).collect();
    let read = if files.is_empty() { "no file".to_owned() } else { files.join(", ") };
    vec![Check::ok("configuration", format!("valid ({read}); `config show` lists it"))]
}

/// Proxy and certificates: whether a client can be made at all.
pub(super) fn outbound<C>(setup: &Setup<'_, C>) -> Check {
    const NAME: &str = "outbound";
    let anywhere = Url::parse("https://docs.example.com").expect("an address");
    let url = setup.portal_url().unwrap_or(anywhere);
    if let Err(error) = setup.client_with(ApiKey::new(SecretString::default()), &url) {
        return Check::usage(NAME, format!("{error:#}"), "correct `outbound.proxy` and `outbound.ca_file`");
    }
    let proxy = proxy(setup, &url).unwrap_or("no proxy");
    let ca_file = setup.common.outbound.ca_file.as_ref();
    let ca_file = ca_file.map(|path| format!(" and those of {}", path.as_path().display())).unwrap_or_default();
    Check::ok(NAME, format!("{proxy}; the system's certificates{ca_file}"))
}

/// Whether others can read or change what a run relies on.
pub(super) fn exposed<P: Program>(setup: &Setup<'_, P::Config>) -> Vec<Check> {
    const NAME: &str = "private";
    let exposed = guard::exposed(setup);
    if exposed.is_empty() {
        let text = "key, passwords, settings and memory are private to this user: nobody else can change them, or read what is secret";
        return vec![Check::ok(NAME, text)];
    }
    exposed.into_iter().map(|exposed| Check::warn(NAME, exposed.text, exposed.remedy)).collect()
}

/// Whether people can be named as the setting `names` says; nothing to look at where there is no key and none is needed.
pub(super) fn names<C>(setup: &Setup<'_, C>) -> Option<Check> {
    const NAME: &str = "names";
    setup.portal_url().ok()?;
    match (setup.naming(), setup.names_key_file()) {
        (Err(error), _) => Some(Check::usage(NAME, error.to_string(), "correct it; until then no run begins")),
        (Ok(_), None) => None,
        (Ok(naming), Some(path)) => {
            let how = if naming.is_clear() {
                "by their names; pseudonyms are understood, by"
            } else {
                "by pseudonyms, made with"
            };
            Some(Check::ok(NAME, format!("reports and alerts call people {how} the key in {}", path.display())))
        }
    }
}

/// The store and the lock beside it.
pub(super) async fn state<P: Program>(setup: &Setup<'_, P::Config>) -> Vec<Check> {
    if setup.portal_url().is_err() {
        // named among the mistakes in the settings; without it nobody knows which store is meant
        return Vec::new();
    }
    match setup.state() {
        Ok(State::Files(paths)) => vec![store(&paths, &setup.config.part()).await, lock(&paths.lock, setup)],
        Ok(State::Server(on_server)) => server::checks(setup, on_server, &setup.config.part()).await,
        Err(error) => vec![Check::usage("state", error.to_string(), "correct it")],
    }
}

async fn store(paths: &StatePaths, part: &str) -> Check {
    const NAME: &str = "state";
    let FoundStore { path, note } = former::find(paths);
    let shown = path.display();
    if let Err(error) = writable(path) {
        return Check::fail(
            NAME,
            format!("{shown} cannot be written ({error}): runs have no memory"),
            "give this user the right to write there, or choose another folder with `--state`",
        );
    }
    if let Some(gone) = gone::look(paths) {
        return Check::warn(NAME, gone, gone::REMEDY);
    }
    let size = match std::fs::metadata(path) {
        Err(_) => return Check::ok(NAME, format!("{shown} (SQLite) does not exist yet; the first run creates it")),
        Ok(meta) => meta.len() as f64 / 1e6,
    };
    let looked = async {
        // a copy is looked at, so that a run at work is not disturbed
        let store = Store::snapshot_of(path).await?;
        store.in_use_as(path).await?;
        let damage = store.damage().await?;
        let judged = match damage {
            Some(_) => None,
            None => Archive::open(store).await?.for_part(part).judged().await?.until(),
        };
        anyhow::Ok((damage, judged))
    };
    match looked.await {
        Ok((None, judged)) => {
            let judged = judged
                .map_or_else(|| "nothing judged yet".to_owned(), |until| format!("judged up to {}", instant(until)));
            let note = note.map(|note| format!("; {note}")).unwrap_or_default();
            Check::ok(NAME, format!("{shown} (SQLite), {size:.1} MB, no damage, {judged}{note}"))
        }
        Ok((Some(damage), _)) => {
            Check::fail(NAME, format!("{shown} is damaged: {damage}"), "move it away to start with an empty one")
        }
        Err(error) => Check::failed(NAME, error),
    }
}

fn lock<C>(path: &Path, setup: &Setup<'_, C>) -> Check {
    const NAME: &str = "lock";
    let limit = TimeDelta::from_std(setup.common.run_limit.0).unwrap_or(TimeDelta::MAX);
    let folder = folder_of(path);
    let existing = folder.ancestors().find(|folder| folder.exists());
    if let Some(kind) = existing.and_then(files::network_file_system) {
        let text = format!(
            "{} is on a file system of the kind {kind}, where a lock may hold on one machine only",
            folder.display()
        );
        return Check::warn(NAME, text, "choose a folder on a disk of this machine with `--state`");
    }
    match RunLock::holder(path) {
        Ok(None) => Check::ok(NAME, "free, as no run is at work"),
        Ok(Some(Holder { since: Some(since) })) if setup.now - since > limit => Check::fail(
            NAME,
            format!("a run that began at {} still holds it, longer than `run_limit`", instant(since)),
            "end that process",
        ),
        Ok(Some(Holder { since })) => {
            let since = since.map(|since| format!(" since {}", instant(since))).unwrap_or_default();
            Check::ok(NAME, format!("a run is at work{since}"))
        }
        Err(error) => Check::failed(NAME, error),
    }
}

/// Signs in at the mail server and names the sender, and sends nothing.
pub(super) async fn mail<P: Program>(setup: &Setup<'_, P::Config>) -> Option<Check> {
    const NAME: &str = "mail";
    let mailer = match setup.mailer() {
        Ok(Some(mailer)) => mailer,
        Ok(None) if setup.config.needs_mail() => {
            let remedy = "set `mail.host` and `mail.from`";
            return Some(Check::usage(NAME, "the settings ask for mails, but no mail server is set", remedy));
        }
        Ok(None) => return None,
        Err(error) => return Some(Check::usage(NAME, error.to_string(), "correct it")),
    };
    let host = setup.common.mail.host.as_deref().unwrap_or_default();
    const REMEDY: &str = "correct `mail.*`, or ask whoever runs the server";
    let accepted = if setup.common.mail.user.is_some() { "sign-in and the sender" } else { "sender" };
    Some(match within(LONGEST_CHECK, mailer.probe()).await {
        Ok(Ok(())) => Check::ok(NAME, format!("{host} accepts the {accepted}; no mail was sent")),
        Ok(Err(MailError::Sender { source })) => Check::fail(
            NAME,
            format!(
                "{host} accepts no mail from this sender: {}",
                PortalText::new(source.to_string()).for_terminal_within(1_000)
            ),
            "correct `mail.from`, or ask whoever runs the server",
        ),
        Ok(Err(error)) => Check::fail(
            NAME,
            // part of it is what the server said
            PortalText::new(format!("{:#}", anyhow::Error::new(error))).for_terminal_within(1_000),
            REMEDY,
        ),
        Err(late) => Check::fail(NAME, format!("{host} {late}"), REMEDY),
    })
}

pub(super) async fn heartbeat<C>(setup: &Setup<'_, C>) -> Check {
    const NAME: &str = "heartbeat";
    match setup.common.heartbeat_url() {
        Ok(Some(url)) => address(setup, NAME, &url).await,
        Ok(None) => Check::warn(
            NAME,
            "not set: nobody notices when runs stop",
            "set `heartbeat.url` to a check of Healthchecks or the like",
        ),
        // named among the mistakes in the settings
        Err(_) => Check::warn(NAME, "not checked", "correct `heartbeat.url` first"),
    }
}

pub(super) fn textfile<C>(setup: &Setup<'_, C>) -> Check {
    const NAME: &str = "textfile";
    if setup.common.textfile.is_none() {
        return Check::ok(NAME, "not set");
    }
    let (Some(path), Ok(portal)) = (setup.textfile(), setup.portal_url()) else {
        return Check::warn(NAME, "not checked", "correct `portal.url` first");
    };
    let portal = metrics::portal_label(&portal);
    let labels = Labels { program: setup.about.name, version: setup.about.version, portal: &portal };
    let shown = path.display();
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return unwritable(NAME, &path, &error),
        text => text.unwrap_or_default(),
    };
    if let Some(stranger) = labels.stranger(&text) {
        let remedy =
            "give each program and portal a file of its own, for instance with `{program}` and `{portal}` in its name";
        return Check::usage(NAME, format!("{shown} holds {stranger}, so no run replaces it"), remedy);
    }
    // it is replaced, so its folder counts
    match folder_writable(&folder_of(&path)) {
        Ok(()) => Check::ok(
            NAME,
            format!("{shown} belongs to this program or does not exist yet, and its folder can be written"),
        ),
        Err(error) => unwritable(NAME, &path, &error),
    }
}

pub(super) fn file(name: &'static str, path: &Path) -> Check {
    match appendable(path) {
        Ok(()) => Check::ok(name, format!("{} can be appended to; nothing was written", path.display())),
        Err(error) => unwritable(name, path, &error),
    }
}

fn unwritable(name: &'static str, path: &Path, error: &io::Error) -> Check {
    let remedy = "create its folder, and give this user the right to write there";
    Check::fail(name, format!("{} cannot be written ({error})", path.display()), remedy)
}

/// An address that runs post to. It often is a secret, so only its host is shown.
pub(super) async fn address<C>(setup: &Setup<'_, C>, name: &'static str, url: &Url) -> Check {
    let host = url.host_str().unwrap_or_default();
    let (stream, way) = match proxy(setup, url) {
        Some(proxy) => match through(setup, name, url, proxy).await {
            Ok(stream) => (stream, format!(" through {proxy}")),
            Err(check) => return check,
        },
        None => match reach(url).await {
            Ok(stream) => (stream, String::new()),
            Err(why) => return Check::fail(name, why, "check the address, DNS and firewall"),
        },
    };
    if url.scheme() != "https" {
        let text = format!("{host} accepts connections{way}; nothing was sent, so the address is not proven");
        return Check::ok(name, text);
    }
    let ca_file = setup.common.outbound.ca_file.as_ref().map(|path| path.as_path());
    match within(LONGEST_CHECK, tls_handshake(stream, host, ca_file)).await {
        Ok(Ok(())) => {
            let text = format!(
                "{host} accepts connections{way}, and its certificate is trusted; nothing was sent, so the address is not proven"
            );
            Check::ok(name, text)
        }
        Ok(Err(HandshakeError::Certificate(fault))) => {
            Check::fail(name, format!("the certificate of {host} {fault}"), fault.remedy())
        }
        Ok(Err(error)) => Check::fail(
            name,
            format!("no encrypted connection to {host} could be made ({:#})", anyhow::Error::new(error)),
            "check the address; a server without TLS has an address with `http://`",
        ),
        Err(late) => Check::fail(name, format!("{host} {late}"), "check the address, or ask whoever runs the server"),
    }
}

/// Whether a file, and the folders above it, can be made or changed. Makes neither.
fn writable(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned();
    folder_writable(&existing)?;
    if path.exists() { appendable(path) } else { Ok(()) }
}

fn appendable(path: &Path) -> io::Result<()> {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if path.exists() || is_link {
        return files::open_append_existing(path).map(|_| ());
    }
    folder_writable(&folder_of(path))
}

/// The file has no name while it exists, so nobody sees it.
fn folder_writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(|_| ())
}

fn folder_of(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().unwrap_or(Path::new("/")).to_owned()
}
