//! "Did you mean": the known key nearest to one that is not known.

use figment::value::{Dict, Value};
use strsim::levenshtein;

/// How many typing errors still count as the same word: one in four characters, and at most three. Two swapped letters are two.
fn most_errors(word: &str) -> usize {
    const SWAPPED: usize = 2;
    match word.chars().count() {
        0..=3 => 1,
        length => (length / 4).clamp(SWAPPED, 3),
    }
}

/// The known key that `unknown` most likely stands for: a similar spelling, else the same name in another table.
pub(super) fn nearest(unknown: &[String], defaults: &Dict) -> Option<String> {
    let mut known = Vec::new();
    collect(defaults, &mut Vec::new(), &mut known);
    let wanted = unknown.join(".");
    let limit = most_errors(&wanted);
    let similar = known
        .iter()
        .map(|path| path.join("."))
        .map(|key| (levenshtein(&wanted, &key), key))
        // a short word is similar to every other short word: some of it has to be left
        .filter(|(distance, key)| *distance <= limit && *distance * 2 <= key.chars().count())
        .min();
    if let Some((_, key)) = similar {
        return Some(key);
    }
    known.into_iter().find(|path| path.last() == unknown.last()).map(|path| path.join("."))
}

/// The known name that `unknown` most likely stands for; for names that are no settings.
pub fn nearest_name<'n>(unknown: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = most_errors(unknown);
    let distances = known.map(|name| (levenshtein(unknown, &name.to_lowercase()), name));
    distances
        .filter(|(distance, name)| *distance <= limit && *distance * 2 <= name.chars().count())
        .min()
        .map(|(_, name)| name)
}

fn collect(table: &Dict, path: &mut Vec<String>, known: &mut Vec<Vec<String>>) {
    for (name, value) in table {
        path.push(name.clone());
        known.push(path.clone());
        if let Value::Dict(_, inner) = value {
            collect(inner, path, known);
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let known = ["anna@example.com", "bob@example.com"];
        let nearest = |unknown: &str| nearest_name(unknown, known.iter().copied());
        assert_eq!(nearest("ana@example.com"), Some("anna@example.com"));
        assert_eq!(nearest("zoe@somewhere.test"), None);
    }

    #[test]
    fn suggestions() {
        let limits = Dict::from([("per_hour".to_owned(), 20.into()), ("per_day".to_owned(), 100.into())]);
        let defaults = Dict::from([("limits".to_owned(), limits.into()), ("state".to_owned(), "".into())]);
        for (unknown, expected) in [
            ("limits.per_hourr", Some("limits.per_hour")),
            ("lmiits", Some("limits")),
            ("limts.per_dya", Some("limits.per_day")),
            ("per_hour", Some("limits.per_hour")),
            ("stat", Some("state")),
            ("x", None),
            ("colour", None),
        ] {
            let path: Vec<String> = unknown.split('.').map(str::to_owned).collect();
            assert_eq!(nearest(&path, &defaults).as_deref(), expected, "{unknown}");
        }
    }
}
