//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts, person_page};
use audit_model::{Finding, FindingRoom};
use report::words::Clock;
use report::{Line, Where, line};

use super::{Report, advice, how, how_long, of_room};
use crate::rule::{Detail, Found};

/// Who did what and where, what to do, and the answers to what people ask first.
pub(crate) fn said(report: &Report, found: &Found) -> Said {
    let Found { finding, detail } = found;
    let clock = Clock(report.head.portal.time_zone.unwrap_or_default());
    let is_told = !detail.kinds.classes.is_empty();
    // the portal's list of accounts is searched by a person's address
    let page = person_page(&finding.person, &report.head.portal.url).filter(|_| report.head.naming.is_clear());
    let steps = advice::what_to_do(found, page.as_ref().map(AsRef::as_ref), "message");
    Said {
        did: is_told.then(|| did(finding, detail)),
        what_to_do: steps.iter().map(Line::for_terminal).collect(),
        facts: SaidFacts {
            place: place(finding, detail).map(|place| place.for_terminal()),
            how_many: is_told.then(|| detail.kinds.to_string()),
            how_fast: detail.when(clock),
            goes_on: None,
            how_sure: finding.room.as_ref().filter(|room| room.id.is_some()).map(sure),
        },
    }
}

/// `made 41 downloads in 40 min in "Acme"`
fn did(finding: &Finding, detail: &Detail) -> String {
    let title = finding.room.as_ref().map(|room| line![" in \"", Line::name(&room.title), "\""]);
    let place = title.unwrap_or_default().for_terminal();
    format!("made {}{}{place}", detail.kinds.by_class(), how_long(finding))
}

fn place(finding: &Finding, detail: &Detail) -> Option<Line> {
    let room = Where::from(finding.room.as_ref()?).line();
    Some(of_room(finding, detail).into_iter().fold(room, |room, part| room.and("; ").and(part)))
}

fn sure(room: &FindingRoom) -> String {
    format!("the room is known {}", how(room.attributed))
}
