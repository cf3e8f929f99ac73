//! The only opener of SMTP connections: encryption, roots, signing in. What is sent over them is the caller's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use crate::certificate::{CertificateFault, certificate_fault};

/// A server that has not accepted a connection by then is not going to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// In plain until both agree on TLS; without that nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In plain. Whoever allows it makes sure that the server is on this machine.
    None,
}

/// Where and how to hand over mail.
#[derive(Clone)]
pub struct SmtpOptions {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    /// User name and password.
    pub credentials: Option<(String, String)>,
    /// PEM file with certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a server may keep silent, while connecting and after each step of a message.
    pub patience: Duration,
}

/// RFC 5321 gives servers up to ten minutes after a message; none that we know needs two.
pub const SMTP_PATIENCE: Duration = Duration::from_secs(120);

/// Why there is no connection over which mail could be sent. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    #[error("cannot read the CA file {}", path.display())]
    ReadCa { path: PathBuf, source: std::io::Error },
    #[error("the CA file {} holds no certificate in PEM form; export it as text that begins with `-----BEGIN CERTIFICATE-----`", path.display())]
    BadCa { path: PathBuf },
    #[error("cannot set up TLS for the mail server {host}")]
    Tls { host: String, source: lettre::transport::smtp::Error },
    #[error(
        "cannot connect to the mail server {host}:{port}; check `mail.host`, `mail.port`, `mail.security` and the firewall"
    )]
    Connect { host: String, port: u16, source: ServerSaid },
    #[error("the certificate of the mail server {host} {}", of_mail_server(*.fault))]
    Certificate { host: String, fault: CertificateFault },
    #[error("the mail server {host} fell silent before anything was sent; check `mail.port` and `mail.security`")]
    Silent { host: String },
    #[error(
        "the mail server {host} does not offer STARTTLS, so nothing was sent; use its port for TLS with `mail.security = \"tls\"`"
    )]
    NoStartTls { host: String },
    #[error("the mail server {host} did not let us sign in; check `mail.user` and the password")]
    SignIn { host: String, source: ServerSaid },
}

/// What a mail server said, or why nothing could be heard from it: one short line, since servers say what they like.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ServerSaid(String);

/// In characters.
const LONGEST_SAID: usize = 200;

impl From<lettre::transport::smtp::Error> for ServerSaid {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        // causes are part of the text
        let text = error.to_string();
        let shown = text.trim_end().chars().take(LONGEST_SAID).flat_map(|character| {
            let hidden = !matches!(character, '"' | '\'' | '\\');
            let escaped = hidden.then(|| character.escape_debug());
            let plain = (!hidden).then_some(character);
            escaped.into_iter().flatten().chain(plain)
        });
        ServerSaid(shown.collect())
    }
}

/// The same sentence with the setting that counts here. One that is signed by itself is taken where it is not marked as an authority's.
fn of_mail_server(fault: CertificateFault) -> String {
    match fault {
        CertificateFault::SelfSigned => {
            "is signed by itself and marked as an authority's, which is not accepted from mail servers; create it with `basicConstraints = CA:FALSE`, or have an authority sign it, and set `mail.ca_file` to a file with that certificate".to_owned()
        }
        CertificateFault::UnknownIssuer => {
            format!("{fault}; set `mail.ca_file` to a file with the certificate of the authority that signed it")
        }
        other => format!("{other}; {}", other.remedy()),
    }
}

/// Connects, encrypts and signs in.
///
/// # Errors
/// [`SmtpError`]: all before any mail was offered.
pub async fn smtp_connect(options: &SmtpOptions) -> Result<AsyncSmtpConnection, SmtpError> {
    let silent = |_| SmtpError::Silent { host: options.host.clone() };
    tokio::time::timeout(options.patience, connect(options)).await.map_err(silent)?
}

async fn connect(options: &SmtpOptions) -> Result<AsyncSmtpConnection, SmtpError> {
    let SmtpOptions { host, port, security, credentials, ca_file, patience: _ } = options;
    let failed = |error: lettre::transport::smtp::Error| match certificate_fault(&error) {
        Some(fault) => SmtpError::Certificate { host: host.clone(), fault },
        None => SmtpError::Connect { host: host.clone(), port: *port, source: error.into() },
    };
    let tls = match security {
        SmtpSecurity::None => None,
        SmtpSecurity::StartTls | SmtpSecurity::Tls => Some(tls_parameters(host, ca_file.as_deref())?),
    };
    let hello = ClientId::default();
    let at_once = tls.clone().filter(|_| *security == SmtpSecurity::Tls);
    let server = (host.as_str(), *port);
    let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &hello, at_once, None)
        .await
        .map_err(failed)?;
    if let (SmtpSecurity::StartTls, Some(tls)) = (security, tls) {
        if !connection.can_starttls() {
            connection.abort().await;
            return Err(SmtpError::NoStartTls { host: host.clone() });
        }
        connection.starttls(tls, &hello).await.map_err(failed)?;
    }
    if let Some((user, password)) = credentials {
        let credentials = Credentials::new(user.clone(), password.clone());
        let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        signed_in.map_err(|error| SmtpError::SignIn { host: host.clone(), source: error.into() })?;
    }
    Ok(connection)
}

fn tls_parameters(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, SmtpError> {
    let own = ca_file.map(read_ca).transpose()?;
    let builder = |store: CertificateStore| {
        let builder = TlsParameters::builder(host.to_owned()).certificate_store(store);
        own.iter().cloned().fold(builder, |builder, ca| builder.add_root_certificate(ca))
    };
    builder(CertificateStore::Default).build_rustls().or_else(|_| {
        // no roots on this machine: bundled ones
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots = roots.filter_map(|root| Certificate::from_der(root.to_vec()).ok());
        let with_roots =
            roots.fold(builder(CertificateStore::None), |builder, root| builder.add_root_certificate(root));
        with_roots.build_rustls().map_err(|source| SmtpError::Tls { host: host.to_owned(), source })
    })
}

fn read_ca(path: &Path) -> Result<Certificate, SmtpError> {
    let pem = std::fs::read(path).map_err(|source| SmtpError::ReadCa { path: path.to_owned(), source })?;
    let is_pem = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
    let read = Certificate::from_pem(&pem).ok().filter(|_| is_pem);
    read.ok_or_else(|| SmtpError::BadCa { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_refused_by_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "not a certificate").unwrap();
        let error = tls_parameters("mail.example.com", Some(file.path())).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()) && error.contains("PEM"), "{error}");
    }
}
