//! The environment as a value. Read once per process; everything else takes it as an argument, so tests need none.

use std::collections::BTreeMap;
use std::fmt;

/// The variables of a process, by name. `Debug` shows names only: a value may be a secret.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Bytes that are not UTF-8 become U+FFFD, so a damaged value is seen and refused
    /// where it is used instead of being skipped.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect()
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same with another value of a variable.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut variables = self.0.clone();
        variables.insert(name.to_owned(), value.to_owned());
        Self(variables)
    }

    /// The same without a variable.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut variables = self.0.clone();
        variables.remove(name);
        Self(variables)
    }

    /// Variables whose name starts with `prefix`, without it, ordered by name. Empty values are included.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_but_no_values() {
        let environment = Environment::from_iter([("DOCSPACE_API_KEY", "sk-secret")]);
        assert_eq!(format!("{environment:?}"), r#"{"DOCSPACE_API_KEY"}"#);
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let environment = Environment::from_iter([("A", ""), ("B", "x")]);
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get("B"), Some("x"));
        assert_eq!(environment.get("C"), None);
    }

    #[test]
    fn prefixed_names_lose_the_prefix_and_keep_their_order() {
        let environment = Environment::from_iter([("X_B", "2"), ("X_A", ""), ("Y_A", "3"), ("XA", "4")]);
        assert_eq!(environment.with_prefix("X_").collect::<Vec<_>>(), [("A", ""), ("B", "2")]);
    }
}
