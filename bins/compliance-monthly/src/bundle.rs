//! Writing the files of a report: to temporary names first, so that a crash leaves no half report, and the manifest last.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::manifest::{FILE_NAME, FileEntry, Manifest};
use crate::verify::{hash_of, hex, read_manifest};

/// A file that is being written; nobody sees it under its name before the whole report is there.
pub(crate) struct Part {
    name: String,
    /// Collects small pieces before they are hashed.
    file: BufWriter<Hashed>,
    pub(crate) rows: Option<u64>,
}

/// A file with the hash of what went into it.
struct Hashed {
    file: File,
    hasher: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The folder of a report while its files are written.
pub(crate) struct Bundle {
    folder: PathBuf,
    finished: Vec<FileEntry>,
}

fn temporary(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.part"))
}

impl Bundle {
    /// Makes the folder where it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, or holds the report of another period: two reports in one folder could not be told apart.
    pub(crate) fn open(folder: &Path, label: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).map_err(|error| {
            let message = format!("names {}, which cannot be made: {error}", folder.display());
            job_runner::Error::setting("out", message)
        })?;
        if let Ok(there) = read_manifest(folder)
            && there.period.label != label
        {
            let message = format!(
                "holds the report of {}, so that of {label} cannot be written there; put `{{month}}` into it for a folder each",
                there.period.label
            );
            return Err(job_runner::Error::setting("out", message).into());
        }
        Ok(Bundle { folder: folder.to_owned(), finished: Vec::new() })
    }

    /// Whether a complete report of the same period is there already.
    pub(crate) fn holds_complete(&self) -> bool {
        read_manifest(&self.folder).is_ok_and(|manifest| manifest.is_complete())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn begin(&self, name: &str) -> anyhow::Result<Part> {
        let path = temporary(&self.folder, name);
        let file = create_private(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let file = BufWriter::with_capacity(128 * 1024, Hashed { file, hasher: Sha256::new(), bytes: 0 });
        Ok(Part { name: name.to_owned(), file, rows: None })
    }

    /// Ends a file: what was written is on disk after that.
    pub(crate) fn end(&mut self, part: Part) -> anyhow::Result<()> {
        let Part { name, mut file, rows } = part;
        let synced = file.flush().and_then(|()| file.get_ref().file.sync_all());
        synced.with_context(|| format!("cannot write {name} in {}", self.folder.display()))?;
        let Hashed { hasher, bytes, .. } = file.get_ref();
        self.finished.push(FileEntry { name, sha256: hex(&hasher.clone().finalize()), bytes: *bytes, rows });
        Ok(())
    }

    pub(crate) fn files(&self) -> Vec<FileEntry> {
        self.finished.clone()
    }

    /// Gives all files their names. Until the last of them has it there is no manifest, so that nobody takes old and new files
    /// together for a report. Gives the entry of the manifest itself.
    pub(crate) fn publish(self, manifest: &Manifest) -> anyhow::Result<FileEntry> {
        let failed = || format!("cannot write the report into {}", self.folder.display());
        let text = manifest.sealed().context("the manifest is no JSON")?;
        let changed: Vec<&FileEntry> = self.finished.iter().filter(|file| !self.is_there(file)).collect();
        let path = self.folder.join(FILE_NAME);
        let same_manifest = fs::read(&path).is_ok_and(|there| there == text);
        if !(changed.is_empty() && same_manifest) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(failed),
                _ => {}
            }
        }
        for file in &self.finished {
            let from = temporary(&self.folder, &file.name);
            // a file that has not changed keeps its date
            let done = match changed.contains(&file) {
                true => fs::rename(&from, self.folder.join(&file.name)),
                false => fs::remove_file(&from),
            };
            done.with_context(failed)?;
        }
        if !(changed.is_empty() && same_manifest) {
            let from = temporary(&self.folder, FILE_NAME);
            let write = || -> io::Result<()> {
                let mut file = create_private(&from)?;
                file.write_all(&text)?;
                file.sync_all()?;
                fs::rename(&from, &path)?;
                // the names themselves, on systems where folders can be synced
                File::open(&self.folder).and_then(|folder| folder.sync_all()).or(Ok(()))
            };
            write().with_context(failed)?;
        }
        let sha256 = hex(&Sha256::digest(&text));
        Ok(FileEntry { name: FILE_NAME.to_owned(), sha256, bytes: text.len() as u64, rows: None })
    }

    fn is_there(&self, file: &FileEntry) -> bool {
        hash_of(&self.folder.join(&file.name))
            .is_ok_and(|(bytes, sha256)| (bytes, &sha256) == (file.bytes, &file.sha256))
    }
}

/// A report names people and what they did: readable by this user only.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
