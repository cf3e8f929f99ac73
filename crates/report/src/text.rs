//! Plain text, as on stdout and in mails: no line ends in blanks, none holds a control character.

mod columns;

use audit_model::FindingState;

use crate::coverage;
use crate::words::{self, Clock};
use crate::{Block, Document, Line, PersonLine, Timeline, line};

/// Bars are at most so many characters long.
const LONGEST_BAR: u64 = 40;

impl Document {
    /// The document as text for a terminal of that width: tables are as wide, if their words can be broken that far.
    pub fn text(&self, width: usize) -> String {
        render(self, width)
    }
}

/// The document as text; tables are at most so many columns wide, if their words can be broken that far.
pub(crate) fn render(document: &Document, width: usize) -> String {
    let mut out = Lines { lines: Vec::new(), width, clock: document.clock() };
    let below = if document.coverage.gaps.is_empty() { "" } else { " (see below)" };
    out.say(0, line![document.program.name.as_str(), ": ", document.headline.clone(), below]);
    out.say(0, document.about());
    if !document.proof.is_empty() {
        out.say(0, line![words::seal(document.seal()), ": ", document.proof.clone()]);
    }
    if document.is_dry_run() {
        out.say(0, "Dry run: nothing was changed at the portal, and nothing was sent");
    }
    for note in &document.notes {
        out.say(0, line!["Note: ", note.clone()]);
    }
    if !document.figures.is_empty() {
        out.gap();
    }
    for figure in &document.figures {
        let note = if figure.note.is_empty() { Line::default() } else { line![" (", figure.note.clone(), ")"] };
        out.say(0, line![figure.label.clone().capitalised(), ": ", words::number(figure.value), note]);
    }
    if let Some(caveat) = words::numbers_caveat(&document.coverage).filter(|_| !document.figures.is_empty()) {
        out.say(0, caveat);
    }
    for section in &document.sections {
        out.gap();
        out.say(0, section.title.clone().capitalised());
        if let Some(page) = &section.page {
            out.say(2, page.as_str());
        }
        out.blocks(2, &section.blocks);
    }
    for timeline in &document.timelines {
        out.gap();
        out.timeline(document, timeline);
    }
    out.gap();
    coverage::lines(&document.coverage, out.clock).into_iter().for_each(|line| out.say(0, line));
    out.lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

struct Lines {
    lines: Vec<String>,
    width: usize,
    clock: Clock,
}

impl Lines {
    fn say(&mut self, indent: usize, line: impl Into<Line>) {
        self.lines.push(format!("{:indent$}{}", "", line.into().for_terminal()));
    }

    /// An empty line, never two.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|last| !last.is_empty()) {
            self.lines.push(String::new());
        }
    }

    fn blocks(&mut self, indent: usize, blocks: &[Block]) {
        for (at, block) in blocks.iter().enumerate() {
            match block {
                Block::Paragraph(line) => self.say(indent, line.clone()),
                Block::Warning(line) => self.say(indent, line!["*** ", line.clone()]),
                Block::Quote(lines) => lines.iter().for_each(|line| self.say(indent, line.clone())),
                Block::List(lines) => lines.iter().for_each(|line| self.say(indent, line!["- ", line.clone()])),
                Block::Table(table) => {
                    let lines = columns::table(table, self.clock, self.width.saturating_sub(indent));
                    self.lines.extend(lines.into_iter().map(|line| format!("{:indent$}{line}", "")));
                }
                Block::Person(person) => {
                    if at > 0 {
                        self.gap();
                    }
                    self.person(indent, person);
                }
                Block::Details(details) => {
                    if at > 0 && matches!(blocks[at - 1], Block::Details(_)) {
                        self.gap();
                    }
                    self.say(indent, details.summary.clone().and(":"));
                    self.blocks(indent + 2, &details.blocks);
                }
            }
        }
    }

    fn person(&mut self, indent: usize, person: &PersonLine) {
        let state = person.state.filter(|state| *state != FindingState::New).map(words::state);
        let state = state.map(|state| line![", ", state]).unwrap_or_default();
        let place = person.place.as_ref().map(|place| line![" in ", place.line()]).unwrap_or_default();
        let severity = words::severity(person.severity);
        self.say(indent, line![severity, state, "  ", person.who.line(), place]);
        let indent = indent + 2;
        let is_over = person.state == Some(FindingState::Ended);
        // people were told the rest
        let facts = if is_over { &[] } else { person.facts.as_slice() };
        for line in std::iter::once(&person.what).chain(facts).chain([&person.how_much]) {
            if !line.is_empty() {
                self.say(indent, line.clone());
            }
        }
        match (person.first, person.last) {
            (Some(first), Some(last)) if first == last => self.say(indent, format!("at {}", self.clock.at(first))),
            (Some(first), Some(last)) => {
                self.say(indent, format!("first {}, last {}", self.clock.at(first), self.clock.at(last)));
            }
            (Some(first), None) => self.say(indent, format!("since {}", self.clock.at(first))),
            (None, Some(last)) => self.say(indent, format!("last {}", self.clock.at(last))),
            (None, None) => {}
        }
        if let Some(matter) = &person.matter {
            self.say(indent, line!["Matter ", matter.as_str()]);
        }
        if is_over {
            return;
        }
        match person.what_to_do.as_slice() {
            [] => {}
            [step] => self.say(indent, line!["What to do: ", step.clone()]),
            steps => {
                self.say(indent, "What to do:");
                steps.iter().for_each(|step| self.say(indent + 2, line!["- ", step.clone()]));
            }
        }
        let room = person.place.as_ref().and_then(|place| place.page.as_deref());
        let pages = [("The room: ", room), ("The account: ", person.who.page.as_deref())];
        for (label, page) in pages {
            page.into_iter().for_each(|page| self.say(indent, line![label, page]));
        }
        for link in &person.links {
            self.say(indent, line![link.label.clone(), ": ", link.url.as_str()]);
        }
        for details in &person.details {
            self.blocks(indent, &[Block::Details(details.clone())]);
        }
    }

    fn timeline(&mut self, document: &Document, timeline: &Timeline) {
        self.say(0, timeline.title.clone().capitalised());
        let unseen = timeline.unseen(&document.coverage);
        let most = timeline.busiest().map_or(1, |bar| bar.count);
        for bar in &timeline.bars {
            let length = u128::from(bar.count) * u128::from(LONGEST_BAR) / u128::from(most);
            let length = usize::try_from(length).unwrap_or_default().max(usize::from(bar.count > 0));
            let is_cut = unseen.iter().any(|gap| !gap.intersection(&bar.span).is_empty());
            let cut = if is_cut { "  not all of it was seen" } else { "" };
            let note = if bar.note.is_empty() { Line::default() } else { line!["  ", bar.note.clone()] };
            let (label, count) = (timeline.label(bar, self.clock), words::number(bar.count));
            self.say(2, line![format!("{label} {count:>8}  {}", "#".repeat(length)), note, cut]);
        }
        for mark in &timeline.marks {
            let (at, severity) = (self.clock.at(mark.at), words::severity(mark.severity));
            self.say(2, line![at, "  ", severity, "  ", mark.label.clone()]);
        }
    }
}
