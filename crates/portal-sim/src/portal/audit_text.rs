//! What an audit row says in words: the sentence of the action and the place.
//!
//! Both are made from the stored description, a list of texts whose last element may be data about the place.

use serde_json::Value;

use super::reply::Failure;
use crate::actions::Action;
use crate::scenario::Words;

/// From this length on the pieces of a text are cut in `last` and in the fallback …
const LONG_PIECE: usize = 50;
/// … to this length, plus three dots.
const CUT_PIECE: usize = 47;
/// Quota events, whose numbers are shown as sizes and which must have a description.
pub(super) const QUOTAS: &[i32] = &[6040, 6042, 6044, 6048, 6049, 6051, 6052, 6068, 6070, 6071];
/// OAuth events say what stands in their target.
pub(super) const OAUTH: std::ops::RangeInclusive<i32> = 9901..=9909;
/// Renamings, whose place is the title before.
const RENAMINGS: &[i32] = &[5071, 5155];

/// The stored description as texts; a column that is no JSON list counts as absent.
pub(super) fn texts(description: Option<&str>) -> Option<Vec<String>> {
    serde_json::from_str(description?).ok()
}

/// The sentence; `None` is left out of the row.
pub(super) fn sentence(
    action: &Action,
    texts: Option<&[String]>,
    target: Option<&str>,
    shorten: bool,
) -> Result<Option<String>, Failure> {
    let format = action.format();
    let Some(texts) = texts else {
        if QUOTAS.contains(&action.id) {
            let message = "Value cannot be null. (Parameter 'source')";
            return Err(Failure::exception(400, message, "System.ArgumentNullException", -2_147_467_261));
        }
        // nothing to fill in: the bare format, placeholders and all
        return Ok((!format.is_empty()).then(|| format.to_owned()));
    };
    let pieces: Vec<String> = if OAUTH.contains(&action.id) {
        target.into_iter().map(str::to_owned).collect()
    } else {
        texts.iter().map(|text| rejoined(text, shorten)).collect()
    };
    let pieces = if QUOTAS.contains(&action.id) { pieces.iter().map(|text| size(text)).collect() } else { pieces };
    // a format that asks for more than there is gives nothing at all
    Ok(Some(filled(format, &pieces).unwrap_or_default()))
}

/// Split at commas, empty pieces dropped, joined anew (and in `last` cut).
fn rejoined(text: &str, shorten: bool) -> String {
    let pieces: Vec<String> = text
        .split(',')
        .filter(|piece| !piece.is_empty())
        .map(|piece| if shorten { shortened(piece) } else { piece.to_owned() })
        .collect();
    pieces.join(", ")
}

fn shortened(piece: &str) -> String {
    if piece.chars().count() < LONG_PIECE {
        return piece.to_owned();
    }
    piece.chars().take(CUT_PIECE).chain("...".chars()).collect()
}

/// `{0}`, `{1}` … replaced; `None` when one of them is missing.
fn filled(format: &str, pieces: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        let (index, tail) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(pieces.get(index.parse::<usize>().ok()?)?);
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

/// Bytes as the portal writes them; anything else stays.
fn size(text: &str) -> String {
    let Ok(mut bytes) = text.parse::<u64>() else { return text.to_owned() };
    let mut unit = "bytes";
    for next in ["KB", "MB", "GB", "TB"] {
        if bytes < 1024 {
            break;
        }
        bytes /= 1024;
        unit = next;
    }
    format!("{bytes} {unit}")
}

/// The place: the room's title then, or the section, or the name of the location.
pub(super) fn context(action: &Action, texts: Option<&[String]>, words: &Words) -> Result<Option<String>, Failure> {
    let default = || {
        let word = match action.location_text() {
            Some("Rooms") => Some(words.rooms.as_str()),
            Some("AI agents") => Some(words.agents.as_str()),
            other => other,
        };
        Ok(word.map(str::to_owned))
    };
    let Some(last) = texts.and_then(<[String]>::last).filter(|_| action.is_documents()) else { return default() };
    if !(last.starts_with('{') && last.ends_with('}')) {
        return default();
    }
    let place: Value = serde_json::from_str(last).map_err(|_| unreadable(last))?;
    let text = |name: &str| place.get(name).and_then(Value::as_str);
    let title = if RENAMINGS.contains(&action.id) { text("RoomOldTitle") } else { text("RoomTitle") };
    if let Some(title) = title.filter(|title| !title.is_empty()) {
        let is_agent = place.get("IsAgent").and_then(Value::as_bool) == Some(true);
        let prefix = if is_agent { &words.agents } else { &words.rooms };
        return Ok(Some(format!("{prefix}: {title}")));
    }
    match text("RootFolderTitle").filter(|title| !title.is_empty()) {
        Some(title) => Ok(Some(title.to_owned())),
        None => default(),
    }
}

/// What .NET says about data that looks like an object and is none.
pub(super) fn unreadable(text: &str) -> Failure {
    let inner: String = text.chars().skip(1).collect();
    let blank = inner.len() - inner.trim_start().len();
    let found = inner.trim_start().chars().next().unwrap_or('}');
    let message = format!(
        "'{found}' is an invalid start of a property name. Expected a '\"'. \
         Path: $ | LineNumber: 0 | BytePositionInLine: {}.",
        blank + 1
    );
    Failure::exception(500, &message, "System.Text.Json.JsonException", -2_146_233_088)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_at_commas_and_cut_only_when_asked() {
        let long = "x".repeat(60);
        let text = format!("a,,b.docx,{long}");
        assert_eq!(rejoined(&text, false), format!("a, b.docx, {long}"));
        assert_eq!(rejoined(&text, true), format!("a, b.docx, {}...", "x".repeat(47)));
    }

    #[test]
    fn a_format_that_asks_for_more_than_there_is_gives_nothing() {
        let one = ["a {1} b".to_owned()];
        assert_eq!(filled("File: {0}", &one).as_deref(), Some("File: a {1} b"));
        assert_eq!(filled("File: {0} {1}", &one), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(size("1073741824"), "1 GB");
        assert_eq!(size("Alpha"), "Alpha");
    }
}
