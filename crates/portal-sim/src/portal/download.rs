//! `/filehandler.ashx`: the bytes of files, with and without a row in the audit trail.
//!
//! It is no API route: no scopes, no envelope. Redirects to a storage and watermarks are not simulated.

use axum::http::header;

use super::files::readable_file;
use super::reply::{Failure, Output, Reply};
use super::{Change, titles};
use crate::scenario::Reference;

const TEXT: Option<&str> = Some("text/plain");

/// `GET /filehandler.ashx?action=download|view|stream&fileid=…&version=…`
pub(super) fn handle(change: &mut Change<'_>) -> Result<Output, Failure> {
    let query = change.query;
    let asked = |name: &'static str| query.all(name).next();
    let empty = |status: u16| Ok(Output::Reply(Reply::new(status, TEXT, Vec::new())));
    let action = asked("action").unwrap_or_default().to_ascii_lowercase();
    if !matches!(action.as_str(), "download" | "view" | "stream") {
        return Ok(Output::Reply(Reply::new(400, Some("text/html"), "Bad request".to_owned())));
    }
    if change.caller.is_none() {
        return empty(401);
    }
    let id = asked("fileid").and_then(|id| id.parse().ok());
    let version = asked("version").and_then(|version| version.parse::<usize>().ok()).filter(|version| *version > 0);
    let context = change.context();
    let (file, rights) = match readable_file(&context, id) {
        Ok(found) => found,
        Err(Failure::Exception { status, .. }) => return empty(status),
        Err(_) => return empty(403),
    };
    if !rights.download {
        return empty(403);
    }
    let index = version.unwrap_or(file.versions.len());
    let Some(shown) = file.versions.get(index - 1) else { return empty(404) };
    let content = shown.content.clone();
    let (id, title, folder) = (file.id, file.title.clone(), file.folder);
    let range = change.headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some((start, end)) = bounds(range, content.len()) else {
        return Ok(Output::Reply(Reply::new(416, None, Vec::new())));
    };
    // later parts of the same download are silent
    let row = match (action.as_str(), version) {
        _ if start > 0 => None,
        ("download", Some(_)) => Some(5062),
        ("download", None) => Some(5009),
        ("view", _) => Some(5064),
        _ => None,
    };
    if let Some(action) = row {
        change.entry_row(action, Reference::File(id), &[&title], folder);
    }
    let total = content.len();
    let part = content[start..end].to_vec();
    let status = if range.is_some() { 206 } else { 200 };
    let mut reply = Reply::new(status, Some(mime(&title)), part)
        .header("accept-ranges", "bytes")
        .header("content-disposition", &format!("attachment; filename*=UTF-8''{}", encode(&title)));
    if range.is_some() {
        reply = reply.header("content-range", &format!("bytes {start}-{}/{total}", end.saturating_sub(1)));
    }
    Ok(Output::Reply(reply))
}

/// Begin and end of what is asked for; `None` when it lies outside the file.
fn bounds(range: Option<&str>, length: usize) -> Option<(usize, usize)> {
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else { return Some((0, length)) };
    let (start, end) = range.split_once('-')?;
    let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(end)) => (start, length.min(end.saturating_add(1))),
        (Ok(start), Err(_)) => (start, length),
        (Err(_), Ok(last)) => (length.saturating_sub(last), length),
        (Err(_), Err(_)) => return None,
    };
    (start < end).then_some((start, end))
}

fn mime(title: &str) -> &'static str {
    match titles::extension(title).as_str() {
        ".txt" => "text/plain",
        ".csv" => "text/csv",
        ".json" => "application/json",
        ".pdf" => "application/pdf",
        ".html" | ".htm" => "text/html",
        _ => "application/octet-stream",
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn ranges() {
        for (range, expected) in [
            (None, Some((0, 10))),
            (Some("bytes=0-3"), Some((0, 4))),
            (Some("bytes=4-"), Some((4, 10))),
            (Some("bytes=-2"), Some((8, 10))),
            (Some("bytes=2-100"), Some((2, 10))),
            (Some("bytes=10-"), None),
            (Some("bytes=x"), None),
        ] {
            assert_eq!(bounds(range, 10), expected, "{range:?}");
        }
    }
}
