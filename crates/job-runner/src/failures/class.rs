//! Which messages say the same.

use std::borrow::Cow;

use audit_model::GapReason;
use chrono::{DateTime, NaiveDate, NaiveTime};

/// Longer messages are told apart by their beginning.
const MAX_CLASS_CHARS: usize = 1_000;

/// What befalls any question alike: which one it befell makes no difference.
const OF_ANY_QUESTION: [GapReason; 12] = [
    GapReason::Unreachable,
    GapReason::TimedOut,
    GapReason::EndedEarly,
    GapReason::DatabaseDown,
    GapReason::ProxyFailed,
    GapReason::KeyRefused,
    GapReason::AddressBlocked,
    GapReason::SpeaksTls,
    GapReason::SpeaksPlainHttp,
    GapReason::Unpaid,
    GapReason::NoPortal,
    GapReason::NotAPortal,
];

/// How others of them begin, which say more than their reason does.
const IN_OWN_WORDS: [&str; 4] = [
    "the portal's limit was reached",
    "the portal's certificate ",
    "the portal redirects to ",
    "the key has characters that no HTTP header can carry",
];

/// Words behind a number that say that it was measured.
const UNITS: [&str; 15] = [
    "s", "ms", "µs", "h", "min", "seconds", "minutes", "hours", "bytes", "kB", "MB", "rows", "requests", "times",
    "tries",
];

/// The message without the question at which the portal failed, where it would have failed at any.
fn without_question(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once("cannot ") else { return Cow::Borrowed(text) };
    let failures = OF_ANY_QUESTION.iter().map(|reason| reason.meaning()).chain(IN_OWN_WORDS);
    let failures = failures.filter_map(|failure| rest.find(&format!(": {failure}")));
    failures.min().map_or(Cow::Borrowed(text), |question| Cow::Owned(format!("{before}{}", &rest[question + 2..])))
}

/// The message without what differs from run to run: instants, and what was measured. Other numbers make a difference: another month
/// is another mistake.
pub(super) fn class(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let text = without_question(text);
    for word in text.split_whitespace() {
        let core = word.trim_matches(|c: char| "()[]{},;:.\"'`".contains(c));
        let last = kept.last().map(|last| last.trim_matches(|c: char| "()[]{},;:\"'`".contains(c)));
        if core.parse::<NaiveTime>().is_ok() && last.is_some_and(|last| last.parse::<NaiveDate>().is_ok()) {
            kept.pop();
        } else if UNITS.contains(&core) && last.is_some_and(is_number) {
            kept.pop();
            kept.push(word);
        } else if DateTime::parse_from_rfc3339(core).is_err() && !is_measured(core) {
            kept.push(word);
        }
    }
    kept.join(" ").chars().take(MAX_CLASS_CHARS).collect()
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// A number with its unit, such as `4.2s`.
fn is_measured(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    unit.len() < word.len() && UNITS.contains(&unit)
}
