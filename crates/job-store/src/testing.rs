//! Stores for tests, one on each engine. PostgreSQL is Debian's, started once for a test executable on a socket of its own, and gone with it.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::store::Engine;
use crate::{OnServer, Store};

/// Reads a folder for the cluster; says `ready`, and ends with its input. Nothing of it has to survive a power cut.
const SERVE: &str = r#"
set -e
folder=$1; bin=$2; settings=$3; access=$4
"$bin/initdb" --no-sync -D "$folder/data" -E UTF8 --locale=C.UTF-8 -A trust -U postgres >"$folder/log" 2>&1
echo "fsync = off
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 100
$settings" >>"$folder/data/postgresql.conf"
if [ -n "$access" ]; then
    echo "local all all trust
$access" >"$folder/data/pg_hba.conf"
fi
"$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start >/dev/null
port=$(echo "$settings" | sed -n 's/^port = //p')
"$bin/psql" -q -h "$folder" -p "${port:-5432}" -U postgres -d postgres -c "CREATE ROLE tester LOGIN PASSWORD 's3cret'" -c 'CREATE DATABASE tests OWNER tester' >/dev/null
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

/// Says on stderr that something is not tested, because something else is missing; where `CI` is `true`, nothing may be.
///
/// # Panics
/// There.
pub fn not_tested(what: &str, missing: &str) {
    say_not_tested(what, missing);
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{what} must be tested here: {missing}");
}

/// Past what keeps the output of tests that pass from being seen.
fn say_not_tested(what: &str, missing: &str) {
    // nobody can be told that nobody can be told
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {what} ({missing})");
}

fn start(settings: &str, access: &str, files: &[(&str, &str)]) -> Option<Running> {
    if std::env::var_os("WITHOUT_POSTGRESQL").is_some() {
        say_not_tested("postgresql", "WITHOUT_POSTGRESQL is set");
        return None;
    }
    let Some(bin) = programs() else {
        not_tested("postgresql", "it is not installed");
        return None;
    };
    let folder = TempDir::new().expect("a temporary folder").keep();
    for (name, text) in files {
        crate::files::replace(&folder.join(name), text.as_bytes(), crate::files::PRIVATE).expect("a temporary file");
    }
    let settings = settings.replace("FOLDER", &folder.to_string_lossy());
    let mut serve = Command::new("sh");
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        // it does not run as root
        let owned = Command::new("chown").args(["-R", "postgres"]).arg(&folder).status();
        assert!(owned.is_ok_and(|status| status.success()), "Debian's package makes the user postgres");
        serve = Command::new("runuser");
        serve.args(["-u", "postgres", "--", "sh"]);
    }
    serve.args(["-c", SERVE, "sh"]).arg(&folder).arg(bin).args([settings.as_str(), access]).current_dir("/");
    let mut server = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut said = String::new();
    let output = server.stdout.take().expect("it is piped");
    let read = BufReader::new(output).read_line(&mut said);
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    assert!(read.is_ok() && said == "ready\n", "PostgreSQL does not start: {log}");
    Some(Running { folder, _server: server })
}

/// The folder of the socket of the server of this test executable; `None`, said aloud, where PostgreSQL is not installed or
/// `WITHOUT_POSTGRESQL` is set. Its database `tests` belongs to the role `tester`.
///
/// # Panics
/// It is not installed and `CI` is `true`, or it does not start.
pub fn socket_folder() -> Option<&'static Path> {
    static SERVER: OnceLock<Option<Running>> = OnceLock::new();
    SERVER.get_or_init(|| start("", "", &[])).as_ref().map(|server| server.folder.as_path())
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

/// A server of its own on a loopback port, which shows this certificate (both in PEM form) and asks for the password.
pub struct EncryptedServer {
    /// Of `127.0.0.1`, to which connections must be encrypted.
    pub port: u16,
    /// Of the role `tester`, in the database `tests`.
    pub password: &'static str,
    _running: Running,
}

/// Starts one; `None`, said aloud, where PostgreSQL is not installed or `WITHOUT_POSTGRESQL` is set.
///
/// # Panics
/// Like [`place`].
pub fn encrypted_server(certificate: &str, key: &str) -> Option<EncryptedServer> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    drop(listener);
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\nssl_cert_file = 'FOLDER/shown.pem'\nssl_key_file = 'FOLDER/key.pem'"
    );
    let access = "hostssl all all 127.0.0.1/32 scram-sha-256";
    let running = start(&settings, access, &[("shown.pem", certificate), ("key.pem", key)])?;
    Some(EncryptedServer { port, password: "s3cret", _running: running })
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

/// The tables of a store with their columns, as both engines should have them: `table.column kind`, and of each component the last step.
///
/// # Panics
/// They cannot be read.
pub async fn described(store: &Store) -> Vec<String> {
    let tables = match store.engine() {
        Engine::Sqlite(_) => {
            "SELECT t.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c.\"notnull\" OR c.pk > 0 THEN ' not null' ELSE '' END
             FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' 
                 AND t.name <> 'component_schema'"
        }
        Engine::Postgres(_) => {
            "SELECT c.table_name || '.' || c.column_name || ' ' || CASE c.data_type WHEN 'bigint' THEN 'integer' ELSE c.data_type END
                 || CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
             FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
             WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.column_name NOT IN ('portal', 'rowid')
                 AND c.table_name NOT IN ('component_schema', 'lease')"
        }
    };
    let components =
        "SELECT component || ' ' || max(number) FROM component_schema WHERE component <> 'lease' GROUP BY component";
    let mut all = Vec::new();
    for sql in [tables, components] {
        all.extend(store.all("reading the tables", sql, [], |row| Ok(row.text(0)?.to_owned())).await.expect("a store"));
    }
    all.sort();
    all
}

/// From now on this store waits for its server, and its server for it, no longer than this.
pub fn be_impatient(store: &Store, limit: std::time::Duration) {
    if let Engine::Postgres(server) = store.engine() {
        server.be_impatient(limit);
    }
}
