//! What a report is about, and which folder that leads to: two months, portals or restrictions do not share one.

use std::path::{Path, PathBuf};

use audit_model::PortalText;
use job_runner::Job;
use serde_json::{Value, json};

use crate::bundle::manifest::{Manifest, PeriodFacts, read_manifest};
use crate::config::Config;
use crate::period::Period;

/// What a report is about. Two that differ in it have no place in one folder.
#[derive(Clone)]
pub(crate) struct Subject {
    portal: String,
    period: PeriodFacts,
    /// What it is restricted to, as the manifest keeps it.
    only: Value,
    /// The same as the manifest keeps it where names are pseudonyms.
    only_shown: Value,
    /// Whether the name of its folder has its period in it.
    pub(crate) has_own_folder: bool,
}

impl Subject {
    pub(crate) fn of(config: &Config, job: &Job, period: &Period) -> Self {
        Subject {
            portal: job.portal_url.as_str().trim_end_matches('/').to_owned(),
            period: period.facts(),
            only: json!(config.only),
            only_shown: job.naming.json(json!(config.only)),
            has_own_folder: config.out.as_ref().is_some_and(|out| out.as_path().to_string_lossy().contains("{month}")),
        }
    }

    /// Whether the report of this manifest is about the same, by other clocks.
    fn has_other_clocks(&self, there: &Manifest) -> bool {
        let as_there = Subject { period: there.period.clone(), ..self.clone() };
        there.period.label == self.period.label && there.period != self.period && as_there.difference(there).is_none()
    }

    /// How the report of this manifest differs; `None` when it is about the same.
    pub(crate) fn difference(&self, there: &Manifest) -> Option<String> {
        let url = there.portal.get("url").and_then(Value::as_str).unwrap_or_default();
        let (label, old) = (&self.period.label, &there.period.label);
        // anybody may have written the manifest
        let shown = |text: &str| PortalText::new(text).for_terminal();
        if old != label {
            Some(format!("holds the report of {}, so that of {label} cannot be written there", shown(old)))
        } else if url.trim_end_matches('/') != self.portal {
            Some(format!("holds the report of another portal, {}", shown(url)))
        } else if there.period != self.period {
            Some(format!("holds a report of other clocks, of {}", shown(&there.period.time_zone)))
        } else if there.query.get("only").is_none_or(|only| ![&self.only, &self.only_shown].contains(&only)) {
            Some("holds a report that is restricted otherwise".to_owned())
        } else {
            None
        }
    }
}

/// Where the files go.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// Why it is another one than the settings say.
    pub(crate) note: Option<String>,
}

/// The folder that the settings name. Where it holds the same month by the clocks that the portal had then, the zone is added to its name,
/// so that neither report replaces the other.
pub(crate) fn folder(config: &Config, job: &Job, period: &Period) -> Option<Folder> {
    let path = config.out.as_ref()?.as_path().to_string_lossy().replace("{month}", &period.label());
    let subject = Subject::of(config, job, period);
    let there = read_manifest(Path::new(&path)).ok();
    let other = there.filter(|there| config.time_zone.is_none() && subject.has_other_clocks(there));
    let Some(other) = other else { return Some(Folder { path: PathBuf::from(path), note: None }) };
    let by_zone = format!("{}_{}", path.trim_end_matches('/'), period.zone.name().replace('/', "-"));
    let note = format!(
        "the portal's time zone was {} when this was first reported, in {path}; this report goes by {}, and is in {by_zone}",
        PortalText::new(other.period.time_zone.as_str()).for_terminal(),
        period.zone
    );
    Some(Folder { path: PathBuf::from(by_zone), note: Some(note) })
}
