//! A receiver of heartbeats and of alerts on loopback, which keeps what it was told.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Of the run, by which heartbeats are told apart; alerts have none.
    pub rid: String,
    pub body: String,
}

pub struct Receiver {
    pub url: String,
    pub told: Arc<Mutex<Vec<Told>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/check", listener.local_addr().unwrap());
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = take(stream).await;
                kept.lock().unwrap().extend(request);
            }
        });
        Receiver { url, told }
    }

    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// The paths, in order.
    pub fn paths(&self) -> Vec<String> {
        self.told().into_iter().map(|told| told.path).collect()
    }
}

/// What was told; nothing by somebody who only looked whether a connection can be made.
async fn take(stream: TcpStream) -> Option<Told> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line);
    }
    if head.is_empty() {
        return None;
    }
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
    let mut words = head[0].split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let rid = query.strip_prefix("rid=").unwrap_or_default().to_owned();
    Some(Told { method, path: path.to_owned(), rid, body: String::from_utf8(body).unwrap() })
}
