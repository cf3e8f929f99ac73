//! Manual pages, made from the definition of the flags: one for the program and one for each of its commands.

use std::path::Path;
use std::{fs, io};

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::exit::Exit;
use crate::setup;

/// A page and the name of its file, such as `vdr-watch-store-prune.1`.
struct Page {
    file: String,
    roff: Vec<u8>,
}

/// Prints the page of the program, or writes all pages into a folder that is there.
///
/// # Errors
/// A page cannot be printed or written.
pub(crate) fn run(definition: Command, folder: Option<&Path>) -> anyhow::Result<Exit> {
    let pages = pages(definition)?;
    let Some(folder) = folder else {
        let program = pages.first().map(|page| String::from_utf8_lossy(&page.roff)).unwrap_or_default();
        return setup::print(&program).map(|()| Exit::Concluded);
    };
    for page in pages {
        let path = folder.join(page.file);
        fs::write(&path, page.roff).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Concluded)
}

/// The page of the program, then those of its commands.
fn pages(definition: Command) -> io::Result<Vec<Page>> {
    let mut program = definition.disable_help_subcommand(true);
    program.build();
    let source = format!("{} {}", program.get_name(), program.get_version().unwrap_or_default());
    let mut pages = Vec::new();
    let mut waiting = vec![program.clone()];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|it| !it.is_hide_set()).cloned());
        pages.push(page(command, (program.get_name(), &source))?);
    }
    Ok(pages)
}

fn page(command: Command, (program, source): (&str, &str)) -> io::Result<Page> {
    let is_program = command.get_name() == program;
    let has_commands = command.get_subcommands().any(|it| !it.is_hide_set());
    let man = Man::new(command).source(source).manual("DocSpace");
    let mut roff = Vec::new();
    man.render_title(&mut roff)?;
    man.render_name_section(&mut roff)?;
    man.render_synopsis_section(&mut roff)?;
    man.render_description_section(&mut roff)?;
    man.render_options_section(&mut roff)?;
    if has_commands {
        man.render_subcommands_section(&mut roff)?;
    }
    let mut rest = Roff::new();
    list(&mut rest, "EXIT STATUS", EXITS.map(|(exit, meaning)| ((exit as u8).to_string(), meaning.to_owned())));
    if is_program {
        list(&mut rest, "ENVIRONMENT", environment(program));
        list(&mut rest, "FILES", files(program));
    } else {
        rest.control("SH", ["SEE ALSO"]).text([bold(program), roman("(1)")]);
    }
    rest.to_writer(&mut roff)?;
    Ok(Page { file: man.get_filename(), roff })
}

/// A section of names and what is said about each.
fn list(roff: &mut Roff, title: &str, entries: impl IntoIterator<Item = (String, String)>) {
    roff.control("SH", [title]);
    for (name, meaning) in entries {
        roff.control("TP", []).text([bold(name)]).text([roman(meaning)]);
    }
}

const EXITS: [(Exit, &str); 5] = [
    (Exit::Concluded, "Concluded, with findings or without."),
    (
        Exit::Nothing,
        "Nothing can be concluded, or a critical alert reached nobody. The reason is on stderr. Never an all-clear.",
    ),
    (Exit::Usage, "Flags or settings are wrong. This fails again until somebody edits them."),
    (Exit::Findings, "There are findings, and --exit-code was given; or an action or a plan was held back."),
    (Exit::Incomplete, "Part of the window was not seen. The report says which. Never an all-clear."),
];

fn environment(program: &str) -> [(String, String); 5] {
    let prefix = program.to_uppercase().replace('-', "_");
    [
        ("DOCSPACE_API_HOST", "Address of the portal, as with --portal.".to_owned()),
        ("DOCSPACE_API_KEY", "The API key itself.".to_owned()),
        ("STATE_DIRECTORY", "Where the program remembers, as with --state. systemd sets it.".to_owned()),
        ("CREDENTIALS_DIRECTORY", "Folder with the credential docspace-api-key. systemd sets it.".to_owned()),
        ("*", format!("Any setting, such as {prefix}_PORTAL__URL for portal.url.")),
    ]
    .map(|(name, meaning)| (name.replace('*', &format!("{prefix}_...")), meaning))
}

fn files(program: &str) -> [(String, String); 4] {
    [
        ("/etc/docspace/*.toml", "The settings. `init` writes them; all are in the example file of the package."),
        ("/etc/docspace/*.key", "The API key, mode 0600."),
        ("/var/lib/*", "What the program remembers, where systemd or the cron line of the package starts it."),
        ("~/.local/state/*", "The same, where neither --state nor STATE_DIRECTORY says where."),
    ]
    .map(|(name, meaning)| (name.replace('*', program), meaning.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Command {
        let prune = Command::new("prune").about("Forget").arg(clap::arg!(--before <AGE> "Older than this"));
        let store = Command::new("store").about("The memory").subcommand_required(true).subcommand(prune);
        let hidden = Command::new("man").hide(true);
        Command::new("sample").version("1.2.3").about("Samples").subcommand(store).subcommand(hidden)
    }

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let pages = pages(definition()).unwrap();
        let files: Vec<&str> = pages.iter().map(|page| page.file.as_str()).collect();
        assert_eq!(files, ["sample.1", "sample-store.1", "sample-store-prune.1"]);
        let text = |index: usize| String::from_utf8(pages[index].roff.clone()).unwrap();
        assert!(text(0).contains("/etc/docspace/sample.toml") && text(0).contains("SAMPLE_PORTAL__URL"), "{}", text(0));
        assert!(text(2).contains("\\-\\-before") && text(2).contains("sample 1.2.3"), "{}", text(2));
        for page in &pages {
            let text = String::from_utf8_lossy(&page.roff);
            assert!(text.contains(".SH \"EXIT STATUS\"") && !text.contains("/etc/docspace/man"), "{text}");
        }
    }
}
