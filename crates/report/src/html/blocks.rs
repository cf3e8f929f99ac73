//! Paragraphs, lists, tables and folds.

use super::person::person;
use super::{Clock, Markup};
use crate::{Block, Cell, Line, Table};

/// A table of so many columns has room for each.
const FEW_COLUMNS: usize = 4;

/// Blocks of a section, in order.
pub(super) fn blocks(page: &mut Markup, blocks: &[Block], clock: Clock) {
    for block in blocks {
        match block {
            Block::Paragraph(line) => page.line_in("p", &[], line.clone()),
            Block::Warning(line) => page.tag("p", &[("class", "warning")], |page| {
                page.tag("strong", &[], |page| page.text("Warning: "));
                page.line(line);
            }),
            Block::List(lines) => page.tag("ul", &[], |page| {
                lines.iter().for_each(|line| page.line_in("li", &[], line.clone()));
            }),
            Block::Quote(lines) => page.tag("pre", &[], |page| {
                for line in lines {
                    page.line(line);
                    page.fixed("\n");
                }
            }),
            Block::Table(shown) => table(page, shown, &Line::default(), clock),
            Block::Person(shown) => person(page, shown, clock),
            Block::Details(details) => page.tag("details", &[], |page| {
                page.line_in("summary", &[], details.summary.clone());
                page.tag("div", &[("class", "folded")], |page| titled(page, &details.blocks, &details.summary, clock));
            }),
        }
    }
}

/// Blocks under a title, which is also the caption of tables that have none.
pub(super) fn titled(page: &mut Markup, shown: &[Block], title: &Line, clock: Clock) {
    for block in shown {
        match block {
            Block::Table(shown) => table(page, shown, title, clock),
            other => blocks(page, std::slice::from_ref(other), clock),
        }
    }
}

/// On narrow screens every row becomes a card whose lines repeat the headings; the roles keep it a table for screen readers.
pub(super) fn table(page: &mut Markup, table: &Table, title: &Line, clock: Clock) {
    let headings: Vec<String> = table.headings().into_iter().map(str::to_owned).collect();
    let class_of = |column| if table.is_numeric(column) { "number" } else { "text" };
    // where there is room, no address is broken for the sake of a long title beside it
    let class = if headings.len() <= FEW_COLUMNS { "few" } else { "many" };
    page.tag("table", &[("role", "table"), ("class", class)], |page| {
        caption(page, table, title);
        page.tag("thead", &[("role", "rowgroup")], |page| {
            page.tag("tr", &[("role", "row")], |page| {
                for (column, heading) in headings.iter().enumerate() {
                    let attributes = [("role", "columnheader"), ("scope", "col"), ("class", class_of(column))];
                    page.line_in("th", &attributes, heading.as_str());
                }
            });
        });
        page.tag("tbody", &[("role", "rowgroup")], |page| {
            for row in &table.rows {
                page.tag("tr", &[("role", "row")], |page| {
                    for (column, heading) in headings.iter().enumerate() {
                        let shown = table.cell(row, column);
                        let (class, label) = (class_of(column), ("data-label", heading.as_str()));
                        if column == 0 {
                            let attributes = [("role", "rowheader"), ("scope", "row"), ("class", class), label];
                            page.tag("th", &attributes, |page| cell(page, shown, clock));
                        } else {
                            let attributes = [("role", "cell"), ("class", class), label];
                            page.tag("td", &attributes, |page| cell(page, shown, clock));
                        }
                    }
                });
            }
        });
    });
}

/// All who see a title above the table see it there; the others hear it from the caption.
fn caption(page: &mut Markup, table: &Table, title: &Line) {
    let note = table.note();
    let unseen: &[(&'static str, &str)] = &[("class", "unseen-text")];
    if table.caption.is_empty() && note.is_none() {
        return page.line_in("caption", unseen, title.clone());
    }
    page.tag("caption", &[], |page| {
        if table.caption.is_empty() {
            page.line_in("span", unseen, title.clone());
        } else {
            page.line(&table.caption);
        }
        if let Some(note) = &note {
            page.tag("span", &[("class", "rest")], |page| page.line(note));
        }
    });
}

/// In one element, as narrow screens lay out heading and content side by side.
fn cell(page: &mut Markup, cell: &Cell, clock: Clock) {
    match cell {
        Cell::Empty => {}
        Cell::At(instant) => page.instant(*instant, clock),
        Cell::Link(link) => page.tag("span", &[], |page| page.link(link.label.clone(), &link.url)),
        Cell::Anchor(anchor) => page.anchor(&anchor.text, &anchor.id),
        Cell::Text(_) | Cell::Number(_) => page.line_in("span", &[], cell.line(clock)),
    }
}
