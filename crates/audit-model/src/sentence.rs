//! What a program says to people, in the languages in which they can have it.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text of our own: in English, and in German where it was written so, too.
///
/// It is its English text wherever nobody asks for the other: shown, compared with a string, and in JSON, where the German one does not
/// stand; a store keeps that as [`Bilingual`](crate::Bilingual).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sentence {
    english: String,
    german: Option<String>,
}

impl Sentence {
    /// The same in both languages.
    pub fn new(english: impl Into<String>, german: impl Into<String>) -> Self {
        Sentence { english: english.into(), german: Some(german.into()) }
    }

    /// What a machine has answered, or a person has written: there in whatever language, and in German in quotation marks.
    pub fn quoted(text: impl Into<String>) -> Self {
        let english = text.into();
        let german = format!("„{english}“");
        Sentence::new(english, german)
    }

    pub fn english(&self) -> &str {
        &self.english
    }

    /// The English text where there is no other.
    pub fn german(&self) -> &str {
        self.german.as_deref().unwrap_or(&self.english)
    }

    pub fn has_german(&self) -> bool {
        self.german.is_some()
    }

    /// The same with each of its texts changed.
    #[must_use]
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        Sentence { english: change(&self.english), german: self.german.as_deref().map(change) }
    }
}

impl Deref for Sentence {
    type Target = str;

    fn deref(&self) -> &str {
        &self.english
    }
}

impl AsRef<str> for Sentence {
    fn as_ref(&self) -> &str {
        &self.english
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

/// In English alone.
impl From<String> for Sentence {
    fn from(english: String) -> Self {
        Sentence { english, german: None }
    }
}

impl From<&str> for Sentence {
    fn from(english: &str) -> Self {
        english.to_owned().into()
    }
}

/// In English and in German.
impl From<(&str, &str)> for Sentence {
    fn from((english, german): (&str, &str)) -> Self {
        Sentence::new(english, german)
    }
}

impl PartialEq<str> for Sentence {
    fn eq(&self, english: &str) -> bool {
        self.english == english
    }
}

impl PartialEq<&str> for Sentence {
    fn eq(&self, english: &&str) -> bool {
        self.english == *english
    }
}

impl PartialEq<String> for Sentence {
    fn eq(&self, english: &String) -> bool {
        self.english == *english
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.english)
    }
}

impl<'de> Deserialize<'de> for Sentence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Sentence::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_its_english_text_where_nobody_asks_for_german() {
        let both = Sentence::new("made 41 downloads", "hat 41 Downloads ausgeführt");
        assert_eq!((both.to_string().as_str(), both.german()), ("made 41 downloads", "hat 41 Downloads ausgeführt"));
        assert_eq!(serde_json::to_string(&both).unwrap(), "\"made 41 downloads\"");
        let read: Sentence = serde_json::from_str("\"made 41 downloads\"").unwrap();
        assert_eq!((read.german(), read.has_german()), ("made 41 downloads", false));
        assert_eq!(both.map(str::to_uppercase).german(), "HAT 41 DOWNLOADS AUSGEFÜHRT");
    }
}
