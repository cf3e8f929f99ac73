//! Reading the TOML of a policy: everything that is wrong at once, each with its line.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use job_runner::config::nearest_name;
use toml_edit::{ImDocument, Item, TableLike, Value};

use super::{Entry, Mistake, Name, PolicyFile, Rule, Unnamed};

const TOP_KEYS: [&str; 2] = ["default", "rule"];
const RULE_KEYS: [&str; 8] = ["label", "people", "groups", "allow", "reason", "owner", "expires", "for_admin"];

/// Reads a policy.
///
/// # Errors
/// Every mistake that can be told without the portal, in order of lines.
pub(crate) fn parse(text: &str) -> Result<PolicyFile, Vec<Mistake>> {
    let document = match ImDocument::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let line = error.span().map_or(1, |span| Lines::of(text).line(span.start));
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            return Err(vec![Mistake::new(line, format!("is not valid TOML: {message}"))]);
        }
    };
    let mut reader = Reader { lines: Lines::of(text), mistakes: Vec::new() };
    let file = reader.file(document.as_table());
    if reader.mistakes.is_empty() {
        return Ok(file);
    }
    reader.mistakes.sort_by_key(|mistake| mistake.line);
    Err(reader.mistakes)
}

/// Reports and alerts repeat a label with each finding; what is longer than a line belongs into `reason`.
pub(crate) const LONGEST_LABEL: usize = 200;

struct Reader {
    lines: Lines,
    mistakes: Vec<Mistake>,
}

/// Where each line begins, so that no entry is found by counting from the top.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect())
    }

    /// The line of a byte, counted from 1.
    fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|begin| *begin <= byte)
    }
}

impl Reader {
    fn file(&mut self, table: &dyn TableLike) -> PolicyFile {
        self.refuse_unknown(table, &TOP_KEYS);
        let default = match table.get("default").map(|item| (item.as_str(), item)) {
            None | Some((Some("report"), _)) => Unnamed::Report,
            Some((Some("ignore"), _)) => Unnamed::Ignore,
            Some((_, item)) => {
                self.mistake(item, "`default` must be \"report\" or \"ignore\"");
                Unnamed::Report
            }
        };
        let rules: Vec<Rule> = match table.get("rule") {
            None => Vec::new(),
            Some(Item::ArrayOfTables(tables)) => tables
                .iter()
                .map(|table| {
                    let line = self.line(table.span());
                    self.rule(table, line)
                })
                .collect(),
            Some(other) => {
                self.mistake(other, "rules are tables of their own: write `[[rule]]`");
                return PolicyFile { default, rules: Vec::new() };
            }
        };
        // whoever begins without rules says what becomes of those whom no rule names; a file that lost its content does not
        let is_beginning = table.get("default").is_some_and(|item| item.as_str() == Some("report"));
        if rules.is_empty() && !is_beginning {
            self.mistakes.push(Mistake::new(1, "holds no `[[rule]]`, so nobody could come from anywhere"));
        }
        self.refuse_doubles(&rules);
        PolicyFile { default, rules }
    }

    fn rule(&mut self, table: &dyn TableLike, line: usize) -> Rule {
        self.refuse_unknown(table, &RULE_KEYS);
        let people = self.names(table, "people");
        let groups = self.names(table, "groups");
        if people.is_empty() && groups.is_empty() {
            self.mistakes.push(Mistake::new(line, "the rule names neither `people` nor `groups`"));
        }
        let allow: Vec<Entry> = self.texts(table, "allow").into_iter().filter_map(|entry| self.entry(entry)).collect();
        if table.get("allow").is_none() {
            let message = "the rule has no `allow`; give addresses, networks or ranges, or an empty list for nowhere";
            self.mistakes.push(Mistake::new(line, message));
        }
        let label = self.text(table, "label").filter(|label| !label.trim().is_empty());
        if label.is_none() {
            self.mistakes.push(Mistake::new(line, "the rule has no `label`; reports call it by that"));
        }
        if label.as_ref().is_some_and(|label| label.chars().count() > LONGEST_LABEL) {
            let message = format!("the label is longer than {LONGEST_LABEL} characters; write the rest into `reason`");
            self.mistakes.push(Mistake::new(line, message));
        }
        Rule {
            label: label.unwrap_or_default(),
            people,
            groups,
            allow,
            reason: self.text(table, "reason"),
            owner: self.text(table, "owner"),
            expires: self.date(table, "expires"),
            for_admin: self.flag(table, "for_admin"),
            line,
        }
    }

    fn entry(&mut self, entry: Name) -> Option<Entry> {
        match entry.text.parse() {
            Ok(range) => Some(Entry { range, line: entry.line }),
            Err(error) => {
                self.mistakes.push(Mistake::new(entry.line, format!("`{}` {error}", shown(&entry.text))));
                None
            }
        }
    }

    fn names(&mut self, table: &dyn TableLike, key: &str) -> Vec<Name> {
        let names = self.texts(table, key);
        for name in names.iter().filter(|name| name.text.trim().is_empty()) {
            self.mistakes.push(Mistake::new(name.line, format!("`{key}` holds an empty name")));
        }
        names
    }

    /// The texts of a list; absent is empty.
    fn texts(&mut self, table: &dyn TableLike, key: &str) -> Vec<Name> {
        let Some(item) = table.get(key) else { return Vec::new() };
        let Some(list) = item.as_array() else {
            self.mistake(item, &format!("`{key}` must be a list such as `[\"a\", \"b\"]`"));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for value in list {
            let line = self.line(value.span());
            match value.as_str() {
                Some(text) => texts.push(Name { text: text.to_owned(), line }),
                None => self.mistakes.push(Mistake::new(line, format!("`{key}` must hold texts in quotes"))),
            }
        }
        texts
    }

    fn text(&mut self, table: &dyn TableLike, key: &str) -> Option<String> {
        let item = table.get(key)?;
        let text = item.as_str().map(str::to_owned);
        if text.is_none() {
            self.mistake(item, &format!("`{key}` must be a text in quotes"));
        }
        text
    }

    fn flag(&mut self, table: &dyn TableLike, key: &str) -> bool {
        let Some(item) = table.get(key) else { return false };
        item.as_bool().unwrap_or_else(|| {
            self.mistake(item, &format!("`{key}` must be `true` or `false`"));
            false
        })
    }

    fn date(&mut self, table: &dyn TableLike, key: &str) -> Option<NaiveDate> {
        let item = table.get(key)?;
        let text = match item.as_value() {
            Some(Value::String(text)) => text.value().clone(),
            Some(Value::Datetime(date)) => date.value().to_string(),
            _ => String::new(),
        };
        let date = text.parse().ok();
        if date.is_none() {
            self.mistake(item, &format!("`{key}` must be a date such as \"2027-01-01\""));
        }
        date
    }

    fn refuse_unknown(&mut self, table: &dyn TableLike, known: &[&str]) {
        for (key, item) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let span = table.get_key_value(key).and_then(|(key, _)| key.span()).or_else(|| item.span());
            let line = self.line(span);
            let guess = nearest_name(key, known.iter().copied());
            let guess = guess.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
            self.mistakes.push(Mistake::new(line, format!("`{}` is not a known key{guess}", shown(key))));
        }
    }

    /// Two rules of one label could not be told apart in a report.
    fn refuse_doubles(&mut self, rules: &[Rule]) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in rules.iter().filter(|rule| !rule.label.is_empty()) {
            if let Some(first) = seen.get(rule.label.as_str()) {
                let message = format!("the label \"{}\" stands in line {first} already", shown(&rule.label));
                self.mistakes.push(Mistake::new(rule.line, message));
            }
            seen.entry(&rule.label).or_insert(rule.line);
        }
    }

    fn mistake(&mut self, item: &Item, message: &str) {
        let line = self.line(item.span());
        self.mistakes.push(Mistake::new(line, message));
    }

    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        span.map_or(1, |span| self.lines.line(span.start))
    }
}

/// A text of the file, safe on a terminal.
pub(crate) fn shown(text: &str) -> String {
    audit_model::PortalText::new(text).for_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
default = "ignore"

[[rule]]
label = "head office"
people = ["anna@example.com"]
groups = ["Finance"]
allow = ["192.0.2.0/24", "198.51.100.7",
         "203.0.113.10-203.0.113.40", "2001:db8::/32"]
reason = "…"
owner = "it@example.com"
expires = "2027-01-01"
for_admin = false

[[rule]]
label = "nowhere"
people = ["bob@example.com"]
allow = []
expires = 2027-02-01
"#;

    #[test]
    fn the_published_form_is_read() {
        let file = parse(GOOD).unwrap();
        assert_eq!((file.default, file.rules.len()), (Unnamed::Ignore, 2));
        let rule = &file.rules[0];
        assert_eq!((rule.line, rule.allow.len(), rule.allow[2].line), (4, 4, 9));
        assert_eq!(rule.expires, "2027-01-01".parse().ok());
        assert_eq!(file.rules[1].expires, "2027-02-01".parse().ok());
        assert!(!rule.has_expired("2026-12-31".parse().unwrap()) && rule.has_expired("2027-01-01".parse().unwrap()));
    }

    #[test]
    fn all_mistakes_are_told_with_their_lines() {
        let text = r#"
defualt = "report"
[[rule]]
label = "a"
pepole = ["anna@example.com"]
groups = [7]
allow = ["192.0.2.5/24", "192.0.2.300",
  "192.0.2.9-192.0.2.1"]
for_admin = "no"
expires = "soon"
[[rule]]
label = "a"
people = [" "]
"#;
        let mistakes: Vec<String> = parse(text).unwrap_err().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(mistakes.join("\n"), @r#"
        line 2: `defualt` is not a known key, did you mean `default`?
        line 3: the rule names neither `people` nor `groups`
        line 5: `pepole` is not a known key, did you mean `people`?
        line 6: `groups` must hold texts in quotes
        line 7: `192.0.2.5/24` has bits behind its prefix; the network is `192.0.2.0/24`, the address alone `192.0.2.5`
        line 7: `192.0.2.300` is not an address, network (`192.0.2.0/24`) or range (`192.0.2.1-192.0.2.9`)
        line 8: `192.0.2.9-192.0.2.1` ends before it begins; swap both ends
        line 9: `for_admin` must be `true` or `false`
        line 10: `expires` must be a date such as "2027-01-01"
        line 11: the rule has no `allow`; give addresses, networks or ranges, or an empty list for nowhere
        line 11: the label "a" stands in line 3 already
        line 13: `people` holds an empty name
        "#);
    }

    #[test]
    fn what_is_no_policy_at_all() {
        let first = |text: &str| parse(text).unwrap_err().remove(0).to_string();
        assert!(first("default = \n").starts_with("line 1: is not valid TOML"), "{}", first("default = \n"));
        for text in ["", "default = \"ignore\"\n"] {
            assert!(first(text).contains("holds no `[[rule]]`"));
        }
        assert!(parse("default = \"report\"\n").is_ok());
        assert!(first("rule = 1").contains("write `[[rule]]`"));
    }

    /// An index of lines says what counting says.
    #[test]
    fn lines_are_counted_from_one() {
        let text = "a\n\nb\r\nä\n";
        let lines = Lines::of(text);
        for byte in 0..=text.len() {
            let counted = text.as_bytes()[..byte].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!(lines.line(byte), counted, "{byte}");
        }
    }

    /// Each finding repeats it.
    #[test]
    fn a_label_is_a_line_and_no_book() {
        let labelled = |length: usize| {
            let label = "ä".repeat(length);
            parse(&format!("[[rule]]\nlabel = \"{label}\"\npeople = [\"a\"]\nallow = []\n"))
        };
        assert!(labelled(200).is_ok());
        assert!(labelled(201).unwrap_err()[0].message.contains("longer than 200 characters"));
    }
}
