//! What makes a finding the same matter, from run to run and from version to version.

use sha2::{Digest, Sha256};

/// How many bytes of the hash are written.
const BYTES: usize = 8;

/// The first 16 hexadecimal digits of the SHA-256 of some parts, a line each.
///
/// Stores hold them, and what was told under other digits is told again: so the parts of a finding are written out by its rule, and
/// none of them is a text that changes with a type or with the wording of a sentence. A part that can hold a line break comes last.
///
/// ```
/// assert_eq!(audit_model::fingerprint(&["mass_change", "00000000-0000-0000-0000-000000000001"]), "7bea086a1e996f32");
/// ```
pub fn fingerprint(parts: &[&str]) -> String {
    hex::encode(&Sha256::digest(parts.join("\n"))[..BYTES])
}
