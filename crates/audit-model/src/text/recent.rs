//! Texts that were read a moment ago: rows of a list have the same names and titles, so a text that is there already is not copied.

use std::cell::RefCell;
use std::sync::Arc;

/// Texts remembered by each thread: a power of two. A text has one place, so it is forgotten when another one takes it.
const PLACES: usize = 1024;

/// In bytes. What is longer is a sentence, and hardly comes twice.
const LONGEST: usize = 96;

thread_local! {
    static RECENT: RefCell<Vec<Option<Arc<str>>>> = const { RefCell::new(Vec::new()) };
}

/// The text; in the memory of an equal one that this thread has just read, if there is one.
pub(super) fn shared(text: &str) -> Arc<str> {
    if text.len() > LONGEST {
        return text.into();
    }
    RECENT.with_borrow_mut(|recent| {
        recent.resize(PLACES, None);
        let place = &mut recent[place_of(text)];
        match place {
            Some(known) if **known == *text => known.clone(),
            _ => place.insert(text.into()).clone(),
        }
    })
}

/// Texts of one place only cost each other a copy, so it need not be spread well.
fn place_of(text: &str) -> usize {
    // an odd number without a pattern
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let add = |sum: u64, bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        (sum ^ u64::from_le_bytes(word)).wrapping_mul(SPREAD).rotate_left(29)
    };
    let sum = text.as_bytes().chunks(8).fold(text.len() as u64, add);
    (sum.wrapping_mul(SPREAD) >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_their_memory_and_others_stay_what_they_are() {
        let names: Vec<Arc<str>> = (0..PLACES).map(|number| shared(&format!("Žofie {number}"))).collect();
        for (number, name) in names.iter().enumerate() {
            let again = shared(&format!("Žofie {number}"));
            assert_eq!((&again, &*again), (name, &*format!("Žofie {number}")));
        }
        assert!(Arc::ptr_eq(&shared("Anna"), &shared("Anna")));
        let sentence = "x".repeat(LONGEST + 1);
        assert_eq!((&*shared(&sentence), &*shared("")), (&*sentence, ""));
    }
}
