//! The templates of mails: those that come with the program, behind those of a folder.

use std::path::PathBuf;

use alerting::Templates;

/// The templates that come with the program.
const BUILTIN: &[(&str, &str)] = &[
    ("en/reminder.subject", include_str!("../../templates/en/reminder.subject")),
    ("en/reminder.txt", include_str!("../../templates/en/reminder.txt")),
    ("en/reminder.html", include_str!("../../templates/en/reminder.html")),
    ("de/reminder.subject", include_str!("../../templates/de/reminder.subject")),
    ("de/reminder.txt", include_str!("../../templates/de/reminder.txt")),
    ("de/reminder.html", include_str!("../../templates/de/reminder.html")),
];

/// The files that make up a mail: subject, text, HTML.
pub(crate) const MAIL_FILES: &[&str] = &["reminder.subject", "reminder.txt", "reminder.html"];

/// The built-in templates, behind those of a folder; `language` is for people whose own has none.
pub(super) fn templates(folder: Option<PathBuf>, language: &str) -> Templates {
    Templates::new(BUILTIN, folder, language)
}

/// Whether there are templates in this language.
pub(super) fn has_language(templates: &Templates, language: &str) -> bool {
    templates.languages_of(MAIL_FILES).iter().any(|own| own == language)
}
