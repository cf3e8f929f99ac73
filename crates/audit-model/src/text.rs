//! Text that somebody typed into the portal. Nobody else's business: how a report or a channel quotes it.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Text under the control of a portal user: names, titles, addresses, localised sentences.
///
/// It has no `Display`, so it cannot reach a terminal, a log or a page unescaped. Serialising writes the raw text, because a
/// serialiser escapes for its own format. Copies share their memory: many rows have the same names and titles.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PortalText(Arc<str>);

impl PortalText {
    /// Wraps text as it came over the wire.
    pub fn new(raw: impl Into<Arc<str>>) -> Self {
        PortalText(raw.into())
    }

    /// The text as it is, for comparison, storage, and sinks with their own escaping. Never for printing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The same, for storage: it shares its memory with this text.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// One line that is safe on a terminal, in a mail and in a plain-text subject: control characters, line breaks and the
    /// characters that reorder or hide text are shown as `\u{…}`.
    pub fn for_terminal(&self) -> String {
        // nearly every text is plain ASCII, of which nothing is hidden
        if self.0.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return self.0.to_string();
        }
        let mut shown = String::with_capacity(self.0.len());
        for character in self.0.chars() {
            if is_hidden(character) {
                shown.extend(character.escape_unicode());
            } else {
                shown.push(character);
            }
        }
        shown
    }
    /// The same, cut to so many characters where it is longer, the last of them `…`: nobody can push the rest of a report out of sight.
    pub fn for_terminal_within(&self, longest: usize) -> String {
        // a character is shown as at least one: what comes later cannot be seen
        let seen = self.0.char_indices().nth(longest.saturating_add(1)).map_or(&*self.0, |(end, _)| &self.0[..end]);
        let shown = PortalText::new(seen).for_terminal();
        match shown.char_indices().nth(longest) {
            None => shown,
            Some(_) => shown.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
        }
    }

    /// The same where programs make links of what looks like an address, as mail clients, terminals and phones do: `https://evil.example`
    /// becomes `https[://]evil[.]example`, and `evil.example/login` `evil[.]example/login`, as security people write them. Mail addresses,
    /// addresses of machines such as `192.0.2.7`, and bare names of files such as `plan.docx` and `backup.zip` stay as they are. Whoever chooses a title must not
    /// lead readers anywhere; whoever needs the address can still read it, and JSON and CSV have it as it is.
    pub fn unlinked_within(&self, longest: usize) -> String {
        defanged(&self.for_terminal_within(longest))
    }

    /// The same for a line of the log, or for an error that may become part of one: short enough that nothing else of it is pushed out.
    pub fn for_log(&self) -> String {
        self.for_terminal_within(LONGEST_IN_LOG)
    }

    /// The same line as text inside an HTML element or a quoted attribute.
    pub fn for_html(&self) -> String {
        let line = self.for_terminal();
        let mut shown = String::with_capacity(line.len());
        for character in line.chars() {
            match character {
                '&' => shown.push_str("&amp;"),
                '<' => shown.push_str("&lt;"),
                '>' => shown.push_str("&gt;"),
                '"' => shown.push_str("&quot;"),
                '\'' => shown.push_str("&#39;"),
                other => shown.push(other),
            }
        }
        shown
    }

    /// The same line as a quoted CSV cell that no spreadsheet takes for a formula: what begins like a formula gets an apostrophe in
    /// front, as spreadsheets themselves mark text. So does what begins like one behind a semicolon, where a spreadsheet of many
    /// countries begins a cell, quotes or not. Tabs and line breaks, which begin cells as well, are shown as `\u{…}`.
    pub fn for_csv(&self) -> String {
        let line = self.for_terminal();
        let guarded: Vec<String> = line.split(';').map(guarded).collect();
        format!("\"{}\"", guarded.join(";").replace('"', "\"\""))
    }
}

/// The only place that says how an address of somebody else's is written: without `://`, and without a dot that may be one of a host's
/// name. Mail addresses and bare names of files stay as they are, and so does what is written like this already.
fn defanged(text: &str) -> String {
    let text = text.replace(SCHEME, "://").replace("://", SCHEME);
    let is_of_word = |c: char| c.is_alphanumeric() || ".-_+%'@".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for piece in text.split_inclusive(|c| !is_of_word(c)) {
        let word = piece.trim_end_matches(|c| !is_of_word(c));
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        at += piece.len();
        let is_mail_address =
            word.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.contains('@'));
        let is_bare = !before.ends_with(SCHEME) && !word.to_lowercase().starts_with("www.") && !leads_on(behind);
        if is_mail_address {
            shown.push_str(word)
        } else {
            push_word(&mut shown, word, is_bare)
        }
        shown.push_str(&piece[word.len()..]);
    }
    shown
}

/// How `://` is written.
const SCHEME: &str = "[://]";

/// The word with `[.]` for each dot that may be one of a host's name. The last dot of a bare name of a file is none, unless a dot before it
/// is one and the ending ends names of hosts as well.
fn push_word(shown: &mut String, word: &str, is_bare: bool) {
    let labels: Vec<&str> = word.split('.').collect();
    let mut is_host = false;
    for (n, label) in labels.iter().enumerate() {
        let Some(before) = n.checked_sub(1).map(|n| labels[n]) else {
            shown.push_str(label);
            continue;
        };
        let is_file = is_bare && !(is_host && n + 1 == labels.len() && TLD_ENDINGS.contains(&ending(label).as_str()));
        let is_dot_of_host = is_of_host(before, label, is_file);
        is_host |= is_dot_of_host;
        shown.push_str(if is_dot_of_host { "[.]" } else { "." });
        shown.push_str(label);
    }
}

/// Whether a path, a port or a query follows, as behind the name of a host.
fn leads_on(behind: &str) -> bool {
    let mut characters = behind.chars();
    match (characters.next(), characters.next()) {
        (Some('/'), _) => true,
        (Some(':'), Some(next)) => next.is_ascii_digit(),
        (Some('?' | '#'), Some(next)) => next.is_alphanumeric(),
        _ => false,
    }
}

fn ending(label: &str) -> String {
    label.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase()
}

/// Whether the dot between them may be one of a host's name: programs make links of `evil.example` as well, and each knows other endings.
fn is_of_host(before: &str, label: &str, may_be_file: bool) -> bool {
    let ending = ending(label);
    let letters = ending.chars().take_while(|c| c.is_alphabetic()).count();
    before.to_lowercase().ends_with("www")
        || before.ends_with(char::is_alphanumeric)
            && letters > 1
            && !(may_be_file && FILE_ENDINGS.contains(&ending.as_str()))
}

/// Endings of files. Programs make no links of them, but for those of [`TLD_ENDINGS`], which are far more often files than hosts.
///
/// A list of files and not of top-level domains, on purpose. What is missing here is written `plan[.]lockbit`, which looks odd and harms
/// nobody; what is missing in a list of domains would become a link. That list would be missing some on any day: IANA's has some 1,400, more
/// are added, mail programs and chats have lists of their own and of different ages, and some take any word behind a dot for a domain.
const FILE_ENDINGS: [&str; 62] = [
    "avi", "bak", "bmp", "csv", "djvu", "doc", "docm", "docx", "docxf", "dotx", "dwg", "eml", "epub", "exe", "gif",
    "gz", "heic", "htm", "html", "ics", "jpeg", "jpg", "json", "log", "md", "mov", "mp3", "mp4", "msg", "ndjson",
    "odg", "odp", "ods", "odt", "oform", "pdf", "png", "pptm", "ppt", "pptx", "psd", "rar", "rtf", "svg", "tar", "tgz",
    "tif", "tiff", "toml", "txt", "vsdx", "wav", "webm", "webp", "xls", "xlsb", "xlsm", "xlsx", "xml", "xz", "yaml",
    "zip",
];

/// Those that end names of hosts, too.
const TLD_ENDINGS: [&str; 3] = ["md", "mov", "zip"];

/// The text with an apostrophe in front if it begins like a formula, behind blanks and quotes that a spreadsheet drops.
fn guarded(text: &str) -> String {
    let starts_formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let is_dropped = |c: char| c.is_whitespace() || c == '"';
    let apostrophe = if text.trim_start_matches(is_dropped).starts_with(starts_formula) { "'" } else { "" };
    format!("{apostrophe}{text}")
}

/// In characters: more than any name or type of a well-meaning server has.
const LONGEST_IN_LOG: usize = 120;

/// Characters that act on a terminal or change how the text around them is read.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl fmt::Debug for PortalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.for_terminal())
    }
}

impl Serialize for PortalText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PortalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = PortalText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, raw: &str) -> Result<PortalText, E> {
                Ok(PortalText::new(raw))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl From<&str> for PortalText {
    fn from(raw: &str) -> Self {
        PortalText::new(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_text_cannot_act_on_the_terminal() {
        let hostile = PortalText::new("a\u{1b}[2Jb\nc\u{202e}txt.exe\u{200b}");
        assert_eq!(hostile.for_terminal(), "a\\u{1b}[2Jb\\u{a}c\\u{202e}txt.exe\\u{200b}");
        assert_eq!(format!("{hostile:?}").lines().count(), 1);
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let text = PortalText::new("žluť\u{7}");
        assert_eq!(text.for_terminal_within(9), "žluť\\u{7}");
        assert_eq!(text.for_terminal_within(8), "žluť\\u{…");
        assert_eq!(PortalText::new("契約書".repeat(5_000)).for_terminal_within(4), "契約書…");
    }

    #[test]
    fn nothing_in_it_becomes_a_link() {
        for (raw, shown) in [
            ("Žlutý https://evil.example,", "Žlutý https[://]evil[.]example,"),
            ("WWW.evil.example or ftp://www.1evil.example", "WWW[.]evil[.]example or ftp[://]www[.]1evil[.]example"),
            ("evil.example/login", "evil[.]example/login"),
            ("(a.evil.com.example:8080)", "(a[.]evil[.]com[.]example:8080)"),
            ("пример.рф, x.xn--p1ai", "пример[.]рф, x[.]xn--p1ai"),
            ("evil.example%20x_evil.example_x", "evil[.]example%20x_evil[.]example_x"),
            ("@evil.example a@b@evil.example", "@evil[.]example a@b@evil[.]example"),
            ("invoice.pdf.example", "invoice.pdf[.]example"),
            ("evil.zip/login, evil.zip:8443, evil.md?a=1", "evil[.]zip/login, evil[.]zip:8443, evil[.]md?a=1"),
            ("https://evil.zip www.evil.zip", "https[://]evil[.]zip www[.]evil[.]zip"),
            ("login.evil.zip, evil.example.docx", "login[.]evil[.]zip, evil[.]example.docx"),
            ("plan.docx/login", "plan[.]docx/login"),
        ] {
            assert_eq!(PortalText::new(raw).unlinked_within(80), shown);
            assert_eq!(PortalText::new(shown).unlinked_within(80), shown, "once is enough");
        }
    }

    #[test]
    fn what_nobody_makes_a_link_of_stays_as_it_is() {
        for raw in [
            "anna.b_c@mail.example.com, Anna <anna@example.com>",
            "www",
            "Plan v1.2.docx, Q3.XLSX, scan.pdf.",
            "192.0.2.7 at 09:00. Then 3.7.2",
            "backup.zip, Fotos.RAR, data.tar.gz, README.md: see notes.mov. Is it a.zip?",
            "z.B. J. Smith ... a.b .hidden end.",
        ] {
            assert_eq!(PortalText::new(raw).unlinked_within(80), raw);
        }
    }

    #[test]
    fn nothing_makes_a_second_line_in_the_log_or_a_long_one() {
        let forged =
            PortalText::new(format!("System.Exception\r\n2026-11-20T09:00:00Z ERROR all is well{}", "x".repeat(3_000)));
        let line = forged.for_log();
        assert!(line.starts_with("System.Exception\\u{d}\\u{a}2026"), "{line}");
        assert_eq!((line.lines().count(), line.chars().count()), (1, LONGEST_IN_LOG));
    }

    #[test]
    fn markup_is_text_in_html() {
        let hostile = PortalText::new("<img src=x onerror='a()'>&\"\u{202e}\n");
        assert_eq!(hostile.for_html(), "&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;&quot;\\u{202e}\\u{a}");
    }

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        for (raw, cell) in [
            ("plan.docx", "\"plan.docx\""),
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=1+1", "\"'=1+1\""),
            (" +1", "\"' +1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("＝1", "\"'＝1\""),
            ("a;=1+1;b.docx", "\"a;'=1+1;b.docx\""),
            (";;-1", "\";;'-1\""),
            ("a; \"=1+1\"", "\"a;' \"\"=1+1\"\"\""),
            ("\"=1", "\"'\"\"=1\""),
            ("a;b=1", "\"a;b=1\""),
            ("\t=1", "\"\\u{9}=1\""),
            ("a\r\nb", "\"a\\u{d}\\u{a}b\""),
            ("a=1", "\"a=1\""),
        ] {
            assert_eq!(PortalText::new(raw).for_csv(), cell, "{raw:?}");
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        let title = PortalText::new("Žluťoučký – 契約書 😀 <b>&");
        assert_eq!(title.for_terminal(), title.raw());
        assert_eq!(serde_json::to_string(&title).unwrap(), "\"Žluťoučký – 契約書 😀 <b>&\"");
    }
}
