//! The only builder of HTTP clients.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::{Host, Url};

use crate::certificate;

/// A portal that has not accepted a connection by then is not going to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The portal's own proxy gives up after 60 s without a byte; a little more lets its 504 arrive instead of our timeout.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(75);

/// How to reach the outside.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// `PROGRAM/VERSION`.
    pub user_agent: String,
    /// Overrides the proxy of the environment (`HTTPS_PROXY`, …).
    pub proxy: Option<Url>,
    /// PEM file with certificates that are trusted besides the system's: of authorities, or of servers that sign theirs themselves.
    pub ca_file: Option<PathBuf>,
}

impl HttpOptions {
    /// Environment's proxy, system's certificates.
    pub fn new(program: &str, version: &str) -> Self {
        HttpOptions { user_agent: format!("{program}/{version}"), proxy: None, ca_file: None }
    }
}

/// Why no client could be made. All of it is set-up: it fails again until somebody changes it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}, which `{setting}` names; correct the setting, or give this user the right to read the file", path.display())]
    ReadCa { path: PathBuf, setting: &'static str, source: std::io::Error },
    #[error("{}, which `{setting}` names, holds no certificate in PEM form; export it as text that begins with `-----BEGIN CERTIFICATE-----`", path.display())]
    EmptyCa { path: PathBuf, setting: &'static str },
    #[error("{}, which `{setting}` names, is not valid PEM; export the certificate again, as text that begins with `-----BEGIN CERTIFICATE-----`", path.display())]
    ParseCa { path: PathBuf, setting: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the address in `outbound.proxy` is not usable; write it like `http://host:port`")]
    Proxy { source: reqwest::Error },
    #[error("cannot set up TLS")]
    Build { source: reqwest::Error },
    #[error("cannot set up TLS with {}, which `{setting}` names; export the certificates again", path.display())]
    Tls { path: PathBuf, setting: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

/// Builds a client for requests to `target`. Only host and scheme of `target` matter: loopback is never sent through a proxy.
pub fn http_client(options: &HttpOptions, target: &Url) -> Result<Client, Error> {
    // the second call finds a provider installed and fails: that is the state we want
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Some(path) = &options.ca_file {
        let builder = builder(options, target)?.tls_backend_preconfigured(tls_config(Some((path, CA_FILE)))?);
        return builder.build().map_err(|source| Error::Build { source });
    }
    if is_loopback(target) && target.scheme() == "http" {
        // nothing here is encrypted: the system's roots, whose reading takes longer than many a run, are not read; the builder insists
        // on some
        let builder = builder(options, target)?.tls_certs_only(bundled_roots().take(1));
        return builder.build().map_err(|source| Error::Build { source });
    }
    match builder(options, target)?.build() {
        Ok(client) => Ok(client),
        // no roots on this machine: bundled ones, even for plain http, where the builder insists on roots too
        Err(_) => {
            builder(options, target)?.tls_certs_only(bundled_roots()).build().map_err(|source| Error::Build { source })
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one builder")]
fn builder(options: &HttpOptions, target: &Url) -> Result<ClientBuilder, Error> {
    let mut builder = Client::builder()
        .user_agent(&options.user_agent)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .redirect(redirect::Policy::none());
    if is_loopback(target) {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &options.proxy {
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(|source| Error::Proxy { source })?);
    }
    Ok(builder)
}

/// Whether what answered does not speak HTTP, as a port for TLS does not that is asked without.
pub fn is_no_http(error: &reqwest::Error) -> bool {
    let mut next = Some(error as &(dyn std::error::Error + 'static));
    while let Some(error) = next {
        if error.downcast_ref().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether an address leads to this machine, and nothing leaves it on the way.
pub fn is_loopback(target: &Url) -> bool {
    match target.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The setting with certificates that are trusted for HTTP.
pub(crate) const CA_FILE: &str = "outbound.ca_file";

/// TLS as all of our clients speak it, for connections of another kind: the system's roots, bundled ones where it has none, and the
/// certificates of a file, whose setting is named in errors.
///
/// # Errors
/// Of the file.
pub fn tls_config(ca_file: Option<(&Path, &'static str)>) -> Result<ClientConfig, Error> {
    let own = ca_file.map(|(path, setting)| read_ca(path, setting)).transpose()?.unwrap_or_default();
    let (path, setting) = ca_file.unwrap_or((Path::new("of the system"), CA_FILE));
    certificate::trusting(own).map_err(|source| Error::Tls { path: path.to_owned(), setting, source })
}

fn read_ca(path: &Path, setting: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = std::fs::read(path).map_err(|source| Error::ReadCa { path: path.to_owned(), setting, source })?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        parsed.map_err(|error| Error::ParseCa { path: path.to_owned(), setting, source: error.into() })?;
    if certificates.is_empty() {
        return Err(Error::EmptyCa { path: path.to_owned(), setting });
    }
    Ok(certificates)
}

fn bundled_roots() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|root| Certificate::from_der(root).ok())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused_by_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "not a certificate").unwrap();
        let mut options = HttpOptions::new("vdr-watch", "1.0.0");
        options.ca_file = Some(file.path().to_owned());
        let error = http_client(&options, &url("https://docs.example.com")).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()) && error.contains("PEM"), "{error}");
    }

    #[test]
    fn bundled_roots_alone_make_a_client() {
        assert!(bundled_roots().count() > 50);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = HttpOptions::new("vdr-watch", "1.0.0");
        builder(&options, &url("https://docs.example.com")).unwrap().tls_certs_only(bundled_roots()).build().unwrap();
    }

    /// One server, asked twice: what the request says, and that a redirect is handed back.
    #[tokio::test]
    async fn redirects_are_not_followed_and_the_agent_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = url(&format!("http://{}/start", listener.local_addr().unwrap()));
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 2048];
            let length = stream.read(&mut head).await.unwrap();
            let answer = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&head[..length]).into_owned()
        });
        let client = http_client(&HttpOptions::new("vdr-watch", "1.0.0"), &target).unwrap();
        let response = client.get(target).send().await.unwrap();
        assert_eq!(response.status(), 302);
        assert!(server.await.unwrap().contains("user-agent: vdr-watch/1.0.0"));
    }

    #[test]
    fn loopback_is_recognised() {
        for here in
            ["http://127.0.0.1:8", "http://127.9.9.9", "http://[::1]:80", "http://localhost", "http://a.localhost"]
        {
            assert!(is_loopback(&url(here)), "{here}");
        }
        for away in ["http://10.0.0.1", "http://localhost.example.com", "http://[2001:db8::1]"] {
            assert!(!is_loopback(&url(away)), "{away}");
        }
    }
}
