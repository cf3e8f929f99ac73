//! How serious an incident is, and whether a plan may act on it: by the limits that were exceeded, and by what else points to an
//! attack. Pure.

use audit_model::{Sentence, Severity};
use serde::Serialize;

use crate::rule::incident::Exceeded;
use crate::rule::kind::Kind;

/// Something besides the count that points to an attack, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Corroboration {
    pub(crate) kind: Sign,
    /// What was seen, in numbers where there are any.
    pub(crate) evidence: Sentence,
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
    /// With a browser, or another program, that the person had not used in the month before.
    NewProgram,
    /// Documents of three rooms or more.
    SeveralRooms,
    /// At a time of day, or on a day, at which the person never works.
    OffHours,
    /// What was thrown away was taken out of the trash, too.
    TrashEmptied,
}

impl Sign {
    /// One of these is enough to act; of the others it takes two, because each has an innocent explanation: a train, a deadline.
    pub(crate) fn is_strong(self) -> bool {
        matches!(self, Sign::NewExtension | Sign::Ransomware | Sign::NewCountry)
    }
}

/// What follows from an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assessment {
    pub(crate) severity: Severity,
    /// Why a suspension may be planned; `None` when it may not.
    pub(crate) acts_because: Option<Sentence>,
}

/// How many signs of their own these are. Another machine has another address and another program: together they are one.
fn independent(signs: &[Corroboration]) -> usize {
    let is_there = |kind: Sign| signs.iter().any(|sign| sign.kind == kind);
    signs.len() - usize::from(is_there(Sign::NewAddress) && is_there(Sign::NewProgram))
}

/// Whether there are signs enough to act on what takes documents away.
fn is_corroborated(signs: &[Corroboration]) -> bool {
    signs.iter().any(|sign| sign.kind.is_strong()) || independent(signs) >= 2
}

/// Whether no ordinary work looks like that: a strong sign, or so much gone for good that nobody works so. Two weak signs come together in
/// ordinary years, in a hotel at a late hour, and then somebody has to look before anything is done.
pub(crate) fn is_sure(exceeded: &[Exceeded], signs: &[Corroboration]) -> bool {
    signs.iter().any(|sign| sign.kind.is_strong()) || exceeded.iter().any(Exceeded::is_flood)
}

/// What was exceeded that each by itself is a reason to act: what takes documents away, spoils them or carries them off, with signs enough or
/// in a flood.
fn reasons_to_act<'e>(exceeded: &'e [Exceeded], signs: &[Corroboration]) -> impl Iterator<Item = &'e Exceeded> {
    let is_corroborated = is_corroborated(signs);
    let is_harm = |one: &&Exceeded| !one.at_least && one.kind.is_some_and(Kind::is_harm);
    exceeded.iter().filter(is_harm).filter(move |one| is_corroborated || one.is_flood())
}

/// What was done that each by itself is a reason to act, where `assess` finds one.
pub(crate) fn acts_by(exceeded: &[Exceeded], signs: &[Corroboration]) -> Vec<Kind> {
    reasons_to_act(exceeded, signs).filter_map(|one| one.kind).collect()
}

/// Assesses an incident.
///
/// A number alone is `medium` and plans nobody: people tidy up, sync clients upload, colleagues put back what an attack has spoilt. But what
/// is gone for good is `high`, and from five times the limit on `critical` and planned. What takes documents away, spoils them or carries
/// them off is `critical`, and planned, with signs of an attack besides (a plan holds whom only weak ones speak against: [`is_sure`]); a sign
/// that nobody could look up (`may_be_more`) is as serious as one that is there, and never makes a plan. Nor does what cannot be counted.
pub(crate) fn assess(exceeded: &[Exceeded], signs: &[Corroboration], may_be_more: bool) -> Assessment {
    let is_harm = |one: &&Exceeded| one.kind.is_some_and(Kind::is_harm);
    let harm: Vec<&Exceeded> = exceeded.iter().filter(is_harm).collect();
    let strong = signs.iter().find(|sign| sign.kind.is_strong());
    let corroborated = is_corroborated(signs);
    let acts_because = reasons_to_act(exceeded, signs).next().map(|counted| {
        let signs = if corroborated { strong.map_or(signs, std::slice::from_ref) } else { &[] };
        let said: Vec<Sentence> =
            std::iter::once(counted.sentence()).chain(signs.iter().map(|sign| sign.evidence.clone())).collect();
        let joined = |of: fn(&Sentence) -> &str| said.iter().map(of).collect::<Vec<_>>().join("; ");
        Sentence::new(joined(Sentence::english), joined(Sentence::german))
    });
    let is_final = harm.iter().any(|one| matches!(one.kind, Some(Kind::DeletedForGood | Kind::RoomDeleted)));
    let severity = if acts_because.is_some() || !harm.is_empty() && (corroborated || may_be_more) {
        Severity::Critical
    } else if corroborated || may_be_more || is_final || !harm.is_empty() && !signs.is_empty() {
        Severity::High
    } else {
        Severity::Medium
    };
    Assessment { severity, acts_because }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Threshold;

    fn exceeded(kind: Option<Kind>, documents: u64) -> Exceeded {
        let threshold = Threshold { documents: 20, minutes: 10 };
        Exceeded { kind, threshold, documents, at_least: false }
    }

    fn sign(kind: Sign) -> Corroboration {
        Corroboration { kind, evidence: format!("{kind:?}").into() }
    }

    #[test]
    fn severity_and_acting_follow_from_count_and_signs() {
        use Severity::{Critical, High, Medium};
        use Sign::{NewAddress, NewExtension, NewProgram, OffHours, SeveralRooms};
        let one = |kind, documents| vec![exceeded(Some(kind), documents)];
        let table = [
            // a number alone plans nobody, however large, unless it cannot be undone
            (vec![exceeded(None, 400)], vec![], Medium, false),
            (one(Kind::Created, 400), vec![], Medium, false),
            (one(Kind::Deleted, 4000), vec![], Medium, false),
            (one(Kind::Overwritten, 4000), vec![], Medium, false),
            (one(Kind::Renamed, 4000), vec![], Medium, false),
            (one(Kind::MovedOut, 4000), vec![], Medium, false),
            (one(Kind::Downloaded, 4000), vec![], Medium, false),
            (one(Kind::Viewed, 4000), vec![], Medium, false),
            (one(Kind::RoomDeleted, 4000), vec![], High, false),
            (one(Kind::DeletedForGood, 99), vec![], High, false),
            (one(Kind::DeletedForGood, 100), vec![], Critical, true),
            // one weak sign is more serious, two act
            (one(Kind::Deleted, 4000), vec![OffHours], High, false),
            (one(Kind::Deleted, 21), vec![NewAddress, NewProgram], High, false),
            (one(Kind::Deleted, 21), vec![OffHours, SeveralRooms], Critical, true),
            (one(Kind::Deleted, 21), vec![OffHours, NewAddress, NewProgram], Critical, true),
            (one(Kind::Renamed, 21), vec![NewExtension], Critical, true),
            (one(Kind::Downloaded, 21), vec![NewExtension], Critical, true),
            // what takes nothing away never acts
            (vec![exceeded(None, 400)], vec![NewExtension], High, false),
            (one(Kind::Created, 400), vec![NewExtension], High, false),
            (one(Kind::Moved, 400), vec![OffHours, SeveralRooms], High, false),
            // nor does what nobody could count
            (vec![], vec![], Medium, false),
            (vec![], vec![OffHours, SeveralRooms], High, false),
        ];
        for (exceeded, signs, severity, acts) in table {
            let signs: Vec<Corroboration> = signs.into_iter().map(sign).collect();
            let judged = assess(&exceeded, &signs, false);
            assert_eq!((judged.severity, judged.acts_because.is_some()), (severity, acts), "{exceeded:?} {signs:?}");
        }
    }

    #[test]
    fn what_could_not_be_weighed_plans_nobody() {
        let folders = |kind| vec![Exceeded { at_least: true, ..exceeded(Some(kind), 400) }];
        let signs = [sign(Sign::Ransomware)];
        let alone = assess(&folders(Kind::DeletedForGood), &[], false);
        assert_eq!(alone, Assessment { severity: Severity::High, acts_because: None });
        let signed = assess(&folders(Kind::Deleted), &signs, false);
        assert_eq!(signed, Assessment { severity: Severity::Critical, acts_because: None });
        let both = [folders(Kind::Deleted), vec![exceeded(Some(Kind::Renamed), 21)]].concat();
        assert!(assess(&both, &signs, false).acts_because.unwrap().starts_with("21 documents renamed"));
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
