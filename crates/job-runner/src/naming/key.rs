//! The key of pseudonyms.

use audit_model::{Pseudonym, is_sayable, sayable};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

/// What begins what takes the place of an address.
const ADDRESS: &str = "address";

/// Whether a word stands already in place of somebody's name or address.
pub(super) fn is_instead(word: &str) -> bool {
    Pseudonym::is_name(word) || is_sayable(ADDRESS, word)
}

/// Makes pseudonyms of the people of one portal. The same key makes others for another portal, so that nobody can tell that two of them are
/// one person.
#[derive(Clone)]
pub(crate) struct NamesKey(Hmac<Sha256>);

impl NamesKey {
    pub(crate) fn new(secret: &[u8], portal: &Url) -> Self {
        let mut hash = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
        let portal = portal.as_str();
        hash.update(format!("{} {portal} ", portal.len()).as_bytes());
        NamesKey(hash)
    }

    fn hash(&self, kind: &str, of: &str) -> [u8; 16] {
        let mut hash = self.0.clone();
        hash.update(format!("{kind} {of}").as_bytes());
        let hash = hash.finalize().into_bytes();
        let mut first = [0; 16];
        first.copy_from_slice(&hash[..16]);
        first
    }

    /// Of an account.
    pub(crate) fn person(&self, id: Uuid) -> Pseudonym {
        Pseudonym::new(self.hash("person", &id.hyphenated().to_string()))
    }

    /// In place of an e-mail address or a login that is no known account's: `address-k3f9-q2mw`.
    pub(crate) fn address(&self, address: &str) -> String {
        format!("{ADDRESS}-{}", sayable(&self.hash("address", &address.to_lowercase())))
    }

    /// In place of a name that several people have: `name-k3f9-q2mw`.
    pub(crate) fn shared_name(&self, name: &str) -> String {
        format!("name-{}", sayable(&self.hash("name", name)))
    }
}
