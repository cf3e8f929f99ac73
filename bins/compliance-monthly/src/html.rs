//! The report as one page that needs nothing else: no scripts, nothing from elsewhere, and fit to be printed.

use std::io;

use audit_model::PortalText;

use crate::document::{Bars, Block, Document, Table};

/// Forbids what is not there anyway, in case somebody finds a way to put it in.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'none'; form-action 'none'; base-uri 'none'";

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 2rem auto; padding: 0 1.5rem; max-width: 62rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #bbb; padding-bottom: .2rem; }
.warning { border-left: .5rem solid #a30000; background: #fdeaea; padding: .6rem 1rem; font-weight: 600; }
li { margin: .2rem 0; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .87rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; padding: .25rem .5rem .25rem 0; overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid #888; overflow-wrap: normal; }
tbody th { font-weight: 400; }
.note { font-style: italic; }
svg { width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: #1b1b1b; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 10pt; }
  .page-one { break-after: page; }
  h2, caption { break-after: avoid; }
  tr, svg, .warning { break-inside: avoid; }
  thead { display: table-header-group; }
}
";

/// Heads the page, then writes all blocks. `head` are the published lines.
pub(crate) fn page(document: &Document, head: &str, out: &mut impl io::Write) -> io::Result<()> {
    let title = escape(&document.title);
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>")?;
    writeln!(out, "<style>{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<main>\n<div class=\"page-one\">\n<h1>{title}</h1>")?;
    let lines: Vec<String> = head.lines().skip(1).map(escape).collect();
    writeln!(out, "<p>{}</p>", lines.join("<br>"))?;
    document.page_one.iter().try_for_each(|shown| block(shown, out))?;
    writeln!(out, "</div>")?;
    document.sections.iter().try_for_each(|shown| block(shown, out))?;
    writeln!(out, "</main>\n</body>\n</html>")
}

fn escape(text: &str) -> String {
    PortalText::new(text).for_html()
}

fn block(block: &Block, out: &mut impl io::Write) -> io::Result<()> {
    match block {
        Block::Heading(text) => writeln!(out, "<h2>{}</h2>", escape(text)),
        Block::Warning(text) => writeln!(out, "<p class=\"warning\" role=\"alert\">{}</p>", escape(text)),
        Block::Paragraph(text) => writeln!(out, "<p>{}</p>", escape(text)),
        Block::List(lines) => {
            writeln!(out, "<ul>")?;
            lines.iter().try_for_each(|line| writeln!(out, "<li>{}</li>", escape(line)))?;
            writeln!(out, "</ul>")
        }
        Block::Table(shown) => table(shown, out),
        Block::Bars(bars) => {
            chart(bars, out)?;
            table(&as_table(bars), out)
        }
    }
}

/// The first cell of a row is its heading.
fn table(table: &Table, out: &mut impl io::Write) -> io::Result<()> {
    if let Some(note) = table.note() {
        writeln!(out, "<p class=\"note\">{}</p>", escape(&note))?;
    }
    writeln!(out, "<table>\n<caption>{}</caption>", escape(&table.caption))?;
    let columns: String =
        table.columns.iter().map(|column| format!("<th scope=\"col\">{}</th>", escape(column))).collect();
    writeln!(out, "<thead><tr>{columns}</tr></thead>\n<tbody>")?;
    for row in &table.rows {
        let mut cells = row.iter();
        let first = cells.next().map(|cell| format!("<th scope=\"row\">{}</th>", escape(cell))).unwrap_or_default();
        let others: String = cells.map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        writeln!(out, "<tr>{first}{others}</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")
}

/// What the picture shows, for those who cannot see it and for those who follow it up.
fn as_table(bars: &Bars) -> Table {
    let mut table = Table::new(bars.caption.clone(), &["Day", "Events", "Event ids"]);
    let row = |(label, count, ids): &(String, u64, String)| vec![label.clone(), count.to_string(), ids.clone()];
    table.rows = bars.bars.iter().map(row).collect();
    table
}

const CHART_WIDTH: usize = 900;
const CHART_HEIGHT: usize = 180;
const LABEL_HEIGHT: usize = 34;

/// Only whole numbers stand in it, so it is the same on every machine.
fn chart(bars: &Bars, out: &mut impl io::Write) -> io::Result<()> {
    let most = bars.bars.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
    let step = CHART_WIDTH / bars.bars.len().max(1);
    let width = (step * 7 / 10).max(1);
    let height = CHART_HEIGHT + LABEL_HEIGHT;
    writeln!(
        out,
        "<svg viewBox=\"0 0 {CHART_WIDTH} {height}\" role=\"img\" aria-label=\"{}: the numbers stand in the table below\">",
        escape(&bars.caption)
    )?;
    writeln!(out, "<line x1=\"0\" y1=\"{CHART_HEIGHT}\" x2=\"{CHART_WIDTH}\" y2=\"{CHART_HEIGHT}\" stroke=\"#888\"/>")?;
    for (at, (label, count, _)) in bars.bars.iter().enumerate() {
        let tall =
            usize::try_from(u128::from(*count) * (CHART_HEIGHT as u128 - 20) / u128::from(most.max(1))).unwrap_or(0);
        let tall = if *count > 0 { tall.max(1) } else { 0 };
        let (x, y) = (at * step + (step - width) / 2, CHART_HEIGHT - tall);
        writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{tall}\" fill=\"#2b5c8a\"><title>{}: {count}</title></rect>",
            escape(label)
        )?;
        // a day is two digits wide; of other labels only every few find room
        let every = (60 / step.max(1)).max(1);
        if at % every == 0 {
            let short = label.get(5..).unwrap_or(label);
            writeln!(out, "<text x=\"{x}\" y=\"{}\">{}</text>", CHART_HEIGHT + 16, escape(short))?;
        }
    }
    writeln!(out, "<text x=\"0\" y=\"12\">most on one day: {most}</text>\n</svg>")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rendered(document: &Document) -> String {
        let mut out = Vec::new();
        page(document, "Compliance report\nPeriod: a - b\nTotal events: 1\n", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn saying(text: &str) -> Document {
        let mut table = Table::new(text, &["Event"]);
        table.rows.push(vec![text.to_owned(), text.to_owned()]);
        Document {
            title: text.to_owned(),
            page_one: vec![
                Block::Heading(text.to_owned()),
                Block::Warning(text.to_owned()),
                Block::List(vec![text.to_owned()]),
            ],
            sections: vec![
                Block::Table(table.of(7, text)),
                Block::Bars(Bars { caption: text.to_owned(), bars: vec![(text.to_owned(), 3, text.to_owned())] }),
                Block::Paragraph(text.to_owned()),
            ],
        }
    }

    /// Every tag of the page, without those of its own style sheet.
    fn tags(page: &str) -> Vec<&str> {
        page.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
    }

    proptest! {
        #[test]
        fn no_text_makes_a_tag(text in any::<String>()) {
            let (page, plain) = (rendered(&saying(&text)), rendered(&saying("")));
            prop_assert_eq!(tags(&page), tags(&plain));
        }
    }

    #[test]
    fn nothing_is_fetched_and_nothing_runs() {
        let page = rendered(&saying("<script>alert(1)</script><img src=//evil.example.com/x onerror=x>\" onload=\"x"));
        for forbidden in ["<script", "<img", "<link", "<iframe", "javascript:", "url(", "@import", " src=", "href="] {
            assert!(!page.contains(forbidden) || forbidden == " src=" && page.contains("&lt;img src="), "{forbidden}");
        }
        assert!(!page.contains("\" onload"), "{page}");
    }
}
