//! Files that hold one word that nobody may guess.

use std::io::Read as _;
use std::path::Path;

use job_runner::Error;
use secrecy::SecretString;

/// A shorter word could be guessed.
const LEAST_LENGTH: usize = 16;

/// Such a file is a line.
const MOST_BYTES: u64 = 4096;

/// The word in a file that a setting names.
///
/// # Errors
/// The file cannot be read, is longer than 4096 bytes, or holds anything but one word of at least 16 characters.
pub(crate) fn read(key: &'static str, path: &Path) -> Result<SecretString, Error> {
    let shown = path.display();
    let read = || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
        Ok::<_, std::io::Error>(text)
    };
    let text = read().map_err(|error| Error::setting(key, format!("{shown} cannot be read: {error}")))?;
    if text.len() as u64 > MOST_BYTES {
        let message = format!("{shown} is longer than {MOST_BYTES} bytes; it must hold one word");
        return Err(Error::setting(key, message));
    }
    let word = text.trim();
    if word.chars().count() < LEAST_LENGTH || word.contains(char::is_whitespace) {
        let message = format!("{shown} must hold one word of at least {LEAST_LENGTH} characters");
        return Err(Error::setting(key, message));
    }
    Ok(SecretString::from(word))
}
