//! `--help` of the program and of every command below it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::Program;
use crate::Run;

/// Columns of a terminal for which help is wrapped.
const COLUMNS: usize = 100;

impl Program {
    /// Every command has help that fits a terminal, explains everything that it lists, and begins with what the command does. clap checks
    /// the definition of a command when it is asked for, and panics when it contradicts itself. What help lists stands in the manual page
    /// of the command as well.
    pub async fn help(&self) {
        let version = self.ask(&["--version"]).await;
        assert!(version.stdout.starts_with(&format!("{} ", self.name())), "{}", version.stdout);
        let pages = TempDir::new().unwrap();
        self.ask(&["man", pages.path().to_str().unwrap()]).await;
        let mut commands = vec![Vec::new()];
        while let Some(command) = commands.pop() {
            let path: Vec<&str> = command.iter().map(String::as_str).collect();
            for form in ["-h", "--help"] {
                let help = self.ask(&[&path[..], &[form]].concat()).await.stdout;
                let wrong = wrong(&help);
                assert!(wrong.is_empty(), "{} {} {form}: {wrong:#?}", self.name(), path.join(" "));
                if form == "-h" {
                    let page = [&[self.name()], &path[..]].concat().join("-");
                    let page = fs::read_to_string(pages.path().join(format!("{page}.1"))).unwrap();
                    let missing = missing(&help, &page);
                    assert!(missing.is_empty(), "{} {}: {missing:?} in {page}", self.name(), path.join(" "));
                    commands.extend(
                        entries(&help, "Commands:")
                            .into_iter()
                            .filter(|entry| entry.name != "help")
                            .map(|entry| command.iter().cloned().chain([entry.name]).collect()),
                    );
                }
            }
        }
        let unknown = self.try_to_ask(&["--no-such-flag"]).await;
        assert_eq!((unknown.exit, unknown.stdout.as_str()), (2, ""), "{}", unknown.stderr);
        assert!(unknown.stderr.contains("--no-such-flag"), "{}", unknown.stderr);
    }

    pub(super) async fn ask(&self, arguments: &[&str]) -> Run {
        let ended = self.try_to_ask(arguments).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{arguments:?}: {}", ended.stdout);
        ended
    }

    async fn try_to_ask(&self, arguments: &[&str]) -> Run {
        let mut command = crate::command(Path::new(self.binary), Path::new("/"));
        command.args(arguments);
        crate::run(command).await
    }
}

/// A line of a list of commands, arguments or options, and what is said about it.
pub(super) struct Entry {
    pub(super) name: String,
    explanation: String,
}

/// What a reader of this help would miss.
fn wrong(help: &str) -> Vec<String> {
    let long = help.lines().filter(|line| line.chars().count() > COLUMNS).map(|line| format!("too long: {line}"));
    let entries = ["Commands:", "Arguments:", "Options:"].into_iter().flat_map(|list| entries(help, list));
    let says_nothing = |entry: &Entry| !entry.explanation.starts_with(char::is_uppercase);
    let bare = entries.filter(says_nothing).map(|entry| format!("not explained: {}", entry.name));
    let untitled = help.starts_with("Usage:").then(|| "does not say what it does".to_owned());
    long.chain(bare).chain(untitled).collect()
}

/// What this help lists, and its manual page does not.
fn missing(help: &str, page: &str) -> Vec<String> {
    let page = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "");
    let options = entries(help, "Options:").into_iter().flat_map(|entry| {
        let flags = entry.name.split([' ', ',']).filter(|word| word.starts_with('-')).map(str::to_owned);
        flags.collect::<Vec<_>>()
    });
    let commands = entries(help, "Commands:").into_iter().map(|entry| format!("-{}(1)", entry.name));
    let commands = commands.filter(|name| name != "-help(1)");
    options.chain(commands).filter(|name| !page.contains(name.trim_end_matches('.'))).collect()
}

/// The entries of a list, which ends where a line begins without a blank.
pub(super) fn entries(help: &str, list: &str) -> Vec<Entry> {
    let lines = help.lines().skip_while(|line| *line != list).skip(1);
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines.take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        let is_entry = indent == 2 || (indent == 6 && text.starts_with("--"));
        if is_entry {
            let (name, explanation) = text.split_once("  ").unwrap_or((text, ""));
            entries.push(Entry { name: name.to_owned(), explanation: explanation.trim().to_owned() });
        } else if let Some(entry) = entries.last_mut().filter(|entry| entry.explanation.is_empty()) {
            text.clone_into(&mut entry.explanation);
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_explained_is_found() {
        let help = "Does it\n\nOptions:\n      --good <X>\n          Said below\n\n  -b, --bad\n\n      --worse\n          [default: 1]\n";
        assert_eq!(wrong(help), ["not explained: -b, --bad", "not explained: --worse"]);
        assert_eq!(
            wrong("Usage: x\n\nCommands:\n  run  Said here,\n       and below\n"),
            ["does not say what it does"]
        );
        assert_eq!(wrong(&"x".repeat(101)).len(), 1);
    }
}
