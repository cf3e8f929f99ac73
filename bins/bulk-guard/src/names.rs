//! Names that ransomware is known to leave, and extensions that ordinary programs make.

use std::collections::BTreeSet;

use audit_model::{AuditEvent, PortalText};
use serde::Deserialize;

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
        let file: File = serde_json::from_str(include_str!("../data/names.json")).expect("a test reads the data file");
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

/// What the portal's sentence about an event calls the document: the sentences of all languages end with it behind a colon, or have it in
/// brackets. `None` where it is neither.
pub(crate) fn title_in(event: &AuditEvent) -> Option<PortalText> {
    let text = event.text.as_ref()?.raw();
    // whose document it is, or who saved it, stands in brackets, too
    let person = format!("[{}]", event.actor_name.raw());
    let text = if event.actor_name.raw().is_empty() { text.to_owned() } else { text.replace(&person, "") };
    let in_brackets = || {
        let (_, behind) = text.split_once('[')?;
        behind.split_once(']').map(|(title, _)| title)
    };
    let title = text.rsplit_once(": ").map(|(_, title)| title).filter(|title| !title.contains('"'));
    let title = title.or_else(in_brackets).map(str::trim).filter(|title| !title.is_empty() && *title != "{0}")?;
    Some(PortalText::new(title))
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
}
