//! Making the files and folders of a store, readable by their owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Opens a file for reading and writing, making it and the folders above it where they are missing.
///
/// New folders get mode 0700 and a new file 0600: both hold personal data. Existing ones keep theirs.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A private folder that is removed on drop, for files that may grow large.
///
/// `TMPDIR` wins. Without it `/var/tmp` is tried first, because `/tmp` is held in memory on many systems.
pub(crate) fn temporary_folder() -> Result<tempfile::TempDir, (PathBuf, io::Error)> {
    let on_disk = Path::new("/var/tmp");
    if std::env::var_os("TMPDIR").is_none()
        && let Ok(folder) = builder().tempdir_in(on_disk)
    {
        return Ok(folder);
    }
    builder().tempdir().map_err(|source| (std::env::temp_dir(), source))
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("job-store-");
    builder
}
