//! What a run read, what it could not read, and why: the statement that keeps silence honest.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::{GapReason, Source, Window};

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
    pub fn is_of(&self, source: Source) -> bool {
        self.what == source.name()
    }

    /// Why this was not seen and what to do about it, without a full stop.
    pub fn explanation(&self) -> String {
        let of_source = match (self.why, self.what.as_str()) {
            (GapReason::UnreadableRow, "audit") => {
                "the portal fails on an event that is stored here (a tag with a name like {x} causes this); ask whoever runs the server to repair it"
            }
            (GapReason::UnreadableRow, "logins") => {
                "the portal fails on a login that is stored here (one without an address causes this); ask whoever runs the server to repair it"
            }
            (GapReason::PortalError, "upload") => {
                "not every file was uploaded, or is known to have been; the notes and the list of uploads say why, and the next run continues"
            }
            (GapReason::NothingRecorded, "logins") => {
                "the portal lists no login at all, although somebody must have signed in; sign in to the portal once, and if that does not help, check what is between this machine and the portal, such as a proxy"
            }
            (GapReason::UnstablePaging, "audit" | "logins" | "room_log") => {
                "rows are missing from what the portal listed, or it has more of one moment than it can list; the next run tries again; if that does not help, look at that time in the portal itself"
            }
            (GapReason::NotThere, "hidden_folders") => {
                "somebody took the folders away before this program had seen what they held, so their documents are counted by a guess; the findings name them"
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
    #[serde(serialize_with = "listed_unreadable")]
    pub unreadable: Vec<UnreadableSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<DateTime<Utc>>,
}

/// So many gaps of one source and reason are listed in JSON by themselves, and so many spans that are unreadable; what is behind them is
/// one more that spans the rest.
const MOST_LISTED: usize = 50;

/// Makes one of all spans from the last that may be listed on, which are in order of time. Nothing between them is lost.
fn cap<T>(spans: &mut Vec<T>, take_in: impl Fn(&mut T, T)) {
    let rest = spans.split_off(spans.len().min(MOST_LISTED + 1));
    if let Some(last) = spans.last_mut() {
        rest.into_iter().for_each(|span| take_in(last, span));
    }
}

fn listed_unreadable<S: Serializer>(unreadable: &[UnreadableSpan], serializer: S) -> Result<S::Ok, S::Error> {
    let mut listed = unreadable.to_vec();
    listed.sort_by_key(|unreadable| unreadable.span);
    cap(&mut listed, |last, next| {
        last.span.until = last.span.until.max(next.span.until);
        last.rows += next.rows;
    });
    listed.serialize(serializer)
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
            MainSource::Audit => Source::Audit.name(),
            MainSource::Logins => Source::Logins.name(),
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
        map.serialize_entry("gaps", &self.listed_gaps())?;
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

    /// Whether some of a source was not seen.
    pub fn lacks(&self, source: Source) -> bool {
        self.gaps.iter().any(|gap| gap.is_of(source))
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

    /// The gaps as JSON lists them: of one source and reason no more than [`MOST_LISTED`], and then one that spans the rest, so that
    /// hundreds of rows far apart make no hundreds of gaps. In order of source, then time.
    fn listed_gaps(&self) -> Vec<Gap> {
        let mut by_reason: BTreeMap<(&str, GapReason), Vec<Gap>> = BTreeMap::new();
        for gap in &self.gaps {
            by_reason.entry((gap.what.as_str(), gap.why)).or_default().push(gap.clone());
        }
        let mut listed: Vec<Gap> = Vec::new();
        for mut gaps in by_reason.into_values() {
            gaps.sort_by_key(|gap| gap.span);
            cap(&mut gaps, |last, next| last.span.until = last.span.until.max(next.span.until));
            listed.extend(gaps);
        }
        listed.sort_by(|a, b| (&a.what, a.span, a.why).cmp(&(&b.what, b.span, b.why)));
        listed
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

    /// Every moment that is a gap stays one, and the number of rows stays what it was.
    #[test]
    fn hundreds_of_gaps_far_apart_are_fifty_and_one_that_spans_the_rest() {
        let span = |hour: i64| {
            let since = DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
            Window::new(since, since + TimeDelta::seconds(1))
        };
        let mut coverage = Coverage::default();
        let mut audit = SourceCoverage::default();
        for hour in (0..400).rev() {
            coverage.gap("audit", span(hour), GapReason::UnreadableRow);
            audit.unreadable.push(UnreadableSpan { span: span(hour), rows: 2 });
        }
        (0..51).for_each(|hour| coverage.gap("logins", span(hour), GapReason::UnreadableRow));
        coverage.gap("audit", span(399), GapReason::PortalError);
        coverage.audit = Some(audit);
        let told = serde_json::to_value(&coverage).unwrap();
        let of = |what: &str, why: &str| -> Vec<Window> {
            let gaps = told["gaps"].as_array().unwrap().iter();
            let gaps = gaps.filter(|gap| gap["what"] == what && gap["why"] == why);
            gaps.map(|gap| serde_json::from_value(gap.clone()).unwrap()).collect()
        };
        let audit = of("audit", "unreadable_row");
        assert_eq!(audit.len(), 51);
        for hour in 0..400 {
            assert!(audit.iter().any(|gap| gap.intersection(&span(hour)) == span(hour)), "hour {hour}");
        }
        assert_eq!((audit[49], audit[50]), (span(49), Window::new(span(50).since, span(399).until)));
        assert_eq!(of("audit", "portal_error"), [span(399)]);
        assert_eq!(of("logins", "unreadable_row"), (0..51).map(span).collect::<Vec<_>>(), "one is no rest");
        let unreadable = told["audit"]["unreadable"].as_array().unwrap();
        let rows: u64 = unreadable.iter().map(|span| span["rows"].as_u64().unwrap()).sum();
        assert_eq!((unreadable.len(), rows), (51, 800));
    }

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
