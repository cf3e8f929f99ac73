//! Whether a term may end a suspension, by what the incident is. Pure.

use audit_model::Sentence;

use crate::rule::assessment::{Corroboration, Sign};
use crate::rule::incident::Exceeded;
use crate::rule::kind::Kind;
use crate::suspend::why;

/// Why no term ends a suspension, as a clause; `None` where everything that was done can be undone, and nothing but a number and weak signs
/// speaks against the person.
pub(crate) fn needs_decision(exceeded: &[Exceeded], signs: &[Corroboration], is_leaver: bool) -> Option<Sentence> {
    let is_final = |one: &Exceeded| matches!(one.kind, Some(Kind::DeletedForGood | Kind::RoomDeleted | Kind::Purged));
    let is_emptied = |sign: &Corroboration| sign.kind == Sign::TrashEmptied;
    if let Some(sign) = signs.iter().find(|sign| sign.kind.is_strong()) {
        return Some(sign.evidence.clone());
    }
    if exceeded.iter().any(is_final) || signs.iter().any(is_emptied) {
        return Some(why::DELETED_FOR_GOOD.into());
    }
    is_leaver.then(|| why::LEAVER.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Threshold;

    #[test]
    fn only_what_can_be_undone_ends_by_itself() {
        let exceeded = |kind| {
            let threshold = Threshold { documents: 20, minutes: 10 };
            vec![Exceeded { kind: Some(kind), threshold, documents: 40, at_least: false }]
        };
        let sign = |kind| Corroboration { kind, evidence: format!("{kind:?}").into() };
        let weak = [sign(Sign::OffHours), sign(Sign::SeveralRooms)];
        assert_eq!(needs_decision(&exceeded(Kind::Deleted), &weak, false), None);
        assert_eq!(needs_decision(&exceeded(Kind::Renamed), &weak, false), None);
        for strong in [Sign::Ransomware, Sign::NewExtension, Sign::NewCountry] {
            assert!(needs_decision(&exceeded(Kind::Renamed), &[sign(strong)], false).is_some(), "{strong:?}");
        }
        for kind in [Kind::DeletedForGood, Kind::RoomDeleted, Kind::Purged] {
            assert!(needs_decision(&exceeded(kind), &[], false).is_some(), "{kind:?}");
        }
        assert!(needs_decision(&exceeded(Kind::Deleted), &[sign(Sign::TrashEmptied)], false).is_some());
        assert!(needs_decision(&exceeded(Kind::Deleted), &weak, true).is_some());
    }
}
