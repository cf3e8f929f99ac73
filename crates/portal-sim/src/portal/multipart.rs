//! Forms: multipart bodies as the portal reads them.

use super::body::Body;
use super::query::decode;

/// The largest request of the file service, in bytes.
const MAX_BODY: usize = 104_857_600;
/// What stands before every problem with a form.
const UNREADABLE: &str = "Failed to read the request form.";

/// A part of a form.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    /// Only parts with one are files.
    pub(super) file_name: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// All parts of a form, in the order they came in.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Form(Vec<Part>);

impl Form {
    /// The first file of this name, in any case.
    pub(super) fn file(&self, name: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.file_name.is_some() && part.name.eq_ignore_ascii_case(name))
    }

    /// The first file of any name.
    pub(super) fn any_file(&self) -> Option<&Part> {
        self.0.iter().find(|part| part.file_name.is_some())
    }

    /// The first field of this name, in any case.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let part = self.0.iter().find(|part| part.file_name.is_none() && part.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(&part.bytes).into_owned())
    }
}

/// The form of a request; `None` for any other body. A form that cannot be read is an error under the key `""`.
pub(super) fn read(body: Body<'_>) -> Result<Option<Form>, (String, String)> {
    let problem = |text: &str| Err((String::new(), format!("{UNREADABLE} {text}")));
    match body.media_type().as_deref() {
        Some("multipart/form-data") => {
            if body.bytes.len() > MAX_BODY {
                return problem(&format!("Request body too large. The max request body size is {MAX_BODY} bytes."));
            }
            let Some(boundary) = body.parameter("boundary").filter(|boundary| !boundary.is_empty()) else {
                return problem("Missing content-type boundary.");
            };
            match parts(body.bytes, boundary) {
                Some(parts) => Ok(Some(Form(parts))),
                None => {
                    problem("Unexpected end of Stream, the content may have already been read by another component. ")
                }
            }
        }
        _ => Ok(None),
    }
}

/// The parts between the boundaries; `None` when the last boundary is missing.
fn parts(bytes: &[u8], boundary: &str) -> Option<Vec<Part>> {
    let mark = format!("--{boundary}").into_bytes();
    let mut rest = &bytes[find(bytes, &mark)? + mark.len()..];
    let mut out = Vec::new();
    while !rest.starts_with(b"--") {
        let start = find(rest, b"\r\n")? + 2;
        let end = find(&rest[start..], &[b"\r\n", mark.as_slice()].concat()).map(|end| start + end);
        // a part may end right where it begins, without headers
        let end = end.or_else(|| rest[start..].starts_with(&mark).then_some(start))?;
        let section = &rest[start..end];
        let (head, content) = match find(section, b"\r\n\r\n") {
            Some(at) => (&section[..at], &section[at + 4..]),
            None => (section, &section[section.len()..]),
        };
        if let Some(part) = part(&String::from_utf8_lossy(head), content) {
            out.push(part);
        }
        let next = find(&rest[end..], &mark)?;
        rest = &rest[end + next + mark.len()..];
    }
    Some(out)
}

/// A part by its headers; parts without a name are not bound.
fn part(head: &str, content: &[u8]) -> Option<Part> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = parameter(disposition, "name")?;
    let extended = parameter(disposition, "filename*").and_then(|value| value.splitn(3, '\'').nth(2).map(decode));
    let file_name = extended.or_else(|| parameter(disposition, "filename")).filter(|name| !name.is_empty());
    // a part with an empty file name is neither a file nor a field
    if file_name.is_none() && parameter(disposition, "filename").is_some() {
        return None;
    }
    Some(Part { name, file_name, bytes: content.to_vec() })
}

fn parameter(disposition: &str, name: &str) -> Option<String> {
    pieces(disposition).into_iter().skip(1).find_map(|piece| {
        let (known, value) = piece.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then(|| {
            let value = value.trim();
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            inner.replace("\\\"", "\"").replace("\\\\", "\\")
        })
    })
}

/// Split at semicolons outside quotes.
fn pieces(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if c == ';' && !quoted {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<Option<Form>, (String, String)> {
        read(Body { content_type: Some("multipart/form-data; boundary=\"XX\""), bytes: text.as_bytes() })
    }

    #[test]
    fn files_and_fields_are_told_apart() {
        let form = form(
            "--XX\r\nContent-Disposition: form-data; name=\"File\"; filename=\"a;b.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nhe\r\nllo\r\n\
             --XX\r\nContent-Disposition: form-data; name=title\r\n\r\nT\r\n--XX--\r\n",
        )
        .expect("readable")
        .expect("a form");
        let file = form.file("file").expect("a file");
        assert_eq!((file.file_name.as_deref(), file.bytes.as_slice()), (Some("a;b.txt"), b"he\r\nllo".as_slice()));
        assert_eq!(form.field("TITLE").as_deref(), Some("T"));
    }

    #[test]
    fn a_form_without_its_end_is_an_error_and_an_empty_one_is_not() {
        assert!(form("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx").is_err());
        assert_eq!(form("--XX--\r\n"), Ok(Some(Form::default())));
    }

    #[test]
    fn encoded_names_win() {
        let form = form(
            "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"r.txt\"; filename*=UTF-8''%C3%A4.txt\
             \r\n\r\n\r\n--XX--\r\n",
        )
        .expect("readable")
        .expect("a form");
        let file = form.any_file().expect("a file");
        assert_eq!((file.file_name.as_deref(), file.bytes.len()), (Some("ä.txt"), 0));
    }
}
