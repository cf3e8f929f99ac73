//! Tables in columns that fit a width: what is too long for its column goes on below.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::words::Clock;
use crate::{Cell, Line, Table};

/// No column is made narrower than this.
const NARROWEST: usize = 8;

const BETWEEN: &str = "  ";

/// The lines of a table with its caption, at most `width` wide if its columns can be made that narrow.
pub(super) fn table(table: &Table, clock: Clock, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = [Some(table.caption.clone()), table.note()]
        .into_iter()
        .flatten()
        .filter(|line| !line.is_empty())
        .map(|line| line.for_terminal())
        .collect();
    let headings: Vec<String> =
        table.headings().into_iter().map(|heading| Line::from(heading).for_terminal()).collect();
    let shown = |row: &Vec<Cell>| -> Vec<String> {
        (0..headings.len()).map(|column| table.cell(row, column).line(clock).for_terminal()).collect()
    };
    let rows: Vec<Vec<String>> = table.rows.iter().map(shown).collect();
    let widths = widths(std::iter::once(&headings).chain(&rows), headings.len(), width);
    let is_numeric: Vec<bool> = (0..headings.len()).map(|column| table.is_numeric(column)).collect();
    lines.extend(row(&headings, &widths, &is_numeric));
    lines.push(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(BETWEEN));
    lines.extend(rows.iter().flat_map(|cells| row(cells, &widths, &is_numeric)));
    lines
}

/// As wide as its widest cell; the widest columns are narrowed, one by one, until all fit.
fn widths<'r>(rows: impl Iterator<Item = &'r Vec<String>>, columns: usize, width: usize) -> Vec<usize> {
    let mut widths = vec![1; columns];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.width());
        }
    }
    let room = width.saturating_sub(BETWEEN.len() * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max() else { break };
        if *widest <= NARROWEST {
            break;
        }
        *widest -= 1;
    }
    widths
}

fn row(cells: &[String], widths: &[usize], is_numeric: &[bool]) -> Vec<String> {
    let wrapped: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or_default();
    let line = |at: usize| {
        let cells = wrapped.iter().zip(widths).zip(is_numeric).map(|((lines, width), is_numeric)| {
            let text = lines.get(at).map_or("", String::as_str);
            let blanks = " ".repeat(width.saturating_sub(text.width()));
            if *is_numeric { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
        });
        cells.collect::<Vec<_>>().join(BETWEEN).trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// Broken at blanks, and where a word is longer than a line, anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line from the start");
        if line.is_empty() && word.width() <= width {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            break_word(word, width, &mut lines);
        }
    }
    lines
}

fn break_word(word: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    let mut used = 0;
    for character in word.chars() {
        let wide = character.width().unwrap_or_default();
        if used + wide > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        line.push(character);
        used += wide;
    }
    lines.push(line);
    lines.retain(|line| !line.is_empty());
}

#[cfg(test)]
mod tests {
    use audit_model::PortalText;
    use proptest::prelude::*;

    use super::*;

    fn sample(caption: &str, cells: &[&str]) -> Table {
        let mut sample = Table::new(caption, &["Who", "What", "How often"]);
        sample.row([(&PortalText::new(cells[0])).into(), cells[1].into(), 1_240.into()]);
        sample.row([Cell::Empty, "short".into(), 7.into()]);
        sample
    }

    #[test]
    fn long_cells_go_on_below_and_numbers_stand_to_the_right() {
        let sample = sample("Downloads", &["契約書 😀", "a sentence that does not fit into its column"]);
        insta::assert_snapshot!(table(&sample, Clock::default(), 44).join("\n"), @r"
        Downloads
        Who        What                    How often
        ---------  ----------------------  ---------
        契約書 😀  a sentence that does        1,240
                   not fit into its
                   column
                   short                           7
        ");
    }

    proptest! {
        #[test]
        fn every_word_is_there_and_no_line_is_too_wide(text in "[a-z 書=]{0,60}", width in 44usize..100) {
            let lines = table(&sample("", &["x", &text]), Clock::default(), width);
            let together: String = lines.concat().split_whitespace().collect();
            let words: String = text.split_whitespace().collect();
            prop_assert!(lines.iter().all(|line| line.width() <= width && line.trim_end() == line), "{lines:#?}");
            let letters = |text: &str| text.chars().filter(|c| *c == '書' || *c == '=').count();
            prop_assert_eq!(letters(&together), letters(&words));
        }
    }
}
