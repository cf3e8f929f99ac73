//! How serious an incident is, and whether a plan may act on it: by the limits that were exceeded, and by what else points to an
//! attack. Pure.

use audit_model::Severity;
use serde::Serialize;

use crate::kind::Kind;
use crate::rule::Exceeded;

/// Something besides the count that points to an attack, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Corroboration {
    pub(crate) kind: Sign,
    /// What was seen, in numbers where there are any.
    pub(crate) evidence: String,
}

/// What kind of sign it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sign {
    /// The documents have one extension now that no ordinary program makes.
    NewExtension,
    /// An extension, or the name of a note, that ransomware is known to leave.
    Ransomware,
    /// A sign-in from a country that the person had not signed in from in the month before.
    NewCountry,
    /// From an address that the person had not used in the month before.
    NewAddress,
    /// Documents of three rooms or more.
    SeveralRooms,
    /// At a time of day, or on a day, at which the person never works.
    OffHours,
}

impl Sign {
    /// One of these is enough to act; of the others it takes two, because each has an innocent explanation: a train, a deadline.
    fn is_strong(self) -> bool {
        matches!(self, Sign::NewExtension | Sign::Ransomware | Sign::NewCountry)
    }
}

/// What follows from an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assessment {
    pub(crate) severity: Severity,
    /// Why a suspension may be planned; `None` when it may not.
    pub(crate) acts_because: Option<String>,
}

/// Assesses an incident.
///
/// The published rule alone is `medium` and never acts; so are uploads, and moves within a room. What takes documents away is `high`.
/// `critical`, and a plan, need a second reason: signs of an attack, or five times the limit of what spoils documents. A sign that nobody
/// could look up (`may_be_more`) is as serious as one that is there, and never makes a plan.
pub(crate) fn assess(exceeded: &[Exceeded], signs: &[Corroboration], may_be_more: bool) -> Assessment {
    let can_act = |kind: Kind| kind.is_harm() || matches!(kind, Kind::MovedOut | Kind::Downloaded);
    let serious: Vec<&Exceeded> = exceeded.iter().filter(|one| one.kind.is_some_and(can_act)).collect();
    let strong = signs.iter().find(|sign| sign.kind.is_strong());
    let corroborated = strong.is_some() || signs.len() >= 2;
    let flood = serious.iter().find(|one| one.is_flood());
    let acts_because = match (serious.first(), flood, strong) {
        (None, ..) => None,
        (Some(_), Some(flood), _) => Some(flood.words()),
        (Some(first), None, Some(sign)) => Some(format!("{}; {}", first.words(), sign.evidence)),
        (Some(first), None, None) if corroborated => {
            let evidence: Vec<&str> = signs.iter().map(|sign| sign.evidence.as_str()).collect();
            Some(format!("{}; {}", first.words(), evidence.join("; ")))
        }
        (Some(_), None, None) => None,
    };
    let severity = match (&acts_because, serious.is_empty(), corroborated) {
        (Some(_), ..) => Severity::Critical,
        (None, false, _) if may_be_more => Severity::Critical,
        (None, false, _) => Severity::High,
        (None, true, corroborated) if corroborated || may_be_more => Severity::High,
        (None, true, _) => Severity::Medium,
    };
    Assessment { severity, acts_because }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limit;

    fn exceeded(kind: Option<Kind>, documents: u64) -> Exceeded {
        Exceeded { kind, limit: Limit::default(), documents, at_least: false }
    }

    fn sign(kind: Sign) -> Corroboration {
        Corroboration { kind, evidence: format!("{kind:?}") }
    }

    #[test]
    fn severity_and_acting_follow_from_count_and_signs() {
        use Sign::{NewExtension, OffHours, SeveralRooms};
        let published = || exceeded(None, 400);
        let table = [
            // the published rule, uploads and moves never act, however many
            (vec![published()], vec![], Severity::Medium, false),
            (vec![published(), exceeded(Some(Kind::Created), 400)], vec![], Severity::Medium, false),
            (vec![published(), exceeded(Some(Kind::Created), 400)], vec![NewExtension], Severity::High, false),
            (vec![published(), exceeded(Some(Kind::Moved), 400)], vec![OffHours, SeveralRooms], Severity::High, false),
            // what takes documents away is high, and acts with a reason besides
            (vec![exceeded(Some(Kind::Deleted), 21)], vec![], Severity::High, false),
            (vec![exceeded(Some(Kind::Deleted), 21)], vec![OffHours], Severity::High, false),
            (vec![exceeded(Some(Kind::Deleted), 21)], vec![OffHours, SeveralRooms], Severity::Critical, true),
            (vec![exceeded(Some(Kind::Renamed), 21)], vec![NewExtension], Severity::Critical, true),
            (vec![exceeded(Some(Kind::Downloaded), 400)], vec![], Severity::High, false),
            (vec![exceeded(Some(Kind::MovedOut), 400)], vec![], Severity::High, false),
            (vec![exceeded(Some(Kind::Downloaded), 21)], vec![NewExtension], Severity::Critical, true),
            // five times the limit speaks for itself where documents are spoilt
            (vec![exceeded(Some(Kind::Overwritten), 99)], vec![], Severity::High, false),
            (vec![exceeded(Some(Kind::Overwritten), 100)], vec![], Severity::Critical, true),
        ];
        for (exceeded, signs, severity, acts) in table {
            let signs: Vec<Corroboration> = signs.into_iter().map(sign).collect();
            let judged = assess(&exceeded, &signs, false);
            assert_eq!((judged.severity, judged.acts_because.is_some()), (severity, acts), "{exceeded:?} {signs:?}");
        }
    }

    #[test]
    fn a_sign_that_could_not_be_looked_up_is_serious_and_no_reason_to_act() {
        let table = [(Kind::Renamed, Severity::Critical), (Kind::Created, Severity::High)];
        for (kind, severity) in table {
            let judged = assess(&[exceeded(Some(kind), 21)], &[], true);
            assert_eq!(judged, Assessment { severity, acts_because: None }, "{kind:?}");
        }
    }
}
