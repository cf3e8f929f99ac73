//! `limits.*`: how many distinct documents in what time are still usual.

use chrono::TimeDelta;
use job_runner::config::Validation;
use serde::{Deserialize, Serialize};

use crate::rule::kind::Kind;

/// Longest stretch that the short part of a limit may be about: a window of the usual length must hold it.
const LONGEST_MINUTES: u64 = 24 * 60;

/// Longest stretch that the long part may be about: what happened before the window is taken from what is remembered.
const LONGEST_HOURS: u64 = 7 * 24;

/// Distinct documents of one person that are still usual; more is a finding. Twenty in ten minutes are the published numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// The published rule: everything but downloads.
    pub(crate) changes: Limit,
    pub(crate) deleted: Limit,
    pub(crate) overwritten: Limit,
    pub(crate) renamed: Limit,
    pub(crate) moved_out: Limit,
    pub(crate) created: Limit,
    pub(crate) downloaded: Limit,
    /// Opened, or shown in the browser.
    pub(crate) viewed: Limit,
    /// External links made.
    pub(crate) shared: Limit,
    /// People and groups removed from rooms.
    pub(crate) members_removed: Limit,
    /// Rooms archived, agents deleted, storages disconnected.
    pub(crate) dismantled: Limit,
    /// The same of all people of a room together, two of them at least.
    pub(crate) room: RoomLimit,
}

impl Default for Limits {
    fn default() -> Self {
        let usual = Limit::default();
        Limits {
            changes: usual,
            deleted: usual,
            overwritten: usual,
            renamed: usual,
            moved_out: usual,
            created: usual,
            downloaded: usual,
            // people look at far more documents than they change
            viewed: Limit { documents: 100, long_documents: 500, ..usual },
            shared: usual,
            members_removed: usual,
            dismantled: Limit { documents: 10, long_documents: 20, ..usual },
            room: RoomLimit::default(),
        }
    }
}

/// More than so many distinct documents in any so many minutes, or more than so many in any so many hours. 0 documents is off, both parts;
/// 0 `long_documents` is off for the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limit {
    pub(crate) documents: u64,
    pub(crate) minutes: u64,
    pub(crate) long_documents: u64,
    pub(crate) long_hours: u64,
}

impl Default for Limit {
    fn default() -> Self {
        Limit { documents: 20, minutes: 10, long_documents: 200, long_hours: 24 }
    }
}

impl Limit {
    fn parts(self) -> impl Iterator<Item = Threshold> {
        let short = Threshold { documents: self.documents, minutes: self.minutes };
        let long = Threshold { documents: self.long_documents, minutes: self.long_hours.saturating_mul(60) };
        [short, long].into_iter().filter(move |part| self.documents > 0 && part.documents > 0)
    }
}

/// More than so many distinct documents of a room in any so many minutes by several people, or of several rooms by visitors. 0 documents is
/// off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RoomLimit {
    pub(crate) documents: u64,
    pub(crate) minutes: u64,
}

impl Default for RoomLimit {
    fn default() -> Self {
        RoomLimit { documents: 30, minutes: 10 }
    }
}

impl RoomLimit {
    /// Of downloads only those count who have more than this: a team that begins a project downloads a few each, and whoever empties a room
    /// with several accounts takes nearly as much with each as one person may.
    pub(crate) fn much(self) -> u64 {
        self.documents / 2
    }
}

/// More than so many distinct documents in any so many minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Threshold {
    pub(crate) documents: u64,
    pub(crate) minutes: u64,
}

impl Threshold {
    pub(crate) fn length(self) -> TimeDelta {
        TimeDelta::minutes(i64::try_from(self.minutes).unwrap_or(i64::MAX / 60_000))
    }

    /// `10 min`, `24 h`
    pub(crate) fn span(self) -> String {
        let is_hours = self.minutes > 90 && self.minutes.is_multiple_of(60);
        if is_hours { format!("{} h", self.minutes / 60) } else { format!("{} min", self.minutes) }
    }
}

/// A limit and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Armed {
    /// `None`: the published rule.
    pub(crate) kind: Option<Kind>,
    pub(crate) threshold: Threshold,
}

impl Armed {
    pub(crate) fn counts(&self, kind: Kind) -> bool {
        counts(self.kind, kind)
    }
}

/// Whether a limit on `limited` counts a change of this kind; `None` is the published rule.
pub(crate) fn counts(limited: Option<Kind>, kind: Kind) -> bool {
    match limited {
        None => kind.is_change(),
        Some(Kind::Deleted) => kind.is_deletion(),
        Some(own) => own == kind,
    }
}

impl Limits {
    /// All limits of one person, by the name of the setting, the published one first.
    fn named(&self) -> [(&'static str, Limit); 11] {
        [
            ("changes", self.changes),
            ("deleted", self.deleted),
            ("overwritten", self.overwritten),
            ("renamed", self.renamed),
            ("moved_out", self.moved_out),
            ("created", self.created),
            ("downloaded", self.downloaded),
            ("viewed", self.viewed),
            ("shared", self.shared),
            ("members_removed", self.members_removed),
            ("dismantled", self.dismantled),
        ]
    }

    /// The limits that are not switched off, the published one first.
    pub(crate) fn armed(&self) -> Vec<Armed> {
        let all = [
            (None, self.changes),
            (Some(Kind::Deleted), self.deleted),
            (Some(Kind::DeletedForGood), self.deleted),
            (Some(Kind::RoomDeleted), self.deleted),
            (Some(Kind::Overwritten), self.overwritten),
            (Some(Kind::Renamed), self.renamed),
            (Some(Kind::MovedOut), self.moved_out),
            (Some(Kind::Created), self.created),
            (Some(Kind::Downloaded), self.downloaded),
            (Some(Kind::Viewed), self.viewed),
            (Some(Kind::Shared), self.shared),
            (Some(Kind::MemberRemoved), self.members_removed),
            (Some(Kind::Dismantled), self.dismantled),
        ];
        let armed = |(kind, limit): (_, Limit)| limit.parts().map(move |threshold| Armed { kind, threshold });
        all.into_iter().flat_map(armed).collect()
    }

    /// What all people of a room are held against together.
    pub(crate) fn armed_in_room(&self) -> Vec<Armed> {
        let RoomLimit { documents, minutes } = self.room;
        let threshold = Threshold { documents, minutes };
        let downloads = (self.downloaded.documents > 0).then_some(Kind::Downloaded);
        let kinds = [Kind::Deleted, Kind::Overwritten, Kind::Renamed, Kind::MovedOut].into_iter().chain(downloads);
        let armed = kinds.map(|kind| Armed { kind: Some(kind), threshold });
        armed.filter(|armed| armed.threshold.documents > 0).collect()
    }

    /// The longest stretch of minutes that any limit looks at.
    pub(super) fn longest_short(&self) -> TimeDelta {
        let own = self.named().map(|(_, limit)| (limit.documents, limit.minutes));
        let all = own.into_iter().chain([(self.room.documents, self.room.minutes)]);
        let on = all.filter(|(documents, _)| *documents > 0);
        on.map(|(documents, minutes)| Threshold { documents, minutes }.length()).max().unwrap_or_default()
    }

    /// The longest stretch that any limit looks at.
    pub(crate) fn longest(&self) -> TimeDelta {
        let all = self.armed().into_iter().chain(self.armed_in_room());
        all.map(|armed| armed.threshold.length()).max().unwrap_or_default()
    }

    /// What cannot be meant.
    pub(super) fn validate(&self, wrong: &mut Validation) {
        let armed = self.armed();
        let message = "every limit is off (0 documents), so nothing could ever be found; set one";
        wrong.refuse_if(armed.is_empty(), "limits", message);
        let named = self.named().into_iter().filter(|(_, limit)| limit.documents > 0);
        for (name, limit) in named {
            wrong.between(&format!("limits.{name}.minutes"), limit.minutes, 1..=LONGEST_MINUTES, "");
            if limit.long_documents > 0 {
                wrong.between(&format!("limits.{name}.long_hours"), limit.long_hours, 1..=LONGEST_HOURS, "");
            }
        }
        wrong.between("limits.room.minutes", self.room.minutes, 1..=LONGEST_MINUTES, "");
    }
}
