//! What a run read, what it could not read, and why: the statement that keeps silence honest.

use chrono::{DateTime, Utc};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::{GapReason, Window};

/// What this portal never records, however complete the read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlindSpot {
    /// Downloads through `action=stream` leave no event, for anybody.
    StreamDownloads,
    /// Opening a document only to read it leaves no event.
    ViewOnlySessions,
    /// Nothing in an event says that an API key was used.
    KeyLogins,
    /// A folder operation is one event, whatever it holds.
    FilesInFolderOperations,
    /// IPv6 addresses are cut at the first colon.
    Ipv6,
    /// Logins refused by the portal's address list leave no event.
    BlockedLogins,
    /// This run remembers nothing of earlier ones, because its store could not be used: what is new, what has changed, and what was left
    /// unseen before it cannot tell.
    NoMemory,
}

/// A span of one source that was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Gap {
    /// The source: `audit`, `logins`, `rooms`, `room_log`.
    pub what: String,
    #[serde(flatten)]
    pub span: Window,
    pub why: GapReason,
}

/// As in reports.
impl Serialize for Gap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let why = match (self.what.as_str(), self.why.reported()) {
            ("rooms", GapReason::Permission | GapReason::PortalError | GapReason::UnknownForm) => {
                GapReason::RoomUnreadable
            }
            (_, why) => why,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("what", &self.what)?;
        map.serialize_entry("since", &self.span.since)?;
        map.serialize_entry("until", &self.span.until)?;
        map.serialize_entry("why", &why)?;
        map.end()
    }
}

impl Gap {
    /// Why this was not seen and what to do about it, without a full stop.
    pub fn explanation(&self) -> String {
        let of_source = match (self.why, self.what.as_str()) {
            (GapReason::UnreadableRow, "audit") => {
                "the portal fails on an event that is stored here (a tag named like {x} is one); ask whoever runs the server to repair it"
            }
            (GapReason::UnreadableRow, "logins") => {
                "the portal fails on a login that is stored here (one without an address is one); ask whoever runs the server to repair it"
            }
            (GapReason::PortalError, "upload") => {
                "not every file is there, or known to be; the notes and the list of uploads say why, and the next run goes on"
            }
            (GapReason::NothingRecorded, "logins") => {
                "the portal lists no login at all, though somebody must have signed in; sign in to the portal once, and if that does not help, look at what stands between this machine and the portal, such as a proxy"
            }
            (GapReason::UnstablePaging, "audit" | "logins" | "room_log") => {
                "what the portal listed lacks rows that it has, or it has more of one moment than it can list; the next run asks again; if that does not help, look there by hand"
            }
            (why, _) => return why.explanation(),
        };
        of_source.to_owned()
    }
}

/// A span whose rows the portal cannot show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableSpan {
    #[serde(flatten)]
    pub span: Window,
    /// How many rows at least.
    pub rows: u64,
}

/// What one source gave for the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCoverage {
    /// Rows of the window, those of earlier runs included.
    pub rows: u64,
    /// Rows that this run found in a span which an earlier run had already read.
    pub late_rows: u64,
    pub unreadable: Vec<UnreadableSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<DateTime<Utc>>,
}

/// The source without which a program cannot conclude anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MainSource {
    #[default]
    Audit,
    Logins,
}

impl MainSource {
    /// As gaps call it.
    pub fn name(self) -> &'static str {
        match self {
            MainSource::Audit => "audit",
            MainSource::Logins => "logins",
        }
    }
}

/// What can be concluded from a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything the portal records was seen.
    Complete,
    /// Part of the window was seen. Never an all-clear.
    Incomplete,
    /// Nothing was seen that would allow a conclusion.
    Nothing,
}

/// The coverage statement of a run. Serialised with a first member `complete`; sources that were not read are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub main: MainSource,
    /// In order of source, then time.
    pub gaps: Vec<Gap>,
    pub blind_spots: Vec<BlindSpot>,
    /// Absent when the source was not read at all.
    pub audit: Option<SourceCoverage>,
    pub logins: Option<SourceCoverage>,
    pub room_log: Option<SourceCoverage>,
    /// Acts in rooms that could not be tied to one known room.
    pub unattributed: u64,
}

impl Serialize for Coverage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("complete", &(self.verdict() == Verdict::Complete))?;
        map.serialize_entry("gaps", &self.gaps)?;
        map.serialize_entry("blind_spots", &self.blind_spots)?;
        map.serialize_entry("unattributed", &self.unattributed)?;
        for (name, source) in [("audit", &self.audit), ("logins", &self.logins), ("room_log", &self.room_log)] {
            if let Some(source) = source {
                map.serialize_entry(name, source)?;
            }
        }
        map.end()
    }
}

impl Coverage {
    /// The statement of a run that saw nothing of a window.
    pub fn unseen(what: &str, window: Window, why: GapReason) -> Self {
        let mut coverage = Coverage::default();
        coverage.gap(what, window, why);
        coverage
    }

    /// Adds a span that was not seen.
    pub fn gap(&mut self, what: &str, span: Window, why: GapReason) {
        self.gaps.push(Gap { what: what.to_owned(), span, why });
        self.gaps.sort_by(|a, b| (&a.what, a.span, a.why).cmp(&(&b.what, b.span, b.why)));
        self.gaps.dedup();
    }

    /// Notes, once, what cannot be told however complete the read is.
    pub fn blind(&mut self, spot: BlindSpot) {
        if !self.blind_spots.contains(&spot) {
            self.blind_spots.push(spot);
        }
    }

    /// Takes in gaps of a source.
    pub fn add_gaps(&mut self, gaps: Vec<Gap>) {
        gaps.into_iter().for_each(|gap| self.gap(&gap.what, gap.span, gap.why));
    }

    /// The gaps as people are told of them: neighbours of one source and one reason are one. In order of source, then time.
    pub fn merged_gaps(&self) -> Vec<Gap> {
        let mut gaps = self.gaps.clone();
        gaps.sort_by(|a, b| (&a.what, a.why, a.span).cmp(&(&b.what, b.why, b.span)));
        let mut merged: Vec<Gap> = Vec::new();
        for gap in gaps {
            match merged.last_mut() {
                Some(last) if last.what == gap.what && last.why == gap.why && gap.span.since <= last.span.until => {
                    last.span.until = last.span.until.max(gap.span.until);
                }
                _ => merged.push(gap),
            }
        }
        merged.sort_by(|a, b| (&a.what, a.span, a.why).cmp(&(&b.what, b.span, b.why)));
        merged
    }

    /// Takes in the log of one more room.
    pub fn add_room_log(&mut self, read: Option<SourceCoverage>, gaps: Vec<Gap>) {
        self.add_gaps(gaps);
        let Some(read) = read else { return };
        let all = self.room_log.get_or_insert_default();
        all.rows += read.rows;
        all.late_rows += read.late_rows;
        all.unreadable.extend(read.unreadable);
        all.oldest = all.oldest.into_iter().chain(read.oldest).min();
        all.newest = all.newest.into_iter().chain(read.newest).max();
    }

    /// What may be concluded: nothing without the main source, and no all-clear with a gap.
    pub fn verdict(&self) -> Verdict {
        let main = match self.main {
            MainSource::Audit => &self.audit,
            MainSource::Logins => &self.logins,
        };
        match (main, self.gaps.is_empty()) {
            (None, _) => Verdict::Nothing,
            (Some(_), false) => Verdict::Incomplete,
            (Some(_), true) => Verdict::Complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn neighbouring_gaps_of_one_source_and_reason_are_one() {
        let span = |since: i64, until: i64| {
            let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
            Window::new(at(since), at(until))
        };
        let mut coverage = Coverage::default();
        for second in 0..1_000 {
            coverage.gap("audit", span(second, second + 1), GapReason::PortalError);
        }
        coverage.gap("audit", span(500, 502), GapReason::UnreadableRow);
        coverage.gap("logins", span(1_000, 1_001), GapReason::PortalError);
        coverage.gap("audit", span(1_002, 1_003), GapReason::PortalError);
        let merged = coverage.merged_gaps();
        let shown: Vec<_> = merged.iter().map(|gap| (gap.what.as_str(), gap.span, gap.why)).collect();
        assert_eq!(
            shown,
            [
                ("audit", span(0, 1_000), GapReason::PortalError),
                ("audit", span(500, 502), GapReason::UnreadableRow),
                ("audit", span(1_002, 1_003), GapReason::PortalError),
                ("logins", span(1_000, 1_001), GapReason::PortalError),
            ]
        );
    }
}
