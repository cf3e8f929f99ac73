//! Where a program keeps its memory of one portal. Only names: creating and opening is left to the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use job_store::{Encryption, OnServer, ServerUrl};
use outbound::{certificate_words, tls_config};
use url::{Host, Url};

use crate::Error;
use crate::config::CommonConfig;
use crate::environment::Environment;
use crate::secret;

/// Where a program keeps its memory of one portal.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// On this machine.
    Files(StatePaths),
    /// On a server, for runs on several hosts or without a disk.
    Server(Box<ServerState>),
}

/// The rows of one program and one portal on a server.
#[derive(Debug, Clone)]
pub(crate) struct ServerState {
    pub(crate) place: OnServer,
    /// The server, database and schema, without a password, for people.
    pub(crate) shown: String,
    /// What files of this state are called, without their ending.
    file_name: String,
    /// As of [`StatePaths`].
    spare_folders: Vec<PathBuf>,
}

impl State {
    /// The state of `program` for `portal`: on the server that `setting` names, else in files ([`state_paths`]).
    ///
    /// # Errors
    /// Those of [`state_paths`].
    pub(crate) fn new(
        program: &str,
        portal: &Url,
        setting: Option<&Path>,
        common: &CommonConfig,
        environment: &Environment,
    ) -> Result<Self, Error> {
        match setting.and_then(Path::to_str).filter(|text| ServerUrl::is_meant_by(text)) {
            Some(url) => {
                server_state(program, portal, url, common, environment).map(|server| State::Server(Box::new(server)))
            }
            None => state_paths(program, portal, setting, environment).map(State::Files),
        }
    }

    /// Where the store is, for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            State::Files(paths) => paths.store.display().to_string(),
            State::Server(server) => server.shown.clone(),
        }
    }

    /// The file in which the store is, or was; `None` of one on a server.
    pub(crate) fn store_file(&self) -> Option<PathBuf> {
        match self {
            State::Files(paths) => Some(paths.store.clone()),
            State::Server(_) => None,
        }
    }

    /// Where files go that belong to this state and not into its store, without their ending, best first: beside the store, which a server
    /// has no place for, and in folders that are this state's alone.
    pub(crate) fn beside(&self) -> (Option<PathBuf>, Vec<(PathBuf, PathBuf)>) {
        let (own, name, folders) = match self {
            State::Files(paths) => {
                let own = paths.lock.with_extension("");
                let name = paths.lock.file_stem().map(PathBuf::from).unwrap_or_default();
                (Some(own), name, &paths.spare_folders)
            }
            State::Server(server) => (None, PathBuf::from(&server.file_name), &server.spare_folders),
        };
        (own, folders.iter().map(|folder| (folder.clone(), folder.join(&name))).collect())
    }
}

/// The schema is called like the program, and the rows bear the portal's name, as files do.
fn server_state(
    program: &str,
    portal: &Url,
    url: &str,
    common: &CommonConfig,
    environment: &Environment,
) -> Result<ServerState, Error> {
    let (schema, portal) = (program.replace('-', "_"), file_name(portal)?);
    let url: ServerUrl = url.parse().map_err(Error::StateAddress)?;
    let shown = format!("{url}, schema {schema}");
    let password_file = common.state_password_file.as_ref().map(|path| path.as_path());
    let url = secret::with_state_password(url, environment, password_file)?;
    let encryption = if url.is_encrypted() { Some(encryption(&url, common)?) } else { None };
    let place = OnServer { url, schema, portal: portal.clone(), encryption };
    let spare_folders = spare_folders(program, Path::new(&format!("/{shown}")), &portal, environment);
    Ok(ServerState { place, shown, file_name: format!("{program}-{portal}"), spare_folders })
}

/// Certificates are trusted as elsewhere, and those of the file that the URL names.
fn encryption(url: &ServerUrl, common: &CommonConfig) -> Result<Encryption, Error> {
    let named = url.ca_file().map(|path| (path, "sslrootcert"));
    let ca_file = named.or(common.outbound.ca_file.as_ref().map(|path| (path.as_path(), "outbound.ca_file")));
    let config = tls_config(ca_file).map_err(Error::StateEncryption)?;
    Ok(Encryption { config: Arc::new(config), explain: certificate_words })
}

/// Files that belong to one program and one portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePaths {
    /// The SQLite store.
    pub store: PathBuf,
    /// The file that a running run holds locked.
    pub lock: PathBuf,
    /// Where version 1.0.0 kept the store, if that differs.
    pub(crate) former_store: Option<PathBuf>,
    /// Folders that are this state's alone, for what must be remembered while its own folder cannot be written; best first.
    pub(crate) spare_folders: Vec<PathBuf>,
}

/// The state of `program` for `portal`: in the folder `setting` (`--state`, the setting, or `STATE_DIRECTORY`, already
/// merged), else `$XDG_STATE_HOME/PROGRAM`, else `~/.local/state/PROGRAM`. In a folder that is not called like the program others may
/// keep theirs, so the files bear its name.
///
/// # Errors
/// The setting is a URL, or nothing names a folder.
pub fn state_paths(
    program: &str,
    portal: &Url,
    setting: Option<&Path>,
    environment: &Environment,
) -> Result<StatePaths, Error> {
    let folder = match setting {
        Some(folder) => checked(folder)?,
        None => default_folder(program, environment).ok_or(Error::NoStateFolder)?,
    };
    let former = file_name(portal)?;
    let is_own = folder.file_name().is_some_and(|name| name == program);
    let name = if is_own { former.clone() } else { format!("{program}-{former}") };
    let store_named = |name: &str| folder.join(format!("{name}.sqlite"));
    Ok(StatePaths {
        store: store_named(&name),
        lock: folder.join(format!("{name}.lock")),
        former_store: (!is_own).then(|| store_named(&former)),
        spare_folders: spare_folders(program, &folder, &former, environment),
    })
}

fn checked(setting: &Path) -> Result<PathBuf, Error> {
    let text = setting.to_string_lossy();
    if text.contains("://") || text.starts_with("sqlite:") {
        // what stands behind it may hold a password
        let scheme = text.split(':').next().unwrap_or_default();
        return Err(Error::StateNotAFolder(scheme.to_owned()));
    }
    if text.is_empty() {
        return Err(Error::NoStateFolder);
    }
    Ok(setting.to_owned())
}

/// Where a state is looked for by a run whose settings cannot be read: its file where that is known, else its folder. `None` of a server.
pub(crate) fn place(
    program: &str,
    (portal, setting): (Option<&Url>, Option<&Path>),
    environment: &Environment,
) -> Option<PathBuf> {
    let given = setting.map(Path::to_owned).or_else(|| environment.get("STATE_DIRECTORY").map(PathBuf::from));
    if given.as_ref().and_then(|path| path.to_str()).is_some_and(ServerUrl::is_meant_by) {
        return None;
    }
    let folder = given.or_else(|| default_folder(program, environment))?;
    let paths = portal.and_then(|portal| state_paths(program, portal, Some(&folder), environment).ok());
    Some(paths.map_or(folder, |paths| paths.store))
}

fn default_folder(program: &str, environment: &Environment) -> Option<PathBuf> {
    // the XDG specification says to ignore relative paths here
    let xdg = environment.get("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let base = xdg.or_else(|| Some(Path::new(environment.get("HOME")?).join(".local/state")))?;
    Some(base.join(program))
}

/// Below the folders for files of this session and for temporary ones: a reboot may empty them, and others may write there.
fn spare_folders(program: &str, folder: &Path, portal: &str, environment: &Environment) -> Vec<PathBuf> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    // two users, or two folders of one, must not share it
    let own = format!("{program}-{}", audit_model::fingerprint(&[program, portal, &folder.to_string_lossy()]));
    let names = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "TMPDIR"];
    let set = names.into_iter().filter_map(|name| environment.get(name)).map(PathBuf::from);
    let usual = ["/var/tmp", "/tmp", "/dev/shm"].into_iter().map(PathBuf::from);
    let usual = usual.filter(|_| environment.get("TMPDIR").is_none());
    set.chain(usual).filter(|base| base.is_absolute()).map(|base| base.join(&own)).collect()
}

/// What `{program}` and `{portal}` stand for in a path or an address, for which several programs and portals share a setting.
#[derive(Clone, Debug)]
pub(crate) struct Placeholders {
    program: String,
    portal: String,
}

impl Placeholders {
    /// How settings write them.
    pub(crate) const NAMES: [&str; 2] = ["{program}", PORTAL];

    /// # Errors
    /// The portal has no host.
    pub(crate) fn new(program: &str, portal: &Url) -> Result<Self, Error> {
        Ok(Placeholders { program: program.to_owned(), portal: file_name(portal)? })
    }

    pub(crate) fn filled_in(&self, text: &str) -> String {
        text.replace(Self::NAMES[0], &self.program).replace(PORTAL, &self.portal)
    }

    pub(crate) fn filled_in_path(&self, path: &Path) -> PathBuf {
        let text = path.to_string_lossy();
        // a path that is no text cannot hold them
        if text.contains('{') { PathBuf::from(self.filled_in(&text)) } else { path.to_owned() }
    }
}

/// Stands for the portal, as [`file_name`] writes it.
pub(crate) const PORTAL: &str = "{portal}";

/// Host and port as a file name, different for different portals: `docs.example.com`, `127.0.0.1-8080`. The port of
/// https is left out, unless the host itself ends like a port.
pub(crate) fn file_name(portal: &Url) -> Result<String, Error> {
    let host = match portal.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        // colons are not allowed in file names everywhere
        Some(Host::Ipv6(address)) => address.to_string().replace(':', "_"),
        None => return Err(Error::NoHost(portal.clone())),
    };
    let port = portal.port_or_known_default().unwrap_or(443);
    Ok(if port == 443 && !ends_like_a_port(&host) { host } else { format!("{host}-{port}") })
}

fn ends_like_a_port(host: &str) -> bool {
    host.rsplit_once('-').is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How a store in this file is opened.
pub(crate) fn url_of(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn folder_of(setting: Option<&str>, variables: &[(&str, &str)]) -> Result<PathBuf, Error> {
        let environment = variables.iter().copied().collect();
        let paths = state_paths("vdr-watch", &url("https://docs.example.com"), setting.map(Path::new), &environment)?;
        Ok(paths.store.parent().unwrap().to_owned())
    }

    #[test]
    fn store_and_lock_are_named_after_the_portal() {
        let environment = Environment::default();
        let paths =
            state_paths("vdr-watch", &url("http://127.0.0.1:8080/"), Some(Path::new("/var/x")), &environment).unwrap();
        assert_eq!(paths.store, Path::new("/var/x/vdr-watch-127.0.0.1-8080.sqlite"));
        assert_eq!(paths.lock, Path::new("/var/x/vdr-watch-127.0.0.1-8080.lock"));
        let own = Path::new("/var/lib/vdr-watch");
        let paths = state_paths("vdr-watch", &url("http://127.0.0.1:8080/"), Some(own), &environment).unwrap();
        assert_eq!(paths.store, own.join("127.0.0.1-8080.sqlite"));
        assert_eq!((paths.lock, paths.former_store), (own.join("127.0.0.1-8080.lock"), None));
    }

    /// As `TMPDIR` says who may write where, nothing is written elsewhere then.
    #[test]
    fn each_state_has_spare_folders_of_its_own() {
        let of = |program, setting: &str, variables: &[(&str, &str)]| {
            let environment = variables.iter().copied().collect();
            state_paths(program, &url("https://docs.example.com"), Some(Path::new(setting)), &environment).unwrap()
        };
        let bases = |variables: &[(&str, &str)]| -> Vec<String> {
            let folders = of("vdr-watch", "/srv/state", variables).spare_folders;
            folders.iter().map(|folder| folder.parent().unwrap().display().to_string()).collect()
        };
        assert_eq!(bases(&[]), ["/var/tmp", "/tmp", "/dev/shm"]);
        let set = [("TMPDIR", "/mine"), ("XDG_RUNTIME_DIR", "/run/user/7"), ("RUNTIME_DIRECTORY", "/run/vdr-watch")];
        assert_eq!(bases(&set), ["/run/vdr-watch", "/run/user/7", "/mine"]);
        let first = of("vdr-watch", "/srv/state", &[]).spare_folders;
        assert!(first[0].file_name().unwrap().to_str().unwrap().starts_with("vdr-watch-"));
        assert_ne!(of("vdr-watch", "/srv/other", &[]).spare_folders, first);
        assert_ne!(of("ip-fence", "/srv/state", &[]).spare_folders, first);
    }

    /// Where the settings cannot be read, nobody knows the portal, and where they can be, perhaps no folder.
    #[test]
    fn the_place_is_the_file_or_the_folder_as_far_as_it_is_known() {
        let portal = url("https://docs.example.com");
        let home = [("HOME", "/home/anna")];
        let unit = [("STATE_DIRECTORY", "/var/lib/ip-fence")];
        for (known, variables, expected) in [
            ((None, Some("/srv/state")), &home[..], Some("/srv/state")),
            ((None, None), &home, Some("/home/anna/.local/state/ip-fence")),
            ((None, None), &unit, Some("/var/lib/ip-fence")),
            ((None, None), &[], None),
            ((Some(&portal), Some("/srv/state")), &home, Some("/srv/state/ip-fence-docs.example.com.sqlite")),
            ((Some(&portal), None), &unit, Some("/var/lib/ip-fence/docs.example.com.sqlite")),
            ((Some(&portal), Some("postgres://ip_fence@db/audit")), &home, None),
        ] {
            let environment = variables.iter().copied().collect();
            let found = place("ip-fence", (known.0, known.1.map(Path::new)), &environment);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{known:?}");
        }
    }

    #[test]
    fn the_folder_is_the_setting_then_xdg_then_home() {
        let both = [("XDG_STATE_HOME", "/xdg"), ("HOME", "/home/anna")];
        for (setting, variables, expected) in [
            (Some("/srv/state"), both.as_slice(), "/srv/state"),
            (Some("state"), &both, "state"),
            (None, &both, "/xdg/vdr-watch"),
            (None, &both[1..], "/home/anna/.local/state/vdr-watch"),
            (None, &[("XDG_STATE_HOME", "xdg"), ("HOME", "/home/anna")], "/home/anna/.local/state/vdr-watch"),
        ] {
            assert_eq!(folder_of(setting, variables).unwrap(), Path::new(expected));
        }
        assert!(matches!(folder_of(None, &[]), Err(Error::NoStateFolder)));
        assert!(matches!(folder_of(Some(""), &both), Err(Error::NoStateFolder)));
    }

    #[test]
    fn a_shared_setting_gives_each_program_and_portal_a_file_of_its_own() {
        let portal = url("https://docs.example.com:8443");
        let placeholders = Placeholders::new("vdr-watch", &portal).unwrap();
        let filled_in = |path: &str| placeholders.filled_in_path(Path::new(path));
        assert_eq!(filled_in("/m/{program}-{portal}.prom"), Path::new("/m/vdr-watch-docs.example.com-8443.prom"));
        assert_eq!(filled_in("/m/{other}.prom"), Path::new("/m/{other}.prom"));
        assert_eq!(filled_in("/m/x.prom"), Path::new("/m/x.prom"));
    }

    #[test]
    fn other_urls_are_refused_without_their_passwords() {
        for text in
            ["sqlite:///var/x/state.sqlite", "sqlite:state", "file:///var/x", "mysql://vdr:secret@db.example.com/x"]
        {
            let error = folder_of(Some(text), &[]).unwrap_err();
            assert!(matches!(error, Error::StateNotAFolder(_)), "{text}");
            assert!(error.to_string().contains("must be a folder") && !error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_server_has_a_schema_for_each_program_and_no_place_for_files() {
        let of = |program: &str, setting: &str| {
            let environment = [("TMPDIR", "/mine")].into_iter().collect();
            State::new(
                program,
                &url("https://docs.example.com:8443"),
                Some(Path::new(setting)),
                &CommonConfig::default(),
                &environment,
            )
        };
        let State::Server(server) = of("vdr-watch", "postgres://vdr:secret@db.example.com:5433/audit").unwrap() else {
            panic!("it is a server")
        };
        assert_eq!(
            (server.place.schema.as_str(), server.place.portal.as_str()),
            ("vdr_watch", "docs.example.com-8443")
        );
        assert_eq!(server.shown, "postgres://vdr@db.example.com:5433/audit, schema vdr_watch");
        assert!(!format!("{server:?}").contains("secret"));
        let state = of("vdr-watch", "postgresql://vdr@db.example.com/audit").unwrap();
        let (own, spare) = state.beside();
        assert!(own.is_none() && spare[0].1.ends_with("vdr-watch-docs.example.com-8443"), "{spare:?}");
        assert_ne!(of("vdr-watch", "postgresql://vdr@db.example.com/other").unwrap().beside().1, spare);
        assert!(matches!(of("vdr-watch", "postgres://vdr@db.example.com:port/x"), Err(Error::StateAddress(_))));
    }

    #[test]
    fn different_portals_have_different_readable_names() {
        let table = [
            ("https://docs.example.com", "docs.example.com"),
            ("https://docs.example.com:8443", "docs.example.com-8443"),
            ("http://docs.example.com", "docs.example.com-80"),
            ("https://docs:8080", "docs-8080"),
            ("https://docs-8080", "docs-8080-443"),
            ("https://docs-8080-443", "docs-8080-443-443"),
            ("https://docs-8080:443", "docs-8080-443"),
            ("https://vdr-eu.example.com", "vdr-eu.example.com"),
            ("http://127.0.0.1:8080", "127.0.0.1-8080"),
            ("https://[2001:db8::1]", "2001_db8__1"),
            ("https://[2001:db8::1]:8443", "2001_db8__1-8443"),
            ("https://bücher.example.com", "xn--bcher-kva.example.com"),
        ];
        for (portal, expected) in table {
            assert_eq!(file_name(&url(portal)).unwrap(), expected, "{portal}");
        }
    }
}
