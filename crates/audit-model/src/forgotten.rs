//! Somebody who asked to be forgotten: what stands in the place of whatever named them.

use uuid::Uuid;

/// What all ids of forgotten people begin with. No portal gives one like it: it is not of a version that makes ids by chance.
const BEGINNING: [u8; 8] = [0xf0, 0x46, 0x07, 0x7e, 0xf0, 0x46, 0xf0, 0x46];

/// Nobody can tell from it who it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten(Uuid);

impl Forgotten {
    /// `random` is an id made by chance, and not one of a person.
    pub fn new(random: Uuid) -> Self {
        let mut bytes = random.into_bytes();
        bytes[..BEGINNING.len()].copy_from_slice(&BEGINNING);
        Forgotten(Uuid::from_bytes(bytes))
    }

    pub fn id(self) -> Uuid {
        self.0
    }

    /// `forgotten person 7f3a01bc`: tells one from another.
    pub fn name(self) -> String {
        format!("forgotten person {}", self.tag())
    }

    /// An address to which no mail can go.
    pub fn email(self) -> String {
        format!("forgotten-{}@forgotten.invalid", self.tag())
    }

    pub fn tag(self) -> String {
        let id = self.0.simple().to_string();
        id[id.len() - 8..].to_owned()
    }

    /// Whether an id stands for somebody who was forgotten.
    pub fn is(id: Uuid) -> bool {
        id.as_bytes().starts_with(&BEGINNING)
    }
}
