//! Names that ransomware is known to leave, extensions that ordinary programs make, and what the new names of an incident say.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Sum;

use audit_model::{PortalText, Sentence};
use serde::Deserialize;

use crate::rule::assessment::{Corroboration, Sign};
use crate::rule::extent::Extent;
use crate::rule::reasons;

/// With fewer names than this nothing is said of them.
pub(crate) const LEAST_NAMES: usize = 5;

/// So many documents with one extension that no program makes are told beside as many others.
const MANY_NAMES: usize = 20;

/// `contract.locked` alone is nothing.
const LEAST_OF_AN_EXTENSION: usize = 3;

/// Both lists, in lower case.
#[derive(Debug)]
pub(crate) struct Names {
    extensions: BTreeSet<String>,
    notes: Vec<String>,
    ordinary: BTreeSet<String>,
}

/// The data file, which says where it comes from.
#[derive(Deserialize)]
struct File {
    ransomware_extensions: Vec<String>,
    /// Parts of names.
    ransomware_notes: Vec<String>,
    ordinary_extensions: Vec<String>,
}

impl Names {
    pub(crate) fn built_in() -> Self {
        let file: File =
            serde_json::from_str(include_str!("../../data/names.json")).expect("a test reads the data file");
        Names {
            extensions: file.ransomware_extensions.into_iter().collect(),
            notes: file.ransomware_notes,
            ordinary: file.ordinary_extensions.into_iter().collect(),
        }
    }

    /// Whether ordinary programs make documents of this extension; so do those without any.
    pub(crate) fn is_ordinary(&self, extension: &str) -> bool {
        extension.is_empty() || self.ordinary.contains(extension)
    }

    /// The first name that ransomware is known to leave: a note, or one of several documents with an extension of its own. Where only
    /// one or two have that extension, somebody may have named them so.
    pub(crate) fn ransomware<'t>(&self, titles: &'t [PortalText]) -> Option<&'t str> {
        let raw = || titles.iter().map(PortalText::raw);
        let is_note = |title: &&str| {
            let lower = title.to_lowercase();
            self.notes.iter().any(|note| lower.contains(note.as_str()))
        };
        let has_extension = |title: &&str| self.extensions.contains(&extension(title));
        let several = raw().filter(has_extension).nth(LEAST_OF_AN_EXTENSION - 1).is_some();
        raw().find(|title| is_note(title) || (several && has_extension(title)))
    }
}

/// Names that no row tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct LookedUp {
    pub(crate) titles: Vec<PortalText>,
    /// Of how many documents.
    pub(crate) asked: usize,
    /// How many of them are no longer there.
    pub(crate) gone: usize,
}

impl<'l> Sum<&'l LookedUp> for LookedUp {
    fn sum<I: Iterator<Item = &'l LookedUp>>(all: I) -> Self {
        all.fold(LookedUp::default(), |mut sum, next| {
            sum.titles.extend_from_slice(&next.titles);
            LookedUp { asked: sum.asked + next.asked, gone: sum.gone + next.gone, ..sum }
        })
    }
}

/// The names that documents of an incident got.
#[derive(Debug)]
pub(crate) struct NewNames {
    titles: Vec<PortalText>,
    /// How many the rows do not tell, but the portal did.
    looked_up: usize,
    /// How many were looked up in vain: the document is no longer there, or the portal did not tell.
    gone: usize,
    failed: usize,
    /// The first that ransomware is known to leave.
    ransomware: Option<String>,
    /// The extension of nearly all of them, and of how many, where no ordinary program makes it.
    pub(crate) new_extension: Option<(String, usize)>,
    /// One of those that have an ending of their own behind an ordinary one, and how many, where these are nearly all of them.
    own_endings: Option<(String, usize)>,
    ordinary: usize,
}

impl NewNames {
    /// From the names that rows tell, and those that were looked up besides.
    pub(crate) fn new(extent: &Extent, looked: LookedUp, names: &Names) -> Self {
        let told = extent.names.values().filter_map(|(title, _)| title.clone());
        let LookedUp { titles: looked_up, asked, gone } = looked;
        let seen = looked_up.len();
        let titles: Vec<PortalText> = told.chain(looked_up).collect();
        // of some that are gone the name is remembered
        let gone = gone.min(asked - seen);
        NewNames {
            looked_up: seen,
            gone,
            failed: asked - seen - gone,
            ransomware: names.ransomware(&titles).map(str::to_owned),
            new_extension: new_extension(&titles, names),
            own_endings: own_endings(&titles, names),
            ordinary: titles.iter().filter(|title| names.is_ordinary(&extension(title.raw()))).count(),
            titles,
        }
    }

    pub(crate) fn signs(&self) -> Vec<Corroboration> {
        let mut signs = Vec::new();
        if let Some(known) = &self.ransomware {
            signs.push(Corroboration { kind: Sign::Ransomware, evidence: reasons::ransom_name(known) });
        }
        if let Some((extension, count)) = &self.new_extension {
            let evidence = reasons::new_extension(extension, (*count, self.titles.len()));
            signs.push(Corroboration { kind: Sign::NewExtension, evidence });
        }
        if let Some((example, count)) = &self.own_endings {
            let evidence = reasons::own_endings(example, (*count, self.titles.len()));
            signs.push(Corroboration { kind: Sign::NewExtension, evidence });
        }
        signs
    }

    /// Whether there may be a sign that nobody could look up.
    pub(crate) fn may_hide_a_sign(&self) -> bool {
        let all = self.titles.len() + self.gone + self.failed;
        // with more ordinary names than this the others cannot make one extension the commonest
        let is_open = self.ordinary * 5 <= all && (self.failed > 0 || self.gone >= LEAST_NAMES);
        self.ransomware.is_none() && self.new_extension.is_none() && self.own_endings.is_none() && is_open
    }

    /// What is not known of them, in words.
    pub(crate) fn unknown(&self) -> Option<Sentence> {
        let asked = self.looked_up + self.gone + self.failed;
        let is_open = self.may_hide_a_sign() || self.failed > 0;
        is_open.then(|| reasons::names_unknown(asked, self.gone, self.failed))
    }
}

/// The extension of nearly all titles, and of how many, where no ordinary program makes it.
fn new_extension(titles: &[PortalText], names: &Names) -> Option<(String, usize)> {
    let mut extensions: BTreeMap<String, usize> = BTreeMap::new();
    for title in titles {
        *extensions.entry(extension(title.raw())).or_default() += 1;
    }
    let commonest = extensions.into_iter().max_by_key(|(_, count)| *count)?;
    let is_most = commonest.1 * 5 >= titles.len() * 4 || commonest.1 >= MANY_NAMES && commonest.1 * 2 >= titles.len();
    let is_new = titles.len() >= LEAST_NAMES && !names.is_ordinary(&commonest.0) && is_most;
    is_new.then_some(commonest)
}

/// Of titles such as `contract.docx.k7f3` one, and how many they are, where nearly all are such and their endings differ: some ransomware
/// gives each document an ending of its own. A number behind a name counts versions.
fn own_endings(titles: &[PortalText], names: &Names) -> Option<(String, usize)> {
    let own = |title: &PortalText| {
        let (stem, _) = title.raw().rsplit_once('.')?;
        let (former, ending) = (extension(stem), extension(title.raw()));
        let is_number = ending.bytes().all(|byte| byte.is_ascii_digit());
        let is_behind_another = !former.is_empty() && names.is_ordinary(&former);
        (is_behind_another && !is_number && !names.is_ordinary(&ending)).then(|| (ending, title.raw().to_owned()))
    };
    let own: Vec<(String, String)> = titles.iter().filter_map(own).collect();
    let endings: BTreeSet<&str> = own.iter().map(|(ending, _)| ending.as_str()).collect();
    let is_most = own.len() * 5 >= titles.len() * 4 && endings.len() * 2 > own.len();
    let example = own.first().filter(|_| own.len() >= LEAST_NAMES && is_most)?;
    Some((example.1.clone(), own.len()))
}

/// What stands behind the last dot, in lower case; empty without one.
pub(crate) fn extension(title: &str) -> String {
    title.rsplit_once('.').map(|(_, extension)| extension.trim().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_lower_case_and_do_not_contradict_each_other() {
        let names = Names::built_in();
        let all = names.extensions.iter().chain(&names.notes).chain(&names.ordinary);
        assert!(all.clone().count() > 100);
        for name in all {
            assert_eq!(*name, name.to_lowercase());
            assert!(!name.starts_with('.') && !name.is_empty());
        }
        assert!(names.extensions.is_disjoint(&names.ordinary));
    }

    #[test]
    fn ordinary_names_are_not_taken_for_ransom_notes() {
        let names = Names::built_in();
        for title in ["readme.txt", "How to decrypt a backup - manual.docx", "locked budget.xlsx", "encrypted mail.eml"]
        {
            assert_eq!(names.ransomware(&[title.into()]), None, "{title}");
        }
        for title in ["_readme.txt.djvu_", "contract.locked"] {
            assert_eq!(names.ransomware(&[title.into()]), None, "{title}");
        }
        for title in ["RESTORE-MY-FILES.txt", "HOW_TO_DECRYPT.html"] {
            assert_eq!(names.ransomware(&["plan.docx".into(), title.into()]), Some(title));
        }
        let encrypted = ["plan.docx", "a.docx.LOCKBIT", "b.docx.lockbit", "c.docx.lockbit"].map(PortalText::from);
        assert_eq!(names.ransomware(&encrypted), Some("a.docx.LOCKBIT"));
    }

    #[test]
    fn one_extension_that_no_program_makes_is_a_sign() {
        let names = Names::built_in();
        let titles = |extension: &str, count: usize| -> Vec<PortalText> {
            (0..count).map(|n| PortalText::new(format!("paper {n}.docx{extension}"))).collect()
        };
        let found = |titles: &[PortalText]| -> Vec<Sign> {
            let looked = LookedUp { titles: titles.to_vec(), asked: titles.len(), gone: 0 };
            NewNames::new(&Extent::default(), looked, &names).signs().into_iter().map(|sign| sign.kind).collect()
        };
        assert_eq!(found(&titles("", 20)), []);
        assert_eq!(found(&titles(".xq7", 20)), [Sign::NewExtension]);
        assert_eq!(found(&titles(".xq7", 4)), []);
        assert_eq!(found(&titles(".lockbit", 3)), [Sign::Ransomware]);
        assert_eq!(found(&titles(".locked", 2)), []);
        let mixed: Vec<PortalText> = titles(".xq7", 3).into_iter().chain(titles("", 2)).collect();
        assert_eq!(found(&mixed), []);
        // each has its own
        let own = |count: usize, ending: &dyn Fn(usize) -> String| -> Vec<Sign> {
            found(&(0..count).map(|n| PortalText::new(format!("paper {n}{}", ending(n)))).collect::<Vec<_>>())
        };
        assert_eq!(own(20, &|n| format!(".docx.k{n}f3")), [Sign::NewExtension]);
        assert_eq!(own(4, &|n| format!(".docx.k{n}f3")), []);
        assert_eq!(own(20, &|n| format!(".docx.{n}")), []);
        assert_eq!(own(20, &|n| format!(" of team.k{n}f3")), []);
        assert_eq!(own(20, &|n| if n < 10 { ".docx".to_owned() } else { format!(".docx.k{n}f3") }), []);
        // innocent names first, or in between, hide nothing
        let mixed: Vec<PortalText> = titles("", 20).into_iter().chain(titles(".xq7", 30)).collect();
        assert_eq!(found(&mixed), [Sign::NewExtension]);
        assert_eq!(found(&["HOW_TO_DECRYPT.txt".into()]), [Sign::Ransomware]);
    }
}
