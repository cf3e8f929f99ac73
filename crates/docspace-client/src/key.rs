//! The credential, kept out of sight.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// An API key (`sk-…`) or a personal access token. `Debug` shows `***`; there is no `Display`.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    pub fn new(secret: SecretString) -> Self {
        ApiKey(secret)
    }

    pub(crate) fn is_api_key(&self) -> bool {
        self.0.expose_secret().starts_with("sk-")
    }

    pub(crate) fn postfix(&self) -> String {
        let characters: Vec<char> = self.0.expose_secret().chars().collect();
        characters[characters.len().saturating_sub(4)..].iter().collect()
    }

    /// The `Authorization` value, marked so that HTTP logs leave it out; `None` when the key has characters no header can carry.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_shows_nowhere() {
        let key = ApiKey::new(SecretString::from("sk-0123456789"));
        assert_eq!(format!("{key:?}"), "***");
        let header = key.header().unwrap();
        assert_eq!(header.as_bytes(), b"Bearer sk-0123456789");
        assert!(!format!("{header:?}").contains("0123"));
        assert!(ApiKey::new(SecretString::from("sk-\nx")).header().is_none());
        assert_eq!(key.postfix(), "6789");
    }
}
