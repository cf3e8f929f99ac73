//! A document in which people are called otherwise.

use audit_model::PortalText;

use crate::line::Span;
use crate::{Block, Cell, Details, Document, Figure, Line, Link, PersonLine, Section, Table, Timeline, Who};

/// What people are called.
pub trait Wording {
    /// The text with other names in it; `None` where it names nobody.
    fn text(&self, text: &str) -> Option<String>;

    /// Names somebody otherwise.
    fn person(&self, who: &mut Who);
}

impl Document {
    /// The same in other words: every text in it, whoever wrote it. Numbers and instants stay.
    #[must_use]
    pub fn reworded(mut self, wording: &impl Wording) -> Document {
        let Document { headline, proof, figures, sections, timelines, notes, .. } = &mut self;
        let lines = [headline, proof].into_iter().chain(notes);
        lines.for_each(|line| line.reword(wording));
        for Figure { label, note, .. } in figures {
            label.reword(wording);
            note.reword(wording);
        }
        sections.iter_mut().for_each(|section| section.reword(wording));
        timelines.iter_mut().for_each(|timeline| timeline.reword(wording));
        self
    }
}

impl Section {
    fn reword(&mut self, wording: &impl Wording) {
        self.title.reword(wording);
        self.blocks.iter_mut().for_each(|block| block.reword(wording));
    }
}

impl Block {
    fn reword(&mut self, wording: &impl Wording) {
        match self {
            Block::Paragraph(line) | Block::Warning(line) => line.reword(wording),
            Block::List(lines) | Block::Quote(lines) => lines.iter_mut().for_each(|line| line.reword(wording)),
            Block::Table(table) => table.reword(wording),
            Block::Person(person) => person.reword(wording),
            Block::Details(details) => details.reword(wording),
        }
    }
}

impl Details {
    fn reword(&mut self, wording: &impl Wording) {
        self.summary.reword(wording);
        self.blocks.iter_mut().for_each(|block| block.reword(wording));
    }
}

impl PersonLine {
    fn reword(&mut self, wording: &impl Wording) {
        let PersonLine { who, what, place, how_much, what_to_do, links, facts, details, .. } = self;
        wording.person(who);
        who.remark.iter_mut().for_each(|remark| remark.reword(wording));
        let lines = [what, how_much].into_iter().chain(what_to_do).chain(facts);
        lines.for_each(|line| line.reword(wording));
        if let Some(place) = place
            && let Some(title) = wording.text(place.title.raw())
        {
            place.title = title.as_str().into();
        }
        links.iter_mut().for_each(|link| link.reword(wording));
        details.iter_mut().for_each(|details| details.reword(wording));
    }
}

impl Table {
    fn reword(&mut self, wording: &impl Wording) {
        self.caption.reword(wording);
        for column in &mut self.columns {
            if let Some(text) = wording.text(column) {
                *column = text;
            }
        }
        self.rows.iter_mut().flatten().for_each(|cell| cell.reword(wording));
        if let Some(rest) = &mut self.rest {
            rest.place.reword(wording);
        }
    }
}

impl Cell {
    fn reword(&mut self, wording: &impl Wording) {
        match self {
            Cell::Text(line) => line.reword(wording),
            Cell::Link(link) => link.reword(wording),
            Cell::Anchor(anchor) => {
                anchor.text.reword(wording);
                reword(&mut anchor.id, wording);
            }
            Cell::Empty | Cell::Number(_) | Cell::At(_) => {}
        }
    }
}

impl Link {
    fn reword(&mut self, wording: &impl Wording) {
        self.label.reword(wording);
        reword(&mut self.url, wording);
    }
}

impl Timeline {
    fn reword(&mut self, wording: &impl Wording) {
        self.title.reword(wording);
        self.bars.iter_mut().for_each(|bar| bar.note.reword(wording));
        self.marks.iter_mut().for_each(|mark| mark.label.reword(wording));
    }
}

impl Line {
    /// The same in other words.
    #[must_use]
    pub fn reworded(mut self, wording: &impl Wording) -> Line {
        self.reword(wording);
        self
    }

    fn reword(&mut self, wording: &impl Wording) {
        for span in self.spans_mut() {
            match span {
                Span::Own(text) => reword(text, wording),
                Span::Portal(text, _) => {
                    if let Some(other) = wording.text(text.raw()) {
                        *text = PortalText::new(other);
                    }
                }
                // what leads to a row and the row itself change alike
                Span::Row { label, anchor } => {
                    reword(label, wording);
                    reword(anchor, wording);
                }
            }
        }
    }
}

fn reword(text: &mut String, wording: &impl Wording) {
    if let Some(other) = wording.text(text) {
        *text = other;
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{Coverage, Severity, Window};
    use chrono::DateTime;

    use super::*;
    use crate::{Maker, Mark, PortalLine, TEXT_WIDTH, line};

    struct Nameless;

    impl Wording for Nameless {
        fn text(&self, text: &str) -> Option<String> {
            text.contains("Anna").then(|| text.replace("Anna", "person-1"))
        }

        fn person(&self, who: &mut Who) {
            *who = Who { name: "person-1".into(), ..Who::default() };
        }
    }

    /// Every place of a document in which a text can stand.
    #[test]
    fn no_place_of_a_document_is_left_out() {
        let at = DateTime::UNIX_EPOCH;
        let anna = || line!["Anna, ", &PortalText::new("Anna's plan")];
        let link = || Link::new(anna(), "https://docs.example.com/?search=Anna");
        let mut table = Table::new(anna(), &["Anna"]).of(9, anna());
        table.row([anna().into(), link().into(), Cell::anchored(anna(), "Anna")]);
        let who = Who { id: Some("7".into()), name: "Anna".into(), remark: Some(anna()), ..Who::default() };
        let mut person = PersonLine::new(Severity::High, who, anna());
        person.place = Some(crate::Where { title: "Anna".into(), ..Default::default() });
        person.how_much = anna();
        person.what_to_do = vec![anna()];
        person.links = vec![link()];
        person.facts = vec![Line::row("Anna", "Anna")];
        person.details = vec![Details { summary: anna(), blocks: vec![Block::Table(table.clone())] }];
        let blocks = vec![
            Block::Paragraph(anna()),
            Block::Warning(anna()),
            Block::List(vec![anna()]),
            Block::Quote(vec![anna()]),
            Block::Table(table),
            Block::Person(Box::new(person)),
            Block::Details(Details { summary: anna(), blocks: vec![Block::Paragraph(anna())] }),
        ];
        let portal = PortalLine { url: "https://docs.example.com".to_owned(), version: None, time_zone: None };
        let maker = Maker { name: "sample-job".to_owned(), version: "1.0.0".to_owned() };
        let mut document = Document::new(maker, portal, None, Window::new(at, at), Coverage::default());
        document.headline = anna();
        document.proof = anna();
        document.figures = vec![Figure::new(anna(), 1).with_note(anna())];
        document.sections = vec![Section { title: anna(), blocks, ..Section::default() }];
        document.notes = vec![anna()];
        let bars = vec![crate::Bar { note: anna(), ..crate::Bar::new(Window::new(at, at), 1) }];
        let marks = vec![Mark { at, severity: Severity::High, label: anna() }];
        let (title, unit) = (anna(), "event".to_owned());
        let source = audit_model::MainSource::Audit;
        document.timelines = vec![Timeline { title, unit, source, span: Window::new(at, at), bars, marks }];
        assert!(format!("{document:?}").contains("Anna"));
        let reworded = document.reworded(&Nameless);
        assert!(!format!("{reworded:?}").contains("Anna"), "{reworded:#?}");
        assert!(reworded.html().contains("href=\"#person-1\""), "a row is still led to");
        assert!(reworded.text(TEXT_WIDTH).contains("person-1, person-1's plan"));
    }
}
