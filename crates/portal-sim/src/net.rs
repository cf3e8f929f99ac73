//! Connections that a fault can reset: a TCP listener, with TLS or without, whose streams carry a switch.
//!
//! It knows no HTTP; the switch is handed to the handler of each request.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// Accepts connections that can be reset.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// What a handler knows about its connection.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Who is at the other end.
    pub(crate) peer: SocketAddr,
    reset: Arc<AtomicBool>,
}

impl Connection {
    /// Ends the connection with a TCP reset instead of the answer that is about to be written.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }
}

/// A stream with a switch.
pub(crate) struct Stream {
    transport: Transport,
    reset: Arc<AtomicBool>,
}

enum Transport {
    Plain(TcpStream),
    /// Nobody else waits for a client that is slow to greet: whoever reads first does this, too.
    Handshake(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake failed.
    Gone,
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        let (tcp, peer) = axum::serve::Listener::accept(&mut self.tcp).await;
        let transport = match &self.tls {
            None => Transport::Plain(tcp),
            Some(tls) => Transport::Handshake(Box::new(tls.accept(tcp))),
        };
        (Stream { transport, reset: Arc::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Connection {
        Connection { peer: *stream.remote_addr(), reset: stream.io().reset.clone() }
    }
}

/// What bytes go through.
trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

impl Stream {
    /// The bytes below; refuses to go on once the switch is thrown, and dropping the stream then sends the reset.
    fn open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        if self.reset.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if let Transport::Handshake(accept) = &mut self.transport {
            let greeted = ready!(Pin::new(accept).poll(cx));
            self.transport = Transport::Gone;
            self.transport = Transport::Tls(Box::new(greeted?));
        }
        Poll::Ready(match &mut self.transport {
            Transport::Plain(tcp) => Ok(Pin::new(tcp)),
            Transport::Tls(tls) => Ok(Pin::new(tls)),
            Transport::Handshake(_) | Transport::Gone => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let tcp = match &self.transport {
            Transport::Plain(tcp) => Some(tcp),
            Transport::Tls(tls) => Some(tls.get_ref().0),
            Transport::Handshake(_) | Transport::Gone => None,
        };
        if let Some(tcp) = tcp
            && self.reset.load(Ordering::Acquire)
        {
            // without lingering the kernel sends a reset; a failure means that the connection is gone already
            let _ = tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.open(cx))?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.open(cx))?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.open(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.open(cx))?.poll_shutdown(cx)
    }
}
