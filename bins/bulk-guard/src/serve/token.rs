//! The token that callers must present.

use axum::http::{HeaderMap, header};
use job_runner::Error;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::Config;
use crate::secret_file;

/// What callers must present.
pub(crate) struct Token(SecretString);

impl Token {
    /// Reads the file that the settings name.
    ///
    /// # Errors
    /// None is named, or the token could be guessed.
    pub(crate) fn read(config: &Config) -> Result<Self, Error> {
        const KEY: &str = "serve.token_file";
        let Some(path) = config.serve.token_file.as_ref().map(|path| path.as_path()) else {
            return Err(Error::setting(
                KEY,
                "is missing: callers must present a token; write one into a file and name it",
            ));
        };
        secret_file::read(KEY, path).map(Token)
    }

    /// Whether the caller presents it. Hashes are compared, in constant time, so that neither length nor content can be timed.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, presented)) = value.split_once(' ') else { return false };
        let hash = |text: &str| Sha256::digest(text.trim());
        let is_same = hash(presented).ct_eq(&hash(self.0.expose_secret()));
        scheme.eq_ignore_ascii_case("bearer") && bool::from(is_same)
    }
}
