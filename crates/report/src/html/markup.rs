//! Writes markup of which no text can be part: names of tags and attributes are ours, everything else is escaped, and whatever is
//! opened is closed.

use std::collections::BTreeSet;

use audit_model::PortalText;
use chrono::{DateTime, Utc};

use crate::Line;
use crate::line::{Span, is_web_page, shown};
use crate::words::{Clock, utc};

/// Name and value.
type Attribute<'a> = (&'static str, &'a str);

/// Tags within a line of text.
const INLINE: [&str; 9] = ["a", "bdi", "code", "span", "strong", "svg", "time", "title", "desc"];

#[derive(Default)]
pub(super) struct Markup {
    written: String,
    /// The rows that lines can lead to.
    rows: BTreeSet<String>,
    /// Those of them that stand on the page already.
    placed: BTreeSet<String>,
}

impl Markup {
    /// A page with these rows.
    pub(super) fn with_rows<'r>(rows: impl IntoIterator<Item = &'r str>) -> Self {
        Markup { rows: rows.into_iter().map(str::to_owned).collect(), ..Markup::default() }
    }

    /// The text of a row that lines lead to. What stands on the page twice is led to where it stands first.
    pub(super) fn anchor(&mut self, text: &Line, id: &str) {
        if self.placed.insert(id.to_owned()) {
            self.tag("span", &[("class", "id"), ("id", id)], |markup| markup.line(text));
        } else {
            self.tag("span", &[("class", "id")], |markup| markup.line(text));
        }
    }

    /// A tag with what is inside it.
    pub(super) fn tag(&mut self, name: &'static str, attributes: &[Attribute], inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes, ">");
        inside(self);
        self.written += "</";
        self.written += name;
        self.written += ">";
        if !INLINE.contains(&name) {
            self.written += "\n";
        }
    }

    /// A tag with a line inside it.
    pub(super) fn line_in(&mut self, name: &'static str, attributes: &[Attribute], line: impl Into<Line>) {
        let line = line.into();
        self.tag(name, attributes, |markup| markup.line(&line));
    }

    /// A tag of HTML that holds nothing.
    pub(super) fn void(&mut self, name: &'static str, attributes: &[Attribute]) {
        self.open(name, attributes, ">\n");
    }

    /// A tag of SVG that holds nothing.
    pub(super) fn shape(&mut self, name: &'static str, attributes: &[Attribute]) {
        self.open(name, attributes, "/>");
    }

    /// Text, on one line.
    pub(super) fn text(&mut self, text: &str) {
        self.written += &PortalText::new(text).for_html();
    }

    /// A line; texts of the portal's in it do not change the direction of what stands around them.
    pub(super) fn line(&mut self, line: &Line) {
        for span in line.spans() {
            match span {
                Span::Own(_) => self.own(&shown(span)),
                Span::Row { anchor, .. } if self.rows.contains(anchor) => {
                    let target = format!("#{anchor}");
                    self.tag("a", &[("class", "id"), ("href", &target)], |markup| markup.text(&shown(span)));
                }
                Span::Row { .. } => self.tag("span", &[("class", "id")], |markup| markup.text(&shown(span))),
                Span::Portal(..) => self.tag("bdi", &[], |markup| markup.text(&shown(span))),
            }
        }
    }

    /// Words of ours. What stands between backticks is to be typed as it is, or stands so somewhere else.
    fn own(&mut self, words: &str) {
        let mut rest = words;
        while let Some((before, code, after)) = quoted(rest) {
            self.text(before);
            self.tag("code", &[], |markup| markup.text(code));
            rest = after;
        }
        self.text(rest);
    }

    /// A line that leads to a page; without the link when the address is none that a browser should follow.
    pub(super) fn link(&mut self, line: impl Into<Line>, url: &str) {
        let line = line.into();
        if is_web_page(url) {
            self.tag("a", &[("href", url), ("rel", "noreferrer")], |markup| markup.line(&line));
        } else {
            self.line(&line);
            self.text(&format!(" ({url})"));
        }
    }

    /// An instant for people, with the same for programs.
    pub(super) fn instant(&mut self, instant: DateTime<Utc>, clock: Clock) {
        self.tag("time", &[("datetime", &utc(instant))], |markup| markup.text(&clock.at(instant)));
    }

    /// What is part of the program itself.
    pub(super) fn fixed(&mut self, fixed: &'static str) {
        self.written += fixed;
    }

    pub(super) fn finish(self) -> String {
        self.written
    }

    fn open(&mut self, name: &'static str, attributes: &[Attribute], end: &'static str) {
        self.written += "<";
        self.written += name;
        for (attribute, value) in attributes {
            self.written += " ";
            self.written += attribute;
            self.written += "=\"";
            self.text(value);
            self.written += "\"";
        }
        self.written += end;
    }
}

/// What stands before, between and behind the first two backticks.
fn quoted(words: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = words.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}
