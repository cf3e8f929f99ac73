//! What readers get, in every form and every situation.

use report::{Document, TEXT_WIDTH};

use crate::common;

fn snapshots(name: &str, document: &Document) {
    insta::assert_snapshot!(format!("{name}_text"), document.text(TEXT_WIDTH));
    insta::assert_snapshot!(format!("{name}_csv"), document.csv());
    // the style sheet stands in the repository already
    let page = document.html();
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    insta::assert_snapshot!(format!("{name}_html"), format!("{head}<style></style>{body}"));
}

#[test]
fn quiet_and_complete() {
    snapshots("quiet", &common::quiet());
}

#[test]
fn findings_with_hostile_names() {
    snapshots("findings", &common::findings());
}

#[test]
fn incomplete_with_many_gaps() {
    snapshots("incomplete", &common::incomplete());
}

#[test]
fn nothing_could_be_concluded() {
    snapshots("nothing", &common::nothing());
}

/// A file that is kept as evidence has to be the same whenever it is made.
#[test]
fn without_a_run_no_form_says_when_it_was_made() {
    for (name, document) in common::all() {
        let started = document.run.unwrap().started_at;
        let document = report::Document { run: None, ..document };
        for text in [document.text(TEXT_WIDTH), document.html(), document.csv()] {
            assert!(!text.contains(&report::words::utc(started)), "{name}: {text}");
        }
        let maker = format!("<p>Made by {} {}. Names", document.program.name, document.program.version);
        assert!(document.html().contains(&maker), "{name}");
    }
}
