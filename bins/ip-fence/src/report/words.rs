//! Words and times that all reports of this program share.

use std::io;

use audit_model::{BlindSpot, Coverage, Severity, SourceCoverage, Window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::found::plural;

/// Instants as the portal's own pages show them.
pub(crate) struct Clock(pub(crate) Tz);

impl Clock {
    pub(crate) fn at(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    pub(crate) fn day(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d").to_string()
    }

    pub(crate) fn span(&self, window: Window) -> String {
        format!("{} to {}", self.at(window.since), self.at(window.until))
    }
}

pub(crate) fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFO",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// What was read, what was not, and what nobody can read.
pub(crate) fn coverage_text(coverage: &Coverage, clock: &Clock, out: &mut impl io::Write) -> io::Result<()> {
    let counted = |source: &Option<SourceCoverage>, what: &str| {
        let source = source.as_ref()?;
        let late = if source.late_rows > 0 { format!(" ({} late)", source.late_rows) } else { String::new() };
        Some(format!("{}{late}", plural(source.rows, what)))
    };
    let read = [counted(&coverage.logins, "login event"), counted(&coverage.audit, "event")];
    let read: Vec<String> = read.into_iter().flatten().collect();
    if !read.is_empty() {
        writeln!(out, "Read: {}", read.join(", "))?;
    }
    for gap in &coverage.gaps {
        writeln!(out, "Not seen: {}, {}: {}", source(&gap.what), clock.span(gap.span), gap.why.explanation())?;
    }
    let never: Vec<&str> = coverage.blind_spots.iter().copied().map(blind_spot).collect();
    if !never.is_empty() {
        writeln!(out, "Never recorded by the portal: {}", never.join("; "))?;
    }
    Ok(())
}

fn source(what: &str) -> &str {
    match what {
        "audit" => "audit trail",
        "logins" => "login history",
        "people" => "list of people and groups",
        "address_list" => "the portal's own address list",
        other => other,
    }
}

pub(crate) fn blind_spot(spot: BlindSpot) -> &'static str {
    match spot {
        BlindSpot::StreamDownloads => "downloads through action=stream",
        BlindSpot::ViewOnlySessions => "documents opened only to read",
        BlindSpot::KeyLogins => "logins by API key",
        BlindSpot::FilesInFolderOperations => "the files inside folders that were downloaded, moved or deleted",
        BlindSpot::Ipv6 => "IPv6 addresses in full",
        BlindSpot::BlockedLogins => "logins that the portal's own address list refused",
    }
}
