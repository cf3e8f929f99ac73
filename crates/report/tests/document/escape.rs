//! No text gets out of its place: whatever people type is read back, in every form, as the text that it is.

use audit_model::testing::hostile_texts;
use audit_model::{Coverage, GapReason, MainSource, PortalText, Severity, SourceCoverage, Window};
use chrono::{DateTime, TimeDelta, Utc};
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};
use proptest::prelude::*;
use report::{
    Bar, Block, Cell, Details, Document, Figure, Line, Link, Maker, Mark, PersonLine, PortalLine, RunLine, Section,
    TEXT_WIDTH, Table, Timeline, Where, Who, csv, line,
};

/// Stands for the text in the document that is compared with.
const PLAIN: &str = "Plain";

/// A document that has the text wherever a text can be.
fn saying(text: &str) -> Document {
    let typed = PortalText::new(text);
    let all = || line![text, " ", &typed];
    let at: DateTime<Utc> = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let window = Window::new(at, at + TimeDelta::hours(1));
    let program = Maker { name: text.to_owned(), version: text.to_owned() };
    let portal = PortalLine { url: format!("https://{text}"), version: Some(text.to_owned()), time_zone: None };
    let mut coverage = Coverage { audit: Some(SourceCoverage::default()), ..Coverage::default() };
    coverage.gap(text, window, GapReason::Permission);
    let mut document = Document::new(program, portal, RunLine { started_at: at, dry_run: false }, window, coverage);
    document.headline = all();
    document.notes = vec![all()];
    document.figures = vec![Figure::new(all(), 7).with_note(all())];
    let page = || Some(format!("https://docs.example.com/{text}"));
    let who = Who {
        id: Some(text.to_owned()),
        name: typed.clone(),
        email: Some(typed.clone()),
        remark: Some(all()),
        page: page(),
    };
    let mut person = PersonLine::new(Severity::High, who, all());
    person.place = Some(Where { id: None, title: typed.clone(), page: page(), candidates: vec![text.to_owned()] });
    person.how_much = all();
    person.what_to_do = vec![all(), all()];
    person.links = vec![Link::new(all(), format!("javascript:{text}"))];
    person.facts = vec![all()];
    let mut table = Table::new(all(), &[text, "Number"]);
    table.row([Cell::from(all()), 7.into(), Link::new(all(), format!("https://docs.example.com/{text}")).into()]);
    let table = Block::Table(table.of(9, all()));
    person.details = vec![Details { summary: all(), blocks: vec![table.clone()] }];
    document.sections = vec![
        Section { page: page(), ..Section::new(all()) }
            .with_people([person])
            .with(Block::Warning(all()))
            .with(Block::Paragraph(all()))
            .with(Block::List(vec![all()]))
            .with(Block::Quote(vec![all()]))
            .with(Block::Details(Details { summary: all(), blocks: vec![table] })),
        Section::new(all()),
        Section::new(all()),
    ];
    document.timelines = vec![Timeline {
        title: all(),
        unit: text.to_owned(),
        source: MainSource::Audit,
        span: window,
        bars: vec![Bar { note: all(), ..Bar::new(window, 1) }],
        marks: vec![Mark { at, severity: Severity::Low, label: all() }],
    }];
    document
}

/// What a browser makes of a page: its tags with their attributes, and the texts between them. What stands between backticks is set in
/// another type, and nothing else.
fn parsed(page: &str) -> Vec<String> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_uppercase();
    let tokens = Tokenizer::new_with_emitter(page, emitter).map(|token| match token.unwrap() {
        Token::StartTag(tag) => {
            let attributes = tag.attributes.iter().map(|(name, value)| format!(" {}={}", shown(name), shown(value)));
            (false, format!("<{}{}>", shown(&tag.name), attributes.collect::<String>()))
        }
        Token::EndTag(tag) => (false, format!("</{}>", shown(&tag.name))),
        Token::String(text) => (true, shown(&text)),
        other => (false, format!("{other:?}")),
    });
    let mut read: Vec<(bool, String)> = Vec::new();
    for (is_text, token) in
        tokens.filter(|(is_text, token)| *is_text || !["<CODE>", "</CODE>"].contains(&token.as_str()))
    {
        let token = token.replace('`', "");
        match read.last_mut() {
            Some((true, last)) if is_text => *last += &token,
            _ => read.push((is_text, token)),
        }
    }
    read.into_iter().map(|(_, token)| token).collect()
}

/// The text as a page or a terminal shows it.
fn shown(text: &str) -> String {
    PortalText::new(text).for_terminal()
}

/// Read as a spreadsheet would, by the separator that its country uses.
fn cells(table: &str, separator: u8) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new();
    let is_strict = separator == b',';
    let mut reader = reader.delimiter(separator).has_headers(false).flexible(!is_strict).from_reader(table.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn is_formula(cell: &str) -> bool {
    cell.trim()
        .trim_start_matches('"')
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r'])
}

/// Short enough to be shown in full everywhere.
fn text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "<", ">", "&", "\"", "'", "=", "+", "-", "@", "＝", ";", ",", "\t", "\r", "\n", "\u{202e}", "\u{200f}", "\0",
        "\u{1b}", "`", "</td>", "<!--", "]]>", "&lt;", " ", "א", "😀",
    ]);
    let piece = prop_oneof![hostile.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_page_reads_back_as_it_was_said(text in text()) {
        // an empty name is shown as such, which the plain one is not
        let text = format!("a{text}");
        let page = |text: &str| saying(text).html();
        let expected: Vec<String> = parsed(&page(PLAIN))
            .into_iter()
            .map(|token| token.replace(&PLAIN.to_uppercase(), &shown(&text).to_uppercase().replace('`', "")))
            .collect();
        prop_assert_eq!(parsed(&page(&text)), expected);
    }

    #[test]
    fn no_text_of_any_length_makes_a_tag(text in any::<String>()) {
        let tags = |text: &str| {
            let page = saying(text).html();
            let names = parsed(&page).into_iter().filter(|token| token.starts_with('<'));
            names.map(|token| token.split([' ', '>']).next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        prop_assert_eq!(tags(&format!("a{text}")), tags(PLAIN));
    }

    #[test]
    fn a_spreadsheet_reads_back_the_cells_and_computes_none(text in text()) {
        let (table, plain) = (csv::render(&saying(&text)), csv::render(&saying(PLAIN)));
        let plain = cells(&plain, b',');
        prop_assert_eq!(table.lines().count(), plain.len());
        for (row, plain) in cells(&table, b',').iter().zip(&plain) {
            prop_assert_eq!(row.len(), csv::COLUMNS.len());
            for (cell, plain) in row.iter().zip(plain) {
                let unmarked = |cell: &str| cell.replace('\'', "");
                prop_assert_eq!(unmarked(cell), unmarked(&plain.replace(PLAIN, &shown(&text))));
            }
        }
        for separator in [b',', b';'] {
            for cell in cells(&table, separator).iter().flatten() {
                prop_assert!(!is_formula(cell), "{:?} in {}", cell, table);
            }
        }
    }

    #[test]
    fn a_table_by_itself_is_as_safe(text in text()) {
        let mut sample = Table::new("", &[&text, "b"]);
        sample.row([Cell::from(&PortalText::new(text.as_str())), Cell::from(text.as_str())]);
        let table = csv::table(&sample);
        prop_assert_eq!(table.lines().count(), 2);
        for separator in [b',', b';'] {
            for cell in cells(&table, separator).iter().flatten() {
                prop_assert!(!is_formula(cell), "{:?} in {}", cell, table);
            }
        }
    }

    #[test]
    fn text_holds_no_control_characters_and_ends_no_line_in_blanks(text in any::<String>()) {
        let out = saying(&text).text(TEXT_WIDTH);
        for line in out.split_terminator('\n') {
            prop_assert!(!line.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{line:?}");
            prop_assert_eq!(line.trim_end(), line);
        }
    }
}

/// What people who mean harm type into a portal, in every form of a report.
#[test]
fn what_people_who_mean_harm_type_is_text_in_every_form() {
    let tags = |text: &str| {
        let page = saying(text).html();
        let names = parsed(&page).into_iter().filter(|token| token.starts_with('<'));
        names.map(|token| token.split([' ', '>']).next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let (plain, plain_rows) = (tags(PLAIN), cells(&csv::render(&saying(PLAIN)), b',').len());
    for (tried, typed) in hostile_texts() {
        // what begins with a bracket looks like a tag to this test
        assert_eq!(tags(&format!("a{typed}")), plain, "{tried}");
        let document = saying(&typed);
        let text = document.text(TEXT_WIDTH);
        let acts = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.split_terminator('\n').any(|line| line.contains(acts)), "{tried}");
        let table = csv::render(&document);
        assert_eq!(table.lines().count(), plain_rows, "{tried}");
        for separator in [b',', b';'] {
            let computed = cells(&table, separator).into_iter().flatten().find(|cell| is_formula(cell));
            assert_eq!(computed, None, "{tried}");
        }
    }
}

#[test]
fn only_web_pages_are_links() {
    let mut document = saying(PLAIN);
    let links =
        ["javascript:alert(1)", "data:text/html,x", " https://docs.example.com", "//evil.example.com", "file:///etc"];
    let lines = links.map(|url| Cell::from(Link::new("here", url)));
    let mut table = Table::new("links", &["a", "b", "c", "d", "e"]);
    table.row(lines);
    document.sections.push(Section::new("links").with(Block::Table(table)));
    let page = document.html();
    let addresses = parsed(&page).into_iter().filter_map(|token| Some(token.split_once(" HREF=")?.1.to_owned()));
    for address in addresses {
        assert!(address.starts_with('#') || address.starts_with("HTTPS://"), "{address}");
    }
    assert!(page.contains("here (javascript:alert(1))"));
}

#[test]
fn a_line_knows_whether_it_is_empty() {
    assert!(Line::default().is_empty() && line!["", &PortalText::default()].is_empty());
    assert!(!line!["", &PortalText::from(" ")].is_empty());
}
