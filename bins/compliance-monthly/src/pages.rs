//! What people read of a period, as a document: the first page, and the sections behind it. Pure.

use ::report::words::plural;
use ::report::{Document, Line};
use audit_model::{Coverage, Verdict};

use crate::decision::matters;
use crate::facts::Facts;
use crate::names::Names;
use crate::{page_one, sections};

/// The sentence above everything: how many matters there are to decide, and whether all was seen and done.
pub(crate) fn headline(facts: &Facts, coverage: &Coverage) -> Line {
    if coverage.verdict() == Verdict::Nothing {
        return ::report::words::nothing(coverage).into();
    }
    let (count, period) = (matters(&facts.decisions()), facts.period.words());
    let needs = if count == 1 { "needs" } else { "need" };
    let matters = format!("{} of {period} {needs} a decision", plural(count, "matter"));
    let was_read = coverage.gaps.iter().all(page_one::is_about_files);
    let sentence = match (coverage.verdict(), count) {
        (Verdict::Complete, 0) => format!("nothing found in {period} that needs a decision"),
        (Verdict::Complete, _) => matters,
        (_, _) if was_read => format!("incomplete: {matters}, and the report is not everywhere it should be"),
        (_, 0) => {
            format!(
                "incomplete: nothing found so far in {period} that needs a decision, but some records could not be read"
            )
        }
        (_, _) => format!("incomplete: {matters}, and some records could not be read"),
    };
    sentence.into()
}

/// Everything that the facts say, put into a document whose coverage is final. `names` are those of the files beside it.
pub(crate) fn put(facts: &Facts, names: &Names, document: &mut Document) {
    document.proof = page_one::proof(facts, &document.coverage);
    document.notes.extend(page_one::notes(facts, &document.coverage));
    page_one::put(facts, document);
    sections::put(facts, names, document);
}
