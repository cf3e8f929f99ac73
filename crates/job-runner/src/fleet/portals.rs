//! Which portals there are: a settings file for each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_model::PortalText;
use url::Url;

use crate::Error;
use crate::config::{self, Sources};
use crate::metrics;
use crate::program::Program;
use crate::state_path::{file_name, state_paths};
use crate::stop::longest;

/// How much longer than a run allows itself it is waited for: alerts, mails and the heartbeat come after its limit.
const PATIENCE: Duration = Duration::from_secs(60);

/// One portal of a fleet.
#[derive(Debug)]
pub(crate) struct Portal {
    /// Of the file, without its ending; safe on a terminal.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// `None` when the settings do not say it; its run says what is wrong.
    pub(crate) url: Option<Url>,
    /// What metrics call it.
    pub(crate) label: String,
    pub(crate) run_limit: Duration,
    pub(crate) textfile: Option<PathBuf>,
    /// The folder in which its program remembers it; `None` when the settings name a server, do not say it, or are wrong.
    pub(crate) state: Option<PathBuf>,
    /// Why it is not looked at.
    pub(crate) refusal: Option<String>,
}

impl Portal {
    /// After which its run hangs.
    pub(crate) fn limit(&self) -> Duration {
        longest(self.run_limit).saturating_add(PATIENCE)
    }
}

/// The portals of a folder, by the names of their files. Files that begin with a dot, have another ending, or lie deeper are none.
///
/// # Errors
/// The folder cannot be read, or holds no settings.
pub(crate) fn read<P: Program>(folder: &Path, sources: &Sources) -> Result<Vec<Portal>, Error> {
    let unreadable = |source| Error::PortalsUnreadable { folder: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|ending| ending == "toml") && !is_hidden && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::NoPortals(folder.to_owned()));
    }
    let mut portals: Vec<Portal> = files.into_iter().map(|file| portal::<P>(file, sources)).collect();
    refuse_twins(&mut portals);
    Ok(portals)
}

fn portal<P: Program>(file: PathBuf, sources: &Sources) -> Portal {
    let mut own = sources.clone();
    own.own_files.push(file.clone());
    let read = config::read::<P::Config>(P::ABOUT.name, &own);
    let is_right = read.problems.is_empty();
    // what is wrong with them is for the run to say
    let common = read.settings.map(|(common, _)| common).unwrap_or_default();
    let url = common.portal_url().ok();
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Portal {
        name: PortalText::new(name).for_terminal_within(100),
        file,
        state: url.as_ref().filter(|_| is_right).and_then(|url| {
            let state = common.state.as_ref().map(|path| path.as_path());
            let paths = state_paths(P::ABOUT.name, url, state, &sources.environment).ok()?;
            paths.lock.parent().map(Path::to_owned)
        }),
        label: url.as_ref().map(metrics::portal_label).unwrap_or_default(),
        url,
        run_limit: common.run_limit.0,
        textfile: common.textfile.as_ref().map(|path| path.as_path().to_owned()),
        refusal: None,
    }
}

/// Two files for one portal would take turns at one memory, with settings of which nobody knows which count.
fn refuse_twins(portals: &mut [Portal]) {
    let mut by_portal: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, portal) in portals.iter().enumerate() {
        let name = portal.url.as_ref().and_then(|url| file_name(url).ok());
        name.into_iter().for_each(|name| by_portal.entry(name).or_default().push(index));
    }
    for twins in by_portal.values().filter(|twins| twins.len() > 1) {
        let names: Vec<String> = twins.iter().map(|&index| format!("{}.toml", portals[index].name)).collect();
        let refusal = format!("not looked at: the files {} name the same portal; remove all but one", names.join(", "));
        twins.iter().for_each(|&index| portals[index].refusal = Some(refusal.clone()));
    }
}
