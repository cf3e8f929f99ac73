//! A way to a portal on which one answer does not come, so that a test can act while a program waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is handed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passes {
    /// Not what is wanted.
    Others,
    /// Whatever comes from now on.
    New,
    /// What waits, too.
    All,
}

/// Stands before a simulated portal.
pub struct Holding {
    /// Its address, for the program.
    pub url: String,
    is_held: watch::Receiver<bool>,
    held: Arc<watch::Sender<bool>>,
    passes: watch::Sender<Passes>,
}

impl Holding {
    /// Hands on all requests to the portal but those whose first line holds `wanted`: of these it hands on `answered`.
    pub async fn start(portal: &str, wanted: &'static str, answered: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let portal = portal.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (held, is_held) = watch::channel(false);
        let (held, seen) = (Arc::new(held), Arc::new(AtomicUsize::new(0)));
        let (passes, passing) = watch::channel(Passes::Others);
        let holds = Arc::clone(&held);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (portal, held, seen) = (portal.clone(), Arc::clone(&holds), Arc::clone(&seen));
                let mut passing = passing.clone();
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(head) = head_of(&mut stream).await else { return };
                    let is_wanted = head.lines().next().is_some_and(|line| line.contains(wanted));
                    let is_held = is_wanted && *passing.borrow() == Passes::Others;
                    if is_held && seen.fetch_add(1, Ordering::SeqCst) >= answered {
                        held.send_replace(true);
                        if passing.wait_for(|passes| *passes == Passes::All).await.is_err() {
                            return;
                        }
                    }
                    hand_on(stream, &portal, &head).await;
                });
            }
        });
        Holding { url, is_held, held, passes }
    }

    /// Whatever is wanted waits here from now on, and [`held`](Self::held) waits for the next.
    pub fn hold(&self) {
        self.held.send_replace(false);
        self.passes.send_replace(Passes::Others);
    }

    /// Hands on whatever comes from now on; what waits here waits on.
    pub fn let_pass(&self) {
        self.passes.send_replace(Passes::New);
    }

    /// Hands on what waits here, and whatever comes from now on.
    pub fn release(&self) {
        self.passes.send_replace(Passes::All);
    }

    /// Until a request waits here for its answer.
    pub async fn held(&mut self) {
        self.is_held.wait_for(|held| *held).await.unwrap();
    }
}

/// The head of a request.
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
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    there.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    let mut answer = Vec::new();
    there.read_to_end(&mut answer).await.unwrap();
    // who asked may be gone by now
    let _ = stream.write_all(&answer).await;
}
