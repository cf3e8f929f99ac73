//! Texts that people can replace: built-in templates by language, and a folder whose files go first.
//!
//! A template is named by its language and its file, such as `de/reminder.html`. In `.html` every value is escaped; values for other
//! endings must be one safe line already, as [`PortalText::for_terminal`](audit_model::PortalText::for_terminal) gives it. A value that
//! is not there is an error and not a hole in a mail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

/// Templates run until so many steps are done: a replaced one must not keep a run busy.
pub(crate) const FUEL: u64 = 1_000_000;

/// Why a text could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    #[error("cannot read the template {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the template `{name}` cannot be used; correct it, or take it out of the folder to use the built-in one")]
    Render { name: String, source: minijinja::Error },
    #[error("there is no template `{file}` in any language")]
    Missing { file: String },
}

/// Templates in several languages.
#[derive(Clone, Debug)]
pub struct Templates {
    /// Name, such as `en/reminder.txt`, and content.
    builtin: &'static [(&'static str, &'static str)],
    folder: Option<PathBuf>,
    /// The language for people whose own has no templates.
    fallback: String,
}

impl Templates {
    pub fn new(builtin: &'static [(&'static str, &'static str)], folder: Option<PathBuf>, fallback: &str) -> Self {
        Templates { builtin, folder, fallback: fallback.to_owned() }
    }

    /// The languages that a person who reads `culture` (such as `de-AT`) can be written in, best first.
    fn languages<'a>(&'a self, culture: Option<&'a str>) -> Vec<&'a str> {
        let own = culture.into_iter().flat_map(|culture| [Some(culture), culture.split('-').next()]).flatten();
        own.chain([self.fallback.as_str(), "en"]).filter(|language| is_safe(language)).collect()
    }

    /// The language in which all of these files are there, best first. Parts of one mail are never mixed.
    pub fn language<'a>(&'a self, culture: Option<&'a str>, files: &[&str]) -> Option<&'a str> {
        let has = |language: &&str| files.iter().all(|file| self.is_there(language, file));
        self.languages(culture).into_iter().find(has)
    }

    /// The languages, in order, in which all of these files are there, built in or in the folder.
    pub fn languages_of(&self, files: &[&str]) -> Vec<String> {
        let own = self.builtin.iter().filter_map(|(name, _)| Some(name.split_once('/')?.0.to_owned()));
        let folders = self.folder.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        let replaced = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let all: BTreeSet<String> = own.chain(replaced).filter(|language| is_safe(language)).collect();
        all.into_iter().filter(|language| files.iter().all(|file| self.is_there(language, file))).collect()
    }

    fn is_there(&self, language: &str, file: &str) -> bool {
        let name = format!("{language}/{file}");
        self.builtin.iter().any(|(known, _)| *known == name)
            || self.folder.as_ref().is_some_and(|folder| folder.join(&name).is_file())
    }

    /// Fills in a template.
    ///
    /// # Errors
    /// [`TemplateError`], for replaced ones with line and reason.
    pub fn render(&self, language: &str, file: &str, values: &impl Serialize) -> Result<String, TemplateError> {
        let name = format!("{language}/{file}");
        let source = self.source(&name)?.ok_or_else(|| TemplateError::Missing { file: file.to_owned() })?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // lines that hold only a tag leave nothing behind
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters are valid"));
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
            Some("html") => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        let rendered = environment
            .template_from_named_str(&name, &source)
            .and_then(|template| template.render(Value::from(minijinja::value::Serde(values))));
        rendered.map_err(|source| TemplateError::Render { name, source })
    }

    fn source(&self, name: &str) -> Result<Option<String>, TemplateError> {
        let replaced = self.folder.as_deref().map(|folder: &Path| folder.join(name)).filter(|path| path.is_file());
        if let Some(path) = replaced {
            return match std::fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(source) => Err(TemplateError::Read { path, source }),
            };
        }
        Ok(self.builtin.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
    }
}

/// A language is part of a path and comes from the portal.
fn is_safe(language: &str) -> bool {
    !language.is_empty() && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BUILTIN: &[(&str, &str)] = &[
        ("en/hello.txt", "Hello {{ name }}!\n"),
        ("en/hello.html", "<p>Hello {{ name }}!</p>\n"),
        ("de/hello.txt", "Hallo {{ name }}!\n"),
        ("de/hello.html", "<p>Hallo {{ name }}!</p>\n"),
    ];

    const BOTH: &[&str] = &["hello.txt", "hello.html"];

    #[test]
    fn the_language_of_the_person_is_used_where_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("fr")).unwrap();
        std::fs::write(folder.path().join("fr/hello.txt"), "Bonjour {{ name }} !").unwrap();
        let templates = Templates::new(BUILTIN, Some(folder.path().to_owned()), "de");
        for (culture, expected) in
            [(Some("en-GB"), "en"), (Some("de"), "de"), (None, "de"), (Some("fr-FR"), "de"), (Some("../../etc"), "de")]
        {
            assert_eq!(templates.language(culture, BOTH), Some(expected), "{culture:?}");
        }
        std::fs::write(folder.path().join("fr/hello.html"), "<p>Bonjour {{ name }}</p>").unwrap();
        assert_eq!(templates.language(Some("fr-FR"), BOTH), Some("fr"));
    }

    #[test]
    fn html_escapes_and_a_folder_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("en")).unwrap();
        std::fs::write(folder.path().join("en/hello.txt"), "Dear {{ name }},").unwrap();
        let templates = Templates::new(BUILTIN, Some(folder.path().to_owned()), "en");
        let values = json!({ "name": "<b>{{ 1 }}</b>" });
        assert_eq!(templates.render("en", "hello.txt", &values).unwrap(), "Dear <b>{{ 1 }}</b>,");
        let html = templates.render("en", "hello.html", &values).unwrap();
        assert!(html.contains("&lt;b&gt;{{ 1 }}&lt;"), "{html}");
    }

    #[test]
    fn a_hole_in_a_template_is_an_error_that_names_it() {
        let templates = Templates::new(BUILTIN, None, "en");
        let error = templates.render("en", "hello.txt", &json!({})).unwrap_err();
        assert!(error.to_string().contains("`en/hello.txt`"), "{error}");
        let endless = "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
        let templates = Templates::new(Box::leak(Box::new([("en/endless.txt", endless)])), None, "en");
        assert!(templates.render("en", "endless.txt", &json!({})).is_err());
    }
}
