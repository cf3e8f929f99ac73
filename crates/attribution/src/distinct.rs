//! Distinct documents, where actions of several kinds were about the same ones, folders as a whole among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Counts distinct documents. What was done to an inner folder and, by another kind of action, to one around it was done to the same documents.
///
/// `K` is the kind of action. Within one kind nothing counts twice already: [`Weights::behind`](crate::Weights::behind) leaves out what went with
/// another folder before. `D` names documents and folders.
#[derive(Clone, Debug)]
pub struct Distinct<K, D = Arc<str>>(BTreeMap<D, Stood<K, D>>);

/// What a document, or a folder as a whole, stood for.
#[derive(Clone, Debug)]
struct Stood<K, D> {
    for_kind: BTreeMap<K, u64>,
    /// The folders around it.
    around: BTreeSet<D>,
}

impl<K, D> Default for Distinct<K, D> {
    fn default() -> Self {
        Distinct(BTreeMap::new())
    }
}

impl<K: Copy + Ord, D: Clone + Ord> Distinct<K, D> {
    /// Takes in an action: about which document or folder, how many documents stood behind it, and the folders around it, under the same
    /// names as folders have here, see [`Weights::around`](crate::Weights::around).
    pub fn note(&mut self, document: &D, kind: K, weight: u64, around: impl IntoIterator<Item = D>) {
        let empty = || Stood { for_kind: BTreeMap::new(), around: BTreeSet::new() };
        let stood = self.0.entry(document.clone()).or_insert_with(empty);
        let heaviest = stood.for_kind.entry(kind).or_default();
        *heaviest = weight.max(*heaviest);
        stood.around.extend(around);
    }

    /// Takes in all of another count.
    pub fn add(&mut self, other: &Self) {
        for (document, stood) in &other.0 {
            for (kind, weight) in &stood.for_kind {
                self.note(document, *kind, *weight, stood.around.iter().cloned());
            }
        }
    }

    /// How many documents these were.
    pub fn count(&self) -> u64 {
        let mut apart: BTreeMap<&D, BTreeMap<K, u64>> = BTreeMap::new();
        for (document, stood) in &self.0 {
            let around = stood.around.iter().filter(|folder| self.0.contains_key(*folder));
            // of several the outermost, which is in none of the others
            let outermost = around.min_by_key(|folder| self.0[*folder].around.len());
            let kinds = apart.entry(outermost.unwrap_or(document)).or_default();
            stood.for_kind.iter().for_each(|(kind, files)| *kinds.entry(*kind).or_default() += files);
        }
        apart.values().filter_map(|kinds| kinds.values().max()).sum()
    }

    /// Names of the documents and folders, in order.
    pub fn names(&self) -> impl Iterator<Item = &D> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(acts: &[(&str, char, u64, &[&str])]) -> u64 {
        let mut distinct: Distinct<char> = Distinct::default();
        for (document, kind, weight, around) in acts {
            distinct.note(&Arc::from(*document), *kind, *weight, around.iter().map(|folder| Arc::from(*folder)));
        }
        distinct.count()
    }

    #[test]
    fn what_two_people_did_to_one_document_counts_once() {
        let [mut one, mut other]: [Distinct<char>; 2] = Default::default();
        let note = |distinct: &mut Distinct<char>, document: &str| distinct.note(&Arc::from(document), 'r', 1, []);
        ["8", "9"].iter().for_each(|document| note(&mut one, document));
        ["9", "10"].iter().for_each(|document| note(&mut other, document));
        one.add(&other);
        assert_eq!((one.count(), other.count()), (3, 2));
    }

    #[test]
    fn documents_of_several_kinds_of_action_count_once() {
        assert_eq!(count(&[]), 0);
        // one document, renamed and deleted
        assert_eq!(count(&[("9", 'r', 1, &[]), ("9", 'd', 1, &[])]), 1);
        // an inner folder is downloaded, and the outer one, of 80 with it, is deleted
        let inner = ("folder 2", 'l', 30, &["folder 1"] as &[&str]);
        assert_eq!(count(&[inner, ("folder 1", 'd', 80, &[])]), 80);
        // of one kind the outer one counts only what did not go before
        assert_eq!(count(&[("folder 2", 'd', 30, &["folder 1"]), ("folder 1", 'd', 50, &[])]), 80);
        // a folder around that nothing was done to makes nothing the same
        assert_eq!(count(&[inner, ("folder 3", 'd', 5, &["folder 1"])]), 35);
        assert_eq!(count(&[inner, ("folder 1", 'l', 50, &[]), ("folder 1", 'd', 80, &[])]), 80);
    }
}
