//! What a watcher prints: only what people do not know yet, and silence only when everything was seen.

use audit_model::{FindingState, Verdict};
use report::{Block, Details, Document, Section};

use crate::common;

fn news(document: &Document) -> Option<Document> {
    document.news(|told| format!("{told} told").into())
}

fn titles(document: &Document) -> Vec<String> {
    document.sections.iter().map(|section| section.title.for_terminal()).collect()
}

#[test]
fn people_who_are_known_are_left_out_and_their_section_with_them() {
    let mut found = common::findings();
    let told = news(&found).unwrap();
    assert_eq!(told.headline.for_terminal(), "2 told");
    assert_eq!(told.people().len(), 2);
    assert_eq!((told.figures.len(), told.timelines.len()), (0, 0));
    for section in &mut found.sections {
        for block in &mut section.blocks {
            if let Block::Person(person) = block {
                person.state = Some(FindingState::Silenced);
            }
        }
    }
    // the last section is news by itself, the middle one goes with it
    assert_eq!(titles(&news(&found).unwrap()), ["rooms", "what was done"]);
    found.sections[2].is_news = false;
    assert_eq!(news(&found), None);
}

#[test]
fn folded_people_count_too() {
    let person = common::findings().people()[0].clone();
    let folded = |state| {
        let blocks = Section::new("").with_people([report::PersonLine { state, ..person.clone() }]).blocks;
        let mut quiet = common::quiet();
        quiet.sections =
            vec![Section::new("known").with(Block::Details(Details { summary: "1 person".into(), blocks }))];
        quiet
    };
    assert_eq!(folded(Some(FindingState::Known)).people().len(), 1);
    assert_eq!(news(&folded(Some(FindingState::Known))), None);
    for state in [None, Some(FindingState::New), Some(FindingState::Grown)] {
        assert_eq!(news(&folded(state)).unwrap().people().len(), 1);
    }
}

#[test]
fn what_was_not_seen_is_never_silent() {
    assert_eq!(news(&common::quiet()), None);
    for document in [common::incomplete(), common::nothing()] {
        let news = news(&document).unwrap();
        assert_ne!(news.seal(), Verdict::Complete);
        assert_eq!(news.coverage, document.coverage);
    }
}
