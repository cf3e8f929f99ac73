//! How a store holds a value with sentences in it: the value's own JSON has the English texts, as every version reads it, and the German
//! ones stand beside it in one member more.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Sentence;

/// A value of a store that has sentences for people.
pub trait Spoken {
    /// All of them, in any order.
    fn sentences(&mut self) -> Vec<&mut Sentence>;
}

/// The German of an English text. Both are values, so that whoever rewrites texts of a store finds both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Translation {
    en: String,
    de: String,
}

/// A value with the German texts beside it: `{ …, "de": [{ "en": "suspended", "de": "gesperrt" }] }`. The member is absent where there are
/// none.
#[derive(Clone, Debug, Serialize)]
pub struct Bilingual<T> {
    #[serde(flatten)]
    value: T,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    de: Vec<Translation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct German {
    de: Vec<Translation>,
}

impl<T: Spoken> Bilingual<T> {
    /// What is to be written.
    pub fn new(mut value: T) -> Self {
        let pair = |said: &mut Sentence| {
            let de = said.has_german().then(|| said.german().to_owned())?;
            Some(Translation { en: said.english().to_owned(), de })
        };
        let mut de: Vec<Translation> = value.sentences().into_iter().filter_map(pair).collect();
        de.sort();
        de.dedup_by(|one, other| one.en == other.en);
        Bilingual { value, de }
    }
}

impl<T: Spoken + DeserializeOwned> Bilingual<T> {
    /// What was written, also by a version that knew no German: those sentences are in English alone.
    ///
    /// # Errors
    /// The JSON is none of such a value.
    pub fn read(json: Value) -> serde_json::Result<T> {
        // what a later version wrote otherwise beside it is no reason to lose the value
        let German { de } = German::deserialize(&json).unwrap_or_default();
        let mut value: T = serde_json::from_value(json)?;
        for said in value.sentences() {
            if let Some(pair) = de.iter().find(|pair| pair.en == said.english()) {
                *said = Sentence::new(pair.en.as_str(), pair.de.as_str());
            }
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Entry {
        why: Option<Sentence>,
        said: Vec<Sentence>,
    }

    impl Spoken for Entry {
        fn sentences(&mut self) -> Vec<&mut Sentence> {
            self.why.iter_mut().chain(&mut self.said).collect()
        }
    }

    #[test]
    fn german_texts_stand_beside_what_every_version_reads() {
        let both = || Sentence::new("held", "angehalten");
        let entry = Entry { why: Some(both()), said: vec![both(), "only English".into()] };
        let json = serde_json::to_value(Bilingual::new(entry.clone())).unwrap();
        let own = json!({ "why": "held", "said": ["held", "only English"] });
        assert_eq!(
            json,
            json!({ "why": "held", "said": ["held", "only English"], "de": [{ "en": "held", "de": "angehalten" }] })
        );
        let read = Bilingual::<Entry>::read(json.clone()).unwrap();
        assert_eq!((read.said[0].german(), &read), ("angehalten", &entry));
        // a version that knew no German
        assert_eq!(serde_json::from_value::<Entry>(json).unwrap(), Bilingual::read(own.clone()).unwrap());
        let old: Entry = Bilingual::read(own.clone()).unwrap();
        assert_eq!(serde_json::to_value(Bilingual::new(old)).unwrap(), own);
        let later = json!({ "why": null, "said": ["held"], "de": "otherwise" });
        assert!(!Bilingual::<Entry>::read(later).unwrap().said[0].has_german());
    }
}
