//! What an action is about, small enough to be kept for every action.

use std::fmt;
use std::sync::Arc;

/// The id of an entry: nearly always a number, of which no text has to be kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Document {
    Number(u64),
    Text(Arc<str>),
}

impl From<&str> for Document {
    /// A text that is not exactly what the number would be written as stays a text: other texts, other documents.
    fn from(id: &str) -> Self {
        let is_plain = id.bytes().all(|byte| byte.is_ascii_digit()) && (id == "0" || !id.starts_with('0'));
        match id.parse() {
            Ok(number) if is_plain => Document::Number(number),
            _ => Document::Text(id.into()),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Document::Number(number) => number.fmt(f),
            Document::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_only_look_like_one_number_are_different_documents() {
        for id in ["7", "007", "+7", " 7", "", "0", "00", "18446744073709551615", "18446744073709551616", "٧"] {
            assert_eq!(Document::from(id).to_string(), id);
        }
        assert_eq!(Document::from("9417"), Document::Number(9417));
        assert_ne!(Document::from("007"), Document::from("7"));
    }

    proptest! {
        #[test]
        fn ids_come_back_as_they_were(id in "[0-9+-]{0,4}|.{0,9}") {
            prop_assert_eq!(Document::from(id.as_str()).to_string(), id);
        }
    }
}
