//! The seal: whether the report is complete, by shape, word and colour.

use audit_model::Verdict;

use super::Markup;
use crate::Document;
use crate::coverage::unseen;
use crate::words::{self, plural};

/// A ring of twenty teeth.
const RING: &str = "32,1 36,5 42,3 44,7 50,7 51,13 57,14 57,20 61,22 59,28 63,32 59,36 61,42 57,44 57,50 51,51 50,57 44,57 42,61 36,59 32,63 28,59 22,61 20,57 14,57 13,51 7,50 7,44 3,42 5,36 1,32 5,28 3,22 7,20 7,14 13,13 14,7 20,7 22,3 28,5";

pub(super) fn seal(page: &mut Markup, document: &Document) {
    let verdict = document.seal();
    let class = format!("seal {}", words::seal_name(verdict));
    page.tag("div", &[("class", &class)], |page| {
        let svg = [("viewBox", "0 0 64 64"), ("aria-hidden", "true"), ("focusable", "false")];
        page.tag("svg", &svg, |page| {
            page.shape("polygon", &[("class", "ring"), ("points", RING)]);
            page.shape("circle", &[("class", "rim"), ("cx", "32"), ("cy", "32"), ("r", "22")]);
            let mark = match verdict {
                Verdict::Complete => "M22 33l7 7 14-16",
                Verdict::Incomplete => "M32 20v16M32 43v1",
                Verdict::Nothing => "M24 24l16 16M40 24l-16 16",
            };
            page.shape("path", &[("class", "sign"), ("d", mark)]);
        });
        page.tag("div", &[], |page| {
            page.line_in("p", &[("class", "word")], words::seal(verdict));
            if !document.proof.is_empty() {
                page.line_in("p", &[("class", "proof")], document.proof.clone().capitalised().and("."));
            }
            if document.proof.is_empty() || verdict != Verdict::Complete {
                page.line_in("p", &[], words::seal_meaning(&document.coverage));
            }
            let spans: u64 = unseen(&document.coverage).iter().map(|unseen| unseen.spans.len() as u64).sum();
            if spans > 0 {
                let label = format!("{} not seen", plural(spans, "span"));
                page.tag("p", &[], |page| page.tag("a", &[("href", "#coverage")], |page| page.text(&label)));
            }
        });
    });
}
