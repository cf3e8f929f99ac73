//! The members that every JSON report begins with.

use alerting::{Alert, AlertContext};
use audit_model::{Coverage, Finding, Window};
use chrono::{DateTime, Utc};
use report::words;
use serde::Serialize;
use url::Url;

use crate::job::Job;

/// The common head of a report. Programs put it first, flattened, and their own members behind it.
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
}

#[derive(Clone, Debug, Serialize)]
pub struct ProgramName {
    pub name: &'static str,
    pub version: &'static str,
}

/// Absent members are unknown: the portal could not be asked.
#[derive(Clone, Debug, Serialize)]
pub struct PortalName {
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<chrono_tz::Tz>,
}

/// The only part of a report that differs when the same run is repeated.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    pub started_at: DateTime<Utc>,
    pub dry_run: bool,
}

impl Head {
    /// The head of a report of `job`. `report_version` is the number in the schema's name.
    pub fn new(job: &Job, report_version: u32, coverage: Coverage) -> Self {
        Head {
            schema: format!("{}/{report_version}", job.program),
            program: ProgramName { name: job.program, version: job.version },
            portal: PortalName {
                url: job.portal_url.as_str().trim_end_matches('/').to_owned(),
                version: job.portal.as_ref().and_then(|portal| portal.version.clone()),
                time_zone: job.portal.as_ref().map(|portal| portal.time_zone),
            },
            run: RunFacts { started_at: job.now, dry_run: job.dry_run },
            window: job.window,
            coverage,
            notes: job.notes.clone(),
        }
    }

    /// One alert for each finding that is new or has grown.
    pub fn alerts(&self, findings: &[Finding]) -> Vec<Alert> {
        let Ok(portal_url) = Url::parse(&self.portal.url) else { return Vec::new() };
        let context = AlertContext {
            program: self.program.name,
            version: self.program.version,
            portal_url: &portal_url,
            coverage: &self.coverage,
        };
        words::told(findings).map(|finding| Alert::from_finding(finding, &context)).collect()
    }
}
