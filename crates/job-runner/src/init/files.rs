//! The files that `init` makes. It never replaces one, and takes back what it made when the rest cannot be made.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use figment::value::Value;

use crate::Error;

/// Where settings of the whole machine are.
const OF_THE_MACHINE: &str = "/etc/docspace";

/// Where `init` writes.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    program: &'static str,
}

/// A file that `init` makes.
#[derive(Debug)]
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// What it is, for the list of what was written.
    pub(super) what: &'static str,
}

impl Folder {
    /// The given one, else the machine's where it is there and this user may write to it, else the current one.
    ///
    /// # Errors
    /// The given one is not there, this user may not write to it, or a file that would be written is: exit code 2.
    pub(super) fn find(given: Option<&Path>, program: &'static str) -> Result<Self, Error> {
        let of_the_machine = Path::new(OF_THE_MACHINE);
        let chosen = match given {
            Some(path) if !path.is_dir() => {
                let shown = path.display().to_string();
                return Err(Error::Argument(
                    shown,
                    "is not a folder; create it, or give another one with --dir".to_owned(),
                ));
            }
            Some(path) => path,
            None if is_writable(of_the_machine) => of_the_machine,
            None => Path::new("."),
        };
        let path = std::path::absolute(chosen).unwrap_or_else(|_| chosen.to_owned());
        if !is_writable(&path) {
            let message = "is a folder that this user may not write to; give another one with --dir";
            return Err(Error::Argument(path.display().to_string(), message.to_owned()));
        }
        let folder = Folder { path, program };
        folder.refuse_existing(&folder.settings())?;
        Ok(folder)
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether the units of systemd read what is in it.
    pub(super) fn is_of_the_machine(&self) -> bool {
        self.path == Path::new(OF_THE_MACHINE)
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.file(&format!("{}.toml", self.program))
    }

    pub(super) fn key(&self) -> PathBuf {
        self.file(&format!("{}.key", self.program))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// # Errors
    /// Something is there: exit code 2.
    pub(super) fn refuse_existing(&self, path: &Path) -> Result<(), Error> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let message = "exists, and `init` overwrites nothing; move it away, or give another folder with --dir";
        Err(Error::Argument(path.display().to_string(), message.to_owned()))
    }
}

fn is_writable(folder: &Path) -> bool {
    folder.is_dir() && rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Writes all of them, each readable by this user only, or none.
///
/// # Errors
/// One of them cannot be written, or is there already.
pub(super) fn write(files: &[NewFile]) -> anyhow::Result<()> {
    for (index, file) in files.iter().enumerate() {
        if let Err(failure) = write_one(file) {
            for made in files.iter().take(index) {
                // what cannot be removed is named by the next call, which refuses to replace it
                let _ = fs::remove_file(&made.path);
            }
            let message = format!("cannot be written: {failure}; nothing was written");
            return Err(Error::Argument(file.path.display().to_string(), message).into());
        }
    }
    Ok(())
}

fn write_one(file: &NewFile) -> std::io::Result<()> {
    let folder = file.path.parent().unwrap_or(Path::new("."));
    // mode 0600
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(file.text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist_noclobber(&file.path)?;
    Ok(())
}

/// Settings as a file: those of no table first, then each table, all in order of their names.
pub(super) fn settings_text(head: &str, settings: &BTreeMap<String, Value>) -> String {
    let mut tables: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for (key, value) in settings {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        tables.entry(table).or_default().push((name, written(value)));
    }
    let mut text = head.to_owned();
    for (table, lines) in tables {
        text.push('\n');
        if !table.is_empty() {
            text.push_str(&format!("[{table}]\n"));
        }
        lines.iter().for_each(|(name, value)| text.push_str(&format!("{name} = {value}\n")));
    }
    text
}

/// A value as TOML. What JSON writes of texts, numbers, truth values and lists of them is TOML, too.
fn written(value: &Value) -> String {
    match value {
        Value::Dict(_, dict) => {
            let pairs: Vec<String> = dict.iter().map(|(name, value)| format!("{name} = {}", written(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(_, values) => format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", ")),
        _ => serde_json::to_string(value).unwrap_or_default().replace('\u{7f}', "\\u007f"),
    }
}

#[cfg(test)]
mod tests {
    use figment::providers::{Format, Toml};
    use figment::value::Dict;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let settings: BTreeMap<String, Value> = [
            ("portal.url", Value::from("https://docs.example.com")),
            ("key_file", "C:\\a \"b\"\u{7f}\u{1}ä\n".into()),
            ("rooms", vec!["71".to_owned(), "Acme – due \"diligence\"".to_owned()].into()),
            ("limits.per_hour", 20_u64.into()),
            ("limits.changes.minutes", 5_i64.into()),
            ("alerts.quiet", "1h".into()),
            ("portal.allow_http", true.into()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        let text = settings_text("# head\n", &settings);
        insta::assert_snapshot!(text);
        let read: Dict = Toml::from_str(&text).unwrap();
        for (key, value) in &settings {
            let path: Vec<&str> = key.split('.').collect();
            let mut at = Value::from(read.clone());
            for name in path {
                at = at.into_dict().unwrap().remove(name).unwrap();
            }
            assert_eq!(serde_json::to_string(&at).unwrap(), serde_json::to_string(value).unwrap(), "{key}");
        }
    }

    #[test]
    fn nothing_is_replaced_and_all_or_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("b"), "mine").unwrap();
        let file = |name: &str| NewFile { path: at(name), text: "new".to_owned(), what: "" };
        let failure = write(&[file("a"), file("b"), file("c")]).unwrap_err().to_string();
        assert!(failure.contains("nothing was written"), "{failure}");
        assert_eq!(
            (fs::read_to_string(at("b")).unwrap().as_str(), at("a").exists(), at("c").exists()),
            ("mine", false, false)
        );
        write(&[file("a")]).unwrap();
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(at("a")).unwrap().permissions()) & 0o777,
            0o600
        );
    }
}
