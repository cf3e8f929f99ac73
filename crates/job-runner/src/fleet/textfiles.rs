//! One metrics file for many portals. Each run writes one of its own, which holds what the shared file knew of its portal; together they
//! replace the shared file. A file that is one portal's alone is left to its run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use job_store::files;
use tracing::warn;

use super::portals::Portal;
use super::summary::Outcome;
use crate::metrics::{self, Labels};
use crate::program::Program;

/// The files that several portals of a fleet share.
#[derive(Debug, Default)]
pub(crate) struct Textfiles {
    /// The run's own, by the portal's index.
    own: BTreeMap<usize, PathBuf>,
    /// Those who share it, by file.
    shared: BTreeMap<PathBuf, Vec<usize>>,
}

impl Textfiles {
    /// Hands each portal its lines.
    pub(crate) fn prepare<P: Program>(portals: &[Portal], spool: &Path) -> Self {
        let mut shared: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (index, portal) in portals.iter().enumerate().filter(|(_, portal)| portal.url.is_some()) {
            portal.textfile.iter().for_each(|path| shared.entry(path.clone()).or_default().push(index));
        }
        shared.retain(|_, members| members.len() > 1);
        let mut own = BTreeMap::new();
        for (path, members) in &shared {
            let before = fs::read_to_string(path).unwrap_or_default();
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
        Textfiles { own, shared }
    }

    /// The run's own file, where its portal shares one.
    pub(crate) fn of(&self, index: usize) -> Option<&Path> {
        self.own.get(&index).map(PathBuf::as_path)
    }

    /// Makes one file of all. What a run was not able to say of its end is said for it.
    pub(crate) fn merge<P: Program>(&self, portals: &[Portal], outcomes: &[Outcome], now: DateTime<Utc>) {
        for outcome in outcomes.iter().filter(|outcome| outcome.was_started && outcome.is_cut) {
            if let Some(path) = self.of(outcome.index) {
                let written = metrics::write(path, labels::<P>(&portals[outcome.index]), now, outcome.exit, None);
                written.unwrap_or_else(|failure| warn!("no metrics of {}: {failure}", portals[outcome.index].name));
            }
        }
        for (path, members) in &self.shared {
            if let Err(failure) = self.merge_into::<P>(path, members, portals) {
                let remedy = "check that its folder exists and that this user may write there";
                warn!("cannot write the textfile {}: {failure}; {remedy}", path.display());
            }
        }
    }

    fn merge_into<P: Program>(&self, path: &Path, members: &[usize], portals: &[Portal]) -> io::Result<()> {
        let before = fs::read_to_string(path).unwrap_or_default();
        if let Some(line) = metrics::foreign_line(&before, P::ABOUT.name) {
            let line = PortalText::new(line).for_terminal_within(100);
            return Err(io::Error::other(format!("it holds metrics of something else ({line})")));
        }
        let mut pages: Vec<String> = Vec::new();
        for file in members.iter().filter_map(|index| self.of(*index)) {
            pages.push(fs::read_to_string(file)?);
        }
        // portals that somebody else looks at, or nobody any more: an alert on their age must not fall silent
        let is_members =
            |line: &str| members.iter().any(|&index| labels::<P>(&portals[index]).own_lines(line).next().is_some());
        let others = before.lines().filter(|line| !is_members(line));
        pages.push(others.map(|line| format!("{line}\n")).collect());
        files::replace(path, metrics::merged(pages.iter().map(String::as_str)).as_bytes(), files::READABLE)
    }
}

fn labels<P: Program>(portal: &Portal) -> Labels<'_> {
    Labels { program: P::ABOUT.name, version: P::ABOUT.version, portal: &portal.label }
}
