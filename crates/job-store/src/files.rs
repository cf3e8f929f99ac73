//! How programs make files and folders: private, replaced in one step under a name that nobody can guess, and never through a link.
//!
//! Whoever may write into a folder can put a link there, and have a program write over the file of its choice. So a name that is
//! opened for writing must not be a link, and what is replaced is first written beside it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use tempfile::NamedTempFile;

/// Who may read a file, as bits of its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(u32);

/// For this user only: nearly everything that programs write names people.
pub const PRIVATE: Mode = Mode(0o600);

/// For everybody: numbers that a collector of another user reads.
pub const READABLE: Mode = Mode(0o644);

/// Replaces a file in one step. A link of that name is replaced, not followed. Its folder must exist.
///
/// # Errors
/// Of the system. The old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let mut file = begin(folder, &name.to_string_lossy())?;
    file.write_all(bytes)?;
    set_mode(file.as_file(), mode)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// What the names of files begin and end with that are not finished.
const BEFORE: &str = ".";
const BEHIND: &str = ".part";

/// A new private file in a folder that is to become `name`, for content that is written piece by piece. It goes when it is dropped.
///
/// # Errors
/// Of the system.
pub fn begin(folder: &Path, name: &str) -> io::Result<NamedTempFile> {
    let begun = tempfile::Builder::new().prefix(&format!("{BEFORE}{name}.")).suffix(BEHIND).tempfile_in(folder);
    begun.map_err(without_name)
}

/// The failure without the name that the file had for a moment: callers say which one they wanted.
fn without_name(error: io::Error) -> io::Error {
    let said = error.to_string();
    match said.rsplit_once(" at path ") {
        Some((why, _)) => io::Error::new(error.kind(), why.to_owned()),
        None => error,
    }
}

/// Takes away what runs that were killed have left of files whose names begin like this. Nobody else may be writing there.
pub fn sweep(folder: &Path, name_begins: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let begins = format!("{BEFORE}{name_begins}");
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&begins) && name.ends_with(BEHIND) {
            // what cannot be removed is in nobody's way
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Opens a file for appending and reading, making it for this user only; its folder must exist. A link is refused.
///
/// # Errors
/// Of the system.
pub fn open_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    open(path, options)
}

/// Opens a file that is there for appending. A link is refused.
///
/// # Errors
/// Of the system.
pub fn open_append_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    open(path, options)
}

/// Makes a folder, and those above it, for this user only. One that exists keeps its mode.
///
/// # Errors
/// Of the system.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a folder for this user only, whose parent must exist.
///
/// # Errors
/// Of the system: it is there already, for instance.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether this is a folder of this user that nobody else can look into; a link to one is none.
pub fn is_private_folder(folder: &Path) -> bool {
    let Ok(found) = std::fs::symlink_metadata(folder) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0
    }
    #[cfg(not(unix))]
    found.is_dir()
}

/// Opens a file for reading and writing, making it and the folders above it where they are missing. A link is refused.
///
/// New folders get mode 0700 and a new file 0600: both hold personal data. Existing ones keep theirs.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open(path, options)
}

/// Opens a file for reading. A link is refused.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    open(path, options)
}

/// Opens a file for reading that is one of its own: no link, which leads to what can be exchanged, and no pipe, device or folder, which
/// may never end.
///
/// # Errors
/// Of the system; saying what it is instead.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let refused = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
    let found = std::fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return refused("it is a link, and a link can lead to another file");
    }
    if !found.is_file() {
        return refused("it is no file, but a folder, a pipe or a device");
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // a pipe that was put in its place a moment ago is opened at once, and refused below
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits() as i32);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return refused("it is no file any more");
    }
    Ok(file)
}

fn open(path: &Path, mut options: OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(PRIVATE.0).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    }
    options.open(path).map_err(|error| {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        if is_link {
            io::Error::new(error.kind(), "it is a link, which is not followed; name the file itself")
        } else {
            error
        }
    })
}

fn set_mode(file: &File, mode: Mode) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(mode.0))?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}

/// What other users of this machine can do with a file or a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// The permission bits of its mode.
    pub mode: u32,
    /// Others may read it.
    pub is_readable: bool,
    /// Others may change it.
    pub is_writable: bool,
    /// It belongs to this user, who is neither we nor the system's administrator and may do anything with it.
    pub stranger: Option<u32>,
}

/// Looks at the mode and the owner; of a link, at those of what it leads to. Nothing is known outside Unix.
///
/// # Errors
/// Of the system: there is no such file, for instance.
pub fn exposure(path: &Path) -> io::Result<Exposure> {
    let found = std::fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = found.mode() & 0o7777;
        let owner = found.uid();
        let is_ours = owner == 0 || owner == rustix::process::geteuid().as_raw();
        Ok(Exposure {
            mode,
            is_readable: mode & 0o044 != 0,
            is_writable: mode & 0o022 != 0,
            stranger: (!is_ours).then_some(owner),
        })
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        Ok(Exposure::default())
    }
}

/// The kind of the file system that a folder is on, where that is one that several machines share: locks on it may hold on one of
/// them only.
pub fn network_file_system(folder: &Path) -> Option<&'static str> {
    #[cfg(target_os = "linux")]
    {
        shared_kind(rustix::fs::statfs(folder).ok()?.f_type as u32)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        None
    }
}

/// The name of a kind of file system that several machines may share, by the number that `statfs` gives for it.
#[cfg(target_os = "linux")]
fn shared_kind(number: u32) -> Option<&'static str> {
    // of linux/magic.h and of the file systems themselves
    const SHARED: [(u32, &str); 9] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB"),
        (0x00C3_6400, "Ceph"),
        (0x0102_1997, "9p"),
        (0x5346_414F, "AFS"),
        (0x6B41_4653, "AFS"),
        // sshfs, s3fs, GlusterFS and others, which cannot be told apart
        (0x6573_5546, "FUSE"),
    ];
    SHARED.into_iter().find(|(known, _)| *known == number).map(|(_, name)| name)
}

/// A private folder that is removed on drop, for files that may grow large. What a process has left that was killed is taken away by the
/// next one that makes such a folder in the same place.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: tempfile::TempDir,
    /// Held locked as long as somebody uses the folder.
    _lock: File,
}

/// What the names of temporary folders begin with.
const FOLDER_BEGINS: &str = "job-store-";

/// The file in a temporary folder that is locked as long as the folder is in use.
const IN_USE: &str = "in-use";

impl TemporaryFolder {
    /// `TMPDIR` wins. Without it `/var/tmp` is tried first, because `/tmp` is held in memory on many systems, and last what containers have
    /// whose disks are read-only.
    ///
    /// # Errors
    /// Of the system, with the folder in which none could be made.
    pub fn new() -> Result<Self, (PathBuf, io::Error)> {
        let fallbacks: [Option<&Path>; 3] = match std::env::var_os("TMPDIR") {
            Some(_) => [None; 3],
            None => [Some(Path::new("/var/tmp")), None, Some(Path::new("/dev/shm"))],
        };
        let mut first_failure = None;
        for folder in fallbacks {
            let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
            match Self::new_in(&folder) {
                Ok(made) => return Ok(made),
                Err(failure) => first_failure = first_failure.or(Some((folder, failure))),
            }
        }
        Err(first_failure.unwrap_or_else(|| (std::env::temp_dir(), io::ErrorKind::NotFound.into())))
    }

    fn new_in(base: &Path) -> io::Result<Self> {
        take_away_unused(base);
        let folder = private(tempfile::Builder::new().prefix(FOLDER_BEGINS)).tempdir_in(base)?;
        // nobody sees it before it is locked
        let lock = begin(folder.path(), IN_USE)?;
        lock.as_file().try_lock()?;
        let lock = lock.persist(folder.path().join(IN_USE))?;
        Ok(TemporaryFolder { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// For this user only, whatever the umask says.
fn private<'b, 'n>(builder: &'b mut tempfile::Builder<'n, 'n>) -> &'b mut tempfile::Builder<'n, 'n> {
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

/// Takes away the temporary folders of this user that nobody uses any more.
fn take_away_unused(base: &Path) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        if entry.file_name().to_string_lossy().starts_with(FOLDER_BEGINS)
            && is_private_folder(&folder)
            && let Ok(lock) = open_existing(&folder.join(IN_USE))
            && lock.try_lock().is_ok()
        {
            // what cannot be removed is in nobody's way
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A copy of a store names people, and would stay for ever.
    #[test]
    fn what_a_killed_process_has_left_is_taken_away_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let used = TemporaryFolder::new_in(base.path()).unwrap();
        assert!(is_private_folder(used.path()), "whatever the umask of the tests says");
        let left = base.path().join("job-store-left");
        create_private_folder(&left).unwrap();
        std::fs::write(left.join(IN_USE), "").unwrap();
        std::fs::write(left.join("store.sqlite"), "Anna").unwrap();
        let [begun, foreign] = ["job-store-begun", "another"].map(|name| base.path().join(name));
        [&begun, &foreign].into_iter().for_each(|folder| create_private_folder(folder).unwrap());
        std::fs::write(foreign.join(IN_USE), "").unwrap();
        let next = TemporaryFolder::new_in(base.path()).unwrap();
        assert!(!left.exists());
        assert!([used.path(), &begun, &foreign, next.path()].into_iter().all(Path::exists));
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }

    /// Real ones cannot be had here; their numbers are those of `linux/magic.h`.
    #[test]
    fn file_systems_of_several_machines_are_known_by_their_numbers() {
        for (number, name) in [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB"), (0x6573_5546, "FUSE")] {
            assert_eq!(shared_kind(number), Some(name));
        }
        // ext4, XFS, Btrfs, tmpfs, overlay
        for number in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
            assert_eq!(shared_kind(number), None, "{number:x}");
        }
        assert_eq!(network_file_system(Path::new("/nowhere/at/all")), None);
    }
}
