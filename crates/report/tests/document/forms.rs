//! What readers get, in every form and every situation.

use report::{Block, Cell, Details, Document, Line, PersonLine, Section, TEXT_WIDTH, Table};

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

/// One event has one moment.
#[test]
fn a_single_moment_is_said_once() {
    let mut document = common::findings();
    let person = document.people()[0].clone();
    document.sections = vec![Section::new("people").with_people([PersonLine { last: person.first, ..person }])];
    let (page, text) = (document.html(), document.text(TEXT_WIDTH));
    assert!(page.contains("<dt>When</dt>") && !page.contains("<dt>Last</dt>"), "{page}");
    assert!(!text.contains(", last "), "{text}");
}

/// Lines lead to rows where the form can lead and the document has the row; a row that stands there twice is led to once.
#[test]
fn lines_lead_to_rows() {
    let mut document = common::quiet();
    let mut table = Table::new("Events", &["Event"]);
    table.row([Cell::anchored("48521", "event-48521")]);
    let seen = Line::from("switched off. ").and(Line::row("[48521]", "event-48521"));
    let lost = Line::from("switched on. ").and(Line::row("[48522]", "event-48522"));
    let folded = Details { summary: "again".into(), blocks: vec![Block::Table(table.clone())] };
    let section = Section::new("what happened").with(Block::List(vec![seen, lost])).with(Block::Table(table));
    document.sections = vec![section.with(Block::Details(folded))];
    document.proof = "9 of 9 events; nothing is missing".into();
    let page = document.html();
    assert!(page.contains("switched off. <a class=\"id\" href=\"#event-48521\">[48521]</a>"), "{page}");
    assert!(page.contains("switched on. <span class=\"id\">[48522]</span>"), "{page}");
    assert_eq!(page.matches("id=\"event-48521\"").count(), 1, "{page}");
    assert!(page.contains("<p class=\"proof\">9 of 9 events; nothing is missing.</p>"), "{page}");
    let text = document.text(TEXT_WIDTH);
    assert!(text.contains("- switched off. [48521]\n") && text.contains("- switched on. [48522]\n"), "{text}");
    assert!(text.contains("\nComplete: 9 of 9 events; nothing is missing\n"), "{text}");
}

/// The end of a finding's window lies just after its last action, and is not that action.
#[test]
fn the_last_action_has_its_own_date() {
    let found = common::findings();
    let table = found.csv();
    let last = table.lines().filter(|row| row.starts_with("\"person\"")).filter_map(|row| row.split("\",\"").nth(13));
    assert_eq!(last.collect::<Vec<_>>(), [common::LAST; 3], "{table}");
    assert!(found.text(80).contains("last 2026-11-20 07:15:00"), "{}", found.text(80));
    assert!(found.html().contains("datetime=\"2026-11-20T06:15:00Z\""), "{}", found.html());
}
