//! Stores for tests, one on each engine. PostgreSQL is Debian's, started once for a test executable on a socket of its own, and gone with it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::{OnServer, Store};

/// Reads a folder for the cluster; says `ready`, and ends with its input. Nothing of it has to survive a power cut.
const SERVE: &str = r#"
set -e
folder=$1; bin=$2
"$bin/initdb" --no-sync -D "$folder/data" -E UTF8 --locale=C.UTF-8 -A trust -U postgres >"$folder/log" 2>&1
echo "fsync = off
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 100" >>"$folder/data/postgresql.conf"
"$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start >/dev/null
"$bin/psql" -q -h "$folder" -U postgres -d postgres -c 'CREATE ROLE tester LOGIN' -c 'CREATE DATABASE tests OWNER tester' >/dev/null
echo ready
read -r _ || true
"$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
rm -rf "$folder"
"#;

struct Running {
    folder: PathBuf,
    // its input ends with this process
    _server: Child,
}

/// Where Debian puts its programs; the newest version.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.retain(|bin| bin.join("initdb").exists());
    versions.sort();
    versions.pop()
}

fn start() -> Option<Running> {
    let Some(bin) = programs() else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "postgresql is not installed");
        #[expect(clippy::print_stderr, reason = "whoever reads the output of the tests must know")]
        {
            eprintln!("NOT TESTED: postgresql (it is not installed)");
        }
        return None;
    };
    let folder = TempDir::new().expect("a temporary folder").keep();
    let mut serve = Command::new("sh");
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        // it does not run as root
        let owned = Command::new("chown").arg("postgres").arg(&folder).status();
        assert!(owned.is_ok_and(|status| status.success()), "Debian's package makes the user postgres");
        serve = Command::new("runuser");
        serve.args(["-u", "postgres", "--", "sh"]);
    }
    serve.args(["-c", SERVE, "sh"]).arg(&folder).arg(bin).current_dir("/");
    let mut server = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut said = String::new();
    let output = server.stdout.take().expect("it is piped");
    let read = BufReader::new(output).read_line(&mut said);
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    assert!(read.is_ok() && said == "ready\n", "PostgreSQL does not start: {log}");
    Some(Running { folder, _server: server })
}

/// The folder of the socket of the server of this test executable; `None`, said aloud, where PostgreSQL is not installed. Its database
/// `tests` belongs to the role `tester`.
///
/// # Panics
/// It is not installed and `CI` is `true`, or it does not start.
pub fn socket_folder() -> Option<&'static Path> {
    static SERVER: OnceLock<Option<Running>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref().map(|server| server.folder.as_path())
}

/// A place on the server of this test executable that no other test has; `None` as of [`socket_folder`].
///
/// # Panics
/// Like [`socket_folder`].
pub fn place() -> Option<OnServer> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let folder = socket_folder()?;
    let portal = format!("portal{}.example.com", NEXT.fetch_add(1, Ordering::Relaxed));
    let url = format!("postgres:///tests?host={}&user=tester", folder.display());
    let url = url.parse().expect("a URL");
    Some(OnServer { url, schema: "tests".to_owned(), portal, encryption: None })
}

/// An empty store on each engine.
///
/// # Panics
/// Like [`place`], and when one cannot be opened.
pub async fn stores() -> Vec<Store> {
    let mut stores = vec![Store::temporary().await.expect("room for temporary files")];
    if let Some(place) = place() {
        stores.push(Store::on_server(&place).await.expect("a server"));
    }
    stores
}

/// Tables and columns of a server's schema that break what statements rely on: the portal first in every key, row security, texts in the order of
/// their bytes.
///
/// # Panics
/// They cannot be read.
pub async fn unlike_the_others(store: &Store) -> Vec<String> {
    let sql = "SELECT relname::text COLLATE \"C\" FROM pg_class AS t WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
            AND relname <> 'component_schema' AND NOT (relforcerowsecurity AND EXISTS (
                SELECT 1 FROM pg_index JOIN pg_attribute ON attrelid = t.oid AND attnum = indkey[0]
                WHERE indrelid = t.oid AND indisprimary AND attname = 'portal'))
        UNION SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name <> 'component_schema' AND data_type = 'text'
            AND collation_name IS DISTINCT FROM 'C' AND table_name IN (
                SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r')";
    store.all("reading the tables", sql, [], |row| Ok(row.text(0)?.to_owned())).await.expect("a server")
}
