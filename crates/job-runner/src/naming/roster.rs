//! Whose names are known, and finding them in texts.

use std::collections::{BTreeSet, HashMap};

use audit_model::PortalText;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::is_somebody;
use super::key::{NamesKey, is_instead};

/// An account as something names it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: Uuid,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// How long the parts of an id are that stand between hyphens.
const ID_LENGTH: usize = 36;

/// Names of fewer bytes are words as well: in sentences they stay.
const SHORTEST_NAME: usize = 2;

/// At most so many characters of a name are quoted in alerts.
const QUOTED: [usize; 2] = [60, 80];

/// Everybody who is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// Who has which name.
    people: HashMap<String, BTreeSet<Uuid>>,
    /// Lower case.
    emails: HashMap<String, Uuid>,
    /// What stands in place of each form of a name, by its first word; the longest first.
    names: HashMap<String, Vec<(String, String)>>,
    /// The same for those that begin with neither a letter nor a digit.
    odd: Vec<(String, String)>,
}

impl Roster {
    pub(crate) fn with(&self, people: impl IntoIterator<Item = Known>, key: &NamesKey) -> Roster {
        let mut roster = self.clone();
        let mut has_changed = false;
        for Known { id, name, email } in people.into_iter().filter(|known| is_somebody(known.id)) {
            if let Some(email) = email.filter(|email| !email.trim().is_empty()) {
                roster.emails.entry(email.trim().to_lowercase()).or_insert(id);
            }
            // what has an address in it is found as one
            if let Some(name) = name.filter(|name| name.trim().len() >= SHORTEST_NAME && *name != "person") {
                has_changed |= roster.people.entry(name).or_default().insert(id);
            }
        }
        if has_changed {
            roster.index(key);
        }
        roster
    }

    fn index(&mut self, key: &NamesKey) {
        let mut names: HashMap<String, Vec<(String, String)>> = HashMap::new();
        let mut odd = Vec::new();
        for (name, ids) in &self.people {
            let instead = match ids.iter().next() {
                Some(id) if ids.len() == 1 => key.person(*id).name(),
                _ => key.shared_name(name),
            };
            for form in forms(name) {
                let word: String = form.chars().take_while(|c| c.is_alphanumeric()).collect();
                let forms = if word.is_empty() { &mut odd } else { names.entry(word).or_default() };
                forms.push((form, instead.clone()));
            }
        }
        let longest_first = |forms: &mut Vec<(String, String)>| {
            forms.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        };
        names.values_mut().for_each(longest_first);
        longest_first(&mut odd);
        (self.names, self.odd) = (names, odd);
    }

    /// The text with pseudonyms in it; `None` where it names nobody. Names are found as they are written, ids and addresses in any case.
    pub(crate) fn reworded(&self, text: &str, with_names: bool, key: &NamesKey) -> Option<String> {
        let odd = self.odd.iter().filter(|_| with_names);
        let replaced = odd.fold(None, |replaced: Option<String>, (form, instead)| {
            let text = replaced.as_deref().unwrap_or(text);
            if text.contains(form) { Some(text.replace(form, instead)) } else { replaced }
        });
        let text = replaced.as_deref().unwrap_or(text);
        let mut other = String::new();
        let (mut done, mut is_within) = (0, false);
        for (at, character) in text.char_indices() {
            let is_word = character.is_alphanumeric();
            let begins = is_word && !is_within && at >= done;
            is_within = is_word;
            if begins && let Some((end, instead)) = self.at(&text[at..], with_names, key) {
                let (between, behind) = (&text[done..at], &text[at + end..]);
                if between == " <" && behind.starts_with('>') && other.ends_with(&instead) {
                    // a name and the address of the same person
                    done = at + end + 1;
                    continue;
                }
                other.push_str(between);
                other.push_str(&instead);
                done = at + end;
            }
        }
        if done == 0 {
            return replaced;
        }
        other.push_str(&text[done..]);
        Some(other)
    }

    /// Who is named at the beginning of a text, which begins with a word: the length of that, and what takes its place.
    fn at(&self, text: &str, with_names: bool, key: &NamesKey) -> Option<(usize, String)> {
        let behind = |end: usize| text[end..].chars().next();
        if let Some(id) = text.get(..ID_LENGTH).filter(|id| id.as_bytes()[8] == b'-')
            && let Ok(id) = Uuid::try_parse(id)
            && !behind(ID_LENGTH).is_some_and(char::is_alphanumeric)
        {
            return is_somebody(id).then(|| (ID_LENGTH, key.person(id).id().to_string()));
        }
        if let Some((end, address)) = address(text) {
            let lower = address.to_lowercase();
            let id = self.emails.get(&lower);
            return Some((end, id.map_or_else(|| key.address(&lower), |id| key.person(*id).name())));
        }
        if !with_names {
            return None;
        }
        let word = text.find(|c: char| !c.is_alphanumeric()).map_or(text, |end| &text[..end]);
        let is_here = |form: &str| {
            text.strip_prefix(form).is_some_and(|rest| {
                !form.ends_with(char::is_alphanumeric) || !rest.chars().next().is_some_and(char::is_alphanumeric)
            })
        };
        let (form, instead) = self.names.get(word)?.iter().find(|(form, _)| is_here(form))?;
        Some((form.len(), instead.clone()))
    }

    /// What takes the place of a login that somebody typed.
    pub(crate) fn login(&self, login: &str, key: &NamesKey) -> String {
        let trimmed = login.trim();
        if is_instead(trimmed) {
            return login.to_owned();
        }
        match self.emails.get(&trimmed.to_lowercase()) {
            Some(id) => key.person(*id).name(),
            None => key.address(trimmed),
        }
    }
}

/// The e-mail address that a text begins with, also as it stands in the address of a page: how long it is there, and itself.
fn address(text: &str) -> Option<(usize, String)> {
    let is_local = |c: char| c.is_alphanumeric() || "._+-%'".contains(c);
    let at = text.find(|c| !is_local(c)).unwrap_or(text.len());
    let (local, rest, from) = match text[at..].strip_prefix('@') {
        Some(rest) => (text[..at].into(), rest, at + 1),
        None => {
            let encoded = text[..at].find("%40")?;
            let local = percent_decode_str(&text[..encoded]).decode_utf8_lossy();
            (local, &text[encoded + 3..], encoded + 3)
        }
    };
    let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(rest.len());
    let domain = rest[..length].trim_end_matches(['.', '-']);
    (!local.is_empty() && !domain.is_empty()).then(|| (from + domain.len(), format!("{local}@{domain}")))
}

/// As it was typed, and as sentences and alerts quote it.
fn forms(name: &str) -> BTreeSet<String> {
    let quoted = PortalText::new(name);
    let cut = QUOTED.map(|longest| quoted.unlinked_within(longest));
    let whole = [name.trim().to_owned(), name.to_owned(), quoted.for_terminal()];
    whole.into_iter().chain(cut).filter(|form| !form.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> NamesKey {
        NamesKey::new(b"0123456789abcdef", &"https://docs.example.com".parse().unwrap())
    }

    fn known(id: u128, name: &str, email: &str) -> Known {
        Known { id: Uuid::from_u128(id), name: Some(name.to_owned()), email: Some(email.to_owned()) }
    }

    #[test]
    fn people_are_found_in_sentences_and_nobody_else() {
        let people = [
            known(1, "Anna", "anna@example.com"),
            known(2, "Anna Maria Schmidt", "am.s+x@example.com"),
            known(3, "\u{202e}Ünal \"Ü\"", "u@example.com"),
            known(4, "Bo", "bo.1@example.com"),
            known(5, "Bo", "bo.2@example.com"),
            known(6, &"N".repeat(90), "n@example.com"),
        ];
        let roster = Roster::default().with(people, &key());
        let name = |id: u128| key().person(Uuid::from_u128(id)).name();
        let id = |id: u128| key().person(Uuid::from_u128(id)).id();
        let shared = key().shared_name("Bo");
        for (text, expected) in [
            ("Anna", name(1)),
            ("Anna's plan, by Anna.", format!("{0}'s plan, by {0}.", name(1))),
            ("for Anna Maria Schmidt <AM.S+x@Example.com>", format!("for {}", name(2))),
            ("Anna <u@example.com>, Anna <anna@example.com>.", format!("{0} <{1}>, {0}.", name(1), name(3))),
            ("?search=am.s%2Bx%40example.com&a=1", format!("?search={}&a=1", name(2))),
            ("?search=anna%40example.com&a=1", format!("?search={}&a=1", name(1))),
            ("00000000-0000-0000-0000-000000000001.", format!("{}.", id(1))),
            ("by \u{202e}Ünal \"Ü\"", format!("by {}", name(3))),
            ("by \\u{202e}Ünal \"Ü\"", format!("by {}", name(3))),
            ("Bo or Bo", format!("{shared} or {shared}")),
            ("stranger@example.org wrote", format!("{} wrote", key().address("stranger@example.org"))),
            (&format!("{}…", "N".repeat(59)), name(6)),
        ] {
            assert_eq!(roster.reworded(text, true, &key()).as_deref(), Some(expected.as_str()), "{text}");
            assert_eq!(roster.reworded(&expected, true, &key()), None, "twice is as once: {expected}");
        }
        for text in ["Annabel", "Hanna", "anna", "Bob", "12 @ 5", "a - b", "", "person-7fk2-9qwd", "3f2504e0"] {
            assert_eq!(roster.reworded(text, true, &key()), None, "{text}");
        }
        assert_eq!(roster.reworded("Anna", false, &key()), None);
    }
    /// What only looks like a pseudonym is somebody's address.
    #[test]
    fn a_login_that_begins_like_a_pseudonym_is_replaced() {
        let roster = Roster::default().with([known(1, "Anna", "person-anna@example.com")], &key());
        let anna = key().person(Uuid::from_u128(1)).name();
        for (login, expected) in [
            ("person-anna@example.com", anna.clone()),
            ("address-list@example.com", key().address("address-list@example.com")),
            ("person-office", key().address("person-office")),
            ("PERSON-7FK2-9QWD", key().address("PERSON-7FK2-9QWD")),
        ] {
            assert_eq!(roster.login(login, &key()), expected, "{login}");
            assert_eq!(roster.login(&expected, &key()), expected, "twice is as once");
        }
    }
}
