//! A server that does what servers do on bad days.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Does {
    Takes,
    /// Takes it, and says so one byte at a time.
    Drips,
    /// 429 with so many seconds in `Retry-After`.
    AsksForPause(u32),
    /// 429 with so many seconds in the body, as Matrix and Telegram say it.
    AsksInBody(u32),
    Fails,
    /// 200, and another service's page.
    Babbles,
    /// 200, and the answer never comes.
    Stalls,
    /// No answer at all.
    IsSilent,
    /// Reads all of it and closes.
    HangsUp,
    /// Accepts the connection and resets it.
    Resets,
}

/// A server that does this, one request after the other, the last for ever. `taken` is what it answers when it has taken one.
pub(crate) struct Server {
    /// Without a slash at its end.
    pub(crate) url: String,
    bodies: Arc<Mutex<Vec<String>>>,
    listener: TcpListener,
}

impl Server {
    pub(crate) async fn bind() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Server { url: format!("http://{}", listener.local_addr().unwrap()), bodies: Arc::default(), listener }
    }

    /// Gives the bodies that it has read; of a request that it has not read an empty one.
    pub(crate) fn start(self, does: &'static [Does], taken: &'static str) -> Arc<Mutex<Vec<String>>> {
        let bodies = self.bodies.clone();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = self.listener.accept().await {
                let does = does[self.bodies.lock().unwrap().len().min(does.len() - 1)];
                let body = if does == Does::Resets { Some(String::new()) } else { read_request(&mut stream).await };
                let Some(body) = body else { continue };
                self.bodies.lock().unwrap().push(body);
                answer(&mut stream, does, taken).await;
                if matches!(does, Does::Stalls | Does::IsSilent) {
                    kept.push(stream);
                    // from now on nobody does anything, and the clock goes to the next time limit
                    tokio::time::pause();
                }
            }
        });
        bodies
    }
}

async fn answer(stream: &mut TcpStream, does: Does, taken: &str) {
    let whole = |status: &str, more: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    let said = match does {
        Does::Takes | Does::Drips => whole("200 OK", "", taken),
        Does::AsksForPause(seconds) => {
            whole("429 Too Many Requests", &format!("retry-after: {seconds}\r\n"), "slow down")
        }
        Does::AsksInBody(seconds) => {
            let body = format!(
                r#"{{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":{seconds}000,"parameters":{{"retry_after":{seconds}}}}}"#
            );
            whole("429 Too Many Requests", "", &body)
        }
        Does::Fails => whole("500 Internal Server Error", "", "oops"),
        Does::Babbles => whole("200 OK", "", "<html>sign in</html>"),
        Does::Stalls => "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"ok\":tr".to_owned(),
        Does::IsSilent | Does::HangsUp => return,
        Does::Resets => return stream.set_zero_linger().unwrap(),
    };
    if does != Does::Drips {
        return stream.write_all(said.as_bytes()).await.unwrap();
    }
    stream.set_nodelay(true).unwrap();
    for byte in said.bytes() {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// The body, if a whole request has come.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(body.to_owned());
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(bytes) => read.extend_from_slice(&piece[..bytes]),
        }
    }
}
