//! The members that every JSON report begins with.

use audit_model::{Coverage, Window};
use chrono::{DateTime, Utc};
use docspace_client::Portal;
use serde::{Serialize, Serializer};
use url::Url;

use crate::about::About;
use crate::naming::Naming;

/// The common head of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// Name of the program and version of its report, for instance `vdr-watch/1`.
    pub schema: String,
    pub program: ProgramName,
    pub portal: PortalName,
    pub run: RunFacts,
    pub window: Window,
    pub coverage: Coverage,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How people are named in whatever is made from this: reports, files and alerts.
    #[serde(skip)]
    pub naming: Naming,
}

#[derive(Clone, Debug, Serialize)]
pub struct ProgramName {
    pub name: &'static str,
    pub version: &'static str,
}

/// Absent members are unknown: the portal could not be asked.
#[derive(Clone, Debug, Serialize)]
pub struct PortalName {
    #[serde(serialize_with = "without_slash")]
    pub url: Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<chrono_tz::Tz>,
}

impl PortalName {
    /// `portal` is `None` when it could not be asked.
    pub fn new(url: Url, portal: Option<&Portal>) -> Self {
        PortalName {
            url,
            version: portal.and_then(|portal| portal.version.clone()),
            time_zone: portal.map(|portal| portal.time_zone),
        }
    }

    /// As people write it: without a slash at its end.
    pub fn shown(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

fn without_slash<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str().trim_end_matches('/'))
}

/// The only part of a report that differs when the same run is repeated.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    pub started_at: DateTime<Utc>,
    pub dry_run: bool,
}

impl Head {
    /// The head of a report of this program, without notes.
    pub fn new(about: &About, portal: PortalName, run: RunFacts, window: Window, coverage: Coverage) -> Self {
        Head {
            schema: format!("{}/{}", about.name, about.report_version),
            program: ProgramName { name: about.name, version: about.version },
            portal,
            run,
            window,
            coverage,
            notes: Vec::new(),
            naming: Naming::default(),
        }
    }
}
