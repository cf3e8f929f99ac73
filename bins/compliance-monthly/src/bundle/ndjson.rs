//! Every event as one line of JSON, as the portal gave it.

use std::borrow::Cow;
use std::io;

use audit_model::{AuditEvent, LoginEvent};
use serde::Serialize;

/// A line: the event with where it was read, and the topics of the report that it belongs to.
#[derive(Serialize)]
struct Line<'a, E> {
    source: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    action_name: Cow<'a, str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    topics: &'a [&'static str],
    #[serde(flatten)]
    event: &'a E,
}

pub(crate) fn event(event: &AuditEvent, topics: &[&'static str], out: &mut impl io::Write) -> io::Result<()> {
    line(&Line { source: "audit", action_name: event.action.to_string().into(), topics, event }, out)
}

pub(crate) fn login(login: &LoginEvent, out: &mut impl io::Write) -> io::Result<()> {
    line(&Line { source: "logins", action_name: login.action.to_string().into(), topics: &[], event: login }, out)
}

fn line(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    out.write_all(one_line(&json).as_bytes())?;
    out.write_all(b"\n")
}

/// JSON may hold three characters as they are that some readers take for the end of a line.
fn one_line(json: &str) -> Cow<'_, str> {
    const BREAKS: [(char, &str); 3] = [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    if !json.contains(BREAKS.map(|(character, _)| character)) {
        return Cow::Borrowed(json);
    }
    Cow::Owned(BREAKS.iter().fold(json.to_owned(), |json, (character, escaped)| json.replace(*character, escaped)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_line() {
        let mut out = Vec::new();
        line(&"a\nb\r\u{85}\u{2028}c\u{2029}", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\"a\\nb\\r\\u0085\\u2028c\\u2029\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "a\nb\r\u{85}\u{2028}c\u{2029}");
    }
}
