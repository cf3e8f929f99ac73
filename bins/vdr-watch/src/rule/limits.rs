//! One limit: what it counts, in which stretch of time.

use audit_model::ActClass;
use chrono::TimeDelta;

use crate::config::{ClassLimits, Limits};

/// Up to so many documents are little.
pub(crate) const LITTLE: u64 = 10;

/// Up to so many documents no share of a room is a finding.
const SMALL_ROOM: u64 = 20;

/// The stretch of time that a limit is about, shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Span {
    Hour,
    Day,
    Month,
    WholeWindow,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Basis {
    #[default]
    Actions,
    /// Those at hours at which the person did not work before.
    UnusualHours,
    /// Distinct documents, of so many that the room holds.
    ShareOfRoom { percent: u64, documents: u64 },
}

impl Span {
    pub(crate) fn length(self) -> TimeDelta {
        match self {
            Span::Hour => TimeDelta::hours(1),
            Span::Day => TimeDelta::hours(24),
            Span::Month => TimeDelta::days(30),
            Span::WholeWindow => TimeDelta::MAX,
        }
    }

    /// As in `41 actions within 1 h`.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Span::Hour => "within 1 h",
            Span::Day => "within 24 h",
            Span::Month => "within 30 days",
            Span::WholeWindow => "in the whole window",
        }
    }
}

/// One limit. In the order in which reasons are given: all classes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Limit {
    /// `None`: all classes together.
    pub(crate) class: Option<ActClass>,
    pub(crate) span: Span,
    /// At least 1.
    pub(crate) acts: u64,
    pub(crate) basis: Basis,
}

impl Limit {
    pub(crate) fn on(class: Option<ActClass>, span: Span, acts: u64) -> Self {
        Limit { class, span, acts, basis: Basis::Actions }
    }

    pub(crate) fn is_about(&self, class: ActClass) -> bool {
        self.class.is_none_or(|own| own == class)
    }
}

impl Limits {
    /// The limits that are not switched off.
    pub(crate) fn armed(&self) -> Vec<Limit> {
        let Limits { per_hour, per_day, per_30_days, whole_window, .. } = *self;
        let common = [
            (Span::Hour, per_hour),
            (Span::Day, per_day),
            (Span::Month, per_30_days),
            (Span::WholeWindow, whole_window),
        ];
        let common = common.into_iter().map(|(span, acts)| Limit::on(None, span, acts));
        let classes = [
            (ActClass::View, self.views),
            (ActClass::Download, self.downloads),
            (ActClass::Change, self.changes),
            (ActClass::Delete, self.deletions),
            (ActClass::Share, self.sharing),
            (ActClass::Membership, self.membership),
        ];
        let own = classes.into_iter().flat_map(|(class, ClassLimits { per_hour, per_day })| {
            [(Span::Hour, per_hour), (Span::Day, per_day)].map(|(span, acts)| Limit::on(Some(class), span, acts))
        });
        common.chain(own).filter(|limit| limit.acts > 0).collect()
    }

    /// Whether a limit goes by all that is remembered of thirty days.
    pub(crate) fn count_a_month(&self) -> bool {
        self.per_30_days > 0 || self.share_of_room > 0
    }

    /// How much somebody can do in one room, below all other limits, without a finding: what is remembered of them does not matter then.
    pub(crate) fn little(&self) -> u64 {
        match (self.count_a_month(), self.unusual_hours) {
            (true, _) => LITTLE,
            (false, 0) => u64::MAX,
            (false, actions) => actions,
        }
    }

    /// Whether any limit is on.
    pub(crate) fn find_anything(&self) -> bool {
        !self.armed().is_empty() || self.unusual_hours > 0 || self.share_of_room > 0
    }

    /// The limit for what somebody does at unusual hours, if it is not switched off.
    pub(crate) fn at_unusual_hours(&self) -> Option<Limit> {
        let limit = Limit { basis: Basis::UnusualHours, ..Limit::on(None, Span::Day, self.unusual_hours) };
        (limit.acts > 0).then_some(limit)
    }

    /// The limit for the share of a room that holds so many documents. In a small room most people need most of it.
    pub(crate) fn for_share(&self, documents: u64) -> Option<Limit> {
        let percent = self.share_of_room;
        let acts = (documents.saturating_mul(percent) / 100).max(SMALL_ROOM);
        let basis = Basis::ShareOfRoom { percent, documents };
        let limit = Limit { basis, ..Limit::on(Some(ActClass::Download), Span::Month, acts) };
        (percent > 0 && documents > SMALL_ROOM).then_some(limit)
    }

    /// The limit that the published example calls `maxEventsPerUser`; `None` when these are all off.
    pub(crate) fn published(&self) -> Option<u64> {
        [self.whole_window, self.per_hour, self.per_day].into_iter().find(|acts| *acts > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_limit_is_the_first_that_is_on() {
        let published = |whole_window, per_hour, per_day| {
            Limits { whole_window, per_hour, per_day, ..Limits::default() }.published()
        };
        assert_eq!(published(500, 20, 100), Some(500));
        assert_eq!(published(0, 20, 100), Some(20));
        assert_eq!(published(0, 0, 100), Some(100));
        assert_eq!(published(0, 0, 0), None);
    }

    #[test]
    fn what_is_little_depends_on_the_limits_that_go_by_what_is_remembered() {
        let little = |unusual_hours, per_30_days, share_of_room| {
            Limits { unusual_hours, per_30_days, share_of_room, ..Limits::default() }.little()
        };
        assert_eq!([little(20, 0, 0), little(0, 0, 0), little(20, 200, 0), little(0, 0, 50)], [20, u64::MAX, 10, 10]);
    }

    #[test]
    fn small_rooms_have_no_share() {
        let half = Limits { share_of_room: 50, ..Limits::default() };
        let limit = |documents| half.for_share(documents).map(|limit| limit.acts);
        assert_eq!([0, 20, 21, 64, 1000].map(limit), [None, None, Some(20), Some(32), Some(500)]);
        assert_eq!(Limits::default().for_share(64), None);
    }
}
