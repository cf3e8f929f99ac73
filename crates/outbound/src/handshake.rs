//! TLS without a request: whether a server would be trusted, where a request would already mean something to it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::certificate::{CertificateFault, certificate_fault};
use crate::http::{self, Error};

/// Why no encrypted connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    #[error("the certificate {0}")]
    Certificate(CertificateFault),
    #[error(transparent)]
    Setup(#[from] Error),
    #[error("{0} is not a name that a certificate can be issued for")]
    Name(String),
    #[error(transparent)]
    Broken(io::Error),
}

/// Agrees on TLS with a server as the clients of [`crate::http_client`] do, and hangs up.
///
/// `ca_file` holds certificates that are trusted besides the system's, in PEM form; `host` is a name or an address, IPv6 in brackets or
/// not. Waits for the server without limit.
///
/// # Errors
/// [`HandshakeError`]. Nothing but the handshake was sent.
pub async fn tls_handshake(stream: TcpStream, host: &str, ca_file: Option<&Path>) -> Result<(), HandshakeError> {
    let mut encrypted = tls_connect(stream, host, ca_file).await?;
    // so that the server sees an end and no break
    let _ = encrypted.shutdown().await;
    Ok(())
}

/// The same, for what is no HTTP: the stream over which to speak.
///
/// # Errors
/// [`HandshakeError`]. Nothing but the handshake was sent.
pub async fn tls_connect(
    stream: TcpStream,
    host: &str,
    ca_file: Option<&Path>,
) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, HandshakeError> {
    let config = http::tls_config(ca_file.map(|path| (path, http::CA_FILE)))?;
    let bare = host.trim_matches(['[', ']']);
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| HandshakeError::Name(bare.to_owned()))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|error| match certificate_fault(&error) {
        Some(fault) => HandshakeError::Certificate(fault),
        None => HandshakeError::Broken(error),
    })
}
