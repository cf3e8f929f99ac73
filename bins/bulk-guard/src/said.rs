//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts};
use audit_model::Finding;
use job_runner::Found;
use report::words::{duration, list_of, number, plural};

use crate::body::Detail;

/// Rooms named one by one.
const ROOMS_NAMED: usize = 3;

/// What to do, and the answers to what people ask first.
pub(crate) fn said(found: &Found<Detail>) -> Said {
    let Found { finding, detail } = found;
    Said {
        did: None,
        what_to_do: detail.what_to_do.iter().map(|step| with_matter(step, finding)).collect(),
        facts: SaidFacts {
            place: place(detail),
            how_many: Some(how_many(finding, detail)),
            how_fast: detail.documents_per_hour.map(|an_hour| how_fast(finding, an_hour)),
            goes_on: Some(detail.goes_on),
            how_sure: Some(how_sure(detail)),
        },
    }
}

/// The command as it can be pasted.
pub(crate) fn with_matter(step: &str, finding: &Finding) -> String {
    let Some(matter) = &finding.matter else { return step.to_owned() };
    match step.strip_suffix(", with the `matter` of this finding as INCIDENT") {
        Some(step) => step.replace("INCIDENT", matter),
        None => step.to_owned(),
    }
}

/// `room "Marketing" (120), room "Board" (60)`
fn place(detail: &Detail) -> Option<String> {
    let room = |title: &str, documents| format!("room \"{title}\" ({})", number(documents));
    let rooms = detail.rooms.iter().map(|one| room(&one.title.unlinked_within(80), one.documents));
    let rooms: Vec<String> = rooms.collect();
    (!rooms.is_empty()).then(|| list_of(&rooms, ROOMS_NAMED, rooms.len() as u64))
}

fn how_many(finding: &Finding, detail: &Detail) -> String {
    let documents = plural(finding.counts.documents, detail.counted);
    let people = match detail.people.len() as u64 {
        0 | 1 => String::new(),
        people => format!(", by {}", plural(people, "person")),
    };
    let at_least = if detail.uncountable > 0 { "at least " } else { "" };
    format!("{at_least}{documents} in {}{people}", plural(finding.counts.acts, "action"))
}

fn how_fast(finding: &Finding, an_hour: u64) -> String {
    let long = duration(finding.window.length());
    match an_hour / 60 {
        0 => format!("in {long}, {} an hour", number(an_hour)),
        a_minute => format!("in {long}, about {} a minute", number(a_minute)),
    }
}

fn how_sure(detail: &Detail) -> String {
    match detail.corroboration.len() as u64 {
        0 => "the number alone speaks for it; no other sign was found".to_owned(),
        signs => format!(
            "besides the number, {} for it",
            if signs == 1 { "1 sign speaks".to_owned() } else { format!("{} signs speak", number(signs)) }
        ),
    }
}

#[cfg(test)]
mod tests {
    use audit_model::testing;

    use super::*;

    #[test]
    fn the_command_names_the_matter() {
        let step =
            "list it: `bulk-guard restore-list INCIDENT --out list.csv`, with the `matter` of this finding as INCIDENT";
        let finding =
            Finding { matter: Some("k3f9-q2mw".to_owned()), ..testing::finding(chrono::DateTime::UNIX_EPOCH) };
        assert_eq!(with_matter(step, &finding), "list it: `bulk-guard restore-list k3f9-q2mw --out list.csv`");
        assert_eq!(with_matter(step, &Finding { matter: None, ..finding }), step);
    }
}
