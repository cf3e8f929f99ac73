//! Writing the files of a report: to temporary names first, so that a crash leaves no half report, and the manifest last.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use audit_model::Verdict;
use job_store::files::{self, NamedTempFile, open_plain};
use sha2::{Digest, Sha256};

use crate::bundle::manifest::{Counts, FILE_NAME, FileEntry, Manifest, hash_of, read_manifest};
use crate::bundle::subject::Subject;

/// A file that is being written; nobody sees it under its name before the whole report is there.
pub(crate) struct OpenFile {
    name: String,
    /// Collects small pieces before they are hashed.
    file: BufWriter<Hashed>,
    pub(crate) rows: Option<u64>,
}

/// A file that grows with people and rooms only, and is made in memory.
pub(crate) struct Short {
    pub(crate) entry: FileEntry,
    pub(crate) content: Vec<u8>,
}

impl Short {
    pub(crate) fn new(name: String, content: String, rows: Option<usize>) -> Self {
        let (content, rows) = (content.into_bytes(), rows.map(|rows| rows as u64));
        let sha256 = hex::encode(Sha256::digest(&content));
        Short { entry: FileEntry { name, sha256, bytes: content.len() as u64, rows }, content }
    }
}

/// A file with the hash of what went into it.
struct Hashed {
    file: NamedTempFile,
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

impl Write for OpenFile {
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
    /// With the files that have not got their names yet; what is dropped goes.
    finished: Vec<(FileEntry, NamedTempFile)>,
}

impl Bundle {
    /// Makes the folder where it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, or holds a report of something else, which this one would replace.
    pub(crate) fn open(folder: &Path, subject: &Subject) -> anyhow::Result<Self> {
        files::create_folder(folder).map_err(|error| {
            let message = format!("names {}, which cannot be made: {error}", folder.display());
            job_runner::Error::setting("out", message)
        })?;
        let there = read_manifest(folder).ok();
        if let Some(difference) = there.and_then(|there| subject.difference(&there)) {
            let remedy = if subject.has_own_folder {
                "move that report away, or name another folder"
            } else {
                "name another folder, put `{month}` into it for one each"
            };
            let message = format!("{difference}; {remedy}");
            return Err(job_runner::Error::setting("out", message).into());
        }
        for name in ["compliance-report-", FILE_NAME] {
            files::sweep(folder, name);
        }
        Ok(Bundle { folder: folder.to_owned(), finished: Vec::new() })
    }

    /// Whether the report that is there already saw more than one that ends like this.
    pub(crate) fn holds_more_than(&self, verdict: Verdict, counts: &Counts) -> bool {
        read_manifest(&self.folder).is_ok_and(|there| there.saw_more_than(verdict, counts))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The manifest that is there, with its own entry, when writing the report of the same rows again would change nothing: it has the
    /// digest of the last one, says what a new one would say, and the short files are the same, and every byte of all files is there.
    pub(crate) fn unchanged(
        &self,
        digest: &str,
        short: &[Short],
        again: impl Fn(Vec<FileEntry>) -> Manifest,
    ) -> Option<(Manifest, FileEntry)> {
        let there = read_manifest(&self.folder).ok().filter(|there| there.digest == digest)?;
        let is_same = short.iter().all(|file| there.files.contains(&file.entry))
            && again(there.files.clone()).sealed().ok()? == there
            && there.files.iter().all(|entry| self.is_there(entry));
        let entry = there.entry().ok()?;
        is_same.then_some((there, entry))
    }

    pub(crate) fn begin(&self, name: &str) -> anyhow::Result<OpenFile> {
        let file = files::begin(&self.folder, name);
        let file = file.with_context(|| format!("cannot write {name} in {}", self.folder.display()))?;
        let file = BufWriter::with_capacity(128 * 1024, Hashed { file, hasher: Sha256::new(), bytes: 0 });
        Ok(OpenFile { name: name.to_owned(), file, rows: None })
    }

    /// Ends a file: what was written is on disk after that.
    pub(crate) fn end(&mut self, part: OpenFile) -> anyhow::Result<()> {
        let OpenFile { name, mut file, rows } = part;
        let failed = || format!("cannot write {name} in {}", self.folder.display());
        file.flush().with_context(failed)?;
        let Hashed { file, hasher, bytes } =
            file.into_inner().map_err(io::IntoInnerError::into_error).with_context(failed)?;
        file.as_file().sync_all().with_context(failed)?;
        self.finished.push((FileEntry { name, sha256: hex::encode(hasher.finalize()), bytes, rows }, file));
        Ok(())
    }

    pub(crate) fn files(&self) -> Vec<FileEntry> {
        self.finished.iter().map(|(entry, _)| entry.clone()).collect()
    }

    /// Gives all files their names. Until the last of them has it there is no manifest, so that nobody takes old and new files
    /// together for a report. Gives the entry of the manifest itself, which is sealed.
    pub(crate) fn publish(self, manifest: &Manifest) -> anyhow::Result<FileEntry> {
        let failed = || format!("cannot write the report into {}", self.folder.display());
        let text = manifest.bytes().context("the manifest is no JSON")?;
        let changed: Vec<bool> = self.finished.iter().map(|(entry, _)| !self.is_there(entry)).collect();
        let path = self.folder.join(FILE_NAME);
        let mut there = Vec::new();
        let read = open_plain(&path).and_then(|file| file.take(text.len() as u64 + 1).read_to_end(&mut there));
        let same_manifest = read.is_ok() && there == text;
        let is_same = same_manifest && !changed.contains(&true);
        // all that needs room on the disk comes before the old report is touched
        let write = || -> io::Result<NamedTempFile> {
            let mut file = files::begin(&self.folder, FILE_NAME)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let new_manifest = if is_same { None } else { Some(write().with_context(failed)?) };
        if !is_same {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(failed),
                _ => {}
            }
        }
        // a file that has not changed keeps its date
        for ((entry, file), _) in self.finished.into_iter().zip(changed).filter(|(_, is_changed)| *is_changed) {
            let named = file.persist(self.folder.join(&entry.name)).map_err(|error| error.error);
            named.with_context(|| format!("cannot give {} its name", entry.name)).with_context(failed)?;
        }
        if let Some(file) = new_manifest {
            file.persist(&path).map_err(|error| error.error).with_context(failed)?;
            // the names themselves, on systems where folders can be synced
            let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        }
        manifest.entry().context("the manifest is no JSON")
    }

    fn is_there(&self, entry: &FileEntry) -> bool {
        let path = self.folder.join(&entry.name);
        hash_of(&path).is_ok_and(|(bytes, sha256)| (bytes, &sha256) == (entry.bytes, &entry.sha256))
    }
}
