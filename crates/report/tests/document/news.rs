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
fn what_a_watcher_can_do_without_stands_in_the_whole_report_only() {
    let mut found = common::findings();
    found.sections.push(Section { is_background: true, ..Section::new("rooms without findings") });
    assert!(found.text(100).contains("Rooms without findings"));
    let told = titles(&news(&found).unwrap());
    assert!(!told.contains(&"rooms without findings".to_owned()) && told.len() == 3, "{told:?}");
    let mut quiet = common::quiet();
    quiet.sections.push(Section { is_background: true, ..Section::new("rooms without findings") });
    assert_eq!(news(&quiet), None);
}

/// The text of a mail stays as its reader sees it.
#[test]
fn quoted_lines_keep_their_blanks() {
    let mut quiet = common::quiet();
    let lines = ["Hello,".into(), "".into(), "    - plan.docx".into()];
    quiet.sections.push(Section::new("mail").with(Block::Quote(lines.to_vec())));
    assert!(quiet.text(100).contains("\nMail\n  Hello,\n\n      - plan.docx\n"), "{}", quiet.text(100));
    let page = quiet.html();
    assert!(page.contains("<pre>Hello,\n\n    - plan.docx\n</pre>"), "{page}");
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
