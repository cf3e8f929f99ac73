//! What was read, what was not seen and why, and what this portal never records.

use super::Markup;
use super::blocks::table;
use crate::coverage::{never_recorded, not_remembered, read, unseen};
use crate::words::{self, plural};
use crate::{Document, Line, Table};

pub(super) fn coverage(page: &mut Markup, document: &Document) {
    let (coverage, clock) = (&document.coverage, document.clock());
    let unseen = unseen(coverage);
    page.line_in("p", &[], words::seal_meaning(coverage));
    if !unseen.is_empty() {
        page.line_in("h3", &[], "Not seen");
        page.tag("ul", &[("class", "gaps")], |page| {
            for gap in &unseen {
                page.tag("li", &[], |page| {
                    page.tag("strong", &[], |page| page.text(&words::sentence(gap.source)));
                    page.text(&format!(": {}.", gap.explanation));
                    page.tag("ul", &[], |page| {
                        for span in gap.shown() {
                            page.tag("li", &[], |page| {
                                page.instant(span.since, clock);
                                page.text(" to ");
                                page.instant(span.until, clock);
                            });
                        }
                        gap.more().into_iter().for_each(|more| page.line_in("li", &[], more));
                    });
                });
            }
        });
    }
    if coverage.unattributed > 0 {
        let line = format!("{} could not be tied to any known room.", plural(coverage.unattributed, "action"));
        page.line_in("p", &[], line);
    }
    let read = read(coverage);
    if !read.is_empty() {
        let mut rows = Table::new("Read", &["Source", "Entries", "Found late", "Oldest", "Newest"]);
        for (what, _, source) in read {
            let name = words::sentence(words::source(what));
            rows.row([
                name.into(),
                source.rows.into(),
                source.late_rows.into(),
                source.oldest.into(),
                source.newest.into(),
            ]);
        }
        table(page, &rows, &Line::default(), clock);
    }
    if let Some(line) = not_remembered(coverage) {
        page.line_in("p", &[], line);
    }
    let never = never_recorded(coverage);
    if !never.is_empty() {
        page.line_in("h3", &[], "Never recorded by this portal");
        page.tag("ul", &[], |page| {
            for spot in never {
                page.line_in("li", &[], words::sentence(spot));
            }
        });
    }
}
