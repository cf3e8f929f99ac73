//! What all text reports say in the same words: times, how much was read, and what was not seen.

use std::io;

use audit_model::{BlindSpot, Coverage, FindingState, Gap, GapReason, MainSource, Severity, SourceCoverage, Window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Instants as the portal's own pages show them.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub Tz);

impl Clock {
    /// To the second.
    pub fn at(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The day alone.
    pub fn day(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.0).format("%Y-%m-%d").to_string()
    }

    /// Both ends, to the second.
    pub fn span(&self, window: Window) -> String {
        format!("{} to {}", self.at(window.since), self.at(window.until))
    }
}

/// Whether a finding of that state is told: when it is new or has grown. JSON has the others too.
pub fn is_told(state: FindingState) -> bool {
    matches!(state, FindingState::New | FindingState::Grown)
}

/// `1 event`, `2 events`
pub fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The word that a finding begins with.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFO",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// Why a report says nothing, for the first line.
pub fn nothing(coverage: &Coverage) -> String {
    let main = match coverage.main {
        MainSource::Audit => "audit",
        MainSource::Logins => "logins",
    };
    let decisive = |what: &str| coverage.gaps.iter().find(|gap| gap.what == what);
    let what = match decisive("store")
        .or_else(|| decisive("run"))
        .or_else(|| decisive(main))
        .map(|gap| (gap.what.as_str(), gap.why))
    {
        Some((_, GapReason::Interrupted)) => "somebody ended the run before anything was read",
        Some((_, GapReason::BudgetExhausted)) => "the run reached a limit before anything was read",
        Some(("store", _)) => "this program's own store could not be used",
        Some(("run", _)) => "the run failed; the notes say why",
        _ if main == "logins" => "the login history could not be read",
        _ => "the audit trail could not be read",
    };
    format!("nothing can be concluded: {what}")
}

/// What was read, what was not seen and why, and what no portal records.
///
/// # Errors
/// Of the writer.
pub fn coverage(coverage: &Coverage, clock: Clock, out: &mut impl io::Write) -> io::Result<()> {
    // logins are told where they are what the program goes by
    let logins = coverage.logins.as_ref().filter(|_| coverage.main == MainSource::Logins);
    let read = [(logins, "login event"), (coverage.audit.as_ref(), "event")];
    let read: Vec<String> =
        read.into_iter().filter_map(|(source, what)| source.map(|source| rows(source, what))).collect();
    if !read.is_empty() {
        writeln!(out, "Read: {}", read.join("; "))?;
    }
    if coverage.unattributed > 0 {
        writeln!(out, "Not tied to any known room: {}", plural(coverage.unattributed, "act"))?;
    }
    for gap in gaps(coverage, |span| clock.span(span)) {
        writeln!(out, "Not seen: {gap}")?;
    }
    if coverage.blind_spots.contains(&BlindSpot::NoMemory) {
        writeln!(out, "Without memory: {}", blind_spot(BlindSpot::NoMemory))?;
    }
    let of_portal = coverage.blind_spots.iter().copied().filter(|spot| *spot != BlindSpot::NoMemory);
    let never: Vec<&str> = of_portal.map(blind_spot).collect();
    if !never.is_empty() {
        writeln!(out, "Never recorded by the portal: {}", never.join("; "))?;
    }
    Ok(())
}

/// More gaps than these make a list that nobody reads.
const GAPS_SHOWN: usize = 5;

/// What was not seen, a line each without its beginning: neighbours of one reason are one, and after five of them only how many more
/// there are. `span` writes both ends.
pub fn gaps(coverage: &Coverage, span: impl Fn(Window) -> String) -> Vec<String> {
    let merged = coverage.merged_gaps();
    let line = |gap: &Gap| format!("{}, {}: {}", source(&gap.what), span(gap.span), gap.explanation());
    let mut lines: Vec<String> = merged.iter().take(GAPS_SHOWN).map(line).collect();
    if let more @ 1.. = merged.len().saturating_sub(GAPS_SHOWN) {
        let times =
            if more == 1 { "1 more stretch of time".to_owned() } else { format!("{more} more stretches of time") };
        lines.push(format!("{times}; `--format json` lists all"));
    }
    lines
}

fn rows(source: &SourceCoverage, what: &str) -> String {
    let late = if source.late_rows > 0 { format!(", {} of them late", source.late_rows) } else { String::new() };
    format!("{}{late}", plural(source.rows, what))
}

fn source(what: &str) -> &str {
    match what {
        "audit" => "audit trail",
        "logins" => "login history",
        "rooms" => "list of rooms",
        "room_log" => "activity log of a room",
        "people" => "accounts of people",
        "folders" => "contents of folders",
        "hidden_folders" => "folders that the key may not see",
        "destinations" => "folders that something was moved to",
        "hidden_destinations" => "folders that something was moved to and that the key may not see",
        "files" => "documents that were looked up",
        "hidden_files" => "documents that the key may not see",
        "members" => "members of a room",
        "restrictions" => "the portal's address list",
        "store" => "this program's own store",
        "run" => "this run",
        other => other,
    }
}

/// What is never recorded, after "no portal records".
pub fn blind_spot(spot: BlindSpot) -> &'static str {
    match spot {
        BlindSpot::StreamDownloads => "downloads through action=stream",
        BlindSpot::ViewOnlySessions => "documents opened only to read",
        BlindSpot::KeyLogins => "use of API keys",
        BlindSpot::FilesInFolderOperations => "the files inside folders that were downloaded, moved or deleted",
        BlindSpot::Ipv6 => "IPv6 addresses in full",
        BlindSpot::BlockedLogins => "logins that the address list refused",
        BlindSpot::NoMemory => "what was told before, what has changed, and what earlier runs left unseen",
    }
}
