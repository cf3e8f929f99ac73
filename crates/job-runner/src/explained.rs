//! An error as people read it: what is the matter, what the system said about it in brackets, and what to do.
//!
//! Errors of the portal and of the store tell these apart; of others the whole chain is what is the matter.

use std::borrow::Cow;
use std::fmt;

use audit_model::PortalText;

/// Longest text of an error, in characters: part of it may come from a server.
const LONGEST: usize = 1_000;

/// Displays as one sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    /// One line.
    pub(crate) text: String,
    /// What to do about it, where the error knows.
    pub(crate) remedy: Option<Cow<'static, str>>,
}

impl Explained {
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let mut before: Vec<String> = Vec::new();
        let mut causes = error.chain();
        let known = causes.by_ref().find_map(|cause| {
            let known = known(cause);
            if known.is_none() {
                before.push(cause.to_string());
            }
            known
        });
        let (meaning, remedy, causes): (_, _, Vec<String>) = match known {
            Some((meaning, remedy)) => (meaning, remedy, causes.map(ToString::to_string).collect()),
            None => (before.pop().unwrap_or_default(), None, Vec::new()),
        };
        before.push(meaning);
        let causes: Vec<&str> = causes.iter().map(|cause| without_code(cause)).collect();
        let said = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(": ")) };
        let one_line = |text: String| PortalText::new(text).for_terminal_within(LONGEST);
        Explained { text: one_line(before.join(": ")) + &one_line(said), remedy }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

/// For the log: a line for each mistake that the failure names, of which settings may have several.
pub(crate) fn lines(failure: &anyhow::Error) -> Vec<String> {
    match failure.chain().find_map(known) {
        Some(_) => vec![Explained::of(failure).to_string()],
        None => format!("{failure:#}").lines().map(str::to_owned).collect(),
    }
}

/// What is the matter and what to do, of errors that tell them apart.
fn known(error: &(dyn std::error::Error + 'static)) -> Option<(String, Option<Cow<'static, str>>)> {
    let of_portal = error.downcast_ref::<docspace_client::Error>().map(|it| (it.meaning(), Some(it.remedy())));
    let of_store = error.downcast_ref::<job_store::Error>().map(|it| (it.meaning(), it.remedy().map(Cow::Borrowed)));
    of_portal.or(of_store)
}

/// What SQLite said, without the number that the sentence behind it stands for.
fn without_code(said: &str) -> &str {
    let behind = said.strip_prefix("(code: ").and_then(|rest| rest.split_once(") "));
    behind.filter(|(code, _)| code.bytes().all(|byte| byte.is_ascii_digit())).map_or(said, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_stand_in_brackets_and_what_to_do_at_the_end() {
        let said = io::Error::other("(code: 26) file is not a database");
        let store = job_store::Error::Corrupt { path: "/s".into(), source: said.into() };
        let error = anyhow::Error::new(store).context("cannot take over the store of an earlier version");
        assert_eq!(
            Explained::of(&error).to_string(),
            "cannot take over the store of an earlier version: store /s is damaged or no SQLite file (file is not a \
             database); move it away to start with an empty one"
        );
        let error = anyhow::anyhow!("b\nc").context("a");
        assert_eq!(Explained::of(&error), Explained { text: "a: b\\u{a}c".to_owned(), remedy: None });
    }
}
