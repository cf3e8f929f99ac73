//! What stands for a person where names are not to be read. Who that is can be told only with the key that it was made with.

use uuid::{Builder, Uuid};

/// Digits of what people have to read out and to type: none of them is easily taken for another one.
const DIGITS: [u8; 32] = *b"0123456789abcdefghjkmnpqrstvwxyz";

/// What all ids begin with that stand in place of accounts.
const BEGINNING: [u8; 4] = [0xfa, 0xce, 0x1e, 0x55];

/// Eight digits in two halves, for instance `k3f9-q2mw`, of which each stands for five bits of one byte: 40 bits in all.
///
/// Fewer than eight bytes give fewer digits.
pub fn sayable(bytes: &[u8]) -> String {
    let digit = |byte: &u8| char::from(DIGITS[usize::from(byte % 32)]);
    let digits: String = bytes.iter().take(8).map(digit).collect();
    let (first, last) = digits.split_at(digits.len().min(4));
    format!("{first}-{last}")
}

/// Whether a word is exactly what stands for somebody: a kind, and [`sayable`] digits. `address-k3f9-q2mw` is of the kind `address`;
/// `address-list@example.com` is not.
pub fn is_sayable(kind: &str, word: &str) -> bool {
    let Some(digits) = word.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let is_digits = |half: &str| half.len() == 4 && half.bytes().all(|byte| DIGITS.contains(&byte));
    digits.split_once('-').is_some_and(|(first, last)| is_digits(first) && is_digits(last))
}

/// What names of accounts begin with.
const PERSON: &str = "person";

/// A name and an id in place of those of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudonym([u8; 16]);

impl Pseudonym {
    /// `hash` is of the account's id, made with a key.
    pub fn new(hash: [u8; 16]) -> Self {
        Pseudonym(hash)
    }

    /// It begins with `face1e55` and is of version 8: no portal gives one like it to an account.
    pub fn id(self) -> Uuid {
        let mut bytes = self.0;
        bytes[..BEGINNING.len()].copy_from_slice(&BEGINNING);
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Short enough to be said, for instance `person-7fk2-9qwd`. Of ten thousand people, two have the same one in one case of 20 000.
    pub fn name(self) -> String {
        format!("{PERSON}-{}", sayable(&self.0))
    }

    /// Whether a word is a name that stands in place of an account's.
    pub fn is_name(word: &str) -> bool {
        is_sayable(PERSON, word)
    }

    /// Whether an id stands in place of an account's.
    pub fn is(id: Uuid) -> bool {
        id.as_bytes().starts_with(&BEGINNING) && id.get_version_num() == 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_id_are_told_from_those_of_accounts() {
        let pseudonym = Pseudonym::new([0xff; 16]);
        assert_eq!(pseudonym.name(), "person-zzzz-zzzz");
        assert!(Pseudonym::is(pseudonym.id()) && pseudonym.id().to_string().starts_with("face1e55-"));
        assert!(!Pseudonym::is(Uuid::from_u128(7)) && !Pseudonym::is(Uuid::new_v4()));
        assert_eq!(sayable(&[0, 31, 32]), "0z0-");
    }

    #[test]
    fn what_only_begins_like_one_is_none() {
        for word in ["person-7fk2-9qwd", "person-zzzz-0000"] {
            assert!(Pseudonym::is_name(word), "{word}");
        }
        assert!(is_sayable("address", "address-7fk2-9qwd") && !is_sayable("person", "address-7fk2-9qwd"));
        for word in [
            "person-office@example.com",
            "person-7fk2-9qwd@example.com",
            "person-office",
            "person-7fk2-9qw",
            "person-7fk2-9qwd-1",
            "person-7fk2-9qwdx",
            "person-7fl2-9qwd",
            "Person-7FK2-9QWD",
            " person-7fk2-9qwd",
            "person7fk2-9qwd",
            "person-",
            "",
        ] {
            assert!(!Pseudonym::is_name(word), "{word}");
        }
    }
}
