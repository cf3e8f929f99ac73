//! A way to a portal on which one answer never comes, so that a test can act while a program waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands before a simulated portal.
pub struct Holding {
    /// Its address, for the program.
    pub url: String,
    is_held: watch::Receiver<bool>,
}

impl Holding {
    /// Hands on all requests to the portal but those whose first line holds `wanted`: of these it hands on `answered`.
    pub async fn start(portal: &str, wanted: &'static str, answered: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let portal = portal.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (held, is_held) = watch::channel(false);
        let (held, seen) = (Arc::new(held), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (portal, held, seen) = (portal.clone(), Arc::clone(&held), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(head) = head_of(&mut stream).await else { return };
                    let is_wanted = head.lines().next().is_some_and(|line| line.contains(wanted));
                    if is_wanted && seen.fetch_add(1, Ordering::SeqCst) >= answered {
                        held.send_replace(true);
                        std::future::pending::<()>().await;
                    }
                    hand_on(stream, &portal, &head).await;
                });
            }
        });
        Holding { url, is_held }
    }

    /// Until a request waits here for its answer.
    pub async fn held(&mut self) {
        self.is_held.wait_for(|held| *held).await.unwrap();
    }
}

/// The head of a request without a body.
async fn head_of(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// One request a connection, so that each is seen.
async fn hand_on(mut stream: TcpStream, portal: &str, head: &str) {
    let mut there = TcpStream::connect(portal).await.unwrap();
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    there.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    there.read_to_end(&mut answer).await.unwrap();
    // who asked may be gone by now
    let _ = stream.write_all(&answer).await;
}
