//! What a report says, whatever form it takes.

use std::collections::BTreeSet;

use audit_model::{Coverage, Verdict, Window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::words::{self, Clock};
use crate::{Line, PersonLine, Table, Timeline};

/// Who made the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    pub name: String,
    pub version: String,
}

/// Whose report it is. Absent members are unknown: the portal could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalLine {
    pub url: String,
    pub version: Option<String>,
    /// Times are shown in it; in UTC when it is absent.
    pub time_zone: Option<Tz>,
}

/// The only part of a report that differs when the same run is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLine {
    pub started_at: DateTime<Utc>,
    pub dry_run: bool,
}

/// A number that a reader should see first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub label: Line,
    pub value: u64,
    /// What it is compared with or made of.
    pub note: Line,
}

impl Figure {
    pub fn new(label: impl Into<Line>, value: u64) -> Self {
        Figure { label: label.into(), value, note: Line::default() }
    }

    pub fn with_note(self, note: impl Into<Line>) -> Self {
        Figure { note: note.into(), ..self }
    }
}

/// What is folded where a form can fold; open on paper and in text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    pub summary: Line,
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Paragraph(Line),
    /// What nobody may overlook.
    Warning(Line),
    List(Vec<Line>),
    /// The lines of a text that somebody else gets, a mail for instance: blanks and empty lines stay.
    Quote(Vec<Line>),
    Table(Table),
    Person(Box<PersonLine>),
    Details(Details),
}

/// A part of a document under its own heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub title: Line,
    /// The page in the portal that the section is about.
    pub page: Option<String>,
    pub blocks: Vec<Block>,
    /// Whether it has to be said even when nobody in the document is news: something was done, or went wrong.
    pub is_news: bool,
    /// Whether a watcher who is told what is new can do without it: it stands in the whole report only.
    pub is_background: bool,
}

impl Section {
    pub fn new(title: impl Into<Line>) -> Self {
        Section { title: title.into(), ..Section::default() }
    }

    /// With one more block.
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// With more people, in the order of the report.
    pub fn with_people(mut self, people: impl IntoIterator<Item = PersonLine>) -> Self {
        self.blocks.extend(people.into_iter().map(|person| Block::Person(Box::new(person))));
        self
    }

    /// The people of the section, folded ones too, in order.
    pub fn people(&self) -> Vec<&PersonLine> {
        people(&self.blocks)
    }

    /// The section without whom people know already; `None` when it named only such people, or is only of the whole report.
    fn news(&self) -> Option<Section> {
        if self.is_background {
            return None;
        }
        let news = Section { blocks: told(&self.blocks), ..self.clone() };
        let has_lost_all = news.people().is_empty() && !self.people().is_empty();
        (self.is_news || !has_lost_all).then_some(news)
    }
}

fn people<'b>(blocks: &'b [Block]) -> Vec<&'b PersonLine> {
    let of = |block: &'b Block| match block {
        Block::Person(person) => vec![&**person],
        Block::Details(details) => people(&details.blocks),
        Block::Paragraph(_) | Block::Warning(_) | Block::List(_) | Block::Quote(_) | Block::Table(_) => Vec::new(),
    };
    blocks.iter().flat_map(of).collect()
}

fn anchors(blocks: &[Block]) -> Vec<&str> {
    fn of(block: &Block) -> Vec<&str> {
        match block {
            Block::Table(table) => table.anchors(),
            Block::Details(details) => anchors(&details.blocks),
            Block::Paragraph(_) | Block::Warning(_) | Block::List(_) | Block::Quote(_) | Block::Person(_) => Vec::new(),
        }
    }
    blocks.iter().flat_map(of).collect()
}

fn told(blocks: &[Block]) -> Vec<Block> {
    let of = |block: &Block| match block {
        Block::Person(person) => person.is_told().then(|| block.clone()),
        Block::Details(details) => {
            let told = Details { blocks: told(&details.blocks), ..details.clone() };
            (!told.blocks.is_empty()).then_some(Block::Details(told))
        }
        Block::Paragraph(_) | Block::Warning(_) | Block::List(_) | Block::Quote(_) | Block::Table(_) => {
            Some(block.clone())
        }
    };
    blocks.iter().filter_map(of).collect()
}

/// A report as a value. Every form is a pure function of it.
///
/// Whether it is complete is read off its coverage and cannot be set: a document cannot claim what was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub program: Maker,
    pub portal: PortalLine,
    /// Absent from a document that has to be the same whenever it is made.
    pub run: Option<RunLine>,
    /// What the report is about: half-open.
    pub window: Window,
    /// The one sentence that stands above everything, without a capital letter and a full stop.
    pub headline: Line,
    /// What the seal says in numbers, without a full stop; empty for what every seal says.
    pub proof: Line,
    pub figures: Vec<Figure>,
    pub sections: Vec<Section>,
    pub timelines: Vec<Timeline>,
    pub coverage: Coverage,
    /// What else a reader should know of this run.
    pub notes: Vec<Line>,
}

impl Document {
    /// A report that has found nothing so far.
    pub fn new(
        program: Maker,
        portal: PortalLine,
        run: impl Into<Option<RunLine>>,
        window: Window,
        coverage: Coverage,
    ) -> Self {
        let run = run.into();
        let headline = words::headline(&coverage, 0, 0).into();
        let (proof, figures, sections, timelines, notes) = Default::default();
        Document { program, portal, run, window, headline, proof, figures, sections, timelines, coverage, notes }
    }

    /// Whether the run that it is about changed and sent nothing.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.run.is_some_and(|run| run.dry_run)
    }

    /// Whether it is complete, as its coverage says.
    pub fn seal(&self) -> Verdict {
        self.coverage.verdict()
    }

    /// Instants as the portal's own pages show them.
    pub fn clock(&self) -> Clock {
        Clock(self.portal.time_zone.unwrap_or(Tz::UTC))
    }

    /// The rows that lines of the document can lead to.
    pub(crate) fn anchors(&self) -> BTreeSet<&str> {
        self.sections.iter().flat_map(|section| anchors(&section.blocks)).collect()
    }

    /// Everybody whom the report names, in order.
    pub fn people(&self) -> Vec<&PersonLine> {
        self.sections.iter().flat_map(Section::people).collect()
    }

    /// The document without whom people know already: what a watcher prints. Sections that named only such people are gone, and so
    /// are figures and timelines, which are about everybody. `None` when that leaves nothing to say and everything was seen.
    ///
    /// `headline` is asked for the sentence above it, and told how many people are left.
    pub fn news(&self, headline: impl FnOnce(u64) -> Line) -> Option<Document> {
        let told = self.people().into_iter().filter(|person| person.is_told()).count() as u64;
        let is_news = told > 0 || self.sections.iter().any(|section| section.is_news);
        if !is_news && self.seal() == Verdict::Complete {
            return None;
        }
        let sections = self.sections.iter().filter_map(Section::news).collect();
        let (figures, timelines) = Default::default();
        Some(Document { headline: headline(told), sections, figures, timelines, ..self.clone() })
    }

    /// `Portal https://docs.example.com, 2026-11-19 10:00:00 to 2026-11-20 10:00:00, times in Europe/Berlin`
    pub(crate) fn about(&self) -> Line {
        let clock = self.clock();
        format!("Portal {}, {}, times in {}", self.portal.url, clock.span(self.window), clock.0).into()
    }
}
