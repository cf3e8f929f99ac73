//! One line of a report: words of ours and texts of the portal's, kept apart until a form quotes them.

use audit_model::PortalText;

use serde::{Serialize, Serializer};

use crate::words::sentence;

/// Longest text of the portal's that text and pages show, in characters: a sentence of the portal's with a title of the greatest
/// length that it lets people type. CSV and JSON have the whole.
const LONGEST_TEXT: usize = 200;

/// Longest name or title where it stands for somebody or something: whoever chooses it cannot push the rest out of sight.
const LONGEST_NAME: usize = 80;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Own(String),
    /// With the greatest number of characters that is shown of it.
    Portal(PortalText, usize),
    /// A label that leads to a row of a table of the same document.
    Row {
        label: String,
        anchor: String,
    },
}

/// One line for people. Every form escapes all of it; texts of the portal's are also cut where a reader could not bear them, and
/// isolated on pages, so that one that is written from right to left cannot reorder the words around it.
///
/// Built from its parts by [`line!`](crate::line!), or from one text by `From`. Serialised as one string that is escaped for JSON only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Span>);

impl Line {
    /// A name or a title: shown at most 80 characters long. Other texts of the portal's are cut at 200.
    pub fn name(name: &PortalText) -> Self {
        Line(vec![Span::Portal(name.clone(), LONGEST_NAME)])
    }

    /// A label of ours that leads to the row with this anchor ([`Cell::anchored`](crate::Cell::anchored)), where the form can lead and
    /// the document has the row.
    pub fn row(label: impl Into<String>, anchor: impl Into<String>) -> Self {
        Line(vec![Span::Row { label: label.into(), anchor: anchor.into() }])
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|span| match span {
            Span::Own(text) | Span::Row { label: text, .. } => text.is_empty(),
            Span::Portal(text, _) => text.raw().is_empty(),
        })
    }

    /// With more behind it.
    pub fn and(mut self, more: impl Into<Line>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    /// With a capital letter, if it begins with a word of ours.
    pub fn capitalised(mut self) -> Self {
        if let Some(Span::Own(first)) = self.0.iter_mut().find(|span| **span != Span::Own(String::new())) {
            *first = sentence(first);
        }
        self
    }

    /// The text as it is, for forms that quote it themselves.
    pub(crate) fn raw(&self) -> String {
        let raw = |span: &Span| match span {
            Span::Own(text) | Span::Row { label: text, .. } => text.clone(),
            Span::Portal(text, _) => text.raw().to_owned(),
        };
        self.0.iter().map(raw).collect()
    }

    /// One line that is safe on a terminal and in a mail.
    pub fn for_terminal(&self) -> String {
        self.0.iter().map(shown).collect()
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.0
    }

    pub(crate) fn spans_mut(&mut self) -> &mut [Span] {
        &mut self.0
    }
}

/// A part of a line on one line, as long as a reader can bear.
pub(crate) fn shown(span: &Span) -> String {
    match span {
        Span::Own(text) | Span::Row { label: text, .. } => PortalText::new(text.as_str()).for_terminal(),
        Span::Portal(text, longest) => text.unlinked_within(*longest),
    }
}

/// A line of several parts: `line!["asked ", &person.name, " twice"]`.
#[macro_export]
macro_rules! line {
    ($($part:expr),* $(,)?) => { $crate::Line::default()$(.and($part))* };
}

impl From<&str> for Line {
    fn from(own: &str) -> Self {
        Line(vec![Span::Own(own.to_owned())])
    }
}

impl From<String> for Line {
    fn from(own: String) -> Self {
        Line(vec![Span::Own(own)])
    }
}

impl From<PortalText> for Line {
    fn from(text: PortalText) -> Self {
        Line(vec![Span::Portal(text, LONGEST_TEXT)])
    }
}

impl From<&PortalText> for Line {
    fn from(text: &PortalText) -> Self {
        Line::from(text.clone())
    }
}

/// In a program's JSON: the text as it is.
impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.raw())
    }
}

/// A line that leads to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub label: Line,
    /// Only `https` and `http` become links; anything else is shown as text.
    pub url: String,
}

impl Link {
    pub fn new(label: impl Into<Line>, url: impl Into<String>) -> Self {
        Link { label: label.into(), url: url.into() }
    }
}

/// Whether a browser that follows it asks a web server, and runs nothing.
pub(crate) fn is_web_page(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_portal_are_cut_and_words_of_ours_are_not() {
        let long = "a".repeat(300);
        let line = line!["asked ", &PortalText::new(long.as_str()), " twice"];
        assert_eq!(line.for_terminal(), format!("asked {}… twice", "a".repeat(199)));
        assert_eq!(line.raw(), format!("asked {long} twice"));
        assert_eq!(Line::name(&long.as_str().into()).for_terminal(), format!("{}…", "a".repeat(79)));
        assert_eq!(Line::from(long.clone()).for_terminal(), long);
    }

    #[test]
    fn texts_of_the_portal_lead_nowhere_and_ours_do() {
        let title = PortalText::new("Your password expires: https://evil.example/");
        let line = line!["see https://docs.example.com: ", &title];
        assert_eq!(
            line.for_terminal(),
            "see https://docs.example.com: Your password expires: https[://]evil[.]example/"
        );
    }

    #[test]
    fn words_of_ours_are_escaped_too() {
        assert_eq!(Line::from("said \u{1b}[2J\n").for_terminal(), "said \\u{1b}[2J\\u{a}");
    }
}
