//! How a message gets to its receiver, and how far one can know that it did.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use outbound::{HandshakeError, tls_connect};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};
use tokio::time::timeout;
use url::Url;

use crate::error::Error;

const KIND: &str = "syslog";

/// For connecting, encrypting and writing.
const PATIENCE: Duration = Duration::from_secs(20);

/// Receivers hang up when we do. One that has not by then has not refused either.
const HANGS_UP_WITHIN: Duration = Duration::from_secs(5);

/// A machine where nobody listens says so at once, if at all.
const REFUSES_WITHIN: Duration = Duration::from_millis(100);

pub(super) async fn send(address: &Url, ca_file: Option<&Path>, message: &str) -> Result<(), Error> {
    let origin = address.as_str().to_owned();
    let sent = timeout(PATIENCE, by_scheme(address, ca_file, message)).await;
    let sent = sent.unwrap_or_else(|_| Err(Trouble::Io(io::ErrorKind::TimedOut.into())));
    sent.map_err(|trouble| match trouble {
        Trouble::Io(source) => Error::Stream { kind: KIND, origin, source },
        Trouble::Tls(HandshakeError::Certificate(fault)) => Error::Certificate { kind: KIND, origin, fault },
        Trouble::Tls(HandshakeError::Broken(source)) => Error::Stream { kind: KIND, origin, source },
        Trouble::Tls(other) => Error::Stream { kind: KIND, origin, source: io::Error::other(other) },
    })
}

enum Trouble {
    Io(io::Error),
    Tls(HandshakeError),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Io(error)
    }
}

async fn by_scheme(address: &Url, ca_file: Option<&Path>, message: &str) -> Result<(), Trouble> {
    let host = address.host_str().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    let server = |port: u16| (bare.to_owned(), address.port().unwrap_or(port));
    match address.scheme() {
        "unix" => by_socket(Path::new(address.path()), message).await?,
        "udp" => by_datagram(server(514), message).await?,
        "tcp" => by_stream(TcpStream::connect(server(514)).await?, message).await?,
        _ => {
            let stream = TcpStream::connect(server(6514)).await?;
            by_stream(tls_connect(stream, bare, ca_file).await.map_err(Trouble::Tls)?, message).await?;
        }
    }
    Ok(())
}

async fn by_socket(path: &Path, message: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.send(message.as_bytes()).await.map(drop)
}

/// What a network loses, nobody hears of.
async fn by_datagram(server: (String, u16), message: &str) -> io::Result<()> {
    let server = lookup_host(server).await?.next().ok_or(io::ErrorKind::NotFound)?;
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.send(message.as_bytes()).await?;
    match timeout(REFUSES_WITHIN, socket.recv(&mut [0])).await {
        Ok(Err(refused)) => Err(refused),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// By the octets counted (RFC 6587, RFC 5425). A receiver confirms nothing, but one that breaks off has not read everything.
async fn by_stream(mut stream: impl AsyncRead + AsyncWrite + Unpin, message: &str) -> io::Result<()> {
    stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    match timeout(HANGS_UP_WITHIN, stream.read(&mut [0])).await {
        // encrypted, some hang up without a word
        Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(()),
    }
}
