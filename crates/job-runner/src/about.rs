//! What a program is, whatever its settings.

use audit_model::{BlindSpot, MainSource, Source};
use chrono::TimeDelta;

/// What does not change from run to run.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Name of the binary, of its settings in the environment, and of its state.
    pub name: &'static str,
    pub version: &'static str,
    /// What it does, for `--help`: a sentence without a full stop.
    pub summary: &'static str,
    /// Version of the JSON report; a change that breaks readers raises it.
    pub report_version: u32,
    /// How far the window reaches back from its end when nothing says otherwise.
    pub window: TimeDelta,
    /// Without it nothing can be concluded.
    pub main: MainSource,
    /// What no portal records of the matter, however complete the look is.
    pub blind_spots: &'static [BlindSpot],
    /// What the rule needs of the portal. Time of which one of these is missing was not judged, and is looked at again by
    /// the next run; whatever else is missing only makes a report poorer.
    pub judged_by: &'static [Source],
    /// When it usually runs, as cron writes it.
    pub schedule: &'static str,
    /// Whether each finding becomes an alert, so that `alerts.*` does something.
    pub sends_alerts: bool,
}
