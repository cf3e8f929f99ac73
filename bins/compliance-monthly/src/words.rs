//! Words that stand in several parts of the report.

use audit_model::{ActClass, AuditEvent, PortalText};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

/// An instant as it was on the clocks of the zone, with its offset.
pub(crate) fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Longest name or title on the first page and in tables: whoever chooses it cannot push the rest out of sight.
const LONGEST_NAME: usize = 80;

/// Longest sentence of an event in tables; the attachments have it in full.
const LONGEST_LINE: usize = 300;

/// A name or a title, on one line.
pub(crate) fn name(text: &PortalText) -> String {
    text.for_terminal_within(LONGEST_NAME)
}

/// What was done, as tables say it.
pub(crate) fn done_in_short(event: &AuditEvent) -> String {
    event.text.as_ref().map_or_else(|| event.action.to_string(), |text| text.for_terminal_within(LONGEST_LINE))
}

/// What was done, in the portal's sentence where it has one, on one line.
pub(crate) fn done(event: &AuditEvent) -> String {
    event.text.as_ref().map_or_else(|| event.action.to_string(), |text| text.for_terminal())
}

pub(crate) fn class(class: ActClass) -> &'static str {
    match class {
        ActClass::View => "openings and views",
        ActClass::Download => "downloads",
        ActClass::Change => "changes, uploads and copies",
        ActClass::Delete => "deletions",
        ActClass::Share => "links and shares",
        ActClass::Membership => "changes of room members",
    }
}
