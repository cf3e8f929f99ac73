//! Titles of entries: how the portal rewrites them, and what it makes of their extensions.

use std::fmt::Write as _;

/// The longest title that is stored.
const MAX_TITLE: usize = 170;

/// Extensions that the document server turns into its own formats after an upload, and into which.
const CONVERTED: &[(&str, &str)] = &[
    (".md", ".docx"),
    (".html", ".docx"),
    (".htm", ".docx"),
    (".mht", ".docx"),
    (".xml", ".docx"),
    (".rtf", ".docx"),
    (".odt", ".docx"),
    (".doc", ".docx"),
    (".ods", ".xlsx"),
    (".xls", ".xlsx"),
    (".odp", ".pptx"),
    (".ppt", ".pptx"),
];

/// The extension with its dot, in lower case; empty without one.
pub(super) fn extension(title: &str) -> String {
    title.rfind('.').map(|at| title[at..].to_lowercase()).unwrap_or_default()
}

/// The title as it is stored: trimmed, cut, forbidden characters and emoji replaced.
pub(super) fn clean(title: &str) -> String {
    let title = title.trim();
    let mut out = String::new();
    for c in title.chars() {
        match c {
            '\t' | '*' | '+' | ':' | '"' | '<' | '>' | '?' | '|' | '/' | '\\' => out.push('_'),
            // both halves of a surrogate pair are replaced
            '\u{10000}'.. => out.push_str("__"),
            c => out.push(c),
        }
    }
    if out.chars().count() <= MAX_TITLE {
        return out;
    }
    let tail = extension(&out);
    let keep = MAX_TITLE.saturating_sub(tail.chars().count());
    out.chars().take(keep).chain(tail.chars()).collect()
}

/// The title of a file as it is stored: with its extension in lower case.
pub(super) fn clean_file(title: &str) -> String {
    let title = clean(title);
    let tail = extension(&title);
    format!("{}{tail}", &title[..title.len() - tail_length(&title)])
}

fn tail_length(title: &str) -> usize {
    title.rfind('.').map_or(0, |at| title.len() - at)
}

/// `name (1).ext`, `name (2).ext`, … : the first that is free.
pub(super) fn numbered(title: &str, taken: impl Fn(&str) -> bool) -> String {
    let stem = &title[..title.len() - tail_length(title)];
    let tail = &title[stem.len()..];
    (0..)
        .map(|number| if number == 0 { title.to_owned() } else { format!("{stem} ({number}){tail}") })
        .find(|candidate| !taken(candidate))
        .expect("a folder holds finitely many files")
}

/// What a file of this title becomes after an upload, if it is converted.
pub(super) fn converted(title: &str) -> Option<String> {
    let tail = extension(title);
    let (_, target) = CONVERTED.iter().find(|(known, _)| *known == tail)?;
    Some(format!("{}{target}", &title[..title.len() - tail.len()]))
}

/// The portal's number for the kind of file.
pub(super) fn file_type(title: &str) -> i32 {
    match extension(title).as_str() {
        ".zip" | ".rar" | ".7z" | ".gz" | ".tar" => 1,
        ".mp4" | ".mov" | ".avi" | ".webm" => 2,
        ".mp3" | ".wav" | ".ogg" => 3,
        ".png" | ".jpg" | ".jpeg" | ".gif" | ".bmp" | ".webp" => 4,
        ".xlsx" | ".xls" | ".ods" | ".csv" => 5,
        ".pptx" | ".ppt" | ".odp" => 6,
        ".docx" | ".doc" | ".odt" | ".txt" | ".rtf" | ".html" | ".htm" | ".md" | ".xml" => 7,
        ".pdf" => 10,
        ".vsdx" => 11,
        _ => 0,
    }
}

/// A size as people read it.
pub(super) fn size_text(bytes: usize) -> String {
    let units = ["bytes", "KB", "MB", "GB"];
    let mut divisor = 1;
    let mut unit = 0;
    while bytes / divisor >= 1024 && unit + 1 < units.len() {
        divisor *= 1024;
        unit += 1;
    }
    let mut out = (bytes / divisor).to_string();
    let hundredths = bytes % divisor * 100 / divisor;
    if hundredths > 0 {
        // writing to a string cannot fail
        let _ = write!(out, ".{hundredths:02}");
    }
    format!("{out} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_rewritten() {
        assert_eq!(clean_file("report 2026-03-02T11:30:00+02:00.txt"), "report 2026-03-02T11_30_00_02_00.txt");
        assert_eq!(clean_file("  a/b\\c.TXT "), "a_b_c.txt");
        assert_eq!(clean("a😀b"), "a__b");
        let long = clean_file(&format!("{}.TXT", "x".repeat(300)));
        assert_eq!((long.len(), &long[160..]), (170, "xxxxxx.txt"));
    }

    #[test]
    fn free_titles_are_numbered() {
        assert_eq!(numbered("a.txt", |_| false), "a.txt");
        assert_eq!(numbered("a.txt", |title| matches!(title, "a.txt" | "a (1).txt")), "a (2).txt");
        assert_eq!(numbered("a", |title| title == "a"), "a (1)");
    }

    #[test]
    fn conversions_and_sizes() {
        assert_eq!(converted("a.md").as_deref(), Some("a.docx"));
        assert_eq!(converted("a.html").as_deref(), Some("a.docx"));
        assert_eq!(converted("a.txt"), None);
        assert_eq!(size_text(5), "5 bytes");
        assert_eq!(size_text(2365), "2.30 KB");
    }
}
