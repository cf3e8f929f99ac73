//! Where a server is, as people write it: `postgres://role@host/database?sslmode=…`.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode};

use super::pass_file;

/// The address of a database: a server, a role and, where the URL holds one, its password, which is shown nowhere.
///
/// A connection to another host is encrypted, and the certificate of the server is verified for its name, unless the URL says
/// `sslmode=disable`. A connection to a socket or a loopback address is plain, unless the URL asks for encryption. `require`, `verify-ca` and
/// `verify-full` mean the same here: there is no encryption without verification. `prefer` and `allow` leave it to the network whether a
/// connection is encrypted, so they are refused for other hosts; for this machine they mean plain.
///
/// `Display` and `Debug` give `postgres://role@host:port/database`.
#[derive(Clone)]
pub struct ServerUrl {
    config: Box<Config>,
    is_encrypted: bool,
    ca_file: Option<PathBuf>,
    pass_file: Option<PathBuf>,
}

/// What is wrong with the URL of a server. None of it repeats a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    #[error("the URL of a PostgreSQL server begins with `postgres://`, as in `postgres://role@host/database`")]
    Scheme,
    #[error(
        "the URL has more than one `@`; write an `@` that belongs to the role or the password as `%40`, or give the password in a file"
    )]
    TwoAts,
    #[error("the URL names no host; write `postgres://role@host/database`, or `?host=/folder` for a socket")]
    NoHost,
    #[error("the URL names no database; write `postgres://role@host/database`")]
    NoDatabase,
    #[error("the URL names no role; write `postgres://role@host/database`")]
    NoRole,
    #[error("the URL cannot be read: {0}")]
    Unreadable(String),
    #[error("`sslmode={0}` is not known; use `verify-full`, or `disable` for a connection that needs no encryption")]
    SslMode(String),
    #[error(
        "`sslmode={0}` would send everything in plain text whenever somebody between here and the server says that it has no encryption; use `verify-full`, or `disable` if the network is trusted"
    )]
    Unverified(String),
    #[error(
        "`sslrootcert` names a file with certificates, but `sslmode=disable` or the kind of host turns encryption off; remove one of the two"
    )]
    NotEncrypted,
    #[error(
        "`channel_binding=require` is not supported; remove it: the certificate of the server is verified without it"
    )]
    ChannelBinding,
    #[error("cannot read the password file {}; correct its name, or give this user the right to read it", path.display())]
    PassFile { path: PathBuf, source: io::Error },
}

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

impl ServerUrl {
    /// Whether a text is meant to be such a URL.
    pub fn is_meant_by(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// The first host: a name, an address, or the folder of a socket.
    pub fn host(&self) -> String {
        match (self.config.get_hosts().first(), self.config.get_hostaddrs().first()) {
            (Some(Host::Tcp(host)), _) => host.clone(),
            (Some(Host::Unix(folder)), _) => folder.display().to_string(),
            (None, Some(address)) => address.to_string(),
            (None, None) => String::new(),
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    /// The database.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// The role.
    pub fn role(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// Whether connections are encrypted, for which [`OnServer::encryption`](crate::OnServer::encryption) is needed.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether connections leave this machine in plain text, because the URL asks for it.
    pub fn is_plain_on_the_network(&self) -> bool {
        !self.is_encrypted && !is_on_this_machine(&self.config)
    }

    /// `sslrootcert`: a file with certificates that are trusted.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// `passfile`: a file with passwords, for [`with_pass_file`](Self::with_pass_file).
    pub fn pass_file(&self) -> Option<&Path> {
        self.pass_file.as_deref()
    }

    /// Whether a password is known.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same with this password, where none is known.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        if !self.has_password() {
            self.config.password(password);
        }
        self
    }

    /// The same with the password that a file in the format of `PGPASSFILE` has for it (`host:port:database:role:password`), where none is
    /// known. A file without a line for it changes nothing.
    ///
    /// # Errors
    /// [`UrlError::PassFile`].
    pub fn with_pass_file(self, path: &Path) -> Result<Self, UrlError> {
        let failed = |source| UrlError::PassFile { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let password = pass_file::password(&text, &self);
        Ok(match password {
            Some(password) => self.with_password(&password),
            None => self,
        })
    }

    /// Whether the host is a socket, whose name in password files is also `localhost`.
    pub(super) fn is_socket(&self) -> bool {
        matches!(self.config.get_hosts().first(), Some(Host::Unix(_)))
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let scheme = SCHEMES.into_iter().find(|scheme| text.starts_with(scheme)).ok_or(UrlError::Scheme)?;
        let rest = &text[scheme.len()..];
        if rest.matches('@').count() > 1 {
            return Err(UrlError::TwoAts);
        }
        // a password may hold a `?`
        let after_password = rest.find('@').map_or(0, |at| at + 1);
        let query = rest[after_password..].find('?').map_or(rest.len(), |place| after_password + place);
        let (mut ours, mut theirs) = (Ours::default(), Vec::new());
        for option in rest[query..].trim_start_matches('?').split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", mode)) => ours.mode = Some(decoded(mode)),
                Some(("sslrootcert", path)) => ours.ca_file = Some(decoded(path).into()),
                Some(("passfile", path)) => ours.pass_file = Some(decoded(path).into()),
                _ => theirs.push(option),
            }
        }
        let mut known = format!("{scheme}{}", &rest[..query]);
        if !theirs.is_empty() {
            known = format!("{known}?{}", theirs.join("&"));
        }
        let unreadable = |error: tokio_postgres::Error| {
            UrlError::Unreadable(error.into_source().map_or_else(String::new, |source| source.to_string()))
        };
        let config: Config = known.parse().map_err(unreadable)?;
        ours.with(config)
    }
}

/// The options that the driver does not know, or takes otherwise.
#[derive(Default)]
struct Ours {
    mode: Option<String>,
    ca_file: Option<PathBuf>,
    pass_file: Option<PathBuf>,
}

impl Ours {
    fn with(self, mut config: Config) -> Result<ServerUrl, UrlError> {
        let Ours { mode, ca_file, pass_file } = self;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(UrlError::NoHost);
        }
        if config.get_dbname().is_none() {
            return Err(UrlError::NoDatabase);
        }
        if config.get_user().is_none_or(str::is_empty) {
            return Err(UrlError::NoRole);
        }
        if config.get_channel_binding() == ChannelBinding::Require {
            return Err(UrlError::ChannelBinding);
        }
        let is_near = is_on_this_machine(&config);
        let is_encrypted = match mode.as_deref() {
            None => !is_near,
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some("prefer" | "allow") if is_near => false,
            Some(mode @ ("prefer" | "allow")) => return Err(UrlError::Unverified(mode.to_owned())),
            Some(mode) => return Err(UrlError::SslMode(mode.to_owned())),
        };
        if ca_file.is_some() && !is_encrypted {
            return Err(UrlError::NotEncrypted);
        }
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        Ok(ServerUrl { config: Box::new(config), is_encrypted, ca_file, pass_file })
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// All hosts are sockets or loopback addresses, so nothing that is sent can be seen on a network.
fn is_on_this_machine(config: &Config) -> bool {
    let is_near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(host) => host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
    };
    // an address is what is connected to, whatever the name beside it
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(is_near),
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, database) = (self.role(), self.database());
        let port = if self.port() == 5432 { String::new() } else { format!(":{}", self.port()) };
        let host = self.host();
        match self.config.get_hosts().first() {
            Some(Host::Unix(_)) => {
                let port = port.strip_prefix(':').map(|port| format!("&port={port}")).unwrap_or_default();
                write!(f, "postgres://{role}@/{database}?host={host}{port}")
            }
            _ if host.contains(':') => write!(f, "postgres://{role}@[{host}]{port}/{database}"),
            _ => write!(f, "postgres://{role}@{host}{port}/{database}"),
        }
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_see_holds_no_password() {
        for (text, shown) in [
            ("postgres://vdr:s3cret@db.example.com/audit", "postgres://vdr@db.example.com/audit"),
            ("postgresql://vdr:s3cret%40x@db.example.com:5433/audit", "postgres://vdr@db.example.com:5433/audit"),
            ("postgres://vdr@[2001:db8::1]/audit?password=s3cret", "postgres://vdr@[2001:db8::1]/audit"),
            ("postgres:///audit?host=/run/postgresql&user=vdr", "postgres://vdr@/audit?host=/run/postgresql"),
            ("postgres://vdr:s3cret?x@db.example.com/audit?sslmode=require", "postgres://vdr@db.example.com/audit"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!((url.to_string(), format!("{url:?}")), (shown.to_owned(), shown.to_owned()));
            // it can be pasted
            let again: ServerUrl = shown.parse().unwrap();
            assert_eq!((again.to_string(), again.is_encrypted()), (shown.to_owned(), url.is_encrypted()));
        }
    }

    #[test]
    fn what_is_wrong_is_named_without_the_password() {
        for (text, said) in [
            ("mysql://vdr:s3cret@db.example.com/audit", "begins with `postgres://`"),
            ("postgres://vdr:s3cret@x@db.example.com/audit", "`%40`"),
            ("postgres://vdr:s3cret@db.example.com", "names no database"),
            ("postgres:///audit?user=vdr&password=s3cret", "names no host"),
            ("postgres://db.example.com/audit", "names no role"),
            ("postgres://vdr:s3cret@db.example.com:port/audit", "port"),
            ("postgres://vdr:s3cret@db.example.com/audit?sslkey=x", "sslkey"),
            ("postgres://vdr:s3cret@db.example.com/audit?sslmode=on", "`sslmode=on` is not known"),
            ("postgres://vdr:s3cret@db.example.com/audit?sslmode=prefer", "in plain text"),
            ("postgres://vdr:s3cret@localhost/audit?sslrootcert=/ca.pem", "turns encryption off"),
            ("postgres://vdr:s3cret@db.example.com/audit?channel_binding=require", "is not supported"),
        ] {
            let error = text.parse::<ServerUrl>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(said) && !shown.contains("s3cret"), "{text}: {shown}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_is_plain_unless_asked_for() {
        let encrypted = |text: &str| text.parse::<ServerUrl>().unwrap().is_encrypted();
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(!encrypted(&format!("postgres://vdr@{host}/audit")), "{host}");
            assert!(!encrypted(&format!("postgres://vdr@{host}/audit?sslmode=prefer")), "{host}");
            assert!(encrypted(&format!("postgres://vdr@{host}/audit?sslmode=verify-full")), "{host}");
        }
        for host in ["db.example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1,10.0.0.1", "[2001:db8::1]"] {
            assert!(encrypted(&format!("postgres://vdr@{host}/audit")), "{host}");
            let plain: ServerUrl = format!("postgres://vdr@{host}/audit?sslmode=disable").parse().unwrap();
            assert!(!plain.is_encrypted() && plain.is_plain_on_the_network(), "{host}");
        }
        assert!(!encrypted("postgres://vdr@/audit?host=/run/postgresql"));
        // the address is what is connected to
        assert!(encrypted("postgres://vdr@localhost/audit?hostaddr=192.0.2.1"));
    }
}
