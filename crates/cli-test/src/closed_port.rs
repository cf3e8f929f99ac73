//! A port of this machine at which nobody listens.

use tokio::net::TcpSocket;

/// Every connection to it is refused, for as long as this value lives: a port that was merely free a moment ago may be another test's
/// by now.
#[derive(Debug)]
pub struct ClosedPort {
    _socket: TcpSocket,
    pub number: u16,
}

impl ClosedPort {
    /// Takes a port of 127.0.0.1.
    pub fn take() -> ClosedPort {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        ClosedPort { number: socket.local_addr().unwrap().port(), _socket: socket }
    }
}
