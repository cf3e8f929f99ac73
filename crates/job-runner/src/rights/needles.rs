//! What names somebody in a text, in all the forms in which it is stored, and what takes its place.

use std::collections::BTreeSet;

use audit_model::{Forgotten, PortalText, Pseudonym};
use uuid::Uuid;

/// Somebody in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) id: Option<Uuid>,
    /// Those that nobody else has.
    pub(crate) names: BTreeSet<String>,
    /// Those that somebody else has, too: where only the name stands, nobody can tell whose it is.
    pub(crate) shared_names: BTreeSet<String>,
    pub(crate) emails: BTreeSet<String>,
    /// What alerts call them where names are pseudonyms, as far as the key is known.
    pub(crate) pseudonym: Option<Pseudonym>,
}

#[derive(Clone, Debug)]
struct Needle {
    text: String,
    instead: String,
    /// Whether a character next to it makes it something else.
    continues: fn(char) -> bool,
    ignores_case: bool,
}

/// All that names somebody.
#[derive(Clone, Debug)]
pub(crate) struct Needles(Vec<Needle>);

impl Needles {
    pub(crate) fn of(who: &Who, forgotten: Forgotten) -> Self {
        let mut needles = Vec::new();
        let mut add = |text: String, instead: String, continues: fn(char) -> bool, ignores_case: bool| {
            if !text.trim().is_empty() && !needles.iter().any(|known: &Needle| known.text == text) {
                needles.push(Needle { text, instead, continues, ignores_case });
            }
        };
        let hexadecimal = |c: char| c.is_ascii_hexdigit();
        if let Some(id) = who.id {
            add(id.hyphenated().to_string(), forgotten.id().hyphenated().to_string(), hexadecimal, true);
            add(id.simple().to_string(), forgotten.id().simple().to_string(), hexadecimal, true);
        }
        if let Some(pseudonym) = who.pseudonym {
            let (id, instead) = (pseudonym.id().hyphenated(), forgotten.id().hyphenated());
            add(id.to_string(), instead.to_string(), hexadecimal, true);
            add(pseudonym.name(), forgotten.name(), |c| c.is_alphanumeric() || c == '-', false);
        }
        let of_address = |c: char| c.is_alphanumeric() || "._+-%".contains(c);
        for email in &who.emails {
            for form in forms(email).into_iter().chain([percent_encoded(email)]) {
                add(form, forgotten.email(), of_address, true);
            }
        }
        for name in &who.names {
            for form in forms(name) {
                add(form, forgotten.name(), char::is_alphanumeric, false);
            }
        }
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.text.len()));
        Needles(needles)
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        self.0.iter().any(|needle| needle.find(text, &lower, 0).is_some())
    }

    /// The text without them; `None` when they are not in it.
    pub(crate) fn rewrite(&self, text: &str) -> Option<String> {
        let mut rewritten: Option<String> = None;
        for needle in &self.0 {
            let old = rewritten.as_deref().unwrap_or(text);
            let lower = old.to_ascii_lowercase();
            let (mut new, mut from) = (String::new(), 0);
            while let Some(at) = needle.find(old, &lower, from) {
                new.push_str(&old[from..at]);
                new.push_str(&needle.instead);
                from = at + needle.text.len();
            }
            if from > 0 {
                new.push_str(&old[from..]);
                rewritten = Some(new);
            }
        }
        rewritten
    }
}

impl Needle {
    /// Where it stands by itself, from a byte on. `lower` is the same text in lower case, byte for byte.
    fn find(&self, text: &str, lower: &str, from: usize) -> Option<usize> {
        let wanted = if self.ignores_case { self.text.to_ascii_lowercase() } else { self.text.clone() };
        let within = if self.ignores_case { lower } else { text };
        let found = within[from..].match_indices(&wanted).map(|(at, _)| from + at);
        let mut alone = found.filter(|at| {
            let before = text[..*at].chars().next_back();
            // a full stop ends a sentence, or an address goes on behind it
            let mut behind = text[at + wanted.len()..].chars();
            let after = behind.next().filter(|c| *c != '.').or_else(|| behind.next().filter(|_| self.ignores_case));
            !before.is_some_and(self.continues) && !after.is_some_and(self.continues)
        });
        alone.next()
    }
}

/// As it was typed, as it stands in JSON, and as sentences quote it.
fn forms(text: &str) -> BTreeSet<String> {
    let quoted = PortalText::new(text);
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default().to_owned();
    let shown = quoted.for_terminal();
    let whole = quoted.unlinked_within(60);
    [text.to_owned(), json, shown, whole].into()
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.to_lowercase().as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles() -> Needles {
        let who = Who {
            id: Some(Uuid::from_u128(0xa11a)),
            names: ["Anna".to_owned(), "Ünal \"Ü\"".to_owned()].into(),
            emails: ["anna@example.com".to_owned()].into(),
            ..Who::default()
        };
        Needles::of(&who, Forgotten::new(Uuid::from_u128(7)))
    }

    #[test]
    fn whoever_is_named_is_found_in_every_form_and_nobody_else() {
        let name = "forgotten person 00000007";
        for (text, expected) in [
            ("Anna", name.to_owned()),
            ("Anna, Anna", format!("{name}, {name}")),
            ("{\"name\":\"Anna\"}", format!("{{\"name\":\"{name}\"}}")),
            ("{\"name\":\"Ünal \\\"Ü\\\"\"}", format!("{{\"name\":\"{name}\"}}")),
            ("ANNA@Example.com.", "forgotten-00000007@forgotten.invalid.".to_owned()),
            ("?search=anna%40example.com", "?search=forgotten-00000007@forgotten.invalid".to_owned()),
            ("0000000000000000000000000000A11A", "f046077ef046f0460000000000000007".to_owned()),
            ("00000000-0000-0000-0000-00000000a11a", "f046077e-f046-f046-0000-000000000007".to_owned()),
        ] {
            assert_eq!(needles().rewrite(text).as_deref(), Some(expected.as_str()), "{text}");
            assert!(needles().is_in(text), "{text}");
        }
        for text in
            ["Annabel", "joanna@example.com", "anna@example.community", "anna@example.com.au", "Hanna", "ANNA", ""]
        {
            assert_eq!(needles().rewrite(text), None, "{text}");
        }
    }
}
