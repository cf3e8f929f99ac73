//! One metrics file for many portals. Each run writes one of its own, which holds what the shared file knew of its portal, and its lines
//! replace those of its portal in the shared file. All other lines there stay: of portals whose runs go on, that another run looks at, or
//! that nobody looks at any more. A file that is one portal's alone is left to its run.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use audit_model::PortalText;
use job_store::files;
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::outcome::{Outcome, Standing};
use super::portals::Portal;
use crate::metrics::{self, Labels};
use crate::program::Program;
use crate::setup;

/// Another fleet has the folder for a moment. When it takes longer, somebody else has it, who may keep it for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks whether the folder is free.
const PAUSE: Duration = Duration::from_millis(5);

/// The runs' own files in place of those that several portals of a round share.
#[derive(Debug, Default)]
pub(crate) struct Textfiles {
    /// By the portal's index.
    own: BTreeMap<usize, PathBuf>,
}

impl Textfiles {
    /// Hands each portal its lines.
    pub(crate) fn prepare<P: Program>(portals: &[Portal], spool: &Path) -> Self {
        let mut shared: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for (index, portal) in portals.iter().enumerate().filter(|(_, portal)| portal.url.is_some()) {
            portal.textfile.iter().for_each(|path| shared.entry(path).or_default().push(index));
        }
        let mut own = BTreeMap::new();
        for (path, members) in &shared {
            let before = fs::read_to_string(path).unwrap_or_default();
            if members.len() == 1 && !has_others::<P>(&portals[members[0]], &before) {
                continue;
            }
            for &index in members {
                let file = spool.join(format!("{index}.prom"));
                let lines: String =
                    labels::<P>(&portals[index]).own_lines(&before).map(|line| format!("{line}\n")).collect();
                match files::replace(&file, lines.as_bytes(), files::PRIVATE) {
                    Ok(()) => drop(own.insert(index, file)),
                    Err(failure) => warn!("no metrics of {}: {failure}", portals[index].name),
                }
            }
        }
        Textfiles { own }
    }

    /// The run's own file, where its portal shares one.
    pub(crate) fn of(&self, index: usize) -> Option<&Path> {
        self.own.get(&index).map(PathBuf::as_path)
    }
}

/// Whether the file tells of other portals, too: of those whose settings nobody can read any more, or whose settings are gone.
fn has_others<P: Program>(portal: &Portal, text: &str) -> bool {
    labels::<P>(portal).stranger(text).is_some() && metrics::foreign_line(text, P::ABOUT.name).is_none()
}

/// A run that has ended, and its own file.
type Written<'a> = (&'a Outcome, &'a Path);

/// Puts what these runs have written into the files that their portals share. What a run was not able to say of its end is said for it.
pub(crate) async fn merge<P: Program>(outcomes: &[Outcome]) {
    let mut shared: BTreeMap<&Path, Vec<Written<'_>>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.was_started && outcome.standing == Standing::Done) {
        if let Some((own, path)) = outcome.run.textfile() {
            shared.entry(path).or_default().push((outcome, own));
        }
    }
    for (path, written) in shared {
        for (outcome, own) in written.iter().filter(|(outcome, _)| outcome.is_cut) {
            let (portal, now) = (outcome.run.portal(), outcome.run.started_at());
            let said = metrics::write(own, labels::<P>(portal), now, outcome.exit, None);
            said.unwrap_or_else(|failure| warn!("no metrics of {}: {failure}", portal.name));
        }
        let _lock = lock(path).await;
        if let Err(failure) = merge_into::<P>(path, &written) {
            let remedy = "check that its folder exists and that this user may write there";
            warn!("cannot write the textfile {}: {failure}; {remedy}", path.display());
        }
    }
}

fn merge_into<P: Program>(path: &Path, written: &[Written<'_>]) -> io::Result<()> {
    let before = fs::read_to_string(path).unwrap_or_default();
    if let Some(line) = metrics::foreign_line(&before, P::ABOUT.name) {
        let line = PortalText::new(line).for_terminal_within(100);
        return Err(io::Error::other(format!("it holds metrics of something else ({line})")));
    }
    let mut pages: Vec<String> = Vec::new();
    for (outcome, own) in written {
        // a later run of another fleet may have been written meanwhile
        let page = fs::read_to_string(own)?;
        pages.push(labels::<P>(outcome.run.portal()).later(&page, &before, setup::now()));
    }
    let labels: Vec<Labels<'_>> = written.iter().map(|(outcome, _)| labels::<P>(outcome.run.portal())).collect();
    // an alert on the age of what somebody else looks at, or nobody any more, must not fall silent
    let others = before.lines().filter(|line| !labels.iter().any(|labels| labels.own_lines(line).next().is_some()));
    pages.push(others.map(|line| format!("{line}\n")).collect());
    files::replace(path, metrics::merged(pages.iter().map(String::as_str)).as_bytes(), files::READABLE)
}

/// Keeps fleets apart that write into one folder. The folder itself is locked: what is in it is replaced, and a file that one user has
/// made for that would keep others out. Without a lock where the system has none, or somebody does not give it away: what is
/// written without one is rarely lost, what is not written always.
#[expect(
    clippy::disallowed_methods,
    reason = "a lock of the system can be waited for in a thread only, which nobody could end"
)]
async fn lock(path: &Path) -> Option<File> {
    let folder = File::open(path.parent()?).ok()?;
    let began = Instant::now();
    loop {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => sleep(PAUSE).await,
            Err(_) => return None,
        }
    }
}

fn labels<P: Program>(portal: &Portal) -> Labels<'_> {
    Labels { program: P::ABOUT.name, version: P::ABOUT.version, portal: &portal.label }
}
