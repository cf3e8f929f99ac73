//! What `init` says before the first question and at the end.

use std::path::{Path, PathBuf};

use super::files::{Folder, NewFile};
use crate::program::Program;

/// What a person has to know before the first question.
pub(super) fn welcome(program: &str, folder: &Folder) -> String {
    format!(
        "This sets up {program}. It needs the address of your portal, and an API key of a DocSpace admin or the owner:\nin the portal, open Developer tools, then API keys, and create one with the permission `*:read`.\nNothing is written before the portal has accepted the key; then settings and key go to {}\n\n",
        folder.shown()
    )
}

/// What was written, before `doctor` looks at it.
pub(super) fn written(program: &str, files: &[NewFile]) -> String {
    let width = files.iter().map(|file| file.path.display().to_string().chars().count()).max().unwrap_or(0);
    let lines = files.iter().map(|file| format!("  {:<width$}  {}\n", file.path.display().to_string(), file.what));
    format!(
        "\nWritten, readable by this user only:\n{}\n`{program} doctor` checks what a run depends on:\n",
        lines.collect::<String>()
    )
}

/// What to do next. `read_first` are the files that somebody has to read before the program goes by them, `shared` the settings of several
/// programs, and `is_well` tells that nothing failed.
pub(super) fn next<P: Program>(
    folder: &Folder,
    read_first: &[PathBuf],
    shared: Option<&Path>,
    is_well: bool,
) -> String {
    let name = P::ABOUT.name;
    let settings = in_shell(&folder.settings());
    let shared = shared.map(|path| format!(" --portal-config {}", in_shell(path))).unwrap_or_default();
    let call = format!("{}{shared} --config {settings}", command(name));
    let correct = match is_well {
        true => "Read what says warn.".to_owned(),
        false => format!("Correct in {settings} what says FAIL, and read what says warn."),
    };
    let mut steps = vec![format!("{correct} To check again:\n       {call} doctor")];
    steps.extend(read_first.iter().map(|path| format!("Read {}, and correct it.", in_shell(path))));
    steps.push(format!("Look once; nobody is told, and nothing is remembered:\n       {call} --dry-run"));
    let units = match folder.is_of_the_machine() {
        true => format!(
            "or systemd, if the package or the units in `deploy/` are installed:\n       systemctl enable --now {name}.timer"
        ),
        false => format!(
            "The units for systemd read /etc/docspace/{name}.toml instead: for them, run `init` with `--dir /etc/docspace`."
        ),
    };
    let schedule = P::ABOUT.schedule;
    steps.push(format!("Let cron run it, as this user (`crontab -e`):\n       {schedule}  {call}\n     {units}"));
    let steps: String = steps.iter().zip(1..).map(|(step, number)| format!("  {number}. {step}\n")).collect();
    format!("\nNext:\n{steps}")
}

/// How this program is called: by its name where cron finds it by that, else by its path.
fn command(name: &str) -> String {
    match std::env::current_exe() {
        Ok(path) if !["/usr/bin", "/bin"].iter().any(|folder| path.parent() == Some(Path::new(folder))) => {
            in_shell(&path)
        }
        _ => name.to_owned(),
    }
}

/// A path as one word of a shell.
fn in_shell(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    let text = path.display().to_string();
    if text.contains(|c: char| !(c.is_alphanumeric() || "/._-".contains(c))) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        text
    }
}
