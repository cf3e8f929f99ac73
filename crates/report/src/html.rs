//! The document as one page: no scripts, nothing from elsewhere; for wide and narrow screens, light and dark, and paper.
//!
//! Built by code rather than from a template: nobody replaces it at run time, it branches on every type of the document, and a writer
//! that only takes text cannot forget to escape it. So rendering cannot fail either.

mod blocks;
mod coverage;
mod markup;
mod person;
mod seal;
mod timeline;

use crate::words::{self, Clock};
use crate::{Document, Line, line};
use markup::Markup;

/// Forbids what is not there anyway, in case somebody finds a way to put it in.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("html/style.css");

/// A page of fewer parts is seen at a glance.
const CONTENTS_FROM: usize = 3;

/// The document as one page.
pub(crate) fn render(document: &Document) -> String {
    let clock = document.clock();
    let mut page = Markup::with_rows(document.anchors());
    page.fixed("<!DOCTYPE html>\n");
    page.tag("html", &[("lang", "en")], |page| {
        page.tag("head", &[], |page| {
            page.void("meta", &[("charset", "utf-8")]);
            page.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
            page.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            page.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            page.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
            let title = line![document.program.name.as_str(), ": ", document.headline.clone()].for_terminal();
            page.tag("title", &[], |page| page.text(&title));
            page.tag("style", &[], |page| page.fixed(STYLE));
        });
        page.tag("body", &[], |page| {
            page.tag("a", &[("class", "skip"), ("href", "#content")], |page| page.text("Skip to the report"));
            banner(page, document);
            page.tag("main", &[("id", "content"), ("tabindex", "-1")], |page| body(page, document, clock));
            page.tag("footer", &[], |page| footer(page, document, clock));
        });
    });
    page.finish()
}

fn banner(page: &mut Markup, document: &Document) {
    page.tag("header", &[("class", "banner")], |page| {
        page.line_in("p", &[("class", "program")], document.program.name.as_str());
        page.tag("p", &[], |page| {
            page.text("Portal ");
            page.link(document.portal.url.as_str(), &document.portal.url);
        });
    });
}

fn body(page: &mut Markup, document: &Document, clock: Clock) {
    page.tag("div", &[("class", "top")], |page| {
        page.tag("div", &[("class", "headline")], |page| {
            page.line_in("h1", &[], document.headline.clone().capitalised());
            page.tag("p", &[("class", "about")], |page| {
                page.instant(document.window.since, clock);
                page.text(" to ");
                page.instant(document.window.until, clock);
                page.text(&format!(", times in {}", clock.0));
            });
            if document.is_dry_run() {
                page.line_in(
                    "p",
                    &[("class", "about")],
                    "Dry run: nothing was changed at the portal, and nothing was sent.",
                );
            }
        });
        seal::seal(page, document);
    });
    if !document.figures.is_empty() {
        page.tag("dl", &[("class", "figures")], |page| figures(page, document));
        if let Some(caveat) = words::numbers_caveat(&document.coverage) {
            page.line_in("p", &[("class", "caveat")], caveat);
        }
    }
    if !document.notes.is_empty() {
        page.tag("ul", &[("class", "notes"), ("aria-label", "Notes")], |page| {
            for note in &document.notes {
                page.tag("li", &[], |page| {
                    page.tag("strong", &[], |page| page.text("Note: "));
                    page.line(note);
                });
            }
        });
    }
    if document.sections.len() >= CONTENTS_FROM {
        contents(page, document);
    }
    for (at, section) in document.sections.iter().enumerate() {
        part(page, &format!("section-{}", at + 1), section.title.clone(), |page| {
            if let Some(link) = &section.page {
                page.tag("p", &[("class", "page")], |page| page.link("Open in the portal", link));
            }
            blocks::blocks(page, &section.blocks, clock);
        });
    }
    if !document.timelines.is_empty() {
        part(page, "over-time", "Over time".into(), |page| {
            for (at, shown) in document.timelines.iter().enumerate() {
                timeline::timeline(page, shown, at + 1, document);
            }
        });
    }
    part(page, "coverage", "What was read, and what was not".into(), |page| coverage::coverage(page, document));
}

/// A part under its own heading; `id` is that of the part.
fn part(page: &mut Markup, id: &str, title: Line, inside: impl FnOnce(&mut Markup)) {
    let heading = format!("{id}-title");
    page.tag("section", &[("id", id), ("aria-labelledby", &heading)], |page| {
        page.line_in("h2", &[("id", &heading)], title.capitalised());
        inside(page);
    });
}

fn figures(page: &mut Markup, document: &Document) {
    for figure in &document.figures {
        page.tag("div", &[("class", "figure")], |page| {
            page.line_in("dt", &[], figure.label.clone().capitalised());
            page.line_in("dd", &[("class", "value")], words::number(figure.value));
            if !figure.note.is_empty() {
                page.line_in("dd", &[("class", "note")], figure.note.clone());
            }
        });
    }
}

fn contents(page: &mut Markup, document: &Document) {
    let own = document.sections.iter().enumerate();
    let mut parts: Vec<(String, Line)> =
        own.map(|(at, section)| (format!("#section-{}", at + 1), section.title.clone())).collect();
    if !document.timelines.is_empty() {
        parts.push(("#over-time".to_owned(), "Over time".into()));
    }
    parts.push(("#coverage".to_owned(), "What was read, and what was not".into()));
    page.tag("nav", &[("aria-label", "Contents")], |page| {
        page.tag("ul", &[], |page| {
            for (target, title) in parts {
                page.tag("li", &[], |page| {
                    page.tag("a", &[("href", &target)], |page| page.line(&title.capitalised()));
                });
            }
        });
    });
}

fn footer(page: &mut Markup, document: &Document, clock: Clock) {
    page.tag("p", &[], |page| {
        page.text(&format!("Made by {} {}", document.program.name, document.program.version));
        if let Some(run) = document.run {
            page.text(" on ");
            page.instant(run.started_at, clock);
        }
        page.text(
            ". Names and titles are shown as people typed them into the portal; hidden characters appear as codes.",
        );
    });
}
