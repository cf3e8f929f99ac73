//! A timeline as a picture without letters, so that it stretches to any width; the letters stand around it, the numbers in a table.

use audit_model::Window;
use chrono::{DateTime, Utc};

use super::Markup;
use super::blocks::table;
use crate::words;
use crate::{Document, Line, Timeline, line};

const WIDTH: i64 = 1000;
const HEIGHT: i64 = 160;

/// `number` tells the timelines of a page apart.
pub(super) fn timeline(page: &mut Markup, timeline: &Timeline, number: usize, document: &Document) {
    let clock = document.clock();
    let unseen = timeline.unseen(&document.coverage);
    let [title, text] = ["title", "text"].map(|what| format!("timeline-{number}-{what}"));
    let summary = timeline.summary(&document.coverage, clock);
    page.tag("figure", &[], |page| {
        page.tag("figcaption", &[], |page| {
            page.tag("strong", &[], |page| page.line(&timeline.title.clone().capitalised()));
            page.text(&format!(": {summary}"));
        });
        let view = format!("0 0 {WIDTH} {HEIGHT}");
        let names = format!("{title} {text}");
        let svg = [
            ("class", "timeline"),
            ("viewBox", view.as_str()),
            ("preserveAspectRatio", "none"),
            ("role", "img"),
            ("aria-labelledby", &names),
        ];
        page.tag("svg", &svg, |page| {
            page.tag("title", &[("id", &title)], |page| page.text(&timeline.title.for_terminal()));
            page.tag("desc", &[("id", &text)], |page| {
                page.text(&format!("{summary}. The table below has the numbers."))
            });
            picture(page, timeline, &unseen, document);
        });
        page.tag("div", &[("class", "axis"), ("aria-hidden", "true")], |page| {
            for label in timeline.axis(clock) {
                page.line_in("span", &[], label);
            }
        });
        legend(page, timeline, !unseen.is_empty());
        let tables = timeline.tables(&document.coverage, clock);
        if !tables.is_empty() {
            page.tag("details", &[], |page| {
                page.tag("summary", &[], |page| {
                    page.text("The numbers as a table");
                    let title = line![": ", timeline.title.clone()];
                    page.tag("span", &[("class", "unseen-text")], |page| page.line(&title));
                });
                page.tag("div", &[("class", "folded")], |page| {
                    tables.iter().for_each(|shown| table(page, shown, &Line::default(), clock));
                });
            });
        }
    });
}

/// Whole numbers only, so that it is the same on every machine.
fn picture(page: &mut Markup, timeline: &Timeline, unseen: &[Window], document: &Document) {
    let span = timeline.span;
    let x = |at: DateTime<Utc>| {
        let (passed, whole) = ((at - span.since).num_milliseconds(), span.length().num_milliseconds().max(1));
        i64::try_from(i128::from(passed) * i128::from(WIDTH) / i128::from(whole)).unwrap_or(0).clamp(0, WIDTH)
    };
    for gap in unseen {
        let (left, right) = (x(gap.since), x(gap.until));
        let width = (right - left).max(2);
        bar(page, "unseen", [left, 0, width, HEIGHT], "not seen");
        bar(page, "edge", [left, 0, width, 6], "not seen");
    }
    let clock = document.clock();
    let most = timeline.busiest().map_or(1, |bar| bar.count);
    for shown in &timeline.bars {
        let (left, right) = (x(shown.span.since), x(shown.span.until));
        let width = right - left;
        let tall = i64::try_from(u128::from(shown.count) * (HEIGHT - 10) as u128 / u128::from(most)).unwrap_or(0);
        let tall = tall.max(i64::from(shown.count > 0) * 2);
        let label = format!("{}: {}", timeline.label(shown, clock), words::number(shown.count));
        let space = (width / 6).min(4);
        bar(page, "bar", [left + space, HEIGHT - tall, (width - 2 * space).max(1), tall], &label);
    }
    for mark in &timeline.marks {
        let at = x(mark.at).to_string();
        let height = HEIGHT.to_string();
        // the wider one sets it off from the bars
        for class in ["halo".to_owned(), format!("mark {}", mark.severity.name())] {
            let attributes = [("class", class.as_str()), ("x1", &at), ("y1", "0"), ("x2", &at), ("y2", &height)];
            page.shape("line", &attributes);
        }
    }
    let floor = HEIGHT.to_string();
    let right = WIDTH.to_string();
    page.shape("line", &[("class", "floor"), ("x1", "0"), ("y1", &floor), ("x2", &right), ("y2", &floor)]);
}

fn bar(page: &mut Markup, class: &str, place: [i64; 4], label: &str) {
    let [x, y, width, height] = place.map(|number| number.to_string());
    let attributes = [("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", &height)];
    page.tag("rect", &attributes, |page| page.tag("title", &[], |page| page.text(label)));
}

fn legend(page: &mut Markup, timeline: &Timeline, has_unseen: bool) {
    if !has_unseen && timeline.marks.is_empty() {
        return;
    }
    page.tag("ul", &[("class", "legend")], |page| {
        if has_unseen {
            page.line_in("li", &[("class", "key unseen")], "Not seen");
        }
        for mark in &timeline.marks {
            let class = format!("key {}", mark.severity.name());
            page.line_in("li", &[("class", &class)], mark.label.clone());
        }
    });
}
