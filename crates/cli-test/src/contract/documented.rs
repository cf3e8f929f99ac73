//! The commands that the documentation names, against those that there are.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Program;
use super::help::entries;

/// Help of a command: its own commands, its flags with whether they take a value, and whether it takes anything else.
struct Help {
    commands: Vec<String>,
    flags: HashMap<String, bool>,
    has_arguments: bool,
}

impl Program {
    /// Every command of this program, and every `PROGRAM …` that stands for all of them, in the README of the workspace, `docs/` and its own
    /// README: its subcommands and long flags exist.
    pub async fn documented_commands(&self) {
        let mut known = HashMap::new();
        let mut wrong = Vec::new();
        let mut found = 0;
        for page in self.pages() {
            let text = fs::read_to_string(&page).unwrap();
            for command in commands(&text, self.name()) {
                found += 1;
                let reason = self.wrong(&command, &mut known).await;
                wrong.extend(reason.map(|reason| format!("{}: {}: {reason}", page.display(), command.join(" "))));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(found > 10, "only {found} commands of {} are documented", self.name());
    }

    fn pages(&self) -> Vec<PathBuf> {
        let root = self.path("../..");
        let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let docs = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
        docs.chain([root.join("README.md"), self.path("README.md")]).collect()
    }

    /// What is not there of the words behind the program's name.
    async fn wrong(&self, words: &[String], known: &mut HashMap<Vec<String>, Help>) -> Option<String> {
        let mut path: Vec<String> = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if !known.contains_key(&path) {
                let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
                known.insert(path.clone(), read(&self.ask(&arguments).await.stdout));
            }
            let help = &known[&path];
            if let Some(flag) = word.strip_prefix("--") {
                let (flag, value) = flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value)));
                match help.flags.get(flag) {
                    None => return Some(format!("no flag --{flag}")),
                    Some(true) if value.is_none() => drop(words.next()),
                    Some(_) => {}
                }
            } else if path.is_empty() && word == "man" {
                // the one command that help does not list: packages ask for it, and people ask `man`
                return None;
            } else if help.commands.contains(word) {
                path.push(word.clone());
            } else if !help.has_arguments
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                && !word.starts_with('-')
            {
                return Some(format!("no command {word}"));
            }
        }
        None
    }
}

fn read(help: &str) -> Help {
    let names = |list: &str| entries(help, list).into_iter().map(|entry| entry.name);
    let flags = names("Options:").filter_map(|name| {
        let flag = name.split_once("--")?.1;
        let end = flag.find([' ', '.', '[']).unwrap_or(flag.len());
        Some((flag[..end].to_owned(), flag.contains('<')))
    });
    Help {
        commands: names("Commands:").collect(),
        flags: flags.collect(),
        has_arguments: names("Arguments:").next().is_some(),
    }
}

/// The words behind the program's name of each command in code, up to where the shell would end it.
fn commands(markdown: &str, program: &str) -> Vec<Vec<String>> {
    let mut code = Vec::new();
    let mut is_block = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            code.push(line);
        } else {
            code.extend(line.split('`').skip(1).step_by(2));
        }
    }
    code.into_iter().filter_map(|code| command(code, program)).collect()
}

fn command(code: &str, program: &str) -> Option<Vec<String>> {
    let is_name = |word: &str| word == "PROGRAM" || Path::new(word).file_name().is_some_and(|name| name == program);
    // before the name: a prompt, variables, the fields of a cron line and its user
    let is_before =
        |word: &str| word == "$" || word.contains('=') || word.chars().all(|c| "0123456789*/,-".contains(c));
    let words = words(code);
    let mut at = words.iter().position(|word| !is_before(word)).filter(|at| is_name(&words[*at]))?;
    at += usize::from(words.get(at + 1).is_some_and(|word| is_name(word)));
    let ends = |word: &String| ["|", "||", "&&", ">", ";", "#", "\\"].contains(&word.as_str());
    let rest = words[at + 1..].iter().take_while(|word| !ends(word));
    Some(rest.map(|word| word.trim_end_matches([';', ',']).to_owned()).collect())
}

/// Words of a line; what is quoted is one, whatever is in it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match quote {
            None if c.is_whitespace() => words.push(String::new()),
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_code_alone() {
        let page = "x run here and `x doctor`, `y run`, `install -o x -m 700`\n```text\n*/10 * * * *  x  x --config 'a b' run | y\nA=1 bin/x go   # so\n```\n`PROGRAM store check`";
        let found: Vec<String> = commands(page, "x").iter().map(|words| words.join(" ")).collect();
        assert_eq!(found, ["doctor", "--config a b run", "go", "store check"]);
    }

    #[test]
    fn help_tells_flags_with_and_without_a_value() {
        let help = read(
            "Does it\n\nCommands:\n  run  Runs\n\nOptions:\n      --good <X>\n          Said\n\n  -b, --bad...\n          Said\n",
        );
        assert_eq!((help.commands, help.flags["good"], help.flags["bad"]), (vec!["run".to_owned()], true, false));
    }
}
