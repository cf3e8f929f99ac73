//! Opening a store: the file of a portal, a snapshot of it, or a temporary one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::connections::{self, Connections};
use crate::error::Error;
use crate::files::{self, TemporaryFolder};
use crate::postgres::{OnServer, Server};
use crate::schema::Histories;

/// How long a statement waits for another writer. The run lock keeps runs apart, so only the short transactions of
/// this process and of commands typed by hand are waited for; ten seconds are far more than those need.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a snapshot is tried again because the original changed meanwhile. A change needs a whole run to start and
/// end during the copy, so even a second try is rare.
const SNAPSHOT_TRIES: u32 = 3;

/// An open store. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    // Dropped before the folder below it.
    engine: Engine,
    path: PathBuf,
    histories: Histories,
    _folder: Option<Arc<TemporaryFolder>>,
}

/// What holds it.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite(Arc<Connections>),
    Postgres(Arc<Server>),
}

/// What there is behind the name. A link to a store is followed; `None` when there is nothing, and not even a link.
fn found(path: &Path) -> std::io::Result<Option<std::fs::Metadata>> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        found => found.and_then(|_| std::fs::metadata(path)).map(Some),
    }
}

/// Makes an empty store. It gets its name only when it is whole, so a file of no bytes was never one of ours.
fn make(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::cannot_open(path, source);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(Error::Url) };
    files::create_folder(folder).map_err(failed)?;
    let name = name.to_string_lossy();
    files::sweep(folder, &name);
    let file = files::begin(folder, &name).map_err(failed)?;
    // this mode is kept in the file, so it is not empty any more
    connections::create(file.path()).map_err(|source| Error::opening(path, source))?;
    file.as_file().sync_all().map_err(failed)?;
    // the log of a store that is not there any more would be written into this one
    for ending in ["-wal", "-shm"] {
        let rest = PathBuf::from(format!("{}{ending}", path.display()));
        match std::fs::remove_file(&rest) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    match file.persist_noclobber(path) {
        // another process was faster
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(|_| ()).map_err(|error| failed(error.error)),
    }
}

impl Store {
    /// Opens the SQLite file behind `sqlite:///absolute/path`, making it and missing folders.
    ///
    /// The path is taken as it stands, without percent decoding. Writing is durable: a commit survives a power cut.
    ///
    /// # Errors
    ///
    /// [`Error::Scheme`] and [`Error::Url`] for a URL that cannot work, [`Error::Corrupt`] for a damaged file,
    /// [`Error::Emptied`] for one of no bytes, [`Error::CannotOpen`] for a missing right or a wrong path; those of [`in_use`](Self::in_use).
    pub async fn open(url: &str) -> Result<Self, Error> {
        let store = Self::open_to_move(url).await?;
        store.in_use().await?;
        Ok(store)
    }

    /// The same for a [`Move`](crate::Move), whatever earlier ones have made of the store.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), but for `in_use`.
    pub async fn open_to_move(url: &str) -> Result<Self, Error> {
        let path = path_of(url)?;
        match found(&path).map_err(|source| Error::cannot_open(&path, source))? {
            None => make(&path)?,
            Some(found) if found.is_file() && found.len() == 0 => return Err(Error::Emptied { path }),
            Some(_) => {}
        }
        Self::open_file(path, true, None).await
    }

    /// Opens an empty store in a private temporary folder, removed when the last clone is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::CannotOpen`] when there is no room for temporary files.
    pub async fn temporary() -> Result<Self, Error> {
        let folder = new_folder()?;
        Self::open_in(folder).await
    }

    /// Copies a store into a temporary one and opens that; a missing file gives an empty store.
    ///
    /// The copy is one consistent state, also while another process writes. The original is opened read-only: none of
    /// its bytes change, and no file appears beside it. Only a write-ahead log without its index, as a restored backup
    /// may have it, gets that index (`-shm`) again.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] or [`Error::Emptied`] for a damaged original, [`Error::CannotOpen`] when it cannot be read, when it keeps changing
    /// during the copy, or when there is no room for temporary files.
    pub async fn snapshot_of(path: &Path) -> Result<Self, Error> {
        let folder = new_folder()?;
        let copy = folder.path().join(FILE_NAME);
        for _ in 0..SNAPSHOT_TRIES {
            let Some(before) = Stamp::of(path)? else { return Self::open_in(folder).await };
            if before.size_bytes == 0 {
                return Err(Error::Emptied { path: path.to_owned() });
            }
            // Opening a quiet file in the ordinary way would make a log beside it; an immutable one is opened without
            // locks and logs. That is safe when nobody else had it open, which the second stamp proves.
            vacuum_into(path, &copy, !before.has_log).await?;
            if before.has_log || Stamp::of(path)? == Some(before) {
                return Self::open_in(folder).await;
            }
            std::fs::remove_file(&copy).map_err(|source| Error::cannot_open(&copy, source))?;
        }
        Err(Error::cannot_open(path, "it kept changing while it was copied"))
    }

    /// Copies a store into a new file that only its owner can read: one consistent state, also while another process writes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::Emptied`] for a damaged original, [`Error::CannotOpen`] when it cannot be read, or when there is a file
    /// of that name already, which stays as it is, or no room for it.
    pub async fn backup(path: &Path, file: &Path) -> Result<(), Error> {
        let copy = Self::snapshot_of(path).await?;
        if let Some(damage) = copy.damage().await? {
            return Err(Error::Corrupt { path: path.to_owned(), source: damage.into() });
        }
        copy.keep_as(file).await
    }

    /// Ends the work with a temporary store, and keeps what is in it as a new file that only its owner can read.
    ///
    /// # Errors
    /// [`Error::CannotOpen`] when there is a file of that name already, which stays as it is, or no room for it. [`Error::Url`] for a store on
    /// a server.
    pub async fn keep_as(self, file: &Path) -> Result<(), Error> {
        let Engine::Sqlite(_) = self.engine else { return Err(Error::Url) };
        let failed = |source| Error::cannot_open(file, source);
        let copy = self;
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Err(Error::Url) };
        let from = copy.path().to_owned();
        let name = name.to_string_lossy();
        // what an earlier call has left that was killed names people as well
        files::sweep(folder, &format!("{name}."));
        let begun = files::begin(folder, &name).map_err(failed)?;
        // folds the write-ahead log into the copy
        let held = copy.clone();
        copy.close().await;
        let mut original = std::fs::File::open(&from).map_err(failed)?;
        std::io::copy(&mut original, &mut begun.as_file()).map_err(failed)?;
        begun.as_file().sync_all().map_err(failed)?;
        drop(held);
        begun.persist_noclobber(file).map(|_| ()).map_err(|error| failed(error.error))
    }

    async fn open_in(folder: TemporaryFolder) -> Result<Self, Error> {
        let path = folder.path().join(FILE_NAME);
        // Nothing here has to survive a power cut, so nothing waits for the disk.
        Self::open_file(path, false, Some(Arc::new(folder))).await
    }

    async fn open_file(path: PathBuf, durable: bool, folder: Option<Arc<TemporaryFolder>>) -> Result<Self, Error> {
        // only temporary ones are made here, in a folder that nobody else can enter
        let make = folder.is_some();
        let connections = Arc::new(Connections::new(&path, durable, BUSY_TIMEOUT));
        let engine = Engine::Sqlite(connections.clone());
        let store = Self { engine, path, histories: Histories::default(), _folder: folder };
        let path = store.path.clone();
        let open = move || {
            if make {
                connections::create(&path)?;
            }
            connections.look()
        };
        on_thread(open).await.map_err(|source| Error::opening(&store.path, source))?;
        Ok(store)
    }

    /// Connects to a server, and makes the schema where it is missing.
    ///
    /// # Errors
    /// [`Error::CannotConnect`], [`Error::Certificate`], [`Error::NotEncrypted`], [`Error::SeesAllPortals`]; those of [`in_use`](Self::in_use).
    pub async fn on_server(place: &OnServer) -> Result<Self, Error> {
        let store = Self::on_server_to_move(place).await?;
        store.in_use().await?;
        Ok(store)
    }

    /// The same for a [`Move`](crate::Move), whatever earlier ones have made of the store.
    ///
    /// # Errors
    /// Those of [`on_server`](Self::on_server), but for `in_use`.
    pub async fn on_server_to_move(place: &OnServer) -> Result<Self, Error> {
        let server = Arc::new(Server::connect(place)?);
        let looked = server.clone();
        on_thread(move || looked.look()).await?;
        let path = server.name().to_owned();
        Ok(Self { engine: Engine::Postgres(server), path, histories: Histories::default(), _folder: None })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The components whose tables are known to be there.
    pub(crate) fn histories(&self) -> &Histories {
        &self.histories
    }

    /// The file, or the schema on its server, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks through the whole file for damage; `None` when there is none, else what SQLite says. A server sees to that itself.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] or [`Error::Database`] when the damage does not even allow that.
    pub async fn damage(&self) -> Result<Option<String>, Error> {
        if matches!(self.engine, Engine::Postgres(_)) {
            return Ok(None);
        }
        let verdict =
            self.row("checking the store", "PRAGMA quick_check(1)", [], |row| Ok(row.text(0)?.to_owned())).await?;
        Ok(verdict.filter(|verdict| verdict != "ok"))
    }

    /// Closes the connections of all clones and folds the write-ahead log into the file.
    ///
    /// Without it nothing is lost, but the log stays beside the file until the next run.
    pub async fn close(self) {
        match &self.engine {
            Engine::Sqlite(connections) => connections.close().await,
            Engine::Postgres(server) => server.close().await,
        }
    }
}

/// The name of a store inside its temporary folder.
const FILE_NAME: &str = "store.sqlite";

fn path_of(url: &str) -> Result<PathBuf, Error> {
    let (scheme, path) = url.split_once("://").ok_or(Error::Url)?;
    if scheme != "sqlite" {
        return Err(Error::Scheme { scheme: scheme.to_owned() });
    }
    let path_is_usable = path.starts_with('/') && !path.ends_with('/') && !path.contains('?');
    if path_is_usable { Ok(PathBuf::from(path)) } else { Err(Error::Url) }
}

fn new_folder() -> Result<TemporaryFolder, Error> {
    TemporaryFolder::new().map_err(|(path, source)| Error::cannot_open(&path, source))
}

/// What shows that a file was changed or is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size_bytes: u64,
    modified: SystemTime,
    has_log: bool,
}

impl Stamp {
    fn of(path: &Path) -> Result<Option<Self>, Error> {
        let meta = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            meta => meta.map_err(|source| Error::cannot_open(path, source))?,
        };
        let modified = meta.modified().map_err(|source| Error::cannot_open(path, source))?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Some(Self { size_bytes: meta.len(), modified, has_log: Path::new(&log).exists() }))
    }
}

async fn vacuum_into(original: &Path, copy: &Path, immutable: bool) -> Result<(), Error> {
    let copy_name = copy.to_str().ok_or_else(|| Error::cannot_open(copy, "its path is not UTF-8"))?.to_owned();
    let from = original.to_owned();
    let copied = on_thread(move || {
        let connection = connections::open_untouched(&from, immutable)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute("VACUUM INTO ?", [copy_name])
    });
    copied.await.map(|_| ()).map_err(|source| Error::opening(original, source))
}

/// Does what blocks on a thread for that.
pub(crate) async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}
